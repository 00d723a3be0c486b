#include "core/lpm.h"

#include <assert.h>
#include <string.h>

#include "core/lpm_parts.h"
#include "core/memory.h"

/* A node below `byte`, where `n` had an answer of its own until now. */
static void lpm_add_child(struct lpm *l, struct lpm_node *n, unsigned byte,
                          const uint8_t *bytes, unsigned skip)
{
    uint32_t entry = lpm_new_node(l, CHILD);

    lpm_node_init(&l->pool, lpm_narrow(l, entry), bytes, skip);
    *lpm_inherited(l, entry) = *node_entry(n, byte);
    lpm_node_write(&l->pool, n, byte, byte, &entry);
}

/* Make the narrow child at `byte` a wide one. */
static void lpm_widen(struct lpm *l, struct lpm_node *n, unsigned byte)
{
    uint32_t old = *node_entry(n, byte), entry = lpm_new_node(l, CHILD | WIDE);
    struct lpm_node *narrow = lpm_narrow(l, old);
    struct lpm_wide_node *wide = lpm_wide(l, entry);

    lpm_wide_init(wide);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        wide->answers[slot] = *node_entry(narrow, slot);
    wide->node.prefixes = narrow->prefixes;
    *lpm_inherited(l, entry) = narrow->inherited;
    lpm_node_free_entries(&l->pool, narrow);
    lpm_free_node(l, old);
    lpm_node_write(&l->pool, n, byte, byte, &entry);
}

/* Make the wide child at `byte` a narrow one. */
static void lpm_unwiden(struct lpm *l, struct lpm_node *n, unsigned byte)
{
    uint32_t old = *node_entry(n, byte), entry = lpm_new_node(l, CHILD);
    struct lpm_node *narrow = lpm_narrow(l, entry);
    struct lpm_wide_node *wide = lpm_wide(l, old);

    lpm_node_init(&l->pool, narrow, NULL, 0);
    lpm_node_write(&l->pool, narrow, 0, SLOTS - 1, wide->answers);
    narrow->prefixes = wide->node.prefixes;
    narrow->inherited = *lpm_inherited(l, old);
    lpm_free_node(l, old);
    lpm_node_write(&l->pool, n, byte, byte, &entry);
}

/* Something branches at skipped byte `at`: what the node was becomes the child of an empty
 * node in its place. */
static void lpm_split(struct lpm *l, struct lpm_node *n, unsigned at)
{
    uint32_t entry = lpm_new_node(l, CHILD);
    struct lpm_node *lower = lpm_narrow(l, entry), old = *n;

    lpm_node_init(&l->pool, n, old.skipped, at);
    n->inherited = old.inherited;
    lpm_node_write(&l->pool, n, old.skipped[at], old.skipped[at], &entry);

    *lower = old;
    lower->inherited = LPM_NONE;
    lower->skip = (uint8_t)(old.skip - at - 1);
    memmove(lower->skipped, old.skipped + at + 1, lower->skip);
}

/* The reverse: the only child of an empty node takes its place, if it can skip so much. */
static void lpm_join(struct lpm *l, struct lpm_node *n, unsigned byte)
{
    uint32_t entry = *node_entry(n, byte);
    struct lpm_node joined = *lpm_node_at(l, entry);

    if (joined.wide || n->skip + 1 + joined.skip > SKIP_MAX)
        return;
    memmove(joined.skipped + n->skip + 1, joined.skipped, joined.skip);
    memcpy(joined.skipped, n->skipped, n->skip);
    joined.skipped[n->skip] = (uint8_t)byte;
    joined.skip = (uint8_t)(n->skip + 1 + joined.skip);
    joined.inherited = n->inherited;
    lpm_node_free_entries(&l->pool, n);
    lpm_free_node(l, entry);
    *n = joined;
}

static unsigned wide_runs(const struct lpm_wide_node *w)
{
    unsigned runs = 1;

    for (unsigned slot = 1; slot < SLOTS; slot++)
        runs += w->answers[slot] != w->answers[slot - 1];
    return runs;
}

/* After a removal below `byte`: no node stays wide for little, and none stays that holds
 * nothing and decides nothing. */
static void lpm_tidy(struct lpm *l, struct lpm_node *n, unsigned byte)
{
    unsigned children = 0, only = 0;
    struct lpm_node *child;
    uint32_t entry = *node_entry(n, byte);

    if ((entry & WIDE) && wide_runs(lpm_wide(l, entry)) <= WIDE_RUNS / 2)
        lpm_unwiden(l, n, byte);
    entry = *node_entry(n, byte);
    child = lpm_node_at(l, entry);
    if (child->prefixes)
        return;
    for (unsigned slot = 0; slot < SLOTS && children < 2; slot++)
        if (is_child(*node_entry(child, slot))) {
            children++;
            only = slot;
        }
    if (children == 1)
        lpm_join(l, child, only);
    if (children > 0)
        return;
    lpm_node_free_entries(&l->pool, child);
    lpm_node_write(&l->pool, n, byte, byte, &child->inherited);
    lpm_free_node(l, entry);
}

/* The node below `byte` on the key's path, made if need be; `key` is behind that byte and
 * the node wanted in the end `left` bytes further. */
static struct lpm_node *lpm_reach_child(struct lpm *l, struct lpm_node *n, unsigned byte,
                                        const uint8_t *key, unsigned left)
{
    struct lpm_node *child;
    unsigned same = 0;

    if (!is_child(*node_entry(n, byte)))
        lpm_add_child(l, n, byte, key, left);
    child = lpm_node_at(l, *node_entry(n, byte));
    while (same < child->skip && same < left && child->skipped[same] == key[same])
        same++;
    if (same < child->skip)
        lpm_split(l, child, same);
    if (child->wide || child->skip > 0 || node_rank(child, SLOTS - 1) < WIDE_RUNS)
        return child;
    lpm_widen(l, n, byte);
    return lpm_node_at(l, *node_entry(n, byte));
}

/* The node at exactly `depth` on the key's path, made if need be. */
static struct lpm_node *lpm_reach(struct lpm *l, const uint8_t *key, unsigned depth)
{
    struct lpm_node *n = lpm_node_at(l, ROOT);

    for (unsigned at = 0; at < depth; at += 1U + n->skip)
        n = lpm_reach_child(l, n, key[at], key + at + 1, depth - at - 1);
    return n;
}

static void lpm_release(struct lpm *l)
{
    pool_clear(&l->pool);
    mem_free(l->narrow);
    mem_free(l->wide);
    mem_free(l->wide_inherited);
}

/* Begin anew: a root without prefixes, whatever there was. */
static void lpm_clear(struct lpm *l)
{
    lpm_release(l);
    *l = (struct lpm){.bits = l->bits,
                      .narrow_numbers = {.free = LPM_NONE},
                      .wide_numbers = {.free = LPM_NONE}};
    lpm_wide_init(lpm_wide(l, lpm_new_node(l, ROOT)));
    *lpm_inherited(l, ROOT) = LPM_NONE;
}

struct lpm *lpm_create(unsigned bits)
{
    struct lpm *l = mem_alloc(1, sizeof *l);

    assert(bits == 32 || bits == 128);
    l->bits = bits;
    lpm_clear(l);
    return l;
}

void lpm_destroy(struct lpm *l)
{
    if (!l)
        return;
    lpm_release(l);
    mem_free(l);
}

void lpm_insert(struct lpm *l, const uint8_t *key, unsigned length, uint32_t value)
{
    unsigned number;
    struct lpm_node *n;

    assert(length <= l->bits && value <= LPM_VALUE_MAX);
    if (length == 0) {
        l->count += *lpm_inherited(l, ROOT) == LPM_NONE;
        *lpm_inherited(l, ROOT) = value;
        return;
    }
    number = lpm_number_of(key, length);
    n = lpm_reach(l, key, lpm_depth_of(length));
    if (lpm_prefixes_have(n->prefixes, number)) {
        n->prefixes->values[lpm_prefixes_rank(n->prefixes, number)] = value;
    } else {
        n->prefixes = lpm_prefixes_add(&l->pool, n->prefixes, number, value);
        l->count++;
    }
    lpm_node_refresh(l, n, number);
}

/* `n` is at depth `at` on the key's path; false when the prefix is not below it. */
static bool lpm_remove_below(struct lpm *l, struct lpm_node *n, unsigned at,
                             const uint8_t *key, unsigned length)
{
    unsigned number = lpm_number_of(key, length);
    struct lpm_node *child;
    uint32_t entry;

    if (at > lpm_depth_of(length))
        return false;
    if (at == lpm_depth_of(length)) {
        if (!lpm_prefixes_have(n->prefixes, number))
            return false;
        n->prefixes = lpm_prefixes_remove(&l->pool, n->prefixes, number);
        lpm_node_refresh(l, n, number);
        return true;
    }
    entry = *node_entry(n, key[at]);
    if (!is_child(entry))
        return false;
    child = lpm_node_at(l, entry);
    if (memcmp(child->skipped, key + at + 1, child->skip) != 0)
        return false;
    if (!lpm_remove_below(l, child, at + 1 + child->skip, key, length))
        return false;
    lpm_tidy(l, n, key[at]);
    return true;
}

bool lpm_remove(struct lpm *l, const uint8_t *key, unsigned length)
{
    assert(length <= l->bits);
    if (length == 0) {
        if (*lpm_inherited(l, ROOT) == LPM_NONE)
            return false;
        *lpm_inherited(l, ROOT) = LPM_NONE;
    } else if (!lpm_remove_below(l, lpm_node_at(l, ROOT), 0, key, length)) {
        return false;
    }
    if (--l->count == 0)
        lpm_clear(l);
    return true;
}

size_t lpm_count(const struct lpm *l)
{
    return l->count;
}

size_t lpm_memory_bytes(const struct lpm *l)
{
    return sizeof *l + l->pool.bytes + l->narrow_capacity * sizeof *l->narrow +
           l->wide_capacity * sizeof *l->wide +
           l->inherited_capacity * sizeof *l->wide_inherited;
}
