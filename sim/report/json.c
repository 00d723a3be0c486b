/*
 * json - the result document as text
 *
 * Indented by 2, members in their order, an array of numbers on one line (a series has
 * thousands of them). A real has as few of 15 to 17 digits as bring it back bit by bit, and
 * always a point or an exponent, so that it comes back as a real. The same document
 * gives the same bytes with any version of jansson.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report/report.h"

enum { DEPTH_MAX = 2048 }; /* jansson reads nothing deeper: JSON_PARSER_MAX_DEPTH */

static bool write_value(const json_t *value, unsigned depth, FILE *out);

static void write_real(double value, FILE *out)
{
    char digits[40];
    int precision = 15;

    do
        snprintf(digits, sizeof digits, "%.*g", precision, value);
    while (strtod(digits, NULL) != value && precision++ < 17);
    for (char *c = digits; *c; c++)
        if (*c == ',') /* the locale's point */
            *c = '.';
    fprintf(out, strpbrk(digits, ".e") ? "%s" : "%s.0", digits);
}

static void write_string(const char *s, FILE *out)
{
    fputc('"', out);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void new_line(unsigned depth, FILE *out)
{
    fprintf(out, "\n%*s", (int)(2 * depth), "");
}

static bool is_all_numbers(const json_t *array)
{
    const json_t *value;
    size_t i;

    json_array_foreach (array, i, value)
        if (!json_is_number(value))
            return false;
    return true;
}

static bool write_array(const json_t *array, unsigned depth, FILE *out)
{
    bool one_line = is_all_numbers(array);
    const json_t *value;
    size_t i;

    fputc('[', out);
    json_array_foreach (array, i, value) {
        if (i > 0)
            fputs(one_line ? ", " : ",", out);
        if (!one_line)
            new_line(depth + 1, out);
        if (!write_value(value, depth + 1, out))
            return false;
    }
    if (!one_line)
        new_line(depth, out);
    fputc(']', out);
    return true;
}

static bool write_object(const json_t *object, unsigned depth, FILE *out)
{
    json_t *members = (json_t *)(uintptr_t)object; /* jansson walks none that is const */
    const json_t *value;
    const char *key, *comma = "";

    if (json_object_size(object) == 0)
        return fputs("{}", out) >= 0;
    fputc('{', out);
    json_object_foreach (members, key, value) {
        fputs(comma, out);
        comma = ",";
        new_line(depth + 1, out);
        write_string(key, out);
        fputs(": ", out);
        if (!write_value(value, depth + 1, out))
            return false;
    }
    new_line(depth, out);
    fputc('}', out);
    return true;
}

static bool write_value(const json_t *value, unsigned depth, FILE *out)
{
    if (depth > DEPTH_MAX)
        return false;
    switch (json_typeof(value)) {
    case JSON_OBJECT: return write_object(value, depth, out);
    case JSON_ARRAY: return write_array(value, depth, out);
    case JSON_STRING: write_string(json_string_value(value), out); break;
    case JSON_INTEGER:
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL: write_real(json_real_value(value), out); break;
    case JSON_TRUE: fputs("true", out); break;
    case JSON_FALSE: fputs("false", out); break;
    case JSON_NULL: fputs("null", out); break;
    }
    return true;
}

bool report_draw_json(const json_t *result, const struct report_options *o, FILE *out)
{
    (void)o;
    if (!write_value(result, 0, out))
        return false;
    fputc('\n', out);
    return true;
}
