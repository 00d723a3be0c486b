#include "core/pool.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"

enum {
    SLAB_BYTES = 768, /* cut at once into blocks of at most a third of it */
    CHUNK_FIRST = 8192,
    CHUNK_LARGEST = 1 << 20,
};

struct pool_chunk {
    struct pool_chunk *older;
};

struct pool_block {
    struct pool_block *next; /* free ones of the same class */
};

static size_t block_bytes(unsigned class)
{
    return (size_t)(2 + class % 2) << (3 + class / 2);
}

/* The smallest class whose blocks hold `bytes`. */
static unsigned block_class(size_t bytes)
{
    unsigned class = 0;

    while (block_bytes(class) < bytes)
        class ++;
    assert(class < POOL_CLASSES);
    return class;
}

static void push(struct pool *p, void *block, unsigned class)
{
    struct pool_block *f = block;

    f->next = p->free[class];
    p->free[class] = f;
}

/* Cut all that is left of the newest chunk into blocks, the largest first. */
static void pool_use_up_chunk(struct pool *p)
{
    for (unsigned class = POOL_CLASSES; class -- > 0;)
        for (; p->left >= block_bytes(class); p->left -= block_bytes(class)) {
            push(p, p->next, class);
            p->next += block_bytes(class);
        }
}

/* A chunk is a quarter of all there is, so that little lies idle. */
static void pool_add_chunk(struct pool *p, size_t bytes)
{
    size_t size = p->bytes / 4;
    struct pool_chunk *c;

    pool_use_up_chunk(p);
    size = size < CHUNK_FIRST ? CHUNK_FIRST : size > CHUNK_LARGEST ? CHUNK_LARGEST : size;
    size = size < bytes ? bytes : size;

    c = mem_alloc(1, size + 2 * POOL_LINE); /* for the head, and to align */
    c->older = p->chunks;
    p->chunks = c;
    p->bytes += size + 2 * POOL_LINE;
    p->next = (uint8_t *)(c + 1);
    p->next += -(uintptr_t)p->next % POOL_LINE;
    p->left = size;
}

void *pool_cut(struct pool *p, size_t bytes)
{
    uint8_t *cut;

    if (p->left < bytes)
        pool_add_chunk(p, bytes);
    cut = p->next;
    p->next += bytes;
    p->left -= bytes;
    return cut;
}

static void *pop(struct pool *p, unsigned class)
{
    size_t size = block_bytes(class);
    struct pool_block *block;

    if (!p->free[class]) {
        size_t slab = size > SLAB_BYTES / 3 ? size : SLAB_BYTES;
        uint8_t *cut = pool_cut(p, slab);

        for (size_t end = slab; end > 0; end -= size)
            push(p, cut + end - size, class);
    }
    block = p->free[class];
    p->free[class] = block->next;
    return block;
}

void *pool_take(struct pool *p, size_t bytes)
{
    return pop(p, block_class(bytes));
}

void pool_give(struct pool *p, void *block, size_t bytes)
{
    push(p, block, block_class(bytes));
}

void pool_clear(struct pool *p)
{
    for (struct pool_chunk *c = p->chunks, *older; c; c = older) {
        older = c->older;
        mem_free(c);
    }
    *p = (struct pool){.chunks = NULL};
}

void *pool_splice(struct pool *p, void *block, size_t bytes, size_t at, size_t drop,
                  size_t add)
{
    unsigned old = block_class(bytes), new = block_class(bytes - drop + add);
    uint8_t *from = block, *to = block;

    if (old != new) {
        to = pop(p, new);
        memcpy(to, from, at);
    }
    memmove(to + at + add, from + at + drop, bytes - at - drop);
    if (old != new)
        push(p, from, old);
    return to;
}
