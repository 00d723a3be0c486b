#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/random.h"
#include "sim/observe/chance.h"

static double p_of(const double *observed, const double *expected, size_t n,
                   const struct chance_group *groups, size_t groups_len, bool unit,
                   bool *exact)
{
    const struct chance c = {observed, expected, n, groups, groups_len, unit};

    return chance_p_value(&c, exact);
}

/*
 * Two paths of a half: sums of binomials. 60 of 100: 2 sum over k >= 60 of (100 over k) /
 * 2^100 = .0568879. 4 of 4: 2 / 16. Three of a third, all 12 on one: 3 / 3^12. Weights 1:3,
 * 2 of 2 on the quarter: only that split is as uneven, 1 / 16.
 */
static void few_flows_are_judged_by_counting(void **state)
{
    static const struct {
        const char *when;
        double observed[3], shares[3];
        size_t n;
        double p;
    } rows[] = {
        {"60 of 100", {60, 40}, {.5, .5}, 2, .0568879},
        {"4 of 4", {4, 0}, {.5, .5}, 2, .125},
        {"2 of 4", {2, 2}, {.5, .5}, 2, 1},
        {"12 of 12 on one of three",
         {0, 12, 0},
         {1. / 3, 1. / 3, 1. / 3},
         3,
         3 / 531441.},
        {"2 of 2 on a quarter", {2, 0}, {.25, .75}, 2, .0625},
        {"a path without a promise", {4, 0, 0}, {.5, 0, .5}, 3, .125},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double k = rows[i].observed[0] + rows[i].observed[1] + rows[i].observed[2];
        const struct chance_group g = {rows[i].shares, k, k};
        double expected[3], p;
        bool exact;

        for (size_t w = 0; w < 3; w++)
            expected[w] = k * rows[i].shares[w];
        p = p_of(rows[i].observed, expected, rows[i].n, &g, 1, true, &exact);
        if (!exact || fabs(p - rows[i].p) > 1e-5 * rows[i].p)
            fail_msg("%s: p = %.7g (exact: %d), not %.7g", rows[i].when, p, exact,
                     rows[i].p);
    }
}

/* A million on three paths: Pearson's law at two degrees of freedom says exp(-X2 / 2). */
static void many_flows_follow_chi_square(void **state)
{
    static const double shares[] = {1. / 3, 1. / 3, 1. / 3};
    static const double observed[] = {333933, 333333, 332734};
    const double k = observed[0] + observed[1] + observed[2];
    const double expected[] = {k / 3, k / 3, k / 3};
    const struct chance_group g = {shares, k, k};
    double x2 = 0, p;
    bool exact;

    (void)state;
    for (int i = 0; i < 3; i++)
        x2 += (observed[i] - k / 3) * (observed[i] - k / 3) / (k / 3);
    p = p_of(observed, expected, 3, &g, 1, true, &exact);
    assert_false(exact);
    if (fabs(log(p) + x2 / 2) > 1e-4)
        fail_msg("ln p = %g, not %g", log(p), -x2 / 2);
}

/* The first promise gives a path 9 of 10, the second 1 of 10: together a half each. 50 flows
 * of each fall within 5 +- 2 of what each promises; 15 off is seven standard deviations of
 * sqrt(100 * .09) = 3, and three of the sqrt(100 * .25) = 5 that one promise would have. */
static void each_flow_is_held_to_its_own_promise(void **state)
{
    static const double first[] = {.9, .1}, second[] = {.1, .9};
    static const double observed[] = {65, 35}, expected[] = {50, 50};
    const struct chance_group g[] = {{first, 50, 50}, {second, 50, 50}};
    bool exact;
    const double p = p_of(observed, expected, 2, g, 2, true, &exact);

    (void)state;
    assert_false(exact);
    if (p > 1e-5 || p < 1e-8) /* erfc(5 / sqrt(2)) = 5.7e-7 */
        fail_msg("p = %g", p);
}

/* One flow is as uneven as one flow always is; one path is no choice. */
static void what_cannot_be_even_is_not_uneven(void **state)
{
    static const double halves[] = {.5, .5}, observed[] = {7e9, 0},
                        expected[] = {3.5e9, 3.5e9};
    const struct chance_group one = {halves, 49e18, 2401e36};
    bool exact;

    (void)state;
    assert_true(p_of(observed, expected, 2, &one, 1, false, &exact) >= 1);
    assert_true(p_of(observed, expected, 1, &one, 1, false, &exact) >= 1);
}

static void too_many_paths_have_no_figure(void **state)
{
    double observed[CHANCE_PATHS_MAX + 1], expected[CHANCE_PATHS_MAX + 1];
    const struct chance_group g = {expected, 1, 1};
    bool exact;

    (void)state;
    for (size_t i = 0; i <= CHANCE_PATHS_MAX; i++)
        observed[i] = expected[i] = 1.0 / (CHANCE_PATHS_MAX + 1);
    assert_true(
        isnan(p_of(observed, expected, CHANCE_PATHS_MAX + 1, &g, 1, true, &exact)));
}

/* ------------------------------------------------------------------------ Monte Carlo */

/* Sizes of a bounded Pareto law (1 to 10000), by the inverse of its distribution. */
static double pareto(struct random_stream *r, double exponent)
{
    const double u = (double)(random_next(r) >> 11) / 9007199254740992.0;
    const double least = pow(1e4, -exponent);

    return floor(pow(1 - u * (1 - least), -1 / exponent) * 100);
}

static size_t fall(struct random_stream *r, const double *shares, size_t n)
{
    double u = (double)(random_next(r) >> 11) / 9007199254740992.0;
    size_t i = 0;

    for (; i + 1 < n && u >= shares[i]; i++)
        u -= shares[i];
    return i;
}

enum { TRIALS = 4000, FLOWS_MOST = 1000 };

/* How often honest hashing of flows with these sizes has a p of at most `level`. */
static double rate(struct random_stream *r, const double *shares, size_t n,
                   unsigned flows, double exponent, double level)
{
    unsigned found = 0;

    for (unsigned t = 0; t < TRIALS; t++) {
        double observed[4] = {0}, expected[4] = {0}, sum = 0;
        struct chance_group g = {shares, 0, 0};
        bool exact;

        for (unsigned f = 0; f < flows; f++) {
            const double s = exponent > 0 ? pareto(r, exponent) : 1;

            observed[fall(r, shares, n)] += s;
            sum += s;
            g.squares += s * s;
            g.fourths += s * s * s * s;
        }
        for (size_t i = 0; i < n; i++)
            expected[i] = sum * shares[i];
        found += p_of(observed, expected, n, &g, 1, exponent <= 0, &exact) <= level;
    }
    return (double)found / TRIALS;
}

/*
 * What has a p of at most 5 % (1 %) happens in 5 % (1 %) of honest runs: within the error
 * of so many trials (four standard deviations) and that of the approximation, a fifth (a
 * half at 1 %).
 */
static void a_p_value_comes_as_often_as_it_says(void **state)
{
    static const struct {
        const char *when;
        double shares[4];
        size_t n;
        unsigned flows;
        double exponent; /* 0: equal flows */
    } rows[] = {
        {"1000 equal flows, 3 paths", {1. / 3, 1. / 3, 1. / 3}, 3, 1000, 0},
        {"100 equal flows, 4 paths", {.25, .25, .25, .25}, 4, 100, 0},
        {"1000 heavy-tailed flows, 3 paths", {1. / 3, 1. / 3, 1. / 3}, 3, 1000, 1.2},
        {"1000 heavy-tailed flows, 5:1", {5. / 6, 1. / 6}, 2, 1000, 1.5},
        {"300 heavy-tailed flows, 2 paths", {.5, .5}, 2, 300, 1.2},
        {"200 of little tail, 4 paths", {.25, .25, .25, .25}, 4, 200, 2.5},
    };
    static const double levels[] = {.05, .01}, slack[] = {.2, .5};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t l = 0; l < 2; l++) {
            struct random_stream r = random_stream_make(20261, i * 2 + l);
            const double got = rate(&r, rows[i].shares, rows[i].n, rows[i].flows,
                                    rows[i].exponent, levels[l]);
            const double error = 4 * sqrt(levels[l] * (1 - levels[l]) / TRIALS);

            print_message("%s: p <= %g in %.4f\n", rows[i].when, levels[l], got);
            if (fabs(got - levels[l]) > error + slack[l] * levels[l])
                fail_msg("%s: p <= %g in %.4f of the runs", rows[i].when, levels[l], got);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_flows_are_judged_by_counting),
        cmocka_unit_test(many_flows_follow_chi_square),
        cmocka_unit_test(each_flow_is_held_to_its_own_promise),
        cmocka_unit_test(what_cannot_be_even_is_not_uneven),
        cmocka_unit_test(too_many_paths_have_no_figure),
        cmocka_unit_test(a_p_value_comes_as_often_as_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
