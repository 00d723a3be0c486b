#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/input/jsonplace.h"

static const char text[] =
    "{\n"
    "  \"router\": {\n"
    "    \"routes\": [{\"distance\": 1}, {\"distnace\" : 2},\n"
    "               [ ], [[1, 2], \"a]\\\"}\", {\"k\":null}]],\n"
    "    \"a/b~c\": true, \"\": 5,\n"
    "    \"caf\\u00e9\": -1.5e3, \"\\ud83d\\ude00\": 7,\n"
    "    \"na\xc3\xafve\": \"\xe2\x82\xac\", \"tab\\t\\\\\\/\": 9\n"
    "  }\r\n"
    "}\n";

/* Lines and columns counted by hand in the text above. */
static void a_pointer_leads_to_line_and_column(void **state)
{
    static const struct {
        const char *pointer;
        size_t line, column, key_line, key_column;
    } rows[] = {
        {"", 1, 1, 1, 1},
        {"/router", 2, 13, 2, 3},
        {"/router/routes", 3, 15, 3, 5},
        {"/router/routes/0", 3, 16, 3, 16},
        {"/router/routes/0/distance", 3, 29, 3, 17},
        {"/router/routes/1/distnace", 3, 47, 3, 34},
        {"/router/routes/2", 4, 16, 4, 16},
        {"/router/routes/3", 4, 21, 4, 21},
        {"/router/routes/3/0/1", 4, 26, 4, 26},
        {"/router/routes/3/1", 4, 30, 4, 30},
        {"/router/routes/3/2/k", 4, 44, 4, 40},
        {"/router/a~1b~0c", 5, 14, 5, 5},
        {"/router/", 5, 24, 5, 20},
        {"/router/caf\xc3\xa9", 6, 18, 6, 5},
        {"/router/\xf0\x9f\x98\x80", 6, 42, 6, 26},
        {"/router/na\xc3\xafve", 7, 14, 7, 5},
        {"/router/tab\t\\~1", 7, 32, 7, 19},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct jsonplace value, key;
        bool found =
            jsonplace_find(text, sizeof text - 1, rows[i].pointer, JSONPLACE_VALUE,
                           &value) &&
            jsonplace_find(text, sizeof text - 1, rows[i].pointer, JSONPLACE_KEY, &key);

        if (!found)
            fail_msg("%s: not found", rows[i].pointer);
        if (value.line != rows[i].line || value.column != rows[i].column ||
            key.line != rows[i].key_line || key.column != rows[i].key_column)
            fail_msg("%s: value %zu:%zu, key %zu:%zu", rows[i].pointer, value.line,
                     value.column, key.line, key.column);
    }
}

static void a_pointer_to_nothing_gives_what_is_around_it(void **state)
{
    static const struct {
        const char *pointer;
        size_t line, column;
    } rows[] = {
        {"router", 1, 1},
        {"/wans", 1, 1},
        {"/router/none/x", 2, 13},
        {"/router/routes/4", 3, 15},
        {"/router/routes/01", 3, 15},
        {"/router/routes/-", 3, 15},
        {"/router/routes/", 3, 15},
        {"/router/routes/99999999999999999999999999", 3, 15},
        {"/router/routes/0/distance/deeper", 3, 29},
        {"/router/routes/2/0", 4, 16},
        {"/router/a~1b", 2, 13},
        {"/router/a~1b~0c~0", 2, 13},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct jsonplace place;
        bool found = jsonplace_find(text, sizeof text - 1, rows[i].pointer,
                                    JSONPLACE_VALUE, &place);

        if (found || place.line != rows[i].line || place.column != rows[i].column)
            fail_msg("%s: %s %zu:%zu", rows[i].pointer, found ? "found" : "not found",
                     place.line, place.column);
    }
}

/* Source: the example document and pointers of RFC 6901, section 5. */
static void the_pointers_of_rfc_6901_are_found(void **state)
{
    static const char json[] =
        "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, "
        "\"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";
    static const struct {
        const char *pointer;
        char start;
    } rows[] = {
        {"", '{'},      {"/foo", '['},  {"/foo/0", '"'}, {"/", '0'},
        {"/a~1b", '1'}, {"/c%d", '2'},  {"/e^f", '3'},   {"/g|h", '4'},
        {"/i\\j", '5'}, {"/k\"l", '6'}, {"/ ", '7'},     {"/m~0n", '8'},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct jsonplace place;

        if (!jsonplace_find(json, sizeof json - 1, rows[i].pointer, JSONPLACE_VALUE,
                            &place) ||
            json[place.offset] != rows[i].start)
            fail_msg("%s: offset %zu", rows[i].pointer, place.offset);
    }
}

/* Every cut and every changed byte; the sanitizers watch the reads. */
static void damaged_text_never_leads_outside(void **state)
{
    static const char *const pointers[] = {"/router/routes/3/2/k", "/router/tab\t\\~1",
                                           "/router/\xf0\x9f\x98\x80/~", "/router/x"};
    static const char bytes[] = "\"\\{}[],:u\xff";

    (void)state;
    for (size_t length = 0; length < sizeof text; length++) {
        for (size_t change = 0; change < sizeof bytes; change++) {
            char *copy = malloc(length + 1);
            struct jsonplace place;

            assert_non_null(copy);
            memcpy(copy, text, length);
            if (length > 0)
                copy[length / 2] = bytes[change];
            copy = realloc(copy, length ? length : 1); /* no byte behind the end */
            assert_non_null(copy);
            for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
                jsonplace_find(copy, length, pointers[i], JSONPLACE_KEY, &place);
                assert_true(place.offset <= length);
            }
            free(copy);
        }
    }
}

static void deep_nesting_costs_no_stack(void **state)
{
    enum { DEPTH = 5 * 1000 * 1000 };
    char *deep = malloc(2 * DEPTH);
    struct jsonplace place;

    (void)state;
    assert_non_null(deep);
    memset(deep, '[', DEPTH);
    memset(deep + DEPTH, ']', DEPTH);
    memcpy(deep, "{\"a\":", 5);
    memcpy(deep + 2 * DEPTH - 12, "],\"b\":\"\\\"\" }", 12);
    assert_false(jsonplace_find(deep, 2 * DEPTH, "/b", JSONPLACE_VALUE, &place));
    assert_true(jsonplace_find(deep, 2 * DEPTH, "/a/0/0", JSONPLACE_VALUE, &place));
    assert_int_equal(place.column, 8);
    free(deep);
}

static void tokens_are_escaped(void **state)
{
    char buf[16];

    (void)state;
    *jsonplace_token_write(buf, "a/b~c~1") = '\0';
    assert_string_equal(buf, "a~1b~0c~01");
    assert_int_equal(jsonplace_token_length("a/b~c~1"), strlen(buf));
    assert_int_equal(jsonplace_token_length(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_leads_to_line_and_column),
        cmocka_unit_test(a_pointer_to_nothing_gives_what_is_around_it),
        cmocka_unit_test(the_pointers_of_rfc_6901_are_found),
        cmocka_unit_test(damaged_text_never_leads_outside),
        cmocka_unit_test(deep_nesting_costs_no_stack),
        cmocka_unit_test(tokens_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
