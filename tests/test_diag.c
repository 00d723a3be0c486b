#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/input/diag.h"

static const char json[] =
    "{\"seed\": 7,\n \"b\": [1, {\"x/y\": 2}],\n \"n\": \"\xc3\xa9\", \"m\": 3}\n";

static struct diag *start(void)
{
    return diag_create("s.json", json, sizeof json - 1);
}

/* Print into a string, which the caller frees, and let the diag go. */
static char *finish(struct diag *d)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);

    assert_non_null(out);
    diag_print(d, out);
    fclose(out);
    diag_destroy(d);
    return printed;
}

static void a_message_gives_file_place_pointer_and_text(void **state)
{
    struct diag *d = start();
    char *printed;

    (void)state;
    diag_error(d, "/b/1/x~1y", "remainder %d must be below denominator %d", 3, 3);
    diag_error_key(d, "/b/1/x~1y", "unknown key");
    diag_error_member(d, "/b/1", "x/y", "by its key");
    diag_warn(d, "/m", "odd");
    diag_warn_member(d, "/b/1", "absent", "stands where the object does");
    diag_error(d, "", "about the text");
    printed = finish(d);
    assert_string_equal(
        printed,
        "s.json:1:1: error: about the text\n"
        "s.json:2:11: warning: /b/1/absent: stands where the object does\n"
        "s.json:2:12: error: /b/1/x~1y: unknown key\n"
        "s.json:2:19: error: /b/1/x~1y: remainder 3 must be below denominator 3\n"
        "s.json:2:19: error: /b/1/x~1y: by its key\n"
        "s.json:3:17: warning: /m: odd\n");
    free(printed);
}

static void places_without_json_and_without_any_place_print_too(void **state)
{
    struct diag *d = diag_create("export.rsc", NULL, 0);
    char *printed;

    (void)state;
    diag_warn_at(d, 12, 5, "unsupported menu");
    diag_error_at(d, 3, 1, "expected '%c'", '=');
    diag_error(d, NULL, "nothing to simulate");
    printed = finish(d);
    assert_string_equal(printed, "export.rsc: error: nothing to simulate\n"
                                 "export.rsc:3:1: error: expected '='\n"
                                 "export.rsc:12:5: warning: unsupported menu\n");
    free(printed);
}

static void errors_return_false_and_are_counted_by_level(void **state)
{
    struct diag *d = start();
    const struct diag_message *messages;
    size_t count;

    (void)state;
    assert_false(diag_error(d, "/m", "one"));
    assert_false(diag_error_key(d, "/m", "two"));
    assert_false(diag_error_at(d, 1, 1, "three"));
    assert_false(diag_error_member(d, "", "m", "four"));
    diag_warn(d, "/m", "a warning");
    assert_int_equal(diag_count(d, DIAG_ERROR), 4);
    assert_int_equal(diag_count(d, DIAG_WARNING), 1);
    messages = diag_messages(d, &count);
    assert_int_equal(count, 5);
    assert_string_equal(messages[0].text, "three");
    assert_null(messages[0].pointer);
    assert_string_equal(messages[4].pointer, "/m");
    diag_destroy(d);
}

static void each_level_keeps_its_first_and_counts_the_rest(void **state)
{
    struct diag *d = start();
    char *printed, *line;
    size_t lines = 0;

    (void)state;
    for (size_t i = 0; i < DIAG_KEPT_MAX + 23; i++) {
        assert_true(diag_is_full(d) == (i >= DIAG_KEPT_MAX));
        diag_error(d, "/m", "number %zu", i);
    }
    for (size_t i = 0; i < DIAG_KEPT_MAX + 1; i++)
        diag_warn(d, "/seed", "number %zu", i);
    assert_int_equal(diag_count(d, DIAG_ERROR), DIAG_KEPT_MAX + 23);
    printed = finish(d);
    for (line = printed; (line = strchr(line, '\n')); line++)
        lines++;
    assert_int_equal(lines, 2 * DIAG_KEPT_MAX + 2);
    assert_non_null(strstr(printed, "/m: number 99\n"));
    assert_null(strstr(printed, "number 100\n"));
    assert_non_null(
        strstr(printed, "s.json: and 23 more errors\ns.json: and 1 more warning\n"));
    free(printed);
}

/* ESC, BEL, DEL, a C1 control, an invalid byte and a whole character. */
static void control_characters_do_not_reach_the_terminal(void **state)
{
    struct diag *d = diag_create("a\nb", NULL, 0);
    char *printed;

    (void)state;
    diag_error(d, "/\x1b[2J", "%s", "\a\x7f\xc2\x9b\xff\xc3\xa9");
    printed = finish(d);
    assert_string_equal(
        printed, "a\\u000ab: error: /\\u001b[2J: \\u0007\\u007f\\u009b\xff\xc3\xa9\n");
    free(printed);
}

/* Two bytes a character, shifted by one so that the cut meets a character's middle. */
static void long_texts_are_cut_between_characters(void **state)
{
    enum { SIZE = 100 * 1000 };
    char *text = malloc(SIZE);
    const struct diag_message *m;
    size_t count;

    (void)state;
    assert_non_null(text);
    for (size_t shift = 0; shift < 2; shift++) {
        struct diag *d = diag_create("x", NULL, 0);
        size_t length;

        memset(text, 'a', SIZE);
        for (size_t i = shift; i + 1 < SIZE; i += 2)
            memcpy(text + i, "\xc3\xa9", 2);
        text[SIZE - 1] = '\0';
        diag_error(d, text, "%s", text);
        m = diag_messages(d, &count);
        length = strlen(m->text);
        assert_in_range(length, DIAG_TEXT_MAX - 3, DIAG_TEXT_MAX - 1);
        assert_string_equal(m->text + length - 5, "\xc3\xa9...");
        assert_in_range(strlen(m->pointer), DIAG_POINTER_MAX - 3, DIAG_POINTER_MAX - 1);
        diag_destroy(d);
    }
    free(text);
}

static void a_text_that_just_fits_is_whole(void **state)
{
    char text[DIAG_TEXT_MAX];
    struct diag *d = diag_create("x", NULL, 0);
    size_t count;

    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    diag_error(d, NULL, "%s", text);
    assert_string_equal(diag_messages(d, &count)->text, text);
    diag_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_gives_file_place_pointer_and_text),
        cmocka_unit_test(places_without_json_and_without_any_place_print_too),
        cmocka_unit_test(errors_return_false_and_are_counted_by_level),
        cmocka_unit_test(each_level_keeps_its_first_and_counts_the_rest),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_text_that_just_fits_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
