#include "sim/compare/comparison_parts.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

static json_t *copy_or_null(json_t *value)
{
    return value ? json_incref(value) : json_null();
}

/* ---------------------------------------------------------------------------- traffic */

static const char *traffic_of(const json_t *result)
{
    return json_string_value(
        json_object_get(json_object_get(result, "run"), "traffic_fingerprint"));
}

bool comparison_same_traffic(const json_t *a, const json_t *b)
{
    const char *x = traffic_of(a), *y = traffic_of(b);

    return x && y && strcmp(x, y) == 0;
}

bool comparison_other_traffic(const json_t *a, const json_t *b)
{
    return traffic_of(a) && traffic_of(b) && !comparison_same_traffic(a, b);
}

static const char *traffic_word(const json_t *first, const json_t *result)
{
    if (comparison_other_traffic(first, result))
        return "different";
    return comparison_same_traffic(first, result) ? "same" : "unknown";
}

static bool has_people(const json_t *result)
{
    return json_object_size(json_object_get(result, "users")) > 0;
}

/* ---------------------------------------------------------------------------- columns */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static json_int_t failed_in(json_t *expect)
{
    json_int_t failed = 0;
    json_t *e;
    size_t i;

    json_array_foreach (expect, i, e)
        failed += !json_is_true(json_object_get(e, "pass"));
    return failed;
}

static json_t *column_part(const struct comparison *c, size_t i)
{
    const struct comparison_column *column = &c->columns[i];
    const json_t *scenario = json_object_get(column->result, "scenario");
    const json_t *run = json_object_get(column->result, "run");
    json_t *expect = json_object_get(column->result, "expect");
    json_t *o = json_object();

    json_object_set_new(o, "name", comparison_text(column->name));
    json_object_set_new(o, "source", json_string(column->source));
    json_object_set_new(o, "file", comparison_text(base_name(column->file)));
    json_object_set_new(o, "title", copy_or_null(json_object_get(scenario, "name")));
    json_object_set_new(o, "scenario_fingerprint",
                        copy_or_null(json_object_get(scenario, "fingerprint")));
    json_object_set_new(o, "fingerprint",
                        copy_or_null(json_object_get(run, "fingerprint")));
    json_object_set_new(
        o, "traffic",
        i ? json_string(traffic_word(c->columns[0].result, column->result))
          : json_null());
    json_object_set_new(o, "packets", copy_or_null(json_object_get(run, "packets")));
    json_object_set_new(o, "flows", copy_or_null(json_object_get(run, "flows")));
    json_object_set_new(o, "expected", json_integer((json_int_t)json_array_size(expect)));
    json_object_set_new(o, "failed", json_integer(failed_in(expect)));
    return o;
}

/* ------------------------------------------------------------------------------ hosts */

static json_t *host_in(const struct comparison *c, size_t column, const char *name)
{
    return json_object_get(json_object_get(c->columns[column].result, "hosts"), name);
}

static bool host_is_sensitive(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->len; i++)
        if (json_is_true(json_object_get(host_in(c, i, name), "sensitive")))
            return true;
    return false;
}

static void add_host(struct comparison *c, const char *name)
{
    const bool sensitive = host_is_sensitive(c, name);
    json_t *o = json_object(), *addresses = json_array(), *rows = json_array();

    for (size_t i = 0; i < c->len; i++)
        json_array_append_new(addresses, copy_or_null(json_object_get(
                                             host_in(c, i, name), "public_addresses")));
    json_object_set_new(o, "sensitive", json_boolean(sensitive));
    json_object_set_new(o, "public_addresses", addresses);
    for (size_t i = 0; i < figures_len; i++)
        if (figures[i].comparing == FIGURE_EACH &&
            comparison_is_of(&figures[i], "/hosts/"))
            comparison_add_row(c, rows, &figures[i], name, sensitive ? name : NULL);
    json_object_set_new(o, "figures", rows);
    json_object_set_new(c->hosts, name, o);
}

static void add_hosts(struct comparison *c)
{
    json_t *names = comparison_names(c, "hosts"), *member;
    const char *name;

    json_object_foreach (names, name, member)
        add_host(c, name);
    json_decref(names);
}

/* --------------------------------------------------------------------------- verdicts */

static bool decided_alike(const struct comparison *c, size_t i)
{
    const json_t *a = json_object_get(c->columns[0].result, "run");
    const json_t *b = json_object_get(c->columns[i].result, "run");
    const char *x = json_string_value(json_object_get(a, "fingerprint"));
    const char *y = json_string_value(json_object_get(b, "fingerprint"));

    return x && y && strcmp(x, y) == 0 &&
           comparison_same_traffic(c->columns[0].result, c->columns[i].result);
}

static const char *verdict_of(const struct comparison *c, size_t i)
{
    const unsigned better = c->marks[i * MARKS + MARK_BETTER];
    const unsigned worse = c->marks[i * MARKS + MARK_WORSE];

    if (better && worse)
        return "mixed";
    if (better || worse)
        return better ? "better" : "worse";
    return decided_alike(c, i) ? "same" : "different";
}

static json_t *verdict_part(const struct comparison *c, size_t i)
{
    json_t *o = json_object();

    json_object_set_new(o, "column", json_string(c->columns[i].name));
    json_object_set_new(o, "verdict", json_string(verdict_of(c, i)));
    json_object_set_new(o, "better", json_integer(c->marks[i * MARKS + MARK_BETTER]));
    json_object_set_new(o, "worse", json_integer(c->marks[i * MARKS + MARK_WORSE]));
    json_object_set(o, "sensitive", c->sensitive[i]);
    return o;
}

/* ------------------------------------------------------------------------------ whole */

/* Do the same things happen at the same times? Their course may differ. */
static bool same_events(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"kind", "wan", "at"};
    const json_t *x = json_object_get(a, "events"), *y = json_object_get(b, "events");

    if (json_array_size(x) != json_array_size(y))
        return false;
    for (size_t i = 0; i < json_array_size(x); i++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            const json_t *v = json_object_get(json_array_get(x, i), keys[k]);
            const json_t *w = json_object_get(json_array_get(y, i), keys[k]);

            if (v != w && !json_equal(v, w))
                return false;
        }
    return true;
}

static void add_warnings(struct comparison *c)
{
    for (size_t i = 1; i < c->len; i++) {
        const char *word = traffic_word(c->columns[0].result, c->columns[i].result);
        const json_int_t left_out =
            json_integer_value(json_object_get(c->columns[i].elsewhere, "left_out"));
        char text[640];

        if (strcmp(word, "same") != 0) {
            snprintf(text, sizeof text,
                     "%.200s: its traffic %s that of %.200s%s: differences are not of the"
                     " routing alone",
                     c->columns[i].name,
                     strcmp(word, "unknown") == 0 ? "may not be" : "is not",
                     c->columns[0].name,
                     has_people(c->columns[i].result)
                         ? " (people react to what becomes of theirs)"
                         : "");
            comparison_warn(c, text);
        }
        if (!same_events(c->columns[0].result, c->columns[i].result)) {
            snprintf(
                text, sizeof text,
                "%.200s: its events are not those of %.200s: other things fail, or at"
                " other times",
                c->columns[i].name, c->columns[0].name);
            comparison_warn(c, text);
        }
        if (left_out > 0) {
            snprintf(text, sizeof text,
                     "%.200s: %lld flows were too many to compare flow by flow",
                     c->columns[i].name, (long long)left_out);
            comparison_warn(c, text);
        }
    }
}

json_t *comparison_build(const struct comparison_column *columns, size_t n)
{
    json_t *list = json_array(), *verdicts = json_array(), *elsewhere = json_object();
    struct comparison c = {
        .columns = columns,
        .len = n,
        .marks = mem_alloc(n * MARKS, sizeof *c.marks),
        .sensitive = mem_alloc(n, sizeof(json_t *)),
        .document = json_object(),
        .figures = json_array(),
        .hosts = json_object(),
        .warnings = json_array(),
    };

    for (size_t i = 0; i < n; i++)
        c.sensitive[i] = json_array();
    comparison_add_figures(&c);
    add_hosts(&c);
    add_warnings(&c);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, column_part(&c, i));
        if (i > 0)
            json_array_append_new(verdicts, verdict_part(&c, i));
        if (columns[i].elsewhere)
            json_object_set(elsewhere, columns[i].name, columns[i].elsewhere);
        json_decref(c.sensitive[i]);
    }
    json_object_set_new(c.document, "format", json_string(COMPARISON_FORMAT));
    json_object_set_new(c.document, "columns", list);
    json_object_set_new(c.document, "verdicts", verdicts);
    json_object_set_new(c.document, "elsewhere", elsewhere);
    json_object_set_new(c.document, "figures", c.figures);
    json_object_set_new(c.document, "hosts", c.hosts);
    json_object_set_new(c.document, "warnings", c.warnings);
    mem_free(c.marks);
    mem_free(c.sensitive);
    return c.document;
}
