#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

#define PROBE "tcp 192.168.10.50:1234 > 203.0.113.1:443"
#define ROUTER                                                                           \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24\n"                                                         \
    "iface wan2 100.64.2.2/24 group 7\n"                                                 \
    "route 0.0.0.0/0 via 100.64.1.1\n"                                                   \
    "route 0.0.0.0/0 via 100.64.2.1 table other\n"

static void check(const char *what, const char *config, const char *in,
                  const char *packet_text, const char *answer)
{
    struct lab *l = lab_create(config);

    if (strcmp(lab_route(l, in, packet_text), answer) != 0)
        fail_msg("%s: %s, not %s", what, l->said, answer);
    lab_destroy(l);
}

#define OTHER "other wan2 100.64.2.1"
#define MAIN  "main wan1 100.64.1.1"

/* One rule that leads to another table, and whether it takes this packet. */
static void each_selector_takes_what_it_says(void **state)
{
    static const struct {
        const char *selector, *in, *packet;
        const char *answer;
    } rows[] = {
        {"", "lan", PROBE, OTHER},
        {"from 192.168.10.50/32", "lan", PROBE, OTHER},
        {"from 192.168.10.51/32", "lan", PROBE, MAIN},
        {"from 192.168.10.50/24", "lan", PROBE, OTHER}, /* host bits are masked */
        {"to 203.0.113.0/24", "lan", PROBE, OTHER},
        {"to 203.0.112.0/24", "lan", PROBE, MAIN},
        {"iif lan", "lan", PROBE, OTHER},
        {"iif wan1", "lan", PROBE, MAIN},
        {"iif lan", "router", PROBE, MAIN},
        {"iif router", "router", PROBE, OTHER},
        {"iif router", "lan", PROBE, MAIN},
        {"oif wan2", "lan", PROBE, MAIN}, /* never a forwarded packet */
        {"proto tcp", "lan", PROBE, OTHER},
        {"proto udp", "lan", PROBE, MAIN},
        {"dport 443", "lan", PROBE, OTHER},
        {"dport 400-500", "lan", PROBE, OTHER},
        {"dport 443-443", "lan", PROBE, OTHER},
        {"dport 444-500", "lan", PROBE, MAIN},
        {"sport 1000-1234", "lan", PROBE, OTHER},
        {"sport 1000-2000", "lan", "icmp 192.168.10.50 > 203.0.113.1 id 1500", MAIN},
        {"mark 2", "lan", PROBE " mark 2", OTHER},
        {"mark 2", "lan", PROBE, MAIN},
        {"mark 0x10/0xf0", "lan", PROBE " mark 0x13", OTHER},
        {"mark 0x10/0xf0", "lan", PROBE " mark 0x23", MAIN},
        {"mark 0/3", "lan", PROBE " mark 4", OTHER},
        {"tos 0x10", "lan", PROBE " tos 0xb0", OTHER}, /* three bits count: 0xb0 & 0x1c */
        {"tos 0x10", "lan", PROBE " tos 0x08", MAIN},
        {"family 4", "lan", PROBE, OTHER},
        {"family 6", "lan", PROBE, MAIN},
        {"not", "lan", PROBE, MAIN},
        {"from 192.168.10.50/32 not", "lan", PROBE, MAIN},
        {"from 192.168.10.51/32 not", "lan", PROBE, OTHER},
        {"from 192.168.10.50/32 proto udp not", "lan", PROBE,
         OTHER},                                        /* the whole match */
        {"from 2001:db8::/32 not", "lan", PROBE, MAIN}, /* a rule of the other family */
        {"disabled", "lan", PROBE, MAIN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[512];

        snprintf(config, sizeof config, ROUTER "rule lookup other priority 100 %s\n",
                 rows[i].selector);
        check(rows[i].selector, config, rows[i].in, rows[i].packet, rows[i].answer);
    }
}

/* Sources: Linux fib_rules_lookup(), measured; RouterOS manual, "Routing Decision". */
static void the_walk_ends_where_it_must(void **state)
{
    static const struct {
        const char *what, *rules, *answer;
    } rows[] = {
        {"lower priority first",
         "rule lookup other priority 200\n"
         "rule drop priority 100\n",
         "drop"},
        {"equal ones in their order",
         "rule lookup other priority 100\n"
         "rule drop priority 100\n",
         OTHER},
        {"the router's own main came before the user's of its priority",
         "rule drop priority 32766\n", MAIN},
        {"unreachable", "rule unreachable priority 1\n", "unreachable"},
        {"prohibit", "rule prohibit priority 1\n", "prohibit"},
        {"nop goes on", "rule nop priority 1\nrule drop priority 2\n", "drop"},
        {"an empty table goes on", "rule lookup empty priority 1\n", MAIN},
        {"goto jumps",
         "rule goto priority 1 goto 3\nrule drop priority 2\n"
         "rule lookup other priority 3\n",
         OTHER},
        {"goto to nowhere is passed over",
         "rule goto priority 1 goto 4\n"
         "rule drop priority 2\n",
         "drop"},
        {"goto does not go back",
         "rule lookup other priority 5\n"
         "rule goto priority 6 goto 5\nrule drop priority 7\n",
         OTHER},
        {"goto leads to main too",
         "rule goto priority 1 goto 32766\nrule drop priority 2\n", MAIN},
        {"goto does not see a disabled rule",
         "rule goto priority 1 goto 3\nrule prohibit priority 2\n"
         "rule drop priority 3 disabled\nrule lookup other priority 4\n",
         "prohibit"},
        {"goto does not see a rule of the other family",
         "rule goto priority 1 goto 3\nrule prohibit priority 2\n"
         "rule drop priority 3 family 6\nrule lookup other priority 4\n",
         "prohibit"},
        {"a rule that does not match does not jump",
         "rule goto priority 1 goto 3 proto udp\nrule drop priority 2\n"
         "rule lookup other priority 3\n",
         "drop"},
        {"main deleted: nothing is left", "no-main-rule\n", "no route"},
        {"a blackhole route ends it",
         "route 203.0.113.0/24 blackhole table black\n"
         "rule lookup black priority 1\n",
         "drop in black"},
        {"an unreachable one",
         "route 203.0.113.0/24 unreachable table black\n"
         "rule lookup black priority 1\n",
         "unreachable in black"},
        {"a prohibit one",
         "route 203.0.113.0/24 prohibit table black\n"
         "rule lookup black priority 1\n",
         "prohibit in black"},
        {"throw goes on",
         "route 203.0.113.0/24 throw table black\n"
         "route 0.0.0.0/0 via 100.64.2.1 table black\n"
         "rule lookup black priority 1\n",
         MAIN},
        {"suppression does not apply to them",
         "route 0.0.0.0/0 blackhole table black\n"
         "rule lookup black priority 1 min-prefix 0\n",
         "drop in black"},
        {"a default is suppressed by 0", "rule lookup other priority 1 min-prefix 0\n",
         MAIN},
        {"a /1 is not",
         "route 128.0.0.0/1 via 100.64.2.1 table other\n"
         "rule lookup other priority 1 min-prefix 0\n",
         OTHER},
        {"length equal to the limit is",
         "route 203.0.113.0/24 via 100.64.2.1 table other\n"
         "rule lookup other priority 1 min-prefix 24\n",
         MAIN},
        {"longer is not",
         "route 203.0.113.0/25 via 100.64.2.1 table other\n"
         "rule lookup other priority 1 min-prefix 24\n",
         OTHER},
        {"the whole table is left: the shorter prefix is not tried",
         "route 203.0.113.0/24 via 100.64.2.1 table other\n"
         "rule lookup other priority 1 min-prefix 28\n"
         "rule drop priority 2\n",
         "drop"},
        {"a device group is suppressed",
         "rule lookup other priority 1 suppress-group 7\n", MAIN},
        {"another is not", "rule lookup other priority 1 suppress-group 8\n", OTHER},
        {"only-in-table ends with a miss", "rule lookup-only-in-table empty priority 1\n",
         "only table"},
        {"but not when suppressed",
         "rule lookup-only-in-table other priority 1 min-prefix 0\n", MAIN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, ROUTER "%s", rows[i].rules);
        check(rows[i].what, config, "lan", PROBE, rows[i].answer);
    }
}

static void a_rule_comes_and_goes(void **state)
{
    struct lab *l = lab_create(ROUTER "rule goto priority 1 goto 3\n"
                                      "rule lookup other priority 2\n"
                                      "rule drop priority 3 disabled\n");
    const uint32_t epoch = router_epoch(l->router);

    (void)state;
    assert_string_equal(lab_route(l, "lan", PROBE), OTHER);
    router_set_rule_disabled(l->router, 2, false);
    assert_string_equal(lab_route(l, "lan", PROBE), "drop");
    router_set_rule_disabled(l->router, 0, true);
    assert_string_equal(lab_route(l, "lan", PROBE), OTHER);
    router_set_rule_disabled(l->router, 1, true);
    assert_string_equal(lab_route(l, "lan", PROBE), "drop");
    assert_true(router_epoch(l->router) != epoch);
    lab_destroy(l);
}

/* The implicit table of a routing mark stands before everything, also before local. */
static void routeros_looks_into_the_marks_table_first(void **state)
{
    static const struct {
        const char *what, *config, *packet, *answer;
    } rows[] = {
        {"the mark's table", "mark to_other other\nrule drop\n", PROBE " mark 1", OTHER},
        {"no mark, no table", "mark to_other other\nrule drop\n", PROBE, "drop"},
        {"another mark", "mark to_other other\nmark else empty\n", PROBE " mark 2", MAIN},
        {"a miss goes on to the rules", "mark m empty\nrule drop\n", PROBE " mark 1",
         "drop"},
        {"before local: the router becomes unreachable", "mark to_other other\n",
         "tcp 192.168.10.50:1 > 192.168.10.1:2 mark 1", OTHER},
        {"a mark without a table is matched by rules",
         "mark m -\nrule lookup other mark 1\n", PROBE " mark 1", OTHER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, "platform routeros7\n" ROUTER "%s",
                 rows[i].config);
        check(rows[i].what, config, "lan", rows[i].packet, rows[i].answer);
    }
}

static void port_rules_are_seen_while_they_are_enabled(void **state)
{
    struct lab *l =
        lab_read(ROUTER "rule lookup other dport 80\nrule lookup other proto tcp\n");
    struct ruleset *rs = ruleset_create(&l->config);

    (void)state;
    assert_true(ruleset_has_port_rules(rs));
    ruleset_set_disabled(rs, 0, true);
    assert_true(ruleset_has_port_rules(rs));
    ruleset_set_disabled(rs, 1, true);
    assert_false(ruleset_has_port_rules(rs));
    ruleset_destroy(rs);
    lab_destroy(l);
}

static void a_trace_tells_the_steps_in_their_order(void **state)
{
    struct lab *l =
        lab_create("platform routeros7\n" ROUTER "rule lookup main min-prefix 0\n"
                   "rule lookup empty from 192.168.10.50/32\n"
                   "rule lookup main from 192.168.10.51/32\n"
                   "rule lookup other iif lan\n");

    (void)state;
    lab_trace(l, true);
    lab_send(l, "lan", PROBE " ack", 1);
    assert_string_equal(l->trace_text, "connection -5 connections are not tracked\n"
                                       "matched -1\n"
                                       "miss -1\n"
                                       "matched 0\n"
                                       "found 0\n"
                                       "suppressed 0 min_prefix\n"
                                       "matched 1\n"
                                       "miss 1\n"
                                       "skipped 2 src_address\n"
                                       "matched 3\n"
                                       "found 3\n"
                                       "kept 3\n"
                                       "member -5\n"
                                       "verdict 3 forward\n");
    lab_destroy(l);
}

static void keep_suppression(void *context, const struct trace_step *step)
{
    if (step->kind == TRACE_SUPPRESSED)
        *(struct trace_step *)context = *step;
}

/* A rule with both: what is told is the option that threw the route away, and its number. */
static void a_suppression_is_told_with_its_own_limit(void **state)
{
    static const struct {
        const char *what, *rule, *by;
        int limit;
    } rows[] = {
        {"both, the group decides", "rule lookup main min-prefix 0 suppress-group 7\n",
         "suppress_group", 7},
        {"both, the length decides", "rule lookup main min-prefix 8 suppress-group 9\n",
         "min_prefix", 8},
        {"the group alone", "rule lookup main suppress-group 7\n", "suppress_group", 7},
        {"the length alone", "rule lookup main min-prefix 8\n", "min_prefix", 8},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct trace_step told = {.limit = -1, .text = "nothing"};
        const struct trace trace = {keep_suppression, &told};
        char config[256];
        struct lab *l;

        snprintf(config, sizeof config,
                 "iface lan 192.168.10.1/24\niface wan 100.64.1.2/24 group 7\n"
                 "route 45.0.0.0/8 via 100.64.1.1\n%s",
                 rows[i].rule);
        l = lab_create(config);
        router_set_trace(l->router, &trace);
        lab_send(l, "lan", "udp 192.168.10.5:1 > 45.57.94.1:2", 1);
        if (told.limit != rows[i].limit || strcmp(told.text, rows[i].by) != 0)
            fail_msg("%s: %s %d, not %s %d", rows[i].what, told.text, told.limit,
                     rows[i].by, rows[i].limit);
        lab_destroy(l);
    }
}

/* Linux fib6_rule_lookup(): without custom rules it does not look at the list at all. */
static void ipv6_misses_its_main_rule_once_there_is_another(void **state)
{
    static const struct {
        const char *what, *rule, *said;
    } rows[] = {
        {"no rule", "", "main lan"},
        {"a rule of IPv4", "rule nop family 4\n", "main lan"},
        {"a rule of IPv6", "rule nop family 6\n", "no route"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[256];
        struct lab *l;

        snprintf(config, sizeof config,
                 "no-main-rule\niface lan 192.168.10.1/24 2001:db8::1/64\n%s",
                 rows[i].rule);
        l = lab_create(config);
        if (strcmp(lab_route(l, "lan", "udp 2001:db8:1::1:1 > 2001:db8::9:2"),
                   rows[i].said) != 0)
            fail_msg("%s: %s", rows[i].what, l->said);
        assert_string_equal(lab_route(l, "lan", "udp 192.168.10.5:1 > 192.168.10.9:2"),
                            "no route");
        lab_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_selector_takes_what_it_says),
        cmocka_unit_test(the_walk_ends_where_it_must),
        cmocka_unit_test(a_rule_comes_and_goes),
        cmocka_unit_test(routeros_looks_into_the_marks_table_first),
        cmocka_unit_test(port_rules_are_seen_while_they_are_enabled),
        cmocka_unit_test(a_trace_tells_the_steps_in_their_order),
        cmocka_unit_test(a_suppression_is_told_with_its_own_limit),
        cmocka_unit_test(ipv6_misses_its_main_rule_once_there_is_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
