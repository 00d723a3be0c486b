/*
 * link - one direction of a WAN: what it does to each packet
 *
 *     sent ─▶ queue ─▶ transmission ─▶ wire ─▶ arrived
 *               │       8 bytes / rate   │       + delay + jitter
 *               ▼                        ▼
 *          queue-full                link-loss
 *
 * The queue is first in, first out, and drops what does not fit (tail drop). A packet fits
 *     TIME      when it would wait no longer than the limit before its own transmission
 *     BYTES     when what is queued, the packet in transmission's rest and this one are no more
 *     PACKETS   when the queued ones, the one in transmission and this one are no more
 * and always when the link is idle. Without a rate nothing waits, so nothing is dropped for it.
 *
 * Loss by chance comes behind the queue: such a packet has taken its time on the link. It is
 * independent of packet to packet, or in runs: then a packet follows a lost one into its fate
 * with 1 - 1 / burst, and one that arrived with loss / (burst (1 - loss)), so that the share lost
 * is `loss` and runs of losses are `burst` long in the mean.
 *
 * Jitter adds from 0 to `jitter_ns`, uniformly, and never lets a packet overtake another.
 *
 * A packet costs O(1). Times are exact: what a transmission leaves of a nanosecond is kept.
 * Sizes are those of IP packets, as metrics count them; what a link layer adds is not there.
 *
 * Sources: Gilbert, "Capacity of a Burst-Noise Channel", BSTJ 39 (1960): the two states; here
 * the bad one loses every packet. RFC 3439 section 2.2 and tc-bfifo(8), tc-pfifo(8): queues.
 * Differs: bfifo and pfifo do not count the packet that the device is sending.
 */
#ifndef ECMPLAB_LINK_H
#define ECMPLAB_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/random.h"
#include "core/router.h"

/* What can change while packets pass. */
struct link_conditions {
    uint64_t rate_bps; /* at most INT64_MAX; 0: infinitely fast */
    int64_t delay_ns;  /* propagation, one way */
    int64_t jitter_ns; /* up to so much more */
    double loss;       /* share of the packets, 0..1 */
    double burst;      /* mean run of losses in packets, from 1; 0: independent losses */
};

enum link_limit { LINK_ENDLESS, LINK_TIME, LINK_BYTES, LINK_PACKETS, LINK_LIMITS };

enum { LINK_PACKETS_MAX = 1000000 };

/* Ten years: a packet that would take longer does not fit, whatever the limit. */
#define LINK_TIME_MAX INT64_C(315360000000000000)

struct link_queue {
    uint64_t limit; /* nanoseconds, bytes, or packets (1..LINK_PACKETS_MAX) */
    uint8_t kind;   /* enum link_limit */
};

/* What became of one packet. */
struct link_passage {
    int64_t queue_ns;        /* it waited */
    int64_t transmission_ns; /* its bits took */
    int64_t arrival_ns;      /* at the other end */
    enum reason reason;      /* NONE, QUEUE_FULL, LINK_LOSS */
};

/* A moment between two nanoseconds: ns + part / rate_bps. */
struct link_moment {
    int64_t ns;
    uint64_t part;
};

struct link {
    bool plain; /* nothing but a delay: link_send_plain() will do */
    bool bursting;
    int64_t delay_ns;        /* conditions.delay_ns, beside `plain` */
    int64_t last_arrival_ns; /* none arrives before its predecessor */
    struct link_moment idle; /* when all that was sent so far will have left */
    struct link_moment room; /* LINK_TIME, LINK_BYTES: what fits, as time at this rate */
    struct link_conditions conditions, own;
    struct link_queue queue;
    int64_t *departures; /* LINK_PACKETS: of the last `limit` packets, a ring */
    uint64_t departures_next;
    struct random_stream losses, jitters;
};

/* `purpose` tells this link's chance from that of others under one seed. */
void link_open(struct link *l, const struct link_conditions *own,
               const struct link_queue *queue, uint64_t seed, uint64_t purpose);
void link_close(struct link *l);

/*
 * A packet of `bytes`, at most INT32_MAX, comes to the link. False: it was dropped, `out->reason`
 * says why, and only a packet lost by chance has its times. `now_ns` never goes back.
 */
bool link_send(struct link *l, int64_t now_ns, uint32_t bytes, struct link_passage *out);

/* The same of a plain link, where nothing can happen to the packet: its delay. */
static inline int64_t link_send_plain(struct link *l, int64_t now_ns)
{
    l->last_arrival_ns = now_ns + l->delay_ns;
    return l->delay_ns;
}

/*
 * From now on these conditions hold, or the link's own again. What is queued is sent at the new
 * rate; what is on the wire arrives as it would have.
 */
void link_set(struct link *l, const struct link_conditions *c, int64_t now_ns);
void link_restore(struct link *l, int64_t now_ns);

#endif
