#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/routers.h"

static void a_row_of_answers_gives_the_verdicts(void **state)
{
    /* '.' answered, 'x' missed; the verdict behind each: 'U'p or 'd'own. */
    static const struct {
        const char *what;
        uint32_t count;
        const char *probes, *verdicts;
    } rows[] = {
        {"one miss of two is none", 2, "x.x.x.", "UUUUUU"},
        {"two in a row are", 2, "xx", "Ud"},
        {"down goes on", 2, "xxxxx", "Udddd"},
        {"one answer makes it reachable", 2, "xxx.", "UddU"},
        {"and clears the count", 2, "xx.x.xx", "UdUUUUd"},
        {"five", 5, "xxxx.xxxxxx.", "UUUUUUUUUddU"},
        {"one is enough when it says so", 1, "x.x", "dUd"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct config_check settings = {SECONDS(10), SECONDS(1), rows[i].count};
        bool was_up = true;
        struct check c;

        check_start(&c, 0);
        for (size_t k = 0; rows[i].probes[k]; k++) {
            bool changed = check_probe_ended(&c, &settings, rows[i].probes[k] == '.');

            if (c.up != (rows[i].verdicts[k] == 'U'))
                fail_msg("%s: probe %zu", rows[i].what, k);
            if (changed != (c.up != was_up))
                fail_msg("%s: probe %zu: changed is %d", rows[i].what, k, changed);
            was_up = c.up;
        }
    }
}

static void probes_leave_a_period_apart_from_the_phase_on(void **state)
{
    const struct config_check settings = {SECONDS(10), SECONDS(1), 2};
    struct check c;

    (void)state;
    check_start(&c, SECONDS(3));
    for (int i = 0; i < 5; i++) {
        assert_true(c.next_probe_ns == SECONDS(3 + 10 * i));
        check_probe_sent(&c, &settings);
    }
}

/* The moment at which a gateway that dies at `death_ns` is found unreachable. */
static int64_t noticed_ns(const struct config_check *s, int64_t phase_ns,
                          int64_t death_ns)
{
    struct check c;

    check_start(&c, phase_ns);
    for (;;) {
        const int64_t sent_ns = c.next_probe_ns;

        check_probe_sent(&c, s);
        check_probe_ended(&c, s, sent_ns < death_ns);
        if (!c.up)
            return sent_ns + s->timeout_ns;
    }
}

/* Period 10 s, time-out 1 s, two misses: 11 to 21 s, 16 s in the mean of all phases. Source: RouterOS manual, /routing/settings. */
static void a_dead_gateway_is_noticed_after_11_to_21_seconds(void **state)
{
    struct router_config config;
    int64_t least = INT64_MAX, most = 0, sum = 0;

    (void)state;
    config_set_defaults(&config, PLATFORM_ROUTEROS7);
    for (int phase = 0; phase < 1000; phase++) {
        const int64_t death = SECONDS(100);
        const int64_t after =
            noticed_ns(&config.checks[CHECK_PING], SECONDS(10) * phase / 1000, death) -
            death;

        least = after < least ? after : least;
        most = after > most ? after : most;
        sum += after;
    }
    assert_true(sum / 1000 >= SECONDS(15.99) && sum / 1000 <= SECONDS(16.01));
    assert_true(least >= SECONDS(11) && least < SECONDS(11.02));
    assert_true(most <= SECONDS(21) && most > SECONDS(20.98));
}

static void a_verdict_that_is_told_holds_at_once(void **state)
{
    const struct config_check settings = {SECONDS(1), SECONDS(1), 3};
    struct check c;

    (void)state;
    check_start(&c, 0);
    assert_false(check_conclude(&c, true));
    assert_true(check_conclude(&c, false) && !c.up);
    assert_false(check_conclude(&c, false));
    assert_true(check_conclude(&c, true) && c.up);
    check_probe_ended(&c, &settings, false);
    check_probe_ended(&c, &settings, false);
    assert_true(c.up); /* what was missed before does not count */
}

/* interval 10 s: probes at 3, 13, 23 ... */
static void a_check_passes_over_probes_that_could_tell_nothing(void **state)
{
    static const struct {
        int64_t now_s, next_s;
    } rows[] = {{0, 3}, {3, 3}, {4, 13}, {13, 13}, {14, 23}, {1000000002, 1000000003}};
    const struct config_check settings = {10000000000, 1000000000, 2};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct check c;

        check_start(&c, 3000000000);
        check_skip_to(&c, &settings, rows[i].now_s * 1000000000);
        assert_int_equal(c.next_probe_ns, rows[i].next_s * 1000000000);
    }
}

static void a_check_is_settled_when_the_same_again_changes_nothing(void **state)
{
    const struct config_check settings = {10000000000, 1000000000, 2};
    struct check c;

    (void)state;
    check_start(&c, 0);
    check_probe_ended(&c, &settings, true);
    assert_true(check_is_settled(&c, true));
    check_probe_ended(&c, &settings, false);
    assert_false(check_is_settled(&c, false)); /* one miss more makes it down */
    check_probe_ended(&c, &settings, false);
    assert_true(check_is_settled(&c, false));
    assert_false(check_is_settled(&c, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_answers_gives_the_verdicts),
        cmocka_unit_test(probes_leave_a_period_apart_from_the_phase_on),
        cmocka_unit_test(a_dead_gateway_is_noticed_after_11_to_21_seconds),
        cmocka_unit_test(a_verdict_that_is_told_holds_at_once),
        cmocka_unit_test(a_check_passes_over_probes_that_could_tell_nothing),
        cmocka_unit_test(a_check_is_settled_when_the_same_again_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
