/*
 * rib - every candidate route, and the ones that forwarding sees
 *
 * Per table and prefix a leaf holds the candidates in the order of the configuration:
 * static routes, connected networks, the router's own addresses. Of them it makes entries:
 *
 *     leaf 0.0.0.0/0, table main
 *       candidates  distance 1 via 100.64.1.1   distance 2 via 100.64.2.1   ...
 *       entries     distance 1: group {wan1}    distance 2: group {wan2}    ...
 *                   ^ active: the first usable one
 *
 * How candidates order and join:
 *   1. the higher tos first (Linux; 0 means any)
 *   2. then the lower distance
 *   3. equal, both unicast: both join one next-hop group, in the order of the configuration
 * An entry is usable when it is no unicast route or has a live next hop. A look-up walks the
 * usable entries of the longest prefix, then those of the next shorter one.
 *
 * Gateways resolve as the platform does it:
 *   RouterOS  a gateway with target scope T resolves through the longest prefix that holds it
 *             among routes of scope <= T; a route's own scope is at least its target scope + 1,
 *             so chains are finite. Connected networks have scope 10.
 *   Linux     a gateway binds to the interface on whose network it is, once. When all next hops
 *             of a route are administratively down, the route is deleted for good.
 *
 * Sources: RouterOS manual, "Routing Decision": Route Selection, Nexthop Lookup, Multipath
 * (ECMP) routes; Linux fib_table_lookup(), fib_sync_down_dev(), fib_sync_up(), fib6_ifdown().
 * Differs: the manual leaves the order inside a group open; ours is fixed, so runs repeat.
 */
#ifndef ECMPLAB_RIB_H
#define ECMPLAB_RIB_H

#include "core/config.h"
#include "core/iface.h"
#include "core/nexthop.h"

enum route_origin { ORIGIN_STATIC, ORIGIN_CONNECTED, ORIGIN_LOCAL };

#define RIB_NO_ROUTE UINT32_MAX
#define RIB_NO_SEAT  UINT32_MAX

/* What a look-up finds. Valid until the next change of the RIB. */
struct fib_entry {
    struct prefix dst;
    struct nexthop_group *group; /* NULL unless unicast */
    struct addr pref_src;
    uint32_t distance;
    uint32_t route; /* the first member's index in router_config.routes, or RIB_NO_ROUTE */
    uint32_t next;  /* the next entry of the leaf, or RIB_NO_ROUTE */
    uint16_t table;
    uint32_t seat;   /* of its group, when its policy has a state; else RIB_NO_SEAT */
    uint16_t policy; /* of its group: index into router_config.policies */
    uint16_t iface;  /* connected and local: the interface */
    uint8_t type;    /* enum route_type */
    uint8_t origin; /* enum route_origin */
    uint8_t tos;
    bool usable;
};

struct rib;

/* Both arguments are borrowed for the RIB's life; `ifaces` has config->ifaces_len elements. */
struct rib *rib_create(const struct router_config *config, const struct iface_state *ifaces);
void rib_destroy(struct rib *r);

/* The interface's state or addresses changed: follow. */
void rib_iface_changed(struct rib *r, unsigned iface);

/*
 * A route of the configuration comes or goes (its `disabled`). One that comes has its checked
 * gateways taken for reachable, unless another route already has them checked. Coming again
 * adds it anew, where the kernel had deleted it.
 */
void rib_route_set_disabled(struct rib *r, uint32_t route, bool disabled);

/*
 * Look up in one table. Returns the entry, or NULL when the table has none. `out_iface` >= 0
 * binds the look-up to that interface (locally generated traffic).
 */
const struct fib_entry *rib_lookup(const struct rib *r, unsigned table, const struct addr *dst,
                                   uint8_t tos, int out_iface);

/*
 * The same for IPv6, which of several routes with one prefix and one metric takes the first that
 * leaves by `near_iface` (-1: none is nearer): where the packet came in, or where it is bound to
 * go. Source: Linux rt6_check_dev(), as ip6_pol_route_input() has it called.
 */
const struct fib_entry *rib_lookup_near(const struct rib *r, unsigned table,
                                        const struct addr *dst, uint8_t tos, int out_iface,
                                        int near_iface);

/* Entries by their number: what a cache may keep within one state of the RIB. */
uint32_t rib_entry_index(const struct rib *r, const struct fib_entry *e);
const struct fib_entry *rib_entry(const struct rib *r, uint32_t index);

/*
 * A group whose policy has a state has a seat, the same whenever a group of that table, prefix,
 * tos and distance exists: seats are numbered from 0, and none is given up. NULL: it is empty.
 */
size_t rib_seats_len(const struct rib *r);
const struct fib_entry *rib_seat_entry(const struct rib *r, size_t seat);

/* The first entry of exactly this prefix (active or not), then e->next by rib_entry(). */
const struct fib_entry *rib_find(const struct rib *r, unsigned table, const struct prefix *dst);

/* Is the route enabled and does it have a live next hop (or need none)? Is it the active one? */
bool rib_route_is_reachable(const struct rib *r, uint32_t route);
bool rib_route_is_active(const struct rib *r, uint32_t route);

/* How many living next hops the configuration's routes to destinations of the family have that
 * leave by the interface, spare routes' too. O(entries). */
unsigned rib_iface_next_hops(const struct rib *r, unsigned iface, enum family family);

static inline bool rib_iface_is_used(const struct rib *r, unsigned iface, enum family family)
{
    return rib_iface_next_hops(r, iface, family) > 0;
}

/*
 * Gateway checks. A check belongs to a next hop: routes that share gateway, interface, table,
 * target scope and kind of check share its verdict.
 */
struct rib_check {
    struct addr target; /* who is probed */
    uint16_t iface;     /* by which interface the probe leaves; NEXTHOP_NONE: unresolved */
    struct addr via;    /* the immediate gateway on it; unset: on link */
    uint8_t kind;       /* enum check_kind */
    bool up;            /* the verdict; up at the start */
};
size_t rib_checks_len(const struct rib *r);
struct rib_check rib_check_get(const struct rib *r, size_t check);
/* True when that changed the verdict. */
bool rib_check_set(struct rib *r, size_t check, bool up);

/* Did some gateway resolve to more next hops, or some group have more, than there may be? Those
 * beyond were left out. */
bool rib_is_crowded(const struct rib *r);

size_t rib_memory_bytes(const struct rib *r);

#endif
