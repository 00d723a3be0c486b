/*
 * random-packet, random-flow - a member by chance, each as likely as its weight says
 *
 * random-packet draws for every packet: no flow keeps a path. O(members) a packet, no memory.
 *
 * random-flow draws for a connection's first packet, which the connection then remembers: 2
 * bytes in its entry. Shares are as uneven as hashing would make them, and independent of
 * the flows' fields. When the member goes its connections draw anew and stay with what they
 * drew: w_k / W of them move at a loss, none at a return. Behind masquerade a connection that
 * moves has lost its entry, so that the draw is a new connection's.
 *
 * Source: RFC 2991, section 2 (per packet); both are what `statistic mode random` of
 * iptables does without and with CONNMARK.
 */
#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

struct random_pick {
    struct living living;
    struct random_stream chance;
};

static void *random_pick_create(const struct config_policy *config, uint64_t seed)
{
    struct random_pick *r = mem_alloc(1, sizeof *r);

    (void)config;
    r->chance = random_stream_make(seed, 0);
    return r;
}

static void random_pick_update(void *state, const struct policy_member *members,
                               unsigned len, int64_t now_ns)
{
    struct random_pick *r = state;

    (void)now_ns;
    r->living = living_make(members, len);
}

static unsigned random_packet_pick(void *state, const struct policy_query *q)
{
    struct random_pick *r = state;

    (void)q;
    return living_draw(&r->living, &r->chance);
}

static unsigned random_flow_pick(void *state, const struct policy_query *q)
{
    struct random_pick *r = state;
    unsigned place = living_find(&r->living, *q->pin);

    if (place == r->living.len)
        place = living_draw(&r->living, &r->chance);
    *q->pin = r->living.members[place].hop;
    return place;
}

const struct policy policy_random_packet = {
    .name = "random-packet",
    .about = "each packet draws a next hop by weight",
    .traits = POLICY_WEIGHTED | POLICY_SPRAYS,
    .create = random_pick_create,
    .update = random_pick_update,
    .pick = random_packet_pick,
    .destroy = mem_free,
};

const struct policy policy_random_flow = {
    .name = "random-flow",
    .about = "each connection draws a next hop by weight and keeps it while it lives",
    .traits = POLICY_WEIGHTED | POLICY_PINS,
    .create = random_pick_create,
    .update = random_pick_update,
    .pick = random_flow_pick,
    .destroy = mem_free,
};
