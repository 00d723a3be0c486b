#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>

#include "core/memory.h"
#include "core/random.h"
#include "sim/links/fluid.h"
#include "sim/links/maxmin.h"
#include "tests/words.h"

#define SECOND INT64_C(1000000000)

static void is_about(const char *what, double got, double due)
{
    if (!(fabs(got - due) <= 1e-9 * fmax(1, fabs(due))))
        fail_msg("%s: %.12g, not %.12g", what, got, due);
}

/* ---------------------------------------------------------------------------- by hand */

/* The next flow to finish is this one, at this second; go there and take it away. */
static void finishes(struct fluid *f, uint32_t flow, double at, double bytes)
{
    uint32_t next = 99;
    const int64_t ns = fluid_next_finish(f, &next);

    if (next != flow || ns != llround(at * 1e9))
        fail_msg("#%u at %" PRId64 " ns, not #%u at %g s", next, ns, flow, at);
    fluid_advance(f, ns);
    is_about("bytes", fluid_remove(f, flow), bytes);
}

/* 8 bit/s carry a byte a second: 6 bytes alone for 2 s, then two flows at half of it. */
static void flows_share_a_link(void **state)
{
    struct fluid *f = fluid_create();
    const unsigned link = fluid_link_add(f, 8);

    (void)state;
    fluid_add(f, 0, link, 6, INFINITY);
    fluid_advance(f, 2 * SECOND);
    fluid_add(f, 1, link, 1, INFINITY);
    is_about("rate", fluid_flow_rate_bps(f, 0), 4);
    fluid_advance(f, 3 * SECOND);
    is_about("bytes", fluid_flow_bytes(f, 0), 2.5);
    is_about("bytes", fluid_flow_bytes(f, 1), .5);
    finishes(f, 1, 4, 1);
    is_about("rate", fluid_flow_rate_bps(f, 0), 8);
    finishes(f, 0, 7, 6);
    is_about("carried", fluid_link_bytes(f, link), 7);
    assert_int_equal(fluid_link_flows(f, link), 0);
    assert_true(fluid_next_finish(f, &(uint32_t){0}) == FLUID_NEVER);
    fluid_destroy(f);
}

/* Of 10 byte/s two flows want 1 and 3 at most, the third gets the other 6. */
static void what_a_cap_leaves_is_for_the_others(void **state)
{
    struct fluid *f = fluid_create();
    const unsigned link = fluid_link_add(f, 80);

    (void)state;
    fluid_add(f, 0, link, 100, 8);
    fluid_add(f, 1, link, 30, 24);
    fluid_add(f, 2, link, 60, INFINITY);
    is_about("rate", fluid_flow_rate_bps(f, 0), 8);
    is_about("rate", fluid_flow_rate_bps(f, 1), 24);
    is_about("rate", fluid_flow_rate_bps(f, 2), 48);
    finishes(f, 2, 10, 60); /* at the same time as the second, which its cap holds back */
    finishes(f, 1, 10, 30);
    is_about("in use", fluid_link_rate_bps(f, link), 8);
    fluid_set_cap(f, 0, 800); /* 90 bytes at 10 a second */
    finishes(f, 0, 19, 100);
    fluid_destroy(f);
}

/* At 4 byte/s nobody has 3 any more; with 20 all are at their caps. */
static void a_link_that_changes_its_rate_changes_who_is_held_back(void **state)
{
    struct fluid *f = fluid_create();
    const unsigned link = fluid_link_add(f, 80);

    (void)state;
    fluid_add(f, 0, link, 100, 8);
    fluid_add(f, 1, link, 100, 24);
    fluid_add(f, 2, link, 100, 48);
    fluid_link_set_rate(f, link, 32);
    is_about("rate", fluid_flow_rate_bps(f, 0), 8);
    is_about("rate", fluid_flow_rate_bps(f, 1), 12);
    is_about("rate", fluid_flow_rate_bps(f, 2), 12);
    fluid_advance(f, 10 * SECOND); /* 10, 15, 15 bytes */
    fluid_link_set_rate(f, link, 0);
    is_about("rate", fluid_flow_rate_bps(f, 1), 0);
    assert_true(fluid_next_finish(f, &(uint32_t){0}) == FLUID_NEVER);
    fluid_advance(f, 1000 * SECOND);
    fluid_link_set_rate(f, link, 160);
    is_about("rate", fluid_flow_rate_bps(f, 2), 48);
    finishes(f, 2, 1000 + 85 / 6., 100);
    is_about("carried", fluid_link_bytes(f, link), 40 + 10 * 85 / 6.);
    fluid_destroy(f);
}

static void a_flow_that_moves_takes_with_it_what_is_left(void **state)
{
    struct fluid *f = fluid_create();
    const unsigned fast = fluid_link_add(f, 80), slow = fluid_link_add(f, 8);

    (void)state;
    fluid_add(f, 0, fast, 100, INFINITY);
    fluid_add(f, 1, fast, FLUID_ENDLESS, INFINITY);
    fluid_advance(f, 4 * SECOND); /* 20 bytes each */
    fluid_move(f, 0, slow);
    is_about("rate", fluid_flow_rate_bps(f, 1), 80);
    fluid_advance(f, 14 * SECOND);
    fluid_move(f, 0, fast); /* 70 left at 5 a second */
    finishes(f, 0, 28, 100);
    is_about("fast", fluid_link_bytes(f, fast), 40 + 100 + 140);
    is_about("slow", fluid_link_bytes(f, slow), 10);
    is_about("endless", fluid_remove(f, 1), 20 + 100 + 70);
    fluid_destroy(f);
}

static void what_has_nothing_to_send_is_done_at_once(void **state)
{
    struct fluid *f = fluid_create();
    const unsigned link = fluid_link_add(f, 0);

    (void)state;
    fluid_add(f, 0, link, 0, INFINITY);
    finishes(f, 0, 0, 0);
    fluid_add(f, 1, link, 0, 0);
    finishes(f, 1, 0, 0);
    fluid_add(f, 2, link, 1, 0);
    fluid_link_set_rate(f, link, INFINITY);
    assert_true(fluid_next_finish(f, &(uint32_t){0}) == FLUID_NEVER);
    fluid_set_cap(f, 2, INFINITY);
    finishes(f, 2, 1e-9, 1);
    fluid_destroy(f);
}

/* ------------------------------------------------------------- against the general solver */

enum { LINKS = 4, FLOWS = 200 };

struct world {
    struct fluid *fluid;
    struct random_stream chance;
    double rates[LINKS];
    struct {
        uint32_t link; /* LINKS: there is no such flow */
        double cap, bytes, served;
    } flows[FLOWS];
    double carried[LINKS];
    int64_t now_ns;
};

static double drawn_cap(struct world *w)
{
    static const double caps[] = {INFINITY, 1e6, 3e6, 2.5e7};
    const uint64_t kind = random_below(&w->chance, 6);

    return kind < 4 ? caps[kind] : (double)(1 + random_below(&w->chance, 10000000));
}

static void end_flow(struct world *w, uint32_t i)
{
    const double served = fluid_remove(w->fluid, i);

    if (fabs(served - w->flows[i].served) > 1e-6 * fmax(1, served))
        fail_msg("#%u was served %.9g, by its rates %.9g", i, served, w->flows[i].served);
    w->flows[i].link = LINKS;
}

/* Something happens to some flow or link. */
static void happen(struct world *w)
{
    const uint32_t i = (uint32_t)random_below(&w->chance, FLOWS);
    const uint32_t link = (uint32_t)random_below(&w->chance, LINKS);

    if (random_below(&w->chance, 20) == 0) {
        w->rates[link] = (double)random_below(&w->chance, 100) * 1e6;
        fluid_link_set_rate(w->fluid, link, w->rates[link]);
    } else if (w->flows[i].link == LINKS) {
        const uint64_t bytes = 1 + random_below(&w->chance, 10000000);

        w->flows[i].cap = drawn_cap(w);
        w->flows[i].bytes = (double)bytes;
        w->flows[i].served = 0;
        w->flows[i].link = link;
        fluid_add(w->fluid, i, link, bytes, w->flows[i].cap);
    } else if (random_below(&w->chance, 3) == 0) {
        w->flows[i].cap = drawn_cap(w);
        fluid_set_cap(w->fluid, i, w->flows[i].cap);
    } else if (random_below(&w->chance, 2)) {
        w->flows[i].link = link;
        fluid_move(w->fluid, i, link);
    } else {
        end_flow(w, i);
    }
}

/* The rates that maxmin.h gives the flows of now. */
static void solve(const struct world *w, double rates[FLOWS])
{
    struct maxmin_flow flows[FLOWS];
    uint32_t number[FLOWS];
    double solved[FLOWS];
    size_t len = 0;

    for (uint32_t i = 0; i < FLOWS; i++)
        if (w->flows[i].link < LINKS) {
            number[len] = i;
            flows[len++] = (struct maxmin_flow){&w->flows[i].link, 1, 1, w->flows[i].cap};
        }
    maxmin_solve(w->rates, LINKS, flows, len, solved);
    for (size_t k = 0; k < len; k++)
        rates[number[k]] = solved[k];
}

/* Time goes on by these rates, or to the next finish if that comes first. */
static void pass(struct world *w, const double rates[FLOWS], int64_t ns)
{
    uint32_t done = 0;
    const int64_t finish = fluid_next_finish(w->fluid, &done);
    const bool ends = finish <= w->now_ns + ns;
    const int64_t to = ends ? finish : w->now_ns + ns;

    for (uint32_t i = 0; i < FLOWS; i++) {
        const double bytes = rates[i] / 8 * (double)(to - w->now_ns) / 1e9;

        if (w->flows[i].link == LINKS)
            continue;
        w->flows[i].served = fmin(w->flows[i].served + bytes, w->flows[i].bytes);
        w->carried[w->flows[i].link] += bytes;
    }
    w->now_ns = to;
    fluid_advance(w->fluid, to);
    if (!ends)
        return;
    if (w->flows[done].bytes - w->flows[done].served > .01)
        fail_msg("#%u ends with %g of %g bytes", done, w->flows[done].served,
                 w->flows[done].bytes);
    end_flow(w, done);
}

static void rates_and_bytes_are_those_of_the_general_solver(void **state)
{
    struct world w = {.fluid = fluid_create(), .chance = random_stream_make(1, 1)};

    (void)state;
    for (uint32_t l = 0; l < LINKS; l++)
        fluid_link_add(w.fluid, w.rates[l] = 5e7);
    for (uint32_t i = 0; i < FLOWS; i++)
        w.flows[i].link = LINKS;
    for (unsigned step = 0; step < 20000; step++) {
        double rates[FLOWS];

        happen(&w);
        solve(&w, rates);
        for (uint32_t i = 0; i < FLOWS; i++)
            if (w.flows[i].link < LINKS && fabs(fluid_flow_rate_bps(w.fluid, i) -
                                                rates[i]) > 1e-9 * fmax(1, rates[i]))
                fail_msg("step %u: #%u has %.12g, not %.12g", step, i,
                         fluid_flow_rate_bps(w.fluid, i), rates[i]);
        pass(&w, rates, (int64_t)random_below(&w.chance, 20000000));
    }
    for (unsigned l = 0; l < LINKS; l++)
        if (fabs(fluid_link_bytes(w.fluid, l) / w.carried[l] - 1) > 1e-6)
            fail_msg("link %u: %.9g, not %.9g", l, fluid_link_bytes(w.fluid, l),
                     w.carried[l]);
    fluid_destroy(w.fluid);
}

/* A group of 100,000 that changes sides at each step costs no more than one of two. */
static void many_flows_of_one_cap_change_sides_as_one(void **state)
{
    enum { MANY = 100000 };
    struct fluid *f = fluid_create();
    const unsigned link = fluid_link_add(f, 8.0 * MANY);

    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        fluid_add(f, i, link, 1000000, 8);
    for (unsigned round = 0; round < 200000; round++) {
        fluid_add(f, MANY, link, 1000, INFINITY);
        assert_true(fluid_flow_rate_bps(f, 0) < 8);
        fluid_remove(f, MANY);
        assert_true(fluid_flow_rate_bps(f, 0) >= 8 * (1 - 1e-12));
    }
    fluid_destroy(f);
}

/* ----------------------------------------------------------- closed forms of queueing theory */

enum law { FIXED, EXPONENTIAL, PARETO }; /* Pareto's exponent: 2.5 */

enum pick { BY_HASH, ROUND_ROBIN, SHORTEST };

enum { BATCHES = 50, LIVE_MAX = 4096 };

#define MEAN_BYTES 1e6 /* and links of 1e9 byte/s: a millisecond */

struct queue {
    enum law law;
    enum pick pick;
    unsigned links;
    double load;
    double cap;     /* as a part of the link; 0: none */
    bool slowdown;  /* each flow's time by its own size, or all by the mean size */
    unsigned batch; /* flows */
};

struct live {
    int64_t begun_ns;
    double bytes;
};

struct course {
    const struct queue *queue;
    struct fluid *fluid;
    struct random_stream times, sizes, picks;
    struct live *live;
    uint32_t *free;
    size_t free_len;
    unsigned turn;
    double arrival_ns;
    uint64_t done;
    double sums[BATCHES + 1]; /* the first warms up */
    double idle_ns;           /* of link 0, after warming up */
    int64_t now_ns, counted_ns;
};

static double uniform(struct random_stream *s)
{
    return ((double)(random_next(s) >> 11) + .5) * 0x1p-53;
}

static double drawn_bytes(struct course *c)
{
    switch (c->queue->law) {
    case FIXED: return MEAN_BYTES;
    case EXPONENTIAL: return -MEAN_BYTES * log(uniform(&c->sizes));
    case PARETO: return MEAN_BYTES * .6 * pow(uniform(&c->sizes), -1 / 2.5);
    }
    return 0;
}

static unsigned picked_link(struct course *c)
{
    unsigned best = 0;

    if (c->queue->pick == BY_HASH)
        return (unsigned)random_below(&c->picks, c->queue->links);
    if (c->queue->pick == ROUND_ROBIN)
        return c->turn++ % c->queue->links;
    for (unsigned i = 1, ties = 1; i < c->queue->links; i++) {
        const size_t flows = fluid_link_flows(c->fluid, i),
                     least = fluid_link_flows(c->fluid, best);

        ties = flows < least ? 1 : ties + (flows == least);
        if (flows < least || (flows == least && random_below(&c->picks, ties) == 0))
            best = i;
    }
    return best;
}

static void go_to(struct course *c, int64_t ns)
{
    if (c->done >= c->queue->batch && fluid_link_flows(c->fluid, 0) == 0)
        c->idle_ns += (double)(ns - c->now_ns);
    if (c->done >= c->queue->batch)
        c->counted_ns += ns - c->now_ns;
    c->now_ns = ns;
    fluid_advance(c->fluid, ns);
}

static void arrive(struct course *c)
{
    const double cap = c->queue->cap > 0 ? c->queue->cap * 8e9 : INFINITY;
    const double bytes = fmax(1, round(drawn_bytes(c)));
    uint32_t flow;

    assert_true(c->free_len > 0);
    go_to(c, llround(c->arrival_ns));
    flow = c->free[--c->free_len];
    c->live[flow] = (struct live){c->now_ns, bytes};
    fluid_add(c->fluid, flow, picked_link(c), (uint64_t)bytes, cap);
    c->arrival_ns -= 1e6 / (c->queue->load * c->queue->links) * log(uniform(&c->times));
}

static void finish(struct course *c, uint32_t flow, int64_t ns)
{
    const double took_ms = (double)(ns - c->live[flow].begun_ns) / 1e6;

    go_to(c, ns);
    fluid_remove(c->fluid, flow);
    c->free[c->free_len++] = flow;
    c->sums[c->done++ / c->queue->batch] +=
        c->queue->slowdown ? took_ms * MEAN_BYTES / c->live[flow].bytes : took_ms;
}

struct estimate {
    double mean, error; /* of the mean: its standard deviation */
    double idle;
};

static struct estimate run(const struct queue *q)
{
    struct course c = {.queue = q, .fluid = fluid_create()};
    struct estimate e = {0, 0, 0};

    c.times = random_stream_make(5, 1);
    c.sizes = random_stream_make(5, 2);
    c.picks = random_stream_make(5, 3);
    c.live = mem_alloc(LIVE_MAX, sizeof *c.live);
    c.free = mem_alloc(LIVE_MAX, sizeof *c.free);
    for (uint32_t i = 0; i < LIVE_MAX; i++)
        c.free[c.free_len++] = LIVE_MAX - 1 - i;
    for (unsigned l = 0; l < q->links; l++)
        fluid_link_add(c.fluid, 8e9);
    while (c.done < (uint64_t)q->batch * (BATCHES + 1)) {
        uint32_t flow = 0;
        const int64_t ns = fluid_next_finish(c.fluid, &flow);

        if (ns <= llround(c.arrival_ns))
            finish(&c, flow, ns);
        else
            arrive(&c);
    }
    for (unsigned b = 1; b <= BATCHES; b++)
        e.mean += c.sums[b] / q->batch / BATCHES;
    for (unsigned b = 1; b <= BATCHES; b++)
        e.error += pow(c.sums[b] / q->batch - e.mean, 2);
    e.error = sqrt(e.error / (BATCHES - 1) / BATCHES);
    e.idle = c.idle_ns / (double)c.counted_ns;
    fluid_destroy(c.fluid);
    mem_free(c.live);
    mem_free(c.free);
    return e;
}

/*
 * Within four standard deviations of the mean of the batches, which is within 4 x 2 % of the
 * value. M/G/1-PS: the mean slowdown is 1 / (1 - load) whatever the law of sizes. M/G/R-PS, caps
 * of 1/R of the link: times are longer than at the cap alone by 1 + C / (R (1 - load)), C the
 * probability of Erlang's that all R are taken (Lindberger). Round robin over n links, exponential
 * sizes: T = 1 / (1 - s), s = (n load / (n load + 1 - s))^n.
 */
static void flows_take_as_long_as_theory_has_it(void **state)
{
    static const struct {
        const char *what;
        struct queue queue;
        double expected;
    } rows[] = {
        {"fixed sizes, .5", {FIXED, BY_HASH, 1, .5, 0, true, 4000}, 2},
        {"fixed sizes, .8", {FIXED, BY_HASH, 1, .8, 0, true, 8000}, 5},
        {"fixed sizes, .9", {FIXED, BY_HASH, 1, .9, 0, true, 20000}, 10},
        {"exponential sizes, .5", {EXPONENTIAL, BY_HASH, 1, .5, 0, true, 4000}, 2},
        {"exponential sizes, .8", {EXPONENTIAL, BY_HASH, 1, .8, 0, true, 8000}, 5},
        {"exponential sizes, .9", {EXPONENTIAL, BY_HASH, 1, .9, 0, true, 20000}, 10},
        {"Pareto sizes, .5", {PARETO, BY_HASH, 1, .5, 0, true, 4000}, 2},
        {"Pareto sizes, .8", {PARETO, BY_HASH, 1, .8, 0, true, 10000}, 5},
        {"hash over three links, .8", {PARETO, BY_HASH, 3, .8, 0, true, 10000}, 5},
        {"caps of 1/2, .8",
         {EXPONENTIAL, BY_HASH, 1, .8, 1. / 2, false, 8000},
         2 * 2.7777778},
        {"caps of 1/5, .8",
         {EXPONENTIAL, BY_HASH, 1, .8, 1. / 5, false, 8000},
         5 * 1.5541},
        {"caps of 1/10, .8", {FIXED, BY_HASH, 1, .8, 1. / 10, false, 8000}, 10 * 1.2046},
        {"round robin over 2, .8",
         {EXPONENTIAL, ROUND_ROBIN, 2, .8, 0, false, 8000},
         3.8440},
        {"round robin over 4, .8",
         {EXPONENTIAL, ROUND_ROBIN, 4, .8, 0, false, 8000},
         3.2674},
        {"round robin over 8, .8",
         {EXPONENTIAL, ROUND_ROBIN, 8, .8, 0, false, 8000},
         2.9797},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct estimate e = run(&rows[i].queue);

        if (fabs(e.mean - rows[i].expected) > 4 * e.error ||
            e.error > .02 * rows[i].expected)
            fail_msg("%s: %.4f +- %.4f, not %.4f", rows[i].what, e.mean, e.error,
                     rows[i].expected);
        if (rows[i].queue.cap <= 0 && fabs(e.idle - (1 - rows[i].queue.load)) > .02)
            fail_msg("%s: idle %.4f of the time", rows[i].what, e.idle);
    }
}

/* Join the shortest queue has no closed form: published simulations, within 1.5 %. */
static void the_shortest_queue_beats_round_robin(void **state)
{
    static const struct {
        unsigned links;
        double expected;
    } rows[] = {{2, 2.947}, {4, 1.953}, {8, 1.462}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct queue q = {EXPONENTIAL, SHORTEST, rows[i].links, .8,
                                0,           false,    10000};
        const struct estimate e = run(&q);

        if (fabs(e.mean / rows[i].expected - 1) > .015)
            fail_msg("%u links: %.4f +- %.4f, not %.4f", rows[i].links, e.mean, e.error,
                     rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_share_a_link),
        cmocka_unit_test(what_a_cap_leaves_is_for_the_others),
        cmocka_unit_test(a_link_that_changes_its_rate_changes_who_is_held_back),
        cmocka_unit_test(a_flow_that_moves_takes_with_it_what_is_left),
        cmocka_unit_test(what_has_nothing_to_send_is_done_at_once),
        cmocka_unit_test(rates_and_bytes_are_those_of_the_general_solver),
        cmocka_unit_test(many_flows_of_one_cap_change_sides_as_one),
        cmocka_unit_test(flows_take_as_long_as_theory_has_it),
        cmocka_unit_test(the_shortest_queue_beats_round_robin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
