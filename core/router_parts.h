/*
 * router_parts - what the files of the router share; see router.h
 *
 *     router.c    making it, what happens to it, what it is now
 *     track.c     whose connection a packet is, and what that says of it
 *     routing.c   rules, tables, the member; what is never forwarded
 *     forward.c   the decision: all of it in order, kept where it can be
 *     wire.c      from a capture on the LAN to the packet on the wire
 */
#ifndef ECMPLAB_ROUTER_PARTS_H
#define ECMPLAB_ROUTER_PARTS_H

#include "core/nat.h"
#include "core/reassembly.h"
#include "core/router.h"

struct router {
    const struct router_config *config;
    struct iface_state *ifaces;
    struct rib *rib;
    struct ruleset *rules;
    struct conn_table *conns;
    struct reassembly *reassembly;
    struct choosers *choosers;
    int64_t now_ns;
    const struct trace *trace;
    struct router_conn_sink sink;
    struct hash_config hash;
    struct tcp_timeouts tcp_timeouts;
    struct check *checks;
    struct nat nat;
    uint32_t epoch;
    uint32_t starts; /* after the first */
    uint32_t sweep; /* the next entry to look at */
    bool tracking;
};

/* A packet on its way through the router. */
struct passage {
    const struct packet *packet; /* as routing sees it */
    struct packet translated;    /* filled only when `packet` points to it */
    struct tuple tuple;          /* with `keyed` */
    uint64_t hash;
    bool keyed;
    struct conn *conn; /* NULL: none yet */
    unsigned direction;
    bool related; /* an ICMP error of the connection */
    bool invalid; /* it belongs to no connection and begins none */
    bool revive;  /* `conn` was killed: begin anew */
    uint16_t pin; /* of the connection's direction, as the policy left it */
    struct tcp_track tcp; /* of a connection that begins */
};

static inline bool is_icmp(uint8_t protocol)
{
    return protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

static inline void router_tell(const struct router *r, struct trace_step step)
{
    if (r->trace)
        r->trace->step(r->trace->context, &step);
}

/* track.c */

/* Find the packet's connection and follow it. `key` may be NULL. */
void passage_track(struct router *r, struct passage *pass, const struct router_key *key,
                   int64_t now_ns);
/* An answer gets its LAN address back. */
void passage_translate_back(struct passage *pass);
/* From now on without another packet. */
void conn_prolong(const struct router *r, struct conn *c, int64_t now_ns);
/* Look at a few entries and end those past their time. */
void conns_sweep(struct router *r, int64_t now_ns);

/* routing.c */

/* The member that the policy of the entry's group picks, by whatever it remembers. */
unsigned routing_ask_policy(struct router *r, struct route_query *q,
                            const struct fib_entry *e);
/* Sources and destinations that routing does not handle. REASON_NONE: it does. */
enum reason routing_special_address(const struct router *r, const struct packet *p,
                                    int in_iface);

#endif
