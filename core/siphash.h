/*
 * siphash - SipHash-2-4, 64-bit result
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef ECMPLAB_SIPHASH_H
#define ECMPLAB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash_2_4(const uint64_t key[2], const void *bytes, size_t length);

/* The same of 8 * count bytes, given as the little-endian words that they make. */
uint64_t siphash_2_4_words(const uint64_t key[2], const uint64_t *words, size_t count);

#endif
