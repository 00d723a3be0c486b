#include "sim/observe/expect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_MAX = 1024, ERROR_MAX = 128 };

/* ---------------------------------------------------------------------------- pointer */

/* Read the token behind a '/', unescaped; the text behind it, NULL when it is
 * malformed. */
static const char *read_token(const char *text, char *token)
{
    size_t n = 0;

    for (; *text && *text != '/'; text++) {
        char c = *text;

        if (c == '~') {
            text++;
            if (*text != '0' && *text != '1')
                return NULL;
            c = *text == '0' ? '~' : '/';
        }
        if (n + 1 == TOKEN_MAX)
            return NULL;
        token[n++] = c;
    }
    token[n] = '\0';
    return text;
}

/* "0" or a number without leading zeros. */
static bool token_is_index(const char *token, size_t *index)
{
    const size_t length = strlen(token);

    if (length == 0 || length > 9 || strspn(token, "0123456789") != length ||
        (token[0] == '0' && length > 1))
        return false;
    *index = 0;
    for (size_t i = 0; i < length; i++)
        *index = *index * 10 + (size_t)(token[i] - '0');
    return true;
}

static json_t *element(json_t *array, const char *token)
{
    size_t index;

    if (token_is_index(token, &index))
        return json_array_get(array, index);
    for (index = 0; index < json_array_size(array); index++) {
        json_t *e = json_array_get(array, index);
        const char *name = json_string_value(json_object_get(e, "name"));

        if (name && strcmp(name, token) == 0)
            return e;
    }
    return NULL;
}

json_t *expect_find(json_t *document, const char *pointer)
{
    char token[TOKEN_MAX];
    json_t *at = document;

    while (at && *pointer) {
        if (*pointer != '/' || !(pointer = read_token(pointer + 1, token)))
            return NULL;
        at = json_is_array(at) ? element(at, token) : json_object_get(at, token);
    }
    return at;
}

/* ---------------------------------------------------------------------------- judging */

static bool is_equal(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) <= 0;
    return json_equal(a, b);
}

static bool holds(const struct scenario_expect *e, const json_t *value)
{
    const double v = json_number_value(value);

    return !(e->has_min && v < e->min) && !(e->has_max && v > e->max) &&
           !(e->has_near && fabs(v - e->near) > e->within) &&
           !(e->equals && !is_equal(e->equals, value));
}

/* What keeps the expectation from being judged; NULL: nothing does. */
static const char *why_not_judged(const struct scenario_expect *e, const json_t *value)
{
    if (!value)
        return "the result has no such figure";
    if (json_is_object(value) || json_is_array(value))
        return "this is no single figure but a part of the result";
    if ((e->has_min || e->has_max || e->has_near) && json_is_null(value))
        return "there is no number: it did not happen";
    if ((e->has_min || e->has_max || e->has_near) && !json_is_number(value))
        return "this is no number";
    return NULL;
}

/* A bound as people write it: 0, not 0.0. */
static json_t *bound(double v)
{
    const bool is_whole = fabs(v) < 1e15 && fabs(v - floor(v)) <= 0;

    return is_whole ? json_integer((json_int_t)v) : json_real(v);
}

static bool judge(const struct scenario_expect *e, json_t *result, json_t *verdict)
{
    json_t *value = expect_find(result, e->metric);
    const char *error = why_not_judged(e, value);
    const bool pass = !error && holds(e, value);

    json_object_set_new(verdict, "metric", json_string(e->metric));
    if (value && !json_is_object(value) && !json_is_array(value))
        json_object_set(verdict, "value", value);
    if (e->has_min)
        json_object_set_new(verdict, "min", bound(e->min));
    if (e->has_max)
        json_object_set_new(verdict, "max", bound(e->max));
    if (e->equals)
        json_object_set(verdict, "equals", e->equals);
    if (e->has_near) {
        json_object_set_new(verdict, "near", bound(e->near));
        json_object_set_new(verdict, "within", bound(e->within));
    }
    json_object_set_new(verdict, "level",
                        json_string(e->level == EXPECT_WARN ? "warn" : "error"));
    json_object_set_new(verdict, "pass", json_boolean(pass));
    if (e->because)
        json_object_set_new(verdict, "because", json_string(e->because));
    if (error)
        json_object_set_new(verdict, "error", json_string(error));
    return pass || (!error && e->level == EXPECT_WARN);
}

bool expect_judge(const struct scenario *s, json_t *result)
{
    json_t *verdicts = json_array();
    bool all = true;

    for (size_t i = 0; i < s->expect_len; i++) {
        json_t *verdict = json_object();

        all = judge(&s->expect[i], result, verdict) && all;
        json_array_append_new(verdicts, verdict);
    }
    json_object_set_new(result, "expect", verdicts);
    return all;
}
