#include "sim/input/jsonplace.h"

#include <stdint.h>
#include <string.h>

struct cursor {
    const char *at, *end;
};

/* One part of a pointer, still escaped. */
struct token {
    const char *at, *end;
};

/* NUL at the end, which is no mark of JSON. */
static char peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || (*c->at >= '\t' && *c->at <= '\r')))
        c->at++;
}

/* True when `mark` came next, perhaps behind space. */
static bool skip_mark(struct cursor *c, char mark)
{
    skip_space(c);
    if (peek(c) != mark)
        return false;
    c->at++;
    return true;
}

/* From an opening quote to behind the closing one. */
static void skip_string(struct cursor *c)
{
    c->at++;
    while (c->at < c->end && *c->at != '"')
        c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
    if (c->at < c->end)
        c->at++;
}

/* Behind the value that starts here: brackets are counted, strings passed over. */
static void skip_value(struct cursor *c)
{
    size_t depth = 0;

    while (c->at < c->end) {
        switch (*c->at) {
        case '"': skip_string(c); break;
        case '{':
        case '[':
            depth++;
            c->at++;
            break;
        case '}':
        case ']':
            if (depth == 0)
                return;
            depth--;
            c->at++;
            break;
        case ',':
            if (depth == 0)
                return;
            c->at++;
            continue;
        default: c->at++; continue; /* inside a number, a literal or space */
        }
        if (depth == 0)
            return;
    }
}

static unsigned hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (unsigned)(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'F')
        return (unsigned)(digit - 'A') + 10;
    return 0;
}

/* The code unit of "\uXXXX" at c, which moves behind it; false when none is there. */
static bool take_code_unit(struct cursor *c, uint32_t *unit)
{
    if (c->end - c->at < 6 || c->at[0] != '\\' || c->at[1] != 'u')
        return false;
    *unit = 0;
    for (int i = 2; i < 6; i++)
        *unit = *unit << 4 | hex_value(c->at[i]);
    c->at += 6;
    return true;
}

static size_t encode_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* The next bytes of a string's meaning; 0 at its closing quote or the end of the text. */
static size_t take_character(struct cursor *c, char out[4])
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    uint32_t code, low;
    const char *escape;

    if (c->at >= c->end || *c->at == '"')
        return 0;
    if (*c->at != '\\' || c->end - c->at < 2) {
        out[0] = *c->at++;
        return 1;
    }
    if (take_code_unit(c, &code)) {
        struct cursor ahead = *c;

        if (code >= 0xd800 && code < 0xdc00 && take_code_unit(&ahead, &low) &&
            low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            *c = ahead;
        }
        return encode_utf8(code, out);
    }
    out[0] = c->at[1];
    for (escape = escapes; *escape; escape += 2)
        if (*escape == c->at[1])
            out[0] = escape[1];
    c->at += 2;
    return 1;
}

/* The next byte of a token's meaning, which is not at its end. */
static char take_token_byte(struct token *t)
{
    char byte = *t->at++;

    if (byte == '~' && t->at < t->end && (*t->at == '0' || *t->at == '1'))
        byte = *t->at++ == '0' ? '~' : '/';
    return byte;
}

/* Does the string at c, which starts with its quote, mean the token? */
static bool string_is_token(struct cursor c, struct token t)
{
    char bytes[4];
    size_t count;

    c.at++;
    while ((count = take_character(&c, bytes)) > 0)
        for (size_t i = 0; i < count; i++)
            if (t.at == t.end || take_token_byte(&t) != bytes[i])
                return false;
    return t.at == t.end;
}

/* From an object to its member's value; *key is where the member's key starts. */
static bool enter_object(struct cursor *c, struct token t, const char **key)
{
    do {
        bool found;

        skip_space(c);
        if (peek(c) != '"')
            return false;
        *key = c->at;
        found = string_is_token(*c, t);
        skip_string(c);
        if (!skip_mark(c, ':'))
            return false;
        skip_space(c);
        if (found)
            return true;
        skip_value(c);
    } while (skip_mark(c, ','));
    return false;
}

static bool parse_index(struct token t, size_t *index)
{
    *index = 0;
    if (t.at == t.end || (*t.at == '0' && t.end - t.at > 1))
        return false;
    for (; t.at < t.end; t.at++) {
        if (*t.at < '0' || *t.at > '9' || *index > (SIZE_MAX - 9) / 10)
            return false;
        *index = *index * 10 + (size_t)(*t.at - '0');
    }
    return true;
}

static bool enter_array(struct cursor *c, struct token t, const char **key)
{
    size_t index;

    if (!parse_index(t, &index))
        return false;
    for (; index > 0; index--) {
        skip_space(c);
        skip_value(c);
        if (!skip_mark(c, ','))
            return false;
    }
    skip_space(c);
    *key = c->at;
    return c->at < c->end && *c->at != ']';
}

/* From a value to the one that the token names in it. */
static bool enter(struct cursor *c, struct token t, const char **key)
{
    if (skip_mark(c, '{'))
        return enter_object(c, t, key);
    if (skip_mark(c, '['))
        return enter_array(c, t, key);
    return false;
}

static struct jsonplace place_of(const char *text, const char *at)
{
    struct jsonplace place = {.line = 1, .column = 1, .offset = (size_t)(at - text)};
    const char *line = text, *end;

    while ((end = memchr(line, '\n', (size_t)(at - line)))) {
        place.line++;
        line = end + 1;
    }
    for (; line < at; line++)
        if (((unsigned char)*line & 0xc0) != 0x80)
            place.column++;
    return place;
}

bool jsonplace_find(const char *text, size_t length, const char *pointer,
                    enum jsonplace_part part, struct jsonplace *place)
{
    struct cursor c = {text, text + length};
    const char *value, *key;

    skip_space(&c);
    value = key = c.at;
    while (*pointer == '/') {
        struct token t = {pointer + 1, pointer + 1 + strcspn(pointer + 1, "/")};

        if (!enter(&c, t, &key)) {
            *place = place_of(text, value);
            return false;
        }
        value = c.at;
        pointer = t.end;
    }
    *place = place_of(text, part == JSONPLACE_KEY ? key : value);
    return *pointer == '\0';
}

size_t jsonplace_token_length(const char *token)
{
    size_t length = 0;

    for (; *token; token++)
        length += *token == '~' || *token == '/' ? 2 : 1;
    return length;
}

char *jsonplace_token_write(char *out, const char *token)
{
    for (; *token; token++) {
        if (*token != '~' && *token != '/') {
            *out++ = *token;
            continue;
        }
        *out++ = '~';
        *out++ = *token == '~' ? '0' : '1';
    }
    return out;
}
