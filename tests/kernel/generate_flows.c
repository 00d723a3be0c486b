#include <string.h>

#include "tests/kernel/generate_parts.h"

/* ---------------------------------------------------------------------------------- packets */

/* An address in one of the router's own networks; unset when the interface has none. */
static struct addr random_near(struct generator *g, enum family family)
{
    const struct config_iface *c =
        &g->trial->ifaces[below(g, (unsigned)g->trial->config.ifaces_len)];
    const struct prefix *own;
    struct prefix net;

    if (!c->addresses_len)
        return (struct addr){0};
    own = &c->addresses[below(g, (unsigned)c->addresses_len)];
    net = prefix_of(&own->addr, own->length);
    return own->addr.family == family ? random_address_in(g, &net) : (struct addr){0};
}

/* The router's own address; unset when the interface has none. */
static struct addr random_own(struct generator *g, enum family family)
{
    const int iface = random_iface_of(g, family);

    for (size_t i = 0; iface >= 0 && i < g->trial->ifaces[iface].addresses_len; i++)
        if (g->trial->ifaces[iface].addresses[i].addr.family == family && chance(g, 70))
            return g->trial->ifaces[iface].addresses[i].addr;
    return (struct addr){0};
}

/* What routing has no business with: multicast, loopback, link-local, 0.0.0.0/8, 240.0.0.0/4. */
static bool is_special(const struct addr *a)
{
    if (addr_is_unspecified(a) || addr_is_loopback(a) || addr_is_multicast(a) ||
        addr_is_link_local(a))
        return true;
    return a->family == FAMILY_V4 ? a->bytes[0] == 0 || a->bytes[0] >= 224
                                  : a->bytes[0] == 0;
}

static struct addr random_dst(struct generator *g, enum family family)
{
    const struct prefix *pool = family == FAMILY_V4 ? g->pool.v4 : g->pool.v6;
    const struct trial *t = g->trial;
    struct addr a = {0};

    if (chance(g, 8))
        a = chance(g, 50) ? random_own(g, family) : random_near(g, family);
    if (!addr_is_set(&a) && t->config.routes_len && chance(g, 50))
        a = random_address_in(g,
                              &t->routes[below(g, (unsigned)t->config.routes_len)].dst);
    while (a.family != family || is_special(&a))
        a = random_address_in(g, &pool[1 + below(g, POOL_PREFIXES - 1)]);
    return a;
}

/* The source of a packet that comes from elsewhere. */
static struct addr random_foreign_src(struct generator *g, enum family family)
{
    const struct prefix *pool =
        family == FAMILY_V4 ? g->pool.sources_v4 : g->pool.sources_v6;
    struct addr a = chance(g, 30) ? random_near(g, family) : (struct addr){0};

    while (a.family != family || is_special(&a) || is_of_router(g->trial, &a))
        a = random_address_in(g, &pool[below(g, 4)]);
    return a;
}

/* Of one that the router sends: its own address, or not chosen yet. */
static struct addr random_local_src(struct generator *g, enum family family)
{
    static const uint8_t none[16];
    struct addr a = chance(g, 50) ? random_own(g, family) : (struct addr){0};

    if (addr_is_set(&a))
        return a;
    return family == FAMILY_V4 ? addr_from_v4(none) : addr_from_v6(none);
}

static uint16_t random_port(struct generator *g)
{
    static const uint16_t known[] = {53, 80, 443, 1000, 2000, 1023, 1024};

    return chance(g, 40) ? known[below(g, COUNT(known))]
                         : (uint16_t)(1 + below(g, 65535));
}

static void fill_transport(struct generator *g, struct packet *p)
{
    static const uint8_t protocols[] = {PROTO_TCP, PROTO_TCP, PROTO_UDP, PROTO_UDP,
                                        PROTO_ICMP};

    p->protocol = protocols[below(g, COUNT(protocols))];
    if (p->dst.family == FAMILY_V6 && p->protocol == PROTO_ICMP)
        p->protocol = PROTO_ICMPV6;
    p->next_header = p->protocol;
    if (p->protocol == PROTO_TCP || p->protocol == PROTO_UDP) {
        p->sport = random_port(g);
        p->dport = random_port(g);
    }
}

static void generate_lookup(struct generator *g)
{
    const enum family family = chance(g, 50) ? FAMILY_V4 : FAMILY_V6;
    struct trial_step *s = trial_add_step(g->trial);
    struct packet *p = &s->packet;

    p->dst = random_dst(g, family);
    p->ttl = 64;
    fill_transport(g, p);
    if (chance(g, 25))
        p->tos = (uint8_t)(4 * below(g, 64));
    if (chance(g, 25))
        p->mark = below(g, 4) | (chance(g, 20) ? 0xf0 : 0);
    if (family == FAMILY_V6 && chance(g, 50))
        p->flow_label = below(g, 1 << 20);
    if (chance(g, 60)) {
        s->iface = (int)below(g, (unsigned)g->trial->config.ifaces_len);
        p->src = random_foreign_src(g, family);
        return;
    }
    p->src = random_local_src(g, family);
    if (chance(g, 40))
        s->out_iface = (int)below(g, (unsigned)g->trial->config.ifaces_len);
}

/* ------------------------------------------------------------------------------ what happens */

enum { PERIODS_MAX = 4 };

/* One or a few links go down or come back. */
static void generate_changes(struct generator *g, bool admin[], bool carrier[])
{
    const unsigned n = 1 + below(g, 3);

    for (unsigned i = 0; i < n; i++) {
        struct trial_step *s = trial_add_step(g->trial);
        bool *state = chance(g, 50) ? admin : carrier;

        s->kind = state == admin ? STEP_ADMIN : STEP_CARRIER;
        s->iface = (int)below(g, (unsigned)g->trial->config.ifaces_len);
        s->on = state[s->iface] = !state[s->iface];
    }
}

void generate_steps(struct generator *g, size_t lookups)
{
    const unsigned periods = chance(g, 25) ? 1 : 2 + below(g, PERIODS_MAX - 1);
    bool admin[TRIAL_IFACES_MAX], carrier[TRIAL_IFACES_MAX];

    memset(admin, true, sizeof admin);
    memset(carrier, true, sizeof carrier);
    for (unsigned i = 0; i < periods; i++) {
        if (i > 0)
            generate_changes(g, admin, carrier);
        for (size_t k = lookups * i / periods; k < lookups * (i + 1) / periods; k++)
            generate_lookup(g);
    }
}
