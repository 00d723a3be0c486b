/*
 * chance - how likely is so uneven a split under honest hashing
 *
 * Choices of sizes s, each free to fall on path i with its own promise p_i, have put O_i on
 * path i where E_i were expected. What is judged is Pearson's statistic
 *
 *     X2 = sum (O_i - E_i)^2 / E_i
 *
 * against its law when every choice falls by its promise alone:
 *
 *     exact     all sizes are one, all promises equal, and there are at most
 *               CHANCE_SPLITS_MAX ways to split: the multinomial probability of all
 *               splits with an X2 at least as large
 *     moments   else: g chi-square(h), with g and h such that mean and variance are those
 *               that the choices' measured moments give (Satterthwaite)
 *
 * With C the covariance of one choice of size 1, diag(p) - p p', and A = diag(1 / E), sums
 * over the promises, S2 and S4 the sums of s^2 and s^4 under each:
 *
 *     mean      sum S2 tr(A C)
 *     variance  2 tr((A sum S2 C)^2) + sum S4 (var(q) - 2 tr((A C)^2))
 *     q         sum over i of (1{falls on i} - p_i)^2 / E_i
 *
 * Both are exact. For K choices of size 1 and one promise they are n - 1 and Haldane's
 * 2 (n - 1) + (sum 1/p - n^2 - 2n + 2) / K; for a K without bound the law is Pearson's
 * chi-square with n - 1 degrees of freedom.
 *
 * Error of the moments way, measured (tests/test_chance.c): of 1000 flows with sizes of a
 * bounded Pareto law (exponent 1.2, 1 to 10000) over three paths, 5.0 % have p <= 0.05 and
 * 1 % have p <= 0.01, each to within a fifth of itself.
 *
 * Sources: Pearson 1900; J. B. S. Haldane, Biometrika 29 (1937), the variance; F. E.
 * Satterthwaite, Biometrics 2 (1946), the fit by two moments.
 */
#ifndef ECMPLAB_CHANCE_H
#define ECMPLAB_CHANCE_H

#include <stdbool.h>
#include <stddef.h>

enum { CHANCE_SPLITS_MAX = 20000, CHANCE_PATHS_MAX = 256 };

/* Choices that were promised the same. */
struct chance_group {
    const double *shares;    /* of each path: they sum to 1 */
    double squares, fourths; /* sums of size^2 and of size^4 */
};

struct chance {
    const double *observed, *expected; /* paths with expected[i] = 0 do not count */
    size_t paths_len;
    const struct chance_group *groups;
    size_t groups_len;
    bool unit; /* every size is 1 */
};

/*
 * Six significant digits. *exact: by counting the splits. 1 when nothing can be uneven; no
 * number (NAN) when more than CHANCE_PATHS_MAX paths count.
 */
double chance_p_value(const struct chance *c, bool *exact);

#endif
