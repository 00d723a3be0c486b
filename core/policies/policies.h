/* The rows of the policy table, one file each; see policy.h. */
#ifndef ECMPLAB_POLICIES_H
#define ECMPLAB_POLICIES_H

#include "core/policy.h"

extern const struct policy policy_modulo_n;

#endif
