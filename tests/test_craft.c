/* What is built from a packet's fields reads back as the same fields, with right checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sim/verify/craft.h"

static struct addr address(const char *text)
{
    struct addr a;

    if (!addr_parse(text, &a))
        fail_msg("no address: %s", text);
    return a;
}

static struct packet packet(bool v6, uint8_t protocol)
{
    return (struct packet){
        .src = address(v6 ? "fd00:10::5" : "192.168.10.5"),
        .dst = address(v6 ? "2001:db8::9" : "203.0.113.9"),
        .protocol = protocol,
        .next_header = protocol,
        .ttl = 63,
        .tos = 0xb8,
        .flow_label = v6 ? 0xabcde : 0,
        .fragment_id = v6 ? 0 : 77,
    };
}

/* RFC 1071: over all of it the sum is 0xffff. */
static uint32_t folded_sum(uint32_t sum, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void expect_read_back(const char *what, const struct packet *p, size_t header,
                             bool pseudo)
{
    static uint8_t bytes[CRAFT_MAX];
    const size_t n = craft_packet(p, bytes), addresses = addr_bits(&p->src) / 8;
    struct packet back;
    uint32_t sum = 0;

    if (packet_dissect(bytes, n, n, &back) != DISSECT_OK)
        fail_msg("%s: cannot be read back", what);
    if (!addr_equal(&back.src, &p->src) || !addr_equal(&back.dst, &p->dst) ||
        back.protocol != p->protocol || back.sport != p->sport ||
        back.dport != p->dport || back.tcp_seq != p->tcp_seq ||
        back.tcp_ack != p->tcp_ack || back.tcp_flags != p->tcp_flags ||
        back.tcp_window != p->tcp_window || back.icmp_id != p->icmp_id ||
        back.icmp_type != p->icmp_type || back.ttl != p->ttl || back.tos != p->tos ||
        back.flow_label != p->flow_label || back.payload_bytes != p->payload_bytes ||
        back.transport_bytes != p->transport_bytes)
        fail_msg("%s: reads back otherwise", what);
    if (p->src.family == FAMILY_V4 && folded_sum(0, bytes, 20) != 0xffff)
        fail_msg("%s: the header's checksum is wrong", what);
    if (pseudo)
        sum = folded_sum((uint32_t)(n - header) + p->protocol,
                         bytes + header - 2 * addresses, 2 * addresses);
    if (folded_sum(sum, bytes + header, n - header) != 0xffff)
        fail_msg("%s: the checksum is wrong", what);
}

static void what_is_built_reads_back(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        const size_t header = v6 ? 40 : 20;
        struct packet tcp = packet(v6, PROTO_TCP), udp = packet(v6, PROTO_UDP),
                      echo = packet(v6, v6 ? PROTO_ICMPV6 : PROTO_ICMP);

        tcp.sport = udp.sport = 40000;
        tcp.dport = udp.dport = 443;
        tcp.tcp_seq = 0x89abcdef;
        tcp.tcp_ack = 0x12345678;
        tcp.tcp_flags = TCP_ACK | TCP_PSH;
        tcp.tcp_window = 501;
        tcp.transport_bytes = 32;
        tcp.payload_bytes = 1401;
        udp.transport_bytes = 8;
        udp.payload_bytes = 7;
        echo.icmp_type = v6 ? 128 : 8;
        echo.icmp_id = 99;
        echo.transport_bytes = 8;
        echo.payload_bytes = 56;
        expect_read_back("tcp", &tcp, header, true);
        expect_read_back("udp", &udp, header, true);
        expect_read_back("echo", &echo, header, v6);
    }
}

static void a_fragment_keeps_its_place(void **state)
{
    static uint8_t bytes[CRAFT_MAX];
    struct packet back;

    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct packet p = packet(v6, PROTO_UDP);
        size_t n;

        p.flags = PACKET_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_MORE_FRAGMENTS;
        p.fragment_offset = 185;
        p.fragment_id = 4711;
        p.payload_bytes = 1480;
        p.next_header = v6 ? PROTO_FRAGMENT : PROTO_UDP;
        n = craft_packet(&p, bytes);
        assert_int_equal(packet_dissect(bytes, n, n, &back), DISSECT_OK);
        assert_int_equal(back.flags, p.flags);
        assert_int_equal(back.fragment_offset, 185);
        assert_int_equal(back.fragment_id, 4711);
        assert_int_equal(back.payload_bytes, 1480);
    }
}

static void an_icmp_error_quotes_its_packet(void **state)
{
    static uint8_t bytes[CRAFT_MAX];
    struct packet p = packet(false, PROTO_ICMP), back;
    size_t n;

    (void)state;
    p.icmp_type = 3;
    p.icmp_code = 1;
    p.flags = PACKET_ICMP_ERROR | PACKET_HAS_INNER;
    p.transport_bytes = 8;
    p.payload_bytes = 28;
    p.inner = (struct packet_inner){.src = address("100.64.1.2"),
                                    .dst = address("203.0.113.9"),
                                    .protocol = PROTO_TCP,
                                    .next_header = PROTO_TCP,
                                    .sport = 40000,
                                    .dport = 443};
    n = craft_packet(&p, bytes);
    assert_int_equal(n, 56);
    assert_int_equal(packet_dissect(bytes, n, n, &back), DISSECT_OK);
    assert_int_equal(back.flags, p.flags);
    assert_true(addr_equal(&back.inner.src, &p.inner.src));
    assert_int_equal(back.inner.sport, 40000);
    assert_int_equal(back.inner.dport, 443);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_reads_back),
        cmocka_unit_test(a_fragment_keeps_its_place),
        cmocka_unit_test(an_icmp_error_quotes_its_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
