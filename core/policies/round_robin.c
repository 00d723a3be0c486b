/*
 * round-robin - packets take the living members in turn
 *
 * Weights are not known. O(1) a packet, one counter. No flow keeps a path: two members with
 * delays that differ by more than the packets' spacing have half of a flow's packets arrive
 * late (RFC 4737), and behind NAT a flow changes its public address all the time. A member
 * that goes or returns leaves or joins the turn; nothing is remembered.
 *
 * Source: RFC 2991, section 2, which advises against it.
 */
#include "core/memory.h"
#include "core/policies/policies.h"

struct round_robin {
    unsigned next, len;
};

static void *round_robin_create(const struct config_policy *config, uint64_t seed)
{
    (void)config;
    (void)seed;
    return mem_alloc(1, sizeof(struct round_robin));
}

static void round_robin_update(void *state, const struct policy_member *members,
                               unsigned len, int64_t now_ns)
{
    struct round_robin *r = state;

    (void)members;
    (void)now_ns;
    r->len = len;
    r->next %= len;
}

static unsigned round_robin_pick(void *state, const struct policy_query *q)
{
    struct round_robin *r = state;
    const unsigned picked = r->next;

    (void)q;
    r->next = (r->next + 1) % r->len;
    return picked;
}

const struct policy policy_round_robin = {
    .name = "round-robin",
    .about = "a packet each in turn, whatever flow it is of",
    .traits = POLICY_SPRAYS,
    .create = round_robin_create,
    .update = round_robin_update,
    .pick = round_robin_pick,
    .destroy = mem_free,
};
