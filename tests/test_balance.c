#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/observe/balance.h"
#include <math.h>

/* `choices` choices of one size, which were all promised what is expected. */
static bool judge(const double *observed, const double *expected, size_t n,
                  double choices, struct balance *b)
{
    double shares[3] = {0}, sum = 0, size;
    struct chance_group g = {shares, 0, 0};

    for (size_t i = 0; i < n; i++)
        sum += expected[i];
    for (size_t i = 0; i < n; i++)
        shares[i] = expected[i] / sum;
    size = choices > 0 ? sum / choices : 0;
    g.squares = choices * size * size;
    g.fourths = choices * size * size * size * size;
    return balance_judge(
        &(struct chance){observed, expected, n, &g, 1, fabs(size - 1) < 1e-9}, choices,
        b);
}

/*
 * 60 and 40 of 100 flows where 50 and 50 were promised: x = {1.2, .8}. By counting, 60 or
 * more of 100 fall to one side with 2 * .0284440 = .0568879.
 */
static void a_split_is_judged_against_its_promise(void **state)
{
    static const double observed[] = {60, 40}, expected[] = {50, 50};
    struct balance b;

    (void)state;
    assert_true(judge(observed, expected, 2, 100, &b));
    assert_true(fabs(b.jain - 4 / (2 * (1.44 + .64))) < 1e-12);
    assert_true(fabs(b.cv - .2) < 1e-12);
    assert_true(fabs(b.max_over_mean - 1.2) < 1e-12);
    assert_true(b.exact);
    assert_true(fabs(b.p_value - .0568879) < 1e-6);
    assert_int_equal(b.flows_needed, 900);
    assert_int_equal(b.verdict, BALANCE_TOO_FEW);
}

static void weights_make_an_uneven_split_even(void **state)
{
    static const double observed[] = {5000, 1000, 0}, expected[] = {5000, 1000, 0};
    struct balance b;

    (void)state;
    assert_true(judge(observed, expected, 3, 6000, &b));
    assert_true(fabs(b.jain - 1) < 1e-12);
    assert_true(fabs(b.p_value - 1) <= 0);
    assert_int_equal(b.verdict, BALANCE_EVEN);
}

static void verdicts_come_in_their_order(void **state)
{
    static const struct {
        const char *when;
        double observed[2], expected[2], choices;
        enum balance_verdict verdict;
    } rows[] = {
        {"few flows, all to one side", {6, 0}, {3, 3}, 6, BALANCE_UNEVEN},
        {"few flows, four of five", {4, 1}, {2.5, 2.5}, 5, BALANCE_TOO_FEW},
        {"few large flows, all to one side", {6e9, 0}, {3e9, 3e9}, 6, BALANCE_TOO_FEW},
        {"one in a thousand", {30, 10}, {20, 20}, 40, BALANCE_UNEVEN},
        {"even, and below 900", {450, 440}, {445, 445}, 890, BALANCE_TOO_FEW},
        {"even, and at 900", {455, 445}, {450, 450}, 900, BALANCE_EVEN},
        {"bytes of few large flows", {6e9, 4e9}, {5e9, 5e9}, 8, BALANCE_TOO_FEW},
        {"bytes of many flows", {6e9, 4e9}, {5e9, 5e9}, 900, BALANCE_UNEVEN},
    };
    struct balance b;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(judge(rows[i].observed, rows[i].expected, 2, rows[i].choices, &b));
        if (b.verdict != rows[i].verdict)
            fail_msg("%s: %s, p = %g", rows[i].when, balance_verdicts[b.verdict].name,
                     b.p_value);
    }
}

static void there_is_nothing_to_judge_without_two_paths(void **state)
{
    static const double none[] = {0, 0}, one[] = {10, 0}, some[] = {5, 5};
    struct balance b;

    (void)state;
    assert_false(judge(none, some, 2, 0, &b));
    assert_false(judge(some, one, 2, 10, &b));
    assert_false(judge(some, none, 2, 10, &b));
    assert_false(judge(none, none, 0, 0, &b));
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
