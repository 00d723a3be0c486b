#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/users/rto.h"

#define MS(n) ((int64_t)((n)*1e6))

static void nothing_measured_waits_one_second(void **state)
{
    struct rto r;

    (void)state;
    rto_init(&r);
    assert_int_equal(r.rto_ns, MS(1000));
}

/* RFC 6298, 2.2: SRTT = R, RTTVAR = R/2, RTO = R + 4 R/2 = 3 R. */
static void the_first_round_trip_makes_three_of_it(void **state)
{
    struct rto r;

    (void)state;
    rto_init(&r);
    rto_sample(&r, MS(400));
    assert_int_equal(r.rto_ns, MS(1200));
}

/* 2.3, by hand: 400 ms, then 800 ms: RTTVAR = 3/4 * 200 + 1/4 * 400 = 250, SRTT = 7/8 * 400 +
 * 1/8 * 800 = 450, RTO = 450 + 1000. */
static void later_round_trips_are_smoothed(void **state)
{
    struct rto r;

    (void)state;
    rto_init(&r);
    rto_sample(&r, MS(400));
    rto_sample(&r, MS(800));
    assert_int_equal(r.rto_ns, MS(1450));
}

static void it_stays_within_its_bounds(void **state)
{
    struct rto r;

    (void)state;
    rto_init(&r);
    rto_sample(&r, MS(1));
    assert_int_equal(r.rto_ns, MS(200));
    for (int i = 0; i < 20; i++)
        rto_back_off(&r);
    assert_int_equal(r.rto_ns, MS(120000));
}

/* A path that is dead for so long is tried again at the first doubling behind it:
 * rto (2^j - 1) >= outage. With 0.2 s and a ceiling of 120 s. */
static void a_stalled_sender_resumes_with_its_doublings(void **state)
{
    static const struct {
        double outage_s, resumes_s;
    } rows[] = {{5, 6.2}, {10, 12.6}, {30, 51.0}, {60, 102.2}, {120, 204.6}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rto r;
        int64_t at = 0;

        rto_init(&r);
        rto_sample(&r, MS(1));
        while (at < MS(1000 * rows[i].outage_s)) {
            at += r.rto_ns;
            rto_back_off(&r);
        }
        if (at != MS(1000 * rows[i].resumes_s))
            fail_msg("an outage of %g s ends at %g s", rows[i].outage_s,
                     (double)at / 1e9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_measured_waits_one_second),
        cmocka_unit_test(the_first_round_trip_makes_three_of_it),
        cmocka_unit_test(later_round_trips_are_smoothed),
        cmocka_unit_test(it_stays_within_its_bounds),
        cmocka_unit_test(a_stalled_sender_resumes_with_its_doublings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
