#include "sim/timeline/course.h"

#include "core/memory.h"

void courses_init(struct courses *c, const struct scenario *s)
{
    const struct event_course unknown = {-1, -1, -1, -1, -1};

    c->scenario = s;
    c->of = mem_alloc(s->events_len, sizeof *c->of);
    c->hops_owed = mem_alloc(s->events_len, sizeof *c->hops_owed);
    for (size_t i = 0; i < s->events_len; i++)
        c->of[i] = unknown;
}

void courses_free(struct courses *c)
{
    mem_free(c->of);
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

void course_lost(struct courses *c, int event, int wan, unsigned hops, int64_t now_ns)
{
    struct event_course *course;

    if (event < 0 || !scenario_event_has_wan(&c->scenario->events[event], wan))
        return;
    course = &c->of[event];
    if (course->detected_ns < 0)
        course->detected_ns = now_ns;
    course->effective_ns = now_ns;
    c->hops_owed[event] += hops;
}

void course_returned(struct courses *c, int wan, unsigned hops, int64_t now_ns)
{
    for (size_t i = 0; hops && i < c->scenario->events_len; i++) {
        const unsigned owed = c->hops_owed[i];
        const unsigned back = owed < hops ? owed : hops;

        if (!back || !scenario_event_has_wan(&c->scenario->events[i], wan) ||
            c->of[i].ended_ns < 0)
            continue;
        c->hops_owed[i] -= back;
        hops -= back;
        c->of[i].recovered_ns = now_ns;
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
