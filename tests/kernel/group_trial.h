/*
 * group_trial - one group of next-hop objects, in the kernel and in the model
 *
 *     make, replace, delete an object, use, link down, ... ─▶ every bucket's owner, every look-up
 *
 * Each group has objects and a destination of its own, so that many live in one namespace and wait
 * for the same clock. Object k of group n is id 16 n + 1 + k, the group itself 16 n + 15. What
 * was done is kept as commands that a person can type.
 */
#ifndef ECMPLAB_GROUP_TRIAL_H
#define ECMPLAB_GROUP_TRIAL_H

#include "core/policy.h"
#include "core/random.h"
#include "sim/verify/lab.h"

enum { GROUP_HOPS = 8, GROUP_LINKS = 4, GROUP_LAN = GROUP_LINKS };

/* The router that all groups share: four links, and one more by which packets come. */
struct group_world {
    struct router_config config;
    struct config_iface ifaces[GROUP_LINKS + 1];
    struct prefix addresses[GROUP_LINKS + 1][2];
    struct lab *lab;
    size_t tables, lookups, packets; /* compared */
};

/* False: `error` says why. */
bool group_world_open(struct group_world *w, uint32_t hash_seed, char *error,
                      size_t size);
void group_world_close(struct group_world *w);

struct group_trial {
    struct group_world *world;
    unsigned number;
    struct random_stream random;
    enum family family;
    struct config_policy policy; /* buckets 0: a group of type mpath */
    void *state;                 /* of the resilient policy; NULL: mpath, or no group */
    struct policy_member members[GROUP_HOPS];
    unsigned len;             /* 0: there is no group */
    bool object[GROUP_HOPS];  /* there is one */
    bool is_routed;           /* the route to the group is there */
    uint8_t link[GROUP_HOPS]; /* of object k */
    char *said;               /* what was done */
    size_t said_len, said_cap;
    char why[256]; /* it differs; "": not yet */
};

/* `kind`: one of these, beside the family and the number of buckets, which are drawn. */
enum group_kind { GROUP_LASTING, GROUP_TIMED, GROUP_MPATH };
/* A timed group's timers are odd multiples of half this, or none. */
#define GROUP_STEP_NS INT64_C(800000000)

void group_trial_init(struct group_trial *g, struct group_world *w, unsigned number,
                      uint64_t seed, enum group_kind kind);
void group_trial_free(struct group_trial *g);

/* One thing happens, drawn at random, as of `now_ns` of the model. False: it differs. */
bool group_trial_happen(struct group_trial *g, int64_t now_ns);
/* Use so many buckets as flows hit, by look-ups or packets; compares who gets them. */
bool group_trial_use(struct group_trial *g, unsigned flows, int64_t now_ns);

/* All objects of the group in their order, with random weights. */
bool group_trial_fill(struct group_trial *g, int64_t now_ns);
/* The link has gone: what the kernel deleted is gone in the model, too. */
bool group_trial_lose_link(struct group_trial *g, unsigned link, int64_t now_ns);
/* It is back: a daemon makes the objects anew and puts them where they were in the group. */
bool group_trial_regain_link(struct group_trial *g, unsigned link, int64_t now_ns);

/* Routes to the groups that have none yet, of all n of them. */
bool group_trials_route(struct group_trial *all, unsigned n);

/* Compare objects, and every bucket as of `now_ns`. False: it differs, g->why. */
bool group_trial_compare(struct group_trial *g, int64_t now_ns);

#endif
