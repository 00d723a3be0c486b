/*
 * random_routers - the model against the running kernel, router by random router
 *
 *     random_routers [--seed N] [--routers N] [--lookups N]
 *
 * Router k is that of seed N + k. Where model and kernel differ, the router is shrunk and printed
 * as commands. Needs root and network namespaces; exit code 77 without. The last line is
 * "N passed, N failed": routers.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/verify/lab.h"
#include "tests/kernel/generate.h"
#include "tests/kernel/shrink.h"

enum { EXIT_SKIPPED = 77, FAILURES_MAX = 5, SEED = 1, ROUTERS = 500, LOOKUPS = 200000 };

struct options {
    uint64_t seed, routers, lookups;
};

struct totals {
    size_t lookups, multipath;
    unsigned passed, failed;
};

static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"routers", required_argument, NULL, 'r'},
        {"lookups", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){SEED, ROUTERS, LOOKUPS};
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        uint64_t *number = c == 's' ? &o->seed : c == 'r' ? &o->routers : &o->lookups;

        if (c == '?' || !read_number(optarg, number))
            return false;
    }
    return optind == argc && o->routers > 0;
}

static void tell_difference(const struct trial *t, struct trial_result *result,
                            uint64_t seed, size_t lookups)
{
    struct trial *smallest;

    printf("seed %" PRIu64 ": the model differs from the kernel; again: "
           "random_routers --seed %" PRIu64 " --routers 1 --lookups %zu\n",
           seed, seed, lookups);
    fflush(stdout);
    smallest = shrink_trial(t, result);
    trial_print(stdout, smallest, result);
    trial_destroy(smallest);
}

static void try_router(uint64_t seed, size_t lookups, struct totals *totals)
{
    struct trial *t = generate_trial(seed, lookups);
    struct trial_result result;

    trial_run(t, &result);
    totals->lookups += result.lookups;
    totals->multipath += result.multipath;
    if (result.outcome == TRIAL_SAME)
        totals->passed++;
    else
        totals->failed++;
    if (result.outcome == TRIAL_REFUSED)
        printf("seed %" PRIu64 ": %s\n", seed, result.why);
    if (result.outcome == TRIAL_DIFFERS)
        tell_difference(t, &result, seed, lookups);
    trial_destroy(t);
}

int main(int argc, char **argv)
{
    struct totals totals = {0};
    struct options o;

    if (!read_options(argc, argv, &o)) {
        fprintf(stderr, "usage: %s [--seed N] [--routers N] [--lookups N]\n", argv[0]);
        return 2;
    }
    if (*lab_missing()) {
        printf("skipped: %s\n", lab_missing());
        return EXIT_SKIPPED;
    }
    for (uint64_t i = 0; i < o.routers && totals.failed < FAILURES_MAX; i++)
        try_router(o.seed + i, (size_t)((o.lookups + o.routers - 1) / o.routers),
                   &totals);
    if (totals.failed == FAILURES_MAX)
        printf("%u routers differ: the others were not tried\n", totals.failed);
    printf("%zu look-ups in %u routers, %zu of them among several next hops\n",
           totals.lookups, totals.passed + totals.failed, totals.multipath);
    printf("%u passed, %u failed\n", totals.passed, totals.failed);
    return totals.failed ? 1 : 0;
}
