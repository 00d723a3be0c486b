/*
 * transfer - bytes in order over a path that loses packets: one direction of a connection
 *
 *     sender    una ──── sent ──── nxt ──── end        (bytes since the connection began)
 *     receiver  got: all before it is here; `held`: pieces behind a hole
 *
 * TCP as it is taught: slow start from ten segments, congestion avoidance, fast retransmit at
 * the third duplicate acknowledgement, selective acknowledgements that tell the holes, the
 * time-out. QUIC is taken for the same. Knows neither time-keeping nor packets: the connection
 * asks what to send.
 *
 * Sources: RFC 5681, 6582, 6928 (ten segments), 6298, 2018. Differs from RFC 6675: in recovery each
 * acknowledgement lets one segment of a hole go, in place of its estimate of what is on the way.
 */
#ifndef ECMPLAB_TRANSFER_H
#define ECMPLAB_TRANSFER_H

#include "sim/users/rto.h"

enum {
    TRANSFER_HELD_MAX = 32,
    TRANSFER_SACKS = 3,        /* RFC 2018: as many as fit beside time stamps */
    TRANSFER_WINDOW = 1 << 20, /* bytes that the receiver takes */
};

struct piece {
    uint64_t from, to;
};

/* What an acknowledgement tells: all before `all` is here, and these pieces, in order. */
struct acknowledgement {
    uint64_t all;
    struct piece sacks[TRANSFER_SACKS];
    unsigned sacks_len;
};

struct transfer {
    uint64_t una, nxt, end;
    uint64_t high;    /* the highest ever sent: what lies below is sent again */
    uint64_t recover; /* fast recovery lasts until this is acknowledged; 0: none */
    uint64_t avoid; /* below this, duplicates tell of a time-out's own doing (RFC 6582) */
    uint64_t timed; /* the byte whose acknowledgement is timed; 0: none */
    int64_t timed_ns;
    uint32_t segment;            /* bytes of a full one */
    uint32_t window, threshold;  /* bytes */
    uint64_t resent;             /* in recovery: holes before this were sent once more */
    unsigned credit;             /* in recovery: segments of holes that may go */
    struct acknowledgement told; /* the last */
    unsigned duplicates;
    unsigned timeouts; /* in a row */
    struct rto rto;

    uint64_t got;
    struct piece held[TRANSFER_HELD_MAX]; /* apart, in order */
    unsigned held_len;
    unsigned unacknowledged; /* segments */
};

struct segment {
    uint64_t from;
    uint32_t bytes;
    bool push; /* nothing follows at once */
};

void transfer_init(struct transfer *t, uint32_t segment);

/* So many more bytes are to be sent. */
void transfer_add(struct transfer *t, uint64_t bytes);

/* The next segment that may be sent now; false: none may. */
bool transfer_next(struct transfer *t, int64_t now_ns, struct segment *s);

/* Is something on its way, so that the time-out runs? */
static inline bool transfer_waits(const struct transfer *t)
{
    return t->una < t->nxt;
}

/* `alone`: the packet that says so carries nothing else. */
void transfer_acknowledged(struct transfer *t, const struct acknowledgement *a,
                           bool alone, int64_t now_ns);

/* The time is out: everything from `una` on is sent again, one segment at first. */
void transfer_timed_out(struct transfer *t);

/* A segment arrived. True: it is to be acknowledged at once. */
bool transfer_received(struct transfer *t, const struct segment *s);

/* What the receiver has to tell. */
struct acknowledgement transfer_acknowledgement(const struct transfer *t);

#endif
