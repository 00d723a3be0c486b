/* What the command line changes in a scenario: --set POINTER=VALUE, --pcap FILE. */
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

/* ---- one step along a pointer ---- */

/* The token at *at, unescaped and allocated; *at then is at the next '/' or the end. */
static char *token_take(const char **at)
{
    const size_t length = strcspn(*at, "/");
    char *token = mem_alloc(length + 1, 1), *out = token;

    for (size_t i = 0; i < length; i++) {
        char c = (*at)[i];

        if (c == '~' && i + 1 < length && ((*at)[i + 1] == '0' || (*at)[i + 1] == '1'))
            c = (*at)[++i] == '0' ? '~' : '/';
        *out++ = c;
    }
    *at += length;
    return token;
}

/* An index of the array without leading zeroes; false for what is none. */
static bool parse_index(const char *token, size_t *index)
{
    size_t value = 0;

    if (*token == '\0' || strlen(token) > 9 || (token[0] == '0' && token[1] != '\0'))
        return false;
    for (; *token; token++) {
        if (*token < '0' || *token > '9')
            return false;
        value = value * 10 + (size_t)(*token - '0');
    }
    *index = value;
    return true;
}

static json_t *step_into(json_t *parent, const char *token)
{
    size_t index;

    if (json_is_object(parent))
        return json_object_get(parent, token);
    return parse_index(token, &index) ? json_array_get(parent, index) : NULL;
}

/* Replace the member, or add it: to an object under its name, to an array at its end. */
static bool member_set(json_t *parent, const char *token, json_t *value)
{
    size_t index;

    if (json_is_object(parent))
        return json_object_set(parent, token, value) == 0;
    if (!json_is_array(parent))
        return false;
    if (strcmp(token, "-") == 0)
        return json_array_append(parent, value) == 0;
    if (!parse_index(token, &index) || index > json_array_size(parent))
        return false;
    return index < json_array_size(parent) ? json_array_set(parent, index, value) == 0
                                           : json_array_append(parent, value) == 0;
}

static bool pointer_set(json_t *root, const char *pointer, json_t *value)
{
    json_t *parent = root;
    bool ok = false;

    while (parent && *pointer == '/') {
        char *token;

        pointer++;
        token = token_take(&pointer);
        if (*pointer == '\0')
            ok = member_set(parent, token, value);
        else
            parent = step_into(parent, token);
        mem_free(token);
    }
    return ok;
}

/* ---- --set ---- */

/* JSON, or a plain string; NULL when it is not even UTF-8. */
static json_t *value_of(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

    return value ? value : json_string(text);
}

static bool apply_set(struct scenario_reading *s, json_t *root, const char *set)
{
    const char *equals = strchr(set, '=');
    char *pointer;
    json_t *value;
    bool ok = false;

    if (*set != '/' || !equals)
        return diag_error(s->reader.diag, NULL,
                          "--set %s: expected POINTER=VALUE, as /router/hash/seed=7",
                          set);
    value = value_of(equals + 1);
    if (!value)
        return diag_error(s->reader.diag, NULL, "--set %s: the value is no UTF-8", set);
    pointer = mem_alloc((size_t)(equals - set) + 1, 1);
    memcpy(pointer, set, (size_t)(equals - set));
    if (pointer_set(root, pointer, value))
        ok = true;
    else
        diag_error(s->reader.diag, NULL, "--set %s: the scenario has nothing there", set);
    mem_free(pointer);
    json_decref(value);
    return ok;
}

/* ---- --pcap ---- */

/* Of one capture only the file changes; else that capture is all the traffic. */
static void apply_pcap(json_t *root, const char *file)
{
    const json_t *traffic = json_object_get(root, "traffic");
    json_t *only = json_array_get(traffic, 0);
    const char *kind = json_string_value(json_object_get(only, "kind"));

    if (json_array_size(traffic) == 1 && kind && strcmp(kind, "pcap") == 0) {
        json_object_set_new(only, "file", json_string_nocheck(file));
        return;
    }
    json_object_set_new(
        root, "traffic",
        json_pack("[{ss,so}]", "kind", "pcap", "file", json_string_nocheck(file)));
}

bool scenario_apply_changes(struct scenario_reading *s, json_t *root)
{
    const struct scenario_changes *c = s->changes;
    bool ok = true;

    for (size_t i = 0; i < c->set_len; i++)
        ok = apply_set(s, root, c->set[i]) && ok;
    if (c->pcap)
        apply_pcap(root, c->pcap);
    return ok;
}
