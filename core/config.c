#include "core/config.h"

#include <string.h>

#define S(n) ((int64_t)(n) * 1000000000)

const char *const route_type_names[] = {
    "unicast", "local", "broadcast", "blackhole", "unreachable", "prohibit", "throw",
};

const char *const rule_action_names[] = {
    "lookup", "lookup-only-in-table", "drop", "unreachable", "prohibit", "goto", "nop",
};

const char *const check_kind_names[] = {"none", "ping", "arp", "bfd"};

static const char *const builtin_tables[] = {"main", "local", "default"};

/* Source: Documentation/networking/nf_conntrack-sysctl.rst. */
static const struct config_timeouts linux_timeouts = {
    .tcp_syn_sent = S(120),
    .tcp_syn_received = S(60),
    .tcp_established = S(432000),
    .tcp_fin_wait = S(120),
    .tcp_close_wait = S(60),
    .tcp_last_ack = S(30),
    .tcp_time_wait = S(120),
    .tcp_close = S(10),
    .tcp_unacked = S(300),
    .tcp_max_retrans = S(300),
    .udp = S(30),
    .udp_stream = S(120),
    .icmp = S(30),
    .generic = S(600),
};

/* Source: RouterOS manual, Connection tracking. */
static const struct config_timeouts routeros_timeouts = {
    .tcp_syn_sent = S(5),
    .tcp_syn_received = S(5),
    .tcp_established = S(86400),
    .tcp_fin_wait = S(10),
    .tcp_close_wait = S(10),
    .tcp_last_ack = S(10),
    .tcp_time_wait = S(10),
    .tcp_close = S(10),
    .tcp_unacked = S(300),
    .tcp_max_retrans = S(300),
    .udp = S(30),
    .udp_stream = S(180),
    .icmp = S(10),
    .generic = S(600),
};

static const struct config_policy default_policy = {.name = "hash-threshold"};

void config_set_defaults(struct router_config *c, enum platform platform)
{
    memset(c, 0, sizeof *c);
    c->platform = (uint8_t)platform;
    c->policies = &default_policy;
    c->policies_len = 1;
    c->tables = builtin_tables;
    c->tables_len = TABLE_FIRST_USER;
    c->tcp_loose = true;
    c->timeouts = platform == PLATFORM_LINUX ? linux_timeouts : routeros_timeouts;
    c->hash.layout = platform == PLATFORM_LINUX ? HASH_LINUX : HASH_LINUX_5_6;
    /* Source: RouterOS manual, /routing/settings; BFD page: 200 ms, multiplier 5. */
    c->checks[CHECK_PING] = (struct config_check){S(10), S(1), 2};
    c->checks[CHECK_ARP] = (struct config_check){S(10), S(1), 2};
    c->checks[CHECK_BFD] = (struct config_check){S(1) / 5, 0, 5};
}

/*
 * Sources: Linux nexthop.c (resilient: idle timer 120 s, never forced) with the 128 buckets that
 * Cumulus and FRR examples use; Eisenbud et al., Maglev, section 5.3 (65537 entries);
 * RouterOS manual, "ECMP" of version 6 (a route cache emptied every ten minutes), and "Per
 * connection classifier" (its recipe classifies by both addresses).
 * Assumed: the flowlet gap and the window of loads.
 */
struct config_policy config_policy_defaults(const char *name)
{
    return (struct config_policy){
        .name = name,
        .objects = strcmp(name, "resilient") == 0,
        .returns = true,
        .buckets = 128,
        .idle_ns = S(120),
        .table_size = 65537,
        .gap_ns = S(1) / 20,
        .flush_ns = S(600),
        .window_ns = S(10),
        .classifier = CLASSIFIER_SRC_ADDRESS | CLASSIFIER_DST_ADDRESS,
    };
}
