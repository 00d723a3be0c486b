/*
 * pacing - the packets of one connection: which comes when, and what it looks like
 *
 *     packet k of n comes at start + floor(duration k / (n - 1))
 *
 * They are evenly spaced over the connection's duration, the first at its start, the last at its
 * end. Both directions, and in each data and acknowledgements, are mixed as evenly as whole
 * packets allow, data of the initiator first.
 *
 *     sent 0   1   2   3 .................. n - 4   n - 3 ... n - 1
 *          SYN SYN+ACK ACK   middle, mixed evenly   FIN FIN+ACK ACK     whole
 *          middle ........................................... middle     plain
 *          SYN ................................................. SYN     syn
 *
 * Packets are as a capture on the LAN shows them: TTL 64 from hosts, what a path leaves of it
 * from servers; sequence numbers and acknowledgements as they follow; IPv6 flow labels fixed for
 * each direction; Ethernet frames.
 *
 * What the middle has sent after so many packets is known in closed form, so that packets can
 * be passed over: pacing_skip() costs the same for one and for a billion.
 */
#ifndef ECMPLAB_PACING_H
#define ECMPLAB_PACING_H

#include "sim/input/capture.h"
#include "sim/traffic/demand.h"

/* What one direction has sent. */
struct way_state {
    uint64_t payload_left;
    uint32_t sent, data_sent; /* packets, of them data; without control packets */
    uint32_t seq;             /* the next one */
    uint32_t flow_label;
};

struct pacing {
    struct demand demand;
    struct way_state up, down;
    uint64_t step_ns, rest_ns; /* duration = step (n - 1) + rest */
    uint32_t sent;
};

/* Packets and bytes of IP that were passed over. */
struct pacing_passed {
    uint32_t packets[2]; /* up, down */
    uint64_t bytes[2];
};

void pacing_begin(struct pacing *p, const struct demand *d);

static inline uint32_t pacing_packets(const struct demand *d)
{
    return d->up.packets + d->down.packets;
}

/* When packet `k` comes, and how many come before this time. */
int64_t pacing_time(const struct pacing *p, uint32_t k);
uint32_t pacing_count_before(const struct pacing *p, int64_t time_ns);

/* The next packet. */
void pacing_emit(struct pacing *p, struct captured *out);

/* The first packet of the middle, and the first behind it. */
void pacing_middle(const struct pacing *p, uint32_t *first, uint32_t *end);

/* Pass over packets of the middle until `k` were sent, which is in it or its end. */
void pacing_skip(struct pacing *p, uint32_t k, struct pacing_passed *out);

/* The first packet from `k` on, of the middle, that goes this way; its end when none does. */
uint32_t pacing_next_of_way(const struct pacing *p, uint32_t k, bool up);

/* The last packet of the middle before `k` that went this way; `k` when none did. */
uint32_t pacing_last_of_way(const struct pacing *p, uint32_t k, bool up);

#endif
