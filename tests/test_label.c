#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/input/flow.h"
#include "sim/observe/label.h"
#include "tests/routers.h"

static void a_rule_is_called_by_its_comment_or_its_number(void **state)
{
    struct config_rule rules[3] = {
        {.comment = "the laptop"}, {.comment = ""}, {.comment = NULL}};
    const struct router_config c = {.rules = rules, .rules_len = 3};
    static const struct {
        int rule;
        const char *label;
    } rows[] = {
        {0, "the laptop"},
        {1, "#1"},
        {2, "#2"},
        {3, ""},
        {RULE_BUILTIN_LOCAL, "(local)"},
        {RULE_BUILTIN_MAIN, "(main)"},
        {RULE_BUILTIN_DEFAULT, "(default)"},
        {RULE_BUILTIN_MARK, "(mark)"},
        {RULE_NONE, ""},
    };
    char buf[LABEL_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(label_rule(&c, rows[i].rule, buf), rows[i].label);
}

static void a_decision_is_called_by_its_parts(void **state)
{
    struct lab *l = lab_create("platform linux\n"
                               "iface lan 192.168.10.1/24\n"
                               "iface wan1 100.64.1.2/24\n"
                               "route 0.0.0.0/0 via 100.64.1.1\n"
                               "route 203.0.113.0/24 via wan1\n");
    char buf[LABEL_MAX];

    (void)state;
    lab_send(l, "lan", "udp 192.168.10.5:1 > 198.51.100.1:9", 0);
    assert_string_equal(label_iface(&l->config, l->last.out_iface), "wan1");
    assert_string_equal(label_table(&l->config, l->last.entry), "main");
    assert_string_equal(label_route(l->last.entry, buf), "0.0.0.0/0");
    assert_string_equal(label_gateway(&l->last, buf), "100.64.1.1");
    lab_send(l, "lan", "udp 192.168.10.5:1 > 203.0.113.7:9", 0);
    assert_string_equal(label_route(l->last.entry, buf), "203.0.113.0/24");
    assert_string_equal(label_gateway(&l->last, buf), "");
    lab_destroy(l);
}

/* What is read comes out as it was written. */
static void a_flow_is_called_as_it_is_asked_for(void **state)
{
    static const char *const flows[] = {
        "tcp 192.168.10.5:50000 > 45.57.94.1:443",
        "udp [2001:db8:10::5]:5000 > [2001:db8::53]:53",
        "icmp 192.168.10.5 > 8.8.8.8",
        "icmpv6 2001:db8:10::5 > 2001:db8::53",
        "tcp [2001:db8:1111:2222:3333:4444:5555:6666]:65535 > "
        "[2001:db8:1111:2222:3333:4444:5555:7777]:65535",
    };
    char buf[LABEL_MAX], error[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        struct flow f;
        struct tuple t;

        if (!flow_parse(flows[i], &f, error, sizeof error))
            fail_msg("%s", error);
        tuple_of_packet(&f.packet, &t);
        assert_string_equal(label_flow(&t, buf), flows[i]);
    }
}

static void what_is_not_there_has_no_name(void **state)
{
    const struct router_config c = {.ifaces_len = 0};
    const struct decision d = {.member = NEXTHOP_NONE};
    char buf[LABEL_MAX];

    (void)state;
    assert_string_equal(label_iface(&c, NEXTHOP_NONE), "");
    assert_string_equal(label_table(&c, NULL), "");
    assert_string_equal(label_route(NULL, buf), "");
    assert_string_equal(label_gateway(&d, buf), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_called_by_its_comment_or_its_number),
        cmocka_unit_test(a_decision_is_called_by_its_parts),
        cmocka_unit_test(a_flow_is_called_as_it_is_asked_for),
        cmocka_unit_test(what_is_not_there_has_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
