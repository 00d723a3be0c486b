#include <assert.h>
#include <string.h>

#include "core/lpm_parts.h"

enum { GROUP = 32 }; /* look-ups that run side by side */

/* A look-up under way: it arrives at a node, reads the answer there, and leaves with it. */
struct walk {
    uint32_t at;           /* the node's entry */
    uint32_t best;         /* answer of all nodes so far */
    const uint8_t *key;    /* behind what they decided on */
    const uint32_t *entry; /* the node's answer */
};

static inline struct walk walk_start(const uint8_t *key)
{
    return (struct walk){.at = ROOT, .key = key, .best = LPM_NONE};
}

static inline uint32_t better(uint32_t answer, uint32_t otherwise)
{
    return answer != LPM_NONE ? answer : otherwise;
}

/* Find the place of the answer; false when the key is none of those that lead here. */
static inline bool walk_arrive(const struct lpm *l, struct walk *w)
{
    const struct lpm_node *n;

    if (w->at & WIDE) {
        w->best = better(l->wide_inherited[w->at & (WIDE - 1)], w->best);
        w->entry = &lpm_wide(l, w->at)->answers[*w->key++];
        return true;
    }
    n = lpm_narrow(l, w->at);
    w->best = better(n->inherited, w->best);
    if (n->skip > 0 && memcmp(n->skipped, w->key, n->skip) != 0)
        return false;
    w->key += n->skip;
    w->entry = node_entry(n, *w->key++);
    return true;
}

/* Read the answer; false when it is final. */
static inline bool walk_leave(struct walk *w)
{
    uint32_t entry = *w->entry;

    if (is_child(entry)) {
        w->at = entry;
        return true;
    }
    w->best = better(entry, w->best);
    return false;
}

/* Ask for the cache line that arriving reads, or leaving if that is all. */
static inline void walk_prefetch(const struct lpm *l, const struct walk *w)
{
    if (w->at & WIDE)
        __builtin_prefetch(&lpm_wide(l, w->at)->answers[*w->key]);
    else
        __builtin_prefetch(lpm_narrow(l, w->at));
}

uint32_t lpm_lookup(const struct lpm *l, const uint8_t *key)
{
    struct walk w = walk_start(key);

    while (walk_arrive(l, &w) && walk_leave(&w))
        ;
    return w.best;
}

/* All walks take turns, so that what one asks of memory comes while others are served. */
static void lpm_lookup_group(const struct lpm *l, const uint8_t *keys, unsigned count,
                             uint32_t *values)
{
    struct walk walks[GROUP];
    uint8_t active[GROUP];
    unsigned left = count;

    for (unsigned i = 0; i < count; i++) {
        walks[i] = walk_start(keys + i * (l->bits / STRIDE));
        active[i] = (uint8_t)i;
    }
    while (left > 0) {
        unsigned turn = left;

        left = 0;
        for (unsigned i = 0; i < turn; i++) {
            struct walk *w = &walks[active[i]];

            active[left] = active[i];
            left += walk_arrive(l, w);
            __builtin_prefetch(w->entry);
        }
        turn = left;
        left = 0;
        for (unsigned i = 0; i < turn; i++) {
            struct walk *w = &walks[active[i]];

            active[left] = active[i];
            if (walk_leave(w)) {
                walk_prefetch(l, w);
                left++;
            }
        }
    }
    for (unsigned i = 0; i < count; i++)
        values[i] = walks[i].best;
}

void lpm_lookup_many(const struct lpm *l, const uint8_t *keys, size_t count,
                     uint32_t *values)
{
    for (size_t i = 0; i < count; i += GROUP)
        lpm_lookup_group(l, keys + i * (l->bits / STRIDE),
                         count - i < GROUP ? (unsigned)(count - i) : GROUP, values + i);
}

uint32_t lpm_lookup_shorter(const struct lpm *l, const uint8_t *key, unsigned max_length)
{
    struct walk w = walk_start(key);
    unsigned bits = 0;

    while (walk_arrive(l, &w)) {
        bits = (unsigned)(w.key - key) * STRIDE; /* of the node's longest prefixes */
        if (bits > max_length)
            break;
        if (!walk_leave(&w))
            return w.best;
    }
    if (bits > max_length && bits - max_length < STRIDE) {
        const struct lpm_prefixes *prefixes = lpm_node_at(l, w.at)->prefixes;
        unsigned most = max_length + STRIDE - bits;

        return better(lpm_prefixes_match(prefixes, w.key[-1], most), w.best);
    }
    return w.best;
}

uint32_t lpm_find(const struct lpm *l, const uint8_t *key, unsigned length)
{
    struct walk w = walk_start(key);
    const struct lpm_prefixes *prefixes;
    unsigned number;

    assert(length <= l->bits);
    if (length == 0)
        return *lpm_inherited(l, ROOT);
    number = lpm_number_of(key, length);
    while (walk_arrive(l, &w) && w.key - key <= lpm_depth_of(length) && walk_leave(&w))
        ;
    prefixes = lpm_node_at(l, w.at)->prefixes;
    if (w.key - key != lpm_depth_of(length) + 1 || !lpm_prefixes_have(prefixes, number))
        return LPM_NONE;
    return prefixes->values[lpm_prefixes_rank(prefixes, number)];
}
