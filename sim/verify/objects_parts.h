/*
 * objects_parts - what the parts of objects.h share
 *
 *     objects.c           groups, their objects and routes
 *     objects_buckets.c   the buckets of a resilient group, and which are idle
 */
#ifndef ECMPLAB_OBJECTS_PARTS_H
#define ECMPLAB_OBJECTS_PARTS_H

#include "core/policy.h"
#include "sim/verify/objects.h"

struct object {
    struct addr gateway;
    uint32_t id;
    uint16_t iface, twin; /* the k-th that is alike has twin k */
    bool there;
};

struct object_group {
    /* What it serves; the first such route of the configuration stands for all. */
    const struct config_route *route;
    const struct config_policy *policy;
    uint32_t id;
    struct object *objects; /* all that it ever had */
    size_t objects_len, objects_cap;
    struct policy_member *members; /* living; hop: the number of the object, from 1 */
    size_t len, cap;
    bool routed, lost;
    void *state; /* a twin of the simulation's; NULL: no resilient group, or empty */
    struct packet *flows; /* one for each bucket; NULL: not looked for yet */
};

/* The kernel's group gets its members, and timers that never end. */
bool object_group_set(struct lab *lab, const struct object_group *g, int64_t idle_ns,
                      int64_t unbalanced_ns);
#define OBJECTS_NEVER_NS INT64_C(1000000000000000) /* eleven days */

/* Its private table, and the mark that leads there. */
uint32_t object_group_mark(const struct object_group *g);

/* objects_buckets.c */

/* Members have changed. `replaced`: the kernel's group is to get them; otherwise it has lost
 * those that went already. */
bool buckets_follow(struct lab *lab, const struct hash_config *h, struct object_group *g,
                    bool replaced, int64_t now_ns);
bool buckets_run(struct lab *lab, const struct hash_config *h, struct object_group *g,
                 int64_t now_ns);
bool buckets_use(struct lab *lab, const struct hash_config *h, struct object_group *g,
                 const struct policy_query *q, bool seen);
void buckets_free(struct object_group *g);

#endif
