#include "core/rib.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/policy.h"
#include "core/rib_parts.h"

/* ------------------------------------------------------------------- tables and leaves */

struct lpm *rib_lpm(const struct rib *r, unsigned table, unsigned family)
{
    return family == FAMILY_V4 ? r->tables[table].v4 : r->tables[table].v6;
}

static uint32_t leaf_of(struct rib *r, unsigned table, const struct prefix *dst)
{
    struct rib_table *t = &r->tables[table];
    struct lpm **lpm = dst->addr.family == FAMILY_V4 ? &t->v4 : &t->v6;
    uint32_t leaf;

    if (!*lpm)
        *lpm = lpm_create(addr_bits(&dst->addr));
    leaf = lpm_find(*lpm, dst->addr.bytes, dst->length);
    if (leaf != LPM_NONE)
        return leaf;
    r->leaves = mem_grow(r->leaves, &r->leaves_cap, r->leaves_len + 1, sizeof *r->leaves);
    leaf = (uint32_t)r->leaves_len++;
    r->leaves[leaf] = (struct leaf){
        .dst = *dst, .table = (uint16_t)table, .first_entry = RIB_NO_ROUTE, .first_seat = RIB_NO_SEAT};
    lpm_insert(*lpm, dst->addr.bytes, dst->length, leaf);
    return leaf;
}

/* Candidates keep the order of their numbers, which is that of the configuration. */
void rib_leaf_add_route(struct rib *r, uint32_t route)
{
    struct rib_route *c = &r->routes[route];
    struct leaf *l;
    size_t at;

    c->leaf = leaf_of(r, c->table, &c->dst);
    c->in_leaf = true;
    l = &r->leaves[c->leaf];
    l->routes = mem_grow(l->routes, &l->routes_cap, l->routes_len + 1, sizeof *l->routes);
    for (at = l->routes_len; at > 0 && l->routes[at - 1] > route; at--)
        l->routes[at] = l->routes[at - 1];
    l->routes[at] = route;
    l->routes_len++;
}

/* ----------------------------------------------------------------- what is to be rebuilt */

void rib_leaf_mark(struct rib *r, uint32_t leaf)
{
    if (r->leaves[leaf].dirty)
        return;
    r->leaves[leaf].dirty = true;
    r->dirty = mem_grow(r->dirty, &r->dirty_cap, r->dirty_len + 1, sizeof *r->dirty);
    r->dirty[r->dirty_len++] = leaf;
}

void rib_leaves_settle(struct rib *r)
{
    for (size_t i = 0; i < r->dirty_len; i++) {
        r->leaves[r->dirty[i]].dirty = false;
        rib_leaf_rebuild(r, r->dirty[i]);
    }
    r->dirty_len = 0;
}

/* ----------------------------------------------------------------------------- routes */

uint32_t rib_route_add(struct rib *r, const struct rib_route *route)
{
    r->routes = mem_grow(r->routes, &r->routes_cap, r->routes_len + 1, sizeof *r->routes);
    r->routes[r->routes_len] = *route;
    return (uint32_t)r->routes_len++;
}

/*
 * Scope 255 counts as 254, a target scope too; a scope not above the target scope is repaired
 * to be so. No target scope reaches 255, so chains are finite.
 */
static uint8_t effective_scope(uint8_t scope, uint8_t target_scope)
{
    const uint8_t s = scope == 255 ? 254 : scope;

    return s <= target_scope ? (uint8_t)(target_scope + 1) : s;
}

static void route_add_configured(struct rib *r, uint32_t index)
{
    const struct config_route *c = &r->config->routes[index];
    struct rib_route route = {
        .dst = prefix_of(&c->dst.addr, c->dst.length),
        .pref_src = c->pref_src,
        .distance = c->distance,
        .config = index,
        .table = c->table,
        .type = c->type,
        .origin = ORIGIN_STATIC,
        .tos = c->tos,
        .scope = effective_scope(c->scope, route_target_scope(c)),
        .enabled = !c->disabled,
    };

    if (c->type == ROUTE_UNICAST && c->gateways_len) {
        route.refs = mem_alloc(c->gateways_len, sizeof *route.refs);
        route.refs_len = (uint32_t)c->gateways_len;
    }
    for (uint32_t i = 0; i < route.refs_len; i++) {
        const struct config_gateway *g = &c->gateways[i];

        route.refs[i].gateway = gateway_intern(r, g, c);
        route.refs[i].weight = g->weight ? g->weight : 1;
        gateway_add_user(r, route.refs[i].gateway, index);
    }
    rib_route_add(r, &route);
    rib_leaf_add_route(r, index);
    if (route.enabled && route.refs_len == 1 && !addr_is_set(&c->gateways[0].addr)) {
        r->on_link =
            mem_grow(r->on_link, &r->on_link_cap, r->on_link_len + 1, sizeof *r->on_link);
        r->on_link[r->on_link_len++] = index;
    }
}

/* -------------------------------------------------------------------- making, unmaking */

struct rib *rib_create(const struct router_config *config, const struct iface_state *ifaces)
{
    struct rib *r = mem_alloc(1, sizeof *r);

    r->config = config;
    r->ifaces = ifaces;
    r->free_entry = RIB_NO_ROUTE;
    r->has_state = mem_alloc(config->policies_len, sizeof *r->has_state);
    for (size_t i = 0; i < config->policies_len; i++)
        r->has_state[i] = policy_has_state(policy_find(config->policies[i].name));
    r->tables = mem_alloc(config->tables_len, sizeof *r->tables);
    r->building = true;
    for (uint32_t i = 0; i < config->routes_len; i++)
        route_add_configured(r, i);
    for (unsigned i = 0; i < config->ifaces_len; i++)
        for (size_t k = 0; k < ifaces[i].addresses_len; k++)
            rib_address_routes_add(r, i, &ifaces[i].addresses[k]);
    r->building = false;
    gateways_refresh(r);
    for (uint32_t i = 0; i < r->leaves_len; i++)
        rib_leaf_rebuild(r, i);
    return r;
}

void rib_destroy(struct rib *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->leaves_len; i++) {
        rib_leaf_drop_entries(r, &r->leaves[i]);
        mem_free(r->leaves[i].routes);
    }
    for (size_t i = 0; i < r->routes_len; i++)
        mem_free(r->routes[i].refs);
    for (size_t i = 0; i < r->gateways_len; i++) {
        mem_free(r->gateways[i].hops);
        mem_free(r->gateways[i].users);
    }
    for (size_t i = 0; i < r->config->tables_len; i++) {
        lpm_destroy(r->tables[i].v4);
        lpm_destroy(r->tables[i].v6);
    }
    mem_free(r->tables);
    mem_free(r->routes);
    mem_free(r->gateways);
    mem_free(r->leaves);
    mem_free(r->entries);
    mem_free(r->seats);
    mem_free(r->has_state);
    mem_free(r->on_link);
    mem_free(r->checks);
    mem_free(r->dirty);
    mem_free(r);
}

/* Nothing was known of a gateway that no enabled route has used: it is taken for reachable. */
static void gateways_presume(struct rib *r, const struct rib_route *c)
{
    for (uint32_t i = 0; i < c->refs_len; i++) {
        struct gateway *g = &r->gateways[c->refs[i].gateway];
        bool used = false;

        for (size_t k = 0; k < g->users_len && !used; k++)
            used = r->routes[g->users[k]].enabled;
        g->verdict_up |= !used;
    }
}

void rib_route_set_disabled(struct rib *r, uint32_t route, bool disabled)
{
    struct rib_route *c = &r->routes[route];

    if (!disabled && !c->enabled)
        gateways_presume(r, c);
    c->enabled = !disabled;
    c->deleted = false;
    for (uint32_t i = 0; i < c->refs_len; i++)
        c->refs[i].gone = false;
    rib_leaf_rebuild(r, c->leaf);
    gateways_refresh(r);
}

/* ---------------------------------------------------------------------------- look-up */

/*
 * Local traffic bound to an interface: only a route with a living next hop on it will do, and
 * an address of that interface's own. IPv6 has its blackholes and such on lo.
 */
static bool entry_leaves_by(const struct fib_entry *e, unsigned iface)
{
    if (e->type == ROUTE_LOCAL || e->type == ROUTE_BROADCAST)
        return e->iface == iface;
    if (e->type != ROUTE_UNICAST)
        return e->dst.addr.family == FAMILY_V4;
    for (unsigned i = 0; i < e->group->len; i++)
        if (e->group->hops[i].up && e->group->hops[i].iface == iface)
            return true;
    return false;
}

static bool entry_matches(const struct fib_entry *e, uint8_t tos, int out_iface)
{
    if (!e->usable || (e->tos && e->tos != tos))
        return false;
    return out_iface < 0 || entry_leaves_by(e, (unsigned)out_iface);
}

/* `e` matches; of those of its metric that do so too, the first that leaves by the interface. */
static const struct fib_entry *entry_nearest(const struct rib *r, const struct fib_entry *e,
                                             int out_iface, int near_iface)
{
    const struct fib_entry *other = e;

    while (!entry_matches(other, 0, out_iface) || !entry_leaves_by(other, (unsigned)near_iface)) {
        if (other->next == RIB_NO_ROUTE || r->entries[other->next].distance != e->distance)
            return e;
        other = &r->entries[other->next];
    }
    return other;
}

const struct fib_entry *rib_lookup_near(const struct rib *r, unsigned table,
                                        const struct addr *dst, uint8_t tos, int out_iface,
                                        int near_iface)
{
    const struct lpm *lpm = rib_lpm(r, table, dst->family);
    uint32_t leaf = lpm ? lpm_lookup(lpm, dst->bytes) : LPM_NONE;

    while (leaf != LPM_NONE) {
        const struct leaf *l = &r->leaves[leaf];

        for (uint32_t i = l->first_entry; i != RIB_NO_ROUTE; i = r->entries[i].next) {
            const struct fib_entry *e = &r->entries[i];

            if (!entry_matches(e, tos, out_iface))
                continue;
            return near_iface < 0 ? e : entry_nearest(r, e, out_iface, near_iface);
        }
        if (l->dst.length == 0)
            return NULL;
        leaf = lpm_lookup_shorter(lpm, dst->bytes, l->dst.length - 1u);
    }
    return NULL;
}

const struct fib_entry *rib_lookup(const struct rib *r, unsigned table, const struct addr *dst,
                                   uint8_t tos, int out_iface)
{
    return rib_lookup_near(r, table, dst, tos, out_iface, -1);
}

uint32_t rib_entry_index(const struct rib *r, const struct fib_entry *e)
{
    return (uint32_t)(e - r->entries);
}

const struct fib_entry *rib_entry(const struct rib *r, uint32_t index)
{
    return &r->entries[index];
}

const struct fib_entry *rib_find(const struct rib *r, unsigned table, const struct prefix *dst)
{
    const struct lpm *lpm = rib_lpm(r, table, dst->addr.family);
    uint32_t leaf = lpm ? lpm_find(lpm, dst->addr.bytes, dst->length) : LPM_NONE;

    if (leaf == LPM_NONE || r->leaves[leaf].first_entry == RIB_NO_ROUTE)
        return NULL;
    return &r->entries[r->leaves[leaf].first_entry];
}

bool rib_route_is_reachable(const struct rib *r, uint32_t route)
{
    return rib_route_usable(r, &r->routes[route]);
}

bool rib_route_is_active(const struct rib *r, uint32_t route)
{
    const struct rib_route *c = &r->routes[route];
    const struct leaf *l = &r->leaves[c->leaf];

    if (!rib_route_usable(r, c))
        return false;
    for (uint32_t e = l->first_entry; e != RIB_NO_ROUTE; e = r->entries[e].next)
        if (r->entries[e].usable && r->entries[e].tos == c->tos)
            return r->entries[e].distance == c->distance && r->entries[e].type == c->type;
    return false;
}

unsigned rib_iface_next_hops(const struct rib *r, unsigned iface, enum family family)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->entries_len; i++) {
        const struct nexthop_group *g = r->entries[i].group;

        if (!g || r->entries[i].origin != ORIGIN_STATIC ||
            r->entries[i].dst.addr.family != family)
            continue;
        for (unsigned k = 0; k < g->len; k++)
            n += g->hops[k].up && g->hops[k].iface == iface;
    }
    return n;
}

bool rib_is_crowded(const struct rib *r)
{
    return r->crowded;
}

size_t rib_memory_bytes(const struct rib *r)
{
    size_t bytes = sizeof *r + r->routes_cap * sizeof *r->routes +
                   r->leaves_cap * sizeof *r->leaves + r->entries_cap * sizeof *r->entries +
                   r->gateways_cap * sizeof *r->gateways;

    for (size_t i = 0; i < r->config->tables_len; i++) {
        bytes += r->tables[i].v4 ? lpm_memory_bytes(r->tables[i].v4) : 0;
        bytes += r->tables[i].v6 ? lpm_memory_bytes(r->tables[i].v6) : 0;
    }
    for (size_t i = 0; i < r->leaves_len; i++)
        bytes += r->leaves[i].routes_cap * sizeof(uint32_t);
    return bytes;
}
