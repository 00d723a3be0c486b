/*
 * reader_parts - what the files of the reader share among themselves; see reader.h
 *
 *     reader.c         objects, arrays, maps: walks JSON and tables side by side
 *     reader_value.c   the kinds that hold a single value
 *     reader_words.c   where we are and what is wrong, in words
 */
#ifndef ECMPLAB_READER_PARTS_H
#define ECMPLAB_READER_PARTS_H

#include "sim/input/reader.h"

/* The way to the value being read; the first step's key is the caller's own pointer. */
struct reader_step {
    const struct reader_step *parent;
    const char *key; /* NULL = an array's element */
    size_t index;
};

/* Read one value by the field into the struct `base`; false after telling the diag. */
typedef bool reader_read_kind(const struct reader *r, const struct reader_field *f,
                              json_t *v, const struct reader_step *at, void *base);

struct reader_row {
    reader_read_kind *read;
    size_t size;      /* of the target; 0 = any */
    const char *type; /* what a value of another JSON type is told to be; NULL = names */
    const char *meaning; /* what a value of the right type is told to be; NULL = names */
};

extern const struct reader_row reader_rows[READER_KINDS];

reader_read_kind reader_read_string, reader_read_bool, reader_read_int,
    reader_read_number, reader_read_duration, reader_read_rate, reader_read_addr,
    reader_read_prefix, reader_read_enum;

/* The text of a string, or NULL after telling the diag why there is none. */
const char *reader_text(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at);

static inline void *reader_target(const struct reader_field *f, void *base)
{
    return (char *)base + f->offset;
}

/* The JSON pointer of a step; free it with mem_free(), or keep it in the arena. */
char *reader_pointer_alloc(const struct reader_step *at);
const char *reader_pointer_keep(const struct reader *r, const struct reader_step *at);

/* A list of names, each in quotes. */
struct reader_list {
    char text[DIAG_TEXT_MAX];
    size_t length;
};

void reader_list_add(struct reader_list *l, const char *name);

/* A user's string in quotes, short enough to leave room for what is said about it. */
enum { READER_QUOTE_MAX = 80 };
const char *reader_quote(const char *s, char buf[READER_QUOTE_MAX]);

/* A number in the units that the kind is written in. */
enum { READER_BOUND_MAX = 32 };
const char *reader_format(enum reader_kind kind, int64_t value,
                          char buf[READER_BOUND_MAX]);

/* All that follow return false. */

bool reader_fail(const struct reader *r, const struct reader_step *at, const char *format,
                 ...) DIAG_PRINTF(3, 4);

/* The value has another JSON type; its text, or `got`, is not what the kind takes. */
bool reader_fail_type(const struct reader *r, const struct reader_field *f,
                      const struct reader_step *at, const json_t *v);
bool reader_fail_text(const struct reader *r, const struct reader_field *f,
                      const struct reader_step *at, const char *text);
bool reader_fail_meaning(const struct reader *r, const struct reader_field *f,
                         const struct reader_step *at, const char *got);

/* `min` or `max` may be NULL; `noun` is what is counted, or NULL. */
bool reader_fail_bounds(const struct reader *r, const struct reader_step *at,
                        const char *min, bool above, const char *max, const char *noun,
                        const char *got);

/* These two return true when value or count are within the field's min and max. */
bool reader_check_bounds(const struct reader *r, const struct reader_field *f,
                         const struct reader_step *at, int64_t value, const char *noun,
                         const char *got);
bool reader_check_count(const struct reader *r, const struct reader_field *f,
                        const struct reader_step *at, size_t count, const char *noun);

#endif
