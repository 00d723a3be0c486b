#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "sim/observe/balance.h"

/*
 * 60 and 40 of 100 flows where 50 and 50 were promised: x = {1.2, .8}, X2 = 2 * 100 / 50
 * = 4, and P(X2 >= 4) with one degree of freedom is erfc(sqrt(2)) = .0455.
 */
static void a_split_is_judged_against_its_promise(void **state)
{
    static const double observed[] = {60, 40}, expected[] = {50, 50};
    struct balance b;

    (void)state;
    assert_true(balance_judge(observed, expected, 2, 100, &b));
    assert_true(fabs(b.jain - 4 / (2 * (1.44 + .64))) < 1e-12);
    assert_true(fabs(b.cv - .2) < 1e-12);
    assert_true(fabs(b.max_over_mean - 1.2) < 1e-12);
    assert_true(fabs(b.p_value - erfc(sqrt(2))) < 1e-6);
    assert_int_equal(b.flows_needed, 900);
    assert_string_equal(b.verdict, "uneven (p = 0.046)");
}

static void weights_make_an_uneven_split_even(void **state)
{
    static const double observed[] = {5000, 1000, 0}, expected[] = {5000, 1000, 0};
    struct balance b;

    (void)state;
    assert_true(balance_judge(observed, expected, 3, 6000, &b));
    assert_true(fabs(b.jain - 1) < 1e-12);
    assert_true(fabs(b.p_value - 1) <= 0);
    assert_string_equal(b.verdict, "even for 6000 flows");
}

static void verdicts_come_in_their_order(void **state)
{
    static const struct {
        const char *when;
        double observed[2], expected[2], choices;
        const char *verdict;
    } rows[] = {
        {"fewer than five to a path", {6, 0}, {3, 3}, 6, "too few flows to tell"},
        {"by chance less than one in twenty",
         {30, 10},
         {20, 20},
         40,
         "uneven (p = 0.0016)"},
        {"even, and below 900", {450, 440}, {445, 445}, 890, "too few flows to tell"},
        {"even, and at 900", {455, 445}, {450, 450}, 900, "even for 900 flows"},
        {"bytes of few large flows", {6e9, 4e9}, {5e9, 5e9}, 8, "too few flows to tell"},
    };
    struct balance b;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(
            balance_judge(rows[i].observed, rows[i].expected, 2, rows[i].choices, &b));
        if (strcmp(b.verdict, rows[i].verdict) != 0)
            fail_msg("%s: %s", rows[i].when, b.verdict);
    }
}

static void there_is_nothing_to_judge_without_two_paths(void **state)
{
    static const double none[] = {0, 0}, one[] = {10, 0}, some[] = {5, 5};
    struct balance b;

    (void)state;
    assert_false(balance_judge(none, some, 2, 0, &b));
    assert_false(balance_judge(some, one, 2, 10, &b));
    assert_false(balance_judge(some, none, 2, 10, &b));
    assert_false(balance_judge(none, none, 0, 0, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_split_is_judged_against_its_promise),
        cmocka_unit_test(weights_make_an_uneven_split_even),
        cmocka_unit_test(verdicts_come_in_their_order),
        cmocka_unit_test(there_is_nothing_to_judge_without_two_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
