/*
 * pool - blocks of memory for arrays that come, grow, shrink and go
 *
 * A block has the smallest of these sizes that holds what was asked for; one that is given
 * back is taken again by whoever needs that size. Memory goes back as a whole.
 *
 *     16  24  32  48  64  96  128 ... 2048  3072 bytes
 *
 * Blocks come out of chunks that grow with the pool, a quarter of it at a time, so that
 * little lies idle and a million small arrays cost no bookkeeping each. Owners keep the
 * sizes: a block does not know its own.
 */
#ifndef ECMPLAB_POOL_H
#define ECMPLAB_POOL_H

#include <stddef.h>
#include <stdint.h>

enum {
    POOL_LINE = 64, /* bytes of a cache line */
    POOL_CLASSES = 16,
    POOL_BLOCK_MAX = 3072,
};

struct pool_chunk;
struct pool_block;

/* Zero-initialised is an empty pool. */
struct pool {
    struct pool_chunk *chunks;
    uint8_t *next; /* in the newest chunk, at the start of a cache line */
    size_t left;   /* bytes behind `next` */
    size_t bytes;  /* of all chunks */
    struct pool_block *free[POOL_CLASSES];
};

/* A block of at least `bytes` (1..POOL_BLOCK_MAX), not initialised, aligned to 8 bytes. */
void *pool_take(struct pool *p, size_t bytes);

/* Give back what pool_take() or pool_splice() made for so many bytes. */
void pool_give(struct pool *p, void *block, size_t bytes);

/*
 * In a block of `bytes`, replace the `drop` bytes at `at` by room for `add`: returns the
 * block, which may have moved. Neither before nor after may it be empty.
 */
void *pool_splice(struct pool *p, void *block, size_t bytes, size_t at, size_t drop,
                  size_t add);

/* Memory for as long as the pool: whole cache lines, a multiple of POOL_LINE bytes. */
void *pool_cut(struct pool *p, size_t bytes);

/* Free everything that came from the pool. */
void pool_clear(struct pool *p);

#endif
