/*
 * objects - the lab's next-hop objects go through what the simulated ones go through
 *
 *     route ─▶ group G (type mpath or resilient) ─▶ objects, one a gateway
 *
 * The kernel itself deletes an object with its link, the group with its last object and the
 * routes with their group. What is put back is put back here, for the daemon that `returns` and
 * gateway checks stand for: the object is made anew and the group gets its members again.
 *
 * Simulated time runs ahead of the kernel's clock, and a resilient group has timers. In the kernel
 * they never end by themselves. When the simulation's own run of upkeep moves buckets, the
 * kernel is brought to run its own upkeep then, with the same buckets idle:
 *
 *     1. wait, so that whatever was used was used some time ago
 *     2. use every bucket once more that is not idle in simulated time, by a look-up
 *     3. replace the group with an idle timer between the two: the kernel's upkeep runs.
 *        Forced: with an unbalanced timer that has passed
 *     4. replace it with the timers that never end
 *
 * So it is when a member comes, too. Which buckets move, and to whom, is for the kernel to decide.
 * Step 2 needs flows that hit given buckets: look-ups with a mark, for which each resilient group
 * has a rule and a table of its own.
 *
 * Two things cannot be carried over, and the kernel has lost step then: where no flow hits some
 * bucket (a hash of few fields, more than 32768 buckets), and where the loss of a member also moves buckets that only time
 * has made idle, of members that stay: the kernel's upkeep has already run.
 */
#ifndef ECMPLAB_OBJECTS_H
#define ECMPLAB_OBJECTS_H

#include "core/router.h"
#include "sim/verify/lab.h"

struct objects;

/* The groups as the router has them now. All are borrowed. NULL: lab_error() says why. */
struct objects *objects_create(struct lab *lab, const struct router *router,
                               const struct router_config *config);
void objects_destroy(struct objects *o); /* NULL is fine */

/* Time has come to `now_ns`: before a change, and before a packet. False: lab_error(). */
bool objects_run(struct objects *o, int64_t now_ns);
/* The router has changed, and the lab's links, addresses and rules have followed. */
bool objects_follow(struct objects *o, int64_t now_ns);
/* The router chose by a group. `p` is the packet; `seen`: the kernel has routed it as well. */
bool objects_used(struct objects *o, const struct decision *d, const struct packet *p,
                  bool seen, int64_t now_ns);

/* Has the kernel lost step with some group? */
bool objects_are_lost(const struct objects *o);

#endif
