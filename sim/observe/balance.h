/*
 * balance - is a split as even as the weights promise, or is it chance
 *
 * Given what each path got and what was promised to it, in the same unit:
 *
 *     x_i = observed_i / expected_i            over the paths with a promise
 *     jain, cv, max_over_mean                  of the x_i: 1, 0, 1 is exactly as promised
 *     X2 = K sum (o_i - p_i)^2 / p_i           o_i, p_i the shares of all
 *     p_value = P(chi-square, paths - 1 degrees of freedom, is at least X2)
 *
 * K is the number of independent choices: the flows; for bytes the effective flows 1 /
 * HHI, because a few large flows split as unevenly as few flows do.
 *
 * Source: Pearson's test; for bytes, var(share_i) = p_i (1 - p_i) HHI under honest
 * hashing.
 */
#ifndef ECMPLAB_BALANCE_H
#define ECMPLAB_BALANCE_H

#include <stdbool.h>

#include "sim/observe/stats.h"

enum { BALANCE_VERDICT_MAX = 64 };

struct balance {
    double jain, max_over_mean, cv, p_value;
    uint64_t flows_needed;
    char verdict[BALANCE_VERDICT_MAX];
};

/*
 * Paths with expected[i] = 0 do not count. `choices` is K. False when nothing was
 * observed or fewer than two paths were promised anything: there is nothing to judge.
 *
 * verdict, the first that holds:
 *   1. "too few flows to tell"   the least promised path expects fewer than 5 choices
 *   2. "uneven (p = 0.003)"      p_value < 0.05
 *   3. "too few flows to tell"   choices < flows_needed
 *   4. "even for 2400 flows"
 */
bool balance_judge(const double *observed, const double *expected, size_t n,
                   double choices, struct balance *b);

#endif
