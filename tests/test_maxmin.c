#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "core/random.h"
#include "sim/links/maxmin.h"
#include "tests/words.h"

enum { LINKS_MAX = 3, FLOWS_MAX = 4 };

struct network {
    const char *what;
    double capacities[LINKS_MAX];
    struct {
        uint32_t links[LINKS_MAX]; /* number + 1; 0: no more */
        double weight, cap;        /* 0: 1, and none */
        double rate;
    } flows[FLOWS_MAX];
    size_t flows_len;
};

static void solve(const struct network *n, double rates[FLOWS_MAX])
{
    struct maxmin_flow flows[FLOWS_MAX];
    uint32_t links[FLOWS_MAX][LINKS_MAX];

    for (size_t f = 0; f < n->flows_len; f++) {
        size_t len = 0;

        for (; len < LINKS_MAX && n->flows[f].links[len]; len++)
            links[f][len] = n->flows[f].links[len] - 1;
        flows[f] = (struct maxmin_flow){links[f], len,
                                        n->flows[f].weight > 0 ? n->flows[f].weight : 1,
                                        n->flows[f].cap > 0 ? n->flows[f].cap : INFINITY};
    }
    maxmin_solve(n->capacities, LINKS_MAX, flows, n->flows_len, rates);
}

/* The first two: Bertsekas, Gallager, "Data Networks", 6.5.2. The others by hand. */
static void the_rates_are_the_published_ones(void **state)
{
    static const struct network rows[] = {
        {"two links, one flow over both",
         {1, 2},
         {{{1, 2}, 0, 0, .5}, {{1}, 0, 0, .5}, {{2}, 0, 0, 1.5}},
         3},
        {"three links in a row",
         {10, 10, 4},
         {{{1, 2}, 0, 0, 5}, {{1}, 0, 0, 5}, {{2, 3}, 0, 0, 2}, {{3}, 0, 0, 2}},
         4},
        {"weights", {12}, {{{1}, 1, 0, 2}, {{1}, 2, 0, 4}, {{1}, 3, 0, 6}}, 3},
        {"a cap leaves the rest to the others",
         {9},
         {{{1}, 0, 1, 1}, {{1}, 0, 0, 4}, {{1}, 0, 0, 4}},
         3},
        {"caps below the capacity", {9}, {{{1}, 0, 1, 1}, {{1}, 0, 2, 2}}, 2},
        {"a cap over two links",
         {4, 10},
         {{{1, 2}, 0, 1, 1}, {{1}, 0, 0, 3}, {{2}, 0, 0, 9}},
         3},
        {"a weight and a cap", {10}, {{{1}, 4, 2, 2}, {{1}, 1, 0, 8}}, 2},
        {"a link crossed twice", {6}, {{{1, 1}, 0, 0, 2}, {{1}, 0, 0, 2}}, 2},
        {"nothing passes", {0, 5}, {{{1, 2}, 0, 0, 0}, {{2}, 0, 0, 5}}, 2},
        {"no link", {1}, {{{0}, 0, 0, INFINITY}, {{0}, 0, 7, 7}}, 2},
        {"no flow", {1}, {{{0}, 0, 0, 0}}, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double rates[FLOWS_MAX];

        solve(&rows[i], rates);
        for (size_t f = 0; f < rows[i].flows_len; f++) {
            const double due = rows[i].flows[f].rate;

            if (isinf(due) ? !isinf(rates[f]) : !(fabs(rates[f] - due) <= 1e-9))
                fail_msg("%s: flow %zu: %.12g, not %.12g", rows[i].what, f, rates[f],
                         due);
        }
    }
}

/* ----------------------------------------------------------------------- random networks */

enum { MANY_LINKS = 12, MANY_FLOWS = 60, HOPS = 4 };

struct random_network {
    double capacities[MANY_LINKS], load[MANY_LINKS];
    uint32_t links[MANY_FLOWS][HOPS];
    struct maxmin_flow flows[MANY_FLOWS];
    double rates[MANY_FLOWS];
};

static void draw(struct random_network *n, struct random_stream *s)
{
    for (unsigned l = 0; l < MANY_LINKS; l++)
        n->capacities[l] = (double)random_below(s, 1000) / 10;
    for (unsigned f = 0; f < MANY_FLOWS; f++) {
        n->flows[f] = (struct maxmin_flow){n->links[f], 1 + random_below(s, HOPS),
                                           1 + (double)random_below(s, 5), INFINITY};
        if (random_below(s, 3) == 0)
            n->flows[f].cap = (double)random_below(s, 100) / 10;
        for (unsigned i = 0; i < HOPS; i++)
            n->links[f][i] = (uint32_t)random_below(s, MANY_LINKS);
    }
}

/* A full link on which no flow has, by its weight, more than this one. */
static bool has_bottleneck(const struct random_network *n, unsigned flow)
{
    const double own = n->rates[flow] / n->flows[flow].weight;

    if (n->rates[flow] >= n->flows[flow].cap - 1e-9)
        return true;
    for (size_t i = 0; i < n->flows[flow].links_len; i++) {
        const uint32_t l = n->links[flow][i];
        double most = 0;

        for (unsigned f = 0; f < MANY_FLOWS; f++)
            for (size_t k = 0; k < n->flows[f].links_len; k++)
                if (n->links[f][k] == l)
                    most = fmax(most, n->rates[f] / n->flows[f].weight);
        if (n->load[l] >= n->capacities[l] - 1e-9 && own >= most - 1e-9)
            return true;
    }
    return false;
}

/* Rates are max-min fair exactly when they fit and every flow has a bottleneck. */
static void every_flow_has_a_bottleneck(void **state)
{
    struct random_stream s = random_stream_make(1, 1);

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        struct random_network n = {.load = {0}};

        draw(&n, &s);
        maxmin_solve(n.capacities, MANY_LINKS, n.flows, MANY_FLOWS, n.rates);
        for (unsigned f = 0; f < MANY_FLOWS; f++)
            for (size_t i = 0; i < n.flows[f].links_len; i++)
                n.load[n.links[f][i]] += n.rates[f];
        for (unsigned l = 0; l < MANY_LINKS; l++)
            if (n.load[l] > n.capacities[l] + 1e-9)
                fail_msg("round %u: link %u carries %g of %g", round, l, n.load[l],
                         n.capacities[l]);
        for (unsigned f = 0; f < MANY_FLOWS; f++)
            if (!has_bottleneck(&n, f))
                fail_msg("round %u: flow %u could have more than %g", round, f,
                         n.rates[f]);
    }
}

/* ---------------------------------------------------------------- many paths, one picked */

enum { SIDES = 16 };

/*
 * As many flows as links of capacity 1, each on one that a hash picks: the links that were
 * picked at all are full, 1 - (1 - 1/n)^n of them in the mean. The number of empty links has
 * variance n (n-1) (1-2/n)^n + n (1-1/n)^n - n^2 (1-1/n)^2n.
 */
static void links_that_no_flow_picked_carry_nothing(void **state)
{
    enum { ROUNDS = 20000 };
    static const unsigned sizes[] = {2, 4, 8, 16};
    static const double shares[] = {.75, .68359375, .65639109, .64393};
    struct random_stream s = random_stream_make(1, 2);

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        const double n = sizes[k], empty = pow(1 - 1 / n, n);
        const double variance =
            n * (n - 1) * pow(1 - 2 / n, n) + n * empty - n * n * empty * empty;
        double sum = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
            double capacities[SIDES], rates[SIDES];
            struct maxmin_flow flows[SIDES];
            uint32_t picked[SIDES];

            for (unsigned i = 0; i < sizes[k]; i++) {
                capacities[i] = 1;
                picked[i] = (uint32_t)random_below(&s, sizes[k]);
                flows[i] = (struct maxmin_flow){&picked[i], 1, 1, INFINITY};
            }
            maxmin_solve(capacities, sizes[k], flows, sizes[k], rates);
            for (unsigned i = 0; i < sizes[k]; i++)
                sum += rates[i] / n;
        }
        if (fabs(sum / ROUNDS - shares[k]) > 4 * sqrt(variance / ROUNDS) / n + 1e-6)
            fail_msg("%u links: %.5f, not %.5f", sizes[k], sum / ROUNDS, shares[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rates_are_the_published_ones),
        cmocka_unit_test(every_flow_has_a_bottleneck),
        cmocka_unit_test(links_that_no_flow_picked_carry_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
