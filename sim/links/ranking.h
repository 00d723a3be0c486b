/*
 * ranking - numbered things in the order of a key: the smallest first, any one removable
 *
 *     items    (1.5, #4) (2.0, #0) (7.1, #2) ...      a binary heap by (key, number)
 *     places   #0: 2   #1: -   #2: 3   #4: 1 ...      where each stands, plus one; 0: nowhere
 *
 * `places` is the owner's, an entry a number, zeroed at first. Several rankings may share one,
 * as long as nothing stands in two of them. Equal keys go by number, so that the order never
 * depends on how it came about.
 */
#ifndef ECMPLAB_RANKING_H
#define ECMPLAB_RANKING_H

#include <stddef.h>
#include <stdint.h>

struct ranked {
    double key;
    uint32_t number;
};

/* An empty one is all zeroes. */
struct ranking {
    struct ranked *items;
    size_t len, cap;
};

void ranking_free(struct ranking *r);

/* Put it in, or give it another key. */
void ranking_set(struct ranking *r, uint32_t *places, uint32_t number, double key);

/* Take it out if it is in. */
void ranking_remove(struct ranking *r, uint32_t *places, uint32_t number);

/* The first; NULL when there is none. */
static inline const struct ranked *ranking_first(const struct ranking *r)
{
    return r->len ? &r->items[0] : NULL;
}

#endif
