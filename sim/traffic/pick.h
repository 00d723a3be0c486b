/*
 * pick - which one of several, flow after flow
 *
 *     uniform      each alike
 *     zipf         the k-th, from 1, in proportion to 1 / k^exponent
 *     weighted     in proportion to weights
 *     sequential   one after the other, and again from the first: no chance at all
 */
#ifndef ECMPLAB_PICK_H
#define ECMPLAB_PICK_H

#include <stddef.h>

#include "core/random.h"

enum pick_kind { PICK_UNIFORM, PICK_ZIPF, PICK_SEQUENTIAL, PICK_WEIGHTED, PICK_KINDS };

struct pick {
    uint8_t kind;
    size_t len;
    double *sums; /* zipf, weighted: of the weights up to each */
    struct random_stream stream;
    uint64_t given;
};

/* `len` > 0. `exponent` is for zipf, `weights` (positive) for weighted. */
void pick_init(struct pick *p, enum pick_kind kind, size_t len, double exponent,
               const double *weights, struct random_stream stream);
void pick_free(struct pick *p);

/* An index below len. */
size_t pick_next(struct pick *p);

#endif
