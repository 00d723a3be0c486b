#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * What a loss moves under the policies that go by the hash alone; for hash-threshold see
 * test_nexthop.c. Sources: RFC 2991; Eisenbud et al., NSDI 2016.
 */
#include <math.h>
#include <string.h>

#include "core/policies/highest_random_weight.h"
#include "core/random.h"
#include "tests/picks.h"
#include "tests/routers.h"

/* ---------------------------------------------------------------------------- modulo-n */

/*
 * The pair of remainders repeats after N (N - 1) hashes and is each pair once in between, so
 * that N - 1 of them stay: one for each member that lives. Read from the other side, it is
 * what a return moves.
 */
static void modulo_n_moves_all_but_one_in_n_wherever_it_loses(void **state)
{
    (void)state;
    for (unsigned n = 2; n <= 16; n++)
        for (unsigned k = 1; k <= n; k++) {
            const unsigned period = n * (n - 1);
            struct picks before = picks_open("modulo-n", 1);
            struct picks after = picks_open("modulo-n", 1);
            unsigned moved = 0;

            picks_have(&before, n, NULL);
            picks_have(&after, n, NULL);
            picks_lose(&after, k);
            for (uint32_t hash = 0; hash < period; hash++)
                moved += picks_ask(&before, hash) != picks_ask(&after, hash);
            picks_close(&before);
            picks_close(&after);
            if (moved != period - (n - 1))
                fail_msg("%u of %u: %u of %u moved", k, n, moved, period);
        }
}

/* -------------------------------------------------------------- highest random weight */

static void minus_log2_is_within_its_stated_error(void **state)
{
    struct random_stream s = random_stream_make(1, 2);
    uint64_t last = UINT64_MAX;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        const uint64_t x = i < 64 ? UINT64_C(1) << i : random_next(&s) >> (i % 60) | 1;
        const long double exact = (64 - log2l((long double)x)) * 4294967296.0L;
        const long double over = (long double)hrw_minus_log2(x) - exact;

        if (over < -1e-6L || over > 1 + 1e-6L)
            fail_msg("%llu: %Lg units off", (unsigned long long)x, over);
    }
    for (unsigned i = 0; i < 100000; i++) {
        const uint64_t lot = hrw_minus_log2(UINT64_MAX / 100000 * i + 1);

        assert_true(lot <= last);
        last = lot;
    }
    assert_int_equal(hrw_minus_log2(UINT64_C(1) << 63), UINT64_C(1) << 32);
}

/* Of `n` hashes, those that a loss moves; fails when it moves one whose member lives. */
static unsigned moved_without_collateral(const char *policy, const uint32_t *weights,
                                         unsigned len, unsigned dead, unsigned n)
{
    struct picks before = picks_open(policy, 5), after = picks_open(policy, 5);
    unsigned moved = 0;

    picks_have(&before, len, weights);
    picks_have(&after, len, weights);
    picks_lose(&after, dead);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t hash = i * 2654435761u >> 1;
        const unsigned was = picks_ask(&before, hash);

        if (was != dead && picks_ask(&after, hash) != was)
            fail_msg("%s, %u of %u goes: hash %u moved and need not", policy, dead, len,
                     hash);
        moved += was == dead;
    }
    picks_close(&before);
    picks_close(&after);
    return moved;
}

static void highest_random_weight_moves_what_the_lost_one_had(void **state)
{
    enum { FLOWS = 10000 };

    (void)state;
    for (unsigned n = 2; n <= 16; n++)
        for (unsigned k = 1; k <= n; k += 3) {
            const double z = picks_z(
                moved_without_collateral("highest-random-weight", NULL, n, k, FLOWS),
                FLOWS, 1.0 / n);

            if (fabs(z) > 4)
                fail_msg("%u of %u: %.1f standard deviations off 1/N", k, n, z);
        }
}

static void highest_random_weight_shares_by_weight(void **state)
{
    static const struct {
        unsigned len;
        uint32_t weights[5];
    } rows[] = {{2, {3, 1}}, {3, {10, 5, 1}}, {3, {256, 1, 255}}, {5, {1, 2, 4, 8, 16}}};
    enum { FLOWS = 30000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t total = 0;

        for (unsigned k = 0; k < rows[i].len; k++)
            total += rows[i].weights[k];
        for (unsigned k = 1; k <= rows[i].len; k++) {
            const double z =
                picks_z(moved_without_collateral("highest-random-weight", rows[i].weights,
                                                 rows[i].len, k, FLOWS),
                        FLOWS, rows[i].weights[k - 1] / (double)total);

            if (fabs(z) > 4)
                fail_msg("row %zu, member %u: %.1f standard deviations off", i, k, z);
        }
    }
}

/* ------------------------------------------------------------------------------ maglev */

static void maglev_count(struct picks *p, unsigned *counts)
{
    memset(counts, 0, PICKS_MAX * sizeof *counts);
    for (uint32_t i = 0; i < p->config.table_size; i++)
        counts[picks_ask(p, i) - 1]++;
}

static void maglev_fills_its_table_evenly(void **state)
{
    static const unsigned sizes[] = {251, 1021, 4099, 65537},
                          lens[] = {1, 2, 3, 7, 16, 100};
    unsigned counts[PICKS_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t k = 0; k < ARRAY_LEN(lens); k++) {
            struct picks p = picks_open("maglev", i);

            p.config.table_size = sizes[i];
            picks_have(&p, lens[k], NULL);
            maglev_count(&p, counts);
            for (unsigned m = 0; m < lens[k]; m++)
                if (counts[m] != sizes[i] / lens[k] &&
                    counts[m] != sizes[i] / lens[k] + 1)
                    fail_msg("%u members, table of %u: one has %u", lens[k], sizes[i],
                             counts[m]);
            picks_close(&p);
        }
}

/*
 * After R rounds a member has had between R w / w_max and that plus 1 turns, so that its
 * entries are within 2 N of its part of the table.
 */
static void maglev_fills_its_table_by_weight(void **state)
{
    static const struct {
        unsigned len;
        uint32_t weights[5];
    } rows[] = {{2, {3, 1}}, {3, {10, 5, 1}}, {3, {256, 1, 255}}, {5, {1, 2, 4, 8, 16}}};
    unsigned counts[PICKS_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open("maglev", 3);
        double total = 0;

        picks_have(&p, rows[i].len, rows[i].weights);
        maglev_count(&p, counts);
        for (unsigned k = 0; k < rows[i].len; k++)
            total += rows[i].weights[k];
        for (unsigned k = 0; k < rows[i].len; k++)
            if (fabs(counts[k] - 65537 * rows[i].weights[k] / total) > 2 * rows[i].len)
                fail_msg("row %zu: member %u has %u entries", i, k + 1, counts[k]);
        picks_close(&p);
    }
}

/* The part of the table that changes when one member goes. */
static double maglev_moves(unsigned len, uint32_t size, uint64_t seed)
{
    struct picks before = picks_open("maglev", seed), after = picks_open("maglev", seed);
    unsigned moved = 0;

    before.config.table_size = after.config.table_size = size;
    picks_have(&before, len, NULL);
    picks_have(&after, len, NULL);
    picks_lose(&after, 1 + (unsigned)(seed % len));
    for (uint32_t i = 0; i < size; i++)
        moved += picks_ask(&before, i) != picks_ask(&after, i);
    picks_close(&before);
    picks_close(&after);
    return moved / (double)size;
}

/* The mean of many tables, where one alone has the standard deviation beside it. */
static void losing_a_maglev_member_moves_little_more_than_its_own(void **state)
{
    static const struct {
        unsigned len;
        uint32_t size;
        double moved, deviation;
        unsigned tables;
    } rows[] = {
        {3, 251, .3454, .012, 200},   {3, 1021, .3385, .007, 200},
        {3, 65537, .3337, .0006, 5},  {5, 1021, .2135, .006, 200},
        {5, 4099, .2062, .007, 50},   {8, 251, .1725, .016, 200},
        {8, 65537, .1271, .0008, 5},  {16, 1021, .0947, .008, 200},
        {16, 65537, .0656, .0004, 5}, {100, 65537, .0156, .0003, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double sum = 0;

        for (unsigned k = 0; k < rows[i].tables; k++)
            sum += maglev_moves(rows[i].len, rows[i].size, k);
        sum /= rows[i].tables;
        if (fabs(sum - rows[i].moved) > rows[i].deviation)
            fail_msg("%u members, table of %u: %.4f moved, not %.4f", rows[i].len,
                     rows[i].size, sum, rows[i].moved);
    }
}

/* What is gone and returns finds all as it was. */
static void a_return_restores_every_choice(void **state)
{
    static const char *const names[] = {"modulo-n", "highest-random-weight", "maglev"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct picks p = picks_open(names[i], 1), q = picks_open(names[i], 1);

        picks_have(&p, 5, NULL);
        picks_have(&q, 5, NULL);
        picks_lose(&q, 2);
        picks_ask(&q, 0);
        picks_lose(&q, 0);
        for (uint32_t hash = 0; hash < 20000; hash++)
            if (picks_ask(&p, hash) != picks_ask(&q, hash))
                fail_msg("%s: hash %u", names[i], hash);
        picks_close(&p);
        picks_close(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modulo_n_moves_all_but_one_in_n_wherever_it_loses),
        cmocka_unit_test(minus_log2_is_within_its_stated_error),
        cmocka_unit_test(highest_random_weight_moves_what_the_lost_one_had),
        cmocka_unit_test(highest_random_weight_shares_by_weight),
        cmocka_unit_test(maglev_fills_its_table_evenly),
        cmocka_unit_test(maglev_fills_its_table_by_weight),
        cmocka_unit_test(losing_a_maglev_member_moves_little_more_than_its_own),
        cmocka_unit_test(a_return_restores_every_choice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
