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

static void probe_schedule(struct simulation *sim, size_t check)
{
    sim->sleeping[check] = false;
    heap_push(&sim->timers, router_check_next_ns(sim->router, check), TIMER_PROBE,
              (uint32_t)check);
}

void probes_start(struct simulation *sim)
{
    const size_t n = router_checks_len(sim->router);

    if (!sim->sleeping) {
        sim->sleeping = mem_alloc(n, sizeof *sim->sleeping);
        sim->probe_wakes = mem_alloc(n, sizeof *sim->probe_wakes);
    }
    for (size_t i = 0; i < n; i++)
        probe_schedule(sim, i);
}

void probes_wake(struct simulation *sim)
{
    sim->wakes++;
    for (size_t i = 0; i < router_checks_len(sim->router) && !sim->down; i++) {
        if (!sim->sleeping[i])
            continue;
        router_check_skip_to(sim->router, i, sim->now_ns);
        probe_schedule(sim, i);
    }
    if (!sim->down)
        watches_wake(sim);
}

int64_t probe_round_trip_ns(const struct simulation *sim, unsigned iface, bool beyond_gateway)
{
    int wan;

    if (iface == NEXTHOP_NONE || !iface_is_running(router_iface(sim->router, iface)))
        return -1;
    wan = sim->wan_of_iface[iface];
    if (wan < 0)
        return 0;
    if (!wan_answers(&sim->wans[wan], beyond_gateway))
        return -1;
    return 2 * sim->scenario->wans[wan].delay_ns;
}

void probe_send(struct simulation *sim, unsigned check)
{
    const struct rib_check c = router_check_target(sim->router, check);
    const int64_t timeout = sim->scenario->router.checks[c.kind].timeout_ns;
    const int64_t round_trip = probe_round_trip_ns(sim, c.iface, addr_is_set(&c.via));

    sim->probe_wakes[check] = sim->wakes;
    router_check_sent(sim->router, check);
    if (round_trip >= 0 && round_trip <= timeout)
        heap_push(&sim->timers, sim->now_ns + round_trip, TIMER_PROBE_OK, check);
    else
        heap_push(&sim->timers, sim->now_ns + timeout, TIMER_PROBE_LOST, check);
}

/* Can a check fail of it, or come back when it is over? */
static bool concerns(const struct scenario_event *e, bool beyond_gateway, bool answered)
{
    const enum event_kind fault = scenario_event_fault(e);

    if (fault == EVENT_KINDS)
        return e->kind == EVENT_LEASE_CHANGE || (e->kind == EVENT_ADDRESS_CHANGE && answered);
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

static int event_behind(const struct simulation *sim, const struct rib_check *c, bool answered)
{
    return probe_event_behind(sim, c->iface == NEXTHOP_NONE ? -1 : sim->wan_of_iface[c->iface],
                              addr_is_set(&c->via), answered);
}

void probe_end(struct simulation *sim, unsigned check, bool answered)
{
    const struct rib_check c = router_check_target(sim->router, check);

    if (router_check_ended(sim->router, check, answered)) {
        simulation_note_change(sim, CHANGE_MARK, event_behind(sim, &c, answered));
        probes_wake(sim); /* what it resolved may have been another's way */
    }
    sim->sleeping[check] = true;
    if (sim->probe_wakes[check] != sim->wakes || /* it does not know what happened since */
        !router_check_is_settled(sim->router, check, answered)) {
        router_check_skip_to(sim->router, check, sim->now_ns);
        probe_schedule(sim, check);
    }
}
