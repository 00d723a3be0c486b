/*
 * nexthop - next-hop groups and their shares of the hash space
 *
 * A route resolves to one group: its next hops in the order the routes were given.
 * Under hash-threshold each live next hop owns one contiguous region of the 31-bit
 * hash space, as wide as its weight's part of the total; a dead one owns nothing.
 *
 *     hash  0                715827882            2^31 - 1
 *           | wan1, weight 1 | wan2, weight 2            |
 *
 * Source: RFC 2992; Linux fib_rebalance() and rt6_upper_bound_set().
 * Differs: live means `up` alone; the sysctl fib_multipath_use_neigh is not modelled.
 */
#ifndef ECMPLAB_NEXTHOP_H
#define ECMPLAB_NEXTHOP_H

#include "core/addr.h"

struct nexthop {
    struct addr gateway; /* unset = directly connected */
    uint32_t route;      /* index into router_config.routes of the route that brought it */
    int32_t upper_bound; /* last hash of the region; -1 = owns no region */
    uint16_t iface;      /* index into router_config.ifaces */
    uint16_t weight;     /* 1..256 */
    bool up;             /* the link is up and the gateway check passes */
};

struct nexthop_group {
    uint16_t len;
    uint16_t live;         /* next hops that are up */
    uint32_t total_weight; /* of those */
    struct nexthop hops[];
};

enum { NEXTHOP_GROUP_MAX = 4096, NEXTHOP_NONE = 0xffff };

struct nexthop_group *nexthop_group_create(const struct nexthop *hops, size_t len);
void nexthop_group_destroy(struct nexthop_group *g);

/* Recompute the regions after a `weight` or an `up` changed. O(len), cannot fail. */
void nexthop_group_rebalance(struct nexthop_group *g);

/* The first next hop whose region ends at `hash` (31 bits) or later; NEXTHOP_NONE when none lives. */
unsigned nexthop_group_pick(const struct nexthop_group *g, uint32_t hash);

/* How many next hops before this one have its gateway and interface. */
uint16_t nexthop_group_twin(const struct nexthop_group *g, unsigned i);

/* The part of all flows that the weights promise to next hop i: 0..1. */
double nexthop_share(const struct nexthop_group *g, unsigned i);

#endif
