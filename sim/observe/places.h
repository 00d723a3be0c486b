/*
 * places - whose addresses are these: a WAN's, the LAN's, nobody's in public
 *
 * A source belongs to a WAN when it is one of the interface's addresses now, or lies in a
 * prefix that the scenario says is routed to that WAN. Three things must not leave by a
 * WAN:
 *
 *     foreign        a source that belongs to another WAN, and not to this one
 *     untranslated   a private source (RFC 1918, fc00::/7) that is not this WAN's own:
 *                    one behind another translating box has a private address itself
 *     inside         a packet for an address of the LAN
 *
 * These cost a walk over WANs: they are asked when a decision is taken anew, not a
 * packet.
 */
#ifndef ECMPLAB_PLACES_H
#define ECMPLAB_PLACES_H

#include "core/router.h"
#include "sim/input/scenario.h"

enum leak { LEAK_FOREIGN = 1, LEAK_UNTRANSLATED = 2, LEAK_INSIDE = 4 };

struct places {
    const struct scenario *scenario; /* borrowed */
    const struct router *router;     /* borrowed */
    int *wan_of_iface;               /* by index of interface; -1: none */
};

void places_init(struct places *p, const struct scenario *s, const struct router *r);
void places_free(struct places *p);

/* The WAN on this interface, -1 for none; NEXTHOP_NONE is none. */
static inline int places_wan(const struct places *p, unsigned iface)
{
    return iface < p->scenario->router.ifaces_len ? p->wan_of_iface[iface] : -1;
}

/* enum leak bits of a packet with this source and destination that leaves by `wan`. */
unsigned places_leaks(const struct places *p, const struct addr *src,
                      const struct addr *dst, int wan);

#endif
