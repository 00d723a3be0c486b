#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "sim/observe/stats.h"

/* By hand: {3, 1} has mean 2, deviations 1 and 1: cv 1/2, Jain 16 / 20. */
static void known_splits_have_their_indices(void **state)
{
    static const struct {
        double x[5];
        size_t n;
        double jain, cv, max_over_mean;
    } rows[] = {
        {{3, 1}, 2, .8, .5, 1.5},
        {{100, 20}, 2, .692308, .666667, 1.666667},
        {{10, 5, 1}, 3, .677249, .690335, 1.875},
        {{4, 0, 0, 0}, 4, .25, 1.732051, 4},
        {{1, 2, 3, 4, 5}, 5, .818182, .471405, 1.666667},
        {{7, 7, 7}, 3, 1, 0, 1},
        {{0, 0}, 2, 1, 0, 1},
        {{0}, 0, 1, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double jain = stats_jain(rows[i].x, rows[i].n),
                     cv = stats_cv(rows[i].x, rows[i].n);
        const double most = stats_max_over_mean(rows[i].x, rows[i].n);

        if (fabs(jain - rows[i].jain) > 1e-6 || fabs(cv - rows[i].cv) > 1e-6 ||
            fabs(most - rows[i].max_over_mean) > 1e-6)
            fail_msg("row %zu: jain %.7f cv %.7f max/mean %.7f", i, jain, cv, most);
        if (fabs(jain - 1 / (1 + cv * cv)) > 1e-12)
            fail_msg("row %zu: jain is not 1 / (1 + cv^2)", i);
    }
}

/* Critical values of the usual tables, to their last digit. */
static void chi_square_survival_agrees_with_the_tables(void **state)
{
    static const struct {
        double x;
        unsigned df;
        double q;
    } rows[] = {
        {3.841, 1, .05},      {6.635, 1, .01},       {10.828, 1, .001},
        {0.0039321, 1, .95},  {5.991, 2, .05},       {7.815, 3, .05},
        {11.345, 3, .01},     {18.307, 10, .05},     {3.940, 10, .95},
        {29.588, 10, .001},   {43.773, 30, .05},     {124.342, 100, .05},
        {149.449, 100, .001}, {1074.679, 1000, .05},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double q = stats_chi_square_survival(rows[i].x, rows[i].df);

        if (fabs(q - rows[i].q) > 2e-4 * fmin(1, 10 * rows[i].q))
            fail_msg("Q(%g, %u) = %g, not %g", rows[i].x, rows[i].df, q, rows[i].q);
    }
}

/* Closed forms: df 2 is exp(-x/2), df 1 is erfc(sqrt(x/2)), df 4 is exp(-x/2)(1 +
 * x/2). */
static void chi_square_survival_agrees_with_closed_forms(void **state)
{
    (void)state;
    for (double x = 0.125; x < 200; x *= 1.5) {
        const double exact[] = {erfc(sqrt(x / 2)), exp(-x / 2),
                                exp(-x / 2) * (1 + x / 2)};
        const double got[] = {stats_chi_square_survival(x, 1),
                              stats_chi_square_survival(x, 2),
                              stats_chi_square_survival(x, 4)};

        for (int i = 0; i < 3; i++)
            if (fabs(got[i] - exact[i]) > 6e-6 * exact[i])
                fail_msg("x = %g, form %d: %.9g, not %.9g", x, i, got[i], exact[i]);
    }
}

/* DLMF 8.8.6: Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1), from a = df / 2. */
static void degrees_of_freedom_need_not_be_whole(void **state)
{
    static const double dfs[] = {0.3, 0.75, 1.62, 2.5, 7.1, 38.4, 45.2, 250.9};

    (void)state;
    for (size_t i = 0; i < sizeof dfs / sizeof dfs[0]; i++)
        for (double x = 0.2; x < 300; x *= 1.7) {
            const double a = dfs[i] / 2, got = stats_chi_square_survival(x, dfs[i]);
            const double next = stats_chi_square_survival(x, dfs[i] + 2);
            const double step = exp(a * log(x / 2) - x / 2 - lgamma(a + 1));

            if (fabs(next - got - step) > 6e-6 * next)
                fail_msg("df %g, x %g: %.8g + %.8g, not %.8g", dfs[i], x, got, step,
                         next);
        }
}

static void chi_square_survival_knows_its_ends(void **state)
{
    (void)state;
    assert_true(fabs(stats_chi_square_survival(5, 0) - 1) <= 0);
    assert_true(fabs(stats_chi_square_survival(0, 3) - 1) <= 0);
    assert_true(fabs(stats_chi_square_survival(-1, 3) - 1) <= 0);
    assert_true(fabs(stats_chi_square_survival(1e6, 3)) <= 0);
    assert_true(fabs(stats_chi_square_survival(INFINITY, 2)) <= 0);
    assert_true(stats_chi_square_survival(1, 60000) > 0.999999);
}

/* 900 (1 - p) / p: a half 900, a third 1800, a tenth 8100; the smallest share decides. */
static void flows_needed_follow_the_smallest_share(void **state)
{
    static const struct {
        double p[3];
        size_t n;
        uint64_t flows;
    } rows[] = {
        {{.5, .5}, 2, 900},  {{1.0 / 3, 1.0 / 3, 1.0 / 3}, 3, 1800},
        {{.9, .1}, 2, 8100}, {{5.0 / 6, 1.0 / 6}, 2, 4500},
        {{1}, 1, 0},         {{1, 0}, 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (stats_flows_needed(rows[i].p, rows[i].n) != rows[i].flows)
            fail_msg("row %zu: %llu", i,
                     (unsigned long long)stats_flows_needed(rows[i].p, rows[i].n));
}

/* {1, 1, 1, 1}: 16 / 4; {3, 1}: 16 / 10; 2^40 twice does not overflow. */
static void effective_flows_are_the_inverse_of_hhi(void **state)
{
    const uint64_t big = UINT64_C(1) << 40;

    (void)state;
    assert_true(fabs(stats_effective_flows(4, 4) - 4) <= 0);
    assert_true(fabs(stats_effective_flows(4, 10) - 1.6) < 1e-12);
    assert_true(fabs(stats_effective_flows(0, 0)) <= 0);
    assert_true(fabs(stats_effective_flows(2 * big, (stats_u128)big * big * 2) - 2) <
                1e-12);
}

/* 1e16 + 1 + ... + 1 - 1e16: plain addition loses every 1. */
static void sums_lose_nothing(void **state)
{
    static const double x[] = {1e16, 1, 1, 1, 1, -1e16};

    (void)state;
    assert_true(fabs(stats_sum(x, 6) - 4) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_splits_have_their_indices),
        cmocka_unit_test(chi_square_survival_agrees_with_the_tables),
        cmocka_unit_test(chi_square_survival_agrees_with_closed_forms),
        cmocka_unit_test(degrees_of_freedom_need_not_be_whole),
        cmocka_unit_test(chi_square_survival_knows_its_ends),
        cmocka_unit_test(flows_needed_follow_the_smallest_share),
        cmocka_unit_test(effective_flows_are_the_inverse_of_hhi),
        cmocka_unit_test(sums_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
