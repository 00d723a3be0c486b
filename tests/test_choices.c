#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/addr.h"
#include "sim/observe/choices.h"

static void one_hash_of_one_family_is_one_choice(void **state)
{
    struct choices c = {.len = 0};
    const uint32_t a = choices_find(&c, 0x7fffffff, 0);

    (void)state;
    assert_int_equal(choices_find(&c, 0x7fffffff, 0), a);
    assert_int_not_equal(choices_find(&c, 0x7fffffff, 1), a);
    assert_int_not_equal(choices_find(&c, 0, 0), a);
    assert_int_equal(c.len, 3);
    choices_free(&c);
}

static void what_is_known_stays_known_when_it_is_full(void **state)
{
    struct choices c = {.len = 0};

    (void)state;
    for (uint32_t i = 0; i < CHOICES_MAX; i++)
        assert_int_equal(choices_find(&c, i * 7, 0), i);
    assert_int_equal(choices_find(&c, 1, 0), CHOICE_OWN);
    for (uint32_t i = 0; i < CHOICES_MAX; i += 999)
        assert_int_equal(choices_find(&c, i * 7, 0), i);
    choices_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hash_of_one_family_is_one_choice),
        cmocka_unit_test(what_is_known_stays_known_when_it_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
