#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "tests/routers.h"

#define ROUTER                                                                           \
    "platform routeros7\n"                                                               \
    "iface lan 192.168.10.1/24\n"                                                        \
    "iface wan1 10.111.0.2/24\n"                                                         \
    "iface wan2 10.112.0.2/24\n"                                                         \
    "iface ppp1\n"

/* The state of a route as /ip/route/print shows it: A active, I inactive, else neither. */
static char route_flag(const struct lab *l, uint32_t route)
{
    const struct rib *r = router_rib(l->router);

    if (rib_route_is_active(r, route))
        return 'A';
    return rib_route_is_reachable(r, route) ? 's' : 'I';
}

static void check_routes(const char *what, const char *config, const char *flags,
                         const char *via)
{
    struct lab *l = lab_create(config);

    for (uint32_t i = 0; flags[i]; i++)
        if (route_flag(l, i) != flags[i])
            fail_msg("%s: route %u is %c, not %c", what, i, route_flag(l, i), flags[i]);
    if (strcmp(lab_route(l, "lan", "udp 192.168.10.5:1 > 203.0.113.1:2"), via) != 0)
        fail_msg("%s: %s, not %s", what, l->said, via);
    lab_destroy(l);
}

/* RouterOS manual, "Routing Decision": Nexthop Lookup; flags of the routes in their order, and
 * the way of a packet to 203.0.113.1. */
static void a_gateway_resolves_by_scope_and_target_scope(void **state)
{
    static const struct {
        const char *what, *routes, *flags, *via;
    } rows[] = {
        {"by a connected network", "route 0.0.0.0/0 via 10.111.0.1\n", "A",
         "main wan1 10.111.0.1"},
        {"no network holds it", "route 0.0.0.0/0 via 10.99.0.1\n", "I", "no route"},
        {"a canary of scope 10 is repaired to 11: target scope 10 does not see it",
         "route 8.8.8.8/32 via 10.111.0.1 scope 10\n"
         "route 0.0.0.0/0 via 8.8.8.8\n",
         "AI", "no route"},
        {"target scope 11 does",
         "route 8.8.8.8/32 via 10.111.0.1 scope 10\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n",
         "AA", "main wan1 10.111.0.1"},
        {"one level more needs 12",
         "route 8.8.8.8/32 via 10.112.0.1 scope 10\n"
         "route 9.9.9.9/32 via 8.8.8.8 scope 10 target-scope 11\n"
         "route 0.0.0.0/0 via 9.9.9.9 target-scope 11\n",
         "AAI", "no route"},
        {"and has it",
         "route 8.8.8.8/32 via 10.112.0.1 scope 10\n"
         "route 9.9.9.9/32 via 8.8.8.8 scope 10 target-scope 11\n"
         "route 0.0.0.0/0 via 9.9.9.9 target-scope 12\n",
         "AAA", "main wan2 10.112.0.1"},
        {"in whatever order they are written",
         "route 0.0.0.0/0 via 9.9.9.9 target-scope 12\n"
         "route 9.9.9.9/32 via 8.8.8.8 scope 10 target-scope 11\n"
         "route 8.8.8.8/32 via 10.112.0.1 scope 10\n",
         "AAA", "main wan2 10.112.0.1"},
        {"scope and target scope 30, the other style",
         "route 8.8.8.8/32 via 10.111.0.1\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 30\n",
         "AA", "main wan1 10.111.0.1"},
        {"scope goes before length: the longer prefix of too large a scope is passed "
         "over",
         "route 8.8.8.8/32 via 10.111.0.1 scope 30\n"
         "route 8.8.8.0/24 via 10.112.0.1 scope 10\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n",
         "AAA", "main wan2 10.112.0.1"},
        {"a default does not resolve itself",
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 254\n", "I", "no route"},
        {"nor at the end of the scopes",
         "route 0.0.0.0/0 via 8.8.8.8 scope 255 target-scope 255\n", "I", "no route"},
        {"two do not resolve each other",
         "route 9.9.9.9/32 via 8.8.8.8 scope 10 target-scope 255\n"
         "route 8.8.8.8/32 via 9.9.9.9 scope 10 target-scope 255\n",
         "II", "no route"},
        {"a blackhole that holds the gateway makes it unreachable",
         "route 8.8.8.8/32 blackhole scope 10 target-scope 5\n"
         "route 8.8.8.0/24 via 10.111.0.1 scope 10\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n",
         "AAI", "no route"},
        {"of two canaries the nearer resolves",
         "route 8.8.8.8/32 via 10.112.0.1 scope 10 distance 2\n"
         "route 8.8.8.8/32 via 10.111.0.1 scope 10 distance 1\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n",
         "sAA", "main wan1 10.111.0.1"},
        {"an interface is a gateway", "route 0.0.0.0/0 via ppp1\n", "A", "main ppp1"},
        {"address%interface needs no network", "route 0.0.0.0/0 via 10.99.0.1%wan2\n",
         "A", "main wan2 10.99.0.1"},
        {"main resolves, also for another table",
         "route 8.8.8.8/32 via 10.111.0.1 scope 10 table other\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n",
         "AI", "no route"},
        {"unless the gateway names the table",
         "route 8.8.8.8/32 via 10.111.0.1 scope 10 table other\n"
         "route 0.0.0.0/0 via 8.8.8.8@other target-scope 11\n",
         "AA", "main wan1 10.111.0.1"},
        {"a disabled canary resolves nothing",
         "route 8.8.8.8/32 via 10.111.0.1 scope 10 disabled\n"
         "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n",
         "II", "no route"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        snprintf(config, sizeof config, ROUTER "%s", rows[i].routes);
        check_routes(rows[i].what, config, rows[i].flags, rows[i].via);
    }
}

/* The official recipe of recursive fail-over: 8.8.8.8 by WAN 1, 8.8.4.4 by WAN 2. */
#define FAILOVER                                                                         \
    ROUTER "route 8.8.8.8/32 via 10.111.0.1 scope 10\n"                                  \
           "route 8.8.4.4/32 via 10.112.0.1 scope 10\n"                                  \
           "route 0.0.0.0/0 via 8.8.8.8 distance 1 target-scope 11 check ping\n"         \
           "route 0.0.0.0/0 via 8.8.4.4 distance 2 target-scope 11 check ping\n"

static void a_default_follows_its_canary_through_every_change(void **state)
{
    const char *const probe = "udp 192.168.10.5:1 > 203.0.113.1:2";
    struct lab *l = lab_create(FAILOVER);

    (void)state;
    assert_string_equal(lab_route(l, "lan", probe), "main wan1 10.111.0.1");
    lab_set_carrier(l, "wan1", false);
    assert_string_equal(lab_route(l, "lan", probe), "main wan2 10.112.0.1");
    assert_int_equal(route_flag(l, 2), 'I');
    lab_set_admin(l, "wan2", false);
    assert_string_equal(lab_route(l, "lan", probe), "no route");
    lab_set_carrier(l, "wan1", true);
    assert_string_equal(lab_route(l, "lan", probe), "main wan1 10.111.0.1");
    lab_set_admin(l, "wan2", true);
    router_set_route_disabled(l->router, 0, true);
    assert_string_equal(lab_route(l, "lan", probe), "main wan2 10.112.0.1");
    router_set_route_disabled(l->router, 0, false);
    assert_string_equal(lab_route(l, "lan", probe), "main wan1 10.111.0.1");
    assert_int_equal(route_flag(l, 3), 's');
    lab_destroy(l);
}

/* Also at the largest target scope a route does not hold itself up once its canary is gone. */
static void no_route_holds_itself_up(void **state)
{
    struct lab *l = lab_create(ROUTER "route 8.8.8.8/32 via 10.111.0.1\n"
                                      "route 0.0.0.0/0 via 8.8.8.8 target-scope 255\n");

    (void)state;
    assert_int_equal(route_flag(l, 1), 'A');
    router_set_route_disabled(l->router, 0, true);
    assert_int_equal(route_flag(l, 1), 'I');
    router_set_route_disabled(l->router, 0, false);
    assert_int_equal(route_flag(l, 1), 'A');
    lab_destroy(l);
}

/* A check goes with the next hop (gateway, scope, kind), so its verdict is shared. */
static void routes_with_one_gateway_share_its_verdict(void **state)
{
    struct lab *l =
        lab_create(ROUTER "route 0.0.0.0/0 via 10.111.0.1 check ping\n"
                          "route 1.0.0.0/8 via 10.111.0.1 check ping\n"
                          "route 2.0.0.0/8 via 10.111.0.1\n"
                          "route 3.0.0.0/8 via 10.111.0.1 check arp\n"
                          "route 4.0.0.0/8 via 10.111.0.1 check ping table t\n"
                          "route 5.0.0.0/8 via ppp1 check ping\n");

    (void)state;
    assert_int_equal(router_checks_len(l->router), 2);
    for (unsigned i = 0; i < 2; i++)
        router_check_ended(l->router, 0, false);
    for (uint32_t i = 0; i < 6; i++)
        if (route_flag(l, i) != "IIAAIA"[i])
            fail_msg("route %u is %c", i, route_flag(l, i));
    assert_true(router_check_ended(l->router, 0, true));
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(route_flag(l, i), 'A');
    lab_destroy(l);
}

static void a_probe_leaves_as_its_gateway_resolves(void **state)
{
    struct lab *l = lab_create(FAILOVER);
    const struct addr canary = address("8.8.8.8"), via = address("10.111.0.1");
    struct rib_check c = router_check_target(l->router, 0);

    (void)state;
    assert_int_equal(router_checks_len(l->router), 2);
    assert_true(addr_equal(&c.target, &canary));
    assert_true(addr_equal(&c.via, &via));
    assert_int_equal(c.iface, lab_iface(l, "wan1"));
    assert_int_equal(c.kind, CHECK_PING);
    assert_true(c.up);
    router_set_route_disabled(l->router, 0, true);
    c = router_check_target(l->router, 0);
    assert_int_equal(c.iface, NEXTHOP_NONE);
    lab_destroy(l);
}

/* The canary is pinned to its WAN, so its check cannot pass by the other one. */
static void a_lax_target_scope_lets_a_canary_leak_to_the_other_wan(void **state)
{
    const char *const probe = "udp 192.168.10.5:1 > 203.0.113.1:2";
    struct lab *l =
        lab_create(ROUTER "route 8.8.8.8/32 via 10.111.0.1 scope 30 target-scope 10\n"
                          "route 0.0.0.0/0 via 10.112.0.1 distance 2\n"
                          "route 0.0.0.0/0 via 8.8.8.8 distance 1 target-scope 30\n");

    (void)state;
    assert_string_equal(lab_route(l, "lan", probe), "main wan1 10.111.0.1");
    lab_set_carrier(l, "wan1", false);
    assert_int_equal(route_flag(l, 2), 'A');
    assert_string_equal(lab_route(l, "lan", probe), "main wan2 10.112.0.1");
    lab_destroy(l);
}

static void several_canaries_by_one_uplink_join(void **state)
{
    struct lab *l = lab_create(ROUTER "route 8.8.8.8/32 via 10.111.0.1 scope 10\n"
                                      "route 8.8.4.4/32 via 10.111.0.1 scope 10\n"
                                      "route 0.0.0.0/0 via 8.8.8.8 target-scope 11\n"
                                      "route 0.0.0.0/0 via 8.8.4.4 target-scope 11\n");
    const struct prefix dst = network("0.0.0.0/0");
    const struct fib_entry *e = rib_find(router_rib(l->router), TABLE_MAIN, &dst);

    (void)state;
    assert_non_null(e);
    assert_int_equal(e->group->live, 2);
    assert_int_equal(e->group->hops[0].iface, e->group->hops[1].iface);
    lab_destroy(l);
}

/*
 * A default by one gateway in 10.8.0.0/16, which has so many gateways in 10.9.0.0/16, which has so
 * many on the wire: their product is what the one resolves to.
 */
static void a_gateway_of_more_than_256_next_hops_is_told(void **state)
{
    static const struct {
        unsigned inner, outer;
        bool crowded;
    } rows[] = {{1, 1, false},  {16, 16, false}, {256, 1, false}, {1, 256, false},
                {16, 17, true}, {2, 129, true},  {128, 3, true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum { ROUTE_BYTES = 80 };
        const size_t size = (rows[i].inner + rows[i].outer + 8) * ROUTE_BYTES;
        char *config = mem_alloc(size, 1);
        size_t len = (size_t)snprintf(config, size,
                                      "platform routeros7\niface lan 192.168.10.1/24\n"
                                      "iface wan1 10.0.0.1/16\n");
        struct lab *l;

        for (unsigned k = 0; k < rows[i].inner; k++)
            len += (size_t)snprintf(config + len, size - len,
                                    "route 10.9.0.0/16 via 10.0.1.%u scope 10\n", k);
        for (unsigned k = 0; k < rows[i].outer; k++)
            len += (size_t)snprintf(
                config + len, size - len,
                "route 10.8.0.0/16 via 10.9.1.%u scope 11 target-scope 11\n", k);
        snprintf(config + len, size - len,
                 "route 0.0.0.0/0 via 10.8.0.1 target-scope 12\n");
        l = lab_create(config);
        if (rib_is_crowded(router_rib(l->router)) != rows[i].crowded)
            fail_msg("%u times %u: crowded is not %d", rows[i].inner, rows[i].outer,
                     rows[i].crowded);
        lab_destroy(l);
        mem_free(config);
    }
}

/* Linux binds a gateway to the interface it is on, and to no other later. */
static void linux_binds_a_gateway_once(void **state)
{
    const char *const probe = "udp 192.168.10.5:1 > 203.0.113.1:2";
    struct lab *l = lab_create("iface lan 192.168.10.1/24\n"
                               "iface wan1 10.111.0.2/24\n"
                               "iface wan2 10.111.0.3/16\n"
                               "route 0.0.0.0/0 via 10.111.0.1\n"
                               "route 1.0.0.0/8 via 8.8.8.8\n");

    (void)state;
    assert_string_equal(lab_route(l, "lan", probe), "main wan1 10.111.0.1");
    assert_int_equal(route_flag(l, 1), 'I');
    lab_set_carrier(l, "wan1", false);
    assert_string_equal(lab_route(l, "lan", probe), "main wan1 10.111.0.1");
    lab_set_admin(l, "wan1", false);
    assert_string_equal(lab_route(l, "lan", probe), "no route");
    lab_destroy(l);
}

/* ip-route(8): first the gateway's own route, by interface; then the one through it. */
static void linux_finds_a_gateway_on_link_by_a_route(void **state)
{
    struct lab *l = lab_create("iface lan 10.0.0.1/8\niface wan 192.0.2.2/32\n"
                               "route 198.51.100.1/32 via wan\n"
                               "route 10.9.0.0/16 via wan\n"
                               "route 0.0.0.0/0 via 198.51.100.1\n"
                               "route 20.0.0.0/8 via 10.9.0.1\n"
                               "route 30.0.0.0/8 via 10.8.0.1\n"
                               "route 10.8.0.0/16 table t via wan\n"
                               "route 40.0.0.0/8 table t via 10.8.0.1\n"
                               "rule lookup t\n");

    (void)state;
    assert_string_equal(lab_route(l, "lan", "udp 10.0.0.5:1 > 8.8.8.8:2"),
                        "main wan 198.51.100.1");
    assert_string_equal(lab_route(l, "lan", "udp 10.0.0.5:1 > 20.0.0.1:2"),
                        "main wan 10.9.0.1");
    assert_string_equal(lab_route(l, "lan", "udp 10.0.0.5:1 > 30.0.0.1:2"),
                        "main lan 10.8.0.1");
    assert_string_equal(lab_route(l, "lan", "udp 10.0.0.5:1 > 40.0.0.1:2"),
                        "t wan 10.8.0.1");
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_resolves_by_scope_and_target_scope),
        cmocka_unit_test(a_default_follows_its_canary_through_every_change),
        cmocka_unit_test(no_route_holds_itself_up),
        cmocka_unit_test(routes_with_one_gateway_share_its_verdict),
        cmocka_unit_test(a_probe_leaves_as_its_gateway_resolves),
        cmocka_unit_test(a_lax_target_scope_lets_a_canary_leak_to_the_other_wan),
        cmocka_unit_test(several_canaries_by_one_uplink_join),
        cmocka_unit_test(a_gateway_of_more_than_256_next_hops_is_told),
        cmocka_unit_test(linux_binds_a_gateway_once),
        cmocka_unit_test(linux_finds_a_gateway_on_link_by_a_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
