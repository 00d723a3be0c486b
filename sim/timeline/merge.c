/*
 * All traffic in one order of time: packets of captures and drawn ones, read ahead by feeds, and
 * what actors do. Of equals the first in the scenario comes first.
 */
#include <stdio.h>

#include "core/memory.h"
#include "sim/timeline/simulation_parts.h"

/* Packets between asking the memory for a slot of the index, for the entry, and needing it. */
enum { INDEX_AHEAD = 32, ENTRY_AHEAD = 14 };

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

bool merge_open(struct simulation *sim, char *error, size_t error_size)
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

void merge_settle(struct simulation *sim, int64_t before_ns)
{
    for (size_t i = 0; i < sim->actors_len; i++)
        if (sim->actors[i].kind->settle)
            sim->actors[i].kind->settle(sim->actors[i].actor, before_ns);
}

void simulation_settle(struct simulation *sim)
{
    merge_settle(sim, sim->now_ns);
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

bool merge_run_next(struct simulation *sim, int64_t end_ns)
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

bool merge_ended_well(const struct simulation *sim, char *error, size_t error_size)
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

void merge_close(struct simulation *sim)
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
