#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sim/timeline/netwatch.h"
#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

#define MS INT64_C(1000000)

/* ---------------------------------------------------------------------------- one test */

static void a_test_is_judged_by_loss_and_round_trips(void **state)
{
    static const struct {
        const char *when;
        int lost; /* of ten */
        int64_t usual_ms, longest_ms;
        bool passes;
    } rows[] = {
        {"all is well", 0, 20, 20, true},
        {"8 of 10 lost", 8, 20, 20, true},
        {"9 of 10 lost: 85 % reached", 9, 20, 20, false},
        {"all lost", 10, 20, 20, false},
        {"100 ms in the mean", 0, 100, 100, true},
        {"101 ms in the mean", 0, 101, 101, false},
        {"one of 821 ms: 100.1 ms in the mean", 0, 20, 821, false},
        {"one of 820 ms: 100 ms in the mean", 0, 20, 820, true},
        {"one that took more than a second", 7, 0, 1001, false},
        {"of those answered alone", 8, 99, 101, true},
    };
    const struct scenario_watch settings = {
        .type = WATCH_ICMP,
        .timeout_ns = 3000 * MS,
        .packet_count = 10,
        .loss_percent = 85,
        .mean_ns = 100 * MS,
        .longest_ns = 1000 * MS,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct netwatch w;

        netwatch_init(&w, &settings);
        for (int k = 0; k < 10; k++)
            netwatch_sent(&w, k * 50 * MS,
                          k < rows[i].lost ? -1
                          : k == 9         ? rows[i].longest_ms * MS
                                           : rows[i].usual_ms * MS);
        if (netwatch_passes(&w, netwatch_known_ns(&w)) != rows[i].passes)
            fail_msg("%s", rows[i].when);
        netwatch_free(&w);
    }
}

static void an_answer_after_the_timeout_is_none(void **state)
{
    const struct scenario_watch settings = {.timeout_ns = 10,
                                            .packet_count = 1,
                                            .loss_percent = 100,
                                            .mean_ns = INT64_MAX,
                                            .longest_ns = INT64_MAX};
    struct netwatch w;

    (void)state;
    netwatch_init(&w, &settings);
    netwatch_sent(&w, 100, 10);
    assert_int_equal(netwatch_known_ns(&w), 110);
    assert_true(netwatch_passes(&w, 110));
    netwatch_sent(&w, 200, 11);
    assert_int_equal(netwatch_known_ns(&w), 210);
    assert_true(netwatch_passes(&w, 209)); /* nothing is known yet */
    assert_false(netwatch_passes(&w, 210));
    netwatch_free(&w);
}

/* Tests every second: '.' passes, 'x' fails; the verdict behind each: '1' up, '0' down. */
static void verdicts_take_their_tests_in_a_row_and_their_hold_down(void **state)
{
    static const struct {
        const char *when;
        uint32_t down_after, up_after;
        int hold_down_s;
        const char *tests, *verdicts;
    } rows[] = {
        {"at once", 1, 1, 0, "..x.xx.", "1101001"},
        {"three failed in a row", 3, 1, 0, "xx.xxx.x", "11111011"},
        {"two passed in a row", 1, 2, 0, "x.x..x..", "00001001"},
        {"held down for 4 s", 1, 1, 4, "x......x.", "000011100"},
        {"held down, then failing", 1, 2, 4, "x..x....", "00000111"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scenario_watch settings = {.packet_count = 1,
                                                .down_after = rows[i].down_after,
                                                .up_after = rows[i].up_after,
                                                .hold_down_ns = SECONDS(rows[i].hold_down_s)};
        struct netwatch w;

        netwatch_init(&w, &settings);
        for (int k = 0; rows[i].tests[k]; k++) {
            const bool was_up = w.up;
            const bool changed =
                netwatch_judge(&w, rows[i].tests[k] == '.', SECONDS(k));

            if (w.up != (rows[i].verdicts[k] == '1') || changed != (was_up != w.up))
                fail_msg("%s: test %d", rows[i].when, k);
        }
        netwatch_free(&w);
    }
}

/*
 * dpinger as pfSense sets it: a packet every 500 ms, lost after 2 s, 20 % of 120 judged every
 * second: 24 lost ones take 11.5 s more than the first, so 13.5 to 15.0 s, 14.25 s in the mean
 * over both phases.
 */
static void a_running_window_notices_after_13_5_to_15_seconds(void **state)
{
    enum { STEPS = 50 };
    const struct scenario_watch settings = {.type = WATCH_LOSS,
                                            .timeout_ns = 2000 * MS,
                                            .packet_count = 120,
                                            .loss_percent = 20,
                                            .mean_ns = INT64_MAX,
                                            .longest_ns = INT64_MAX,
                                            .down_after = 1,
                                            .up_after = 1};
    int64_t sum = 0;

    (void)state;
    for (int i = 0; i < STEPS * STEPS; i++) {
        /* the first packet that is lost, the first test, after the failure */
        int64_t packet = 500 * MS * (2 * (i % STEPS) + 1) / (2 * STEPS);
        int64_t test = 1000 * MS * (2 * (i / STEPS) + 1) / (2 * STEPS);
        struct netwatch w;

        netwatch_init(&w, &settings);
        for (int k = 120; k > 0; k--)
            netwatch_sent(&w, packet - 500 * MS * k, 20 * MS);
        for (; w.up; test += 1000 * MS) {
            for (; packet <= test; packet += 500 * MS)
                netwatch_sent(&w, packet, -1);
            if (!netwatch_judge(&w, netwatch_passes(&w, test), test))
                continue;
            assert_true(test >= 13500 * MS && test <= 15000 * MS);
            sum += test;
        }
        netwatch_free(&w);
    }
    sum /= STEPS * STEPS;
    assert_true(sum >= 14110 * MS && sum <= 14390 * MS); /* 1 % */
}

/* -------------------------------------------------------------------------- in a run */

/* A canary that only wan1 reaches: its route goes, and comes back, with the canary. */
static void routes_hang_on_what_is_watched(void **state)
{
    static const struct {
        const char *when, *watch, *kind;
        double soonest, latest;           /* known after */
        double back_soonest, back_latest; /* and back after */
    } rows[] = {
        {"simple, as it is by default", "", "blackhole", 3, 13, 0, 10.1},
        {"a dead gateway", "", "gateway-down", 3, 13, 0, 10.1},
        {"two tests, each second", ", 'interval': '1s', 'timeout': '500ms', 'down_after': 2",
         "blackhole", 1.5, 2.5, 0, 1.1},
        {"held down longer than the failure lasts",
         ", 'interval': '1s', 'timeout': '500ms', 'hold_down': '90s'", "blackhole", .5, 1.5,
         30.5, 32.6},
        {"ten packets", ", 'type': 'icmp'", "blackhole", 3.45, 13.45, .45, 10.6},
        {"a running window", ", 'type': 'loss', 'interval': '1s'", "blackhole", 13.5, 15,
         47.5, 50.1},
        {"by an interface", ", 'interface': 'wan1'", "blackhole", 3, 13, 0, 10.1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows) * 4; i++) {
        const size_t row = i / 4;
        struct play *p = play_create();
        const struct event_course *c;
        char router[512], events[160], more[64];
        double known, back;

        snprintf(router, sizeof router,
                 ", 'netwatch': [{'host': '1.1.1.1', 'routes': ['way'] %s}]",
                 rows[row].watch);
        snprintf(events, sizeof events,
                 "[{'at': '100s', 'for': '60s', 'kind': '%s', 'wan': 'wan1'}]",
                 rows[row].kind);
        snprintf(more, sizeof more, ", 'duration': '300s', 'seed': %zu", i);
        play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
        play_packet(p, 120, "udp 192.168.10.5:5001 > 203.0.113.9:53");
        play_packet(p, 290, "udp 192.168.10.5:5002 > 203.0.113.9:53");
        play_run(p, &(struct play_text){
                        .routes = "[{'gateway': '100.64.1.1', 'comment': 'way'},"
                                  " {'dst_address': '1.1.1.1/32', 'gateway': '100.64.1.1'},"
                                  " {'gateway': '100.64.2.1', 'distance': 2}]",
                        .wans = "{'wan1': {'delay': '20ms'}, 'wan2': {}}",
                        .router = router,
                        .events = events,
                        .more = more});
        play_expect_packets(p, rows[row].when,
                            "1 delivered out wan1 as 100.64.1.2:5000\n"
                            "2 delivered out wan2 as 100.64.2.2:5001\n"
                            "3 delivered out wan1 as 100.64.1.2:5002\n");
        c = simulation_event_course(p->sim, 0);
        known = (double)(c->detected_ns - SECONDS(100)) / 1e9;
        back = (double)(c->recovered_ns - SECONDS(160)) / 1e9;
        if (c->detected_ns < 0 || known < rows[row].soonest || known > rows[row].latest ||
            back < rows[row].back_soonest || back > rows[row].back_latest)
            fail_msg("%s: known after %.3f s, back after %.3f s", rows[row].when, known,
                     back);
        play_destroy(p);
    }
}

/* Packets of a watch go by the rules, and only with an address that the router has. */
static void a_watch_needs_its_source(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_packet(p, 40, "udp 192.168.10.5:5001 > 203.0.113.9:53");
    play_run(p, &(struct play_text){
                    .router = ", 'netwatch': [{'host': '1.1.1.1', 'routes': [0],"
                              " 'src_address': '100.64.1.2'}]",
                    .events = "[{'at': '20s', 'wan': 'wan1', 'kind': 'address-change',"
                              " 'address': '100.64.1.9/24'}]"});
    play_expect_packets(p, "the address goes",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered out wan2 as 100.64.2.2:5001\n");
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_test_is_judged_by_loss_and_round_trips),
        cmocka_unit_test(an_answer_after_the_timeout_is_none),
        cmocka_unit_test(verdicts_take_their_tests_in_a_row_and_their_hold_down),
        cmocka_unit_test(a_running_window_notices_after_13_5_to_15_seconds),
        cmocka_unit_test(routes_hang_on_what_is_watched),
        cmocka_unit_test(a_watch_needs_its_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
