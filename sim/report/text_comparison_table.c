/*
 * The figures of a comparison beside each other
 *
 *                                            A          B
 *     stickiness/broken                      3         12 worse
 *
 * More than WIDE columns are shown in several tables, each beginning with the first.
 */
#include <string.h>

#include "sim/report/text_comparison_parts.h"

enum {
    LABEL_COLUMNS = 32,
    VALUE_COLUMNS = 10,
    MARK_COLUMNS = 7, /* "better" and a space */
    WIDE = 2,         /* columns beside the first in one table */
};

enum tone comparison_tone(const char *word)
{
    if (strcmp(word, "better") == 0)
        return TONE_GOOD;
    if (strcmp(word, "worse") == 0)
        return TONE_BAD;
    if (strcmp(word, "chance") == 0)
        return TONE_PLAIN;
    return strcmp(word, "mixed") == 0 ? TONE_ODD : TONE_BOLD;
}

struct human_name comparison_value(const json_t *value, const char *unit)
{
    const double x = json_number_value(value);

    if (json_is_string(value) && strcmp(json_string_value(value), "too-few-flows") == 0)
        return human_name("too few", VALUE_COLUMNS);
    if (json_is_string(value))
        return human_name(json_string_value(value), VALUE_COLUMNS);
    if (json_is_boolean(value))
        return human_name(json_is_true(value) ? "yes" : "no", 20);
    if (!json_is_number(value))
        return human_name("-", 20);
    if (unit && strcmp(unit, "share") == 0)
        return human_name(human_share(x).text, 20);
    if (unit && strcmp(unit, "B") == 0)
        return human_name(human_bytes(x).text, 20);
    if (unit && strcmp(unit, "s") == 0)
        return human_name(human_span(x).text, 20);
    if (json_is_integer(value))
        return human_name(human_count(x).text, 20);
    return human_name(human_figure(x).text, 20);
}

/* "A", "B", ... "Z", "AA": what a column is called in tables. */
const char *comparison_letter(size_t column, char buf[8])
{
    if (column < 26)
        snprintf(buf, 8, "%c", (char)('A' + column));
    else
        snprintf(buf, 8, "%c%c", (char)('A' + column / 26 % 26 - 1),
                 (char)('A' + column % 26));
    return buf;
}

/* Better and worse are said; the other marks say that nothing can be. */
static const char *mark_shown(const json_t *row, size_t column)
{
    const char *mark =
        json_string_value(json_array_get(json_object_get(row, "marks"), column));

    return mark && (strcmp(mark, "better") == 0 || strcmp(mark, "worse") == 0 ||
                    strcmp(mark, "chance") == 0)
               ? mark
               : "";
}

/* To a reader: a mark, or another text. */
bool comparison_differs(const json_t *row)
{
    const json_t *values = json_object_get(row, "values");
    const char *unit = document_string(row, "unit");
    const struct human_name first = comparison_value(json_array_get(values, 0), unit);

    for (size_t i = 1; i < json_array_size(values); i++)
        if (*mark_shown(row, i) ||
            strcmp(comparison_value(json_array_get(values, i), unit).text, first.text) !=
                0)
            return true;
    return false;
}

/* One cell; `pad` blanks are owed before it, and what its mark leaves free is owed after. */
static void print_cell(struct page *p, const json_t *row, size_t column, size_t *pad)
{
    const char *mark = mark_shown(row, column);
    const enum tone tone = comparison_tone(mark);
    const struct human_name value =
        comparison_value(json_array_get(json_object_get(row, "values"), column),
                         document_string(row, "unit"));
    const size_t used = human_columns(value.text);

    fprintf(p->out, "%*s%s",
            (int)(*pad + (used < VALUE_COLUMNS ? VALUE_COLUMNS - used : 1)), "",
            value.text);
    *pad = 1 + MARK_COLUMNS - strlen(mark);
    if (!*mark)
        return;
    fputc(' ', p->out);
    page_tone(p, tone, mark);
    --*pad;
}

/* The row's columns: the first, and those from `from` on. */
static void print_row(const struct comparison_drawing *d, const json_t *row,
                      const char *label, size_t from)
{
    struct page *p = d->page;
    size_t pad = 0;

    if (human_columns(label) > LABEL_COLUMNS)
        fprintf(p->out, "  %s\n%*s", human_name(label, 76).text, LABEL_COLUMNS + 2, "");
    else
        fprintf(p->out, "  %s", human_cell(label, LABEL_COLUMNS).text);
    print_cell(p, row, 0, &pad);
    pad = 1;
    for (size_t i = from; i < from + WIDE && i < d->len; i++)
        print_cell(p, row, i, &pad);
    fputc('\n', p->out);
}

static void print_heads(const struct comparison_drawing *d, size_t from)
{
    const size_t between = 1 + MARK_COLUMNS + VALUE_COLUMNS;
    char buf[8];

    fprintf(d->page->out, "%*s", LABEL_COLUMNS + 2 + VALUE_COLUMNS, "A");
    for (size_t i = from; i < from + WIDE && i < d->len; i++)
        fprintf(d->page->out, "%*s", (int)(i == from ? VALUE_COLUMNS + 1 : between),
                comparison_letter(i, buf));
    fputc('\n', d->page->out);
}

static const char *label_of(const json_t *row, const char *host)
{
    const char *metric = document_string(row, "metric");
    const char *slash;

    if (!metric || *metric != '/')
        return metric ? metric : "?";
    slash = host ? strrchr(metric, '/') : metric;
    return slash + 1;
}

/* The rows that differ, in as many tables as the columns need. Returns the others' number. */
size_t comparison_table(const struct comparison_drawing *d, const json_t *rows,
                        const char *host)
{
    size_t same = 0, n = json_array_size(rows);

    for (size_t i = 0; i < n; i++)
        same += !comparison_differs(json_array_get(rows, i));
    if (same == n)
        return same;
    for (size_t from = 1; from < d->len; from += WIDE) {
        print_heads(d, from);
        for (size_t i = 0; i < n; i++) {
            const json_t *row = json_array_get(rows, i);

            if (comparison_differs(row))
                print_row(d, row, label_of(row, host), from);
        }
    }
    return same;
}
