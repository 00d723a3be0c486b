#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/report/human.h"
#include "sim/report/report.h"

/* The report as a string, which the caller frees. */
static char *draw(const json_t *result, bool colour, bool quiet)
{
    const struct report_options o = {.colour = colour, .quiet = quiet};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    assert_true(report_draw_text(result, &o, out));
    assert_int_equal(fclose(out), 0);
    return text;
}

static json_t *load(const char *name)
{
    char path[128];
    json_t *result;

    snprintf(path, sizeof path, "tests/golden/%s", name);
    result = json_load_file(path, 0, NULL);
    if (!result)
        fail_msg("%s cannot be read", path);
    return result;
}

static char *draw_json(const char *json)
{
    json_t *result = json_loads(json, 0, NULL);

    assert_non_null(result);
    char *text = draw(result, false, false);
    json_decref(result);
    return text;
}

/* Every line is at most 80 columns wide and holds no control character. */
static void check_lines(const char *text)
{
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        char copy[1024];

        assert_in_range(end - line, 0, sizeof copy - 1);
        snprintf(copy, sizeof copy, "%.*s", (int)(end - line), line);
        if (human_columns(copy) > 80)
            fail_msg("%zu columns: %s", human_columns(copy), copy);
        for (const char *c = copy; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                fail_msg("control %02x: %s", (unsigned)*c, copy);
        if (end > line && end[-1] == ' ')
            fail_msg("a space at the end: '%s'", copy);
    }
}

static void a_result_reads_as_its_golden_text(void **state)
{
    static const struct {
        const char *result, *text;
        bool quiet;
    } rows[] = {
        {"result-failover.json", "tests/golden/text-failover.txt", false},
        {"result-failover.json", "tests/golden/text-failover-quiet.txt", true},
        {"result-plain.json", "tests/golden/text-plain.txt", false},
        {"result-failures.json", "tests/golden/text-failures.txt", false},
    };
    static char expected[65536];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *result = load(rows[i].result);
        char *text = draw(result, false, rows[i].quiet);
        FILE *in = fopen(rows[i].text, "r");

        assert_non_null(in);
        expected[fread(expected, 1, sizeof expected - 1, in)] = '\0';
        fclose(in);
        check_lines(text);
        assert_string_equal(text, expected);
        free(text);
        json_decref(result);
    }
}

static void the_router_is_named_with_what_its_policies_are_told(void **state)
{
    json_t *result = load("result-plain.json");
    json_t *scenario = json_object_get(result, "scenario");
    char *text;

    (void)state;
    json_object_set_new(scenario, "policy_parameters",
                        json_pack("{s:s, s:i}", "window", "10s", "choices", 2));
    json_object_set_new(scenario, "route_policies",
                        json_pack("[{s:s, s:s}]", "route", "/r/3", "policy", "pcc"));
    text = draw(result, false, false);
    assert_non_null(strstr(text, "linux, hash-threshold (window 10s, choices 2), /r/3 by pcc"));
    free(text);
    json_decref(result);
}

/* Without its escapes the coloured text is the plain one. */
static void colour_changes_nothing_but_colour(void **state)
{
    json_t *result = load("result-failover.json");
    char *coloured = draw(result, true, false), *plain = draw(result, false, false);
    char *to = coloured;

    (void)state;
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(coloured, "\033[1;31mFAIL\033[0m"));
    for (const char *from = coloured; *from;)
        if (*from == '\033')
            from += strcspn(from, "m") + 1;
        else
            *to++ = *from++;
    *to = '\0';
    assert_string_equal(coloured, plain);
    free(coloured);
    free(plain);
    json_decref(result);
}

static void the_first_line_is_the_verdict(void **state)
{
    static const struct {
        const char *json, *line;
    } rows[] = {
        {"{}", "DONE  nothing was expected\n"},
        {"{\"run\":{\"packets\":0}}", "NONE  no packet was simulated\n"},
        {"{\"expect\":[{\"pass\":true}]}", "PASS  1 of 1 expectation holds\n"},
        {"{\"expect\":[{\"pass\":true},{\"pass\":true}]}",
         "PASS  2 of 2 expectations hold\n"},
        {"{\"expect\":[{\"pass\":true},{\"pass\":false}]}",
         "FAIL  1 of 2 expectations failed\n"},
        {"{\"expect\":[{\"pass\":false,\"level\":\"warn\"},{\"pass\":true}]}",
         "PASS  1 of 2 expectations hold, 1 warns\n"},
        {"{\"expect\":[{\"pass\":false,\"level\":\"warn\"},{\"pass\":false}]}",
         "FAIL  1 of 2 expectations failed, 1 warns\n"},
        {"{\"run\":{\"packets\":0},\"expect\":[{\"pass\":false}]}",
         "FAIL  1 of 1 expectation failed\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = draw_json(rows[i].json);

        if (strncmp(text, rows[i].line, strlen(rows[i].line)) != 0)
            fail_msg("%s: %s", rows[i].json, text);
        free(text);
    }
}

/* Waits below a millisecond are what any link has; a cap is told wherever there is one. */
static void waits_and_caps_are_told_where_they_matter(void **state)
{
    static const struct {
        const char *wan, *line; /* NULL: no word of either */
    } rows[] = {
        {"\"queue_seconds_up\":{\"p50\":0.0009,\"p99\":0.0009,\"max\":1}", NULL},
        {"\"queue_seconds_up\":{\"p50\":0,\"p99\":0.02,\"max\":0.5}",
         "  queued for  w: up p50 0 s, p99 20 ms, max 500 ms\n"},
        {"\"queue_seconds_down\":{\"p50\":0.001,\"p99\":0.001,\"max\":0.001}",
         "  queued for  w: down p50 1 ms, p99 1 ms, max 1 ms\n"},
        {"\"cap\":{\"bytes\":1e9,\"used_bytes\":5e8,\"used_share\":0.5,\"reached_at\":null}",
         "  data cap    w: 500 MB of 1.00 GB used (50.0 %)\n"},
        {"\"cap\":{\"bytes\":1e9,\"used_bytes\":2e9,\"used_share\":2,\"reached_at\":12}",
         "  data cap    w: 2.00 GB of 1.00 GB used (200 %), reached at 12.0 s\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[200], *text;

        snprintf(json, sizeof json, "{\"paths\":{\"w\":{%s}}}", rows[i].wan);
        text = draw_json(json);
        if (rows[i].line ? !strstr(text, rows[i].line)
                         : strstr(text, "queued for") || strstr(text, "data cap"))
            fail_msg("%s: %s", rows[i].wan, text);
        free(text);
    }
}

/* A failure that nobody notices is told so; that a link which is only worse keeps its routes is
 * nothing to tell. */
static void never_is_told_of_what_should_have_come(void **state)
{
    static const struct {
        const char *kind;
        bool told;
    } rows[] = {
        {"link-down", true},  {"flap", true}, {"route-add", true},
        {"degrade", false},   {"brownout", false},             {"reboot", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[200], *text;

        snprintf(json, sizeof json,
                 "{\"events\":[{\"kind\":\"%s\",\"at\":1,\"detected_at\":null}]}",
                 rows[i].kind);
        text = draw_json(json);
        if ((strstr(text, "never  the router knew") != NULL) != rows[i].told)
            fail_msg("%s: %s", rows[i].kind, text);
        free(text);
    }
}

static void of_many_outages_the_first_are_shown(void **state)
{
    static const struct {
        unsigned outages, listed;
        const char *line; /* NULL: no word of more */
    } rows[] = {
        {5, 5, NULL},
        {6, 6, "                and 1 more\n"},
        {1000, 64, "                and 995 more\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *list = json_array(), *result;
        char *text;
        unsigned shown = 0;

        for (unsigned k = 0; k < rows[i].listed; k++)
            json_array_append_new(list, json_pack("{s:i, s:i}", "at", 10 * k, "ended_at",
                                                  10 * k + 1));
        result = json_pack("{s:[{s:s, s:i, s:o}]}", "events", "kind", "flap", "outages",
                           rows[i].outages, "outage_list", list);
        text = draw(result, false, false);
        for (const char *at = text; (at = strstr(at, "down for 1 s, not noticed")); at++)
            shown++;
        assert_int_equal(shown, 5);
        if (rows[i].line ? !strstr(text, rows[i].line) : strstr(text, " more\n") != NULL)
            fail_msg("%u outages: %s", rows[i].outages, text);
        free(text);
        json_decref(result);
    }
}

static void what_is_absent_is_not_spoken_of(void **state)
{
    static const char *const titles[] = {"Load",        "Balance", "Stickiness",
                                         "Hosts",       "Events",  "Not f",
                                         "Must not be", "Expect",  "Warnings",
                                         "Watched"};
    char *text = draw_json("{}");

    (void)state;
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (strstr(text, titles[i]))
            fail_msg("'%s' in: %s", titles[i], text);
    free(text);
}

/* Put in the place of every value of the document in turn. */
static const char *const odd_values[] = {
    "null",
    "true",
    "-1",
    "1e308",
    "\"\\u001b[31m\\u0007\\u202e%s%n\"",
    "[]",
    "{}",
    "[1,\"a\",null,[],{}]",
    "{\"\\u001b\":1,\"a b\":\"c\",\"paths\":{},\"x\":null}",
};

static void draw_with(json_t *root)
{
    char *text = draw(root, false, false);

    check_lines(text);
    free(text);
}

static void replace_each(json_t *root, json_t *container, const json_t *odd)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach (container, key, value) {
        json_incref(value);
        json_object_set_new(container, key, json_deep_copy(odd));
        draw_with(root);
        json_object_set_new(container, key, value);
        replace_each(root, value, odd);
    }
    json_array_foreach (container, i, value) {
        json_incref(value);
        json_array_set_new(container, i, json_deep_copy(odd));
        draw_with(root);
        json_array_set_new(container, i, value);
        replace_each(root, value, odd);
    }
}

static void no_value_of_any_type_breaks_a_line(void **state)
{
    static const char *const names[] = {"result-failover.json", "result-failures.json"};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof odd_values / sizeof odd_values[0]; i++) {
        json_t *result = load(names[i % 2]);
        json_t *odd = json_loads(odd_values[i / 2], JSON_DECODE_ANY, NULL);

        assert_non_null(odd);
        json_object_del(result, "series");
        replace_each(result, result, odd);
        json_decref(odd);
        json_decref(result);
    }
}

/* In the place of names and texts: a letter, a wide one, an accent, 20 000 times. */
static void long_and_wide_names_are_cut(void **state)
{
    enum { COPIES = 20000 };
    static const char *const letters[] = {"a", "\xe6\x97\xa5", "\xcc\x81", "a ", " "};
    static const char *const parts[] = {"scenario", "expect", "events", "warnings"};
    static char name[3 * COPIES + 1];
    json_t *result = load("result-failover.json");

    (void)state;
    json_object_del(result, "series");
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        name[0] = '\0';
        for (size_t length = 0, n = 0; n < COPIES; n++, length += strlen(letters[i]))
            memcpy(name + length, letters[i], strlen(letters[i]) + 1);

        json_t *paths = json_object_get(result, "paths"),
               *hosts = json_object_get(result, "hosts");
        json_object_set(paths, name, json_object_get(paths, "wan2"));
        json_object_set(hosts, name, json_object_get(hosts, "tv"));
        json_t *text = json_string(name);
        for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++)
            replace_each(result, json_object_get(result, parts[part]), text);
        json_decref(text);
    }
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_reads_as_its_golden_text),
        cmocka_unit_test(the_router_is_named_with_what_its_policies_are_told),
        cmocka_unit_test(colour_changes_nothing_but_colour),
        cmocka_unit_test(the_first_line_is_the_verdict),
        cmocka_unit_test(waits_and_caps_are_told_where_they_matter),
        cmocka_unit_test(never_is_told_of_what_should_have_come),
        cmocka_unit_test(of_many_outages_the_first_are_shown),
        cmocka_unit_test(what_is_absent_is_not_spoken_of),
        cmocka_unit_test(no_value_of_any_type_breaks_a_line),
        cmocka_unit_test(long_and_wide_names_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
