/*
 * fluid - flows that share links fairly, each link at its rate: processor sharing
 *
 *     rate of a flow = min(its cap, the link's share)
 *     share          = what makes the rates of the link's flows add up to its own, where they
 *                      want that much; else nobody is held back by it
 *
 * A flow crosses one link, the WAN; whatever else slows it down (its access line, its window,
 * the other end) is its cap. These are the max-min fair rates of maxmin.h, kept up to date as flows
 * come, go and move, caps change, and links change their rates: O(log flows) each, for any
 * number of flows.
 *
 * How: flows of one link and cap are a group, served alike. A link's groups are either held to
 * their cap or to its share. What each flow of a group has been served since it began grows at
 * one rate, so that the group needs one number for all of them, and its flows stand in the
 * order of the service at which they finish:
 *
 *     sharing groups    service = V + base          V: the integral of the share, one a link
 *     capped groups     service = base + cap * (now - since)
 *
 * A change moves the share, and groups whose cap it passes change sides.
 *
 * Time is nanoseconds; a flow finishes with the first whole one at which it is served. Bytes
 * and rates are doubles: service is exact to about 1e-15 of what the link has carried since it was
 * last idle.
 *
 * Source: virtual time as in Demers, Keshav, Shenker, "Analysis and simulation of a fair queueing
 * algorithm", SIGCOMM 1989, and Parekh, Gallager, IEEE/ACM ToN 1(3), 1993 (GPS).
 */
#ifndef ECMPLAB_FLUID_H
#define ECMPLAB_FLUID_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLUID_NEVER   INT64_MAX  /* the time of what does not happen */
#define FLUID_ENDLESS UINT64_MAX /* the bytes of a flow that never finishes by itself */

/* As fast as any link is: 1 Pbit/s. More is taken as this. */
#define FLUID_RATE_MAX 1e15

struct fluid;

struct fluid *fluid_create(void);
void fluid_destroy(struct fluid *f);

/* A link more, with nothing on it: its number, from 0. A rate of 0 lets nothing pass. */
unsigned fluid_link_add(struct fluid *f, double rate_bps);
void fluid_link_set_rate(struct fluid *f, unsigned link, double rate_bps);

/*
 * A flow of so many bytes begins now. Its number is the caller's, and must be free; memory
 * follows the highest, so use them again. `cap_bps` is INFINITY where only the link limits it.
 */
void fluid_add(struct fluid *f, uint32_t flow, unsigned link, uint64_t bytes,
               double cap_bps);

/* It goes on by another link, with what is left of it. */
void fluid_move(struct fluid *f, uint32_t flow, unsigned link);
void fluid_set_cap(struct fluid *f, uint32_t flow, double cap_bps);

/* It ends, finished or not: the bytes that it was served. Its number is free again. */
double fluid_remove(struct fluid *f, uint32_t flow);

/*
 * When the next flow finishes if nothing else happens, and which; FLUID_NEVER. One that has
 * finished is told until it is removed, at the present time. Of several it is that of the
 * lowest link, there one held to the share before one at its cap.
 */
int64_t fluid_next_finish(const struct fluid *f, uint32_t *flow);

/* Time goes on to `now_ns`, no further than the next finish. */
void fluid_advance(struct fluid *f, int64_t now_ns);

/* What a flow was served so far, over all links it was on, and its rate now. */
double fluid_flow_bytes(const struct fluid *f, uint32_t flow);
double fluid_flow_rate_bps(const struct fluid *f, uint32_t flow);

/* What a link carried so far, the sum of its flows' rates now, and how many there are. */
double fluid_link_bytes(const struct fluid *f, unsigned link);
double fluid_link_rate_bps(const struct fluid *f, unsigned link);
size_t fluid_link_flows(const struct fluid *f, unsigned link);

#endif
