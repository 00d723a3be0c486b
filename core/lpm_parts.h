/*
 * lpm_parts - the trie that lpm_lookup.c walks, lpm.c changes and lpm_node.c is made of
 *
 * A multibit trie with a stride of eight bits. A node stands for the bytes that lead to it
 * and decides on one more, twice over: `entries` is the answer to every value of the byte,
 * what a look-up reads; `prefixes` is what was inserted, from which the answers are made.
 *
 *     struct lpm_node, one cache line
 *     +-- runs ------------ 256 bits: this byte's answer differs from the byte's before
 *     |   before ---------- of each 64 bits: runs that start in front of them
 *     |   entries --------> one answer a run: a value, LPM_NONE, or CHILD | node number
 *     |   inherited ------- what the parent would answer if this node were not there
 *     |   skip, skipped --- bytes between parent and this node on which nothing branches
 *     +-- prefixes -------> NULL, or 512 bits (which there are) and their values
 *
 *     10.1.0.0/16 = 1    runs of the node for 10     0      1           2
 *     10.1.128.0/17 = 2  entries                     NONE   CHILD | 0   NONE
 *                        runs of node 0              0      128          inherited 1
 *                        entries                     NONE   2
 *
 * The answer to a byte is entries[rank], where a rank is `before` of the byte's word and one
 * population count: two cache lines. A node with many runs, and the root, is wide instead:
 * 256 answers behind it, every one a run, found from its number without reading the node:
 * one cache line. The full Internet table is mostly wide, sparse IPv6 mostly narrow.
 *
 * A node looks no further than to what its children inherit, so that a change touches at
 * most 256 answers and 256 children. What is longest over several nodes is found on the
 * way down: the last answer or inheritance that is not LPM_NONE.
 *
 * The prefixes that end in a node's byte are numbered as in Knuth's allotment table: half
 * a number is the next shorter prefix, and the largest number that fits is the longest.
 *
 *     number   2 3   4 5 6 7   8 ... 15   ...   256 ... 511
 *     length   1 1   2 2 2 2   3 ...  3   ...     8 ...   8
 *
 * The default route is what the root inherits.
 *
 * Memory: 64 bytes a narrow node and 1088 a wide one; 4 bytes a run; 80 bytes a node that
 * has prefixes and 4 bytes a prefix. A prefix that shares nothing costs about 200 bytes, one
 * among many neighbours 20 to 100.
 *
 * Sources: Eatherton, Varghese and Dittia, "Tree Bitmap", 2004 (two bitmaps a node, arrays
 * without gaps); Knuth in Hariguchi's "Allotment Routing Table", 2002 (the numbers);
 * Degermark et al., "Small Forwarding Tables for Fast Routing Lookups", 1997, and Asai and
 * Ohara, "Poptrie", 2015 (answers run by run, found by a population count); Gupta, Lin and
 * McKeown, "Routing Lookups in Hardware at Memory Access Speeds", 1998 (the wide node);
 * Morrison, "PATRICIA", 1968 (skipping).
 */
#ifndef ECMPLAB_LPM_PARTS_H
#define ECMPLAB_LPM_PARTS_H

#include "core/lpm.h"
#include "core/pool.h"

#define CHILD 0x80000000U /* an answer with this bit, but for LPM_NONE, is a node: */
#define WIDE  0x40000000U /* a wide one; the bits below are its number */
#define ROOT  (CHILD | WIDE | 0)

enum {
    STRIDE = 8,
    SLOTS = 256, /* values of a byte */
    SKIP_MAX = 6,
    WIDE_RUNS = 16, /* a node with as many turns wide, and narrow again with half of it */
    NARROW_SLAB = 64, /* nodes that are allocated together */
    WIDE_SLAB = 4,
    LINE_BYTES = POOL_LINE,
};

struct lpm_prefixes {
    uint64_t bits[8];   /* by number */
    uint16_t before[8]; /* bits set in front of each word */
    uint32_t values[];  /* in the order of the numbers */
};

struct lpm_node {
    uint64_t runs[4]; /* the first bit is always set */
    uint8_t before[4];
    uint32_t inherited; /* of narrow nodes; see lpm_inherited() */
    uint32_t *entries;
    struct lpm_prefixes *prefixes;
    bool wide;
    uint8_t skip; /* bytes used in `skipped`; a wide node skips none */
    uint8_t skipped[SKIP_MAX];
};

struct lpm_wide_node {
    struct lpm_node node;
    uint32_t answers[SLOTS]; /* node.entries */
};

_Static_assert(sizeof(struct lpm_node) == LINE_BYTES || sizeof(void *) != 8,
               "one cache line");

/* The numbers of one kind of node. */
struct lpm_numbers {
    uint32_t used; /* given out, the free ones among them */
    uint32_t free; /* an entry, or LPM_NONE; what it inherits is the next one */
};

struct lpm {
    struct lpm_node **narrow; /* slabs */
    struct lpm_wide_node **wide;
    uint32_t *wide_inherited; /* apart, because it fits into the cache */
    size_t narrow_capacity, wide_capacity, inherited_capacity;
    struct lpm_numbers narrow_numbers, wide_numbers;
    struct pool pool;
    size_t count;
    unsigned bits;
};

/* Compilers know this shape and use the processor's own instruction where they may. */
static inline unsigned popcount(uint64_t x)
{
    x = x - ((x >> 1) & 0x5555555555555555);
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)(x * 0x0101010101010101 >> 56);
}

/* The depth of the node that holds prefixes of this length (not 0), and the number there. */
static inline unsigned lpm_depth_of(unsigned length)
{
    return (length - 1) / STRIDE;
}

static inline unsigned lpm_number_of(const uint8_t *key, unsigned length)
{
    unsigned bits = length - lpm_depth_of(length) * STRIDE;

    return 1U << bits | (unsigned)key[lpm_depth_of(length)] >> (STRIDE - bits);
}

static inline bool lpm_prefixes_have(const struct lpm_prefixes *p, unsigned number)
{
    return p && (p->bits[number / 64] >> (number % 64) & 1);
}

/* How many have a smaller number. */
static inline unsigned lpm_prefixes_rank(const struct lpm_prefixes *p, unsigned number)
{
    uint64_t below = ((uint64_t)1 << (number % 64)) - 1;

    return p->before[number / 64] + popcount(p->bits[number / 64] & below);
}

static inline bool is_child(uint32_t entry)
{
    return entry >= CHILD && entry != LPM_NONE;
}

static inline struct lpm_wide_node *lpm_wide(const struct lpm *l, uint32_t entry)
{
    uint32_t number = entry & (WIDE - 1);

    return &l->wide[number / WIDE_SLAB][number % WIDE_SLAB];
}

static inline struct lpm_node *lpm_narrow(const struct lpm *l, uint32_t entry)
{
    uint32_t number = entry & (WIDE - 1);

    return &l->narrow[number / NARROW_SLAB][number % NARROW_SLAB];
}

static inline struct lpm_node *lpm_node_at(const struct lpm *l, uint32_t entry)
{
    return entry & WIDE ? &lpm_wide(l, entry)->node : lpm_narrow(l, entry);
}

static inline uint32_t *lpm_inherited(const struct lpm *l, uint32_t entry)
{
    return entry & WIDE ? &l->wide_inherited[entry & (WIDE - 1)]
                        : &lpm_narrow(l, entry)->inherited;
}

/* Runs that start at or in front of the slot: at least one. */
static inline unsigned node_rank(const struct lpm_node *n, unsigned slot)
{
    uint64_t upto = ((uint64_t)2 << (slot % 64)) - 1;

    return n->before[slot / 64] + popcount(n->runs[slot / 64] & upto);
}

static inline const uint32_t *node_entry(const struct lpm_node *n, unsigned slot)
{
    return &n->entries[node_rank(n, slot) - 1];
}

/* --- lpm_node.c ------------------------------------------------------------------------- */

/* Both return the prefixes, which may have moved; NULL is none. */
struct lpm_prefixes *lpm_prefixes_add(struct pool *pool, struct lpm_prefixes *p,
                                      unsigned number, uint32_t value);
struct lpm_prefixes *lpm_prefixes_remove(struct pool *pool, struct lpm_prefixes *p,
                                         unsigned number);

/* The value of the longest prefix of at most `bits` bits that holds the byte. */
uint32_t lpm_prefixes_match(const struct lpm_prefixes *p, unsigned byte, unsigned bits);

/* The entry of a new node of one `kind`, CHILD or CHILD | WIDE; the caller fills the node. */
uint32_t lpm_new_node(struct lpm *l, uint32_t kind);
void lpm_free_node(struct lpm *l, uint32_t entry);

/* Nodes that answer LPM_NONE; a narrow one skips as many of the bytes as it can. */
void lpm_node_init(struct pool *p, struct lpm_node *n, const uint8_t *bytes,
                   unsigned skip);
void lpm_wide_init(struct lpm_wide_node *w);
void lpm_node_free_entries(struct pool *p, struct lpm_node *n);

/* Give slots first..last these answers. */
void lpm_node_write(struct pool *p, struct lpm_node *n, unsigned first, unsigned last,
                    const uint32_t *answers);

/* Make the answers anew wherever the prefix with this number holds. */
void lpm_node_refresh(struct lpm *l, struct lpm_node *n, unsigned number);

#endif
