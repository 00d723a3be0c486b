/*
 * arrivals - when flows begin
 *
 *     poisson    exponential gaps of mean 1 / rate. With hourly factors the gap is one of mean 1 in
 *                expected flows, which pass at each hour's own rate: exact, and one draw a flow
 *     periodic   every so often, the first at the start
 *     at-once    all at the start
 *
 * Gaps are whole nanoseconds. The first flow of a Poisson process comes one gap after the start.
 * Source: Cinlar, "Introduction to Stochastic Processes", 1975 (change of time scale).
 */
#ifndef ECMPLAB_ARRIVALS_H
#define ECMPLAB_ARRIVALS_H

#include <stdbool.h>

#include "sim/traffic/real.h"

enum arrivals_kind {
    ARRIVALS_POISSON,
    ARRIVALS_PERIODIC,
    ARRIVALS_AT_ONCE,
    ARRIVALS_KINDS
};

enum { ARRIVALS_HOURS = 24 };

struct arrivals_config {
    uint8_t kind;     /* enum arrivals_kind */
    double per_hour;  /* poisson: flows, where the factor is 1; above 0 */
    int64_t every_ns; /* periodic, above 0 */
    int64_t start_ns;
    int64_t end_ns; /* none begins at or after it */
    uint64_t flows; /* at most so many */
    const double
        *by_hour; /* ARRIVALS_HOURS factors, at least one above 0; NULL: all are 1 */
    int64_t time_of_day_ns; /* by_hour: the time of day at which the simulation begins */
};

struct arrivals {
    struct arrivals_config config;
    struct random_stream gaps;
    double mean_ns; /* of a gap where the factor is 1 */
    int64_t now_ns;
    uint64_t given;
};

void arrivals_init(struct arrivals *a, const struct arrivals_config *c, uint64_t seed);

/* When the next flow begins; false: there is none any more. */
bool arrivals_next(struct arrivals *a, int64_t *start_ns);

#endif
