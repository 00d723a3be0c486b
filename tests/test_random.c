#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/random.h"
#include "tests/routers.h"

/* Source: Steele, Lea, Flood, OOPSLA 2014; the published outputs of splitmix64. */
static void splitmix64_gives_its_known_answers(void **state)
{
    static const struct {
        uint64_t seed, outputs[5];
        unsigned known;
    } rows[] = {
        {0,
         {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec,
          0x1b39896a51a8749b},
         5},
        {1234567, {6457827717110365317u, 3203168211198807973u, 9817491932198370423u}, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct random_stream s = {rows[i].seed};

        for (unsigned k = 0; k < rows[i].known; k++)
            if (random_next(&s) != rows[i].outputs[k])
                fail_msg("seed %llu: output %u", (unsigned long long)rows[i].seed, k);
    }
}

static void streams_of_one_seed_differ_and_repeat(void **state)
{
    enum { STREAMS = 64, DRAWS = 64 };
    uint64_t seen[STREAMS];

    (void)state;
    for (unsigned p = 0; p < STREAMS; p++) {
        struct random_stream a = random_stream_make(7, p), b = random_stream_make(7, p);
        uint64_t sum = 0;

        for (unsigned i = 0; i < DRAWS; i++) {
            const uint64_t x = random_next(&a);

            assert_true(x == random_next(&b));
            sum ^= x * (i + 1);
        }
        seen[p] = sum;
        for (unsigned k = 0; k < p; k++)
            if (seen[k] == sum)
                fail_msg("purposes %u and %u draw alike", k, p);
    }
}

/* Each of n values n * 1000 draws: 4.5 standard deviations of a binomial are 1 in 10^5. */
static void draws_below_a_bound_are_even(void **state)
{
    static const unsigned bounds[] = {1, 2, 3, 7, 10, 64, 100};
    struct random_stream s = random_stream_make(1, 1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        unsigned counts[100] = {0};

        for (unsigned k = 0; k < bounds[i] * 1000; k++) {
            const uint64_t x = random_below(&s, bounds[i]);

            assert_true(x < bounds[i]);
            counts[x]++;
        }
        for (unsigned x = 0; x < bounds[i]; x++)
            if (bounds[i] > 1 && (counts[x] < 857 || counts[x] > 1143))
                fail_msg("below %u: %u came %u times", bounds[i], x, counts[x]);
    }
    for (unsigned k = 0; k < 1000; k++)
        assert_true(random_below(&s, UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitmix64_gives_its_known_answers),
        cmocka_unit_test(streams_of_one_seed_differ_and_repeat),
        cmocka_unit_test(draws_below_a_bound_are_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
