/* Gateways: from the address that a route names to the interface that packets leave by. */
#include <string.h>

#include "core/memory.h"
#include "core/rib_parts.h"

/* ------------------------------------------------------------ which gateways there are */

static bool gateway_is(const struct gateway *g, const struct config_gateway *c,
                       const struct config_route *route, int bound_iface)
{
    return addr_equal(&g->addr, &c->addr) && g->iface == c->iface && g->table == c->table &&
           g->target_scope == route_target_scope(route) && g->check == route->check &&
           g->bound_iface == bound_iface;
}

/* What holds the address on link so far. */
struct on_link {
    int iface; /* -1: nothing */
    unsigned length;
};

static void on_link_consider(struct on_link *best, const struct prefix *net, int iface,
                             const struct addr *a)
{
    if (net->addr.family != a->family || addr_common_bits(&net->addr, a) < net->length)
        return;
    if (best->iface >= 0 && net->length <= best->length)
        return;
    *best = (struct on_link){iface, net->length};
}

/* The networks that routes of the table put on an interface. */
static void on_link_consider_routes(struct on_link *best, const struct rib *r, unsigned table,
                                    const struct addr *a)
{
    for (size_t i = 0; i < r->on_link_len; i++) {
        const struct config_route *c = &r->config->routes[r->on_link[i]];

        if (c->table == table)
            on_link_consider(best, &c->dst, c->gateways[0].iface, a);
    }
}

/*
 * Linux: the interface with the longest network that holds the address, in the table of the
 * route, else in main with the interfaces' own. Only routes that are there already count. Source: Linux fib_check_nh_v4_gw(),
 * ip6_route_check_nh().
 */
static int on_link_iface(const struct rib *r, const struct addr *a, unsigned table)
{
    struct on_link best = {-1, 0};

    if (table != TABLE_MAIN)
        on_link_consider_routes(&best, r, table, a);
    if (best.iface >= 0)
        return best.iface;
    for (size_t i = 0; i < r->config->ifaces_len; i++)
        for (size_t k = 0; k < r->ifaces[i].addresses_len; k++)
            on_link_consider(&best, &r->ifaces[i].addresses[k], (int)i, a);
    on_link_consider_routes(&best, r, TABLE_MAIN, a);
    return best.iface;
}

static int gateway_bound_iface(const struct rib *r, const struct config_gateway *c,
                               unsigned table)
{
    if (c->iface >= 0 || r->config->platform != PLATFORM_LINUX)
        return c->iface;
    return on_link_iface(r, &c->addr, table);
}

uint32_t gateway_intern(struct rib *r, const struct config_gateway *c,
                        const struct config_route *route)
{
    const int bound_iface = gateway_bound_iface(r, c, route->table);
    struct gateway *g;

    for (size_t i = r->gateways_len; i-- > 0;)
        if (gateway_is(&r->gateways[i], c, route, bound_iface))
            return (uint32_t)i;
    r->gateways =
        mem_grow(r->gateways, &r->gateways_cap, r->gateways_len + 1, sizeof *r->gateways);
    g = &r->gateways[r->gateways_len];
    memset(g, 0, sizeof *g);
    g->addr = c->addr;
    g->iface = c->iface;
    g->table = (uint16_t)c->table;
    g->target_scope = route_target_scope(route);
    g->check = route->check;
    g->verdict_up = true;
    g->bound_iface = bound_iface;
    if (route->check != CHECK_NONE && addr_is_set(&c->addr)) {
        r->checks = mem_grow(r->checks, &r->checks_cap, r->checks_len + 1, sizeof *r->checks);
        r->checks[r->checks_len++] = (uint32_t)r->gateways_len;
    }
    return (uint32_t)r->gateways_len++;
}

void gateway_add_user(struct rib *r, uint32_t gateway, uint32_t route)
{
    struct gateway *g = &r->gateways[gateway];

    if (g->users_len && g->users[g->users_len - 1] == route)
        return;
    g->users = mem_grow(g->users, &g->users_cap, g->users_len + 1, sizeof *g->users);
    g->users[g->users_len++] = route;
}

/* ------------------------------------------------------------------------- resolution */

struct hop_list {
    struct gateway_hop *hops;
    size_t len, cap;
    bool crowded; /* there would have been more */
};

static void hop_list_add(struct hop_list *l, struct gateway_hop hop)
{
    if (l->len == GATEWAY_HOPS_MAX) {
        l->crowded = true;
        return;
    }
    l->hops = mem_grow(l->hops, &l->cap, l->len + 1, sizeof *l->hops);
    l->hops[l->len++] = hop;
}

static bool route_has_live_hop(const struct rib *r, const struct rib_route *route)
{
    if (route->origin != ORIGIN_STATIC) {
        const struct iface_state *s = &r->ifaces[route->iface];

        if (r->config->platform == PLATFORM_ROUTEROS7)
            return iface_is_running(s);
        return s->admin_up && (s->carrier || !r->config->ignore_routes_with_linkdown);
    }
    for (uint32_t i = 0; i < route->refs_len; i++) {
        const struct gateway *g = &r->gateways[route->refs[i].gateway];

        for (size_t k = 0; k < g->hops_len; k++)
            if (g->hops[k].up)
                return true;
    }
    return false;
}

bool rib_route_usable(const struct rib *r, const struct rib_route *route)
{
    if (!route->enabled || route->deleted)
        return false;
    if (route->type == ROUTE_UNICAST || route->type == ROUTE_BROADCAST)
        return route_has_live_hop(r, route);
    return true;
}

/*
 * The hops of one leaf that may resolve `a`: those of the usable routes of lowest distance
 * among scope <= target scope. False when the leaf has no such route.
 */
static bool resolve_by_leaf(const struct rib *r, const struct leaf *leaf,
                            const struct addr *a, uint8_t target_scope,
                            struct hop_list *out)
{
    uint32_t best = UINT32_MAX;
    bool found = false;

    for (size_t i = 0; i < leaf->routes_len; i++) {
        const struct rib_route *c = &r->routes[leaf->routes[i]];

        if (c->scope > target_scope || !rib_route_usable(r, c))
            continue;
        found = true;
        if (c->distance < best)
            best = c->distance;
    }
    for (size_t i = 0; i < leaf->routes_len && found; i++) {
        const struct rib_route *c = &r->routes[leaf->routes[i]];

        if (c->scope > target_scope || c->distance != best || !rib_route_usable(r, c))
            continue;
        if (c->type != ROUTE_UNICAST) {
            out->len = 0; /* a blackhole holds the gateway: it is unreachable */
            return true;
        }
        if (c->origin == ORIGIN_CONNECTED) {
            hop_list_add(out, (struct gateway_hop){.addr = *a, .iface = c->iface, .up = true});
            continue;
        }
        for (uint32_t k = 0; k < c->refs_len; k++) {
            const struct gateway *g = &r->gateways[c->refs[k].gateway];

            for (size_t h = 0; h < g->hops_len; h++)
                if (g->hops[h].up)
                    hop_list_add(out, g->hops[h]);
        }
    }
    return found;
}

static void resolve_recursively(const struct rib *r, const struct gateway *g,
                                struct hop_list *out)
{
    const struct lpm *lpm = rib_lpm(r, g->table, g->addr.family);
    unsigned length = addr_bits(&g->addr);

    while (lpm) {
        uint32_t leaf = lpm_lookup_shorter(lpm, g->addr.bytes, length);

        if (leaf == LPM_NONE)
            return;
        if (resolve_by_leaf(r, &r->leaves[leaf], &g->addr, g->target_scope, out))
            return;
        length = r->leaves[leaf].dst.length;
        if (length-- == 0)
            return;
    }
}

/*
 * Linux: bound to one interface from the start; only that interface's state counts. When it is
 * set up again without a carrier, IPv4 takes its next hops up at once, IPv6 with the carrier.
 * Source: Linux fib_sync_up(), addrconf_notify().
 */
static void resolve_bound(const struct rib *r, const struct gateway *g,
                          struct hop_list *out)
{
    const struct iface_state *s;
    struct gateway_hop hop = {.addr = g->addr, .iface = (uint16_t)g->bound_iface};

    if (g->bound_iface < 0)
        return;
    s = &r->ifaces[g->bound_iface];
    if (g->addr.family == FAMILY_V6)
        hop.dead = !s->ready;
    else
        hop.dead =
            !s->admin_up || (addr_is_set(&g->addr) && !iface_has_family(s, FAMILY_V4));
    hop.running = iface_is_running(s);
    hop.up = !hop.dead && (s->carrier || !r->config->ignore_routes_with_linkdown);
    hop_list_add(out, hop);
}

static void gateway_resolve(const struct rib *r, const struct gateway *g,
                            struct hop_list *out)
{
    if (r->config->platform == PLATFORM_LINUX) {
        resolve_bound(r, g, out);
    } else if (g->iface >= 0) {
        bool up = iface_is_running(&r->ifaces[g->iface]);

        hop_list_add(out, (struct gateway_hop){.addr = g->addr,
                                               .iface = (uint16_t)g->iface,
                                               .up = up});
    } else {
        resolve_recursively(r, g, out);
    }
    for (size_t i = 0; i < out->len; i++) {
        out->hops[i].passes = g->verdict_up;
        out->hops[i].up = out->hops[i].up && g->verdict_up;
    }
}

static bool hops_equal(const struct gateway *g, const struct hop_list *l)
{
    if (g->hops_len != l->len)
        return false;
    for (size_t i = 0; i < l->len; i++) {
        const struct gateway_hop *a = &g->hops[i], *b = &l->hops[i];

        if (!addr_equal(&a->addr, &b->addr) || a->iface != b->iface || a->up != b->up ||
            a->dead != b->dead || a->running != b->running || a->passes != b->passes)
            return false;
    }
    return true;
}

/* Resolve one gateway anew; when that changed anything, its users' leaves will follow. */
static void gateway_refresh(struct rib *r, uint32_t index)
{
    struct hop_list now = {0};
    struct gateway *g = &r->gateways[index];

    gateway_resolve(r, g, &now);
    r->crowded |= now.crowded;
    if (hops_equal(g, &now)) {
        mem_free(now.hops);
        return;
    }
    mem_free(g->hops);
    g->hops = now.hops;
    g->hops_len = now.len;
    g->hops_cap = now.cap;
    for (size_t i = 0; i < g->users_len; i++)
        if (r->routes[g->users[i]].in_leaf)
            rib_leaf_mark(r, r->routes[g->users[i]].leaf);
}

/*
 * In ascending order of target scope: a gateway depends only on routes whose scope, and so
 * whose own target scope, is smaller. One pass settles everything.
 */
void gateways_refresh(struct rib *r)
{
    bool present[256] = {false};

    for (size_t i = 0; i < r->gateways_len; i++)
        present[r->gateways[i].target_scope] = true;
    for (unsigned scope = 0; scope < 256; scope++)
        for (size_t i = 0; present[scope] && i < r->gateways_len; i++)
            if (r->gateways[i].target_scope == scope)
                gateway_refresh(r, (uint32_t)i);
    rib_leaves_settle(r);
}

/* ----------------------------------------------------------------------------- checks */

size_t rib_checks_len(const struct rib *r)
{
    return r->checks_len;
}

struct rib_check rib_check_get(const struct rib *r, size_t check)
{
    const struct gateway *g = &r->gateways[r->checks[check]];
    struct rib_check c = {
        .target = g->addr, .iface = NEXTHOP_NONE, .kind = g->check, .up = g->verdict_up};

    if (g->hops_len) {
        c.iface = g->hops[0].iface;
        if (!addr_equal(&g->hops[0].addr, &g->addr))
            c.via = g->hops[0].addr;
    }
    return c;
}

bool rib_check_set(struct rib *r, size_t check, bool up)
{
    struct gateway *g = &r->gateways[r->checks[check]];

    if (g->verdict_up == up)
        return false;
    g->verdict_up = up;
    gateways_refresh(r);
    return true;
}
