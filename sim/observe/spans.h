/*
 * spans - stretches of time, merged where they touch, and how many kinds overlap
 *
 *     added     |---|   |--|             added later, and out of order: |-----|
 *     merged    |---|   |--|    ->    |----------|
 *
 * Both ends belong to a span; a single instant is one too. Beyond SPANS_MAX separate
 * spans the shortest gaps are closed: memory is bounded, and what is said is then an
 * upper bound.
 */
#ifndef ECMPLAB_SPANS_H
#define ECMPLAB_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPANS_MAX = 1 << 15 };

struct span {
    int64_t first_ns, last_ns;
};

struct spans {
    struct span *list;
    size_t len, cap;
    bool coarse; /* gaps were closed */
};

void spans_free(struct spans *s);

/* first_ns <= last_ns */
void spans_add(struct spans *s, int64_t first_ns, int64_t last_ns);

/* The most sets that have a span at one instant. Puts them in order. */
size_t spans_most_at_once(struct spans *const *sets, size_t n);

#endif
