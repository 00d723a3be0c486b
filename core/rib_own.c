/* The router's own addresses and networks: local, broadcast and connected routes. */
#include "core/rib_parts.h"

/* What Linux adds anew comes behind its equals. */
static void leaf_move_last(struct leaf *l, uint32_t route)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->routes_len; i++)
        if (l->routes[i] != route)
            l->routes[kept++] = l->routes[i];
    if (kept < l->routes_len)
        l->routes[kept] = route;
}

/* An own route that was there before is taken up again, so that flapping costs no memory. */
static struct rib_route *own_route_find(struct rib *r, const struct rib_route *wanted)
{
    const struct lpm *lpm = rib_lpm(r, wanted->table, wanted->dst.addr.family);
    uint32_t leaf =
        lpm ? lpm_find(lpm, wanted->dst.addr.bytes, wanted->dst.length) : LPM_NONE;

    for (size_t i = 0; leaf != LPM_NONE && i < r->leaves[leaf].routes_len; i++) {
        struct rib_route *c = &r->routes[r->leaves[leaf].routes[i]];

        if (c->origin == wanted->origin && c->type == wanted->type &&
            c->iface == wanted->iface)
            return c;
    }
    return NULL;
}

static void own_route_add(struct rib *r, unsigned iface, const struct prefix *dst,
                          unsigned table, enum route_type type, enum route_origin origin)
{
    const bool linux_v6 =
        r->config->platform == PLATFORM_LINUX && dst->addr.family == FAMILY_V6;
    const struct rib_route wanted = {
        .dst = *dst,
        .distance = origin == ORIGIN_CONNECTED && linux_v6 ? 256 : 0,
        .config = RIB_NO_ROUTE,
        .table = (uint16_t)table,
        .iface = (uint16_t)iface,
        .type = (uint8_t)type,
        .origin = (uint8_t)origin,
        .scope = 10,
        .enabled = true,
    };
    struct rib_route *c = own_route_find(r, &wanted);

    if (c) {
        c->enabled = true;
        if (!c->stays && r->config->platform == PLATFORM_LINUX)
            leaf_move_last(&r->leaves[c->leaf], (uint32_t)(c - r->routes));
    } else {
        uint32_t added = rib_route_add(r, &wanted);

        rib_leaf_add_route(r, added);
        c = &r->routes[added];
    }
    rib_leaf_rebuild(r, c->leaf);
}

/* The last address of an IPv4 network; /31 and /32 have no broadcast (RFC 3021). */
static void broadcast_route_add(struct rib *r, unsigned iface, const struct prefix *net)
{
    struct prefix host = {.addr = net->addr, .length = 32};

    if (net->addr.family != FAMILY_V4 || net->length >= 31)
        return;
    for (unsigned bit = net->length; bit < 32; bit++)
        host.addr.bytes[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
    own_route_add(r, iface, &host, TABLE_LOCAL, ROUTE_BROADCAST, ORIGIN_LOCAL);
    if (r->config->platform ==
        PLATFORM_ROUTEROS7) { /* before 5.14 also the first address */
        host.addr = net->addr;
        own_route_add(r, iface, &host, TABLE_LOCAL, ROUTE_BROADCAST, ORIGIN_LOCAL);
    }
}

void rib_address_routes_add(struct rib *r, unsigned iface, const struct prefix *address)
{
    const unsigned bits = addr_bits(&address->addr);
    const struct prefix host = {.addr = address->addr, .length = (uint8_t)bits};
    const struct prefix net = prefix_of(&address->addr, address->length);
    const bool v6 = address->addr.family == FAMILY_V6;

    own_route_add(r, iface, &host, TABLE_LOCAL, ROUTE_LOCAL, ORIGIN_LOCAL);
    if (r->config->platform == PLATFORM_LINUX && !r->ifaces[iface].admin_up)
        return; /* the network goes with the link, and comes back behind its equals */
    broadcast_route_add(r, iface, &net);
    if (v6 && address->length < 127) { /* subnet-router anycast, RFC 4291 section 2.6.1 */
        const struct prefix anycast = {.addr = net.addr, .length = 128};

        own_route_add(r, iface, &anycast, TABLE_LOCAL, ROUTE_LOCAL, ORIGIN_LOCAL);
    }
    if (address->length < bits || v6 || r->config->platform == PLATFORM_ROUTEROS7)
        own_route_add(r, iface, &net, TABLE_MAIN, ROUTE_UNICAST, ORIGIN_CONNECTED);
}

/* The interface's own routes are those of its addresses now, and live as it lives. */
void rib_iface_changed(struct rib *r, unsigned iface)
{
    const struct iface_state *s = &r->ifaces[iface];

    for (size_t i = 0; i < r->routes_len; i++) {
        struct rib_route *c = &r->routes[i];

        if (c->origin == ORIGIN_STATIC || c->iface != iface)
            continue;
        c->stays = c->enabled;
        if (!c->enabled)
            continue;
        c->enabled = false;
        rib_leaf_rebuild(r, c->leaf);
    }
    for (size_t i = 0; i < s->addresses_len; i++)
        rib_address_routes_add(r, iface, &s->addresses[i]);
    gateways_refresh(r);
}
