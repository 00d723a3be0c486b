/*
 * choices - flows that a hash cannot tell apart are one choice
 *
 * Under l3 all flows between two addresses have one hash and go one way: however many they
 * are, they fell once. A choice is one value of the 31-bit hash of one family:
 *
 *     policy l4    937 flows    937 choices
 *     policy l3    937 flows    147 choices      one large one counts by its square
 *
 * Flows that the hash alone did not send (a policy that counts or draws), and those that come when CHOICES_MAX are known, are each a choice
 * of their own.
 */
#ifndef ECMPLAB_CHOICES_H
#define ECMPLAB_CHOICES_H

#include <stddef.h>
#include <stdint.h>

#define CHOICE_OWN UINT32_MAX

enum { CHOICES_MAX = 1000000 };

struct choice {
    uint64_t bytes; /* of its flows, carried while there was a choice */
    uint32_t flows; /* of them */
    uint32_t key;
};

struct choices {
    struct choice *list;
    size_t len, cap;
    uint32_t *index; /* open addressing over list + 1; 0 = empty */
    size_t slots;
};

void choices_free(struct choices *c); /* zero-initialised is an empty set */

/* The number of the choice, or CHOICE_OWN when there is no room for a new one. */
uint32_t choices_find(struct choices *c, uint32_t hash, unsigned family);

#endif
