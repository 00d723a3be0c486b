/*
 * diag - the messages about one input file, each with its place
 *
 *     pcc.json:52:9: error: /routes/1/distnace: unknown key; did you mean 'distance'?
 *     └ file   │  │  └ level └ JSON pointer     └ text
 *           line  column, both from 1; columns count characters
 *
 * A message is about a value of a JSON text, named by its pointer (RFC 6901; the place is
 * looked up in the text), or about a line and a column of any text, or about the whole
 * file. Messages are kept in the order of their places, equals in the order they came.
 *
 * Input is hostile: each level keeps its first DIAG_KEPT_MAX messages and counts the
 * rest, control characters come out as \u001b, and what is too long to read is cut with
 * "...".
 *
 * The functions that report an error return false, so that a check can `return` them.
 */
#ifndef ECMPLAB_DIAG_H
#define ECMPLAB_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { DIAG_KEPT_MAX = 100, DIAG_TEXT_MAX = 1024, DIAG_POINTER_MAX = 256 };

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag_message {
    enum diag_level level;
    size_t line, column; /* 0 = about the whole file */
    const char *pointer; /* NULL = none; "" = the whole JSON text */
    const char *text;    /* one line, without the place and the pointer */
};

struct diag;

/* `text` may be NULL when no message will have a pointer; it is borrowed until
 * diag_destroy(), the file's name is copied. */
struct diag *diag_create(const char *file, const char *text, size_t length);
void diag_destroy(struct diag *d);

/* The text, when it comes after diag_create(): a copy is kept. */
void diag_set_text(struct diag *d, const char *text, size_t length);

/* The format is parameter `at`, its values start at `values` (0 = they are a va_list). */
#define DIAG_PRINTF(at, values) __attribute__((format(printf, at, values)))

/* At the value that `pointer` names, or the nearest one around it; NULL: at the file. */
bool diag_error(struct diag *d, const char *pointer, const char *format, ...)
    DIAG_PRINTF(3, 4);
void diag_warn(struct diag *d, const char *pointer, const char *format, ...)
    DIAG_PRINTF(3, 4);

/* The same at the key of that value. */
bool diag_error_key(struct diag *d, const char *pointer, const char *format, ...)
    DIAG_PRINTF(3, 4);

/* The same at the member of the object at `pointer` whose key is `key` (not escaped). */
bool diag_error_member(struct diag *d, const char *pointer, const char *key,
                       const char *format, ...) DIAG_PRINTF(4, 5);
void diag_warn_member(struct diag *d, const char *pointer, const char *key,
                      const char *format, ...) DIAG_PRINTF(4, 5);

/* At a line and a column of a text that is not JSON, or not yet. */
bool diag_error_at(struct diag *d, size_t line, size_t column, const char *format, ...)
    DIAG_PRINTF(4, 5);
void diag_warn_at(struct diag *d, size_t line, size_t column, const char *format, ...)
    DIAG_PRINTF(4, 5);

/* An error that is no mistake in the text: a file, this one or one that it names, cannot be
 * read. `pointer` as above. */
bool diag_error_file(struct diag *d, const char *pointer, const char *format, ...)
    DIAG_PRINTF(3, 4);

/* There are errors, and all of them came by diag_error_file(). */
bool diag_file_failed(const struct diag *d);

/* How many there were, with those that were not kept. */
size_t diag_count(const struct diag *d, enum diag_level level);

/* Further errors will only be counted: what it costs to word them can be saved. */
bool diag_is_full(const struct diag *d);

/* The messages kept, in order; valid until the next one is added. */
const struct diag_message *diag_messages(const struct diag *d, size_t *count);

/* Every message on its line, then "FILE: and N more errors" where some were not kept. */
void diag_print(const struct diag *d, FILE *out);

#endif
