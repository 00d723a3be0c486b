#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What is forwarded, what is not, and why; and which way the router's own packets take. */
#include <string.h>

#include "tests/routers.h"

#define INTERFACES                                                                       \
    "hash l3 99\n"                                                                       \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24 2001:db8:1::2/64\n"                                        \
    "iface wan2 100.64.2.2/24 2001:db8:2::2/64\n"
#define ROUTER                                                                           \
    INTERFACES "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1\n"                             \
               "route ::/0 via 2001:db8:1::1\n"                                          \
               "route 10.1.0.0/16 blackhole\n"                                           \
               "route 10.2.0.0/16 unreachable\n"                                         \
               "route 10.3.0.0/16 prohibit\n"                                            \
               "rule drop to 10.4.0.0/16\n"                                              \
               "rule unreachable to 10.5.0.0/16\n"                                       \
               "rule prohibit to 10.6.0.0/16\n"                                          \
               "rule lookup-only-in-table empty to 10.7.0.0/16\n"

static void each_packet_has_its_verdict_and_its_reason(void **state)
{
    static const struct {
        const char *in, *sent, *said;
    } rows[] = {
        {"lan", "udp 192.168.10.5:1 > 10.1.0.1:2", "drop blackhole-route"},
        {"lan", "udp 192.168.10.5:1 > 10.2.0.1:2", "unreachable unreachable-route"},
        {"lan", "udp 192.168.10.5:1 > 10.3.0.1:2", "prohibit prohibit-route"},
        {"lan", "udp 192.168.10.5:1 > 10.4.0.1:2", "drop rule"},
        {"lan", "udp 192.168.10.5:1 > 10.5.0.1:2", "unreachable rule"},
        {"lan", "udp 192.168.10.5:1 > 10.6.0.1:2", "prohibit rule"},
        {"lan", "udp 192.168.10.5:1 > 10.7.0.1:2", "unreachable only-in-table"},
        {"lan", "udp 192.168.10.5:1 > 192.168.10.1:2", "local"},
        {"lan", "udp 192.168.10.5:1 > 192.168.10.9:2", "lan 192.168.10.5:1 new"},
        {"lan", "udp 192.168.10.5:1 > 192.168.10.255:2", "local broadcast"},
        {"lan", "udp 0.0.0.0:68 > 255.255.255.255:67", "local broadcast"},
        {"lan", "udp 192.168.10.5:1 > 224.0.0.251:5353", "drop multicast"},
        {"lan", "udp [2001:db8:10::5]:1 > [ff02::fb]:5353", "drop multicast"},
        {"lan", "udp 127.0.0.1:1 > 8.8.8.8:2", "drop martian-source"},
        {"lan", "udp 192.168.10.5:1 > 127.0.0.1:2", "drop martian-source"},
        {"lan", "udp 224.0.0.1:1 > 8.8.8.8:2", "drop martian-source"},
        {"lan", "udp 255.255.255.255:1 > 8.8.8.8:2", "drop martian-source"},
        {"lan", "udp 0.0.0.0:1 > 8.8.8.8:2", "drop martian-source"},
        {"lan", "udp 100.64.1.2:1 > 8.8.8.8:2", "drop martian-source"}, /* our own */
        {"lan", "udp 192.168.10.255:1 > 8.8.8.8:2", "drop martian-source"},
        {"lan", "udp [fe80::5]:1 > [2001:db8:ff::1]:2", "drop link-local"},
        {"lan", "udp [2001:db8:10::5]:1 > [fe80::1]:2", "drop link-local"},
        {"lan", "udp [::1]:1 > [2001:db8:ff::1]:2", "drop martian-source"},
        {"lan", "udp 192.168.10.5:1 > 10.4.0.1:2 ttl 1", "drop rule"},
        {"lan", "udp [2001:db8:10::5]:1 > [2001:db8:ff::1]:2 ttl 1", "drop ttl"},
        {"lan", "udp [2001:db8:10::5]:1 > [2001:db8:ff::1]:2 ttl 2",
         "wan1 [2001:db8:10::5]:1 new"},
        {"router", "udp [2001:db8:1::2]:1 > [2001:db8:ff::1]:2 ttl 1",
         "wan1 [2001:db8:1::2]:1 new"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lab *l = lab_create(ROUTER);

        if (strcmp(lab_send(l, rows[i].in, rows[i].sent, 1), rows[i].said) != 0)
            fail_msg("%s: %s, not %s", rows[i].sent, l->said, rows[i].said);
        lab_destroy(l);
    }
}

static void without_any_route_it_is_unreachable(void **state)
{
    struct lab *l = lab_create(INTERFACES);

    (void)state;
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.5:1 > 8.8.8.8:2", 1),
                        "unreachable no-route");
    lab_destroy(l);
}

/* Linux since 6.16: a socket bound to a WAN's address uses that WAN; a source of no next hop
 * goes by the hash. RouterOS's kernel knows only the hash. */
static void the_routers_own_packets_leave_by_the_wan_of_their_source(void **state)
{
    struct lab *l = lab_create(ROUTER);
    struct lab *routeros = lab_create("platform routeros7\n" ROUTER);
    unsigned by_hash[2] = {0};

    (void)state;
    for (unsigned i = 1; i < 200; i++) {
        static const char *const sources[] = {"100.64.1.2", "100.64.2.2", "192.168.10.1"};

        for (unsigned k = 0; k < 3; k++) {
            struct packet p = packet("udp 100.64.1.2:1 > 45.57.1.0:443");

            p.src = address(sources[k]);
            p.dst.bytes[3] = (uint8_t)i;
            lab_send_packet(l, "router", &p, i);
            if (k < 2)
                assert_int_equal(l->last.out_iface, k + 1);
            else
                by_hash[l->last.member]++;
            lab_send_packet(routeros, "router", &p, i);
            assert_int_equal(routeros->last.member,
                             hash_packet(&routeros->config.hash, &p) > 1073741823);
        }
    }
    assert_true(by_hash[0] > 50 && by_hash[1] > 50);
    lab_destroy(l);
    lab_destroy(routeros);
}

static struct route_answer bound(struct lab *l, const char *text, const char *oif,
                                 unsigned *member)
{
    const struct packet p = packet(text);
    struct route_query q = {
        .packet = &p, .in_iface = -1, .out_iface = (int)lab_iface(l, oif)};
    struct route_answer a;

    router_route(l->router, &q, &a, member);
    return a;
}

/* Linux, measured: IPv4 takes the first living next hop on the device, or is on link there;
 * an admin down device answers nothing. */
static void a_bound_lookup_takes_its_device(void **state)
{
    struct lab *l = lab_create(ROUTER);
    struct route_answer a;
    unsigned member;

    (void)state;
    a = bound(l, "udp 0.0.0.0:1 > 45.57.1.1:2", "wan2", &member);
    assert_int_equal(a.outcome, OUTCOME_ROUTE);
    assert_int_equal(member, 1);
    a = bound(l, "udp 0.0.0.0:1 > 10.2.0.1:2", "wan2", &member);
    assert_int_equal(a.outcome, OUTCOME_ROUTE);
    assert_null(a.entry);
    a = bound(l, "udp [::]:1 > [2001:db8:ff::1]:2", "wan2", &member);
    assert_int_equal(a.outcome, OUTCOME_NO_ROUTE);
    a = bound(l, "udp [::]:1 > [2001:db8:ff::1]:2", "wan1", &member);
    assert_int_equal(a.outcome, OUTCOME_ROUTE);
    lab_set_admin(l, "wan2", false);
    a = bound(l, "udp 0.0.0.0:1 > 45.57.1.1:2", "wan2", &member);
    assert_int_equal(a.outcome, OUTCOME_NO_ROUTE);
    lab_destroy(l);
}

/*
 * Two SAs between the same hosts are one connection, but their SPIs hash apart: each packet is
 * decided anew, whichever came before it.
 */
static void ipsec_spreads_by_its_spi(void **state)
{
    static const char *const rows[] = {"esp 192.168.10.5:1 > 45.57.1.1:2",
                                       "ah 192.168.10.5:1 > 45.57.1.1:2"};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct lab *l =
            lab_create(INTERFACES "hash l4 5\n"
                                  "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1\n");
        unsigned used[2] = {0};

        for (unsigned i = 0; i < 200; i++) {
            struct packet p = packet(rows[k]);

            p.sport = (uint16_t)(i * 7);
            lab_send_packet(l, "lan", &p, 1);
            if (l->last.member != (hash_packet(&l->config.hash, &p) > 1073741823) ||
                !(l->last.flags & DECISION_ROUTED))
                fail_msg("%s: packet %u takes another's way", rows[k], i);
            used[l->last.member]++;
        }
        assert_true(used[0] > 50 && used[1] > 50);
        assert_int_equal(conn_count(router_conns(l->router)), 1);
        lab_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_has_its_verdict_and_its_reason),
        cmocka_unit_test(without_any_route_it_is_unreachable),
        cmocka_unit_test(the_routers_own_packets_leave_by_the_wan_of_their_source),
        cmocka_unit_test(a_bound_lookup_takes_its_device),
        cmocka_unit_test(ipsec_spreads_by_its_spi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
