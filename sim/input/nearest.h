/*
 * nearest - the known name that a mistyped word was probably meant to be
 *
 * Candidates are offered one after another, so they may live in any kind of table:
 *
 *     struct nearest n = nearest_start("distnace");
 *     for (f = fields; f->name; f++)
 *         nearest_offer(&n, f->name);
 *     n.name                               "distance", or NULL when nothing is near
 *
 * The measure is the optimal string alignment distance over bytes: an inserted, a lost, a
 * changed byte and two neighbours swapped count one each. Near is a distance of at most a
 * third of the word's length (at least 1), that leaves something of the word. The first
 * offered wins among equals. Words beyond NEAREST_WORD_MAX bytes are near to nothing.
 *
 * Source: Damerau, "A technique for computer detection and correction of spelling
 * errors", CACM 7(3), 1964.
 */
#ifndef ECMPLAB_NEAREST_H
#define ECMPLAB_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 64 };

struct nearest {
    const char *word;
    const char *name; /* the best so far; NULL = none is near */
    size_t distance;  /* of `name`; without one, one more than is near */
};

/* `word` must outlive the struct. */
struct nearest nearest_start(const char *word);

/* Keeps the pointer `candidate` when it is nearer than all before; skips NULL. */
void nearest_offer(struct nearest *n, const char *candidate);

/* The nearest of an array that NULL ends, or NULL. */
const char *nearest_name(const char *word, const char *const *names);

/* SIZE_MAX when either word is longer than NEAREST_WORD_MAX. */
size_t nearest_distance(const char *a, const char *b);

#endif
