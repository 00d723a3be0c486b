#include <string.h>

#include "sim/report/text_parts.h"

enum {
    HOSTS_SHOWN_MAX = 20, /* of those that are not sensitive */
    ADDRESSES_SHOWN_MAX = 8,
    CHANGES_SHOWN_SENSITIVE = 12,
    CHANGES_SHOWN = 3,
};

static void print_addresses(struct page *p, const json_t *addresses)
{
    size_t count = json_array_size(addresses);
    struct page_list l = {.length = 0};

    for (size_t i = 0; i < count && i < ADDRESSES_SHOWN_MAX; i++)
        page_list_add(
            &l, "%s",
            human_name(json_string_value(json_array_get(addresses, i)), 45).text);
    if (count > ADDRESSES_SHOWN_MAX)
        page_list_add(&l, "%zu more", count - ADDRESSES_SHOWN_MAX);
    page_line(p, TONE_PLAIN, 16, "    seen as     %s",
              count > 0 ? l.text : "nobody: sent nothing");
}

/* What a host lost; nothing when it lost nothing. */
static void print_losses(struct page *p, const json_t *host)
{
    struct page_list l = {.length = 0};

    for (const struct document_word *w = document_fates; w->key; w++)
        if (strcmp(w->key, "survived") != 0 && document_number(host, w->key) > 0)
            page_list_add(&l, "%s %s", human_count(document_number(host, w->key)).text,
                          w->key);
    if (document_number(host, "outage_seconds") > 0)
        page_list_add(&l, "outage of %s",
                      human_span(document_number(host, "outage_seconds")).text);
    if (l.length > 0)
        page_line(p, document_number(host, "broken") > 0 ? TONE_BAD : TONE_ODD, 16,
                  "    lost        %s", l.text);
}

static void print_timeline(struct page *p, const json_t *host, size_t shown)
{
    const json_t *timeline = json_object_get(host, "timeline");
    size_t count = json_array_size(timeline);
    double more = document_number(host, "timeline_more");

    for (size_t i = 0; i < count && i < shown; i++) {
        const json_t *t = json_array_get(timeline, i);
        const char *kind = document_string(t, "kind");
        bool live = kind && strcmp(kind, "live connection") == 0;

        page_line(p, live ? TONE_ODD : TONE_PLAIN, 16, "  %12s  %s (%s)%s",
                  human_instant(document_number(t, "at")).text,
                  human_name(document_string(t, "address"), 45).text,
                  human_name(document_string(t, "wan"), TEXT_NAME_COLUMNS).text,
                  live ? ", within a connection" : "");
    }
    if (count > shown)
        more += (double)(count - shown);
    if (more > 0)
        page_line(p, TONE_PLAIN, 16, "  %12s  and %s more", "", human_count(more).text);
}

static void print_host(struct page *p, const char *name, const json_t *host)
{
    bool sensitive = document_is_true(host, "sensitive");
    double changes = document_number(host, "public_address_changes");
    double flows = document_number(host, "flows");

    page_line(p, TONE_BOLD, 4, "  %s%s, %s flow%s", human_name(name, 40).text,
              sensitive ? ", sensitive" : "", human_count(flows).text,
              text_plural(flows));
    print_addresses(p, json_object_get(host, "public_addresses"));
    if (document_has_number(host, "public_address_changes"))
        page_line(
            p, changes > 0 ? sensitive ? TONE_BAD : TONE_ODD : TONE_GOOD, 16,
            "    changes     %s public, %s as single sites see it, %s within connections",
            human_count(changes).text,
            human_count(document_number(host, "site_address_changes")).text,
            human_count(document_number(host, "live_address_changes")).text);
    if (document_number(host, "addresses_at_once") > 1)
        page_line(p, TONE_PLAIN, 16, "    at once     %s addresses",
                  human_count(document_number(host, "addresses_at_once")).text);
    print_losses(p, host);
    if (changes > 0)
        print_timeline(p, host, sensitive ? CHANGES_SHOWN_SENSITIVE : CHANGES_SHOWN);
}

void text_hosts(struct page *p, const json_t *result)
{
    json_t *hosts = json_object_get(result, "hosts");
    size_t others = 0;
    const char *name;
    json_t *host;

    if (json_object_size(hosts) == 0)
        return;
    page_head(p, "Hosts");
    json_object_foreach (hosts, name, host)
        if (document_is_true(host, "sensitive"))
            print_host(p, name, host);
    json_object_foreach (hosts, name, host)
        if (!document_is_true(host, "sensitive") && others++ < HOSTS_SHOWN_MAX)
            print_host(p, name, host);
    if (others > HOSTS_SHOWN_MAX)
        page_line(p, TONE_PLAIN, 4, "  and %zu more", others - HOSTS_SHOWN_MAX);
}
