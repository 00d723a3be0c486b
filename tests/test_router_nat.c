#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * What becomes of translated connections when a WAN changes: the measured table of Linux, for
 * masquerade and source NAT, TCP and UDP. Three equal WANs, hash l3: regions end at 715827882
 * and 1431655764; of two at 1073741823.
 */
#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

enum { FIRST_END = 715827882, HALF = 1073741823, SECOND_END = 1431655764 };

#define INTERFACES                                                                       \
    "hash l3 99\n"                                                                       \
    "iface lan 192.168.10.1/24\n"                                                        \
    "iface wan1 100.64.1.2/24\n"                                                         \
    "iface wan2 100.64.2.2/24\n"                                                         \
    "iface wan3 100.64.3.2/24\n"
#define MULTIPATH  "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1 100.64.3.1 check ping\n"
#define MASQUERADE "nat masquerade\n"
#define SRC_NAT                                                                          \
    "nat src-nat out wan1 public 100.64.1.2\n"                                           \
    "nat src-nat out wan2 public 100.64.2.2\n"                                           \
    "nat src-nat out wan3 public 100.64.3.2\n"

/* A flow of TCP or UDP with its destination by `first`..`last` of the hash space. */
struct flow {
    struct lab *lab;
    struct packet out, syn; /* in mid-stream; the first packet */
};

static struct flow flow_between(struct lab *l, bool tcp, uint32_t first, uint32_t last)
{
    struct flow f = {.lab = l};

    f.out = hashing_between(
        l,
        tcp ? "tcp 192.168.10.5:40000 > 45.57.0.0:443 ack seq 1 acked 1 data 5"
            : "udp 192.168.10.5:40000 > 45.57.0.0:443 data 5",
        first, last, 0);
    f.syn = f.out;
    if (tcp) {
        f.syn.tcp_flags = TCP_SYN;
        f.syn.payload_bytes = 0;
    }
    return f;
}

/* Open it at `at_s`, with the server's answer to the public source. */
static const char *flow_open(const struct flow *f, double at_s)
{
    static char said[LAB_TEXT_MAX];
    struct packet answer = answer_to(&f->syn);

    strcpy(said, lab_send_packet(f->lab, "lan", &f->syn, at_s));
    answer.dst = f->lab->last.nat_src;
    answer.dport = f->lab->last.nat_sport;
    answer.tcp_flags = f->syn.protocol == PROTO_TCP ? TCP_SYN | TCP_ACK : 0;
    lab_send_packet(f->lab, f->lab->ifaces[f->lab->last.out_iface].name, &answer,
                    at_s + 0.01);
    if (f->lab->last.direction != 1 || strncmp(f->lab->said, "lan ", 4) != 0)
        fail_msg("the answer: %s", f->lab->said);
    return said;
}

static void check(const char *what, const struct flow *f, double at_s, const char *wanted)
{
    if (strcmp(lab_send_packet(f->lab, "lan", &f->out, at_s), wanted) != 0)
        fail_msg("%s, %s: at %g s %s, not %s", what,
                 f->out.protocol == PROTO_TCP ? "TCP" : "UDP", at_s, f->lab->said,
                 wanted);
}

/* The events of the table, on the WAN that the flow uses or, for "moves", on another. */
enum event { ADMIN_DOWN, CARRIER_LOSS, CARRIER_LOSS_SEEN, GROUP_SHRINKS, ADDRESS_GOES };

static void happen(struct lab *l, enum event event, bool over)
{
    const struct addr old = address("100.64.2.2"), no_address = {0};
    const struct prefix again = interface_address("100.64.2.2/24"), nothing = {0};

    switch (event) {
    case ADMIN_DOWN: lab_set_admin(l, "wan2", over); break;
    case CARRIER_LOSS:
    case CARRIER_LOSS_SEEN: lab_set_carrier(l, "wan2", over); break;
    case GROUP_SHRINKS:
        router_check_ended(l->router, 1, over);
        if (!over)
            router_check_ended(l->router, 1, false);
        break;
    case ADDRESS_GOES:
        router_change_address(l->router, 2, over ? &no_address : &old,
                              over ? &again : &nothing);
        break;
    }
}

/* A flow on wan2, whose WAN changes; then what the next two packets meet, and what they meet
 * after the end of it. The flow's hash lies in wan2's region and in wan1's without wan2. */
static void the_flow_of_the_changed_wan(void **state)
{
    static const struct {
        const char *what, *nat;
        enum event event;
        const char *first, *second, *back_first, *back_second;
    } rows[] = {
        {"admin down, masquerade", MASQUERADE, ADMIN_DOWN,
         "wan1 100.64.1.2:40000 revived", "wan1 100.64.1.2:40000",
         "drop nat-moved killed", "wan2 100.64.2.2:40000 revived"},
        {"admin down, src-nat", SRC_NAT, ADMIN_DOWN, "wan1 100.64.2.2:40000",
         "wan1 100.64.2.2:40000", "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000"},
        {"carrier loss, masquerade", MASQUERADE, CARRIER_LOSS, "wan2 100.64.2.2:40000",
         "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000"},
        {"carrier loss, src-nat", SRC_NAT, CARRIER_LOSS, "wan2 100.64.2.2:40000",
         "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000"},
        {"carrier loss with ignore = 1, masquerade", "ignore-linkdown\n" MASQUERADE,
         CARRIER_LOSS_SEEN, "drop nat-moved killed", "wan1 100.64.1.2:40000 revived",
         "drop nat-moved killed", "wan2 100.64.2.2:40000 revived"},
        {"carrier loss with ignore = 1, src-nat", "ignore-linkdown\n" SRC_NAT,
         CARRIER_LOSS_SEEN, "wan1 100.64.2.2:40000", "wan1 100.64.2.2:40000",
         "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000"},
        {"the group shrinks, masquerade", MASQUERADE, GROUP_SHRINKS,
         "drop nat-moved killed", "wan1 100.64.1.2:40000 revived",
         "drop nat-moved killed", "wan2 100.64.2.2:40000 revived"},
        {"the group shrinks, src-nat", SRC_NAT, GROUP_SHRINKS, "wan1 100.64.2.2:40000",
         "wan1 100.64.2.2:40000", "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000"},
        {"the address goes, masquerade", MASQUERADE, ADDRESS_GOES,
         "wan1 100.64.1.2:40000 revived", "wan1 100.64.1.2:40000",
         "drop nat-moved killed", "wan2 100.64.2.2:40000 revived"},
        {"the address goes, src-nat", SRC_NAT, ADDRESS_GOES, "wan1 100.64.2.2:40000",
         "wan1 100.64.2.2:40000", "wan2 100.64.2.2:40000", "wan2 100.64.2.2:40000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned tcp = 0; tcp < 2; tcp++) {
            char config[1024];
            struct lab *l;
            struct flow f;

            snprintf(config, sizeof config, INTERFACES MULTIPATH "%s", rows[i].nat);
            l = lab_create(config);
            f = flow_between(l, tcp, FIRST_END + 1, HALF);
            assert_string_equal(flow_open(&f, 0), "wan2 100.64.2.2:40000 new");
            lab_conn(l, &f.out)->cookie = 5;
            happen(l, rows[i].event, false);
            check(rows[i].what, &f, 1, rows[i].first);
            check(rows[i].what, &f, 2, rows[i].second);
            happen(l, rows[i].event, true);
            check(rows[i].what, &f, 3, rows[i].back_first);
            check(rows[i].what, &f, 4, rows[i].back_second);
            assert_int_equal(lab_conn(l, &f.out)->cookie, 5);
            assert_int_equal(conn_count(router_conns(l->router)), 1);
            lab_destroy(l);
        }
}

/* Without wan1 the regions of the others shift: a quarter of the survivors' flows move too.
 * This one is of wan2's and comes to lie in wan3's. */
static void flows_of_wans_that_are_well_move_and_die_too(void **state)
{
    static const struct {
        const char *what, *nat, *first, *second;
    } rows[] = {
        {"masquerade", MASQUERADE, "drop nat-moved killed",
         "wan3 100.64.3.2:40000 revived"},
        {"src-nat", SRC_NAT, "wan3 100.64.2.2:40000", "wan3 100.64.2.2:40000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];
        struct lab *l;
        struct flow moved, stays;

        snprintf(config, sizeof config, INTERFACES MULTIPATH "%s", rows[i].nat);
        l = lab_create(config);
        moved = flow_between(l, true, HALF + 1, SECOND_END);
        stays = flow_between(l, true, FIRST_END + 1, HALF);
        flow_open(&moved, 0);
        flow_open(&stays, 0);
        lab_set_admin(l, "wan1", false);
        check(rows[i].what, &moved, 1, rows[i].first);
        check(rows[i].what, &moved, 2, rows[i].second);
        check(rows[i].what, &stays, 2, "wan2 100.64.2.2:40000");
        lab_destroy(l);
    }
}

/* A flow begun during the outage of its own WAN is killed, or goes on with the wrong source,
 * when that returns. */
static void the_return_breaks_what_began_meanwhile(void **state)
{
    static const struct {
        const char *what, *nat, *first, *second;
    } rows[] = {
        {"masquerade", MASQUERADE, "drop nat-moved killed",
         "wan2 100.64.2.2:40000 revived"},
        {"src-nat", SRC_NAT, "wan2 100.64.1.2:40000", "wan2 100.64.1.2:40000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned tcp = 0; tcp < 2; tcp++) {
            char config[1024];
            struct lab *l;
            struct flow f;

            snprintf(config, sizeof config, INTERFACES MULTIPATH "%s", rows[i].nat);
            l = lab_create(config);
            f = flow_between(l, tcp, FIRST_END + 1, HALF);
            lab_set_admin(l, "wan2", false);
            assert_string_equal(flow_open(&f, 1), "wan1 100.64.1.2:40000 new");
            lab_set_admin(l, "wan2", true);
            check(rows[i].what, &f, 2, rows[i].first);
            check(rows[i].what, &f, 3, rows[i].second);
            lab_destroy(l);
        }
}

/* tcp_loose = 0: what follows the kill belongs to no connection and leaves untranslated. */
static void without_loose_tracking_private_sources_leak(void **state)
{
    struct lab *l = lab_create("tcp-loose no\n" INTERFACES MULTIPATH MASQUERADE);
    struct flow tcp = flow_between(l, true, FIRST_END + 1, HALF);
    struct flow udp = flow_between(l, false, FIRST_END + 1, HALF);

    (void)state;
    flow_open(&tcp, 0);
    flow_open(&udp, 0);
    lab_set_admin(l, "wan2", false);
    for (int i = 1; i < 4; i++) {
        check("loose = 0", &tcp, i, "wan1 192.168.10.5:40000 invalid");
        assert_int_equal(l->last.reason, REASON_INVALID);
    }
    check("loose = 0", &udp, 4, "wan1 100.64.1.2:40000 revived");
    assert_string_equal(lab_send_packet(l, "lan", &tcp.syn, 5),
                        "wan1 100.64.1.2:40000 revived");
    lab_destroy(l);
}

/* Only the entries with the address that goes are forgotten. */
static void an_address_of_several_takes_its_own_connections_along(void **state)
{
    struct lab *l = lab_create("iface lan 192.168.10.1/24\n"
                               "iface wan1 100.64.1.2/24 198.18.0.2/24\n"
                               "route 0.0.0.0/0 via 100.64.1.1\n"
                               "route 20.0.0.0/8 via 198.18.0.1\n" MASQUERADE);
    const struct addr old = address("198.18.0.2");
    const struct prefix new_address = interface_address("198.18.0.9/24");

    (void)state;
    lab_send(l, "lan", "udp 192.168.10.5:1 > 8.8.8.8:53", 0);
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.5:1 > 20.0.0.1:53", 0),
                        "wan1 198.18.0.2:1 new");
    router_change_address(l->router, 1, &old, &new_address);
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.5:1 > 8.8.8.8:53", 1),
                        "wan1 100.64.1.2:1");
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.5:1 > 20.0.0.1:53", 1),
                        "wan1 198.18.0.9:1 revived");
    lab_destroy(l);
}

/* Fail-over by metric: the same, in one pair of routes. */
static void metric_failover_kills_what_is_masqueraded(void **state)
{
    struct lab *l = lab_create("ignore-linkdown\n" INTERFACES
                               "route 0.0.0.0/0 via 100.64.1.1 distance 1\n"
                               "route 0.0.0.0/0 via 100.64.2.1 distance 2\n" MASQUERADE);
    struct flow f = flow_between(l, false, FIRST_HASH, LAST_HASH);

    (void)state;
    assert_string_equal(flow_open(&f, 0), "wan1 100.64.1.2:40000 new");
    lab_set_carrier(l, "wan1", false);
    check("carrier", &f, 1, "drop nat-moved killed");
    check("carrier", &f, 2, "wan2 100.64.2.2:40000 revived");
    lab_set_carrier(l, "wan1", true);
    check("carrier back", &f, 3, "drop nat-moved killed");
    lab_set_admin(l, "wan1", false);
    lab_set_admin(l, "wan1", true); /* the preferred route is deleted: no return */
    check("admin", &f, 4, "wan2 100.64.2.2:40000 revived");
    lab_destroy(l);
}

/* RouterOS: a link that is not running is an interface that is down. */
static void routeros_forgets_with_the_link(void **state)
{
    struct lab *l =
        lab_create("platform routeros7\n" INTERFACES "route 0.0.0.0/0 via 100.64.1.1\n"
                   "route 0.0.0.0/0 via 100.64.2.1 distance 2\n" MASQUERADE);
    struct flow f = flow_between(l, true, FIRST_HASH, LAST_HASH);

    (void)state;
    flow_open(&f, 0);
    lab_set_carrier(l, "wan1", false);
    check("no link", &f, 1, "wan2 100.64.2.2:40000 revived");
    lab_set_carrier(l, "wan1", true);
    check("link", &f, 2, "drop nat-moved killed");
    check("link", &f, 3, "wan1 100.64.1.2:40000 revived");
    lab_destroy(l);
}

/* Answers are not checked for the WAN they come by, and errors kill nothing. */
static void only_the_original_direction_is_checked(void **state)
{
    struct lab *l = lab_create(INTERFACES MULTIPATH MASQUERADE);
    struct flow f = flow_between(l, true, FIRST_END + 1, HALF);
    struct packet answer = answer_to(&f.out);

    (void)state;
    flow_open(&f, 0);
    answer.dst = address("100.64.2.2");
    answer.tcp_flags = TCP_ACK;
    assert_memory_equal(lab_send_packet(l, "wan3", &answer, 1), "lan 45.57.", 10);
    check("still there", &f, 2, "wan2 100.64.2.2:40000");
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flow_of_the_changed_wan),
        cmocka_unit_test(flows_of_wans_that_are_well_move_and_die_too),
        cmocka_unit_test(the_return_breaks_what_began_meanwhile),
        cmocka_unit_test(without_loose_tracking_private_sources_leak),
        cmocka_unit_test(an_address_of_several_takes_its_own_connections_along),
        cmocka_unit_test(metric_failover_kills_what_is_masqueraded),
        cmocka_unit_test(routeros_forgets_with_the_link),
        cmocka_unit_test(only_the_original_direction_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
