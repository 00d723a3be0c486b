/*
 * picks - a policy on the bench, without a router around it
 *
 *     struct picks p = picks_open("maglev", 7);
 *     picks_have(&p, 3, NULL);                   members 1, 2, 3, of weight 1
 *     picks_lose(&p, 2);                         1 and 3 live
 *     picks_ask(&p, hash)                        1 or 3
 *     picks_close(&p);
 *
 * Members are told by their number, which they keep whoever else lives. The seed gives them
 * their keys, and the policy its chance.
 */
#ifndef ECMPLAB_TESTS_PICKS_H
#define ECMPLAB_TESTS_PICKS_H

#include "core/policy.h"

enum { PICKS_MAX = 1024 };

struct picks {
    const struct policy *policy;
    struct config_policy config; /* to be changed before picks_have() */
    struct policy_query query;   /* what is asked: packet, time, pin */
    struct packet packet;
    void *state;
    uint64_t seed;
    unsigned len; /* members that there are, living or not */
    struct policy_member all[PICKS_MAX], living[PICKS_MAX];
};

struct picks picks_open(const char *policy, uint64_t seed);
void picks_close(struct picks *p);

/* All of members 1 to len live; `weights` NULL: each has 1. */
void picks_have(struct picks *p, unsigned len, const uint32_t *weights);

/* All live but this one; 0: all. */
void picks_lose(struct picks *p, unsigned member);

/* The member for a packet with this hash, at p->query.now_ns, with the pin given (or NULL). */
unsigned picks_ask(struct picks *p, uint32_t hash);
unsigned picks_ask_pinned(struct picks *p, uint32_t hash, uint16_t *pin);

/* How many standard deviations `hits` of `n` are from what probability p lets expect. */
double picks_z(double hits, double n, double p);

#endif
