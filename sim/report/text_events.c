#include <string.h>

#include "sim/report/text_parts.h"

enum {
    EVENTS_SHOWN_MAX = 50,
    WANS_SHOWN_MAX = 8,
};

/* Something breaks and is whole again; nobody has changed anything on purpose. */
static bool is_failure(const json_t *event)
{
    static const char *const changes[] = {"address-change", "route-add", "route-remove",
                                          "rule-add", "rule-remove"};
    const char *kind = document_string(event, "kind");

    for (size_t i = 0; kind && i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(kind, changes[i]) == 0)
            return false;
    return kind != NULL;
}

/* "30.2 s  traffic went another way"; "never" for null, nothing when it is absent. */
static void print_step(struct page *p, const json_t *event, const char *key,
                       const char *words)
{
    const json_t *at = json_object_get(event, key);

    if (json_is_number(at))
        page_line(p, TONE_PLAIN, 16, "  %12s  %s",
                  human_instant(json_number_value(at)).text, words);
    else if (json_is_null(at))
        page_line(p, TONE_ODD, 16, "  %12s  %s", "never", words);
}

static void print_course(struct page *p, const json_t *event)
{
    const char *kind = document_string(event, "kind");
    bool failure = is_failure(event);

    print_step(p, event, "at", failure ? "it broke" : "it began");
    if (!kind || strcmp(kind, "reboot") != 0) { /* that leaves nobody to notice */
        print_step(p, event, "detected_at", "the router knew");
        print_step(p, event, "effective_at",
                   failure ? "its routes changed" : "routes changed");
    }
    if (document_has_number(event, "ended_at"))
        print_step(p, event, "ended_at", failure ? "it was whole again" : "it ended");
    if (failure)
        print_step(p, event, "recovered_at", "traffic could use it again");
}

/* "    outages     5 of 2.5 s in all, 3 of them noticed" */
static void print_outages(struct page *p, const json_t *event)
{
    if (!document_has_number(event, "outages"))
        return;
    page_line(p, TONE_PLAIN, 16, "    outages     %s, %s down in all, %s of them noticed",
              human_count(document_number(event, "outages")).text,
              human_span(document_number(event, "down_seconds")).text,
              human_count(document_number(event, "outages_detected")).text);
}

static void print_window(struct page *p, const json_t *event)
{
    double lost = document_number(event, "packets_lost");
    struct page_list l = {.length = 0};

    if (document_has_number(event, "blackhole_seconds"))
        page_list_add(&l, "%s of blackhole",
                      human_span(document_number(event, "blackhole_seconds")).text);
    if (document_has_number(event, "packets_lost"))
        page_list_add(&l, "%s packet%s (%s) lost", human_count(lost).text,
                      text_plural(lost),
                      human_bytes(document_number(event, "bytes_lost")).text);
    if (l.length > 0)
        page_line(p, lost > 0 ? TONE_ODD : TONE_PLAIN, 16, "    window      %s", l.text);
}

/* "38 broken, 9 rehomed": the fates without their words. */
static void list_fates(struct page_list *l, const json_t *object)
{
    for (const struct document_word *w = document_fates; w->key; w++)
        if (document_number(object, w->key) > 0)
            page_list_add(l, "%s %s", human_count(document_number(object, w->key)).text,
                          w->key);
}

static void print_meanwhile(struct page *p, const json_t *meanwhile)
{
    double flows = document_number(meanwhile, "flows");
    struct page_list l = {.length = 0};

    if (flows <= 0)
        return;
    page_list_add(&l, "%s flow%s began meanwhile", human_count(flows).text,
                  text_plural(flows));
    if (document_has_number(meanwhile, "moved"))
        page_list_add(&l, "%s moved",
                      human_count(document_number(meanwhile, "moved")).text);
    list_fates(&l, meanwhile);
    page_line(p, document_number(meanwhile, "broken") > 0 ? TONE_BAD : TONE_PLAIN, 16,
              "    new ones    %s", l.text);
}

static void print_effect(struct page *p, const json_t *event)
{
    double alive = document_number(event, "flows_alive"),
           moved = document_number(event, "moved");
    struct page_list fates = {.length = 0};

    if (!document_has_number(event, "flows_alive"))
        return;
    list_fates(&fates, event);
    page_line(p, TONE_PLAIN, 16, "    flows       %s alive, %s of them moved (%s)",
              human_count(alive).text, human_count(moved).text,
              human_share(document_number(event, "moved_share")).text);
    if (fates.length > 0)
        page_line(p, document_number(event, "broken") > 0 ? TONE_BAD : TONE_PLAIN, 16,
                  "    of them     %s", fates.text);
}

/* The WANs that it takes. */
static void list_wans(struct page_list *l, const json_t *event)
{
    const char *wan = document_string(event, "wan");
    const json_t *wans = json_object_get(event, "wans");
    const size_t count = json_array_size(wans);

    if (wan)
        page_list_add(l, "%s", human_name(wan, TEXT_NAME_COLUMNS).text);
    for (size_t i = 0; i < count && i < WANS_SHOWN_MAX; i++)
        page_list_add(l, "%s",
                      human_name(json_string_value(json_array_get(wans, i)),
                                 TEXT_NAME_COLUMNS)
                          .text);
    if (count > WANS_SHOWN_MAX)
        page_list_add(l, "%zu more", count - WANS_SHOWN_MAX);
}

static void print_event(struct page *p, const json_t *event, size_t number)
{
    const char *name = document_string(event, "name");
    struct page_list causes = {.length = 0}, wans = {.length = 0};

    list_wans(&wans, event);
    if (name)
        page_line(p, TONE_BOLD, 4, "  %s: %s%s%s", human_name(name, 40).text,
                  human_name(document_string(event, "kind"), TEXT_NAME_COLUMNS).text,
                  wans.length ? " of " : "", wans.length ? wans.text : "");
    else
        page_line(p, TONE_BOLD, 4, "  event %zu: %s%s%s", number,
                  human_name(document_string(event, "kind"), TEXT_NAME_COLUMNS).text,
                  wans.length ? " of " : "", wans.length ? wans.text : "");
    print_course(p, event);
    print_outages(p, event);
    print_window(p, event);
    print_effect(p, event);
    print_meanwhile(p, json_object_get(event, "begun_meanwhile"));
    text_words(&causes, event, document_causes);
    if (causes.length > 0)
        page_line(p, TONE_PLAIN, 16, "    moves       %s", causes.text);
}

void text_events(struct page *p, const json_t *result)
{
    const json_t *events = json_object_get(result, "events");
    size_t count = json_array_size(events);

    if (count == 0)
        return;
    page_head(p, "Events");
    for (size_t i = 0; i < count && i < EVENTS_SHOWN_MAX; i++)
        print_event(p, json_array_get(events, i), i);
    if (count > EVENTS_SHOWN_MAX)
        page_line(p, TONE_PLAIN, 4, "  and %zu more", count - EVENTS_SHOWN_MAX);
}
