#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/observe/elephants.h"

static void offer(struct elephants *e, uint16_t sport, uint64_t bytes)
{
    const struct tuple t = {.sport = sport};

    elephants_offer(e, &t, bytes, 0);
}

/* The larger first, and of equals the one that came first. */
static void the_largest_are_kept_in_order(void **state)
{
    static const uint64_t offered[] = {10, 70, 0, 30, 70, 20, 90, 5, 30};
    static const uint16_t kept[] = {6, 1, 4, 3, 8};
    struct elephants e = {.len = 0};

    (void)state;
    for (uint16_t i = 0; i < sizeof offered / sizeof offered[0]; i++)
        offer(&e, i, offered[i]);
    assert_int_equal(e.len, ELEPHANTS_MAX);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (e.list[i].tuple.sport != kept[i])
            fail_msg("number %zu is flow %d, not %d", i, e.list[i].tuple.sport, kept[i]);
}

static void a_flow_without_bytes_is_none(void **state)
{
    struct elephants e = {.len = 0};

    (void)state;
    offer(&e, 1, 0);
    assert_int_equal(e.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_are_kept_in_order),
        cmocka_unit_test(a_flow_without_bytes_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
