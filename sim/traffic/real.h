/*
 * real - logarithm, power and cosine with the same bits on every machine
 *
 * A C library may round the last bit of log() as it likes, and one library does so differently
 * on two processors. These are made of + - * / alone, which IEEE 754 rounds in one way only, and
 * of exact scalings by powers of two; the project is compiled without contraction into fused
 * operations (C11 mode). Their error is a few units of the last place.
 *
 * Source: IEEE 754-2008; the series of artanh, exp and cos on reduced arguments.
 */
#ifndef ECMPLAB_REAL_H
#define ECMPLAB_REAL_H

#include <stdint.h>

#include "core/random.h"

double real_log(double x);           /* x > 0, finite */
double real_exp(double x);           /* 0 below -700, and at most exp(700) */
double real_pow(double x, double y); /* x > 0 */
double real_cos_turns(double turns); /* cos(2 pi turns), 0 <= turns < 1 */

/* Uniform, above 0 and below 1: an odd multiple of 2^-53. */
static inline double real_uniform(struct random_stream *s)
{
    return ((double)(random_next(s) >> 12) + 0.5) * 0x1p-52;
}

#endif
