#include "sim/links/fluid.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "sim/links/ranking.h"

#define NONE UINT32_MAX

/* Shares and caps this near to each other, as a part of the link's rate, are taken as equal: far
 * above what rounding can do, so that no group changes sides for ever. */
#define NEARLY 1e-12

/* All rates in here are bytes a second, all services bytes. */

struct flow_state {
    double done;    /* served before it came to its group */
    double start;   /* the group's service when it came */
    double end;     /* the group's service at which it finishes */
    double bytes;   /* INFINITY: endless */
    uint32_t group; /* NONE: there is no such flow */
};

struct group {
    double cap;
    double base;      /* of its service */
    int64_t since_ns; /* capped: when its service was `base` */
    bool shares;
    uint32_t link;
    uint32_t next;       /* in its bucket, or the next free one */
    struct ranking ends; /* of its flows, by `end` */
};

struct fluid_link {
    double rate, share; /* share: INFINITY where none is held to it */
    double virtual;     /* the integral of the share while someone is held to it */
    double carried;
    double capped_sum;      /* the caps of the flows held to them */
    size_t sharing, capped; /* flows */
    int64_t synced_ns;
    int64_t next_ns; /* when its next flow finishes */
    uint32_t next_flow;
    struct ranking sharing_caps,
        capped_caps; /* groups: lowest cap first, highest first */
    struct ranking sharing_next,
        capped_next; /* by virtual time, by time, of the first end */
};

struct fluid {
    int64_t now_ns;
    struct fluid_link *links;
    size_t links_len, links_cap;
    struct flow_state *flows;
    uint32_t *flow_places;
    size_t flows_len, flows_cap, flow_places_cap;
    struct group *groups;
    uint32_t *cap_places, *next_places; /* of groups: in ..._caps, in ..._next */
    size_t groups_len, groups_cap, cap_places_cap, next_places_cap;
    uint32_t free_group;
    uint32_t *buckets; /* of groups by link and cap */
    size_t buckets_len;
    size_t groups_used;
};

/* ------------------------------------------------------------------------------ service */

static double seconds(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e9;
}

/* What each of the group's flows would have been served since it began; the link is synced. */
static double service_of(const struct fluid *f, const struct group *g)
{
    if (g->shares)
        return f->links[g->link].virtual + g->base;
    return g->base + g->cap * seconds(g->since_ns, f->now_ns);
}

static double share_of(const struct fluid_link *l)
{
    return l->sharing ? fmax(0, (l->rate - l->capped_sum) / (double)l->sharing)
                      : INFINITY;
}

/* The rates of all its flows together. */
static double rate_of(const struct fluid_link *l)
{
    return l->capped_sum + (l->sharing ? l->share * (double)l->sharing : 0);
}

static void sync(const struct fluid *f, struct fluid_link *l)
{
    const double dt = seconds(l->synced_ns, f->now_ns);

    l->carried += rate_of(l) * dt;
    l->virtual = l->sharing ? l->virtual + l->share * dt : 0;
    l->synced_ns = f->now_ns;
}

/* ------------------------------------------------------------------------------- groups */

static size_t bucket_of(const struct fluid *f, uint32_t link, double cap)
{
    uint64_t bits;

    memcpy(&bits, &cap, sizeof bits);
    bits = (bits ^ link) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(bits >> 32) & (f->buckets_len - 1);
}

static void buckets_grow(struct fluid *f)
{
    mem_free(f->buckets);
    f->buckets_len = f->buckets_len ? 2 * f->buckets_len : 64;
    f->buckets = mem_alloc(f->buckets_len, sizeof *f->buckets);
    memset(f->buckets, 0xff, f->buckets_len * sizeof *f->buckets);
    for (uint32_t i = 0; i < f->groups_len; i++) {
        struct group *g = &f->groups[i];
        uint32_t *bucket;

        if (!g->ends.len)
            continue;
        bucket = &f->buckets[bucket_of(f, g->link, g->cap)];
        g->next = *bucket;
        *bucket = i;
    }
}

static uint32_t group_take(struct fluid *f)
{
    const uint32_t number = f->free_group;

    if (number != NONE) {
        f->free_group = f->groups[number].next;
        return number;
    }
    f->groups = mem_grow(f->groups, &f->groups_cap, f->groups_len + 1, sizeof *f->groups);
    f->cap_places = mem_grow(f->cap_places, &f->cap_places_cap, f->groups_len + 1,
                             sizeof *f->cap_places);
    f->next_places = mem_grow(f->next_places, &f->next_places_cap, f->groups_len + 1,
                              sizeof *f->next_places);
    f->groups[f->groups_len].ends = (struct ranking){0};
    f->cap_places[f->groups_len] = f->next_places[f->groups_len] = 0;
    return (uint32_t)f->groups_len++;
}

/* The group of this link and cap; a new one begins among those that share. */
static uint32_t group_find(struct fluid *f, uint32_t link, double cap)
{
    uint32_t number, *bucket;
    struct group *g;

    if (f->groups_used >= f->buckets_len)
        buckets_grow(f);
    bucket = &f->buckets[bucket_of(f, link, cap)];
    for (number = *bucket; number != NONE; number = f->groups[number].next)
        if (f->groups[number].link == link && !(f->groups[number].cap < cap) &&
            !(f->groups[number].cap > cap))
            return number;
    number = group_take(f);
    g = &f->groups[number];
    *g = (struct group){
        .cap = cap, .link = link, .shares = true, .ends = g->ends, .next = *bucket};
    g->base = -f->links[link].virtual;
    *bucket = number;
    f->groups_used++;
    ranking_set(&f->links[link].sharing_caps, f->cap_places, number, cap);
    return number;
}

static void group_drop(struct fluid *f, uint32_t number)
{
    struct group *g = &f->groups[number];
    struct fluid_link *l = &f->links[g->link];
    uint32_t *at = &f->buckets[bucket_of(f, g->link, g->cap)];

    while (*at != number)
        at = &f->groups[*at].next;
    *at = g->next;
    ranking_remove(g->shares ? &l->sharing_caps : &l->capped_caps, f->cap_places, number);
    g->next = f->free_group;
    f->free_group = number;
    f->groups_used--;
}

/* Its first end, or that of the first flow, has changed: where does it stand now? */
static void group_rank(struct fluid *f, uint32_t number)
{
    const struct group *g = &f->groups[number];
    const struct ranked *first = ranking_first(&g->ends);
    struct fluid_link *l = &f->links[g->link];
    struct ranking *next = g->shares ? &l->sharing_next : &l->capped_next;

    if (!first) {
        ranking_remove(next, f->next_places, number);
    } else if (g->shares) {
        ranking_set(next, f->next_places, number, first->key - g->base);
    } else {
        const double left = first->key - g->base;

        ranking_set(next, f->next_places, number,
                    (double)g->since_ns / 1e9 + (left > 0 ? left / g->cap : 0));
    }
}

static void group_to_cap(struct fluid *f, uint32_t number)
{
    struct group *g = &f->groups[number];
    struct fluid_link *l = &f->links[g->link];

    g->base = service_of(f, g);
    g->since_ns = f->now_ns;
    g->shares = false;
    l->sharing -= g->ends.len;
    l->capped += g->ends.len;
    l->capped_sum += g->cap * (double)g->ends.len;
    ranking_remove(&l->sharing_caps, f->cap_places, number);
    ranking_set(&l->capped_caps, f->cap_places, number, -g->cap);
    ranking_remove(&l->sharing_next, f->next_places, number);
    group_rank(f, number);
}

static void group_to_share(struct fluid *f, uint32_t number)
{
    struct group *g = &f->groups[number];
    struct fluid_link *l = &f->links[g->link];

    g->base = service_of(f, g) - l->virtual;
    g->shares = true;
    l->sharing += g->ends.len;
    l->capped -= g->ends.len;
    l->capped_sum = l->capped ? l->capped_sum - g->cap * (double)g->ends.len : 0;
    ranking_remove(&l->capped_caps, f->cap_places, number);
    ranking_set(&l->sharing_caps, f->cap_places, number, g->cap);
    ranking_remove(&l->capped_next, f->next_places, number);
    group_rank(f, number);
}

/* -------------------------------------------------------------------------------- links */

/* From `from_ns` until so many bytes are served. */
static int64_t finish_ns(int64_t from_ns, double bytes, double rate)
{
    const double ns = bytes > 0 ? ceil(bytes / rate * 1e9) : 0;

    return ns < (double)(INT64_MAX / 4) ? from_ns + (int64_t)ns : FLUID_NEVER;
}

static void link_find_next(const struct fluid *f, struct fluid_link *l)
{
    const struct ranked *sharing = ranking_first(&l->sharing_next);
    const struct ranked *capped = ranking_first(&l->capped_next);

    l->next_ns = FLUID_NEVER;
    if (sharing) {
        l->next_ns = finish_ns(l->synced_ns, sharing->key - l->virtual, l->share);
        l->next_flow = ranking_first(&f->groups[sharing->number].ends)->number;
    }
    if (capped) {
        const struct group *g = &f->groups[capped->number];
        const struct ranked *first = ranking_first(&g->ends);
        const int64_t ns = finish_ns(g->since_ns, first->key - g->base, g->cap);

        if (ns < l->next_ns) {
            l->next_ns = ns;
            l->next_flow = first->number;
        }
    }
}

/* Flows, caps or the rate have changed: who is held to what, and who finishes first? */
static void link_settle(struct fluid *f, struct fluid_link *l)
{
    const double slack = NEARLY * l->rate;

    for (;;) {
        const struct ranked *lowest = ranking_first(&l->sharing_caps);
        const struct ranked *highest = ranking_first(&l->capped_caps);
        const bool over = !l->sharing && l->capped_sum > l->rate + slack;

        l->share = share_of(l);
        if (highest && (over || -highest->key > l->share + slack))
            group_to_share(f, highest->number);
        else if (lowest && lowest->key <= l->share)
            group_to_cap(f, lowest->number);
        else
            break;
    }
    link_find_next(f, l);
}

unsigned fluid_link_add(struct fluid *f, double rate_bps)
{
    f->links = mem_grow(f->links, &f->links_cap, f->links_len + 1, sizeof *f->links);
    f->links[f->links_len] = (struct fluid_link){
        .synced_ns = f->now_ns, .next_ns = FLUID_NEVER, .share = INFINITY};
    fluid_link_set_rate(f, (unsigned)f->links_len++, rate_bps);
    return (unsigned)f->links_len - 1;
}

void fluid_link_set_rate(struct fluid *f, unsigned link, double rate_bps)
{
    struct fluid_link *l = &f->links[link];

    assert(rate_bps >= 0);
    sync(f, l);
    l->rate = fmin(rate_bps, FLUID_RATE_MAX) / 8;
    link_settle(f, l);
}

/* -------------------------------------------------------------------------------- flows */

static struct flow_state *flow_at(const struct fluid *f, uint32_t flow)
{
    assert(flow < f->flows_len && f->flows[flow].group != NONE);
    return &f->flows[flow];
}

static void flows_reach(struct fluid *f, size_t len)
{
    if (len <= f->flows_len)
        return;
    f->flows = mem_grow(f->flows, &f->flows_cap, len, sizeof *f->flows);
    f->flow_places =
        mem_grow(f->flow_places, &f->flow_places_cap, len, sizeof *f->flow_places);
    for (size_t i = f->flows_len; i < len; i++) {
        f->flows[i].group = NONE;
        f->flow_places[i] = 0;
    }
    f->flows_len = len;
}

/* Among those of the link and the cap, with what is left of it. The link is synced. */
static void join(struct fluid *f, uint32_t flow, unsigned link, double cap)
{
    const uint32_t number = group_find(f, link, cap);
    struct group *g = &f->groups[number];
    struct fluid_link *l = &f->links[link];
    struct flow_state *s = &f->flows[flow];

    s->group = number;
    s->start = service_of(f, g);
    s->end = s->start + (s->bytes - s->done);
    ranking_set(&g->ends, f->flow_places, flow, s->end);
    if (g->shares) {
        l->sharing++;
    } else {
        l->capped++;
        l->capped_sum += g->cap;
    }
    group_rank(f, number);
}

/* Served so far; what is more than it had was never sent. */
static double served(const struct fluid *f, const struct flow_state *s)
{
    return fmin(s->done + (service_of(f, &f->groups[s->group]) - s->start), s->bytes);
}

/* The link is synced. */
static void leave(struct fluid *f, uint32_t flow)
{
    struct flow_state *s = &f->flows[flow];
    const uint32_t number = s->group;
    struct group *g = &f->groups[number];
    struct fluid_link *l = &f->links[g->link];
    const double beyond = service_of(f, g) - s->end;

    if (beyond > 0)
        l->carried -= beyond;
    s->done = served(f, s);
    ranking_remove(&g->ends, f->flow_places, flow);
    if (g->shares) {
        l->sharing--;
    } else {
        l->capped--;
        l->capped_sum = l->capped ? l->capped_sum - g->cap : 0;
    }
    group_rank(f, number);
    if (!g->ends.len)
        group_drop(f, number);
}

static double cap_of(double cap_bps)
{
    assert(cap_bps >= 0);
    return cap_bps / 8;
}

void fluid_add(struct fluid *f, uint32_t flow, unsigned link, uint64_t bytes,
               double cap_bps)
{
    flows_reach(f, (size_t)flow + 1);
    assert(f->flows[flow].group == NONE && link < f->links_len);
    f->flows[flow].bytes = bytes == FLUID_ENDLESS ? INFINITY : (double)bytes;
    f->flows[flow].done = 0;
    sync(f, &f->links[link]);
    join(f, flow, link, cap_of(cap_bps));
    link_settle(f, &f->links[link]);
}

/* To another link or another cap. */
static void change(struct fluid *f, uint32_t flow, unsigned link, double cap)
{
    const uint32_t before = f->groups[flow_at(f, flow)->group].link;

    assert(link < f->links_len);
    sync(f, &f->links[before]);
    leave(f, flow);
    link_settle(f, &f->links[before]);
    sync(f, &f->links[link]);
    join(f, flow, link, cap);
    link_settle(f, &f->links[link]);
}

void fluid_move(struct fluid *f, uint32_t flow, unsigned link)
{
    change(f, flow, link, f->groups[flow_at(f, flow)->group].cap);
}

void fluid_set_cap(struct fluid *f, uint32_t flow, double cap_bps)
{
    change(f, flow, f->groups[flow_at(f, flow)->group].link, cap_of(cap_bps));
}

double fluid_remove(struct fluid *f, uint32_t flow)
{
    struct flow_state *s = flow_at(f, flow);
    struct fluid_link *l = &f->links[f->groups[s->group].link];

    sync(f, l);
    leave(f, flow);
    s->group = NONE;
    link_settle(f, l);
    return s->done;
}

/* --------------------------------------------------------------------------------- time */

int64_t fluid_next_finish(const struct fluid *f, uint32_t *flow)
{
    int64_t next_ns = FLUID_NEVER;

    for (size_t i = 0; i < f->links_len; i++)
        if (f->links[i].next_ns < next_ns) {
            next_ns = f->links[i].next_ns;
            *flow = f->links[i].next_flow;
        }
    return next_ns < f->now_ns ? f->now_ns : next_ns;
}

void fluid_advance(struct fluid *f, int64_t now_ns)
{
    uint32_t flow;

    assert(now_ns >= f->now_ns && now_ns <= fluid_next_finish(f, &flow));
    (void)flow;
    f->now_ns = now_ns;
}

/* ------------------------------------------------------------------------ what is asked */

double fluid_flow_bytes(const struct fluid *f, uint32_t flow)
{
    const struct flow_state *s = flow_at(f, flow);
    const struct group *g = &f->groups[s->group];
    const struct fluid_link *l = &f->links[g->link];
    double service = service_of(f, g);

    if (g->shares)
        service += l->share * seconds(l->synced_ns, f->now_ns);
    return fmin(s->done + (service - s->start), s->bytes);
}

double fluid_flow_rate_bps(const struct fluid *f, uint32_t flow)
{
    const struct group *g = &f->groups[flow_at(f, flow)->group];

    return 8 * (g->shares ? f->links[g->link].share : g->cap);
}

double fluid_link_bytes(const struct fluid *f, unsigned link)
{
    const struct fluid_link *l = &f->links[link];

    return l->carried + rate_of(l) * seconds(l->synced_ns, f->now_ns);
}

double fluid_link_rate_bps(const struct fluid *f, unsigned link)
{
    return 8 * rate_of(&f->links[link]);
}

size_t fluid_link_flows(const struct fluid *f, unsigned link)
{
    return f->links[link].sharing + f->links[link].capped;
}

/* ------------------------------------------------------------------------------- making */

struct fluid *fluid_create(void)
{
    struct fluid *f = mem_alloc(1, sizeof *f);

    f->free_group = NONE;
    return f;
}

void fluid_destroy(struct fluid *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->links_len; i++) {
        ranking_free(&f->links[i].sharing_caps);
        ranking_free(&f->links[i].capped_caps);
        ranking_free(&f->links[i].sharing_next);
        ranking_free(&f->links[i].capped_next);
    }
    for (size_t i = 0; i < f->groups_len; i++)
        ranking_free(&f->groups[i].ends);
    mem_free(f->links);
    mem_free(f->flows);
    mem_free(f->flow_places);
    mem_free(f->groups);
    mem_free(f->cap_places);
    mem_free(f->next_places);
    mem_free(f->buckets);
    mem_free(f);
}
