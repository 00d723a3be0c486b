#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/observe/expect.h"

static const char document[] =
    "{\"run\": {\"packets\": 12, \"balanced\": true, \"name\": \"x\"},"
    " \"a/b\": {\"m~n\": 1.5}, \"\": 8,"
    " \"events\": [{\"name\": \"first\", \"broken\": 3, \"ended_at\": null},"
    "              {\"broken\": 4}, {\"name\": \"x/y\", \"broken\": 5}, {\"name\": "
    "\"0\"}]}";

static json_t *read_json(const char *text)
{
    json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(j);
    return j;
}

static void a_pointer_names_one_value_or_none(void **state)
{
    static const struct {
        const char *pointer, *value; /* NULL: nothing */
    } rows[] = {
        {"/run/packets", "12"},
        {"/a~1b/m~0n", "1.5"},
        {"/", "8"},
        {"/events/1/broken", "4"},
        {"/events/first/broken", "3"},
        {"/events/x~1y/broken", "5"},
        {"/events/0/broken", "3"},
        {"/events/9/broken", NULL},
        {"/events/01/broken", NULL},
        {"/events/-/broken", NULL},
        {"/events/second/broken", NULL},
        {"/run/Packets", NULL},
        {"/run/packets/0", NULL},
        {"/run/", NULL},
        {"run/packets", NULL},
        {"/a~2b", NULL},
        {"/a~", NULL},
    };
    json_t *d = read_json(document);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *got = expect_find(d, rows[i].pointer);
        json_t *value = rows[i].value ? read_json(rows[i].value) : NULL;

        if (!got != !value || (value && !json_equal(got, value)))
            fail_msg("%s", rows[i].pointer);
        json_decref(value);
    }
    assert_ptr_equal(expect_find(d, ""), d);
    json_decref(d);
}

/* The verdict on one expectation. */
static json_t *verdict_on(struct scenario_expect e, bool *held)
{
    const struct scenario s = {.expect = &e, .expect_len = 1};
    json_t *d = read_json(document), *verdict;

    *held = expect_judge(&s, d);
    verdict = json_incref(json_array_get(json_object_get(d, "expect"), 0));
    json_decref(d);
    return verdict;
}

static void bounds_hold_with_their_ends(void **state)
{
    static const struct {
        const char *when;
        struct scenario_expect e;
        const char *equals;
        bool pass, error;
    } rows[] = {
        {"min", {.has_min = true, .min = 12}, NULL, true, false},
        {"min above", {.has_min = true, .min = 12.5}, NULL, false, false},
        {"max", {.has_max = true, .max = 12}, NULL, true, false},
        {"max below", {.has_max = true, .max = 11}, NULL, false, false},
        {"both",
         {.has_min = true, .min = 1, .has_max = true, .max = 20},
         NULL,
         true,
         false},
        {"near", {.has_near = true, .near = 10, .within = 2}, NULL, true, false},
        {"not so near",
         {.has_near = true, .near = 10, .within = 1.5},
         NULL,
         false,
         false},
        {"equals", {0}, "12", true, false},
        {"equals as a real", {0}, "12.0", true, false},
        {"equals another", {0}, "13", false, false},
        {"equals another type", {0}, "\"12\"", false, false},
        {"a boolean", {.metric = "/run/balanced"}, "true", true, false},
        {"a text", {.metric = "/run/name"}, "\"x\"", true, false},
        {"null", {.metric = "/events/first/ended_at"}, "null", true, false},
        {"null has no size",
         {.metric = "/events/first/ended_at", .has_max = true},
         NULL,
         false,
         true},
        {"a text has no size",
         {.metric = "/run/name", .has_min = true},
         NULL,
         false,
         true},
        {"an object is no figure", {.metric = "/run"}, "12", false, true},
        {"nothing is there",
         {.metric = "/run/typo", .has_max = true, .max = 1},
         NULL,
         false,
         true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_expect e = rows[i].e;
        json_t *verdict;
        bool held;

        e.metric = e.metric ? e.metric : "/run/packets";
        e.equals = rows[i].equals ? read_json(rows[i].equals) : NULL;
        verdict = verdict_on(e, &held);
        if (json_is_true(json_object_get(verdict, "pass")) != rows[i].pass ||
            held != rows[i].pass || !json_object_get(verdict, "error") == rows[i].error)
            fail_msg("%s: held %d", rows[i].when, held);
        json_decref(verdict);
        json_decref(e.equals);
    }
}

static void a_warning_fails_nothing_but_an_error_does(void **state)
{
    struct scenario_expect e = {
        .metric = "/run/packets", .has_max = true, .max = 1, .level = EXPECT_WARN};
    json_t *verdict;
    bool held;

    (void)state;
    verdict = verdict_on(e, &held);
    assert_true(held);
    assert_true(json_is_false(json_object_get(verdict, "pass")));
    json_decref(verdict);
    e.metric = "/run/typo";
    verdict = verdict_on(e, &held);
    assert_false(held);
    json_decref(verdict);
}

static void a_verdict_repeats_what_was_asked(void **state)
{
    const struct scenario_expect e = {.metric = "/run/packets",
                                      .has_min = true,
                                      .min = 0,
                                      .has_near = true,
                                      .near = 12.5,
                                      .within = 1,
                                      .because = "it must"};
    json_t *verdict,
        *expected = read_json(
            "{\"metric\": \"/run/packets\", \"value\": 12, \"min\": 0, \"near\": 12.5,"
            " \"within\": 1, \"level\": \"error\", \"pass\": true, \"because\": \"it "
            "must\"}");
    bool held;

    (void)state;
    verdict = verdict_on(e, &held);
    assert_true(json_equal(verdict, expected));
    json_decref(verdict);
    json_decref(expected);
}

static void a_very_long_pointer_names_nothing(void **state)
{
    char pointer[5000];
    json_t *d = read_json(document);

    (void)state;
    memset(pointer, 'x', sizeof pointer);
    pointer[0] = '/';
    pointer[sizeof pointer - 1] = '\0';
    assert_null(expect_find(d, pointer));
    json_decref(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_names_one_value_or_none),
        cmocka_unit_test(bounds_hold_with_their_ends),
        cmocka_unit_test(a_warning_fails_nothing_but_an_error_does),
        cmocka_unit_test(a_verdict_repeats_what_was_asked),
        cmocka_unit_test(a_very_long_pointer_names_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
