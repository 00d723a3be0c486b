/*
 * random - seeded streams of chance, one for each thing that draws
 *
 * A stream is a counter behind a mixing function, so that its draws depend on seed, purpose
 * and number alone. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014 (splitmix64).
 */
#ifndef ECMPLAB_RANDOM_H
#define ECMPLAB_RANDOM_H

#include <stdint.h>

struct random_stream {
    uint64_t state;
};

static inline uint64_t random_next(struct random_stream *s)
{
    uint64_t z = s->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A stream of its own for each (seed, purpose). */
static inline struct random_stream random_stream_make(uint64_t seed, uint64_t purpose)
{
    struct random_stream s = {seed}, t;

    t.state = random_next(&s) ^ (purpose + 1) * 0xd1342543de82ef95u;
    t.state = random_next(&t);
    return t;
}

/* Uniform in 0..bound-1; bound > 0. The bias is below bound / 2^64. */
static inline uint64_t random_below(struct random_stream *s, uint64_t bound)
{
    __extension__ const unsigned __int128 product = (unsigned __int128)random_next(s) * bound;

    return (uint64_t)(product >> 64);
}

#endif
