#include "sim/timeline/simulation.h"

#include <assert.h>
#include <stdio.h>

#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

/* ------------------------------------------------------------------------------- making */

static void conn_ended(void *context, const struct conn *c)
{
    const struct simulation *sim = context;

    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].conn_ended)
            sim->observers[i].conn_ended(sim->observers[i].context, c);
}

static void wans_init(struct simulation *sim)
{
    const struct scenario *s = sim->scenario;

    sim->wans = mem_alloc(s->wans_len, sizeof *sim->wans);
    sim->wan_of_iface = mem_alloc(s->router.ifaces_len, sizeof *sim->wan_of_iface);
    for (size_t i = 0; i < s->router.ifaces_len; i++)
        sim->wan_of_iface[i] = -1;
    for (size_t w = 0; w < s->wans_len; w++) {
        const unsigned iface = (unsigned)s->wans[w].iface;

        wan_init(&sim->wans[w]);
        wan_open(&sim->wans[w], &s->wans[w], s->seed);
        sim->wans[w].admin_down = s->router.ifaces[iface].disabled; /* held so from the start */
        wan_note_time(&sim->wans[w], 0);
        sim->wans[w].next_hops_v4 =
            rib_iface_next_hops(router_rib(sim->router), iface, FAMILY_V4);
        sim->wans[w].next_hops_v6 =
            rib_iface_next_hops(router_rib(sim->router), iface, FAMILY_V6);
        sim->wan_of_iface[iface] = (int)w;
    }
}

struct simulation *simulation_create(const struct scenario *s)
{
    struct simulation *sim = mem_alloc(1, sizeof *sim);
    const struct router_conn_sink sink = {conn_ended, sim};

    sim->scenario = s;
    sim->router = router_create(&s->router);
    router_set_conn_sink(sim->router, &sink);
    wans_init(sim);
    sim->lan = mem_alloc(s->lan_len, sizeof *sim->lan);
    sim->lan_len = s->lan_len;
    for (size_t i = 0; i < s->lan_len; i++)
        sim->lan[i] = net_make(&s->lan[i], -1);
    entrance_segments_init(sim);
    courses_init(&sim->courses, s);
    sim->outages = mem_alloc(s->events_len, sizeof *sim->outages);
    sim->old_lengths = mem_alloc(s->events_len, sizeof *sim->old_lengths);
    sim->route_holds = mem_alloc(s->router.routes_len, sizeof *sim->route_holds);
    sim->rule_holds = mem_alloc(s->router.rules_len, sizeof *sim->rule_holds);
    sim->standing = mem_alloc(s->router.routes_len, sizeof *sim->standing);
    for (size_t i = 0; i < s->router.routes_len; i++)
        sim->standing[i] = (unsigned)i;
    for (size_t i = 0; i < s->events_len; i++)
        heap_push(&sim->timers, s->events[i].at_ns, TIMER_EVENT_BEGINS, (uint32_t)i);
    probes_start(sim);
    watches_create(sim);
    return sim;
}

void simulation_destroy(struct simulation *sim)
{
    if (!sim)
        return;
    merge_close(sim);
    router_destroy(sim->router);
    heap_free(&sim->timers);
    for (size_t w = 0; w < sim->scenario->wans_len; w++)
        wan_close(&sim->wans[w]);
    mem_free(sim->wans);
    mem_free(sim->wan_of_iface);
    mem_free(sim->lan);
    mem_free(sim->segments);
    courses_free(&sim->courses);
    watches_free(sim);
    mem_free(sim->outages);
    mem_free(sim->old_lengths);
    mem_free(sim->standing);
    mem_free(sim->route_holds);
    mem_free(sim->rule_holds);
    mem_free(sim->sleeping);
    mem_free(sim->probe_wakes);
    mem_free(sim->probe_losses);
    mem_free(sim->listening);
    mem_free(sim);
}

void simulation_observe(struct simulation *sim, const struct observer *o)
{
    assert(sim->observers_len < SIMULATION_OBSERVERS_MAX);
    sim->observers[sim->observers_len++] = *o;
}

/* --------------------------------------------------------------------- one packet's course */

void simulation_show(struct simulation *sim, struct observation *o, enum fate fate,
                     enum reason reason)
{
    o->fate = (uint8_t)fate;
    o->reason = (uint8_t)reason;
    for (size_t i = 0; i < sim->observers_len; i++)
        sim->observers[i].packet(sim->observers[i].context, o);
}

static enum fate fate_of_verdict(enum verdict v)
{
    switch (v) {
    case VERDICT_FORWARD: return FATE_DELIVERED;
    case VERDICT_LOCAL: return FATE_LOCAL;
    case VERDICT_HELD: return FATE_HELD;
    case VERDICT_DROP:
    case VERDICT_UNREACHABLE:
    case VERDICT_PROHIBIT:
    case VERDICTS: break;
    }
    return FATE_DROPPED;
}

void simulation_deliver(struct simulation *sim, struct observation *o,
                        const struct packet *wire, const struct router_key *key)
{
    struct decision *d = &sim->decision;
    enum fate fate;
    enum reason reason;

    if (sim->down) {
        entrance_find_conn(sim, o);
        simulation_show(sim, o, FATE_DROPPED, REASON_ROUTER_DOWN);
        return;
    }
    router_forward_keyed(sim->router, wire, key, o->in_iface, sim->now_ns, d);
    if (d->reason == REASON_INVALID && o->in_wan < 0 && !(wire->flags & PACKET_FRAGMENT) &&
        entrance_assume_answer(sim, o))
        router_forward(sim->router, wire, o->in_iface, sim->now_ns, d);
    o->decision = d;
    o->wire = wire;
    /* Only the decision knows: what was found before may have ended with this packet. */
    o->conn = d->conn == CONN_NONE ? NULL : conn_at(router_conns(sim->router), d->conn);
    if (d->out_iface != NEXTHOP_NONE)
        o->out_wan = sim->wan_of_iface[d->out_iface];
    fate = fate_of_verdict(d->verdict);
    reason = d->reason;
    if (fate == FATE_DELIVERED && o->out_wan >= 0) {
        const enum reason fault = wan_fault(&sim->wans[o->out_wan]);
        const enum reason lost = fault ? fault : crossing_up(sim, o);

        if (lost != REASON_NONE) {
            fate = FATE_DROPPED;
            reason = lost;
        }
    } else if (fate == FATE_LOCAL && o->in_wan >= 0) {
        fate = FATE_DROPPED;
        reason = REASON_NO_CONNECTION;
    }
    simulation_show(sim, o, fate, reason);
}

void simulation_ask(struct simulation *sim, const struct packet *p, int in_iface,
                    struct decision *d)
{
    if (sim->down)
        *d = (struct decision){.verdict = VERDICT_DROP,
                               .reason = REASON_ROUTER_DOWN,
                               .member = NEXTHOP_NONE,
                               .out_iface = NEXTHOP_NONE,
                               .conn = CONN_NONE,
                               .nat_src = p->src,
                               .nat_sport = p->sport};
    else
        router_forward(sim->router, p, in_iface, sim->now_ns, d);
}

/* ------------------------------------------------------------------------------- timers */

static void timer_run(struct simulation *sim, const struct timer *t)
{
    sim->now_ns = t->time_ns;
    router_set_time(sim->router, t->time_ns);
    switch ((enum timer_kind)t->kind) {
    case TIMER_EVENT_BEGINS: failure_begin(sim, t->index); break;
    case TIMER_EVENT_ENDS: failure_end(sim, t->index); break;
    case TIMER_OUTAGE: outages_turn(sim, t->index); break;
    case TIMER_PROBE: probe_send(sim, t->index); break;
    case TIMER_PROBE_OK: probe_end(sim, t->index, true); break;
    case TIMER_PROBE_LOST: probe_end(sim, t->index, false); break;
    case TIMER_WATCH_PACKET: watch_packet(sim, t->index); break;
    case TIMER_WATCH_TEST: watch_test(sim, t->index); break;
    }
}

void simulation_advance(struct simulation *sim, int64_t time_ns)
{
    const struct timer *next;
    struct timer t;

    while ((next = heap_peek(&sim->timers)) && next->time_ns <= time_ns && heap_pop(&sim->timers, &t))
        timer_run(sim, &t);
    if (time_ns > sim->now_ns)
        sim->now_ns = time_ns;
}

/* ------------------------------------------------------------------------------- a run */

void simulation_drop_fragments(struct simulation *sim)
{
    uint32_t packets;
    uint64_t bytes;

    router_expire_fragments(sim->router, INT64_MAX, &packets, &bytes);
    for (size_t i = 0; packets && i < sim->observers_len; i++)
        if (sim->observers[i].fragments_dropped)
            sim->observers[i].fragments_dropped(sim->observers[i].context, sim->now_ns, packets,
                                                bytes);
}

bool simulation_run(struct simulation *sim, char *error, size_t error_size)
{
    const int64_t end_ns = sim->scenario->duration_ns;

    if (!merge_open(sim, error, error_size))
        return false;
    while (!sim->is_full && merge_run_next(sim, end_ns ? end_ns : INT64_MAX))
        ;
    if (sim->is_full) {
        snprintf(error, error_size, "more than %d sessions of users at once",
                 SIMULATION_SESSIONS_MAX);
        return false;
    }
    if (!merge_ended_well(sim, error, error_size))
        return false;
    if (end_ns) {
        simulation_advance(sim, end_ns);
        merge_settle(sim, end_ns + 1); /* the last instant is part of the run */
    }
    simulation_drop_fragments(sim);
    return true;
}

/* ------------------------------------------------------------------------ what is known */

struct router *simulation_router(struct simulation *sim)
{
    return sim->router;
}

const struct scenario *simulation_scenario(const struct simulation *sim)
{
    return sim->scenario;
}

int64_t simulation_now_ns(const struct simulation *sim)
{
    return sim->now_ns;
}

uint64_t simulation_packets(const struct simulation *sim)
{
    return sim->packets;
}

uint64_t simulation_steps_back(const struct simulation *sim)
{
    uint64_t n = 0;

    for (size_t i = 0; i < sim->streams_len; i++)
        n += sim->streams[i].batch->steps_back;
    return n;
}

const struct event_course *simulation_event_course(const struct simulation *sim, int event)
{
    return &sim->courses.of[event];
}

const struct course_outages *simulation_event_outages(const struct simulation *sim, int event)
{
    return &sim->courses.outages[event];
}

enum reason simulation_wan_fault(const struct simulation *sim, int wan)
{
    return wan_fault(&sim->wans[wan]);
}

bool simulation_wan_is_up(const struct simulation *sim, int wan)
{
    return wan_is_up(&sim->wans[wan]);
}

int64_t simulation_wan_up_ns(const struct simulation *sim, int wan)
{
    return wan_up_ns(&sim->wans[wan], sim->now_ns);
}
