#include "sim/input/diag.h"

#include <string.h>

#include "core/memory.h"
#include "sim/input/jsonplace.h"

enum { LEVELS = 2 };

struct diag {
    struct arena *arena; /* the messages' strings */
    const char *file;
    const char *text; /* borrowed */
    size_t length;
    size_t counts[LEVELS]; /* all, by level */
    size_t file_errors;    /* of the errors, those by diag_error_file() */
    size_t kept;
    struct diag_message messages[LEVELS * DIAG_KEPT_MAX];
};

/* Where a message is and what it is about. */
struct spot {
    size_t line, column;
    const char *pointer;
};

/* The bytes of the character at `at`; 1 for what is no UTF-8. */
static size_t character_length(const char *at)
{
    unsigned char first = (unsigned char)*at;
    size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    for (size_t i = 1; i < length; i++)
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 1;
    return length;
}

/* C0, DEL and C1 (U+0080 to U+009F): what a terminal might obey. 0 for all others. */
static unsigned control_code(const char *at)
{
    unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];

    if (first < 0x20 || first == 0x7f)
        return first;
    return first == 0xc2 && second >= 0x80 && second < 0xa0 ? second : 0;
}

/* A copy that is safe to print, of at most `max` bytes with its NUL. */
static const char *printable_copy(struct arena *arena, const char *s, size_t max)
{
    static const char cut[] = "...";
    char *copy = arena_alloc(arena, max, 1), *out = copy;
    char *last = copy + max - sizeof cut; /* the latest that "..." can start */
    char *fits = copy;                    /* the same, between two characters */

    while (*s) {
        char escaped[8];
        size_t length = character_length(s), out_length = length;
        unsigned code = control_code(s);
        const char *from = s;

        if (code != 0) {
            out_length = (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", code);
            from = escaped;
        }
        if (out + out_length >= copy + max) {
            memcpy(fits, cut, sizeof cut);
            return copy;
        }
        memcpy(out, from, out_length);
        out += out_length;
        s += length;
        if (out <= last)
            fits = out;
    }
    *out = '\0';
    return copy;
}

struct diag *diag_create(const char *file, const char *text, size_t length)
{
    struct diag *d = mem_alloc(1, sizeof *d);

    d->arena = arena_create();
    d->file = printable_copy(d->arena, file, DIAG_TEXT_MAX);
    d->text = text;
    d->length = length;
    return d;
}

void diag_set_text(struct diag *d, const char *text, size_t length)
{
    char *copy = arena_alloc(d->arena, length + 1, 1); /* it may hold NULs */

    memcpy(copy, text, length);
    d->text = copy;
    d->length = length;
}

void diag_destroy(struct diag *d)
{
    if (!d)
        return;
    arena_destroy(d->arena);
    mem_free(d);
}

static bool is_before(const struct diag_message *a, const struct diag_message *b)
{
    if (a->line != b->line)
        return a->line < b->line;
    return a->column < b->column;
}

static void keep(struct diag *d, const struct diag_message *m)
{
    size_t i = d->kept++;

    for (; i > 0 && is_before(m, &d->messages[i - 1]); i--)
        d->messages[i] = d->messages[i - 1];
    d->messages[i] = *m;
}

/* Count one more of the level; false when it is not to be kept. */
static bool count_one(struct diag *d, enum diag_level level)
{
    return d->counts[level]++ < DIAG_KEPT_MAX;
}

DIAG_PRINTF(4, 0)
static void add(struct diag *d, enum diag_level level, struct spot spot,
                const char *format, va_list values)
{
    struct diag_message m = {.level = level, .line = spot.line, .column = spot.column};
    char text[DIAG_TEXT_MAX + 4]; /* longer than what is shown, so that a cut shows */

    if (vsnprintf(text, sizeof text, format, values) < 0)
        snprintf(text, sizeof text, "%s", format);
    m.text = printable_copy(d->arena, text, DIAG_TEXT_MAX);
    if (spot.pointer)
        m.pointer = printable_copy(d->arena, spot.pointer, DIAG_POINTER_MAX);
    keep(d, &m);
}

static struct spot spot_of(const struct diag *d, const char *pointer,
                           enum jsonplace_part part)
{
    struct spot spot = {.pointer = pointer};
    struct jsonplace place;

    if (pointer && d->text) {
        jsonplace_find(d->text, d->length, pointer, part, &place);
        spot.line = place.line;
        spot.column = place.column;
    }
    return spot;
}

DIAG_PRINTF(5, 0)
static void add_member(struct diag *d, enum diag_level level, const char *pointer,
                       const char *key, const char *format, va_list values)
{
    size_t length = strlen(pointer);
    char *member = mem_alloc(length + 1 + jsonplace_token_length(key) + 1, 1);

    memcpy(member, pointer, length);
    member[length] = '/';
    *jsonplace_token_write(member + length + 1, key) = '\0';
    add(d, level, spot_of(d, member, JSONPLACE_VALUE), format, values);
    mem_free(member);
}

bool diag_error(struct diag *d, const char *pointer, const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_ERROR))
        return false;
    va_start(values, format);
    add(d, DIAG_ERROR, spot_of(d, pointer, JSONPLACE_VALUE), format, values);
    va_end(values);
    return false;
}

bool diag_error_file(struct diag *d, const char *pointer, const char *format, ...)
{
    va_list values;

    d->file_errors++;
    if (!count_one(d, DIAG_ERROR))
        return false;
    va_start(values, format);
    add(d, DIAG_ERROR, spot_of(d, pointer, JSONPLACE_VALUE), format, values);
    va_end(values);
    return false;
}

bool diag_file_failed(const struct diag *d)
{
    return d->file_errors > 0 && d->file_errors == d->counts[DIAG_ERROR];
}

void diag_warn(struct diag *d, const char *pointer, const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_WARNING))
        return;
    va_start(values, format);
    add(d, DIAG_WARNING, spot_of(d, pointer, JSONPLACE_VALUE), format, values);
    va_end(values);
}

bool diag_error_key(struct diag *d, const char *pointer, const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_ERROR))
        return false;
    va_start(values, format);
    add(d, DIAG_ERROR, spot_of(d, pointer, JSONPLACE_KEY), format, values);
    va_end(values);
    return false;
}

bool diag_error_member(struct diag *d, const char *pointer, const char *key,
                       const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_ERROR))
        return false;
    va_start(values, format);
    add_member(d, DIAG_ERROR, pointer, key, format, values);
    va_end(values);
    return false;
}

void diag_warn_member(struct diag *d, const char *pointer, const char *key,
                      const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_WARNING))
        return;
    va_start(values, format);
    add_member(d, DIAG_WARNING, pointer, key, format, values);
    va_end(values);
}

bool diag_error_at(struct diag *d, size_t line, size_t column, const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_ERROR))
        return false;
    va_start(values, format);
    add(d, DIAG_ERROR, (struct spot){.line = line, .column = column}, format, values);
    va_end(values);
    return false;
}

void diag_warn_at(struct diag *d, size_t line, size_t column, const char *format, ...)
{
    va_list values;

    if (!count_one(d, DIAG_WARNING))
        return;
    va_start(values, format);
    add(d, DIAG_WARNING, (struct spot){.line = line, .column = column}, format, values);
    va_end(values);
}

size_t diag_count(const struct diag *d, enum diag_level level)
{
    return d->counts[level];
}

bool diag_is_full(const struct diag *d)
{
    return d->counts[DIAG_ERROR] >= DIAG_KEPT_MAX;
}

const struct diag_message *diag_messages(const struct diag *d, size_t *count)
{
    *count = d->kept;
    return d->messages;
}

static void print_message(const struct diag *d, const struct diag_message *m, FILE *out)
{
    static const char *const levels[LEVELS] = {"error", "warning"};

    fprintf(out, "%s:", d->file);
    if (m->line > 0)
        fprintf(out, "%zu:%zu:", m->line, m->column);
    fprintf(out, " %s: ", levels[m->level]);
    if (m->pointer && *m->pointer)
        fprintf(out, "%s: ", m->pointer);
    fprintf(out, "%s\n", m->text);
}

void diag_print(const struct diag *d, FILE *out)
{
    static const char *const nouns[LEVELS] = {"error", "warning"};

    for (size_t i = 0; i < d->kept; i++)
        print_message(d, &d->messages[i], out);
    for (size_t level = 0; level < LEVELS; level++) {
        size_t more =
            d->counts[level] > DIAG_KEPT_MAX ? d->counts[level] - DIAG_KEPT_MAX : 0;

        if (more > 0)
            fprintf(out, "%s: and %zu more %s%s\n", d->file, more, nouns[level],
                    more == 1 ? "" : "s");
    }
}
