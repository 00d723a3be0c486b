#include "sim/input/reader_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/addr.h"
#include "sim/input/nearest.h"
#include "sim/input/units.h"

const char *reader_text(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at)
{
    const char *text = json_string_value(v);

    if (!text) {
        reader_fail_type(r, f, at, v);
        return NULL;
    }
    if (strlen(text) != json_string_length(v)) {
        reader_fail(r, at, "a string must not hold the character U+0000");
        return NULL;
    }
    return text;
}

static size_t character_count(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

bool reader_read_string(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at, void *base)
{
    const char *text = reader_text(r, f, v, at);

    if (!text || !reader_check_count(r, f, at, character_count(text), "character"))
        return false;
    text = arena_strdup(r->arena, text);
    memcpy(reader_target(f, base), &text, sizeof text);
    return true;
}

bool reader_read_bool(const struct reader *r, const struct reader_field *f, json_t *v,
                      const struct reader_step *at, void *base)
{
    bool value = json_is_true(v);

    if (!json_is_boolean(v))
        return reader_fail_type(r, f, at, v);
    memcpy(reader_target(f, base), &value, sizeof value);
    return true;
}

/* Two's complement, so that signed and unsigned targets are the same bytes. */
static void store_int(int64_t value, void *target, size_t size)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    const void *bytes = size == 1   ? (const void *)&u8
                        : size == 2 ? (const void *)&u16
                        : size == 4 ? (const void *)&u32
                                    : (const void *)&value;

    assert(size == 1 || size == 2 || size == 4 || size == 8);
    memcpy(target, bytes, size);
}

/* Can a target of so many bytes hold min..max? As unsigned when min is not negative. */
static bool size_holds(size_t size, int64_t min, int64_t max)
{
    unsigned bits = 8 * (unsigned)size;

    if (size >= sizeof(int64_t))
        return true;
    if (min >= 0)
        return max < INT64_C(1) << bits;
    return min >= -(INT64_C(1) << (bits - 1)) && max < INT64_C(1) << (bits - 1);
}

bool reader_read_int(const struct reader *r, const struct reader_field *f, json_t *v,
                     const struct reader_step *at, void *base)
{
    const double exact = 9007199254740992.0; /* 2^53: doubles tell integers up to here */
    double real = json_real_value(v);
    int64_t value = json_integer_value(v);
    char got[READER_BOUND_MAX];

    assert(size_holds(f->size, f->min, reader_field_max(f)));
    if (!json_is_number(v))
        return reader_fail_type(r, f, at, v);
    if (json_is_real(v)) {
        snprintf(got, sizeof got, "%.15g", real);
        if (fabs(real) > exact || floor(real) < real)
            return reader_fail_meaning(r, f, at, got);
        value = (int64_t)real; /* 1.0 and 1e6 are whole, as JSON Schema has it */
    }
    if (!reader_check_bounds(r, f, at, value, NULL, reader_format(f->kind, value, got)))
        return false;
    store_int(value, reader_target(f, base), f->size);
    return true;
}

bool reader_read_number(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at, void *base)
{
    double value = json_number_value(v);
    bool has_lowest = reader_field_has_lowest(f),
         has_highest = reader_field_has_highest(f);
    char low[READER_BOUND_MAX], high[READER_BOUND_MAX], got[READER_BOUND_MAX];

    if (!json_is_number(v))
        return reader_fail_type(r, f, at, v);
    if ((has_lowest && (f->above_min ? value <= f->lowest : value < f->lowest)) ||
        (has_highest && value > f->highest)) {
        snprintf(low, sizeof low, "%.15g", f->lowest);
        snprintf(high, sizeof high, "%.15g", f->highest);
        snprintf(got, sizeof got, "%.15g", value);
        return reader_fail_bounds(r, at, has_lowest ? low : NULL, f->above_min,
                                  has_highest ? high : NULL, NULL, got);
    }
    memcpy(reader_target(f, base), &value, sizeof value);
    return true;
}

bool reader_read_duration(const struct reader *r, const struct reader_field *f, json_t *v,
                          const struct reader_step *at, void *base)
{
    const char *text = reader_text(r, f, v, at);
    char quoted[READER_QUOTE_MAX];
    int64_t ns;

    if (!text)
        return false;
    if (!units_parse_duration(text, &ns))
        return reader_fail_text(r, f, at, text);
    if (!reader_check_bounds(r, f, at, ns, NULL, reader_quote(text, quoted)))
        return false;
    memcpy(reader_target(f, base), &ns, sizeof ns);
    return true;
}

bool reader_read_rate(const struct reader *r, const struct reader_field *f, json_t *v,
                      const struct reader_step *at, void *base)
{
    const char *text = reader_text(r, f, v, at);
    char quoted[READER_QUOTE_MAX];
    uint64_t bps;

    if (!text)
        return false;
    if (!units_parse_rate(text, &bps) || bps > INT64_MAX)
        return reader_fail_text(r, f, at, text);
    if (!reader_check_bounds(r, f, at, (int64_t)bps, NULL, reader_quote(text, quoted)))
        return false;
    memcpy(reader_target(f, base), &bps, sizeof bps);
    return true;
}

bool reader_read_addr(const struct reader *r, const struct reader_field *f, json_t *v,
                      const struct reader_step *at, void *base)
{
    const char *text = reader_text(r, f, v, at);
    struct addr addr = {.family = FAMILY_NONE};

    if (!text)
        return false;
    if (!addr_parse(text, &addr))
        return reader_fail_text(r, f, at, text);
    memcpy(reader_target(f, base), &addr, sizeof addr);
    return true;
}

bool reader_read_prefix(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at, void *base)
{
    const char *text = reader_text(r, f, v, at);
    struct prefix prefix, cleared;
    char wanted[PREFIX_TEXT_MAX];

    if (!text)
        return false;
    if (!prefix_parse(text, &prefix))
        return reader_fail_text(r, f, at, text);
    if (f->length_needed && !strchr(text, '/'))
        return reader_fail(r, at, "lacks the length of its network, expected one such as"
                                  " \"%s/%u\"", text, prefix.length == 32 ? 24u : 64u);
    cleared = prefix_of(&prefix.addr, prefix.length);
    if (f->host_bits == READER_HOST_BITS_REFUSED && !prefix_equal(&prefix, &cleared))
        return reader_fail(r, at,
                           "bits are set behind the prefix length, expected \"%s\"",
                           prefix_format(&cleared, wanted));
    if (f->host_bits == READER_HOST_BITS_CLEARED)
        prefix = cleared;
    memcpy(reader_target(f, base), &prefix, sizeof prefix);
    return true;
}

static bool fail_name(const struct reader *r, const struct reader_field *f,
                      const struct reader_step *at, const char *text)
{
    char quoted[READER_QUOTE_MAX];
    struct nearest near = nearest_start(text);
    const char *name;

    if (diag_is_full(r->diag)) /* spare the search */
        return reader_fail(r, at, "unknown value");
    for (size_t i = 0; (name = reader_field_name_from(f, &i)); i++)
        nearest_offer(&near, name);
    if (!near.name)
        return reader_fail_text(r, f, at, text);
    return reader_fail(r, at, "unknown value %s; did you mean '%s'?",
                       reader_quote(text, quoted), near.name);
}

bool reader_read_enum(const struct reader *r, const struct reader_field *f, json_t *v,
                      const struct reader_step *at, void *base)
{
    const char *text = reader_text(r, f, v, at), *name;

    if (!text)
        return false;
    for (size_t i = 0; (name = reader_field_name_from(f, &i)); i++) {
        if (strcmp(name, text) != 0)
            continue;
        assert(size_holds(f->size, 0, (int64_t)i));
        store_int((int64_t)i, reader_target(f, base), f->size);
        return true;
    }
    return fail_name(r, f, at, text);
}
