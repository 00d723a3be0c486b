#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/traffic/flowlist.h"
#include "tests/packets.h"
#include "tests/play.h"
#include "tests/routers.h"

#define HEAD                                                                             \
    "time,src,sport,dst,dport,proto,bytes_up,bytes_down,packets_up,packets_down,"        \
    "duration\n"
#define ROW(time, sport)                                                                 \
    time ",192.168.10.5," sport ",198.51.100.1,443,udp,128,1028,1,1,2\n"
#define ZEEK                                                                             \
    "#separator "                                                                        \
    "\\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto"         \
    "\tduration\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n#types\ttime\n"
#define ZEEK_ROW(ts, port)                                                               \
    ts "\tC1\t192.168.10.5\t" port "\t198.51.100.1\t443\tudp\t-\t1\t128\t0\t0\n"

struct
try {
    char path[64], error[300];
    struct flowlist *list;
};

static struct try load_bytes(const char *format, const void *bytes, size_t size,
                             double speed)
{
    struct try t = {.path = "/tmp/ecmplab-flowlist-XXXXXX"};
    struct flowlist_options o = {
        .path = t.path, .speed = speed, .start_ns = SECONDS(100)};
    const int fd = mkstemp(t.path);

    assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
    for (size_t i = 0; i < FLOW_FORMATS; i++)
        if (strcmp(flow_formats[i].name, format) == 0)
            o.format = &flow_formats[i];
    t.list = flowlist_load(&o, t.error, sizeof t.error);
    unlink(t.path);
    return t;
}

static struct try load(const char *format, const char *text)
{
    return load_bytes(format, text, strlen(text), 1);
}

/* The source ports in order of start, each with its start after 100 s, in seconds. */
static void expect_order(const struct try *t, const char *expected)
{
    char got[400] = "";

    if (!t->list)
        fail_msg("%s", t->error);
    for (size_t i = 0; i < t->list->len; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%u at %g, ",
                 t->list->demands[i].sport,
                 (double)(t->list->demands[i].start_ns - SECONDS(100)) / 1e9);
    assert_string_equal(got, expected);
}

static void every_format_is_read_and_sorted_by_start(void **state)
{
    static const struct {
        const char *format, *text, *order;
    } rows[] = {
        {"csv", HEAD ROW("7", "3") ROW("5.5", "1") "\n" ROW("7", "2"),
         "1 at 0, 3 at 1.5, 2 at 1.5, "},
        {"csv",
         "dport,proto, \"src\",dst,sport,time\r\n443,tcp,10.0.0.1,10.0.0.2,9,1\r\n",
         "9 at 0, "},
        {"zeek-tsv",
         ZEEK ZEEK_ROW("1591367999.5", "8") ZEEK_ROW("1591367999.25", "9") "#close\tx\n",
         "9 at 0, 8 at 0.25, "},
        {"zeek-json",
         "{\"ts\":1591367999.305988,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_"
         "p\":38026,"
         "\"id.resp_h\":\"10.0.0.2\",\"id.resp_p\":443,\"proto\":\"tcp\",\"duration\":0."
         "25,"
         "\"orig_bytes\":100,\"resp_bytes\":3000}\n"
         "{\"ts\":\"2020-06-05T14:39:59.805988Z\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_"
         "p\":7,"
         "\"id.resp_h\":\"10.0.0.2\",\"id.resp_p\":443,\"proto\":\"udp\"}\n",
         "38026 at 0, 7 at 0.5, "},
        {"nfdump-csv",
         "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out\n"
         "2020-06-05 14:59:59.305,2020-06-05 "
         "15:00:00.305,1.000,10.0.0.1,10.0.0.2,4,443,TCP,"
         ".AP.SF,0,0,10,1400,0,0,0,0\nSummary\nflows,bytes,packets\n1,1400,10\n",
         "4 at 0, "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct try t = load(rows[i].format, rows[i].text);

        expect_order(&t, rows[i].order);
        flowlist_free(t.list);
    }
}

static void what_is_wrong_is_told_with_file_and_line(void **state)
{
    static const struct {
        const char *format, *text, *error; /* behind the file's name */
    } rows[] = {
        {"csv", "", ": no connection of TCP or UDP"},
        {"csv", HEAD, ": no connection of TCP or UDP"},
        {"csv", HEAD ROW("1", "1") ROW("x", "2"),
         ":3: expected a time in seconds or a date in 'time', got 'x'"},
        {"csv", HEAD "1,2\n", ":2: expected 11 columns, got 2"},
        {"csv", "time,src,sport,dst,dport,proto,bytes_upp\n",
         ":1: unknown column 'bytes_upp'; did you mean 'bytes_up'?"},
        {"csv", "time,src,sport,dst,dport,proto,mac\n", ":1: unknown column 'mac'"},
        {"csv", "time,src,sport,dst,dport,proto,src\n",
         ":1: column 'src' is there twice"},
        {"csv", "time,src,sport,dst,dport\n", ":1: expected a column 'proto'"},
        {"zeek-tsv", ZEEK_ROW("1", "1"),
         ":1: expected a line '#fields' before the first connection"},
        {"zeek-tsv", ZEEK ZEEK_ROW("1", "70000"),
         ":4: expected a port in 'id.orig_p', got '70000'"},
        {"zeek-json", "{\"ts\":1}\n",
         ":1: expected a protocol in 'proto', which is empty"},
        {"zeek-json", "[1]\n", ":1: expected a JSON object"},
        {"zeek-json", "{\"ts\":", ":1: expected a JSON object"},
        {"csv", HEAD ROW("1", "1") ROW("500000000", "2"), ": spans more than ten years"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct try t = load(rows[i].format, rows[i].text);

        if (t.list)
            fail_msg("row %zu is accepted", i);
        if (strncmp(t.error, t.path, strlen(t.path)) != 0 ||
            strcmp(t.error + strlen(t.path), rows[i].error) != 0)
            fail_msg("row %zu: %s", i, t.error);
    }
}

static void bytes_that_are_no_text_end_the_reading(void **state)
{
    enum { BYTES = 200000 };
    static char bytes[BYTES];
    struct try t;

    (void)state;
    t = load_bytes("csv", bytes, BYTES, 1);
    assert_null(t.list);
    assert_non_null(strstr(t.error, ":1: no text, or a line of more than 65534 bytes"));
    memset(bytes, 'x', BYTES);
    t = load_bytes("csv", bytes, BYTES, 1);
    assert_null(t.list);
    assert_non_null(strstr(t.error, ":1: no text, or a line of more than 65534 bytes"));
}

static void other_protocols_are_left_out_and_counted(void **state)
{
    struct try t = load(
        "csv", HEAD ROW("1", "1") "2,192.168.10.5,8,198.51.100.1,0,icmp,84,84,1,1,0\n"
                                  "3,192.168.10.5,8,198.51.100.1,0,gre,84,84,1,1,0\n");

    (void)state;
    expect_order(&t, "1 at 0, ");
    assert_int_equal(t.list->left_out, 2);
    assert_int_equal(t.list->left_out_first, 3);
    flowlist_free(t.list);
}

static void speed_shortens_gaps_and_durations(void **state)
{
    const char *text = HEAD ROW("1", "1") ROW("4", "2");
    struct try t = load_bytes("csv", text, strlen(text), 2);

    (void)state;
    expect_order(&t, "1 at 0, 2 at 1.5, ");
    assert_int_equal(t.list->demands[0].duration_ns, SECONDS(1));
    flowlist_free(t.list);
}

static void a_packed_list_is_read(void **state)
{
    const char *text = HEAD ROW("1", "1");
    char path[] = "/tmp/ecmplab-flowlist-XXXXXX";
    const int fd = mkstemp(path);
    gzFile gz = gzdopen(fd, "wb");
    const struct flowlist_options o = {
        .path = path, .format = &flow_formats[0], .speed = 1, .start_ns = SECONDS(100)};
    struct try t = {.path = ""};

    (void)state;
    assert_true(gzwrite(gz, text, (unsigned)strlen(text)) > 0);
    gzclose(gz);
    t.list = flowlist_load(&o, t.error, sizeof t.error);
    unlink(path);
    expect_order(&t, "1 at 0, ");
    flowlist_free(t.list);
}

/* Through the scenario, its map, the router: two connections, one of them mapped to the laptop. */
static void a_list_passes_the_router(void **state)
{
    struct play *p = play_create();
    char path[PLAY_PATH_MAX + 16];
    const char *text = HEAD "5,10.9.9.9,1000,198.51.100.1,443,udp,128,1028,1,1,2\n"
                            "4,192.168.10.6,1001,198.51.100.1,443,tcp,40,0,1,0,0\n";

    (void)state;
    snprintf(path, sizeof path, "%s/list.csv", p->folder);
    pcapfile_save(path, text, strlen(text));
    play_run(p, &(struct play_text){
                    .sources = "{'kind': 'flows', 'file': 'list.csv', 'format': 'csv',"
                               " 'start': '1s', 'map': {'10.9.9.9': '192.168.10.50'}}"});
    play_expect_packets(p, "a list",
                        "1 delivered out wan1 as 100.64.1.2:1001\n"
                        "2 delivered out wan1 as 100.64.1.2:1000\n3 delivered in wan1\n");
    assert_int_equal(simulation_now_ns(p->sim), SECONDS(4));
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_read_and_sorted_by_start),
        cmocka_unit_test(what_is_wrong_is_told_with_file_and_line),
        cmocka_unit_test(bytes_that_are_no_text_end_the_reading),
        cmocka_unit_test(other_protocols_are_left_out_and_counted),
        cmocka_unit_test(speed_shortens_gaps_and_durations),
        cmocka_unit_test(a_packed_list_is_read),
        cmocka_unit_test(a_list_passes_the_router),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
