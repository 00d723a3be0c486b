#include "sim/observe/promise.h"

#include <string.h>

#include "core/memory.h"

enum { INDEX_MIN = 16 };

void promises_init(struct promises *p, size_t wans_len)
{
    memset(p, 0, sizeof *p);
    p->wans_len = wans_len;
    p->scratch = mem_alloc(wans_len + 1, sizeof *p->scratch);
    p->index = mem_alloc(INDEX_MIN, sizeof *p->index);
    p->index_mask = INDEX_MIN - 1;
}

void promises_free(struct promises *p)
{
    mem_free(p->promises);
    mem_free(p->counts);
    mem_free(p->weights);
    mem_free(p->scratch);
    mem_free(p->index);
}

static size_t weights_hash(const uint32_t *weights, size_t n)
{
    uint64_t h = 0;

    for (size_t i = 0; i < n; i++)
        h = (h ^ weights[i]) * 0x9e3779b97f4a7c15u + (h >> 32);
    return (size_t)(h >> 20);
}

static const uint32_t *weights_of(const struct promises *p, size_t i)
{
    return p->weights + i * p->wans_len;
}

/* The slot of the index where these weights are, or belong. */
static size_t index_slot(const struct promises *p, const uint32_t *weights)
{
    size_t i = weights_hash(weights, p->wans_len) & p->index_mask;

    while (p->index[i] && memcmp(weights_of(p, p->index[i] - 1), weights,
                                 p->wans_len * sizeof *weights) != 0)
        i = (i + 1) & p->index_mask;
    return i;
}

static void index_grow(struct promises *p)
{
    const size_t len = 2 * (p->index_mask + 1);

    mem_free(p->index);
    p->index = mem_alloc(len, sizeof *p->index);
    p->index_mask = len - 1;
    for (size_t i = 0; i < p->len; i++)
        p->index[index_slot(p, weights_of(p, i))] = (uint32_t)i + 1;
}

static uint32_t promise_add(struct promises *p)
{
    const size_t i = p->len++;
    struct promise added = {0, false};
    size_t parts = 0;

    p->promises = mem_grow(p->promises, &p->promises_cap, p->len, sizeof *p->promises);
    p->counts = mem_grow(p->counts, &p->counts_cap, p->len, sizeof *p->counts);
    p->weights =
        mem_grow(p->weights, &p->weights_cap, p->len * p->wans_len, sizeof *p->weights);
    memcpy(p->weights + i * p->wans_len, p->scratch, p->wans_len * sizeof *p->weights);
    for (size_t w = 0; w < p->wans_len; w++) {
        added.total += p->scratch[w];
        parts += p->scratch[w] > 0;
    }
    added.choice = parts > 1;
    p->promises[i] = added;
    p->counts[i] = (struct promise_counts){0};
    if (p->len * 2 > p->index_mask)
        index_grow(p);
    else
        p->index[index_slot(p, p->scratch)] = (uint32_t)i + 1;
    return (uint32_t)i;
}

uint32_t promises_find(struct promises *p, const struct nexthop_group *g,
                       const int *wan_of_iface, int chosen)
{
    size_t slot;

    memset(p->scratch, 0, p->wans_len * sizeof *p->scratch);
    for (unsigned i = 0; g && i < g->len; i++)
        if (g->hops[i].up && wan_of_iface[g->hops[i].iface] >= 0)
            p->scratch[wan_of_iface[g->hops[i].iface]] += g->hops[i].weight;
    if (p->scratch[chosen] == 0) {
        memset(p->scratch, 0, p->wans_len * sizeof *p->scratch);
        p->scratch[chosen] = 1;
    }
    slot = index_slot(p, p->scratch);
    return p->index[slot] ? p->index[slot] - 1 : promise_add(p);
}

static stats_u128 square_grows(uint64_t before, uint64_t now)
{
    return (stats_u128)now * now - (stats_u128)before * before;
}

static double fourth_grows(double before, double now)
{
    return now * now * now * now - before * before * before * before;
}

void promises_add_flow(struct promises *p, uint32_t i, uint64_t before)
{
    p->counts[i].flow_squares += square_grows(before, before + 1);
    p->counts[i].flow_fourths += fourth_grows((double)before, (double)(before + 1));
}

void promises_add_bytes(struct promises *p, uint32_t i, uint64_t before, uint64_t bytes)
{
    p->counts[i].byte_squares += square_grows(before, before + bytes);
    p->counts[i].byte_fourths += fourth_grows((double)before, (double)(before + bytes));
}
