#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "core/random.h"
#include "sim/links/ranking.h"

enum { NUMBERS = 50 };

/* What a ranking is to say, told the plain way. */
struct plain {
    bool in[NUMBERS];
    double keys[NUMBERS];
};

static int first_of(const struct plain *p)
{
    int first = -1;

    for (int i = 0; i < NUMBERS; i++)
        if (p->in[i] && (first < 0 || p->keys[i] < p->keys[first]))
            first = i;
    return first;
}

/* Keys are few, so that many are equal. */
static void the_first_has_the_smallest_key_and_then_number(void **state)
{
    struct random_stream s = random_stream_make(1, 1);
    uint32_t places[NUMBERS] = {0};
    struct ranking r = {0};
    struct plain p = {{false}, {0}};

    (void)state;
    for (unsigned step = 0; step < 100000; step++) {
        const uint32_t number = (uint32_t)random_below(&s, NUMBERS);
        const struct ranked *first;
        int due;

        p.in[number] = random_below(&s, step / 1000 % 2 ? 3 : 2) > 0;
        p.keys[number] = (double)random_below(&s, 20);
        if (p.in[number])
            ranking_set(&r, places, number, p.keys[number]);
        else
            ranking_remove(&r, places, number);
        due = first_of(&p);
        first = ranking_first(&r);
        if ((first ? (int)first->number : -1) != due)
            fail_msg("step %u: #%d, not #%d", step, first ? (int)first->number : -1, due);
        assert_true(!!places[number] == p.in[number]);
    }
    ranking_free(&r);
}

static void two_may_share_their_places(void **state)
{
    struct ranking r[2] = {{0}};
    uint32_t places[4] = {0};

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        ranking_set(&r[i % 2], places, i, -(double)i);
    assert_int_equal(ranking_first(&r[0])->number, 2);
    assert_int_equal(ranking_first(&r[1])->number, 3);
    ranking_remove(&r[1], places, 3);
    ranking_set(&r[0], places, 3, 5);
    assert_int_equal(ranking_first(&r[0])->number, 2);
    assert_int_equal(ranking_first(&r[1])->number, 1);
    ranking_free(&r[0]);
    ranking_free(&r[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_has_the_smallest_key_and_then_number),
        cmocka_unit_test(two_may_share_their_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
