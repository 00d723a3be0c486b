/*
 * Routes that the platform would refuse, or could not use.
 *
 * Linux checks a route when it is added: each gateway must be on link, the preferred
 * source must be the router's own, and there is one IPv4 route per destination, TOS and
 * metric.
 * RouterOS takes everything, and keeps what does not resolve as inactive.
 *
 * Sources: Linux fib_check_nh(), fib_valid_prefsrc(), fib_table_insert(),
 * fib6_add_rt2node(), ip6_route_check_nh(); RouterOS manual, "Routing Decision".
 */
#include <stdlib.h>
#include <string.h>

#include "core/conn.h"
#include "core/iface.h"
#include "core/memory.h"
#include "core/rib.h"
#include "sim/input/scenario_parts.h"

/* ---- addresses of the router ---- */

static bool iface_has_network(const struct config_iface *iface, const struct addr *a)
{
    for (size_t i = 0; i < iface->addresses_len; i++) {
        const struct prefix *own = &iface->addresses[i];

        if (own->addr.family == a->family &&
            addr_common_bits(&own->addr, a) >= own->length)
            return true;
    }
    return false;
}

static bool is_on_link(const struct router_config *c, const struct config_gateway *g)
{
    if (addr_is_link_local(&g->addr) && g->iface >= 0)
        return true;
    if (g->iface >= 0)
        return iface_has_network(&c->ifaces[g->iface], &g->addr);
    for (size_t i = 0; i < c->ifaces_len; i++)
        if (iface_has_network(&c->ifaces[i], &g->addr))
            return true;
    return false;
}

/* Has an event brought the interface such a network? */
static bool is_on_link_later(const struct scenario *s, const struct config_gateway *g)
{
    for (size_t i = 0; i < s->events_len && g->iface >= 0; i++) {
        const struct scenario_event *e = &s->events[i];

        if (scenario_event_brings_address(e) && e->wan >= 0 &&
            s->wans[e->wan].iface == g->iface &&
            e->address.addr.family == g->addr.family &&
            addr_common_bits(&e->address.addr, &g->addr) >= e->address.length)
            return true;
    }
    return false;
}

static bool is_own(const struct router_config *c, const struct addr *a)
{
    for (size_t i = 0; i < c->ifaces_len; i++)
        for (size_t k = 0; k < c->ifaces[i].addresses_len; k++)
            if (addr_equal(&c->ifaces[i].addresses[k].addr, a))
                return true;
    return false;
}

/* ---- Linux: routes one by one ---- */

static const char *gateway_pointer(const struct config_route *route, size_t i,
                                   char buf[SCENARIO_POINTER_MAX])
{
    if (route->gateways_len > 1)
        snprintf(buf, SCENARIO_POINTER_MAX, "%s/gateway/%zu", route->pointer, i);
    else
        snprintf(buf, SCENARIO_POINTER_MAX, "%s/gateway", route->pointer);
    return buf;
}

static bool gateways_equal(const struct config_gateway *a, const struct config_gateway *b)
{
    return addr_equal(&a->addr, &b->addr) && a->iface == b->iface;
}

static void judge_repeated(struct scenario_reading *s, const struct config_route *route)
{
    char pointer[SCENARIO_POINTER_MAX];

    for (size_t i = 1; i < route->gateways_len; i++)
        for (size_t k = 0; k < i; k++) {
            if (!gateways_equal(&route->gateways[i], &route->gateways[k]))
                continue;
            diag_error(s->reader.diag, gateway_pointer(route, i, pointer),
                       "Linux refuses the same gateway twice in an IPv6 route");
            break;
        }
}

static void judge_linux(struct scenario_reading *s, const struct config_route *route)
{
    const struct router_config *c = &s->scenario->router;
    struct diag *d = s->reader.diag;
    char pointer[SCENARIO_POINTER_MAX];

    for (size_t i = 0; i < route->gateways_len; i++) {
        const struct config_gateway *g = &route->gateways[i];

        if (!addr_is_set(&g->addr))
            continue;
        gateway_pointer(route, i, pointer);
        if (!is_on_link(c, g) &&
            (!route->disabled || !is_on_link_later(s->scenario, g)))
            diag_error(d, pointer, "on no network of %s, so Linux refuses the route",
                       g->iface >= 0 ? "that interface" : "the router's interfaces");
        else if (is_own(c, &g->addr))
            diag_error(d, pointer,
                       "the router's own address, so Linux refuses the route");
    }
    if (route->dst.addr.family == FAMILY_V6)
        judge_repeated(s, route);
    if (addr_is_set(&route->pref_src) && !is_own(c, &route->pref_src))
        diag_error_member(d, route->pointer, "pref_src",
                          "no address of the router, so Linux refuses the route");
}

/* ---- routes to one destination ---- */

/* By destination and table; equal ones are candidates of each other. */
static int compare_leaves(const struct config_route *a, const struct config_route *b)
{
    int order = addr_compare(&a->dst.addr, &b->dst.addr);

    if (order == 0)
        order = (int)a->dst.length - (int)b->dst.length;
    return order != 0 ? order : (int)a->table - (int)b->table;
}

/* Then by TOS and metric: of equal ones Linux has one, for IPv4. */
static int compare_slots(const struct config_route *a, const struct config_route *b)
{
    int order = compare_leaves(a, b);

    if (order == 0)
        order = (int)a->tos - (int)b->tos;
    return order != 0 ? order : (a->distance > b->distance) - (a->distance < b->distance);
}

/* Equal ones in the order of the file. */
static int compare_pointers(const void *a, const void *b)
{
    const struct config_route *const *x = a, *const *y = b;
    int order = compare_slots(*x, *y);

    return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* All routes that could be read, in that order; free with mem_free(). */
static const struct config_route **routes_sorted(const struct router_config *c,
                                                 size_t *len)
{
    const struct config_route **sorted = mem_alloc(c->routes_len, sizeof *sorted);

    *len = 0;
    for (size_t i = 0; i < c->routes_len; i++)
        if (c->routes[i].pointer)
            sorted[(*len)++] = &c->routes[i];
    if (*len > 1)
        qsort(sorted, *len, sizeof *sorted, compare_pointers);
    return sorted;
}

/* Routes that events add take the place of others, so only those of the start count. */
static void judge_slots(struct scenario_reading *s,
                        const struct config_route *const *sorted, size_t len)
{
    const struct config_route *last = NULL;

    for (size_t i = 0; i < len; i++) {
        if (sorted[i]->dst.addr.family != FAMILY_V4 || sorted[i]->disabled)
            continue;
        if (last && compare_slots(last, sorted[i]) == 0)
            diag_error(
                s->reader.diag, sorted[i]->pointer,
                "same destination, table, TOS and metric as %s: Linux refuses the route; "
                "give that one several gateways",
                last->pointer);
        last = sorted[i];
    }
}

/* So many candidates, and gateways in all, that a change of one is still felt quickly. */
enum { LEAF_ROUTES_MAX = 256, LEAF_GATEWAYS_MAX = 256, GATEWAYS_MAX = 16384 };

static bool judge_crowds(struct scenario_reading *s,
                         const struct config_route *const *sorted, size_t len)
{
    size_t routes = 0, gateways = 0, all = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && compare_leaves(sorted[i - 1], sorted[i]) != 0)
            routes = gateways = 0;
        routes++;
        gateways += sorted[i]->gateways_len;
        all += sorted[i]->gateways_len;
        if (routes > LEAF_ROUTES_MAX || gateways > LEAF_GATEWAYS_MAX)
            return diag_error(
                s->reader.diag, sorted[i]->pointer,
                "one destination has at most %d routes with %d gateways in a "
                "table",
                LEAF_ROUTES_MAX, LEAF_GATEWAYS_MAX);
    }
    if (all > GATEWAYS_MAX)
        return diag_error(s->reader.diag, "/router/routes",
                          "the routes have at most %d gateways in all, got %zu",
                          GATEWAYS_MAX, all);
    return true;
}

/* ---- RouterOS ---- */

static unsigned effective_scope(const struct config_route *route)
{
    const unsigned scope = route->scope == 255 ? 254 : route->scope;

    return scope > route->target_scope ? scope : route->target_scope + 1u;
}

/* The route that would resolve the gateway if its scope allowed it; NULL: there is none. */
static const struct config_route *out_of_scope(const struct router_config *c,
                                               const struct config_route *route)
{
    const struct config_gateway *g = &route->gateways[0];
    const struct config_route *best = NULL;

    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_route *r = &c->routes[i];

        if (r == route || r->disabled || r->dst.length == 0 || r->table != g->table ||
            !addr_is_set(&g->addr) ||
            !prefix_contains(&r->dst, &g->addr) ||
            effective_scope(r) <= route->target_scope)
            continue;
        if (!best || r->dst.length > best->dst.length)
            best = r;
    }
    return best;
}

static void warn_inactive(struct scenario_reading *s, const struct config_route *route,
                          const char *pointer)
{
    const struct config_route *other =
        route->gateways_len ? out_of_scope(&s->scenario->router, route) : NULL;
    char prefix[PREFIX_TEXT_MAX];

    if (!other)
        diag_warn(s->reader.diag, pointer,
                  "does not resolve at the start, so the route is inactive");
    else
        diag_warn(s->reader.diag, pointer,
                  "does not resolve at the start, so the route is inactive: %s has scope %u"
                  " (never less than its own target scope + 1), and this route's target"
                  " scope allows %u",
                  prefix_format(&other->dst, prefix), effective_scope(other),
                  (unsigned)route->target_scope);
}

/* A WAN that nothing leaves by is mostly a wrong name. */
static void warn_unused_wans(struct scenario_reading *s, const struct rib *rib)
{
    for (size_t i = 0; i < s->scenario->wans_len; i++) {
        const struct scenario_wan *w = &s->scenario->wans[i];

        if (w->iface >= 0 && !rib_iface_next_hops(rib, (unsigned)w->iface, FAMILY_V4) &&
            !rib_iface_next_hops(rib, (unsigned)w->iface, FAMILY_V6))
            diag_warn_member(s->reader.diag, "/wans", w->name,
                             "no route leaves by this interface at the start");
    }
}

static void judge_routeros(struct scenario_reading *s, const struct rib *rib, size_t len)
{
    const struct router_config *c = &s->scenario->router;

    for (size_t i = 0; i < len; i++) {
        const struct config_route *route = &c->routes[i];
        char pointer[SCENARIO_POINTER_MAX];

        if (route->disabled || rib_route_is_reachable(rib, (uint32_t)i))
            continue;
        warn_inactive(s, route,
                      route->gateways_len == 1 ? gateway_pointer(route, 0, pointer)
                                               : route->pointer);
    }
}

static int compare_hops(const void *va, const void *vb)
{
    const struct nexthop *a = va, *b = vb;

    if (a->iface != b->iface)
        return a->iface < b->iface ? -1 : 1;
    return addr_compare(&a->gateway, &b->gateway);
}

/* Policies with a state tell next hops apart by a number that a connection has room for. */
static void judge_hops(struct scenario_reading *s, const struct rib *rib)
{
    struct nexthop *hops = NULL;
    size_t len = 0, cap = 0, apart = 0;

    for (size_t i = 0; i < rib_seats_len(rib); i++) {
        const struct fib_entry *e = rib_seat_entry(rib, i);

        for (unsigned k = 0; e && k < e->group->len; k++) {
            hops = mem_grow(hops, &cap, len + 1, sizeof *hops);
            hops[len++] = e->group->hops[k];
        }
    }
    if (len)
        qsort(hops, len, sizeof *hops, compare_hops);
    for (size_t i = 0; i < len; i++)
        apart += i == 0 || compare_hops(&hops[i - 1], &hops[i]) != 0;
    mem_free(hops);
    if (apart > CONN_PIN_MAX)
        diag_error(s->reader.diag, "/router/routes",
                   "routes with a policy other than 'hash-threshold' have %zu next hops,"
                   " at most %d are allowed",
                   apart, CONN_PIN_MAX);
}

static void judge_with_rib(struct scenario_reading *s, size_t len)
{
    const struct router_config *c = &s->scenario->router;
    struct iface_state *ifaces = mem_alloc(c->ifaces_len, sizeof *ifaces);
    struct rib *rib;

    for (size_t i = 0; i < c->ifaces_len; i++)
        iface_init(&ifaces[i], &c->ifaces[i]);
    rib = rib_create(c, ifaces);
    if (s->platform == PLATFORM_ROUTEROS7)
        judge_routeros(s, rib, len);
    warn_unused_wans(s, rib);
    judge_hops(s, rib);
    if (rib_is_crowded(rib))
        diag_error(s->reader.diag, "/router/routes",
                   "a gateway resolves to more than 256 next hops, or a group has more than"
                   " %d", NEXTHOP_GROUP_MAX);
    rib_destroy(rib);
    for (size_t i = 0; i < c->ifaces_len; i++)
        iface_free(&ifaces[i]);
    mem_free(ifaces);
}

static void judge_linux_routes(struct scenario_reading *s,
                               const struct config_route *const *sorted, size_t len)
{
    if (!s->ifaces_ok)
        return;
    for (size_t i = 0; i < len; i++)
        if ((size_t)(sorted[i] - s->scenario->router.routes) < s->routes_written)
            judge_linux(s, sorted[i]); /* what a lease rewrote was judged with it */
    judge_slots(s, sorted, len);
}

void scenario_routes_judge(struct scenario_reading *s, size_t len_of_file)
{
    size_t len;
    const struct config_route **sorted = routes_sorted(&s->scenario->router, &len);

    if (judge_crowds(s, sorted, len)) {
        if (s->platform == PLATFORM_LINUX)
            judge_linux_routes(s, sorted, len);
        if (s->platform >= 0 && diag_count(s->reader.diag, DIAG_ERROR) == 0)
            judge_with_rib(s, len_of_file);
    }
    mem_free(sorted);
}
