#include "core/jhash.h"

static uint32_t rotated(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

/* Up to four bytes, the first one lowest; what is missing is 0. */
static uint32_t word(const uint8_t *bytes, size_t at, size_t length)
{
    uint32_t w = 0;

    for (size_t i = at; i < length && i < at + 4; i++)
        w |= (uint32_t)bytes[i] << (8 * (i - at));
    return w;
}

static void mix(uint32_t v[3])
{
    static const unsigned turns[] = {4, 6, 8, 16, 19, 4};

    for (unsigned i = 0; i < 6; i++) {
        uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];

        *a -= *c;
        *a ^= rotated(*c, turns[i]);
        *c += *b;
    }
}

static void end(uint32_t v[3])
{
    static const unsigned turns[] = {14, 11, 25, 16, 4, 14, 24};

    for (unsigned i = 0; i < 7; i++) {
        uint32_t *to = &v[(i + 2) % 3], *from = &v[(i + 1) % 3];

        *to ^= *from;
        *to -= rotated(*from, turns[i]);
    }
}

uint32_t jhash(const uint8_t *bytes, size_t length, uint32_t initval)
{
    const uint32_t start = 0xdeadbeef + (uint32_t)length + initval;
    uint32_t v[3] = {start, start, start};

    while (length > 12) {
        for (unsigned i = 0; i < 3; i++)
            v[i] += word(bytes, (size_t)4 * i, length);
        mix(v);
        bytes += 12;
        length -= 12;
    }
    if (length == 0)
        return v[2];
    for (unsigned i = 0; i < 3; i++)
        v[i] += word(bytes, (size_t)4 * i, length);
    end(v);
    return v[2];
}
