/* What there is to choose from and to ask for, out of the tables that the program runs by. */
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "sim/command/command.h"
#include "sim/input/nearest.h"
#include "sim/observe/balance.h"
#include "sim/observe/figures.h"
#include "sim/report/document.h"
#include "sim/report/report.h"
#include "sim/timeline/simulation.h"
#include "sim/timeline/source.h"
#include "sim/users/profile.h"

const char usage_list[] =
    "usage: ecmplab list [OPTION]... [LIST]...\n"
    "\n"
    "Prints what there is to choose from, a name and what it means a line; without LIST "
    "all\n"
    "of these:\n"
    "\n"
    "    policies      ways to pick one next hop of a group\n"
    "    hash-policies what is hashed\n"
    "    events        what can happen while a scenario runs\n"
    "    traffic       where packets come from\n"
    "    profiles      what people do, for traffic with a profile\n"
    "    metrics       every figure of a result: its JSON pointer and its unit; * is a "
    "name\n"
    "    moves         why a flow changes its path\n"
    "    fates         what becomes of a flow\n"
    "    balance       verdicts on a split\n"
    "    verdicts      what the router decides about a packet\n"
    "    reasons       why a packet did not arrive\n"
    "    reports       formats for --report\n"
    "\n"
    "    --json        one JSON object: each list an array of objects with name and "
    "about\n"
    "    -h, --help    this text\n"
    "\n"
    "exit codes: 0 printed; 2 bad usage; 3 standard output could not be written\n";

struct row {
    const char *name, *unit, *about; /* unit: NULL unless the list has units */
    const char *better;              /* "less", "more"; NULL: neither */
};

/* Row i of a list; false behind its last one. A row without a name is left out. */
struct list {
    const char *name;
    bool (*row)(size_t i, struct row *r);
};

/* ------------------------------------------------------------------------- the tables */

static bool policy_row(size_t i, struct row *r)
{
    if (i >= policies_len)
        return false;
    *r = (struct row){.name = policies[i]->name, .about = policies[i]->about};
    return true;
}

static bool hash_policy_row(size_t i, struct row *r)
{
    if (i >= sizeof hash_policy_names / sizeof hash_policy_names[0])
        return false;
    *r = (struct row){.name = hash_policy_names[i], .about = hash_policy_abouts[i]};
    return true;
}

static bool event_row(size_t i, struct row *r)
{
    if (i >= EVENT_KINDS)
        return false;
    *r = (struct row){.name = event_kind_names[i],
                      .about = simulation_event_about((enum event_kind)i)};
    return true;
}

static bool traffic_row(size_t i, struct row *r)
{
    if (i >= TRAFFIC_KINDS)
        return false;
    *r = (struct row){.name = source_kinds[i].name, .about = source_kinds[i].about};
    return true;
}

static bool profile_row(size_t i, struct row *r)
{
    if (i >= PROFILES)
        return false;
    *r = (struct row){.name = profiles[i].name, .about = profiles[i].about};
    return true;
}

static bool metric_row(size_t i, struct row *r)
{
    static const char *const senses[] = {
        [FIGURE_NEITHER] = NULL, [FIGURE_LESS] = "less", [FIGURE_MORE] = "more"};

    if (i >= figures_len)
        return false;
    *r = (struct row){figures[i].pointer, figures[i].unit, figures[i].about,
                      senses[figures[i].sense]};
    return true;
}

static bool word_row(const struct document_word *words, size_t i, struct row *r)
{
    if (!words[i].key)
        return false;
    *r = (struct row){.name = words[i].key, .about = words[i].words};
    return true;
}

static bool move_row(size_t i, struct row *r)
{
    return word_row(document_causes, i, r);
}

static bool fate_row(size_t i, struct row *r)
{
    return word_row(document_fates, i, r);
}

static bool balance_row(size_t i, struct row *r)
{
    if (i >= BALANCE_VERDICTS)
        return false;
    *r = (struct row){.name = balance_verdicts[i].name,
                      .about = balance_verdicts[i].about};
    return true;
}

static bool verdict_row(size_t i, struct row *r)
{
    if (i >= VERDICTS)
        return false;
    *r = (struct row){.name = verdict_names[i], .about = verdict_abouts[i]};
    return true;
}

static bool reason_row(size_t i, struct row *r)
{
    if (i >= REASONS)
        return false;
    *r = (struct row){.name = reason_names[i], .about = reason_abouts[i]};
    return true;
}

static bool report_row(size_t i, struct row *r)
{
    if (!report_formats[i].name)
        return false;
    *r = (struct row){.name = report_formats[i].name, .about = report_formats[i].about};
    return true;
}

static const struct list lists[] = {
    {"policies", policy_row},  {"hash-policies", hash_policy_row},
    {"events", event_row},     {"traffic", traffic_row},
    {"profiles", profile_row}, {"metrics", metric_row},   {"moves", move_row},
    {"fates", fate_row},       {"balance", balance_row},
    {"verdicts", verdict_row}, {"reasons", reason_row},
    {"reports", report_row},
};

enum { LISTS = sizeof lists / sizeof lists[0] };

/* ---------------------------------------------------------------------------- printing */

static bool has_name(const struct row *r)
{
    return r->name && r->name[0];
}

/* The widest name and unit of a list. */
static void measure(const struct list *l, size_t *name, size_t *unit)
{
    struct row r;

    *name = *unit = 0;
    for (size_t i = 0; l->row(i, &r); i++) {
        const size_t n = has_name(&r) ? strlen(r.name) : 0,
                     u = r.unit ? strlen(r.unit) : 0;

        *name = n > *name ? n : *name;
        *unit = u > *unit ? u : *unit;
    }
}

static void print_list(const struct list *l, bool with_head)
{
    size_t name, unit;
    struct row r;

    measure(l, &name, &unit);
    if (with_head)
        printf("%s\n", l->name);
    for (size_t i = 0; l->row(i, &r); i++) {
        if (!has_name(&r))
            continue;
        printf("%s%-*s  ", with_head ? "  " : "", (int)name, r.name);
        if (unit)
            printf("%-*s  ", (int)unit, r.unit);
        printf("%s\n", r.about ? r.about : "");
    }
}

static json_t *list_json(const struct list *l)
{
    json_t *rows = json_array();
    struct row r;

    for (size_t i = 0; l->row(i, &r); i++) {
        json_t *o;

        if (!has_name(&r))
            continue;
        o = json_object();
        json_object_set_new(o, "name", json_string(r.name));
        if (r.unit)
            json_object_set_new(o, "unit", json_string(r.unit));
        if (r.better)
            json_object_set_new(o, "better", json_string(r.better));
        json_object_set_new(o, "about", json_string(r.about ? r.about : ""));
        json_array_append_new(rows, o);
    }
    return rows;
}

static const struct list *find(const char *name)
{
    struct nearest near = nearest_start(name);

    for (size_t i = 0; i < LISTS; i++) {
        if (strcmp(lists[i].name, name) == 0)
            return &lists[i];
        nearest_offer(&near, lists[i].name);
    }
    if (near.name)
        usage_error("list", "no list '%s'; did you mean '%s'?", name, near.name);
    else
        usage_error("list", "no list '%s'", name);
    return NULL;
}

static bool print_json(const struct list *const *chosen, size_t n)
{
    const struct report_options plain = {0};
    json_t *o = json_object();
    bool ok;

    for (size_t i = 0; i < n; i++)
        json_object_set_new(o, chosen[i]->name, list_json(chosen[i]));
    ok = report_draw_json(o, &plain, stdout);
    json_decref(o);
    return ok;
}

static const struct option list_long[] = {
    {"json", no_argument, NULL, OPTION_FIRST},
    {0},
};

int command_list(int argc, char **argv)
{
    const struct list *chosen[LISTS];
    bool json = false;
    size_t n = 0;
    int option;

    while ((option = next_option(argc, argv, ":", list_long)) != -1) {
        if (option == OPTION_WRONG)
            return EXIT_BAD_INPUT;
        json = true;
    }
    for (int i = optind; i < argc; i++) {
        const struct list *l = find(argv[i]);

        if (!l)
            return EXIT_BAD_INPUT;
        if (n == LISTS)
            return usage_error("list", "at most %d lists", LISTS);
        chosen[n++] = l;
    }
    for (size_t i = 0; n == 0 && i < LISTS; i++)
        chosen[i] = &lists[i];
    n = n ? n : LISTS;
    if (json)
        return print_json(chosen, n) ? EXIT_HELD : EXIT_UNREADABLE;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            putchar('\n');
        print_list(chosen[i], n > 1);
    }
    return EXIT_HELD;
}
