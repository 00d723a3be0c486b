#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"
#include "sim/timeline/heap.h"

static void timers_go_off_in_order_of_time(void **state)
{
    static const int64_t times[] = {5, 3, 9, 0, 7, INT64_MAX, -1};
    static const int64_t expected[] = {-1, 0, 3, 5, 7, 9, INT64_MAX};
    struct heap h = {0};
    struct timer t;

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        heap_push(&h, times[i], 0, 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(heap_peek(&h)->time_ns, expected[i]);
        assert_true(heap_pop(&h, &t));
        assert_int_equal(t.time_ns, expected[i]);
    }
    assert_null(heap_peek(&h));
    assert_false(heap_pop(&h, &t));
    heap_free(&h);
}

static void timers_of_one_instant_go_off_in_the_order_they_were_set(void **state)
{
    struct heap h = {0};
    struct timer t;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        heap_push(&h, 42, 1, i);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(heap_pop(&h, &t));
        assert_int_equal(t.index, i);
    }
    heap_free(&h);
}

static void dropped_kinds_leave_the_others_in_their_order(void **state)
{
    struct heap h = {0};
    struct timer t;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        heap_push(&h, i % 7, i % 5, i);
    heap_drop(&h, 1, 3);
    heap_push(&h, 3, 2, 1000);
    for (uint32_t time = 0; time < 7; time++)
        for (uint32_t i = 0; i <= 1000; i++) {
            if (i < 1000 ? i % 7 != time || (i % 5 != 0 && i % 5 != 4) : time != 3)
                continue;
            assert_true(heap_pop(&h, &t));
            assert_int_equal(t.time_ns, time);
            assert_int_equal(t.index, i);
        }
    assert_false(heap_pop(&h, &t));
    heap_free(&h);
}

/* Random pushes and pops, few distinct times: never out of (time, sequence) order. */
static void a_random_hold_pattern_keeps_the_total_order(void **state)
{
    struct random_stream r = random_stream_make(1, 2);
    struct heap h = {0};
    struct timer t, last = {.time_ns = -1};
    int64_t now = 0;

    (void)state;
    for (int i = 0; i < 500; i++)
        heap_push(&h, (int64_t)random_below(&r, 8), 0, 0);
    for (int i = 0; i < 50000; i++) {
        assert_true(heap_pop(&h, &t));
        assert_true(t.time_ns > last.time_ns ||
                    (t.time_ns == last.time_ns && t.sequence > last.sequence));
        last = t;
        now = t.time_ns;
        heap_push(&h, now + (int64_t)random_below(&r, 8), 0, 0);
    }
    assert_int_equal(h.len, 500);
    heap_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_go_off_in_order_of_time),
        cmocka_unit_test(timers_of_one_instant_go_off_in_the_order_they_were_set),
        cmocka_unit_test(dropped_kinds_leave_the_others_in_their_order),
        cmocka_unit_test(a_random_hold_pattern_keeps_the_total_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
