#include "core/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    GROW_FIRST = 8,     /* objects in an array's first growth */
    ARENA_FIRST = 4096, /* bytes of an arena's first chunk; the next ones double ... */
    ARENA_LARGEST = 1 << 20, /* ... up to this */
    ALIGNMENT = _Alignof(max_align_t),
    HUGE_PAGE = 2 << 20, /* of x86-64 and of arm64 with 4 KiB pages */
};

static _Noreturn void exit_no_memory(size_t count, size_t size)
{
    fprintf(stderr, "out of memory: %zu objects of %zu bytes cannot be had\n", count,
            size);
    exit(EXIT_NO_MEMORY);
}

/* The bytes of `count` objects; what no object can be as large as is no memory. */
static size_t size_of(size_t count, size_t size)
{
    if (size != 0 && count > (size_t)PTRDIFF_MAX / size)
        exit_no_memory(count, size);
    return count * size;
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes = size_of(count, size);
    void *p;

    if (count == 0)
        return NULL;
    p = calloc(1, bytes ? bytes : 1);
    if (!p)
        exit_no_memory(count, size);
    return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
    size_t bytes = size_of(count, size);

    if (count == 0) {
        free(p);
        return NULL;
    }
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        exit_no_memory(count, size);
    return p;
}

void mem_free(void *p)
{
    free(p);
}

static size_t round_up(size_t bytes)
{
    return (size_of(bytes, 1) + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
}

void *mem_map(size_t bytes)
{
    const size_t wanted = round_up(bytes), asked = wanted + HUGE_PAGE;
    uint8_t *p = mmap(NULL, asked, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before;

    if (p == MAP_FAILED)
        exit_no_memory(1, bytes);
    before = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
    if (before)
        munmap(p, before);
    if (HUGE_PAGE - before)
        munmap(p + before + wanted, HUGE_PAGE - before);
    madvise(p + before, wanted, MADV_HUGEPAGE);
    return p + before;
}

void mem_unmap(void *p, size_t bytes)
{
    if (p)
        munmap(p, round_up(bytes));
}

void *mem_grow(void *p, size_t *capacity, size_t need, size_t size)
{
    size_t wanted = *capacity ? *capacity : GROW_FIRST;

    if (need <= *capacity)
        return p;
    while (wanted < need)
        wanted = wanted > SIZE_MAX / 2 ? need : wanted * 2;
    p = mem_resize(p, wanted, size);
    *capacity = wanted;
    return p;
}

struct arena_chunk {
    struct arena_chunk *older;
    max_align_t bytes[]; /* zeroed, and never handed out twice */
};

struct arena {
    struct arena_chunk *chunks;
    uint8_t *next; /* in the chunk that is being used up */
    size_t left;   /* bytes behind `next` */
    size_t chunk_bytes;
};

struct arena *arena_create(void)
{
    struct arena *a = mem_alloc(1, sizeof *a);

    a->chunk_bytes = ARENA_FIRST;
    return a;
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    for (struct arena_chunk *c = a->chunks, *older; c; c = older) {
        older = c->older;
        mem_free(c);
    }
    mem_free(a);
}

static uint8_t *arena_add_chunk(struct arena *a, size_t bytes)
{
    struct arena_chunk *c = mem_alloc(1, sizeof *c + bytes);

    c->older = a->chunks;
    a->chunks = c;
    return (uint8_t *)c->bytes;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    size_t bytes = size_of(count, size);
    void *p;

    if (bytes > a->left && bytes >= a->chunk_bytes / 4)
        return arena_add_chunk(a, bytes); /* large: a chunk of its own wastes nothing */

    if (bytes > a->left) {
        a->next = arena_add_chunk(a, a->chunk_bytes);
        a->left = a->chunk_bytes;
        if (a->chunk_bytes < ARENA_LARGEST)
            a->chunk_bytes *= 2;
    }
    if (!a->next) /* nothing was asked of an arena that holds nothing */
        return arena_add_chunk(a, 0);
    p = a->next;
    bytes += -bytes % ALIGNMENT; /* `left` is a multiple of it, so this fits as well */
    a->next += bytes;
    a->left -= bytes;
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t length)
{
    size_t bytes = strnlen(s, length);
    char *copy = arena_alloc(a, bytes + 1, 1);

    memcpy(copy, s, bytes);
    return copy;
}
