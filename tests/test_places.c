#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig.h"

static const struct prefix of_wan2[] = {
    {.addr = {.bytes = {203, 0, 113, 0}, .family = FAMILY_V4}, .length = 24}};

static void with_a_routed_prefix(struct scenario *s)
{
    static struct scenario_wan wans[RIG_WANS];

    for (int i = 0; i < RIG_WANS; i++)
        wans[i] = s->wans[i];
    wans[1].prefixes = of_wan2;
    wans[1].prefixes_len = 1;
    s->wans = wans;
}

static unsigned leaks(const struct places *p, const char *src, const char *dst, int wan)
{
    struct addr from, to;

    assert_true(addr_parse(src, &from) && addr_parse(dst, &to));
    return places_leaks(p, &from, &to, wan);
}

static void what_must_not_leave_by_a_wan_is_known(void **state)
{
    static const struct {
        const char *when, *src, *dst;
        int wan;
        unsigned leaks;
    } rows[] = {
        {"the WAN's own address", "100.64.1.2", "198.51.100.1", 0, 0},
        {"another WAN's address", "100.64.2.2", "198.51.100.1", 0, LEAK_FOREIGN},
        {"a prefix routed to this WAN", "203.0.113.9", "198.51.100.1", 1, 0},
        {"a prefix routed to another", "203.0.113.9", "198.51.100.1", 2, LEAK_FOREIGN},
        {"nobody's public address", "192.0.2.9", "198.51.100.1", 0, 0},
        {"a private source", "192.168.10.50", "198.51.100.1", 0, LEAK_UNTRANSLATED},
        {"a private source, IPv6", "fd00::1", "2001:db8:f::1", 0, LEAK_UNTRANSLATED},
        {"shared address space is not private", "100.64.9.9", "198.51.100.1", 0, 0},
        {"for the LAN", "100.64.1.2", "192.168.10.7", 0, LEAK_INSIDE},
        {"two at once", "192.168.10.50", "192.168.10.7", 0,
         LEAK_INSIDE | LEAK_UNTRANSLATED},
    };
    struct rig *r = rig_create(with_a_routed_prefix);
    struct places p;

    (void)state;
    places_init(&p, &r->scenario, r->lab->router);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const unsigned got = leaks(&p, rows[i].src, rows[i].dst, rows[i].wan);

        if (got != rows[i].leaks)
            fail_msg("%s: %u, not %u", rows[i].when, got, rows[i].leaks);
    }
    places_free(&p);
    rig_destroy(r);
}

static void an_address_belongs_to_a_wan_only_while_it_has_it(void **state)
{
    struct rig *r = rig_create(NULL);
    struct addr old;
    struct prefix anew;
    struct places p;

    (void)state;
    places_init(&p, &r->scenario, r->lab->router);
    assert_true(addr_parse("100.64.2.2", &old) && prefix_parse("100.64.2.77/24", &anew));
    assert_int_equal(leaks(&p, "100.64.2.77", "198.51.100.1", 0), 0);
    router_change_address(r->lab->router, 2, &old, &anew);
    assert_int_equal(leaks(&p, "100.64.2.77", "198.51.100.1", 0), LEAK_FOREIGN);
    assert_int_equal(leaks(&p, "100.64.2.2", "198.51.100.1", 0), 0);
    places_free(&p);
    rig_destroy(r);
}

static void interfaces_map_to_their_wans(void **state)
{
    struct rig *r = rig_create(NULL);
    struct places p;

    (void)state;
    places_init(&p, &r->scenario, r->lab->router);
    assert_int_equal(places_wan(&p, 0), -1);
    assert_int_equal(places_wan(&p, 3), 2);
    assert_int_equal(places_wan(&p, NEXTHOP_NONE), -1);
    places_free(&p);
    rig_destroy(r);
}

/* A WAN behind another translating box has a private address itself. */
static void a_private_source_that_is_the_wans_own_is_translated(void **state)
{
    struct rig *r = rig_create(NULL);
    struct addr old;
    struct prefix anew;
    struct places p;

    (void)state;
    places_init(&p, &r->scenario, r->lab->router);
    assert_true(addr_parse("100.64.1.2", &old) && prefix_parse("192.168.1.2/24", &anew));
    router_change_address(r->lab->router, 1, &old, &anew);
    assert_int_equal(leaks(&p, "192.168.1.2", "198.51.100.1", 0), 0);
    assert_int_equal(leaks(&p, "192.168.1.2", "198.51.100.1", 1),
                     LEAK_FOREIGN | LEAK_UNTRANSLATED);
    places_free(&p);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_not_leave_by_a_wan_is_known),
        cmocka_unit_test(an_address_belongs_to_a_wan_only_while_it_has_it),
        cmocka_unit_test(interfaces_map_to_their_wans),
        cmocka_unit_test(a_private_source_that_is_the_wans_own_is_translated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
