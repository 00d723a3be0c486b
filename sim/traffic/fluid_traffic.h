/*
 * fluid_traffic - connections that are carried as a whole, not packet by packet
 *
 *     demands ─▶ live connections ─┬─ few of their packets, sent for real ─▶ router ─▶ observers
 *                                  └─ all others, carried between them ────────────▶ observers
 *
 * Which of a connection's packets are sent, and how the others share their fate: carrying.h. So
 * both granularities give the same, packet for packet.
 *
 * It needs policies that decide once a connection (POLICY_FIXED, and those that pin without
 * counting what they send); scenario reading refuses the others. Two
 * connections of a flow list that use one 5-tuple at one time do not see each other's ends.
 *
 * Costs: a live connection takes FLUID_LIVE_BYTES here beside its entry in the router and its
 * record in the metrics; memory follows what lives. A change costs a look at each live one.
 */
#ifndef ECMPLAB_FLUID_TRAFFIC_H
#define ECMPLAB_FLUID_TRAFFIC_H

#include "sim/timeline/actor.h"

enum {
    FLUID_LIVE_BYTES = 352,   /* with its place in the order of time */
    FLUID_LIVE_MAX = 1 << 22, /* connections at once */
};

extern const struct actor_kind fluid_traffic_actor;

#endif
