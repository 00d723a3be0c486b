/*
 * rib_parts - what rib.c (leaves, look-up), rib_entry.c (what forwarding sees), rib_own.c (the
 * router's own routes) and resolve.c (gateways) share
 *
 *     rib_route ──refs──▶ gateway (address, interface, table, target scope, check)
 *         │                  │ hops: what it resolves to now
 *        leaf ◀──────────────┘ users: the routes to follow when that changes
 */
#ifndef ECMPLAB_RIB_PARTS_H
#define ECMPLAB_RIB_PARTS_H

#include "core/lpm.h"
#include "core/rib.h"

/* Next hops that one gateway may resolve to; routes may have NEXTHOP_GROUP_MAX. */
enum { GATEWAY_HOPS_MAX = 256 };

struct gateway_ref {
    uint32_t gateway;
    uint16_t weight;
    bool gone; /* Linux: its next-hop object was deleted and nobody puts it back */
};

/* See rib_seat_entry(). */
struct seat {
    uint32_t distance;
    uint32_t next;  /* of the leaf; RIB_NO_SEAT: the last */
    uint32_t entry; /* RIB_NO_ROUTE: empty */
    uint8_t tos;
};

struct rib_route {
    struct prefix dst;
    struct addr pref_src;
    struct gateway_ref *refs; /* static unicast only */
    uint32_t refs_len;
    uint32_t distance;
    uint32_t config; /* index in the configuration, or RIB_NO_ROUTE */
    uint32_t leaf;
    uint16_t table;
    uint16_t iface; /* connected, local */
    uint8_t type, origin, tos;
    uint8_t scope; /* effective: at least target scope + 1 */
    bool enabled;
    bool deleted; /* Linux: lost with its last next hop */
    bool in_leaf;
    bool stays; /* own: was there before the change of its interface */
};

struct gateway_hop {
    struct addr addr; /* unset: on link */
    uint16_t iface;
    bool up;
    bool running; /* Linux: the interface has its carrier and is administratively up: what
                   * next-hop objects go with, addresses or none */
    bool passes; /* the gateway's check */
    bool dead; /* Linux: administratively down or without address: the kernel's RTNH_F_DEAD */
};

struct gateway {
    struct addr addr;
    int iface;
    uint16_t table;
    uint8_t target_scope;
    uint8_t check;
    bool verdict_up;
    int bound_iface; /* Linux: where it was found on link when it was configured; -1 nowhere */
    struct gateway_hop *hops;
    size_t hops_len, hops_cap;
    uint32_t *users; /* routes */
    size_t users_len, users_cap;
};

struct leaf {
    struct prefix dst;
    uint16_t table;
    uint32_t *routes; /* candidates in order */
    size_t routes_len, routes_cap;
    uint32_t first_entry;
    uint32_t first_seat;
    bool dirty; /* to be rebuilt at the end of the refresh */
};

struct rib_table {
    struct lpm *v4, *v6;
};

struct rib {
    const struct router_config *config;
    const struct iface_state *ifaces;
    struct rib_table *tables;
    struct rib_route *routes; /* the configuration's first, at their own indices */
    size_t routes_len, routes_cap;
    struct gateway *gateways; 
    size_t gateways_len, gateways_cap;
    struct leaf *leaves;
    size_t leaves_len, leaves_cap;
    struct fib_entry *entries;
    size_t entries_len, entries_cap;
    uint32_t free_entry;
    struct seat *seats;
    size_t seats_len, seats_cap;
    uint32_t *on_link; /* routes by a bare interface: others' gateways may lie on them */
    size_t on_link_len, on_link_cap;
    uint32_t *checks; /* gateways with a check */
    size_t checks_len, checks_cap;
    uint32_t *dirty; /* leaves */
    size_t dirty_len, dirty_cap;
    bool crowded;  /* some group would have had more next hops than there may be */
    bool *has_state; /* by policy of the configuration */
    bool building; /* routes are being added: nothing is resolved yet */
};

/* Target scope 255 counts as 254. */
static inline uint8_t route_target_scope(const struct config_route *c)
{
    return c->target_scope == 255 ? 254 : c->target_scope;
}

/* rib.c */
struct lpm *rib_lpm(const struct rib *r, unsigned table, unsigned family);
/* A new candidate: its number; then into the leaf of its prefix. */
uint32_t rib_route_add(struct rib *r, const struct rib_route *route);
void rib_leaf_add_route(struct rib *r, uint32_t route);
/* Rebuild it when all gateways are settled. */
void rib_leaf_mark(struct rib *r, uint32_t leaf);
void rib_leaves_settle(struct rib *r);

/* rib_entry.c */
void rib_leaf_rebuild(struct rib *r, uint32_t leaf);
void rib_leaf_drop_entries(struct rib *r, struct leaf *l);

/* rib_own.c */

/* The routes that an address of an interface brings. */
void rib_address_routes_add(struct rib *r, unsigned iface, const struct prefix *address);

/* resolve.c */
uint32_t gateway_intern(struct rib *r, const struct config_gateway *g,
                        const struct config_route *route);
void gateway_add_user(struct rib *r, uint32_t gateway, uint32_t route);
void gateways_refresh(struct rib *r);
bool rib_route_usable(const struct rib *r, const struct rib_route *route);

#endif
