#include "core/lpm_parts.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"

static unsigned lpm_prefixes_count(const struct lpm_prefixes *p)
{
    return p->before[7] + popcount(p->bits[7]);
}

static void lpm_prefixes_flip(struct lpm_prefixes *p, unsigned number, int change)
{
    p->bits[number / 64] ^= (uint64_t)1 << (number % 64);
    for (unsigned word = number / 64 + 1; word < 8; word++)
        p->before[word] = (uint16_t)(p->before[word] + change);
}

struct lpm_prefixes *lpm_prefixes_add(struct pool *pool, struct lpm_prefixes *p,
                                      unsigned number, uint32_t value)
{
    size_t at;

    if (!p) {
        p = pool_take(pool, sizeof *p + sizeof *p->values);
        memset(p, 0, sizeof *p);
    } else {
        at = lpm_prefixes_rank(p, number);
        p = pool_splice(pool, p, sizeof *p + lpm_prefixes_count(p) * sizeof *p->values,
                        sizeof *p + at * sizeof *p->values, 0, sizeof *p->values);
    }
    p->values[lpm_prefixes_rank(p, number)] = value;
    lpm_prefixes_flip(p, number, 1);
    return p;
}

struct lpm_prefixes *lpm_prefixes_remove(struct pool *pool, struct lpm_prefixes *p,
                                         unsigned number)
{
    size_t bytes = sizeof *p + lpm_prefixes_count(p) * sizeof *p->values;
    size_t at = sizeof *p + lpm_prefixes_rank(p, number) * sizeof *p->values;

    lpm_prefixes_flip(p, number, -1);
    if (lpm_prefixes_count(p) == 0) {
        pool_give(pool, p, bytes);
        return NULL;
    }
    return pool_splice(pool, p, bytes, at, sizeof *p->values, 0);
}

uint32_t lpm_prefixes_match(const struct lpm_prefixes *p, unsigned byte, unsigned bits)
{
    unsigned number = (SLOTS | byte) >> (STRIDE - bits);

    for (; p && number > 1; number /= 2)
        if (lpm_prefixes_have(p, number))
            return p->values[lpm_prefixes_rank(p, number)];
    return LPM_NONE;
}

void lpm_node_init(struct pool *p, struct lpm_node *n, const uint8_t *bytes,
                   unsigned skip)
{
    *n = (struct lpm_node){.runs = {1}, .before = {0, 1, 1, 1}};
    n->entries = pool_take(p, sizeof *n->entries);
    n->entries[0] = LPM_NONE;
    n->skip = (uint8_t)(skip < SKIP_MAX ? skip : SKIP_MAX);
    if (skip > 0)
        memcpy(n->skipped, bytes, n->skip);
}

void lpm_wide_init(struct lpm_wide_node *w)
{
    w->node = (struct lpm_node){.runs = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                .before = {0, 64, 128, 192},
                                .entries = w->answers,
                                .wide = true};
    memset(w->answers, 0xff, sizeof w->answers); /* LPM_NONE */
}

/* Slots first..last of a narrow node, and where a run behind them may have to start. */
static void narrow_write(struct pool *p, struct lpm_node *n, unsigned first,
                         unsigned last, const uint32_t *answers)
{
    unsigned end = last < SLOTS - 1 ? last + 1 : last, count = 0;
    unsigned from = first > 0 ? node_rank(n, first - 1) : 0;
    unsigned drop = node_rank(n, end) - from, total = node_rank(n, SLOTS - 1);
    uint32_t in_front = from > 0 ? n->entries[from - 1] : 0;
    uint32_t behind = *node_entry(n, end), fresh[SLOTS];

    for (unsigned slot = first; slot <= end; slot++) {
        uint32_t answer = slot <= last ? answers[slot - first] : behind;
        bool starts = slot == 0 || answer != in_front;

        n->runs[slot / 64] &= ~((uint64_t)1 << (slot % 64));
        n->runs[slot / 64] |= (uint64_t)starts << (slot % 64);
        if (starts)
            fresh[count++] = answer;
        in_front = answer;
    }
    for (unsigned word = 1; word < 4; word++)
        n->before[word] = (uint8_t)(n->before[word - 1] + popcount(n->runs[word - 1]));
    n->entries = pool_splice(p, n->entries, total * sizeof *fresh, from * sizeof *fresh,
                             drop * sizeof *fresh, count * sizeof *fresh);
    memcpy(n->entries + from, fresh, count * sizeof *fresh);
}

void lpm_node_write(struct pool *p, struct lpm_node *n, unsigned first, unsigned last,
                    const uint32_t *answers)
{
    if (n->wide)
        memcpy(n->entries + first, answers, (last - first + 1) * sizeof *answers);
    else
        narrow_write(p, n, first, last, answers);
}

void lpm_node_refresh(struct lpm *l, struct lpm_node *n, unsigned number)
{
    unsigned first = number, last = number;
    uint32_t answers[SLOTS];

    while (first < SLOTS) {
        first = first * 2;
        last = last * 2 + 1;
    }
    first -= SLOTS;
    last -= SLOTS;
    for (unsigned slot = first; slot <= last; slot++) {
        uint32_t entry = *node_entry(n, slot);
        uint32_t value = lpm_prefixes_match(n->prefixes, slot, STRIDE);

        if (is_child(entry))
            *lpm_inherited(l, entry) = value;
        answers[slot - first] = is_child(entry) ? entry : value;
    }
    lpm_node_write(&l->pool, n, first, last, answers);
}

/* Memory for nodes up to `number`: a slab more, when it is the first of one. */
static void lpm_add_narrow_slab(struct lpm *l, uint32_t number)
{
    size_t slab = number / NARROW_SLAB;

    if (number % NARROW_SLAB != 0)
        return;
    l->narrow = mem_grow(l->narrow, &l->narrow_capacity, slab + 1, sizeof *l->narrow);
    l->narrow[slab] = pool_cut(&l->pool, NARROW_SLAB * LINE_BYTES);
}

static void lpm_add_wide_slab(struct lpm *l, uint32_t number)
{
    size_t slab = number / WIDE_SLAB;

    if (number % WIDE_SLAB != 0)
        return;
    l->wide = mem_grow(l->wide, &l->wide_capacity, slab + 1, sizeof *l->wide);
    l->wide[slab] = pool_cut(&l->pool, WIDE_SLAB * sizeof **l->wide);
    l->wide_inherited = mem_grow(l->wide_inherited, &l->inherited_capacity,
                                 (size_t)number + WIDE_SLAB, sizeof *l->wide_inherited);
}

uint32_t lpm_new_node(struct lpm *l, uint32_t kind)
{
    struct lpm_numbers *numbers = kind & WIDE ? &l->wide_numbers : &l->narrow_numbers;
    uint32_t entry = numbers->free;

    if (entry != LPM_NONE) {
        numbers->free = *lpm_inherited(l, entry);
        return entry;
    }
    assert(numbers->used < WIDE - 1);
    if (kind & WIDE)
        lpm_add_wide_slab(l, numbers->used);
    else
        lpm_add_narrow_slab(l, numbers->used);
    return kind | numbers->used++;
}

void lpm_free_node(struct lpm *l, uint32_t entry)
{
    struct lpm_numbers *numbers = entry & WIDE ? &l->wide_numbers : &l->narrow_numbers;

    *lpm_inherited(l, entry) = numbers->free;
    numbers->free = entry;
}

void lpm_node_free_entries(struct pool *p, struct lpm_node *n)
{
    pool_give(p, n->entries, node_rank(n, SLOTS - 1) * sizeof *n->entries);
}
