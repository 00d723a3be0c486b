/*
 * bfd - a BFD session as the router hears it: packets, and how long silence may last
 *
 *     packets of the gateway   |----|---|----|  ✗   ✗   ✗              the router
 *                                            │◀─ multiplier x interval ─▶│ knows
 *
 * The gateway sends a packet every interval, each wait shortened by chance: to 75..100 % of
 * the interval, 75..90 % where the multiplier is 1. Silence for multiplier x interval since a
 * packet was heard last is a failure. It is so noticed (multiplier - 1) to multiplier intervals
 * after it, (multiplier - 0.44048) intervals in the mean.
 *
 * Source: RFC 5880 sections 6.8.4 (detection time), 6.8.7 (jitter).
 * Differs: both ends have one interval and multiplier; a failure of the way to the gateway
 * alone is not noticed; a session is up again with the first packet heard, where a real one
 * first shakes hands at an interval of at least 1 s (section 6.8.3).
 */
#ifndef ECMPLAB_BFD_H
#define ECMPLAB_BFD_H

#include "core/config.h"
#include "core/random.h"

struct bfd {
    const struct config_check *settings; /* borrowed */
    struct random_stream jitter;
    int64_t sent_ns,
        next_ns;      /* the gateway's last packet left, and the next one leaves */
    int64_t took_ns;  /* a packet's way to the router, when it last came */
    int64_t heard_ns; /* the last one came, or is taken to have come */
    bool silent;      /* the session is down */
};

/* The first packet leaves within an interval from now on. `settings` are borrowed. */
void bfd_start(struct bfd *b, const struct config_check *settings,
               struct random_stream jitter, int64_t now_ns);

/* Taken to be up: silence counts from the next packet on, which may take `took_ns`. */
void bfd_presume_up(struct bfd *b, int64_t took_ns);

/* The packet that was due has left. */
void bfd_sent(struct bfd *b);

/*
 * Nobody has looked at the packets until now: pass over those that were due before, so
 * that sent_ns < now <= next_ns. After very many, where the phase is by chance, it is drawn.
 */
void bfd_skip_to(struct bfd *b, int64_t now_ns);

void bfd_heard(struct bfd *b, int64_t time_ns);

/* When silence has lasted too long. */
int64_t bfd_deadline_ns(const struct bfd *b);

/* By how much packets may differ in their times on the way without ever being missed. */
int64_t bfd_slack_ns(const struct config_check *settings);

#endif
