#include "sim/command/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
    {"run", "simulate, report, judge the expectations", usage_run, command_run},
    {"explain", "one flow, step by step", usage_explain, command_explain},
    {"lookup", "JSON lines of flows in, JSON lines of decisions out", usage_lookup,
     command_lookup},
    {"check", "is the scenario well formed", usage_check, command_check},
    {"report", "draw reports from a saved result", usage_report, command_report},
    {"schema", "the JSON Schema of the scenario", usage_schema, command_schema},
    {NULL, NULL, NULL, NULL},
};

int usage_error(const char *command, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "ecmplab %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n(ecmplab %s --help tells how to use it)\n", command);
    return EXIT_BAD_INPUT;
}

int next_option(int argc, char **argv, const char *short_options,
                const struct option *long_options)
{
    const int at = optind ? optind : 1;
    int option;

    opterr = 0;
    option = getopt_long(argc, argv, short_options, long_options, NULL);
    if (option == ':')
        usage_error(argv[0], "%s needs a value", argv[at]);
    else if (option == '?')
        usage_error(argv[0], "unknown option '%s'", argv[optind > at ? optind - 1 : at]);
    return option == ':' ? OPTION_WRONG : option;
}

bool parse_number(const char *text, unsigned long long max, unsigned long long *n)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *n = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0' && *n <= max;
}

bool change_option(const char *command, int option, struct change_options *o)
{
    struct scenario_changes *c = &o->changes;
    unsigned long long n;

    if (option == OPTION_SEED) {
        if (!parse_number(optarg, UINT64_MAX, &n)) {
            usage_error(command, "--seed: expected a whole number, got '%s'", optarg);
            return false;
        }
        c->has_seed = true;
        c->seed = n;
        return true;
    }
    if (c->set_len == CHANGES_MAX) {
        usage_error(command, "--set: at most %d times", CHANGES_MAX);
        return false;
    }
    o->set[c->set_len++] = optarg;
    c->set = o->set;
    return true;
}

bool help_asked(const char *command, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return false;
        if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0)
            continue;
        for (const struct command *c = commands; c->name; c++)
            if (strcmp(c->name, command) == 0)
                fputs(c->usage, stdout);
        return true;
    }
    return false;
}

struct scenario *scenario_open(const char *path, const struct scenario_changes *changes,
                               int *code)
{
    struct diag *d = diag_create(path, NULL, 0);
    struct scenario *s = scenario_read(path, changes, d);

    diag_print(d, stderr);
    if (!s)
        *code = diag_file_failed(d) ? EXIT_UNREADABLE : EXIT_BAD_INPUT;
    diag_destroy(d);
    return s;
}

bool colour_allowed(int fd, bool no_color)
{
    const char *term = getenv("TERM"), *asked = getenv("NO_COLOR");

    if (no_color || (asked && *asked) || (term && strcmp(term, "dumb") == 0))
        return false;
    return isatty(fd);
}

bool stdout_finish(void)
{
    const bool failed = ferror(stdout) != 0;

    if (fflush(stdout) == 0 && !failed)
        return true;
    fprintf(stderr, "ecmplab: standard output: %s\n", strerror(errno));
    return false;
}
