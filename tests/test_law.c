#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "sim/traffic/law.h"
#include "tests/routers.h"

#define ANY .at_least = 0, .at_most = LAW_VALUE_MAX

static const struct law *named(const char *name)
{
    for (size_t i = 0; i < LAWS_NAMED; i++)
        if (strcmp(laws_named[i].name, name) == 0)
            return &laws_named[i].law;
    fail_msg("no law %s", name);
    return NULL;
}

/* The part of n draws that is at most x. */
static double share_up_to(const struct law *l, double x, unsigned n)
{
    struct random_stream s = random_stream_make(11, 1);
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += (double)law_draw(l, &s) <= x;
    return (double)count / n;
}

/* Distribution functions by arithmetic; four standard deviations of a binomial share. */
static void laws_have_their_distribution_functions(void **state)
{
    enum { DRAWS = 200000 };
    static const struct law_part weibull = {1, LAW_WEIBULL, 2, 0, 1e6};
    static const struct law_part general = {1, LAW_GENERAL_PARETO, 0.5, 64, 1e6};
    static const struct law_part both[] = {{0.25, LAW_WEIBULL, 2, 0, 1e6},
                                           {0.75, LAW_WEIBULL, 2, 1e7, 1e6}};
    static const struct law_point points[] = {{1e6, .5}, {2e6, .5}, {3e6, 1}};
    static const struct law_point step[] = {{1e6, 0}, {1e6, .3}, {2e6, 1}};
    static const struct {
        const char *what;
        struct law law;
        double x, share;
    } rows[] = {
        {"uniform, middle", {.kind = LAW_UNIFORM, .a = 1e6, .b = 3e6, ANY}, 2e6, .5},
        {"uniform, two values", {.kind = LAW_UNIFORM, .a = 7, .b = 8, ANY}, 7, .5},
        {"exponential, mean", {.kind = LAW_EXPONENTIAL, .a = 1e6, ANY}, 1e6, .632121},
        {"exponential, median", {.kind = LAW_EXPONENTIAL, .a = 1e6, ANY}, 693147, .5},
        {"pareto", {.kind = LAW_PARETO, .a = 1.5, .b = 1e6, ANY}, 2e6, .646447},
        {"pareto, bounded",
         {.kind = LAW_PARETO, .a = 1.5, .b = 1e6, .c = 4e6, ANY},
         2e6,
         .738796},
        {"lognormal, median", {.kind = LAW_LOGNORMAL, .a = 1e6, .b = 1.5, ANY}, 1e6, .5},
        {"lognormal, one sigma",
         {.kind = LAW_LOGNORMAL, .a = 1e6, .b = 1.5, ANY},
         4481689,
         .841345},
        {"lognormal, minus two",
         {.kind = LAW_LOGNORMAL, .a = 1e6, .b = 1.5, ANY},
         49787,
         .022750},
        {"cdf, from 0", {.kind = LAW_CDF, .points = points, .len = 3, ANY}, 5e5, .25},
        {"cdf, a gap", {.kind = LAW_CDF, .points = points, .len = 3, ANY}, 1999999, .5},
        {"cdf, end", {.kind = LAW_CDF, .points = points, .len = 3, ANY}, 25e5, .75},
        {"cdf, a step", {.kind = LAW_CDF, .points = step, .len = 3, ANY}, 1e6, .3},
        {"weibull",
         {.kind = LAW_MIXTURE, .parts = &weibull, .len = 1, ANY},
         1e6,
         .632121},
        {"general pareto",
         {.kind = LAW_MIXTURE, .parts = &general, .len = 1, ANY},
         1000064,
         .555556},
        {"mixture", {.kind = LAW_MIXTURE, .parts = both, .len = 2, ANY}, 9e6, .25},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const double p = rows[i].share, got = share_up_to(&rows[i].law, rows[i].x, DRAWS);

        if (fabs(got - p) > 4 * sqrt(p * (1 - p) / DRAWS))
            fail_msg("%s: %.5f, not %.5f", rows[i].what, got, p);
    }
}

/*
 * The five empirical laws: mean and c^2 = variance / mean^2 by integrating straight lines between
 * published points, as printed where they are compared; and the mean of draws, within four
 * standard deviations.
 */
static void empirical_laws_have_their_published_moments(void **state)
{
    enum { DRAWS = 1000000 };
    static const struct {
        const char *name;
        double mean, mean_digits, c2, c2_digits;
    } rows[] = {
        {"web-search", 1711250, .5, 5.372, .0005},
        {"data-mining", 12658199, .5, 45.83, .005},
        {"key-value", 342.2, .05, 53.05, .005},
        {"hadoop", 120421, .5, 30.93, .01}, /* 30.9249 */
        {"storage", 40870, .5, 22.02, .005},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct law *l = named(rows[i].name);
        struct random_stream s = random_stream_make(5, i);
        double mean = 0, square = 0, sum = 0;

        for (size_t k = 1; k < l->len; k++) {
            const struct law_point a = l->points[k - 1], b = l->points[k];

            mean += (b.share - a.share) * (a.value + b.value) / 2;
            square += (b.share - a.share) *
                      (a.value * a.value + a.value * b.value + b.value * b.value) / 3;
        }
        for (int k = 0; k < DRAWS; k++)
            sum += (double)law_draw(l, &s);
        if (fabs(mean - rows[i].mean) > rows[i].mean_digits)
            fail_msg("%s: mean %.2f, not %.2f", rows[i].name, mean, rows[i].mean);
        if (fabs(square / mean / mean - 1 - rows[i].c2) > rows[i].c2_digits)
            fail_msg("%s: c2 %.4f", rows[i].name, square / mean / mean - 1);
        if (fabs(sum / DRAWS / mean - 1) > 4 * sqrt(rows[i].c2 / DRAWS))
            fail_msg("%s: draws have mean %.2f, not %.2f", rows[i].name, sum / DRAWS,
                     mean);
    }
}

/*
 * Against the shares measured over 4.03e9 flows (agh_201506, histograms/size). The mixture is a
 * fit of them, of three parts: it keeps within 3.3 points below 1000 bytes, 0.4 points above.
 * Sampling adds at most four standard deviations.
 */
static void internet_access_is_as_measured_but_for_its_fit(void **state)
{
    enum { DRAWS = 400000 };
    static const struct {
        double bytes, percent;
    } rows[] = {
        {100, 22.053},     {128, 32.338},    {200, 52.193},    {256, 56.871},
        {400, 67.395},     {512, 71.110},    {1000, 78.819},   {1500, 82.609},
        {2048, 85.187},    {4096, 89.730},   {10000, 94.100},  {32768, 96.953},
        {65536, 97.940},   {100000, 98.403}, {262144, 99.101}, {1000000, 99.605},
        {4000000, 99.843}, {1e7, 99.917},    {1e8, 99.988},    {1e9, 99.9997},
    };
    const struct law *l = named("internet-access");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const double p = rows[i].percent / 100, fit = rows[i].bytes < 1000 ? .033 : .004;
        const double got = share_up_to(l, rows[i].bytes, DRAWS);

        if (fabs(got - p) > fit + 4 * sqrt(p * (1 - p) / DRAWS))
            fail_msg("up to %.0f bytes: %.4f, not %.4f", rows[i].bytes, got, p);
    }
}

static void draws_are_rounded_and_capped(void **state)
{
    static const struct {
        struct law law;
        int64_t draw;
    } rows[] = {
        {{.kind = LAW_CONSTANT, .a = 41.5, ANY}, 42},
        {{.kind = LAW_CONSTANT, .a = 41, .at_least = 50, .at_most = 60}, 50},
        {{.kind = LAW_CONSTANT, .a = 61, .at_least = 50, .at_most = 60}, 60},
        {{.kind = LAW_PARETO, .a = .01, .b = 1e9, .at_least = 1, .at_most = 10}, 10},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct random_stream s = random_stream_make(1, 1);

        assert_int_equal(law_draw(&rows[i].law, &s), rows[i].draw);
    }
}

/* So that another law leaves all later draws where they were. */
static void every_law_takes_as_many_numbers_of_its_stream(void **state)
{
    static const struct law laws[] = {
        {.kind = LAW_CONSTANT, .a = 1, ANY},
        {.kind = LAW_PARETO, .a = 1, .b = 1, ANY},
        {.kind = LAW_LOGNORMAL, .a = 1, .b = 1, ANY},
    };
    struct random_stream expected = random_stream_make(1, 1);

    (void)state;
    law_draw(named("internet-access"), &expected);
    for (size_t i = 0; i < ARRAY_LEN(laws); i++) {
        struct random_stream s = random_stream_make(1, 1);

        law_draw(&laws[i], &s);
        assert_true(s.state == expected.state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laws_have_their_distribution_functions),
        cmocka_unit_test(empirical_laws_have_their_published_moments),
        cmocka_unit_test(internet_access_is_as_measured_but_for_its_fit),
        cmocka_unit_test(draws_are_rounded_and_capped),
        cmocka_unit_test(every_law_takes_as_many_numbers_of_its_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
