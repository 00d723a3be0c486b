#include "sim/traffic/fluid_traffic.h"

#include <stdio.h>

#include "core/memory.h"
#include "sim/timeline/heap.h"
#include "sim/traffic/carrying.h"
#include "sim/traffic/flowgen.h"
#include "sim/traffic/flowlist.h"

_Static_assert(sizeof(struct carrying) + sizeof(struct timer) <= FLUID_LIVE_BYTES,
               "as the header says");

struct fluid_traffic {
    struct carrier carrier;
    const struct scenario_traffic *traffic;
    struct flowgen *flows;         /* of synthetic traffic */
    struct flowlist_cursor cursor; /* of a flow list */
    struct demand_source source;
    struct carrying *live;
    size_t live_len, live_cap, live_count;
    uint32_t free; /* index + 1 of the first dead one; 0: none */
    struct heap due;
    int64_t next_start_ns; /* ACTOR_NEVER: no connection comes any more */
    int64_t settled_ns;    /* the last change: nothing was sent since; -1 */
    bool failed;
    char error[320];
};

/* ------------------------------------------------------------------------------- making */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void look_ahead(struct fluid_traffic *f)
{
    if (!f->source.begin(f->source.context, &f->next_start_ns))
        f->next_start_ns = ACTOR_NEVER;
}

static void *fluid_create_traffic(struct simulation *sim,
                                  const struct scenario_traffic *t)
{
    const struct config_timeouts *timeouts = &simulation_scenario(sim)->router.timeouts;
    struct fluid_traffic *f = mem_alloc(1, sizeof *f);

    f->carrier = (struct carrier){
        .sim = sim,
        .iface = t->iface,
        .unacked_ns = least(timeouts->tcp_unacked, timeouts->tcp_max_retrans),
    };
    f->traffic = t;
    f->settled_ns = -1;
    if (t->flowgen) {
        f->flows = flowgen_create(t->flowgen);
        f->source = flowgen_source(f->flows);
    } else {
        f->cursor.list = t->flows;
        f->source = flowlist_source(&f->cursor);
    }
    look_ahead(f);
    return f;
}

static void fluid_destroy_traffic(void *actor)
{
    struct fluid_traffic *f = actor;

    flowgen_destroy(f->flows);
    mem_free(f->live);
    heap_free(&f->due);
    mem_free(f);
}

static const char *fluid_error(const void *actor)
{
    const struct fluid_traffic *f = actor;

    return f->failed ? f->error : NULL;
}

/* --------------------------------------------------------------------------- what lives */

static void schedule(struct fluid_traffic *f, uint32_t i)
{
    struct carrying *c = &f->live[i];

    c->until = carrying_next(&f->carrier, c);
    heap_push(&f->due, pacing_time(&c->pacing, c->until), 0, i);
}

static void end_connection(struct fluid_traffic *f, uint32_t i)
{
    struct carrying *c = &f->live[i];

    f->source.ended(f->source.context, &c->pacing.demand);
    c->lives = false;
    c->next_free = f->free;
    f->free = i + 1;
    f->live_count--;
}

static void send_next(struct fluid_traffic *f)
{
    struct carrying *c;
    struct timer t;

    heap_pop(&f->due, &t);
    c = &f->live[t.index];
    if (f->due.len)
        __builtin_prefetch(&f->live[heap_peek(&f->due)->index]);
    carrying_send(&f->carrier, c);
    if (c->pacing.sent < pacing_packets(&c->pacing.demand))
        schedule(f, t.index);
    else
        end_connection(f, t.index);
}

/* ------------------------------------------------------------------------------- beginning */

static uint32_t slot_take(struct fluid_traffic *f)
{
    const uint32_t i = f->free;

    if (i) {
        f->free = f->live[i - 1].next_free;
        return i - 1;
    }
    f->live = mem_grow(f->live, &f->live_cap, f->live_len + 1, sizeof *f->live);
    return (uint32_t)f->live_len++;
}

static bool take_demand(struct fluid_traffic *f, struct demand *d)
{
    if (f->live_count == FLUID_LIVE_MAX)
        snprintf(f->error, sizeof f->error, "%s: more than %d connections live at once",
                 f->traffic->pointer, FLUID_LIVE_MAX);
    else if (!f->source.take(f->source.context, d))
        snprintf(f->error, sizeof f->error, "%s", f->source.error(f->source.context));
    else
        return true;
    f->failed = true;
    return false;
}

static void begin_connection(struct fluid_traffic *f)
{
    struct demand d;
    uint32_t i;

    if (!take_demand(f, &d))
        return;
    i = slot_take(f);
    carrying_begin(&f->live[i], &d);
    f->live_count++;
    simulation_offer(f->carrier.sim, &d);
    schedule(f, i);
    look_ahead(f);
}

/* ------------------------------------------------------------------------------ the actor */

/* What lives and is due by then comes before a new connection: it may free a port. */
static bool beginning_is_next(const struct fluid_traffic *f)
{
    const struct timer *first = heap_peek(&f->due);

    return f->next_start_ns != ACTOR_NEVER &&
           (!first || f->next_start_ns < first->time_ns);
}

static int64_t fluid_next_ns(const void *actor)
{
    const struct fluid_traffic *f = actor;
    const struct timer *first = heap_peek(&f->due);

    if (f->failed)
        return ACTOR_NEVER;
    if (beginning_is_next(f))
        return f->next_start_ns;
    return first ? first->time_ns : ACTOR_NEVER;
}

static void fluid_act(void *actor)
{
    struct fluid_traffic *f = actor;

    f->settled_ns = -1;
    if (beginning_is_next(f))
        begin_connection(f);
    else
        send_next(f);
}

static void fluid_settle(void *actor, int64_t before_ns)
{
    struct fluid_traffic *f = actor;

    if (f->settled_ns == before_ns)
        return; /* another change at the same time */
    f->settled_ns = before_ns;
    f->due.len = 0;
    for (uint32_t i = 0; i < f->live_len; i++) {
        struct carrying *c = &f->live[i];
        uint32_t k;

        if (!c->lives)
            continue;
        k = pacing_count_before(&c->pacing, before_ns);
        carrying_pass(&f->carrier, c, k < c->until ? k : c->until);
        carrying_forget(c);
        schedule(f, i);
    }
}

const struct actor_kind fluid_traffic_actor = {
    .create = fluid_create_traffic,
    .next_ns = fluid_next_ns,
    .act = fluid_act,
    .destroy = fluid_destroy_traffic,
    .settle = fluid_settle,
    .error = fluid_error,
};
