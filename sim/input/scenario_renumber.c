/*
 * A WAN gets an address of another network, and with it another gateway.
 *
 *     before   0.0.0.0/0 via 100.64.1.1          after   0.0.0.0/0 via 198.51.100.1
 *
 * As a DHCP client or a script rewrites them, all routes by a gateway on the old address's
 * network lead by the new one. The router's configuration never changes during a run, so the
 * rewritten routes are in it from the start, disabled. Without a new gateway the same routes
 * are added once more: Linux deletes them with the last address of the interface.
 */
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

enum { RENUMBERINGS_MAX = 16384 };

struct renumber scenario_renumber_start(struct scenario_reading *s)
{
    struct renumber r = {.routes = s->scenario->router.routes_len};

    r.cap = r.routes;
    r.standing = arena_alloc(s->reader.arena, r.routes, sizeof *r.standing);
    for (size_t i = 0; i < r.routes; i++)
        r.standing[i] = (unsigned)i;
    return r;
}

static bool gateway_is_on(const struct config_gateway *g, int iface,
                          const struct prefix *network)
{
    return (g->iface < 0 || g->iface == iface) && g->addr.family == network->addr.family &&
           addr_is_set(&g->addr) &&
           addr_common_bits(&g->addr, &network->addr) >= network->length;
}

/* Does the route have a gateway on the old address's network? */
static bool route_is_on(const struct config_route *route, int iface,
                        const struct prefix *old)
{
    for (size_t i = 0; i < route->gateways_len; i++)
        if (gateway_is_on(&route->gateways[i], iface, old))
            return true;
    return false;
}

/* Or does it lead by the interface itself? */
static bool route_is_concerned(const struct config_route *route, int iface,
                               const struct prefix *old)
{
    for (size_t i = 0; i < route->gateways_len; i++) {
        const struct config_gateway *g = &route->gateways[i];

        if (!addr_is_set(&g->addr) && g->iface == iface &&
            route->dst.addr.family == old->addr.family)
            return true;
    }
    return route_is_on(route, iface, old);
}

/* Room for one more; the old ones are copied, and the arena keeps both. */
static struct config_route *route_append(struct scenario_reading *s, struct renumber *r)
{
    struct router_config *c = &s->scenario->router;

    if (c->routes_len == r->cap) {
        const size_t cap = 2 * r->cap + 8;
        struct config_route *all = arena_alloc(s->reader.arena, cap, sizeof *all);

        memcpy(all, c->routes, c->routes_len * sizeof *all);
        c->routes = all;
        r->cap = cap;
    }
    return &c->routes[c->routes_len++];
}

/* The route that leads by the new gateway. */
static unsigned route_rewrite(struct scenario_reading *s, struct renumber *r,
                              unsigned standing, const struct scenario_event *e,
                              const struct prefix *old)
{
    const int iface = s->scenario->wans[e->wan].iface;
    struct config_route *route = route_append(s, r);
    const struct config_route *from = &s->scenario->router.routes[standing];
    struct config_gateway *gateways =
        arena_alloc(s->reader.arena, from->gateways_len, sizeof *gateways);

    *route = *from;
    route->disabled = true;
    route->gateways = gateways;
    if (addr_equal(&route->pref_src, &e->old_address))
        route->pref_src = e->address.addr;
    for (size_t i = 0; i < from->gateways_len; i++) {
        gateways[i] = from->gateways[i];
        if (!gateway_is_on(&gateways[i], iface, old))
            continue;
        gateways[i].addr = e->gateway;
        if (s->platform == PLATFORM_LINUX) /* there is no such network yet */
            gateways[i].iface = iface;
    }
    return (unsigned)(route - s->scenario->router.routes);
}

static bool is_on_network(const struct addr *a, const struct prefix *network)
{
    return a->family == network->addr.family &&
           addr_common_bits(a, &network->addr) >= network->length;
}

static bool gateway_judge(struct scenario_reading *s, const struct scenario_event *e)
{
    if (!addr_is_set(&e->gateway))
        return true;
    if (e->gateway.family != e->address.addr.family)
        return diag_error_member(s->reader.diag, e->pointer, "gateway",
                                 "not of the new address's family");
    if (addr_equal(&e->gateway, &e->address.addr))
        return diag_error_member(s->reader.diag, e->pointer, "gateway",
                                 "the router's own new address");
    if (is_on_network(&e->gateway, &e->address))
        return true;
    return diag_error_member(s->reader.diag, e->pointer, "gateway",
                             "not on the new address's network");
}

/* Keeps the routes from growing without bound: all events together make no more. */
static bool renumber_has_room(struct scenario_reading *s, struct renumber *r,
                              const struct scenario_event *e, size_t more)
{
    r->made += more;
    if (r->made <= RENUMBERINGS_MAX)
        return true;
    return diag_error(s->reader.diag, e->pointer,
                      "new leases concern more than %d routes in all", RENUMBERINGS_MAX);
}

void scenario_renumber(struct scenario_reading *s, struct renumber *r,
                       struct scenario_event *e, const struct prefix *old)
{
    const int iface = s->scenario->wans[e->wan].iface;
    struct renumbering *list;
    size_t len = 0;

    if (!gateway_judge(s, e))
        return;
    for (size_t i = 0; i < r->routes; i++)
        len += route_is_concerned(&s->scenario->router.routes[r->standing[i]], iface, old);
    if (!renumber_has_room(s, r, e, len))
        return;
    list = arena_alloc(s->reader.arena, len, sizeof *list);
    for (size_t i = 0; i < r->routes; i++) {
        const struct config_route *route = &s->scenario->router.routes[r->standing[i]];

        if (!route_is_concerned(route, iface, old))
            continue;
        if (addr_is_set(&e->gateway) && route_is_on(route, iface, old))
            r->standing[i] = route_rewrite(s, r, r->standing[i], e, old);
        list[e->renumbered_len++] =
            (struct renumbering){.route = (unsigned)i, .by = r->standing[i]};
    }
    e->renumbered = list;
}
