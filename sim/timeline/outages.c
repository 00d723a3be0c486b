#include "sim/timeline/outages.h"

#include "sim/timeline/simulation_parts.h"

enum { OUTAGES_PURPOSE = 0x6f757467 };

/* FNV-1a: a purpose of its own for each name. */
static uint64_t purpose_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ OUTAGES_PURPOSE;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

/* When the outage that begins now is over, and when the next one begins after this one's end. */
static int64_t end_of(const struct scenario_event *e, struct outages_plan *plan, int64_t now_ns)
{
    return now_ns +
           (e->kind == EVENT_FLAP ? e->down_ns : spell_draw(&e->repair, &plan->draws));
}

static int64_t next_of(const struct scenario_event *e, struct outages_plan *plan, int64_t now_ns)
{
    if (e->kind == EVENT_FLAP)
        return e->at_ns + (int64_t)plan->begun * e->period_ns;
    return now_ns + spell_draw(&e->between, &plan->draws);
}

static void schedule_next(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];
    struct outages_plan *plan = &sim->outages[event];

    if (plan->begun < SCENARIO_OUTAGES_MAX)
        heap_push(&sim->timers, next_of(e, plan, sim->now_ns), TIMER_OUTAGE, event);
}

/* Does no route lead by its WANs? */
static bool is_avoided(const struct simulation *sim, const struct scenario_event *e)
{
    for (size_t i = 0; i < scenario_event_wans(e); i++) {
        const struct wan_link *w = &sim->wans[scenario_event_wan(e, i)];

        if (w->next_hops_v4 || w->next_hops_v6)
            return false;
    }
    return true;
}

static void tell(struct simulation *sim, unsigned event, bool begins)
{
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].outage)
            sim->observers[i].outage(sim->observers[i].context, (int)event, begins,
                                     sim->now_ns);
}

static void turn_down(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];
    struct outages_plan *plan = &sim->outages[event];

    plan->down = true;
    plan->begun++;
    course_outage_begins(&sim->courses, event, is_avoided(sim, e), sim->now_ns);
    tell(sim, event, true);
    failure_set_wans(sim, e, true);
    heap_push(&sim->timers, end_of(e, plan, sim->now_ns), TIMER_OUTAGE, event);
}

static void turn_up(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];

    sim->outages[event].down = false;
    course_outage_ends(&sim->courses, event, sim->now_ns);
    tell(sim, event, false);
    failure_set_wans(sim, e, false);
    schedule_next(sim, event);
}

void outages_begin(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];

    if (e->kind == EVENT_FLAP) {
        turn_down(sim, event);
        return;
    }
    sim->outages[event].draws =
        random_stream_make(sim->scenario->seed, purpose_of(e->name ? e->name : e->pointer));
    schedule_next(sim, event);
}

void outages_end(struct simulation *sim, unsigned event)
{
    if (!sim->outages[event].down)
        return;
    sim->outages[event].down = false;
    course_outage_ends(&sim->courses, event, sim->now_ns);
    tell(sim, event, false);
    failure_set_wans(sim, &sim->scenario->events[event], false);
}

void outages_turn(struct simulation *sim, unsigned event)
{
    if (sim->courses.of[event].ended_ns >= 0)
        return;
    simulation_settle(sim);
    if (sim->outages[event].down)
        turn_up(sim, event);
    else
        turn_down(sim, event);
    failure_tell(sim, CHANGE_MARK, event);
}
