/*
 * replay - the run itself: each packet through the simulated router and through the kernel
 *
 *     simulation ─▶ observation ─▶ the same packet into the lab ─▶ what came out ─▶ compare
 *                ─▶ change      ─▶ follow
 *
 * The kernel gets exactly what the simulated router got, in its order: also the requests and
 * answers that the simulation infers where a capture lacks them, and the packets of answers as
 * they are on the WAN's wire. What never came to the router (a dead link, no IP) does not come
 * here either.
 *
 * Simulated time runs ahead of the kernel's clock. Where a connection ends by time in the
 * simulation, it is deleted in the kernel.
 */
#ifndef ECMPLAB_REPLAY_H
#define ECMPLAB_REPLAY_H

#include "sim/verify/compare.h"
#include "sim/verify/lab.h"

/*
 * Run the scenario in both. Routing alone (RTM_GETROUTE, once for each flow and state of the
 * router) or all of it. False: `error` says what could not be done.
 */
bool replay_run(const struct scenario *s, struct lab *lab, bool routes_only,
                struct comparison *result, char *error, size_t error_size);

#endif
