#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "sim/observe/promise.h"

/* Interfaces 0 (LAN), 1, 2, 3: the WANs are 0, 1, 2. */
static const int wan_of_iface[] = {-1, 0, 1, 2};

static struct nexthop_group *group(const uint16_t *weights, const bool *up, size_t n)
{
    struct nexthop hops[4] = {0};

    for (size_t i = 0; i < n; i++)
        hops[i] = (struct nexthop){
            .iface = (uint16_t)(i + 1), .weight = weights[i], .up = up[i]};
    return nexthop_group_create(hops, n);
}

static void shares_are_those_of_the_living_members(void **state)
{
    static const uint16_t weights[] = {1, 2, 3};
    static const struct {
        const char *when;
        bool up[3];
        int chosen;
        double shares[3];
        bool choice;
    } rows[] = {
        {"all live", {true, true, true}, 0, {1.0 / 6, 2.0 / 6, 3.0 / 6}, true},
        {"the middle one is dead", {true, false, true}, 2, {1.0 / 4, 0, 3.0 / 4}, true},
        {"one is left", {false, false, true}, 2, {0, 0, 1}, false},
        {"the chosen one is dead", {true, true, false}, 2, {0, 0, 1}, false},
    };
    struct promises p;

    (void)state;
    promises_init(&p, 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nexthop_group *g = group(weights, rows[i].up, 3);
        const uint32_t n = promises_find(&p, g, wan_of_iface, rows[i].chosen);

        for (size_t w = 0; w < 3; w++)
            if (fabs(promise_share(&p, n, w) - rows[i].shares[w]) > 1e-12)
                fail_msg("%s: wan%zu %.6f", rows[i].when, w + 1, promise_share(&p, n, w));
        if (p.promises[n].choice != rows[i].choice)
            fail_msg("%s: choice %d", rows[i].when, p.promises[n].choice);
        nexthop_group_destroy(g);
    }
    promises_free(&p);
}

static void a_route_without_a_group_promises_to_its_wan(void **state)
{
    struct promises p;
    uint32_t n;

    (void)state;
    promises_init(&p, 3);
    n = promises_find(&p, NULL, wan_of_iface, 1);
    assert_true(fabs(promise_share(&p, n, 1) - 1) <= 0);
    assert_false(p.promises[n].choice);
    promises_free(&p);
}

static void two_gateways_of_one_wan_are_no_choice(void **state)
{
    const struct nexthop hops[] = {{.iface = 2, .weight = 1, .up = true},
                                   {.iface = 2, .weight = 4, .up = true},
                                   {.iface = 0, .weight = 9, .up = true}};
    struct nexthop_group *g = nexthop_group_create(hops, 3);
    struct promises p;
    uint32_t n;

    (void)state;
    promises_init(&p, 3);
    n = promises_find(&p, g, wan_of_iface, 1);
    assert_true(fabs(promise_share(&p, n, 1) - 1) <= 0);
    assert_false(p.promises[n].choice);
    promises_free(&p);
    nexthop_group_destroy(g);
}

static void equal_promises_are_one(void **state)
{
    static const bool up[] = {true, true, true};
    struct promises p;

    (void)state;
    promises_init(&p, 3);
    for (uint16_t round = 0; round < 2; round++)
        for (uint16_t i = 1; i <= 100; i++) {
            const uint16_t weights[] = {i, 1, 1};
            struct nexthop_group *g = group(weights, up, 3);

            assert_int_equal(promises_find(&p, g, wan_of_iface, 0), i - 1);
            nexthop_group_destroy(g);
        }
    assert_int_equal(p.len, 100);
    promises_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_the_living_members),
        cmocka_unit_test(a_route_without_a_group_promises_to_its_wan),
        cmocka_unit_test(two_gateways_of_one_wan_are_no_choice),
        cmocka_unit_test(equal_promises_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
