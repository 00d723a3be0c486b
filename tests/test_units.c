#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/input/units.h"

#define SECOND INT64_C(1000000000)

static void durations_read_as_nanoseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"90s", 90 * SECOND},
        {"1500ms", 1500 * SECOND / 1000},
        {"2m", 120 * SECOND},
        {"1h", 3600 * SECOND},
        {"1d", 86400 * SECOND},
        {"1w", 604800 * SECOND},
        {"250us", 250000},
        {"10ns", 10},
        {"0s", 0},
        {"1d10m", 87000 * SECOND},
        {"1w2d3h4m5s6ms7us8ns",
         ((((7 + 2) * 24 + 3) * 60 + 4) * INT64_C(60) + 5) * SECOND + 6007008},
        {"1.5s", 3 * SECOND / 2},
        {"1m1.5s", 61 * SECOND + SECOND / 2},
        {"0.25m", 15 * SECOND},
        {"0.000000001s", 1},
        {"1.000000000000s", SECOND},
        {"0.10000000000w", 60480 * SECOND},
        {"007s", 7 * SECOND},
        {"9223372036854775807ns", INT64_MAX},
        {"9223372036.854775807s", INT64_MAX},
        {"000000000000000000000000000000000001s", SECOND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = -1;

        if (!units_parse_duration(rows[i].text, &ns) || ns != rows[i].ns)
            fail_msg("%s: %" PRId64 ", not %" PRId64, rows[i].text, ns, rows[i].ns);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    static const struct {
        const char *why, *text;
    } rows[] = {
        {"empty", ""},
        {"no unit", "90"},
        {"no unit", "0"},
        {"no number", "s"},
        {"negative", "-1s"},
        {"sign", "+1s"},
        {"unknown unit", "1y"},
        {"unknown unit", "1S"},
        {"unknown unit", "1sec"},
        {"space before", " 1s"},
        {"space inside", "1 s"},
        {"space behind", "1s "},
        {"smaller unit first", "10m1d"},
        {"unit twice", "1s1s"},
        {"fraction not last", "1.5m10s"},
        {"number without unit behind", "1m30"},
        {"nothing behind the point", "1.s"},
        {"nothing before the point", ".5s"},
        {"two points", "1.5.5s"},
        {"finer than a nanosecond", "1.5ns"},
        {"finer than a nanosecond", "0.0000000001s"},
        {"finer than a nanosecond, far behind", "1.0000000000000000000001s"},
        {"finer than a nanosecond, of a week", "0.000000000001w"},
        {"exponent", "1e3s"},
        {"hexadecimal", "0x10s"},
        {"beyond the type", "9223372036854775808ns"},
        {"beyond the type", "9223372036.854775808s"},
        {"beyond the type", "15251w"},
        {"beyond the type in sum", "15250w365d"},
        {"far beyond", "99999999999999999999999999999999s"},
        {"clock", "00:01:30"},
        {"not ASCII", "1\xc2\xb5s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = -7;

        if (units_parse_duration(rows[i].text, &ns) || ns != -7)
            fail_msg("%s: \"%s\" gave %" PRId64, rows[i].why, rows[i].text, ns);
    }
}

static void rates_read_as_bits_per_second(void **state)
{
    static const struct {
        const char *text;
        uint64_t bps;
    } rows[] = {
        {"300M", UINT64_C(300000000)},
        {"1.5G", UINT64_C(1500000000)},
        {"64k", 64000},
        {"9600", 9600},
        {"0", 0},
        {"2T", UINT64_C(2000000000000)},
        {"0.001k", 1},
        {"18446744073709551615", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bps = 1;

        if (!units_parse_rate(rows[i].text, &bps) || bps != rows[i].bps)
            fail_msg("%s: %" PRIu64, rows[i].text, bps);
    }
}

static void what_is_no_rate_is_refused(void **state)
{
    static const char *const rows[] = {
        "",        "M",
        "-1M",     "1m",
        "1K",      "1.5",
        "0.0001k", "1MM",
        "1M1k",    "1M ",
        "1 M",     "1Mbps",
        "1.k",     "18446744073709551616",
        "1e6",     "1,5M",
        "0x1M",    "1.5.",
        "+1",      "99999999999999999999T",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bps = 77;

        if (units_parse_rate(rows[i], &bps) || bps != 77)
            fail_msg("\"%s\" gave %" PRIu64, rows[i], bps);
    }
}

static void sizes_read_as_bytes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {
        {"0B", 0},
        {"1500B", 1500},
        {"64KiB", 65536},
        {"100GB", UINT64_C(100000000000)},
        {"1.5kB", 1500},
        {"2TB", UINT64_C(2000000000000)},
        {"3MiB", 3145728},
        {"1TiB", UINT64_C(1) << 40},
        {"18446744073709551615B", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bytes = 77;

        if (!units_parse_size(rows[i].text, &bytes) || bytes != rows[i].bytes)
            fail_msg("%s: %" PRIu64, rows[i].text, bytes);
    }
}

static void what_is_no_size_is_refused(void **state)
{
    static const char *const rows[] = {
        "", "B", "64", "64K", "64k", "1KB", "1kiB", "1.5B", "0.5KiB", "1.B",
        "1GB1MB", "1 GB", "1GB ", "-1B", "1e3B", "18446744073709551616B", "16777216TiB",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bytes = 77;

        if (units_parse_size(rows[i], &bytes) || bytes != 77)
            fail_msg("\"%s\" gave %" PRIu64, rows[i], bytes);
    }
}

static void formatting_takes_the_largest_unit_that_stays_whole(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } durations[] = {
        {0, "0s"},
        {90 * SECOND, "90s"},
        {120 * SECOND, "2m"},
        {1500000000, "1500ms"},
        {604800 * SECOND, "1w"},
        {1, "1ns"},
        {INT64_MAX, "9223372036854775807ns"},
    };
    static const struct {
        uint64_t bps;
        const char *text;
    } rates[] = {
        {0, "0"},
        {300000000, "300M"},
        {1500000, "1500k"},
        {9601, "9601"},
        {UINT64_MAX, "18446744073709551615"},
    };
    char buf[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        assert_string_equal(units_format_duration(durations[i].ns, buf),
                            durations[i].text);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        assert_string_equal(units_format_rate(rates[i].bps, buf), rates[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_read_as_nanoseconds),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(rates_read_as_bits_per_second),
        cmocka_unit_test(what_is_no_rate_is_refused),
        cmocka_unit_test(sizes_read_as_bytes),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(formatting_takes_the_largest_unit_that_stays_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
