#include "sim/report/human.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Ranges of code points, ends included. */
struct range {
    uint32_t first, last;
};

/* Combining marks and joiners: they take no column of their own. */
static const struct range narrow[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
    {0x64b, 0x65f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

/* Source: Unicode Standard Annex #11, East Asian Width: W and F, in whole blocks. */
static const struct range wide[] = {
    {0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};

/* What a terminal obeys or what makes text read other than it is: C0, DEL, C1,
 * separators, marks of direction, invisible letters, and what XML cannot hold. */
static const struct range unprintable[] = {
    {0x0, 0x1f},      {0x7f, 0x9f},       {0xad, 0xad},     {0x200b, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    {0xfffe, 0xffff}, {0xe0000, 0xe0fff},
};

#define IS_IN(ranges, code) is_in(ranges, sizeof(ranges) / sizeof(ranges)[0], code)

static bool is_in(const struct range *ranges, size_t len, uint32_t code)
{
    for (size_t i = 0; i < len; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* One character of UTF-8; what is none is one byte, and reads as U+0080. */
static size_t decode(const char *s, uint32_t *code)
{
    unsigned char first = (unsigned char)*s;
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    *code = first;
    if (length == 1)
        return first != 0;
    *code = 0x80;
    if (first < 0xc2 || first > 0xf4)
        return 1;
    uint32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | ((unsigned char)s[i] & 0x3fu);
    }
    *code = value;
    return length;
}

size_t human_character(const char *s, size_t *columns)
{
    uint32_t code;
    size_t length = decode(s, &code);

    *columns = length == 0 || IS_IN(narrow, code) ? 0 : IS_IN(wide, code) ? 2 : 1;
    return length;
}

size_t human_columns(const char *s)
{
    size_t sum = 0, columns, length;

    for (; (length = human_character(s, &columns)) > 0; s += length)
        sum += columns;
    return sum;
}

/* The character at `s` as it is printed, at most 7 bytes. Returns its bytes in `s`. */
static size_t printable(const char *s, char out[12])
{
    uint32_t code;
    size_t length = decode(s, &code);

    if (IS_IN(unprintable, code) && length > 0) {
        snprintf(out, 12, "\\u%04x",
                 (unsigned)(code == 0x80 && length == 1 ? 0xfffd : code));
        return length;
    }
    memcpy(out, s, length);
    out[length] = '\0';
    return length;
}

struct human_name human_name(const char *name, size_t columns)
{
    struct human_name shown = {.text = ""};
    size_t used = 0, bytes = 0, fits = 0; /* `fits`: bytes with room for ".." behind */

    if (!name)
        name = "?";
    if (columns > HUMAN_COLUMNS_MAX)
        columns = HUMAN_COLUMNS_MAX;
    while (*name) {
        char next[12];

        name += printable(name, next);
        size_t width = human_columns(next), length = strlen(next);
        if (used + width > columns || bytes + length + 4 > sizeof shown.text) {
            snprintf(shown.text + fits, sizeof shown.text - fits, "%.*s",
                     (int)(columns < 2 ? columns : 2), "..");
            return shown;
        }
        memcpy(shown.text + bytes, next, length + 1);
        bytes += length;
        used += width;
        if (used + 2 <= columns)
            fits = bytes;
    }
    return shown;
}

struct human_name human_cell(const char *name, size_t columns)
{
    struct human_name cell = human_name(name, columns);
    size_t used = human_columns(cell.text), length = strlen(cell.text);

    if (columns > HUMAN_COLUMNS_MAX)
        columns = HUMAN_COLUMNS_MAX;
    for (; used < columns && length + 1 < sizeof cell.text; used++)
        cell.text[length++] = ' ';
    cell.text[length] = '\0';
    return cell;
}

/* Three digits, and a prefix of the SI before the unit. */
static struct human scaled(double value, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    struct human h;
    size_t i = 0;

    for (; fabs(value) >= 999.5 && i + 1 < sizeof prefixes / sizeof prefixes[0]; i++)
        value /= 1000;
    int decimals = i == 0 || fabs(value) >= 99.95 ? 0 : fabs(value) >= 9.995 ? 1 : 2;
    if (fabs(value) >= 1e6)
        snprintf(h.text, sizeof h.text, "%.3g %s%s", value, prefixes[i], unit);
    else
        snprintf(h.text, sizeof h.text, "%.*f %s%s", decimals, value, prefixes[i], unit);
    return h;
}

struct human human_count(double count)
{
    struct human h;

    if (fabs(count) >= 100000)
        return scaled(count, "");
    snprintf(h.text, sizeof h.text, "%.0f", count);
    return h;
}

struct human human_bytes(double bytes)
{
    return scaled(bytes, "B");
}

struct human human_share(double share)
{
    struct human h;
    double percent = share * 100;

    if (percent > 0 && percent < 0.1)
        snprintf(h.text, sizeof h.text, "<0.1 %%");
    else if (percent > 99.9 && percent < 100)
        snprintf(h.text, sizeof h.text, ">99.9 %%");
    else if (percent == 0 || fabs(percent) >= 1e6)
        snprintf(h.text, sizeof h.text, "%.3g %%", percent);
    else
        snprintf(h.text, sizeof h.text, fabs(percent) >= 99.95 ? "%.0f %%" : "%.1f %%",
                 percent);
    return h;
}

/* Hours, minutes and seconds that are whole. */
static struct human long_span(double seconds)
{
    struct human h;
    unsigned long long s = (unsigned long long)llround(seconds);

    if (s < 3600 && s % 60 != 0)
        snprintf(h.text, sizeof h.text, "%llu min %llu s", s / 60, s % 60);
    else if (s < 3600)
        snprintf(h.text, sizeof h.text, "%llu min", s / 60);
    else if ((s + 30) / 60 % 60 != 0)
        snprintf(h.text, sizeof h.text, "%llu h %llu min", (s + 30) / 3600,
                 (s + 30) / 60 % 60);
    else
        snprintf(h.text, sizeof h.text, "%llu h", (s + 30) / 3600);
    return h;
}

struct human human_span(double seconds)
{
    struct human h;
    double size = fabs(seconds);

    if (size == 0)
        snprintf(h.text, sizeof h.text, "0 s");
    else if (size < 0.0009995)
        snprintf(h.text, sizeof h.text, "%.3g us", seconds * 1e6);
    else if (size < 0.9995)
        snprintf(h.text, sizeof h.text, "%.3g ms", seconds * 1e3);
    else if (size < 120)
        snprintf(h.text, sizeof h.text, "%.3g s", seconds);
    else if (seconds > 0 && seconds < 1e9)
        return long_span(seconds);
    else
        snprintf(h.text, sizeof h.text, "%.3g s", seconds);
    return h;
}

struct human human_instant(double seconds)
{
    struct human h;

    if (seconds < 999.95) {
        snprintf(h.text, sizeof h.text, fabs(seconds) < 1e6 ? "%.1f s" : "%.3g s",
                 seconds);
        return h;
    }
    if (!(seconds < 1e12)) {
        snprintf(h.text, sizeof h.text, "%.3g s", seconds);
        return h;
    }
    unsigned long long s = (unsigned long long)llround(seconds);
    snprintf(h.text, sizeof h.text, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    return h;
}

struct human human_figure(double value)
{
    struct human h;

    if (fabs(value) < 1e15 && value == floor(value))
        snprintf(h.text, sizeof h.text, "%.0f", value);
    else
        snprintf(h.text, sizeof h.text, "%.*g", fabs(value) >= 100 ? 6 : 4, value);
    return h;
}
