#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "sim/traffic/arrivals.h"
#include "tests/routers.h"

#define HOURS(n) ((n)*SECONDS(3600))

static unsigned count_in(const struct arrivals_config *c, int64_t from_ns, int64_t to_ns)
{
    struct arrivals a;
    int64_t at, last = 0;
    unsigned n = 0;

    arrivals_init(&a, c, 99);
    while (arrivals_next(&a, &at)) {
        assert_true(at >= last && at >= c->start_ns && at < c->end_ns);
        last = at;
        n += at >= from_ns && at < to_ns;
    }
    assert_false(arrivals_next(&a, &at));
    return n;
}

/* A Poisson count has its mean as its variance; so have its gaps' mean and square. */
static void poisson_arrivals_come_at_their_rate(void **state)
{
    const struct arrivals_config c = {.kind = ARRIVALS_POISSON,
                                      .per_hour = 36000,
                                      .start_ns = SECONDS(5),
                                      .end_ns = HOURS(10),
                                      .flows = UINT64_MAX};
    const double mean = 10 * (36000 - 5);
    struct arrivals a;
    double sum = 0, square = 0;
    int64_t last = c.start_ns, at;
    unsigned n = 0;

    (void)state;
    assert_true(fabs(count_in(&c, 0, INT64_MAX) - mean) < 4 * sqrt(mean));
    arrivals_init(&a, &c, 7);
    for (; arrivals_next(&a, &at); last = at, n++) {
        const double gap = (double)(at - last) / 1e8; /* in means */

        sum += gap;
        square += gap * gap;
    }
    assert_true(fabs(sum / n - 1) < 4 / sqrt(n));
    assert_true(fabs(square / n - 2) < 4 * sqrt(20.0 / n)); /* Var(X^2) = 24 - 4 */
}

static void factors_by_hour_thin_the_arrivals(void **state)
{
    static const double factors[ARRIVALS_HOURS] = {[8] = 1, [9] = 2, [20] = .5};
    const struct arrivals_config c = {.kind = ARRIVALS_POISSON,
                                      .per_hour = 40000,
                                      .end_ns = HOURS(48),
                                      .flows = UINT64_MAX,
                                      .by_hour = factors,
                                      .time_of_day_ns = HOURS(7)};
    static const struct {
        const char *when;
        int from, to;
        double mean;
    } rows[] = {
        {"7 h to 8 h", 0, 1, 0},         {"8 h to 9 h", 1, 2, 40000},
        {"9 h to 10 h", 2, 3, 80000},    {"10 h to 20 h", 3, 13, 0},
        {"20 h to 21 h", 13, 14, 20000}, {"8 h to 9 h of the next day", 25, 26, 40000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const double got = count_in(&c, HOURS(rows[i].from), HOURS(rows[i].to));

        if (fabs(got - rows[i].mean) > 4 * sqrt(rows[i].mean))
            fail_msg("%s: %.0f, not %.0f", rows[i].when, got, rows[i].mean);
    }
}

/* The hours' own rates, passed one after the other, make the same gaps when they are alike. */
static void factors_that_are_all_one_change_nothing(void **state)
{
    double ones[ARRIVALS_HOURS];
    struct arrivals_config c = {.kind = ARRIVALS_POISSON,
                                .per_hour = 0.3,
                                .end_ns = INT64_MAX / 2,
                                .flows = 2000};
    struct arrivals plain, hourly;
    int64_t a, b;

    (void)state;
    for (size_t i = 0; i < ARRIVALS_HOURS; i++)
        ones[i] = 1;
    arrivals_init(&plain, &c, 5);
    c.by_hour = ones;
    c.time_of_day_ns = SECONDS(1234);
    arrivals_init(&hourly, &c, 5);
    for (int i = 1; arrivals_next(&plain, &a); i++) {
        assert_true(arrivals_next(&hourly, &b));
        assert_true(llabs(a - b) <= i); /* rounding: a nanosecond each */
    }
}

static void arrivals_without_chance_come_when_they_should(void **state)
{
    static const struct {
        const char *what;
        struct arrivals_config config;
        unsigned count;
        int64_t last_ns;
    } rows[] = {
        {"every second for 10 s",
         {.kind = ARRIVALS_PERIODIC,
          .every_ns = SECONDS(1),
          .start_ns = SECONDS(2),
          .end_ns = SECONDS(12),
          .flows = UINT64_MAX},
         10,
         SECONDS(11)},
        {"three of them",
         {.kind = ARRIVALS_PERIODIC,
          .every_ns = SECONDS(1),
          .end_ns = SECONDS(12),
          .flows = 3},
         3,
         SECONDS(2)},
        {"ten years apart",
         {.kind = ARRIVALS_PERIODIC,
          .every_ns = 315360000000000000,
          .end_ns = 315360000000000001,
          .flows = UINT64_MAX},
         2,
         315360000000000000},
        {"all at once",
         {.kind = ARRIVALS_AT_ONCE,
          .start_ns = SECONDS(3),
          .end_ns = SECONDS(12),
          .flows = 500},
         500,
         SECONDS(3)},
        {"none after the end",
         {.kind = ARRIVALS_AT_ONCE,
          .start_ns = SECONDS(3),
          .end_ns = SECONDS(3),
          .flows = 500},
         0,
         -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arrivals a;
        int64_t at, last = -1;
        unsigned n = 0;

        arrivals_init(&a, &rows[i].config, 1);
        for (; arrivals_next(&a, &at); n++)
            last = at;
        if (n != rows[i].count || last != rows[i].last_ns)
            fail_msg("%s: %u, the last at %lld", rows[i].what, n, (long long)last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poisson_arrivals_come_at_their_rate),
        cmocka_unit_test(factors_by_hour_thin_the_arrivals),
        cmocka_unit_test(factors_that_are_all_one_change_nothing),
        cmocka_unit_test(arrivals_without_chance_come_when_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
