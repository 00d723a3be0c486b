/*
 * policy - the ways to choose one next hop of a group
 *
 * One row a policy, one file each in core/policies/. The scenario reader, the schema, the
 * reports and `ecmplab list` walk this one table.
 *
 *     group (rib.h) ──living members──▶ update() ─▶ state ◀── pick() ── packet, hash, time
 *
 * hash-threshold keeps its regions in the group itself (nexthop.h) and has no state. Every
 * other policy has a state for each group, which outlives the comings and goings of its
 * members; chooser.h keeps them.
 */
#ifndef ECMPLAB_POLICY_H
#define ECMPLAB_POLICY_H

#include "core/config.h"
#include "core/nexthop.h"
#include "core/packet.h"

/* One living member of a group, as a policy sees it. */
struct policy_member {
    uint64_t key;    /* a well-mixed number of its own, the same whenever it lives */
    uint32_t weight; /* 1..256 */
    uint16_t hop;    /* its number among all that the router ever had, from 1 */
};

/* What is to be sent. */
struct policy_query {
    const struct packet *packet;
    uint32_t hash; /* 31 bits, by the router's hash policy */
    int64_t now_ns;
    int in_iface; /* -1: sent by the router itself */
    bool begins; /* no connection is known for it yet */
    /* A hop that the connection remembers for this direction, 0: none. The policy may set it. */
    uint16_t *pin;
};

enum policy_trait {
    POLICY_WEIGHTED = 1, /* weights count */
    POLICY_FIXED = 2, /* the same hash and members give the same choice: it may be kept */
    POLICY_TRACKED = 4, /* works on connections: tracking must be on */
    POLICY_PINS = 8,    /* remembers by `pin`: asked also where one member is all there is */
    POLICY_COUNTS = 64, /* what it sent decides where connections begin */
    POLICY_SPRAYS = 16, /* one flow takes several paths though nothing has changed */
    POLICY_HASHED = 32, /* not fixed, and still flows of one hash begin on one path */
};

struct policy {
    const char *name;
    const char *about;
    unsigned traits; /* enum policy_trait */

    /* NULL: the group's own regions choose. `seed` is the group's own. */
    void *(*create)(const struct config_policy *config, uint64_t seed);
    /* The living members, in the order of the group; len > 0. Valid until the next update. */
    void (*update)(void *state, const struct policy_member *members, unsigned len,
                   int64_t now_ns);
    /* Something changed in the router, and no member of this group. NULL: as well. */
    void (*changed)(void *state);
    /* The place of the chosen one among them. */
    unsigned (*pick)(void *state, const struct policy_query *q);
    void (*destroy)(void *state);
    /* What the state of one group may come to, where that is much; NULL: its members only. */
    size_t (*bytes)(const struct config_policy *config);
};

extern const struct policy *const policies[];
extern const unsigned policies_len;

/* By name; NULL when there is none. */
const struct policy *policy_find(const char *name);

static inline bool policy_has_state(const struct policy *p)
{
    return p->create != NULL;
}

/* The place of the member that `pin` remembers; `len` when it is none of them. */
static inline unsigned policy_find_pinned(const struct policy_member *members,
                                          unsigned len, uint16_t pin)
{
    unsigned i = 0;

    if (pin == 0)
        return len;
    while (i < len && members[i].hop != pin)
        i++;
    return i;
}

#endif
