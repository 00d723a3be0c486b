#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/observe/series.h"

#define SECOND INT64_C(1000000000)

static void count_one(struct series *s, int64_t time_ns)
{
    series_advance(s, time_ns);
    s->now[1].bytes_up++;
}

static uint64_t sum_of(const struct series *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->len; i++)
        sum += series_at(s, i, 1)->bytes_up;
    return sum;
}

static void a_point_holds_its_beginning_and_not_its_end(void **state)
{
    struct series s;

    (void)state;
    series_init(&s, 2, 0);
    count_one(&s, 0);
    count_one(&s, SECOND - 1);
    count_one(&s, SECOND);
    count_one(&s, 3 * SECOND);
    assert_int_equal(s.len, 4);
    assert_int_equal(series_at(&s, 0, 1)->bytes_up, 2);
    assert_int_equal(series_at(&s, 1, 1)->bytes_up, 1);
    assert_int_equal(series_at(&s, 2, 1)->bytes_up, 0);
    assert_int_equal(series_at(&s, 3, 1)->bytes_up, 1);
    assert_int_equal(series_at(&s, 3, 0)->bytes_up, 0);
    series_free(&s);
}

static void points_double_when_there_are_too_many(void **state)
{
    struct series s;

    (void)state;
    series_init(&s, 2, 0);
    for (int64_t t = 0; t < 600; t++)
        count_one(&s, t * SECOND);
    assert_int_equal(s.len, 600);
    assert_int_equal(s.interval_ns, SECOND);
    count_one(&s, 600 * SECOND);
    assert_int_equal(s.interval_ns, 2 * SECOND);
    assert_int_equal(s.len, 301);
    assert_int_equal(series_at(&s, 0, 1)->bytes_up, 2);
    assert_int_equal(series_at(&s, 299, 1)->bytes_up, 2);
    assert_int_equal(series_at(&s, 300, 1)->bytes_up, 1);
    series_free(&s);
}

static void nothing_is_lost_by_leaps_of_time(void **state)
{
    static const int64_t times[] = {
        0, 5, 3 * SECOND, 86400 * SECOND, 86400 * SECOND + 1, INT64_MAX / 2, INT64_MAX};
    struct series s;

    (void)state;
    series_init(&s, 2, 0);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        count_one(&s, times[i]);
    assert_true(s.len <= SERIES_POINTS);
    assert_int_equal(sum_of(&s), 7);
    series_free(&s);
}

static void an_interval_that_was_asked_for_stays_and_the_series_ends(void **state)
{
    struct series s;

    (void)state;
    series_init(&s, 2, SECOND / 10);
    count_one(&s, 0);
    count_one(&s, 100 * SECOND);
    assert_int_equal(s.len, 1001);
    assert_false(s.full);
    count_one(&s, 10000 * SECOND);
    count_one(&s, 20000 * SECOND);
    assert_int_equal(s.interval_ns, SECOND / 10);
    assert_int_equal(s.len, SERIES_POINTS_ASKED);
    assert_true(s.full);
    assert_int_equal(sum_of(&s), 2);
    series_free(&s);
}

static void time_that_goes_back_stays_in_the_current_point(void **state)
{
    struct series s;

    (void)state;
    series_init(&s, 2, 0);
    count_one(&s, 5 * SECOND);
    count_one(&s, 2 * SECOND);
    assert_int_equal(series_at(&s, 5, 1)->bytes_up, 2);
    series_free(&s);
}

static void very_many_wans_have_shorter_series(void **state)
{
    struct series s;

    (void)state;
    series_init(&s, 65000, 0);
    for (int64_t t = 0; t < 3000; t += 7)
        count_one(&s, t * SECOND);
    assert_true(s.len * s.wans_len <= SERIES_CELLS);
    assert_int_equal(sum_of(&s), 429);
    series_free(&s);
}

/* From 0.5 s to 3.5 s: a sixth, a third, a third, a sixth. Sums are to the nearest. */
static void what_is_spread_goes_to_its_points_in_proportion(void **state)
{
    static const struct {
        uint64_t bytes, want[4];
    } rows[] = {
        {6000, {1000, 2000, 2000, 1000}},
        {6, {1, 2, 2, 1}},
        {2, {0, 1, 1, 0}}, /* up to each point's end 0.33, 1, 1.67, 2 */
        {8, {1, 3, 3, 1}}, /* 1.33, 4, 6.67, 8 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct series_cell what = {.bytes_up = rows[i].bytes};
        struct series s;

        series_init(&s, 2, SECOND);
        series_advance(&s, 3 * SECOND + SECOND / 2);
        series_spread(&s, 1, SECOND / 2, 3 * SECOND + SECOND / 2, &what);
        series_settle(&s);
        for (size_t k = 0; k < 4; k++)
            if (series_at(&s, k, 1)->bytes_up != rows[i].want[k])
                fail_msg("%llu bytes: point %zu has %llu", (unsigned long long)rows[i].bytes,
                         k, (unsigned long long)series_at(&s, k, 1)->bytes_up);
        series_free(&s);
    }
}

static void nothing_that_is_spread_is_lost(void **state)
{
    uint64_t all = 0;
    struct series s;

    (void)state;
    series_init(&s, 2, 0);
    for (int64_t t = 1; t < 5000; t++) {
        const struct series_cell what = {.bytes_up = (uint64_t)(t * 7 % 1000)};

        all += what.bytes_up;
        series_advance(&s, t * SECOND);
        series_spread(&s, 1, t * 3 / 4 * SECOND + 17, t * SECOND, &what);
    }
    series_settle(&s);
    assert_int_equal(sum_of(&s), all);
    series_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_holds_its_beginning_and_not_its_end),
        cmocka_unit_test(points_double_when_there_are_too_many),
        cmocka_unit_test(nothing_is_lost_by_leaps_of_time),
        cmocka_unit_test(an_interval_that_was_asked_for_stays_and_the_series_ends),
        cmocka_unit_test(time_that_goes_back_stays_in_the_current_point),
        cmocka_unit_test(very_many_wans_have_shorter_series),
        cmocka_unit_test(what_is_spread_goes_to_its_points_in_proportion),
        cmocka_unit_test(nothing_that_is_spread_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
