/*
 * next_hops - how the kernel shares flows among next hops, and that the model does so alike
 *
 *     next_hops
 *
 * The cases of the kernel's own self-tests, as look-ups: 32,769 flows over two next hops of weights
 * 1:1, 2:1 and 11:45; and over ten next hops, one flow under a hundred seeds, each tried twice.
 * Every answer must be the model's, the shares those of the weights, and the seed must matter.
 * Needs root and network namespaces; exit code 77 without. The last line is
 * "N passed, N failed": cases.
 *
 * Source: Linux tools/testing/selftests/net/forwarding: router_multipath.sh,
 * router_mpath_seed.sh.
 */
#include <math.h>
#include <string.h>

#include "sim/verify/lab.h"
#include "tests/kernel/trial.h"

enum { EXIT_SKIPPED = 77, FLOWS = 32769, SEEDS = 100, SEED_HOPS = 10 };

static struct addr addr_read(const char *text)
{
    struct addr a = {0};

    addr_parse(text, &a);
    return a;
}

/* An interface for each next hop, and one more by which packets come: the last. */
static void add_ifaces(struct trial *t, size_t hops)
{
    for (unsigned i = 0; i <= hops; i++) {
        const uint8_t v4[4] = {10, (uint8_t)i, 0, 1};
        const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)i, [15] = 1};

        trial_add_iface(t);
        trial_add_address(t, i, &(struct prefix){addr_from_v4(v4), 24});
        trial_add_address(t, i, &(struct prefix){addr_from_v6(v6), 64});
    }
}

static void add_route(struct trial *t, enum family family, const uint16_t *weights,
                      size_t hops)
{
    struct config_route *r = trial_add_route(t);

    prefix_parse(family == FAMILY_V4 ? "198.18.0.0/15" : "2001:db8:f000::/36", &r->dst);
    r->distance = family == FAMILY_V4 ? 0 : 1024;
    for (size_t i = 0; i < hops; i++) {
        const uint8_t v4[4] = {10, (uint8_t)i, 0, 2};
        const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)i, [15] = 2};

        trial_add_gateway(t, t->config.routes_len - 1,
                          &(struct config_gateway){.addr = family == FAMILY_V4
                                                               ? addr_from_v4(v4)
                                                               : addr_from_v6(v6),
                                                   .iface = (int)i,
                                                   .weight = weights ? weights[i] : 1});
    }
}

static void add_flow(struct trial *t, enum family family, uint16_t sport)
{
    const bool v4 = family == FAMILY_V4;
    struct trial_step *s = trial_add_step(t);

    s->iface = (int)t->config.ifaces_len - 1;
    s->packet = (struct packet){.src = addr_read(v4 ? "192.0.2.2" : "2001:db8:9::2"),
                                .dst = addr_read(v4 ? "198.18.0.2" : "2001:db8:f000::2"),
                                .protocol = PROTO_UDP,
                                .next_header = PROTO_UDP,
                                .sport = sport,
                                .dport = 20000};
}

static struct trial *trial_of(enum family family, const uint16_t *weights, size_t hops,
                              uint32_t seed)
{
    struct trial *t = trial_create();

    hash_set_seed(&t->config.hash, seed);
    t->config.hash.v4.policy = t->config.hash.v6.policy = HASH_L4;
    add_ifaces(t, hops);
    add_route(t, family, weights, hops);
    return t;
}

/* True when the kernel answers every look-up like the model; `taken` counts the next hops. */
static bool is_same(const struct trial *t, unsigned taken[TRIAL_IFACES_MAX])
{
    struct trial_result result;

    trial_run(t, &result);
    memcpy(taken, result.taken, sizeof result.taken);
    if (result.outcome == TRIAL_REFUSED)
        printf("%s\n", result.why);
    if (result.outcome == TRIAL_DIFFERS)
        trial_print(stdout, t, &result);
    return result.outcome == TRIAL_SAME;
}

/* Six standard deviations of so many honest throws. */
static bool shares_fit(const unsigned *taken, const uint16_t weights[2])
{
    const double share = (double)weights[0] / (weights[0] + weights[1]);
    const double sigma = sqrt(FLOWS * share * (1 - share));

    return taken[0] + taken[1] == FLOWS && fabs(taken[0] - FLOWS * share) < 6 * sigma;
}

static bool weights_share(enum family family, const uint16_t weights[2])
{
    struct trial *t = trial_of(family, weights, 2, 0x12345678);
    unsigned taken[TRIAL_IFACES_MAX];
    bool ok;

    for (unsigned i = 0; i < FLOWS; i++)
        add_flow(t, family, (uint16_t)i);
    ok = is_same(t, taken);
    printf("IPv%d, weights %u:%u: %u and %u of %d flows\n", family, weights[0],
           weights[1], taken[0], taken[1], FLOWS);
    trial_destroy(t);
    return ok && shares_fit(taken, weights);
}

/* The next hop of one flow under a seed; -1: the kernel and the model differ. */
static int hop_of_seed(enum family family, uint32_t seed)
{
    struct trial *t = trial_of(family, NULL, SEED_HOPS, seed);
    unsigned taken[TRIAL_IFACES_MAX];
    int hop = -1;

    add_flow(t, family, 40000);
    if (is_same(t, taken))
        for (hop = 0; hop < SEED_HOPS && !taken[hop];)
            hop++;
    trial_destroy(t);
    return hop;
}

/* The same seed leads to the same next hop, and some seed to each. */
static bool seeds_matter(enum family family)
{
    bool covered[SEED_HOPS + 1] = {false}, ok = true;
    unsigned hops = 0;

    for (uint32_t seed = 1; seed <= SEEDS && ok; seed++) {
        const int hop = hop_of_seed(family, seed);

        ok = hop >= 0 && hop == hop_of_seed(family, seed);
        if (ok)
            covered[hop] = true;
    }
    for (size_t i = 0; i < SEED_HOPS; i++)
        hops += covered[i];
    printf("IPv%d, %d seeds: one flow takes %u of %d next hops\n", family, SEEDS, hops,
           SEED_HOPS);
    return ok && hops == SEED_HOPS;
}

int main(void)
{
    static const uint16_t weights[][2] = {{1, 1}, {2, 1}, {11, 45}};
    static const enum family families[] = {FAMILY_V4, FAMILY_V6};
    unsigned passed = 0, failed = 0;

    if (*lab_missing()) {
        printf("skipped: %s\n", lab_missing());
        return EXIT_SKIPPED;
    }
    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++)
            *(weights_share(families[f], weights[i]) ? &passed : &failed) += 1;
        *(seeds_matter(families[f]) ? &passed : &failed) += 1;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
