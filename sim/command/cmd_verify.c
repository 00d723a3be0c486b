/* The same packets through the simulation and through the running kernel. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/command/command.h"
#include "sim/command/paths.h"
#include "sim/verify/findings.h"
#include "sim/verify/follow.h"
#include "sim/verify/replay.h"

const char usage_verify[] =
    "usage: ecmplab verify [OPTION]... SCENARIO...\n"
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
    "Of several scenarios, or a folder, those that no kernel can express are passed over, with "
    "a\n"
    "word why.\n"
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
                "ecmplab verify: no route of this kernel picks by policy '%s': nothing to"
                " compare\n",
                name);
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

/* What was found of all scenarios together. */
struct tally {
    size_t scenarios, beyond; /* compared; of no kernel */
    uint64_t compared, differing;
    json_t *findings; /* of several as JSON; else NULL */
};

static bool print_json(const json_t *found)
{
    json_dumpf(found, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    putchar('\n');
    return stdout_finish();
}

static bool print_findings(const struct findings *f, bool as_json, struct tally *all)
{
    json_t *found;
    bool ok = true;

    if (!as_json) {
        if (all->scenarios)
            putchar('\n');
        findings_write_text(f, stdout);
        return stdout_finish();
    }
    found = findings_json(f);
    if (all->findings)
        json_array_append(all->findings, found);
    else
        ok = print_json(found);
    json_decref(found);
    return ok;
}

static int verify(const struct scenario *s, struct lab *lab, const struct verify_options *o,
                  struct tally *all)
{
    struct comparison *found = mem_alloc(1, sizeof *found);
    struct utsname system;
    const struct findings f = {s, found, uname(&system) == 0 ? system.release : "?",
                               o->routes_only};
    char error[600];
    int code = EXIT_UNREADABLE;

    if (!replay_run(s, lab, o->routes_only, found, error, sizeof error))
        fprintf(stderr, "ecmplab verify: %s\n", error);
    else if (print_findings(&f, o->json, all))
        code = comparison_differing(found) ? EXIT_FOUND
               : found->compared           ? EXIT_HELD
                                           : EXIT_NOTHING;
    all->scenarios++;
    all->compared += found->compared;
    all->differing += comparison_differing(found);
    mem_free(found);
    return code;
}

/* One scenario; of several, one that no kernel can express is told and passed over. */
static int verify_path(const char *path, const struct verify_options *o, bool several,
                       struct tally *all)
{
    char error[600];
    int code = EXIT_BAD_INPUT;
    struct scenario *s = scenario_open(path, &o->change.changes, &code);
    struct lab *lab;

    if (!s)
        return code;
    if (several)
        fprintf(stderr, "%s\n", path);
    if (!is_comparable(s)) {
        all->beyond++;
        scenario_free(s);
        return several ? EXIT_HELD : EXIT_BAD_INPUT;
    }
    if (*lab_missing()) {
        scenario_free(s);
        return skipped(lab_missing());
    }
    adopt_kernel_hash(s);
    lab = lab_create(&s->router, error, sizeof error);
    code = lab ? verify(s, lab, o, all) : skipped(error);
    lab_destroy(lab);
    scenario_free(s);
    return code;
}

static bool print_tally(const struct tally *all)
{
    if (all->findings)
        return print_json(all->findings);
    printf("\n%zu scenarios: %" PRIu64 " compared, %" PRIu64 " differ; %zu of no kernel\n",
           all->scenarios, all->compared, all->differing, all->beyond);
    return stdout_finish();
}

static int verify_all(const struct paths *paths, const struct verify_options *o)
{
    const bool several = paths->len > 1 || paths->folders;
    struct tally all = {.findings = several && o->json ? json_array() : NULL};
    int worst = EXIT_HELD;

    for (size_t i = 0; i < paths->len && (i == 0 || !*lab_missing()); i++)
        worst = exit_code_graver(worst, verify_path(paths->items[i], o, several, &all));
    if (worst == EXIT_HELD && several && all.scenarios == 0)
        worst = EXIT_NOTHING;
    if (several && !print_tally(&all))
        worst = EXIT_UNREADABLE;
    json_decref(all.findings);
    return worst;
}

int command_verify(int argc, char **argv)
{
    static const struct verify_options none;
    struct verify_options o = none;
    struct paths paths;
    int code, option;

    while ((option = next_option(argc, argv, ":", verify_long)) != -1)
        if (!verify_option(option, &o))
            return EXIT_BAD_INPUT;
    if (argc == optind)
        return usage_error("verify", "which scenario? give at least one file or folder");
    code = paths_expand(&paths, "verify", argv + optind, (size_t)(argc - optind))
               ? verify_all(&paths, &o)
               : EXIT_UNREADABLE;
    paths_free(&paths);
    return code;
}
