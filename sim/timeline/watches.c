/*
 * The hosts that the router watches: their packets take the way that routing gives them, and
 * what is known of a host disables the routes that its watch names, or enables them again.
 *
 * Like a gateway check, a watch whose next packets could only repeat the last one's fate sleeps
 * until something happens to the router or its WANs.
 */
#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

enum { NETWATCH_PURPOSE = 0x77617463 }; /* of the phases drawn */

/* ------------------------------------------------------------------------------ packets */

/* Where a packet leaves, and whether its host is beyond the gateway; NEXTHOP_NONE: nowhere. */
struct watch_way {
    unsigned iface;
    bool beyond_gateway;
};

static bool iface_has_network(const struct iface_state *s, const struct addr *a)
{
    for (size_t i = 0; i < s->addresses_len; i++)
        if (s->addresses[i].addr.family == a->family &&
            addr_common_bits(&s->addresses[i].addr, a) >= s->addresses[i].length)
            return true;
    return false;
}

static struct watch_way way_by_route(struct simulation *sim, const struct scenario_watch *s)
{
    const struct packet p = {
        .src = s->source,
        .dst = s->host,
        .protocol = s->host.family == FAMILY_V4 ? PROTO_ICMP : PROTO_ICMPV6,
        .icmp_type = s->host.family == FAMILY_V4 ? 8 : 128,
        .ttl = 64,
    };
    struct route_query q = {.packet = &p, .in_iface = -1, .out_iface = -1, .begins = true};
    struct watch_way way = {NEXTHOP_NONE, false};
    struct route_answer answer;
    unsigned member;

    router_route(sim->router, &q, &answer, &member);
    if (answer.outcome != OUTCOME_ROUTE || !answer.entry || member == NEXTHOP_NONE)
        return way;
    way.iface = answer.entry->group->hops[member].iface;
    way.beyond_gateway = addr_is_set(&answer.entry->group->hops[member].gateway) &&
                         !addr_equal(&answer.entry->group->hops[member].gateway, &s->host);
    return way;
}

/* Does the router have the address that the packet is to come from? */
static bool source_is_there(const struct simulation *sim, const struct addr *source)
{
    return !addr_is_set(source) ||
           rib_lookup(router_rib(sim->router), TABLE_LOCAL, source, 0, -1) != NULL;
}

static struct watch_way way_of(struct simulation *sim, const struct scenario_watch *s)
{
    if (!source_is_there(sim, &s->source))
        return (struct watch_way){NEXTHOP_NONE, false};
    if (s->iface < 0)
        return way_by_route(sim, s);
    return (struct watch_way){
        (unsigned)s->iface,
        !iface_has_network(router_iface(sim->router, (unsigned)s->iface), &s->host)};
}

static void packet_send(struct simulation *sim, struct watching *w)
{
    const struct watch_way way = way_of(sim, w->netwatch.settings);

    if (way.iface != NEXTHOP_NONE) {
        w->wan = sim->wan_of_iface[way.iface];
        w->beyond_gateway = way.beyond_gateway;
    }
    w->wakes = sim->wakes;
    netwatch_sent(&w->netwatch, sim->now_ns,
                  probe_round_trip_ns(sim, way.iface, way.beyond_gateway, &w->losses));
}

/* -------------------------------------------------------------------------------- tests */

static void schedule(struct simulation *sim, int64_t time_ns, enum timer_kind kind,
                     const struct watching *w)
{
    heap_push(&sim->timers, time_ns, kind, (uint32_t)(w - sim->watches));
}

/* The next one on the grid of `step_ns` that is not past. */
static int64_t not_before(int64_t time_ns, int64_t step_ns, int64_t now_ns)
{
    const int64_t late = now_ns - time_ns;

    return late > 0 ? time_ns + (late + step_ns - 1) / step_ns * step_ns : time_ns;
}

static void go_on(struct simulation *sim, struct watching *w)
{
    const struct scenario_watch *s = w->netwatch.settings;

    w->sleeping = false;
    w->test_ns = not_before(w->test_ns, s->interval_ns, sim->now_ns);
    if (s->type != WATCH_LOSS) {
        schedule(sim, w->test_ns, TIMER_WATCH_PACKET, w);
        return;
    }
    schedule(sim, w->test_ns, TIMER_WATCH_TEST, w);
    if (w->packet_is_due)
        return;
    w->packet_is_due = true;
    w->packet_ns = not_before(w->packet_ns, s->packet_interval_ns, sim->now_ns);
    schedule(sim, w->packet_ns, TIMER_WATCH_PACKET, w);
}

void watches_start(struct simulation *sim)
{
    for (size_t i = 0; i < sim->scenario->watches_len; i++) {
        struct watching *w = &sim->watches[i];
        const struct scenario_watch *s = w->netwatch.settings;

        netwatch_restart(&w->netwatch);
        w->in_test = 0;
        w->packet_is_due = false;
        w->test_ns = sim->now_ns + (int64_t)random_below(&w->phases, (uint64_t)s->interval_ns);
        w->packet_ns =
            sim->now_ns + (int64_t)random_below(&w->phases, (uint64_t)s->packet_interval_ns);
        go_on(sim, w);
    }
}

void watches_create(struct simulation *sim)
{
    const struct scenario *s = sim->scenario;

    sim->watches = mem_alloc(s->watches_len, sizeof *sim->watches);
    for (size_t i = 0; i < s->watches_len; i++) {
        struct watching *w = &sim->watches[i];

        netwatch_init(&w->netwatch, &s->watches[i]);
        w->wan = -1;
        w->phases = random_stream_make(s->seed, NETWATCH_PURPOSE + ((uint64_t)i << 40));
        w->losses = random_stream_make(s->seed, NETWATCH_PURPOSE + 1 + ((uint64_t)i << 40));
    }
    watches_start(sim);
}

void watches_free(struct simulation *sim)
{
    for (size_t i = 0; i < sim->scenario->watches_len; i++)
        netwatch_free(&sim->watches[i].netwatch);
    mem_free(sim->watches);
}

void watches_wake(struct simulation *sim)
{
    for (size_t i = 0; i < sim->scenario->watches_len; i++)
        if (sim->watches[i].sleeping)
            go_on(sim, &sim->watches[i]);
}

void watch_packet(struct simulation *sim, unsigned watch)
{
    struct watching *w = &sim->watches[watch];
    const struct scenario_watch *s = w->netwatch.settings;

    w->packet_is_due = false;
    if (w->sleeping)
        return;
    packet_send(sim, w);
    w->in_test++;
    if (s->type == WATCH_LOSS) {
        w->packet_is_due = true;
        w->packet_ns = sim->now_ns + s->packet_interval_ns;
        schedule(sim, w->packet_ns, TIMER_WATCH_PACKET, w);
    } else if (w->in_test < s->packet_count) {
        schedule(sim, sim->now_ns + s->packet_interval_ns, TIMER_WATCH_PACKET, w);
    } else {
        schedule(sim, netwatch_known_ns(&w->netwatch), TIMER_WATCH_TEST, w);
    }
}

/* ------------------------------------------------------------------------------ verdicts */

static void verdict_take(struct simulation *sim, struct watching *w)
{
    const struct scenario_watch *s = w->netwatch.settings;
    const bool up = w->netwatch.up;
    const int event = probe_event_behind(sim, w->wan, w->beyond_gateway, up);

    simulation_settle(sim);
    for (size_t i = 0; i < s->routes_len; i++)
        failure_remove_route(sim, s->routes[i], !up);
    w->downs += !up;
    if (up)
        w->down_ns += sim->now_ns - w->down_since_ns;
    else
        w->down_since_ns = sim->now_ns;
    simulation_note_change(sim, CHANGE_MARK, event);
    probes_wake(sim);
}

/* Will its packets fare as the last one did, until something happens? */
static bool is_certain(const struct simulation *sim, const struct watching *w)
{
    const struct scenario_watch *s = w->netwatch.settings;
    int64_t limit = s->timeout_ns;

    if (s->mean_ns < limit)
        limit = s->mean_ns;
    if (s->longest_ns < limit)
        limit = s->longest_ns;
    return probe_is_certain(sim, w->wan, w->beyond_gateway, limit);
}

void watch_test(struct simulation *sim, unsigned watch)
{
    struct watching *w = &sim->watches[watch];
    const struct scenario_watch *s = w->netwatch.settings;

    w->in_test = 0;
    w->test_ns += s->interval_ns;
    if (netwatch_judge(&w->netwatch, netwatch_passes(&w->netwatch, sim->now_ns), sim->now_ns))
        verdict_take(sim, w);
    if (w->wakes == sim->wakes && is_certain(sim, w) && netwatch_is_settled(&w->netwatch))
        w->sleeping = true;
    else if (s->type == WATCH_LOSS)
        schedule(sim, w->test_ns, TIMER_WATCH_TEST, w);
    else
        schedule(sim, w->test_ns, TIMER_WATCH_PACKET, w);
}

void simulation_watch(const struct simulation *sim, int watch, uint64_t *downs,
                      int64_t *down_ns)
{
    const struct watching *w = &sim->watches[watch];

    *downs = w->downs;
    *down_ns = w->down_ns + (w->netwatch.up ? 0 : sim->now_ns - w->down_since_ns);
}
