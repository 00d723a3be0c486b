/*
 * memory - allocation that cannot fail, and arenas
 *
 * No memory ends the run: every function here either returns usable memory or prints one
 * line on stderr and exits with EXIT_NO_MEMORY. Callers therefore never test for NULL.
 *
 * An arena hands out memory that is freed as one. What comes and goes during a run lives
 * in arrays that their owners recycle, so that memory follows what is alive.
 */
#ifndef ECMPLAB_MEMORY_H
#define ECMPLAB_MEMORY_H

#include <stddef.h>

enum { EXIT_NO_MEMORY = 3 };

/* `count` zeroed objects of `size` bytes; NULL only when count is 0. Free with mem_free(). */
void *mem_alloc(size_t count, size_t size);

/* Resize `p` (or NULL) to `count` objects of `size` bytes; what is new is not initialised. */
void *mem_resize(void *p, size_t count, size_t size);

void mem_free(void *p);

/*
 * Grow an array to hold at least `need` objects, doubling: returns the array, updates
 * *capacity. What is new is not initialised. O(1) amortised.
 */
void *mem_grow(void *p, size_t *capacity, size_t need, size_t size);

/*
 * Zeroed memory for large tables, aligned to 2 MiB and on huge pages where the system gives
 * them: a random look-up then costs one miss, not also that of the page table. Nothing is
 * touched until it is used. Give it back with the same `bytes`.
 */
void *mem_map(size_t bytes);
void mem_unmap(void *p, size_t bytes);

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *a);

/* `count` zeroed objects of `size` bytes, aligned for any type; lives as long as the arena. */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* A copy of the string, or of its first `length` bytes, with a NUL behind. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t length);

#endif
