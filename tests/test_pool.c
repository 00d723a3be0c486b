#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "core/pool.h"

/* As many bytes as pool_take() may be asked for, each written and kept apart. */
static void blocks_of_all_sizes_lie_apart_and_aligned(void **state)
{
    static uint8_t *block[POOL_BLOCK_MAX + 1];
    struct pool p = {.chunks = NULL};

    (void)state;
    for (size_t bytes = 1; bytes <= POOL_BLOCK_MAX; bytes++) {
        block[bytes] = pool_take(&p, bytes);
        assert_int_equal((uintptr_t)block[bytes] % 8, 0);
        memset(block[bytes], (int)(bytes % 251), bytes);
    }
    for (size_t bytes = 1; bytes <= POOL_BLOCK_MAX; bytes++)
        for (size_t at = 0; at < bytes; at++)
            assert_int_equal(block[bytes][at], bytes % 251);
    pool_clear(&p);
    assert_int_equal(p.bytes, 0);
}

static void what_is_given_back_is_taken_again(void **state)
{
    struct pool p = {.chunks = NULL};
    size_t bytes;

    (void)state;
    pool_give(&p, pool_take(&p, 100), 100);
    bytes = p.bytes;
    for (unsigned i = 0; i < 100000; i++)
        pool_give(&p, pool_take(&p, 65 + i % 32),
                  65 + i % 32); /* all of the 96-byte class */
    assert_int_equal(p.bytes, bytes);
    pool_clear(&p);
}

/* A block of `bytes` counting up from 0, spliced: what was outside the gap is where it was. */
static void splicing_keeps_what_is_around_the_gap(void **state)
{
    static const struct {
        const char *when;
        size_t bytes, at, drop, add;
    } rows[] = {
        {"room in the middle, same class", 20, 10, 0, 4},
        {"room in the middle, larger class", 24, 10, 0, 4},
        {"room at the front, larger class", 16, 0, 0, 4},
        {"room at the end, larger class", 16, 16, 0, 4},
        {"less in the middle, same class", 24, 10, 4, 0},
        {"less in the middle, smaller class", 28, 10, 4, 0},
        {"less at the front", 28, 0, 4, 0},
        {"less at the end", 28, 24, 4, 0},
        {"as much as before", 24, 8, 8, 8},
        {"from the least to the most", 1, 1, 0, POOL_BLOCK_MAX - 1},
        {"from the most to the least", POOL_BLOCK_MAX, 1, POOL_BLOCK_MAX - 1, 0},
        {"all of it", 200, 0, 200, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pool p = {.chunks = NULL};
        uint8_t *block = pool_take(&p, rows[i].bytes);
        bool kept = true;

        for (size_t at = 0; at < rows[i].bytes; at++)
            block[at] = (uint8_t)at;
        block =
            pool_splice(&p, block, rows[i].bytes, rows[i].at, rows[i].drop, rows[i].add);
        for (size_t at = 0; at < rows[i].at; at++)
            kept = kept && block[at] == (uint8_t)at;
        for (size_t at = rows[i].at + rows[i].drop; at < rows[i].bytes; at++)
            kept = kept && block[at - rows[i].drop + rows[i].add] == (uint8_t)at;
        if (!kept)
            fail_msg("%s: bytes outside the gap changed", rows[i].when);
        pool_clear(&p);
    }
}

static void cuts_start_at_a_cache_line(void **state)
{
    struct pool p = {.chunks = NULL};

    (void)state;
    for (size_t i = 1; i < 300; i++) {
        uint8_t *cut = pool_cut(&p, i * POOL_LINE);

        assert_int_equal((uintptr_t)cut % POOL_LINE, 0);
        memset(cut, 0xff, i * POOL_LINE);
        memset(pool_take(&p, i), 0xff, i);
    }
    pool_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_all_sizes_lie_apart_and_aligned),
        cmocka_unit_test(what_is_given_back_is_taken_again),
        cmocka_unit_test(splicing_keeps_what_is_around_the_gap),
        cmocka_unit_test(cuts_start_at_a_cache_line),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
