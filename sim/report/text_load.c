#include <math.h>
#include <string.h>

#include "sim/report/text_parts.h"

enum { WAN_COLUMNS = 14, BAR_COLUMNS = 20 };

/* A share as '#', what was promised as '|'; `full` is the share of the whole bar. */
struct bar {
    char text[BAR_COLUMNS + 1];
};

static size_t bar_column(double share, double full)
{
    double column = round(share / full * BAR_COLUMNS);

    return column >= BAR_COLUMNS ? BAR_COLUMNS : column > 0 ? (size_t)column : 0;
}

static struct bar bar_of(double share, double promised, double full)
{
    struct bar b;
    size_t filled = share > 0 && full > 0 ? bar_column(share, full) : 0;

    memset(b.text, ' ', BAR_COLUMNS);
    memset(b.text, '#', filled);
    b.text[BAR_COLUMNS] = '\0';
    if (promised > 0 && full > 0) {
        size_t mark = bar_column(promised, full);

        b.text[mark > 0 ? mark - 1 : 0] = '|';
    }
    return b;
}

/* The two tables of shares: of flows, and of bytes. */
struct share_table {
    const char *title, *share, *promised;
};

static const struct share_table of_flows = {"flows", "flows_share", "promised_share"};
static const struct share_table of_bytes = {"bytes", "bytes_share",
                                            "promised_bytes_share"};

/* The promise for bytes is that for flows unless it has its own. */
static double promised_share(const json_t *wan, const struct share_table *t)
{
    return document_number(wan, document_has_number(wan, t->promised) ? t->promised
                                                                      : "promised_share");
}

/* The largest share of all: what a full bar means. */
static double largest_share(json_t *paths, const struct share_table *t)
{
    double largest = 0;
    const char *name;
    json_t *wan;

    json_object_foreach (paths, name, wan)
        largest =
            fmax(largest, fmax(document_number(wan, t->share), promised_share(wan, t)));
    return largest;
}

static void print_share(struct page *p, const struct share_table *t, const char *name,
                        const json_t *wan, double full, const char *amount,
                        const char *more)
{
    double share = document_number(wan, t->share), promised = promised_share(wan, t);

    fprintf(p->out, "  %s%8.8s%8.8s %s %8.8s%s\n", human_cell(name, WAN_COLUMNS).text,
            amount, human_share(share).text, bar_of(share, promised, full).text,
            human_share(promised).text, more);
}

static void print_head_row(struct page *p, const char *amount, const char *first,
                           const char *second)
{
    fprintf(p->out, "  %-*s%8s%8s %-*s %8s%9s%9s\n", WAN_COLUMNS, "WAN", amount, "share",
            BAR_COLUMNS, "(| as promised)", "promised", first, second);
}

/* Beside flows: the part of the run that the WAN was up, and packets lost on it. */
static void print_flows(struct page *p, json_t *paths, double seconds)
{
    double full = largest_share(paths, &of_flows);
    const char *name;
    json_t *wan;

    print_head_row(p, "flows", "time up", "dropped");
    json_object_foreach (paths, name, wan) {
        char more[2 * sizeof(struct human) + 8];

        snprintf(more, sizeof more, "%9.8s%9.8s",
                 document_has_number(wan, "time_up_seconds") && seconds > 0
                     ? human_share(document_number(wan, "time_up_seconds") / seconds).text
                     : "",
                 human_count(document_number(wan, "dropped_packets")).text);
        print_share(p, &of_flows, name, wan, full,
                    human_count(document_number(wan, "flows")).text, more);
    }
}

static void print_bytes(struct page *p, json_t *paths)
{
    double full = largest_share(paths, &of_bytes);
    const char *name;
    json_t *wan;

    print_head_row(p, "bytes", "up", "down");
    json_object_foreach (paths, name, wan) {
        double up = document_number(wan, "bytes_up"),
               down = document_number(wan, "bytes_down");
        char more[2 * sizeof(struct human) + 8];

        snprintf(more, sizeof more, "%9.8s%9.8s", human_bytes(up).text,
                 human_bytes(down).text);
        print_share(p, &of_bytes, name, wan, full, human_bytes(up + down).text, more);
    }
}

/* "12 % up", "12 % up and 45 % down"; "" when neither is known. */
static struct page_list utilisation(const json_t *wan)
{
    static const char *const directions[] = {"up", "down"};
    static const char *const keys[] = {"utilisation_up", "utilisation_down"};
    struct page_list l = {.length = 0};

    for (size_t i = 0; i < 2; i++)
        if (document_has_number(wan, keys[i]))
            page_list_add(&l, "%s %s", human_share(document_number(wan, keys[i])).text,
                          directions[i]);
    return l;
}

static void print_utilisation(struct page *p, json_t *paths)
{
    const char *name, *label = "in use";
    json_t *wan;

    json_object_foreach (paths, name, wan) {
        struct page_list l = utilisation(wan);

        if (l.length == 0)
            continue;
        page_line(p, TONE_PLAIN, TEXT_HANG, "  %-12s%s: %s", label,
                  human_name(name, TEXT_NAME_COLUMNS).text, l.text);
        label = "";
    }
}

/* "up p50 1 ms, p99 20 ms, max 31 ms"; nothing where not one in a hundred waited a ms. */
static void list_waits(struct page_list *l, const json_t *wan, const char *key,
                       const char *direction)
{
    const json_t *waits = json_object_get(wan, key);

    if (document_number(waits, "p99") >= .001)
        page_list_add(l, "%s p50 %s, p99 %s, max %s", direction,
                      human_span(document_number(waits, "p50")).text,
                      human_span(document_number(waits, "p99")).text,
                      human_span(document_number(waits, "max")).text);
}

static void print_waits(struct page *p, json_t *paths)
{
    const char *name, *label = "queued for";
    json_t *wan;

    json_object_foreach (paths, name, wan) {
        struct page_list l = {.length = 0};

        list_waits(&l, wan, "queue_seconds_up", "up");
        list_waits(&l, wan, "queue_seconds_down", "down");
        if (l.length == 0)
            continue;
        page_line(p, TONE_PLAIN, TEXT_HANG, "  %-12s%s: %s", label,
                  human_name(name, TEXT_NAME_COLUMNS).text, l.text);
        label = "";
    }
}

static void print_caps(struct page *p, json_t *paths)
{
    const char *name, *label = "data cap";
    json_t *wan;

    json_object_foreach (paths, name, wan) {
        const json_t *cap = json_object_get(wan, "cap");
        const bool reached = document_has_number(cap, "reached_at");

        if (json_object_size(cap) == 0)
            continue;
        page_line(p, reached ? TONE_ODD : TONE_PLAIN, TEXT_HANG,
                  "  %-12s%s: %s of %s used (%s)%s%s", label,
                  human_name(name, TEXT_NAME_COLUMNS).text,
                  human_bytes(document_number(cap, "used_bytes")).text,
                  human_bytes(document_number(cap, "bytes")).text,
                  human_share(document_number(cap, "used_share")).text,
                  reached ? ", reached at " : "",
                  reached ? human_instant(document_number(cap, "reached_at")).text : "");
        label = "";
    }
}

static void print_drops(struct page *p, json_t *paths)
{
    const char *name, *label = "dropped";
    json_t *wan;

    json_object_foreach (paths, name, wan) {
        struct page_list l = {.length = 0};

        if (document_number(wan, "dropped_packets") <= 0)
            continue;
        text_reasons(&l, json_object_get(wan, "drops"));
        page_line(p, TONE_PLAIN, TEXT_HANG, "  %-12s%s: %s packets, %s%s%s", label,
                  human_name(name, TEXT_NAME_COLUMNS).text,
                  human_count(document_number(wan, "dropped_packets")).text,
                  human_bytes(document_number(wan, "dropped_bytes")).text,
                  l.length > 0 ? ": " : "", l.text);
        label = "";
    }
}

void text_load(struct page *p, const json_t *result)
{
    json_t *paths = json_object_get(result, "paths");

    if (json_object_size(paths) == 0)
        return;
    page_head(p, "Load per WAN");
    print_flows(p, paths,
                document_number(json_object_get(result, "run"), "simulated_seconds"));
    print_bytes(p, paths);
    print_utilisation(p, paths);
    print_waits(p, paths);
    print_drops(p, paths);
    print_caps(p, paths);
}

static const double ELEPHANT_SHARE = 0.1;

/* The tone of a verdict that balance.h words. */
static enum tone tone_of_verdict(const char *verdict)
{
    if (strcmp(verdict, "uneven") == 0)
        return TONE_ODD;
    return strcmp(verdict, "even") == 0 ? TONE_GOOD : TONE_PLAIN;
}

/* In words, and what they rest on. */
static struct human_name verdict_shown(const char *verdict)
{
    static const struct document_word words[] = {
        {"even", "even, as far as chance lets it be"},
        {"uneven", "uneven, more than chance explains"},
        {"too-few-flows", "too few flows to tell"},
        {NULL, NULL},
    };

    for (const struct document_word *w = words; w->key; w++)
        if (strcmp(w->key, verdict) == 0)
            return human_name(w->words, 64);
    return human_name(verdict, 64);
}

/* Flows that go together, and bytes of few large flows, split like fewer flows. */
static void list_effective(struct page_list *l, const json_t *balance, bool is_flows)
{
    const double effective = document_number(balance, "effective_flows");

    if (!document_has_number(balance, "effective_flows") ||
        (is_flows && effective >= document_number(balance, "count")))
        return;
    page_list_add(l, "%s like %s equal flows", is_flows ? "hashed" : "sized",
                  human_count(effective).text);
}

static void list_figures(struct page_list *l, const json_t *balance, bool is_flows)
{
    static const struct document_word figures[] = {
        {"jain", "Jain"}, {"max_over_mean", "max/mean"}, {"cv", "cv"}, {NULL, NULL}};

    for (const struct document_word *f = figures; f->key; f++)
        if (document_has_number(balance, f->key))
            page_list_add(l, "%s %s", f->words,
                          human_figure(document_number(balance, f->key)).text);
    list_effective(l, balance, is_flows);
    if (document_has_number(balance, "flows_needed"))
        page_list_add(l, "%s flows needed to tell",
                      human_count(document_number(balance, "flows_needed")).text);
}

static void print_balance(struct page *p, const char *label, const json_t *balance)
{
    const char *verdict = document_string(balance, "verdict");
    struct page_list l = {.length = 0};
    char probability[24] = "";

    list_figures(&l, balance, strcmp(label, "flows") == 0);
    if (document_has_number(balance, "p_value"))
        snprintf(probability, sizeof probability, " (p = %.2g)",
                 document_number(balance, "p_value"));
    if (verdict)
        page_line(p, tone_of_verdict(verdict), TEXT_HANG, "  %-12s%s%s", label,
                  verdict_shown(verdict).text, probability);
    if (l.length > 0)
        page_line(p, TONE_PLAIN, TEXT_HANG, "  %-12s%s", verdict ? "" : label, l.text);
}

/* The flows that are a tenth of the bytes or more, by name. */
static void print_elephants(struct page *p, const json_t *elephants)
{
    const char *label = "elephants";
    const json_t *e;
    size_t i;

    json_array_foreach (elephants, i, e) {
        if (document_number(e, "bytes_share") < ELEPHANT_SHARE)
            continue;
        page_line(p, TONE_PLAIN, TEXT_HANG, "  %-12s%s: %s, %s of the bytes, by %s", label,
                  human_name(document_string(e, "flow"), 120).text,
                  human_bytes(document_number(e, "bytes")).text,
                  human_share(document_number(e, "bytes_share")).text,
                  human_name(document_string(e, "path"), TEXT_NAME_COLUMNS).text);
        label = "";
    }
}

void text_balance(struct page *p, const json_t *result)
{
    const json_t *balance = json_object_get(result, "balance");
    const json_t *flows = json_object_get(balance, "flows");

    if (json_object_size(balance) == 0)
        return;
    page_head(p, "Balance");
    if (document_has_number(flows, "count") && document_number(flows, "count") <= 0) {
        page_line(p, TONE_PLAIN, TEXT_HANG, "  no flow had a choice of two WANs or more");
        return;
    }
    print_balance(p, "flows", flows);
    print_balance(p, "bytes", json_object_get(balance, "bytes"));
    print_elephants(p, json_object_get(balance, "elephants"));
}

const char *text_plural(double number)
{
    return number == 1 ? "" : "s";
}

void text_words(struct page_list *l, const json_t *object,
                const struct document_word *words)
{
    for (; words->key; words++)
        if (document_number(object, words->key) > 0)
            page_list_add(l, "%s %s (%s)",
                          human_count(document_number(object, words->key)).text,
                          words->key, words->words);
}

void text_reasons(struct page_list *l, json_t *object)
{
    const char *reason;
    json_t *count;

    json_object_foreach (object, reason, count)
        if (json_number_value(count) > 0)
            page_list_add(l, "%s %s", human_count(json_number_value(count)).text,
                          human_name(reason, TEXT_NAME_COLUMNS).text);
}

void text_stickiness(struct page *p, const json_t *result)
{
    const json_t *s = json_object_get(result, "stickiness");
    double flows = document_number(s, "flows"), kept = document_number(s, "kept");
    double moves = document_number(s, "moves");
    struct page_list causes = {.length = 0}, fates = {.length = 0};

    if (json_object_size(s) == 0)
        return;
    page_head(p, "Stickiness");
    page_line(p, TONE_PLAIN, TEXT_HANG,
              "  flows       %s, of which %s kept one path (%s)", human_count(flows).text,
              human_count(kept).text, human_share(flows > 0 ? kept / flows : 0).text);
    text_words(&causes, s, document_causes);
    page_line(p, TONE_PLAIN, TEXT_HANG, "  moves       %s%s%s", human_count(moves).text,
              causes.length > 0 ? ": " : "", causes.text);
    if (document_has_number(s, "moved_share_of_survivors"))
        page_line(p, TONE_PLAIN, TEXT_HANG,
                  "              collateral for %s of the flows whose path was well",
                  human_share(document_number(s, "moved_share_of_survivors")).text);
    text_words(&fates, s, document_fates);
    if (fates.length > 0)
        page_line(p, document_number(s, "broken") > 0 ? TONE_ODD : TONE_PLAIN, TEXT_HANG,
                  "  in events   %s", fates.text);
}

static void print_reasons(struct page *p, const char *label, json_t *reasons)
{
    struct page_list l = {.length = 0};
    double sum = document_sum(reasons);

    if (sum <= 0)
        return;
    text_reasons(&l, reasons);
    page_line(p, TONE_PLAIN, TEXT_HANG, "  %-12s%s packet%s: %s", label,
              human_count(sum).text, text_plural(sum), l.text);
}

void text_not_forwarded(struct page *p, const json_t *result)
{
    json_t *unrouted = json_object_get(result, "unrouted");
    json_t *dropped = json_object_get(result, "dropped");

    if (document_sum(unrouted) <= 0 && document_sum(dropped) <= 0)
        return;
    page_head(p, "Not forwarded");
    print_reasons(p, "not routed", unrouted);
    print_reasons(p, "dropped", dropped);
}

void text_checks(struct page *p, const json_t *result)
{
    static const struct document_word checks[] = {
        {"foreign_sources", "packets left by a WAN with another WAN's address"},
        {"untranslated", "packets left by a WAN with a private source (invalid for tracking, untranslated)"},
        {"inside_leaks", "packets for the LAN left by a WAN"},
        {"replies_by_another_wan",
         "flows were answered by another WAN than they came in by"},
        {"flows_on_two_paths_without_an_event", "flows changed path without any event"},
        {NULL, NULL},
    };
    const json_t *found = json_object_get(result, "checks");
    bool unbalanced =
        json_is_false(json_object_get(json_object_get(result, "run"), "balanced"));
    double sum = 0;

    for (const struct document_word *c = checks; c->key; c++)
        sum += document_number(found, c->key) > 0;
    if (sum <= 0 && !unbalanced)
        return;
    page_head(p, "Must not be");
    if (unbalanced)
        page_line(p, TONE_BAD, TEXT_HANG,
                  "  packets read are more than those accounted for");
    for (const struct document_word *c = checks; c->key; c++)
        if (document_number(found, c->key) > 0)
            page_line(p, TONE_BAD, TEXT_HANG, "  %8s  %s",
                      human_count(document_number(found, c->key)).text, c->words);
}
