/*
 * life - rows: what becomes of each packet of a connection while its WAN changes
 *
 * The router is a Linux with a LAN and three WANs, policy l4, everything leaving a WAN translated
 * (masquerade, or src-nat to the WAN's first address). A row is a script of steps, each with
 * what is to come of it:
 *
 *     "out: wan1 as wan1 new"   a packet of the host leaves by wan1, with wan1's address, and a
 *                               connection begins with it ("new"; else it goes on)
 *     "in wan1: lan"            an answer to the last public source comes in by wan1: to the host
 *     "out: killed"             dropped, and its entry with it
 *     "out: lost"               comes out nowhere, the entries are as they were
 *     "out: lost, new"          the same, but the connection has begun
 *     "in wan1: wan1 as wan1b new"  what was an answer is to nobody here: sent on, as any packet
 *     "down wan1: ended 1"      a change; so many connections end with it, at once
 *
 * "late" in front of a packet's step: of a second connection, whose packets hash as the first's.
 *
 *     down, up wan1                    administratively; IPv6 addresses are added again with up
 *     no-carrier, carrier wan1         the far end
 *     readdress wan1, unaddress wan1   its address becomes "wan1b"; it loses its last one
 *     without wan1, all                the multipath route is replaced
 *
 * Where in the hash space the flow lies is told in sixths of it, from 0: of three equal next hops
 * each owns two, of two three.
 *
 * Source: measured on Linux 6.18; nf_nat_masquerade_ipv4(), nf_nat_inet_fn() (an interface that
 * changed: nf_nat_oif_changed()), masq_device_event(), masq_inet_event(), fib_sync_down_dev().
 */
#ifndef ECMPLAB_LIFE_H
#define ECMPLAB_LIFE_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/input/scenario.h"

enum { LIFE_STEPS_MAX = 24, LIFE_WANS = 3 };

/* Of each family, IPv4 first: the whole multipath route, and the one without wan1, which is not
 * there at first. */
enum life_route { LIFE_ROUTE_ALL, LIFE_ROUTE_WITHOUT, LIFE_ROUTE_V6 };

struct life {
    const char *what;
    bool masquerade;
    bool ignore_linkdown;
    bool by_metric; /* wan1 and wan2 by metric; else all three in one route */
    bool only_v4;
    unsigned sixth;
    const char *steps[LIFE_STEPS_MAX]; /* up to the first NULL */
};

extern const struct life lives[];
extern const size_t lives_len;

/* The row's router; scenario_free() ends it. NULL: why has been printed. */
struct scenario *life_scenario(const struct life *life);

#endif
