#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Policies that remember: by connection (random-flow, least-loaded, connection-mark, pcc) and by
 * pair of addresses (per-pair). Sources: Azar et al., SIAM J. Comput. 29(1); the RouterOS
 * manual and the kernel sources that core/policies/ names; arithmetic.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "tests/picks.h"
#include "tests/routers.h"

enum { FLOWS = 3000 };

/* ---------------------------------------------------------------- what connections keep */

static void a_connection_keeps_its_member_while_that_lives(void **state)
{
    static const char *const names[] = {"random-flow", "least-loaded", "connection-mark",
                                        "pcc"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct picks p = picks_open(names[i], 1);
        uint16_t pins[FLOWS] = {0};
        unsigned on[FLOWS];

        p.packet = packet("tcp 192.0.2.1:1 > 198.51.100.1:2");
        picks_have(&p, 3, NULL);
        for (uint32_t f = 0; f < FLOWS; f++) {
            p.packet.src.bytes[3] = (uint8_t)f;
            p.packet.dst.bytes[3] = (uint8_t)(f >> 8);
            on[f] = picks_ask_pinned(&p, f * 715827u, &pins[f]);
        }
        picks_lose(&p, 3);
        for (uint32_t f = 0; f < FLOWS; f++) {
            p.packet.sport = (uint16_t)f; /* nothing but the pin counts any more */
            p.query.now_ns += SECONDS(1);
            if (on[f] != 3 && picks_ask_pinned(&p, f, &pins[f]) != on[f])
                fail_msg("%s: flow %u left %u, which lives", names[i], f, on[f]);
        }
        picks_close(&p);
    }
}

static void what_drew_again_stays_and_what_is_marked_goes_home(void **state)
{
    static const struct {
        const char *name;
        bool goes_home;
    } rows[] = {{"random-flow", false},
                {"least-loaded", false},
                {"connection-mark", true},
                {"pcc", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open(rows[i].name, 1);
        unsigned homeless = 0;

        p.packet = packet("tcp 192.0.2.1:1 > 198.51.100.1:2");
        picks_have(&p, 3, NULL);
        for (uint32_t f = 0; f < 300; f++) {
            uint16_t pin = 0;
            unsigned meanwhile;

            p.packet.src.bytes[3] = (uint8_t)f;
            picks_lose(&p, 0);
            if (picks_ask_pinned(&p, f * 7158278u, &pin) != 2)
                continue;
            picks_lose(&p, 2);
            meanwhile = picks_ask_pinned(&p, f * 7158278u, &pin);
            picks_lose(&p, 0);
            homeless++;
            if ((picks_ask_pinned(&p, f * 7158278u, &pin) == 2) != rows[i].goes_home ||
                meanwhile == 2)
                fail_msg("%s: flow %u", rows[i].name, f);
        }
        assert_true(homeless > 50);
        picks_close(&p);
    }
}

static void a_mark_is_put_where_the_regions_say(void **state)
{
    static const uint32_t weights[] = {10, 5, 1};
    static const struct {
        uint32_t hash;
        unsigned all, without_first;
    } rows[] = {
        /* DIV_ROUND_CLOSEST(10 << 31, 16) - 1, (15 << 31) / 16 - 1; (5 << 31) / 6 - 1 */
        {0, 1, 2},          {1342177279, 1, 2}, {1342177280, 2, 2}, {1789569706, 2, 2},
        {1789569707, 2, 3}, {2013265919, 2, 3}, {2013265920, 3, 3}, {2147483647, 3, 3},
    };
    struct picks p = picks_open("connection-mark", 1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        picks_have(&p, 3, weights);
        assert_int_equal(picks_ask(&p, rows[i].hash), rows[i].all);
        picks_lose(&p, 1);
        assert_int_equal(picks_ask(&p, rows[i].hash), rows[i].without_first);
    }
    picks_close(&p);
}

static void drawn_connections_follow_the_weights(void **state)
{
    static const uint32_t weights[] = {10, 5, 1};
    struct picks p = picks_open("random-flow", 9);
    double counts[3] = {0};

    (void)state;
    picks_have(&p, 3, weights);
    for (unsigned i = 0; i < 20000; i++)
        counts[picks_ask(&p, 0) - 1]++;
    for (unsigned i = 0; i < 3; i++)
        if (fabs(picks_z(counts[i], 20000, weights[i] / 16.0)) > 4)
            fail_msg("member %u: %.0f of 20000", i + 1, counts[i]);
    picks_close(&p);
}

/* ------------------------------------------------------------------------ least-loaded */

/* Equal flows on as many members: the part of the runs in which the fullest has so many. */
static void the_fullest_of_many_is_as_full_as_choices_say(void **state)
{
    static const struct {
        uint32_t choices;
        unsigned most;
        double part;
    } rows[] = {{1, 4, .39},  {1, 5, .46}, {2, 2, .096},
                {2, 3, .902}, {3, 2, .88}, {0, 1, 1}};
    enum { MEMBERS = 256, RUNS = 1500 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned hits = 0;

        for (unsigned run = 0; run < RUNS; run++) {
            struct picks p = picks_open("least-loaded", run);
            unsigned counts[MEMBERS] = {0}, most = 0;

            p.config.choices = rows[i].choices;
            picks_have(&p, MEMBERS, NULL);
            for (unsigned k = 0; k < MEMBERS; k++) {
                const unsigned at = picks_ask(&p, 0) - 1;

                most = ++counts[at] > most ? counts[at] : most;
            }
            hits += most == rows[i].most;
            picks_close(&p);
        }
        if (fabs(hits / (double)RUNS - rows[i].part) > .04)
            fail_msg("of %u: a fullest of %u in %.3f of the runs, not %.3f",
                     rows[i].choices, rows[i].most, hits / (double)RUNS, rows[i].part);
    }
}

static void a_connection_begins_where_the_least_was_sent_by_weight(void **state)
{
    static const uint32_t weights[] = {2, 1};
    struct picks p = picks_open("least-loaded", 1);
    uint16_t heavy = 0, light = 0;

    (void)state;
    picks_have(&p, 2, weights);
    p.packet.size_bytes = 1000;
    picks_ask_pinned(&p, 0, &heavy);
    picks_ask_pinned(&p, 0, &light);
    assert_int_not_equal(heavy,
                         light); /* one carries 1000, so the other is less loaded */
    heavy = 1;
    light = 2;
    p.packet.size_bytes = 5000;
    picks_ask_pinned(&p, 0, &heavy);       /* 6000 / 2 against 1000 / 1 */
    assert_int_equal(picks_ask(&p, 0), 2); /* 6000 / 2 against 6000 / 1 */
    assert_int_equal(picks_ask(&p, 0), 1);
    picks_close(&p);
}

/* A window of 10 s: 6000 bytes of the last one count as 4500 when a quarter of this is over. */
static void loads_are_forgotten_with_their_window(void **state)
{
    static const struct {
        double at_s;
        uint32_t sent;
        unsigned next;
    } rows[] = {
        {12.5, 4499, 2}, {12.5, 4501, 1}, {17.5, 1499, 2}, {17.5, 1501, 1}, {20, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open("least-loaded", 1);
        uint16_t one = 1, two = 2;

        picks_have(&p, 2, NULL);
        p.query.now_ns = SECONDS(4);
        p.packet.size_bytes = 6000;
        picks_ask_pinned(&p, 0, &one);
        p.query.now_ns = SECONDS(rows[i].at_s);
        p.packet.size_bytes = rows[i].sent;
        picks_ask_pinned(&p, 0, &two);
        if (picks_ask(&p, 0) != rows[i].next)
            fail_msg("%u bytes at %.1f s", rows[i].sent, rows[i].at_s);
        picks_close(&p);
    }
}

static void paths_without_a_load_are_drawn_by_weight(void **state)
{
    static const uint32_t weights[] = {10, 5, 1};
    double counts[3] = {0};
    struct picks p = picks_open("least-loaded", 1);

    (void)state;
    picks_have(&p, 3, weights);
    for (unsigned i = 0; i < 20000; i++) {
        p.query.now_ns += SECONDS(20);
        counts[picks_ask(&p, 0) - 1]++;
    }
    for (unsigned i = 0; i < 3; i++)
        if (fabs(picks_z(counts[i], 20000, weights[i] / 16.0)) > 4)
            fail_msg("member %u: %.0f of 20000", i + 1, counts[i]);
    picks_close(&p);
}

/* --------------------------------------------------------------------------------- pcc */

static unsigned classify(struct picks *p, const char *text)
{
    p->packet = packet(text);
    return picks_ask(p, 0);
}

static void only_the_chosen_fields_classify(void **state)
{
    static const struct {
        unsigned classifier;
        const char *format;
        bool spreads;
    } rows[] = {
        {CLASSIFIER_SRC_ADDRESS, "tcp 192.0.2.%u:5 > 198.51.100.1:7", true},
        {CLASSIFIER_SRC_ADDRESS, "tcp 192.0.2.1:%u > 198.51.100.1:7", false},
        {CLASSIFIER_DST_ADDRESS, "tcp 192.0.2.1:5 > 198.51.100.%u:7", true},
        {CLASSIFIER_DST_ADDRESS, "tcp 192.0.2.%u:5 > 198.51.100.1:7", false},
        {CLASSIFIER_SRC_PORT, "tcp 192.0.2.1:%u > 198.51.100.1:7", true},
        {CLASSIFIER_SRC_PORT, "tcp 192.0.2.1:5 > 198.51.100.1:%u", false},
        {CLASSIFIER_DST_PORT, "udp 192.0.2.1:5 > 198.51.100.1:%u", true},
        {CLASSIFIER_DST_PORT, "udp 192.0.2.1:%u > 198.51.100.1:7", false},
        {CLASSIFIER_SRC_PORT | CLASSIFIER_DST_PORT, "icmp 192.0.2.%u > 198.51.100.1",
         false},
        {15, "icmp 192.0.2.%u > 198.51.100.1", true},
        {15, "udp [2001:db8::%u]:5 > [2001:db8:1::1]:7", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open("pcc", 1);
        unsigned counts[3] = {0};

        p.config.classifier = (uint8_t)rows[i].classifier;
        picks_have(&p, 3, NULL);
        for (unsigned k = 1; k <= 240; k++) {
            char text[100];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof text, rows[i].format, k);
#pragma GCC diagnostic pop
            counts[classify(&p, text) - 1]++;
        }
        for (unsigned k = 0; k < 3; k++)
            if (rows[i].spreads ? fabs(picks_z(counts[k], 240, 1.0 / 3)) > 4
                                : counts[k] % 240 != 0)
                fail_msg("%s: member %u has %u of 240", rows[i].format, k + 1, counts[k]);
        picks_close(&p);
    }
}

/* The rules stand as they are written: a dead member keeps its remainders, 2 of 3 here. */
static void a_dead_members_remainders_fall_to_the_first_that_lives(void **state)
{
    static const uint32_t weights[] = {1, 2, 1};
    struct picks p = picks_open("pcc", 1);
    unsigned all[240], moved = 0;

    (void)state;
    picks_have(&p, 3, weights);
    for (unsigned round = 0; round < 3; round++) {
        picks_lose(&p, round == 1 ? 2 : 0);
        for (unsigned k = 0; k < 240; k++) {
            char text[100];
            unsigned now;

            snprintf(text, sizeof text, "tcp 192.0.2.%u:5 > 198.51.100.1:7", k);
            now = classify(&p, text);
            if (round == 0)
                moved += (all[k] = now) == 2;
            else if (now != (round == 1 && all[k] == 2 ? 1 : all[k]))
                fail_msg("round %u, source %u: by %u, was by %u", round, k, now, all[k]);
        }
    }
    assert_true(fabs(picks_z(moved, 240, 0.5)) <= 4);
    picks_close(&p);
}

/* ---------------------------------------------------------------------------- per-pair */

static unsigned ask_pair(struct picks *p, unsigned pair, unsigned port)
{
    char text[100];

    snprintf(text, sizeof text, "udp 10.%u.%u.1:%u > 198.51.100.1:7", pair / 250,
             pair % 250, port);
    p->packet = packet(text);
    return picks_ask(p, 0);
}

static void new_pairs_are_shared_out_exactly_by_weight(void **state)
{
    static const uint32_t weights[] = {3, 1, 2};
    struct picks p = picks_open("per-pair", 1);

    (void)state;
    picks_have(&p, 3, weights);
    for (unsigned round = 0; round < 50; round++) {
        unsigned counts[3] = {0};

        for (unsigned k = 0; k < 6; k++) {
            p.query.now_ns += 3000000;
            counts[ask_pair(&p, round * 6 + k, 5) - 1]++;
        }
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(counts[k], weights[k]);
    }
    picks_close(&p);
}

/* What is the pair: TOS, mark and interface count, ports do not. */
static void a_pair_keeps_its_member_whatever_the_ports(void **state)
{
    struct picks p = picks_open("per-pair", 1);
    unsigned other = 0;

    (void)state;
    picks_have(&p, 8, NULL);
    for (unsigned pair = 0; pair < 300; pair++) {
        const unsigned by = ask_pair(&p, pair, 1);

        for (unsigned port = 2; port < 5; port++)
            assert_int_equal(ask_pair(&p, pair, port), by);
        p.packet.tos = 0x10;
        other += picks_ask(&p, 0) != by;
        p.packet.tos = 0x03; /* not of the key */
        assert_int_equal(picks_ask(&p, 0), by);
        p.packet.mark = 1;
        other += picks_ask(&p, 0) != by;
        p.packet.mark = 0;
        p.query.in_iface = 3;
        other += picks_ask(&p, 0) != by;
        p.query.in_iface = 0;
    }
    assert_true(other > 3 * 200);
    picks_close(&p);
}

/* How many of 400 pairs have another member after `rest_s`. */
static unsigned pairs_changed(struct picks *p, double rest_s, bool changed)
{
    unsigned by[400], other = 0;

    for (unsigned k = 0; k < 400; k++)
        by[k] = ask_pair(p, k, 1);
    p->query.now_ns += SECONDS(rest_s);
    if (changed)
        p->policy->changed(p->state);
    for (unsigned k = 0; k < 400; k++)
        other += ask_pair(p, 399 - k, 1) != by[399 - k];
    return other;
}

static void the_cache_is_emptied_in_time_by_changes_and_by_idleness(void **state)
{
    static const struct {
        const char *what;
        double flush_s, rest_s;
        bool changed, empties;
    } rows[] = {
        {"nothing happens", 0, 1, false, false}, {"300 s idle", 0, 300, false, false},
        {"301 s idle", 0, 301, false, true},     {"a change of routes", 0, 0, true, true},
        {"a flush", 100, 100, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct picks p = picks_open("per-pair", 1);
        unsigned other;

        p.config.flush_ns = SECONDS(rows[i].flush_s);
        picks_have(&p, 8, NULL);
        other = pairs_changed(&p, rows[i].rest_s, rows[i].changed);
        if (rows[i].empties ? other < 300 : other > 0)
            fail_msg("%s: %u of 400 pairs changed", rows[i].what, other);
        picks_close(&p);
    }
}

/* Every ten minutes and no more often, whenever the first flush comes. */
static void the_cache_is_emptied_once_a_period(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20; seed++) {
        struct picks p = picks_open("per-pair", seed);
        unsigned flushes = 0;

        picks_have(&p, 8, NULL);
        for (unsigned minute = 0; minute < 60; minute++)
            flushes += pairs_changed(&p, 60, false) > 100;
        assert_int_equal(flushes, 6);
        picks_close(&p);
    }
}

static void more_pairs_than_the_cache_holds_are_served(void **state)
{
    struct picks p = picks_open("per-pair", 1);
    double counts[3] = {0};

    (void)state;
    picks_have(&p, 3, NULL);
    p.packet = packet("udp 10.0.0.1:1 > 198.51.100.1:7");
    for (unsigned k = 0; k < 90000; k++) {
        memcpy(&p.packet.src.bytes[1], &(uint32_t){k}, 3);
        counts[picks_ask(&p, 0) - 1]++;
    }
    for (unsigned k = 0; k < 3; k++)
        assert_true(counts[k] == 30000);
    picks_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_keeps_its_member_while_that_lives),
        cmocka_unit_test(what_drew_again_stays_and_what_is_marked_goes_home),
        cmocka_unit_test(a_mark_is_put_where_the_regions_say),
        cmocka_unit_test(drawn_connections_follow_the_weights),
        cmocka_unit_test(the_fullest_of_many_is_as_full_as_choices_say),
        cmocka_unit_test(a_connection_begins_where_the_least_was_sent_by_weight),
        cmocka_unit_test(loads_are_forgotten_with_their_window),
        cmocka_unit_test(paths_without_a_load_are_drawn_by_weight),
        cmocka_unit_test(only_the_chosen_fields_classify),
        cmocka_unit_test(a_dead_members_remainders_fall_to_the_first_that_lives),
        cmocka_unit_test(new_pairs_are_shared_out_exactly_by_weight),
        cmocka_unit_test(a_pair_keeps_its_member_whatever_the_ports),
        cmocka_unit_test(the_cache_is_emptied_in_time_by_changes_and_by_idleness),
        cmocka_unit_test(the_cache_is_emptied_once_a_period),
        cmocka_unit_test(more_pairs_than_the_cache_holds_are_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
