#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "sim/input/capture.h"
#include "tests/pcapfile.h"

#define SECOND INT64_C(1000000000)

static char directory[] = "/tmp/test_capture.XXXXXX";
static char path[sizeof directory + 8];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static struct pcapfile pcap; /* too large for the stack */

static struct capture *open_path(const struct capture_options *o)
{
    char error[1024];
    struct capture *c = capture_open(o, error, sizeof error);

    if (!c)
        fail_msg("%s", error);
    return c;
}

static struct capture *open_written(void)
{
    pcapfile_save(path, pcap.data, pcap.size);
    return open_path(&(struct capture_options){.path = path, .speed = 1});
}

static void check_udp(const char *what, const struct captured *got, unsigned version)
{
    const struct packet *p = &got->packet;
    struct addr src, dst;

    addr_parse(version == 4 ? "192.0.2.1" : "2001:db8::1", &src);
    addr_parse(version == 4 ? "198.51.100.2" : "2001:db8::2", &dst);
    if (got->kind != FRAME_IP)
        fail_msg("%s: %s", what, frame_kind_names[got->kind]);
    if (!addr_equal(&p->src, &src) || !addr_equal(&p->dst, &dst))
        fail_msg("%s: addresses", what);
    if (p->protocol != PROTO_UDP || p->sport != 1111 || p->dport != 2222 || p->ttl != 64)
        fail_msg("%s: %u, %u > %u, ttl %u", what, p->protocol, p->sport, p->dport,
                 p->ttl);
    if (p->size_bytes != (version == 4 ? 32 : 52) || p->payload_bytes != 4)
        fail_msg("%s: %u bytes, %u of payload", what, p->size_bytes, p->payload_bytes);
    if (p->flow_label != (version == 4 ? 0 : 0x12345))
        fail_msg("%s: flow label %x", what, p->flow_label);
}

static void every_form_of_pcap_and_pcapng_reads_alike(void **state)
{
    static const struct {
        const char *what;
        bool pcapng, big_endian;
        unsigned digits;
    } rows[] = {
        {"pcap, us, little-endian", false, false, 6},
        {"pcap, us, big-endian", false, true, 6},
        {"pcap, ns, little-endian", false, false, 9},
        {"pcap, ns, big-endian", false, true, 9},
        {"pcapng, us, little-endian", true, false, 6},
        {"pcapng, us, big-endian", true, true, 6},
        {"pcapng, ns, little-endian", true, false, 9},
        {"pcapng, ns, big-endian", true, true, 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t unit = rows[i].digits == 6 ? 1000000 : 1000000000; /* of a second */
        struct captured got[8];
        struct capture *c;

        if (rows[i].pcapng) {
            pcapfile_begin_ng(&pcap, rows[i].big_endian);
            pcapfile_put_interface(&pcap, LINKTYPE_ETHERNET, (uint8_t)rows[i].digits);
            pcapfile_put_block(&pcap, 0, UINT64_C(1700000000) * unit + unit - 1,
                               ETHERNET_IPV4 UDP_V4);
            pcapfile_put_block(&pcap, 0, UINT64_C(1700000001) * unit + 1,
                               ETHERNET_IPV4 UDP_V4);
        } else {
            pcapfile_begin(&pcap, rows[i].big_endian, rows[i].digits == 9,
                           LINKTYPE_ETHERNET);
            pcapfile_put_record(&pcap, 1700000000, unit - 1, ETHERNET_IPV4 UDP_V4);
            pcapfile_put_record(&pcap, 1700000001, 1, ETHERNET_IPV4 UDP_V4);
        }
        c = open_written();
        if (capture_read(c, got, 8) != 2)
            fail_msg("%s: %s", rows[i].what, capture_error(c));
        check_udp(rows[i].what, &got[0], 4);
        check_udp(rows[i].what, &got[1], 4);
        if (got[0].time_ns != 0 || got[1].time_ns != 2 * (SECOND / unit))
            fail_msg("%s: at %" PRId64 ", %" PRId64, rows[i].what, got[0].time_ns,
                     got[1].time_ns);
        assert_int_equal(got[1].frame_bytes, 46);
        assert_int_equal(capture_read(c, got, 8), 0);
        assert_int_equal(capture_read(c, got, 8), 0);
        assert_string_equal(capture_error(c), "");
        assert_int_equal(capture_packets_read(c), 2);
        capture_close(c);
    }
}

/* By LINKTYPE_, the number in the file. The lengths in PPPoE hold for their packet. */
static void every_link_type_yields_its_packet(void **state)
{
    static const struct {
        const char *what;
        uint32_t linktype;
        const char *frame;
        unsigned version;
    } rows[] = {
        {"null, little-endian", 0, "02000000" UDP_V4, 4},
        {"null, big-endian", 0, "0000001e" UDP_V6, 6},
        {"Ethernet", 1, ETHERNET_IPV4 UDP_V4, 4},
        {"Ethernet, padded", 1, ETHERNET_IPV4 UDP_V4 "000000000000000000000000", 4},
        {"Ethernet, IPv6", 1, ETHERNET_IPV6 UDP_V6, 6},
        {"802.1ad, 802.1Q", 1, "020000000002 020000000001 88a80001 81000002 0800" UDP_V4,
         4},
        {"PPPoE", 1, "020000000002 020000000001 8864 11000001 0036 0057" UDP_V6, 6},
        {"PPP", 9, "ff030021" UDP_V4, 4},
        {"PPP serial", 50, "ff030057" UDP_V6, 6},
        {"PPP over Ethernet", 51, "11000001 0022 0021" UDP_V4, 4},
        {"raw, IPv4", 101, UDP_V4, 4},
        {"raw, IPv6", 101, UDP_V6, 6},
        {"raw, 12", 12, UDP_V4, 4},
        {"raw, 14", 14, UDP_V4, 4},
        {"loop", 108, "00000018" UDP_V6, 6},
        {"cooked", 113, "0000 0001 0006 020000000001 0000 0800" UDP_V4, 4},
        {"IPv4", 228, UDP_V4, 4},
        {"IPv6", 229, UDP_V6, 6},
        {"cooked 2", 276, "86dd 0000 00000003 0001 00 06 020000000001 0000" UDP_V6, 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct captured got;
        struct capture *c;

        pcapfile_begin(&pcap, i % 2, false, rows[i].linktype);
        pcapfile_put_record(&pcap, 0, 0, rows[i].frame);
        c = open_written();
        if (capture_read(c, &got, 1) != 1)
            fail_msg("%s: %s", rows[i].what, capture_error(c));
        check_udp(rows[i].what, &got, rows[i].version);
        capture_close(c);
    }
}

static void time_is_start_and_elapsed_over_speed(void **state)
{
    static const struct {
        const char *what;
        int64_t start_ns;
        double speed;
        uint32_t seconds, ns; /* behind the first */
        int64_t time_ns;
    } rows[] = {
        {"as recorded", 0, 1, 1, 5, SECOND + 5},
        {"later", 30 * SECOND, 1, 1, 5, 31 * SECOND + 5},
        {"twice as fast", 10, 2, 1, 0, SECOND / 2 + 10},
        {"half a nanosecond rounds up", 0, 2, 0, 3, 2},
        {"half as fast", 0, 0.5, 1, 1, 2 * SECOND + 2},
        {"a tenth of the speed", 0, 0.1, 3, 3, 30 * SECOND + 30},
        {"three times as fast", 0, 3, 1, 0, 333333333},
        {"a day, exact to the nanosecond", 0, 1, 86400, 999999999, 86401 * SECOND - 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct capture_options o = {
            .path = path, .start_ns = rows[i].start_ns, .speed = rows[i].speed};
        struct captured got[2];
        struct capture *c;

        pcapfile_begin(&pcap, false, true, LINKTYPE_RAW);
        pcapfile_put_record(&pcap, 1700000000, 0, UDP_V4);
        pcapfile_put_record(&pcap, 1700000000 + rows[i].seconds, rows[i].ns, UDP_V4);
        pcapfile_save(path, pcap.data, pcap.size);
        c = open_path(&o);
        assert_int_equal(capture_read(c, got, 2), 2);
        if (got[0].time_ns != rows[i].start_ns || got[1].time_ns != rows[i].time_ns)
            fail_msg("%s: at %" PRId64, rows[i].what, got[1].time_ns);
        capture_close(c);
    }
}

static void a_timestamp_that_steps_back_takes_its_predecessors(void **state)
{
    static const struct {
        uint32_t seconds, time; /* recorded, simulated */
    } rows[] = {{100, 0}, {99, 0}, {105, 5}, {103, 5}, {104, 5}, {105, 5}, {106, 6}};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct captured got[ROWS];
    struct capture *c;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    for (size_t i = 0; i < ROWS; i++)
        pcapfile_put_record(&pcap, rows[i].seconds, 0, UDP_V4);
    c = open_written();
    assert_int_equal(capture_read(c, got, ROWS), ROWS);
    for (size_t i = 0; i < ROWS; i++)
        if (got[i].time_ns != rows[i].time * SECOND)
            fail_msg("packet %zu at %" PRId64, i, got[i].time_ns);
    assert_int_equal(capture_steps_back(c), 3);
    capture_close(c);
}

static void seconds_pass_2038(void **state)
{
    struct captured got[2];
    struct capture *c;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    pcapfile_put_record(&pcap, 0x7fffffff, 0, UDP_V4);
    pcapfile_put_record(&pcap, 0x80000001, 0, UDP_V4);
    c = open_written();
    assert_int_equal(capture_read(c, got, 2), 2);
    assert_int_equal(got[1].time_ns, 2 * SECOND);
    assert_int_equal(capture_steps_back(c), 0);
    capture_close(c);
}

static void frames_without_a_packet_are_given_out_with_the_reason(void **state)
{
    static const struct {
        const char *what, *frame;
        size_t captured;
        enum frame_kind kind;
    } rows[] = {
        {"whole", ETHERNET_IPV4 UDP_V4, 46, FRAME_IP},
        {"cut behind the UDP header", ETHERNET_IPV4 UDP_V4, 42, FRAME_IP},
        {"cut in the IP header", ETHERNET_IPV4 UDP_V4, 33, FRAME_TRUNCATED},
        {"cut in the Ethernet header", ETHERNET_IPV4 UDP_V4, 13, FRAME_TRUNCATED},
        {"nothing captured", ETHERNET_IPV4 UDP_V4, 0, FRAME_TRUNCATED},
        {"ARP", "ffffffffffff 020000000001 0806 00010800 06040001", 22, FRAME_NOT_IP},
        {"IP header length below 20",
         ETHERNET_IPV4 "44000020 12340000 40110000 c0000201 c6336402" UDP, 46,
         FRAME_MALFORMED},
        {"frame ends in the IP header", ETHERNET_IPV4 "4500ffff 12340000 40110000", 26,
         FRAME_MALFORMED},
        {"runt", "ffffffffffff 0200", 8, FRAME_MALFORMED},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct captured got[ROWS];
    struct capture *c;
    static const struct packet nothing;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_ETHERNET);
    for (size_t i = 0; i < ROWS; i++)
        pcapfile_put_cut_record(&pcap, 0, 0, rows[i].frame, rows[i].captured);
    c = open_written();
    assert_int_equal(capture_read(c, got, ROWS), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        if (got[i].kind != rows[i].kind)
            fail_msg("%s: %s", rows[i].what, frame_kind_names[got[i].kind]);
        if (got[i].kind != FRAME_IP &&
            memcmp(&got[i].packet, &nothing, sizeof nothing) != 0)
            fail_msg("%s: a packet all the same", rows[i].what);
    }
    assert_int_equal(got[2].frame_bytes, 46);
    assert_int_equal(capture_packets_read(c), ROWS);
    capture_close(c);
}

static void a_capture_without_packets_just_ends(void **state)
{
    struct captured got;
    struct capture *c;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_ETHERNET);
    c = open_written();
    assert_int_equal(capture_read(c, &got, 1), 0);
    assert_int_equal(capture_packets_read(c), 0);
    capture_close(c);
}

/* Time counts from the file's first frame, though the filter holds it back. */
static void a_filter_holds_frames_back_and_moves_no_time(void **state)
{
    struct capture_options o = {
        .path = path, .filter = "ip6 and udp port 2222", .speed = 1};
    struct captured got[8];
    struct capture *c;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    pcapfile_put_record(&pcap, 10, 0, UDP_V4);
    pcapfile_put_record(&pcap, 12, 0, UDP_V6);
    pcapfile_put_record(&pcap, 9, 0, UDP_V4);
    pcapfile_put_record(&pcap, 13, 0, UDP_V6);
    pcapfile_put_record(&pcap, 14, 0, UDP_V4);
    pcapfile_save(path, pcap.data, pcap.size);
    c = open_path(&o);
    assert_int_equal(capture_read(c, got, 8), 2);
    check_udp("filtered", &got[0], 6);
    assert_int_equal(got[0].time_ns, 2 * SECOND);
    assert_int_equal(got[1].time_ns, 3 * SECOND);
    assert_int_equal(capture_read(c, got, 8), 0);
    assert_int_equal(capture_packets_read(c), 2);
    assert_int_equal(capture_packets_filtered(c), 3);
    assert_int_equal(capture_steps_back(c), 0);
    capture_close(c);
}

static void addresses_are_mapped(void **state)
{
    struct addrmap *map = addrmap_create();
    struct capture_options o = {.path = path, .speed = 1, .map = map};
    struct prefix from, to;
    struct captured got;
    struct capture *c;

    (void)state;
    prefix_parse("192.0.2.0/24", &from);
    prefix_parse("10.7.0.0/24", &to);
    assert_null(addrmap_add(map, &from, &to));
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    pcapfile_put_record(&pcap, 0, 0, UDP_V4);
    pcapfile_save(path, pcap.data, pcap.size);
    c = open_path(&o);
    assert_int_equal(capture_read(c, &got, 1), 1);
    addr_parse("10.7.0.1", &from.addr);
    addr_parse("198.51.100.2", &to.addr);
    assert_true(addr_equal(&got.packet.src, &from.addr));
    assert_true(addr_equal(&got.packet.dst, &to.addr));
    capture_close(c);
    addrmap_destroy(map);
}

/* A thousand packets, told apart by their times, in batches of any size. */
static void check_thousand(const char *what, unsigned batch)
{
    struct capture *c = open_path(&(struct capture_options){.path = path, .speed = 1});
    struct captured got[CAPTURE_BATCH];
    unsigned total = 0;
    int n;

    while ((n = capture_read(c, got, batch)) > 0)
        for (int i = 0; i < n; i++)
            if (got[i].time_ns != total++ * SECOND || got[i].packet.sport != 1111)
                fail_msg("%s, batches of %u: packet %u", what, batch, total);
    if (n != 0 || total != 1000)
        fail_msg("%s, batches of %u: %u packets: %s", what, batch, total,
                 capture_error(c));
    capture_close(c);
}

static void compressed_captures_and_batches_change_nothing(void **state)
{
    static const unsigned batches[] = {1, 7, CAPTURE_BATCH};
    static uint8_t packed[PCAPFILE_MAX];
    z_stream z = {0};
    size_t size;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    for (unsigned i = 0; i < 1000; i++)
        pcapfile_put_record(&pcap, i, 0, UDP_V4);
    pcapfile_save(path, pcap.data, pcap.size);
    for (size_t i = 0; i < 3; i++)
        check_thousand("plain", batches[i]);

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    z.next_in = pcap.data, z.avail_in = (uInt)pcap.size;
    z.next_out = packed, z.avail_out = PCAPFILE_MAX;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    pcapfile_save(path, packed, z.total_out);
    deflateEnd(&z);
    for (size_t i = 0; i < 3; i++)
        check_thousand("gzip", batches[i]);

    size = ZSTD_compress(packed, PCAPFILE_MAX, pcap.data, pcap.size, 3);
    assert_false(ZSTD_isError(size));
    pcapfile_save(path, packed, size);
    for (size_t i = 0; i < 3; i++)
        check_thousand("zstd", batches[i]);
}

/*
 * Packets and steps back as traces/README.md has them. Not IP are, in office-segment, 405 ARP
 * and one 802.2 frame; in desktop-browsing, 48 802.2 frames of a switch.
 */
static void the_shipped_traces_hold_what_their_readme_says(void **state)
{
    static const struct {
        const char *file;
        unsigned packets, not_ip, steps_back;
    } rows[] = {
        {"traces/desktop-browsing.pcap", 3138, 48, 0},
        {"traces/dualstack-tls.pcap", 7451, 0, 4},
        {"traces/phone-ipv6.pcap", 1942, 0, 0},
        {"traces/device-outbound.pcapng", 2889, 0, 0},
        {"traces/office-segment.pcap", 871, 405 + 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct capture_options o = {.path = rows[i].file, .speed = 1};
        struct capture *c = open_path(&o);
        struct captured got[CAPTURE_BATCH];
        unsigned kinds[4] = {0};
        int n;

        while ((n = capture_read(c, got, CAPTURE_BATCH)) > 0)
            for (int k = 0; k < n; k++)
                kinds[got[k].kind]++;
        if (n < 0)
            fail_msg("%s", capture_error(c));
        if (capture_packets_read(c) != rows[i].packets ||
            capture_steps_back(c) != rows[i].steps_back)
            fail_msg("%s: %" PRIu64 " packets, %" PRIu64 " steps back", rows[i].file,
                     capture_packets_read(c), capture_steps_back(c));
        if (kinds[FRAME_NOT_IP] != rows[i].not_ip || kinds[FRAME_MALFORMED] ||
            kinds[FRAME_TRUNCATED])
            fail_msg("%s: %u not IP, %u malformed, %u truncated", rows[i].file,
                     kinds[FRAME_NOT_IP], kinds[FRAME_MALFORMED], kinds[FRAME_TRUNCATED]);
        capture_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_pcap_and_pcapng_reads_alike),
        cmocka_unit_test(every_link_type_yields_its_packet),
        cmocka_unit_test(time_is_start_and_elapsed_over_speed),
        cmocka_unit_test(a_timestamp_that_steps_back_takes_its_predecessors),
        cmocka_unit_test(seconds_pass_2038),
        cmocka_unit_test(frames_without_a_packet_are_given_out_with_the_reason),
        cmocka_unit_test(a_capture_without_packets_just_ends),
        cmocka_unit_test(a_filter_holds_frames_back_and_moves_no_time),
        cmocka_unit_test(addresses_are_mapped),
        cmocka_unit_test(compressed_captures_and_batches_change_nothing),
        cmocka_unit_test(the_shipped_traces_hold_what_their_readme_says),
    };

    return cmocka_run_group_tests_name("capture", tests, make_directory,
                                       remove_directory);
}
