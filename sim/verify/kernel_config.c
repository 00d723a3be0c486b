#include "sim/verify/kernel_config.h"

#include <inttypes.h>
#include <string.h>

enum {
    KERNEL_MAIN = 254,
    KERNEL_LOCAL = 255,
    KERNEL_DEFAULT = 253,
    KERNEL_FIRST_USER = 1000,
    KERNEL_FIRST_REST = 100000,
    KERNEL_MAIN_PRIORITY = 32766,
    CONFIG_GATEWAYS = 256,       /* of one route: the reader takes no more */
    CONNECTIONS_LAST_S = 432000, /* five days: longer than any replay */
};

uint32_t kernel_table(unsigned table)
{
    switch (table) {
    case TABLE_MAIN: return KERNEL_MAIN;
    case TABLE_LOCAL: return KERNEL_LOCAL;
    case TABLE_DEFAULT: return KERNEL_DEFAULT;
    default: return KERNEL_FIRST_USER + table;
    }
}

/* A longer min_prefix than an address passes over no more than one as long. */
uint32_t kernel_rest_table(unsigned table, int min_prefix)
{
    enum { LENGTHS = 129 };
    const unsigned length = min_prefix < LENGTHS ? (unsigned)min_prefix : LENGTHS - 1;

    return KERNEL_FIRST_REST + table * LENGTHS + length;
}

bool kernel_rule_needs_rest(const struct config_rule *r)
{
    return r->action == RULE_LOOKUP_ONLY && r->min_prefix >= 0;
}

static const char *family_option(unsigned family)
{
    return family == FAMILY_V6 ? "-6 " : "";
}

/* ---------------------------------------------------------------------------- addresses */

void kernel_address_write(FILE *out, const char *verb, unsigned iface,
                          const struct prefix *a)
{
    char text[PREFIX_TEXT_MAX];

    fprintf(out, "%saddress %s %s dev if%u%s\n", family_option(a->addr.family), verb,
            prefix_format(a, text), iface,
            a->addr.family == FAMILY_V6 && strcmp(verb, "add") == 0 ? " nodad" : "");
}

/* ------------------------------------------------------------------------------- routes */

static const char *type_word(unsigned type)
{
    switch (type) {
    case ROUTE_BLACKHOLE: return "blackhole ";
    case ROUTE_UNREACHABLE: return "unreachable ";
    case ROUTE_PROHIBIT: return "prohibit ";
    case ROUTE_THROW: return "throw ";
    default: return "";
    }
}

static void hop_write(FILE *out, const struct kernel_hop *h)
{
    char text[ADDR_TEXT_MAX];

    if (addr_is_set(&h->gateway))
        fprintf(out, " via %s", addr_format(&h->gateway, text));
    if (h->iface >= 0)
        fprintf(out, " dev if%d", h->iface);
    if (h->onlink)
        fprintf(out, " onlink");
}

static void hops_write(FILE *out, const struct kernel_route *r)
{
    if (r->group) {
        fprintf(out, " nhid %" PRIu32, r->group);
        return;
    }
    if (r->hops_len == 1 && r->hops[0].weight <= 1) { /* joined routes weigh, too */
        hop_write(out, &r->hops[0]);
        return;
    }
    for (size_t i = 0; i < r->hops_len; i++) {
        fprintf(out, " nexthop");
        hop_write(out, &r->hops[i]);
        fprintf(out, " weight %u", r->hops[i].weight);
    }
}

void kernel_route_write(FILE *out, const char *verb, const struct kernel_route *r)
{
    char text[PREFIX_TEXT_MAX];

    fprintf(out, "%sroute %s %s%s table %" PRIu32, family_option(r->dst.addr.family),
            verb, type_word(r->type), prefix_format(&r->dst, text),
            kernel_table(r->table));
    if (r->tos)
        fprintf(out, " tos 0x%02x", r->tos);
    if (r->metric)
        fprintf(out, " metric %" PRIu32, r->metric);
    if (addr_is_set(&r->pref_src))
        fprintf(out, " src %s", addr_format(&r->pref_src, text));
    hops_write(out, r);
    fprintf(out, "\n");
}

void kernel_config_route_write(FILE *out, const char *verb, const struct config_route *r)
{
    struct kernel_hop hops[CONFIG_GATEWAYS];
    struct kernel_route k = {
        .dst = r->dst,
        .metric = r->distance,
        .table = r->table,
        .type = r->type,
        .tos = r->tos,
        .pref_src = r->pref_src,
        .hops = hops,
    };

    for (; k.hops_len < r->gateways_len && k.hops_len < CONFIG_GATEWAYS; k.hops_len++)
        hops[k.hops_len] = (struct kernel_hop){
            .gateway = r->gateways[k.hops_len].addr,
            .iface = r->gateways[k.hops_len].iface,
            .weight = r->gateways[k.hops_len].weight,
        };
    kernel_route_write(out, verb, &k);
}

bool kernel_route_has_objects(const struct router_config *c, const struct config_route *r)
{
    return c->platform == PLATFORM_LINUX && r->type == ROUTE_UNICAST &&
           r->policy < c->policies_len && c->policies[r->policy].objects;
}

/* -------------------------------------------------------------------------------- rules */

static void range_write(FILE *out, const char *name, const struct config_range *r)
{
    if (r->last && r->first != r->last)
        fprintf(out, " %s %u-%u", name, r->first, r->last);
    else if (r->last)
        fprintf(out, " %s %u", name, r->first);
}

static void prefix_write(FILE *out, const char *name, const struct prefix *p)
{
    char text[PREFIX_TEXT_MAX];

    if (addr_is_set(&p->addr))
        fprintf(out, " %s %s", name, prefix_format(p, text));
}

static void selectors_write(FILE *out, const struct config_rule *r)
{
    if (r->negated)
        fprintf(out, " not");
    prefix_write(out, "from", &r->src);
    prefix_write(out, "to", &r->dst);
    if (r->from_router)
        fprintf(out, " iif lo");
    else if (r->iface >= 0)
        fprintf(out, " iif if%d", r->iface);
    if (r->out_iface >= 0)
        fprintf(out, " oif if%d", r->out_iface);
    if (r->mark || r->mark_mask)
        fprintf(out, " fwmark 0x%" PRIx32 "/0x%" PRIx32, r->mark, r->mark_mask);
    if (r->tos >= 0)
        fprintf(out, " tos 0x%02x", (unsigned)r->tos);
    if (r->protocol >= 0)
        fprintf(out, " ipproto %d", r->protocol);
    range_write(out, "sport", &r->sport);
    range_write(out, "dport", &r->dport);
}

static void action_write(FILE *out, const struct config_rule *r)
{
    switch ((enum rule_action)r->action) {
    case RULE_LOOKUP:
    case RULE_LOOKUP_ONLY:
        fprintf(out, " table %" PRIu32, kernel_table((unsigned)r->table));
        break;
    case RULE_DROP: fprintf(out, " blackhole"); return;
    case RULE_UNREACHABLE: fprintf(out, " unreachable"); return;
    case RULE_PROHIBIT: fprintf(out, " prohibit"); return;
    case RULE_GOTO: fprintf(out, " goto %" PRIu32, r->goto_priority); return;
    case RULE_NOP: fprintf(out, " nop"); return;
    }
    if (r->min_prefix >= 0)
        fprintf(out, " suppress_prefixlength %d", r->min_prefix);
    if (r->suppress_group >= 0)
        fprintf(out, " suppress_ifgroup %d", r->suppress_group);
}

static void rule_line_write(FILE *out, const char *verb, unsigned family,
                            const struct config_rule *r, uint32_t priority)
{
    fprintf(out, "%srule %s", family_option(family), verb);
    selectors_write(out, r);
    action_write(out, r);
    fprintf(out, " priority %" PRIu32 "\n", priority);
}

/* What becomes of packets for which lookup-only-in-table had no answer. */
static void rest_line_write(FILE *out, const char *verb, unsigned family,
                            const struct config_rule *r, uint32_t priority)
{
    fprintf(out, "%srule %s", family_option(family), verb);
    selectors_write(out, r);
    if (kernel_rule_needs_rest(r))
        fprintf(out, " table %" PRIu32,
                kernel_rest_table((unsigned)r->table, r->min_prefix));
    else
        fprintf(out, " unreachable");
    fprintf(out, " priority %" PRIu32 "\n", priority);
}

static bool rule_has_family(const struct config_rule *r, unsigned family)
{
    return (r->family == FAMILY_NONE || r->family == family) &&
           (!addr_is_set(&r->src.addr) || r->src.addr.family == family) &&
           (!addr_is_set(&r->dst.addr) || r->dst.addr.family == family);
}

static uint32_t rule_priority(const struct router_config *c, const struct config_rule *r)
{
    return c->platform == PLATFORM_ROUTEROS7 ? 2 * r->priority : r->priority;
}

void kernel_rule_write(FILE *out, const char *verb, const struct router_config *c,
                       const struct config_rule *r)
{
    static const unsigned families[] = {FAMILY_V4, FAMILY_V6};
    const uint32_t priority = rule_priority(c, r);

    for (size_t i = 0; i < 2; i++) {
        if (!rule_has_family(r, families[i]))
            continue;
        rule_line_write(out, verb, families[i], r, priority);
        if (r->action == RULE_LOOKUP_ONLY)
            rest_line_write(out, verb, families[i], r, priority + 1);
    }
}

/* ---------------------------------------------------------------------------- the start */

/* RouterOS's `main` is behind all rules, however many there are. */
static void main_rule_write(FILE *out, const struct router_config *c)
{
    bool reached = false;

    for (size_t i = 0; i < c->rules_len && c->platform == PLATFORM_ROUTEROS7; i++)
        reached |= rule_priority(c, &c->rules[i]) + 1 >= KERNEL_MAIN_PRIORITY; /* both */
    if (c->no_main_rule)
        fprintf(out, "rule del priority 32766\nrule del priority 32767\n"
                     "-6 rule del priority 32766\n");
    else if (reached)
        fprintf(out,
                "rule add table main priority %u\n-6 rule add table main priority %u\n"
                "rule del priority 32766 table main\n"
                "-6 rule del priority 32766 table main\n",
                UINT32_MAX, UINT32_MAX);
}

void kernel_config_write(FILE *out, const struct router_config *c)
{
    for (unsigned i = 0; i < c->ifaces_len; i++) {
        if (c->ifaces[i].group)
            fprintf(out, "link set if%u group %" PRIu32 "\n", i, c->ifaces[i].group);
        for (size_t k = 0; k < c->ifaces[i].addresses_len; k++)
            kernel_address_write(out, "add", i, &c->ifaces[i].addresses[k]);
    }
    for (size_t i = 0; i < c->routes_len && c->platform == PLATFORM_LINUX; i++)
        if (!c->routes[i].disabled && !kernel_route_has_objects(c, &c->routes[i]))
            kernel_config_route_write(
                out, c->routes[i].dst.addr.family == FAMILY_V6 ? "append" : "add",
                &c->routes[i]);
    for (size_t i = 0; i < c->rules_len; i++)
        if (!c->rules[i].disabled)
            kernel_rule_write(out, "add", c, &c->rules[i]);
    main_rule_write(out, c);
}

uint32_t kernel_hash_seed(const struct hash_config *c)
{
    return (uint32_t)c->key[0];
}

static void sysctl_add(struct kernel_sysctl *out, size_t *n, const char *path,
                       uint32_t value, bool tracking)
{
    out[(*n)++] = (struct kernel_sysctl){path, value, tracking};
}

size_t kernel_sysctls(const struct router_config *c,
                      struct kernel_sysctl out[KERNEL_SYSCTLS_MAX])
{
    static const char *const timeouts[] = {
        "netfilter/nf_conntrack_tcp_timeout_syn_sent",
        "netfilter/nf_conntrack_tcp_timeout_syn_recv",
        "netfilter/nf_conntrack_tcp_timeout_established",
        "netfilter/nf_conntrack_tcp_timeout_fin_wait",
        "netfilter/nf_conntrack_tcp_timeout_close_wait",
        "netfilter/nf_conntrack_tcp_timeout_last_ack",
        "netfilter/nf_conntrack_tcp_timeout_time_wait",
        "netfilter/nf_conntrack_tcp_timeout_close",
        "netfilter/nf_conntrack_tcp_timeout_unacknowledged",
        "netfilter/nf_conntrack_tcp_timeout_max_retrans",
        "netfilter/nf_conntrack_udp_timeout",
        "netfilter/nf_conntrack_udp_timeout_stream",
        "netfilter/nf_conntrack_icmp_timeout",
        "netfilter/nf_conntrack_icmpv6_timeout",
        "netfilter/nf_conntrack_generic_timeout",
        "netfilter/nf_conntrack_gre_timeout",
        "netfilter/nf_conntrack_gre_timeout_stream",
    };
    const struct hash_config *h = &c->hash;
    const uint32_t ignore = c->ignore_routes_with_linkdown;
    size_t n = 0;

    sysctl_add(out, &n, "ipv4/fib_multipath_hash_seed", kernel_hash_seed(h), false);
    sysctl_add(out, &n, "ipv4/fib_multipath_hash_policy", h->v4.policy, false);
    sysctl_add(out, &n, "ipv6/fib_multipath_hash_policy", h->v6.policy, false);
    if (h->v4.policy == HASH_CUSTOM)
        sysctl_add(out, &n, "ipv4/fib_multipath_hash_fields", h->v4.fields, false);
    if (h->v6.policy == HASH_CUSTOM)
        sysctl_add(out, &n, "ipv6/fib_multipath_hash_fields", h->v6.fields, false);
    sysctl_add(out, &n, "ipv4/conf/all/ignore_routes_with_linkdown", ignore, false);
    sysctl_add(out, &n, "ipv6/conf/all/ignore_routes_with_linkdown", ignore, false);
    sysctl_add(out, &n, "ipv6/conf/all/keep_addr_on_down",
               c->platform == PLATFORM_ROUTEROS7, false);
    sysctl_add(out, &n, "netfilter/nf_conntrack_tcp_loose", c->tcp_loose, true);
    sysctl_add(out, &n, "netfilter/nf_conntrack_tcp_be_liberal", 1, true);
    sysctl_add(out, &n, "netfilter/nf_conntrack_tcp_ignore_invalid_rst", 1, true);
    sysctl_add(out, &n, "netfilter/nf_conntrack_checksum", 0, true);
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
        sysctl_add(out, &n, timeouts[i], CONNECTIONS_LAST_S, true);
    return n;
}
