#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The model's checklist for RouterOS 7: what its manual, its kernel and its users say. */
#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

/* The recipe "Setup ECMP on Mikrotik router": distances 1, 2, 3 in main, equal ones in ecmp,
 * the work laptop excepted. */
#define INTERFACES                                                                       \
    "platform routeros7\n"                                                               \
    "hash l4 12345\n"                                                                    \
    "iface lan 192.168.10.1/24 192.168.11.1/24\n"                                        \
    "iface wan1 100.64.1.2/24\n"                                                         \
    "iface wan2 100.64.2.2/24\n"                                                         \
    "iface wan3 100.64.3.2/24\n"
#define MAIN_DEFAULTS                                                                    \
    "route 0.0.0.0/0 via 100.64.1.1 distance 1 check ping\n"                             \
    "route 0.0.0.0/0 via 100.64.2.1 distance 2 check ping\n"                             \
    "route 0.0.0.0/0 via 100.64.3.1 distance 3 check ping\n"
#define ECMP_DEFAULTS                                                                    \
    "route 0.0.0.0/0 via 100.64.1.1 table ecmp check ping\n"                             \
    "route 0.0.0.0/0 via 100.64.2.1 table ecmp check ping\n"                             \
    "route 0.0.0.0/0 via 100.64.3.1 table ecmp check ping\n"
#define RULES                                                                            \
    "rule lookup main min-prefix 0\n"                                                    \
    "rule lookup main from 192.168.10.50/32\n"                                           \
    "rule lookup ecmp from 192.168.10.0/24\n"
#define RECIPE INTERFACES MAIN_DEFAULTS ECMP_DEFAULTS RULES

#define LAPTOP "tcp 192.168.10.50:50000 > 45.57.94.1:443 syn"
#define TABLET "tcp 192.168.10.60:50000 > 45.57.94.1:443 syn"

static char route_flag(const struct lab *l, uint32_t route)
{
    const struct rib *r = router_rib(l->router);

    if (rib_route_is_active(r, route))
        return 'A';
    return rib_route_is_reachable(r, route) ? 's' : 'I';
}

static const struct fib_entry *active_entry(const struct lab *l, const char *table,
                                            const char *dst)
{
    const struct prefix p = network(dst);
    const struct fib_entry *e = rib_find(router_rib(l->router), lab_table(l, table), &p);

    while (e && !e->usable)
        e = e->next == RIB_NO_ROUTE ? NULL : rib_entry(router_rib(l->router), e->next);
    return e;
}

/* 1 */
static void two_defaults_of_one_distance_are_one_group(void **state)
{
    struct lab *l = lab_create(INTERFACES "route 0.0.0.0/0 via 100.64.1.1 table t\n"
                                          "route 0.0.0.0/0 via 100.64.2.1 table t\n");

    (void)state;
    assert_int_equal(active_entry(l, "t", "0.0.0.0/0")->group->len, 2);
    assert_int_equal(route_flag(l, 0), 'A');
    assert_int_equal(route_flag(l, 1), 'A');
    router_set_route_disabled(l->router, 0, true);
    assert_int_equal(active_entry(l, "t", "0.0.0.0/0")->group->len, 1);
    assert_int_equal(route_flag(l, 0), 'I');
    assert_int_equal(route_flag(l, 1), 'A');
    lab_destroy(l);
}

/* 2 */
static void the_larger_distance_waits(void **state)
{
    struct lab *l = lab_create(INTERFACES MAIN_DEFAULTS);

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(route_flag(l, i), "Ass"[i]);
    lab_set_carrier(l, "wan1", false);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(route_flag(l, i), "IAs"[i]);
    lab_destroy(l);
}

/* 3 */
static void a_canary_of_scope_10_needs_target_scope_11(void **state)
{
    struct lab *l =
        lab_create(INTERFACES "route 8.8.8.8/32 via 100.64.2.1 scope 10\n"
                              "route 0.0.0.0/0 via 8.8.8.8\n"
                              "route 0.0.0.0/0 via 8.8.8.8 target-scope 11 table t\n");
    const struct addr canarys_gateway = address("100.64.2.1");

    (void)state;
    assert_int_equal(route_flag(l, 1), 'I');
    assert_int_equal(route_flag(l, 2), 'A');
    assert_true(addr_equal(&active_entry(l, "t", "0.0.0.0/0")->group->hops[0].gateway,
                           &canarys_gateway));
    lab_destroy(l);
}

/* 4 */
static void the_recipe_routes_as_it_promises(void **state)
{
    struct lab *l = lab_create(RECIPE);
    const char *said;

    (void)state;
    assert_string_equal(lab_route(l, "lan", "tcp 192.168.10.60:1 > 192.168.11.9:80"),
                        "main lan");
    said = lab_route(l, "lan", TABLET);
    assert_memory_equal(said, "ecmp wan", 8);
    assert_string_equal(lab_route(l, "lan", LAPTOP), "main wan1 100.64.1.1");
    assert_string_equal(lab_route(l, "router", "tcp 100.64.2.2:1 > 45.57.94.1:443"),
                        "main wan1 100.64.1.1");
    assert_string_equal(lab_route(l, "lan", "tcp 192.168.10.60:1 > 192.168.10.1:80"),
                        "local local");
    for (uint32_t i = 3; i < 6; i++)
        router_set_route_disabled(l->router, i, true);
    assert_string_equal(lab_route(l, "lan", TABLET), "main wan1 100.64.1.1");
    lab_destroy(l);
}

/* 5, 6, 7, 8 */
static void rules_and_tables_decide_as_the_manual_says(void **state)
{
    static const struct {
        const char *what, *config, *packet, *answer;
    } rows[] = {
        {"5: a blackhole default is not suppressed",
         INTERFACES ECMP_DEFAULTS "route 0.0.0.0/0 blackhole\n" RULES, TABLET,
         "drop in main"},
        {"6: halves of everything are not suppressed by 0",
         INTERFACES ECMP_DEFAULTS "route 0.0.0.0/1 via 100.64.1.1\n"
                                  "route 128.0.0.0/1 via 100.64.2.1\n" RULES,
         TABLET, "main wan1 100.64.1.1"},
        {"6: also the other half",
         INTERFACES ECMP_DEFAULTS "route 0.0.0.0/1 via 100.64.1.1\n"
                                  "route 128.0.0.0/1 via 100.64.2.1\n" RULES,
         "tcp 192.168.10.60:1 > 203.0.113.1:443", "main wan2 100.64.2.1"},
        {"7: lookup-only-in-table of an empty table ends",
         INTERFACES MAIN_DEFAULTS "rule lookup-only-in-table empty\n", TABLET,
         "only table"},
        {"7: lookup goes on to main", INTERFACES MAIN_DEFAULTS "rule lookup empty\n",
         TABLET, "main wan1 100.64.1.1"},
        {"8: a mark whose table has a default asks no rule",
         INTERFACES MAIN_DEFAULTS "mark m t\nroute 0.0.0.0/0 via 100.64.3.1 table t\n"
                                  "rule drop\n",
         TABLET " mark 1", "t wan3 100.64.3.1"},
        {"8: without a default in it rules are asked",
         INTERFACES MAIN_DEFAULTS "mark m t\nrule drop\n", TABLET " mark 1", "drop"},
        {"min-prefix on the rule of the ecmp table: it never serves",
         INTERFACES MAIN_DEFAULTS ECMP_DEFAULTS
         "rule lookup ecmp min-prefix 0 from 192.168.10.0/24\n",
         TABLET, "main wan1 100.64.1.1"},
        {"a host rule above the bypass cuts the host off from the LAN",
         INTERFACES MAIN_DEFAULTS ECMP_DEFAULTS
         "rule lookup-only-in-table ecmp from 192.168.10.60/32\n"
         "rule lookup main min-prefix 0\n",
         "tcp 192.168.10.60:1 > 192.168.99.1:80", "ecmp wan"},
        {"a blackhole of large distance keeps ecmp from falling through",
         INTERFACES MAIN_DEFAULTS
         "route 0.0.0.0/0 via 100.99.1.1 table ecmp\n"
         "route 0.0.0.0/0 blackhole distance 250 table ecmp\n" RULES,
         TABLET, "drop in ecmp"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lab *l = lab_create(rows[i].config);
        const char *got = lab_route(l, "lan", rows[i].packet);

        if (strncmp(got, rows[i].answer, strlen(rows[i].answer)) != 0)
            fail_msg("%s: %s", rows[i].what, got);
        lab_destroy(l);
    }
}

/* 9 */
static unsigned member_of(struct lab *l, const struct packet *p)
{
    struct decision d;

    router_forward(l->router, p, 1, SECONDS(1), &d);
    return d.member;
}

static void both_directions_of_a_flow_hash_alike(void **state)
{
    static const char *const names[] = {"l3", "l4", "l3-inner"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char config[512];
        struct lab *l;

        snprintf(config, sizeof config,
                 INTERFACES "hash %s 7\n" ECMP_DEFAULTS "rule lookup ecmp\n", names[i]);
        l = lab_create(config);
        for (unsigned k = 0; k < 2000; k++) {
            const struct packet there =
                hashing_between(l, "tcp 192.168.10.60:50000 > 45.57.0.0:443", FIRST_HASH,
                                LAST_HASH, k % 500);
            const struct packet back = answer_to(&there);

            assert_int_equal(hash_packet(&l->config.hash, &there),
                             hash_packet(&l->config.hash, &back));
        }
        lab_destroy(l);
    }
}

static void pings_and_under_l3_all_ports_share_one_path(void **state)
{
    struct lab *l4 = lab_create(INTERFACES ECMP_DEFAULTS "rule lookup ecmp\n");
    struct lab *l3 =
        lab_create(INTERFACES "hash l3 3\n" ECMP_DEFAULTS "rule lookup ecmp\n");
    struct packet ping = packet("icmp 192.168.10.60 > 45.57.94.1");
    struct packet p = packet(TABLET);
    const unsigned of_ping = member_of(l4, &ping), of_l3 = member_of(l3, &p);
    bool used[3] = {false};

    (void)state;
    for (unsigned i = 1; i < 200; i++) {
        ping.icmp_id = (uint16_t)i;
        p.sport = (uint16_t)(40000 + i);
        assert_int_equal(member_of(l4, &ping), of_ping);
        assert_int_equal(member_of(l3, &p), of_l3);
        used[member_of(l4, &p)] = true;
    }
    assert_true(used[0] && used[1] && used[2]);
    lab_destroy(l3);
    lab_destroy(l4);
}

/* 10 */
static void regions_shift_when_the_middle_member_dies(void **state)
{
    static const int32_t before[] = {715827882, 1431655764, 2147483647};
    static const int32_t after[] = {1073741823, -1, 2147483647};
    struct lab *l = lab_create(RECIPE);
    const struct nexthop_group *g = active_entry(l, "ecmp", "0.0.0.0/0")->group;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(g->hops[i].upper_bound, before[i]);
    lab_set_carrier(l, "wan2", false);
    g = active_entry(l, "ecmp", "0.0.0.0/0")->group;
    for (unsigned i = 0, k = 0; i < g->len; i++)
        if (g->hops[i].up)
            assert_int_equal(g->hops[i].upper_bound, after[k++ * 2]);
    assert_int_equal(g->live, 2);
    lab_destroy(l);
}

/* 11 */
static void
a_moved_connection_dies_under_masquerade_and_lives_on_under_src_nat(void **state)
{
    static const struct {
        const char *what, *nat, *moved, *then;
    } rows[] = {
        {"masquerade", "nat masquerade\n", "drop nat-moved killed",
         "wan2 100.64.2.2:50000 revived"},
        {"src-nat per WAN",
         "nat src-nat out wan1 public 100.64.1.2\nnat src-nat out wan2 public "
         "100.64.2.2\n",
         "wan2 100.64.1.2:50000", "wan2 100.64.1.2:50000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];
        struct lab *l;

        snprintf(config, sizeof config, INTERFACES MAIN_DEFAULTS "%s", rows[i].nat);
        l = lab_create(config);
        assert_string_equal(lab_send(l, "lan", LAPTOP, 1), "wan1 100.64.1.2:50000 new");
        router_set_route_disabled(l->router, 0, true);
        if (strcmp(lab_send(l, "lan", "tcp 192.168.10.50:50000 > 45.57.94.1:443 syn", 2),
                   rows[i].moved) != 0)
            fail_msg("%s: first %s", rows[i].what, l->said);
        if (strcmp(lab_send(l, "lan", "tcp 192.168.10.50:50000 > 45.57.94.1:443 syn", 3),
                   rows[i].then) != 0)
            fail_msg("%s: then %s", rows[i].what, l->said);
        lab_destroy(l);
    }
}

/* Gateway checks: a verdict moves routes, and tells that it did. */
static void a_gateway_check_takes_its_routes_away_and_brings_them_back(void **state)
{
    struct lab *l = lab_create(RECIPE);
    const uint32_t epoch = router_epoch(l->router);

    (void)state;
    assert_int_equal(router_checks_len(l->router), 3); /* main's and ecmp's share them */
    assert_false(router_check_ended(l->router, 0, false));
    assert_int_equal(router_epoch(l->router), epoch);
    assert_true(router_check_ended(l->router, 0, false));
    assert_int_not_equal(router_epoch(l->router), epoch);
    assert_string_equal(lab_route(l, "lan", LAPTOP), "main wan2 100.64.2.1");
    assert_int_equal(active_entry(l, "ecmp", "0.0.0.0/0")->group->live, 2);
    assert_false(router_check_ended(l->router, 0, false));
    assert_true(router_check_ended(l->router, 0, true));
    assert_string_equal(lab_route(l, "lan", LAPTOP), "main wan1 100.64.1.1");
    lab_destroy(l);
}

static void probes_leave_every_ten_seconds_from_a_phase_of_their_own(void **state)
{
    struct lab *l = lab_create(RECIPE "seed 5\n"), *same = lab_create(RECIPE "seed 5\n");
    int64_t phases[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        phases[i] = router_check_next_ns(l->router, i);
        assert_in_range(phases[i], 0, SECONDS(10) - 1);
        assert_true(phases[i] == router_check_next_ns(same->router, i));
        router_check_sent(l->router, i);
        assert_true(router_check_next_ns(l->router, i) == phases[i] + SECONDS(10));
    }
    assert_true(phases[0] != phases[1] && phases[1] != phases[2]);
    lab_destroy(l);
    lab_destroy(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_defaults_of_one_distance_are_one_group),
        cmocka_unit_test(the_larger_distance_waits),
        cmocka_unit_test(a_canary_of_scope_10_needs_target_scope_11),
        cmocka_unit_test(the_recipe_routes_as_it_promises),
        cmocka_unit_test(rules_and_tables_decide_as_the_manual_says),
        cmocka_unit_test(both_directions_of_a_flow_hash_alike),
        cmocka_unit_test(pings_and_under_l3_all_ports_share_one_path),
        cmocka_unit_test(regions_shift_when_the_middle_member_dies),
        cmocka_unit_test(
            a_moved_connection_dies_under_masquerade_and_lives_on_under_src_nat),
        cmocka_unit_test(a_gateway_check_takes_its_routes_away_and_brings_them_back),
        cmocka_unit_test(probes_leave_every_ten_seconds_from_a_phase_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
