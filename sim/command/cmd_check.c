#include <stdio.h>

#include "sim/command/command.h"
#include "sim/command/paths.h"

const char usage_check[] =
    "usage: ecmplab check SCENARIO...\n"
    "\n"
    "Is the scenario well formed? Tells every mistake of every file, each with file, line,\n"
    "column, JSON pointer, what is wrong and what was expected; runs nothing. A folder\n"
    "stands for the scenarios (*.json) in it.\n"
    "\n"
    "    -q, --quiet   say nothing about files that are right\n"
    "    -h, --help    this text\n"
    "\n"
    "exit codes: 0 all are well formed; 2 one has mistakes; 3 one could not be read\n";

int command_check(int argc, char **argv)
{
    static const struct option options[] = {{"quiet", no_argument, NULL, 'q'}, {0}};
    const struct scenario_changes none = {0};
    struct paths paths;
    int worst = EXIT_HELD, option;
    bool quiet = false;

    while ((option = next_option(argc, argv, ":q", options)) != -1) {
        if (option == OPTION_WRONG)
            return EXIT_BAD_INPUT;
        quiet = true;
    }
    if (optind == argc)
        return usage_error("check", "which scenario? give at least one file or folder");
    if (!paths_expand(&paths, "check", argv + optind, (size_t)(argc - optind)))
        worst = EXIT_UNREADABLE;
    for (size_t i = 0; i < paths.len; i++) {
        int code = EXIT_HELD;
        struct scenario *s = scenario_open(paths.items[i], &none, &code);

        if (s && !quiet)
            printf("%s: well formed\n", paths.items[i]);
        if (code > worst)
            worst = code;
        scenario_free(s);
    }
    paths_free(&paths);
    return worst;
}
