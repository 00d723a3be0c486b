/* ecmplab: which WAN will this traffic take, and what breaks when one dies? */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sim/command/command.h"
#include "sim/input/nearest.h"

#ifndef ECMPLAB_VERSION
#define ECMPLAB_VERSION "development"
#endif

static void print_usage(FILE *out)
{
    fputs("ecmplab answers, before anything is changed on a live router: which WAN will this\n"
          "traffic take, how even is the load, what happens to live flows when a WAN dies and\n"
          "when it comes back, and does the host that must keep one address keep it?\n"
          "\n"
          "usage: ecmplab COMMAND [OPTION]...\n"
          "\n",
          out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "    %-8s  %s\n", c->name, c->summary);
    fputs("\n"
          "ecmplab COMMAND --help tells more; ecmplab --version tells the version.\n"
          "\n"
          "exit codes: 0 all held; 1 an expectation failed; 2 bad usage or scenario; 3 an input\n"
          "could not be read or a report not written; 4 nothing was simulated\n",
          out);
}

static int unknown_command(const char *name)
{
    struct nearest near = nearest_start(name);

    for (const struct command *c = commands; c->name; c++)
        nearest_offer(&near, c->name);
    fprintf(stderr, "ecmplab: no command '%s'", name);
    if (near.name)
        fprintf(stderr, "; did you mean '%s'?", near.name);
    fputc('\n', stderr);
    print_usage(stderr);
    return EXIT_BAD_INPUT;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is a report that cannot be written */
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return stdout_finish() ? EXIT_HELD : EXIT_UNREADABLE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("ecmplab " ECMPLAB_VERSION);
        return stdout_finish() ? EXIT_HELD : EXIT_UNREADABLE;
    }
    for (const struct command *c = commands; c->name; c++) {
        int code;

        if (strcmp(argv[1], c->name) != 0)
            continue;
        code = help_asked(c->name, argc - 1, argv + 1) ? EXIT_HELD
                                                       : c->run(argc - 1, argv + 1);
        return stdout_finish() ? code : EXIT_UNREADABLE;
    }
    return unknown_command(argv[1]);
}
