/*
 * highest-random-weight - every member draws lots for the flow, the best one wins
 *
 * Member i draws u in 0..1, a mixture of the flow's hash and the member's own key, and has
 * the score -w / ln(u); the highest wins. -ln(u) / w is exponential with the rate w, and the
 * first of several exponentials is i with probability w_i / W. Compared is the reciprocal
 * -log2(u) / w, as whole numbers (highest_random_weight.h).
 *
 *     flow 1   wan1 0.31  wan2 0.87 *  wan3 0.44       without wan2, wan3 takes it,
 *     flow 2   wan1 0.92 *  wan2 0.15  wan3 0.60       and nobody else has moved
 *
 * O(members) a decision, no memory. A member that goes takes its own flows along, w_k / W of
 * all, and no other moves; what it had comes back to it.
 *
 * Source: RFC 2991, section 4; Thaler, Ravishankar, "Using name-based mappings to increase
 * hit rates", IEEE/ACM Transactions on Networking 6(1), 1998; Schindelhauer, Schomaker,
 * "Weighted distributed hash tables", SPAA 2005 (the logarithmic method).
 * Differs: the mixture is splitmix64 where RFC 2991 has a linear congruence, whose draws of
 * two members are not independent.
 */
#include "core/policies/highest_random_weight.h"

#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

enum { FRACTION_BITS = 32 };

uint64_t hrw_minus_log2(uint64_t x)
{
    const unsigned zeros = (unsigned)__builtin_clzll(x);
    uint64_t fraction = 0, m = x << zeros; /* m / 2^63 is in 1..2 */

    for (unsigned i = 0; i < FRACTION_BITS; i++) {
        __extension__ const unsigned __int128 square = (unsigned __int128)m * m;

        fraction <<= 1;
        if (square >> 127) {
            fraction |= 1;
            m = (uint64_t)(square >> 64);
        } else {
            m = (uint64_t)(square >> 63);
        }
    }
    return ((uint64_t)(zeros + 1) << FRACTION_BITS) - fraction;
}

static void *hrw_create(const struct config_policy *config, uint64_t seed)
{
    (void)config;
    (void)seed; /* the draws are the flows' and the members' alone */
    return mem_alloc(1, sizeof(struct living));
}

static void hrw_update(void *state, const struct policy_member *members, unsigned len,
                       int64_t now_ns)
{
    (void)now_ns;
    *(struct living *)state = living_make(members, len);
}

static uint64_t hrw_lot(const struct policy_member *m, uint32_t hash)
{
    struct random_stream s = random_stream_make(m->key, hash);
    const uint64_t x = random_next(&s);

    return hrw_minus_log2(x ? x : 1);
}

static unsigned hrw_pick(void *state, const struct policy_query *q)
{
    const struct living *l = state;
    const struct policy_member *m = l->members;
    uint64_t best_lot = hrw_lot(&m[0], q->hash);
    unsigned best = 0;

    for (unsigned i = 1; i < l->len; i++) {
        const uint64_t lot = hrw_lot(&m[i], q->hash);
        const uint64_t one = lot * m[best].weight, other = best_lot * m[i].weight;

        if (one < other || (one == other && m[i].key < m[best].key)) {
            best = i;
            best_lot = lot;
        }
    }
    return best;
}

const struct policy policy_highest_random_weight = {
    .name = "highest-random-weight",
    .about = "each next hop draws lots for the flow, the best by weight wins (RFC 2991)",
    .traits = POLICY_WEIGHTED | POLICY_FIXED,
    .create = hrw_create,
    .update = hrw_update,
    .pick = hrw_pick,
    .destroy = mem_free,
};
