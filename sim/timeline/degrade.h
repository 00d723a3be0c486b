/*
 * degrade - links that get worse without failing: slower, later, lossy
 *
 * What a link is like now are its own conditions, with those of every degrade and brownout of
 * its WAN that lasts laid over them, in the order in which they began: of two that say the
 * same, the later one holds. Loss that an event brings is independent of packet to packet.
 */
#ifndef ECMPLAB_DEGRADE_H
#define ECMPLAB_DEGRADE_H

#include <stddef.h>

#include "sim/input/scenario.h"

/* One direction's conditions under an event. `rate_bps` is the event's for it; 0: as it was. */
void degrade_lay_over(struct link_conditions *c, const struct degradation *d,
                      uint64_t rate_bps);

struct simulation;

/* An event of the WAN has begun or ended: set both links by those that last. */
void degrade_wan(struct simulation *sim, int wan);

#endif
