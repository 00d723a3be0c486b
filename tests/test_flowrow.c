#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/traffic/flowrow.h"
#include "tests/packets.h"
#include "tests/routers.h"

static const struct flow_format *format(const char *name)
{
    for (size_t i = 0; i < FLOW_FORMATS; i++)
        if (strcmp(flow_formats[i].name, name) == 0)
            return &flow_formats[i];
    fail_msg("no format %s", name);
    return NULL;
}

/* A good row of ours, with one column changed. */
static struct flowrow changed(enum flow_column column, const char *text)
{
    struct flowrow row = {.columns = {[FLOW_TIME] = "10",
                                      [FLOW_SRC] = "192.168.10.5",
                                      [FLOW_SPORT] = "40000",
                                      [FLOW_DST] = "198.51.100.1",
                                      [FLOW_DPORT] = "443",
                                      [FLOW_PROTO] = "tcp",
                                      [FLOW_DURATION] = "1.5",
                                      [FLOW_BYTES_UP] = "740",
                                      [FLOW_BYTES_DOWN] = "4240",
                                      [FLOW_PACKETS_UP] = "6",
                                      [FLOW_PACKETS_DOWN] = "6"}};

    row.columns[column] = text;
    return row;
}

static void times_are_read_to_the_nanosecond(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"0", 0},
        {"12.5", 12500000000},
        {"1591367999.305988", 1591367999305988000},
        {"0.0000000019", 1},
        {"1970-01-01 00:00:00", 0},
        {"1972-03-01 00:00:00", 68256000000000000}, /* 790 days: 1972 is a leap year */
        {"2000-02-29 23:59:59.5", 951868799500000000},
        {"2020-06-05 14:39:59.305", 1591367999305000000}, /* as `date -u -d` has it */
        {"2020-06-05T14:39:59.305988Z", 1591367999305988000},
    };
    struct demand d;
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct flowrow row = changed(FLOW_TIME, rows[i].text);

        if (flowrow_read(format("csv"), &row, &d, error, sizeof error) != FLOWROW_OK)
            fail_msg("%s: %s", rows[i].text, error);
        if (d.start_ns != rows[i].ns)
            fail_msg("%s: %lld", rows[i].text, (long long)d.start_ns);
    }
}

static void what_cannot_be_read_is_told_with_its_column(void **state)
{
    static const struct {
        enum flow_column column;
        const char *text, *error;
    } rows[] = {
        {FLOW_TIME, "noon", "expected a time in seconds or a date in 'time', got 'noon'"},
        {FLOW_TIME, "", "expected a time in seconds or a date in 'time', which is empty"},
        {FLOW_TIME, "9999999999999",
         "expected a time in seconds or a date in 'time', got "
         "'9999999999999'"},
        {FLOW_TIME, "2020-13-01 00:00:00",
         "expected a time in seconds or a date in 'time', got "
         "'2020-13-01 00:00:00'"},
        {FLOW_SRC, "laptop", "expected an address in 'src', got 'laptop'"},
        {FLOW_DST, "2001:db8::1",
         "expected an address of the same family as the source's in "
         "'dst', got '2001:db8::1'"},
        {FLOW_SPORT, "65536", "expected a port in 'sport', got '65536'"},
        {FLOW_DPORT, NULL, "expected a port in 'dport', which is empty"},
        {FLOW_PROTO, NULL, "expected a protocol in 'proto', which is empty"},
        {FLOW_DURATION, "-1", "expected seconds in 'duration', got '-1'"},
        {FLOW_BYTES_UP, "1e3",
         "expected bytes, at most a tebibyte in 'bytes_up', got '1e3'"},
        {FLOW_PACKETS_DOWN, "4294967296",
         "expected packets in 'packets_down', got '4294967296'"},
        {FLOW_BYTES_UP, "100", "fewer bytes than the packets' headers"},
    };
    struct demand d;
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct flowrow row = changed(rows[i].column, rows[i].text);

        if (flowrow_read(format("csv"), &row, &d, error, sizeof error) != FLOWROW_WRONG)
            fail_msg("row %zu is accepted", i);
        if (strcmp(error, rows[i].error) != 0)
            fail_msg("row %zu: %s", i, error);
    }
}

static void protocols_go_by_name_or_number_and_others_are_left(void **state)
{
    static const struct {
        const char *text;
        enum flowrow_result result;
        uint8_t protocol;
    } rows[] = {
        {"tcp", FLOWROW_OK, PROTO_TCP},          {"UDP", FLOWROW_OK, PROTO_UDP},
        {"17", FLOWROW_OK, PROTO_UDP},           {"icmp", FLOWROW_OTHER, 0},
        {"unknown_transport", FLOWROW_OTHER, 0}, {"47", FLOWROW_OTHER, 0},
    };
    struct demand d;
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct flowrow row = changed(FLOW_PROTO, rows[i].text);

        if (flowrow_read(format("csv"), &row, &d, error, sizeof error) !=
                rows[i].result ||
            d.protocol != rows[i].protocol)
            fail_msg("%s", rows[i].text);
    }
}

/* With packets bytes are those on the wire; without they are payload. */
static void bytes_are_what_their_columns_mean(void **state)
{
    static const struct {
        const char *what, *format;
        struct flowrow row;
        uint64_t bytes, payload;
        uint32_t packets;
        enum demand_shape shape;
    } rows[] = {
#define ENDS                                                                             \
    [FLOW_TIME] = "1", [FLOW_SRC] = "10.0.0.1", [FLOW_SPORT] = "1",                      \
    [FLOW_DST] = "10.0.0.2", [FLOW_DPORT] = "2", [FLOW_PROTO] = "tcp"
        {"counted",
         "csv",
         {{ENDS, [FLOW_BYTES_UP] = "300", [FLOW_PACKETS_UP] = "5",
           [FLOW_BYTES_DOWN] = "1080", [FLOW_PACKETS_DOWN] = "3"}},
         1380,
         1060,
         8,
         DEMAND_WHOLE},
        {"payload",
         "csv",
         {{ENDS, [FLOW_BYTES_UP] = "100", [FLOW_BYTES_DOWN] = "1000"}},
         1100 + 8 * 40,
         1100,
         8,
         DEMAND_WHOLE},
        {"payload of zeek",
         "zeek-tsv",
         {{ENDS, [FLOW_PAYLOAD_UP] = "100", [FLOW_PAYLOAD_DOWN] = "1000"}},
         1100 + 8 * 40,
         1100,
         8,
         DEMAND_WHOLE},
        {"counted of zeek",
         "zeek-tsv",
         {{ENDS, [FLOW_PAYLOAD_UP] = "9", [FLOW_PAYLOAD_DOWN] = "0",
           [FLOW_BYTES_UP] = "49", [FLOW_PACKETS_UP] = "1", [FLOW_BYTES_DOWN] = "0",
           [FLOW_PACKETS_DOWN] = "0"}},
         49,
         9,
         1,
         DEMAND_PLAIN},
        {"acknowledgements of nfdump",
         "nfdump-csv",
         {{ENDS, [FLOW_BYTES_UP] = "80", [FLOW_PACKETS_UP] = "2",
           [FLOW_FLAGS] = "...A...."}},
         80,
         0,
         2,
         DEMAND_PLAIN},
        {"SYNs of nfdump",
         "nfdump-csv",
         {{ENDS, [FLOW_BYTES_UP] = "80", [FLOW_PACKETS_UP] = "2",
           [FLOW_FLAGS] = "......S."}},
         80,
         0,
         2,
         DEMAND_SYN},
    };
    struct demand d;
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (flowrow_read(format(rows[i].format), &rows[i].row, &d, error, sizeof error) !=
            FLOWROW_OK)
            fail_msg("%s: %s", rows[i].what, error);
        if (demand_bytes(&d) != rows[i].bytes || d.shape != rows[i].shape ||
            d.up.payload_bytes + d.down.payload_bytes != rows[i].payload ||
            d.up.packets + d.down.packets != rows[i].packets)
            fail_msg("%s: %llu bytes, shape %u", rows[i].what,
                     (unsigned long long)demand_bytes(&d), d.shape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_to_the_nanosecond),
        cmocka_unit_test(what_cannot_be_read_is_told_with_its_column),
        cmocka_unit_test(protocols_go_by_name_or_number_and_others_are_left),
        cmocka_unit_test(bytes_are_what_their_columns_mean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
