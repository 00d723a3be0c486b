#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* From the LAN's view of a packet to the wire's and back, what was only asked about, and who
 * is told of ends. */
#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

#define ROUTER                                                                           \
    "hash l3 99\n"                                                                       \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24 2001:db8:1::2/64\n"                                        \
    "iface wan2 100.64.2.2/24 2001:db8:2::2/64\n"                                        \
    "route 0.0.0.0/0 via 100.64.1.1\n"                                                   \
    "route 0.0.0.0/0 via 100.64.2.1 distance 2\n"                                        \
    "route ::/0 via 2001:db8:1::1\n"                                                     \
    "nat masquerade\nnat masquerade family 6\n"

static void take_port(struct lab *l, const char *sent)
{
    struct packet p = packet(sent); /* another host with the same port: ours is changed */

    p.src.bytes[p.src.family == FAMILY_V4 ? 3 : 15] = 99;
    lab_send_packet(l, "lan", &p, 0);
}

/* An answer as the LAN sees it is found as it came to the wire; sent in there, the router
 * delivers it to the host again. */
static void an_answer_is_found_on_its_wire_and_comes_back(void **state)
{
    static const char *const sent[] = {
        "udp 192.168.10.5:40000 > 45.57.1.1:443",
        "tcp 192.168.10.5:40000 > 45.57.1.1:443 syn",
        "icmp 192.168.10.5 > 45.57.1.1 id 77",
        "udp [2001:db8:10::5]:40000 > [2001:db8:ff::1]:443",
        "icmpv6 2001:db8:10::5 > 2001:db8:ff::1 id 77",
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(sent); i++) {
        struct lab *l = lab_create(ROUTER);
        const struct packet p = packet(sent[i / 2]);
        struct packet seen = answer_to(&p), wire;
        struct addr public;
        int in_iface = -1;

        if (i % 2)
            take_port(l, sent[i / 2]);
        if (p.protocol == PROTO_TCP)
            seen.tcp_flags = TCP_SYN | TCP_ACK;
        assert_false(router_find_wire(l->router, &seen, NULL, 0, &wire, &in_iface));
        lab_send_packet(l, "lan", &p, 1);
        public = l->last.nat_src;
        if (!router_find_wire(l->router, &seen, NULL, SECONDS(2), &wire, &in_iface))
            fail_msg("%s: not found", sent[i / 2]);
        if (in_iface != 1 || !addr_equal(&wire.dst, &public) ||
            !addr_equal(&wire.src, &p.dst))
            fail_msg("%s: by %d", sent[i / 2], in_iface);
        lab_send_packet(l, "wan1", &wire, 2);
        if (l->last.verdict != VERDICT_FORWARD || l->last.out_iface != 0 ||
            l->last.direction != 1)
            fail_msg("%s: the answer: %s", sent[i / 2], l->said);
        assert_ptr_equal(conn_at(router_conns(l->router), l->last.conn), lab_conn(l, &p));
        lab_destroy(l);
    }
}

static void an_error_is_found_on_its_wire_and_comes_back(void **state)
{
    static const char *const sent[] = {
        "udp 192.168.10.5:40000 > 45.57.1.1:443",
        "icmp 192.168.10.5 > 45.57.1.1 id 77",
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(sent); i++) {
        struct lab *l = lab_create(ROUTER);
        const struct packet p = packet(sent[i / 2]);
        const struct packet seen = error_about(&p, "198.51.100.9");
        struct packet wire;
        int in_iface = -1;

        if (i % 2)
            take_port(l, sent[i / 2]);
        lab_send_packet(l, "lan", &p, 1);
        assert_true(router_find_wire(l->router, &seen, NULL, SECONDS(2), &wire, &in_iface));
        assert_int_equal(in_iface, 1);
        assert_true(addr_equal(&wire.inner.src, &l->last.nat_src));
        assert_true(addr_equal(&wire.dst, &l->last.nat_src));
        lab_send_packet(l, "wan1", &wire, 2);
        if (l->last.verdict != VERDICT_FORWARD || l->last.out_iface != 0)
            fail_msg("%s: %s", sent[i / 2], l->said);
        assert_ptr_equal(conn_at(router_conns(l->router), l->last.conn), lab_conn(l, &p));
        lab_destroy(l);
    }
}

static void what_began_outside_comes_as_it_came(void **state)
{
    struct lab *l = lab_create(ROUTER);
    const struct packet from_outside = packet("udp 45.57.1.1:443 > 192.168.10.5:500");
    struct packet wire;
    int in_iface;

    (void)state;
    lab_send_packet(l, "wan2", &from_outside, 1);
    assert_true(router_find_wire(l->router, &from_outside, NULL, SECONDS(2), &wire, &in_iface));
    assert_int_equal(in_iface, lab_iface(l, "wan2"));
    assert_true(addr_equal(&wire.dst, &from_outside.dst));
    assert_false(
        router_find_wire(l->router, &from_outside, NULL, SECONDS(31), &wire, &in_iface));
    lab_destroy(l);
}

/* What is under way to a forgotten connection still arrives at its old public address. */
static void a_killed_connection_is_still_found(void **state)
{
    struct lab *l = lab_create(ROUTER);
    const struct packet p = packet("udp 192.168.10.5:40000 > 45.57.1.1:443");
    const struct packet seen = answer_to(&p);
    const struct addr old = address("100.64.1.2");
    struct packet wire;
    int in_iface;

    (void)state;
    lab_send_packet(l, "lan", &p, 1);
    lab_set_admin(l, "wan1", false);
    assert_true(lab_conn(l, &p)->flags & CONN_KILLED);
    assert_true(router_find_wire(l->router, &seen, NULL, SECONDS(2), &wire, &in_iface));
    assert_int_equal(in_iface, lab_iface(l, "wan1"));
    assert_true(addr_equal(&wire.dst, &old));
    assert_string_equal(lab_send_packet(l, "wan1", &wire, 2),
                        "local"); /* for nobody */
    assert_string_equal(lab_send_packet(l, "lan", &p, 3),
                        "wan2 100.64.2.2:40000 revived");
    assert_true(router_find_wire(l->router, &seen, NULL, SECONDS(3), &wire, &in_iface));
    assert_int_equal(in_iface, lab_iface(l, "wan2"));
    lab_destroy(l);
}

static void what_was_only_asked_about_leaves_no_trace(void **state)
{
    struct lab *l = lab_create(ROUTER);

    (void)state;
    lab_send(l, "lan", "udp 192.168.10.5:40000 > 45.57.1.1:443", 1);
    router_forget(l->router, l->last.conn);
    router_forget(l->router, l->last.conn); /* twice is once */
    router_forget(l->router, CONN_NONE);
    assert_int_equal(conn_count(router_conns(l->router)), 0);
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.6:40000 > 45.57.1.1:443", 1),
                        "wan1 100.64.1.2:40000 new");
    lab_destroy(l);
}

static void count_end(void *context, const struct conn *c)
{
    unsigned *ends = context;

    if (c->cookie != 42)
        fail_msg("cookie %u", c->cookie);
    (*ends)++;
}

/* Once for each: past its time, refused, begun anew by a SYN; not when NAT forgets it. */
static void each_end_is_told_once(void **state)
{
    static const struct {
        const char *what, *sent[4];
        double at_s[4];
        unsigned ends;
    } rows[] = {
        {"past its time, found by its next packet",
         {"udp 192.168.10.5:1 > 45.57.1.1:2", "udp 192.168.10.5:1 > 45.57.1.1:2"},
         {0, 31},
         1},
        {"past its time, swept by others",
         {"udp 192.168.10.5:1 > 45.57.1.1:2", "udp 192.168.10.5:3 > 45.57.1.1:2"},
         {0, 31},
         1},
        {"a SYN after a RST",
         {"tcp 192.168.10.5:1 > 45.57.1.1:2 ack", "tcp 192.168.10.5:1 > 45.57.1.1:2 rst",
          "tcp 192.168.10.5:1 > 45.57.1.1:2 syn"},
         {0, 1, 2},
         1},
        {"alive",
         {"udp 192.168.10.5:1 > 45.57.1.1:2", "udp 192.168.10.5:1 > 45.57.1.1:2"},
         {0, 29},
         0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lab *l = lab_create(ROUTER);
        unsigned ends = 0;
        const struct router_conn_sink sink = {count_end, &ends};

        router_set_conn_sink(l->router, &sink);
        for (unsigned k = 0; k < 4 && rows[i].sent[k]; k++) {
            lab_send(l, "lan", rows[i].sent[k], rows[i].at_s[k]);
            conn_at(router_conns(l->router), l->last.conn)->cookie = 42;
        }
        if (ends != rows[i].ends)
            fail_msg("%s: %u ends", rows[i].what, ends);
        lab_destroy(l);
    }
}

/* The table follows what lives: connections of an hour, each of 30 s, one each 10 ms. */
static void the_table_does_not_grow_with_what_has_passed(void **state)
{
    struct lab *l = lab_create(ROUTER);

    (void)state;
    for (unsigned i = 0; i < 360000; i++) {
        struct packet p = packet("udp 192.168.10.5:1024 > 45.57.1.1:443");

        p.sport = (uint16_t)(1024 + i % 60000);
        p.dst.bytes[3] = (uint8_t)(1 + i / 60000);
        router_forward(l->router, &p, 0, SECONDS(i * 0.01), &l->last);
        if (l->last.verdict != VERDICT_FORWARD)
            fail_msg("packet %u: %s", i, verdict_names[l->last.verdict]);
    }
    assert_true(conn_count(router_conns(l->router)) >= 3000);
    assert_true(conn_slots(router_conns(l->router)) <= 12000);
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_found_on_its_wire_and_comes_back),
        cmocka_unit_test(an_error_is_found_on_its_wire_and_comes_back),
        cmocka_unit_test(what_began_outside_comes_as_it_came),
        cmocka_unit_test(a_killed_connection_is_still_found),
        cmocka_unit_test(what_was_only_asked_about_leaves_no_trace),
        cmocka_unit_test(each_end_is_told_once),
        cmocka_unit_test(the_table_does_not_grow_with_what_has_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
