/*
 * metrics - watch a run, end as its result
 *
 *     simulation ── observer ──▶ metrics ── metrics_result() ──▶ the result (result.h)
 *
 * Most packets change nothing: they belong to a known connection, are decided as the
 * packet before them and arrive. They cost a few counters and touch no flow record. The
 * others are looked at (moves.h): first packets, packets whose way was decided anew,
 * packets that were lost, all packets of named hosts and of flows that leak addresses.
 *
 * Every figure is defined in doc/METRICS.md.
 */
#ifndef ECMPLAB_METRICS_H
#define ECMPLAB_METRICS_H

#include "sim/timeline/simulation.h"

struct ledger;
struct metrics;

/* Both are borrowed for the metrics' life; the router is the one that the run drives. */
struct metrics *metrics_create(const struct scenario *s, struct router *r);
void metrics_destroy(struct metrics *m);

/* Write every flow into it, from the first packet on. Borrowed. */
void metrics_keep_ledger(struct metrics *m, struct ledger *l);

struct observer metrics_observer(struct metrics *m);

/* A line for the result's `warnings`, once however often it is said. Copied. */
void metrics_warn(struct metrics *m, const char *text);

/*
 * The result of a run that is over; flows that still live are closed. The caller owns it.
 * `expect` is empty until expect_judge() fills it.
 */
json_t *metrics_result(struct metrics *m, const struct simulation *sim);

#endif
