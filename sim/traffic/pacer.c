#include "sim/traffic/pacer.h"

#include <stdio.h>

#include "core/memory.h"
#include "sim/timeline/heap.h"
#include "sim/traffic/pacing.h"

struct live {
    struct pacing pacing;
    uint32_t next_free; /* of a dead one: index + 1 */
};

_Static_assert(sizeof(struct live) <= 256, "a million connections in 256 MB");

struct pacer {
    struct demand_source source;
    struct live *live;
    size_t live_len, live_cap, live_count;
    uint32_t free; /* index + 1 of the first dead one; 0: none */
    struct heap heap;
    bool failed;
    char error[320];
};

struct pacer *pacer_create(const struct demand_source *source)
{
    struct pacer *p = mem_alloc(1, sizeof *p);

    p->source = *source;
    return p;
}

void pacer_destroy(struct pacer *p)
{
    if (!p)
        return;
    mem_free(p->live);
    heap_free(&p->heap);
    mem_free(p);
}

const char *pacer_error(const struct pacer *p)
{
    return p->error;
}

size_t pacer_live(const struct pacer *p)
{
    return p->live_count;
}

/* --------------------------------------------------------------------------- connections */

static uint32_t slot_take(struct pacer *p)
{
    uint32_t i = p->free;

    if (i) {
        p->free = p->live[i - 1].next_free;
        return i - 1;
    }
    p->live = mem_grow(p->live, &p->live_cap, p->live_len + 1, sizeof *p->live);
    return (uint32_t)p->live_len++;
}

static void live_add(struct pacer *p, const struct demand *d)
{
    const uint32_t i = slot_take(p);

    pacing_begin(&p->live[i].pacing, d);
    p->live_count++;
    heap_push(&p->heap, d->start_ns, 0, i);
}

static void live_end(struct pacer *p, uint32_t i)
{
    p->source.ended(p->source.context, &p->live[i].pacing.demand);
    p->live[i].next_free = p->free;
    p->free = i + 1;
    p->live_count--;
}

/* The next packet of all. */
static void emit(struct pacer *p, struct captured *out)
{
    struct timer t;
    struct pacing *l;

    heap_pop(&p->heap, &t);
    l = &p->live[t.index].pacing;
    pacing_emit(l, out);
    if (l->sent < pacing_packets(&l->demand))
        heap_push(&p->heap, pacing_time(l, l->sent), 0, t.index);
    else
        live_end(p, t.index);
}

/* ------------------------------------------------------------------------------- reading */

static bool admit(struct pacer *p)
{
    struct demand d;

    if (p->live_count == PACER_LIVE_MAX) {
        snprintf(p->error, sizeof p->error, "more than %d connections live at once",
                 PACER_LIVE_MAX);
        return false;
    }
    if (!p->source.take(p->source.context, &d)) {
        snprintf(p->error, sizeof p->error, "%s", p->source.error(p->source.context));
        return false;
    }
    live_add(p, &d);
    return true;
}

/* What lives and is due by then is heard before a new connection: it may free a port. */
static bool is_due(const struct pacer *p, int64_t start_ns)
{
    const struct timer *first = heap_peek(&p->heap);

    return !first || start_ns < first->time_ns;
}

int pacer_read(struct pacer *p, struct captured *out, unsigned max)
{
    unsigned n = 0;
    int64_t start_ns;

    while (n < max && !p->failed) {
        if (p->source.begin(p->source.context, &start_ns) && is_due(p, start_ns))
            p->failed = !admit(p);
        else if (heap_peek(&p->heap))
            emit(p, &out[n++]);
        else
            break;
    }
    return n == 0 && p->failed ? -1 : (int)n;
}
