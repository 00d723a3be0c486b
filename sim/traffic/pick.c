#include "sim/traffic/pick.h"

#include "core/memory.h"
#include "sim/traffic/real.h"

void pick_init(struct pick *p, enum pick_kind kind, size_t len, double exponent,
               const double *weights, struct random_stream stream)
{
    double sum = 0;

    *p = (struct pick){.kind = (uint8_t)kind, .len = len, .stream = stream};
    if (kind != PICK_ZIPF && kind != PICK_WEIGHTED)
        return;
    p->sums = mem_alloc(len, sizeof *p->sums);
    for (size_t i = 0; i < len; i++) {
        sum += kind == PICK_ZIPF ? real_pow((double)(i + 1), -exponent) : weights[i];
        p->sums[i] = sum;
    }
}

void pick_free(struct pick *p)
{
    mem_free(p->sums);
    p->sums = NULL;
}

/* The first whose sum is above a point drawn below the last. */
static size_t by_sums(struct pick *p)
{
    const double point = real_uniform(&p->stream) * p->sums[p->len - 1];
    size_t low = 0, high = p->len - 1;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (p->sums[middle] > point)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

size_t pick_next(struct pick *p)
{
    switch ((enum pick_kind)p->kind) {
    case PICK_UNIFORM: return (size_t)random_below(&p->stream, p->len);
    case PICK_SEQUENTIAL: return (size_t)(p->given++ % p->len);
    case PICK_ZIPF:
    case PICK_WEIGHTED: return by_sums(p);
    case PICK_KINDS: break;
    }
    return 0;
}
