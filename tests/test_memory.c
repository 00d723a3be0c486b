#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memory.h"

static bool all_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void allocated_memory_is_zeroed(void **state)
{
    uint8_t *p = mem_alloc(1000, 3);

    (void)state;
    assert_true(all_zero(p, 3000));
    mem_free(p);
}

static void no_objects_need_no_memory(void **state)
{
    size_t capacity = 0;

    (void)state;
    assert_null(mem_alloc(0, 8));
    assert_null(mem_resize(NULL, 0, 8));
    assert_null(mem_resize(mem_alloc(4, 8), 0, 8)); /* frees it */
    assert_null(mem_grow(NULL, &capacity, 0, 8));
    assert_int_equal(capacity, 0);
    mem_free(NULL);
    arena_destroy(NULL);
}

static void objects_of_no_size_have_an_address(void **state)
{
    void *p = mem_alloc(5, 0);

    (void)state;
    assert_non_null(p);
    p = mem_resize(p, 6, 0);
    assert_non_null(p);
    mem_free(p);
}

static void resizing_keeps_what_was_there(void **state)
{
    uint32_t *p = mem_resize(NULL, 100, sizeof *p);

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        p[i] = i;
    p = mem_resize(p, 100000, sizeof *p);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(p[i], i);
    p = mem_resize(p, 50, sizeof *p);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(p[i], i);
    mem_free(p);
}

static void growing_by_one_doubles_and_keeps_what_was_there(void **state)
{
    uint32_t *p = NULL;
    size_t capacity = 0, moves = 0;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = capacity;

        p = mem_grow(p, &capacity, i + 1, sizeof *p);
        p[i] = i;
        assert_true(capacity > i);
        if (capacity != before) {
            assert_true(capacity >= 2 * before);
            moves++;
        }
    }
    assert_true(moves <= 17); /* 2^17 > 100000 */
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(p[i], i);
    mem_free(p);
}

static void growing_far_at_once_is_enough(void **state)
{
    size_t capacity = 0;
    uint8_t *p = mem_grow(NULL, &capacity, 12345, 1);

    (void)state;
    assert_true(capacity >= 12345);
    memset(p, 1, capacity);
    assert_ptr_equal(mem_grow(p, &capacity, 7, 1), p);
    mem_free(p);
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    enum { COUNT = 3000 };
    static uint8_t *piece[COUNT];
    struct arena *a = arena_create();

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        size_t bytes = i * 7 % 301 + 1;

        piece[i] = arena_alloc(a, bytes, 1);
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        assert_true(all_zero(piece[i], bytes));
        memset(piece[i], (int)(i % 255 + 1), bytes);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t at = 0; at < i * 7 % 301 + 1; at++)
            assert_int_equal(piece[i][at], i % 255 + 1);
    arena_destroy(a);
}

static void an_arena_takes_large_objects_between_small_ones(void **state)
{
    struct arena *a = arena_create();
    uint8_t *large[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(arena_alloc(a, 1, 1));
        large[i] = arena_alloc(a, 3000, 1000);
        assert_true(all_zero(large[i], 3000000));
        memset(large[i], 0xff, 3000000);
    }
    assert_true(all_zero(arena_alloc(a, 100, 1), 100));
    arena_destroy(a);
}

static void an_arena_gives_an_address_for_no_objects(void **state)
{
    struct arena *a = arena_create();

    (void)state;
    assert_non_null(arena_alloc(a, 0, 8));
    assert_non_null(arena_alloc(a, 1, 8));
    assert_non_null(arena_alloc(a, 0, 8));
    arena_destroy(a);
}

static void arena_strings_are_copies_that_end(void **state)
{
    struct arena *a = arena_create();
    char text[] = "wan1%ether1";

    (void)state;
    char *whole = arena_strdup(a, text), *part = arena_strndup(a, text, 4);
    char *short_one = arena_strndup(a, text, 100), *none = arena_strndup(a, text, 0);

    memset(text, 'x', sizeof text - 1);
    assert_string_equal(whole, "wan1%ether1");
    assert_string_equal(part, "wan1");
    assert_string_equal(short_one, "wan1%ether1");
    assert_string_equal(none, "");
    arena_destroy(a);
}

static void ask_mem_alloc(size_t count, size_t size)
{
    mem_free(mem_alloc(count, size));
}

static void ask_mem_resize(size_t count, size_t size)
{
    mem_free(mem_resize(NULL, count, size));
}

static void ask_mem_grow(size_t count, size_t size)
{
    size_t capacity = 0;

    mem_free(mem_grow(NULL, &capacity, count, size));
}

static void ask_arena(size_t count, size_t size)
{
    struct arena *a = arena_create();

    (void)!arena_alloc(a, count, size);
    arena_destroy(a);
}

/* Run in a child: its exit code, and what it wrote on stderr. */
static int ask_in_child(void (*ask)(size_t, size_t), size_t count, size_t size,
                        char *said, size_t capacity)
{
    int ends[2], status;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        ask(count, size);
        _exit(0);
    }
    close(ends[1]);
    got = read(ends[0], said, capacity - 1);
    said[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void memory_that_cannot_be_had_ends_the_run_with_one_line(void **state)
{
    static const struct {
        const char *when;
        void (*ask)(size_t, size_t);
        size_t count, size;
    } rows[] = {
        {"mem_alloc, the product wraps to 0", ask_mem_alloc, SIZE_MAX / 2 + 1, 2},
        {"mem_alloc, the product wraps to 16", ask_mem_alloc, SIZE_MAX / 16 + 2, 16},
        {"mem_alloc, more than an object can have", ask_mem_alloc, SIZE_MAX, 1},
        {"mem_resize, the product wraps", ask_mem_resize, SIZE_MAX / 4, 8},
        {"mem_grow, the product wraps", ask_mem_grow, SIZE_MAX / 8 + 2, 8},
        {"mem_grow, doubling wraps", ask_mem_grow, SIZE_MAX, 1},
        {"arena_alloc, the product wraps", ask_arena, SIZE_MAX / 8 + 2, 8},
        {"arena_alloc, more than an object can have", ask_arena, SIZE_MAX - 3, 1},
    };
    char said[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int code =
            ask_in_child(rows[i].ask, rows[i].count, rows[i].size, said, sizeof said);
        const char *newline = strchr(said, '\n');

        if (code != EXIT_NO_MEMORY || !newline || newline[1] != '\0')
            fail_msg("%s: exit code %d, stderr '%s'", rows[i].when, code, said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocated_memory_is_zeroed),
        cmocka_unit_test(no_objects_need_no_memory),
        cmocka_unit_test(objects_of_no_size_have_an_address),
        cmocka_unit_test(resizing_keeps_what_was_there),
        cmocka_unit_test(growing_by_one_doubles_and_keeps_what_was_there),
        cmocka_unit_test(growing_far_at_once_is_enough),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(an_arena_takes_large_objects_between_small_ones),
        cmocka_unit_test(an_arena_gives_an_address_for_no_objects),
        cmocka_unit_test(arena_strings_are_copies_that_end),
        cmocka_unit_test(memory_that_cannot_be_had_ends_the_run_with_one_line),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
