#include "sim/observe/balance.h"

#include <math.h>
#include <stdio.h>

#include "core/memory.h"

enum { EXPECTED_MIN = 5 };

static const double SIGNIFICANT = 0.05;

static void write_verdict(struct balance *b, double least_expected, double choices)
{
    static const char too_few[] = "too few flows to tell";

    if (least_expected < EXPECTED_MIN)
        snprintf(b->verdict, sizeof b->verdict, "%s", too_few);
    else if (b->p_value < SIGNIFICANT)
        snprintf(b->verdict, sizeof b->verdict, "uneven (p = %.2g)", b->p_value);
    else if (choices < (double)b->flows_needed)
        snprintf(b->verdict, sizeof b->verdict, "%s", too_few);
    else
        snprintf(b->verdict, sizeof b->verdict, "even for %.0f flows", floor(choices));
}

/* `x` and `p` have room for n; `k` of them are used. */
static bool judge(const double *observed, const double *expected, size_t n,
                  double choices, double *x, double *p, struct balance *b)
{
    const double promised = stats_sum(expected, n);
    double got = 0, chi_square = 0, least = INFINITY;
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        got += expected[i] > 0 ? observed[i] : 0;
    if (!(got > 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        double off;

        if (!(expected[i] > 0))
            continue;
        x[k] = observed[i] / expected[i];
        p[k] = expected[i] / promised;
        off = observed[i] / got - p[k];
        chi_square += choices * off * off / p[k];
        least = fmin(least, choices * p[k]);
        k++;
    }
    if (k < 2)
        return false;
    b->jain = stats_jain(x, k);
    b->max_over_mean = stats_max_over_mean(x, k);
    b->cv = stats_cv(x, k);
    b->p_value = stats_chi_square_survival(chi_square, (unsigned)k - 1);
    b->flows_needed = stats_flows_needed(p, k);
    write_verdict(b, least, choices);
    return true;
}

bool balance_judge(const double *observed, const double *expected, size_t n,
                   double choices, struct balance *b)
{
    double *room = mem_alloc(2 * n, sizeof *room);
    const bool judged = judge(observed, expected, n, choices, room, room + n, b);

    mem_free(room);
    return judged;
}
