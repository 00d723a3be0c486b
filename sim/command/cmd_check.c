#include <stdio.h>

#include "sim/command/command.h"

const char usage_check[] =
    "usage: ecmplab check SCENARIO...\n"
    "\n"
    "Is the scenario well formed? Tells every mistake of every file, each with file, line,\n"
    "column, JSON pointer, what is wrong and what was expected; runs nothing.\n"
    "\n"
    "    -q, --quiet   say nothing about files that are right\n"
    "    -h, --help    this text\n"
    "\n"
    "exit codes: 0 all are well formed; 2 one has mistakes; 3 one could not be read\n";

int command_check(int argc, char **argv)
{
    static const struct option options[] = {{"quiet", no_argument, NULL, 'q'}, {0}};
    const struct scenario_changes none = {0};
    int worst = EXIT_HELD, option;
    bool quiet = false;

    while ((option = next_option(argc, argv, ":q", options)) != -1) {
        if (option == OPTION_WRONG)
            return EXIT_BAD_INPUT;
        quiet = true;
    }
    if (optind == argc)
        return usage_error("check", "which scenario? give at least one file");
    for (int i = optind; i < argc; i++) {
        int code = EXIT_HELD;
        struct scenario *s = scenario_open(argv[i], &none, &code);

        if (s && !quiet)
            printf("%s: well formed\n", argv[i]);
        if (code > worst)
            worst = code;
        scenario_free(s);
    }
    return worst;
}
