/*
 * result - the one document that a run ends as
 *
 *     {"format": "ecmplab-result/1",
 *      "scenario": {...}, "run": {...},
 *      "paths": {WAN: {...}}, "balance": {...}, "stickiness": {...},
 *      "hosts": {NAME: {...}}, "users": {NAME: {...}}, "events": [...],
 *      "phases": {EVENT: {"before": {...}, "during": {...}, "after": {...}}},
 *      "unrouted": {REASON: packets}, "dropped": {REASON: packets}, "checks": {...},
 *      "series": {...}, "expect": [...], "warnings": [...]}
 *
 * Keys stand in this order always; nothing in it depends on the machine or the clock.
 * Counts are integers, times are seconds, shares are parts of one. What did not happen is
 * null, what cannot exist is absent. Every figure is defined in doc/METRICS.md.
 */
#ifndef ECMPLAB_RESULT_H
#define ECMPLAB_RESULT_H

#include "sim/observe/facts.h"
#include "sim/observe/metrics.h"

#define RESULT_FORMAT "ecmplab-result/1"

/* Close the metrics and build the document; the caller owns it. */
json_t *result_build(struct metrics *m, const struct facts *facts);

#endif
