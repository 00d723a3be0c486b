#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/report/page.h"

#define TEN   "123456789 "
#define SIXTY TEN TEN TEN TEN TEN TEN

/* What page_marked() prints, or page_line() without a mark. The caller frees it. */
static char *print(const char *mark, unsigned hang, const char *text, bool colour)
{
    char *printed = NULL;
    size_t size = 0;
    struct page p = {.out = open_memstream(&printed, &size), .colour = colour};

    assert_non_null(p.out);
    if (mark)
        page_marked(&p, TONE_BAD, mark, hang, "%s", text);
    else
        page_line(&p, TONE_GOOD, hang, "%s", text);
    assert_int_equal(fclose(p.out), 0);
    return printed;
}

static void a_line_breaks_where_a_reader_would(void **state)
{
    static const struct {
        const char *when, *mark;
        unsigned hang;
        const char *text, *printed;
    } rows[] = {
        {"it fits", NULL, 4, "  short", "  short\n"},
        {"exactly 80", NULL, 4, SIXTY TEN "abcdefghij", SIXTY TEN "abcdefghij\n"},
        {"at a space, indented by the hang", NULL, 4, SIXTY "abcdefghij klmnopqrst uvw",
         SIXTY "abcdefghij\n    klmnopqrst uvw\n"},
        {"not between a number and its unit", NULL, 2, SIXTY "abcdefghijk 12345678 kB",
         SIXTY "abcdefghijk\n  12345678 kB\n"},
        {"behind a mark", "FAIL", 6, "why", "FAIL  why\n"},
        {"a mark longer than the hang", "FAILED", 2, "why", "FAILEDwhy\n"},
        {"nothing behind a mark", "FAIL", 6, "", "FAIL\n"},
        {"nothing at all", NULL, 6, "      ", "\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *printed = print(rows[i].mark, rows[i].hang, rows[i].text, false);

        if (strcmp(printed, rows[i].printed) != 0)
            fail_msg("%s: '%s'", rows[i].when, printed);
        free(printed);
    }
}

static void a_word_without_a_space_breaks_anywhere(void **state)
{
    char word[201], expected[300], *printed;

    (void)state;
    memset(word, 'x', 200);
    word[200] = '\0';
    snprintf(expected, sizeof expected, "%.80s\n    %.76s\n    %.44s\n", word, word,
             word);
    printed = print(NULL, 4, word, false);
    assert_string_equal(printed, expected);
    free(printed);
}

static void tones_are_escapes_only_when_colour_is_on(void **state)
{
    static const struct {
        const char *mark;
        bool colour;
        const char *printed;
    } rows[] = {
        {NULL, false, "  text\n"},
        {NULL, true, "  \033[1;32mtext\033[0m\n"},
        {"bad", false, "bad text\n"},
        {"bad", true, "\033[1;31mbad\033[0m text\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *printed = print(rows[i].mark, 4, "  text", rows[i].colour);

        assert_string_equal(printed, rows[i].printed);
        free(printed);
    }
}

static void a_list_has_commas_and_an_end(void **state)
{
    struct page_list l = {.length = 0};
    char word[1000];

    (void)state;
    page_list_add(&l, "%d one", 1);
    page_list_add(&l, "two");
    assert_string_equal(l.text, "1 one, two");
    memset(word, 'w', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    for (unsigned i = 0; i < 10; i++)
        page_list_add(&l, "%s", word);
    assert_in_range(strlen(l.text), 2 * sizeof word, PAGE_LIST_MAX - 1);
    assert_string_equal(l.text + strlen(l.text) - 5, "w, ..");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_breaks_where_a_reader_would),
        cmocka_unit_test(a_word_without_a_space_breaks_anywhere),
        cmocka_unit_test(tones_are_escapes_only_when_colour_is_on),
        cmocka_unit_test(a_list_has_commas_and_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
