/*
 * Entries: of the candidates of one prefix, what forwarding sees. See rib.h for the order, and
 * for how candidates join.
 */
#include <string.h>

#include "core/memory.h"
#include "core/policy.h"
#include "core/rib_parts.h"

/* ---------------------------------------------------------------------------- entries */

static uint32_t entry_create(struct rib *r)
{
    uint32_t e = r->free_entry;

    if (e != RIB_NO_ROUTE) {
        r->free_entry = r->entries[e].next;
    } else {
        r->entries =
            mem_grow(r->entries, &r->entries_cap, r->entries_len + 1, sizeof *r->entries);
        e = (uint32_t)r->entries_len++;
    }
    memset(&r->entries[e], 0, sizeof r->entries[e]);
    r->entries[e].next = RIB_NO_ROUTE;
    r->entries[e].seat = RIB_NO_SEAT;
    return e;
}

void rib_leaf_drop_entries(struct rib *r, struct leaf *l)
{
    uint32_t next;

    for (uint32_t e = l->first_entry; e != RIB_NO_ROUTE; e = next) {
        next = r->entries[e].next;
        nexthop_group_destroy(r->entries[e].group);
        r->entries[e].group = NULL;
        if (r->entries[e].seat != RIB_NO_SEAT)
            r->seats[r->entries[e].seat].entry = RIB_NO_ROUTE;
        r->entries[e].usable = false;
        r->entries[e].next = r->free_entry;
        r->free_entry = e;
    }
    l->first_entry = RIB_NO_ROUTE;
}

/* The steps of rib.h: <0, 0, >0 as `a` comes before, joins, comes after `b`. */
static int route_compare(const struct rib_route *a, const struct rib_route *b)
{
    if (a->tos != b->tos) /* 1 */
        return a->tos > b->tos ? -1 : 1;
    if (a->distance != b->distance) /* 2 */
        return a->distance < b->distance ? -1 : 1;
    return 0; /* 3 */
}

/* Linux keeps connected routes of one network apart; only what was given together is one. */
static bool routes_join(const struct rib *r, const struct rib_route *a,
                        const struct rib_route *b)
{
    if (route_compare(a, b) != 0 || a->type != ROUTE_UNICAST || b->type != ROUTE_UNICAST)
        return false;
    return r->config->platform != PLATFORM_LINUX ||
           (a->origin == ORIGIN_STATIC && b->origin == ORIGIN_STATIC);
}

struct hops {
    struct nexthop *all;
    size_t len, cap;
    size_t dead; /* of them, dead for the kernel (struct gateway_hop) */
    bool crowded;
};

static void hops_add(struct hops *h, struct nexthop hop, bool dead)
{
    if (h->len == NEXTHOP_GROUP_MAX) {
        h->crowded = true;
        return;
    }
    h->all = mem_grow(h->all, &h->cap, h->len + 1, sizeof *h->all);
    h->all[h->len++] = hop;
    h->dead += dead;
}

/*
 * A next-hop object goes with its link, administratively down or without a carrier, and with
 * nothing else: the interface may lose its addresses. The kernel never brings it back; a daemon
 * may. Source: Linux nh_netdev_event().
 */
static void object_follow(const struct config_policy *policy, struct gateway_ref *ref,
                          const struct gateway_hop *at, struct nexthop *hop, bool *dead)
{
    ref->gone = ref->gone || (!at->running && !policy->returns);
    hop->up = at->running && at->passes && !ref->gone;
    *dead = ref->gone;
}

static void hops_add_route(const struct rib *r, struct hops *h, const struct rib_route *c,
                           const struct config_policy *policy)
{
    if (c->origin != ORIGIN_STATIC) {
        const struct nexthop hop = {.route = c->config,
                                    .iface = c->iface,
                                    .weight = 1,
                                    .up = rib_route_usable(r, c)};

        hops_add(h, hop, false);
        return;
    }
    for (uint32_t i = 0; i < c->refs_len; i++) {
        const struct gateway *g = &r->gateways[c->refs[i].gateway];

        for (size_t k = 0; k < g->hops_len; k++) {
            struct nexthop hop = {.gateway = g->hops[k].addr,
                                  .route = c->config,
                                  .iface = g->hops[k].iface,
                                  .weight = c->refs[i].weight,
                                  .up = g->hops[k].up};
            bool dead = g->hops[k].dead;

            if (policy->objects && r->config->platform == PLATFORM_LINUX)
                object_follow(policy, &c->refs[i], &g->hops[k], &hop, &dead);
            hops_add(h, hop, dead);
        }
    }
}

/* -------------------------------------------------------------------------------- seats */

/* The seat of the entry, which is one of the leaf's. */
static uint32_t seat_take(struct rib *r, struct leaf *l, uint32_t entry)
{
    const struct fib_entry *e = &r->entries[entry];
    uint32_t *last = &l->first_seat;
    uint32_t i;

    for (i = *last; i != RIB_NO_SEAT; i = *last) {
        struct seat *s = &r->seats[i];

        if (s->tos == e->tos && s->distance == e->distance) {
            s->entry = entry;
            return i;
        }
        last = &s->next;
    }
    i = *last = (uint32_t)r->seats_len;
    r->seats = mem_grow(r->seats, &r->seats_cap, r->seats_len + 1, sizeof *r->seats);
    r->seats[r->seats_len++] = (struct seat){
        .distance = e->distance, .next = RIB_NO_SEAT, .entry = entry, .tos = e->tos};
    return i;
}

size_t rib_seats_len(const struct rib *r)
{
    return r->seats_len;
}

const struct fib_entry *rib_seat_entry(const struct rib *r, size_t seat)
{
    const uint32_t entry = r->seats[seat].entry;

    return entry == RIB_NO_ROUTE ? NULL : &r->entries[entry];
}

/* ------------------------------------------------------------------------ leaf to entries */

/* Sort the enabled candidates of a leaf, stably: the sort key is small and nearly ordered. */
static size_t leaf_sorted_routes(const struct rib *r, const struct leaf *l,
                                 uint32_t *sorted)
{
    size_t n = 0;

    for (size_t i = 0; i < l->routes_len; i++) {
        const struct rib_route *c = &r->routes[l->routes[i]];
        size_t at = n;

        if (!c->enabled || c->deleted)
            continue;
        for (; at > 0 && route_compare(c, &r->routes[sorted[at - 1]]) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = l->routes[i];
        n++;
    }
    return n;
}

/* One entry of the candidates sorted[0..n-1], which join. False: the kernel deletes them. */
static bool entry_fill(struct rib *r, uint32_t entry, const uint32_t *sorted, size_t n)
{
    const struct rib_route *first = &r->routes[sorted[0]];
    struct fib_entry *e = &r->entries[entry];
    struct hops hops = {0};
    bool lost;

    e->dst = first->dst;
    e->pref_src = first->pref_src;
    e->distance = first->distance;
    e->route = first->config;
    e->table = first->table;
    e->iface = first->iface;
    e->type = first->type;
    e->origin = first->origin;
    e->tos = first->tos;
    e->policy =
        first->config == RIB_NO_ROUTE ? 0 : r->config->routes[first->config].policy;
    e->usable = rib_route_usable(r, first);
    if (first->type != ROUTE_UNICAST)
        return true;
    for (size_t i = 0; i < n; i++)
        hops_add_route(r, &hops, &r->routes[sorted[i]], &r->config->policies[e->policy]);
    e->group = nexthop_group_create(hops.all, hops.len);
    e->usable = e->group->live > 0;
    lost = hops.len > 0 && hops.dead == hops.len;
    r->crowded |= hops.crowded;
    mem_free(hops.all);
    return !lost;
}

void rib_leaf_rebuild(struct rib *r, uint32_t leaf)
{
    struct leaf *l = &r->leaves[leaf];
    uint32_t *sorted, last = RIB_NO_ROUTE;
    size_t n, end;

    if (r->building)
        return;
    rib_leaf_drop_entries(r, l);
    sorted = mem_alloc(l->routes_len, sizeof *sorted);
    n = leaf_sorted_routes(r, l, sorted);
    for (size_t i = 0; i < n; i = end) {
        uint32_t e = entry_create(r);

        for (end = i + 1; end < n; end++)
            if (!routes_join(r, &r->routes[sorted[i]], &r->routes[sorted[end]]))
                break;
        if (!entry_fill(r, e, sorted + i, end - i))
            for (size_t k = i; k < end; k++)
                r->routes[sorted[k]].deleted = true;
        if (r->entries[e].group && r->has_state[r->entries[e].policy])
            r->entries[e].seat = seat_take(r, l, e);
        if (last == RIB_NO_ROUTE)
            l->first_entry = e;
        else
            r->entries[last].next = e;
        last = e;
    }
    mem_free(sorted);
}
