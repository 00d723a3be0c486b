#include "core/siphash.h"

struct siphash {
    uint64_t v0, v1, v2, v3;
};

/* Little-endian wherever it runs; compilers make one load of it. */
static inline uint64_t read_le64(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
           (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 |
           (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void round_mix(struct siphash *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 = rotate_left(s->v2, 32);
}

static inline void compress(struct siphash *s, uint64_t word)
{
    s->v3 ^= word;
    round_mix(s);
    round_mix(s);
    s->v0 ^= word;
}

static inline struct siphash begin(const uint64_t key[2])
{
    return (struct siphash){
        .v0 = key[0] ^
              UINT64_C(0x736f6d6570736575), /* "somepseudorandomlygeneratedbytes" */
        .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key[1] ^ UINT64_C(0x7465646279746573),
    };
}

/* The last word holds the bytes left over, and the length in its highest byte. */
static inline uint64_t finish(struct siphash *s, uint64_t last, size_t length)
{
    compress(s, last | (uint64_t)length << 56);
    s->v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        round_mix(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash_2_4(const uint64_t key[2], const void *bytes, size_t length)
{
    const uint8_t *b = bytes;
    struct siphash s = begin(key);
    uint64_t last = 0;
    size_t left;

    for (left = length; left >= 8; left -= 8, b += 8)
        compress(&s, read_le64(b));
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)b[i] << (8 * i);
    return finish(&s, last, length);
}

uint64_t siphash_2_4_words(const uint64_t key[2], const uint64_t *words, size_t count)
{
    struct siphash s = begin(key);

    for (size_t i = 0; i < count; i++)
        compress(&s, words[i]);
    return finish(&s, 0, 8 * count);
}
