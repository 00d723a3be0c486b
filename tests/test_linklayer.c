#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/dlt.h>

#include "sim/input/linklayer.h"

enum { FRAME_MAX = 128, IP_BYTES = 20 };

#define MACS "020000000002 020000000001 "

/* Bytes from hexadecimal digits; blanks are for the eye. Returns their number. */
static size_t from_hex(const char *hex, uint8_t *to)
{
    size_t n = 0;

    for (; *hex; hex++) {
        char pair[3] = {hex[0], 0, 0};

        if (*hex == ' ')
            continue;
        pair[1] = *++hex;
        assert_true(n < FRAME_MAX);
        to[n++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

/* Strip a copy that ends where its bytes end, so that reading behind it is caught. */
static enum frame_kind strip(int dlt, const uint8_t *bytes, size_t captured, size_t wire,
                             size_t *offset, size_t *left)
{
    const struct linklayer *l = linklayer_find(dlt);
    uint8_t *copy = malloc(captured ? captured : 1);
    struct frame_view f = {copy, captured, wire};
    enum frame_kind kind;

    assert_non_null(l);
    memcpy(copy, bytes, captured);
    kind = linklayer_strip(l, &f);
    if (kind == FRAME_IP) {
        assert_true(f.bytes >= copy && f.bytes + f.captured <= copy + captured);
        assert_true(f.captured >= 1 && f.captured <= f.wire && f.wire <= wire);
    }
    *offset = (size_t)(f.bytes - copy);
    *left = f.wire;
    free(copy);
    return kind;
}

/* Headers in front of an IP packet. The lengths in PPPoE are of 20 bytes and the PPP protocol. */
static const struct {
    const char *what;
    int dlt;
    const char *header;
    unsigned version;
} carriers[] = {
    {"Ethernet, IPv4", DLT_EN10MB, MACS "0800", 4},
    {"Ethernet, IPv6", DLT_EN10MB, MACS "86dd", 6},
    {"Ethernet, 802.1Q", DLT_EN10MB, MACS "8100 0064 0800", 4},
    {"Ethernet, 802.1ad over 802.1Q", DLT_EN10MB, MACS "88a8 0064 8100 0065 86dd", 6},
    {"Ethernet, 0x9100 over 802.1Q", DLT_EN10MB, MACS "9100 0001 8100 0002 0800", 4},
    {"Ethernet, five tags", DLT_EN10MB,
     MACS "88a8 0001 88a8 0002 9100 0003 8100 0004 8100 0005 0800", 4},
    {"Ethernet, PPPoE, IPv4", DLT_EN10MB, MACS "8864 11 00 0001 0016 0021", 4},
    {"Ethernet, PPPoE, IPv6", DLT_EN10MB, MACS "8864 11 00 0001 0016 0057", 6},
    {"Ethernet, 802.1Q, PPPoE", DLT_EN10MB, MACS "8100 0007 8864 11 00 0001 0016 0021",
     4},
    {"cooked, IPv4", DLT_LINUX_SLL, "0000 0001 0006 020000000001 0000 0800", 4},
    {"cooked, IPv6", DLT_LINUX_SLL, "0004 0001 0006 020000000001 0000 86dd", 6},
    {"cooked, 802.1Q", DLT_LINUX_SLL, "0004 0001 0006 020000000001 0000 8100 0064 0800",
     4},
    {"cooked, ppp interface", DLT_LINUX_SLL, "0000 0200 0000 0000000000000000 0800", 4},
    {"cooked 2, IPv4", DLT_LINUX_SLL2, "0800 0000 00000003 0001 00 06 020000000001 0000",
     4},
    {"cooked 2, IPv6", DLT_LINUX_SLL2, "86dd 0000 00000003 0001 04 06 020000000001 0000",
     6},
    {"cooked 2, 802.1Q", DLT_LINUX_SLL2,
     "8100 0000 00000003 0001 04 06 020000000001 0000 0064 0800", 4},
    {"raw, IPv4", DLT_RAW, "", 4},
    {"raw, IPv6", DLT_RAW, "", 6},
    {"raw of OpenBSD", 14, "", 4},
    {"raw as LINKTYPE_RAW", 101, "", 6},
    {"IPv4", DLT_IPV4, "", 4},
    {"IPv6", DLT_IPV6, "", 6},
    {"null, little-endian, IPv4", DLT_NULL, "02000000", 4},
    {"null, big-endian, IPv4", DLT_NULL, "00000002", 4},
    {"null, Linux IPv6", DLT_NULL, "0a000000", 6},
    {"null, Windows IPv6", DLT_NULL, "17000000", 6},
    {"null, NetBSD IPv6", DLT_NULL, "00000018", 6},
    {"null, FreeBSD IPv6", DLT_NULL, "1c000000", 6},
    {"null, Darwin IPv6", DLT_NULL, "1e000000", 6},
    {"null, Darwin IPv6, big-endian", DLT_NULL, "0000001e", 6},
    {"loop, IPv4", DLT_LOOP, "00000002", 4},
    {"loop, OpenBSD IPv6", DLT_LOOP, "00000018", 6},
    {"PPP, framed, IPv4", DLT_PPP, "ff03 0021", 4},
    {"PPP, framed, IPv6", DLT_PPP, "ff03 0057", 6},
    {"PPP, bare", DLT_PPP, "0021", 4},
    {"PPP, bare, short protocol", DLT_PPP, "21", 4},
    {"PPP, framed, short protocol", DLT_PPP, "ff03 57", 6},
    {"PPP serial", DLT_PPP_SERIAL, "ff03 0021", 4},
    {"PPP serial, Cisco HDLC", DLT_PPP_SERIAL, "0f00 0800", 4},
    {"PPP serial, Cisco HDLC broadcast", DLT_PPP_SERIAL, "8f00 86dd", 6},
    {"PPP over Ethernet", DLT_PPP_ETHER, "11 00 0001 0016 0057", 6},
};

enum { CARRIERS = sizeof carriers / sizeof carriers[0] };

/* Carrier i with a packet of IP_BYTES behind; returns the header's length. */
static size_t build(size_t i, uint8_t *frame)
{
    size_t n = from_hex(carriers[i].header, frame);

    memset(frame + n, 0, IP_BYTES);
    frame[n] = (uint8_t)(carriers[i].version << 4 | 5);
    return n;
}

static void every_link_type_leads_to_its_packet(void **state)
{
    (void)state;
    for (size_t i = 0; i < CARRIERS; i++) {
        uint8_t frame[FRAME_MAX];
        size_t header = build(i, frame), total = header + IP_BYTES, offset, left;
        enum frame_kind kind =
            strip(carriers[i].dlt, frame, total, total, &offset, &left);

        if (kind != FRAME_IP || offset != header || left != IP_BYTES)
            fail_msg("%s: %s, offset %zu, %zu bytes", carriers[i].what,
                     frame_kind_names[kind], offset, left);
    }
}

static void a_capture_cut_in_front_of_the_packet_is_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < CARRIERS; i++) {
        uint8_t frame[FRAME_MAX];
        size_t header = build(i, frame), offset, left;

        for (size_t cut = 0; cut <= header + 1; cut++) {
            enum frame_kind kind =
                strip(carriers[i].dlt, frame, cut, header + IP_BYTES, &offset, &left);

            if (kind != (cut <= header ? FRAME_TRUNCATED : FRAME_IP))
                fail_msg("%s: cut at %zu of %zu: %s", carriers[i].what, cut, header,
                         frame_kind_names[kind]);
        }
    }
}

static void a_frame_that_ends_in_front_of_the_packet_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CARRIERS; i++) {
        uint8_t frame[FRAME_MAX];
        size_t header = build(i, frame), offset, left;

        for (size_t end = 0; end <= header; end++) {
            enum frame_kind kind =
                strip(carriers[i].dlt, frame, end, end, &offset, &left);

            if (kind != FRAME_MALFORMED)
                fail_msg("%s: ends at %zu of %zu: %s", carriers[i].what, end, header,
                         frame_kind_names[kind]);
        }
    }
}

static void what_carries_no_ip_says_why(void **state)
{
    static const struct {
        const char *what;
        int dlt;
        const char *frame;
        enum frame_kind kind;
    } rows[] = {
        {"ARP", DLT_EN10MB, MACS "0806 0001 0800 06 04 0001", FRAME_NOT_IP},
        {"ARP in a VLAN", DLT_EN10MB, MACS "8100 0064 0806 0001", FRAME_NOT_IP},
        {"MPLS", DLT_EN10MB, MACS "8847 00064140 45000014", FRAME_NOT_IP},
        {"PPPoE discovery", DLT_EN10MB, MACS "8863 11 09 0000 0000", FRAME_NOT_IP},
        {"spanning tree", DLT_EN10MB, MACS "0026 424203 0000", FRAME_NOT_IP},
        {"SNAP of Cisco", DLT_EN10MB, MACS "0026 aaaa03 00000c 2000 02b4", FRAME_NOT_IP},
        {"SNAP with ARP", DLT_EN10MB, MACS "0026 aaaa03 000000 0806 0001", FRAME_NOT_IP},
        {"short LLC", DLT_EN10MB, MACS "0003 aaaa03", FRAME_NOT_IP},
        {"LLDP", DLT_EN10MB, MACS "88cc 0207", FRAME_NOT_IP},
        {"IPv6 behind IPv4's type", DLT_EN10MB, MACS "0800 60000000", FRAME_MALFORMED},
        {"IPv4 behind IPv6's type", DLT_EN10MB, MACS "86dd 45000014", FRAME_MALFORMED},
        {"empty frame", DLT_EN10MB, "", FRAME_MALFORMED},
        {"PPPoE longer than its frame", DLT_EN10MB,
         MACS "8864 11000001 0017 0021 45000014", FRAME_MALFORMED},
        {"PPPoE without protocol", DLT_EN10MB, MACS "8864 11000001 0000 0021 45",
         FRAME_MALFORMED},
        {"PPPoE version 2", DLT_EN10MB, MACS "8864 21000001 0006 0021 45000014",
         FRAME_MALFORMED},
        {"PPPoE session, not a session code", DLT_PPP_ETHER,
         "11a70001 0006 0021 45000014", FRAME_NOT_IP},
        {"PPPoE with LCP", DLT_EN10MB, MACS "8864 11000001 0006 c021 09010004",
         FRAME_NOT_IP},
        {"PPP with LCP", DLT_PPP, "ff03 c021 01010004", FRAME_NOT_IP},
        {"PPP with MPLS", DLT_PPP, "ff03 0281 00064140", FRAME_NOT_IP},
        {"Cisco HDLC keepalive", DLT_PPP_SERIAL, "8f00 8035 00000002", FRAME_NOT_IP},
        {"cooked, ARP", DLT_LINUX_SLL, "0000 0001 0006 020000000001 0000 0806 0001",
         FRAME_NOT_IP},
        {"cooked, 802.3", DLT_LINUX_SLL, "0000 0001 0006 020000000001 0000 0001 ffff",
         FRAME_NOT_IP},
        {"cooked, netlink that looks like IP", DLT_LINUX_SLL,
         "0000 0338 0000 0000000000000000 0800 45000014", FRAME_NOT_IP},
        {"cooked 2, radiotap that looks like IP", DLT_LINUX_SLL2,
         "0800 0000 00000003 0323 00 06 020000000001 0000 45000014", FRAME_NOT_IP},
        {"null, AppleTalk", DLT_NULL, "10000000 45000014", FRAME_NOT_IP},
        {"null, neither order makes sense", DLT_NULL, "02000002 45000014", FRAME_NOT_IP},
        {"loop, in the other byte order", DLT_LOOP, "02000000 45000014", FRAME_NOT_IP},
        {"null, IPv4 family over IPv6", DLT_NULL, "02000000 60000000", FRAME_MALFORMED},
        {"raw, version 0", DLT_RAW, "00000000", FRAME_NOT_IP},
        {"IPv4 link with version 6", DLT_IPV4, "60000000", FRAME_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t frame[FRAME_MAX];
        size_t n = from_hex(rows[i].frame, frame), offset, left;
        enum frame_kind kind = strip(rows[i].dlt, frame, n, n, &offset, &left);

        if (kind != rows[i].kind)
            fail_msg("%s: %s", rows[i].what, frame_kind_names[kind]);
    }
}

/* RFC 1042: the length field counts LLC and packet. */
static void ip_behind_snap_is_found(void **state)
{
    static const struct {
        const char *what, *frame;
        size_t captured, offset;
        enum frame_kind kind;
    } rows[] = {
        {"IPv4", MACS "001c aaaa03 000000 0800 45000014", 26, 22, FRAME_IP},
        {"IPv6", MACS "001c aaaa03 000000 86dd 60000000", 26, 22, FRAME_IP},
        {"in a VLAN", MACS "8100 0001 001c aaaa03 000000 0800 4500", 28, 26, FRAME_IP},
        {"cut at the LLC", MACS "001c aaaa03 000000 0800 45000014", 14, 0,
         FRAME_TRUNCATED},
        {"cut in the SNAP", MACS "001c aaaa03 000000 0800 45000014", 21, 0,
         FRAME_TRUNCATED},
        {"cut behind", MACS "001c aaaa03 000000 0800 45000014", 22, 0, FRAME_TRUNCATED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t frame[FRAME_MAX];
        size_t n = from_hex(rows[i].frame, frame), offset, left;
        enum frame_kind kind =
            strip(DLT_EN10MB, frame, rows[i].captured, n, &offset, &left);

        if (kind != rows[i].kind || (kind == FRAME_IP && offset != rows[i].offset))
            fail_msg("%s: %s, offset %zu", rows[i].what, frame_kind_names[kind], offset);
    }
}

/* Ethernet pads to 60 bytes: the padding is behind PPPoE's length, not part of the packet. */
static void pppoe_leaves_padding_behind(void **state)
{
    uint8_t frame[FRAME_MAX];
    size_t n = from_hex(MACS "8864 11000001 0016 0021 45000014", frame), offset, left;

    (void)state;
    memset(frame + n, 0, 60 - n);
    assert_int_equal(strip(DLT_EN10MB, frame, 60, 60, &offset, &left), FRAME_IP);
    assert_int_equal(offset, 22);
    assert_int_equal(left, IP_BYTES);
}

static void tags_without_end_end_with_the_frame(void **state)
{
    enum { BYTES = 262144 };
    uint8_t *frame = malloc(BYTES);
    struct frame_view f = {frame, BYTES, BYTES};

    (void)state;
    for (size_t i = 0; i < BYTES; i += 2) {
        frame[i] = 0x81;
        frame[i + 1] = 0x00;
    }
    assert_int_equal(linklayer_strip(linklayer_find(DLT_EN10MB), &f), FRAME_MALFORMED);
    free(frame);
}

static void unsupported_link_types_are_not_found(void **state)
{
    static const int dlts[] = {DLT_IEEE802_11, DLT_IEEE802_11_RADIO, DLT_USB_LINUX, -1,
                               9999};

    (void)state;
    for (size_t i = 0; i < sizeof dlts / sizeof dlts[0]; i++)
        if (linklayer_find(dlts[i]))
            fail_msg("DLT %d found", dlts[i]);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Carriers with a few bytes changed at random, cut at random; strip() checks the bounds. */
static void no_bytes_lead_out_of_the_frame(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t frame[FRAME_MAX];
        size_t i = next_random(&random) % CARRIERS;
        size_t total = build(i, frame) + IP_BYTES, offset, left;
        size_t captured = next_random(&random) % (total + 1);

        for (unsigned k = 0; k < 1 + round % 4; k++)
            frame[next_random(&random) % total] = (uint8_t)next_random(&random);
        strip(carriers[i].dlt, frame, captured, round % 2 ? total : captured, &offset,
              &left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_type_leads_to_its_packet),
        cmocka_unit_test(a_capture_cut_in_front_of_the_packet_is_truncated),
        cmocka_unit_test(a_frame_that_ends_in_front_of_the_packet_is_malformed),
        cmocka_unit_test(what_carries_no_ip_says_why),
        cmocka_unit_test(ip_behind_snap_is_found),
        cmocka_unit_test(pppoe_leaves_padding_behind),
        cmocka_unit_test(tags_without_end_end_with_the_frame),
        cmocka_unit_test(unsupported_link_types_are_not_found),
        cmocka_unit_test(no_bytes_lead_out_of_the_frame),
    };

    return cmocka_run_group_tests_name("linklayer", tests, NULL, NULL);
}
