/* Draw reports from a saved result. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/command/command.h"
#include "sim/report/report.h"

const char usage_report[] =
    "usage: ecmplab report [OPTION]... RESULT\n"
    "\n"
    "Draws reports from what 'run' or 'compare' has saved with --report json:FILE; '-' reads it\n"
    "from standard input. Of a comparison there are text and json.\n"
    "\n"
    "    --report FORMAT:PATH  as for 'run': text, json, plots (repeatable; default text:-)\n"
    "    -q, --quiet           text: only the verdict and what failed\n"
    "    --no-color            no colour (NO_COLOR does the same)\n"
    "    -h, --help            this text\n"
    "\n"
    "exit codes: 0 written; 2 bad usage; 3 the result could not be read, or a report not\n"
    "written\n";

enum { OPTION_REPORT = OPTION_FIRST, OPTION_NO_COLOR, REPORTS_MAX = 64 };

static const struct option report_long[] = {
    {"report", required_argument, NULL, OPTION_REPORT},
    {"quiet", no_argument, NULL, 'q'},
    {"no-color", no_argument, NULL, OPTION_NO_COLOR},
    {0},
};

/* NULL: it was told why. */
static json_t *result_read(const char *path)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    json_error_t at;
    json_t *result = is_stdin ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &at)
                              : json_load_file(path, JSON_REJECT_DUPLICATES, &at);
    const char *format;

    if (!result) {
        if (at.line > 0)
            fprintf(stderr, "%s:%d:%d: error: %s\n", path, at.line, at.column, at.text);
        else
            fprintf(stderr, "ecmplab report: %s: %s\n", path, at.text);
        return NULL;
    }
    format = json_string_value(json_object_get(result, "format"));
    if (format && (strcmp(format, "ecmplab-result/1") == 0 || report_is_comparison(result)))
        return result;
    fprintf(stderr, "%s: error: /format: expected \"ecmplab-result/1\": this is no result of"
                    " 'ecmplab run --report json:FILE', and no comparison\n",
            path);
    json_decref(result);
    return NULL;
}

int command_report(int argc, char **argv)
{
    const char *reports[REPORTS_MAX], *path;
    struct report_options o = {0};
    size_t n = 0;
    bool no_color = false;
    char error[512];
    json_t *result;
    int code = EXIT_HELD, option;

    while ((option = next_option(argc, argv, ":q", report_long)) != -1) {
        if (option == OPTION_WRONG)
            return EXIT_BAD_INPUT;
        if (option == 'q') {
            o.quiet = true;
        } else if (option == OPTION_NO_COLOR) {
            no_color = true;
        } else {
            if (!report_parse(optarg, &path, error, sizeof error))
                return usage_error("report", "--report: %s", error);
            if (n == REPORTS_MAX)
                return usage_error("report", "--report: at most %d", REPORTS_MAX);
            reports[n++] = optarg;
        }
    }
    if (argc - optind != 1)
        return usage_error("report", "exactly one result is needed");
    if (n == 0)
        reports[n++] = "text:-";
    result = result_read(argv[optind]);
    if (!result)
        return EXIT_UNREADABLE;
    o.colour = colour_allowed(STDOUT_FILENO, no_color);
    for (size_t i = 0; i < n; i++) {
        if (report_write(result, reports[i], &o, error, sizeof error))
            continue;
        fprintf(stderr, "ecmplab report: %s\n", error);
        code = EXIT_UNREADABLE;
    }
    json_decref(result);
    return code;
}
