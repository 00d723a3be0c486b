#include "sim/report/text_parts.h"

/* "3 finished, 1 ended by the site", of all that are not none. */
static void add_counts(struct page_list *l, const json_t *users,
                       const struct document_word *words)
{
    for (; words->key; words++)
        if (document_number(users, words->key) > 0)
            page_list_add(l, "%s %s",
                          human_count(document_number(users, words->key)).text,
                          words->words);
}

static void print_ends(struct page *p, const json_t *users)
{
    static const struct document_word ends[] = {
        {"finished", "finished"},
        {"ended_by_site", "ended by the site"},
        {"given_up", "given up"},
        {"open", "open at the end"},
        {NULL, NULL},
    };
    const bool bad = document_number(users, "ended_by_site") > 0;
    const bool odd = document_number(users, "given_up") > 0;
    struct page_list l = {.length = 0};

    add_counts(&l, users, ends);
    if (l.length > 0)
        page_line(p, bad || odd ? TONE_BAD : TONE_GOOD, 16, "    sessions    %s", l.text);
    else
        page_line(p, TONE_PLAIN, 16, "    sessions    none");
}

static void print_breaks(struct page *p, const json_t *users)
{
    static const struct document_word breaks[] = {
        {"resets", "reset"},
        {"timeouts", "timed out"},
        {"handshakes", "shook hands again"},
        {NULL, NULL},
    };
    struct page_list l = {.length = 0};

    add_counts(&l, users, breaks);
    if (l.length > 0)
        page_line(p, TONE_ODD, 16, "    connections %s, of which: %s",
                  human_count(document_number(users, "connections")).text, l.text);
}

static void print_outage(struct page *p, json_t *users)
{
    const double outages = document_number(users, "outages");
    struct page_list l = {.length = 0};
    const char *why;
    json_t *cause;

    if (outages == 0)
        return;
    json_object_foreach (json_object_get(users, "causes"), why, cause)
        if (document_number(cause, "outage_seconds") > 0)
            page_list_add(&l, "%s %s",
                          human_span(document_number(cause, "outage_seconds")).text,
                          human_name(why, 40).text);
    page_line(p, TONE_ODD, 16, "    felt        %s in %s outage%s, the longest %s: %s",
              human_span(document_number(users, "outage_seconds")).text,
              human_count(outages).text, text_plural(outages),
              human_span(document_number(users, "longest_outage_seconds")).text, l.text);
}

void text_users(struct page *p, const json_t *result)
{
    json_t *all = json_object_get(result, "users");
    const char *name;
    json_t *users;

    if (json_object_size(all) == 0)
        return;
    page_head(p, "People");
    json_object_foreach (all, name, users) {
        const double hosts = document_number(users, "hosts");

        page_line(p, TONE_BOLD, 4, "  %s, profile %s, %s host%s",
                  human_name(name, 40).text,
                  human_name(document_string(users, "profile"), 20).text,
                  human_count(hosts).text, text_plural(hosts));
        print_ends(p, users);
        print_breaks(p, users);
        print_outage(p, users);
    }
}
