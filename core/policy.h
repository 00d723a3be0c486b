/*
 * policy - the ways to choose one next hop of a group
 *
 * One row a policy. The scenario reader, the schema and the reports walk this one table.
 */
#ifndef ECMPLAB_POLICY_H
#define ECMPLAB_POLICY_H

#include "core/nexthop.h"

struct policy {
    const char *name;
    const char *about;
    /* The member for a 31-bit hash; NEXTHOP_NONE when none lives. */
    unsigned (*pick)(const struct nexthop_group *g, uint32_t hash);
};

extern const struct policy policies[];
extern const unsigned policies_len;

/* By name; NULL when there is none. */
const struct policy *policy_find(const char *name);

#endif
