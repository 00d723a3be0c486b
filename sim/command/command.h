/*
 * command - what the user can say, and how it ends
 *
 * One row a command, one file a command. Data goes to stdout, all else to stderr.
 */
#ifndef ECMPLAB_COMMAND_H
#define ECMPLAB_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "sim/input/scenario.h"

enum exit_code {
    EXIT_HELD,      /* all held */
    EXIT_FOUND,     /* an expectation failed, or something was found */
    EXIT_BAD_INPUT, /* bad usage or bad scenario */
    EXIT_UNREADABLE, /* an input could not be read or a report not written */
    EXIT_NOTHING,   /* nothing was simulated */
};

struct command {
    const char *name;
    const char *summary; /* one line, for the list of commands */
    const char *usage;   /* all of --help */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command commands[]; /* a NULL name ends it */

/* Print "ecmplab COMMAND: ..." on stderr; returns EXIT_BAD_INPUT. */
int usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * getopt_long() with our words: the next option's value, -1 when there are no more, or
 * OPTION_WRONG when it was told that one is unknown or lacks its value.
 */
enum { OPTION_WRONG = '?', OPTION_SEED = 1000, OPTION_SET, OPTION_FIRST };
int next_option(int argc, char **argv, const char *short_options,
                const struct option *long_options);

/* Rows for the options that change a scenario: --seed N, --set POINTER=VALUE, repeatable. */
#define CHANGE_OPTIONS \
    {"seed", required_argument, NULL, OPTION_SEED}, \
        {"set", required_argument, NULL, OPTION_SET}

enum { CHANGES_MAX = 256 };
struct change_options {
    struct scenario_changes changes;
    const char *set[CHANGES_MAX];
};

/* Take OPTION_SEED or OPTION_SET with its optarg. False: it was told what is wrong. */
bool change_option(const char *command, int option, struct change_options *o);

/* A whole number, decimal or 0x...; false when it is none or above max. */
bool parse_number(const char *text, unsigned long long max, unsigned long long *n);

/* Was --help asked for? Prints the usage of the command then. */
bool help_asked(const char *command, int argc, char **argv);

/* Read a scenario and print every message about it on stderr. NULL: *code says how to end. */
struct scenario *scenario_open(const char *path, const struct scenario_changes *changes,
                               int *code);

/* Colour may be used on this stream: a terminal, NO_COLOR unset, TERM not dumb. */
bool colour_allowed(int fd, bool no_color);

/* Close stdout and say whether everything arrived. */
bool stdout_finish(void);

int command_run(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_lookup(int argc, char **argv);
int command_check(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_report(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_list(int argc, char **argv);
int command_compare(int argc, char **argv);

extern const char usage_run[], usage_explain[], usage_lookup[], usage_check[], usage_schema[],
    usage_report[], usage_verify[], usage_list[], usage_compare[];

#endif
