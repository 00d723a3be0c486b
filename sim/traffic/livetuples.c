#include "sim/traffic/livetuples.h"

#include "core/memory.h"
#include "core/random.h"

enum { CAP_FIRST = 1024 };

/* Eight bytes, the first the lowest, on any machine. */
static uint64_t word_of(const uint8_t *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 8; i-- > 0;)
        word = word << 8 | bytes[i];
    return word;
}

uint64_t livetuples_key(const struct demand *d)
{
    const uint64_t parts[] = {
        word_of(d->src.bytes),
        word_of(d->src.bytes + 8),
        word_of(d->dst.bytes),
        word_of(d->dst.bytes + 8),
        (uint64_t)d->sport << 32 | (uint64_t)d->dport << 16 | d->protocol,
    };
    struct random_stream mixed = {d->src.family};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        mixed.state = random_next(&mixed) ^ parts[i];
    return random_next(&mixed) | 1;
}

static size_t home_of(const struct livetuples *t, uint64_t key)
{
    return (size_t)(key >> 1) & (t->cap - 1);
}

/* Where the key is, or would be. */
static size_t find(const struct livetuples *t, uint64_t key)
{
    size_t i = home_of(t, key);

    while (t->slots[i] && t->slots[i] != key)
        i = (i + 1) & (t->cap - 1);
    return i;
}

static void grow(struct livetuples *t)
{
    const struct livetuples old = *t;

    t->cap = old.cap ? 2 * old.cap : CAP_FIRST;
    t->slots = mem_alloc(t->cap, sizeof *t->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i])
            t->slots[find(t, old.slots[i])] = old.slots[i];
    mem_free(old.slots);
}

bool livetuples_add(struct livetuples *t, uint64_t key)
{
    size_t i;

    if (2 * (t->len + 1) > t->cap)
        grow(t);
    i = find(t, key);
    if (t->slots[i])
        return false;
    t->slots[i] = key;
    t->len++;
    return true;
}

/* Those behind it that a hole would hide move up. */
void livetuples_remove(struct livetuples *t, uint64_t key)
{
    size_t hole, i;

    if (t->len == 0)
        return;
    hole = find(t, key);
    if (!t->slots[hole])
        return;
    for (i = (hole + 1) & (t->cap - 1); t->slots[i]; i = (i + 1) & (t->cap - 1)) {
        const size_t from_home = (i - home_of(t, t->slots[i])) & (t->cap - 1);

        if (from_home < ((i - hole) & (t->cap - 1)))
            continue;
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole] = 0;
    t->len--;
}

void livetuples_free(struct livetuples *t)
{
    mem_free(t->slots);
    *t = (struct livetuples){.slots = NULL};
}
