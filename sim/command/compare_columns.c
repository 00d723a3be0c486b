#include "sim/command/compare_columns.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/compare/elsewhere.h"
#include "sim/observe/expect.h"
#include "sim/observe/metrics.h"
#include "sim/observe/result.h"

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
        if (strcmp(o->variants[i].name, variant) == 0)
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

int compare_add_input(struct compare *c, const char *path)
{
    json_t *result;

    if (c->len == COLUMNS_MAX)
        return usage_error("compare", "at most %d columns", COLUMNS_MAX);
    result = result_load(path);
    return result ? add_result(c, path, result) : add_scenario(c, path, NULL);
}

/* A column for each name, in the order of their first use. */
int compare_add_variants(struct compare *c)
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

void compare_free(struct compare *c)
{
    for (size_t i = 0; i < c->len; i++) {
        mem_free(c->columns[i].name);
        json_decref(c->columns[i].result);
        json_decref(c->columns[i].elsewhere);
    }
    ledger_free(&c->first_flows);
    scenario_free(c->first);
}
