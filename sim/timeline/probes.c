/*
 * Gateway checks: the router sends probes, the world answers them or not.
 *
 * An answer needs the link, the gateway, and for a target beyond the gateway the Internet; it
 * takes the way there and back, and counts only within the time-out. What goes wrong while a
 * probe is on its way does not touch it.
 */
#include "sim/timeline/simulation_parts.h"

void probes_start(struct simulation *sim)
{
    for (size_t i = 0; i < router_checks_len(sim->router); i++)
        heap_push(&sim->timers, router_check_next_ns(sim->router, i), TIMER_PROBE, (uint32_t)i);
}

/* The probe's way there and back, or -1 when nothing will come back. */
static int64_t round_trip_ns(const struct simulation *sim, const struct rib_check *c)
{
    int wan;

    if (c->iface == NEXTHOP_NONE ||
        !iface_is_running(router_iface(sim->router, c->iface)))
        return -1;
    wan = sim->wan_of_iface[c->iface];
    if (wan < 0)
        return 0;
    if (!wan_answers(&sim->wans[wan], addr_is_set(&c->via)))
        return -1;
    return 2 * sim->scenario->wans[wan].delay_ns;
}

void probe_send(struct simulation *sim, unsigned check)
{
    const struct rib_check c = router_check_target(sim->router, check);
    const int64_t timeout = sim->scenario->router.checks[c.kind].timeout_ns;
    const int64_t round_trip = round_trip_ns(sim, &c);

    router_check_sent(sim->router, check);
    if (round_trip >= 0 && round_trip <= timeout)
        heap_push(&sim->timers, sim->now_ns + round_trip, TIMER_PROBE_OK, check);
    else
        heap_push(&sim->timers, sim->now_ns + timeout, TIMER_PROBE_LOST, check);
    heap_push(&sim->timers, router_check_next_ns(sim->router, check), TIMER_PROBE, check);
}

void probe_end(struct simulation *sim, unsigned check, bool answered)
{
    const struct rib_check c = router_check_target(sim->router, check);
    const int wan = c.iface == NEXTHOP_NONE ? -1 : sim->wan_of_iface[c.iface];

    if (router_check_ended(sim->router, check, answered))
        simulation_note_change(sim, CHANGE_MARK, wan < 0 ? -1 : sim->wans[wan].cause);
}
