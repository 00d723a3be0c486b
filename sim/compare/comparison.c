#include "sim/compare/comparison.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/observe/expect.h"
#include "sim/observe/figures.h"

enum { POINTER_MAX = 512 };

enum mark { MARK_NONE, MARK_SAME, MARK_CHANCE, MARK_BETTER, MARK_WORSE, MARKS };

static const char *const mark_names[MARKS] = {NULL, "same", "chance", "better", "worse"};

struct comparison {
    const struct comparison_column *columns;
    size_t len;
    unsigned *marks;    /* MARKS of each column: how often */
    json_t **sensitive; /* of each column: what it means for sensitive hosts */
    json_t *document, *figures, *hosts, *warnings;
};

static json_t *text_or_null(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();

    return value ? value : json_string("(not UTF-8)");
}

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

static const char *traffic_word(const json_t *first, const json_t *result)
{
    if (!traffic_of(first) || !traffic_of(result))
        return "unknown";
    return comparison_same_traffic(first, result) ? "same" : "different";
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

    json_object_set_new(o, "name", text_or_null(column->name));
    json_object_set_new(o, "source", json_string(column->source));
    json_object_set_new(o, "file", text_or_null(base_name(column->file)));
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

/* ------------------------------------------------------------------------------ marks */

static bool is_uneven(json_t *result, const char *part)
{
    const json_t *of_part = json_object_get(json_object_get(result, "balance"), part);
    const char *verdict = json_string_value(json_object_get(of_part, "verdict"));

    return !verdict || strcmp(verdict, "uneven") == 0;
}

/* A split's evenness that chance explains on both sides says nothing of the two. */
static bool is_by_chance(const struct comparison *c, size_t column, const char *pointer)
{
    static const char balance[] = "/balance/";
    const char *part = strncmp(pointer, "/balance/flows/", 15) == 0 ? "flows" : "bytes";

    return strncmp(pointer, balance, sizeof balance - 1) == 0 &&
           !is_uneven(c->columns[0].result, part) &&
           !is_uneven(c->columns[column].result, part);
}

static enum mark mark_of(const struct comparison *c, size_t column, const char *pointer,
                         enum figure_sense sense, const json_t *first,
                         const json_t *value)
{
    double from, to;

    if (column == 0 || !first || !value || json_is_null(first) || json_is_null(value))
        return MARK_NONE;
    if (json_equal(first, value))
        return MARK_SAME;
    if (!json_is_number(first) || !json_is_number(value) || sense == FIGURE_NEITHER)
        return MARK_NONE;
    from = json_number_value(first);
    to = json_number_value(value);
    if (!(from < to) && !(to < from))
        return MARK_SAME;
    if (is_by_chance(c, column, pointer))
        return MARK_CHANCE;
    return (to < from) == (sense == FIGURE_LESS) ? MARK_BETTER : MARK_WORSE;
}

/* ------------------------------------------------------------------------------- rows */

/* Sum over what * stands for; NULL when there is nothing. New. */
static json_t *sum_of(json_t *result, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    json_int_t whole = 0;
    double sum = 0;
    bool all_whole = true, any = false;
    char pointer[POINTER_MAX];
    json_t *list, *element;
    size_t i;

    snprintf(pointer, sizeof pointer, "%.*s", (int)(star - pattern - 1), pattern);
    list = expect_find(result, pointer);
    json_array_foreach (list, i, element) {
        const json_t *value = expect_find(element, star + 1);

        if (!json_is_number(value))
            continue;
        any = true;
        all_whole = all_whole && json_is_integer(value);
        whole += json_is_integer(value) ? json_integer_value(value) : 0;
        sum += json_number_value(value);
    }
    if (!any)
        return NULL;
    return all_whole ? json_integer(whole) : json_real(sum);
}

/* Values of a column each, new references; NULL: none. */
static json_t **values_of(const struct comparison *c, const struct figure *f,
                          const char *pointer)
{
    json_t **values = mem_alloc(c->len, sizeof(json_t *));

    for (size_t i = 0; i < c->len; i++) {
        json_t *found = f->comparing == FIGURE_SUM
                            ? sum_of(c->columns[i].result, pointer)
                            : expect_find(c->columns[i].result, pointer);

        if (f->comparing != FIGURE_SUM && found)
            json_incref(found);
        values[i] = found;
    }
    return values;
}

static bool is_scalar(const json_t *value)
{
    return value && !json_is_object(value) && !json_is_array(value);
}

static void note_sensitive(struct comparison *c, size_t column, const char *host,
                           const struct figure *f, const char *pointer, json_t *from,
                           json_t *to, enum mark mark)
{
    json_t *o;

    if (!host || mark < MARK_BETTER)
        return;
    o = json_object();
    json_object_set_new(o, "host", json_string(host));
    json_object_set_new(o, "metric", json_string(pointer));
    json_object_set_new(o, "unit", json_string(f->unit));
    json_object_set(o, "from", from);
    json_object_set(o, "to", to);
    json_object_set_new(o, "mark", json_string(mark_names[mark]));
    json_array_append_new(c->sensitive[column], o);
}

/* A row of the figure, when any column has it. `sensitive`: the host's name, or NULL. */
static void add_row(struct comparison *c, json_t *rows, const struct figure *f,
                    const char *pointer, const char *sensitive)
{
    static const char *const senses[] = {
        [FIGURE_NEITHER] = NULL, [FIGURE_LESS] = "less", [FIGURE_MORE] = "more"};
    json_t **values = values_of(c, f, pointer);
    json_t *list = json_array(), *marks = json_array(), *o = json_object();
    bool any = false;

    for (size_t i = 0; i < c->len; i++) {
        const json_t *first = values[0];
        const enum mark mark = mark_of(c, i, pointer, f->sense, first, values[i]);

        any = any || (is_scalar(values[i]) && !json_is_null(values[i]));
        json_array_append_new(list, is_scalar(values[i]) ? json_incref(values[i])
                                                         : json_null());
        json_array_append_new(marks, text_or_null(mark_names[mark]));
        c->marks[i * MARKS + mark]++;
        note_sensitive(c, i, sensitive, f, pointer, values[0], values[i], mark);
    }
    json_object_set_new(o, "metric", json_string(pointer));
    json_object_set_new(o, "unit", json_string(f->unit));
    json_object_set_new(o, "better", text_or_null(senses[f->sense]));
    json_object_set_new(o, "values", list);
    json_object_set_new(o, "marks", marks);
    if (any)
        json_array_append(rows, o);
    json_decref(o);
    for (size_t i = 0; i < c->len; i++)
        json_decref(values[i]);
    mem_free(values);
}

/* The members of `part` over all columns, each once, in the order of their first. */
static json_t *names_in(const struct comparison *c, const char *part)
{
    json_t *names = json_object();
    const char *name;
    json_t *member;

    for (size_t i = 0; i < c->len; i++)
        json_object_foreach (json_object_get(c->columns[i].result, part), name, member)
            if (!json_object_get(names, name))
                json_object_set(names, name, member);
    return names;
}

/* "/paths/" + name, escaped as a pointer's token + "/flows". False: too long. */
static bool pointer_of(const char *pattern, const char *name, char *out, size_t size)
{
    const char *star = strchr(pattern, '*');
    size_t used = (size_t)(star - pattern);

    if (used + 2 * strlen(name) + strlen(star) + 1 > size)
        return false;
    memcpy(out, pattern, used);
    for (; *name; name++) {
        if (*name == '~' || *name == '/') {
            out[used++] = '~';
            out[used++] = *name == '~' ? '0' : '1';
        } else {
            out[used++] = *name;
        }
    }
    snprintf(out + used, size - used, "%s", star + 1);
    return true;
}

static void warn(struct comparison *c, const char *text)
{
    json_array_append_new(c->warnings, json_string(text));
}

static void add_rows_of(struct comparison *c, json_t *rows, const struct figure *f,
                        const char *name, const char *sensitive)
{
    char pointer[POINTER_MAX];

    if (pointer_of(f->pointer, name, pointer, sizeof pointer))
        add_row(c, rows, f, pointer, sensitive);
    else
        warn(c, "a name is too long to compare its figures");
}

/* A row for each WAN that any column has. */
static void add_path_rows(struct comparison *c, const struct figure *f)
{
    json_t *names = names_in(c, "paths"), *member;
    const char *name;

    json_object_foreach (names, name, member)
        add_rows_of(c, c->figures, f, name, NULL);
    json_decref(names);
}

static bool is_of(const struct figure *f, const char *part)
{
    return strncmp(f->pointer, part, strlen(part)) == 0;
}

static void add_figures(struct comparison *c)
{
    for (size_t i = 0; i < figures_len; i++) {
        const struct figure *f = &figures[i];

        if (f->comparing == FIGURE_NOT || is_of(f, "/hosts/"))
            continue;
        if (f->comparing == FIGURE_EACH && is_of(f, "/paths/"))
            add_path_rows(c, f);
        else
            add_row(c, c->figures, f, f->pointer, NULL);
    }
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
        if (figures[i].comparing == FIGURE_EACH && is_of(&figures[i], "/hosts/"))
            add_rows_of(c, rows, &figures[i], name, sensitive ? name : NULL);
    json_object_set_new(o, "figures", rows);
    json_object_set_new(c->hosts, name, o);
}

static void add_hosts(struct comparison *c)
{
    json_t *names = names_in(c, "hosts"), *member;
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
        char text[512];

        if (strcmp(word, "same") != 0) {
            snprintf(text, sizeof text,
                     "%.200s: its traffic %s that of %.200s: differences are not of the"
                     " routing alone",
                     c->columns[i].name,
                     strcmp(word, "unknown") == 0 ? "may not be" : "is not",
                     c->columns[0].name);
            warn(c, text);
        }
        if (!same_events(c->columns[0].result, c->columns[i].result)) {
            snprintf(
                text, sizeof text,
                "%.200s: its events are not those of %.200s: other things fail, or at"
                " other times",
                c->columns[i].name, c->columns[0].name);
            warn(c, text);
        }
        if (left_out > 0) {
            snprintf(text, sizeof text,
                     "%.200s: %lld flows were too many to compare flow by flow",
                     c->columns[i].name, (long long)left_out);
            warn(c, text);
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
    add_figures(&c);
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
