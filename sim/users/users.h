/*
 * users - people on the LAN who do things, and react to what becomes of them: closed-loop traffic
 *
 *     arrivals ─▶ session ─▶ lanes ─▶ connection ── packets ─▶ router ─▶ WAN ─▶ server
 *                    ▲          ▲          ▲                                      │
 *                    │          │          └───────────── answers ◀───────────────┘
 *                    │          └─ tries again, with another port
 *                    └─ finished, ended by the site, given up; outage as the person feels it
 *
 * A connection lives at both its ends: the server knows it by the public address and port from
 * which its first packet came, and what it makes of packets from elsewhere is the profile's
 * (profile.h). A provider drops what leaves by its WAN with a source that it does not deliver there
 * (BCP 38). What happens to sessions is told to the observers (simulation.h, session_news).
 */
#ifndef ECMPLAB_USERS_H
#define ECMPLAB_USERS_H

#include "sim/timeline/actor.h"
#include "sim/traffic/arrivals.h"
#include "sim/traffic/flowgen.h"
#include "sim/users/profile.h"

/* What a scenario says of them. */
struct users_config {
    const char *name;                /* in the result: its own, or the profile's */
    uint64_t seed;                   /* of this traffic alone */
    struct profile profile;          /* as changed by the scenario */
    struct arrivals_config arrivals; /* of the sessions of each host */
    const struct addr *hosts;
    size_t hosts_len;
    const struct flowgen_range *servers; /* of each family that hosts have */
    size_t servers_len;
    int64_t distance_ns; /* from the far end of a WAN to a server */
    int number;          /* in the scenario's traffic */
};

extern const struct actor_kind users_actor;

#endif
