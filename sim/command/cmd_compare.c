/* Several scenarios, or variants of one, over the same traffic; or saved results. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/command/command.h"
#include "sim/compare/comparison.h"
#include "sim/compare/elsewhere.h"
#include "sim/observe/expect.h"
#include "sim/observe/metrics.h"
#include "sim/observe/result.h"
#include "sim/report/report.h"
#include "sim/timeline/simulation.h"

const char usage_compare[] =
    "usage: ecmplab compare [OPTION]... SCENARIO|RESULT...\n"
    "\n"
    "Runs two or more scenarios, or one with variants, over the same traffic and tells "
    "what\n"
    "differs: which flows, hosts and bytes go elsewhere, whose public address changes, "
    "what\n"
    "breaks, how even the load is, what is lost. The first is what the others are held\n"
    "against: they get its traffic and its seed. A RESULT is what 'run --report "
    "json:FILE'\n"
    "has saved; its figures are compared, not its flows.\n"
    "\n"
    "    --variant NAME:POINTER=VALUE\n"
    "                          the first scenario once more with this value: --variant\n"
    "                          l3:/router/hash/ipv4=l3   (repeatable; the same NAME "
    "again\n"
    "                          changes more of that variant)\n"
    "    --set POINTER=VALUE   change one value in every scenario (repeatable)\n"
    "    --seed N              another seed for all\n"
    "    --pcap FILE           this capture instead of the traffic\n"
    "    --own-traffic         each scenario with its own traffic and seed; results of\n"
    "                          different traffic too\n"
    "    --report FORMAT:PATH  text or json; '-' is standard output (repeatable; "
    "default\n"
    "                          text:-); 'ecmplab report' draws text from a saved json\n"
    "    -q, --quiet           only the verdicts\n"
    "    --no-color            no colour (NO_COLOR does the same)\n"
    "    -h, --help            this text\n"
    "\n"
    "exit codes: 0 compared; 1 an expectation failed in another column than the first; 2 "
    "bad\n"
    "usage or scenario, or results of different traffic; 3 an input could not be read or "
    "a\n"
    "report not written; 4 in a column no packet was simulated\n";

enum { COLUMNS_MAX = 16, REPORTS_MAX = 64 };

enum {
    OPTION_VARIANT = OPTION_FIRST,
    OPTION_PCAP,
    OPTION_OWN_TRAFFIC,
    OPTION_REPORT,
    OPTION_NO_COLOR,
};

static const struct option compare_long[] = {
    {"variant", required_argument, NULL, OPTION_VARIANT},
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"own-traffic", no_argument, NULL, OPTION_OWN_TRAFFIC},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"quiet", no_argument, NULL, 'q'},
    {"no-color", no_argument, NULL, OPTION_NO_COLOR},
    CHANGE_OPTIONS,
    {0},
};

/* A value that one variant changes. */
struct variant_set {
    char *name;
    const char *set; /* "POINTER=VALUE" */
};

struct compare_options {
    struct change_options change;
    struct variant_set variants[CHANGES_MAX];
    size_t variants_len;
    const char *reports[REPORTS_MAX];
    size_t reports_len;
    bool own_traffic, quiet, no_color;
};

struct compare {
    const struct compare_options *options;
    struct comparison_column columns[COLUMNS_MAX];
    size_t len;
    struct scenario *first;    /* NULL: the first is a result, or there is none yet */
    struct ledger first_flows; /* of it */
};

/* ---------------------------------------------------------------------------- options */

static bool add_variant(struct compare_options *o, const char *text)
{
    const char *colon = strstr(text, ":/");
    struct variant_set *v = &o->variants[o->variants_len];

    if (!colon || colon == text || !strchr(colon, '=')) {
        usage_error("compare",
                    "--variant %s: expected NAME:POINTER=VALUE, as"
                    " l3:/router/hash/ipv4=l3",
                    text);
        return false;
    }
    if (o->variants_len == CHANGES_MAX) {
        usage_error("compare", "--variant: at most %d times", CHANGES_MAX);
        return false;
    }
    v->name = mem_alloc((size_t)(colon - text) + 1, 1);
    memcpy(v->name, text, (size_t)(colon - text));
    v->set = colon + 1;
    o->variants_len++;
    return true;
}

static bool add_report(struct compare_options *o, const char *spec)
{
    const struct report_format *f;
    char error[256];
    const char *path;

    f = report_parse(spec, &path, error, sizeof error);
    if (!f) {
        usage_error("compare", "--report: %s", error);
    } else if (!f->draw_comparison) {
        usage_error("compare", "--report: %s is drawn of one result, not of a comparison",
                    f->name);
        f = NULL;
    } else if (o->reports_len == REPORTS_MAX) {
        usage_error("compare", "--report: at most %d", REPORTS_MAX);
        f = NULL;
    }
    if (f)
        o->reports[o->reports_len++] = spec;
    return f != NULL;
}

static bool compare_option(int option, struct compare_options *o)
{
    switch (option) {
    case OPTION_VARIANT: return add_variant(o, optarg);
    case OPTION_PCAP: o->change.changes.pcap = optarg; return true;
    case OPTION_OWN_TRAFFIC: o->own_traffic = true; return true;
    case OPTION_REPORT: return add_report(o, optarg);
    case 'q': o->quiet = true; return true;
    case OPTION_NO_COLOR: o->no_color = true; return true;
    case OPTION_WRONG: return false;
    default: return change_option("compare", option, &o->change);
    }
}

/* Is it what every column has of the first, so that a variant's own would count for nothing? */
static bool is_shared(const char *set)
{
    return strncmp(set, "/traffic", 8) == 0 && strchr("/=-", set[8]);
}

static int variants_check(const struct compare_options *o)
{
    for (size_t i = 0; i < o->variants_len; i++) {
        if (!o->own_traffic && is_shared(o->variants[i].set))
            return usage_error(
                "compare",
                "--variant %s:%s: every column has the traffic of the first;"
                " with --own-traffic each has its own",
                o->variants[i].name, o->variants[i].set);
        if (o->change.changes.has_seed && strncmp(o->variants[i].set, "/seed=", 6) == 0)
            return usage_error("compare", "--variant %s:%s: --seed sets it for all",
                               o->variants[i].name, o->variants[i].set);
    }
    return EXIT_HELD;
}

/* ---------------------------------------------------------------------------- columns */

/* A name that no column has yet, in UTF-8: the wanted one, or with a number behind it. */
static char *name_make(const struct compare *c, const char *wanted)
{
    const size_t size = strlen(wanted) + 32;
    char *name = mem_alloc(size, 1);
    json_t *text = json_string(wanted);
    unsigned number = 1;

    snprintf(name, size, "%s", text ? wanted : "column");
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->columns[i].name, name) == 0) {
            snprintf(name, size, "%s (%u)", text ? wanted : "column", ++number);
            i = (size_t)-1;
        }
    json_decref(text);
    return name;
}

/* "scenarios/001-recipe.json" is called 001-recipe. */
static char *name_of_file(const struct compare *c, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const size_t length = strlen(base);
    char *wanted = mem_alloc(length + 1, 1), *name;

    memcpy(wanted, base, length);
    if (length > 5 && strcmp(base + length - 5, ".json") == 0)
        wanted[length - 5] = '\0';
    name = name_make(c, wanted);
    mem_free(wanted);
    return name;
}

static struct comparison_column *column_add(struct compare *c, char *name,
                                            const char *source, const char *file)
{
    struct comparison_column *column = &c->columns[c->len++];

    *column = (struct comparison_column){.name = name, .source = source, .file = file};
    return column;
}

/* A saved result; NULL: it is none, and may be a scenario. */
static json_t *result_load(const char *path)
{
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *format = json_string_value(json_object_get(document, "format"));

    if (format && strcmp(format, RESULT_FORMAT) == 0)
        return document;
    json_decref(document);
    return NULL;
}

/* ------------------------------------------------------------------------- simulation */

/* The LAN interface of the same name; -1: none, it is found by the source. */
static int same_iface(const struct scenario *s, const struct scenario *first, int iface)
{
    if (iface < 0)
        return -1;
    for (size_t i = 0; i < s->router.ifaces_len; i++)
        if (strcmp(s->router.ifaces[i].name, first->router.ifaces[iface].name) == 0)
            return (int)i;
    return -1;
}

/* The first scenario's traffic, as it enters this one. The caller frees it. */
static struct scenario_traffic *traffic_of_first(const struct scenario *s,
                                                 const struct scenario *first)
{
    struct scenario_traffic *t = mem_alloc(first->traffic_len, sizeof *t);

    for (size_t i = 0; i < first->traffic_len; i++) {
        t[i] = first->traffic[i];
        t[i].iface = same_iface(s, first, first->traffic[i].iface);
    }
    return t;
}

/* Run it and write its ledger. NULL: an input could not be read to its end. */
static json_t *simulate(const struct scenario *s, struct ledger *ledger)
{
    struct simulation *sim = simulation_create(s);
    struct metrics *m = metrics_create(s, simulation_router(sim));
    const struct observer watching = metrics_observer(m);
    json_t *result = NULL;
    char error[512];

    metrics_keep_ledger(m, ledger);
    simulation_observe(sim, &watching);
    if (simulation_run(sim, error, sizeof error))
        result = metrics_result(m, sim);
    else
        fprintf(stderr, "ecmplab compare: %s\n", error);
    metrics_destroy(m);
    simulation_destroy(sim);
    if (result)
        expect_judge(s, result);
    return result;
}

static int run_first(struct compare *c, struct comparison_column *column,
                     struct scenario *s)
{
    c->first = s;
    ledger_init(&c->first_flows, s);
    column->result = simulate(s, &c->first_flows);
    return column->result ? EXIT_HELD : EXIT_UNREADABLE;
}

/* A result that is not known to be of the first one's traffic is refused. */
static int traffic_check(const struct compare *c, const struct comparison_column *column)
{
    const struct comparison_column *first = &c->columns[0];

    if (column == first || c->options->own_traffic ||
        comparison_same_traffic(first->result, column->result))
        return EXIT_HELD;
    fprintf(stderr,
            "ecmplab compare: %s: its traffic is not known to be that of %s"
            " (/run/traffic_fingerprint); --own-traffic compares all the same\n",
            column->file, first->file);
    return EXIT_BAD_INPUT;
}

/* Another one beside the first, if that was run too. The scenario is the caller's. */
static int run_other(struct compare *c, struct comparison_column *column,
                     const struct scenario *s)
{
    struct scenario view = *s;
    struct scenario_traffic *shared = NULL;
    struct ledger flows;

    if (c->first && !c->options->own_traffic) {
        shared = traffic_of_first(s, c->first);
        view.traffic = shared;
        view.traffic_len = c->first->traffic_len;
    }
    ledger_init(&flows, &view);
    column->result = simulate(&view, &flows);
    if (column->result && c->first)
        column->elsewhere = elsewhere_build(&c->first_flows, &flows);
    ledger_free(&flows);
    mem_free(shared);
    if (!column->result)
        return EXIT_UNREADABLE;
    return c->first ? EXIT_HELD : traffic_check(c, column);
}

/* What the command line changes in this column: for all, and in the variant of that name. */
static void changes_of(const struct compare *c, const char *variant,
                       struct change_options *changes)
{
    const struct compare_options *o = c->options;

    *changes = o->change;
    changes->changes.set = changes->set;
    for (size_t i = 0; variant && i < o->variants_len; i++)
        if (strcmp(o->variants[i].name, variant) == 0 &&
            changes->changes.set_len < CHANGES_MAX)
            changes->set[changes->changes.set_len++] = o->variants[i].set;
    if (c->first && !variant && !o->own_traffic && !changes->changes.has_seed) {
        changes->changes.has_seed = true;
        changes->changes.seed = c->first->seed;
    }
}

static int add_scenario(struct compare *c, const char *path, const char *variant)
{
    char *name = variant ? name_make(c, variant) : name_of_file(c, path);
    struct comparison_column *column = column_add(c, name, "scenario", path);
    struct change_options changes;
    struct scenario *s;
    int code = EXIT_BAD_INPUT;

    changes_of(c, variant, &changes);
    s = scenario_open(path, &changes.changes, &code);
    if (!s)
        return code;
    if (c->len == 1)
        return run_first(c, column, s); /* which keeps it */
    code = run_other(c, column, s);
    scenario_free(s);
    return code;
}

static int add_result(struct compare *c, const char *path, json_t *result)
{
    struct comparison_column *column =
        column_add(c, name_of_file(c, path), "result", path);

    column->result = result;
    return traffic_check(c, column);
}

static int add_input(struct compare *c, const char *path)
{
    json_t *result;

    if (c->len == COLUMNS_MAX)
        return usage_error("compare", "at most %d columns", COLUMNS_MAX);
    result = result_load(path);
    return result ? add_result(c, path, result) : add_scenario(c, path, NULL);
}

/* A column for each name, in the order of their first use. */
static int add_variants(struct compare *c)
{
    const struct compare_options *o = c->options;

    for (size_t i = 0; i < o->variants_len; i++) {
        bool is_new = true;
        int code;

        for (size_t k = 0; k < i; k++)
            is_new = is_new && strcmp(o->variants[k].name, o->variants[i].name) != 0;
        if (!is_new)
            continue;
        if (!c->first)
            return usage_error("compare", "--variant: the first is a result, which has no"
                                          " variants");
        if (c->len == COLUMNS_MAX)
            return usage_error("compare", "at most %d columns", COLUMNS_MAX);
        code = add_scenario(c, c->columns[0].file, o->variants[i].name);
        if (code != EXIT_HELD)
            return code;
    }
    return EXIT_HELD;
}

/* -------------------------------------------------------------------------- reporting */

static bool is_empty(const json_t *result)
{
    const json_t *run = json_object_get(result, "run");

    return json_number_value(json_object_get(run, "packets")) <= 0 ||
           json_number_value(json_object_get(run, "flows")) <= 0;
}

static bool any_error(json_t *expect)
{
    json_t *e;
    size_t i;

    json_array_foreach (expect, i, e) {
        const char *level = json_string_value(json_object_get(e, "level"));
        const bool only_warns =
            level && strcmp(level, "warn") == 0 && !json_object_get(e, "error");

        if (!json_is_true(json_object_get(e, "pass")) && !only_warns)
            return true;
    }
    return false;
}

static int code_of(const struct compare *c)
{
    int code = EXIT_HELD;

    for (size_t i = 0; i < c->len; i++) {
        const struct comparison_column *column = &c->columns[i];

        if (is_empty(column->result)) {
            fprintf(stderr, "ecmplab compare: %s: nothing was simulated\n", column->name);
            return EXIT_NOTHING;
        }
        if (i > 0 && any_error(json_object_get(column->result, "expect")))
            code = EXIT_FOUND;
    }
    return code;
}

static int report_all(const struct compare *c)
{
    const struct compare_options *o = c->options;
    const struct report_options how = {
        .colour = colour_allowed(STDOUT_FILENO, o->no_color), .quiet = o->quiet};
    json_t *document = comparison_build(c->columns, c->len);
    int code = code_of(c);
    char error[512];

    for (size_t i = 0; i < (o->reports_len ? o->reports_len : 1); i++) {
        if (report_write(document, o->reports_len ? o->reports[i] : "text:-", &how, error,
                         sizeof error))
            continue;
        fprintf(stderr, "ecmplab compare: %s\n", error);
        code = EXIT_UNREADABLE;
    }
    json_decref(document);
    return code;
}

static void compare_free(struct compare *c)
{
    for (size_t i = 0; i < c->len; i++) {
        mem_free(c->columns[i].name);
        json_decref(c->columns[i].result);
        json_decref(c->columns[i].elsewhere);
    }
    ledger_free(&c->first_flows);
    scenario_free(c->first);
}

static int compare_all(const struct compare_options *o, int files, char **paths)
{
    struct compare c = {.options = o};
    int code = EXIT_HELD;

    for (int i = 0; i < files && code == EXIT_HELD; i++)
        code = add_input(&c, paths[i]);
    if (code == EXIT_HELD)
        code = add_variants(&c);
    if (code == EXIT_HELD)
        code = report_all(&c);
    compare_free(&c);
    return code;
}

int command_compare(int argc, char **argv)
{
    struct compare_options *o = mem_alloc(1, sizeof *o);
    int code = EXIT_HELD, option;

    while (code == EXIT_HELD &&
           (option = next_option(argc, argv, ":q", compare_long)) != -1)
        if (!compare_option(option, o))
            code = EXIT_BAD_INPUT;
    if (code == EXIT_HELD && argc - optind + (o->variants_len > 0) < 2)
        code =
            usage_error("compare", "compare what? give two scenarios or results, or one"
                                   " scenario and a --variant");
    if (code == EXIT_HELD && optind == argc)
        code = usage_error("compare", "a --variant of what? give a scenario");
    if (code == EXIT_HELD)
        code = variants_check(o);
    if (code == EXIT_HELD)
        code = compare_all(o, argc - optind, argv + optind);
    for (size_t i = 0; i < o->variants_len; i++)
        mem_free(o->variants[i].name);
    mem_free(o);
    return code;
}
