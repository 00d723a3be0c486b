/*
 * lpm - longest-prefix match: from address bits to the value of the longest prefix holding them
 *
 * One structure serves IPv4 (32 bits) and IPv6 (128 bits). Prefixes are inserted, replaced
 * and removed one at a time; look-ups between two changes see every change before them.
 * The plain reference that tests compare it with is tests/plain_lpm.c.
 *
 *     byte 1       byte 2       byte 3       byte 4
 *     root ------> node ------> node ------> node      a multibit trie, eight bits a step
 *      /0, /1../8   /9../16      /17../24     /25../32
 *
 * A look-up reads one cache line a step in crowded parts of the table and two in sparse
 * ones, and where nothing branches it steps over several bytes at once. A change rewrites
 * one node: up to 256 answers, most often a few. core/lpm_parts.h draws the nodes, and
 * names what they are built after.
 */
#ifndef ECMPLAB_LPM_H
#define ECMPLAB_LPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LPM_NONE      UINT32_MAX
#define LPM_VALUE_MAX 0x7fffffffU

struct lpm;

/* `bits` is 32 or 128. */
struct lpm *lpm_create(unsigned bits);
void lpm_destroy(struct lpm *l);

/* Set the value of prefix key/length (0 <= length <= bits; value <= LPM_VALUE_MAX). Bits of
 * `key` behind `length` are ignored. `key` has bits / 8 bytes in network order. */
void lpm_insert(struct lpm *l, const uint8_t *key, unsigned length, uint32_t value);

/* Remove exactly key/length; false when it is not there. */
bool lpm_remove(struct lpm *l, const uint8_t *key, unsigned length);

/* The value of exactly key/length, or LPM_NONE. */
uint32_t lpm_find(const struct lpm *l, const uint8_t *key, unsigned length);

/* The value of the longest prefix that holds `key`, or LPM_NONE. */
uint32_t lpm_lookup(const struct lpm *l, const uint8_t *key);

/*
 * The same for `count` keys that lie behind one another, bits / 8 bytes each: in a large
 * table several times faster than one by one, because their cache misses overlap.
 */
void lpm_lookup_many(const struct lpm *l, const uint8_t *keys, size_t count,
                     uint32_t *values);

/* The same among prefixes of at most `max_length` bits. */
uint32_t lpm_lookup_shorter(const struct lpm *l, const uint8_t *key, unsigned max_length);

size_t lpm_count(const struct lpm *l);        /* prefixes held */
size_t lpm_memory_bytes(const struct lpm *l); /* all that it has allocated */

#endif
