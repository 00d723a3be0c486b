/* The arithmetic of highest-random-weight, apart for its tests. */
#ifndef ECMPLAB_HIGHEST_RANDOM_WEIGHT_H
#define ECMPLAB_HIGHEST_RANDOM_WEIGHT_H

#include <stdint.h>

/*
 * -log2(x / 2^64) in units of 2^-32, for x > 0: at most one unit above the true value plus
 * 2^-29 of a unit, never below it, and never growing with x. Whole numbers alone, so that
 * every machine agrees.
 */
uint64_t hrw_minus_log2(uint64_t x);

#endif
