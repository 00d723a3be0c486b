/*
 * kernel_config - a router's configuration in the words of ip(8), nft(8) and the sysctls
 *
 *     struct router_config ─▶ lines for `ip -batch -`, `nft -f -`, /proc/sys/net
 *
 * Interface i is called if<i> (lab.h). Tables: main 254, local 255, default 253, table i of the
 * configuration i + 1000. A rule of priority N has N on Linux; RouterOS's rules, which are
 * numbered from 1, have 2 N, because lookup-only-in-table takes two rules of the kernel: the
 * look-up, and unreachable for what it does not find; with min_prefix a look-up in the rest table
 * (rest.h). Where so many rules reach the kernel's own rule `main`, that moves behind them.
 *
 * Each writer appends to `out` and knows nothing of the kernel's state: pure translation.
 * Sources: ip-address(8), ip-route(8), ip-rule(8), nft(8); Linux Documentation/networking/
 * ip-sysctl.rst, nf_conntrack-sysctl.rst.
 */
#ifndef ECMPLAB_KERNEL_CONFIG_H
#define ECMPLAB_KERNEL_CONFIG_H

#include <stdio.h>

#include "core/config.h"
#include "core/rib.h"

uint32_t kernel_table(unsigned table);

/* Of rest.h, for look-ups in `table`; from 100,000 on. Needed by lookup-only-in-table with
 * min_prefix alone. */
uint32_t kernel_rest_table(unsigned table, int min_prefix);
bool kernel_rule_needs_rest(const struct config_rule *r);

/* "address add ..." or "address del ..." */
void kernel_address_write(FILE *out, const char *verb, unsigned iface,
                          const struct prefix *a);

/* One next hop of a route as the kernel is to have it. */
struct kernel_hop {
    struct addr gateway; /* unset: on link */
    int iface;           /* -1: the kernel finds it */
    unsigned weight;
    bool onlink; /* the gateway may be on no network of the interface */
};

struct kernel_route {
    struct prefix dst;
    uint32_t metric;
    uint16_t table; /* the configuration's number */
    uint8_t type;   /* enum route_type */
    uint8_t tos;
    struct addr pref_src;
    const struct kernel_hop *hops;
    size_t hops_len;
    uint32_t group; /* instead of hops: the id of a group of next-hop objects; 0: none */
};

/* "route VERB ...": add, append, replace; del names the route without its next hops. One line. */
void kernel_route_write(FILE *out, const char *verb, const struct kernel_route *r);

/* A route of the configuration with all of its gateways, as a Linux administrator adds it.
 * IPv6 appends, so that routes of equal metric join. */
void kernel_config_route_write(FILE *out, const char *verb, const struct config_route *r);

/* Are the route's next hops objects, for which others see to it (objects.h)? */
bool kernel_route_has_objects(const struct router_config *c, const struct config_route *r);

/* "rule add ..." or "rule del ...", a line for each family that it is for. */
void kernel_rule_write(FILE *out, const char *verb, const struct router_config *c,
                       const struct config_rule *r);

/*
 * What the sysctls are to be; `path` is below /proc/sys/net. The time-outs of connections are
 * days for all: simulated time ends connections, not the kernel's clock. Sequence numbers are not
 * checked against the windows (nf_conntrack_tcp_be_liberal), as the model does not.
 */
struct kernel_sysctl {
    const char *path;
    uint32_t value;
    bool
        tracking; /* there only once connections are tracked: after the nftables ruleset */
};
enum { KERNEL_SYSCTLS_MAX = 48 };
size_t kernel_sysctls(const struct router_config *c,
                      struct kernel_sysctl out[KERNEL_SYSCTLS_MAX]);

/* Are connections tracked? */
bool kernel_tracks(const struct router_config *c);

/*
 * The whole nftables ruleset: source NAT, tracking where there is any, and nothing of the
 * router's own leaves it. What comes to the router itself is dropped at its door, so that it
 * leaves no connection behind, as the model keeps none.
 */
void kernel_nft_write(FILE *out, const struct router_config *c);

/*
 * The start, without what is disabled: addresses, the administrator's routes, rules. For a
 * RouterOS the routes are its daemon's to install, from the RIB (follow.h), and are left out; so
 * are those to next-hop objects (objects.h).
 */
void kernel_config_write(FILE *out, const struct router_config *c);

/* The seed that makes the kernel's key that of the hash configuration. */
uint32_t kernel_hash_seed(const struct hash_config *c);

#endif
