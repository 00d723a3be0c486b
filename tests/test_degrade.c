#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "sim/timeline/simulation_parts.h"
#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

#define MS INT64_C(1000000)

static const char direct[] = "[{'gateway': '100.64.1.1', 'check_gateway': 'ping'},"
                             " {'gateway': '100.64.2.1', 'distance': 2}]";

/* Of two that say the same the later one holds; what an ended one said is as it was. */
static void conditions_are_laid_over_the_links_own(void **state)
{
    static const struct {
        double at;
        uint64_t down_bps, up_bps;
        int64_t delay_ms, jitter_ms;
        double loss;
    } rows[] = {
        {5, 100000000, 20000000, 10, 0, 0.01},   {15, 1000000, 20000000, 50, 0, 0.01},
        {25, 1000000, 500000, 70, 5, 0.3},       {35, 100000000, 500000, 70, 5, 0.3},
        {45, 100000000, 500000, 70, 5, 0.5},     {55, 100000000, 20000000, 10, 0, 0.01},
    };
    struct play *p = play_create();

    (void)state;
    play_prepare(
        p,
        &(struct play_text){
            .wans = "{'wan1': {'down': '100M', 'up': '20M', 'delay': '10ms', 'loss': 0.01},"
                    " 'wan2': {}}",
            .events = "[{'at': '10s', 'for': '20s', 'kind': 'degrade', 'wan': 'wan1',"
                      " 'down': '1M', 'delay': '50ms'},"
                      " {'at': '20s', 'for': '30s', 'kind': 'degrade', 'wan': 'wan1',"
                      " 'up': '500k', 'delay': '70ms', 'jitter': '5ms', 'loss': 0.3},"
                      " {'at': '40s', 'for': '10s', 'kind': 'brownout',"
                      " 'wan': ['wan1', 'wan2'], 'loss': 0.5}]"});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct wan_link *w = &p->sim->wans[0];

        simulation_advance(p->sim, SECONDS(rows[i].at));
        if (w->down.conditions.rate_bps != rows[i].down_bps ||
            w->up.conditions.rate_bps != rows[i].up_bps ||
            w->up.conditions.delay_ns != rows[i].delay_ms * MS ||
            w->down.conditions.jitter_ns != rows[i].jitter_ms * MS ||
            fabs(w->up.conditions.loss - rows[i].loss) > 1e-12 ||
            fabs(w->down.conditions.loss - rows[i].loss) > 1e-12)
            fail_msg("at %g s", rows[i].at);
        assert_true(fabs(p->sim->wans[1].up.conditions.loss - (i == 4 ? .5 : 0)) < 1e-12);
    }
    play_destroy(p);
}

/* Lost with 1 - (1 - loss)^2; else twice the delay, and up to twice the jitter, half in the mean. */
static void a_probe_goes_there_and_back_by_lossy_links(void **state)
{
    enum { PROBES = 100000 };
    struct random_stream chance = random_stream_make(1, 2);
    struct play *p = play_create();
    double lost = 0, sum = 0;

    (void)state;
    play_prepare(p, &(struct play_text){.wans = "{'wan1': {'delay': '20ms', 'loss': 0.1,"
                                                " 'jitter': '10ms'}, 'wan2': {}}"});
    for (int i = 0; i < PROBES; i++) {
        const int64_t ns = probe_round_trip_ns(
            p->sim, (unsigned)p->scenario->wans[0].iface, true, &chance);

        assert_true(ns == -1 || (ns >= 40 * MS && ns <= 60 * MS));
        lost += ns < 0;
        sum += ns < 0 ? 0 : (double)ns;
    }
    assert_true(fabs(lost / PROBES - .19) < .004);
    assert_true(fabs(sum / (PROBES - lost) - 50e6) < .1e6);
    assert_false(probe_is_certain(p->sim, 0, true, SECONDS(1)));
    assert_true(probe_is_certain(p->sim, 1, true, SECONDS(1)));
    play_destroy(p);
}

/* A minute of brownout: a check that needs two misses in a row, a watch that needs 85 % of 10. */
static void a_brownout_is_noticed_when_enough_is_lost(void **state)
{
    static const struct {
        const char *when, *routes, *router, *event;
        bool noticed;
    } rows[] = {
        {"nothing is lost, and a check", direct, "", "'kind': 'brownout', 'loss': 0", false},
        {"everything is lost, and a check", direct, "", "'kind': 'brownout', 'loss': 1", true},
        {"one in ten is lost, and a watch", NULL,
         ", 'netwatch': [{'host': '100.64.1.1', 'type': 'icmp', 'routes': [0]}]",
         "'kind': 'brownout', 'loss': 0.1", false},
        {"nine in ten are lost, and a watch", NULL,
         ", 'netwatch': [{'host': '100.64.1.1', 'type': 'icmp', 'routes': [0]}]",
         "'kind': 'brownout', 'loss': 0.9", true},
        {"slower than a second there and back, and a check", direct, "",
         "'kind': 'degrade', 'delay': '501ms'", true},
        {"just not so slow", direct, "", "'kind': 'degrade', 'delay': '500ms'", false},
        {"101 ms there and back, and a watch", NULL,
         ", 'netwatch': [{'host': '100.64.1.1', 'type': 'icmp', 'routes': [0]}]",
         "'kind': 'degrade', 'delay': '51ms'", true},
        {"100 ms there and back, and a watch", NULL,
         ", 'netwatch': [{'host': '100.64.1.1', 'type': 'icmp', 'routes': [0]}]",
         "'kind': 'degrade', 'delay': '50ms'", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        const struct event_course *c;
        char events[160];

        snprintf(events, sizeof events, "[{'at': '30s', 'for': '60s', 'wan': 'wan1', %s}]",
                 rows[i].event);
        play_run(p, &(struct play_text){.routes = rows[i].routes,
                                        .router = rows[i].router,
                                        .events = events,
                                        .more = ", 'duration': '200s'"});
        c = simulation_event_course(p->sim, 0);
        if ((c->detected_ns >= 0) != rows[i].noticed ||
            (rows[i].noticed && c->recovered_ns < SECONDS(90)))
            fail_msg("%s: noticed at %g s, back at %g s", rows[i].when,
                     (double)c->detected_ns / 1e9, (double)c->recovered_ns / 1e9);
        play_destroy(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_laid_over_the_links_own),
        cmocka_unit_test(a_probe_goes_there_and_back_by_lossy_links),
        cmocka_unit_test(a_brownout_is_noticed_when_enough_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
