#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/play.h"
#include "tests/words.h"

enum { PACKETS_MAX = 8 };

/* Packets at 0 s, 1 s, 2 s ..., a capture of their own for each row. */
struct row {
    const char *when;
    const char *packets[PACKETS_MAX];
    const char *lines;
};

static void play_rows(const struct row *rows, size_t len, const struct play_text *text)
{
    for (size_t i = 0; i < len; i++) {
        struct play *p = play_create();

        for (unsigned k = 0; k < PACKETS_MAX && rows[i].packets[k]; k++)
            play_packet(p, k, rows[i].packets[k]);
        play_run(p, text);
        play_expect_packets(p, rows[i].when, rows[i].lines);
        play_destroy(p);
    }
}

static void answers_come_by_the_wan_of_their_connection(void **state)
{
    static const struct row rows[] = {
        {"TCP",
         {"tcp 192.168.10.5:50000 > 198.51.100.1:443 syn",
          "tcp 198.51.100.1:443 > 192.168.10.5:50000 syn ack",
          "tcp 192.168.10.5:50000 > 198.51.100.1:443 ack"},
         "1 delivered out wan1 as 100.64.1.2:50000\n"
         "2 delivered in wan1\n"
         "3 delivered out wan1 as 100.64.1.2:50000\n"},
        {"UDP from another LAN network, whose rule has it leave by wan2",
         {"udp 192.168.20.5:5000 > 198.51.100.1:53",
          "udp 198.51.100.1:53 > 192.168.20.5:5000"},
         "1 delivered out wan2 as 100.64.2.2:5000\n"
         "2 delivered in wan2\n"},
        {"a ping",
         {"icmp 192.168.10.5 > 198.51.100.1 id 7",
          "icmp 198.51.100.1 > 192.168.10.5 type 0 id 7"},
         "1 delivered out wan1 as 100.64.1.2:7\n"
         "2 delivered in wan1\n"},
        {"IPv6, which is not translated",
         {"udp [2001:db8:10::5]:5000 > [2001:db8:99::1]:53",
          "udp [2001:db8:99::1]:53 > [2001:db8:10::5]:5000"},
         "1 delivered out wan1\n"
         "2 delivered in wan1\n"},
    };

    (void)state;
    play_rows(
        rows, ARRAY_LEN(rows),
        &(struct play_text){
            .routes =
                "[{'gateway': '100.64.1.1'}, {'gateway': '100.64.2.1', 'table': 't2'},"
                " {'dst_address': '::/0', 'gateway': '2001:db8:1::1'}]",
            .rules = "[{'table': 't2', 'interface': 'dmz'}]"});
}

static void a_capture_that_begins_in_the_middle_is_taken_up(void **state)
{
    static const struct row rows[] = {
        {"with an answer",
         {"tcp 198.51.100.1:443 > 192.168.10.5:50000 ack data 40",
          "tcp 192.168.10.5:50000 > 198.51.100.1:443 ack"},
         "0 assumed out wan1 as 100.64.1.2:50000\n"
         "1 delivered in wan1\n"
         "2 delivered out wan1 as 100.64.1.2:50000\n"},
        {"with an answer to a SYN",
         {"tcp 198.51.100.1:443 > 192.168.10.5:50000 syn ack"},
         "0 assumed out wan1 as 100.64.1.2:50000\n"
         "1 delivered in wan1\n"},
        {"with an answer to a ping",
         {"icmp 198.51.100.1 > 192.168.10.5 type 0 id 7"},
         "0 assumed out wan1 as 100.64.1.2:7\n"
         "1 delivered in wan1\n"},
        {"the requests alone",
         {"tcp 192.168.10.5:50000 > 198.51.100.1:443 syn",
          "tcp 192.168.10.5:50000 > 198.51.100.1:443 ack",
          "tcp 192.168.10.5:50000 > 198.51.100.1:443 ack data 40"},
         "1 delivered out wan1 as 100.64.1.2:50000\n"
         "2 delivered out wan1 as 100.64.1.2:50000\n"
         "3 delivered out wan1 as 100.64.1.2:50000\n"},
        {"the answers alone",
         {"tcp 198.51.100.1:443 > 192.168.10.5:50000 syn ack",
          "tcp 198.51.100.1:443 > 192.168.10.5:50000 ack data 40"},
         "0 assumed out wan1 as 100.64.1.2:50000\n"
         "1 delivered in wan1\n"
         "2 delivered in wan1\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows), &(struct play_text){.platform = NULL});
}

static void what_begins_outside_comes_in_where_nothing_translates(void **state)
{
    static const struct row rows[] = {
        {"a SYN to a private address",
         {"tcp 198.51.100.1:4000 > 192.168.10.5:22 syn"},
         "1 unrouted unsolicited\n"},
        {"a ping to a private address",
         {"icmp 198.51.100.1 > 192.168.10.5 id 7"},
         "1 unrouted unsolicited\n"},
        {"a SYN to a global address",
         {"tcp [2001:db8:99::1]:4000 > [2001:db8:10::5]:22 syn",
          "tcp [2001:db8:10::5]:22 > [2001:db8:99::1]:4000 syn ack",
          "tcp [2001:db8:99::1]:4000 > [2001:db8:10::5]:22 ack"},
         "1 delivered in wan1\n"
         "2 delivered out wan1\n"
         "3 delivered in wan1\n"},
        {"a ping to a global address",
         {"icmpv6 2001:db8:99::1 > 2001:db8:10::5 id 7"},
         "1 delivered in wan1\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows), &(struct play_text){.platform = NULL});
}

/* Whether tracking takes up TCP in mid-stream has no say in that. */
static void strict_tracking_lets_nothing_in_either(void **state)
{
    static const struct row rows[] = {
        {"a SYN to a private address",
         {"tcp 198.51.100.1:4000 > 192.168.10.5:22 syn"},
         "1 unrouted unsolicited\n"},
        {"an answer to nothing",
         {"tcp 198.51.100.1:443 > 192.168.10.5:50000 ack"},
         "1 unrouted unsolicited\n"},
        {"a SYN to a global address",
         {"tcp [2001:db8:99::1]:4000 > [2001:db8:10::5]:22 syn"},
         "1 delivered in wan1\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows),
              &(struct play_text){.router = ", 'connection_tracking': {'loose': false}"});
}

/* On the LAN an answer was seen behind the router, which had taken one off its TTL; a request
 * before it. */
static void an_answer_may_come_with_the_last_of_its_ttl(void **state)
{
    static const struct row rows[] = {
        {"an answer that is translated back",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53",
          "udp 198.51.100.1:53 > 192.168.10.5:5000 ttl 1"},
         "1 delivered out wan1 as 100.64.1.2:5000\n"
         "2 delivered in wan1\n"},
        {"an answer that is not",
         {"udp [2001:db8:10::5]:5000 > [2001:db8:99::1]:53",
          "udp [2001:db8:99::1]:53 > [2001:db8:10::5]:5000 ttl 1"},
         "1 delivered out wan1\n"
         "2 delivered in wan1\n"},
        {"an answer with the largest there is",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53",
          "udp 198.51.100.1:53 > 192.168.10.5:5000 ttl 255"},
         "1 delivered out wan1 as 100.64.1.2:5000\n"
         "2 delivered in wan1\n"},
        {"the first that is seen of a connection",
         {"tcp 198.51.100.1:443 > 192.168.10.5:50000 ack data 40 ttl 1"},
         "0 assumed out wan1 as 100.64.1.2:50000\n"
         "1 delivered in wan1\n"},
        {"what begins outside",
         {"tcp [2001:db8:99::1]:4000 > [2001:db8:10::5]:22 syn ttl 1"},
         "1 delivered in wan1\n"},
        {"a request",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53 ttl 1"},
         "1 dropped out wan1 ttl\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows), &(struct play_text){.platform = NULL});
}

static void what_is_not_the_routers_business_is_told_by_reason(void **state)
{
    static const struct row rows[] = {
        {"one segment",
         {"udp 192.168.10.5:1 > 192.168.10.6:2"},
         "1 unrouted same-segment\n"},
        {"between two segments",
         {"udp 192.168.10.5:1 > 192.168.20.6:2"},
         "1 delivered\n"},
        {"to the router", {"udp 192.168.10.5:1 > 192.168.10.1:53"}, "1 local\n"},
        {"to the router's other address",
         {"udp 192.168.10.5:1 > 192.168.20.1:53"},
         "1 local\n"},
        {"to the router's public address",
         {"udp 192.168.10.5:1 > 100.64.1.2:53"},
         "1 local\n"},
        {"neither end inside",
         {"udp 198.51.100.1:1 > 203.0.113.1:2"},
         "1 unrouted foreign\n"},
        {"multicast", {"udp 192.168.10.5:1 > 224.0.0.251:2"}, "1 unrouted multicast\n"},
        {"IPv6 multicast",
         {"udp [2001:db8:10::5]:1 > [ff02::fb]:2"},
         "1 unrouted multicast\n"},
        {"broadcast",
         {"udp 192.168.10.5:1 > 255.255.255.255:2"},
         "1 unrouted broadcast\n"},
        {"link-local",
         {"udp [2001:db8:10::5]:1 > [fe80::1]:2"},
         "1 unrouted link-local\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows), &(struct play_text){.platform = NULL});
}

static void frames_that_are_no_packet_are_told_by_reason(void **state)
{
    static const struct {
        const char *when, *frame, *lines;
    } rows[] = {
        {"ARP", "ffffffffffff 020000000001 0806 0001 0800 06 04 0001",
         "1 unrouted not-ip\n"},
        {"a header length of 4 bytes",
         ETHERNET_IPV4 "41000020 12340000 40110000 c0000201 c6336402" UDP,
         "1 unrouted malformed\n"},
        {"version 3 in a frame that says IPv4",
         "020000000002 020000000001 0800 30000000 00000000 00000000 00000000 00000000",
         "1 unrouted malformed\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();

        play_frame(p, 0, rows[i].frame);
        play_run(p, &(struct play_text){.platform = NULL});
        play_expect_packets(p, rows[i].when, rows[i].lines);
        play_destroy(p);
    }
}

/* The two halves of a datagram with 16 bytes of payload behind the UDP header. */
static struct packet first_half(const char *text)
{
    struct packet p = packet(text);

    p.size_bytes = 20 + 16;
    p.payload_bytes = 16;
    p.fragment_id = 77;
    p.flags = PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS;
    return p;
}

static struct packet second_half(const char *text)
{
    struct packet p = first_half(text);

    p.size_bytes = 20 + 8;
    p.fragment_offset = 2;
    p.flags = PACKET_FRAGMENT | PACKET_LATER_FRAGMENT;
    return p;
}

static void fragments_go_as_one_both_ways(void **state)
{
    static const char out[] = "udp 192.168.10.5:5000 > 198.51.100.1:53";
    static const char in[] = "udp 198.51.100.1:53 > 192.168.10.5:5000";
    const struct packet halves[] = {first_half(out), second_half(out), first_half(in),
                                    second_half(in)};
    struct play *p = play_create();

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(halves); i++)
        play_made(p, i, &halves[i]);
    play_run(p, &(struct play_text){.platform = NULL});
    play_expect_packets(p, "both ways",
                        "1 held fragment-held\n"
                        "2 delivered out wan1 as 100.64.1.2:5000\n"
                        "3 held in wan1 fragment-held\n"
                        "4 delivered in wan1\n");
    play_destroy(p);
}

static void fragments_may_come_with_the_last_of_their_ttl(void **state)
{
    static const char in[] = "udp 198.51.100.1:53 > 192.168.10.5:5000 ttl 1";
    const struct packet request = packet("udp 192.168.10.5:5000 > 198.51.100.1:53");
    const struct packet halves[] = {first_half(in), second_half(in)};
    struct play *p = play_create();

    (void)state;
    play_made(p, 0, &request);
    play_made(p, 1, &halves[0]);
    play_made(p, 2, &halves[1]);
    play_run(p, &(struct play_text){.platform = NULL});
    play_expect_packets(p, "an answer in two halves",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 held in wan1 fragment-held\n"
                        "3 delivered in wan1\n");
    play_destroy(p);
}

static void a_later_fragment_without_its_first_comes_from_nowhere(void **state)
{
    const struct packet half = second_half("udp 198.51.100.1:53 > 192.168.10.5:5000");
    struct play *p = play_create();

    (void)state;
    play_made(p, 0, &half);
    play_run(p, &(struct play_text){.platform = NULL});
    play_expect_packets(p, "the second half alone", "1 unrouted unsolicited\n");
    play_destroy(p);
}

static void icmp_errors_pass_the_translation_both_ways(void **state)
{
    const struct packet request = packet("udp 192.168.10.5:5000 > 198.51.100.1:53");
    const struct packet answer = answer_to(&request);
    const struct packet inward = error_about(&request, "203.0.113.9");
    const struct packet outward = error_about(&answer, "192.168.10.5");
    const struct packet stray = packet("udp 192.168.10.6:5000 > 198.51.100.1:53");
    const struct packet of_none = error_about(&stray, "203.0.113.9");
    struct play *p = play_create();

    (void)state;
    play_made(p, 0, &request);
    play_made(p, 1, &inward);
    play_made(p, 2, &answer);
    play_made(p, 3, &outward);
    play_made(p, 4, &of_none);
    play_run(p, &(struct play_text){.platform = NULL});
    play_expect_packets(p, "errors",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered in wan1\n"
                        "3 delivered in wan1\n"
                        "4 delivered out wan1 as 100.64.1.2:0\n"
                        "5 unrouted unsolicited\n");
    play_destroy(p);
}

/* wan1 is down from 10 s on: what is behind it is lost both ways, and UDP goes on by wan2. */
static void a_dead_wan_brings_no_answers(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 11, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_packet(p, 12, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 13, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_run(p, &(struct play_text){
                    .events = "[{'at': '10s', 'kind': 'link-down', 'wan': 'wan1'}]"});
    play_expect_packets(p, "link down",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 dropped in wan1 link-down\n"
                        "3 delivered out wan2 as 100.64.2.2:5000\n"
                        "4 delivered in wan2\n");
    play_destroy(p);
}

/* Linux loses carrier: the entry lives until its way out changes. With routes by carrier. */
static void a_masqueraded_flow_loses_the_packet_that_moves_it(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 12, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 12.5, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_packet(p, 13, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_run(p, &(struct play_text){
                    .platform = "linux",
                    .router = ", 'ignore_routes_with_linkdown': true",
                    .events = "[{'at': '10s', 'kind': 'link-down', 'wan': 'wan1'}]"});
    play_expect_packets(p, "carrier lost",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 dropped out wan2 nat-moved\n"
                        "3 dropped in wan1 link-down\n"
                        "4 delivered out wan2 as 100.64.2.2:5000\n");
    play_destroy(p);
}

static void the_traffics_interface_is_where_its_packets_enter(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_run(p,
             &(struct play_text){.routes = "[{'gateway': '100.64.1.1'},"
                                           " {'gateway': '100.64.2.1', 'table': 't2'}]",
                                 .rules = "[{'table': 't2', 'interface': 'dmz'}]",
                                 .traffic = ", 'interface': 'dmz'"});
    play_expect_packets(p, "by dmz", "1 delivered out wan2 as 100.64.2.2:5000\n");
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_by_the_wan_of_their_connection),
        cmocka_unit_test(a_capture_that_begins_in_the_middle_is_taken_up),
        cmocka_unit_test(what_begins_outside_comes_in_where_nothing_translates),
        cmocka_unit_test(strict_tracking_lets_nothing_in_either),
        cmocka_unit_test(an_answer_may_come_with_the_last_of_its_ttl),
        cmocka_unit_test(what_is_not_the_routers_business_is_told_by_reason),
        cmocka_unit_test(frames_that_are_no_packet_are_told_by_reason),
        cmocka_unit_test(fragments_go_as_one_both_ways),
        cmocka_unit_test(fragments_may_come_with_the_last_of_their_ttl),
        cmocka_unit_test(a_later_fragment_without_its_first_comes_from_nowhere),
        cmocka_unit_test(icmp_errors_pass_the_translation_both_ways),
        cmocka_unit_test(a_dead_wan_brings_no_answers),
        cmocka_unit_test(a_masqueraded_flow_loses_the_packet_that_moves_it),
        cmocka_unit_test(the_traffics_interface_is_where_its_packets_enter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
