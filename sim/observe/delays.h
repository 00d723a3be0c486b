/*
 * delays - how long packets wait, flows take, and how far a WAN's data cap goes
 *
 *     packets that arrived ──▶ waits in front of each link with a rate
 *                          ──▶ what is left of each cap
 *     TCP and UDP flows    ──▶ from the first packet until the last that arrived had arrived
 *
 * Flows are timed only where some link has a rate or jitter: elsewhere a capture's flows take
 * what they took when it was made, whatever the scenario. What is not asked for costs a test; a
 * timed flow's packet costs a store into a table by the connection's index.
 */
#ifndef ECMPLAB_DELAYS_H
#define ECMPLAB_DELAYS_H

#include "sim/observe/histogram.h"
#include "sim/timeline/simulation.h"

/* Of one WAN. Durations in nanoseconds. */
struct path_delays {
    struct histogram queue_up, queue_down;
    struct histogram completion; /* of flows that left by it last */
    uint64_t cap_bytes;          /* 0: none */
    uint64_t used_bytes;         /* kept where there is a cap */
    int64_t reached_ns;          /* when the cap was used up; -1: it was not */
};

struct delays {
    struct path_delays *paths;
    size_t paths_len;
    bool capped; /* some path is */
    bool timed;  /* some link has a rate or jitter */
    /* By connection index. Apart, as each packet writes into the second and none reads. */
    int64_t *begun_ns;
    int64_t *arrived_ns; /* of the last that did; below begun_ns: none */
    size_t conns_len, begun_cap, arrived_cap;
};

void delays_init(struct delays *d, const struct scenario *s);
void delays_free(struct delays *d);

/* A flow begins with a packet at this time, and ends. `path` < 0: it got none. */
void delays_flow_begins(struct delays *d, const struct conn *c, int64_t time_ns);
void delays_flow_ends(struct delays *d, const struct conn *c, int path);

/* The parts of delays_arrived() that few packets need. */
void delays_waited(struct delays *d, const struct observation *o);
void delays_used(struct delays *d, const struct observation *o, uint64_t bytes);

/* A packet and what goes with it arrived. */
static inline void delays_arrived(struct delays *d, const struct observation *o,
                                  uint64_t bytes)
{
    if (o->queues)
        delays_waited(d, o);
    if (d->capped)
        delays_used(d, o, bytes);
    if (d->timed && o->conn && o->conn->index < d->conns_len)
        d->arrived_ns[o->conn->index] = o->time_ns + o->delay_ns;
}

#endif
