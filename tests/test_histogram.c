#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/random.h"
#include "sim/observe/histogram.h"
#include "tests/words.h"

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void small_values_are_exact(void **state)
{
    struct histogram h = {0};

    (void)state;
    for (uint64_t v = 0; v < 256; v++)
        histogram_add(&h, 255 - v);
    for (unsigned k = 1; k <= 1000;
         k++) /* 256 values, k/1000 of them: rank ceil(.256 k) */
        assert_int_equal(histogram_quantile(&h, k), (256 * k + 999) / 1000 - 1);
    assert_true(fabs(histogram_mean(&h) - 127.5) < 1e-12);
    histogram_free(&h);
}

/* Against the sorted values, whose magnitudes are spread over all powers of two. */
static void a_quantile_is_within_a_256th_of_the_value_at_its_rank(void **state)
{
    enum { VALUES = 20000 };
    static const unsigned quantiles[] = {0, 1, 10, 100, 500, 900, 950, 990, 999, 1000};
    struct random_stream s = random_stream_make(1, 1);
    uint64_t *values = mem_alloc(VALUES, sizeof *values);

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct histogram h = {0};

        for (unsigned i = 0; i < VALUES; i++) {
            values[i] = random_next(&s) >> random_below(&s, round % 2 ? 64 : 8);
            histogram_add(&h, values[i]);
        }
        qsort(values, VALUES, sizeof *values, compare);
        for (size_t q = 0; q < ARRAY_LEN(quantiles); q++) {
            const size_t rank = (size_t)(VALUES / 1000) * quantiles[q];
            const double due = (double)values[rank ? rank - 1 : 0];
            const double got = (double)histogram_quantile(&h, quantiles[q]);
            const double error = due > 0 ? fabs(got / due - 1) : got;

            if (error > 1. / 256)
                fail_msg("%u of 1000: %.0f, not %.0f", quantiles[q], got, due);
        }
        assert_int_equal(h.least, values[0]);
        assert_int_equal(h.greatest, values[VALUES - 1]);
        assert_true(histogram_quantile(&h, 1000) <= h.greatest);
        histogram_free(&h);
    }
    mem_free(values);
}

/* Each power of two, its neighbours, and the ends of the type. */
static void every_value_has_a_bucket(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int off = -1; off <= 1; off++) {
            const uint64_t value = (UINT64_C(1) << bit) + (uint64_t)(int64_t)off;
            struct histogram h = {0};

            histogram_add(&h, 0);
            histogram_add(&h, value);
            histogram_add(&h, UINT64_MAX);
            if (fabs((double)histogram_quantile(&h, 500) - (double)value) >
                    (double)value / 256 ||
                h.len > 128 * 60)
                fail_msg("%" PRIu64 ": %" PRIu64, value, histogram_quantile(&h, 500));
            histogram_free(&h);
        }
}

static void of_nothing_is_nothing(void **state)
{
    struct histogram h = {0}, other = {0};

    (void)state;
    assert_int_equal(histogram_quantile(&h, 990), 0);
    assert_true(histogram_mean(&h) <= 0);
    histogram_merge(&h, &other);
    assert_int_equal(h.count, 0);
    histogram_free(&h);
}

static void merged_is_as_if_added(void **state)
{
    struct random_stream s = random_stream_make(1, 2);
    struct histogram parts[3] = {{0}}, all = {0}, merged = {0};

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        const uint64_t value = random_next(&s) >> (14 + 16 * (i % 3));

        histogram_add(&parts[i % 3], value);
        histogram_add(&all, value);
    }
    for (unsigned i = 0; i < 3; i++)
        histogram_merge(&merged, &parts[i]);
    assert_int_equal(merged.count, all.count);
    assert_int_equal(merged.least, all.least);
    assert_int_equal(merged.greatest, all.greatest);
    for (unsigned k = 0; k <= 1000; k++)
        assert_int_equal(histogram_quantile(&merged, k), histogram_quantile(&all, k));
    for (unsigned i = 0; i < 3; i++)
        histogram_free(&parts[i]);
    histogram_free(&all);
    histogram_free(&merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(a_quantile_is_within_a_256th_of_the_value_at_its_rank),
        cmocka_unit_test(every_value_has_a_bucket),
        cmocka_unit_test(of_nothing_is_nothing),
        cmocka_unit_test(merged_is_as_if_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
