/* The rows of the policy table, one file each; see policy.h. */
#ifndef ECMPLAB_POLICIES_H
#define ECMPLAB_POLICIES_H

#include "core/policy.h"

extern const struct policy policy_modulo_n;
extern const struct policy policy_resilient;
extern const struct policy policy_highest_random_weight;
extern const struct policy policy_maglev;
extern const struct policy policy_per_pair;
extern const struct policy policy_round_robin;
extern const struct policy policy_weighted_round_robin;
extern const struct policy policy_random_packet;
extern const struct policy policy_random_flow;
extern const struct policy policy_flowlet;
extern const struct policy policy_least_loaded;
extern const struct policy policy_connection_mark;
extern const struct policy policy_pcc;

#endif
