/*
 * living - a group's living members, as most policies keep them
 *
 * The members are borrowed from the last update().
 */
#ifndef ECMPLAB_LIVING_H
#define ECMPLAB_LIVING_H

#include "core/policy.h"
#include "core/random.h"

struct living {
    const struct policy_member *members;
    unsigned len;
    uint32_t total_weight;
};

static inline struct living living_make(const struct policy_member *members, unsigned len)
{
    struct living l = {members, len, 0};

    for (unsigned i = 0; i < len; i++)
        l.total_weight += members[i].weight;
    return l;
}

/* One by chance, each as likely as its part of the weights. */
static inline unsigned living_draw(const struct living *l, struct random_stream *chance)
{
    uint64_t at = random_below(chance, l->total_weight);
    unsigned i = 0;

    while (at >= l->members[i].weight)
        at -= l->members[i++].weight;
    return i;
}

/* The place of the member that `pin` remembers; l->len when it is none of them. */
static inline unsigned living_find(const struct living *l, uint16_t pin)
{
    return policy_find_pinned(l->members, l->len, pin);
}

#endif
