/*
 * rto - how long a sender waits for an acknowledgement before it sends again
 *
 *     rto = srtt + max(granularity, 4 rttvar), doubled at each time-out
 *
 * Source: RFC 6298, sections 2 and 5; bounds as Linux has them (TCP_RTO_MIN 200 ms,
 * TCP_RTO_MAX 120 s; the RFC's floor is 1 s), and 1 s before anything was measured.
 */
#ifndef ECMPLAB_RTO_H
#define ECMPLAB_RTO_H

#include <stdbool.h>
#include <stdint.h>

struct rto {
    int64_t srtt_ns, rttvar_ns; /* 0: nothing measured yet */
    int64_t rto_ns;
};

void rto_init(struct rto *r);

/* A round trip of something that was sent once only (Karn). */
void rto_sample(struct rto *r, int64_t rtt_ns);

/* The time is out. */
void rto_back_off(struct rto *r);

#endif
