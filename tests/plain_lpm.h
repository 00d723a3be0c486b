/*
 * plain_lpm - longest-prefix match as its definition reads: a list, walked from end to end
 *
 * What core/lpm.c is compared with: too slow for use and too simple to be wrong. Keys,
 * lengths, values and LPM_NONE are those of core/lpm.h.
 */
#ifndef ECMPLAB_PLAIN_LPM_H
#define ECMPLAB_PLAIN_LPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain_prefix {
    uint8_t key[16]; /* as it was inserted */
    unsigned length;
    uint32_t value;
};

/* Zero-initialised but for `bits` (32 or 128) is an empty list. */
struct plain_lpm {
    unsigned bits;
    struct plain_prefix *prefixes; /* in no order that means anything */
    size_t count, capacity;
};

void plain_lpm_clear(struct plain_lpm *l);
void plain_lpm_insert(struct plain_lpm *l, const uint8_t *key, unsigned length,
                      uint32_t value);
bool plain_lpm_remove(struct plain_lpm *l, const uint8_t *key, unsigned length);
uint32_t plain_lpm_find(const struct plain_lpm *l, const uint8_t *key, unsigned length);
uint32_t plain_lpm_lookup(const struct plain_lpm *l, const uint8_t *key);
uint32_t plain_lpm_lookup_shorter(const struct plain_lpm *l, const uint8_t *key,
                                  unsigned max_length);

#endif
