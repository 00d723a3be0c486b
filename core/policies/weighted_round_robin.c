/*
 * weighted-round-robin - each packet goes where the largest part is owed
 *
 * A packet of size s (of 1 where packets are counted) owes every member its part of s, and
 * the member with the largest debt gets it whole. In units of 1 / W:
 *
 *     weights 2:1, packets    debts 2 1   -1* 1     1 2   1 -1*     3 0   0* 0
 *     the packet goes to            wan1            wan2            wan1
 *
 * By packets this is smooth weighted round robin: in W packets each member has as many as
 * its weight, spread as evenly as can be. By bytes each path stays within one largest packet
 * of its share at all times. O(members) a packet, 8 bytes a member. No flow keeps a path.
 * When a member goes or returns all debts are forgotten.
 *
 * Source: Kandula, Katabi, Sinha, Berger, "Dynamic load balancing without packet reordering",
 * CCR 37(2), 2007 (the byte deficits of FLARE); nginx's smooth weighted round robin.
 */
#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

struct weighted_round_robin {
    struct living living;
    int64_t *debts; /* to each member, times the total weight; their sum is 0 */
    bool by_bytes;
};

static void *wrr_create(const struct config_policy *config, uint64_t seed)
{
    struct weighted_round_robin *w = mem_alloc(1, sizeof *w);

    (void)seed;
    w->by_bytes = config->unit == UNIT_BYTES;
    return w;
}

static void wrr_destroy(void *state)
{
    struct weighted_round_robin *w = state;

    mem_free(w->debts);
    mem_free(w);
}

static void wrr_update(void *state, const struct policy_member *members, unsigned len,
                       int64_t now_ns)
{
    struct weighted_round_robin *w = state;

    (void)now_ns;
    w->living = living_make(members, len);
    mem_free(w->debts);
    w->debts = mem_alloc(len, sizeof *w->debts);
}

static unsigned wrr_pick(void *state, const struct policy_query *q)
{
    struct weighted_round_robin *w = state;
    const int64_t size = w->by_bytes ? q->packet->size_bytes : 1;
    unsigned best = 0;

    for (unsigned i = 0; i < w->living.len; i++) {
        w->debts[i] += size * w->living.members[i].weight;
        if (w->debts[i] > w->debts[best])
            best = i;
    }
    w->debts[best] -= size * w->living.total_weight;
    return best;
}

const struct policy policy_weighted_round_robin = {
    .name = "weighted-round-robin",
    .about = "each packet goes where most is owed by weight, in packets or bytes",
    .traits = POLICY_WEIGHTED | POLICY_SPRAYS,
    .create = wrr_create,
    .update = wrr_update,
    .pick = wrr_pick,
    .destroy = wrr_destroy,
};
