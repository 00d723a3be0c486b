/*
 * Gateway checks: the router sends probes, the world answers them or not.
 *
 * An answer needs the link, the gateway, and for a target beyond the gateway the Internet; it
 * takes the way there and back, and counts only within the time-out. What goes wrong while a
 * probe is on its way does not touch it.
 *
 * A check whose next probes could only repeat the last one's outcome sleeps until something
 * happens to the router or its WANs: a capture that jumps over years costs no probe.
 */
#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

enum { PROBE_LOSSES_PURPOSE = 0x70726f62 };

void probe_schedule(struct simulation *sim, size_t check, int64_t time_ns)
{
    sim->sleeping[check] = false;
    heap_push(&sim->timers, time_ns, TIMER_PROBE, (uint32_t)check);
}

static bool is_bfd(const struct simulation *sim, size_t check)
{
    return router_check_target(sim->router, check).kind == CHECK_BFD;
}

static void check_wake(struct simulation *sim, size_t check)
{
    if (is_bfd(sim, check)) {
        listening_wake(sim, check);
        return;
    }
    router_check_skip_to(sim->router, check, sim->now_ns);
    probe_schedule(sim, check, router_check_next_ns(sim->router, check));
}

void probes_start(struct simulation *sim)
{
    const size_t n = router_checks_len(sim->router);

    if (!sim->sleeping) {
        sim->sleeping = mem_alloc(n, sizeof *sim->sleeping);
        sim->probe_wakes = mem_alloc(n, sizeof *sim->probe_wakes);
        sim->probe_losses = mem_alloc(n, sizeof *sim->probe_losses);
        for (size_t i = 0; i < n; i++)
            sim->probe_losses[i] = random_stream_make(
                sim->scenario->seed, PROBE_LOSSES_PURPOSE + ((uint64_t)i << 32));
        listening_create(sim);
    }
    for (size_t i = 0; i < n; i++)
        if (is_bfd(sim, i))
            listening_start(sim, i);
        else
            probe_schedule(sim, i, router_check_next_ns(sim->router, i));
}

void probes_wake(struct simulation *sim)
{
    sim->wakes++;
    for (size_t i = 0; i < router_checks_len(sim->router) && !sim->down; i++)
        if (sim->sleeping[i])
            check_wake(sim, i);
    if (!sim->down)
        watches_wake(sim);
}

static bool is_lost(double loss, struct random_stream *chance)
{
    return (double)(random_next(chance) >> 11) * 0x1p-53 < loss;
}

/* Two draws, whatever the link. */
int64_t probe_one_way_ns(const struct link *l, int64_t now_ns, bool *lost,
                         struct random_stream *chance)
{
    const struct link_conditions *c = &l->conditions;
    const int64_t wait = c->rate_bps && l->idle.ns > now_ns ? l->idle.ns - now_ns : 0;

    *lost |= is_lost(c->loss, chance);
    return c->delay_ns + wait +
           (int64_t)random_below(chance, (uint64_t)c->jitter_ns + 1);
}

int64_t probe_round_trip_ns(const struct simulation *sim, unsigned iface, bool beyond_gateway,
                            struct random_stream *chance)
{
    const struct wan_link *w;
    int64_t round_trip;
    bool lost = false;
    int wan;

    if (iface == NEXTHOP_NONE || !iface_is_running(router_iface(sim->router, iface)))
        return -1;
    wan = sim->wan_of_iface[iface];
    if (wan < 0)
        return 0;
    w = &sim->wans[wan];
    if (!wan_answers(w, beyond_gateway))
        return -1;
    round_trip = probe_one_way_ns(&w->up, sim->now_ns, &lost, chance) +
                 probe_one_way_ns(&w->down, sim->now_ns, &lost, chance);
    return lost ? -1 : round_trip;
}

int64_t probe_longest_ns(const struct link *l)
{
    const struct link_conditions *c = &l->conditions;

    if (c->loss > 0 || (c->rate_bps && l->queue.kind != LINK_TIME) ||
        (c->rate_bps && l->queue.limit > LINK_TIME_MAX))
        return -1;
    return c->delay_ns + c->jitter_ns + (c->rate_bps ? (int64_t)l->queue.limit : 0);
}

bool probe_is_certain(const struct simulation *sim, int wan, bool beyond_gateway,
                      int64_t limit_ns)
{
    int64_t up, down;

    if (wan < 0 || !wan_answers(&sim->wans[wan], beyond_gateway))
        return true;
    up = probe_longest_ns(&sim->wans[wan].up);
    down = probe_longest_ns(&sim->wans[wan].down);
    return up >= 0 && down >= 0 && up + down <= limit_ns;
}

static void probe_ask(struct simulation *sim, unsigned check)
{
    const struct rib_check c = router_check_target(sim->router, check);
    const int64_t timeout = sim->scenario->router.checks[c.kind].timeout_ns;
    const int64_t round_trip = probe_round_trip_ns(sim, c.iface, addr_is_set(&c.via), &sim->probe_losses[check]);

    sim->probe_wakes[check] = sim->wakes;
    router_check_sent(sim->router, check);
    if (round_trip >= 0 && round_trip <= timeout)
        heap_push(&sim->timers, sim->now_ns + round_trip, TIMER_PROBE_OK, check);
    else
        heap_push(&sim->timers, sim->now_ns + timeout, TIMER_PROBE_LOST, check);
}

void probe_send(struct simulation *sim, unsigned check)
{
    if (is_bfd(sim, check))
        listening_packet(sim, check);
    else
        probe_ask(sim, check);
}

/* Can a check fail of it, or come back when it is over? */
static bool concerns(const struct scenario_event *e, bool beyond_gateway, bool answered)
{
    const enum event_kind fault = scenario_event_fault(e);

    if (fault == EVENT_KINDS)
        return scenario_event_degrades(e) || e->kind == EVENT_LEASE_CHANGE ||
               (e->kind == EVENT_ADDRESS_CHANGE && answered);
    return fault != EVENT_BLACKHOLE || beyond_gateway;
}

/*
 * It failed of the first event that lasts, or else, as it came back, by the end of the last that
 * ended.
 */
int probe_event_behind(const struct simulation *sim, int wan, bool beyond_gateway, bool answered)
{
    int64_t ended_ns = -1;
    int ended = -1;

    for (size_t i = 0; wan >= 0 && i < sim->scenario->events_len; i++) {
        const struct event_course *course = course_latest(&sim->courses, (unsigned)i);

        if (!scenario_event_has_wan(&sim->scenario->events[i], wan) || course->began_ns < 0 ||
            !concerns(&sim->scenario->events[i], beyond_gateway, answered))
            continue;
        if (course->ended_ns < 0 && !answered)
            return (int)i;
        if (course->ended_ns >= 0 && course->ended_ns >= ended_ns) {
            ended = (int)i;
            ended_ns = course->ended_ns;
        }
    }
    return ended;
}

int probe_wan(const struct simulation *sim, const struct rib_check *c)
{
    return c->iface == NEXTHOP_NONE ? -1 : sim->wan_of_iface[c->iface];
}

int probe_event_of(const struct simulation *sim, const struct rib_check *c, bool answered)
{
    return probe_event_behind(sim, probe_wan(sim, c), addr_is_set(&c->via), answered);
}

static bool check_is_certain(const struct simulation *sim, const struct rib_check *c)
{
    return probe_is_certain(sim, probe_wan(sim, c), addr_is_set(&c->via),
                            sim->scenario->router.checks[c->kind].timeout_ns);
}

static void probe_conclude(struct simulation *sim, unsigned check, bool answered)
{
    const struct rib_check c = router_check_target(sim->router, check);

    if (router_check_ended(sim->router, check, answered)) {
        simulation_settle(sim); /* as the router decided until now */
        simulation_note_change(sim, CHANGE_MARK, probe_event_of(sim, &c, answered));
        probes_wake(sim); /* what it resolved may have been another's way */
    }
    sim->sleeping[check] = true;
    if (sim->probe_wakes[check] != sim->wakes || /* it does not know what happened since */
        !check_is_certain(sim, &c) ||
        !router_check_is_settled(sim->router, check, answered)) {
        router_check_skip_to(sim->router, check, sim->now_ns);
        probe_schedule(sim, check, router_check_next_ns(sim->router, check));
    }
}

void probe_end(struct simulation *sim, unsigned check, bool answered)
{
    if (!is_bfd(sim, check))
        probe_conclude(sim, check, answered);
    else if (answered)
        listening_heard(sim, check);
    else
        listening_silence(sim, check);
}
