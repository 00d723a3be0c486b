/*
 * stats - the few statistics that judge a split
 *
 * For loads x_1..x_n with mean m:
 *
 *     Jain's index     (sum x)^2 / (n sum x^2)      1/n .. 1, even = 1;  = 1 / (1 + cv^2)
 *     cv               sqrt(sum (x - m)^2 / n) / m  of the population;   even = 0
 *     max over mean    max x / m                    even = 1
 *
 * Sums are compensated and go from first to last, so that a figure is the same on any
 * machine; what comes out of exp() and log() is rounded to six digits for the same
 * reason.
 *
 * Sources: Jain, Chiu, Hawe, DEC-TR-301 (1984); NIST DLMF 5.11.1 (Stirling's series),
 * 8.7.1 and 8.9.2 (incomplete gamma function: power series, continued fraction), the
 * latter by the modified Lentz method (Thompson, Barnett, J. Comput. Phys. 64, 1986);
 * Neumaier, ZAMM 54 (1974) for the sums.
 */
#ifndef ECMPLAB_STATS_H
#define ECMPLAB_STATS_H

#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 stats_u128; /* a name for what ISO C has none */

/* The sum with Neumaier's compensation. */
double stats_sum(const double *x, size_t n);

/* Without any load (n = 0 or all zero) a split is even: 1, 0, 1. */
double stats_jain(const double *x, size_t n);
double stats_cv(const double *x, size_t n);
double stats_max_over_mean(const double *x, size_t n);

/*
 * The probability that a chi-square variable with `df` degrees of freedom (whole or not) is
 * at least `x`: Q(df / 2, x / 2). 1 for df = 0. Six significant digits.
 */
double stats_chi_square_survival(double x, double df);

/* To six significant digits. */
double stats_round(double v);

/*
 * How many flows of equal size it takes until every share p_i, split by an honest hash,
 * is within 10 % of itself at three standard deviations: max over i of 9 (1 - p_i) /
 * (0.01 p_i). Shares of 0 do not count.
 */
uint64_t stats_flows_needed(const double *p, size_t n);

/* 1 / HHI = (sum s)^2 / sum s^2: so many equal flows split as unevenly. 0: none. */
double stats_effective_flows(uint64_t sum, stats_u128 sum_of_squares);

#endif
