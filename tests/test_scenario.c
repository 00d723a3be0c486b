#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "sim/input/scenario.h"

#define SECOND     INT64_C(1000000000)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char THREE_WANS[] = "tests/valid/three-wans.json";
static const char ROUTEROS[] = "tests/valid/routeros.json";
static const char LINUX[] = "tests/valid/linux.json";

/* ---- helpers ---- */

/* With changes; messages are shown, for nothing here is to be wrong. */
static struct scenario *read_changed(const char *path, const struct scenario_changes *c)
{
    struct diag *d = diag_create(path, NULL, 0);
    struct scenario *s = scenario_read(path, c, d);

    if (!s || diag_count(d, DIAG_WARNING) > 0) {
        diag_print(d, stderr);
        fail_msg("%s: expected to be accepted without a word", path);
    }
    diag_destroy(d);
    return s;
}

static struct scenario *read_valid(const char *path)
{
    return read_changed(path, NULL);
}

/* With one --set. */
static struct scenario *read_set(const char *path, const char *set)
{
    return read_changed(path, &(struct scenario_changes){.set = &set, .set_len = 1});
}

static void assert_addr(const struct addr *a, const char *text)
{
    char buf[ADDR_TEXT_MAX];

    assert_string_equal(addr_is_set(a) ? addr_format(a, buf) : "none", text);
}

static void assert_prefix(const struct prefix *p, const char *text)
{
    char buf[PREFIX_TEXT_MAX];

    assert_string_equal(addr_is_set(&p->addr) ? prefix_format(p, buf) : "none", text);
}

static void assert_near(double got, double expected)
{
    assert_true(got > expected - 1e-12 && got < expected + 1e-12);
}

/* ---- the whole ---- */

static void the_example_of_the_design_becomes_what_it_says(void **state)
{
    struct scenario *s = read_valid(THREE_WANS);
    const struct router_config *c = &s->router;

    (void)state;
    assert_string_equal(s->name, "three WANs, work laptop pinned, WAN2 fails");
    assert_int_equal(s->seed, 7);
    assert_int_equal(c->platform, PLATFORM_ROUTEROS7);
    assert_int_equal(c->hash.layout, HASH_LINUX_5_6);
    assert_int_equal(c->hash.v4.policy, HASH_L4);
    assert_int_equal(c->ifaces_len, 4);
    assert_int_equal(c->ifaces[0].addresses_len, 2);
    assert_prefix(&c->ifaces[0].addresses[0], "192.168.10.1/24");
    assert_int_equal(c->tables_len, TABLE_FIRST_USER + 1);
    assert_string_equal(c->tables[TABLE_FIRST_USER], "ecmp");
    assert_int_equal(c->routes_len, 6);
    assert_int_equal(c->routes[2].distance, 3);
    assert_int_equal(c->routes[5].distance, 1);
    assert_int_equal(c->routes[5].table, TABLE_FIRST_USER);
    assert_int_equal(c->routes[5].check, CHECK_PING);
    assert_string_equal(c->routes[5].pointer, "/router/routes/5");
    assert_int_equal(c->rules_len, 3);
    assert_int_equal(c->rules[0].min_prefix, 0);
    assert_int_equal(c->rules[1].min_prefix, -1);
    assert_prefix(&c->rules[1].src, "192.168.10.50/32");
    assert_int_equal(c->rules[2].iface, 0);
    assert_int_equal(c->rules[2].priority, 3);
    assert_int_equal(c->nat_len, 3);
    assert_int_equal(c->nat[2].out_iface, 3);
    assert_int_equal(c->nat[2].family, FAMILY_V4);
    assert_int_equal(c->nat[2].protocol, -1);
    scenario_free(s);
}

static void wans_hosts_and_traffic_become_what_they_say(void **state)
{
    struct scenario *s = read_valid(THREE_WANS);
    struct addr captured, inside, outside;
    struct addr mapped;

    (void)state;
    assert_true(addr_parse("192.168.100.206", &captured));
    assert_true(addr_parse("2001:db8:10::77", &inside));
    assert_true(addr_parse("192.168.11.1", &outside));
    assert_int_equal(s->wans_len, 3);
    assert_string_equal(s->wans[1].name, "wan2");
    assert_int_equal(s->wans[1].iface, 2);
    assert_int_equal(s->wans[1].down_bps, 100000000);
    assert_int_equal(s->wans[1].up_bps, 20000000);
    assert_int_equal(s->wans[1].delay_ns, 14000000);
    assert_int_equal(scenario_wan_of_iface(s, 3), 2);
    assert_int_equal(scenario_wan_of_iface(s, 0), -1);
    assert_true(scenario_is_lan(s, &inside));
    assert_false(scenario_is_lan(s, &outside));
    assert_string_equal(s->hosts[0].name, "work-laptop");
    assert_true(s->hosts[0].sensitive);
    assert_int_equal(s->traffic_len, 1);
    assert_string_equal(s->traffic[0].file,
                        "tests/valid/../../traces/desktop-browsing.pcap");
    assert_near(s->traffic[0].speed, 1);
    assert_int_equal(s->traffic[0].iface, -1);
    mapped = addrmap_address(s->traffic[0].map, &captured);
    assert_addr(&mapped, "192.168.10.50");
    assert_int_equal(s->events_len, 1);
    assert_int_equal(s->events[0].at_ns, 30 * SECOND);
    assert_int_equal(s->events[0].for_ns, 60 * SECOND);
    assert_int_equal(s->events[0].wan, 1);
    assert_false(s->events[0].admin);
    assert_string_equal(s->events[0].name, "wan2-outage");
    scenario_free(s);
}

static void a_wan_keeps_what_its_link_does(void **state)
{
    static const struct {
        const char *queue; /* NULL: not given */
        unsigned kind;
        uint64_t limit;
    } rows[] = {
        {NULL, LINK_TIME, 250000000},     {"100ms", LINK_TIME, 100000000},
        {"0s", LINK_TIME, 0},             {"64KiB", LINK_BYTES, 65536},
        {"1p", LINK_PACKETS, 1},          {"1000000p", LINK_PACKETS, 1000000},
        {"1.5MB", LINK_BYTES, 1500000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char set[200];
        struct scenario *s;

        snprintf(set, sizeof set,
                 "/wans/wan2={\"up\": \"1M\", \"loss\": 0.25, \"loss_burst\": 3, \"jitter\":"
                 " \"2ms\", \"cap\": \"100GB\"%s%s%s}",
                 rows[i].queue ? ", \"queue\": \"" : "", rows[i].queue ? rows[i].queue : "",
                 rows[i].queue ? "\"" : "");
        s = read_set(THREE_WANS, set);
        assert_int_equal(s->wans[1].queue.kind, rows[i].kind);
        assert_int_equal(s->wans[1].queue.limit, rows[i].limit);
        assert_near(s->wans[1].loss, .25);
        assert_near(s->wans[1].loss_burst, 3);
        assert_int_equal(s->wans[1].jitter_ns, 2000000);
        assert_int_equal(s->wans[1].cap_bytes, UINT64_C(100000000000));
        assert_int_equal(s->wans[0].cap_bytes, 0);
        scenario_free(s);
    }
}

static void expectations_keep_their_bounds(void **state)
{
    struct scenario *s = read_valid(ROUTEROS);
    const struct scenario_expect *e = s->expect;

    (void)state;
    assert_int_equal(s->expect_len, 3);
    assert_string_equal(e[0].metric, "/balance/flows/jain");
    assert_string_equal(e[0].pointer, "/expect/0");
    assert_true(e[0].has_min && e[0].has_max && !e[0].has_near && !e[0].equals);
    assert_near(e[0].min, 0.5);
    assert_near(e[0].max, 1);
    assert_int_equal(e[0].level, EXPECT_ERROR);
    assert_int_equal(json_integer_value(e[1].equals), 5);
    assert_int_equal(e[1].level, EXPECT_WARN);
    assert_string_equal(e[1].because, "it was counted");
    assert_true(e[2].has_near);
    assert_near(e[2].near, 0.5);
    assert_near(e[2].within, 0.1);
    scenario_free(s);
}

static void equals_may_be_null(void **state)
{
    struct scenario *s = read_valid(LINUX);

    (void)state;
    assert_non_null(s->expect[0].equals);
    assert_true(json_is_null(s->expect[0].equals));
    scenario_free(s);
}

/* ---- routes ---- */

static void routeros_routes_have_routeros_defaults(void **state)
{
    struct scenario *s = read_valid(ROUTEROS);
    const struct config_route *routes = s->router.routes;

    (void)state;
    assert_prefix(&routes[0].dst, "8.8.8.8/32");
    assert_int_equal(routes[0].scope, 10);
    assert_int_equal(routes[0].target_scope, 10);
    assert_prefix(&routes[1].dst, "0.0.0.0/0");
    assert_int_equal(routes[1].distance, 1);
    assert_int_equal(routes[1].scope, 30);
    assert_int_equal(routes[1].target_scope, 11);
    assert_int_equal(routes[1].table, TABLE_MAIN);
    assert_true(routes[2].disabled);
    assert_int_equal(routes[5].type, ROUTE_BLACKHOLE);
    assert_int_equal(routes[5].gateways_len, 0);
    scenario_free(s);
}

static void gateways_are_read_in_all_their_forms(void **state)
{
    static const struct {
        const char *file;
        unsigned route, gateway;
        const char *addr;
        int iface, table;
        unsigned weight;
    } rows[] = {
        {ROUTEROS, 0, 0, "100.64.1.1", -1, TABLE_MAIN, 1},
        {ROUTEROS, 3, 0, "100.64.1.1", -1, TABLE_MAIN, 1},
        {ROUTEROS, 4, 0, "none", 2, TABLE_MAIN, 1},
        {ROUTEROS, 6, 0, "fe80::1", 1, TABLE_MAIN, 1},
        {LINUX, 0, 0, "100.64.1.1", -1, TABLE_MAIN, 1},
        {LINUX, 0, 1, "none", 2, TABLE_MAIN, 2},
        {LINUX, 0, 2, "100.64.1.7", 1, TABLE_MAIN, 256},
        {LINUX, 1, 0, "100.64.1.1", -1, TABLE_MAIN, 3},
        {LINUX, 1, 1, "100.64.1.3", -1, TABLE_MAIN, 3},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct scenario *s = read_valid(rows[i].file);
        const struct config_gateway *g =
            &s->router.routes[rows[i].route].gateways[rows[i].gateway];
        char buf[ADDR_TEXT_MAX];
        const char *addr = addr_is_set(&g->addr) ? addr_format(&g->addr, buf) : "none";

        if (strcmp(addr, rows[i].addr) != 0 || g->iface != rows[i].iface ||
            g->table != rows[i].table || g->weight != rows[i].weight)
            fail_msg("%s: route %u, gateway %u: %s, interface %d, table %d, weight %u",
                     rows[i].file, rows[i].route, rows[i].gateway, addr, g->iface,
                     g->table, g->weight);
        scenario_free(s);
    }
}

/* ip-route(8): IPv4 metric 0, IPv6 1024 when none is given. */
static void linux_routes_have_linux_metrics(void **state)
{
    struct scenario *s = read_valid(LINUX);
    const struct config_route *routes = s->router.routes;

    (void)state;
    assert_int_equal(routes[0].distance, 0);
    assert_int_equal(routes[1].distance, UINT32_MAX);
    assert_int_equal(routes[1].tos, 16);
    assert_int_equal(routes[2].distance, 1024);
    assert_addr(&routes[2].pref_src, "2001:db8::1");
    assert_int_equal(routes[3].distance, 5);
    assert_int_equal(routes[3].type, ROUTE_THROW);
    assert_int_equal(routes[4].type, ROUTE_PROHIBIT);
    assert_true(routes[4].disabled);
    scenario_free(s);
}

/* ---- rules ---- */

static void linux_rules_keep_every_selector(void **state)
{
    struct scenario *s = read_valid(LINUX);
    const struct config_rule *rules = s->router.rules;

    (void)state;
    assert_int_equal(rules[0].action, RULE_GOTO);
    assert_int_equal(rules[0].goto_priority, 200);
    assert_int_equal(rules[0].priority, 90);
    assert_true(rules[0].negated);
    assert_prefix(&rules[0].src, "10.0.0.0/24"); /* host bits are masked */
    assert_int_equal(rules[0].mark_mask, 0);
    assert_int_equal(rules[0].tos, -1);
    assert_int_equal(rules[1].priority, 101); /* 100 + its place */
    assert_int_equal(rules[1].mark, 0x10);
    assert_int_equal(rules[1].mark_mask, 0xff);
    assert_int_equal(rules[1].protocol, 6);
    assert_int_equal(rules[1].sport.first, 1000);
    assert_int_equal(rules[1].sport.last, 2000);
    assert_int_equal(rules[1].dport.first, 443);
    assert_int_equal(rules[1].dport.last, 443);
    assert_int_equal(rules[1].tos, 8);
    assert_int_equal(rules[1].suppress_group, -1);
    assert_int_equal(rules[2].action, RULE_DROP); /* blackhole */
    assert_int_equal(rules[2].family, FAMILY_V6);
    assert_int_equal(rules[2].mark_mask, UINT32_MAX);
    assert_true(rules[3].from_router);
    assert_int_equal(rules[3].out_iface, 1);
    assert_int_equal(rules[3].suppress_group, 4);
    assert_int_equal(rules[3].min_prefix, -1); /* -1 as the kernel reads 4294967295 */
    assert_int_equal(rules[5].iface, 0);
    assert_int_equal(rules[5].protocol, 132);
    scenario_free(s);
}

/* Every table is a mark of its name; other names are marks without a table. */
static void routing_marks_number_tables_first(void **state)
{
    struct scenario *s = read_valid(ROUTEROS);
    const struct router_config *c = &s->router;

    (void)state;
    assert_int_equal(c->marks_len, 3);
    assert_string_equal(c->marks[0], "isp1");
    assert_string_equal(c->marks[1], "isp2");
    assert_string_equal(c->marks[2], "voip");
    assert_int_equal(c->mark_tables[0], TABLE_FIRST_USER);
    assert_int_equal(c->mark_tables[1], TABLE_FIRST_USER + 1);
    assert_int_equal(c->mark_tables[2], -1);
    assert_int_equal(c->rules[2].mark, 3);
    assert_int_equal(c->rules[2].mark_mask, UINT32_MAX);
    assert_int_equal(c->rules[3].mark, 1);
    assert_int_equal(c->rules[1].mark_mask, 0);
    scenario_free(s);
}

/*
 * The file has 0 to 5; events add 6 in front of 1, 7 at the end, 8 in front of 0:
 *     8 0 6 1 2 3 4 5 7
 */
static void added_routeros_rules_take_their_place_in_the_list(void **state)
{
    static const unsigned order[] = {8, 0, 6, 1, 2, 3, 4, 5, 7};
    struct scenario *s = read_valid(ROUTEROS);

    (void)state;
    assert_int_equal(s->router.rules_len, LEN(order));
    for (uint32_t i = 0; i < LEN(order); i++)
        assert_int_equal(s->router.rules[order[i]].priority, i + 1);
    for (size_t i = 0; i < s->router.rules_len; i++)
        assert_int_equal(s->router.rules[i].disabled, i == 3 || i >= 6);
    scenario_free(s);
}

/* ---- NAT, tracking, checks ---- */

static void nat_keeps_every_matcher(void **state)
{
    struct scenario *s = read_valid(LINUX);
    const struct config_nat *nat = s->router.nat;

    (void)state;
    assert_int_equal(nat[0].action, NAT_SRC_NAT);
    assert_addr(&nat[0].to_first, "100.64.1.2");
    assert_addr(&nat[0].to_last, "100.64.1.9");
    assert_int_equal(nat[0].to_ports.first, 1024);
    assert_int_equal(nat[0].to_ports.last, 65535);
    assert_int_equal(nat[0].protocol, 17);
    assert_int_equal(nat[0].out_iface, 1);
    assert_prefix(&nat[0].src, "10.0.0.0/24");
    assert_int_equal(nat[1].action, NAT_ACCEPT);
    assert_int_equal(nat[1].family, FAMILY_V6);
    assert_int_equal(nat[1].out_iface, -1);
    assert_prefix(&nat[1].dst, "2001:db8::/32");
    scenario_free(s);
}

static void what_is_not_given_is_the_platforms_default(void **state)
{
    struct scenario *linux_one = read_valid(LINUX), *routeros = read_valid(ROUTEROS);
    struct router_config defaults;

    (void)state;
    config_set_defaults(&defaults, PLATFORM_LINUX);
    assert_int_equal(linux_one->router.timeouts.udp, 10 * SECOND);
    assert_int_equal(linux_one->router.timeouts.tcp_established, 86400 * SECOND);
    assert_int_equal(linux_one->router.timeouts.tcp_close, defaults.timeouts.tcp_close);
    assert_int_equal(linux_one->router.tracking, TRACKING_ON);
    assert_false(linux_one->router.tcp_loose);
    assert_int_equal(linux_one->router.checks[CHECK_PING].interval_ns, 5 * SECOND);
    assert_int_equal(linux_one->router.checks[CHECK_PING].timeout_ns, 2 * SECOND);
    assert_int_equal(linux_one->router.checks[CHECK_PING].count, 3);
    assert_int_equal(linux_one->router.checks[CHECK_ARP].count, 1);
    assert_int_equal(linux_one->router.checks[CHECK_ARP].interval_ns,
                     defaults.checks[CHECK_ARP].interval_ns);
    assert_int_equal(linux_one->router.checks[CHECK_BFD].interval_ns, 300000000);
    assert_int_equal(linux_one->router.checks[CHECK_BFD].count, 3);
    config_set_defaults(&defaults, PLATFORM_ROUTEROS7);
    assert_memory_equal(&routeros->router.timeouts, &defaults.timeouts,
                        sizeof defaults.timeouts);
    assert_int_equal(routeros->router.tracking, TRACKING_AUTO);
    assert_true(routeros->router.tcp_loose);
    assert_string_equal(routeros->router.policies[0].name, "hash-threshold");
    scenario_free(linux_one);
    scenario_free(routeros);
}

static void custom_hash_fields_are_the_kernels_bits(void **state)
{
    struct scenario *s = read_valid(LINUX);

    (void)state;
    assert_int_equal(s->router.hash.v4.policy, HASH_CUSTOM);
    assert_int_equal(s->router.hash.v4.fields, 55);
    assert_int_equal(s->router.hash.v6.policy, HASH_L3_INNER);
    assert_int_equal(s->router.hash.layout, HASH_LINUX);
    scenario_free(s);
}

/* Both halves of the key are the seed twice, 12345 = 0x3039. */
static void a_given_hash_seed_is_the_key(void **state)
{
    struct scenario *s = read_valid(THREE_WANS);

    (void)state;
    assert_true(s->router.hash.key[0] == UINT64_C(0x0000303900003039));
    assert_true(s->router.hash.key[1] == UINT64_C(0x0000303900003039));
    scenario_free(s);
}

static void without_a_hash_seed_the_scenarios_seed_draws_one(void **state)
{
    struct scenario *one = read_valid(ROUTEROS), *again = read_valid(ROUTEROS);
    struct scenario *other = read_changed(
        ROUTEROS, &(struct scenario_changes){.has_seed = true, .seed = UINT64_MAX});

    (void)state;
    assert_true(one->router.hash.key[0] == again->router.hash.key[0]);
    assert_true(one->router.hash.key[0] != other->router.hash.key[0]);
    assert_true(other->seed == UINT64_MAX && other->router.seed == UINT64_MAX);
    scenario_free(one);
    scenario_free(again);
    scenario_free(other);
}

/* ---- events ---- */

/* A router draws its seed when it boots; one that the scenario names stays. */
static void a_reboot_draws_a_hash_seed_that_was_drawn(void **state)
{
    static const struct {
        const char *path, *set;
        bool redraws;
    } rows[] = {
        {"tests/valid/routeros.json", "/events=[{\"at\":\"1s\",\"kind\":\"reboot\",\"for\":\"9s\"}]",
         true},
        {"tests/valid/three-wans.json",
         "/events=[{\"at\":\"1s\",\"kind\":\"reboot\",\"for\":\"9s\"}]", false},
        {"tests/valid/three-wans.json",
         "/events=[{\"at\":\"1s\",\"kind\":\"reboot\",\"for\":\"9s\",\"redraw_hash\":true}]",
         true},
        {"tests/valid/routeros.json",
         "/events=[{\"at\":\"1s\",\"kind\":\"reboot\",\"for\":\"9s\",\"redraw_hash\":false}]",
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario *s = read_set(rows[i].path, rows[i].set);

        assert_int_equal(s->events[0].redraw_hash, rows[i].redraws);
        scenario_free(s);
    }
}

static void events_come_in_order_of_time_then_of_the_file(void **state)
{
    static const struct {
        int64_t at_s;
        const char *pointer, *kind;
    } rows[] = {
        {10, "/events/10", "address-change"}, {15, "/events/11", "address-change"},
        {16, "/events/12", "address-change"}, {20, "/events/7", "link-down"},
        {20, "/events/8", "gateway-down"},    {20, "/events/9", "blackhole"},
        {30, "/events/4", "route-add"},       {35, "/events/5", "route-remove"},
        {40, "/events/1", "rule-add"},        {40, "/events/2", "rule-add"},
        {40, "/events/3", "rule-add"},        {50, "/events/0", "rule-remove"},
        {60, "/events/6", "route-remove"},
    };
    struct scenario *s = read_valid(ROUTEROS);

    (void)state;
    assert_int_equal(s->events_len, LEN(rows));
    for (size_t i = 0; i < LEN(rows); i++) {
        const struct scenario_event *e = &s->events[i];

        if (e->at_ns != rows[i].at_s * SECOND ||
            strcmp(e->pointer, rows[i].pointer) != 0 ||
            strcmp(event_kind_names[e->kind], rows[i].kind) != 0)
            fail_msg("place %zu: %s, %s", i, e->pointer, event_kind_names[e->kind]);
    }
    scenario_free(s);
}

static void what_events_add_stands_behind_the_files_own(void **state)
{
    struct scenario *s = read_valid(ROUTEROS);
    const struct scenario_event *e = s->events;

    (void)state;
    assert_int_equal(s->router.routes_len, 8);
    assert_true(s->router.routes[7].disabled);
    assert_string_equal(s->router.routes[7].comment, "added");
    assert_int_equal(e[6].index, 7); /* route-add */
    assert_int_equal(e[6].for_ns, 5 * SECOND);
    assert_int_equal(e[7].index, 7); /* route-remove "added" */
    assert_int_equal(e[8].index, 6); /* rule-add, the first of the file */
    assert_int_equal(e[9].index, 7);
    assert_int_equal(e[10].index, 8);
    assert_int_equal(e[11].index, 0); /* rule-remove "bypass" */
    assert_int_equal(e[12].index, 6); /* route-remove 6 */
    assert_int_equal(e[3].for_ns, -1);
    assert_true(e[3].admin);
    scenario_free(s);
}

/* .2 becomes .9, then what is first is .9 and becomes .10; .3 is named. */
static void an_address_change_replaces_what_is_there_by_then(void **state)
{
    struct scenario *s = read_valid(ROUTEROS);

    (void)state;
    assert_addr(&s->events[0].old_address, "100.64.2.2");
    assert_prefix(&s->events[0].address, "100.64.2.9/24");
    assert_addr(&s->events[1].old_address, "100.64.2.9");
    assert_addr(&s->events[2].old_address, "100.64.2.3");
    scenario_free(s);
}

/* 60 s to 65 s it is .9; at 70 s .2 is back and becomes .10; at 80 s that is the one. */
static void an_address_change_that_has_ended_is_no_more(void **state)
{
    static const char *const old[] = {"100.64.1.2", "100.64.1.2", "100.64.1.10"};
    struct scenario *s = read_valid(LINUX);
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < s->events_len; i++)
        if (s->events[i].kind == EVENT_ADDRESS_CHANGE)
            assert_addr(&s->events[i].old_address, old[found++]);
    assert_int_equal(found, LEN(old));
    scenario_free(s);
}

/* ---- the command line's changes ---- */

static void set_replaces_what_is_there(void **state)
{
    struct scenario *s = read_set(THREE_WANS, "/router/routes/1/distance=9");

    (void)state;
    assert_int_equal(s->router.routes[1].distance, 9);
    scenario_free(s);
}

static void set_adds_a_last_member(void **state)
{
    struct scenario *s = read_set(THREE_WANS, "/events/0/how=admin"), *t;

    (void)state;
    assert_true(s->events[0].admin);
    scenario_free(s);
    t = read_set(THREE_WANS,
                 "/router/routes/-={\"gateway\": \"100.64.3.1\", \"distance\": 8}");
    assert_int_equal(t->router.routes_len, 7);
    assert_int_equal(t->router.routes[6].distance, 8);
    scenario_free(t);
}

/* RFC 6901: ~1 is '/', ~0 is '~'. What is no JSON is a string; later changes see earlier
 * ones. */
static void set_takes_strings_and_escaped_names(void **state)
{
    static const char *const set[] = {
        "/hosts/tv~1~0={\"addresses\": [\"192.168.10.9\"]}",
        "/hosts/tv~1~0/sensitive=true",
        "/name=a = b",
    };
    struct scenario *s = read_changed(
        THREE_WANS, &(struct scenario_changes){.set = set, .set_len = LEN(set)});

    (void)state;
    assert_int_equal(s->hosts_len, 2);
    assert_string_equal(s->hosts[1].name, "tv/~");
    assert_true(s->hosts[1].sensitive);
    assert_string_equal(s->name, "a = b");
    scenario_free(s);
}

static void a_capture_of_the_command_line_keeps_the_only_ones_settings(void **state)
{
    struct scenario *s = read_changed(
        THREE_WANS, &(struct scenario_changes){.pcap = "traces/phone-ipv6.pcap"});

    (void)state;
    assert_int_equal(s->traffic_len, 1);
    assert_string_equal(s->traffic[0].file, "traces/phone-ipv6.pcap");
    assert_non_null(s->traffic[0].map);
    scenario_free(s);
}

static void a_capture_of_the_command_line_is_all_the_traffic(void **state)
{
    static const char more[] = "/traffic/-={\"kind\": \"pcap\", \"file\": \"nowhere\"}";
    const char *const set[] = {more};
    struct scenario *s = read_changed(
        THREE_WANS, &(struct scenario_changes){
                        .set = set, .set_len = 1, .pcap = "traces/phone-ipv6.pcap"});

    (void)state;
    assert_int_equal(s->traffic_len, 1);
    assert_string_equal(s->traffic[0].file, "traces/phone-ipv6.pcap");
    assert_null(s->traffic[0].map);
    scenario_free(s);
}

static void the_fingerprint_tells_files_and_changes_apart(void **state)
{
    static const char *const set[] = {"/seed=8", "/seed=9"};
    const struct scenario_changes changes[] = {
        {.set = NULL},
        {.has_seed = true, .seed = 0},
        {.has_seed = true, .seed = 7},
        {.set = set, .set_len = 1},
        {.set = set + 1, .set_len = 1},
        {.set = set, .set_len = 2},
        {.pcap = "traces/phone-ipv6.pcap"},
    };
    uint64_t prints[LEN(changes) + 1];

    (void)state;
    for (size_t i = 0; i <= LEN(changes); i++) {
        struct scenario *s = i < LEN(changes) ? read_changed(THREE_WANS, &changes[i])
                                              : read_valid(ROUTEROS);

        prints[i] = s->fingerprint;
        for (size_t k = 0; k < i; k++)
            if (prints[k] == prints[i])
                fail_msg("changes %zu and %zu have one fingerprint", k, i);
        scenario_free(s);
    }
}

/* ---- the schema ---- */

/* Every $ref of the schema leads to a definition. */
static size_t count_references(const json_t *schema, const json_t *defs)
{
    size_t count = 0, i;
    const char *key, *text;
    json_t *member;

    json_object_foreach ((json_t *)(uintptr_t)schema, key, member) {
        text = json_string_value(member);
        if (strcmp(key, "$ref") == 0 && text) {
            assert_memory_equal(text, "#/$defs/", 8);
            assert_non_null(json_object_get(defs, text + 8));
            count++;
        }
        count += count_references(member, defs);
    }
    json_array_foreach ((json_t *)(uintptr_t)schema, i, member)
        count += count_references(member, defs);
    return count;
}

static void the_schema_defines_all_that_it_refers_to(void **state)
{
    static const char *const keys[] = {"version", "router", "wans",   "lan",
                                       "hosts",   "events", "expect", "traffic"};
    json_t *schema = scenario_schema();

    (void)state;
    assert_true(count_references(schema, json_object_get(schema, "$defs")) >= 14);
    for (size_t i = 0; i < LEN(keys); i++)
        assert_non_null(json_object_get(json_object_get(schema, "properties"), keys[i]));
    json_decref(schema);
}

static void the_schema_knows_every_kind_of_event(void **state)
{
    json_t *schema = scenario_schema();
    const json_t *kinds = json_object_get(
        json_object_get(json_object_get(schema, "$defs"), "event"), "oneOf");

    (void)state;
    assert_int_equal(json_array_size(kinds), EVENT_KINDS);
    for (size_t i = 0; i < EVENT_KINDS; i++)
        assert_string_equal(
            json_string_value(json_object_get(json_array_get(kinds, i), "title")),
            event_kind_names[i]);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_design_becomes_what_it_says),
        cmocka_unit_test(wans_hosts_and_traffic_become_what_they_say),
        cmocka_unit_test(a_wan_keeps_what_its_link_does),
        cmocka_unit_test(expectations_keep_their_bounds),
        cmocka_unit_test(equals_may_be_null),
        cmocka_unit_test(routeros_routes_have_routeros_defaults),
        cmocka_unit_test(gateways_are_read_in_all_their_forms),
        cmocka_unit_test(linux_routes_have_linux_metrics),
        cmocka_unit_test(linux_rules_keep_every_selector),
        cmocka_unit_test(routing_marks_number_tables_first),
        cmocka_unit_test(added_routeros_rules_take_their_place_in_the_list),
        cmocka_unit_test(nat_keeps_every_matcher),
        cmocka_unit_test(what_is_not_given_is_the_platforms_default),
        cmocka_unit_test(custom_hash_fields_are_the_kernels_bits),
        cmocka_unit_test(a_given_hash_seed_is_the_key),
        cmocka_unit_test(without_a_hash_seed_the_scenarios_seed_draws_one),
        cmocka_unit_test(a_reboot_draws_a_hash_seed_that_was_drawn),
        cmocka_unit_test(events_come_in_order_of_time_then_of_the_file),
        cmocka_unit_test(what_events_add_stands_behind_the_files_own),
        cmocka_unit_test(an_address_change_replaces_what_is_there_by_then),
        cmocka_unit_test(an_address_change_that_has_ended_is_no_more),
        cmocka_unit_test(set_replaces_what_is_there),
        cmocka_unit_test(set_adds_a_last_member),
        cmocka_unit_test(set_takes_strings_and_escaped_names),
        cmocka_unit_test(a_capture_of_the_command_line_keeps_the_only_ones_settings),
        cmocka_unit_test(a_capture_of_the_command_line_is_all_the_traffic),
        cmocka_unit_test(the_fingerprint_tells_files_and_changes_apart),
        cmocka_unit_test(the_schema_defines_all_that_it_refers_to),
        cmocka_unit_test(the_schema_knows_every_kind_of_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
