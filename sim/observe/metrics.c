#include "sim/observe/metrics.h"

#include <string.h>

#include "sim/observe/fingerprint.h"
#include "sim/observe/moves.h"

/* What makes a packet worth a look at its flow. */
enum {
    NEWS = DECISION_NEW | DECISION_REVIVED | DECISION_KILLED | DECISION_ROUTED |
           DECISION_INVALID
};

/* ----------------------------------------------------------------------------- making */

struct metrics *metrics_create(const struct scenario *s, struct router *r)
{
    const struct path_changes never = {0, 0, 0, -1, -1, -1};
    struct metrics *m = mem_alloc(1, sizeof *m);

    m->scenario = s;
    m->router = r;
    m->reboot = -1;
    m->paths = mem_alloc(s->wans_len, sizeof *m->paths);
    m->states = mem_alloc(s->wans_len, sizeof *m->states);
    m->events = mem_alloc(s->events_len, sizeof *m->events);
    m->sprays = mem_alloc(s->router.policies_len, sizeof *m->sprays);
    for (size_t i = 0; i < s->router.policies_len; i++)
        m->sprays[i] = policy_find(s->router.policies[i].name)->traits & POLICY_SPRAYS;
    m->scratch = mem_alloc(s->wans_len, sizeof *m->scratch);
    series_init(&m->series, s->wans_len, s->series_interval_ns);
    delays_init(&m->delays, s);
    places_init(&m->places, s, r);
    promises_init(&m->promises, s->wans_len);
    flows_init(&m->flows);
    hosts_init(&m->hosts, s);
    sessions_init(&m->sessions, s);
    for (unsigned family = 0; family < METRIC_FAMILIES; family++) {
        m->last[family].event = -1;
        for (size_t w = 0; w < s->wans_len; w++)
            m->states[w].changes[family] = never;
    }
    for (size_t w = 0; w < s->wans_len; w++) {
        m->states[w].degraded = -1;
        for (unsigned kind = 0; kind < 3; kind++)
            m->states[w].open[kind] = -1;
    }
    for (size_t i = 0; i < s->events_len; i++)
        m->events[i].begin_snapshot = m->events[i].end_snapshot = -1;
    return m;
}

void metrics_destroy(struct metrics *m)
{
    if (!m)
        return;
    series_free(&m->series);
    delays_free(&m->delays);
    places_free(&m->places);
    promises_free(&m->promises);
    flows_free(&m->flows);
    choices_free(&m->choices);
    hosts_free(&m->hosts);
    sessions_free(&m->sessions);
    phases_free(m);
    for (size_t i = 0; i < m->warnings_len; i++)
        mem_free(m->warnings[i]);
    mem_free(m->warnings);
    mem_free(m->paths);
    mem_free(m->states);
    mem_free(m->events);
    mem_free(m->sprays);
    mem_free(m->scratch);
    mem_free(m->marks);
    mem_free(m);
}

void metrics_keep_ledger(struct metrics *m, struct ledger *l)
{
    m->ledger = l;
}

void metrics_warn(struct metrics *m, const char *text)
{
    const size_t size = strlen(text) + 1;

    for (size_t i = 0; i < m->warnings_len; i++)
        if (strcmp(m->warnings[i], text) == 0)
            return;
    m->warnings =
        mem_grow(m->warnings, &m->warnings_cap, m->warnings_len + 1, sizeof *m->warnings);
    m->warnings[m->warnings_len] = mem_alloc(size, 1);
    memcpy(m->warnings[m->warnings_len++], text, size);
}

/* ----------------------------------------------------------------------- what arrived */

/* `point`: of the series, where it belongs. */
static void count_arrived(struct metrics *m, const struct observation *o,
                          struct series_cell *point, uint64_t packets, uint64_t bytes)
{
    if (o->out_wan >= 0) {
        m->paths[o->out_wan].packets_up += packets;
        m->paths[o->out_wan].bytes_up += bytes;
        point[o->out_wan].bytes_up += bytes;
    }
    if (o->in_wan >= 0) {
        m->paths[o->in_wan].packets_down += packets;
        m->paths[o->in_wan].bytes_down += bytes;
        point[o->in_wan].bytes_down += bytes;
    }
    delays_arrived(&m->delays, o, bytes);
}

/* What leaks by this packet, counted: enum leak. */
static unsigned count_leaks(struct metrics *m, const struct observation *o,
                            const struct flow *f, uint64_t packets)
{
    const struct decision *d = o->decision;
    struct path_state *p = &m->states[o->out_wan];
    const unsigned leaks =
        f && !(o->packet->flags & PACKET_ICMP_ERROR)
            ? f->leaks[d->direction]
            : places_leaks(&m->places, &d->nat_src, &o->packet->dst, o->out_wan);

    p->foreign_sources += leaks & LEAK_FOREIGN ? packets : 0;
    p->untranslated += leaks & LEAK_UNTRANSLATED ? packets : 0;
    p->inside_leaks += leaks & LEAK_INSIDE ? packets : 0;
    return leaks;
}

/* -------------------------------------------------------------------------- what died */

static bool died_on_link(const struct observation *o)
{
    return o->reason == REASON_LINK_DOWN || o->reason == REASON_GATEWAY_DOWN ||
           o->reason == REASON_BLACKHOLED;
}

/* The link works, but is full or lossy. */
static bool lost_by_quality(const struct observation *o)
{
    return o->reason == REASON_QUEUE_FULL || o->reason == REASON_LINK_LOSS;
}

static void count_lost_by_event(struct event_state *e, enum reason reason, uint64_t packets,
                                uint64_t bytes)
{
    e->packets_lost += packets;
    e->bytes_lost += bytes;
    e->drops[reason] += packets;
}

static bool found_no_route(const struct observation *o)
{
    switch (o->reason) {
    case REASON_NO_ROUTE:
    case REASON_ONLY_TABLE:
    case REASON_RULE:
    case REASON_BLACKHOLE_ROUTE:
    case REASON_UNREACHABLE_ROUTE:
    case REASON_PROHIBIT_ROUTE: return true;
    default: return false;
    }
}

/* The event that kills packets on the WAN for this reason; -1: none is known. */
static int open_event(const struct metrics *m, int wan, unsigned reason)
{
    const int *open = m->states[wan].open;
    int latest = open[reason - REASON_LINK_DOWN];

    for (unsigned kind = 0; kind < 3 && latest < 0; kind++)
        latest = open[kind];
    return latest;
}
_Static_assert(EVENT_LINK_DOWN == 0 && EVENT_GATEWAY_DOWN == 1 && EVENT_BLACKHOLE == 2 &&
                   REASON_GATEWAY_DOWN == REASON_LINK_DOWN + 1 &&
                   REASON_BLACKHOLED == REASON_LINK_DOWN + 2,
               "path_state.open is indexed by both");

static void count_lost_on_link(struct metrics *m, struct flow *f,
                               const struct observation *o, struct series_cell *point,
                               uint64_t packets, uint64_t bytes, int wan)
{
    const int event = open_event(m, wan, o->reason);

    point[wan].packets_lost += packets;
    if (event >= 0)
        count_lost_by_event(&m->events[event], o->reason, packets, bytes);
    if (f)
        moves_lost(m, f, event);
}

/* No WAN's link lost it. */
static void count_lost_by_router(struct metrics *m, struct flow *f, int64_t time_ns,
                                 uint64_t packets, uint64_t bytes)
{
    if (m->reboot >= 0)
        count_lost_by_event(&m->events[m->reboot], REASON_ROUTER_DOWN, packets, bytes);
    if (!f)
        return;
    moves_lost(m, f, m->reboot);
    if (f->host != FLOWS_NONE && f->path >= 0)
        hosts_lost(&m->hosts, f->host, time_ns);
}

static void count_dropped(struct metrics *m, struct flow *f, const struct observation *o,
                          struct series_cell *point, uint64_t packets, uint64_t bytes)
{
    int wan = o->out_wan;

    if (wan < 0 && o->decision)
        wan = moves_wan(m, o->decision);
    if (wan < 0)
        wan = o->in_wan;
    m->dropped[o->reason] += packets;
    if (o->reason == REASON_ROUTER_DOWN)
        count_lost_by_router(m, f, o->time_ns, packets, bytes);
    if (wan >= 0) {
        m->states[wan].drops[o->reason] += packets;
        m->states[wan].dropped_packets += packets;
        m->states[wan].dropped_bytes += bytes;
        if (died_on_link(o))
            count_lost_on_link(m, f, o, point, packets, bytes, wan);
        else if (lost_by_quality(o) && m->states[wan].degraded >= 0)
            count_lost_by_event(&m->events[m->states[wan].degraded], o->reason, packets,
                                bytes);
    }
    if (f && found_no_route(o))
        moves_unrouted(m, f);
}

/* --------------------------------------------------------------------- a named host's */

static void tell_host(struct metrics *m, struct flow *f, const struct observation *o,
                      unsigned leaks, uint64_t packets)
{
    struct host *host = m->hosts.list[f->host];
    const struct decision *d = o->decision;

    if (d->direction != f->host_direction) {
        host->packets_down += o->fate == FATE_DELIVERED && o->in_wan >= 0 ? packets : 0;
    } else if (o->fate == FATE_DELIVERED && o->out_wan >= 0) {
        host->packets_up += packets;
        hosts_sent(&m->hosts, f, leaks & LEAK_UNTRANSLATED ? NULL : &d->nat_src,
                   &o->packet->dst, o->out_wan, o->time_ns);
    } else if (o->fate == FATE_DROPPED && f->path >= 0 &&
               (died_on_link(o) || found_no_route(o) || o->reason == REASON_NAT_MOVED)) {
        hosts_lost(&m->hosts, f->host, o->time_ns);
    }
}

/* ---------------------------------------------------------------------------- packets */

static struct flow *flow_of(struct metrics *m, const struct observation *o)
{
    const uint32_t number = o->conn ? flows_of_cookie(o->conn->cookie) : FLOWS_NONE;

    return number == FLOWS_NONE ? NULL : flows_at(&m->flows, number);
}

/* Fragments that waited for this packet: those that died while it waits are dropped. */
static void count_dead_fragments(struct metrics *m, uint64_t packets)
{
    m->fates[FATE_DROPPED] += packets;
    m->dropped[REASON_FRAGMENT_TIMEOUT] += packets;
}

/* The flow's part in the packet, before it is counted; NULL: it is of no known flow. */
static struct flow *follow_flow(struct metrics *m, const struct observation *o)
{
    const struct decision *d = o->decision;
    struct flow *f;

    if (d && o->conn && (d->flags & DECISION_NEW))
        moves_begin(m, o);
    f = flow_of(m, o);
    if (!f)
        return NULL;
    moves_live_on(m, f);
    if (d && (d->flags & NEWS))
        moves_decided(m, f, o);
    return f;
}

static void look_at(struct metrics *m, const struct observation *o)
{
    const struct decision *d = o->decision;
    const uint64_t packets = 1 + (d ? d->held_packets : 0);
    const uint64_t bytes =
        (o->packet ? o->packet->size_bytes : 0) + (d ? d->held_bytes : 0);
    struct flow *f;
    unsigned leaks = 0;

    if (o->fate == FATE_HELD) {
        count_dead_fragments(m, packets - 1);
        return;
    }
    if (o->fate == FATE_UNROUTED) {
        if (o->reason == REASON_FOREIGN && m->unrouted[REASON_FOREIGN] == 0) {
            m->foreign_src = o->packet->src;
            m->foreign_dst = o->packet->dst;
        }
        m->fates[FATE_UNROUTED] += packets;
        m->unrouted[o->reason] += packets;
        return;
    }
    f = follow_flow(m, o);
    if (o->fate == FATE_ASSUMED)
        return;
    m->fates[o->fate] += packets;
    if (o->fate == FATE_DROPPED)
        count_dropped(m, f, o, m->series.now, packets, bytes);
    else
        count_arrived(m, o, m->series.now, packets, bytes);
    if (d && o->fate == FATE_DELIVERED && o->out_wan >= 0)
        leaks = count_leaks(m, o, f, packets);
    if (f && d && f->host != FLOWS_NONE)
        tell_host(m, f, o, leaks, packets);
}

static void on_packet(void *context, const struct observation *o)
{
    struct metrics *m = context;
    const struct decision *d = o->decision;

    m->packets += o->fate != FATE_ASSUMED;
    m->bytes += o->frame_bytes;
    m->fingerprint = fingerprint_of_decision(m->fingerprint, o);
    if (o->fate != FATE_ASSUMED && !o->offered)
        m->traffic = fingerprint_of_traffic(m->traffic, o);
    series_advance(&m->series, o->time_ns);
    if (o->fate == FATE_DELIVERED && d && !(d->flags & NEWS) && !d->held_packets &&
        o->conn && !(o->conn->cookie & FLOW_WATCHED)) {
        m->fates[FATE_DELIVERED]++;
        count_arrived(m, o, m->series.now, 1, o->packet->size_bytes);
        return;
    }
    look_at(m, o);
}

/* -------------------------------------------------------------------- what was carried */

static void on_offered(void *context, const struct demand *d)
{
    struct metrics *m = context;

    m->traffic = fingerprint_of_demand(m->traffic, d);
}

/* Where they went in the series: what `scratch` has of their WANs, over their time. */
static void spread(struct metrics *m, const struct carried *c, int wan)
{
    if (wan < 0)
        return;
    series_spread(&m->series, (size_t)wan, c->from_ns, c->to_ns, &m->scratch[wan]);
    m->scratch[wan] = (struct series_cell){0, 0, 0};
}

static void tell_host_carried(struct metrics *m, struct flow *f, const struct carried *c)
{
    struct host *host = m->hosts.list[f->host];
    const struct observation last = {.reason = c->reason};

    if (c->direction != f->host_direction)
        host->packets_down +=
            c->fate == FATE_DELIVERED && c->in_wan >= 0 ? c->packets : 0;
    else if (c->fate == FATE_DELIVERED && c->out_wan >= 0) {
        host->packets_up += c->packets;
        hosts_went_on(&m->hosts, f, c->from_ns, c->to_ns);
    } else if (c->fate == FATE_DROPPED && f->path >= 0 &&
               (died_on_link(&last) || found_no_route(&last))) {
        hosts_lost(&m->hosts, f->host, c->to_ns);
    }
}

/* As so many packets would be, of which none is news. */
static void on_carried(void *context, const struct carried *c)
{
    struct metrics *m = context;
    const struct observation o = {
        .time_ns = c->to_ns,
        .packet = c->packet,
        .conn = c->conn,
        .in_wan = c->in_wan,
        .out_wan = c->out_wan,
        .delay_ns = c->delay_ns,
        .fate = c->fate,
        .reason = c->reason,
    };
    struct flow *f = flow_of(m, &o);
    const struct decision d = {.direction = c->direction, .nat_src = c->packet->src};

    m->packets += c->packets;
    m->bytes += c->frame_bytes;
    m->fingerprint = fingerprint_of_carried(m->fingerprint, c);
    m->fates[c->fate] += c->packets;
    series_advance(&m->series, c->to_ns);
    if (c->fate == FATE_UNROUTED) {
        m->unrouted[c->reason] += c->packets;
        return;
    }
    if (c->fate == FATE_DROPPED)
        count_dropped(m, f, &o, m->scratch, c->packets, c->bytes);
    else
        count_arrived(m, &o, m->scratch, c->packets, c->bytes);
    spread(m, c, c->out_wan);
    spread(m, c, c->in_wan);
    if (c->fate == FATE_DELIVERED && c->out_wan >= 0) {
        struct observation leaking = o;

        leaking.decision = &d;
        count_leaks(m, &leaking, f, c->packets);
    }
    if (f && f->host != FLOWS_NONE)
        tell_host_carried(m, f, c);
}

static void on_fragments_dropped(void *context, int64_t time_ns, uint32_t packets,
                                 uint64_t bytes)
{
    (void)time_ns;
    (void)bytes;
    count_dead_fragments(context, packets);
}

/* ----------------------------------------------------------------- changes and events */

static void note_path_change(struct path_changes *p, enum change_kind kind,
                             uint32_t number, int event)
{
    if (kind == CHANGE_LOSS) {
        p->lost = number;
        p->lost_event = event;
    } else if (kind == CHANGE_RETURN) {
        p->returned = number;
        p->returned_event = event;
    } else if (kind == CHANGE_ADDRESS) {
        p->address = number;
        p->address_event = event;
    }
}

static void on_change(void *context, const struct change *c)
{
    struct metrics *m = context;
    const bool known = c->event >= 0 && (size_t)c->event < m->scenario->events_len &&
                       m->events[c->event].begun;
    const bool on_wan = c->wan >= 0 && (size_t)c->wan < m->scenario->wans_len;
    const int event = known ? c->event : -1;

    if (c->kind == CHANGE_MARK)
        return;
    if (known)
        m->events[event].step =
            c->kind == CHANGE_RETURN || !m->events[event].open ? STEP_OVER : STEP_SWITCHED;
    m->changes++;
    for (unsigned family = 0; family < METRIC_FAMILIES; family++) {
        if (c->family != FAMILY_NONE && metrics_family(c->family) != family)
            continue;
        m->last[family] = (struct last_change){m->changes, c->kind, event};
        if (on_wan)
            note_path_change(&m->states[c->wan].changes[family], c->kind, m->changes,
                             event);
    }
    if (c->kind == CHANGE_RETURN && event >= 0)
        moves_mark(m, event, false, c->family);
}

static bool does_so(const struct scenario_event *s, int wan, enum event_kind kind)
{
    if (kind == EVENT_REBOOT)
        return s->kind == kind;
    if (kind == EVENT_DEGRADE)
        return scenario_event_degrades(s) && scenario_event_has_wan(s, wan);
    return scenario_event_fault(s) == kind && scenario_event_has_wan(s, wan);
}

static bool lasts(const struct metrics *m, size_t event)
{
    const struct event_state *e = &m->events[event];

    return e->open &&
           (e->down || !scenario_event_has_outages(&m->scenario->events[event]));
}

/* Of the events that make the WAN fail so now (or reboot the router): the one that began
 * last; -1. */
static int latest_open(const struct metrics *m, int wan, enum event_kind kind)
{
    int latest = -1;

    for (size_t i = 0; i < m->scenario->events_len; i++)
        if (lasts(m, i) && does_so(&m->scenario->events[i], wan, kind) &&
            (latest < 0 || m->events[i].begin_mark > m->events[latest].begin_mark))
            latest = (int)i;
    return latest;
}

static void note_open(struct metrics *m, int event)
{
    const struct scenario_event *s = &m->scenario->events[event];
    const enum event_kind fault = scenario_event_fault(s);

    if (s->kind == EVENT_REBOOT)
        m->reboot = latest_open(m, -1, EVENT_REBOOT);
    for (size_t i = 0; i < scenario_event_wans(s) && scenario_event_degrades(s); i++) {
        const int wan = scenario_event_wan(s, i);

        m->states[wan].degraded = latest_open(m, wan, EVENT_DEGRADE);
    }
    for (size_t i = 0; i < scenario_event_wans(s) && fault != EVENT_KINDS; i++) {
        const int wan = scenario_event_wan(s, i);

        m->states[wan].open[fault] = latest_open(m, wan, fault);
    }
}

static void event_begins(struct metrics *m, int event)
{
    struct event_state *e = &m->events[event];

    e->begun = e->open = true;
    e->begin_mark = (uint32_t)m->marks_len;
    moves_mark(m, event, true, FAMILY_NONE);
    note_open(m, event);
}

static void on_event(void *context, int event, bool begins, int64_t time_ns)
{
    struct metrics *m = context;
    struct event_state *e = &m->events[event];
    int *snapshot = begins ? &e->begin_snapshot : &e->end_snapshot;

    if (begins ? e->begun : !e->open)
        return;
    if (m->scenario->events[event].name)
        *snapshot = phases_snapshot(m, time_ns);
    if (begins) {
        event_begins(m, event);
    } else {
        e->open = false;
        e->step = STEP_OVER;
        note_open(m, event);
        moves_mark(m, event, false, FAMILY_NONE);
    }
}

static void on_outage(void *context, int event, bool begins, int64_t time_ns)
{
    struct metrics *m = context;

    (void)time_ns;
    m->events[event].down = begins;
    note_open(m, event);
}

static void on_session(void *context, const struct session_news *n)
{
    struct metrics *m = context;

    sessions_heard(&m->sessions, n, hosts_find(&m->hosts, &n->host));
}

static void on_conn_ended(void *context, const struct conn *c)
{
    moves_end(context, c);
}

struct observer metrics_observer(struct metrics *m)
{
    return (struct observer){
        .packet = on_packet,
        .changed = on_change,
        .conn_ended = on_conn_ended,
        .event = on_event,
        .outage = on_outage,
        .session = on_session,
        .carried = on_carried,
        .offered = on_offered,
        .fragments_dropped = on_fragments_dropped,
        .context = m,
    };
}

/* ----------------------------------------------------------------------------- ending */

void metrics_finish(struct metrics *m, int64_t end_ns)
{
    const struct conn_table *conns = router_conns_const(m->router);

    if (m->finished)
        return;
    m->finished = true;
    if (m->snapshots_len)
        phases_take(m, end_ns);
    for (uint32_t i = 0; i < conn_slots(conns); i++)
        if (conn_is_used(conns, i))
            moves_end(m, conn_at(conns, i));
    hosts_finish(&m->hosts);
    series_advance(&m->series, end_ns > 0 ? end_ns - 1 : 0);
    series_settle(&m->series);
    if (m->hosts.sites_full)
        metrics_warn(m,
                     "more than a million sites: changes at later ones are not counted");
    if (m->hosts.addresses_full)
        metrics_warn(
            m, "a host used more than 4096 public addresses: later ones are left out");
    if (m->hosts.spans_coarse)
        metrics_warn(
            m, "a host has very many connections: addresses_at_once is an upper bound");
    if (m->series.full)
        metrics_warn(m, "the series' interval is too short: its end is left out");
}
