/* Lists of names, and the nearest one to a wrong one. */
#include <string.h>

#include "core/memory.h"
#include "sim/input/jsonplace.h"
#include "sim/input/nearest.h"
#include "sim/input/scenario_parts.h"

struct scenario_names scenario_names_make(struct scenario_reading *s, const char *what,
                                          size_t len)
{
    return (struct scenario_names){
        .what = what,
        .names = arena_alloc(s->reader.arena, len, sizeof(char *)),
        .len = len,
        .complete = true,
    };
}

enum { LISTED_MAX = 200 };

/* "'main', 'ecmp'", with "..." behind what is too long a list. */
static void list_names(const struct scenario_names *names, char buf[LISTED_MAX])
{
    size_t length = 0;

    *buf = '\0';
    for (size_t i = 0; i < names->len; i++) {
        const char *comma = length > 0 ? ", " : "";

        if (!names->names[i])
            continue;
        if (length + strlen(comma) + strlen(names->names[i]) + sizeof "'', ..." >
            LISTED_MAX) {
            snprintf(buf + length, LISTED_MAX - length, "%s...", comma);
            return;
        }
        length += (size_t)snprintf(buf + length, LISTED_MAX - length, "%s'%s'", comma,
                                   names->names[i]);
    }
}

bool scenario_name_miss(struct scenario_reading *s, const struct scenario_names *names,
                        const char *word, const char *pointer)
{
    struct nearest near = nearest_start(word);
    char known[LISTED_MAX];

    for (size_t i = 0; i < names->len; i++)
        nearest_offer(&near, names->names[i]);
    if (near.name)
        return diag_error(s->reader.diag, pointer, "no %s '%s'; did you mean '%s'?",
                          names->what, word, near.name);
    list_names(names, known);
    if (*known)
        return diag_error(s->reader.diag, pointer, "no %s '%s'; known are %s",
                          names->what, word, known);
    return diag_error(s->reader.diag, pointer, "no %s '%s'; there is none", names->what,
                      word);
}

int scenario_name_index(const struct scenario_names *names, const char *word)
{
    for (size_t i = 0; i < names->len; i++)
        if (names->names[i] && strcmp(names->names[i], word) == 0)
            return (int)i;
    return -1;
}

/* The pointer of a member, allocated. */
static char *member_pointer(const char *pointer, const char *key)
{
    const size_t length = strlen(pointer);
    char *member = mem_alloc(length + 1 + jsonplace_token_length(key) + 1, 1);

    memcpy(member, pointer, length);
    member[length] = '/';
    *jsonplace_token_write(member + length + 1, key) = '\0';
    return member;
}

int scenario_name_find(struct scenario_reading *s, const struct scenario_names *names,
                       const char *word, const char *pointer, const char *key)
{
    int index = word ? scenario_name_index(names, word) : -1;
    char *member;

    if (!word || index >= 0 || !names->complete)
        return index;
    if (diag_is_full(s->reader.diag)) { /* spare the search */
        diag_error(s->reader.diag, NULL, "no such name");
        return -1;
    }
    member = member_pointer(pointer, key);
    scenario_name_miss(s, names, word, member);
    mem_free(member);
    return -1;
}

void scenario_names_check(struct scenario_reading *s, const struct scenario_names *names,
                          const char *list, const char *member)
{
    for (size_t i = 1; i < names->len; i++)
        for (size_t k = 0; k < i && names->names[i]; k++) {
            char pointer[SCENARIO_POINTER_MAX];

            if (!names->names[k] || strcmp(names->names[i], names->names[k]) != 0)
                continue;
            snprintf(pointer, sizeof pointer, "%s/%zu%s", list, i, member);
            diag_error(s->reader.diag, pointer, "there is already one %s '%s'",
                       names->what, names->names[i]);
            break;
        }
}

const char *scenario_family_name(unsigned family)
{
    return family == FAMILY_V4 ? "IPv4" : "IPv6";
}

bool scenario_read_one_or_many(const struct reader *r, const struct reader_field *many,
                               json_t *value, const char *pointer, struct strings_text *t)
{
    t->is_array = json_is_array(value);
    if (!json_is_string(value))
        return reader_read_value(r, many, value, pointer, t);
    t->items = arena_alloc(r->arena, 1, sizeof *t->items);
    t->len = 1;
    return reader_read_value(r, &reader_string, value, pointer, t->items);
}
