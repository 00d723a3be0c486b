/*
 * modulo-n - the hash modulo the number of living members
 *
 * Weights are not known. O(1) a packet, no memory. When one of n members comes or goes nearly
 * everything moves: (n - 1) / n of all flows at a loss, n / (n + 1) at a return.
 *
 * Source: RFC 2991, section 3.
 */
#include "core/memory.h"
#include "core/policies/policies.h"

struct modulo_n {
    unsigned len;
};

static void *modulo_n_create(const struct config_policy *config, uint64_t seed)
{
    (void)config;
    (void)seed;
    return mem_alloc(1, sizeof(struct modulo_n));
}

static void modulo_n_update(void *state, const struct policy_member *members,
                            unsigned len, int64_t now_ns)
{
    struct modulo_n *m = state;

    (void)members;
    (void)now_ns;
    m->len = len;
}

static unsigned modulo_n_pick(void *state, const struct policy_query *q)
{
    const struct modulo_n *m = state;

    return q->hash % m->len;
}

const struct policy policy_modulo_n = {
    .name = "modulo-n",
    .about = "the hash modulo the number of living next hops (RFC 2991)",
    .traits = POLICY_FIXED,
    .create = modulo_n_create,
    .update = modulo_n_update,
    .pick = modulo_n_pick,
    .destroy = mem_free,
};
