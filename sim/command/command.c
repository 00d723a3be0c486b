#include "sim/command/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/input/nearest.h"

const struct command commands[] = {
    {"run", "simulate, report, judge the expectations", usage_run, command_run},
    {"explain", "one flow, step by step", usage_explain, command_explain},
    {"lookup", "JSON lines of flows in, JSON lines of decisions out", usage_lookup,
     command_lookup},
    {"compare", "several scenarios over the same traffic: what moved, who changed address",
     usage_compare, command_compare},
    {"verify", "the same packets through the running Linux kernel", usage_verify,
     command_verify},
    {"check", "is the scenario well formed", usage_check, command_check},
    {"report", "draw reports from a saved result", usage_report, command_report},
    {"list", "policies, events, metrics and what else there is, a line each", usage_list,
     command_list},
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

/* The long option with this value; NULL: there is none. */
static const char *option_name(const struct option *options, int value)
{
    for (; options->name; options++)
        if (options->val == value)
            return options->name;
    return NULL;
}

/* A long option that is none, perhaps with its value behind '='. */
static void tell_unknown(const char *command, const char *word,
                         const struct option *options)
{
    const int length = (int)strcspn(word, "=");
    char name[NEAREST_WORD_MAX + 1];
    struct nearest near;

    snprintf(name, sizeof name, "%.*s", length > 2 ? length - 2 : 0, word + 2);
    near = nearest_start(name);
    for (; options->name; options++)
        nearest_offer(&near, options->name);
    if (near.name)
        usage_error(command, "unknown option '%.*s'; did you mean '--%s'?", length, word,
                    near.name);
    else
        usage_error(command, "unknown option '%.*s'", length, word);
}

int next_option(int argc, char **argv, const char *short_options,
                const struct option *long_options)
{
    int option;

    opterr = 0;
    option = getopt_long(argc, argv, short_options, long_options, NULL);
    if (option != ':' && option != '?')
        return option;
    if (option == ':')
        usage_error(argv[0], "--%s needs a value", option_name(long_options, optopt));
    else if (optopt == 0)
        tell_unknown(argv[0], argv[optind - 1], long_options);
    else if (option_name(long_options, optopt))
        usage_error(argv[0], "--%s takes no value", option_name(long_options, optopt));
    else
        usage_error(argv[0], "unknown option '-%c'", optopt);
    return OPTION_WRONG;
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
