#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <string.h>

#include "sim/report/human.h"

struct row {
    struct human (*write)(double);
    double value;
    const char *text;
};

static void check(const struct row *rows, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        struct human got = rows[i].write(rows[i].value);

        if (strcmp(got.text, rows[i].text) != 0)
            fail_msg("%g: '%s', expected '%s'", rows[i].value, got.text, rows[i].text);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

static void numbers_have_three_digits_and_a_prefix(void **state)
{
    static const struct row rows[] = {
        {human_count, 0, "0"},
        {human_count, 99999, "99999"},
        {human_count, 123456, "123 k"},
        {human_count, 999499, "999 k"},
        {human_count, 999500, "1.00 M"},
        {human_count, 1234567, "1.23 M"},
        {human_bytes, 0, "0 B"},
        {human_bytes, 999, "999 B"},
        {human_bytes, 1000, "1.00 kB"},
        {human_bytes, 1234, "1.23 kB"},
        {human_bytes, 45600000, "45.6 MB"},
        {human_bytes, 1e9, "1.00 GB"},
        {human_bytes, 2e18, "2.00 EB"},
    };

    (void)state;
    CHECK(rows);
}

static void a_share_is_none_or_all_only_when_it_is(void **state)
{
    static const struct row rows[] = {
        {human_share, 0, "0 %"},          {human_share, 0.0004, "<0.1 %"},
        {human_share, 0.333, "33.3 %"},   {human_share, 0.05, "5.0 %"},
        {human_share, 0.9995, ">99.9 %"}, {human_share, 1, "100 %"},
        {human_share, 2.5, "250 %"},
    };

    (void)state;
    CHECK(rows);
}

static void times_have_the_unit_that_reads_best(void **state)
{
    static const struct row rows[] = {
        {human_span, 0, "0 s"},
        {human_span, 0.000012, "12 us"},
        {human_span, 0.2, "200 ms"},
        {human_span, 12.34, "12.3 s"},
        {human_span, 119, "119 s"},
        {human_span, 120, "2 min"},
        {human_span, 123.4, "2 min 3 s"},
        {human_span, 3600, "1 h"},
        {human_span, 3900, "1 h 5 min"},
        {human_span, 7199, "2 h"},
        {human_instant, 0, "0.0 s"},
        {human_instant, 12.34, "12.3 s"},
        {human_instant, 999.9, "999.9 s"},
        {human_instant, 3723, "1:02:03"},
    };

    (void)state;
    CHECK(rows);
}

/* Under the sanitizers: no buffer is too small, no conversion overflows. */
static void numbers_without_sense_are_written_too(void **state)
{
    static const double values[] = {DBL_MAX, -DBL_MAX, DBL_MIN, -1, 1e15, 1e21, -0.5};
    static struct human (*const writers[])(double) = {
        human_count, human_bytes, human_share, human_span, human_instant, human_figure};

    (void)state;
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
        for (size_t w = 0; w < sizeof writers / sizeof writers[0]; w++) {
            size_t length = strlen(writers[w](values[v]).text);

            assert_in_range(length, 1, sizeof(struct human) - 2);
        }
}

static void names_are_printable_and_fit(void **state)
{
    static const struct {
        const char *name;
        size_t columns;
        const char *text;
    } rows[] = {
        {"wan1", 10, "wan1"},
        {"wan1", 4, "wan1"},
        {"wan12", 4, "wa.."},
        {NULL, 4, "?"},
        {"a\x1b[2J\n", 40, "a\\u001b[2J\\u000a"},
        {"\xc2\x9b", 40, "\\u009b"}, /* C1: CSI */
        {"a\xe2\x80\xae"
         "b",
         40, "a\\u202eb"},                  /* right-to-left override */
        {"\xff\xc3", 40, "\\ufffd\\ufffd"}, /* no UTF-8 */
        {"\xe6\x97\xa5\xe6\x9c\xac", 4,
         "\xe6\x97\xa5\xe6\x9c\xac"}, /* two columns each */
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5.."},
        {"\x1b\x1b", 5, ".."},
        {"abc", 1, "."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct human_name got = human_name(rows[i].name, rows[i].columns);

        if (strcmp(got.text, rows[i].text) != 0)
            fail_msg("row %zu: '%s', expected '%s'", i, got.text, rows[i].text);
    }
}

/* A letter and 100 000 accents on it take one column, and a bounded number of bytes. */
static void names_of_marks_alone_are_cut_too(void **state)
{
    enum { MARKS = 100000 };
    static char name[1 + 2 * MARKS + 1];

    (void)state;
    name[0] = 'a';
    for (size_t i = 0; i < MARKS; i++)
        memcpy(name + 1 + 2 * i, "\xcc\x81", 2);
    struct human_name got = human_name(name, 40);
    size_t length = strlen(got.text);

    assert_in_range(length, 10, sizeof got.text - 1);
    assert_string_equal(got.text + length - 2, "..");
}

static void a_cell_has_just_its_columns(void **state)
{
    (void)state;
    assert_string_equal(human_cell("ab", 5).text, "ab   ");
    assert_string_equal(human_cell("abcdef", 5).text, "abc..");
    assert_string_equal(human_cell("\xe6\x97\xa5", 4).text, "\xe6\x97\xa5  ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_three_digits_and_a_prefix),
        cmocka_unit_test(a_share_is_none_or_all_only_when_it_is),
        cmocka_unit_test(times_have_the_unit_that_reads_best),
        cmocka_unit_test(numbers_without_sense_are_written_too),
        cmocka_unit_test(names_are_printable_and_fit),
        cmocka_unit_test(names_of_marks_alone_are_cut_too),
        cmocka_unit_test(a_cell_has_just_its_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
