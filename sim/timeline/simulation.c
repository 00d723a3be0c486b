#include "sim/timeline/simulation.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

enum { PREFETCH_AHEAD = 8 }; /* packets between asking for an entry and needing it */

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
        sim->wans[w].used_v4 = rib_iface_is_used(router_rib(sim->router), iface, FAMILY_V4);
        sim->wans[w].used_v6 = rib_iface_is_used(router_rib(sim->router), iface, FAMILY_V6);
        sim->wan_of_iface[iface] = (int)w;
    }
}

struct simulation *simulation_create(const struct scenario *s)
{
    const struct event_course unknown = {-1, -1, -1, -1, -1};
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
    sim->courses = mem_alloc(s->events_len, sizeof *sim->courses);
    for (size_t i = 0; i < s->events_len; i++) {
        sim->courses[i] = unknown;
        heap_push(&sim->timers, s->events[i].at_ns, TIMER_EVENT_BEGINS, (uint32_t)i);
    }
    probes_start(sim);
    return sim;
}

static void streams_close(struct simulation *sim)
{
    for (size_t i = 0; i < sim->streams_len; i++)
        if (sim->streams[i].state)
            sim->streams[i].kind->close(sim->streams[i].state);
    mem_free(sim->streams);
    sim->streams = NULL;
    sim->streams_len = 0;
}

void simulation_destroy(struct simulation *sim)
{
    if (!sim)
        return;
    streams_close(sim);
    router_destroy(sim->router);
    heap_free(&sim->timers);
    mem_free(sim->wans);
    mem_free(sim->wan_of_iface);
    mem_free(sim->lan);
    mem_free(sim->segments);
    mem_free(sim->courses);
    mem_free(sim);
}

void simulation_observe(struct simulation *sim, const struct observer *o)
{
    if (sim->observers_len < SIMULATION_OBSERVERS_MAX)
        sim->observers[sim->observers_len++] = *o;
}

/* ------------------------------------------------------------------------------ changes */

static void tell_change(struct simulation *sim, const struct change *what)
{
    struct change c = *what;

    c.time_ns = sim->now_ns;
    c.epoch = router_epoch(sim->router);
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].changed)
            sim->observers[i].changed(sim->observers[i].context, &c);
}

/* A WAN came into use or went out of it: what that is in the course of the event behind it. */
static void note_course(struct simulation *sim, int event, bool used)
{
    struct event_course *course;

    if (event < 0)
        return;
    course = &sim->courses[event];
    if (used) {
        if (course->effective_ns >= 0)
            course->recovered_ns = sim->now_ns;
    } else if (course->effective_ns < 0) {
        course->detected_ns = course->effective_ns = sim->now_ns;
    }
}

/* Is the WAN used otherwise than before, for this family? Then tell it. */
static bool note_use(struct simulation *sim, size_t wan, enum family family, bool *used,
                     int event)
{
    const unsigned iface = (unsigned)sim->scenario->wans[wan].iface;
    const bool now = rib_iface_is_used(router_rib(sim->router), iface, family);

    if (now == *used)
        return false;
    *used = now;
    note_course(sim, event, now);
    tell_change(sim, &(struct change){.kind = now ? CHANGE_RETURN : CHANGE_LOSS,
                                      .family = (uint8_t)family,
                                      .wan = (int)wan,
                                      .event = event});
    return true;
}

void simulation_note_change(struct simulation *sim, enum change_kind kind, int event)
{
    bool told = false;

    for (size_t w = 0; w < sim->scenario->wans_len; w++) {
        told |= note_use(sim, w, FAMILY_V4, &sim->wans[w].used_v4, event);
        told |= note_use(sim, w, FAMILY_V6, &sim->wans[w].used_v6, event);
    }
    if (told)
        return;
    if (event >= 0 && kind != CHANGE_MARK && sim->courses[event].effective_ns < 0)
        sim->courses[event].detected_ns = sim->courses[event].effective_ns = sim->now_ns;
    else if (event >= 0 && kind != CHANGE_MARK && sim->courses[event].ended_ns >= 0)
        sim->courses[event].recovered_ns = sim->now_ns;
    tell_change(sim, &(struct change){.kind = (uint8_t)kind,
                                      .wan = event < 0 ? -1 : sim->scenario->events[event].wan,
                                      .event = event});
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
    struct decision d;
    enum fate fate;
    enum reason reason;

    router_forward_keyed(sim->router, wire, key, o->in_iface, sim->now_ns, &d);
    if (d.reason == REASON_INVALID && o->in_wan < 0 && entrance_assume_answer(sim, o))
        router_forward(sim->router, wire, o->in_iface, sim->now_ns, &d);
    o->decision = &d;
    if (d.conn != CONN_NONE)
        o->conn = conn_at(router_conns(sim->router), d.conn);
    if (d.out_iface != NEXTHOP_NONE)
        o->out_wan = sim->wan_of_iface[d.out_iface];
    fate = fate_of_verdict(d.verdict);
    reason = d.reason;
    if (fate == FATE_DELIVERED && o->out_wan >= 0) {
        const enum reason fault = wan_fault(&sim->wans[o->out_wan]);

        if (fault != REASON_NONE) {
            fate = FATE_DROPPED;
            reason = fault;
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
    router_forward(sim->router, p, in_iface, sim->now_ns, d);
}

/* ------------------------------------------------------------------------------- timers */

static void timer_run(struct simulation *sim, const struct timer *t)
{
    sim->now_ns = t->time_ns;
    switch ((enum timer_kind)t->kind) {
    case TIMER_EVENT_BEGINS: failure_begin(sim, t->index); break;
    case TIMER_EVENT_ENDS: failure_end(sim, t->index); break;
    case TIMER_PROBE: probe_send(sim, t->index); break;
    case TIMER_PROBE_OK: probe_end(sim, t->index, true); break;
    case TIMER_PROBE_LOST: probe_end(sim, t->index, false); break;
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

/* ------------------------------------------------------------------------------ streams */

/* Look at each packet of a new batch, and ask the memory for what it will need. */
static void batch_prepare(struct simulation *sim, struct stream *st)
{
    const struct conn_table *conns = router_conns_const(sim->router);

    for (unsigned i = 0; i < st->len; i++) {
        const struct packet *p = &st->batch[i].packet;
        struct arrival *a = &st->arrivals[i];

        if (st->batch[i].kind != FRAME_IP)
            continue;
        a->from_lan = simulation_is_lan(sim, &p->src);
        a->to_lan = simulation_is_lan(sim, &p->dst);
        router_key(sim->router, p, !a->from_lan, &a->key);
        conn_prefetch_index(conns, a->key.hash);
    }
}

/* False: the stream cannot be read on. */
static bool stream_fill(struct simulation *sim, struct stream *st)
{
    int n = st->kind->read(st->state, st->batch, SOURCE_BATCH);

    st->next = 0;
    st->len = n > 0 ? (unsigned)n : 0;
    st->ended = n <= 0;
    batch_prepare(sim, st);
    return n >= 0;
}

static bool streams_open(struct simulation *sim, char *error, size_t error_size)
{
    const struct scenario *s = sim->scenario;

    sim->streams = mem_alloc(s->traffic_len, sizeof *sim->streams);
    sim->streams_len = s->traffic_len;
    for (size_t i = 0; i < s->traffic_len; i++) {
        struct stream *st = &sim->streams[i];

        st->kind = &source_kinds[s->traffic[i].kind];
        st->iface = s->traffic[i].iface;
        st->state = st->kind->open(&s->traffic[i], error, error_size);
        if (!st->state)
            return false;
        if (!stream_fill(sim, st)) {
            snprintf(error, error_size, "%s", st->kind->error(st->state));
            return false;
        }
    }
    return true;
}

/* The stream with the earliest packet, the first of equals; NULL when all have ended. */
static struct stream *stream_next(struct simulation *sim)
{
    struct stream *best = NULL;

    for (size_t i = 0; i < sim->streams_len; i++) {
        struct stream *st = &sim->streams[i];

        if (st->ended)
            continue;
        if (!best || st->batch[st->next].time_ns < best->batch[best->next].time_ns)
            best = st;
    }
    return best;
}

static void packet_run(struct simulation *sim, struct stream *st)
{
    const struct captured *c = &st->batch[st->next];
    const struct timer *timer = heap_peek(&sim->timers);
    const unsigned ahead = st->next + PREFETCH_AHEAD;

    if (ahead < st->len)
        conn_prefetch_entry(router_conns_const(sim->router), st->arrivals[ahead].key.hash);
    if (timer && timer->time_ns <= c->time_ns)
        simulation_advance(sim, c->time_ns);
    if (c->time_ns > sim->now_ns)
        sim->now_ns = c->time_ns;
    entrance_admit(sim, c, &st->arrivals[st->next], st->iface);
    st->next++;
}

static void fragments_end(struct simulation *sim)
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
    struct stream *st;

    if (!streams_open(sim, error, error_size))
        return false;
    while ((st = stream_next(sim))) {
        if (end_ns && st->batch[st->next].time_ns > end_ns)
            break;
        packet_run(sim, st);
        if (st->next < st->len)
            continue;
        if (!stream_fill(sim, st)) {
            snprintf(error, error_size, "%s", st->kind->error(st->state));
            return false;
        }
    }
    if (end_ns)
        simulation_advance(sim, end_ns);
    fragments_end(sim);
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
        if (sim->streams[i].state)
            n += sim->streams[i].kind->steps_back(sim->streams[i].state);
    return n;
}

const struct event_course *simulation_event_course(const struct simulation *sim, int event)
{
    return &sim->courses[event];
}

bool simulation_wan_is_up(const struct simulation *sim, int wan)
{
    return wan_is_up(&sim->wans[wan]);
}

int64_t simulation_wan_up_ns(const struct simulation *sim, int wan)
{
    return wan_up_ns(&sim->wans[wan], sim->now_ns);
}
