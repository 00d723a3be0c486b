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
 *
 * Some events are a row of outages (a link that flaps): each outage has a course of its own.
 * Of the event itself then are
 *
 *     detected, effective   those of the first outage that the router noticed
 *     ended                 nothing more will happen
 *     recovered             when routes came back last
 *
 * The first COURSE_OUTAGES_KEPT outages are kept, all are counted.
 */
#ifndef ECMPLAB_COURSE_H
#define ECMPLAB_COURSE_H

#include "sim/input/scenario.h"

enum { COURSE_OUTAGES_KEPT = 64 };

/* -1: it did not come to that. */
struct event_course {
    int64_t began_ns;
    int64_t detected_ns;  /* the router learned of it: its first route changed */
    int64_t effective_ns; /* the last one changed */
    int64_t ended_ns;     /* the cause was gone */
    int64_t recovered_ns; /* the last of these routes was back */
};

/* The outages of one event; all zero where it is not made of outages. */
struct course_outages {
    struct event_course *kept; /* COURSE_OUTAGES_KEPT, and one for the latest of the others */
    uint64_t count;
    uint64_t detected;      /* of them: noticed by the router */
    int64_t down_ns;        /* of those that ended */
    int64_t undetected_ns;  /* of that: before the router's answer was complete */
};

struct courses {
    const struct scenario *scenario;
    struct event_course *of;         /* an event each */
    struct course_outages *outages;  /* likewise */
    unsigned *hops_owed;     /* next hops that died of the event and are not back yet */
};

/* The scenario is borrowed. */
void courses_init(struct courses *c, const struct scenario *s);
void courses_free(struct courses *c);

void course_begins(struct courses *c, unsigned event, int64_t now_ns);
void course_ends(struct courses *c, unsigned event, int64_t now_ns);

/* One of the event's outages; one at a time. Where it is `avoided`, because no route led by its
 * WANs any more, it is effective at once and yet not detected: nobody had to answer to it. */
void course_outage_begins(struct courses *c, unsigned event, bool avoided, int64_t now_ns);
void course_outage_ends(struct courses *c, unsigned event, int64_t now_ns);

/* The course of the event's latest outage, or its own where it has none. */
const struct event_course *course_latest(const struct courses *c, unsigned event);

/* From its beginning to what came first, the router's answer or its end (or `end_ns`); -1: it
 * never began. */
int64_t course_blackhole_ns(const struct event_course *course, int64_t end_ns);

/* Both sums of an event's outages, with one that lasts until `end_ns`. */
int64_t course_outages_down_ns(const struct course_outages *o, int64_t end_ns);
int64_t course_outages_undetected_ns(const struct course_outages *o, int64_t end_ns);

/* So many next hops on the WAN died of the event (-1: of none that is known). */
void course_lost(struct courses *c, int event, int wan, unsigned hops, int64_t now_ns);

/* So many came back. */
void course_returned(struct courses *c, int wan, unsigned hops, int64_t now_ns);

/* What the event did to the router by itself: no route had to be waited for. */
void course_at_once(struct courses *c, unsigned event, int64_t now_ns);

#endif
