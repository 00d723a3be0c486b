/*
 * resilient - Linux's resilient next-hop groups: a table of buckets, each with an owner
 *
 *     hash 31 bits ──▶ hash modulo buckets ──▶ bucket ──▶ its owner
 *
 *     bucket   0    1    2    3    4    5    6    7        members 1, 2, 3 of one weight
 *     owner    3    3    3    2    2    1    1    1        wants   3, 2, 3
 *
 * Member i wants round(buckets * (w_0 + ... + w_i) / total) buckets, halves up, less what those
 * before it want; that may be none. When members or weights change:
 *
 *     1. who has gone owns nothing; everybody else keeps all buckets
 *     2. the members that lack buckets are listed, the last of the group first
 *     3. upkeep: one pass over the buckets in ascending order. A bucket moves to the first of
 *        the list when it has no owner, or when its owner has more than it wants and it is
 *          idle    not used since it came to its owner, or not for idle_ns
 *          forced  the group has been out of balance for unbalanced_ns; 0: never
 *        and who then has what it wants leaves the list
 *     4. while the list is not empty, upkeep runs again at the first moment when another bucket
 *        can be idle or forced, yet not within half a second
 *
 * When members go at once and nothing else changes, they go one by one, the last of the group
 * first: so does Linux delete the objects of a link, when they were made in the order of the
 * group. A group with one member is not hashed in IPv4, which uses none of its buckets; in
 * IPv6 it is like any other.
 *
 * There is no clock here: an upkeep that was due is run before the next packet or change, as of
 * the moment when it was due.
 *
 * Memory: 24 bytes a bucket, 1.5 MiB for 65535. O(1) a packet; O(buckets + members) for a change
 * and for an upkeep, of which there is at most one in half a second.
 *
 * Source: Linux nh_res_group_rebalance(), nh_res_table_upkeep(), nexthop_select_path_res() in
 * net/ipv4/nexthop.c; Documentation/networking/nexthop-group-resilient.rst.
 * Differs: time is in nanoseconds, the kernel's in ticks of 1 to 10 ms (CONFIG_HZ). A bucket that
 * is used in the very tick in which it moved counts as not used; here only one used in the same
 * nanosecond does. And the kernel's timers run late, by up to an eighth of the wait.
 */
#ifndef ECMPLAB_POLICIES_RESILIENT_H
#define ECMPLAB_POLICIES_RESILIENT_H

#include "core/policies/policies.h"


/* What each member wants; len > 0. */
void resilient_wants(const struct policy_member *members, unsigned len, uint32_t buckets,
                     uint32_t *wants);

/* The hop (policy_member.hop) that owns the bucket. */
uint16_t resilient_owner(const void *state, uint32_t bucket);

/* The hop of the only member; 0: there are several. */
uint16_t resilient_only(const void *state);

/* When the next upkeep is due; INT64_MAX: never, the group is in balance. */
int64_t resilient_due_ns(const void *state);

/* Run the upkeeps that are due until now. How many buckets they moved. */
uint32_t resilient_run(void *state, int64_t now_ns);

/* Has the bucket been used since it came to its owner? When last? */
bool resilient_is_used(const void *state, uint32_t bucket, int64_t *used_ns);

#endif
