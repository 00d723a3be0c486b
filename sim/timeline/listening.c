/*
 * Gateway checks by BFD: the gateways send packets, which the router hears or not (bfd.h).
 *
 * A session whose next packets could only fare as the last one did sleeps until something
 * happens to the router or its WANs, as other checks do. Asleep it stays as it is.
 */
#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

enum { JITTER_PURPOSE = 0x626664 };

void listening_create(struct simulation *sim)
{
    sim->listening = mem_alloc(router_checks_len(sim->router), sizeof *sim->listening);
    for (size_t i = 0; i < router_checks_len(sim->router); i++)
        sim->listening[i].bfd.jitter =
            random_stream_make(sim->scenario->seed, JITTER_PURPOSE + ((uint64_t)i << 32));
}

/* How long a packet of the gateway that leaves now takes to the router; -1: for ever. */
static int64_t way_ns(struct simulation *sim, size_t check, const struct rib_check *c)
{
    const int wan = probe_wan(sim, c);
    bool lost = false;
    int64_t took;

    if (c->iface == NEXTHOP_NONE ||
        !iface_is_running(router_iface(sim->router, c->iface)))
        return -1;
    if (wan < 0)
        return 0;
    if (!wan_answers(&sim->wans[wan], addr_is_set(&c->via)))
        return -1;
    took = probe_one_way_ns(&sim->wans[wan].down, sim->now_ns, &lost,
                            &sim->probe_losses[check]);
    return lost ? -1 : took;
}

/* Will all packets be lost, or none so late that the router would take it for silence? */
static bool is_certain(const struct simulation *sim, const struct rib_check *c)
{
    const int wan = probe_wan(sim, c);
    const struct link *down;
    int64_t longest;

    if (wan < 0 || !wan_answers(&sim->wans[wan], addr_is_set(&c->via)))
        return true;
    down = &sim->wans[wan].down;
    longest = probe_longest_ns(down);
    return longest >= 0 && longest - down->conditions.delay_ns <
                               bfd_slack_ns(&sim->scenario->router.checks[CHECK_BFD]);
}

static void time_silence(struct simulation *sim, size_t check)
{
    struct listening *l = &sim->listening[check];
    const int64_t deadline = bfd_deadline_ns(&l->bfd);

    if (l->timed || l->bfd.silent)
        return;
    l->timed = true;
    heap_push(&sim->timers, deadline > sim->now_ns ? deadline : sim->now_ns,
              TIMER_PROBE_LOST, (uint32_t)check);
}

/* The router takes the gateway for reachable: its next packet has its time to come. */
static void presume_up(struct simulation *sim, size_t check)
{
    const struct rib_check c = router_check_target(sim->router, check);
    const int wan = probe_wan(sim, &c);
    const struct link_conditions *down = wan < 0 ? NULL : &sim->wans[wan].down.conditions;

    bfd_presume_up(&sim->listening[check].bfd,
                   down ? down->delay_ns + down->jitter_ns : 0);
}

void listening_start(struct simulation *sim, size_t check)
{
    struct listening *l = &sim->listening[check];

    bfd_start(&l->bfd, &sim->scenario->router.checks[CHECK_BFD], l->bfd.jitter,
              sim->now_ns);
    l->timed = false;
    presume_up(sim, check);
    time_silence(sim, check);
    probe_schedule(sim, check, l->bfd.next_ns);
}

static void note_presumption(struct simulation *sim, size_t check)
{
    if (sim->listening[check].bfd.silent && router_check_target(sim->router, check).up)
        presume_up(sim, check);
}

void listening_wake(struct simulation *sim, size_t check)
{
    struct bfd *b = &sim->listening[check].bfd;

    bfd_skip_to(b, sim->now_ns);
    if (!b->silent)
        bfd_heard(b, b->sent_ns + b->took_ns);
    note_presumption(sim, check);
    time_silence(sim, check);
    probe_schedule(sim, check, b->next_ns);
}

/* Does a packet that takes so long (-1: for ever) leave the session as it is? */
static bool is_as_ever(const struct simulation *sim, const struct bfd *b, int64_t took)
{
    if (took < 0)
        return b->silent;
    return !b->silent && sim->now_ns + took <= bfd_deadline_ns(b);
}

void listening_packet(struct simulation *sim, unsigned check)
{
    const struct rib_check c = router_check_target(sim->router, check);
    struct bfd *b = &sim->listening[check].bfd;
    const int64_t took = way_ns(sim, check, &c);

    note_presumption(sim, check);
    time_silence(sim, check);
    bfd_sent(b);
    if (took >= 0) {
        b->took_ns = took;
        heap_push(&sim->timers, sim->now_ns + took, TIMER_PROBE_OK, check);
    }
    if (is_as_ever(sim, b, took) && is_certain(sim, &c))
        sim->sleeping[check] = true;
    else
        probe_schedule(sim, check, b->next_ns);
}

static void conclude(struct simulation *sim, unsigned check, bool up)
{
    const struct rib_check c = router_check_target(sim->router, check);

    if (!router_check_conclude(sim->router, check, up))
        return;
    simulation_settle(sim); /* as the router decided until now */
    simulation_note_change(sim, CHANGE_MARK, probe_event_of(sim, &c, up));
    probes_wake(sim);
}

void listening_heard(struct simulation *sim, unsigned check)
{
    bfd_heard(&sim->listening[check].bfd, sim->now_ns);
    time_silence(sim, check);
    conclude(sim, check, true);
}

void listening_silence(struct simulation *sim, unsigned check)
{
    struct listening *l = &sim->listening[check];

    l->timed = false;
    if (l->bfd.silent || sim->sleeping[check])
        return;
    if (bfd_deadline_ns(&l->bfd) > sim->now_ns) {
        time_silence(sim, check);
        return;
    }
    l->bfd.silent = true;
    conclude(sim, check, false);
}
