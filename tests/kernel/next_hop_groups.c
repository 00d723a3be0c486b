/*
 * next_hop_groups - the model's groups of next-hop objects against the kernel's, bucket by bucket
 *
 *     next_hop_groups [--seed N] [--groups N]
 *
 * Random operations on many groups at once, after each of which every bucket's owner and every
 * object is compared, and every use of a bucket is a look-up or a packet whose next hop is:
 *
 *     lasting  resilient, with an idle timer that never ends: what is used stays
 *     timed    resilient, with timers of 0.4 to 2 s, in real time. What happens, happens at
 *              multiples of 0.8 s, the timers end in between, and tables are compared before and
 *              after: the kernel's own delays, of up to an eighth of the wait, change nothing
 *     mpath    the regions of hash-threshold
 *     links    all kinds, while links lose their carrier, are set down, and lose their addresses
 *
 * A group that differs is printed with its seed and all that was done to it. Needs root and network
 * namespaces; exit code 77 without. The last line is "N passed, N failed": groups.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "tests/kernel/group_trial.h"

enum {
    EXIT_SKIPPED = 77,
    FAILURES_MAX = 5,
    SEED = 1,
    GROUPS = 400,
    ROUNDS = 30, /* lasting, mpath */
    TIMED_ROUNDS = 14,
    LINK_ROUNDS = 12,
    TICK_MS = 25, /* more than two ticks of any kernel: CONFIG_HZ is 100 at least */
    FLOWS = 12,
    TRIES = 4, /* of timed groups: half as many each time the machine was too slow */
};

/* How late a round of timed groups may end, and how long before the next one they are compared. */
#define SLACK_NS  INT64_C(150000000)
#define BEFORE_NS INT64_C(100000000)

struct run {
    struct group_world world;
    struct group_trial *groups;
    unsigned len;
    uint64_t seed;
    unsigned passed, failed;
};

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    const struct timespec t = {at_ns / 1000000000, at_ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static void sleep_ticks(void)
{
    sleep_until(clock_ns() + TICK_MS * INT64_C(1000000));
}

/* ------------------------------------------------------------------------------------ a run */

static bool run_open(struct run *r, unsigned groups, uint64_t seed)
{
    char error[600];

    r->groups = mem_alloc(groups, sizeof *r->groups);
    r->len = groups;
    r->seed = seed;
    if (group_world_open(&r->world, (uint32_t)seed | 1, error, sizeof error))
        return true;
    printf("%s\n", error);
    r->failed++;
    return false;
}

static void run_close(struct run *r)
{
    for (unsigned i = 0; i < r->len && r->groups[i].world; i++)
        group_trial_free(&r->groups[i]);
    group_world_close(&r->world);
    mem_free(r->groups);
}

/* What is wrong with a group ends it. */
static bool is_well(const struct group_trial *g)
{
    return !*g->why;
}

static void compare_all(struct run *r, int64_t now_ns)
{
    for (unsigned i = 0; i < r->len; i++)
        if (is_well(&r->groups[i]))
            group_trial_compare(&r->groups[i], now_ns);
}

static void happen_all(struct run *r, int64_t now_ns)
{
    for (unsigned i = 0; i < r->len; i++)
        if (is_well(&r->groups[i]))
            group_trial_happen(&r->groups[i], now_ns);
    if (!group_trials_route(r->groups, r->len))
        printf("%s\n", lab_error(r->world.lab));
}

static void judge_all(struct run *r, const char *what)
{
    for (unsigned i = 0; i < r->len; i++) {
        const struct group_trial *g = &r->groups[i];

        if (is_well(g)) {
            r->passed++;
            continue;
        }
        if (r->failed++ < FAILURES_MAX)
            printf("group %u of seed %" PRIu64 ", %s: %s\n%.*s", g->number, r->seed, what,
                   g->why, (int)g->said_len, g->said ? g->said : "");
    }
    printf("%s: %u groups, %zu bucket tables, %zu look-ups, %zu packets\n", what, r->len,
           r->world.tables, r->world.lookups, r->world.packets);
}

/* -------------------------------------------------------------------------- lasting and mpath */

static void run_steady(struct run *r)
{
    for (unsigned i = 0; i < r->len; i++)
        group_trial_init(&r->groups[i], &r->world, i, r->seed,
                         i % 8 ? GROUP_LASTING : GROUP_MPATH);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        const int64_t now_ns = round * INT64_C(1000000000);

        happen_all(r, now_ns);
        compare_all(r, now_ns);
        sleep_ticks();
    }
    judge_all(r, "lasting and mpath");
}

/* -------------------------------------------------------------------------------------- timed */

/* False: the machine was too slow, and nothing is known. */
static bool run_timed(struct run *r)
{
    const int64_t start = clock_ns();

    for (unsigned i = 0; i < r->len; i++)
        group_trial_init(&r->groups[i], &r->world, i, r->seed, GROUP_TIMED);
    for (unsigned round = 1; round <= TIMED_ROUNDS; round++) {
        const int64_t now_ns = round * GROUP_STEP_NS;

        sleep_until(start + now_ns - BEFORE_NS);
        compare_all(r, now_ns - BEFORE_NS);
        if (clock_ns() > start + now_ns)
            return false;
        sleep_until(start + now_ns);
        happen_all(r, now_ns);
        compare_all(r, now_ns);
        if (clock_ns() > start + now_ns + SLACK_NS)
            return false;
    }
    judge_all(r, "timed");
    return true;
}

/* -------------------------------------------------------------------------------------- links */

static void use_all(struct run *r, int64_t now_ns)
{
    for (unsigned i = 0; i < r->len; i++)
        if (is_well(&r->groups[i]) && r->groups[i].len)
            group_trial_use(&r->groups[i], FLOWS, now_ns);
}

static bool link_set(struct run *r, unsigned link, bool by_carrier, bool up)
{
    return (by_carrier ? lab_set_carrier : lab_set_admin)(r->world.lab, link, up);
}

/* Addresses go and come: no object follows. */
static bool addresses_flap(struct run *r, unsigned link)
{
    char lines[256];

    snprintf(
        lines, sizeof lines,
        "address del 10.%u.0.1/24 dev if%u\n-6 address del 2001:db8:%x::1/64 dev if%u\n",
        link, link, link, link);
    if (!lab_ip(r->world.lab, lines))
        return false;
    compare_all(r, 0);
    snprintf(lines, sizeof lines,
             "address add 10.%u.0.1/24 dev if%u\n"
             "-6 address add 2001:db8:%x::1/64 dev if%u nodad\n",
             link, link, link, link);
    return lab_ip(r->world.lab, lines);
}

static bool link_round(struct run *r, unsigned round)
{
    const unsigned link = round % GROUP_LINKS;
    const bool by_carrier = round & 4;
    int64_t now_ns = round * INT64_C(10000000000);

    use_all(r, now_ns);
    sleep_ticks();
    if (!link_set(r, link, by_carrier, false))
        return false;
    for (unsigned i = 0; i < r->len; i++)
        group_trial_lose_link(&r->groups[i], link, now_ns + 1000);
    compare_all(r, now_ns + 1000);
    sleep_ticks();
    use_all(r, now_ns + 2000);
    if (!link_set(r, link, by_carrier, true))
        return false;
    compare_all(r, now_ns + 3000); /* the kernel brings nothing back */
    sleep_ticks();
    for (unsigned i = 0; i < r->len; i++)
        if (is_well(&r->groups[i]))
            group_trial_regain_link(&r->groups[i], link, now_ns + 4000);
    if (!group_trials_route(r->groups, r->len))
        return false;
    compare_all(r, now_ns + 4000);
    sleep_ticks();
    return true;
}

static void run_links(struct run *r)
{
    bool good = true;

    for (unsigned i = 0; i < r->len; i++) {
        group_trial_init(&r->groups[i], &r->world, i, r->seed,
                         i % 4 ? GROUP_LASTING : GROUP_MPATH);
        if (i % 3 == 0) /* all on one link: it takes the group and its routes with it */
            memset(r->groups[i].link, (int)(i % GROUP_LINKS), sizeof r->groups[i].link);
        group_trial_fill(&r->groups[i], 0);
    }
    good = group_trials_route(r->groups, r->len);
    sleep_ticks();
    for (unsigned link = 0; link < GROUP_LINKS && good; link++)
        good = addresses_flap(r, link);
    for (unsigned round = 1; round <= LINK_ROUNDS && good; round++)
        good = link_round(r, round);
    if (!good) {
        printf("%s\n", lab_error(r->world.lab));
        r->failed++;
    }
    judge_all(r, "links");
}

/* -------------------------------------------------------------------------------------- all */

static void steady(unsigned groups, uint64_t seed, unsigned totals[2])
{
    struct run r = {.passed = 0};

    if (run_open(&r, groups, seed))
        run_steady(&r);
    totals[0] += r.passed;
    totals[1] += r.failed;
    run_close(&r);
}

static void links(unsigned groups, uint64_t seed, unsigned totals[2])
{
    struct run r = {.passed = 0};

    if (run_open(&r, groups, seed))
        run_links(&r);
    totals[0] += r.passed;
    totals[1] += r.failed;
    run_close(&r);
}

static void timed(unsigned groups, uint64_t seed, unsigned totals[2])
{
    bool known = false;

    for (unsigned i = 0; i < TRIES && !known; i++) {
        struct run r = {.passed = 0};

        if (!run_open(&r, groups >> i, seed)) {
            totals[1]++;
            known = true;
        } else {
            known = run_timed(&r);
        }
        totals[0] += r.passed;
        totals[1] += r.failed;
        run_close(&r);
    }
    if (!known)
        printf("timed: the machine was too slow %d times; nothing is known of them\n",
               TRIES);
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"groups", required_argument, NULL, 'g'},
        {NULL, 0, NULL, 0},
    };
    uint64_t seed = SEED, groups = GROUPS;
    unsigned totals[2] = {0, 0};
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
        if (c == '?' || !read_number(optarg, c == 's' ? &seed : &groups))
            return 2;
    if (optind != argc || groups < 8 || groups > 4000) {
        fprintf(stderr, "usage: next_hop_groups [--seed N] [--groups 8..4000]\n");
        return 2;
    }
    if (*lab_missing()) {
        printf("skipped: %s\n", lab_missing());
        return EXIT_SKIPPED;
    }
    steady((unsigned)groups / 2, seed, totals);
    timed((unsigned)groups * 3 / 8, seed, totals);
    links((unsigned)groups / 8, seed, totals);
    printf("%u passed, %u failed\n", totals[0], totals[1]);
    return totals[1] ? 1 : 0;
}
