#include "core/nexthop.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"

struct nexthop_group *nexthop_group_create(const struct nexthop *hops, size_t len)
{
    struct nexthop_group *g = mem_alloc(1, sizeof *g + len * sizeof *hops);

    assert(len <= NEXTHOP_GROUP_MAX);
    g->len = (uint16_t)len;
    if (len)
        memcpy(g->hops, hops, len * sizeof *hops);
    nexthop_group_rebalance(g);
    return g;
}

void nexthop_group_destroy(struct nexthop_group *g)
{
    mem_free(g);
}

void nexthop_group_rebalance(struct nexthop_group *g)
{
    uint64_t total = 0, cumulated = 0;

    g->live = 0;
    for (unsigned i = 0; i < g->len; i++) {
        if (!g->hops[i].up)
            continue;
        total += g->hops[i].weight;
        g->live++;
    }
    g->total_weight = (uint32_t)total;
    for (unsigned i = 0; i < g->len; i++) {
        struct nexthop *h = &g->hops[i];

        if (!h->up) {
            h->upper_bound = -1;
            continue;
        }
        cumulated += h->weight;
        h->upper_bound = (int32_t)(((cumulated << 31) + total / 2) / total - 1);
    }
}

unsigned nexthop_group_pick(const struct nexthop_group *g, uint32_t hash)
{
    for (unsigned i = 0; i < g->len; i++)
        if (g->hops[i].upper_bound >= 0 && hash <= (uint32_t)g->hops[i].upper_bound)
            return i;
    return NEXTHOP_NONE;
}

uint16_t nexthop_group_twin(const struct nexthop_group *g, unsigned i)
{
    const struct nexthop *h = &g->hops[i];
    unsigned twins = 0;

    for (unsigned k = 0; k < i; k++)
        twins +=
            g->hops[k].iface == h->iface && addr_equal(&g->hops[k].gateway, &h->gateway);
    return (uint16_t)twins;
}

double nexthop_share(const struct nexthop_group *g, unsigned i)
{
    return g->hops[i].up ? (double)g->hops[i].weight / g->total_weight : 0;
}
