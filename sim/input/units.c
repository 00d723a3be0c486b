#include "sim/input/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

struct unit {
    const char *name;
    uint64_t worth; /* in nanoseconds, bit/s or bytes */
};

static const struct unit durations[] = {
    {"w", UINT64_C(604800000000000)},
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},
    {"us", UINT64_C(1000)},
    {"ns", UINT64_C(1)},
    {NULL, 0},
};

static const struct unit rates[] = {
    {"T", UINT64_C(1000000000000)}, {"G", UINT64_C(1000000000)}, {"M", UINT64_C(1000000)},
    {"k", UINT64_C(1000)},          {"", UINT64_C(1)},           {NULL, 0},
};

static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40},
    {"TB", UINT64_C(1000000000000)},
    {"GiB", UINT64_C(1) << 30},
    {"GB", UINT64_C(1000000000)},
    {"MiB", UINT64_C(1) << 20},
    {"MB", UINT64_C(1000000)},
    {"KiB", UINT64_C(1) << 10},
    {"kB", UINT64_C(1000)},
    {"B", UINT64_C(1)},
    {NULL, 0},
};

/* The parts of "12.5s" */
struct quantity {
    const char *whole, *fraction, *unit;
    size_t whole_length, fraction_length, unit_length;
};

/* Take one number and the letters behind it from *text; false when no number is there. */
static bool take_quantity(const char **text, struct quantity *q)
{
    const char *at = *text;

    *q = (struct quantity){.whole = at, .whole_length = strspn(at, DIGITS)};
    at += q->whole_length;
    if (q->whole_length == 0)
        return false;
    if (*at == '.') {
        q->fraction = ++at;
        q->fraction_length = strspn(at, DIGITS);
        at += q->fraction_length;
        if (q->fraction_length == 0)
            return false;
    }
    q->unit = at;
    q->unit_length = strcspn(at, DIGITS ".");
    *text = at + q->unit_length;
    return true;
}

/* *sum += digit * worth, unless that is more than `max`. */
static bool add_digits(uint64_t *sum, uint64_t digit, uint64_t worth, uint64_t max)
{
    if (digit != 0 && worth > (max - *sum) / digit)
        return false;
    *sum += digit * worth;
    return true;
}

/* *total += the quantity; false when it is not whole or the total exceeds `max`. */
static bool add_quantity(const struct quantity *q, uint64_t worth, uint64_t max,
                         uint64_t *total)
{
    uint64_t whole = 0;

    for (size_t i = 0; i < q->whole_length; i++) {
        if (whole > max / 10)
            return false;
        whole *= 10;
        if (!add_digits(&whole, (uint64_t)(q->whole[i] - '0'), 1, max))
            return false;
    }
    if (!add_digits(total, whole, worth, max))
        return false;

    for (size_t i = 0; i < q->fraction_length; i++) {
        uint64_t digit = (uint64_t)(q->fraction[i] - '0');

        worth = worth % 10 == 0 ? worth / 10 : 0; /* 0: finer than the unit's own */
        if (digit != 0 && worth == 0)
            return false;
        if (!add_digits(total, digit, worth, max))
            return false;
    }
    return true;
}

/* The unit of the quantity, `from` or later in the table, or NULL. */
static const struct unit *find_unit(const struct quantity *q, const struct unit *from)
{
    for (; from->name; from++)
        if (strlen(from->name) == q->unit_length &&
            memcmp(from->name, q->unit, q->unit_length) == 0)
            return from;
    return NULL;
}

bool units_parse_duration(const char *text, int64_t *ns)
{
    const struct unit *next = durations;
    uint64_t total = 0;

    do {
        struct quantity q;
        const struct unit *unit;

        if (!take_quantity(&text, &q))
            return false;
        unit = find_unit(&q, next);
        if (!unit || (q.fraction && *text != '\0') ||
            !add_quantity(&q, unit->worth, INT64_MAX, &total))
            return false;
        next = unit + 1;
    } while (*text != '\0');
    *ns = (int64_t)total;
    return true;
}

/* One number and one unit, to the end of the text. */
static bool parse_one(const char *text, const struct unit *units, uint64_t *value)
{
    struct quantity q;
    const struct unit *unit;
    uint64_t total = 0;

    if (!take_quantity(&text, &q) || *text != '\0')
        return false;
    unit = find_unit(&q, units);
    if (!unit || !add_quantity(&q, unit->worth, UINT64_MAX, &total))
        return false;
    *value = total;
    return true;
}

bool units_parse_rate(const char *text, uint64_t *bps)
{
    return parse_one(text, rates, bps);
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
    return parse_one(text, sizes, bytes);
}

static char *format(uint64_t value, const struct unit *units, const struct unit *zero,
                    char *buf)
{
    const struct unit *unit = value == 0 ? zero : units;

    while (value % unit->worth != 0)
        unit++;
    snprintf(buf, UNITS_TEXT_MAX, "%" PRIu64 "%s", value / unit->worth, unit->name);
    return buf;
}

char *units_format_duration(int64_t ns, char *buf)
{
    return format((uint64_t)ns, durations, &durations[4], buf);
}

char *units_format_rate(uint64_t bps, char *buf)
{
    return format(bps, rates, &rates[4], buf);
}
