#include "sim/observe/spans.h"

#include <stdlib.h>

#include "core/memory.h"

void spans_free(struct spans *s)
{
    mem_free(s->list);
}

static int by_first(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

/* Join neighbours whose gap is at most `gap_ns`; the list is in order. */
static void join(struct spans *s, int64_t gap_ns)
{
    size_t kept = 0;

    for (size_t i = 1; i < s->len; i++) {
        struct span *last = &s->list[kept];
        const struct span next = s->list[i];

        if (next.first_ns > last->last_ns && next.first_ns - last->last_ns > gap_ns)
            s->list[++kept] = next;
        else if (next.last_ns > last->last_ns)
            last->last_ns = next.last_ns;
    }
    s->len = s->len ? kept + 1 : 0;
}

static void put_in_order(struct spans *s)
{
    if (s->len)
        qsort(s->list, s->len, sizeof *s->list, by_first);
    join(s, 0);
}

/* Make room for one more: merge, then grow, then close gaps. */
static void make_room(struct spans *s)
{
    put_in_order(s);
    if (s->cap && s->len <= s->cap / 2)
        return;
    if (s->cap < SPANS_MAX) {
        s->list = mem_grow(s->list, &s->cap, s->cap + 1, sizeof *s->list);
        return;
    }
    s->coarse = true;
    for (int64_t gap = 1000000; s->len > SPANS_MAX / 2; gap *= 2)
        join(s, gap);
}

void spans_add(struct spans *s, int64_t first_ns, int64_t last_ns)
{
    struct span *last = s->len ? &s->list[s->len - 1] : NULL;

    if (last && first_ns <= last->last_ns && last_ns >= last->first_ns) {
        last->first_ns = first_ns < last->first_ns ? first_ns : last->first_ns;
        last->last_ns = last_ns > last->last_ns ? last_ns : last->last_ns;
        return;
    }
    if (s->len == s->cap)
        make_room(s);
    s->list[s->len++] = (struct span){first_ns, last_ns};
}

/* ---------------------------------------------------------------------------- overlap */

/* A span's beginning (+1) or end (-1). */
struct edge {
    int64_t time_ns;
    int step;
};

static int by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns > y->time_ns ? 1 : -1;
    return y->step - x->step; /* spans that meet overlap */
}

size_t spans_most_at_once(struct spans *const *sets, size_t n)
{
    struct edge *edges;
    size_t len = 0, now = 0, most = 0;

    for (size_t i = 0; i < n; i++) {
        put_in_order(sets[i]);
        len += 2 * sets[i]->len;
    }
    if (len == 0)
        return 0;
    edges = mem_alloc(len, sizeof *edges);
    len = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sets[i]->len; k++) {
            edges[len++] = (struct edge){sets[i]->list[k].first_ns, 1};
            edges[len++] = (struct edge){sets[i]->list[k].last_ns, -1};
        }
    qsort(edges, len, sizeof *edges, by_time);
    for (size_t i = 0; i < len; i++) {
        now = edges[i].step > 0 ? now + 1 : now - 1;
        most = now > most ? now : most;
    }
    mem_free(edges);
    return most;
}
