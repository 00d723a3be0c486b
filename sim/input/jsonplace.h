/*
 * jsonplace - where in a JSON text the value of a JSON pointer stands
 *
 * A JSON parser's values do not know their place. When a message needs it, the text is
 * walked again along the pointer:
 *
 *     {"router": {                            pointer  /router/routes/1/distnace
 *        "routes": [{"distance": 1},          key      4:17
 *                                             value    4:29
 *                   {"distnace": 2}]}}
 *
 * Lines and columns count from 1, columns in characters (UTF-8 code points; a tab is
 * one). The walk is linear in the text and keeps no stack, so nesting costs nothing. The
 * text is meant to be well formed; on any other the answer is some place inside it.
 *
 * Source: RFC 6901 (JSON pointer), RFC 8259 (JSON).
 */
#ifndef ECMPLAB_JSONPLACE_H
#define ECMPLAB_JSONPLACE_H

#include <stdbool.h>
#include <stddef.h>

enum jsonplace_part { JSONPLACE_VALUE, JSONPLACE_KEY };

struct jsonplace {
    size_t line, column;
    size_t offset; /* in bytes from the start of the text */
};

/*
 * The start of the value that the pointer names ("" is the whole text's), or of its key
 * (array elements have none: their value). False when the pointer leads nowhere; *place
 * is then the value of the longest part of the pointer that leads somewhere.
 */
bool jsonplace_find(const char *text, size_t length, const char *pointer,
                    enum jsonplace_part part, struct jsonplace *place);

/* Bytes that `token` takes as a part of a JSON pointer, without '/' and NUL. */
size_t jsonplace_token_length(const char *token);

/* Write `token` at `out`, escaped ('~' as ~0, '/' as ~1), no NUL; returns its end. */
char *jsonplace_token_write(char *out, const char *token);

#endif
