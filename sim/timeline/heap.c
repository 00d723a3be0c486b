#include "sim/timeline/heap.h"

#include <string.h>

#include "core/memory.h"

enum { ARITY = 4 };

static bool is_before(const struct timer *a, const struct timer *b)
{
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    return a->sequence < b->sequence;
}

/* There is room for it. */
static void insert(struct heap *h, const struct timer *added)
{
    const struct timer t = *added;
    size_t i = h->len++;

    for (; i > 0; i = (i - 1) / ARITY) {
        const size_t parent = (i - 1) / ARITY;

        if (!is_before(&t, &h->timers[parent]))
            break;
        h->timers[i] = h->timers[parent];
    }
    h->timers[i] = t;
}

void heap_push(struct heap *h, int64_t time_ns, uint32_t kind, uint32_t index)
{
    const struct timer t = {time_ns, h->next_sequence++, kind, index};

    h->timers = mem_grow(h->timers, &h->cap, h->len + 1, sizeof *h->timers);
    insert(h, &t);
}

void heap_drop(struct heap *h, uint32_t first, uint32_t last)
{
    const size_t before = h->len;

    h->len = 0;
    for (size_t i = 0; i < before; i++) {
        const struct timer t = h->timers[i];

        if (t.kind < first || t.kind > last)
            insert(h, &t);
    }
}

const struct timer *heap_peek(const struct heap *h)
{
    return h->len ? &h->timers[0] : NULL;
}

static size_t earliest_child(const struct heap *h, size_t parent)
{
    const size_t first = parent * ARITY + 1;
    size_t best = first;

    for (size_t c = first + 1; c < first + ARITY && c < h->len; c++)
        if (is_before(&h->timers[c], &h->timers[best]))
            best = c;
    return best;
}

bool heap_pop(struct heap *h, struct timer *t)
{
    struct timer last;
    size_t i = 0;

    if (h->len == 0)
        return false;
    *t = h->timers[0];
    last = h->timers[--h->len];
    while (i * ARITY + 1 < h->len) {
        const size_t child = earliest_child(h, i);

        if (!is_before(&h->timers[child], &last))
            break;
        h->timers[i] = h->timers[child];
        i = child;
    }
    if (h->len)
        h->timers[i] = last;
    return true;
}

void heap_free(struct heap *h)
{
    mem_free(h->timers);
    memset(h, 0, sizeof *h);
}
