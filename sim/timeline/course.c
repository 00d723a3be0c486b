#include "sim/timeline/course.h"

#include "core/memory.h"

static const struct event_course unknown = {-1, -1, -1, -1, -1};

void courses_init(struct courses *c, const struct scenario *s)
{
    c->scenario = s;
    c->of = mem_alloc(s->events_len, sizeof *c->of);
    c->outages = mem_alloc(s->events_len, sizeof *c->outages);
    c->hops_owed = mem_alloc(s->events_len, sizeof *c->hops_owed);
    for (size_t i = 0; i < s->events_len; i++)
        c->of[i] = unknown;
}

void courses_free(struct courses *c)
{
    for (size_t i = 0; i < c->scenario->events_len; i++)
        mem_free(c->outages[i].kept);
    mem_free(c->of);
    mem_free(c->outages);
    mem_free(c->hops_owed);
}

void course_begins(struct courses *c, unsigned event, int64_t now_ns)
{
    c->of[event].began_ns = now_ns;
}

void course_ends(struct courses *c, unsigned event, int64_t now_ns)
{
    c->of[event].ended_ns = now_ns;
}

/* ------------------------------------------------------------------------------ outages */

/* The latest outage; NULL: there was none. */
static struct event_course *outage_of(const struct course_outages *o)
{
    if (o->count == 0)
        return NULL;
    return &o->kept[o->count <= COURSE_OUTAGES_KEPT ? o->count - 1 : COURSE_OUTAGES_KEPT];
}

void course_outage_begins(struct courses *c, unsigned event, bool avoided, int64_t now_ns)
{
    struct course_outages *o = &c->outages[event];

    if (!o->kept)
        o->kept = mem_alloc(COURSE_OUTAGES_KEPT + 1, sizeof *o->kept);
    o->count++;
    *outage_of(o) = unknown;
    outage_of(o)->began_ns = now_ns;
    if (avoided)
        outage_of(o)->effective_ns = now_ns;
}

void course_outage_ends(struct courses *c, unsigned event, int64_t now_ns)
{
    struct course_outages *o = &c->outages[event];
    struct event_course *latest = outage_of(o);

    latest->ended_ns = now_ns;
    o->down_ns += now_ns - latest->began_ns;
    o->undetected_ns += course_blackhole_ns(latest, now_ns);
}

const struct event_course *course_latest(const struct courses *c, unsigned event)
{
    const struct event_course *outage = outage_of(&c->outages[event]);

    return outage ? outage : &c->of[event];
}

int64_t course_blackhole_ns(const struct event_course *course, int64_t end_ns)
{
    int64_t until = end_ns;

    if (course->began_ns < 0)
        return -1;
    if (course->ended_ns >= 0 && course->ended_ns < until)
        until = course->ended_ns;
    if (course->effective_ns >= 0 && course->effective_ns < until)
        until = course->effective_ns;
    return until > course->began_ns ? until - course->began_ns : 0;
}

/* The one that has not ended; NULL: none. */
static const struct event_course *lasting(const struct course_outages *o)
{
    const struct event_course *latest = outage_of(o);

    return latest && latest->ended_ns < 0 ? latest : NULL;
}

int64_t course_outages_down_ns(const struct course_outages *o, int64_t end_ns)
{
    const struct event_course *last = lasting(o);

    return o->down_ns + (last ? end_ns - last->began_ns : 0);
}

int64_t course_outages_undetected_ns(const struct course_outages *o, int64_t end_ns)
{
    const struct event_course *last = lasting(o);

    return o->undetected_ns + (last ? course_blackhole_ns(last, end_ns) : 0);
}

/* -------------------------------------------------------------------------------- routes */

static void note_loss(struct event_course *course, int64_t now_ns)
{
    if (course->detected_ns < 0)
        course->detected_ns = now_ns;
    course->effective_ns = now_ns;
}

void course_lost(struct courses *c, int event, int wan, unsigned hops, int64_t now_ns)
{
    struct event_course *course, *outage;

    if (event < 0 || !scenario_event_has_wan(&c->scenario->events[event], wan))
        return;
    course = &c->of[event];
    outage = outage_of(&c->outages[event]);
    if (outage) {
        c->outages[event].detected += outage->detected_ns < 0;
        note_loss(outage, now_ns);
    }
    if (!outage || course->detected_ns < 0 || outage->detected_ns == course->detected_ns)
        note_loss(course, now_ns);
    c->hops_owed[event] += hops;
}

void course_returned(struct courses *c, int wan, unsigned hops, int64_t now_ns)
{
    for (size_t i = 0; hops && i < c->scenario->events_len; i++) {
        const unsigned owed = c->hops_owed[i];
        const unsigned back = owed < hops ? owed : hops;
        struct event_course *outage = outage_of(&c->outages[i]);

        if (!back || !scenario_event_has_wan(&c->scenario->events[i], wan) ||
            course_latest(c, (unsigned)i)->ended_ns < 0)
            continue;
        c->hops_owed[i] -= back;
        hops -= back;
        c->of[i].recovered_ns = now_ns;
        if (outage)
            outage->recovered_ns = now_ns;
    }
}

void course_at_once(struct courses *c, unsigned event, int64_t now_ns)
{
    struct event_course *course = &c->of[event];

    if (course->ended_ns >= 0)
        course->recovered_ns = now_ns;
    else
        course->detected_ns = course->effective_ns = now_ns;
}
