/*
 * chooser - the state of each group's policy, through all that happens to the group
 *
 *     seat (table, prefix, tos, distance)      the group now          the state
 *     main 0.0.0.0/0 distance 1          ──▶   wan1 up, wan2 dead ──▶ buckets, counters, ...
 *
 * The RIB makes a group anew at each change and knows its seat (rib.h); what a policy learned
 * stays with the seat, and its members are known again by gateway and interface. A group
 * that has lost all its members begins anew.
 *
 * Groups under hash-threshold have no seat and cost nothing here.
 */
#ifndef ECMPLAB_CHOOSER_H
#define ECMPLAB_CHOOSER_H

#include "core/policy.h"
#include "core/rib.h"

struct choosers;

/* Both are borrowed. Call choosers_follow() before the first choice. */
struct choosers *choosers_create(const struct router_config *config,
                                 const struct rib *rib);
void choosers_destroy(struct choosers *c);

/* The RIB has changed: tell the policies whose members did. `now_ns` never goes back. */
void choosers_follow(struct choosers *c, int64_t now_ns);

/*
 * Is its policy to be asked? Where there is one member it is only when it remembers what the
 * connection has, and the group may have others at other times.
 */
bool choosers_ask(const struct choosers *c, const struct fib_entry *e);

/* The member of e->group; NEXTHOP_NONE when none lives. `e` has a seat. */
unsigned choosers_pick(struct choosers *c, const struct fib_entry *e,
                       const struct policy_query *q);

/* May a choice in this entry's group be kept for the packets to come? */
bool choosers_is_fixed(const struct choosers *c, const struct fib_entry *e);

/* The policy of the entry's group. */
const struct policy *choosers_policy(const struct choosers *c, const struct fib_entry *e);

#endif
