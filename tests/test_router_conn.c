#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Connection tracking on the router's way: lives, errors, fragments, what is no connection. */
#include <string.h>

#include "tests/routers.h"

#define INTERFACES                                                                       \
    "hash l4 99\n"                                                                       \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24 2001:db8:1::2/64\n"                                        \
    "iface wan2 100.64.2.2/24 2001:db8:2::2/64\n"
#define ONE_WAN "route 0.0.0.0/0 via 100.64.1.1\nroute ::/0 via 2001:db8:1::1\n"
#define ROUTER  INTERFACES ONE_WAN "nat masquerade\nnat masquerade family 6\n"
#define NEW     "wan1 100.64.1.2:40000 new"
#define KNOWN   "wan1 100.64.1.2:40000"

/* Packets of one connection at their times. '>' from the LAN, '<' from the server. */
struct step {
    double at_s;
    const char *packet, *said;
};

static void check_life(const char *what, const char *config, const struct step *steps)
{
    struct lab *l = lab_create(config);

    for (unsigned i = 0; steps[i].packet; i++) {
        const bool out = steps[i].packet[0] == '>';
        char text[128];
        const char *rest = steps[i].packet + 2, *protocol = rest;
        const size_t n = strcspn(rest, " ");

        strcpy(text, "");
        strncat(text, protocol, n);
        strcat(text, out ? " 192.168.10.5:40000 > 45.57.1.1:443"
                         : " 45.57.1.1:443 > 100.64.1.2:40000");
        strcat(text, rest + n);
        if (strcmp(lab_send(l, out ? "lan" : "wan1", text, steps[i].at_s),
                   steps[i].said) != 0)
            fail_msg("%s: at %g s '%s': %s, not %s", what, steps[i].at_s, steps[i].packet,
                     l->said, steps[i].said);
    }
    lab_destroy(l);
}

#define BACK "lan 45.57.1.1:443"

static void connections_live_as_long_as_the_platform_says(void **state)
{
    static const struct {
        const char *what, *platform;
        struct step steps[10];
    } rows[] = {
        {"UDP without an answer: 30 s",
         "platform linux\n",
         {{0, "> udp", NEW}, {29.9, "> udp", KNOWN}, {59.9, "> udp", NEW}}},
        {"a stream of Linux: 120 s",
         "platform linux\n",
         {{0, "> udp", NEW},
          {1, "< udp", BACK},
          {3, "> udp", KNOWN},
          {122, "< udp", BACK},
          {242, "> udp", NEW}}},
        {"a stream of RouterOS: 180 s",
         "platform routeros7\n",
         {{0, "> udp", NEW},
          {1, "< udp", BACK},
          {3, "> udp", KNOWN},
          {182, "< udp", BACK},
          {362, "> udp", NEW}}},
        {"a short exchange is none: 30 s",
         "platform linux\n",
         {{0, "> udp", NEW},
          {1, "< udp", BACK},
          {1.5, "> udp", KNOWN},
          {31.5, "> udp", NEW}}},
        {"one late answer makes no stream yet",
         "platform linux\n",
         {{0, "> udp", NEW}, {5, "< udp", BACK}, {35, "> udp", NEW}}},
        {"a SYN of Linux: 120 s from the first",
         "platform linux\n",
         {{0, "> tcp syn", NEW}, {119, "> tcp syn", KNOWN}, {120, "> tcp syn", NEW}}},
        {"a SYN of RouterOS: 5 s from the last",
         "platform routeros7\n",
         {{0, "> tcp syn", NEW},
          {1, "> tcp syn", KNOWN},
          {5.9, "> tcp syn", KNOWN},
          {10.9, "> tcp syn", NEW}}},
        {"established of RouterOS: a day",
         "platform routeros7\n",
         {{0, "> tcp syn", NEW},
          {0.1, "< tcp syn ack", BACK},
          {0.2, "> tcp ack", KNOWN},
          {86400, "> tcp ack", KNOWN},
          {172800, "> tcp ack", NEW}}},
        {"established of Linux: five days",
         "platform linux\n",
         {{0, "> tcp syn seq 1", NEW},
          {0.1, "< tcp syn ack seq 7 acked 2", BACK},
          {0.2, "> tcp ack seq 2 acked 8", KNOWN},
          {432000, "> tcp ack seq 2 acked 8", KNOWN},
          {864000, "> tcp ack seq 2 acked 8", NEW}}},
        {"picked up in mid-stream: 300 s until it is answered",
         "platform linux\n",
         {{0, "> tcp ack", NEW},
          {300, "> tcp ack", NEW},
          {301, "< tcp ack", BACK},
          {302, "> tcp ack", KNOWN},
          {1000, "> tcp ack", KNOWN}}},
        {"data without acknowledgement: 300 s",
         "platform linux\n",
         {{0, "> tcp syn seq 1", NEW},
          {0.1, "< tcp syn ack seq 7 acked 2", BACK},
          {0.2, "> tcp ack seq 2 acked 8 data 10", KNOWN},
          {300.2, "> tcp ack seq 2 acked 8 data 10", NEW}}},
        {"a refused one is gone at once",
         "platform linux\n",
         {{0, "> tcp syn", NEW}, {0.1, "< tcp rst ack", BACK}, {0.2, "> tcp syn", NEW}}},
        {"after TIME_WAIT a SYN begins anew",
         "platform linux\n",
         {{0, "> tcp syn", NEW},
          {0.1, "< tcp syn ack", BACK},
          {0.2, "> tcp ack", KNOWN},
          {1, "> tcp fin ack", KNOWN},
          {1.1, "< tcp fin ack", BACK},
          {1.2, "> tcp ack", KNOWN},
          {2, "> tcp syn", NEW}}},
        {"a FIN of nothing passes untranslated",
         "platform linux\n",
         {{0, "> tcp fin ack", "wan1 192.168.10.5:40000 invalid"}}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[1024];

        strcpy(config, rows[i].platform);
        strcat(config, ROUTER);
        check_life(rows[i].what, config, rows[i].steps);
    }
}

static void an_answer_to_nothing_is_for_the_router(void **state)
{
    struct lab *l = lab_create(ROUTER);

    (void)state;
    assert_string_equal(lab_send(l, "wan1", "udp 45.57.1.1:443 > 100.64.1.2:40000", 0),
                        "local");
    assert_int_equal(l->last.conn, CONN_NONE);
    assert_string_equal(
        lab_send(l, "wan1", "tcp 45.57.1.1:443 > 100.64.1.2:40000 rst", 0),
        "local invalid");
    lab_destroy(l);
}

/* --------------------------------------------------------------------------------- ICMP */

static void echo_requests_have_their_id_translated(void **state)
{
    struct lab *l = lab_create(ROUTER);
    struct packet ping = packet("icmp 192.168.10.5 > 8.8.8.8 id 7"), second, answer;

    (void)state;
    assert_string_equal(lab_send_packet(l, "lan", &ping, 0), "wan1 100.64.1.2:7 new");
    second = packet("icmp 192.168.10.6 > 8.8.8.8 id 7");
    lab_send_packet(l, "lan", &second, 0);
    assert_int_not_equal(l->last.nat_sport, 7);
    answer = answer_to(&second);
    answer.dst = l->last.nat_src;
    answer.icmp_id = l->last.nat_sport;
    lab_send_packet(l, "wan1", &answer, 0.1);
    assert_int_equal(l->last.direction, 1);
    assert_ptr_equal(conn_at(router_conns(l->router), l->last.conn),
                     lab_conn(l, &second));
    answer.icmp_type = 0;
    answer.icmp_id = 999; /* of nobody */
    assert_string_equal(lab_send_packet(l, "wan1", &answer, 0.2), "local invalid");
    lab_destroy(l);
}

static void an_echo_reply_begins_nothing(void **state)
{
    struct lab *l = lab_create(ROUTER);

    (void)state;
    assert_string_equal(lab_send(l, "lan", "icmp 192.168.10.5 > 8.8.8.8 type 0 id 7", 0),
                        "wan1 192.168.10.5 invalid");
    assert_string_equal(
        lab_send(l, "lan", "icmpv6 2001:db8:10::5 > 2001:db8:ff::1 type 129 id 7", 0),
        "wan1 2001:db8:10::5 invalid");
    assert_int_equal(conn_count(router_conns(l->router)), 0);
    lab_destroy(l);
}

/* From the far side about what we sent: quoted with the public source, delivered to the host. */
static void an_error_from_outside_finds_its_connection(void **state)
{
    static const char *const sent[] = {
        "udp 192.168.10.5:40000 > 45.57.1.1:443",
        "tcp 192.168.10.5:40000 > 45.57.1.1:443 syn",
        "icmp 192.168.10.5 > 45.57.1.1 id 77",
        "udp [2001:db8:10::5]:40000 > [2001:db8:ff::1]:443",
        "icmpv6 2001:db8:10::5 > 2001:db8:ff::1 id 77",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
        struct lab *l = lab_create(ROUTER);
        struct packet p = packet(sent[i]), wire, error;
        uint64_t bytes;

        lab_send_packet(l, "lan", &p, 0);
        bytes = lab_conn(l, &p)->bytes[1];
        wire = p;
        wire.src = l->last.nat_src;
        error = error_about(&wire, p.src.family == FAMILY_V4 ? "198.51.100.9"
                                                             : "2001:db8:99::9");
        lab_send_packet(l, "wan1", &error, 1);
        if (l->last.verdict != VERDICT_FORWARD ||
            l->last.out_iface != lab_iface(l, "lan") || l->last.direction != 1)
            fail_msg("%s: %s", sent[i], l->said);
        assert_int_equal(lab_conn(l, &p)->bytes[1], bytes + error.size_bytes);
        assert_true(lab_conn(l, &p)->expires_ns <=
                    SECONDS(120)); /* it prolongs nothing */
        wire.sport = wire.icmp_id = 5;
        error = error_about(&wire, p.src.family == FAMILY_V4 ? "198.51.100.9"
                                                             : "2001:db8:99::9");
        assert_string_equal(lab_send_packet(l, "wan1", &error, 1), "local invalid");
        lab_destroy(l);
    }
}

/* From a LAN host about an answer that it did not want: leaves with the public source. */
static void an_error_from_inside_is_translated(void **state)
{
    struct lab *l = lab_create(ROUTER);
    struct packet p = packet("udp 192.168.10.5:40000 > 45.57.1.1:443"),
                  answer = answer_to(&p);
    struct packet error = error_about(&answer, "192.168.10.5");

    (void)state;
    lab_send_packet(l, "lan", &p, 0);
    assert_string_equal(lab_send_packet(l, "lan", &error, 1), "wan1 100.64.1.2");
    assert_int_equal(l->last.direction, 0);
    error.flags = PACKET_ICMP_ERROR; /* quotes nothing that could be read */
    assert_string_equal(lab_send_packet(l, "lan", &error, 1),
                        "wan1 192.168.10.5 invalid");
    lab_destroy(l);
}

/* An error may leave by another WAN than its connection; that moves nothing. */
static void an_error_by_another_wan_moves_nothing(void **state)
{
    struct lab *l = lab_create(INTERFACES "route 0.0.0.0/0 via 100.64.1.1\n"
                                          "route 0.0.0.0/0 via 100.64.2.1 table t\n"
                                          "rule lookup t proto icmp\nnat masquerade\n");
    struct packet p = packet("udp 192.168.10.5:40000 > 45.57.1.1:443"),
                  answer = answer_to(&p);
    const struct packet error = error_about(&answer, "192.168.10.5");
    struct packet wire;
    int in_iface;

    (void)state;
    lab_send_packet(l, "lan", &p, 0);
    assert_string_equal(lab_send_packet(l, "lan", &error, 1), "wan2 100.64.1.2");
    assert_true(router_find_wire(l->router, &answer, NULL, SECONDS(2), &wire, &in_iface));
    assert_int_equal(in_iface, lab_iface(l, "wan1"));
    assert_string_equal(lab_send_packet(l, "lan", &p, 3), KNOWN);
    lab_destroy(l);
}

/* Under l3 an error hashes as what it quotes, as that is behind the router: it takes the way of
 * its connection's answers, here to one of two routers inside. */
static void an_error_takes_the_way_of_the_answers(void **state)
{
    struct lab *l =
        lab_create(INTERFACES ONE_WAN "hash l3 99\n"
                                      "route 10.50.0.0/16 via 192.168.10.2 192.168.10.3\n"
                                      "nat masquerade out wan1\n");
    unsigned used[2] = {0};

    (void)state;
    for (unsigned i = 1; i < 100; i++) {
        struct packet p = packet("udp 10.50.0.5:40000 > 45.57.1.1:443"), answer, error;
        unsigned member;

        p.dst.bytes[3] = (uint8_t)i;
        lab_send_packet(l, "lan", &p, 1);
        p.src = l->last.nat_src;
        answer = answer_to(&p);
        error = error_about(&p, "198.51.100.9");
        lab_send_packet(l, "wan1", &answer, 1);
        member = l->last.member;
        used[member]++;
        lab_send_packet(l, "wan1", &error, 1);
        assert_int_equal(l->last.member, member);
    }
    assert_true(used[0] > 20 && used[1] > 20);
    lab_destroy(l);
}

/* ---------------------------------------------------------------------------- fragments */

static struct packet fragment(const char *text, uint16_t offset_bytes, bool more)
{
    struct packet p = packet(text);

    p.flags = PACKET_FRAGMENT;
    if (offset_bytes)
        p.flags |= PACKET_LATER_FRAGMENT;
    if (more)
        p.flags |= PACKET_MORE_FRAGMENTS;
    p.fragment_offset = offset_bytes / 8;
    p.fragment_id = 9;
    p.payload_bytes = 800;
    p.size_bytes = 820;
    if (offset_bytes)
        p.sport = p.dport = 0;
    return p;
}

#define DATAGRAM "udp 192.168.10.5:40000 > 45.57.1.1:443"

static void tracked_fragments_wait_for_each_other_and_go_as_one(void **state)
{
    struct lab *l = lab_create(ROUTER);
    const struct packet last = fragment(DATAGRAM, 800, false);
    const struct packet first = fragment(DATAGRAM, 0, true);

    (void)state;
    assert_string_equal(lab_send_packet(l, "lan", &last, 0), "held fragment-held");
    assert_string_equal(lab_send_packet(l, "lan", &last, 0.5), "drop fragment-rejected");
    assert_string_equal(lab_send_packet(l, "lan", &first, 1), NEW);
    assert_int_equal(l->last.held_packets, 1);
    assert_int_equal(l->last.held_bytes, 820);
    assert_string_equal(lab_send(l, "lan", DATAGRAM, 2), KNOWN);
    lab_destroy(l);
}

static void fragments_that_never_become_whole_are_told(void **state)
{
    struct lab *l = lab_create(ROUTER);
    const struct packet first = fragment(DATAGRAM, 0, true);
    uint32_t packets = 9;
    uint64_t bytes = 9;

    (void)state;
    lab_send_packet(l, "lan", &first, 0);
    router_expire_fragments(l->router, SECONDS(29), &packets, &bytes);
    assert_int_equal(packets, 0);
    router_expire_fragments(l->router, SECONDS(30), &packets, &bytes);
    assert_int_equal(packets, 1);
    assert_int_equal(bytes, 820);
    lab_destroy(l);
}

/* Without tracking every fragment goes by addresses and protocol alone: together, but by
 * another path than the whole packets of the flow. */
static void untracked_fragments_hash_without_ports(void **state)
{
    struct lab *l = lab_create(INTERFACES "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1\n");
    unsigned elsewhere = 0;

    (void)state;
    assert_false(router_is_tracking(l->router));
    for (unsigned i = 0; i < 200; i++) {
        struct packet whole = packet(DATAGRAM);
        struct packet first = fragment(DATAGRAM, 0, true);
        struct packet second = fragment(DATAGRAM, 800, false);
        unsigned by;

        whole.dst.bytes[3] = first.dst.bytes[3] = second.dst.bytes[3] = (uint8_t)(i + 1);
        lab_send_packet(l, "lan", &whole, i);
        by = l->last.out_iface;
        lab_send_packet(l, "lan", &first, i);
        elsewhere += l->last.out_iface != by;
        by = l->last.out_iface;
        lab_send_packet(l, "lan", &second, i);
        assert_int_equal(l->last.out_iface, by);
    }
    assert_in_range(elsewhere, 70, 130); /* 100 expected; 4.2 standard deviations */
    lab_destroy(l);
}

/* ------------------------------------------------------------------------- tracking off */

static void without_tracking_nothing_is_invalid_or_translated(void **state)
{
    struct lab *l = lab_create("tracking off\n" ROUTER);

    (void)state;
    lab_send(l, "lan", "tcp 192.168.10.5:1 > 45.57.1.1:443 fin ack", 0);
    assert_int_equal(l->last.verdict, VERDICT_FORWARD);
    assert_int_equal(l->last.reason, REASON_NONE);
    assert_string_equal(lab_send(l, "lan", "tcp 192.168.10.5:1 > 45.57.1.1:443 syn", 1),
                        "wan1 192.168.10.5:1 new");
    assert_string_equal(
        lab_send(l, "wan1", "tcp 45.57.1.1:443 > 192.168.10.5:1 syn ack", 2),
        "lan 45.57.1.1:443");
    assert_int_equal(l->last.direction, 1);
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_live_as_long_as_the_platform_says),
        cmocka_unit_test(an_answer_to_nothing_is_for_the_router),
        cmocka_unit_test(echo_requests_have_their_id_translated),
        cmocka_unit_test(an_echo_reply_begins_nothing),
        cmocka_unit_test(an_error_from_outside_finds_its_connection),
        cmocka_unit_test(an_error_from_inside_is_translated),
        cmocka_unit_test(an_error_by_another_wan_moves_nothing),
        cmocka_unit_test(an_error_takes_the_way_of_the_answers),
        cmocka_unit_test(tracked_fragments_wait_for_each_other_and_go_as_one),
        cmocka_unit_test(fragments_that_never_become_whole_are_told),
        cmocka_unit_test(untracked_fragments_hash_without_ports),
        cmocka_unit_test(without_tracking_nothing_is_invalid_or_translated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
