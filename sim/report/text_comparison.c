/*
 * text_comparison - a comparison for a terminal
 *
 * The verdicts come first, a column each. Then what the columns are, which flows go
 * elsewhere, the figures that differ with a mark where one way is better, and the hosts.
 */
#include <string.h>

#include "sim/report/report.h"
#include "sim/report/text_comparison_parts.h"

enum { COLUMN_NAME = 40, HOSTS_SHOWN = 5, LARGEST_SHOWN = 5 };

static struct human_name column_name(const struct comparison_drawing *d, size_t column)
{
    return human_name(document_string(json_array_get(d->columns, column), "name"),
                      COLUMN_NAME);
}

/* --------------------------------------------------------------------------- verdicts */

static const char *verdict_head(const char *word)
{
    static const struct document_word heads[] = {
        {"better", "BETTER"}, {"worse", "WORSE"}, {"mixed", "MIXED"},
        {"same", "SAME"},     {NULL, NULL},
    };

    for (const struct document_word *h = heads; h->key; h++)
        if (strcmp(h->key, word) == 0)
            return h->words;
    return "DIFFERS";
}

/* "312 of 937 flows go elsewhere (33.3 %), 310 are seen under another address". */
static void list_elsewhere(struct page_list *l, const json_t *e)
{
    const double moved = document_number(e, "elsewhere");
    const double readdressed = document_number(e, "another_address");

    if (!document_has_number(e, "elsewhere"))
        return;
    page_list_add(l, "%s of %s flows go elsewhere (%s)", human_count(moved).text,
                  human_count(document_number(e, "matched")).text,
                  human_share(document_number(e, "elsewhere_share")).text);
    page_list_add(l, "%s under another public address", human_count(readdressed).text);
}

/* Of the sensitive hosts: what is worse, then what is better. */
static void print_sensitive(struct page *p, const json_t *list, const char *mark)
{
    const json_t *s;
    size_t i;

    json_array_foreach (list, i, s) {
        const char *metric = document_string(s, "metric");
        const char *figure = metric ? strrchr(metric, '/') : NULL;
        const char *unit = document_string(s, "unit");

        if (!document_string(s, "mark") || strcmp(document_string(s, "mark"), mark) != 0)
            continue;
        page_marked(p, comparison_tone(mark), "  sensitive", TEXT_HANG,
                    "%s: %s %s -> %s, %s",
                    human_name(document_string(s, "host"), TEXT_NAME_COLUMNS).text,
                    human_name(figure ? figure + 1 : metric, 40).text,
                    comparison_value(json_object_get(s, "from"), unit).text,
                    comparison_value(json_object_get(s, "to"), unit).text, mark);
    }
}

static void print_verdict(const struct comparison_drawing *d, const json_t *document,
                          size_t column)
{
    const json_t *v = json_array_get(json_object_get(document, "verdicts"), column - 1);
    const json_t *all = json_object_get(document, "elsewhere");
    const json_t *c = json_array_get(d->columns, column);
    const char *word = document_string(v, "verdict"), *name = document_string(c, "name");
    const double better = document_number(v, "better"),
                 worse = document_number(v, "worse");
    const double failed = document_number(c, "failed");
    struct page_list l = {.length = 0};

    word = word ? word : "different";
    list_elsewhere(&l, name ? json_object_get(all, name) : NULL);
    page_list_add(&l, "%s figure%s better", human_count(better).text,
                  text_plural(better));
    page_list_add(&l, "%s worse", human_count(worse).text);
    if (failed > 0)
        page_list_add(&l, "%s expectation%s failed", human_count(failed).text,
                      text_plural(failed));
    page_marked(d->page, comparison_tone(word), verdict_head(word), 8, "%s: %s",
                column_name(d, column).text, l.text);
    print_sensitive(d->page, json_object_get(v, "sensitive"), "worse");
    print_sensitive(d->page, json_object_get(v, "sensitive"), "better");
}

/* ---------------------------------------------------------------------------- columns */

static void print_column(const struct comparison_drawing *d, size_t column)
{
    const json_t *c = json_array_get(d->columns, column);
    const char *traffic = document_string(c, "traffic");
    struct page_list l = {.length = 0};
    char buf[8];

    page_list_add(&l, "%s", column_name(d, column).text);
    if (document_string(c, "file"))
        page_list_add(&l, "%s%s",
                      document_string(c, "source") &&
                              strcmp(document_string(c, "source"), "result") == 0
                          ? "the result "
                          : "",
                      human_name(document_string(c, "file"), COLUMN_NAME).text);
    if (document_has_number(c, "packets"))
        page_list_add(&l, "%s packets", human_count(document_number(c, "packets")).text);
    if (document_has_number(c, "flows"))
        page_list_add(&l, "%s flows", human_count(document_number(c, "flows")).text);
    if (traffic)
        page_list_add(&l, "%s traffic", human_name(traffic, 12).text);
    if (document_number(c, "expected") > 0)
        page_list_add(
            &l, "%s of %s expectations hold",
            human_count(document_number(c, "expected") - document_number(c, "failed"))
                .text,
            human_count(document_number(c, "expected")).text);
    page_line(d->page, TONE_PLAIN, 5, "  %-2s %s", comparison_letter(column, buf),
              l.text);
}

static void print_columns(const struct comparison_drawing *d)
{
    page_head(d->page, "Compared");
    for (size_t i = 0; i < d->len; i++)
        print_column(d, i);
}

/* -------------------------------------------------------------------------- elsewhere */

static const char *path_name(const json_t *o, const char *key, struct human_name *room)
{
    const char *name = document_string(o, key);

    *room = human_name(name ? name : "no path", TEXT_NAME_COLUMNS);
    return room->text;
}

static void print_between(struct page *p, const json_t *list)
{
    struct page_list l = {.length = 0};
    struct human_name from, to;
    const json_t *b;
    size_t i;

    json_array_foreach (list, i, b)
        page_list_add(&l, "%s from %s to %s",
                      human_count(document_number(b, "flows")).text,
                      path_name(b, "from", &from), path_name(b, "to", &to));
    if (l.length > 0)
        page_line(p, TONE_PLAIN, TEXT_HANG, "    flows     %s", l.text);
}

static void print_hosts_elsewhere(struct page *p, const json_t *list)
{
    const char *label = "hosts";
    const json_t *h;
    size_t i, shown = 0;

    json_array_foreach (list, i, h) {
        const char *name = document_string(h, "name");

        if (document_number(h, "elsewhere") + document_number(h, "another_address") <=
                0 ||
            shown++ >= HOSTS_SHOWN)
            continue;
        page_line(p, TONE_PLAIN, TEXT_HANG,
                  "    %-10s%s%s%s: %s of %s flows, %s under another address", label,
                  human_name(document_string(h, "address"), 46).text, name ? ", " : "",
                  name ? human_name(name, TEXT_NAME_COLUMNS).text : "",
                  human_count(document_number(h, "elsewhere")).text,
                  human_count(document_number(h, "flows")).text,
                  human_count(document_number(h, "another_address")).text);
        label = "";
    }
    if (shown > HOSTS_SHOWN)
        page_line(p, TONE_PLAIN, TEXT_HANG, "              and %zu more",
                  shown - HOSTS_SHOWN);
}

static void print_largest(struct page *p, const json_t *list)
{
    const char *label = "largest";
    struct human_name from, to;
    const json_t *f;
    size_t i;

    json_array_foreach (list, i, f) {
        if (i >= LARGEST_SHOWN)
            return;
        page_line(p, TONE_PLAIN, TEXT_HANG, "    %-10s%s, %s: %s -> %s", label,
                  human_name(document_string(f, "flow"), 120).text,
                  human_bytes(document_number(f, "bytes")).text,
                  path_name(f, "from", &from), path_name(f, "to", &to));
        label = "";
    }
}

static void print_elsewhere(const struct comparison_drawing *d, const json_t *document)
{
    const json_t *all = json_object_get(document, "elsewhere");
    bool headed = false;
    char buf[8];

    for (size_t i = 1; i < d->len; i++) {
        const char *name = document_string(json_array_get(d->columns, i), "name");
        const json_t *e = name ? json_object_get(all, name) : NULL;

        if (document_number(e, "elsewhere") + document_number(e, "another_address") +
                document_number(e, "only_in_first") + document_number(e, "only_here") <=
            0)
            continue;
        if (!headed)
            page_head(d->page, "Flows that go elsewhere");
        headed = true;
        page_line(d->page, TONE_BOLD, 5, "  %-2s %s of %s, of %s of the LAN's hosts",
                  comparison_letter(i, buf),
                  human_bytes(document_number(e, "bytes_elsewhere")).text,
                  human_bytes(document_number(e, "bytes")).text,
                  human_count(document_number(e, "hosts_elsewhere")).text);
        print_between(d->page, json_object_get(e, "between"));
        print_hosts_elsewhere(d->page, json_object_get(e, "hosts"));
        print_largest(d->page, json_object_get(e, "largest"));
        if (document_number(e, "only_in_first") + document_number(e, "only_here") > 0)
            page_line(d->page, TONE_PLAIN, TEXT_HANG,
                      "    not both  %s flows only in A, %s only in %s",
                      human_count(document_number(e, "only_in_first")).text,
                      human_count(document_number(e, "only_here")).text,
                      comparison_letter(i, buf));
    }
}

/* ---------------------------------------------------------------------------- figures */

static void print_figures(const struct comparison_drawing *d, const json_t *rows)
{
    size_t same;

    if (json_array_size(rows) == 0)
        return;
    page_head(d->page, "Figures that differ");
    same = comparison_table(d, rows, NULL);
    page_line(d->page, TONE_PLAIN, 2, "  %zu figure%s the same", same,
              same == 1 ? " is" : "s are");
}

/* ------------------------------------------------------------------------------ hosts */

static void print_addresses(const struct comparison_drawing *d, const json_t *lists)
{
    for (size_t i = 0; i < d->len; i++) {
        struct page_list l = {.length = 0};
        const json_t *list = json_array_get(lists, i), *address;
        char buf[8];
        size_t k;

        json_array_foreach (list, k, address)
            page_list_add(&l, "%s", human_name(json_string_value(address), 46).text);
        page_line(d->page, TONE_PLAIN, TEXT_HANG, "    %-2s seen as %s",
                  comparison_letter(i, buf), l.length > 0 ? l.text : "nobody");
    }
}

static bool host_differs(const json_t *host)
{
    const json_t *rows = json_object_get(host, "figures");
    const json_t *lists = json_object_get(host, "public_addresses");

    for (size_t i = 0; i < json_array_size(rows); i++)
        if (comparison_differs(json_array_get(rows, i)))
            return true;
    for (size_t i = 1; i < json_array_size(lists); i++)
        if (!json_equal(json_array_get(lists, 0), json_array_get(lists, i)))
            return true;
    return false;
}

static void print_hosts(const struct comparison_drawing *d, json_t *hosts)
{
    const char *name;
    json_t *host;
    struct page_list same = {.length = 0};

    if (json_object_size(hosts) == 0)
        return;
    page_head(d->page, "Hosts");
    json_object_foreach (hosts, name, host) {
        if (!host_differs(host)) {
            page_list_add(&same, "%s", human_name(name, TEXT_NAME_COLUMNS).text);
            continue;
        }
        page_line(d->page, TONE_BOLD, 4, "  %s%s",
                  human_name(name, TEXT_NAME_COLUMNS).text,
                  document_is_true(host, "sensitive") ? ", sensitive" : "");
        print_addresses(d, json_object_get(host, "public_addresses"));
        comparison_table(d, json_object_get(host, "figures"), name);
    }
    if (same.length > 0)
        page_line(d->page, TONE_PLAIN, TEXT_HANG, "  the same    %s", same.text);
}

static void print_warnings(struct page *p, const json_t *warnings)
{
    const json_t *warning;
    size_t i;

    if (json_array_size(warnings) == 0)
        return;
    page_head(p, "Warnings");
    json_array_foreach (warnings, i, warning)
        page_line(p, TONE_ODD, 4, "  %s",
                  human_name(json_string_value(warning), 200).text);
}

bool report_draw_text_comparison(const json_t *document, const struct report_options *o,
                                 FILE *out)
{
    struct page p = {.out = out, .colour = o->colour};
    struct comparison_drawing d = {.page = &p,
                                   .columns = json_object_get(document, "columns")};

    d.len = json_array_size(d.columns);
    for (size_t i = 1; i < d.len; i++)
        print_verdict(&d, document, i);
    if (o->quiet)
        return true;
    print_columns(&d);
    print_elsewhere(&d, document);
    print_figures(&d, json_object_get(document, "figures"));
    print_hosts(&d, json_object_get(document, "hosts"));
    print_warnings(&p, json_object_get(document, "warnings"));
    return true;
}
