/*
 * outages - events that are a row of outages: a link that flaps, or fails at random
 *
 *     event begins                                                    event ends
 *       │◀─ down ─▶│          │◀─ down ─▶│          │◀─ down ─▶│           │
 *       ├──────────┼──────────┼──────────┼──────────┼──────────┼───────────┤
 *       │◀───── period ──────▶│
 *
 * At random, the time to the first outage and from each one's end to the next, and how long each
 * lasts, are drawn by their laws, from a stream of the event's own: it depends on the
 * scenario's seed and the event's name, or its place in the file where it has none. There are
 * at most SCENARIO_OUTAGES_MAX.
 *
 * An outage is a link-down, gateway-down or blackhole (scenario_event.what) of the event's
 * WANs. One that lasts when the event ends, ends with it.
 */
#ifndef ECMPLAB_OUTAGES_H
#define ECMPLAB_OUTAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/random.h"

struct simulation;

/* What is to come of one event's outages. */
struct outages_plan {
    struct random_stream draws;
    uint64_t begun; /* so far */
    bool down;
};

/* The event begins or ends; the caller tells the router's changes. */
void outages_begin(struct simulation *sim, unsigned event);
void outages_end(struct simulation *sim, unsigned event);

/* The timer that they set goes off: the next outage begins, or this one ends. */
void outages_turn(struct simulation *sim, unsigned event);

#endif
