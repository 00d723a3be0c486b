#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare/comparison.h"
#include "sim/report/human.h"
#include "sim/report/report.h"

/* JSON, with ' for ". */
static json_t *parse(const char *text)
{
    char *json = strdup(text);
    json_t *value;

    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_loads(json, JSON_DECODE_ANY, NULL);
    if (!value)
        fail_msg("no JSON: %s", json);
    free(json);
    return value;
}

static char *draw(const json_t *document, bool quiet, bool colour)
{
    const struct report_options o = {.colour = colour, .quiet = quiet};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_true(report_draw_text_comparison(document, &o, out));
    fclose(out);
    return text;
}

/* Columns whose broken flows are these. */
static json_t *comparison(const char *const *names, const int *broken, size_t n)
{
    struct comparison_column columns[8] = {{0}};
    json_t *document;

    for (size_t i = 0; i < n; i++) {
        char result[256];

        snprintf(result, sizeof result,
                 "{'stickiness': {'broken': %d, 'moved_share_of_survivors': 0.%02d},"
                 " 'paths': {'wan1': {'flows_share': 0.5}}}",
                 broken[i], i > 0 ? 25 : 5);
        columns[i] = (struct comparison_column){.name = strdup(names[i]),
                                                .source = "scenario",
                                                .file = "some.json",
                                                .result = parse(result)};
    }
    document = comparison_build(columns, n);
    for (size_t i = 0; i < n; i++) {
        free(columns[i].name);
        json_decref(columns[i].result);
    }
    return document;
}

static void says(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("'%s' is not in\n%s", line, text);
}

static void figures_stand_beside_each_other(void **state)
{
    static const char *const names[] = {"l4", "l3", "maglev", "pcc"};
    static const int broken[] = {11, 23, 4, 11};
    json_t *document = comparison(names, broken, 4);
    char *text = draw(document, false, false);

    (void)state;
    says(text, "MIXED   maglev: 1 figure better, 1 worse\n");
    says(text, "WORSE   l3: 0 figures better, 2 worse\n");
    says(text, "  A  l4, some.json\n");
    says(text,
         "                                           A          B                 C\n");
    says(text,
         "  stickiness/broken                       11         23 worse           4 "
         "better\n");
    says(text, "  stickiness/moved_share_of_survivors\n"
               "                                       5.0 %     25.0 % worse");
    says(text, "                                           A          D\n");
    says(text, "  stickiness/broken                       11         11\n");
    says(text, "  1 figure is the same\n");
    assert_null(strstr(text, "flows_share"));
    free(text);
    text = draw(document, true, false);
    assert_null(strstr(text, "stickiness"));
    says(text, "WORSE   l3");
    free(text);
    json_decref(document);
}

/* A document may be anyone's: nothing of it is taken for granted, no line is too long. */
static void any_document_is_drawn_within_the_page(void **state)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "7",
        "{'columns': 7, 'verdicts': {}, 'elsewhere': [], 'figures': 'x', 'hosts': 1}",
        "{'columns': [{}, {}], 'verdicts': [7], 'figures': [{}, 7, {'values': [1, 2]}]}",
        "{'columns': [{'name': 'a'}, {'name': 'b'}, {}], 'verdicts': [{'verdict': 'odd',"
        " 'sensitive': [{'mark': 'worse'}, {'mark': 'worse', 'metric': 'x'}, 7]}],"
        " 'figures': [{'metric': 'none', 'values': [1, 'x', null], 'marks': ['worse']},"
        " {'metric': "
        "'/a/b/c/a/metric/with/a/name/that/is/much/too/long/for/any/line/of/any"
        "/terminal', 'values': [1, 1e300, -1e300], 'marks': [null, 'better', 'worse']}],"
        " 'elsewhere': {'b': {'elsewhere': 1, 'matched': 2, 'between': [7, {'flows': 3}],"
        " 'hosts': [{'elsewhere': 1}, 3], 'largest': [4, {'flow': 'x'}],"
        " 'only_here': 1}}, 'hosts': {'h\\u001b[1m': {'public_addresses': [7, ['x']],"
        " 'figures': [{'metric': '/x/y', 'values': [1, 2]}]}}, 'warnings': [7, 'w']}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        json_t *document = parse(documents[i]);
        char *text = draw(document, false, false);

        if (strchr(text, '\033'))
            fail_msg("an escape came through: %s", documents[i]);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            if (human_columns(line) > 80)
                fail_msg("too long: %s", line);
        free(text);
        free(draw(document, false, true));
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_stand_beside_each_other),
        cmocka_unit_test(any_document_is_drawn_within_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
