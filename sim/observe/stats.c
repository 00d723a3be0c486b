#include "sim/observe/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { GAMMA_STEPS_MAX = 100000, STIRLING_FROM = 20 };

static const double GAMMA_TINY = 1e-300, GAMMA_PRECISION = 1e-15;

double stats_sum(const double *x, size_t n)
{
    double sum = 0, lost = 0;

    for (size_t i = 0; i < n; i++) {
        const double next = sum + x[i];

        lost += fabs(sum) >= fabs(x[i]) ? sum - next + x[i] : x[i] - next + sum;
        sum = next;
    }
    return sum + lost;
}

double stats_jain(const double *x, size_t n)
{
    double squares = 0;
    const double sum = stats_sum(x, n);

    for (size_t i = 0; i < n; i++)
        squares += x[i] * x[i];
    return squares > 0 ? sum * sum / ((double)n * squares) : 1;
}

double stats_cv(const double *x, size_t n)
{
    const double sum = stats_sum(x, n);
    double deviations = 0;

    if (!(sum > 0))
        return 0;
    for (size_t i = 0; i < n; i++) {
        const double d = x[i] - sum / (double)n;

        deviations += d * d;
    }
    return sqrt(deviations / (double)n) / (sum / (double)n);
}

double stats_max_over_mean(const double *x, size_t n)
{
    const double sum = stats_sum(x, n);
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, x[i]);
    return sum > 0 ? most * (double)n / sum : 1;
}

/* ------------------------------------------------------------------------- chi-square */

/* ln Gamma(a), a > 0: Stirling's series where it is good, and Gamma(a) = Gamma(a + 1) / a
 * to get there. */
static double log_gamma(double a)
{
    static const double half_log_2_pi = 0.91893853320467274178;
    double product = 1, inverse;

    for (; a < STIRLING_FROM; a++)
        product *= a;
    inverse = 1 / (a * a);
    return (a - 0.5) * log(a) - a + half_log_2_pi - log(product) +
           (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) /
               a;
}

/* P(a, x) e^x Gamma(a) / x^a = sum over k of x^k / (a (a+1) ... (a+k)); good for x < a +
 * 1. */
static double lower_gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;

    for (int k = 1; k < GAMMA_STEPS_MAX && term > sum * GAMMA_PRECISION; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum;
}

/* Q(a, x) e^x Gamma(a) / x^a = 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...; for x >= a +
 * 1. */
static double upper_gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / GAMMA_TINY, d = 1 / b, h = d;

    for (int k = 1; k < GAMMA_STEPS_MAX; k++) {
        const double numerator = -k * (k - a);
        double step;

        b += 2;
        d = numerator * d + b;
        c = b + numerator / c;
        d = 1 / (fabs(d) < GAMMA_TINY ? GAMMA_TINY : d);
        c = fabs(c) < GAMMA_TINY ? GAMMA_TINY : c;
        step = d * c;
        h *= step;
        if (fabs(step - 1) < GAMMA_PRECISION)
            break;
    }
    return h;
}

double stats_round(double v)
{
    char text[32];

    snprintf(text, sizeof text, "%.5e", v);
    return strtod(text, NULL);
}

double stats_chi_square_survival(double x, double df)
{
    const double a = df / 2, half = x / 2;
    double scale, q;

    if (!(df > 0) || !(x > 0))
        return 1;
    scale = exp(a * log(half) - half - log_gamma(a));
    q = half < a + 1 ? 1 - scale * lower_gamma_series(a, half)
                     : scale * upper_gamma_fraction(a, half);
    return stats_round(fmin(1, fmax(0, q)));
}

/* ------------------------------------------------------------------------------ flows */

uint64_t stats_flows_needed(const double *p, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        if (p[i] > 0)
            most = fmax(most, 900 * (1 - p[i]) / p[i]);
    /* 900 * 2/3 * 3 is not to become 1801 because of how thirds are kept */
    return most < 1e18 ? (uint64_t)ceil(most - most * 1e-12) : UINT64_MAX / 2;
}

double stats_effective_flows(uint64_t sum, stats_u128 sum_of_squares)
{
    return sum_of_squares ? (double)sum * (double)sum / (double)sum_of_squares : 0;
}
