/*
 * wan - the link behind each WAN interface, and what is wrong with it now
 *
 * The router sees of it only the carrier, and what its gateway checks find:
 *
 *                     carrier   gateway answers   Internet answers
 *     link down          no           no                no
 *     gateway down       yes          no                no
 *     blackhole          yes          yes               no
 *
 * Several events may hold one WAN down at a time; each is counted.
 *
 * What passes goes by the link of its direction (sim/links/link.h): queued, delayed, dropped.
 */
#ifndef ECMPLAB_WAN_H
#define ECMPLAB_WAN_H

#include "core/router.h"
#include "sim/input/scenario.h"
#include "sim/links/link.h"

struct wan_link {
    unsigned carrier_lost, admin_down, gateway_down, blackholed; /* events that hold it so */
    unsigned next_hops_v4, next_hops_v6; /* living ones of the router's routes that use it */
    int64_t up_since_ns; /* -1: not up */
    int64_t up_ns;       /* before that */
    struct link up, down; /* towards the Internet, towards the LAN */
    double owed_up, owed_down; /* parts of a packet that they have yet to lose of flows */
};

void wan_init(struct wan_link *w);

/* Does the provider deliver this address here: is it one of the interface's now, or in a prefix
 * that is routed to it? */
bool wan_owns(const struct scenario_wan *w, const struct router *r, const struct addr *a);

/* Lay the links of both directions, as the scenario describes them. Their chance depends on
 * the seed and the WAN's name. */
void wan_open(struct wan_link *w, const struct scenario_wan *s, uint64_t seed);
void wan_close(struct wan_link *w);

bool wan_is_up(const struct wan_link *w);

/* Why nothing passes, either way: REASON_NONE when everything does. */
enum reason wan_fault(const struct wan_link *w);

/* Does a probe get its answer: of the gateway itself, or of something beyond it? */
bool wan_answers(const struct wan_link *w, bool beyond_gateway);

/* Call after a change of state: keeps the time up. */
void wan_note_time(struct wan_link *w, int64_t now_ns);
int64_t wan_up_ns(const struct wan_link *w, int64_t now_ns);

#endif
