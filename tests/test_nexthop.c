#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/routers.h"

enum { HOPS_MAX = 16 };

/* A group of these weights; a weight of 0 is a next hop that is down with weight 1. */
static struct nexthop_group *group_of(const unsigned *weights, unsigned len)
{
    struct nexthop hops[HOPS_MAX] = {0};

    for (unsigned i = 0; i < len; i++)
        hops[i] = (struct nexthop){.iface = (uint16_t)i,
                                   .weight = (uint16_t)(weights[i] ? weights[i] : 1),
                                   .up = weights[i] != 0};
    return nexthop_group_create(hops, len);
}

/* Sources: Linux fib_rebalance(); bounds by arithmetic, round(cumulated * 2^31 / total) - 1. */
static void regions_end_where_the_kernel_ends_them(void **state)
{
    static const struct {
        const char *what;
        unsigned len, weights[5];
        int32_t bounds[5];
    } rows[] = {
        {"1,1", 2, {1, 1}, {1073741823, 2147483647}},
        {"1,1,1", 3, {1, 1, 1}, {715827882, 1431655764, 2147483647}},
        {"1,1,1, the middle dead", 3, {1, 0, 1}, {1073741823, -1, 2147483647}},
        {"1,1,1, the first dead", 3, {0, 1, 1}, {-1, 1073741823, 2147483647}},
        {"1,1,1, two dead", 3, {0, 0, 1}, {-1, -1, 2147483647}},
        {"1,1,1, all dead", 3, {0, 0, 0}, {-1, -1, -1}},
        {"1,2,1", 3, {1, 2, 1}, {536870911, 1610612735, 2147483647}},
        {"3,1", 2, {3, 1}, {1610612735, 2147483647}},
        {"10,5", 2, {10, 5}, {1431655764, 2147483647}},
        {"100,20", 2, {100, 20}, {1789569706, 2147483647}},
        {"five",
         5,
         {1, 1, 1, 1, 1},
         {429496729, 858993458, 1288490188, 1717986917, 2147483647}},
        {"one", 1, {256}, {2147483647}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct nexthop_group *g = group_of(rows[i].weights, rows[i].len);

        for (unsigned k = 0; k < rows[i].len; k++)
            if (g->hops[k].upper_bound != rows[i].bounds[k])
                fail_msg("%s: bound %u is %d", rows[i].what, k, g->hops[k].upper_bound);
        nexthop_group_destroy(g);
    }
}

static void a_hash_on_a_bound_belongs_to_the_region_that_ends_there(void **state)
{
    static const struct {
        uint32_t hash;
        unsigned of_three, without_middle;
    } rows[] = {
        {0, 0, 0},          {715827882, 0, 0},  {715827883, 1, 0},  {1073741823, 1, 0},
        {1073741824, 1, 2}, {1431655764, 1, 2}, {1431655765, 2, 2}, {LAST_HASH, 2, 2},
    };
    struct nexthop_group *g = group_of((const unsigned[]){1, 1, 1}, 3);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (nexthop_group_pick(g, rows[i].hash) != rows[i].of_three)
            fail_msg("hash %u", rows[i].hash);
    g->hops[1].up = false;
    nexthop_group_rebalance(g);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (nexthop_group_pick(g, rows[i].hash) != rows[i].without_middle)
            fail_msg("hash %u without the middle one", rows[i].hash);
    nexthop_group_destroy(g);
}

static void a_group_without_a_living_next_hop_gives_none(void **state)
{
    struct nexthop_group *empty = nexthop_group_create(NULL, 0);
    struct nexthop_group *dead = group_of((const unsigned[]){0, 0}, 2);

    (void)state;
    assert_int_equal(nexthop_group_pick(empty, 0), NEXTHOP_NONE);
    assert_int_equal(nexthop_group_pick(dead, LAST_HASH), NEXTHOP_NONE);
    assert_int_equal(dead->live, 0);
    nexthop_group_destroy(empty);
    nexthop_group_destroy(dead);
}

static void shares_are_the_weights_of_the_living(void **state)
{
    struct nexthop_group *g = group_of((const unsigned[]){3, 1, 4}, 3);

    (void)state;
    assert_true(nexthop_share(g, 0) == 0.375);
    assert_true(nexthop_share(g, 1) == 0.125);
    g->hops[2].up = false;
    nexthop_group_rebalance(g);
    assert_true(nexthop_share(g, 0) == 0.75);
    assert_true(nexthop_share(g, 2) == 0);
    assert_int_equal(g->live, 2);
    assert_int_equal(g->total_weight, 4);
    nexthop_group_destroy(g);
}

/* The largest group of the largest weights still ends at the last hash. */
static void the_last_region_ends_at_the_last_hash(void **state)
{
    static struct nexthop hops[NEXTHOP_GROUP_MAX];
    struct nexthop_group *g;
    int32_t before = -1;

    (void)state;
    for (size_t i = 0; i < NEXTHOP_GROUP_MAX; i++)
        hops[i] = (struct nexthop){.weight = 256, .up = true};
    g = nexthop_group_create(hops, NEXTHOP_GROUP_MAX);
    for (unsigned i = 0; i < g->len; i++) {
        assert_true(g->hops[i].upper_bound > before);
        before = g->hops[i].upper_bound;
    }
    assert_int_equal(before, LAST_HASH);
    nexthop_group_destroy(g);
}

/* ------------------------------------------------------------------- what a death moves */

/* The part of all hashes that change their owner when next hop `dead` goes, counted exactly:
 * both sets of regions are walked bound by bound. */
static double moved_share(const unsigned *weights, unsigned len, unsigned dead)
{
    struct nexthop_group *before = group_of(weights, len),
                         *after = group_of(weights, len);
    uint64_t moved = 0;
    uint32_t hash = 0;

    after->hops[dead].up = false;
    nexthop_group_rebalance(after);
    for (;;) {
        const unsigned a = nexthop_group_pick(before, hash),
                       b = nexthop_group_pick(after, hash);
        const int32_t end_a = before->hops[a].upper_bound,
                      end_b = after->hops[b].upper_bound;
        const uint32_t end = (uint32_t)(end_a < end_b ? end_a : end_b);

        if (a != b)
            moved += (uint64_t)end - hash + 1;
        if (end == LAST_HASH)
            break;
        hash = end + 1;
    }
    nexthop_group_destroy(before);
    nexthop_group_destroy(after);
    return (double)moved / 2147483648.0;
}

/* RFC 2992, Disruption: of N equal regions the K-th goes (K from 1):
 * ((K-1)K + (N-K)(N-K+1)) / (2N(N-1)). Bounds are rounded: N hashes may go either way. */
static void losing_one_of_equals_moves_what_rfc_2992_says(void **state)
{
    static const unsigned equal[HOPS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1,
                                             1, 1, 1, 1, 1, 1, 1, 1};

    (void)state;
    for (unsigned n = 2; n <= HOPS_MAX; n++)
        for (unsigned k = 1; k <= n; k++) {
            const double rfc =
                (double)((k - 1) * k + (n - k) * (n - k + 1)) / (2.0 * n * (n - 1));
            const double moved = moved_share(equal, n, k - 1);

            if (fabs(moved - rfc) > n / 2147483648.0)
                fail_msg("%u of %u: moved %.9f, the RFC says %.9f", k, n, moved, rfc);
        }
}

/* Overlaps of partial sums in exact fractions. */
static void losing_one_of_unequals_moves_what_overlaps_say(void **state)
{
    static const struct {
        const char *what;
        unsigned weights[3];
        double moved[3];
    } rows[] = {
        {"10,5,1", {10, 5, 1}, {35 / 48., 5 / 16., 5 / 48.}},
        {"4,2,1", {4, 2, 1}, {16 / 21., 2 / 7., 5 / 21.}},
        {"2,4,1", {2, 4, 1}, {12 / 35., 4 / 7., 4 / 21.}},
        {"5,3,2", {5, 3, 2}, {7 / 10., 3 / 10., 13 / 40.}},
        {"2,5,3", {2, 5, 3}, {11 / 40., 1 / 2., 27 / 70.}},
        {"3,2,5", {3, 2, 5}, {1 / 2., 1 / 5., 7 / 10.}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned k = 0; k < 3; k++) {
            const double moved = moved_share(rows[i].weights, 3, k);

            if (fabs(moved - rows[i].moved[k]) > 3 / 2147483648.0)
                fail_msg("%s without %u: moved %.9f", rows[i].what, k, moved);
        }
}

/* Linux, measured: of the survivors' flows 25 % 0 25 % at three, 33 11 11 33 at four, ... */
static void the_survivors_flows_move_too(void **state)
{
    static const struct {
        unsigned len;
        double percent[5];
    } rows[] = {
        {2, {0, 0}},
        {3, {25, 0, 25}},
        {4, {33, 11, 11, 33}},
        {5, {38, 19, 13, 19, 38}},
    };
    static const unsigned equal[5] = {1, 1, 1, 1, 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned k = 0; k < rows[i].len; k++) {
            const double own = 1.0 / rows[i].len;
            const double others =
                (moved_share(equal, rows[i].len, k) - own) / (1 - own) * 100;

            if (fabs(others - rows[i].percent[k]) > 0.5 + 1e-6)
                fail_msg("%u of %u: %.3f %%", k, rows[i].len, others);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_end_where_the_kernel_ends_them),
        cmocka_unit_test(a_hash_on_a_bound_belongs_to_the_region_that_ends_there),
        cmocka_unit_test(a_group_without_a_living_next_hop_gives_none),
        cmocka_unit_test(shares_are_the_weights_of_the_living),
        cmocka_unit_test(the_last_region_ends_at_the_last_hash),
        cmocka_unit_test(losing_one_of_equals_moves_what_rfc_2992_says),
        cmocka_unit_test(losing_one_of_unequals_moves_what_overlaps_say),
        cmocka_unit_test(the_survivors_flows_move_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
