/*
 * text - the result for a terminal
 *
 * The verdict comes first. Then what was run, the load, what became of flows, of hosts
 * and in events, and at the end, where a terminal stands when all is printed, what failed.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/report/report.h"
#include "sim/report/text_parts.h"

/* How the expectations came out. */
struct verdict {
    size_t count, held, failed, warned;
};

static bool is_warning(const json_t *expectation)
{
    const char *level = document_string(expectation, "level");

    return level && strcmp(level, "warn") == 0;
}

static struct verdict judge(const json_t *expect)
{
    struct verdict v = {.count = json_array_size(expect)};

    for (size_t i = 0; i < v.count; i++) {
        const json_t *e = json_array_get(expect, i);

        if (document_is_true(e, "pass"))
            v.held++;
        else if (is_warning(e))
            v.warned++;
        else
            v.failed++;
    }
    return v;
}

static void print_verdict(struct page *p, const json_t *result)
{
    const json_t *run = json_object_get(result, "run");
    struct verdict v = judge(json_object_get(result, "expect"));
    char warned[40] = "";

    if (v.warned > 0)
        snprintf(warned, sizeof warned, ", %zu warn%s", v.warned,
                 v.warned == 1 ? "s" : "");
    if (v.failed > 0)
        page_marked(p, TONE_BAD, "FAIL", 6, "%zu of %zu expectation%s failed%s", v.failed,
                    v.count, text_plural((double)v.count), warned);
    else if (document_has_number(run, "packets") && document_number(run, "packets") <= 0)
        page_marked(p, TONE_BAD, "NONE", 6, "no packet was simulated");
    else if (v.count == 0)
        page_marked(p, TONE_BOLD, "DONE", 6, "nothing was expected");
    else
        page_marked(p, v.warned > 0 ? TONE_ODD : TONE_GOOD, "PASS", 6,
                    "%zu of %zu expectation%s%s", v.held, v.count,
                    v.count == 1 ? " holds" : "s hold", warned);
}

/* "flowlet (gap 50ms)"; of one route "/router/routes/3 by flowlet (gap 50ms)" */
static void list_policy(struct page_list *l, const json_t *o)
{
    const char *key, *route = document_string(o, "route");
    json_t *value;
    char told[160] = "";
    size_t n = 0;

    json_object_foreach (json_object_get(o, "policy_parameters"), key, value) {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
        const struct human_name name = human_name(key, 24);
        const struct human_name says =
            human_name(text ? text : json_string_value(value), 32);

        free(text);
        if (n < sizeof told)
            n += (size_t)snprintf(told + n, sizeof told - n, "%s%s %s", n ? ", " : " (",
                                  name.text, says.text);
    }
    page_list_add(l, "%s%s%s%s%s", route ? human_name(route, 24).text : "",
                  route ? " by " : "", human_name(document_string(o, "policy"), 24).text,
                  told, n ? ")" : "");
}

/* "routeros7, hash-threshold, hash of l4 (IPv4) and l3 (IPv6), hash seed 12345" */
static void print_router(struct page *p, const json_t *scenario)
{
    const json_t *hash = json_object_get(scenario, "hash");
    const json_t *routes = json_object_get(scenario, "route_policies");
    struct page_list l = {.length = 0};

    if (document_string(scenario, "platform"))
        page_list_add(&l, "%s",
                      human_name(document_string(scenario, "platform"), 24).text);
    if (document_string(scenario, "policy"))
        list_policy(&l, scenario);
    for (size_t i = 0; i < json_array_size(routes); i++)
        list_policy(&l, json_array_get(routes, i));
    if (document_string(hash, "ipv4"))
        page_list_add(&l, "hash of %s for IPv4",
                      human_name(document_string(hash, "ipv4"), 24).text);
    if (document_string(hash, "ipv6"))
        page_list_add(&l, "of %s for IPv6",
                      human_name(document_string(hash, "ipv6"), 24).text);
    if (json_is_integer(json_object_get(hash, "seed")))
        page_list_add(&l, "hash seed %" JSON_INTEGER_FORMAT,
                      json_integer_value(json_object_get(hash, "seed")));
    if (l.length > 0)
        page_line(p, TONE_PLAIN, TEXT_HANG, "  router      %s", l.text);
}

static void print_traffic(struct page *p, const json_t *run)
{
    double packets = document_number(run, "packets"),
           flows = document_number(run, "flows");
    struct page_list l = {.length = 0};

    if (document_has_number(run, "packets"))
        page_list_add(&l, "%s packet%s", human_count(packets).text, text_plural(packets));
    if (document_has_number(run, "bytes"))
        page_list_add(&l, "%s", human_bytes(document_number(run, "bytes")).text);
    if (document_has_number(run, "flows"))
        page_list_add(&l, "%s flow%s", human_count(flows).text, text_plural(flows));
    if (document_has_number(run, "simulated_seconds"))
        page_list_add(&l, "%s",
                      human_span(document_number(run, "simulated_seconds")).text);
    if (json_is_integer(json_object_get(run, "seed")))
        page_list_add(&l, "seed %" JSON_INTEGER_FORMAT,
                      json_integer_value(json_object_get(run, "seed")));
    if (document_number(run, "timestamps_back") > 0)
        page_list_add(&l, "%s timestamps that go back",
                      human_count(document_number(run, "timestamps_back")).text);
    if (l.length > 0)
        page_line(p, TONE_PLAIN, TEXT_HANG, "  traffic     %s", l.text);
}

static void print_run(struct page *p, const json_t *result)
{
    const json_t *scenario = json_object_get(result, "scenario");
    const char *name = document_string(scenario, "name");

    if (!name || !*name)
        name = document_string(scenario, "file");
    if (name)
        page_head(p, human_name(name, 160).text);
    else
        fputc('\n', p->out);
    print_router(p, scenario);
    print_traffic(p, json_object_get(result, "run"));
}

/* A value as people read it: a number rounded, anything else as JSON. */
static struct human_name value_shown(const json_t *value)
{
    char text[200];
    size_t length;

    if (json_is_number(value))
        return human_name(human_figure(json_number_value(value)).text, 40);
    if (json_is_object(value) || json_is_array(value))
        return human_name(json_is_object(value) ? "an object" : "an array", 40);
    if (!value)
        return human_name("absent", 40);
    length = json_dumpb(value, text, sizeof text - 1, JSON_ENCODE_ANY);
    text[length < sizeof text ? length : sizeof text - 1] = '\0';
    return human_name(length < sizeof text ? text : "a long text", 60);
}

/* "at least 0.97 and at most 1" */
static void list_bounds(struct page_list *l, const json_t *e)
{
    static const struct document_word bounds[] = {
        {"min", "at least"}, {"max", "at most"}, {"equals", "equal to"}, {NULL, NULL}};

    for (const struct document_word *b = bounds; b->key; b++)
        if (json_object_get(e, b->key))
            page_list_add(l, "%s %s", b->words,
                          value_shown(json_object_get(e, b->key)).text);
    if (json_object_get(e, "near"))
        page_list_add(l, "within %s of %s",
                      value_shown(json_object_get(e, "within")).text,
                      value_shown(json_object_get(e, "near")).text);
}

static void print_failed(struct page *p, const json_t *e)
{
    bool warning = is_warning(e);
    const char *because = document_string(e, "because"),
               *error = document_string(e, "error");
    const char *metric = document_string(e, "metric");
    struct page_list l = {.length = 0};

    list_bounds(&l, e);
    if (error)
        page_marked(p, warning ? TONE_ODD : TONE_BAD, warning ? "  warn" : "  FAIL", 8,
                    "%s: %s", human_name(metric, 120).text, human_name(error, 200).text);
    else
        page_marked(p, warning ? TONE_ODD : TONE_BAD, warning ? "  warn" : "  FAIL", 8,
                    "%s is %s, expected %s", human_name(metric, 120).text,
                    value_shown(json_object_get(e, "value")).text, l.text);
    if (because)
        page_line(p, TONE_PLAIN, 8, "        because %s", human_name(because, 200).text);
}

static void print_held(struct page *p, const json_t *e)
{
    struct page_list l = {.length = 0};

    list_bounds(&l, e);
    page_marked(p, TONE_GOOD, "  ok", 8, "%s is %s, %s",
                human_name(document_string(e, "metric"), 120).text,
                value_shown(json_object_get(e, "value")).text, l.text);
}

/* Failed ones, warnings, held ones: each group in its order. */
static void print_expectations(struct page *p, const json_t *expect, bool with_held)
{
    struct verdict v = judge(expect);

    if (v.count == 0 || (!with_held && v.held == v.count))
        return;
    page_head(p, "Expectations");
    for (unsigned pass = 0; pass < (with_held ? 3U : 2U); pass++) {
        for (size_t i = 0; i < v.count; i++) {
            const json_t *e = json_array_get(expect, i);
            bool held = document_is_true(e, "pass");

            if (held != (pass == 2) || (!held && is_warning(e) != (pass == 1)))
                continue;
            if (held)
                print_held(p, e);
            else
                print_failed(p, e);
        }
    }
}

static void print_warnings(struct page *p, const json_t *warnings)
{
    const json_t *warning;
    size_t i;

    if (json_array_size(warnings) == 0)
        return;
    page_head(p, "Warnings");
    json_array_foreach (warnings, i, warning)
        if (json_is_string(warning))
            page_line(p, TONE_ODD, 4, "  %s",
                      human_name(json_string_value(warning), 200).text);
}

bool report_draw_text(const json_t *result, const struct report_options *o, FILE *out)
{
    static void (*const sections[])(struct page *, const json_t *) = {
        print_run,  text_load,   text_balance,       text_stickiness,
        text_hosts, text_users, text_events, text_watches, text_not_forwarded, text_checks,
    };
    struct page p = {.out = out, .colour = o->colour};

    print_verdict(&p, result);
    for (size_t i = 0; !o->quiet && i < sizeof sections / sizeof sections[0]; i++)
        sections[i](&p, result);
    print_expectations(&p, json_object_get(result, "expect"), !o->quiet);
    if (!o->quiet)
        print_warnings(&p, json_object_get(result, "warnings"));
    return true;
}
