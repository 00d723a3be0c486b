/*
 * nat - source translation: which public address and port a new connection gets
 *
 * Rules are tried in order, once, for the first packet of a connection; the first that matches
 * decides. masquerade takes the outgoing interface's address, or where it has none another
 * interface's; src-nat those that it names. Then:
 *
 *     1. The host's own source, where the rule allows it and the answer's tuple is free.
 *     2. Else, where the rule does not allow it, the newest connection of the same host, port and
 *        protocol whose public source the rule allows: that source, if it is free.
 *     3. The address that a hash of both ends chooses from the range, and the host's port, if the
 *        rule allows it and it is free.
 *     4. Another port of the same class (1-511, 600-1023, 1024-65535) or of the rule's, from a
 *        random one on: runs of 128, 64, 32, 16 and 8 ports are tried, then the packet is
 *        dropped. The last 32 ports of a run may be taken from a TCP connection that is over.
 *
 * Sources: Linux nf_nat_masquerade_ipv4(), get_unique_tuple(), find_appropriate_src(),
 * find_best_ips_proto(), nf_nat_l4proto_unique_tuple(), nf_nat_used_tuple_harder(); RouterOS
 * manual, NAT.
 * Differs: the kernel draws the new port from its own generator; ours is seeded.
 */
#ifndef ECMPLAB_NAT_H
#define ECMPLAB_NAT_H

#include "core/conn.h"
#include "core/iface.h"
#include "core/random.h"
#include "core/trace.h"

enum nat_result {
    NAT_NONE,       /* no rule matched, or one that accepts: the source stays */
    NAT_TRANSLATED, /* the connection has its public source */
    NAT_NO_ADDRESS, /* masquerade, and no interface has an address: dropped */
    NAT_CLASH,      /* no free port, or a protocol without ports whose tuple is taken */
};

struct nat {
    const struct router_config *config;
    const struct iface_state *ifaces;
    struct conn_table *conns;
    struct random_stream random;
    bool chains_all; /* step 2 may find any connection, not only where a port was taken */
};

void nat_init(struct nat *n, const struct router_config *config,
              const struct iface_state *ifaces, struct conn_table *conns);

/*
 * Give `c`, which is about to leave by `out_iface` towards `nexthop` (unset: on link), its
 * public source, and let the table find it by its answer. `trace` may be NULL.
 */
enum nat_result nat_bind(struct nat *n, struct conn *c, unsigned out_iface,
                         const struct addr *nexthop, int64_t now_ns, const struct trace *trace);

#endif
