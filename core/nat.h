/*
 * nat - source translation: which public address and port a new connection gets
 *
 * Rules are tried in order, once, for the first packet of a connection; the first that matches
 * decides. masquerade takes the outgoing interface's address, or where it has none another
 * interface's; src-nat the one that it names.
 * The source port is kept when the answer's tuple is free; else another is drawn from the same
 * class of ports (1-511, 600-1023, 1024-65535), as the kernel does at random: runs of 128, 64,
 * 32, 16 and 8 ports from a random one on are tried, then the packet is dropped.
 *
 * Sources: Linux nf_nat_masquerade_ipv4(), get_unique_tuple(), find_best_ips_proto(),
 * nf_nat_l4proto_unique_tuple(); RouterOS manual, NAT.
 * Differs: the kernel draws the new port from its own generator; ours is seeded. The kernel
 * looks among all connections for one of the same source; we remember the last 1024. A closed
 * TCP connection that holds a port is not removed before its time.
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
    /* Connections whose public source was chosen among several, by a hash of their source, rule
     * and interface: others of the same get the same (find_appropriate_src). CONN_NONE: empty. */
    uint32_t chosen[1024];
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
