#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/routers.h"

/* Sources: Linux Documentation/networking/nf_conntrack-sysctl.rst; RouterOS manual,
 * Connection tracking. In seconds. */
static void timeouts_are_the_platforms(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        int linux_s, routeros_s;
    } rows[] = {
        {"syn-sent", offsetof(struct config_timeouts, tcp_syn_sent), 120, 5},
        {"syn-received", offsetof(struct config_timeouts, tcp_syn_received), 60, 5},
        {"established", offsetof(struct config_timeouts, tcp_established), 432000, 86400},
        {"fin-wait", offsetof(struct config_timeouts, tcp_fin_wait), 120, 10},
        {"close-wait", offsetof(struct config_timeouts, tcp_close_wait), 60, 10},
        {"last-ack", offsetof(struct config_timeouts, tcp_last_ack), 30, 10},
        {"time-wait", offsetof(struct config_timeouts, tcp_time_wait), 120, 10},
        {"close", offsetof(struct config_timeouts, tcp_close), 10, 10},
        {"unacked", offsetof(struct config_timeouts, tcp_unacked), 300, 300},
        {"max-retrans", offsetof(struct config_timeouts, tcp_max_retrans), 300, 300},
        {"udp", offsetof(struct config_timeouts, udp), 30, 30},
        {"udp-stream", offsetof(struct config_timeouts, udp_stream), 120, 180},
        {"icmp", offsetof(struct config_timeouts, icmp), 30, 10},
        {"generic", offsetof(struct config_timeouts, generic), 600, 600},
    };
    struct router_config c[2];

    (void)state;
    config_set_defaults(&c[0], PLATFORM_LINUX);
    config_set_defaults(&c[1], PLATFORM_ROUTEROS7);
    assert_int_equal(ARRAY_LEN(rows) * sizeof(int64_t), sizeof(struct config_timeouts));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned k = 0; k < 2; k++) {
            int64_t ns;

            memcpy(&ns, (const char *)&c[k].timeouts + rows[i].at, sizeof ns);
            if (ns != SECONDS(k ? rows[i].routeros_s : rows[i].linux_s))
                fail_msg("%s of %s: %lld ns", rows[i].what, k ? "RouterOS" : "Linux",
                         (long long)ns);
        }
}

/* RouterOS manual, /routing/settings: 10 s, 1 s, 2; BFD page: 200 ms, multiplier 5. */
static void gateway_checks_have_the_manuals_periods(void **state)
{
    struct router_config c;

    (void)state;
    config_set_defaults(&c, PLATFORM_ROUTEROS7);
    for (unsigned k = CHECK_PING; k <= CHECK_ARP; k++) {
        assert_true(c.checks[k].interval_ns == SECONDS(10));
        assert_true(c.checks[k].timeout_ns == SECONDS(1));
        assert_int_equal(c.checks[k].count, 2);
    }
    assert_true(c.checks[CHECK_BFD].interval_ns == SECONDS(0.2));
    assert_int_equal(c.checks[CHECK_BFD].count, 5);
}

static void the_hash_is_the_platforms_kernels(void **state)
{
    struct router_config c;

    (void)state;
    config_set_defaults(&c, PLATFORM_LINUX);
    assert_int_equal(c.hash.layout, HASH_LINUX);
    assert_int_equal(c.hash.v4.policy, HASH_L3);
    config_set_defaults(&c, PLATFORM_ROUTEROS7);
    assert_int_equal(c.hash.layout, HASH_LINUX_5_6);
    assert_int_equal(c.hash.v6.policy, HASH_L3);
    assert_true(c.tcp_loose);
    assert_int_equal(c.tables_len, TABLE_FIRST_USER);
    assert_string_equal(c.tables[TABLE_MAIN], "main");
    assert_string_equal(c.tables[TABLE_LOCAL], "local");
    assert_string_equal(c.tables[TABLE_DEFAULT], "default");
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(route_type_names); i++)
        assert_non_null(route_type_names[i]);
    for (unsigned i = 0; i < ARRAY_LEN(rule_action_names); i++)
        assert_non_null(rule_action_names[i]);
    for (unsigned i = 0; i < ARRAY_LEN(check_kind_names); i++)
        assert_non_null(check_kind_names[i]);
    for (unsigned i = 0; i < VERDICTS; i++)
        assert_non_null(verdict_names[i]);
    for (unsigned i = 0; i < REASONS; i++)
        if (!reason_names[i] || (i != REASON_NONE && !reason_names[i][0]))
            fail_msg("reason %u", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_are_the_platforms),
        cmocka_unit_test(gateway_checks_have_the_manuals_periods),
        cmocka_unit_test(the_hash_is_the_platforms_kernels),
        cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
