/*
 * delays - how long packets wait, flows take, and how far a WAN's data cap goes
 *
 *     packets that arrived ──▶ waits in front of each link with a rate
 *                          ──▶ what is left of each cap
 *     TCP and UDP flows    ──▶ from the first packet until the last that arrived had arrived
 *
 * Flows are timed only where some link has a rate or jitter: elsewhere a capture's flows take
 * what they took when it was made, whatever the scenario. A timed flow's packet is a store into
 * a table by the connection's index, which the memory is asked for a few packets ahead; what is
 * not asked for costs a test.
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

/* A packet that arrived, on its way into the table. */
struct arrived {
    uint32_t conn;
    int64_t time_ns;
};

enum { DELAYS_PENDING = 8 };

struct delays {
    struct path_delays *paths;
    size_t paths_len;
    bool capped; /* some path is */
    bool timed;  /* some link has a rate or jitter */
    /* By connection index. Apart, as each packet writes into the second and none reads. */
    int64_t *begun_ns;
    int64_t *arrived_ns; /* of the last that did; below begun_ns: none */
    size_t conns_len, begun_cap, arrived_cap;
    struct arrived
        pending[DELAYS_PENDING]; /* a ring, of which the last `pending_len` count */
    unsigned pending_next, pending_len;
};

void delays_init(struct delays *d, const struct scenario *s);
void delays_free(struct delays *d);

/* A flow begins with a packet at this time, and ends. `path` < 0: it got none. */
void delays_flow_begins(struct delays *d, const struct conn *c, int64_t time_ns);
void delays_flow_ends(struct delays *d, const struct conn *c, int path);

/* The parts of delays_arrived() that few packets need. */
void delays_waited(struct delays *d, const struct observation *o);
void delays_used(struct delays *d, const struct observation *o, uint64_t bytes);

/* The connection's last packet so far arrived then: written down a few packets later. */
static inline void delays_note(struct delays *d, uint32_t conn, int64_t time_ns)
{
    struct arrived *slot = &d->pending[d->pending_next];

    __builtin_prefetch(&d->arrived_ns[conn], 1);
    if (d->pending_len == DELAYS_PENDING)
        d->arrived_ns[slot->conn] = slot->time_ns;
    else
        d->pending_len++;
    *slot = (struct arrived){conn, time_ns};
    d->pending_next = (d->pending_next + 1) % DELAYS_PENDING;
}

/* A packet and what goes with it arrived. */
static inline void delays_arrived(struct delays *d, const struct observation *o,
                                  uint64_t bytes)
{
    if (o->queues)
        delays_waited(d, o);
    if (d->capped)
        delays_used(d, o, bytes);
    if (d->timed && o->conn && o->conn->index < d->conns_len)
        delays_note(d, o->conn->index, o->time_ns + o->delay_ns);
}

#endif
