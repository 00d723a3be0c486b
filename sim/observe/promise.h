/*
 * promise - what next-hop groups promise to the WANs
 *
 * A flow whose first packet passes a group promises to each WAN the part that the weights
 * of its living members have in it:
 *
 *     wan1 up, weight 1   wan2 down, weight 2   wan3 up, weight 3    ->   1/4   0   3/4
 *
 * Equal promises are kept once, as whole numbers, and each counts its flows and bytes:
 * the sum over flows of a promise is then exact, and the same in any order. Their number
 * follows the states that the groups were in, not the flows.
 */
#ifndef ECMPLAB_PROMISE_H
#define ECMPLAB_PROMISE_H

#include "core/nexthop.h"
#include "sim/observe/stats.h"

/* What adds up over a run, for each promise. */
struct promise_counts {
    uint64_t flows; /* whose first packet had this promise */
    uint64_t bytes; /* carried by flows while they had it */
    /* The sums of s^2 and of s^4 over choices (choices.h), s its flows or its bytes: each
     * promise counts what they grew by under it. */
    stats_u128 flow_squares, byte_squares;
    double flow_fourths, byte_fourths;
};

struct promise {
    uint64_t total; /* of the weights */
    bool choice;    /* at least two WANs have a part in it */
};

struct promises {
    size_t wans_len;
    size_t len, promises_cap, weights_cap, counts_cap;
    struct promise *promises;
    struct promise_counts *counts;
    uint32_t *weights; /* wans_len of each promise, one after the other */
    uint32_t *scratch;
    uint32_t *index; /* open addressing over promises + 1; 0 = empty */
    size_t index_mask;
};

void promises_init(struct promises *p, size_t wans_len);
void promises_free(struct promises *p);

/*
 * The number of the group's promise. `wan_of_iface` maps an interface's index to its WAN
 * or -1. Members that lead to no WAN count for nothing; a group that promises nothing to
 * `chosen` (or NULL) is a promise to `chosen` alone.
 */
uint32_t promises_find(struct promises *p, const struct nexthop_group *g,
                       const int *wan_of_iface, int chosen);

/* A choice that had so many flows (bytes) before has more under promise i. */
void promises_add_flow(struct promises *p, uint32_t i, uint64_t before);
void promises_add_bytes(struct promises *p, uint32_t i, uint64_t before, uint64_t bytes);

/* The part of `wan` in promise i: 0..1. */
static inline double promise_share(const struct promises *p, size_t i, size_t wan)
{
    return (double)p->weights[i * p->wans_len + wan] / (double)p->promises[i].total;
}

#endif
