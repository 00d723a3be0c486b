/*
 * heap - pending timers, ordered by (time, sequence number)
 *
 * Two timers at one instant go off in the order they were set. A 4-ary heap in one array:
 * push and pop cost O(log4 n) moves of 24 bytes.
 */
#ifndef ECMPLAB_HEAP_H
#define ECMPLAB_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What goes off: the owner's kind and number. */
struct timer {
    int64_t time_ns;
    uint64_t sequence; /* set by heap_push() */
    uint32_t kind;
    uint32_t index;
};

struct heap {
    struct timer *timers;
    size_t len, cap;
    uint64_t next_sequence;
};

void heap_push(struct heap *h, int64_t time_ns, uint32_t kind, uint32_t index);

/* The earliest; NULL when there is none. Valid until the next push or pop. */
const struct timer *heap_peek(const struct heap *h);

/* Take out the earliest; false when there is none. */
bool heap_pop(struct heap *h, struct timer *t);

/* Take out all timers of the kinds from `first` to `last`. */
void heap_drop(struct heap *h, uint32_t first, uint32_t last);

void heap_free(struct heap *h);

#endif
