/*
 * follow - the lab's router goes through what the simulated one goes through
 *
 *     simulation ── event, change ──▶ follow ── ip, nft, links ──▶ lab
 *
 * Linux: the raw event alone is applied (link down and up, carrier, addresses, routes, rules),
 * and the kernel reacts as it does. A gateway check stands for a daemon that takes the next hop
 * out of the route and puts it back. Next-hop objects are followed by objects.h.
 *
 * RouterOS: the kernel has what RouterOS's daemon would have installed: of each destination the
 * active routes of the RIB, with their gateways resolved and only the living ones. A link
 * that is not running is administratively down here: its routes go, and masquerade forgets what
 * was behind it. Addresses stay.
 */
#ifndef ECMPLAB_FOLLOW_H
#define ECMPLAB_FOLLOW_H

#include "sim/timeline/simulation.h"
#include "sim/verify/lab.h"

struct follow;

/* Make the lab's router what the configuration says. NULL: lab_error() says why not. With
 * `routes_only` nothing is translated or tracked. All are borrowed. */
struct follow *follow_create(struct lab *lab, const struct scenario *s,
                             const struct router *router, bool routes_only);
void follow_destroy(struct follow *f);

/* Can all the scenario's events be followed? False: `why` names one that cannot. */
bool follow_can(const struct scenario *s, char *why, size_t why_size);

/* For the observer's callbacks: an event begins or ends, the router was told of a change. */
bool follow_event(struct follow *f, int event, bool begins);
bool follow_change(struct follow *f, int64_t now_ns);

/*
 * Time has come to the packet's, before the kernel gets it; and what the simulation decided of it,
 * whether the kernel was asked too (`seen`) or not. See objects.h.
 */
bool follow_time(struct follow *f, int64_t now_ns);
bool follow_use(struct follow *f, const struct decision *d, const struct packet *p,
                bool seen, int64_t now_ns);
/* The kernel cannot follow what some group does. */
bool follow_has_lost(const struct follow *f);

#endif
