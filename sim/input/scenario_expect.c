/* Expectations: a figure of the result and its bounds. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

static const char *const levels[] = {[EXPECT_ERROR] = "error", [EXPECT_WARN] = "warn"};

/* "/hosts/work-laptop/sessions": RFC 6901, and not the whole result. */
static bool read_metric(const struct reader *r, json_t *value, const char *pointer,
                        void *target)
{
    const char *text;

    if (!reader_read_value(r, &reader_string, value, pointer, target))
        return false;
    memcpy(&text, target, sizeof text);
    if (*text != '/')
        return diag_error(r->diag, pointer,
                          "expected a JSON pointer such as \"/balance/flows/jain\"");
    for (const char *at = strchr(text, '~'); at; at = strchr(at + 1, '~'))
        if (at[1] != '0' && at[1] != '1')
            return diag_error(
                r->diag, pointer,
                "in a JSON pointer '~' is written ~0, and '/' in a name ~1");
    return true;
}

static bool read_scalar(const struct reader *r, json_t *value, const char *pointer,
                        void *target)
{
    json_t *kept =
        json_is_object(value) || json_is_array(value) ? NULL : json_incref(value);

    if (!kept)
        return diag_error(r->diag, pointer,
                          "expected a number, a string, true, false or null");
    memcpy(target, &kept, sizeof kept);
    return true;
}

static bool check_expect(const struct reader *r, void *object, const char *pointer)
{
    const struct expect_text *t = object;
    const struct scenario_expect *e = &t->expect;

    if (e->has_near != t->within_given)
        return diag_error(r->diag, pointer,
                          "missing key '%s': 'near' and 'within' go together",
                          e->has_near ? "within" : "near");
    if (!e->has_min && !e->has_max && !e->has_near && !e->equals)
        return diag_error(
            r->diag, pointer,
            "expected a bound: 'min', 'max', 'equals', or 'near' and 'within'");
    if (e->has_min && e->has_max && e->min > e->max)
        return diag_error_member(r->diag, pointer, "min", "must not exceed max, %.15g",
                                 e->max);
    return true;
}

/* clang-format off */
static const struct reader_field expect_fields[] = {
    {.name = "metric", .kind = READER_CUSTOM,
     READER_AT(struct expect_text, expect.metric),
     .custom = read_metric, .required = true,
     .schema = "{\"type\": \"string\", \"pattern\": \"^/([^~]|~[01])*$\"}",
     .doc = "JSON pointer into the result"},
    {.name = "min", .kind = READER_NUMBER, READER_AT(struct expect_text, expect.min),
     READER_GIVEN(struct expect_text, expect.has_min), .doc = "no less"},
    {.name = "max", .kind = READER_NUMBER, READER_AT(struct expect_text, expect.max),
     READER_GIVEN(struct expect_text, expect.has_max), .doc = "no more"},
    {.name = "near", .kind = READER_NUMBER, READER_AT(struct expect_text, expect.near),
     READER_GIVEN(struct expect_text, expect.has_near), .doc = "about this, by 'within'"},
    {.name = "within", .kind = READER_NUMBER,
     READER_AT(struct expect_text, expect.within),
     READER_GIVEN(struct expect_text, within_given), .lowest = 0, .highest = HUGE_VAL,
     .doc = "how far from 'near'"},
    {.name = "equals", .kind = READER_CUSTOM,
     READER_AT(struct expect_text, expect.equals),
     .custom = read_scalar,
     .schema = "{\"type\": [\"number\", \"string\", \"boolean\", \"null\"]}",
     .doc = "exactly this"},
    {.name = "level", .kind = READER_ENUM, READER_AT(struct expect_text, expect.level),
     READER_NAMES(levels), .by_default = "error", .doc = "warn: told, but not a failure"},
    {.name = "because", .kind = READER_STRING,
     READER_AT(struct expect_text, expect.because),
     .doc = "why it matters"},
    READER_END,
};
/* clang-format on */

const struct reader_object expect_object = {
    .name = "expect",
    .doc = "what the result must show",
    READER_STRUCT(struct expect_text),
    .fields = expect_fields,
    .pointer = READER_OFFSET(struct expect_text, expect.pointer),
    .check = check_expect,
};

void scenario_expects_build(struct scenario_reading *s, const struct expect_text *texts,
                            size_t len)
{
    struct scenario_expect *expects = arena_alloc(s->reader.arena, len, sizeof *expects);

    for (size_t i = 0; i < len; i++)
        expects[i] = texts[i].expect;
    s->scenario->expect = expects;
    s->scenario->expect_len = len;
}
