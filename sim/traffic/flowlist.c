#include "sim/traffic/flowlist.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/nearest.h"
#include "sim/input/stream.h"
#include "sim/traffic/livetuples.h"

enum { LINE_MAX_BYTES = 65536, FIELDS_MAX = 256, NUMBER_TEXT_MAX = 32 };

#define SPAN_MAX INT64_C(315360000000000000) /* ten years, as of a scenario */

struct loading {
    const struct flowlist_options *options;
    struct flowlist *list;
    char line[LINE_MAX_BYTES];
    uint64_t number;         /* of the line, from 1 */
    bool has_header, at_end; /* nfdump: a summary follows the list */
    int8_t
        columns[FIELDS_MAX]; /* of each field: enum flow_column, -1: none that matters */
    size_t fields;
    char numbers[FLOW_COLUMNS][NUMBER_TEXT_MAX]; /* JSON's, as text */
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct loading *l,
                                                       const char *format, ...)
{
    va_list args;
    int n = snprintf(l->error, l->error_size, "%s:%" PRIu64 ": ", l->options->path,
                     l->number);

    va_start(args, format);
    if (n >= 0 && (size_t)n < l->error_size)
        vsnprintf(l->error + n, l->error_size - (size_t)n, format, args);
    va_end(args);
    return false;
}

/* ------------------------------------------------------------------------------- header */

static bool note_column(struct loading *l, const char *name)
{
    const struct flow_format *f = l->options->format;
    struct nearest near = nearest_start(name);

    if (l->fields == FIELDS_MAX)
        return fail(l, "more than %d columns", FIELDS_MAX);
    l->columns[l->fields] = -1;
    for (int c = 0; c < FLOW_COLUMNS; c++) {
        if (f->columns[c] && strcmp(f->columns[c], name) == 0)
            l->columns[l->fields] = (int8_t)c;
        nearest_offer(&near, f->columns[c]);
    }
    for (size_t i = 0; i < l->fields; i++)
        if (l->columns[i] >= 0 && l->columns[i] == l->columns[l->fields])
            return fail(l, "column '%.40s' is there twice", name);
    if (f->strict && l->columns[l->fields] < 0)
        return near.name ? fail(l, "unknown column '%.40s'; did you mean '%s'?", name,
                                near.name)
                         : fail(l, "unknown column '%.40s'", name);
    l->fields++;
    return true;
}

static bool check_header(struct loading *l)
{
    static const uint8_t needed[] = {FLOW_TIME, FLOW_SRC,   FLOW_SPORT,
                                     FLOW_DST,  FLOW_DPORT, FLOW_PROTO};

    for (size_t i = 0; i < sizeof needed; i++) {
        bool found = false;

        for (size_t k = 0; k < l->fields; k++)
            found = found || l->columns[k] == (int8_t)needed[i];
        if (!found)
            return fail(l, "expected a column '%s'",
                        l->options->format->columns[needed[i]]);
    }
    l->has_header = true;
    return true;
}

/* The next field of a line, spaces and quotes around it taken off; NULL at the end. */
static char *next_field(char **rest, char separator)
{
    char *field = *rest, *end;

    if (!field)
        return NULL;
    end = strchr(field, separator);
    *rest = end ? end + 1 : NULL;
    if (!end)
        end = field + strlen(field);
    while (*field == ' ' || *field == '"')
        field++;
    while (end > field && (end[-1] == ' ' || end[-1] == '"'))
        end--;
    *end = '\0';
    return field;
}

static bool read_header(struct loading *l, char *names, char separator)
{
    char *name;

    l->fields = 0;
    while ((name = next_field(&names, separator)))
        if (!note_column(l, name))
            return false;
    return check_header(l);
}

/* --------------------------------------------------------------------------------- rows */

static bool keep(struct loading *l, const struct flowrow *row)
{
    struct flowlist *list = l->list;
    struct demand d;
    char why[160];

    switch (flowrow_read(l->options->format, row, &d, why, sizeof why)) {
    case FLOWROW_WRONG: return fail(l, "%s", why);
    case FLOWROW_OTHER:
        if (list->left_out++ == 0)
            list->left_out_first = l->number;
        return true;
    case FLOWROW_OK: break;
    }
    if (list->len == FLOWLIST_MAX)
        return fail(l, "more than %d flows", FLOWLIST_MAX);
    d.key = list->len; /* its place in the file, until the list is sorted */
    list->demands =
        mem_grow(list->demands, &list->cap, list->len + 1, sizeof *list->demands);
    list->demands[list->len++] = d;
    return true;
}

static bool read_row(struct loading *l, char separator)
{
    struct flowrow row = {.columns = {NULL}};
    char *rest = l->line, *field;
    size_t n = 0;

    for (; (field = next_field(&rest, separator)); n++)
        if (n < l->fields && l->columns[n] >= 0 && strcmp(field, "-") != 0)
            row.columns[l->columns[n]] = field;
    if (n != l->fields)
        return fail(l, "expected %zu columns, got %zu", l->fields, n);
    return keep(l, &row);
}

static bool read_comma(struct loading *l)
{
    if (l->line[0] == '\0' || l->at_end)
        return true;
    if (!l->has_header)
        return read_header(l, l->line, ',');
    if (!l->options->format->strict && strcmp(l->line, "Summary") == 0) {
        l->at_end = true;
        return true;
    }
    return read_row(l, ',');
}

static bool read_tab(struct loading *l)
{
    static const char fields[] = "#fields\t";

    if (strncmp(l->line, fields, sizeof fields - 1) == 0)
        return read_header(l, l->line + sizeof fields - 1, '\t');
    if (l->line[0] == '\0' || l->line[0] == '#')
        return true;
    if (!l->has_header)
        return fail(l, "expected a line '#fields' before the first connection");
    return read_row(l, '\t');
}

/* A member as the text that the other formats would have. */
static const char *text_of(const json_t *value, char number[NUMBER_TEXT_MAX])
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        snprintf(number, NUMBER_TEXT_MAX, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
    else if (json_is_real(value) && fabs(json_real_value(value)) < 1e15)
        snprintf(number, NUMBER_TEXT_MAX, "%.6f", json_real_value(value));
    else
        return value ? "?" : NULL;
    return number;
}

static bool read_json(struct loading *l)
{
    const struct flow_format *f = l->options->format;
    struct flowrow row = {.columns = {NULL}};
    json_error_t why;
    json_t *object;
    bool ok;

    if (l->line[0] == '\0' || l->line[0] == '#')
        return true;
    object = json_loads(l->line, 0, &why);
    if (!json_is_object(object)) {
        json_decref(object);
        return fail(l, "expected a JSON object");
    }
    for (int c = 0; c < FLOW_COLUMNS; c++)
        if (f->columns[c])
            row.columns[c] =
                text_of(json_object_get(object, f->columns[c]), l->numbers[c]);
    ok = keep(l, &row);
    json_decref(object);
    return ok;
}

/* -------------------------------------------------------------------------------- lines */

/* The next line without its end; false at the end of the file, or after an error. */
static bool next_line(struct loading *l, FILE *file, bool *failed)
{
    size_t length;

    if (!fgets(l->line, sizeof l->line, file))
        return false;
    l->number++;
    length = strlen(l->line);
    if (length == 0 || (l->line[length - 1] != '\n' && !feof(file))) {
        *failed = !fail(l, "no text, or a line of more than %d bytes", LINE_MAX_BYTES - 2);
        return false;
    }
    while (length > 0 && (l->line[length - 1] == '\n' || l->line[length - 1] == '\r'))
        l->line[--length] = '\0';
    return true;
}

static bool read_lines(struct loading *l, FILE *file)
{
    static bool (*const readers[])(struct loading *) = {
        [FLOW_COMMA] = read_comma, [FLOW_TAB] = read_tab, [FLOW_JSON] = read_json};
    bool failed = false;

    while (next_line(l, file, &failed))
        if (!readers[l->options->format->syntax](l))
            return false;
    return !failed;
}

static bool read_file(struct loading *l)
{
    char why[256];
    struct stream *s = stream_open(l->options->path, why, sizeof why);
    FILE *file;
    bool ok;

    if (!s) {
        snprintf(l->error, l->error_size, "%s: %s", l->options->path, why);
        return false;
    }
    file = stream_file(s);
    ok = read_lines(l, file);
    if (ok && ferror(file))
        ok = fail(l, "%s", stream_error(s) ? stream_error(s) : strerror(errno));
    fclose(file);
    stream_destroy(s);
    if (ok && l->list->len == 0) {
        snprintf(l->error, l->error_size, "%s: no connection of TCP or UDP",
                 l->options->path);
        return false;
    }
    return ok;
}

/* -------------------------------------------------------------------------------- order */

static int compare(const void *a, const void *b)
{
    const struct demand *x = a, *y = b;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

/* A span of time at the list's speed; -1: longer than a run may be. */
static int64_t at_speed(const struct flowlist_options *o, int64_t ns)
{
    double scaled;

    if (o->speed < 1 || o->speed > 1) {
        scaled = floor((double)ns / o->speed + 0.5);
        return scaled <= (double)SPAN_MAX ? (int64_t)scaled : -1;
    }
    return ns <= SPAN_MAX ? ns : -1;
}

static bool place(struct loading *l)
{
    const struct flowlist_options *o = l->options;
    struct flowlist *list = l->list;
    int64_t first_ns;

    qsort(list->demands, list->len, sizeof *list->demands, compare);
    first_ns = list->demands[0].start_ns;
    for (size_t i = 0; i < list->len; i++) {
        struct demand *d = &list->demands[i];
        const int64_t after = at_speed(o, d->start_ns - first_ns);

        d->duration_ns = at_speed(o, d->duration_ns);
        if (after < 0 || d->duration_ns < 0) {
            snprintf(l->error, l->error_size, "%s: spans more than ten years", o->path);
            return false;
        }
        d->start_ns = o->start_ns + after;
        if (o->map) {
            d->src = addrmap_address(o->map, &d->src);
            d->dst = addrmap_address(o->map, &d->dst);
        }
        d->key = livetuples_key(d);
    }
    return true;
}

struct flowlist *flowlist_load(const struct flowlist_options *o, char *error,
                               size_t error_size)
{
    struct loading *l = mem_alloc(1, sizeof *l);
    struct flowlist *list = mem_alloc(1, sizeof *list);
    bool ok;

    assert(o->speed > 0);
    l->options = o;
    l->list = list;
    l->error = error;
    l->error_size = error_size;
    ok = read_file(l) && place(l);
    mem_free(l);
    if (ok)
        return list;
    flowlist_free(list);
    return NULL;
}

void flowlist_free(struct flowlist *l)
{
    if (!l)
        return;
    mem_free(l->demands);
    mem_free(l);
}

/* ------------------------------------------------------------------------------- source */

static int begin(void *context, int64_t *start_ns)
{
    const struct flowlist_cursor *c = context;

    if (c->next == c->list->len)
        return 0;
    *start_ns = c->list->demands[c->next].start_ns;
    return 1;
}

static bool take(void *context, struct demand *d)
{
    struct flowlist_cursor *c = context;

    *d = c->list->demands[c->next++];
    return true;
}

static void ended(void *context, const struct demand *d)
{
    (void)context, (void)d;
}

static const char *error(const void *context)
{
    (void)context;
    return "";
}

struct demand_source flowlist_source(struct flowlist_cursor *c)
{
    return (struct demand_source){begin, take, ended, error, c};
}
