/*
 * flowlet - a flow may change its path where it pauses
 *
 * A packet that comes within `gap` of the one before it goes the same way; after a longer
 * pause the flow draws a member anew, by weight. A gap above the largest difference of the
 * paths' delays keeps packets in order.
 *
 *     packets  |||  | ||        || |          |
 *     path     wan2             wan1          wan2       gap: more than six blanks
 *
 * As switches do it, state is a table of 65,536 entries by the low bits of the flow's hash, so
 * a flow is what the router's hash policy calls one (l3: a pair of addresses), and flows that
 * collide share an entry: they ride together, and change only when both pause. Of n flows
 * about n / 65536 of them have company. 16 bytes an entry, O(1) a packet and O(members) a
 * draw. A flow whose member goes draws at once; one that returns gets flows as they pause.
 *
 * Source: Sinha, Kandula, Katabi, "Harnessing TCP's burstiness with flowlet switching",
 * HotNets 2004; Vanini et al., "Let It Flow", NSDI 2017.
 */
#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

enum { ENTRIES = 65536 };

struct entry {
    int64_t last_ns;
    uint16_t hop; /* 0: none yet */
};

struct flowlet {
    struct living living;
    struct random_stream chance;
    int64_t gap_ns;
    struct entry *entries; /* NULL: nobody asked yet */
};

static void *flowlet_create(const struct config_policy *config, uint64_t seed)
{
    struct flowlet *f = mem_alloc(1, sizeof *f);

    f->gap_ns = config->gap_ns;
    f->chance = random_stream_make(seed, 0);
    return f;
}

static void flowlet_destroy(void *state)
{
    struct flowlet *f = state;

    mem_free(f->entries);
    mem_free(f);
}

static void flowlet_update(void *state, const struct policy_member *members, unsigned len,
                           int64_t now_ns)
{
    struct flowlet *f = state;

    (void)now_ns;
    f->living = living_make(members, len);
}

static unsigned flowlet_pick(void *state, const struct policy_query *q)
{
    struct flowlet *f = state;
    struct entry *e;
    unsigned place;

    if (!f->entries)
        f->entries = mem_alloc(ENTRIES, sizeof *f->entries);
    e = &f->entries[q->hash % ENTRIES];
    place = living_find(&f->living, e->hop);
    if (place == f->living.len || q->now_ns - e->last_ns > f->gap_ns)
        place = living_draw(&f->living, &f->chance);
    e->hop = f->living.members[place].hop;
    e->last_ns = q->now_ns;
    return place;
}

static size_t flowlet_bytes(const struct config_policy *config)
{
    (void)config;
    return ENTRIES * sizeof *((struct flowlet *)0)->entries;
}

const struct policy policy_flowlet = {
    .name = "flowlet",
    .about = "a flow that paused for longer than a gap draws a next hop anew",
    .traits = POLICY_WEIGHTED | POLICY_SPRAYS | POLICY_HASHED,
    .create = flowlet_create,
    .update = flowlet_update,
    .pick = flowlet_pick,
    .destroy = flowlet_destroy,
    .bytes = flowlet_bytes,
};
