/*
 * course - what is known of each event's course
 *
 *     began ─── detected ─ ... ─ effective ─── ended ─── recovered ─▶ time
 *               the router's first route        the cause   the last of these
 *               changed, the last one           was gone    routes was back
 *
 * An event may take several WANs: detected with the first of them, effective with the last.
 * A loss of next hops on a WAN belongs to the event that the simulation names. A return
 * belongs to the first events on that WAN that are over and whose next hops are not all back.
 */
#ifndef ECMPLAB_COURSE_H
#define ECMPLAB_COURSE_H

#include "sim/input/scenario.h"

/* -1: it did not come to that. */
struct event_course {
    int64_t began_ns;
    int64_t detected_ns;  /* the router learned of it: its first route changed */
    int64_t effective_ns; /* the last one changed */
    int64_t ended_ns;     /* the cause was gone */
    int64_t recovered_ns; /* the last of these routes was back */
};

struct courses {
    const struct scenario *scenario;
    struct event_course *of; /* an event each */
    unsigned *hops_owed;     /* next hops that died of the event and are not back yet */
};

/* The scenario is borrowed. */
void courses_init(struct courses *c, const struct scenario *s);
void courses_free(struct courses *c);

void course_begins(struct courses *c, unsigned event, int64_t now_ns);
void course_ends(struct courses *c, unsigned event, int64_t now_ns);

/* So many next hops on the WAN died of the event (-1: of none that is known). */
void course_lost(struct courses *c, int event, int wan, unsigned hops, int64_t now_ns);

/* So many came back. */
void course_returned(struct courses *c, int wan, unsigned hops, int64_t now_ns);

/* What the event did to the router by itself: no route had to be waited for. */
void course_at_once(struct courses *c, unsigned event, int64_t now_ns);

#endif
