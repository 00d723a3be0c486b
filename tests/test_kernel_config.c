/* A configuration in the words of ip(8) and nft(8): lines as ip-route(8), ip-rule(8) and nft(8)
 * write them, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/verify/kernel_config.h"

static struct prefix prefix(const char *text)
{
    struct prefix p;

    if (!prefix_parse(text, &p))
        fail_msg("no prefix: %s", text);
    return p;
}

static struct addr address(const char *text)
{
    return prefix(text).addr;
}

struct written {
    FILE *out;
    char *text;
    size_t len;
};

static FILE *writing(struct written *w)
{
    w->out = open_memstream(&w->text, &w->len);
    assert_non_null(w->out);
    return w->out;
}

static void expect_written(struct written *w, const char *what, const char *expected)
{
    fclose(w->out);
    if (strcmp(w->text, expected) != 0)
        fail_msg("%s:\n%sexpected:\n%s", what, w->text, expected);
    free(w->text);
}

static struct config_rule any_rule(enum rule_action action)
{
    return (struct config_rule){
        .action = (uint8_t)action,
        .iface = -1,
        .out_iface = -1,
        .tos = -1,
        .protocol = -1,
        .table = TABLE_FIRST_USER,
        .min_prefix = -1,
        .suppress_group = -1,
        .priority = 7,
    };
}

/* ------------------------------------------------------------------------------- routes */

static void a_route_names_its_table_metric_and_next_hops(void **state)
{
    const struct config_gateway gateways[] = {
        {.addr = address("100.64.1.1"), .iface = 1, .weight = 2},
        {.addr = address("100.64.2.1"), .iface = -1, .weight = 1},
        {.iface = 3, .weight = 256},
    };
    const struct config_gateway one = {
        .addr = address("100.64.1.1"), .iface = 1, .weight = 1};
    const struct config_gateway six = {
        .addr = address("fe80::1"), .iface = 2, .weight = 1};
    const struct {
        const char *what, *verb, *line;
        struct config_route route;
    } rows[] = {
        {"multipath",
         "add",
         "route add 0.0.0.0/0 table 1003 metric 5 nexthop via 100.64.1.1 dev if1 weight "
         "2 "
         "nexthop via 100.64.2.1 weight 1 nexthop dev if3 weight 256\n",
         {.dst = prefix("0.0.0.0/0"),
          .table = TABLE_FIRST_USER,
          .distance = 5,
          .gateways = gateways,
          .gateways_len = 3}},
        {"one gateway, with a source and a tos",
         "add",
         "route add 10.0.0.0/8 table 254 tos 0x10 src 192.0.2.1 via 100.64.1.1 dev if1\n",
         {.dst = prefix("10.0.0.0/8"),
          .tos = 0x10,
          .pref_src = address("192.0.2.1"),
          .gateways = &one,
          .gateways_len = 1}},
        {"IPv6",
         "append",
         "-6 route append 2001:db8::/32 table 254 metric 1024 via fe80::1 dev if2\n",
         {.dst = prefix("2001:db8::/32"),
          .distance = 1024,
          .gateways = &six,
          .gateways_len = 1}},
        {"no destination for packets",
         "del",
         "route del blackhole 10.1.0.0/16 table 253 metric 9\n",
         {.dst = prefix("10.1.0.0/16"),
          .distance = 9,
          .table = TABLE_DEFAULT,
          .type = ROUTE_BLACKHOLE}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct written w;

        kernel_config_route_write(writing(&w), rows[i].verb, &rows[i].route);
        expect_written(&w, rows[i].what, rows[i].line);
    }
}

/* -------------------------------------------------------------------------------- rules */

static void a_rule_is_written_for_each_family_that_it_is_for(void **state)
{
    const struct router_config c = {.platform = PLATFORM_LINUX};
    struct config_rule both = any_rule(RULE_LOOKUP), six = any_rule(RULE_PROHIBIT),
                       all = any_rule(RULE_LOOKUP);
    struct written w;

    (void)state;
    both.min_prefix = 0;
    kernel_rule_write(writing(&w), "add", &c, &both);
    expect_written(&w, "both families",
                   "rule add table 1003 suppress_prefixlength 0 priority 7\n"
                   "-6 rule add table 1003 suppress_prefixlength 0 priority 7\n");
    six.dst = prefix("2001:db8::/32");
    kernel_rule_write(writing(&w), "del", &c, &six);
    expect_written(&w, "by its address",
                   "-6 rule del to 2001:db8::/32 prohibit priority 7\n");
    all.negated = true;
    all.src = prefix("192.168.10.0/24");
    all.iface = 0;
    all.mark = 0x10;
    all.mark_mask = 0xff;
    all.tos = 0x10;
    all.protocol = 6;
    all.sport = (struct config_range){1000, 2000};
    all.dport = (struct config_range){443, 443};
    all.suppress_group = 4;
    kernel_rule_write(writing(&w), "add", &c, &all);
    expect_written(
        &w, "every selector",
        "rule add not from 192.168.10.0/24 iif if0 fwmark 0x10/0xff tos 0x10 ipproto 6 "
        "sport 1000-2000 dport 443 table 1003 suppress_ifgroup 4 priority 7\n");
}

static void routeros_lookup_only_takes_a_second_rule(void **state)
{
    const struct router_config c = {.platform = PLATFORM_ROUTEROS7};
    struct config_rule r = any_rule(RULE_LOOKUP_ONLY);
    struct written w;

    (void)state;
    r.src = prefix("192.168.10.50/32");
    kernel_rule_write(writing(&w), "add", &c, &r);
    expect_written(&w, "lookup-only-in-table",
                   "rule add from 192.168.10.50/32 table 1003 priority 14\n"
                   "rule add from 192.168.10.50/32 unreachable priority 15\n");
}

/* The rest table: 100000 + 129 times the table + the prefix length. */
static void only_with_min_prefix_goes_on_in_the_rest_table(void **state)
{
    const struct router_config c = {.platform = PLATFORM_ROUTEROS7};
    struct config_rule r = any_rule(RULE_LOOKUP_ONLY);
    struct written w;

    (void)state;
    r.min_prefix = 24;
    r.src = prefix("192.168.10.50/32");
    kernel_rule_write(writing(&w), "add", &c, &r);
    expect_written(
        &w, "with min_prefix",
        "rule add from 192.168.10.50/32 table 1003 suppress_prefixlength 24 priority 14\n"
        "rule add from 192.168.10.50/32 table 100411 priority 15\n");
    r.min_prefix = 200;
    kernel_rule_write(writing(&w), "del", &c, &r);
    expect_written(&w, "longer than any address",
                   "rule del from 192.168.10.50/32 table 1003 suppress_prefixlength 200 "
                   "priority 14\n"
                   "rule del from 192.168.10.50/32 table 100515 priority 15\n");
}

/* The kernel's own `main` has priority 32766. */
static void main_is_behind_every_rule_of_a_routeros(void **state)
{
    static const struct {
        const char *what;
        enum platform platform;
        uint32_t number;
        const char *text;
    } rows[] = {
        {"the last in front of it", PLATFORM_ROUTEROS7, 16382,
         "-6 rule add to 2001:db8::/32 prohibit priority 32764\n"},
        {"the first behind it", PLATFORM_ROUTEROS7, 16383,
         "-6 rule add to 2001:db8::/32 prohibit priority 32766\n"
         "rule add table main priority 4294967295\n"
         "-6 rule add table main priority 4294967295\n"
         "rule del priority 32766 table main\n-6 rule del priority 32766 table main\n"},
        {"where Linux is told to have it", PLATFORM_LINUX, 40000,
         "-6 rule add to 2001:db8::/32 prohibit priority 40000\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config_rule r = any_rule(RULE_PROHIBIT);
        const struct router_config c = {
            .platform = rows[i].platform, .rules = &r, .rules_len = 1};
        struct written w;

        r.priority = rows[i].number;
        r.dst = prefix("2001:db8::/32");
        kernel_config_write(writing(&w), &c);
        expect_written(&w, rows[i].what, rows[i].text);
    }
}

/* ------------------------------------------------------------------------------ objects */

static void a_route_to_a_group_of_objects_names_it(void **state)
{
    const struct kernel_route r = {
        .dst = prefix("2001:db8::/32"), .metric = 7, .table = TABLE_MAIN, .group = 12};
    struct written w;

    (void)state;
    kernel_route_write(writing(&w), "add", &r);
    expect_written(&w, "a group",
                   "-6 route add 2001:db8::/32 table 254 metric 7 nhid 12\n");
}

static void routes_to_objects_are_left_to_others(void **state)
{
    const struct config_gateway g = {
        .addr = address("100.64.1.1"), .iface = 1, .weight = 1};
    const struct config_policy policy = {.name = "hash-threshold", .objects = true};
    struct config_route route = {
        .dst = prefix("0.0.0.0/0"), .gateways = &g, .gateways_len = 1};
    const struct router_config c = {.platform = PLATFORM_LINUX,
                                    .policies = &policy,
                                    .policies_len = 1,
                                    .routes = &route,
                                    .routes_len = 1};
    struct written w;

    (void)state;
    kernel_config_write(writing(&w), &c);
    expect_written(&w, "a route to objects", "");
    route.type = ROUTE_BLACKHOLE; /* has no next hop */
    route.gateways_len = 0;
    kernel_config_write(writing(&w), &c);
    expect_written(&w, "a blackhole", "route add blackhole 0.0.0.0/0 table 254\n");
}

/* ---------------------------------------------------------------------------------- NAT */

static void nat_rules_keep_their_order_and_matchers(void **state)
{
    struct config_nat nat[] = {
        {.family = FAMILY_V4,
         .action = NAT_ACCEPT,
         .out_iface = -1,
         .protocol = -1,
         .dst = prefix("10.0.0.0/8")},
        {.family = FAMILY_V4,
         .action = NAT_SRC_NAT,
         .out_iface = 1,
         .protocol = 17,
         .dport = {53, 53},
         .to_first = address("203.0.113.1"),
         .to_last = address("203.0.113.9"),
         .to_ports = {2000, 3000}},
        {.family = FAMILY_V4, .action = NAT_MASQUERADE, .out_iface = 2, .protocol = -1},
        {.family = FAMILY_V6,
         .action = NAT_SRC_NAT,
         .out_iface = 1,
         .protocol = -1,
         .to_first = address("2001:db8::1"),
         .to_last = address("2001:db8::1")},
        {.family = FAMILY_V6, .action = NAT_MASQUERADE, .out_iface = 2, .disabled = true},
    };
    const struct router_config c = {.nat = nat, .nat_len = sizeof nat / sizeof nat[0]};
    struct written w;
    const char *at;

    (void)state;
    kernel_nft_write(writing(&w), &c);
    fclose(w.out);
    at = strstr(w.text, "table ip nat");
    assert_non_null(at);
    assert_string_equal(at,
                        "table ip nat {\n    chain source {\n"
                        "        type nat hook postrouting priority 100; policy accept;\n"
                        "        ip daddr 10.0.0.0/8 accept\n"
                        "        oifname \"if1\" meta l4proto 17 th dport 53-53 snat to "
                        "203.0.113.1-203.0.113.9:2000-3000\n"
                        "        oifname \"if2\" masquerade\n"
                        "    }\n}\n"
                        "table ip6 nat {\n    chain source {\n"
                        "        type nat hook postrouting priority 100; policy accept;\n"
                        "        oifname \"if1\" snat to [2001:db8::1]\n"
                        "    }\n}\n");
    assert_non_null(strstr(w.text, "ct state new accept"));
    free(w.text);
}

static void without_nat_nothing_is_tracked(void **state)
{
    struct router_config c = {.tracking = TRACKING_AUTO};
    struct written w;

    (void)state;
    assert_false(kernel_tracks(&c));
    kernel_nft_write(writing(&w), &c);
    fclose(w.out);
    assert_null(strstr(w.text, "ct state"));
    free(w.text);
    c.tracking = TRACKING_ON;
    assert_true(kernel_tracks(&c));
}

/* ------------------------------------------------------------------------------ sysctls */

static uint32_t sysctl_value(const struct router_config *c, const char *path)
{
    struct kernel_sysctl all[KERNEL_SYSCTLS_MAX];
    const size_t n = kernel_sysctls(c, all);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].path, path) == 0)
            return all[i].value;
    fail_msg("not set: %s", path);
    return 0;
}

static void the_sysctls_carry_hash_and_policy(void **state)
{
    struct router_config c = {.platform = PLATFORM_LINUX,
                              .ignore_routes_with_linkdown = true};

    (void)state;
    hash_set_seed(&c.hash, 0x12345678);
    c.hash.v4.policy = HASH_L4;
    c.hash.v6.policy = HASH_CUSTOM;
    c.hash.v6.fields = 0x37;
    assert_int_equal(sysctl_value(&c, "ipv4/fib_multipath_hash_seed"), 0x12345678);
    assert_int_equal(sysctl_value(&c, "ipv4/fib_multipath_hash_policy"), 1);
    assert_int_equal(sysctl_value(&c, "ipv6/fib_multipath_hash_policy"), 3);
    assert_int_equal(sysctl_value(&c, "ipv6/fib_multipath_hash_fields"), 0x37);
    assert_int_equal(sysctl_value(&c, "ipv4/conf/all/ignore_routes_with_linkdown"), 1);
    assert_int_equal(sysctl_value(&c, "ipv6/conf/all/keep_addr_on_down"), 0);
    c.platform = PLATFORM_ROUTEROS7;
    assert_int_equal(sysctl_value(&c, "ipv6/conf/all/keep_addr_on_down"), 1);
}

/* -------------------------------------------------------------------------------- start */

static void a_router_starts_with_addresses_routes_and_rules(void **state)
{
    const struct prefix lan[] = {prefix("192.168.10.1/24"), prefix("fd00:10::1/64")};
    const struct config_iface ifaces[] = {
        {.name = "lan", .addresses = lan, .addresses_len = 2},
        {.name = "wan", .group = 3}};
    const struct config_gateway gateway = {.iface = 1, .weight = 1};
    struct config_route routes[] = {
        {.dst = prefix("0.0.0.0/0"), .gateways = &gateway, .gateways_len = 1},
        {.dst = prefix("10.0.0.0/8"),
         .gateways = &gateway,
         .gateways_len = 1,
         .disabled = true},
    };
    struct router_config c = {.platform = PLATFORM_LINUX,
                              .ifaces = ifaces,
                              .ifaces_len = 2,
                              .routes = routes,
                              .routes_len = 2,
                              .no_main_rule = true};
    struct written w;

    (void)state;
    kernel_config_write(writing(&w), &c);
    expect_written(&w, "linux",
                   "address add 192.168.10.1/24 dev if0\n"
                   "-6 address add fd00:10::1/64 dev if0 nodad\n"
                   "link set if1 group 3\n"
                   "route add 0.0.0.0/0 table 254 dev if1\n"
                   "rule del priority 32766\nrule del priority 32767\n"
                   "-6 rule del priority 32766\n");
    c.platform = PLATFORM_ROUTEROS7;
    c.no_main_rule = false;
    kernel_config_write(writing(&w), &c);
    expect_written(&w, "routeros7: its daemon brings the routes",
                   "address add 192.168.10.1/24 dev if0\n"
                   "-6 address add fd00:10::1/64 dev if0 nodad\n"
                   "link set if1 group 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_names_its_table_metric_and_next_hops),
        cmocka_unit_test(a_rule_is_written_for_each_family_that_it_is_for),
        cmocka_unit_test(routeros_lookup_only_takes_a_second_rule),
        cmocka_unit_test(only_with_min_prefix_goes_on_in_the_rest_table),
        cmocka_unit_test(main_is_behind_every_rule_of_a_routeros),
        cmocka_unit_test(a_route_to_a_group_of_objects_names_it),
        cmocka_unit_test(routes_to_objects_are_left_to_others),
        cmocka_unit_test(nat_rules_keep_their_order_and_matchers),
        cmocka_unit_test(without_nat_nothing_is_tracked),
        cmocka_unit_test(the_sysctls_carry_hash_and_policy),
        cmocka_unit_test(a_router_starts_with_addresses_routes_and_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
