#include "sim/timeline/degrade.h"

#include "sim/timeline/simulation_parts.h"

void degrade_lay_over(struct link_conditions *c, const struct degradation *d,
                      uint64_t rate_bps)
{
    if (rate_bps)
        c->rate_bps = rate_bps;
    if (d->has_delay)
        c->delay_ns = d->delay_ns;
    if (d->has_jitter)
        c->jitter_ns = d->jitter_ns;
    if (d->has_loss) {
        c->loss = d->loss;
        c->burst = 0;
    }
}

void degrade_wan(struct simulation *sim, int wan)
{
    struct wan_link *w = &sim->wans[wan];
    struct link_conditions up = w->up.own, down = w->down.own;

    for (size_t i = 0; i < sim->scenario->events_len; i++) {
        const struct scenario_event *e = &sim->scenario->events[i];
        const struct event_course *c = &sim->courses.of[i];

        if (!scenario_event_degrades(e) || c->began_ns < 0 || c->ended_ns >= 0 ||
            !scenario_event_has_wan(e, wan))
            continue;
        degrade_lay_over(&up, &e->degraded, e->degraded.up_bps);
        degrade_lay_over(&down, &e->degraded, e->degraded.down_bps);
    }
    link_set(&w->up, &up, sim->now_ns);
    link_set(&w->down, &down, sim->now_ns);
}
