#include "sim/input/reader_parts.h"

#include <inttypes.h>
#include <string.h>

#include "sim/input/jsonplace.h"
#include "sim/input/units.h"

/* ---- where we are ---- */

enum { INDEX_DIGITS_MAX = 20 };

/* With the NUL. */
static size_t steps_size(const struct reader_step *s)
{
    if (!s->parent)
        return strlen(s->key) + 1;
    return steps_size(s->parent) + 1 +
           (s->key ? jsonplace_token_length(s->key) : INDEX_DIGITS_MAX);
}

static char *steps_write(const struct reader_step *s, char *out)
{
    if (!s->parent)
        return stpcpy(out, s->key);
    out = steps_write(s->parent, out);
    *out++ = '/';
    if (s->key)
        return jsonplace_token_write(out, s->key);
    return out + snprintf(out, INDEX_DIGITS_MAX + 1, "%zu", s->index);
}

char *reader_pointer_alloc(const struct reader_step *at)
{
    char *text = mem_alloc(steps_size(at), 1);

    *steps_write(at, text) = '\0';
    return text;
}

const char *reader_pointer_keep(const struct reader *r, const struct reader_step *at)
{
    char *text = reader_pointer_alloc(at);
    const char *kept = arena_strdup(r->arena, text);

    mem_free(text);
    return kept;
}

/* ---- what is wrong, in words ---- */

bool reader_fail(const struct reader *r, const struct reader_step *at, const char *format,
                 ...)
{
    char text[DIAG_TEXT_MAX + 4];
    char *pointer = diag_is_full(r->diag) ? NULL : reader_pointer_alloc(at);
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    diag_error(r->diag, pointer, "%s", text);
    mem_free(pointer);
    return false;
}

const char *reader_quote(const char *s, char buf[READER_QUOTE_MAX])
{
    size_t length = strnlen(s, READER_QUOTE_MAX),
           keep = READER_QUOTE_MAX - sizeof "\"...\"";

    if (length <= keep) {
        snprintf(buf, READER_QUOTE_MAX, "\"%s\"", s);
        return buf;
    }
    while (keep > 0 && ((unsigned char)s[keep] & 0xc0) == 0x80)
        keep--;
    snprintf(buf, READER_QUOTE_MAX, "\"%.*s...\"", (int)keep, s);
    return buf;
}

void reader_list_add(struct reader_list *l, const char *name)
{
    size_t room = sizeof l->text - l->length;
    int length =
        snprintf(l->text + l->length, room, "%s'%s'", l->length ? ", " : "", name);

    if (length > 0)
        l->length += (size_t)length < room ? (size_t)length : room - 1;
}

static const char *type_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "nothing";
}

/* The field's own words come first; without any, its names are listed. */
static bool fail_words(const struct reader *r, const struct reader_field *f,
                       const struct reader_step *at, const char *words, const char *got)
{
    struct reader_list names = {.length = 0};
    const char *name;

    if (f->expected || words)
        return reader_fail(r, at, "expected %s, got %s",
                           f->expected ? f->expected : words, got);
    for (size_t i = 0; (name = reader_field_name_from(f, &i)); i++)
        reader_list_add(&names, name);
    return reader_fail(r, at, "expected one of %s, got %s", names.text, got);
}

bool reader_fail_type(const struct reader *r, const struct reader_field *f,
                      const struct reader_step *at, const json_t *v)
{
    return fail_words(r, f, at, reader_rows[f->kind].type, type_of(v));
}

bool reader_fail_meaning(const struct reader *r, const struct reader_field *f,
                         const struct reader_step *at, const char *got)
{
    return fail_words(r, f, at, reader_rows[f->kind].meaning, got);
}

bool reader_fail_text(const struct reader *r, const struct reader_field *f,
                      const struct reader_step *at, const char *text)
{
    char quoted[READER_QUOTE_MAX];

    return reader_fail_meaning(r, f, at, reader_quote(text, quoted));
}

/* ---- bounds ---- */

const char *reader_format(enum reader_kind kind, int64_t value,
                          char buf[READER_BOUND_MAX])
{
    if (kind == READER_DURATION)
        return units_format_duration(value, buf);
    if (kind == READER_RATE)
        return units_format_rate((uint64_t)value, buf);
    snprintf(buf, READER_BOUND_MAX, "%" PRId64, value);
    return buf;
}

bool reader_fail_bounds(const struct reader *r, const struct reader_step *at,
                        const char *min, bool above, const char *max, const char *noun,
                        const char *got)
{
    char words[3 * READER_BOUND_MAX];
    const char *last = max ? max : min;

    if (!max)
        snprintf(words, sizeof words, "%s %s", above ? "above" : "at least", min);
    else if (!min)
        snprintf(words, sizeof words, "at most %s", max);
    else if (above)
        snprintf(words, sizeof words, "above %s and at most %s", min, max);
    else if (strcmp(min, max) == 0)
        snprintf(words, sizeof words, "exactly %s", max);
    else
        snprintf(words, sizeof words, "from %s to %s", min, max);
    if (!noun)
        return reader_fail(r, at, "must be %s, got %s", words, got);
    return reader_fail(r, at, "must have %s %s%s, got %s", words, noun,
                       strcmp(last, "1") == 0 ? "" : "s", got);
}

bool reader_check_bounds(const struct reader *r, const struct reader_field *f,
                         const struct reader_step *at, int64_t value, const char *noun,
                         const char *got)
{
    char min[READER_BOUND_MAX], max[READER_BOUND_MAX];
    int64_t most = reader_field_max(f);
    bool has_min = f->kind == READER_INT || f->min > 0 || f->above_min;

    if (value <= most && (f->above_min ? value > f->min : value >= f->min))
        return true;
    return reader_fail_bounds(
        r, at, has_min ? reader_format(f->kind, f->min, min) : NULL, f->above_min,
        most < INT64_MAX ? reader_format(f->kind, most, max) : NULL, noun, got);
}

bool reader_check_count(const struct reader *r, const struct reader_field *f,
                        const struct reader_step *at, size_t count, const char *noun)
{
    char got[READER_BOUND_MAX];

    snprintf(got, sizeof got, "%zu", count);
    return reader_check_bounds(r, f, at, (int64_t)count, noun, got);
}
