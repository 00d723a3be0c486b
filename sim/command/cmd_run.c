/* Simulate, report, judge. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/command/command.h"
#include "sim/command/paths.h"
#include "sim/observe/decisions.h"
#include "sim/observe/expect.h"
#include "sim/observe/metrics.h"
#include "sim/report/outfile.h"
#include "sim/report/report.h"
#include "sim/timeline/simulation.h"

const char usage_run[] =
    "usage: ecmplab run [OPTION]... SCENARIO...\n"
    "\n"
    "Replays the scenario's traffic through its router while its WANs fail as it says, reports\n"
    "what happened and judges what it expects.\n"
    "\n"
    "    --pcap FILE           this capture instead of the scenario's traffic (pcap, pcapng,\n"
    "                          also .gz and .zst)\n"
    "    --seed N              another seed\n"
    "    --set POINTER=VALUE   change one value of the scenario, named by its JSON pointer:\n"
    "                          --set /router/hash/ipv4=l3   (repeatable)\n"
    "    --report FORMAT:PATH  write the result so; '-' is standard output (repeatable;\n"
    "                          default text:-)\n"
    "                            text   for a terminal\n"
    "                            json   the result itself, from which all others are drawn\n"
    "                            plots  a folder of pictures, their data and gnuplot scripts\n"
    "    --decisions PATH      a line a packet as CSV: what was decided, and why\n"
    "    -q, --quiet           no report on standard output unless something failed\n"
    "    --no-color            no colour (NO_COLOR does the same)\n"
    "    -h, --help            this text\n"
    "\n"
    "exit codes: 0 every expectation held; 1 one failed; 2 bad usage or scenario; 3 an input\n"
    "could not be read or a report not written; 4 no packet was simulated\n";

enum { REPORTS_MAX = 64 };

struct run_options {
    struct change_options change;
    const char *reports[REPORTS_MAX];
    size_t reports_len;
    const char *decisions;
    bool quiet, no_color;
};

enum { OPTION_PCAP = OPTION_FIRST, OPTION_REPORT, OPTION_DECISIONS, OPTION_NO_COLOR };

static const struct option run_long[] = {
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"decisions", required_argument, NULL, OPTION_DECISIONS},
    {"quiet", no_argument, NULL, 'q'},
    {"no-color", no_argument, NULL, OPTION_NO_COLOR},
    CHANGE_OPTIONS,
    {0},
};

static bool add_report(struct run_options *o, const char *spec)
{
    char error[256];
    const char *path;

    if (!report_parse(spec, &path, error, sizeof error)) {
        usage_error("run", "--report: %s", error);
        return false;
    }
    if (o->reports_len == REPORTS_MAX) {
        usage_error("run", "--report: at most %d", REPORTS_MAX);
        return false;
    }
    o->reports[o->reports_len++] = spec;
    return true;
}

static bool run_option(int option, struct run_options *o)
{
    switch (option) {
    case OPTION_PCAP: o->change.changes.pcap = optarg; return true;
    case OPTION_REPORT: return add_report(o, optarg);
    case OPTION_DECISIONS: o->decisions = optarg; return true;
    case 'q': o->quiet = true; return true;
    case OPTION_NO_COLOR: o->no_color = true; return true;
    case OPTION_WRONG: return false;
    default: return change_option("run", option, &o->change);
    }
}

/* Is something other than standard output written, which one scenario would overwrite? */
static bool writes_files(const struct run_options *o)
{
    for (size_t i = 0; i < o->reports_len; i++)
        if (strcmp(strchr(o->reports[i], ':') + 1, "-") != 0)
            return true;
    return o->decisions && strcmp(o->decisions, "-") != 0;
}

static bool write_report(const json_t *result, const char *spec, const struct run_options *o)
{
    const struct report_options options = {
        .colour = colour_allowed(STDOUT_FILENO, o->no_color),
        .quiet = o->quiet,
    };
    char error[512];

    if (report_write(result, spec, &options, error, sizeof error))
        return true;
    fprintf(stderr, "ecmplab run: %s\n", error);
    return false;
}

static json_int_t run_count(const json_t *result, const char *what)
{
    return json_integer_value(json_object_get(json_object_get(result, "run"), what));
}

static int report_all(const json_t *result, int code, const struct run_options *o)
{
    if (run_count(result, "packets") == 0 || run_count(result, "flows") == 0) {
        fprintf(stderr, "ecmplab run: nothing was simulated: %lld packets, and no flow\n",
                (long long)run_count(result, "packets"));
        code = EXIT_NOTHING;
    }
    if (!json_is_true(json_object_get(json_object_get(result, "run"), "balanced"))) {
        fprintf(stderr, "ecmplab run: a packet was counted nowhere: this is a bug of ecmplab\n");
        code = EXIT_FOUND;
    }
    if (o->reports_len == 0 && (!o->quiet || code != EXIT_HELD) &&
        !write_report(result, "text:-", o))
        return EXIT_UNREADABLE;
    for (size_t i = 0; i < o->reports_len; i++)
        if (!write_report(result, o->reports[i], o))
            code = EXIT_UNREADABLE;
    return code;
}

/*
 * The run itself. An input that ends too early is told, and what was read of it reported:
 * *whole is false then. NULL: nothing could be read.
 */
static json_t *simulate(const struct scenario *s, struct decisions *decisions, bool *whole)
{
    struct simulation *sim = simulation_create(s);
    struct metrics *m = metrics_create(s, simulation_router(sim));
    const struct observer watching = metrics_observer(m);
    json_t *result = NULL;
    char error[512];

    simulation_observe(sim, &watching);
    if (decisions->out) {
        const struct observer writing = decisions_observer(decisions);

        simulation_observe(sim, &writing);
    }
    *whole = simulation_run(sim, error, sizeof error);
    if (!*whole) {
        fprintf(stderr, "ecmplab run: %s\n", error);
        metrics_warn(m, error);
    }
    if (*whole || simulation_packets(sim) > 0)
        result = metrics_result(m, sim);
    metrics_destroy(m);
    simulation_destroy(sim);
    return result;
}

static int run_scenario(const struct scenario *s, const struct run_options *o)
{
    struct decisions decisions = {0};
    struct outfile file;
    char error[512];
    json_t *result;
    bool held, whole;
    int code;

    if (o->decisions) {
        if (!outfile_open(&file, o->decisions, error, sizeof error)) {
            fprintf(stderr, "ecmplab run: %s\n", error);
            return EXIT_UNREADABLE;
        }
        decisions_begin(&decisions, file.stream, &s->router);
    }
    result = simulate(s, &decisions, &whole);
    if (o->decisions && !outfile_close(&file, result != NULL, error, sizeof error)) {
        fprintf(stderr, "ecmplab run: %s\n", error);
        json_decref(result);
        return EXIT_UNREADABLE;
    }
    if (!result)
        return EXIT_UNREADABLE;
    held = expect_judge(s, result);
    code = report_all(result, held ? EXIT_HELD : EXIT_FOUND, o);
    json_decref(result);
    return whole ? code : EXIT_UNREADABLE;
}

int command_run(int argc, char **argv)
{
    static const struct run_options none;
    struct run_options o = none;
    struct paths paths;
    int worst = EXIT_HELD, option;

    while ((option = next_option(argc, argv, ":q", run_long)) != -1)
        if (!run_option(option, &o))
            return EXIT_BAD_INPUT;
    if (optind == argc)
        return usage_error("run", "which scenario? give at least one file or folder");
    if (!paths_expand(&paths, "run", argv + optind, (size_t)(argc - optind)))
        worst = EXIT_UNREADABLE;
    if (paths.len > 1 && writes_files(&o)) {
        paths_free(&paths);
        return usage_error("run", "several scenarios would overwrite one file; run them one by"
                                  " one, or report to standard output");
    }
    for (size_t i = 0; i < paths.len; i++) {
        int code = EXIT_BAD_INPUT;
        struct scenario *s = scenario_open(paths.items[i], &o.change.changes, &code);

        if (s)
            code = run_scenario(s, &o);
        if (code != EXIT_HELD && paths.len > 1)
            fprintf(stderr, "ecmplab run: %s: exit code %d\n", paths.items[i], code);
        worst = exit_code_graver(worst, code);
        scenario_free(s);
    }
    paths_free(&paths);
    return worst;
}
