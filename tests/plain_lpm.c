#include "tests/plain_lpm.h"

#include <string.h>

#include "core/lpm.h"
#include "core/memory.h"

/* Are the first `length` bits of both the same? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned length)
{
    if (memcmp(a, b, length / 8) != 0)
        return false;
    return length % 8 == 0 || (a[length / 8] ^ b[length / 8]) >> (8 - length % 8) == 0;
}

static struct plain_prefix *find(const struct plain_lpm *l, const uint8_t *key,
                                 unsigned length)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->prefixes[i].length == length && same_bits(l->prefixes[i].key, key, length))
            return &l->prefixes[i];
    return NULL;
}

void plain_lpm_clear(struct plain_lpm *l)
{
    mem_free(l->prefixes);
    *l = (struct plain_lpm){.bits = l->bits};
}

void plain_lpm_insert(struct plain_lpm *l, const uint8_t *key, unsigned length,
                      uint32_t value)
{
    struct plain_prefix *p = find(l, key, length);

    if (!p) {
        l->prefixes =
            mem_grow(l->prefixes, &l->capacity, l->count + 1, sizeof *l->prefixes);
        p = &l->prefixes[l->count++];
    }
    memcpy(p->key, key, l->bits / 8);
    p->length = length;
    p->value = value;
}

bool plain_lpm_remove(struct plain_lpm *l, const uint8_t *key, unsigned length)
{
    struct plain_prefix *p = find(l, key, length);

    if (!p)
        return false;
    *p = l->prefixes[--l->count];
    return true;
}

uint32_t plain_lpm_find(const struct plain_lpm *l, const uint8_t *key, unsigned length)
{
    const struct plain_prefix *p = find(l, key, length);

    return p ? p->value : LPM_NONE;
}

uint32_t plain_lpm_lookup(const struct plain_lpm *l, const uint8_t *key)
{
    return plain_lpm_lookup_shorter(l, key, l->bits);
}

uint32_t plain_lpm_lookup_shorter(const struct plain_lpm *l, const uint8_t *key,
                                  unsigned max_length)
{
    const struct plain_prefix *best = NULL;

    for (size_t i = 0; i < l->count; i++) {
        const struct plain_prefix *p = &l->prefixes[i];

        if (p->length <= max_length && (!best || p->length > best->length) &&
            same_bits(p->key, key, p->length))
            best = p;
    }
    return best ? best->value : LPM_NONE;
}
