/*
 * livetuples - the 5-tuples in use, each as a number of 64 bits
 *
 * Two tuples of one number (one pair in 2^64) pass for one: a port is then passed over that
 * could have been used, nothing else. Open addressing, at most half full; memory follows the
 * most that ever lived at once.
 */
#ifndef ECMPLAB_LIVETUPLES_H
#define ECMPLAB_LIVETUPLES_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/traffic/demand.h"

struct livetuples {
    uint64_t *slots; /* 0: free */
    size_t len, cap; /* cap: a power of two, or 0 */
};

/* Never 0. */
uint64_t livetuples_key(const struct demand *d);

/* False: it is there already. */
bool livetuples_add(struct livetuples *t, uint64_t key);
void livetuples_remove(struct livetuples *t, uint64_t key);
void livetuples_free(struct livetuples *t);

#endif
