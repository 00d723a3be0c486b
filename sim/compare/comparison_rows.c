/* The figures of a comparison, a row each, and their marks. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/compare/comparison_parts.h"
#include "sim/observe/expect.h"

enum { POINTER_MAX = 512 };

static const char *const mark_names[MARKS] = {NULL, "same", "chance", "better", "worse"};

json_t *comparison_text(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();

    return value ? value : json_string("(not UTF-8)");
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

/* Packets counted of other traffic, as when people react otherwise: more are not better. */
static bool is_of_other_packets(const struct comparison *c, size_t column,
                                const char *pointer)
{
    return strncmp(pointer, "/run/", 5) == 0 &&
           comparison_other_traffic(c->columns[0].result, c->columns[column].result);
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
    if (is_of_other_packets(c, column, pointer))
        return MARK_NONE;
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
        if (all_whole && __builtin_add_overflow(whole, json_integer_value(value), &whole))
            all_whole = false; /* of a result that no run wrote */
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
        json_array_append_new(marks, comparison_text(mark_names[mark]));
        c->marks[i * MARKS + mark]++;
        note_sensitive(c, i, sensitive, f, pointer, values[0], values[i], mark);
    }
    json_object_set_new(o, "metric", json_string(pointer));
    json_object_set_new(o, "unit", json_string(f->unit));
    json_object_set_new(o, "better", comparison_text(senses[f->sense]));
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
json_t *comparison_names(const struct comparison *c, const char *part)
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

void comparison_warn(struct comparison *c, const char *text)
{
    json_array_append_new(c->warnings, json_string(text));
}

void comparison_add_row(struct comparison *c, json_t *rows, const struct figure *f,
                        const char *name, const char *sensitive)
{
    char pointer[POINTER_MAX];

    if (pointer_of(f->pointer, name, pointer, sizeof pointer))
        add_row(c, rows, f, pointer, sensitive);
    else
        comparison_warn(c, "a name is too long to compare its figures");
}

/* A row for each member of `part`, a WAN or a source of people, that any column has. */
static void add_rows_of(struct comparison *c, const struct figure *f, const char *part)
{
    json_t *names = comparison_names(c, part), *member;
    const char *name;

    json_object_foreach (names, name, member)
        comparison_add_row(c, c->figures, f, name, NULL);
    json_decref(names);
}

bool comparison_is_of(const struct figure *f, const char *part)
{
    return strncmp(f->pointer, part, strlen(part)) == 0;
}

void comparison_add_figures(struct comparison *c)
{
    for (size_t i = 0; i < figures_len; i++) {
        const struct figure *f = &figures[i];

        if (f->comparing == FIGURE_NOT || comparison_is_of(f, "/hosts/"))
            continue;
        if (f->comparing == FIGURE_EACH && comparison_is_of(f, "/paths/"))
            add_rows_of(c, f, "paths");
        else if (f->comparing == FIGURE_EACH && comparison_is_of(f, "/users/"))
            add_rows_of(c, f, "users");
        else
            add_row(c, c->figures, f, f->pointer, NULL);
    }
}
