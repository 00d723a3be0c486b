#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Policies that split flows: shares, bounds, and the reordering that follows from two paths of
 * unequal delay. Sources: RFC 4737, RFC 5236; Kandula et al., CCR 37(2), 2007; arithmetic.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "tests/picks.h"
#include "tests/routers.h"

/* -------------------------------------------------------------------------- reordering */

enum { PACKETS = 20000 };

struct arrival {
    double at;
    unsigned number;
};

static int by_time(const void *a, const void *b)
{
    const struct arrival *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* RFC 4737: reordered is what arrives behind one that was sent later. RFC 5236: displacement. */
struct order {
    double reordered, extent; /* part of the packets; mean over them */
    int displaced_least, displaced_most;
};

static struct order order_of(struct arrival *all, unsigned n)
{
    struct order o = {0, 0, 0, 0};
    unsigned next = 0;

    qsort(all, n, sizeof *all, by_time);
    for (unsigned i = 0; i < n; i++) {
        const int displaced = (int)i - (int)all[i].number;
        unsigned back = 0;

        if (displaced < o.displaced_least)
            o.displaced_least = displaced;
        if (displaced > o.displaced_most)
            o.displaced_most = displaced;
        if (all[i].number >= next) {
            next = all[i].number + 1;
            continue;
        }
        o.reordered++;
        for (unsigned k = 1; k < 64 && k <= i; k++)
            if (all[i - k].number > all[i].number)
                back = k;
        o.extent += back;
    }
    o.extent /= o.reordered > 0 ? o.reordered : 1;
    o.reordered /= n;
    return o;
}

/* A packet a second, and the second path so much longer. */
static struct order spray(const char *policy, double longer)
{
    static struct arrival all[PACKETS];
    struct picks p = picks_open(policy, 1);

    picks_have(&p, 2, NULL);
    for (unsigned i = 0; i < PACKETS; i++)
        all[i] = (struct arrival){i + (picks_ask(&p, 9) == 2 ? longer : 0), i};
    picks_close(&p);
    return order_of(all, PACKETS);
}

static void round_robin_reorders_half_or_nothing(void **state)
{
    static const struct {
        double longer, reordered, extent;
        int displaced;
    } rows[] = {
        {0.5, 0, 0, 0},  {0.99, 0, 0, 0}, {1.5, .5, 1, 1},
        {2.5, .5, 1, 1}, {3.5, .5, 3, 2}, {7.3, .5, 7, 4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct order o = spray("round-robin", rows[i].longer);

        /* The last packets have none behind them. */
        if (fabs(o.reordered - rows[i].reordered) > 8.0 / PACKETS ||
            fabs(o.extent - rows[i].extent) > 8.0 * 8 / PACKETS ||
            o.displaced_most != rows[i].displaced ||
            o.displaced_least != -rows[i].displaced)
            fail_msg("longer by %.2f: %.4f reordered, extent %.3f, displaced %d to %d",
                     rows[i].longer, o.reordered, o.extent, o.displaced_least,
                     o.displaced_most);
    }
}

/* 1/2 (1 - 2^-L), L the packets that are sent while the longer path is longer. */
static void random_spraying_reorders_nearly_half(void **state)
{
    static const struct {
        double longer;
        unsigned within;
    } rows[] = {{0.5, 0}, {1.5, 1}, {2.5, 2}, {4.5, 4}, {9.5, 9}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const double want = 0.5 * (1 - pow(0.5, rows[i].within));
        const double got = spray("random-packet", rows[i].longer).reordered;

        if (want > 0 ? fabs(picks_z(got * PACKETS, PACKETS, want)) > 4 : got > 0)
            fail_msg("longer by %.1f: %.4f reordered, not %.4f", rows[i].longer, got,
                     want);
    }
}

/* ------------------------------------------------------------------------------ shares */

static void round_robin_serves_each_in_turn_whoever_lives(void **state)
{
    static const unsigned turns[] = {1, 2, 3, 4, 1, 2}, left[] = {3, 4, 1, 3, 4, 1};
    struct picks p = picks_open("round-robin", 1);

    (void)state;
    picks_have(&p, 4, NULL);
    for (size_t i = 0; i < ARRAY_LEN(turns); i++)
        assert_int_equal(picks_ask(&p, 0), turns[i]);
    picks_lose(&p, 2); /* 3 and 4 were to come, as places 2 and 3 of 1, 3, 4: 4 is next */
    assert_int_equal(picks_ask(&p, 0), 4);
    picks_ask(&p, 0);
    for (size_t i = 0; i < ARRAY_LEN(left); i++)
        assert_int_equal(picks_ask(&p, 0), left[i]);
    picks_close(&p);
}

/* As smooth as can be: the sequence of weights 5:1:1 that nginx documents. */
static void weighted_round_robin_spreads_a_heavy_members_turns(void **state)
{
    static const uint32_t weights[] = {5, 1, 1};
    static const unsigned turns[] = {1, 1, 2, 1, 3, 1, 1, 1, 1, 2, 1, 3, 1, 1};
    struct picks p = picks_open("weighted-round-robin", 1);

    (void)state;
    picks_have(&p, 3, weights);
    for (size_t i = 0; i < ARRAY_LEN(turns); i++)
        assert_int_equal(picks_ask(&p, 0), turns[i]);
    picks_close(&p);
}

static void deviations_by_bytes_stay_within_one_packet(void **state)
{
    enum { LARGEST = 1500 };
    struct random_stream s = random_stream_make(4, 4);

    (void)state;
    for (unsigned n = 2; n <= 8; n++)
        for (unsigned set = 0; set < 6; set++) {
            struct picks p = picks_open("weighted-round-robin", 1);
            const double bound = n == 2 ? LARGEST / 2.0 : LARGEST;
            double sent[8] = {0}, all = 0, total = 0;
            uint32_t weights[8];

            for (unsigned i = 0; i < n; i++)
                total += weights[i] = 1 + (uint32_t)random_below(&s, set ? 20 : 1);
            p.config.unit = UNIT_BYTES;
            picks_have(&p, n, weights);
            for (unsigned k = 0; k < PACKETS; k++) {
                p.packet.size_bytes = 40 + (uint32_t)random_below(&s, LARGEST - 39);
                all += p.packet.size_bytes;
                sent[picks_ask(&p, 0) - 1] += p.packet.size_bytes;
                for (unsigned i = 0; i < n; i++)
                    if (fabs(sent[i] - all * weights[i] / total) > bound + 1e-6)
                        fail_msg("%u members, packet %u: member %u is %.0f bytes off", n,
                                 k, i + 1, sent[i] - all * weights[i] / total);
            }
            picks_close(&p);
        }
}

static void drawn_packets_follow_the_weights(void **state)
{
    static const uint32_t weights[] = {10, 5, 1};
    struct picks p = picks_open("random-packet", 3);
    double counts[3] = {0};

    (void)state;
    picks_have(&p, 3, weights);
    for (unsigned i = 0; i < PACKETS; i++)
        counts[picks_ask(&p, 0) - 1]++;
    for (unsigned i = 0; i < 3; i++)
        if (fabs(picks_z(counts[i], PACKETS, weights[i] / 16.0)) > 4)
            fail_msg("member %u: %.0f of %d", i + 1, counts[i], PACKETS);
    picks_close(&p);
}

/* ---------------------------------------------------------------------------- flowlets */

static double exponential(struct random_stream *s)
{
    return -log(((double)(random_next(s) >> 11) + 0.5) / 9007199254740992.0);
}

/* Poisson packets, a second apart on average: flowlets have e^gap of them. */
static void flowlets_are_as_long_as_the_gap_says(void **state)
{
    static const struct {
        double gap_s, packets;
    } rows[] = {{1, 2.718282}, {2, 7.389056}, {3, 20.085537}};
    enum { MEMBERS = 64, SENT = 600000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open("flowlet", 1);
        struct random_stream s = random_stream_make(i, 3);
        unsigned last = 0, changes = 0;
        double at_s = 0;

        p.config.gap_ns = SECONDS(rows[i].gap_s);
        picks_have(&p, MEMBERS, NULL);
        for (unsigned k = 0; k < SENT; k++) {
            unsigned now;

            at_s += exponential(&s);
            p.query.now_ns = SECONDS(at_s);
            now = picks_ask(&p, 77);
            changes += k > 0 && now != last;
            last = now;
        }
        picks_close(&p);
        /* A new flowlet draws another member in all but one of MEMBERS cases. */
        if (fabs(picks_z(changes, SENT, (1 - 1.0 / MEMBERS) / rows[i].packets)) > 4)
            fail_msg("gap %.0f: %.3f packets a flowlet, not %.3f", rows[i].gap_s,
                     SENT / (changes / (1 - 1.0 / MEMBERS)), rows[i].packets);
    }
}

/*
 * The second path is longer by two mean spacings. No packet of a gap that covers the
 * difference is late; shorter gaps have the published parts.
 */
static void flowlets_with_a_gap_above_the_difference_keep_their_order(void **state)
{
    static const struct {
        double gap_s, reordered, within;
    } rows[] = {
        {0.5, .205, .01}, {1, .092, .01}, {1.5, .028, .005}, {2, 0, 0}, {3, 0, 0}};
    enum { SENT = 200000 };
    struct arrival *all = calloc(SENT, sizeof *all);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open("flowlet", 2);
        struct random_stream s = random_stream_make(i, 5);
        double at_s = 0, got;

        p.config.gap_ns = SECONDS(rows[i].gap_s);
        picks_have(&p, 2, NULL);
        for (unsigned k = 0; k < SENT; k++) {
            at_s += exponential(&s);
            p.query.now_ns = SECONDS(at_s);
            all[k] = (struct arrival){at_s + (picks_ask(&p, 77) == 2 ? 2 : 0), k};
        }
        picks_close(&p);
        got = order_of(all, SENT).reordered;
        if (fabs(got - rows[i].reordered) > rows[i].within)
            fail_msg("gap %.1f: %.4f reordered, not %.3f", rows[i].gap_s, got,
                     rows[i].reordered);
    }
    free(all);
}

/* Flows that share an entry of the table ride together, and pause only when both do. */
static void flows_that_collide_share_their_flowlets(void **state)
{
    struct picks p = picks_open("flowlet", 1);

    (void)state;
    picks_have(&p, 64, NULL);
    for (unsigned i = 0; i < 200; i++) {
        unsigned one;

        p.query.now_ns += p.config.gap_ns;
        one = picks_ask(&p, 5);
        p.query.now_ns += p.config.gap_ns;
        assert_int_equal(picks_ask(&p, 5 + 65536), one);
    }
    picks_close(&p);
}

static void a_flowlet_leaves_a_dead_member_at_once_and_no_other(void **state)
{
    struct picks p = picks_open("flowlet", 1);
    unsigned on[500];

    (void)state;
    picks_have(&p, 3, NULL);
    for (uint32_t i = 0; i < 500; i++)
        on[i] = picks_ask(&p, i);
    picks_lose(&p, 2);
    for (uint32_t i = 0; i < 500; i++) {
        const unsigned now = picks_ask(&p, i);

        if (now == 2 || (on[i] != 2 && now != on[i]))
            fail_msg("flow %u: from %u to %u", i, on[i], now);
    }
    picks_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_robin_reorders_half_or_nothing),
        cmocka_unit_test(random_spraying_reorders_nearly_half),
        cmocka_unit_test(round_robin_serves_each_in_turn_whoever_lives),
        cmocka_unit_test(weighted_round_robin_spreads_a_heavy_members_turns),
        cmocka_unit_test(deviations_by_bytes_stay_within_one_packet),
        cmocka_unit_test(drawn_packets_follow_the_weights),
        cmocka_unit_test(flowlets_are_as_long_as_the_gap_says),
        cmocka_unit_test(flowlets_with_a_gap_above_the_difference_keep_their_order),
        cmocka_unit_test(flows_that_collide_share_their_flowlets),
        cmocka_unit_test(a_flowlet_leaves_a_dead_member_at_once_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
