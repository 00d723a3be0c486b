#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/observe/spans.h"

static size_t most_of(const struct span *spans, const unsigned *set_of, size_t n)
{
    struct spans sets[4] = {0}, *list[4];
    size_t most;

    for (size_t i = 0; i < n; i++)
        spans_add(&sets[set_of[i]], spans[i].first_ns, spans[i].last_ns);
    for (size_t i = 0; i < 4; i++)
        list[i] = &sets[i];
    most = spans_most_at_once(list, 4);
    for (size_t i = 0; i < 4; i++)
        spans_free(&sets[i]);
    return most;
}

static void overlap_is_counted_by_sets(void **state)
{
    static const struct {
        const char *when;
        struct span spans[5];
        unsigned set_of[5];
        size_t n, most;
    } rows[] = {
        {"nothing", {{0, 0}}, {0}, 0, 0},
        {"one instant", {{5, 5}}, {0}, 1, 1},
        {"one after the other", {{0, 4}, {5, 9}}, {0, 1}, 2, 1},
        {"they meet", {{0, 5}, {5, 9}}, {0, 1}, 2, 2},
        {"the same set twice", {{0, 9}, {2, 5}}, {0, 0}, 2, 1},
        {"out of order, joined", {{6, 9}, {0, 2}, {1, 7}, {3, 4}}, {0, 0, 0, 1}, 4, 2},
        {"three at 4", {{0, 4}, {4, 8}, {3, 5}, {9, 9}}, {0, 1, 2, 3}, 4, 3},
        {"a gap in between", {{0, 2}, {8, 9}, {4, 5}}, {0, 0, 1}, 3, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t most = most_of(rows[i].spans, rows[i].set_of, rows[i].n);

        if (most != rows[i].most)
            fail_msg("%s: %zu at once", rows[i].when, most);
    }
}

static void very_many_spans_stay_within_their_memory(void **state)
{
    struct spans s = {0};

    (void)state;
    for (int64_t i = 0; i < 10 * SPANS_MAX; i++)
        spans_add(&s, i * 5000000, i * 5000000 + 1);
    assert_true(s.cap <= 2 * SPANS_MAX);
    assert_true(s.coarse);
    spans_free(&s);
}

static void separate_spans_are_kept_apart_while_they_fit(void **state)
{
    struct spans s = {0}, *list = &s;

    (void)state;
    for (int64_t i = 1000; i-- > 0;)
        spans_add(&s, i * 10, i * 10 + 3);
    assert_int_equal(spans_most_at_once(&list, 1), 1);
    assert_int_equal(s.len, 1000);
    assert_int_equal(s.list[999].first_ns, 9990);
    assert_false(s.coarse);
    spans_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlap_is_counted_by_sets),
        cmocka_unit_test(very_many_spans_stay_within_their_memory),
        cmocka_unit_test(separate_spans_are_kept_apart_while_they_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
