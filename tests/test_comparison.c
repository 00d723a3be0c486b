#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/compare/comparison.h"
#include "sim/observe/expect.h"
#include "tests/rig.h"

/* JSON, with ' for ". */
static json_t *parse(const char *text)
{
    char *json = strdup(text);
    json_error_t error;
    json_t *value;

    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_loads(json, JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s: %s", error.text, json);
    free(json);
    return value;
}

/* The comparison of two results. */
static json_t *compare(const char *a, const char *b)
{
    char first[] = "a", other[] = "b";
    struct comparison_column columns[] = {
        {.name = first, .source = "result", .file = "x/a.json", .result = parse(a)},
        {.name = other, .source = "result", .file = "b.json", .result = parse(b)},
    };
    json_t *document = comparison_build(columns, 2);

    json_decref(columns[0].result);
    json_decref(columns[1].result);
    return document;
}

static const json_t *row_of(const json_t *rows, const char *metric)
{
    const json_t *row;
    size_t i;

    json_array_foreach (rows, i, row)
        if (strcmp(json_string_value(json_object_get(row, "metric")), metric) == 0)
            return row;
    return NULL;
}

/* What is said of `metric` in the second column; "" for nothing. */
static const char *mark_of(json_t *document, const char *metric)
{
    const json_t *row = row_of(json_object_get(document, "figures"), metric);
    const char *mark =
        json_string_value(json_array_get(json_object_get(row, "marks"), 1));

    if (!row)
        return "no row";
    return mark ? mark : "";
}

static void marks_say_which_way_is_better(void **state)
{
    static const struct {
        const char *a, *b, *metric, *mark;
    } rows[] = {
        {"{'stickiness': {'broken': 3}}", "{'stickiness': {'broken': 12}}",
         "/stickiness/broken", "worse"},
        {"{'stickiness': {'broken': 3}}", "{'stickiness': {'broken': 2}}",
         "/stickiness/broken", "better"},
        {"{'stickiness': {'kept': 3}}", "{'stickiness': {'kept': 2}}", "/stickiness/kept",
         "worse"},
        {"{'stickiness': {'broken': 3}}", "{'stickiness': {'broken': 3.0}}",
         "/stickiness/broken", "same"},
        {"{'stickiness': {'broken': 3}}", "{}", "/stickiness/broken", ""},
        {"{'stickiness': {'broken': 3}}", "{'stickiness': {'broken': 'many'}}",
         "/stickiness/broken", ""},
        {"{'run': {'packets': 3}}", "{'run': {'packets': 4}}", "/run/packets", ""},
        {"{'run': {'delivered': 3}}", "{'run': {'delivered': 4}}", "/run/delivered",
         "better"},
        {"{'run': {'delivered': 3, 'traffic_fingerprint': '7'}}",
         "{'run': {'delivered': 4, 'traffic_fingerprint': '8'}}", "/run/delivered", ""},
        {"{'users': {'web': {'given_up': 3}}}", "{'users': {'web': {'given_up': 0}}}",
         "/users/web/given_up", "better"},
        {"{'paths': {'a/b': {'flows_share': 0.5}}}",
         "{'paths': {'a/b': {'flows_share': 1}}}", "/paths/a~1b/flows_share", ""},
        {"{'events': [{'packets_lost': 3}, {'packets_lost': 4}]}",
         "{'events': [{'packets_lost': 6}]}", "/events/*/packets_lost", "better"},
        {"{'balance': {'flows': {'jain': 0.9, 'verdict': 'even'}}}",
         "{'balance': {'flows': {'jain': 0.8, 'verdict': 'too-few-flows'}}}",
         "/balance/flows/jain", "chance"},
        {"{'balance': {'flows': {'jain': 0.9, 'verdict': 'even'}}}",
         "{'balance': {'flows': {'jain': 0.8, 'verdict': 'uneven'}}}",
         "/balance/flows/jain", "worse"},
        {"{'balance': {'bytes': {'cv': 0.9, 'jain': 0.5, 'verdict': 'uneven'}}}",
         "{'balance': {'bytes': {'jain': 0.8, 'verdict': 'even'}}}",
         "/balance/bytes/jain", "better"},
        {"{}", "{}", "/stickiness/broken", "no row"},
        {"[]", "7", "/stickiness/broken", "no row"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *document = compare(rows[i].a, rows[i].b);

        if (strcmp(mark_of(document, rows[i].metric), rows[i].mark) != 0)
            fail_msg("%s and %s: %s is '%s'", rows[i].a, rows[i].b, rows[i].metric,
                     mark_of(document, rows[i].metric));
        json_decref(document);
    }
}

/* 2^63 - 1 twice is more than a whole number of JSON's holds. */
static void sums_beyond_whole_numbers_are_real(void **state)
{
    static const char most[] = "{'events': [{'packets_lost': 9223372036854775807},"
                               " {'packets_lost': 9223372036854775807}]}";
    json_t *document = compare(most, most);
    const json_t *row =
        row_of(json_object_get(document, "figures"), "/events/*/packets_lost");

    (void)state;
    assert_non_null(row);
    assert_true(json_real_value(json_array_get(json_object_get(row, "values"), 0)) >=
                0x1p63);
    json_decref(document);
}

static void verdicts_follow_the_marks(void **state)
{
    static const struct {
        const char *a, *b, *verdict;
    } rows[] = {
        {"{'stickiness': {'broken': 1}}", "{'stickiness': {'broken': 2}}", "worse"},
        {"{'stickiness': {'broken': 2}}", "{'stickiness': {'broken': 1}}", "better"},
        {"{'stickiness': {'broken': 2, 'moves': 5}}",
         "{'stickiness': {'broken': 1, 'moves': 6}}", "mixed"},
        {"{'run': {'fingerprint': '1', 'traffic_fingerprint': '7'}}",
         "{'run': {'fingerprint': '1', 'traffic_fingerprint': '7'}}", "same"},
        {"{'run': {'fingerprint': '1', 'traffic_fingerprint': '7'}}",
         "{'run': {'fingerprint': '2', 'traffic_fingerprint': '7'}}", "different"},
        {"{'run': {'fingerprint': '1'}}", "{'run': {'fingerprint': '1'}}", "different"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *document = compare(rows[i].a, rows[i].b);

        rig_expect_text(document, "/verdicts/0/verdict", rows[i].verdict);
        json_decref(document);
    }
}

/* What happens to a host that must keep its address stands in the verdict. */
static void sensitive_hosts_are_told_apart(void **state)
{
    json_t *document = compare("{'hosts': {'laptop': {'sensitive': true,"
                               " 'public_address_changes': 0, 'broken': 4}, 'tv':"
                               " {'sensitive': false, 'public_address_changes': 0}}}",
                               "{'hosts': {'laptop': {'sensitive': true,"
                               " 'public_address_changes': 9, 'broken': 4}, 'tv':"
                               " {'sensitive': false, 'public_address_changes': 7}}}");

    (void)state;
    assert_int_equal(json_array_size(expect_find(document, "/verdicts/0/sensitive")), 1);
    rig_expect_text(document, "/verdicts/0/sensitive/0/host", "laptop");
    rig_expect_text(document, "/verdicts/0/sensitive/0/metric",
                    "/hosts/laptop/public_address_changes");
    rig_expect(document, "/verdicts/0/sensitive/0/from", 0);
    rig_expect(document, "/verdicts/0/sensitive/0/to", 9);
    rig_expect(document, "/verdicts/0/worse", 2);
    json_decref(document);
}

static void what_was_not_alike_is_warned_of(void **state)
{
    static const char *const read[] = {
        "{'run': {'traffic_fingerprint': '1'}, 'events':"
        " [{'kind': 'link-down', 'wan': 'wan1', 'at': 1.0, 'moved': 1}]}",
        "{'run': {'traffic_fingerprint': '1'}, 'events':"
        " [{'kind': 'link-down', 'wan': 'wan1', 'at': 1.0, 'moved': 2}]}",
        "{'run': {'traffic_fingerprint': '1'}, 'events':"
        " [{'kind': 'link-down', 'wan': 'wan2', 'at': 1.0}]}",
        "{'run': {'traffic_fingerprint': '2'}}",
        "{}",
    };
    static const size_t warnings[] = {0, 0, 1, 2, 2};

    (void)state;
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
        json_t *document = compare(read[0], read[i]);

        if (json_array_size(json_object_get(document, "warnings")) != warnings[i])
            fail_msg("%s: %zu warnings", read[i],
                     json_array_size(json_object_get(document, "warnings")));
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_say_which_way_is_better),
        cmocka_unit_test(sums_beyond_whole_numbers_are_real),
        cmocka_unit_test(verdicts_follow_the_marks),
        cmocka_unit_test(sensitive_hosts_are_told_apart),
        cmocka_unit_test(what_was_not_alike_is_warned_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
