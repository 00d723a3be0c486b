#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/packet.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ROOM = 2048 };

/* Pieces of packets, so that a row says what it is about and nothing else. */
#define TCP_PORTS  "9c40 01bb"
#define TCP_HEADER TCP_PORTS "11223344 55667788 5018 fff0 0000 0000"
#define UDP_HEADER "03e8 07d0 0010 0000"
#define FOUR_BYTES "61626364"
/* 10.0.0.1:1000 > 10.0.0.2:2000, UDP */
#define V4_INSIDE                                                                        \
    "45000024 00000000 40110000 0a000001 0a000002" UDP_HEADER FOUR_BYTES FOUR_BYTES
/* fd00::1 port 1000 > fd00::2 port 2000, UDP, flow label 0x54321 */
#define V6_INSIDE                                                                        \
    "60054321 0010 11 40 fd000000000000000000000000000001 "                              \
    "fd000000000000000000000000000002" UDP_HEADER FOUR_BYTES FOUR_BYTES

static size_t hex_decode(const char *hex, uint8_t *bytes, size_t room)
{
    size_t length = 0;
    unsigned byte;

    for (;; hex += 2) {
        while (*hex == ' ')
            hex++;
        if (*hex == '\0')
            return length;
        if (length == room || sscanf(hex, "%2x", &byte) != 1)
            fail_msg("bad hexadecimal: %s", hex);
        bytes[length++] = (uint8_t)byte;
    }
}

/* 192.0.2.1 > 198.51.100.2, id 0x1234; `fragment` is the word of flags and offset. */
static size_t build_v4(uint8_t *b, uint8_t protocol, uint16_t fragment,
                       const char *payload)
{
    size_t length = 20 + hex_decode(payload, b + 20, ROOM - 20);

    hex_decode("45b8 0000 1234 0000 3f00 0000 c0000201 c6336402", b, 20);
    b[2] = (uint8_t)(length >> 8);
    b[3] = (uint8_t)length;
    b[6] = (uint8_t)(fragment >> 8);
    b[7] = (uint8_t)fragment;
    b[9] = protocol;
    return length;
}

/* 2001:db8::1 > 2001:db8::2, traffic class 0xb8, flow label 0x12345. */
static size_t build_v6(uint8_t *b, uint8_t next_header, const char *payload)
{
    size_t length = hex_decode(payload, b + 40, ROOM - 40);

    hex_decode("6b812345 0000 00 3f 20010db8000000000000000000000001"
               "20010db8000000000000000000000002",
               b, 40);
    b[4] = (uint8_t)(length >> 8);
    b[5] = (uint8_t)length;
    b[6] = next_header;
    return 40 + length;
}

/* Dissect a copy that ends where the capture ends, so that a sanitiser sees a step behind
 * it, into a struct that is full of another packet's remains. */
static enum dissect_result dissect(const uint8_t *bytes, size_t captured, size_t wire,
                                   struct packet *p)
{
    uint8_t *copy = malloc(captured != 0 ? captured : 1);
    enum dissect_result result;

    assert_non_null(copy);
    memcpy(copy, bytes, captured);
    memset(p, 0xa5, sizeof *p);
    result = packet_dissect(copy, captured, wire, p);
    free(copy);
    return result;
}

static struct packet dissect_v4(uint8_t protocol, uint16_t fragment, const char *payload)
{
    uint8_t b[ROOM];
    size_t length = build_v4(b, protocol, fragment, payload);
    struct packet p;

    assert_int_equal(dissect(b, length, length, &p), DISSECT_OK);
    return p;
}

static struct packet dissect_v6(uint8_t next_header, const char *payload)
{
    uint8_t b[ROOM];
    size_t length = build_v6(b, next_header, payload);
    struct packet p;

    assert_int_equal(dissect(b, length, length, &p), DISSECT_OK);
    return p;
}

static void addr_expect(const char *what, const struct addr *got, const char *expected)
{
    char text[ADDR_TEXT_MAX];

    if (strcmp(addr_format(got, text), expected) != 0)
        fail_msg("%s: %s, expected %s", what, text, expected);
}

static void number_expect(const char *what, const char *field, unsigned long got,
                          unsigned long expected)
{
    if (got != expected)
        fail_msg("%s: %s is %lu (0x%lx), expected %lu", what, field, got, got, expected);
}

/* Fields */

static void every_field_of_an_ipv4_tcp_packet_is_read(void **state)
{
    struct packet p = dissect_v4(PROTO_TCP, 0x4000, TCP_HEADER FOUR_BYTES "65");

    (void)state;
    addr_expect("source", &p.src, "192.0.2.1");
    addr_expect("destination", &p.dst, "198.51.100.2");
    assert_int_equal(p.size_bytes, 45);
    assert_int_equal(p.tos, 0xb8);
    assert_int_equal(p.ttl, 63);
    assert_int_equal(p.protocol, PROTO_TCP);
    assert_int_equal(p.next_header, PROTO_TCP);
    assert_int_equal(p.sport, 40000);
    assert_int_equal(p.dport, 443);
    assert_int_equal(p.tcp_seq, 0x11223344);
    assert_int_equal(p.tcp_ack, 0x55667788);
    assert_int_equal(p.tcp_flags, TCP_PSH | TCP_ACK);
    assert_int_equal(p.tcp_window, 0xfff0);
    assert_int_equal(p.transport_bytes, 20);
    assert_int_equal(p.payload_bytes, 5);
    assert_int_equal(p.fragment_id, 0x1234);
}

static void every_field_of_an_ipv6_udp_packet_is_read(void **state)
{
    struct packet p = dissect_v6(PROTO_UDP, UDP_HEADER FOUR_BYTES FOUR_BYTES);

    (void)state;
    addr_expect("source", &p.src, "2001:db8::1");
    addr_expect("destination", &p.dst, "2001:db8::2");
    assert_int_equal(p.size_bytes, 56);
    assert_int_equal(p.tos, 0xb8);
    assert_int_equal(p.ttl, 63);
    assert_int_equal(p.flow_label, 0x12345);
    assert_int_equal(p.protocol, PROTO_UDP);
    assert_int_equal(p.next_header, PROTO_UDP);
    assert_int_equal(p.sport, 1000);
    assert_int_equal(p.dport, 2000);
    assert_int_equal(p.payload_bytes, 8);
    assert_int_equal(p.flags, 0);
}

static void nothing_of_an_earlier_packet_is_left(void **state)
{
    struct packet p = dissect_v4(253, 0, "");

    (void)state;
    assert_int_equal(p.src.quads[1], 0);
    assert_int_equal(p.dst.quads[1], 0);
    assert_int_equal(p.mark | p.flow_label | p.tcp_seq | p.tcp_ack | p.payload_bytes, 0);
    assert_int_equal(p.sport | p.dport | p.icmp_id | p.tcp_window | p.fragment_offset, 0);
    assert_int_equal(
        p.icmp_type | p.icmp_code | p.tcp_flags | p.flags | p.transport_bytes, 0);
}

/* Lengths */

/* A 60-byte frame content: IPv4 or IPv6 with TCP, 20 bytes of TCP header. */
static void the_ip_length_counts_and_zero_means_the_wires(void **state)
{
    static const struct {
        const char *what;
        bool v6;
        unsigned length_field;
        size_t captured, wire;
        enum dissect_result result;
        uint32_t size, payload;
    } rows[] = {
        {"as on the wire", false, 60, 60, 60, DISSECT_OK, 60, 20},
        {"Ethernet padding", false, 40, 60, 60, DISSECT_OK, 40, 0},
        {"offload: 0", false, 0, 60, 60, DISSECT_OK, 60, 20},
        {"offload: 0, cut capture", false, 0, 60, 70000, DISSECT_OK, 70000, 69960},
        {"cut capture", false, 1500, 60, 1500, DISSECT_OK, 1500, 1460},
        {"longer than the wire", false, 1500, 60, 60, DISSECT_OK, 1500, 1460},
        {"shorter than its header", false, 19, 60, 60, DISSECT_MALFORMED, 0, 0},
        {"IPv6 as on the wire", true, 20, 60, 60, DISSECT_OK, 60, 0},
        {"IPv6, Ethernet padding", true, 20, 60, 64, DISSECT_OK, 60, 0},
        {"IPv6 offload: 0", true, 0, 60, 60, DISSECT_OK, 60, 0},
        {"IPv6 offload: 0, cut capture", true, 0, 60, 70000, DISSECT_OK, 70000, 69940},
        {"IPv6 cut capture", true, 1460, 60, 1500, DISSECT_OK, 1500, 1440},
        {"wire shorter than the header", false, 60, 60, 19, DISSECT_MALFORMED, 0, 0},
        {"wire shorter than captured", false, 0, 60, 40, DISSECT_OK, 40, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t b[ROOM] = {0};
        struct packet p;
        enum dissect_result result;
        size_t field = rows[i].v6 ? 4 : 2;

        if (rows[i].v6)
            build_v6(b, PROTO_TCP, TCP_HEADER);
        else
            build_v4(b, PROTO_TCP, 0, TCP_HEADER);
        b[field] = (uint8_t)(rows[i].length_field >> 8);
        b[field + 1] = (uint8_t)rows[i].length_field;
        result = dissect(b, rows[i].captured, rows[i].wire, &p);
        number_expect(rows[i].what, "result", result, rows[i].result);
        if (result != DISSECT_OK)
            continue;
        number_expect(rows[i].what, "size", p.size_bytes, rows[i].size);
        number_expect(rows[i].what, "payload", p.payload_bytes, rows[i].payload);
        number_expect(rows[i].what, "sport", p.sport, 40000);
    }
}

static void ipv6_without_a_next_header_is_empty_in_spite_of_padding(void **state)
{
    uint8_t b[ROOM] = {0};
    struct packet p;

    (void)state;
    build_v6(b, PROTO_NONE, "");
    assert_int_equal(dissect(b, 46, 46, &p), DISSECT_OK);
    assert_int_equal(p.size_bytes, 40);
    assert_int_equal(p.payload_bytes, 0);
}

static void ipv4_options_are_stepped_over(void **state)
{
    uint8_t b[ROOM];
    size_t length = hex_decode(
        "46000030 00000000 40060000 c0000201 c6336402 01010100" TCP_HEADER FOUR_BYTES, b,
        sizeof b);
    struct packet p;

    (void)state;
    assert_int_equal(dissect(b, length, length, &p), DISSECT_OK);
    assert_int_equal(p.dport, 443);
    assert_int_equal(p.payload_bytes, 4);
}

static void what_is_no_ip_packet_is_told_apart(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t wire; /* 0 = as captured */
        enum dissect_result result;
    } rows[] = {
        {"nothing", "", 0, DISSECT_MALFORMED},
        {"nothing captured", "", 60, DISSECT_TRUNCATED},
        {"version 0", "00000028", 0, DISSECT_NOT_IP},
        {"version 5", "55000028", 0, DISSECT_NOT_IP},
        {"IPv4, half a header", "4500002800000000", 0, DISSECT_MALFORMED},
        {"IPv4, half a header captured", "4500002800000000", 40, DISSECT_TRUNCATED},
        {"IPv4, header length below 20", "44000028 00000000 40060000 c0000201 c6336402",
         0, DISSECT_MALFORMED},
        {"IPv4, options beyond the packet",
         "4f000018 00000000 40060000 c0000201 c6336402", 60, DISSECT_MALFORMED},
        {"IPv4, options not captured", "4f000050 00000000 40060000 c0000201 c6336402", 80,
         DISSECT_TRUNCATED},
        {"IPv4, options beyond the wire", "4f000050 00000000 40060000 c0000201 c6336402",
         20, DISSECT_MALFORMED},
        {"IPv6, half a header", "6000000000080640", 0, DISSECT_MALFORMED},
        {"IPv6, half a header captured", "6000000000080640", 48, DISSECT_TRUNCATED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t b[ROOM];
        size_t length = hex_decode(rows[i].bytes, b, sizeof b);
        struct packet p;

        number_expect(rows[i].what, "result",
                      dissect(b, length, rows[i].wire != 0 ? rows[i].wire : length, &p),
                      rows[i].result);
    }
}

static void payload_lies_behind_the_transport_header(void **state)
{
    static const struct {
        const char *what;
        uint8_t protocol;
        const char *bytes;
        uint32_t payload;
        uint8_t transport;
    } rows[] = {
        {"UDP", PROTO_UDP, UDP_HEADER FOUR_BYTES FOUR_BYTES, 8, 8},
        {"TCP with options", PROTO_TCP,
         TCP_PORTS
         "00000000 00000000 7002 0000 0000 0000" FOUR_BYTES FOUR_BYTES FOUR_BYTES,
         4, 28},
        {"TCP, offset below 5", PROTO_TCP,
         TCP_PORTS "00000000 00000000 0002 0000 0000 0000" FOUR_BYTES, 4, 20},
        {"TCP, offset beyond the packet", PROTO_TCP,
         TCP_PORTS "00000000 00000000 f002 0000 0000 0000" FOUR_BYTES, 0, 60},
        {"ICMP echo", PROTO_ICMP, "0800 0000 1234 0001" FOUR_BYTES, 4, 8},
        {"SCTP", PROTO_SCTP, TCP_PORTS "00000000 00000000" FOUR_BYTES, 4, 12},
        {"ESP", PROTO_ESP, FOUR_BYTES FOUR_BYTES, 8, 0},
        {"unknown", 253, FOUR_BYTES, 4, 0},
        {"UDP cut off", PROTO_UDP, TCP_PORTS, 0, 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p = dissect_v4(rows[i].protocol, 0, rows[i].bytes);

        number_expect(rows[i].what, "payload", p.payload_bytes, rows[i].payload);
        number_expect(rows[i].what, "transport", p.transport_bytes, rows[i].transport);
    }
}

/* Ports */

/* Which protocols' first four bytes Linux takes for ports. */
static void ports_are_those_of_the_kernels_hash(void **state)
{
    static const struct {
        uint8_t protocol;
        uint16_t sport, dport;
        bool tracked;
    } rows[] = {
        {PROTO_TCP, 0x0102, 0x0304, true},
        {PROTO_UDP, 0x0102, 0x0304, true},
        {PROTO_UDPLITE, 0x0102, 0x0304, true},
        {PROTO_SCTP, 0x0102, 0x0304, true},
        {PROTO_DCCP, 0x0102, 0x0304, true},
        {PROTO_ESP, 0x0102, 0x0304, false},
        {PROTO_AH, 0x0506, 0x0708, false},
        {PROTO_IGMP, 0, 0, false},
        {PROTO_GRE, 0, 0, false},
        {89, 0, 0, false},
        {112, 0, 0, false},
        {115, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p = dissect_v4(
            rows[i].protocol, 0, "01020304 05060708 090a0b0c 0d0e0f10 11121314 15161718");
        char number[4], what[16];

        snprintf(what, sizeof what, "%s", packet_protocol_name(rows[i].protocol, number));
        number_expect(what, "sport", p.sport, rows[i].sport);
        number_expect(what, "dport", p.dport, rows[i].dport);
        number_expect(what, "tracked ports", packet_protocol_has_ports(rows[i].protocol),
                      rows[i].tracked);
    }
}

static void ports_that_are_cut_off_are_zero_and_say_so(void **state)
{
    static const struct {
        const char *what;
        uint8_t protocol;
        const char *bytes;
        size_t captured; /* of the payload */
        uint16_t sport;
        bool cut;
    } rows[] = {
        {"UDP ends in its ports", PROTO_UDP, "0102", 2, 0, true},
        {"UDP ends behind its ports", PROTO_UDP, "01020304", 4, 0x0102, false},
        {"TCP ends in its ports", PROTO_TCP, "010203", 3, 0, true},
        {"TCP ends behind its ports", PROTO_TCP, TCP_PORTS "11223344", 8, 40000, true},
        {"UDP, capture ends in its ports", PROTO_UDP, UDP_HEADER FOUR_BYTES, 3, 0, true},
        {"UDP, capture ends behind them", PROTO_UDP, UDP_HEADER FOUR_BYTES, 4, 1000,
         false},
        {"TCP, capture has its flags", PROTO_TCP, TCP_HEADER, 16, 40000, false},
        {"AH ends before its SPI", PROTO_AH, FOUR_BYTES, 4, 0, true},
        {"ICMP ends before its id", PROTO_ICMP, "0800 0000", 4, 0, true},
        {"no ports, no cut", 253, "", 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t b[ROOM];
        size_t length = build_v4(b, rows[i].protocol, 0, rows[i].bytes);
        struct packet p;

        number_expect(rows[i].what, "result",
                      dissect(b, 20 + rows[i].captured, length, &p), DISSECT_OK);
        number_expect(rows[i].what, "sport", p.sport, rows[i].sport);
        number_expect(rows[i].what, "cut", (p.flags & PACKET_PORTS_CUT) != 0,
                      rows[i].cut);
        number_expect(rows[i].what, "size", p.size_bytes, length);
    }
}

static void padding_is_not_taken_for_ports(void **state)
{
    uint8_t b[ROOM];
    struct packet p;

    (void)state;
    build_v4(b, PROTO_UDP, 0, "01020304 05060708");
    b[3] = 22;
    assert_int_equal(dissect(b, 28, 28, &p), DISSECT_OK);
    assert_int_equal(p.sport, 0);
    assert_true(p.flags & PACKET_PORTS_CUT);
}

/* Fragments */

static void first_fragments_keep_their_ports_and_later_ones_have_none(void **state)
{
    static const struct {
        const char *what;
        uint16_t word;
        uint8_t flags;
        uint16_t offset, sport;
    } rows[] = {
        {"whole", 0x0000, 0, 0, 1000},
        {"do not fragment", 0x4000, 0, 0, 1000},
        {"first", 0x2000, PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS, 0, 1000},
        {"middle", 0x2002,
         PACKET_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_MORE_FRAGMENTS, 2, 0},
        {"last", 0x1fff, PACKET_FRAGMENT | PACKET_LATER_FRAGMENT, 0x1fff, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p =
            dissect_v4(PROTO_UDP, rows[i].word, UDP_HEADER FOUR_BYTES FOUR_BYTES);

        number_expect(rows[i].what, "flags", p.flags, rows[i].flags);
        number_expect(rows[i].what, "offset", p.fragment_offset, rows[i].offset);
        number_expect(rows[i].what, "sport", p.sport, rows[i].sport);
        number_expect(rows[i].what, "payload", p.payload_bytes,
                      rows[i].flags != 0 ? 16 : 8);
    }
}

static void ipv6_fragments_name_their_protocol_in_the_fragment_header(void **state)
{
    static const struct {
        const char *what, *header;
        uint8_t flags, protocol;
        uint16_t offset, sport;
    } rows[] = {
        {"atomic", "11000000 cafe0001", PACKET_FRAGMENT, PROTO_UDP, 0, 1000},
        {"first", "11000001 cafe0001", PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS, PROTO_UDP,
         0, 1000},
        {"middle", "11000011 cafe0001",
         PACKET_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_MORE_FRAGMENTS, PROTO_UDP, 2,
         0},
        {"last", "1100fff8 cafe0001", PACKET_FRAGMENT | PACKET_LATER_FRAGMENT, PROTO_UDP,
         0x1fff, 0},
        {"options behind it", "3c000001 cafe0001",
         PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS, PROTO_DSTOPTS, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char payload[256];
        struct packet p;

        snprintf(payload, sizeof payload, "%s%s", rows[i].header,
                 UDP_HEADER FOUR_BYTES FOUR_BYTES);
        p = dissect_v6(PROTO_FRAGMENT, payload);
        number_expect(rows[i].what, "flags", p.flags, rows[i].flags);
        number_expect(rows[i].what, "protocol", p.protocol, rows[i].protocol);
        number_expect(rows[i].what, "next header", p.next_header, PROTO_FRAGMENT);
        number_expect(rows[i].what, "offset", p.fragment_offset, rows[i].offset);
        number_expect(rows[i].what, "id", p.fragment_id, 0xcafe0001);
        number_expect(rows[i].what, "sport", p.sport, rows[i].sport);
        number_expect(rows[i].what, "payload", p.payload_bytes, 16);
    }
}

/* IPv6 extension headers */

static void extension_headers_are_stepped_over(void **state)
{
    static const struct {
        const char *what;
        uint8_t next_header;
        const char *bytes;
        uint8_t protocol;
        uint16_t sport;
    } rows[] = {
        {"hop-by-hop", 0, "1100010400000000" UDP_HEADER, PROTO_UDP, 1000},
        {"routing", PROTO_ROUTING, "1100000000000000" UDP_HEADER, PROTO_UDP, 1000},
        {"two, the second of 16 bytes", PROTO_HOPOPT,
         "3c00010400000000 1101010c0000000000000000 00000000" UDP_HEADER, PROTO_UDP,
         1000},
        {"AH is not stepped over", PROTO_AH, "0604000001020304 0000000000000000",
         PROTO_AH, 0x0102},
        {"cut by the packet", PROTO_DSTOPTS, "3c00010400000000 11", PROTO_DSTOPTS, 0},
        {"beyond the packet", PROTO_DSTOPTS, "11ff010400000000", PROTO_UDP, 0},
        {"fragment header cut by the packet", PROTO_FRAGMENT, "11000000", PROTO_FRAGMENT,
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p = dissect_v6(rows[i].next_header, rows[i].bytes);

        number_expect(rows[i].what, "protocol", p.protocol, rows[i].protocol);
        number_expect(rows[i].what, "next header", p.next_header, rows[i].next_header);
        number_expect(rows[i].what, "sport", p.sport, rows[i].sport);
    }
}

static void extension_headers_cut_by_the_capture_are_truncated(void **state)
{
    uint8_t b[ROOM];
    size_t length =
        build_v6(b, PROTO_DSTOPTS, "3c00010400000000 1100010400000000" UDP_HEADER);
    struct packet p;

    (void)state;
    assert_int_equal(dissect(b, 49, length, &p), DISSECT_TRUNCATED);
    assert_int_equal(dissect(b, 56, length, &p), DISSECT_OK);
    assert_true(p.flags & PACKET_PORTS_CUT);
}

/* Linux steps over 15 headers, and reads ports behind a sixteenth. */
static void only_so_many_extension_headers_are_stepped_over(void **state)
{
    static const struct {
        unsigned headers;
        uint8_t protocol;
        uint16_t sport;
    } rows[] = {{15, PROTO_UDP, 1000}, {16, PROTO_UDP, 1000}, {17, PROTO_DSTOPTS, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char payload[17 * 16 + sizeof UDP_HEADER] = "";
        struct packet p;

        for (unsigned n = 1; n < rows[i].headers; n++)
            strcat(payload, "3c00010400000000");
        strcat(payload, "1100010400000000" UDP_HEADER);
        p = dissect_v6(PROTO_DSTOPTS, payload);
        number_expect("protocol", "protocol", p.protocol, rows[i].protocol);
        number_expect("ports", "sport", p.sport, rows[i].sport);
    }
}

/* ICMP */

static void icmp_queries_have_an_id(void **state)
{
    static const struct {
        bool v6;
        uint8_t type;
        bool query;
    } rows[] = {
        {false, 0, true},   {false, 8, true},  {false, 13, true}, {false, 14, true},
        {false, 15, true},  {false, 16, true}, {false, 17, true}, {false, 18, true},
        {false, 9, false},  {false, 3, false}, {true, 128, true}, {true, 129, true},
        {true, 135, false}, {true, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char bytes[32], what[32];
        struct packet p;

        snprintf(bytes, sizeof bytes, "%02x07 0000 abcd 0001", rows[i].type);
        snprintf(what, sizeof what, "%s type %u", rows[i].v6 ? "ICMPv6" : "ICMP",
                 rows[i].type);
        p = rows[i].v6 ? dissect_v6(PROTO_ICMPV6, bytes)
                       : dissect_v4(PROTO_ICMP, 0, bytes);
        number_expect(what, "type", p.icmp_type, rows[i].type);
        number_expect(what, "code", p.icmp_code, 7);
        number_expect(what, "id", p.icmp_id, rows[i].query ? 0xabcd : 0);
    }
}

static void icmp_errors_give_the_packet_that_they_quote(void **state)
{
    static const struct {
        const char *what;
        uint16_t fragment;
        const char *bytes;
        uint8_t flags;
        uint8_t protocol;
        uint16_t sport, dport, id;
    } rows[] = {
        {"unreachable", 0, "0301 0000 00000000" V4_INSIDE,
         PACKET_ICMP_ERROR | PACKET_HAS_INNER, PROTO_UDP, 1000, 2000, 0},
        {"source quench", 0, "0400 0000 00000000" V4_INSIDE,
         PACKET_ICMP_ERROR | PACKET_HAS_INNER, PROTO_UDP, 1000, 2000, 0},
        {"quotes an echo", 0,
         "0b00 0000 00000000 45000024 00000000 40010000 0a000001 0a000002 0800 0000 abcd "
         "0001",
         PACKET_ICMP_ERROR | PACKET_HAS_INNER, PROTO_ICMP, 0, 0, 0xabcd},
        {"quotes a first fragment", 0,
         "0b01 0000 00000000 45000024 00002000 40110000 0a000001 0a000002" UDP_HEADER,
         PACKET_ICMP_ERROR | PACKET_HAS_INNER, PROTO_UDP, 1000, 2000, 0},
        {"quotes a later fragment", 0,
         "0b01 0000 00000000 45000024 00000003 40110000 0a000001 0a000002" UDP_HEADER,
         PACKET_ICMP_ERROR | PACKET_HAS_INNER, PROTO_UDP, 0, 0, 0},
        {"quotes a header alone", 0,
         "0c00 0000 00000000 45000024 00000000 40110000 0a000001 0a000002",
         PACKET_ICMP_ERROR | PACKET_HAS_INNER, PROTO_UDP, 0, 0, 0},
        {"quotes half a header", 0, "0500 0000 00000000 45000024 00000000",
         PACKET_ICMP_ERROR, 0, 0, 0, 0},
        {"echo", 0, "0800 0000 00000000" V4_INSIDE, 0, 0, 0, 0, 0},
        {"in a later fragment", 1, "0301 0000 00000000" V4_INSIDE,
         PACKET_FRAGMENT | PACKET_LATER_FRAGMENT, 0, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p = dissect_v4(PROTO_ICMP, rows[i].fragment, rows[i].bytes);

        number_expect(rows[i].what, "flags", p.flags, rows[i].flags);
        if (!(rows[i].flags & PACKET_HAS_INNER))
            continue;
        addr_expect(rows[i].what, &p.inner.src, "10.0.0.1");
        addr_expect(rows[i].what, &p.inner.dst, "10.0.0.2");
        number_expect(rows[i].what, "protocol", p.inner.protocol, rows[i].protocol);
        number_expect(rows[i].what, "sport", p.inner.sport, rows[i].sport);
        number_expect(rows[i].what, "dport", p.inner.dport, rows[i].dport);
        number_expect(rows[i].what, "id", p.inner.icmp_id, rows[i].id);
    }
}

static void icmpv6_errors_are_read_behind_extension_headers(void **state)
{
    struct packet p =
        dissect_v6(PROTO_DSTOPTS, "3a00010400000000 0200 0000 00000500" V6_INSIDE);

    (void)state;
    assert_int_equal(p.flags, PACKET_ICMP_ERROR | PACKET_HAS_INNER);
    assert_int_equal(p.protocol, PROTO_ICMPV6);
    assert_int_equal(p.next_header, PROTO_DSTOPTS);
    addr_expect("source", &p.inner.src, "fd00::1");
    assert_int_equal(p.inner.flow_label, 0x54321);
    assert_int_equal(p.inner.sport, 1000);
}

static void icmp_of_the_other_family_is_not_icmp(void **state)
{
    struct packet p = dissect_v4(PROTO_ICMPV6, 0, "0100 0000 00000000" V6_INSIDE);
    struct packet q = dissect_v6(PROTO_ICMP, "0300 0000 00000000" V4_INSIDE);

    (void)state;
    assert_int_equal(p.flags | p.icmp_type, 0);
    assert_int_equal(q.flags | q.icmp_type, 0);
}

/* Tunnels */

enum inside { NOTHING, UNREADABLE, V4, V6 };

static void tunnels_are_looked_into_where_the_kernel_does(void **state)
{
    static const struct {
        const char *what;
        uint8_t protocol;
        const char *bytes;
        enum inside inside;
    } rows[] = {
        {"IPIP", PROTO_IPIP, V4_INSIDE, V4},
        {"6in4", PROTO_IPV6, V6_INSIDE, V6},
        {"GRE, IPv4", PROTO_GRE, "0000 0800" V4_INSIDE, V4},
        {"GRE, IPv6", PROTO_GRE, "0000 86dd" V6_INSIDE, V6},
        {"GRE with key", PROTO_GRE, "2000 0800 00000001" V4_INSIDE, V4},
        {"GRE with checksum, key and sequence", PROTO_GRE,
         "b000 0800 00000000 00000001 00000002" V4_INSIDE, V4},
        {"GRE, Ethernet", PROTO_GRE, "0000 6558 000000000000 000000000000 0800" V4_INSIDE,
         V4},
        {"GRE, Ethernet, VLAN", PROTO_GRE,
         "0000 6558 000000000000 000000000000 8100 0007 0800" V4_INSIDE, V4},
        {"PPTP", PROTO_GRE, "3001 880b 0024 0007 00000001 ff030021" V4_INSIDE, V4},
        {"PPTP with acknowledgment, IPv6", PROTO_GRE,
         "3081 880b 0038 0007 00000001 00000001 ff030057" V6_INSIDE, V6},
        {"IPIP in GRE", PROTO_GRE,
         "0000 0800 45000038 00000000 40040000 0a000003 0a000004" V4_INSIDE, V4},
        {"4in6 in 6in4", PROTO_IPV6,
         "60000000 0024 04 40 fd000000000000000000000000000003"
         "fd000000000000000000000000000004" V4_INSIDE,
         V4},
        {"options inside", PROTO_IPV6,
         "60054321 0018 3c 40 fd000000000000000000000000000001"
         "fd000000000000000000000000000002 1100010400000000" UDP_HEADER FOUR_BYTES
             FOUR_BYTES,
         V6},
        {"GRE with the routing bit", PROTO_GRE, "4000 0800 00000000" V4_INSIDE, NOTHING},
        {"GRE version 2", PROTO_GRE, "0002 0800" V4_INSIDE, NOTHING},
        {"GRE version 1 without key", PROTO_GRE, "0001 880b" V4_INSIDE, NOTHING},
        {"GRE cut off", PROTO_GRE, "0000", NOTHING},
        {"GRE, unknown ethertype", PROTO_GRE, "0000 1234" V4_INSIDE, UNREADABLE},
        {"IPIP cut off", PROTO_IPIP, "45000024 0000", UNREADABLE},
        {"IPIP, header length below 20", PROTO_IPIP,
         "44000024 00000000 40110000 0a000001 0a000002" UDP_HEADER, UNREADABLE},
        {"MPLS", 137, "00001140" V4_INSIDE, NOTHING},
        {"VXLAN", PROTO_UDP, "03e8 12b5 0000 0000" FOUR_BYTES FOUR_BYTES V4_INSIDE,
         NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const uint8_t flags[] = {
            [NOTHING] = 0,
            [UNREADABLE] = PACKET_ENCAPSULATED,
            [V4] = PACKET_ENCAPSULATED | PACKET_HAS_INNER,
            [V6] = PACKET_ENCAPSULATED | PACKET_HAS_INNER,
        };
        const bool v6 = rows[i].inside == V6;
        struct packet p = dissect_v4(rows[i].protocol, 0, rows[i].bytes);

        number_expect(rows[i].what, "flags", p.flags, flags[rows[i].inside]);
        if (!(p.flags & PACKET_HAS_INNER))
            continue;
        addr_expect(rows[i].what, &p.inner.src, v6 ? "fd00::1" : "10.0.0.1");
        addr_expect(rows[i].what, &p.inner.dst, v6 ? "fd00::2" : "10.0.0.2");
        number_expect(rows[i].what, "label", p.inner.flow_label, v6 ? 0x54321 : 0);
        number_expect(rows[i].what, "protocol", p.inner.protocol, PROTO_UDP);
        number_expect(rows[i].what, "sport", p.inner.sport, 1000);
        number_expect(rows[i].what, "dport", p.inner.dport, 2000);
        number_expect(rows[i].what, "outer protocol", p.protocol, rows[i].protocol);
        number_expect(rows[i].what, "outer sport", p.sport, 0);
    }
}

static void a_tunnelled_fragment_has_no_ports(void **state)
{
    struct packet p = dissect_v4(
        PROTO_IPIP, 0,
        "45000024 00002000 40110000 0a000001 0a000002" UDP_HEADER FOUR_BYTES FOUR_BYTES);

    (void)state;
    assert_true(p.flags & PACKET_HAS_INNER);
    assert_int_equal(p.inner.protocol, PROTO_UDP);
    assert_int_equal(p.inner.sport, 0);
}

static void tunnelled_ipv6_without_a_label_has_that_around_it(void **state)
{
    struct packet p =
        dissect_v6(PROTO_IPV6, "60000000 0008 11 40 fd000000000000000000000000000001"
                               "fd000000000000000000000000000002" UDP_HEADER);

    (void)state;
    assert_int_equal(p.inner.flow_label, 0x12345);
}

static void tunnels_in_tunnels_end_somewhere(void **state)
{
    uint8_t b[ROOM] = {0};
    struct packet p;

    (void)state;
    build_v4(b, PROTO_IPIP, 0, "");
    for (size_t at = 20; at + 20 <= ROOM; at += 20)
        memcpy(b + at, b, 20);
    b[2] = ROOM >> 8;
    assert_int_equal(dissect(b, ROOM, ROOM, &p), DISSECT_OK);
    assert_int_equal(p.inner.protocol, PROTO_IPIP);
}

/* Hostile bytes */

static void no_beginning_of_a_packet_reads_behind_it(void **state)
{
    static const struct {
        uint8_t protocol;
        const char *bytes;
    } rows[] = {
        {PROTO_TCP, TCP_HEADER},
        {PROTO_ICMP, "0301 0000 00000000" V4_INSIDE},
        {PROTO_GRE,
         "b000 6558 00000000 00000001 00000002 000000000000 000000000000 8100 0007"
         "86dd" V6_INSIDE},
        {PROTO_GRE, "3081 880b 0038 0007 00000001 00000001 ff030057" V6_INSIDE},
        {PROTO_AH, FOUR_BYTES FOUR_BYTES},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t b[ROOM];
        size_t length = build_v4(b, rows[i].protocol, 0, rows[i].bytes);
        struct packet p;

        for (size_t captured = 0; captured <= length; captured++)
            number_expect("a beginning", "result", dissect(b, captured, length, &p),
                          captured < 20 ? DISSECT_TRUNCATED : DISSECT_OK);
    }
}

static void random_bytes_do_no_harm(void **state)
{
    static const uint8_t protocols[] = {PROTO_HOPOPT,   PROTO_ICMP,    PROTO_IPIP,
                                        PROTO_TCP,      PROTO_IPV6,    PROTO_ROUTING,
                                        PROTO_FRAGMENT, PROTO_GRE,     PROTO_AH,
                                        PROTO_ICMPV6,   PROTO_DSTOPTS, PROTO_SCTP};
    uint64_t random = 1;

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t b[128];
        size_t length;
        struct packet p;

        for (size_t i = 0; i < sizeof b; i++) {
            random =
                random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            b[i] = (uint8_t)(random >> 56);
            if (random >> 48 & 1)
                b[i] = protocols[(random >> 40) % COUNT(protocols)];
        }
        length = (size_t)(random >> 33) % sizeof b;
        b[0] = (uint8_t)(random & 1 ? 0x45 : 0x60);
        if (dissect(b, length, length + (random >> 20) % 3, &p) == DISSECT_OK)
            assert_true(p.payload_bytes <= p.size_bytes);
    }
}

/* Names */

static void every_protocol_number_survives_its_name(void **state)
{
    (void)state;
    for (unsigned number = 0; number <= 255; number++) {
        char buf[4];
        uint8_t parsed = 0;
        const char *name = packet_protocol_name((uint8_t)number, buf);

        if (!packet_protocol_parse(name, &parsed) || parsed != number)
            fail_msg("%u is named %s, which is %u", number, name, parsed);
    }
}

static void protocols_are_named_as_routeros_does_or_numbered(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        uint8_t number;
    } rows[] = {
        {"tcp", true, 6},        {"UDP", true, 17},       {"icmp", true, 1},
        {"icmpv6", true, 58},    {"ipv6-icmp", true, 58}, {"ipencap", true, 4},
        {"ipip", true, 94},      {"ipsec-esp", true, 50}, {"esp", true, 50},
        {"udp-lite", true, 136}, {"0", true, 0},          {"255", true, 255},
        {"256", false, 0},       {"-1", false, 0},        {"", false, 0},
        {"6 ", false, 0},        {"0006", false, 0},      {"tcpx", false, 0},
        {"1e1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t number = 0;

        number_expect(rows[i].text, "validity",
                      packet_protocol_parse(rows[i].text, &number), rows[i].valid);
        number_expect(rows[i].text, "number", number, rows[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_an_ipv4_tcp_packet_is_read),
        cmocka_unit_test(every_field_of_an_ipv6_udp_packet_is_read),
        cmocka_unit_test(nothing_of_an_earlier_packet_is_left),
        cmocka_unit_test(the_ip_length_counts_and_zero_means_the_wires),
        cmocka_unit_test(ipv6_without_a_next_header_is_empty_in_spite_of_padding),
        cmocka_unit_test(ipv4_options_are_stepped_over),
        cmocka_unit_test(what_is_no_ip_packet_is_told_apart),
        cmocka_unit_test(payload_lies_behind_the_transport_header),
        cmocka_unit_test(ports_are_those_of_the_kernels_hash),
        cmocka_unit_test(ports_that_are_cut_off_are_zero_and_say_so),
        cmocka_unit_test(padding_is_not_taken_for_ports),
        cmocka_unit_test(first_fragments_keep_their_ports_and_later_ones_have_none),
        cmocka_unit_test(ipv6_fragments_name_their_protocol_in_the_fragment_header),
        cmocka_unit_test(extension_headers_are_stepped_over),
        cmocka_unit_test(extension_headers_cut_by_the_capture_are_truncated),
        cmocka_unit_test(only_so_many_extension_headers_are_stepped_over),
        cmocka_unit_test(icmp_queries_have_an_id),
        cmocka_unit_test(icmp_errors_give_the_packet_that_they_quote),
        cmocka_unit_test(icmpv6_errors_are_read_behind_extension_headers),
        cmocka_unit_test(icmp_of_the_other_family_is_not_icmp),
        cmocka_unit_test(tunnels_are_looked_into_where_the_kernel_does),
        cmocka_unit_test(a_tunnelled_fragment_has_no_ports),
        cmocka_unit_test(tunnelled_ipv6_without_a_label_has_that_around_it),
        cmocka_unit_test(tunnels_in_tunnels_end_somewhere),
        cmocka_unit_test(no_beginning_of_a_packet_reads_behind_it),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(every_protocol_number_survives_its_name),
        cmocka_unit_test(protocols_are_named_as_routeros_does_or_numbered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
