#include "sim/timeline/simulation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

/* Packets between asking the memory for a slot of the index, for the entry, and needing it. */
enum { INDEX_AHEAD = 32, ENTRY_AHEAD = 14 };

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

static void streams_close(struct simulation *sim)
{
    for (size_t i = 0; i < sim->actors_len; i++)
        sim->actors[i].kind->destroy(sim->actors[i].actor);
    mem_free(sim->actors);
    sim->actors = NULL;
    sim->actors_len = 0;
    for (size_t i = 0; i < sim->streams_len; i++)
        feed_close(sim->streams[i].feed);
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

/* Do more or fewer next hops of the family live on the WAN than before? Then tell it. */
static bool note_next_hops(struct simulation *sim, size_t wan, enum family family,
                           unsigned *known, enum change_kind kind, int event)
{
    const unsigned iface = (unsigned)sim->scenario->wans[wan].iface, before = *known;
    const unsigned now = rib_iface_next_hops(router_rib(sim->router), iface, family);

    *known = now;
    if (now == before || kind == CHANGE_CONFIG)
        return false;
    if (now < before)
        course_lost(&sim->courses, event, (int)wan, before - now, sim->now_ns);
    else
        course_returned(&sim->courses, (int)wan, now - before, sim->now_ns);
    tell_change(sim, &(struct change){.kind = now < before ? CHANGE_LOSS : CHANGE_RETURN,
                                      .family = (uint8_t)family,
                                      .wan = (int)wan,
                                      .event = event});
    return true;
}

/* The family of routes that an event concerns by itself; FAMILY_NONE: both. */
static enum family event_family(const struct scenario *s, int event)
{
    const struct scenario_event *e = &s->events[event];

    switch ((enum event_kind)e->kind) {
    case EVENT_ADDRESS_CHANGE:
    case EVENT_LEASE_CHANGE:
    case EVENT_PPPOE_RECONNECT: return e->address.addr.family;
    case EVENT_ROUTE_ADD:
    case EVENT_ROUTE_REMOVE: return s->router.routes[e->index].dst.addr.family;
    case EVENT_RULE_ADD:
    case EVENT_RULE_REMOVE: return s->router.rules[e->index].family;
    case EVENT_LINK_DOWN:
    case EVENT_GATEWAY_DOWN:
    case EVENT_BLACKHOLE:
    case EVENT_FLAP:
    case EVENT_OUTAGES:
    case EVENT_DEGRADE:
    case EVENT_BROWNOUT:
    case EVENT_REBOOT:
    case EVENT_EACH_WAN:
    case EVENT_EACH_PAIR:
    case EVENT_KINDS: break;
    }
    return FAMILY_NONE;
}

static void tell_kind(struct simulation *sim, enum change_kind kind, int event)
{
    struct change c = {.kind = (uint8_t)kind, .wan = -1, .event = event};

    if (event >= 0) {
        c.wan = sim->scenario->events[event].wan;
        c.family = (uint8_t)event_family(sim->scenario, event);
    }
    tell_change(sim, &c);
}

void simulation_note_change(struct simulation *sim, enum change_kind kind, int event)
{
    bool told = kind != CHANGE_MARK;

    if (told && event >= 0)
        course_at_once(&sim->courses, (unsigned)event, sim->now_ns);
    if (told)
        tell_kind(sim, kind, event);
    for (size_t w = 0; w < sim->scenario->wans_len; w++) {
        struct wan_link *l = &sim->wans[w];

        told |= note_next_hops(sim, w, FAMILY_V4, &l->next_hops_v4, kind, event);
        told |= note_next_hops(sim, w, FAMILY_V6, &l->next_hops_v6, kind, event);
    }
    if (!told)
        tell_kind(sim, kind, event);
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

/* ------------------------------------------------------------------------------ streams */

void simulation_arrival(const struct simulation *sim, const struct packet *p,
                        struct arrival *a)
{
    a->from_lan = simulation_is_lan(sim, &p->src);
    a->to_lan = simulation_is_lan(sim, &p->dst);
    router_key(sim->router, p, !a->from_lan, &a->key);
}

/* What each packet of a batch is to the router; in the feed's thread, so nothing that changes. */
static void batch_prepare(void *context, struct batch *b)
{
    const struct simulation *sim = context;

    for (unsigned i = 0; i < b->len; i++)
        if (b->packets[i].kind == FRAME_IP)
            simulation_arrival(sim, &b->packets[i].packet, &b->arrivals[i]);
}

/* The next batch; ask the memory for what its packets will need. */
static void stream_advance(struct simulation *sim, struct stream *st)
{
    const struct conn_table *conns = router_conns_const(sim->router);

    st->batch = feed_next(st->feed);
    st->next = 0;
    for (unsigned i = 0; i < st->batch->len && i < INDEX_AHEAD; i++)
        conn_prefetch_index(conns, st->batch->arrivals[i].key.hash);
    for (unsigned i = 0; i < st->batch->len && i < ENTRY_AHEAD; i++)
        conn_prefetch_entry(conns, st->batch->arrivals[i].key.hash);
}

static void actor_open(struct simulation *sim, size_t traffic)
{
    const struct scenario_traffic *t = &sim->scenario->traffic[traffic];
    struct acting *a;

    if (!sim->actors)
        sim->actors = mem_alloc(sim->scenario->traffic_len, sizeof *sim->actors);
    a = &sim->actors[sim->actors_len++];
    a->kind = source_actor(t);
    a->order = traffic;
    a->actor = a->kind->create(sim, t);
}

static bool streams_open(struct simulation *sim, char *error, size_t error_size)
{
    const struct scenario *s = sim->scenario;
    const struct feed_prepare prepare = {batch_prepare, sim};

    sim->streams = mem_alloc(s->traffic_len, sizeof *sim->streams);
    for (size_t i = 0; i < s->traffic_len; i++) {
        struct stream *st = &sim->streams[sim->streams_len];

        if (source_actor(&s->traffic[i])) {
            actor_open(sim, i);
            continue;
        }
        st->order = i;
        st->iface = s->traffic[i].iface;
        st->feed = feed_open(&s->traffic[i], &prepare, error, error_size);
        if (!st->feed)
            return false;
        sim->streams_len++;
        stream_advance(sim, st);
    }
    return true;
}

/* The stream with the earliest packet, the first of equals; NULL when all have ended. */
static struct stream *stream_next(struct simulation *sim)
{
    struct stream *best = NULL;
    int64_t earliest = 0;

    for (size_t i = 0; i < sim->streams_len; i++) {
        struct stream *st = &sim->streams[i];

        if (st->batch->len == 0)
            continue;
        if (!best || st->batch->packets[st->next].time_ns < earliest) {
            best = st;
            earliest = st->batch->packets[st->next].time_ns;
        }
    }
    return best;
}

static void packet_run(struct simulation *sim, struct stream *st)
{
    const struct captured *c = &st->batch->packets[st->next];
    const struct timer *timer = heap_peek(&sim->timers);
    const struct conn_table *conns = router_conns_const(sim->router);
    const struct arrival *a = &st->batch->arrivals[st->next];

    if (st->next + INDEX_AHEAD < st->batch->len)
        conn_prefetch_index(conns, a[INDEX_AHEAD].key.hash);
    if (st->next + ENTRY_AHEAD < st->batch->len)
        conn_prefetch_entry(conns, a[ENTRY_AHEAD].key.hash);
    if (timer && timer->time_ns <= c->time_ns)
        simulation_advance(sim, c->time_ns);
    if (c->time_ns > sim->now_ns)
        sim->now_ns = c->time_ns;
    entrance_admit(sim, c, a, st->iface);
    st->next++;
}

/* The actor that is due first, the first of equals, and when; NULL: none ever is. */
static struct acting *actor_next(struct simulation *sim, int64_t *due_ns)
{
    struct acting *best = NULL;

    *due_ns = ACTOR_NEVER;
    for (size_t i = 0; i < sim->actors_len; i++) {
        struct acting *a = &sim->actors[i];
        const int64_t next_ns = a->kind->next_ns(a->actor);

        if (next_ns < *due_ns) {
            best = a;
            *due_ns = next_ns;
        }
    }
    return best;
}

static void actors_settle(struct simulation *sim, int64_t before_ns)
{
    for (size_t i = 0; i < sim->actors_len; i++)
        if (sim->actors[i].kind->settle)
            sim->actors[i].kind->settle(sim->actors[i].actor, before_ns);
}

void simulation_settle(struct simulation *sim)
{
    actors_settle(sim, sim->now_ns);
}

static void actor_run(struct simulation *sim, struct acting *a, int64_t due_ns)
{
    simulation_advance(sim, due_ns);
    a->kind->act(a->actor);
}

/* Is a timer due before? What acts may then be due earlier than it was. */
static bool timer_comes_first(const struct simulation *sim, int64_t due_ns, int64_t end_ns)
{
    const struct timer *timer = heap_peek(&sim->timers);

    return timer && timer->time_ns <= due_ns && timer->time_ns <= end_ns;
}

/* What comes next of all traffic, up to the end; false when nothing does. */
static bool traffic_run_next(struct simulation *sim, int64_t end_ns)
{
    struct stream *st = stream_next(sim);
    int64_t due_ns, packet_ns = st ? st->batch->packets[st->next].time_ns : ACTOR_NEVER;
    struct acting *a = actor_next(sim, &due_ns);

    if (a && timer_comes_first(sim, due_ns < packet_ns ? due_ns : packet_ns, end_ns)) {
        simulation_advance(sim, heap_peek(&sim->timers)->time_ns);
        return true;
    }
    if (a && (due_ns < packet_ns || (due_ns == packet_ns && a->order < st->order))) {
        if (due_ns > end_ns)
            return false;
        actor_run(sim, a, due_ns);
        return true;
    }
    if (!st || packet_ns > end_ns)
        return false;
    packet_run(sim, st);
    if (st->next == st->batch->len)
        stream_advance(sim, st);
    return true;
}

/* Did every stream that has ended end well? */
static bool streams_ended_well(const struct simulation *sim, char *error, size_t error_size)
{
    for (size_t i = 0; i < sim->streams_len; i++) {
        if (!sim->streams[i].batch->failed)
            continue;
        snprintf(error, error_size, "%s", feed_error(sim->streams[i].feed));
        return false;
    }
    for (size_t i = 0; i < sim->actors_len; i++) {
        const struct acting *a = &sim->actors[i];
        const char *why = a->kind->error ? a->kind->error(a->actor) : NULL;

        if (!why)
            continue;
        snprintf(error, error_size, "%s", why);
        return false;
    }
    return true;
}

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

    if (!streams_open(sim, error, error_size))
        return false;
    while (!sim->is_full && traffic_run_next(sim, end_ns ? end_ns : INT64_MAX))
        ;
    if (sim->is_full) {
        snprintf(error, error_size, "more than %d sessions of users at once",
                 SIMULATION_SESSIONS_MAX);
        return false;
    }
    if (!streams_ended_well(sim, error, error_size))
        return false;
    if (end_ns) {
        simulation_advance(sim, end_ns);
        actors_settle(sim, end_ns + 1); /* the last instant is part of the run */
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
