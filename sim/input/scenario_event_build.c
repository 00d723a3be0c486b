/*
 * Events, in the order of their time.
 *
 * What an event adds is a route or a rule like those of the file; it stands behind them in
 * the router's configuration, disabled until its time has come.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

/* ---- what comes and goes ---- */

/* All that building the events needs to know. */
struct building {
    struct scenario_reading *s;
    struct scenario_targets routes, rules;
    size_t next_route, next_rule; /* of those that events add */
    struct rule_insertion *insertions;
    size_t insertions_len;
    struct renumber renumber;
};

static void rule_added(struct building *b, const struct event_text *t, size_t added)
{
    struct rule_insertion *insertion = &b->insertions[b->insertions_len++];
    const char *pointer = t->event.pointer;

    *insertion = (struct rule_insertion){.added = added, .before = SIZE_MAX};
    if (!t->before_given)
        return;
    if (b->s->platform == PLATFORM_LINUX) {
        diag_error_member(b->s->reader.diag, pointer, "before",
                          "only for platform 'routeros7': a Linux rule has a priority");
        return;
    }
    if (!scenario_place_find(b->s, &b->rules, &t->before, pointer, "before", &insertion->before))
        insertion->before = SIZE_MAX;
    else if (insertion->before >= b->rules.len_of_file)
        diag_error_member(
            b->s->reader.diag, pointer, "before",
            "expected one of the router's own rules, not one that an event adds");
}

/* Added ones are numbered in the order of the file, whatever else is wrong with an event. */
static void target_build(struct building *b, const struct event_text *t,
                         struct scenario_event *e)
{
    size_t index = 0;

    if (t->route) {
        index = b->next_route++;
    } else if (t->rule) {
        index = b->next_rule++;
        rule_added(b, t, index);
    } else if (t->ok && e->kind == EVENT_ROUTE_REMOVE) {
        scenario_place_find(b->s, &b->routes, &t->place, e->pointer, "route", &index);
    } else if (t->ok && e->kind == EVENT_RULE_REMOVE) {
        scenario_place_find(b->s, &b->rules, &t->place, e->pointer, "rule", &index);
    }
    e->index = (unsigned)index;
}

/* ---- addresses that change ---- */

/* Is the address that `p` brought there when `e` begins? */
static bool is_in_force(const struct scenario_event *p, const struct scenario_event *e)
{
    return scenario_event_brings_address(p) && p->wan == e->wan &&
           (scenario_event_renews(p) || p->for_ns < 0 || p->at_ns + p->for_ns > e->at_ns);
}

/* The interface's first address of the family (NONE: of any), as earlier events left it. */
static bool old_address_default(struct scenario_reading *s, struct scenario_event *e,
                                const struct config_iface *iface)
{
    const struct scenario_event *events = s->scenario->events;
    const unsigned family = e->address.addr.family;

    for (size_t i = 0; i < iface->addresses_len && !addr_is_set(&e->old_address); i++)
        if (family == FAMILY_NONE || iface->addresses[i].addr.family == family)
            e->old_address = iface->addresses[i].addr;
    if (!addr_is_set(&e->old_address))
        return diag_error(s->reader.diag, e->pointer,
                          "interface '%s' has no %s%saddress that this one could replace",
                          iface->name,
                          family == FAMILY_NONE ? "" : scenario_family_name(family),
                          family == FAMILY_NONE ? "" : " ");
    for (const struct scenario_event *p = events; p < e; p++)
        if (is_in_force(p, e) && addr_equal(&p->old_address, &e->old_address))
            e->old_address = p->address.addr;
    return true;
}

/* The old address as it is when the event begins; NULL: it is not there. */
static const struct prefix *address_then(const struct scenario_reading *s,
                                         const struct scenario_event *e,
                                         const struct config_iface *iface)
{
    const struct prefix *found = NULL;

    for (size_t i = 0; i < iface->addresses_len; i++)
        if (addr_equal(&iface->addresses[i].addr, &e->old_address))
            found = &iface->addresses[i];
    for (const struct scenario_event *p = s->scenario->events; p < e; p++)
        if (is_in_force(p, e) && addr_equal(&p->address.addr, &e->old_address))
            found = &p->address;
    return found;
}

/* What ends while another change is in force would bring back an address that is gone. */
static bool addresses_overlap(const struct scenario_event *a, const struct scenario_event *b)
{
    return scenario_event_brings_address(a) && scenario_event_brings_address(b) &&
           a->wan == b->wan && a->address.addr.family == b->address.addr.family &&
           a->for_ns >= 0 && b->at_ns < a->at_ns + a->for_ns;
}

/* `e` is among the scenario's events, which stand in the order of time. */
static void overlap_judge(struct scenario_reading *s, const struct scenario_event *e)
{
    for (const struct scenario_event *p = s->scenario->events; p < e; p++)
        if (addresses_overlap(p, e)) {
            diag_error_member(s->reader.diag, e->pointer, "at",
                              "begins before %s, another change of this address, has ended",
                              p->pointer);
            return;
        }
}

/* The address that goes, as it is then; NULL after telling that there is none. */
static const struct prefix *address_judge(struct scenario_reading *s,
                                          struct scenario_event *e)
{
    const struct config_iface *iface =
        &s->scenario->router.ifaces[s->scenario->wans[e->wan].iface];
    const struct prefix *old;
    char text[ADDR_TEXT_MAX];

    if (!addr_is_set(&e->old_address) && !old_address_default(s, e, iface))
        return NULL;
    old = address_then(s, e, iface);
    if (addr_is_set(&e->address.addr) &&
        e->old_address.family != e->address.addr.family)
        diag_error_member(s->reader.diag, e->pointer, "old_address",
                          "not of the new address's family");
    else if (!old)
        diag_error_member(s->reader.diag, e->pointer, "old_address",
                          "interface '%s' has no address %s then", iface->name,
                          addr_format(&e->old_address, text));
    else if (!addr_is_set(&e->address.addr))
        e->address = *old; /* it comes back with the same */
    return old;
}

static void address_build(struct building *b, struct scenario_event *e)
{
    const struct prefix *old;

    if (b->s->scenario->wans[e->wan].iface < 0)
        return;
    old = address_judge(b->s, e);
    overlap_judge(b->s, e);
    if (old && scenario_event_renews(e))
        scenario_renumber(b->s, &b->renumber, e, old);
}

/* ---- all of them ---- */

static int compare_events(const void *a, const void *b)
{
    const struct event_text *const *x = a, *const *y = b;

    if ((*x)->event.at_ns != (*y)->event.at_ns)
        return (*x)->event.at_ns < (*y)->event.at_ns ? -1 : 1;
    return (*x > *y) - (*x < *y); /* they stand in the order of the file */
}

/* Where its i-th WAN is named: "wan", or "wan/1" in an array. */
static void wan_pointer(const struct event_text *t, size_t i,
                        char buf[SCENARIO_POINTER_MAX])
{
    if (t->wans.is_array)
        snprintf(buf, SCENARIO_POINTER_MAX, "%s/wan/%zu", t->event.pointer, i);
    else
        snprintf(buf, SCENARIO_POINTER_MAX, "%s/wan", t->event.pointer);
}

static int wan_of(struct scenario_reading *s, const struct event_text *t, size_t i)
{
    const char *name = t->wans.items[i];
    char pointer[SCENARIO_POINTER_MAX];
    int wan;

    if (!name)
        return -1; /* it was no string, which has been told */
    wan = scenario_name_index(&s->wans, name);
    wan_pointer(t, i, pointer);
    for (size_t k = 0; k < i; k++)
        if (t->wans.items[k] && strcmp(t->wans.items[k], name) == 0) {
            diag_error(s->reader.diag, pointer, "the WAN '%s' is named twice", name);
            return -1;
        }
    if (wan < 0 && s->wans.complete)
        scenario_name_miss(s, &s->wans, name, pointer);
    return wan;
}

static void wans_build(struct scenario_reading *s, const struct event_text *t,
                       struct scenario_event *e)
{
    int *more;

    if (t->wans.len == 0) {
        e->wan = scenario_name_find(s, &s->wans, t->wan, e->pointer, "wan");
        return;
    }
    e->wan = wan_of(s, t, 0);
    more = arena_alloc(s->reader.arena, t->wans.len, sizeof *more);
    for (size_t i = 1; i < t->wans.len; i++)
        more[i - 1] = wan_of(s, t, i);
    e->more_wans = more;
    e->more_wans_len = t->wans.len - 1;
}

static void event_build(struct building *b, const struct event_text *t,
                        struct scenario_event *e)
{
    const int64_t duration = b->s->scenario->duration_ns;

    *e = t->event;
    if (!t->redraw_given)
        e->redraw_hash = !b->s->hash_seed_given;
    wans_build(b->s, t, e);
    if (t->ok && duration > 0 && e->at_ns > duration)
        diag_warn_member(b->s->reader.diag, e->pointer, "at",
                         "after the end of the run, so it never happens");
}

static void names_build(struct scenario_reading *s, const struct event_text *texts,
                        size_t len)
{
    for (size_t i = 1; i < len; i++)
        for (size_t k = 0; k < i && texts[i].event.name; k++) {
            if (!texts[k].event.name || strcmp(texts[i].event.name, texts[k].event.name) != 0)
                continue;
            diag_error_member(s->reader.diag, texts[i].event.pointer, "name",
                              "there is already one event '%s'", texts[i].event.name);
            break;
        }
}

void scenario_events_build(struct scenario_reading *s, struct event_text *texts,
                           size_t len, size_t routes_of_file, size_t rules_of_file)
{
    struct scenario_event *events = arena_alloc(s->reader.arena, len, sizeof *events);
    const struct event_text **order = arena_alloc(s->reader.arena, len, sizeof *order);
    struct building b = {.s = s,
                         .routes = scenario_route_targets(s, routes_of_file),
                         .rules = scenario_rule_targets(s, rules_of_file),
                         .next_route = routes_of_file,
                         .next_rule = rules_of_file,
                         .renumber = scenario_renumber_start(s)};

    b.insertions = arena_alloc(s->reader.arena, len, sizeof *b.insertions);
    s->scenario->events = events;
    s->scenario->events_len = len;
    names_build(s, texts, len);
    for (size_t i = 0; i < len; i++) {
        target_build(&b, &texts[i], &texts[i].event);
        order[i] = &texts[i];
    }
    if (len > 1)
        qsort(order, len, sizeof *order, compare_events);
    for (size_t i = 0; i < len; i++) {
        event_build(&b, order[i], &events[i]);
        if (order[i]->ok && scenario_event_brings_address(&events[i]) && events[i].wan >= 0)
            address_build(&b, &events[i]);
    }
    if (s->platform == PLATFORM_ROUTEROS7)
        scenario_rules_number(s, b.insertions, b.insertions_len, rules_of_file);
}
