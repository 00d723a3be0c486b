#include <string.h>

#include "sim/report/text_parts.h"

enum {
    EVENTS_SHOWN_MAX = 50,
    OUTAGES_SHOWN_MAX = 5, /* of one event */
    WANS_SHOWN_MAX = 8,
    WATCHES_SHOWN_MAX = 50,
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

/* How an event's course is told. */
struct course_words {
    const char *began, *changed, *ended;
    bool with_never; /* what does not come is as telling as what does */
};

static struct course_words words_of(const json_t *event)
{
    static const struct course_words
        failure = {"it broke", "its routes changed", "it was whole again", true},
        failures = {"it began to fail", "its routes changed", "it was over", true},
        worse = {"it got worse", "its routes changed", "it was as before", false},
        change = {"it began", "routes changed", "it ended", true};
    const char *kind = document_string(event, "kind");

    if (kind && (strcmp(kind, "degrade") == 0 || strcmp(kind, "brownout") == 0))
        return worse;
    if (document_has_number(event, "outages"))
        return failures;
    return is_failure(event) ? failure : change;
}

/*
 * "44.0 s  the router knew (after 14 s)", with the delay of `delay_key` (NULL: none);
 * "never" for null if `never`, nothing when it is absent.
 */
static void print_moment(struct page *p, const json_t *event, const char *key,
                         const char *words, const char *delay_key, bool never)
{
    const json_t *at = json_object_get(event, key);
    const double delay = delay_key ? document_number(event, delay_key) : 0;

    if (json_is_number(at) && delay > 0)
        page_line(p, TONE_PLAIN, 16, "  %12s  %s (after %s)",
                  human_instant(json_number_value(at)).text, words, human_span(delay).text);
    else if (json_is_number(at))
        page_line(p, TONE_PLAIN, 16, "  %12s  %s",
                  human_instant(json_number_value(at)).text, words);
    else if (json_is_null(at) && never)
        page_line(p, TONE_ODD, 16, "  %12s  %s", "never", words);
}

static void print_course(struct page *p, const json_t *event)
{
    const struct course_words w = words_of(event);
    const char *kind = document_string(event, "kind");

    print_moment(p, event, "at", w.began, NULL, w.with_never);
    if (!kind || strcmp(kind, "reboot") != 0) { /* that leaves nobody to notice */
        print_moment(p, event, "detected_at", "the router knew", "detection_seconds",
                     w.with_never);
        print_moment(p, event, "effective_at", w.changed, "failover_seconds", w.with_never);
    }
    print_moment(p, event, "ended_at", w.ended, NULL, false);
    if (is_failure(event))
        print_moment(p, event, "recovered_at", "traffic could use it again",
                     "failback_seconds", w.with_never);
}

/* "31.0 s  down for 500 ms, noticed after 200 ms, back after 300 ms" */
static void print_outage(struct page *p, const json_t *outage)
{
    const double at = document_number(outage, "at"),
                 end = document_number(outage, "ended_at");
    struct page_list l = {.length = 0};

    if (document_has_number(outage, "ended_at"))
        page_list_add(&l, "down for %s", human_span(end - at).text);
    else
        page_list_add(&l, "down until the end");
    if (document_has_number(outage, "detected_at"))
        page_list_add(&l, "noticed after %s",
                      human_span(document_number(outage, "detected_at") - at).text);
    else
        page_list_add(&l, "not noticed");
    if (document_has_number(outage, "recovered_at"))
        page_list_add(&l, "back after %s",
                      human_span(document_number(outage, "recovered_at") - end).text);
    page_line(p, TONE_PLAIN, 16, "  %12s  %s", human_instant(at).text, l.text);
}

/* "    outages     5, 2.5 s down in all, 3 of them noticed", and the first of them. */
static void print_outages(struct page *p, const json_t *event)
{
    const json_t *list = json_object_get(event, "outage_list");
    const double outages = document_number(event, "outages");
    size_t shown = 0;

    if (!document_has_number(event, "outages"))
        return;
    page_line(p, TONE_PLAIN, 16, "    outages     %s, %s down in all, %s of them noticed",
              human_count(outages).text,
              human_span(document_number(event, "down_seconds")).text,
              human_count(document_number(event, "outages_detected")).text);
    for (; shown < OUTAGES_SHOWN_MAX && shown < json_array_size(list); shown++)
        print_outage(p, json_array_get(list, shown));
    if (shown && outages > (double)shown)
        page_line(p, TONE_PLAIN, 16, "  %12s  and %s more", "",
                  human_count(outages - (double)shown).text);
}

static void print_window(struct page *p, const json_t *event)
{
    double lost = document_number(event, "packets_lost");
    struct page_list l = {.length = 0}, reasons = {.length = 0};

    if (document_has_number(event, "blackhole_seconds"))
        page_list_add(&l, "%s of blackhole",
                      human_span(document_number(event, "blackhole_seconds")).text);
    text_reasons(&reasons, json_object_get(event, "drops"));
    if (document_has_number(event, "packets_lost"))
        page_list_add(&l, "%s packet%s (%s) lost%s%s", human_count(lost).text,
                      text_plural(lost),
                      human_bytes(document_number(event, "bytes_lost")).text,
                      reasons.length > 0 ? ": " : "", reasons.text);
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

/* "    switched    25 moves, 38 broken, 9 rehomed", of the steps that did something. */
static void print_steps(struct page *p, const json_t *event)
{
    static const char *const steps[] = {"unnoticed", "switched", "over"};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const json_t *step = json_object_get(json_object_get(event, "steps"), steps[i]);
        const double moves = document_number(step, "moves");
        struct page_list l = {.length = 0};

        if (moves > 0)
            page_list_add(&l, "%s move%s", human_count(moves).text, text_plural(moves));
        list_fates(&l, step);
        if (l.length > 0)
            page_line(p, document_number(step, "broken") > 0 ? TONE_BAD : TONE_PLAIN, 16,
                      "    %-12s%s", steps[i], l.text);
    }
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
    print_steps(p, event);
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

/* "  canary          198.51.100.1, loss: 2 times down, 12.3 s in all" */
static void print_watch(struct page *p, const json_t *watch, size_t number)
{
    const double downs = document_number(watch, "downs");
    const char *name = document_string(watch, "name");
    char numbered[32];

    snprintf(numbered, sizeof numbered, "host %zu", number);
    if (downs > 0)
        page_line(p, TONE_ODD, 16, "  %s  %s, %s: %s time%s down, %s in all",
                  human_cell(name ? name : numbered, 12).text,
                  human_name(document_string(watch, "host"), 45).text,
                  human_name(document_string(watch, "type"), TEXT_NAME_COLUMNS).text,
                  human_count(downs).text, text_plural(downs),
                  human_span(document_number(watch, "down_seconds")).text);
    else
        page_line(p, TONE_PLAIN, 16, "  %s  %s, %s: never down",
                  human_cell(name ? name : numbered, 12).text,
                  human_name(document_string(watch, "host"), 45).text,
                  human_name(document_string(watch, "type"), TEXT_NAME_COLUMNS).text);
}

void text_watches(struct page *p, const json_t *result)
{
    const json_t *watches = json_object_get(result, "netwatch");
    const size_t count = json_array_size(watches);

    if (count == 0)
        return;
    page_head(p, "Watched hosts");
    for (size_t i = 0; i < count && i < WATCHES_SHOWN_MAX; i++)
        print_watch(p, json_array_get(watches, i), i);
    if (count > WATCHES_SHOWN_MAX)
        page_line(p, TONE_PLAIN, 4, "  and %zu more", count - WATCHES_SHOWN_MAX);
}
