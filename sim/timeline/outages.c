#include "sim/timeline/outages.h"

#include "sim/timeline/simulation_parts.h"

static void turn_down(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];
    struct outages_plan *plan = &sim->outages[event];

    plan->down = true;
    plan->begun++;
    course_outage_begins(&sim->courses, event, sim->now_ns);
    failure_set_wans(sim, e, true);
    heap_push(&sim->timers, sim->now_ns + e->down_ns, TIMER_OUTAGE, event);
}

static void turn_up(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];
    struct outages_plan *plan = &sim->outages[event];

    plan->down = false;
    course_outage_ends(&sim->courses, event, sim->now_ns);
    failure_set_wans(sim, e, false);
    heap_push(&sim->timers, e->at_ns + (int64_t)plan->begun * e->period_ns, TIMER_OUTAGE, event);
}

void outages_begin(struct simulation *sim, unsigned event)
{
    turn_down(sim, event);
}

void outages_end(struct simulation *sim, unsigned event)
{
    if (!sim->outages[event].down)
        return;
    sim->outages[event].down = false;
    course_outage_ends(&sim->courses, event, sim->now_ns);
    failure_set_wans(sim, &sim->scenario->events[event], false);
}

void outages_turn(struct simulation *sim, unsigned event)
{
    if (sim->courses.of[event].ended_ns >= 0)
        return;
    if (sim->outages[event].down)
        turn_up(sim, event);
    else
        turn_down(sim, event);
    failure_tell(sim, CHANGE_MARK, event);
}
