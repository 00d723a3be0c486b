/*
 * config - one router's configuration, whoever wrote it
 *
 * Scenario files, exports and dumps all become this; the router is made from it. Everything
 * is owned by the arena that the reader filled and stays constant for a run: what an event
 * adds or takes away at run time is here from the start, with `disabled` set or cleared by
 * the event, so that indices never change their meaning.
 *
 * Names are resolved: interfaces and tables are indices, -1 or CONFIG_NONE where absent.
 * Sources: RouterOS manual, /ip/route, /routing/rule, /ip/firewall/nat; ip-route(8), ip-rule(8).
 */
#ifndef ECMPLAB_CONFIG_H
#define ECMPLAB_CONFIG_H

#include "core/addr.h"
#include "core/hash.h"

enum platform { PLATFORM_LINUX, PLATFORM_ROUTEROS7 };

/* Tables that every router has; the user's follow from TABLE_FIRST_USER. */
enum { TABLE_MAIN, TABLE_LOCAL, TABLE_DEFAULT, TABLE_FIRST_USER };

enum route_type {
    ROUTE_UNICAST,
    ROUTE_LOCAL,
    ROUTE_BROADCAST,
    ROUTE_BLACKHOLE,
    ROUTE_UNREACHABLE,
    ROUTE_PROHIBIT,
    ROUTE_THROW, /* Linux: as if the table held nothing */
};

enum check_kind { CHECK_NONE, CHECK_PING, CHECK_ARP, CHECK_BFD, CHECK_KINDS };

/*
 * How a next hop is picked from its group: a name from policy.h, and what that policy may be
 * told. config_policy_defaults() fills the rest.
 */
struct config_policy {
    const char *name;
    bool objects; /* Linux: the next hops are objects of their own (ip nexthop), which go with
                   * the carrier whatever ignore_routes_with_linkdown says */
    bool returns; /* objects: a daemon puts them back when the link has come back */
    uint32_t buckets;              /* resilient: 1..65535 */
    int64_t idle_ns, unbalanced_ns; /* resilient; unbalanced 0: never forced */
    uint32_t table_size;           /* maglev: a prime */
    int64_t gap_ns;                /* flowlet */
    int64_t flush_ns;              /* per-pair: how often its cache is emptied; 0: never */
    int64_t window_ns;             /* least-loaded: how fast past load is forgotten */
    uint32_t choices;              /* least-loaded: of how many drawn members; 0: of all */
    uint8_t unit;                  /* weighted-round-robin: enum config_unit */
    uint8_t classifier;            /* pcc: enum config_classifier, or-ed */
};

/* What shares are counted in. */
enum config_unit { UNIT_PACKETS, UNIT_BYTES };

/* The fields that per-connection-classifier hashes. */
enum config_classifier {
    CLASSIFIER_SRC_ADDRESS = 1,
    CLASSIFIER_DST_ADDRESS = 2,
    CLASSIFIER_SRC_PORT = 4,
    CLASSIFIER_DST_PORT = 8,
};

struct config_iface {
    const char *name;
    const struct prefix *addresses; /* with host bits: the interface's own addresses */
    size_t addresses_len;
    uint32_t group; /* Linux device group */
    bool disabled;
};

struct config_gateway {
    struct addr addr; /* unset: the interface itself */
    int iface;        /* -1: whatever the address resolves through */
    int table;        /* where the address is resolved; TABLE_MAIN */
    uint16_t weight;  /* 1..256 */
};

struct config_route {
    struct prefix dst;
    uint32_t distance; /* RouterOS distance, Linux metric; lower wins */
    uint16_t table;
    uint8_t type; /* enum route_type */
    uint8_t check; /* enum check_kind */
    uint8_t scope, target_scope;
    uint8_t tos; /* Linux, IPv4; 0 = any */
    bool disabled;
    uint16_t policy; /* index into router_config.policies; a group has its first route's */
    const struct config_gateway *gateways;
    size_t gateways_len;
    struct addr pref_src;
    const char *comment;
    const char *pointer; /* where it stands in its file, for messages */
};

enum rule_action {
    RULE_LOOKUP,
    RULE_LOOKUP_ONLY, /* RouterOS lookup-only-in-table: finding nothing ends the walk */
    RULE_DROP,        /* silently; Linux blackhole */
    RULE_UNREACHABLE,
    RULE_PROHIBIT,
    RULE_GOTO,
    RULE_NOP,
};

struct config_range {
    uint16_t first, last; /* 0, 0: any */
};

struct config_rule {
    uint8_t family; /* FAMILY_NONE: both */
    uint8_t action; /* enum rule_action */
    bool negated;   /* Linux `not`: the whole match is inverted */
    bool disabled;
    bool from_router;       /* Linux `iif lo`: only what the router itself sends */
    struct prefix src, dst; /* addr unset: any */
    int iface;              /* incoming; -1: any */
    int out_iface;          /* Linux oif: only look-ups bound to it; -1: any */
    uint32_t mark, mark_mask; /* mask 0 and mark 0: any */
    int tos;                /* -1: any */
    int protocol;           /* -1: any */
    struct config_range sport, dport;
    int table;              /* RULE_LOOKUP...; may be one that holds nothing */
    int min_prefix;         /* = suppress_prefixlength; -1: suppress nothing */
    int suppress_group;     /* = suppress_ifgroup; -1: suppress nothing */
    uint32_t priority;      /* ascending; RouterOS: 1, 2, 3 ... in the order of the list */
    uint32_t goto_priority; /* RULE_GOTO */
    const char *comment;
    const char *pointer;
};

enum nat_action { NAT_MASQUERADE, NAT_SRC_NAT, NAT_ACCEPT };

struct config_nat {
    uint8_t family;
    uint8_t action; /* enum nat_action */
    bool disabled;
    struct prefix src, dst;
    int out_iface; /* -1: any */
    int protocol;  /* -1: any */
    struct config_range sport, dport;
    struct addr to_first, to_last; /* NAT_SRC_NAT: the public addresses */
    struct config_range to_ports;
    const char *comment;
    const char *pointer;
};

/* Nanoseconds. Sources: nf_conntrack sysctls; RouterOS manual, Connection tracking. */
struct config_timeouts {
    int64_t tcp_syn_sent, tcp_syn_received, tcp_established, tcp_fin_wait, tcp_close_wait,
        tcp_last_ack, tcp_time_wait, tcp_close, tcp_unacked, tcp_max_retrans, udp, udp_stream,
        icmp, generic;
};

enum tracking_mode { TRACKING_AUTO, TRACKING_ON, TRACKING_OFF }; /* auto: on with NAT rules */

struct config_check {
    int64_t interval_ns, timeout_ns; /* bfd: no time-out */
    uint32_t count; /* misses in a row that make it down; bfd: intervals of silence */
};

struct router_config {
    uint8_t platform; /* enum platform */
    struct hash_config hash;
    const struct config_policy *policies; /* [0]: of the groups whose routes name no other */
    size_t policies_len;
    const struct config_iface *ifaces;
    size_t ifaces_len;
    const char *const *tables; /* names, from index 0 = "main" */
    size_t tables_len;
    struct config_route *routes;
    size_t routes_len;
    struct config_rule *rules; /* in the order of the file; `priority` orders them */
    size_t rules_len;
    bool no_main_rule; /* Linux: the rules `main` and `default` were deleted */
    struct config_nat *nat;
    size_t nat_len;
    uint8_t tracking; /* enum tracking_mode */
    bool tcp_loose;   /* pick up TCP connections in mid-stream */
    struct config_timeouts timeouts;
    bool ignore_routes_with_linkdown; /* Linux sysctl */
    struct config_check checks[CHECK_KINDS];
    /* Routing marks by name, RouterOS: mark i + 1 is marks[i]; its implicit table or -1. */
    const char *const *marks;
    const int *mark_tables;
    size_t marks_len;
    uint64_t secret; /* changes no result: see conn_table_create() */
    uint64_t seed; /* of what a real router would draw at random: ports, probe phases */
};

/* What the platform does when its configuration says nothing. */
void config_set_defaults(struct router_config *c, enum platform platform);

/* A policy of this name that is told nothing more. */
struct config_policy config_policy_defaults(const char *name);

extern const char *const route_type_names[ROUTE_THROW + 1];
extern const char *const rule_action_names[RULE_NOP + 1];
extern const char *const check_kind_names[CHECK_KINDS];

#endif
