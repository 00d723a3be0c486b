/* The same packets through the simulation and through the running kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/command/command.h"
#include "sim/verify/findings.h"
#include "sim/verify/follow.h"
#include "sim/verify/replay.h"

const char usage_verify[] =
    "usage: ecmplab verify [OPTION]... SCENARIO\n"
    "\n"
    "Builds the scenario's router out of the running Linux kernel, in network namespaces "
    "of its\n"
    "own, and sends the scenario's packets through it in the scenario's order, with its "
    "failures\n"
    "at the same points between them. Compares packet by packet with the simulation: "
    "forwarded or\n"
    "not, by which WAN, from which source address and port after NAT. Prints what "
    "agrees, and of\n"
    "every kind of difference the first examples with both sides' words.\n"
    "\n"
    "Needs root, ip and nft. Uses no address outside of its namespaces, and leaves "
    "nothing behind:\n"
    "they have no names and die with the program. A routeros7 scenario is verified under "
    "Linux's\n"
    "hash layout; what else was set aside or stood in for is said at the end.\n"
    "\n"
    "    --decisions-only      ask the kernel's routing about each flow (RTM_GETROUTE) "
    "and send\n"
    "                          nothing: fast, without NAT\n"
    "    --json                the findings as JSON\n"
    "    --pcap FILE           this capture instead of the scenario's traffic\n"
    "    --seed N, --set POINTER=VALUE   change the scenario, as for 'run'\n"
    "    -h, --help            this text\n"
    "\n"
    "exit codes: 0 all compared agrees; 1 something differs; 2 bad usage or scenario, or "
    "one\n"
    "whose policy no kernel has; 3 skipped,\n"
    "because the machine lacks what is needed, or an input could not be read; 4 nothing "
    "was\n"
    "compared\n";

struct verify_options {
    struct change_options change;
    bool routes_only, json;
};

enum { OPTION_DECISIONS_ONLY = OPTION_FIRST, OPTION_JSON, OPTION_VERIFY_PCAP };

static const struct option verify_long[] = {
    {"decisions-only", no_argument, NULL, OPTION_DECISIONS_ONLY},
    {"json", no_argument, NULL, OPTION_JSON},
    {"pcap", required_argument, NULL, OPTION_VERIFY_PCAP},
    CHANGE_OPTIONS,
    {0},
};

static bool verify_option(int option, struct verify_options *o)
{
    switch (option) {
    case OPTION_DECISIONS_ONLY: o->routes_only = true; return true;
    case OPTION_JSON: o->json = true; return true;
    case OPTION_VERIFY_PCAP: o->change.changes.pcap = optarg; return true;
    case OPTION_WRONG: return false;
    default: return change_option("verify", option, &o->change);
    }
}

static int skipped(const char *why)
{
    fprintf(stderr, "skipped: %s\n", why);
    return EXIT_UNREADABLE;
}

/* Linux has groups of two types, RouterOS of one. */
static bool kernel_has_policy(const struct router_config *c, const char *name)
{
    return strcmp(name, "hash-threshold") == 0 ||
           (c->platform == PLATFORM_LINUX && strcmp(name, "resilient") == 0);
}

/* False, after a word about it: some route's policy is not one of the kernel's. */
static bool policies_are_comparable(const struct router_config *c)
{
    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_route *r = &c->routes[i];
        const char *name = c->policies[r->policy].name;

        if (r->type != ROUTE_UNICAST || kernel_has_policy(c, name))
            continue;
        fprintf(stderr,
                "ecmplab verify: policy '%s' is none of %s: nothing to compare\n", name,
                c->platform == PLATFORM_LINUX ? "the Linux kernel's" : "RouterOS's");
        return false;
    }
    return true;
}

/* The same of all that the scenario has. */
static bool is_comparable(const struct scenario *s)
{
    char why[400];

    if (!policies_are_comparable(&s->router))
        return false;
    if (follow_can(s, why, sizeof why))
        return true;
    fprintf(stderr, "ecmplab verify: %s\n", why);
    return false;
}

/* RouterOS's layout is not this kernel's; and to it seed 0 is the word for any. */
static void adopt_kernel_hash(struct scenario *s)
{
    struct hash_config *h = &s->router.hash;

    h->layout = HASH_LINUX;
    if (h->key[0] == 0) {
        fprintf(stderr,
                "ecmplab verify: hash seed 0 draws one in the kernel; 1 is used\n");
        hash_set_seed(h, 1);
    }
}

static bool print_findings(const struct findings *f, bool as_json)
{
    if (as_json) {
        json_t *found = findings_json(f);

        json_dumpf(found, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
        putchar('\n');
        json_decref(found);
    } else {
        findings_write_text(f, stdout);
    }
    return stdout_finish();
}

static int verify(const struct scenario *s, struct lab *lab,
                  const struct verify_options *o)
{
    struct comparison *found = mem_alloc(1, sizeof *found);
    struct utsname system;
    const struct findings f = {s, found, uname(&system) == 0 ? system.release : "?",
                               o->routes_only};
    char error[600];
    int code = EXIT_UNREADABLE;

    if (!replay_run(s, lab, o->routes_only, found, error, sizeof error))
        fprintf(stderr, "ecmplab verify: %s\n", error);
    else if (print_findings(&f, o->json))
        code = comparison_differing(found) ? EXIT_FOUND
               : found->compared           ? EXIT_HELD
                                           : EXIT_NOTHING;
    mem_free(found);
    return code;
}

int command_verify(int argc, char **argv)
{
    static const struct verify_options none;
    struct verify_options o = none;
    struct scenario *s;
    struct lab *lab;
    char error[600];
    int code = EXIT_BAD_INPUT, option;

    while ((option = next_option(argc, argv, ":", verify_long)) != -1)
        if (!verify_option(option, &o))
            return EXIT_BAD_INPUT;
    if (argc - optind != 1)
        return usage_error("verify", "exactly one scenario is needed");
    s = scenario_open(argv[optind], &o.change.changes, &code);
    if (!s)
        return code;
    if (!is_comparable(s)) {
        scenario_free(s);
        return EXIT_BAD_INPUT;
    }
    if (*lab_missing()) {
        scenario_free(s);
        return skipped(lab_missing());
    }
    adopt_kernel_hash(s);
    lab = lab_create(&s->router, error, sizeof error);
    code = lab ? verify(s, lab, &o) : skipped(error);
    lab_destroy(lab);
    scenario_free(s);
    return code;
}
