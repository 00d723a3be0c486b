#include "core/policy.h"

#include <string.h>

#include "core/policies/policies.h"
#include "core/policies/resilient.h"

static const struct policy hash_threshold = {
    .name = "hash-threshold",
    .about = "contiguous regions of the hash space by weight (RFC 2992; Linux, RouterOS 7)",
    .traits = POLICY_WEIGHTED | POLICY_FIXED,
};

const struct policy *const policies[] = {
    &hash_threshold,
    &policy_modulo_n,
    &policy_highest_random_weight,
    &policy_maglev,
    &policy_per_pair,
    &policy_round_robin,
    &policy_weighted_round_robin,
    &policy_random_packet,
    &policy_random_flow,
    &policy_flowlet,
    &policy_least_loaded,
    &policy_connection_mark,
    &policy_pcc,
    &policy_resilient,
};

const unsigned policies_len = sizeof policies / sizeof policies[0];

const struct policy *policy_find(const char *name)
{
    for (unsigned i = 0; i < policies_len; i++)
        if (strcmp(policies[i]->name, name) == 0)
            return policies[i];
    return NULL;
}
