/*
 * histogram - the distribution of durations, in memory that does not grow with their number
 *
 * Log-linear: below 256 each value has a bucket of its own; from there on each power of two is
 * cut into 128 equal buckets.
 *
 *     0 1 2 ... 255 | 256 258 ... 510 | 512 516 ... 1020 | 1024 1032 ...
 *       width 1          width 2           width 4            width 8
 *
 * A quantile is told as the middle of its bucket, so it is at most 1/256 (0.4 %) off the value
 * that it stands for, and exact below 256. Count, sum, least and greatest are exact.
 *
 * Source of the shape: Tene, HdrHistogram.
 */
#ifndef ECMPLAB_HISTOGRAM_H
#define ECMPLAB_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct histogram {
    uint64_t *counts; /* by bucket, up to the greatest value's */
    size_t len, cap;
    uint64_t count;
    double sum; /* exact up to 2^53 */
    uint64_t least, greatest;
};

enum { HISTOGRAM_BITS = 7 }; /* 2^7 buckets to a power of two */

/* An empty one is all zeroes. */
void histogram_free(struct histogram *h);

void histogram_add(struct histogram *h, uint64_t value);

/* All that is in `other` besides. */
void histogram_merge(struct histogram *h, const struct histogram *other);

/*
 * The smallest value that at least `per_mille` of 1000 of all are no greater than (nearest
 * rank); 0 when there is none.
 */
uint64_t histogram_quantile(const struct histogram *h, unsigned per_mille);

/* 0 when there is none. */
double histogram_mean(const struct histogram *h);

#endif
