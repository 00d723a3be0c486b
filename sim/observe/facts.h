/*
 * facts - what the simulation alone knows of a run that is over
 *
 * Copied from it once, so that a result can be built and tested without one.
 */
#ifndef ECMPLAB_FACTS_H
#define ECMPLAB_FACTS_H

#include "sim/timeline/simulation.h"

struct facts {
    int64_t end_ns;
    uint64_t packets;             /* read */
    uint64_t steps_back;          /* timestamps that were earlier than the one before */
    struct event_course *courses; /* by index of scenario.events */
    struct course_outages *outages; /* likewise; their lists are the simulation's. NULL: none */
    struct watch_facts {
        uint64_t downs;  /* times that it was found down */
        int64_t down_ns; /* in all */
    } *watches;           /* by index of scenario.watches; NULL: none */
    int64_t *wan_up_ns;           /* by index of scenario.wans */
};

void facts_of(struct facts *f, const struct simulation *sim);
void facts_free(struct facts *f);

#endif
