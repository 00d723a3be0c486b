#include "sim/users/users_parts.h"

#include <string.h>

#include "core/memory.h"

/* -------------------------------------------------------------------------------- pools */

struct session *users_session_take(struct users *u)
{
    uint32_t at = u->free_session;
    struct session *s;

    if (at == USERS_NO_SLOT) {
        at = (uint32_t)u->sessions_len++;
        u->sessions = mem_grow(u->sessions, &u->sessions_cap, u->sessions_len,
                               sizeof(struct session *));
        u->sessions[at] = mem_alloc(1, sizeof *s);
    } else {
        u->free_session = u->sessions[at]->next;
    }
    u->live++;
    s = u->sessions[at];
    memset(s, 0, sizeof *s);
    s->live = true;
    s->next = at;
    for (unsigned i = 0; i < LANES_MAX; i++) {
        s->lanes[i].session = at;
        s->lanes[i].number = at * LANES_MAX + i;
    }
    return s;
}

void users_session_give(struct users *u, struct session *s)
{
    const uint32_t at = s->lanes[0].session;

    u->live--;
    s->live = false;
    s->next = u->free_session;
    u->free_session = at;
}

struct parcel *users_parcel(struct users *u, int64_t arrives_ns)
{
    uint32_t at = u->free_parcel;

    if (at == USERS_NO_SLOT) {
        at = (uint32_t)u->parcels_len++;
        u->parcels =
            mem_grow(u->parcels, &u->parcels_cap, u->parcels_len, sizeof *u->parcels);
        u->parcels[at].next = USERS_NO_SLOT;
    } else {
        u->free_parcel = u->parcels[at].next;
    }
    heap_push(&u->timers, arrives_ns, TIMER_PARCEL, at);
    return &u->parcels[at];
}

/* ------------------------------------------------------------------------------- timers */

void users_arm(struct users *u, struct lane *l, enum users_timer kind, int64_t at_ns)
{
    if (l->timers[kind] && l->timers[kind] <= at_ns)
        return;
    l->timers[kind] = at_ns;
    heap_push(&u->timers, at_ns, kind, l->number);
}

void users_tell(struct users *u, const struct session *s, enum session_news_kind kind,
                int64_t outage_ns, const char *why)
{
    const struct session_news n = {
        .time_ns = u->now_ns,
        .kind = (uint8_t)kind,
        .traffic = (size_t)u->config->number,
        .host = u->config->hosts[s->host],
        .outage_ns = outage_ns,
        .why = why,
    };

    simulation_tell_session(u->sim, &n);
}

static void host_expect(struct users *u, uint32_t host)
{
    int64_t start_ns;

    if (!arrivals_next(&u->hosts[host].arrivals, &start_ns))
        return;
    u->expected++;
    heap_push(&u->timers, start_ns, TIMER_ARRIVAL, host);
}

static void lane_timer(struct users *u, const struct timer *t)
{
    struct session *s = u->sessions[t->index / LANES_MAX];
    struct lane *l = &s->lanes[t->index % LANES_MAX];

    if (!s->live || l->timers[t->kind] != t->time_ns)
        return; /* of a session that is over, or set anew */
    l->timers[t->kind] = 0;
    switch ((enum users_timer)t->kind) {
    case TIMER_RESEND_UP: connection_resend(u, l, UP); return;
    case TIMER_RESEND_DOWN: connection_resend(u, l, DOWN); return;
    case TIMER_BEAT: connection_beat(u, l); return;
    case TIMER_STEP: lane_step(u, l); return;
    case TIMER_PATIENCE: lane_look_at_patience(u, l); return;
    case TIMER_SERVE: lane_serve(u, l); return;
    case TIMER_ARRIVAL:
    case TIMER_PARCEL: return;
    }
}

static void parcel_timer(struct users *u, uint32_t at)
{
    const struct parcel p = u->parcels[at];

    u->parcels[at].next = u->free_parcel;
    u->free_parcel = at;
    connection_arrived(u, &p);
}

static void users_act(void *actor)
{
    struct users *u = actor;
    struct timer t;

    u->now_ns = simulation_now_ns(u->sim);
    while (heap_peek(&u->timers) && heap_peek(&u->timers)->time_ns <= u->now_ns &&
           !simulation_is_full(u->sim)) {
        heap_pop(&u->timers, &t);
        if (t.kind == TIMER_PARCEL) {
            parcel_timer(u, t.index);
        } else if (t.kind == TIMER_ARRIVAL) {
            u->expected--;
            host_expect(u, t.index);
            session_begin(u, t.index);
        } else {
            lane_timer(u, &t);
        }
    }
}

static int64_t users_next_ns(const void *actor)
{
    const struct users *u = actor;
    const struct timer *t = heap_peek(&u->timers);

    if (u->live == 0 && u->expected == 0)
        return ACTOR_NEVER; /* what is still set is of sessions that are over */
    return t ? t->time_ns : ACTOR_NEVER;
}

/* ------------------------------------------------------------------------------- making */

static void *users_create(struct simulation *sim, const struct scenario_traffic *t)
{
    struct users *u = mem_alloc(1, sizeof *u);

    u->sim = sim;
    u->config = t->users;
    u->profile = &u->config->profile;
    u->free_session = u->free_parcel = USERS_NO_SLOT;
    u->hosts = mem_alloc(u->config->hosts_len, sizeof *u->hosts);
    for (uint32_t i = 0; i < u->config->hosts_len; i++) {
        struct random_stream s = random_stream_make(u->config->seed, i);

        arrivals_init(&u->hosts[i].arrivals, &u->config->arrivals, random_next(&s));
        u->hosts[i].chance = random_stream_make(random_next(&s), i);
        host_expect(u, i);
    }
    return u;
}

static void users_destroy(void *actor)
{
    struct users *u = actor;

    for (size_t i = 0; i < u->sessions_len; i++)
        mem_free(u->sessions[i]);
    mem_free(u->sessions);
    mem_free(u->parcels);
    mem_free(u->hosts);
    heap_free(&u->timers);
    mem_free(u);
}

const struct actor_kind users_actor = {
    .create = users_create,
    .next_ns = users_next_ns,
    .act = users_act,
    .destroy = users_destroy,
};
