#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "sim/users/transfer.h"

#define MS(n) ((int64_t)((n)*1000000))

enum { SEGMENT = 1000, ROUND_MS = 20, LINE_MAX_PACKETS = 4096 };

/* A line of half a round trip each way; what `loses` names does not arrive. */
struct line {
    struct transfer t;
    int64_t now_ns;
    unsigned sent, timeouts; /* segments */
    bool (*loses)(void *context, unsigned nth);
    void *context;
};

static bool loses_none(void *context, unsigned nth)
{
    (void)context;
    (void)nth;
    return false;
}

/* One round: all that may be sent is, and its acknowledgements come back in order. */
static void run_round(struct line *l)
{
    static struct segment arrived[LINE_MAX_PACKETS];
    unsigned n = 0;
    struct segment s;

    while (transfer_next(&l->t, l->now_ns, &s)) {
        assert_true(n < LINE_MAX_PACKETS);
        if (!l->loses(l->context, l->sent++))
            arrived[n++] = s;
    }
    l->now_ns += MS(ROUND_MS);
    if (n == 0 && transfer_waits(&l->t)) {
        l->now_ns += l->t.rto.rto_ns;
        l->timeouts++;
        transfer_timed_out(&l->t);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        if (transfer_received(&l->t, &arrived[i])) {
            const struct acknowledgement a = transfer_acknowledgement(&l->t);

            l->t.unacknowledged = 0;
            transfer_acknowledged(&l->t, &a, true, l->now_ns);
        }
}

static void line_init(struct line *l, bool (*loses)(void *, unsigned), void *context)
{
    *l = (struct line){.loses = loses ? loses : loses_none, .context = context};
    transfer_init(&l->t, SEGMENT);
}

static void run_all(struct line *l, uint64_t bytes)
{
    transfer_add(&l->t, bytes);
    for (unsigned rounds = 0; l->t.una < l->t.end; rounds++) {
        if (rounds > 10000)
            fail_msg("stuck at %llu of %llu", (unsigned long long)l->t.una,
                     (unsigned long long)l->t.end);
        run_round(l);
    }
    assert_int_equal(l->t.got, l->t.end);
}

/* RFC 6928, then doubling: 10, 20, 40 segments: 70 in three rounds. */
static void ten_segments_go_first_and_each_round_twice_as_many(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, NULL, NULL);
    run_all(&l, 70 * SEGMENT);
    assert_int_equal(l.sent, 70);
    assert_int_equal(l.now_ns, MS(3 * ROUND_MS));
}

static bool loses_third(void *context, unsigned nth)
{
    (void)context;
    return nth == 2;
}

static void one_lost_segment_is_sent_once_more_and_nothing_else_is(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, loses_third, NULL);
    run_all(&l, 200 * SEGMENT);
    assert_int_equal(l.sent, 201);
    assert_int_equal(l.timeouts, 0);
}

/* Twenty of the forty that the third round sends. */
static bool loses_a_row(void *context, unsigned nth)
{
    (void)context;
    return nth >= 40 && nth < 60;
}

/* Of ten duplicates the third and those behind it let eight segments of the hole go, and their
 * acknowledgements as many, and the last four: three rounds more in place of twenty. */
static void a_row_of_losses_is_mended_in_a_few_rounds(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, loses_a_row, NULL);
    run_all(&l, 70 * SEGMENT);
    assert_int_equal(l.timeouts, 0);
    assert_int_equal(l.sent, 90);
    assert_int_equal(l.now_ns, MS(6 * ROUND_MS));
}

static bool loses_last_of_ten(void *context, unsigned nth)
{
    (void)context;
    return nth == 9;
}

/* No duplicates can come: only the clock tells. Every second segment is acknowledged, so that the
 * ninth goes once more too. */
static void a_lost_last_segment_costs_a_time_out(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, loses_last_of_ten, NULL);
    transfer_add(&l.t, 10 * SEGMENT);
    run_round(&l);
    assert_int_equal(l.t.una, 8 * SEGMENT);
    run_round(&l);
    assert_int_equal(l.timeouts, 1);
    run_round(&l);
    run_round(&l);
    assert_int_equal(l.t.una, 10 * SEGMENT);
    assert_int_equal(l.sent, 12);
}

/* The window is cut to half of what was on its way (RFC 5681, equation 4). */
static void loss_halves_the_window(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, loses_third, NULL);
    transfer_add(&l.t, 1000 * SEGMENT);
    run_round(&l);
    assert_true(l.t.threshold <= 6 * SEGMENT && l.t.threshold >= 4 * SEGMENT);
}

struct coin {
    struct random_stream stream;
    unsigned percent;
};

static bool loses_by_chance(void *context, unsigned nth)
{
    struct coin *c = context;

    (void)nth;
    return random_below(&c->stream, 100) < c->percent;
}

static void everything_arrives_whatever_is_lost(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 50; seed++) {
        struct coin coin = {random_stream_make(seed, 0), seed};
        struct line l;

        line_init(&l, loses_by_chance, &coin);
        run_all(&l, 300 * SEGMENT + seed);
        if (seed <= 5 && l.sent > 300 + 300 * seed / 20 + 40)
            fail_msg("at %u %% loss %u segments were sent for 301", seed, l.sent);
    }
}

static void an_acknowledgement_of_what_was_never_sent_is_nothing(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, NULL, NULL);
    transfer_add(&l.t, SEGMENT);
    transfer_acknowledged(&l.t, &(struct acknowledgement){.all = 5 * SEGMENT}, true, 0);
    assert_int_equal(l.t.una, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_segments_go_first_and_each_round_twice_as_many),
        cmocka_unit_test(one_lost_segment_is_sent_once_more_and_nothing_else_is),
        cmocka_unit_test(a_row_of_losses_is_mended_in_a_few_rounds),
        cmocka_unit_test(a_lost_last_segment_costs_a_time_out),
        cmocka_unit_test(loss_halves_the_window),
        cmocka_unit_test(everything_arrives_whatever_is_lost),
        cmocka_unit_test(an_acknowledgement_of_what_was_never_sent_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
