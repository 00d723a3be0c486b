#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "tests/routers.h"

#define THREE_WANS                                                                       \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24 2001:db8:1::2/64\n"                                        \
    "iface wan2 100.64.2.2/24 2001:db8:2::2/64\n"                                        \
    "iface wan3 100.64.3.2/24 2001:db8:3::2/64\n"
#define MULTIPATH                                                                        \
    "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1 100.64.3.1\n"                             \
    "route ::/0 via 2001:db8:1::1 2001:db8:2::1 2001:db8:3::1\n"
#define V4 "udp 192.168.10.5:1 > 203.0.113.1:2"
#define V6 "udp [2001:db8:10::5]:1 > [2001:db8:ffff::1]:2"

static const struct fib_entry *entry_of(const struct lab *l, const char *dst)
{
    const struct prefix p = network(dst);

    return rib_find(router_rib(l->router), TABLE_MAIN, &p);
}

static void check_bounds(const char *what, const struct lab *l, const char *dst,
                         const int32_t bounds[3])
{
    const struct fib_entry *e = entry_of(l, dst);

    if (!e)
        fail_msg("%s: %s is gone", what, dst);
    for (unsigned i = 0; i < 3; i++)
        if (e->group->hops[i].upper_bound != bounds[i])
            fail_msg("%s: %s: bound %u is %d", what, dst, i,
                     e->group->hops[i].upper_bound);
}

static const int32_t all_three[] = {715827882, 1431655764, 2147483647};
static const int32_t without_second[] = {1073741823, -1, 2147483647};
static const int32_t none[] = {-1, -1, -1};

/* ------------------------------------------- Linux: dead and link-less next hops, measured */

static void admin_down_kills_and_up_revives_in_the_same_place(void **state)
{
    struct lab *l = lab_create(THREE_WANS MULTIPATH);
    const unsigned wan2 = 2;
    const struct addr no_address = {0};
    const struct prefix back = interface_address("2001:db8:2::2/64");

    (void)state;
    check_bounds("at first", l, "0.0.0.0/0", all_three);
    lab_set_admin(l, "wan2", false);
    check_bounds("wan2 down", l, "0.0.0.0/0", without_second);
    check_bounds("wan2 down", l, "::/0", without_second);
    lab_set_admin(l, "wan2", true);
    check_bounds("wan2 up", l, "0.0.0.0/0", all_three);
    check_bounds("wan2 up", l, "::/0", all_three);
    assert_false(iface_has_family(router_iface(l->router, wan2), FAMILY_V6));
    router_change_address(l->router, wan2, &no_address, &back);
    assert_true(iface_has_family(router_iface(l->router, wan2), FAMILY_V6));
    lab_destroy(l);
}

static void a_route_whose_next_hops_are_all_admin_down_is_gone_for_good(void **state)
{
    static const char *const wans[] = {"wan1", "wan2", "wan3"};
    struct lab *l = lab_create(THREE_WANS MULTIPATH);

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        lab_set_admin(l, wans[i], false);
    for (unsigned i = 0; i < 3; i++)
        lab_set_admin(l, wans[i], true);
    assert_null(entry_of(l, "0.0.0.0/0"));
    assert_null(entry_of(l, "::/0"));
    assert_string_equal(lab_route(l, "lan", V4), "no route");
    router_set_route_disabled(l->router, 0, false); /* somebody adds it again */
    check_bounds("added again", l, "0.0.0.0/0", all_three);
    lab_destroy(l);
}

static void carrier_loss_is_not_seen_unless_it_is_told_to_be(void **state)
{
    struct lab *seen = lab_create("ignore-linkdown\n" THREE_WANS MULTIPATH);
    struct lab *unseen = lab_create(THREE_WANS MULTIPATH);

    (void)state;
    lab_set_carrier(unseen, "wan2", false);
    check_bounds("default", unseen, "0.0.0.0/0", all_three);
    check_bounds("default", unseen, "::/0", all_three);
    lab_set_carrier(seen, "wan2", false);
    check_bounds("ignore = 1", seen, "0.0.0.0/0", without_second);
    check_bounds("ignore = 1", seen, "::/0", without_second);
    lab_set_carrier(seen, "wan2", true);
    check_bounds("back", seen, "0.0.0.0/0", all_three);
    lab_destroy(seen);
    lab_destroy(unseen);
}

static void without_any_carrier_the_next_metric_serves_until_one_is_back(void **state)
{
    static const char *const wans[] = {"wan1", "wan2", "wan3"};
    struct lab *l =
        lab_create("ignore-linkdown\n" THREE_WANS "iface lte 100.64.9.2/24\n" MULTIPATH
                   "route 0.0.0.0/0 via 100.64.9.1 distance 100\n");

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        lab_set_carrier(l, wans[i], false);
    check_bounds("none left", l, "0.0.0.0/0", none);
    assert_string_equal(lab_route(l, "lan", V4), "main lte 100.64.9.1");
    lab_set_carrier(l, "lte", false);
    assert_string_equal(lab_route(l, "lan", V4), "no route");
    lab_set_carrier(l, "wan2", true);
    assert_string_equal(lab_route(l, "lan", V4), "main wan2 100.64.2.1");
    lab_destroy(l);
}

static void the_last_ipv4_address_takes_its_next_hops_along(void **state)
{
    struct lab *l = lab_create(THREE_WANS MULTIPATH);
    const struct addr old = address("100.64.2.2");
    const struct prefix none_new = {0}, again = interface_address("100.64.2.2/24");
    const struct addr no_address = {0};

    (void)state;
    router_change_address(l->router, 2, &old, &none_new);
    check_bounds("no address", l, "0.0.0.0/0", without_second);
    check_bounds("IPv6 does not care", l, "::/0", all_three);
    router_change_address(l->router, 2, &no_address, &again);
    check_bounds("an address", l, "0.0.0.0/0", all_three);
    lab_destroy(l);
}

/* RouterOS keeps its routes and puts them back. */
static void routeros_loses_no_route_for_good(void **state)
{
    static const char *const wans[] = {"wan1", "wan2", "wan3"};
    struct lab *l = lab_create("platform routeros7\n" THREE_WANS MULTIPATH);

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        i % 2 ? lab_set_carrier(l, wans[i], false) : lab_set_admin(l, wans[i], false);
    assert_string_equal(lab_route(l, "lan", V4), "no route");
    assert_string_equal(lab_route(l, "lan", V6), "no route");
    for (unsigned i = 0; i < 3; i++)
        i % 2 ? lab_set_carrier(l, wans[i], true) : lab_set_admin(l, wans[i], true);
    check_bounds("all back", l, "0.0.0.0/0", all_three);
    check_bounds("all back", l, "::/0", all_three);
    lab_destroy(l);
}

/* --------------------------------------------------------------------------- candidates */

static void distance_decides_and_equals_join(void **state)
{
    static const struct {
        const char *what, *routes;
        unsigned members;
        const char *flags;
    } rows[] = {
        {"the lower distance",
         "route 0.0.0.0/0 via 100.64.1.1\n"
         "route 0.0.0.0/0 via 100.64.2.1 distance 2\n",
         1, "As"},
        {"equal ones join",
         "route 0.0.0.0/0 via 100.64.1.1\n"
         "route 0.0.0.0/0 via 100.64.2.1\n",
         2, "AA"},
        {"around one that does not",
         "route 0.0.0.0/0 via 100.64.1.1\n"
         "route 0.0.0.0/0 via 100.64.3.1 distance 2\n"
         "route 0.0.0.0/0 via 100.64.2.1\n",
         2, "AsA"},
        {"a disabled one does not count",
         "route 0.0.0.0/0 via 100.64.1.1 disabled\n"
         "route 0.0.0.0/0 via 100.64.2.1 distance 9\n",
         1, "IA"},
        {"an unreachable one neither",
         "route 0.0.0.0/0 via 100.99.1.1\n"
         "route 0.0.0.0/0 via 100.64.2.1 distance 9\n",
         1, "IA"},
        {"weights make several shares", "route 0.0.0.0/0 via 100.64.1.1*3 100.64.2.1\n",
         2, "A"},
        {"the same gateway twice counts twice",
         "route 0.0.0.0/0 via 100.64.1.1\n"
         "route 0.0.0.0/0 via 100.64.1.1\n",
         2, "AA"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[512] = "platform routeros7\n" THREE_WANS;
        const struct fib_entry *e;
        struct lab *l;

        strcat(config, rows[i].routes);
        l = lab_create(config);
        e = entry_of(l, "0.0.0.0/0");
        while (e && !e->usable && e->next != RIB_NO_ROUTE)
            e = rib_entry(router_rib(l->router), e->next);
        if (!e || e->group->live != rows[i].members)
            fail_msg("%s: %u members", rows[i].what, e ? e->group->live : 0u);
        for (uint32_t k = 0; rows[i].flags[k]; k++) {
            const struct rib *rib = router_rib(l->router);
            const char got = rib_route_is_active(rib, k)      ? 'A'
                             : rib_route_is_reachable(rib, k) ? 's'
                                                              : 'I';

            if (got != rows[i].flags[k])
                fail_msg("%s: route %u is %c", rows[i].what, k, got);
        }
        lab_destroy(l);
    }
}

static void the_order_in_a_group_is_that_of_the_configuration(void **state)
{
    struct lab *l =
        lab_create("platform routeros7\n" THREE_WANS "route 0.0.0.0/0 via 100.64.2.1\n"
                   "route 0.0.0.0/0 via 100.64.3.1\n"
                   "route 0.0.0.0/0 via 100.64.1.1\n");
    static const unsigned order[] = {2, 3, 1};

    (void)state;
    for (int round = 0; round < 2; round++) {
        const struct fib_entry *e = entry_of(l, "0.0.0.0/0");

        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(e->group->hops[i].iface, order[i]);
        router_set_route_disabled(l->router, 0, true); /* away and back: in its place */
        router_set_route_disabled(l->router, 0, false);
    }
    lab_destroy(l);
}

static void the_routers_own_routes_are_there(void **state)
{
    static const struct {
        const char *platform, *packet, *answer;
    } rows[] = {
        {"linux", "udp 192.168.10.5:1 > 100.64.1.2:2", "local local"},
        {"linux", "udp 192.168.10.5:1 > 100.64.1.255:2", "local broadcast"},
        {"linux", "udp 192.168.10.5:1 > 100.64.1.0:2", "main wan1"},
        {"routeros7", "udp 192.168.10.5:1 > 100.64.1.0:2", "local broadcast"},
        {"linux", "udp 192.168.10.5:1 > 100.64.1.9:2", "main wan1"},
        {"linux", "udp [2001:db8:10::5]:1 > [2001:db8:1::2]:2", "local local"},
        {"linux", "udp [2001:db8:10::5]:1 > [2001:db8:1::]:2", "local local"},
        {"linux", "udp [2001:db8:10::5]:1 > [2001:db8:1::9]:2", "main wan1"},
        {"routeros7", "udp 192.168.10.5:1 > 192.168.10.9:2", "main lan"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[512];
        struct lab *l;

        strcpy(config, "platform ");
        strcat(config, rows[i].platform);
        strcat(config, "\n" THREE_WANS);
        l = lab_create(config);
        if (strcmp(lab_route(l, "lan", rows[i].packet), rows[i].answer) != 0)
            fail_msg("%s: %s: %s", rows[i].platform, rows[i].packet, l->said);
        lab_destroy(l);
    }
}

/* ------------------------------------------------------------- against a plain reference */

enum { PREFIXES = 300, CHANGES = 400, LOOKUPS = 40 };

struct plain_route {
    struct prefix dst;
    uint32_t distance;
    unsigned iface;
    bool disabled;
};

static struct addr random_addr(struct random_stream *s)
{
    const uint64_t x = random_next(s);
    /* close together, so that prefixes overlap */
    const uint8_t b[4] = {10, (uint8_t)(x & 3), (uint8_t)(x >> 8),
                          (uint8_t)(x >> 16 & 7)};

    return addr_from_v4(b);
}

/* The interface by longest prefix, then distance; -1: none. */
static int plain_lookup(const struct plain_route *all, const struct addr *a,
                        const bool *down)
{
    const struct plain_route *best = NULL;

    for (unsigned i = 0; i < PREFIXES; i++) {
        const struct plain_route *c = &all[i];

        if (c->disabled || down[c->iface] || !prefix_contains(&c->dst, a))
            continue;
        if (!best || c->dst.length > best->dst.length ||
            (c->dst.length == best->dst.length && c->distance < best->distance))
            best = c;
    }
    return best ? (int)best->iface : -1;
}

static void lookups_agree_with_a_walk_over_all_routes(void **state)
{
    static struct plain_route plain[PREFIXES];
    static const char *const names[] = {"lan", "wan1", "wan2", "wan3"};
    struct lab *l = lab_read("platform routeros7\n" THREE_WANS);
    struct config_gateway gateways[4];
    struct random_stream s = random_stream_make(1, 7);
    bool down[4] = {false};

    (void)state;
    for (int i = 0; i < 4; i++)
        gateways[i] = (struct config_gateway){.iface = i, .weight = 1};
    l->config.routes = mem_alloc(PREFIXES, sizeof *l->config.routes);
    l->config.routes_len = PREFIXES;
    for (unsigned i = 0; i < PREFIXES; i++) {
        const struct addr a = random_addr(&s);
        const unsigned lengths[] = {0, 8, 14, 16, 20, 24, 29, 30, 31, 32};

        plain[i] = (struct plain_route){prefix_of(&a, lengths[random_below(&s, 10)]),
                                        i + 1, 1 + (unsigned)random_below(&s, 3), false};
        l->config.routes[i] = (struct config_route){.dst = plain[i].dst,
                                                    .distance = plain[i].distance,
                                                    .scope = 30,
                                                    .target_scope = 10,
                                                    .gateways = &gateways[plain[i].iface],
                                                    .gateways_len = 1};
    }
    l->router = router_create(&l->config);
    for (unsigned i = 0; i < CHANGES; i++) {
        const unsigned route = (unsigned)random_below(&s, PREFIXES);
        const unsigned wan = 1 + (unsigned)random_below(&s, 3);

        if (random_below(&s, 4) == 0) {
            down[wan] = !down[wan];
            lab_set_carrier(l, names[wan], !down[wan]);
        } else {
            plain[route].disabled = !plain[route].disabled;
            router_set_route_disabled(l->router, route, plain[route].disabled);
        }
        for (unsigned k = 0; k < LOOKUPS; k++) {
            const struct addr a = random_addr(&s);
            const struct fib_entry *e =
                rib_lookup(router_rib(l->router), TABLE_MAIN, &a, 0, -1);
            const int got = e ? e->group->hops[0].iface : -1;

            if (got != plain_lookup(plain, &a, down))
                fail_msg("change %u, look-up %u: %d", i, k, got);
        }
    }
    lab_destroy(l);
}

static void flapping_costs_no_memory(void **state)
{
    struct lab *l = lab_create("platform routeros7\n" THREE_WANS MULTIPATH);
    size_t bytes = 0;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        lab_set_admin(l, "wan2", i % 2);
        lab_set_carrier(l, "wan3", i % 2);
        router_set_route_disabled(l->router, 0, i % 2);
        if (i == 10)
            bytes = rib_memory_bytes(router_rib(l->router));
    }
    assert_true(rib_memory_bytes(router_rib(l->router)) == bytes);
    lab_destroy(l);
}

/* The kernel's answers. Sources: rt6_check_dev(), fib_sync_down_dev(), fib_lookup_good_nhc(). */
static void linux_minds_the_interface_in_its_own_ways(void **state)
{
    static const char config[] = "iface a 10.0.0.1/24 2001:db8::1/64\n"
                                 "iface b 10.1.0.1/24 2001:db8::2/64 2001:db8:1::1/64\n"
                                 "iface c\n";
    static const struct {
        const char *what, *down, *dst;
        int out_iface, near_iface, iface; /* -1: none; as found, -1: nothing */
    } rows[] = {
        {"of two equal networks the first", NULL, "2001:db8::9", -1, -1, 0},
        {"the one that the packet came from", NULL, "2001:db8::9", -1, 1, 1},
        {"the first when it came from elsewhere", NULL, "2001:db8::9", -1, 2, 0},
        {"a network that is nowhere else", NULL, "2001:db8:1::9", -1, 0, 1},
        {"an address on the interface that it is bound to", NULL, "10.0.0.1", 0, -1, 0},
        {"an address on another interface", NULL, "10.0.0.1", 1, -1, -1},
        {"a broadcast", NULL, "10.1.0.255", -1, -1, 1},
        {"a broadcast of an interface that is down", "b", "10.1.0.255", -1, -1, -1},
        {"an address of an interface that is down", "b", "10.1.0.1", -1, -1, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lab *l = lab_create(config);
        const struct addr dst = address(rows[i].dst);
        const struct fib_entry *e = NULL;

        if (rows[i].down)
            lab_set_admin(l, rows[i].down, false);
        for (unsigned table = TABLE_MAIN; table <= TABLE_LOCAL && !e; table++)
            e = rib_lookup_near(router_rib(l->router), table, &dst, 0, rows[i].out_iface,
                                rows[i].near_iface);
        if ((e ? e->iface : -1) != rows[i].iface)
            fail_msg("%s: interface %d", rows[i].what, e ? e->iface : -1);
        lab_destroy(l);
    }
}

/* Linux fib_add_ifaddr() appends: of two equal networks the one that was away is the second. */
static void a_network_that_was_away_comes_behind_its_equal(void **state)
{
    struct lab *l = lab_create("iface a 10.0.0.1/24\niface b 10.0.0.101/24\n");
    const struct rib *rib = router_rib(l->router);
    const struct addr dst = address("10.0.0.9");

    (void)state;
    assert_int_equal(rib_lookup(rib, TABLE_MAIN, &dst, 0, -1)->iface, 0);
    lab_set_carrier(l, "a", false);
    lab_set_carrier(l, "a", true);
    assert_int_equal(rib_lookup(rib, TABLE_MAIN, &dst, 0, -1)->iface, 0);
    lab_set_admin(l, "a", false);
    assert_int_equal(rib_lookup(rib, TABLE_MAIN, &dst, 0, -1)->iface, 1);
    lab_set_admin(l, "a", true);
    assert_int_equal(rib_lookup(rib, TABLE_MAIN, &dst, 0, -1)->iface, 1);
    lab_set_admin(l, "b", false);
    assert_int_equal(rib_lookup(rib, TABLE_MAIN, &dst, 0, -1)->iface, 0);
    lab_destroy(l);
}

/* Linux addrconf_notify(): IPv6 takes its next hops up again with the carrier, IPv4 before. */
static void ipv6_next_hops_come_back_with_the_carrier(void **state)
{
    struct lab *l = lab_create("iface a 10.0.0.1/24 2001:db8::1/64\n"
                               "iface b 10.1.0.1/24 2001:db8:1::1/64\n"
                               "route 0.0.0.0/0 via 10.0.0.2%a 10.1.0.2%b\n"
                               "route ::/0 via 2001:db8::2%a 2001:db8:1::2%b\n");
    const struct prefix v4 = network("0.0.0.0/0"), v6 = network("::/0");
    const struct rib *rib = router_rib(l->router);

    (void)state;
    lab_set_admin(l, "b", false);
    assert_int_equal(rib_find(rib, TABLE_MAIN, &v6)->group->live, 1);
    lab_set_carrier(l, "b", false);
    lab_set_admin(l, "b", true);
    assert_int_equal(rib_find(rib, TABLE_MAIN, &v4)->group->live, 2);
    assert_int_equal(rib_find(rib, TABLE_MAIN, &v6)->group->live, 1);
    lab_set_carrier(l, "b", true);
    assert_int_equal(rib_find(rib, TABLE_MAIN, &v6)->group->live, 2);
    lab_set_carrier(l, "b", false);
    assert_int_equal(rib_find(rib, TABLE_MAIN, &v6)->group->live, 2);
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admin_down_kills_and_up_revives_in_the_same_place),
        cmocka_unit_test(a_route_whose_next_hops_are_all_admin_down_is_gone_for_good),
        cmocka_unit_test(carrier_loss_is_not_seen_unless_it_is_told_to_be),
        cmocka_unit_test(without_any_carrier_the_next_metric_serves_until_one_is_back),
        cmocka_unit_test(the_last_ipv4_address_takes_its_next_hops_along),
        cmocka_unit_test(routeros_loses_no_route_for_good),
        cmocka_unit_test(distance_decides_and_equals_join),
        cmocka_unit_test(the_order_in_a_group_is_that_of_the_configuration),
        cmocka_unit_test(the_routers_own_routes_are_there),
        cmocka_unit_test(lookups_agree_with_a_walk_over_all_routes),
        cmocka_unit_test(flapping_costs_no_memory),
        cmocka_unit_test(linux_minds_the_interface_in_its_own_ways),
        cmocka_unit_test(ipv6_next_hops_come_back_with_the_carrier),
        cmocka_unit_test(a_network_that_was_away_comes_behind_its_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
