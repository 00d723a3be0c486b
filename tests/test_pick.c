#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "sim/traffic/pick.h"
#include "tests/routers.h"

/* Shares of four by arithmetic; four standard deviations of a binomial. */
static void shares_are_as_the_kind_promises(void **state)
{
    enum { DRAWS = 100000 };
    static const double weights[] = {1, 3, 4, 2};
    static const struct {
        const char *what;
        enum pick_kind kind;
        double exponent, shares[4];
    } rows[] = {
        {"uniform", PICK_UNIFORM, 0, {.25, .25, .25, .25}},
        {"zipf of exponent 1", PICK_ZIPF, 1, {.48, .24, .16, .12}}, /* 12/25, 6/25, ... */
        {"zipf of exponent 0", PICK_ZIPF, 0, {.25, .25, .25, .25}},
        {"weighted", PICK_WEIGHTED, 0, {.1, .3, .4, .2}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned counts[4] = {0};
        struct pick p;

        pick_init(&p, rows[i].kind, 4, rows[i].exponent, weights,
                  random_stream_make(3, i));
        for (int n = 0; n < DRAWS; n++)
            counts[pick_next(&p)]++;
        pick_free(&p);
        for (size_t k = 0; k < 4; k++) {
            const double share = rows[i].shares[k];

            if (fabs(counts[k] - share * DRAWS) > 4 * sqrt(share * (1 - share) * DRAWS))
                fail_msg("%s: %zu is picked %u times", rows[i].what, k, counts[k]);
        }
    }
}

static void sequential_goes_round_in_order(void **state)
{
    struct pick p;

    (void)state;
    pick_init(&p, PICK_SEQUENTIAL, 3, 0, NULL, random_stream_make(1, 1));
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(pick_next(&p), i % 3);
    pick_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_as_the_kind_promises),
        cmocka_unit_test(sequential_goes_round_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
