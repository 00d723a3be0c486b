#include "tests/kernel/generate.h"

#include <assert.h>
#include <string.h>

#include "tests/kernel/generate_parts.h"

/* -------------------------------------------------------------------------- addresses, pools */

struct addr random_address_in(struct generator *g, const struct prefix *p)
{
    const unsigned bits = addr_bits(&p->addr);
    struct addr a = p->addr;

    for (unsigned i = p->length; i < bits; i++)
        if (below(g, 2))
            a.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return a;
}

int random_iface_of(struct generator *g, enum family family)
{
    const struct trial *t = g->trial;
    const unsigned n = (unsigned)t->config.ifaces_len, start = below(g, n);

    for (unsigned i = 0; i < n; i++) {
        const struct config_iface *c = &t->ifaces[(start + i) % n];

        for (size_t k = 0; k < c->addresses_len; k++)
            if (c->addresses[k].addr.family == family)
                return (int)((start + i) % n);
    }
    return -1;
}

static struct prefix prefix_read(const char *text)
{
    struct prefix p = {.length = 0};
    const bool ok = prefix_parse(text, &p);

    assert(ok);
    (void)ok;
    return prefix_of(&p.addr, p.length);
}

/* Each prefix lies in an earlier one, the default route or the world that flows go to. */
static void pool_fill(struct generator *g, struct prefix *out, const char *all,
                      const char *world)
{
    static const uint8_t lengths_v4[] = {16, 17, 20, 23, 24, 25, 27, 30, 31, 32};
    static const uint8_t lengths_v6[] = {36, 40, 47, 48, 56, 64, 65, 96, 127, 128};

    out[0] = prefix_read(all);
    out[1] = prefix_read(world);
    for (unsigned i = 2; i < POOL_PREFIXES; i++) {
        const struct prefix *outer = &out[1 + below(g, i - 1)];
        const bool v4 = outer->addr.family == FAMILY_V4;
        const struct addr inside = random_address_in(g, outer);
        const unsigned length =
            (v4 ? lengths_v4 : lengths_v6)[below(g, COUNT(lengths_v4))];

        out[i] = length > outer->length ? prefix_of(&inside, length) : *outer;
    }
}

static void pools_fill(struct generator *g)
{
    static const char *const sources_v4[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24",
                                             "192.168.0.0/16"};
    static const char *const sources_v6[] = {"::/0", "2001:db8::/32", "2001:db8::/64",
                                             "fd00::/8"};

    pool_fill(g, g->pool.v4, "0.0.0.0/0", "198.18.0.0/15");
    pool_fill(g, g->pool.v6, "::/0", "2001:db8:f000::/36");
    for (size_t i = 0; i < COUNT(sources_v4); i++) {
        g->pool.sources_v4[i] = prefix_read(sources_v4[i]);
        g->pool.sources_v6[i] = prefix_read(sources_v6[i]);
    }
}

/* -------------------------------------------------------------------------------- interfaces */

static void add_address_v4(struct generator *g, unsigned iface, unsigned second,
                           unsigned third, unsigned host, unsigned length)
{
    const uint8_t bytes[4] = {10, (uint8_t)second, (uint8_t)third, (uint8_t)host};
    const struct prefix p = {addr_from_v4(bytes), (uint8_t)length};

    trial_add_address(g->trial, iface, &p);
}

static void add_address_v6(struct generator *g, unsigned iface, unsigned third,
                           unsigned fourth, unsigned host, unsigned length)
{
    const uint8_t bytes[16] = {
        0x20, 1, 0xd, 0xb8, 0, (uint8_t)third, 0, (uint8_t)fourth, [15] = (uint8_t)host};
    const struct prefix p = {addr_from_v6(bytes), (uint8_t)length};

    trial_add_address(g->trial, iface, &p);
}

/* Interface i has 10.i.0.1/24 and 2001:db8:i::1/64, or something less ordinary. */
static void add_addresses(struct generator *g, unsigned i)
{
    static const uint8_t lengths_v4[] = {8, 16, 23, 25, 29, 30, 31, 32};
    static const uint8_t lengths_v6[] = {32, 48, 63, 65, 120, 126, 127, 128};

    if (!chance(g, 6))
        add_address_v4(g, i, i, 0, 1, chance(g, 85) ? 24 : lengths_v4[below(g, 8)]);
    if (!chance(g, 6))
        add_address_v6(g, i, i, 0, 1, chance(g, 85) ? 64 : lengths_v6[below(g, 8)]);
    if (chance(g, 10)) /* another network, or a second address in the same */
        add_address_v4(g, i, i, below(g, 2), 9, 24);
    if (chance(g, 10))
        add_address_v6(g, i, i, below(g, 2), 9, 64);
    if (i && chance(g, 5)) /* in another interface's network */
        add_address_v4(g, i, below(g, i), 0, 100 + i, 24);
    if (i && chance(g, 5))
        add_address_v6(g, i, below(g, i), 0, 100 + i, 64);
}

static void generate_ifaces(struct generator *g)
{
    const unsigned n = chance(g, 10) ? 16 : 2 + below(g, 6);

    for (unsigned i = 0; i < n; i++) {
        trial_add_iface(g->trial)->group = chance(g, 60) ? 0 : below(g, 4);
        add_addresses(g, i);
    }
}

/* ------------------------------------------------------------------------------------ routes */

/* The first or last address of the network, where these are anycast or broadcast. */
static bool is_edge(const struct prefix *own, const struct addr *a)
{
    const unsigned bits = addr_bits(a);
    const struct addr first = addr_mask(&own->addr, own->length);

    if (own->length + 1u >= bits || addr_common_bits(&first, a) < own->length)
        return false;
    if (addr_equal(a, &first))
        return true;
    for (unsigned bit = own->length; bit < bits; bit++)
        if (!(a->bytes[bit / 8] >> (7 - bit % 8) & 1))
            return false;
    return true;
}

bool is_of_router(const struct trial *t, const struct addr *a)
{
    for (size_t i = 0; i < t->config.ifaces_len; i++)
        for (size_t k = 0; k < t->ifaces[i].addresses_len; k++) {
            const struct prefix *own = &t->ifaces[i].addresses[k];

            if (addr_equal(&own->addr, a) ||
                (own->addr.family == a->family && is_edge(own, a)))
                return true;
        }
    return false;
}

/* A neighbour on the network of one of the interface's addresses. False: found none. */
static bool random_neighbour(struct generator *g, unsigned iface, enum family family,
                             struct addr *out)
{
    const struct config_iface *c = &g->trial->ifaces[iface];

    for (unsigned attempt = 0; attempt < 16; attempt++) {
        const struct prefix *own = &c->addresses[below(g, (unsigned)c->addresses_len)];
        const unsigned bits = addr_bits(&own->addr);

        if (own->addr.family != family || own->length == bits)
            continue;
        *out = addr_mask(&own->addr, own->length > bits - 4 ? own->length : bits - 4);
        out->bytes[bits / 8 - 1] |=
            (uint8_t)below(g, 1u << (own->length > bits - 4 ? bits - own->length : 4));
        if (!is_of_router(g->trial, out))
            return true;
    }
    return false;
}

/*
 * A next hop: a neighbour, with its interface or alone; a link-local neighbour; a bare interface
 * where `bare` allows it.
 */
static bool random_gateway(struct generator *g, enum family family, bool bare,
                           struct config_gateway *out)
{
    const int iface = random_iface_of(g, family);

    *out = (struct config_gateway){.iface = iface, .weight = 1};
    if (iface < 0)
        return false;
    if (bare && chance(g, 10))
        return true;
    if (family == FAMILY_V6 && chance(g, 20)) {
        const uint8_t bytes[16] = {0xfe,
                                   0x80, [8] = 2, [15] = (uint8_t)(1 + below(g, 9))};

        out->addr = addr_from_v6(bytes);
        return true;
    }
    if (!random_neighbour(g, (unsigned)iface, family, &out->addr))
        return false;
    if (chance(g, 15))
        out->iface = -1;
    return true;
}

static unsigned random_hops_len(struct generator *g)
{
    if (chance(g, 30))
        return 1;
    return chance(g, 70) ? 2 + below(g, 3) : 2 + below(g, TRIAL_GATEWAYS_MAX - 1);
}

static uint16_t random_weight(struct generator *g, unsigned kind)
{
    switch (kind) {
    case 0: return (uint16_t)(1 + below(g, 256));
    case 1: return (uint16_t)(1 + below(g, 4));
    default: return 1;
    }
}

/* IPv6 takes a gateway but once in a route, even in one that joins another. */
static bool gateway_is_taken(const struct trial *t, const struct config_route *r,
                             const struct addr *gateway)
{
    for (size_t i = 0; i < t->config.routes_len; i++) {
        const struct config_route *other = &t->routes[i];

        if (other->table != r->table || other->distance != r->distance ||
            !prefix_equal(&other->dst, &r->dst))
            continue;
        for (size_t k = 0; k < other->gateways_len; k++)
            if (addr_equal(&other->gateways[k].addr, gateway))
                return true;
    }
    return false;
}

static bool generate_gateways(struct generator *g, size_t route)
{
    struct trial *t = g->trial;
    const struct config_route *r = &t->routes[route];
    const enum family family = (enum family)r->dst.addr.family;
    const unsigned n = random_hops_len(g), weights = below(g, 3);

    for (unsigned i = 0; i < n; i++) {
        struct config_gateway gateway;

        if (!random_gateway(g, family, n == 1 || family == FAMILY_V4, &gateway))
            continue;
        if (family == FAMILY_V6 && gateway_is_taken(t, r, &gateway.addr))
            continue;
        gateway.weight = n > 1 ? random_weight(g, weights) : 1;
        trial_add_gateway(t, route, &gateway);
    }
    return r->gateways_len > 0;
}

/* A network of the router's own, which has its route in main already? */
static bool is_connected(const struct trial *t, const struct prefix *dst)
{
    for (size_t i = 0; i < t->config.ifaces_len; i++)
        for (size_t k = 0; k < t->ifaces[i].addresses_len; k++) {
            const struct prefix *own = &t->ifaces[i].addresses[k];
            const struct prefix net = prefix_of(&own->addr, own->length);

            if (prefix_equal(&net, dst))
                return true;
        }
    return false;
}

/* One table, prefix, TOS and metric is one route: the kernel refuses the second, save that routes
 * of IPv6 join, when both have gateways. */
static bool route_clashes(const struct trial *t, const struct config_route *r)
{
    for (size_t i = 0; i + 1 < t->config.routes_len; i++) {
        const struct config_route *other = &t->routes[i];

        if (other->table != r->table || other->distance != r->distance ||
            other->tos != r->tos || !prefix_equal(&other->dst, &r->dst))
            continue;
        if (r->dst.addr.family == FAMILY_V4 || other->type != ROUTE_UNICAST ||
            r->type != ROUTE_UNICAST || !addr_is_set(&other->gateways[0].addr) ||
            !addr_is_set(&r->gateways[0].addr) ||
            other->gateways_len + r->gateways_len > TRIAL_GATEWAYS_MAX)
            return true;
    }
    return false;
}

/* Does it lie in a network of the router's own, and over the neighbours that next hops come from?
 * Through another interface there would be no next hop any more. */
static bool covers_neighbours(const struct trial *t, const struct prefix *dst)
{
    for (size_t i = 0; i < t->config.ifaces_len; i++)
        for (size_t k = 0; k < t->ifaces[i].addresses_len; k++) {
            const struct prefix *own = &t->ifaces[i].addresses[k];
            const unsigned block = addr_bits(&own->addr) - 4;

            if (dst->length > own->length &&
                addr_common_bits(&dst->addr, &own->addr) >=
                    (dst->length < block ? dst->length : block))
                return true;
        }
    return false;
}

static struct prefix random_destination(struct generator *g, enum family family)
{
    const int iface = random_iface_of(g, family);

    if (iface >= 0 && chance(g, 8)) { /* near or in a network of the router's own */
        static const uint8_t lengths_v4[] = {8, 16, 24, 25, 32},
                             lengths_v6[] = {32, 48, 64, 65, 128};
        const struct prefix *own = &g->trial->ifaces[iface].addresses[0];
        const struct prefix net = prefix_of(&own->addr, own->length);
        const struct addr a = random_address_in(g, &net);
        const struct prefix near =
            prefix_of(&a, (family == FAMILY_V4 ? lengths_v4 : lengths_v6)[below(g, 5)]);

        if (a.family == family && !is_of_router(g->trial, &a) &&
            !covers_neighbours(g->trial, &near))
            return near;
    }
    return (family == FAMILY_V4 ? g->pool.v4 : g->pool.v6)[below(g, POOL_PREFIXES)];
}

static void generate_route(struct generator *g)
{
    static const uint8_t special[] = {ROUTE_BLACKHOLE, ROUTE_UNREACHABLE, ROUTE_PROHIBIT,
                                      ROUTE_THROW};
    static const uint32_t metrics[] = {0, 0, 0, 1, 5, 10, 100, 256, 1024, 4000000000};
    struct trial *t = g->trial;
    struct config_route *r = trial_add_route(t);
    const enum family family = chance(g, 50) ? FAMILY_V4 : FAMILY_V6;
    bool ok;

    r->dst = random_destination(g, family);
    r->table = (uint16_t)below(g, TRIAL_TABLES_MAX - 1); /* the last one holds nothing */
    if (r->table == TABLE_LOCAL)
        r->table = TABLE_MAIN;
    r->distance = metrics[below(g, COUNT(metrics))];
    if (family == FAMILY_V6 && r->distance == 0)
        r->distance = 1024;
    if ((r->distance == 0 || r->distance == 256) && is_connected(t, &r->dst))
        r->distance++;
    if (family == FAMILY_V4 && chance(g, 10))
        r->tos = (uint8_t)(4 * (1 + below(g, 7)));
    r->type = chance(g, 78) ? ROUTE_UNICAST : special[below(g, COUNT(special))];
    ok = r->type != ROUTE_UNICAST || generate_gateways(g, t->config.routes_len - 1);
    if (!ok || route_clashes(t, r))
        t->config.routes_len--;
}

/* ------------------------------------------------------------------------------------ router */

static void generate_hash(struct generator *g)
{
    struct hash_config *h = &g->trial->config.hash;

    hash_set_seed(h, 1 + below(g, UINT32_MAX));
    h->v4.policy = (uint8_t)below(g, 4);
    h->v6.policy = (uint8_t)below(g, 4);
    h->v4.fields = (uint16_t)(1 + below(g, 0xfff));
    h->v6.fields = (uint16_t)(1 + below(g, 0xfff));
}

struct trial *generate_trial(uint64_t seed, size_t lookups)
{
    struct generator g = {.random = random_stream_make(seed, 0x747269616c),
                          .trial = trial_create()};
    const unsigned routes = 2 + below(&g, TRIAL_ROUTES_MAX - 1);

    generate_hash(&g);
    g.trial->config.ignore_routes_with_linkdown = chance(&g, 40);
    g.trial->config.no_main_rule = chance(&g, 8);
    pools_fill(&g);
    generate_ifaces(&g);
    for (unsigned i = 0; i < routes; i++)
        generate_route(&g);
    generate_rules(&g);
    generate_steps(&g, lookups);
    return g.trial;
}
