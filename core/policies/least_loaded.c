/*
 * least-loaded - a connection begins on the path that has had the least to carry
 *
 * A member's load is the bytes sent through it of late, by its weight: those of the running
 * window, and of the one before it the part that a window ending now still covers.
 *
 *     windows       |  6 MB  |  2 MB
 *                       now, 1/4 of a window in: ^      load 2 + 6 * 3/4 = 6.5 MB
 *
 * The least of all members' loads wins, or the least among `choices` members drawn by weight,
 * each from all of them (the power of d choices). Equal loads are drawn for, by weight. The
 * connection then stays where it is; when its member goes it chooses anew, and stays there
 * when the member returns. Behind masquerade that is a new connection.
 *
 * Loads are what this group sends: downloads that the requests bring back are not seen, as in
 * a router that looks at its egress alone. O(members) a new connection, O(1) else beside
 * finding its member; 16 bytes a member. Loads outlive the comings and goings of others.
 *
 * Source: Azar, Broder, Karlin, Upfal, "Balanced allocations", SIAM J. Comput. 29(1), 1999;
 * Mitzenmacher, "The power of two choices in randomized load balancing", 1996.
 */
#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

struct load {
    uint64_t now, before; /* bytes of the running window, and of the one before it */
};

struct least_loaded {
    struct living living;
    struct random_stream chance;
    struct load *loads;        /* by place */
    uint16_t *hops;            /* whose they are */
    int64_t window_ns, window; /* the running one's number */
    uint32_t choices;          /* 0: all */
};

static void *least_loaded_create(const struct config_policy *config, uint64_t seed)
{
    struct least_loaded *l = mem_alloc(1, sizeof *l);

    l->chance = random_stream_make(seed, 0);
    l->window_ns = config->window_ns;
    l->choices = config->choices;
    return l;
}

static void least_loaded_destroy(void *state)
{
    struct least_loaded *l = state;

    mem_free(l->loads);
    mem_free(l->hops);
    mem_free(l);
}

/* What a hop had carried before the update, where it was a member then. */
static struct load load_of(const struct least_loaded *l, unsigned len, uint16_t hop)
{
    for (unsigned i = 0; i < len; i++)
        if (l->hops[i] == hop)
            return l->loads[i];
    return (struct load){0, 0};
}

static void least_loaded_update(void *state, const struct policy_member *members,
                                unsigned len, int64_t now_ns)
{
    struct least_loaded *l = state;
    struct load *loads = mem_alloc(len, sizeof *loads);
    uint16_t *hops = mem_alloc(len, sizeof *hops);

    (void)now_ns;
    for (unsigned i = 0; i < len; i++) {
        hops[i] = members[i].hop;
        loads[i] = load_of(l, l->living.len, members[i].hop);
    }
    mem_free(l->loads);
    mem_free(l->hops);
    l->loads = loads;
    l->hops = hops;
    l->living = living_make(members, len);
}

static void advance(struct least_loaded *l, int64_t now_ns)
{
    const int64_t window = now_ns / l->window_ns;

    if (window == l->window)
        return;
    for (unsigned i = 0; i < l->living.len; i++) {
        l->loads[i].before = window == l->window + 1 ? l->loads[i].now : 0;
        l->loads[i].now = 0;
    }
    l->window = window;
}

__extension__ typedef unsigned __int128 u128;

/* Bytes; of the window before, the part that still counts is rounded down. */
static uint64_t load_at(const struct least_loaded *l, unsigned place, int64_t now_ns)
{
    const uint64_t left = (uint64_t)(l->window_ns - now_ns % l->window_ns);
    const struct load *o = &l->loads[place];

    return o->now + (uint64_t)((u128)o->before * left / (u128)l->window_ns);
}

/* The less loaded of two by weight: below 0, 0, above 0 as `a` is less, equally, more so. */
static int compare(const struct least_loaded *l, unsigned a, unsigned b, int64_t now_ns)
{
    const u128 one = (u128)load_at(l, a, now_ns) * l->living.members[b].weight;
    const u128 other = (u128)load_at(l, b, now_ns) * l->living.members[a].weight;

    return (one > other) - (one < other);
}

static unsigned least_of_all(struct least_loaded *l, int64_t now_ns)
{
    uint64_t tied_weight = l->living.members[0].weight;
    unsigned best = 0;

    for (unsigned i = 1; i < l->living.len; i++) {
        const uint32_t weight = l->living.members[i].weight;
        const int order = compare(l, i, best, now_ns);

        if (order > 0)
            continue;
        tied_weight = order < 0 ? weight : tied_weight + weight;
        if (order < 0 || random_below(&l->chance, tied_weight) < weight)
            best = i;
    }
    return best;
}

static unsigned least_of_drawn(struct least_loaded *l, int64_t now_ns)
{
    unsigned best = living_draw(&l->living, &l->chance);

    for (uint32_t n = 1; n < l->choices; n++) {
        const unsigned other = living_draw(&l->living, &l->chance);

        if (compare(l, other, best, now_ns) < 0)
            best = other;
    }
    return best;
}

static unsigned least_loaded_pick(void *state, const struct policy_query *q)
{
    struct least_loaded *l = state;
    unsigned place = living_find(&l->living, *q->pin);

    advance(l, q->now_ns);
    if (place == l->living.len)
        place = l->choices ? least_of_drawn(l, q->now_ns) : least_of_all(l, q->now_ns);
    l->loads[place].now += q->packet->size_bytes;
    *q->pin = l->living.members[place].hop;
    return place;
}

const struct policy policy_least_loaded = {
    .name = "least-loaded",
    .about = "a connection begins where the least was sent of late, and stays",
    .traits = POLICY_WEIGHTED | POLICY_PINS | POLICY_COUNTS,
    .create = least_loaded_create,
    .update = least_loaded_update,
    .pick = least_loaded_pick,
    .destroy = least_loaded_destroy,
};
