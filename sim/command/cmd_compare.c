/* Several scenarios, or variants of one, over the same traffic; or saved results. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/command/compare_columns.h"
#include "sim/report/report.h"

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
    if (o->change.changes.set_len + o->variants_len > CHANGES_MAX)
        return usage_error("compare", "--set and --variant: at most %d times in all",
                           CHANGES_MAX);
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

static int compare_all(const struct compare_options *o, int files, char **paths)
{
    struct compare c = {.options = o};
    int code = EXIT_HELD;

    for (int i = 0; i < files && code == EXIT_HELD; i++)
        code = compare_add_input(&c, paths[i]);
    if (code == EXIT_HELD)
        code = compare_add_variants(&c);
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
