/*
 * moves - when a flow's way is decided anew: did it move, why, and what did that do to it
 *
 * The simulation renews every decision when an event begins or ends and when routes
 * change, so each flow's next packet comes by here once.
 *
 * Why it moved, the first that holds:
 *   1. forced      the router has taken its old path for lost since its last decision
 *   2. policy      its new path was picked by a policy that splits flows
 *   3. failback    its new path returned since its last decision, or the latest change
 *                  since was a return
 *   4. config      the latest change since was one of configuration or address
 *   5. collateral  the latest change since was the loss of another path
 *   6. policy      nothing changed
 * Changes are those of routes of its own family: IPv4's tell nothing of an IPv6 flow.
 *
 * What it did, the worst that holds:
 *   broken    TCP lost its NAT entry; or it moved and left by a WAN under another WAN's
 *             address; or its answers moved to another WAN than its requests come by
 *   rehomed   anything but TCP, or TCP that only begins, lost its NAT entry
 *   stalled   a packet was lost on a dead path, or found no route
 *   survived  none of these
 *
 * An entry that begins anew with the same public address and port was not lost: nobody
 * outside can tell.
 *
 * Each harm belongs to the event behind the change that did it.
 */
#ifndef ECMPLAB_MOVES_H
#define ECMPLAB_MOVES_H

#include "sim/observe/metrics_parts.h"

/* The first packet of a connection: it gets a record. */
void moves_begin(struct metrics *m, const struct observation *o);

/* The flow has a packet now: it was alive at every mark that it has not seen yet. */
void moves_live_on(struct metrics *m, struct flow *f);

/* A packet of a flow that was decided anew, or whose entry was lost or began anew. */
void moves_decided(struct metrics *m, struct flow *f, const struct observation *o);

/* A packet of the flow was lost on a dead path (`event`: which one made it so; -1) ... */
void moves_lost(struct metrics *m, struct flow *f, int event);
/* ... or found no route. */
void moves_unrouted(struct metrics *m, struct flow *f);

/* The connection ended: `c` holds its last counts. */
void moves_end(struct metrics *m, const struct conn *c);

/* An event began, or it or its change is over, for one family or for both (FAMILY_NONE): each
 * flow's next packet is to notice. */
void moves_mark(struct metrics *m, int event, bool begins, uint8_t family);

/* Bytes of the connection that no path was given yet, but for the last
 * `pending_bytes`. */
uint64_t moves_unaccounted(const struct flow *f, const struct conn *c,
                           uint64_t pending_bytes);

/* The WAN that the decision leads to; -1: none. */
static inline int moves_wan(const struct metrics *m, const struct decision *d)
{
    return places_wan(&m->places, d->out_iface);
}

#endif
