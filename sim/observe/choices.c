#include "sim/observe/choices.h"

#include "core/memory.h"

enum { SLOTS_MIN = 1024 };

void choices_free(struct choices *c)
{
    mem_free(c->list);
    mem_free(c->index);
}

/* The slot where the key is, or belongs. */
static size_t slot_of(const struct choices *c, uint32_t key)
{
    size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (c->slots - 1);

    while (c->index[i] && c->list[c->index[i] - 1].key != key)
        i = (i + 1) & (c->slots - 1);
    return i;
}

static void index_grow(struct choices *c)
{
    mem_free(c->index);
    c->slots = c->slots ? 2 * c->slots : SLOTS_MIN;
    c->index = mem_alloc(c->slots, sizeof *c->index);
    for (size_t i = 0; i < c->len; i++)
        c->index[slot_of(c, c->list[i].key)] = (uint32_t)i + 1;
}

uint32_t choices_find(struct choices *c, uint32_t hash, unsigned family)
{
    const uint32_t key = hash << 1 | (family & 1);
    size_t slot;

    if (2 * c->len >= c->slots)
        index_grow(c);
    slot = slot_of(c, key);
    if (c->index[slot])
        return c->index[slot] - 1;
    if (c->len == CHOICES_MAX)
        return CHOICE_OWN;
    c->list = mem_grow(c->list, &c->cap, c->len + 1, sizeof *c->list);
    c->list[c->len++] = (struct choice){.key = key};
    c->index[slot] = (uint32_t)c->len;
    return (uint32_t)c->len - 1;
}
