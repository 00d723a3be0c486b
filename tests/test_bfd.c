#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "sim/timeline/bfd.h"
#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

enum { FAILURES = 100000 };

static struct bfd session(const struct config_check *s, uint64_t seed)
{
    struct bfd b;

    bfd_start(&b, s, random_stream_make(seed, 1), 0);
    return b;
}

/* RFC 5880, section 6.8.7. */
static void packets_leave_after_jittered_waits(void **state)
{
    static const struct {
        uint32_t multiplier;
        double least, most;
    } rows[] = {{1, .75, .9}, {2, .75, 1}, {3, .75, 1}, {255, .75, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct config_check s = {SECONDS(1), SECONDS(1), rows[i].multiplier};
        struct bfd b = session(&s, i);
        double least = 2, most = 0, sum = 0;

        assert_true(b.next_ns >= 0 && b.next_ns < SECONDS(1));
        for (int k = 0; k < FAILURES; k++) {
            bfd_sent(&b);

            const double wait = (double)(b.next_ns - b.sent_ns) / 1e9;

            least = fmin(least, wait);
            most = fmax(most, wait);
            sum += wait;
        }
        if (least < rows[i].least || least > rows[i].least + .001 ||
            most > rows[i].most || most < rows[i].most - .001 ||
            fabs(sum / FAILURES - (rows[i].least + rows[i].most) / 2) > .001)
            fail_msg("multiplier %u: %g to %g, mean %g", rows[i].multiplier, least, most,
                     sum / FAILURES);
    }
}

/* Failures at random: how long until the silence is too long. */
struct latency {
    double least, most, mean, sd; /* of intervals */
};

static struct latency latency_of(const struct config_check *s, bool skips)
{
    struct random_stream chance = random_stream_make(77, 0);
    struct bfd b = session(s, 5);
    struct latency l = {.least = 1e9};
    double sum = 0, squares = 0;
    int64_t now = 0;

    for (int k = 0; k < FAILURES; k++) {
        double took;

        now += (skips ? 1000 : 3) * s->interval_ns +
               (int64_t)random_below(&chance, (uint64_t)s->interval_ns * 7);
        if (skips)
            bfd_skip_to(&b, now);
        while (b.next_ns < now)
            bfd_sent(&b);
        assert_true(b.sent_ns < now && now <= b.next_ns);
        bfd_heard(&b, b.sent_ns);
        took = (double)(bfd_deadline_ns(&b) - now) / (double)s->interval_ns;
        l.least = fmin(l.least, took);
        l.most = fmax(l.most, took);
        sum += took;
        squares += took * took;
    }
    l.mean = sum / FAILURES;
    l.sd = sqrt(squares / FAILURES - l.mean * l.mean);
    return l;
}

/*
 * The last packet left A before the failure, and silence counts m intervals from it. The
 * age A of a renewal process of waits X has the mean E X^2 / 2 E X and the second moment
 * E X^3 / 3 E X. For X of 0.75..1: 0.44048 and 0.26042, so sd 0.2577: of 0.3 s, 0.0773 s.
 * For X of 0.75..0.9: 0.41364 and 0.22875, so sd 0.2401.
 */
static void a_failure_is_known_after_the_detection_time(void **state)
{
    static const struct {
        const char *what;
        double interval;
        uint32_t multiplier;
        double least, most, mean, sd; /* seconds */
    } rows[] = {
        {"RouterOS", .2, 5, .8, 1, .2 * 4.55952, .2 * .2577},
        {"300 ms, 3", .3, 3, .6, .9, .7679, .0773},
        {"50 ms, 3", .05, 3, .1, .15, .1280, .05 * .2577},
        {"one packet", 1, 1, .1, 1, .58636, .2401},
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        const size_t row = i / 2;
        const double I = rows[row].interval;
        const struct config_check s = {SECONDS(rows[row].interval),
                                       SECONDS(rows[row].interval), rows[row].multiplier};
        const struct latency l = latency_of(&s, i % 2);

        if (I * l.least < rows[row].least || I * l.least > rows[row].least + .01 * I ||
            I * l.most > rows[row].most || I * l.most < rows[row].most - .01 * I ||
            fabs(I * l.mean / rows[row].mean - 1) > .005 ||
            fabs(I * l.sd / rows[row].sd - 1) > .01)
            fail_msg("%s%s: %.4f to %.4f s, mean %.4f, sd %.4f", rows[row].what,
                     i % 2 ? ", passed over" : "", I * l.least, I * l.most, I * l.mean,
                     I * l.sd);
    }
}

/* Both draw the same waits. */
static void a_short_while_passed_over_is_as_good_as_listening(void **state)
{
    const struct config_check s = {SECONDS(1), SECONDS(1), 3};
    struct bfd a = session(&s, 9), b = session(&s, 9);

    (void)state;
    for (int64_t now = 0; now < SECONDS(1000); now += SECONDS(11)) {
        while (a.next_ns < now)
            bfd_sent(&a);
        bfd_skip_to(&b, now);
        assert_int_equal(a.sent_ns, b.sent_ns);
        assert_int_equal(a.next_ns, b.next_ns);
    }
}

/* ten years between packets, 255 of which may be missed */
static void the_longest_of_silences_does_not_overflow(void **state)
{
    const int64_t decade = INT64_C(315360000000000000);
    const struct config_check s = {decade, decade, 255};
    struct bfd b = session(&s, 1);

    (void)state;
    bfd_heard(&b, decade);
    assert_true(bfd_deadline_ns(&b) > decade && bfd_slack_ns(&s) > 0);
}

/* ------------------------------------------------------------------------------- in a run */

static void run_with_bfd(struct play *p, const char *wan1, const char *events,
                         size_t seed)
{
    char wans[128], more[64];

    snprintf(wans, sizeof wans, "{'wan1': {%s}, 'wan2': {}}", wan1);
    snprintf(more, sizeof more, ", 'duration': '200s', 'seed': %zu", seed);
    play_run(p, &(struct play_text){
                    .routes = "[{'gateway': '100.64.1.1', 'check_gateway': 'bfd'},"
                              " {'gateway': '100.64.2.1', 'distance': 2}]",
                    .router = ", 'check_gateway': {'bfd': {'interval': '300ms',"
                              " 'multiplier': 3}}",
                    .wans = wans,
                    .events = events,
                    .more = more});
}

/*
 * What has left arrives 40 ms later, so all is known 40 ms later too. The end is known by the
 * first packet that leaves after it.
 */
static void a_dead_gateway_falls_silent_and_is_heard_again(void **state)
{
    double sum = 0;

    (void)state;
    for (size_t seed = 0; seed < 100; seed++) {
        struct play *p = play_create();
        const struct event_course *c;

        run_with_bfd(p, "'delay': '40ms'",
                     "[{'at': '30300ms', 'for': '60400ms', 'kind': 'gateway-down',"
                     " 'wan': 'wan1'}]",
                     seed);
        c = simulation_event_course(p->sim, 0);
        assert_true(c->detected_ns >= SECONDS(30.3 + .04 + .6) &&
                    c->detected_ns <= SECONDS(30.3 + .04 + .9));
        assert_true(c->recovered_ns >= SECONDS(90.7 + .04) &&
                    c->recovered_ns <= SECONDS(90.7 + .04 + .3));
        sum += (double)c->detected_ns / 1e9 - 30.34;
        play_destroy(p);
    }
    assert_true(fabs(sum / 100 - .7679) < 4 * .0773 / 10);
}

static void what_is_not_silent_for_long_enough_is_never_known(void **state)
{
    static const struct {
        const char *what, *wan1, *events;
        bool known;
    } rows[] = {
        {"two intervals are too short", "",
         "[{'at': '30s', 'for': '590ms', 'kind': 'gateway-down', 'wan': 'wan1'}]", false},
        {"three and one more are not", "",
         "[{'at': '30s', 'for': '1200ms', 'kind': 'gateway-down', 'wan': 'wan1'}]", true},
        {"packets that all come late are heard", "'delay': '5s'",
         "[{'at': '30s', 'for': '590ms', 'kind': 'gateway-down', 'wan': 'wan1'}]", false},
        {"slower from now on than silence may last", "",
         "[{'at': '30s', 'for': '60s', 'kind': 'degrade', 'delay': '2s', 'wan': 'wan1'}]",
         true},
        {"a little slower from now on", "",
         "[{'at': '30s', 'for': '60s', 'kind': 'degrade', 'delay': '500ms', 'wan': "
         "'wan1'}]",
         false},
        {"nothing comes for a while", "",
         "[{'at': '30s', 'for': '60s', 'kind': 'brownout', 'loss': 1, 'wan': 'wan1'}]",
         true},
        {"the world behind the gateway", "",
         "[{'at': '30s', 'for': '60s', 'kind': 'blackhole', 'wan': 'wan1'}]", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();

        run_with_bfd(p, rows[i].wan1, rows[i].events, i);
        if ((simulation_event_course(p->sim, 0)->detected_ns >= 0) != rows[i].known)
            fail_msg("%s", rows[i].what);
        play_destroy(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_leave_after_jittered_waits),
        cmocka_unit_test(a_failure_is_known_after_the_detection_time),
        cmocka_unit_test(a_short_while_passed_over_is_as_good_as_listening),
        cmocka_unit_test(the_longest_of_silences_does_not_overflow),
        cmocka_unit_test(a_dead_gateway_falls_silent_and_is_heard_again),
        cmocka_unit_test(what_is_not_silent_for_long_enough_is_never_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
