/* Routes and rules by their place: a comment, or an index. */
#include <string.h>

#include "core/memory.h"
#include "sim/input/nearest.h"
#include "sim/input/scenario_parts.h"

static bool find_comment(struct scenario_reading *s, const struct scenario_targets *t,
                         const char *comment, const char *pointer, const char *key,
                         size_t *index)
{
    struct nearest near = nearest_start(comment);
    size_t found = 0;

    for (size_t i = t->len; i-- > 0;) {
        nearest_offer(&near, t->comments[i]);
        if (!t->comments[i] || strcmp(t->comments[i], comment) != 0)
            continue;
        *index = i;
        found++;
    }
    if (found == 1)
        return true;
    if (found > 1)
        return diag_error_member(s->reader.diag, pointer, key,
                                 "%zu %ss have the comment '%s'; name one by its index",
                                 found, t->what, comment);
    if (near.name)
        return diag_error_member(s->reader.diag, pointer, key,
                                 "no %s has the comment '%s'; did you mean '%s'?",
                                 t->what, comment, near.name);
    return diag_error_member(s->reader.diag, pointer, key, "no %s has the comment '%s'",
                             t->what, comment);
}

bool scenario_place_find(struct scenario_reading *s, const struct scenario_targets *t,
                       const struct place_text *place, const char *pointer,
                       const char *key, size_t *index)
{
    *index = place->index;
    if (place->comment)
        return find_comment(s, t, place->comment, pointer, key, index);
    if (place->index < t->len_of_file)
        return true;
    return diag_error_member(s->reader.diag, pointer, key,
                             "no %s %zu: the router has %zu, counted from 0", t->what,
                             place->index, t->len_of_file);
}

struct scenario_targets scenario_route_targets(struct scenario_reading *s, size_t len_of_file)
{
    const struct router_config *c = &s->scenario->router;
    struct scenario_targets t = {"route", NULL, c->routes_len, len_of_file};

    t.comments = arena_alloc(s->reader.arena, t.len, sizeof *t.comments);
    for (size_t i = 0; i < t.len; i++)
        t.comments[i] = c->routes[i].comment;
    return t;
}

struct scenario_targets scenario_rule_targets(struct scenario_reading *s, size_t len_of_file)
{
    const struct router_config *c = &s->scenario->router;
    struct scenario_targets t = {"rule", NULL, c->rules_len, len_of_file};

    t.comments = arena_alloc(s->reader.arena, t.len, sizeof *t.comments);
    for (size_t i = 0; i < t.len; i++)
        t.comments[i] = c->rules[i].comment;
    return t;
}
