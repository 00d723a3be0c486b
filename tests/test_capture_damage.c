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

#include "sim/input/capture.h"
#include "tests/pcapfile.h"

static char directory[] = "/tmp/test_capture_damage.XXXXXX";
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

/* The message of a capture_open() that must fail, without the path in front. */
static const char *refusal(const char *file, const char *filter)
{
    static char error[1024];
    struct capture_options o = {.path = file, .filter = filter, .speed = 1};
    size_t n = strlen(file);

    if (capture_open(&o, error, sizeof error))
        fail_msg("%s opened", file);
    if (strncmp(error, file, n) != 0 || strncmp(error + n, ": ", 2) != 0)
        fail_msg("no file in front: %s", error);
    return error + n + 2;
}

static void times_beyond_all_bounds_are_errors(void **state)
{
    struct capture_options slow = {.path = path, .speed = 1e-9};
    struct captured got[4];
    struct capture *c;

    (void)state;
    pcapfile_begin_ng(&pcap, false);
    pcapfile_put_interface(&pcap, LINKTYPE_RAW, 0);
    pcapfile_put_block(&pcap, 0, 1, UDP_V4);
    pcapfile_put_block(&pcap, 0, UINT64_C(1) << 60, UDP_V4);
    c = open_written();
    assert_int_equal(capture_read(c, got, 4), 1);
    assert_int_equal(capture_read(c, got, 4), -1);
    assert_non_null(strstr(capture_error(c), ": after packet 1: "));
    capture_close(c);

    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    pcapfile_put_record(&pcap, 0, 0, UDP_V4);
    pcapfile_put_record(&pcap, 5, 0, UDP_V4);
    pcapfile_save(path, pcap.data, pcap.size);
    c = open_path(&slow);
    assert_int_equal(capture_read(c, got, 4), 1);
    assert_int_equal(capture_read(c, got, 4), -1);
    assert_non_null(strstr(capture_error(c), ": after packet 1: "));
    capture_close(c);
}

static void a_cut_file_gives_out_all_that_is_whole_then_fails(void **state)
{
    enum { PACKETS = 5, HEADER = 24, RECORD = 16 + 32 };

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    for (unsigned i = 0; i < PACKETS; i++)
        pcapfile_put_record(&pcap, i, 0, UDP_V4);
    for (size_t cut = HEADER; cut < HEADER + PACKETS * RECORD; cut++) {
        struct captured got[PACKETS];
        int whole = (int)((cut - HEADER) / RECORD), n;
        bool between = (cut - HEADER) % RECORD == 0;
        struct capture *c;
        char place[40];

        pcapfile_save(path, pcap.data, cut);
        c = open_path(&(struct capture_options){.path = path, .speed = 1});
        n = capture_read(c, got, PACKETS);
        if (n != (whole || between ? whole : -1))
            fail_msg("cut at %zu: %d packets, not %d", cut, n, whole);
        if (capture_read(c, got, PACKETS) != (between ? 0 : -1))
            fail_msg("cut at %zu: \"%s\"", cut, capture_error(c));
        snprintf(place, sizeof place, ": after packet %d: truncated", whole);
        if (!between && !strstr(capture_error(c), place))
            fail_msg("cut at %zu: %s", cut, capture_error(c));
        capture_close(c);
    }
}

static void a_cut_gzip_capture_says_so(void **state)
{
    gzFile gz = gzopen(path, "wb");
    struct captured got[CAPTURE_BATCH];
    struct capture *c;
    int n;

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    for (unsigned i = 0; i < 1000; i++)
        pcapfile_put_record(&pcap, i * 2654435761u % 100000, i, UDP_V4);
    assert_int_equal(gzwrite(gz, pcap.data, (unsigned)pcap.size), pcap.size);
    assert_int_equal(gzclose(gz), Z_OK);
    assert_int_equal(truncate(path, 3000), 0);
    c = open_path(&(struct capture_options){.path = path, .speed = 1});
    while ((n = capture_read(c, got, CAPTURE_BATCH)) > 0)
        ;
    assert_int_equal(n, -1);
    assert_true(capture_packets_read(c) > 0);
    assert_non_null(strstr(capture_error(c), "gzip data cut short"));
    capture_close(c);
}

static void what_is_no_capture_is_refused_with_its_reason(void **state)
{
    (void)state;
    pcapfile_save(path, "", 0);
    assert_non_null(strstr(refusal(path, NULL), "not readable as a capture: truncated"));
    pcapfile_save(path, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_string_equal(refusal(path, NULL),
                        "not readable as a capture: unknown file format");
    pcapfile_save(path, "\x1f\x8b\x08\x00garbage", 11);
    assert_non_null(strstr(refusal(path, NULL), "not readable as a capture: "));
    pcapfile_begin(&pcap, false, false, LINKTYPE_RAW);
    pcapfile_save(path, pcap.data, 20);
    assert_non_null(strstr(refusal(path, NULL), "truncated"));
    assert_string_equal(refusal("/nowhere/x.pcap", NULL), "No such file or directory");
    assert_string_equal(refusal(directory, NULL), "Is a directory");
}

static void unsupported_link_types_are_named(void **state)
{
    (void)state;
    pcapfile_begin(&pcap, false, false, 105);
    pcapfile_save(path, pcap.data, pcap.size);
    assert_string_equal(refusal(path, NULL),
                        "link type IEEE802_11 (802.11) is not supported");
    pcapfile_begin(&pcap, false, false, 9999);
    pcapfile_save(path, pcap.data, pcap.size);
    assert_string_equal(refusal(path, NULL), "link type 9999 is not supported");
}

static void interfaces_of_two_link_types_are_refused_in_libpcaps_words(void **state)
{
    struct captured got[4];
    struct capture *c;

    (void)state;
    pcapfile_begin_ng(&pcap, false);
    pcapfile_put_interface(&pcap, LINKTYPE_RAW, 6);
    pcapfile_put_block(&pcap, 0, 1, UDP_V4);
    pcapfile_put_interface(&pcap, LINKTYPE_ETHERNET, 6);
    pcapfile_put_block(&pcap, 1, 2, ETHERNET_IPV4 UDP_V4);
    c = open_written();
    assert_int_equal(capture_read(c, got, 4), 1);
    assert_int_equal(capture_read(c, got, 4), -1);
    assert_non_null(strstr(capture_error(c), "different from the type of the first"));
    capture_close(c);
}

static void a_bad_filter_is_refused_in_libpcaps_words(void **state)
{
    static const struct {
        const char *filter, *words;
    } rows[] = {
        {"udp prot 53", "filter \"udp prot 53\": can't parse filter expression"},
        {"vlan 99999", "filter \"vlan 99999\": "},
        {"(", "filter \"(\": can't parse filter expression"},
    };

    (void)state;
    pcapfile_begin(&pcap, false, false, LINKTYPE_ETHERNET);
    pcapfile_save(path, pcap.data, pcap.size);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = refusal(path, rows[i].filter);

        if (strncmp(why, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("%s", why);
    }
}

/* Captures with random bytes changed: whatever comes, it ends, and time never goes back. */
static void damaged_captures_end(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct capture_options o = {.path = path, .speed = 1};
        struct captured got[8];
        struct capture *c;
        char error[1024];
        int64_t latest_ns = 0;
        int n;

        if (round % 2) {
            pcapfile_begin_ng(&pcap, round % 4 == 1);
            pcapfile_put_interface(&pcap, LINKTYPE_ETHERNET, 6);
            for (unsigned i = 0; i < 10; i++)
                pcapfile_put_block(&pcap, 0, i, ETHERNET_IPV4 UDP_V4);
        } else {
            pcapfile_begin(&pcap, round % 4 == 0, false, LINKTYPE_ETHERNET);
            for (unsigned i = 0; i < 10; i++)
                pcapfile_put_record(&pcap, i, 0, ETHERNET_IPV4 UDP_V4);
        }
        for (unsigned i = 0; i < 1 + round % 8; i++) {
            x = x * 1664525 + 1013904223;
            pcap.data[(x >> 8) % pcap.size] = (uint8_t)(x >> 24);
        }
        pcapfile_save(path, pcap.data, pcap.size);
        c = capture_open(&o, error, sizeof error);
        if (!c)
            continue;
        while ((n = capture_read(c, got, 8)) > 0)
            for (int i = 0; i < n; i++) {
                assert_true(got[i].time_ns >= latest_ns);
                latest_ns = got[i].time_ns;
            }
        capture_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_beyond_all_bounds_are_errors),
        cmocka_unit_test(a_cut_file_gives_out_all_that_is_whole_then_fails),
        cmocka_unit_test(a_cut_gzip_capture_says_so),
        cmocka_unit_test(what_is_no_capture_is_refused_with_its_reason),
        cmocka_unit_test(unsupported_link_types_are_named),
        cmocka_unit_test(interfaces_of_two_link_types_are_refused_in_libpcaps_words),
        cmocka_unit_test(a_bad_filter_is_refused_in_libpcaps_words),
        cmocka_unit_test(damaged_captures_end),
    };

    return cmocka_run_group_tests_name("capture damage", tests, make_directory,
                                       remove_directory);
}
