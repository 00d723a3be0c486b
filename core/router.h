/*
 * router - one router: from a packet, the interface it came in by and the time, the decision
 *
 *     fragment? ─▶ reassembly ─▶ connection ─▶ translate an answer back ─▶ rules, tables ─▶
 *     group, hash, member ─▶ has its way changed under masquerade? ─▶ translate the source
 *
 * router_forward() is the one function that decides; run, explain, lookup, compare and verify
 * all call it. The router has no clock and draws no chance but from its seed: what happens to
 * it (links, addresses, probes, routes, rules) it is told, with the time.
 *
 * Each change makes a new epoch. A decision is taken anew for a connection's first packet in
 * each direction and epoch, and kept for the packets in between: nothing that it depends on
 * can differ (struct conn_route).
 *
 * Sources: Linux ip_rcv_finish(), ip_route_input_slow(), ip_forward(), nf_conntrack_in(),
 * nf_nat_inet_fn(); RouterOS manual, "Packet Flow in RouterOS".
 */
#ifndef ECMPLAB_ROUTER_H
#define ECMPLAB_ROUTER_H

#include "core/check.h"
#include "core/chooser.h"
#include "core/conn.h"
#include "core/rule.h"

enum verdict {
    VERDICT_FORWARD,
    VERDICT_LOCAL,       /* to the router itself */
    VERDICT_HELD,        /* a fragment that waits for the others */
    VERDICT_DROP,        /* silently */
    VERDICT_UNREACHABLE, /* answered with ICMP destination unreachable */
    VERDICT_PROHIBIT,    /* answered with ICMP administratively prohibited */
    VERDICTS,
};

enum reason {
    REASON_NONE,
    /* the decision's */
    REASON_NO_ROUTE,
    REASON_ONLY_TABLE,
    REASON_RULE,
    REASON_BLACKHOLE_ROUTE,
    REASON_UNREACHABLE_ROUTE,
    REASON_PROHIBIT_ROUTE,
    REASON_TTL,
    REASON_MARTIAN,
    REASON_MULTICAST,
    REASON_BROADCAST,
    REASON_LINK_LOCAL,
    REASON_NAT_MOVED,      /* masquerade: its way changed, so the packet and its entry are lost */
    REASON_NAT_NO_ADDRESS, /* masquerade: no interface has an address */
    REASON_NAT_CLASH,      /* no free port */
    REASON_NO_CONNECTION,  /* to the router's public address, for no connection it knows */
    REASON_FRAGMENT_HELD,
    REASON_FRAGMENT_REJECTED,
    REASON_FRAGMENT_TIMEOUT,
    REASON_INVALID, /* forwarded, but untranslated: it belongs to no connection */
    /* the world's, set by what surrounds the router */
    REASON_LINK_DOWN,
    REASON_GATEWAY_DOWN,
    REASON_BLACKHOLED,
    REASON_NOT_IP,
    REASON_MALFORMED,
    REASON_TRUNCATED,
    REASON_SAME_SEGMENT,
    REASON_FOREIGN,
    REASON_UNSOLICITED,
    REASON_QUEUE_FULL, /* of a WAN's link */
    REASON_LINK_LOSS,  /* by chance, on a WAN's link */
    REASON_ROUTER_DOWN, /* it restarts */
    REASONS,
};

extern const char *const verdict_names[VERDICTS];
extern const char *const reason_names[REASONS];
extern const char *const verdict_abouts[VERDICTS];
extern const char *const reason_abouts[REASONS];

enum decision_flag {
    DECISION_NEW = 1,      /* the first packet of a connection */
    DECISION_REVIVED = 2,  /* the flow of a killed entry begins anew */
    DECISION_KILLED = 4,   /* this packet killed its entry */
    DECISION_ROUTED = 8,   /* decided anew, not as for the packet before */
    DECISION_INVALID = 16, /* tracking knows no connection for it */
    DECISION_NATED = 32,   /* nat_src and nat_sport are a translation */
    DECISION_HASHED = 64,  /* `hash` was computed: the group has several next hops */
};

struct decision {
    uint8_t verdict;   /* enum verdict */
    uint8_t reason;    /* enum reason */
    uint8_t flags;     /* enum decision_flag */
    uint8_t direction; /* of the connection */
    int rule;          /* index into router_config.rules or enum rule_builtin */
    const struct fib_entry *entry; /* NULL when none; valid until the next change */
    unsigned member;               /* of entry->group; NEXTHOP_NONE: not unicast */
    unsigned out_iface;            /* NEXTHOP_NONE: none */
    uint32_t hash;                 /* 31 bits, with DECISION_HASHED */
    uint32_t conn;                 /* conn_at() index; CONN_NONE: none. Valid until the next packet */
    struct addr nat_src;           /* the source as it leaves */
    uint16_t nat_sport;
    uint32_t held_packets; /* earlier fragments that go (or die) with this packet */
    uint64_t held_bytes;
};

struct router;

/* `config` is borrowed for the router's life. */
struct router *router_create(const struct router_config *config);
void router_destroy(struct router *r);

/*
 * Decide one packet. `in_iface` is an index of config->ifaces, or -1 for what the router itself
 * sends. `now_ns` never goes back from one call to the next.
 */
void router_forward(struct router *r, const struct packet *p, int in_iface, int64_t now_ns,
                    struct decision *d);

/*
 * The routing part alone, for what has no connection: rules, tables, hash and member, as the
 * kernel's RTM_GETROUTE answers. `member` is NEXTHOP_NONE unless the answer is unicast.
 * A look-up of the router's own that is bound to an interface (q->out_iface) and fails is
 * answered with an OUTCOME_ROUTE without entry: on link there (Linux, IPv4).
 */
void router_route(struct router *r, struct route_query *q, struct route_answer *answer,
                  unsigned *member);

/* Every step is told to `trace` from now on; NULL ends it. Borrowed. */
void router_set_trace(struct router *r, const struct trace *trace);

/* Is told each connection that ends: past its time, begun anew by a SYN, or forgotten. */
struct router_conn_sink {
    void (*ended)(void *context, const struct conn *c);
    void *context;
};
void router_set_conn_sink(struct router *r, const struct router_conn_sink *sink);

/*
 * What a caller who reads ahead may know of a packet's connection before its turn: the tuple
 * and its hash, and the connection itself where it was found by router_find_wire().
 */
struct router_key {
    struct tuple tuple;
    uint64_t hash;
    struct conn *conn; /* NULL: not known */
    unsigned direction;
};

/* The key of a packet, or of the packet that it answers. */
void router_key(const struct router *r, const struct packet *p, bool answered,
                struct router_key *key);

/* router_forward() with the packet's own key. */
void router_forward_keyed(struct router *r, const struct packet *p,
                          const struct router_key *key, int in_iface, int64_t now_ns,
                          struct decision *d);

/*
 * As a capture on the LAN shows it, `p` comes to a host of the LAN. Find how it came to the
 * router: the connection it belongs to (perhaps one that NAT has forgotten, CONN_KILLED), the
 * interface, and the packet as it was on that wire, before the translation back. NULL: no
 * connection is known. `key` is that of the packet it answers, or NULL.
 */
struct conn *router_find_wire(const struct router *r, const struct packet *p,
                              const struct router_key *key, int64_t now_ns,
                              struct packet *wire, int *in_iface);

/*
 * Packets of a connection that are not shown to the router, as each would be decided as the last
 * one of its direction. Before they come the entry is held at least until the next one that is
 * shown; behind them it lives as long as the last of them, at `last_ns`, lets it; if none came, as
 * it would have without.
 */
void router_hold(struct conn *c, int64_t until_ns);
void router_release(struct conn *c, int64_t expires_ns);
void router_carried(const struct router *r, struct conn *c, int64_t last_ns);

/* Take the connection of the last decision out of the table: it was only asked about. */
void router_forget(struct router *r, uint32_t conn);

/* ------------------------------------------------------------------ what happens to it */

/* The time of what happens next, where that is not a packet; never goes back. */
void router_set_time(struct router *r, int64_t now_ns);

void router_set_carrier(struct router *r, unsigned iface, bool carrier);
void router_set_admin(struct router *r, unsigned iface, bool up);
/* A new address in place of an old one (unset: none before). */
void router_change_address(struct router *r, unsigned iface, const struct addr *old_address,
                           const struct prefix *new_address);
void router_set_route_disabled(struct router *r, uint32_t route, bool disabled);
void router_set_rule_disabled(struct router *r, unsigned rule, bool disabled);

/*
 * It restarts. When it goes down all its connections are forgotten: what NAT translated, as
 * masquerade forgets (conn_kill()); of others, which no packet's way depends on, all that was
 * known but the 5-tuple and TCP's state, as if tracking had picked them up in mid-stream at
 * once. Fragments that wait are the caller's to expire. When it is up, gateway checks begin anew,
 * each gateway taken for reachable, their first probes at phases drawn anew; the hash has
 * another seed with `redraw_hash`. In between it is not to be asked to forward.
 */
void router_go_down(struct router *r);
void router_come_up(struct router *r, int64_t now_ns, bool redraw_hash);

/* Fragments and connections past their time: tells the fragments that were dropped. */
void router_expire_fragments(struct router *r, int64_t now_ns, uint32_t *packets,
                             uint64_t *bytes);

/* Gateway checks: see check.h. The caller sends the probes and says what became of them. */
size_t router_checks_len(const struct router *r);
struct rib_check router_check_target(const struct router *r, size_t check);
int64_t router_check_next_ns(const struct router *r, size_t check);
void router_check_sent(struct router *r, size_t check);
/* See check_skip_to() and check_is_settled(). */
void router_check_skip_to(struct router *r, size_t check, int64_t now_ns);
bool router_check_is_settled(const struct router *r, size_t check, bool answered);
/* True when the verdict changed, and with it perhaps the routes. */
bool router_check_ended(struct router *r, size_t check, bool answered);
/* Likewise, of a check that sends no probes (bfd). */
bool router_check_conclude(struct router *r, size_t check, bool up);

/* ------------------------------------------------------------------------ what it is now */

/* Every change makes a new epoch, and so does router_renew(): kept decisions are taken anew, so
 * that an observer sees each flow once more (DECISION_ROUTED). */
uint32_t router_epoch(const struct router *r);
void router_renew(struct router *r);
const struct rib *router_rib(const struct router *r);
const struct iface_state *router_iface(const struct router *r, unsigned iface);
struct conn_table *router_conns(struct router *r);
const struct conn_table *router_conns_const(const struct router *r);
bool router_is_tracking(const struct router *r);

#endif
