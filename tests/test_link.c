#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>

#include "sim/links/link.h"
#include "tests/words.h"

#define MS INT64_C(1000000)

/* 8 Mbit/s: a kilobyte takes a millisecond. */
#define MEGABYTE 8000000

static const struct link_queue endless = {.kind = LINK_ENDLESS};

static struct link laid(struct link_conditions c, struct link_queue q)
{
    struct link l;

    link_open(&l, &c, &q, 1, 1);
    return l;
}

/* ------------------------------------------------------------------------------- times */

static void a_packet_waits_for_those_before_it(void **state)
{
    static const struct {
        int64_t at;
        uint32_t bytes;
        int64_t queue, transmission, arrival;
    } rows[] = {
        {0, 1000, 0, MS, 11 * MS},
        {0, 500, MS, MS / 2, 11 * MS + MS / 2},
        {MS / 2, 1000, MS, MS, 12 * MS + MS / 2},
        {2 * MS, 2000, MS / 2, 2 * MS, 14 * MS + MS / 2},
        {4 * MS + MS / 2, 1000, 0, MS, 15 * MS + MS / 2}, /* just idle */
        {100 * MS, 1000, 0, MS, 111 * MS},
    };
    struct link l = laid(
        (struct link_conditions){.rate_bps = MEGABYTE, .delay_ns = 10 * MS}, endless);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct link_passage p;

        if (!link_send(&l, rows[i].at, rows[i].bytes, &p) ||
            p.queue_ns != rows[i].queue || p.transmission_ns != rows[i].transmission ||
            p.arrival_ns != rows[i].arrival)
            fail_msg("packet %zu: queue %" PRId64 ", transmission %" PRId64
                     ", arrival %" PRId64,
                     i, p.queue_ns, p.transmission_ns, p.arrival_ns);
    }
    link_close(&l);
}

/* At 3 bit/s a byte takes 8/3 s: three of them exactly 8 s. */
static void parts_of_a_nanosecond_are_not_lost(void **state)
{
    static const int64_t ends[] = {2666666666, 5333333333, 8000000000};
    struct link l = laid((struct link_conditions){.rate_bps = 3}, endless);
    struct link_passage p;

    (void)state;
    for (unsigned round = 0; round < 1000; round++)
        for (unsigned i = 0; i < 3; i++) {
            assert_true(link_send(&l, 0, 1, &p));
            assert_int_equal(p.arrival_ns, round * INT64_C(8000000000) + ends[i]);
        }
    link_close(&l);
}

static void without_a_rate_nothing_waits(void **state)
{
    struct link l = laid((struct link_conditions){.delay_ns = MS},
                         (struct link_queue){.limit = 1, .kind = LINK_PACKETS});
    struct link_passage p;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_true(link_send(&l, 5, INT32_MAX, &p));
        assert_int_equal(p.queue_ns, 0);
        assert_int_equal(p.transmission_ns, 0);
        assert_int_equal(p.arrival_ns, MS + 5);
    }
    link_close(&l);
}

/* Only a link that is nothing but a delay is passed by the way that costs nothing. */
static void only_a_delay_is_plain(void **state)
{
    static const struct {
        const char *what;
        struct link_conditions c;
        bool plain;
    } rows[] = {
        {"nothing", {0}, true},           {"delay", {.delay_ns = MS}, true},
        {"rate", {.rate_bps = 1}, false}, {"jitter", {.jitter_ns = 1}, false},
        {"loss", {.loss = 1e-9}, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct link l = laid(rows[i].c, endless);

        if (l.plain != rows[i].plain)
            fail_msg("%s: plain is %d", rows[i].what, l.plain);
        link_close(&l);
    }
}

/* ------------------------------------------------------------------------------- queues */

/* A kilobyte a millisecond; packets of a kilobyte unless the row says another size. */
static void what_does_not_fit_is_dropped(void **state)
{
    static const struct {
        const char *what;
        struct link_queue queue;
        struct {
            int64_t at;
            uint32_t bytes;
            bool fits;
        } packets[5];
    } rows[] = {
        {"a wait as long as the limit",
         {2 * MS, LINK_TIME},
         {{0, 1000, true},
          {0, 1000, true},
          {0, 1000, true},
          {0, 1000, false},
          {MS, 1, true}}},
        {"no queue: the link must be idle",
         {0, LINK_TIME},
         {{0, 1000, true}, {MS - 1, 1, false}, {MS, 1000, true}, {MS, 1, false}}},
        {"bytes, of the packet on its way those that are left",
         {2000, LINK_BYTES},
         {{0, 1000, true},
          {0, 1000, true},
          {0, 1, false},
          {MS / 2, 501, false},
          {MS / 2, 500, true}}},
        {"an idle link takes what is larger than its queue",
         {100, LINK_BYTES},
         {{0, 1000, true}, {MS - 1, 100, false}, {MS, 9000, true}}},
        {"packets, the one on its way is one of them",
         {2, LINK_PACKETS},
         {{0, 1000, true},
          {0, 9000, true},
          {MS - 1, 1, false},
          {MS, 1, true},
          {MS, 1, false}}},
        {"endless",
         {0, LINK_ENDLESS},
         {{0, INT32_MAX, true}, {0, INT32_MAX, true}, {0, INT32_MAX, true}}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct link l =
            laid((struct link_conditions){.rate_bps = MEGABYTE}, rows[i].queue);

        for (size_t k = 0; k < 5 && rows[i].packets[k].bytes; k++) {
            struct link_passage p;
            const bool fits =
                link_send(&l, rows[i].packets[k].at, rows[i].packets[k].bytes, &p);

            if (fits != rows[i].packets[k].fits)
                fail_msg("%s: packet %zu %s", rows[i].what, k,
                         fits ? "fits" : "does not fit");
            if (p.reason != (fits ? REASON_NONE : REASON_QUEUE_FULL))
                fail_msg("%s: packet %zu: %s", rows[i].what, k, reason_names[p.reason]);
        }
        link_close(&l);
    }
}

/* At one bit per second, packets of 2 GiB take 544 years each. */
static void no_queue_reaches_beyond_time(void **state)
{
    static const struct link_queue queues[] = {{.kind = LINK_ENDLESS},
                                               {LINK_TIME_MAX, LINK_TIME},
                                               {INT64_MAX, LINK_BYTES},
                                               {LINK_PACKETS_MAX, LINK_PACKETS}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        struct link l = laid((struct link_conditions){.rate_bps = 1,
                                                      .delay_ns = LINK_TIME_MAX,
                                                      .jitter_ns = LINK_TIME_MAX},
                             queues[i]);
        struct link_passage p;
        unsigned sent = 0;

        assert_false(link_send(&l, 0, INT32_MAX, &p));
        while (sent < 1000 && link_send(&l, LINK_TIME_MAX, 10000000, &p))
            sent++;
        assert_int_equal(sent,
                         3); /* of 2.5 years each, in ten years: the fourth ends behind */
        assert_true(p.reason == REASON_QUEUE_FULL);
        link_close(&l);
    }
}

/* ------------------------------------------------------------------------------- chance */

/* The share lost and the mean run of losses, of `n` packets. */
struct losses {
    double share, run;
    unsigned runs;
};

static struct losses losses_of(double loss, double burst, unsigned n)
{
    struct link l = laid((struct link_conditions){.loss = loss, .burst = burst}, endless);
    struct link_passage p;
    unsigned lost = 0, runs = 0;
    bool before = false;

    for (unsigned i = 0; i < n; i++) {
        const bool now = !link_send(&l, i, 100, &p);

        assert_true(p.reason == (now ? REASON_LINK_LOSS : REASON_NONE));
        lost += now;
        runs += now && !before;
        before = now;
    }
    link_close(&l);
    return (struct losses){(double)lost / n, runs ? (double)lost / runs : 0, runs};
}

/*
 * The share of losses is that of the two states' chain, whose successive packets correlate by
 * r = 1 - p - 1/burst: variance loss (1 - loss) (1 + r) / (1 - r) / n. Runs are geometric.
 */
static void as_many_are_lost_as_asked_in_runs_as_long(void **state)
{
    enum { PACKETS = 400000 };
    static const struct {
        double loss, burst, run; /* 1 / (1 - loss) where losses are independent */
    } rows[] = {
        {.01, 0, 1 / .99}, {.3, 0, 1 / .7}, {.01, 1, 1}, {.1, 4, 4}, {.5, 20, 20}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const double loss = rows[i].loss, run = rows[i].run;
        const double r = 1 - loss / (run * (1 - loss)) - 1 / run;
        const double share_error = sqrt(loss * (1 - loss) * (1 + r) / (1 - r) / PACKETS);
        const struct losses got = losses_of(loss, rows[i].burst, PACKETS);
        const double run_error = run * sqrt((1 - 1 / run) / got.runs);

        if (fabs(got.share - loss) > 4 * share_error)
            fail_msg("loss %g in runs of %g: lost %g", loss, rows[i].burst, got.share);
        if (fabs(got.run - run) > 4 * run_error + 1e-12)
            fail_msg("loss %g in runs of %g: runs of %g", loss, rows[i].burst, got.run);
    }
    assert_true(losses_of(0, 0, 1000).runs == 0);
    assert_true(losses_of(1, 0, 1000).share >= 1);
    assert_true(losses_of(1, 3, 1000).share >= 1);
}

static void jitter_is_uniform_and_overtakes_nobody(void **state)
{
    enum { PACKETS = 100000 };
    const int64_t delay = 10 * MS, jitter = 2 * MS;
    const double error = (double)jitter / sqrt(12.0 * PACKETS);
    struct link l =
        laid((struct link_conditions){.delay_ns = delay, .jitter_ns = jitter}, endless);
    int64_t now = 0, last = 0, least = INT64_MAX, most = 0;
    struct link_passage p;
    double sum = 0;

    (void)state;
    for (unsigned i = 0; i < PACKETS; i++, now += 3 * MS) { /* too far apart to meet */
        const int64_t late =
            (assert_true(link_send(&l, now, 1, &p)), p.arrival_ns - now - delay);

        least = late < least ? late : least;
        most = late > most ? late : most;
        sum += (double)late;
    }
    assert_true(least >= 0 && least < jitter / 1000 && most <= jitter &&
                most > jitter / 1000 * 999);
    assert_true(fabs(sum / PACKETS - (double)jitter / 2) < 4 * error);
    for (unsigned i = 0; i < 1000; i++, now += MS / 10) {
        assert_true(link_send(&l, now, 1, &p));
        assert_true(p.arrival_ns >= last && p.arrival_ns <= now + delay + jitter);
        last = p.arrival_ns;
    }
    link_close(&l);
}

static void each_link_has_its_own_chance(void **state)
{
    const struct link_conditions c = {.loss = .5};
    unsigned same_purpose = 0, other_purpose = 0, other_seed = 0;
    struct link l[4];
    struct link_passage p;

    (void)state;
    link_open(&l[0], &c, &endless, 1, 1);
    link_open(&l[1], &c, &endless, 1, 1);
    link_open(&l[2], &c, &endless, 1, 2);
    link_open(&l[3], &c, &endless, 2, 1);
    for (unsigned i = 0; i < 1000; i++) {
        const bool first = link_send(&l[0], i, 1, &p);

        same_purpose += link_send(&l[1], i, 1, &p) == first;
        other_purpose += link_send(&l[2], i, 1, &p) == first;
        other_seed += link_send(&l[3], i, 1, &p) == first;
    }
    assert_int_equal(same_purpose, 1000);
    assert_in_range(other_purpose, 437, 563); /* 500 +- 4 standard deviations */
    assert_in_range(other_seed, 437, 563);
}

/* ------------------------------------------------------------------------------ changes */

static void what_is_queued_goes_at_the_new_rate(void **state)
{
    static const struct {
        const char *what;
        struct link_queue queue;
    } rows[] = {{"time", {5 * MS, LINK_TIME}},
                {"packets", {3, LINK_PACKETS}},
                {"bytes", {3000, LINK_BYTES}}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct link l =
            laid((struct link_conditions){.rate_bps = MEGABYTE}, rows[i].queue);
        struct link_passage p;

        for (unsigned k = 0; k < 3; k++)
            assert_true(link_send(&l, 0, 1000, &p));
        link_set(&l, &(struct link_conditions){.rate_bps = MEGABYTE / 2}, MS);
        assert_true(
            link_send(&l, MS, 1000, &p)); /* 2000 bytes before it, 2 ms a kilobyte */
        if (p.queue_ns != 4 * MS || p.transmission_ns != 2 * MS)
            fail_msg("%s: queue %" PRId64 ", transmission %" PRId64, rows[i].what,
                     p.queue_ns, p.transmission_ns);
        if (link_send(&l, MS, 1000, &p))
            fail_msg("%s: one packet more fits", rows[i].what);
        link_restore(&l, 3 * MS); /* 2000 bytes are left */
        assert_true(link_send(&l, 3 * MS, 1000, &p));
        assert_int_equal(p.queue_ns, 2 * MS);
        assert_int_equal(p.transmission_ns, MS);
        link_set(&l, &(struct link_conditions){.delay_ns = 7}, 4 * MS);
        assert_true(link_send(&l, 7 * MS, 1000, &p));
        assert_int_equal(p.arrival_ns, 7 * MS + 7);
        assert_true(l.plain);
        link_close(&l);
    }
}

static void a_shorter_way_overtakes_nobody(void **state)
{
    struct link l = laid((struct link_conditions){.delay_ns = 100 * MS}, endless);
    struct link_passage p;

    (void)state;
    assert_true(link_send(&l, 0, 1, &p));
    link_set(&l, &(struct link_conditions){.delay_ns = MS}, MS);
    assert_false(l.plain);
    assert_true(link_send(&l, 2 * MS, 1, &p));
    assert_int_equal(p.arrival_ns, 100 * MS);
    assert_true(link_send(&l, 99 * MS, 1, &p));
    assert_int_equal(p.arrival_ns, 100 * MS);
    assert_true(l.plain); /* nothing is on its way that could be overtaken */
    link_restore(&l, 200 * MS);
    assert_int_equal(link_send_plain(&l, 200 * MS), 100 * MS);
    link_close(&l);
}

/* --------------------------------------------------------- closed forms of queueing theory */

enum { BATCHES = 100, BATCH = 20000 };

static double exponential(struct random_stream *s, double mean)
{
    return -mean * log1p(-(double)(random_next(s) >> 11) * 0x1p-53);
}

/* One estimate a batch: far longer than the queue remembers, so that batches are independent. */
struct estimate {
    double mean, error; /* of the mean: its standard deviation */
};

static struct estimate estimate_of(const double batches[BATCHES])
{
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < BATCHES; i++)
        sum += batches[i];
    for (unsigned i = 0; i < BATCHES; i++)
        squares += (batches[i] - sum / BATCHES) * (batches[i] - sum / BATCHES);
    return (struct estimate){sum / BATCHES, sqrt(squares / (BATCHES - 1) / BATCHES)};
}

/*
 * Poisson arrivals at a link whose packets take a millisecond in the mean. What is watched a
 * batch: the mean wait in milliseconds, or the share dropped.
 */
static struct estimate watch(double load, bool sizes_vary, struct link_queue queue,
                             bool drops)
{
    struct link l = laid((struct link_conditions){.rate_bps = 10 * MEGABYTE}, queue);
    struct random_stream times = random_stream_make(3, 1),
                         sizes = random_stream_make(3, 2);
    double batches[BATCHES], now = 0;

    for (unsigned b = 0; b < BATCHES; b++) {
        double waits = 0;
        unsigned lost = 0;

        for (unsigned i = 0; i < BATCH; i++) {
            const double bytes = sizes_vary ? exponential(&sizes, 10000) : 10000;
            struct link_passage p;

            now += exponential(&times, (double)MS / load);
            lost += !link_send(&l, llround(now), (uint32_t)lround(bytes), &p);
            waits += (double)p.queue_ns;
        }
        batches[b] = drops ? (double)lost / BATCH : waits / BATCH / (double)MS;
    }
    link_close(&l);
    return estimate_of(batches);
}

/*
 * Pollaczek-Khinchine, with a service time of 1: M/M/1 load / (1 - load), M/D/1 half of it. With
 * room for K, M/M/1/K loses (1 - load) load^K / (1 - load^(K+1)), at load 1 it is 1 / (K + 1);
 * M/D/1/2 loses 1 - 1 / (load + exp(-load)).
 * Within four standard deviations of the batches' mean, and that is within 4 % of the value.
 */
static void poisson_packets_wait_and_are_lost_as_theory_has_it(void **state)
{
    static const struct {
        const char *what;
        double load;
        bool sizes_vary;
        uint64_t room; /* packets; 0: endless */
        double expected;
    } rows[] = {
        {"M/M/1 wait", .5, true, 0, 1},
        {"M/M/1 wait", .8, true, 0, 4},
        {"M/D/1 wait", .5, false, 0, .5},
        {"M/D/1 wait", .8, false, 0, 2},
        {"M/M/1/5 loss", .8, true, 5, .2 * .32768 / (1 - .262144)},
        {"M/M/1/3 loss", 1, true, 3, .25},
        {"M/M/1/1 loss", .5, true, 1, 1. / 3}, /* Erlang B */
        {"M/D/1/1 loss", .5, false, 1, 1. / 3},
        {"M/D/1/2 loss", .8, false, 2, 1 - 1 / (.8 + 0.44932896411722156)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct link_queue queue = {
            .limit = rows[i].room, .kind = rows[i].room ? LINK_PACKETS : LINK_ENDLESS};
        const struct estimate e =
            watch(rows[i].load, rows[i].sizes_vary, queue, rows[i].room > 0);

        if (fabs(e.mean - rows[i].expected) > 4 * e.error ||
            e.error > .01 * rows[i].expected)
            fail_msg("%s at load %g: %.5f +- %.5f, not %.5f", rows[i].what, rows[i].load,
                     e.mean, e.error, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_waits_for_those_before_it),
        cmocka_unit_test(parts_of_a_nanosecond_are_not_lost),
        cmocka_unit_test(without_a_rate_nothing_waits),
        cmocka_unit_test(only_a_delay_is_plain),
        cmocka_unit_test(what_does_not_fit_is_dropped),
        cmocka_unit_test(no_queue_reaches_beyond_time),
        cmocka_unit_test(as_many_are_lost_as_asked_in_runs_as_long),
        cmocka_unit_test(jitter_is_uniform_and_overtakes_nobody),
        cmocka_unit_test(each_link_has_its_own_chance),
        cmocka_unit_test(what_is_queued_goes_at_the_new_rate),
        cmocka_unit_test(a_shorter_way_overtakes_nobody),
        cmocka_unit_test(poisson_packets_wait_and_are_lost_as_theory_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
