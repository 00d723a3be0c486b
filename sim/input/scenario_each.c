/*
 * each-wan and each-pair: what the router does without each of its WANs, and without each two.
 *
 *     {"at": "60s", "kind": "each-pair", "for": "30s", "name": "both"}
 *
 * stands for link-down of wan1 and wan2 at 60 s, named both-wan1-wan2, of wan1 and wan3 at
 * 120 s, named both-wan1-wan3, and so on.
 */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

static bool is_each(const struct event_text *t)
{
    return t->ok &&
           (t->event.kind == EVENT_EACH_WAN || t->event.kind == EVENT_EACH_PAIR);
}

static size_t failures_of(const struct event_text *t, size_t wans)
{
    if (!is_each(t))
        return 1;
    return t->event.kind == EVENT_EACH_WAN ? wans : wans * (wans - (wans > 0)) / 2;
}

/* NAME-wan1, NAME-wan1-wan2 */
static const char *name_of(struct scenario_reading *s, const struct event_text *t,
                           const char *const *wans, size_t len)
{
    const char *name = t->event.name ? t->event.name : "each";
    char text[3 * READER_NAME_MAX];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", name);

    for (size_t i = 0; i < len && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "-%s", wans[i]);
    return arena_strdup(s->reader.arena, text);
}

/* The failure of these WANs, the `number`-th of the event. */
static void failure_make(struct scenario_reading *s, const struct event_text *t,
                         size_t first, size_t second, size_t number,
                         struct event_text *out)
{
    const size_t len = t->event.kind == EVENT_EACH_PAIR ? 2 : 1;
    const char **wans = arena_alloc(s->reader.arena, len, sizeof *wans);

    wans[0] = s->wans.names[first];
    wans[len - 1] = s->wans.names[len == 2 ? second : first];
    *out = *t;
    out->event.kind = t->event.what;
    out->event.at_ns += (int64_t)number * t->spacing_ns;
    out->event.name = name_of(s, t, wans, len);
    out->wans = (struct strings_text){.items = wans, .len = len};
}

static size_t event_expand(struct scenario_reading *s, const struct event_text *t,
                           struct event_text *out)
{
    size_t made = 0;

    for (size_t i = 0; i < s->wans.len; i++) {
        if (t->event.kind == EVENT_EACH_WAN) {
            failure_make(s, t, i, i, made, &out[made]);
            made++;
        }
        for (size_t k = i + 1; k < s->wans.len && t->event.kind == EVENT_EACH_PAIR; k++) {
            failure_make(s, t, i, k, made, &out[made]);
            made++;
        }
    }
    return made;
}

/* How many events there will be; 0 after telling that they are none, too many or too late. */
static size_t expanded_len(struct scenario_reading *s, const struct event_text *texts,
                           size_t len)
{
    size_t all = 0;

    for (size_t i = 0; i < len; i++) {
        const size_t n = failures_of(&texts[i], s->wans.len);

        all += n;
        if (n == 0) {
            diag_error(s->reader.diag, texts[i].event.pointer,
                       "the scenario has too few WANs for it: %zu", s->wans.len);
            return 0;
        }
        if (all > SCENARIO_LIST_MAX) {
            diag_error(s->reader.diag, texts[i].event.pointer,
                       "with the failures that it stands for there are more than %d events",
                       SCENARIO_LIST_MAX);
            return 0;
        }
        if (is_each(&texts[i]) &&
            (SCENARIO_DURATION_MAX - texts[i].event.at_ns) / texts[i].spacing_ns <
                (int64_t)n) {
            diag_error(s->reader.diag, texts[i].event.pointer,
                       "the last of its failures comes after 3650d");
            return 0;
        }
    }
    return all;
}

void scenario_events_expand(struct scenario_reading *s, struct event_text **texts,
                            size_t *len)
{
    struct event_text *all;
    size_t made = 0, wanted;
    bool any = false;

    for (size_t i = 0; i < *len; i++)
        any |= is_each(&(*texts)[i]);
    if (!any || !s->wans.complete)
        return;
    wanted = expanded_len(s, *texts, *len);
    if (wanted == 0)
        return;
    all = arena_alloc(s->reader.arena, wanted, sizeof *all);
    for (size_t i = 0; i < *len; i++) {
        if (is_each(&(*texts)[i]))
            made += event_expand(s, &(*texts)[i], &all[made]);
        else
            all[made++] = (*texts)[i];
    }
    *texts = all;
    *len = made;
}
