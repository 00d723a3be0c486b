#include "core/policy.h"

#include <string.h>

const struct policy policies[] = {
    {"hash-threshold", "contiguous regions of the hash space by weight (RFC 2992, Linux)",
     nexthop_group_pick},
};

const unsigned policies_len = sizeof policies / sizeof policies[0];

const struct policy *policy_find(const char *name)
{
    for (unsigned i = 0; i < policies_len; i++)
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}
