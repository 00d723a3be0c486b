#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "sim/observe/expect.h"
#include "tests/rig.h"

static const char host[] = "192.168.10.99", site[] = "198.51.100.1";

static struct scenario_wan planned[RIG_WANS];

static struct scenario_wan *plan(struct scenario *s)
{
    for (int i = 0; i < RIG_WANS; i++)
        planned[i] = s->wans[i];
    s->wans = planned;
    return planned;
}

static void with_rates(struct scenario *s)
{
    plan(s)[0].up_bps = 1000;
}

static void with_caps(struct scenario *s)
{
    plan(s)[0].cap_bytes = 250;
    planned[1].cap_bytes = 1000;
}

/* A quantile is the middle of its bucket. */
static void is_about(json_t *result, const char *pointer, double value)
{
    const double got = rig_number(result, pointer);

    if (fabs(got - value) > value / 256)
        fail_msg("%s: %g, not %g", pointer, got, value);
}

/* The first waits for nothing, the others for 1, 2 and 10 s: mean 13 / 4, ranks 2 and 4. */
static void waits_are_told_by_path_and_direction(void **state)
{
    static const double waits[] = {1, 2, 10};
    struct rig *r = rig_create(with_rates);
    struct conn *c = rig_begin(r, 1, PROTO_ICMP, host, site, 1);
    json_t *result;

    (void)state;
    rig_send(r, (struct step){.at = 1, .conn = c, .out = 1, .queues = QUEUE_UP});
    for (unsigned i = 0; i < 3; i++)
        rig_send(r, (struct step){.at = 2 + i,
                                  .conn = c,
                                  .out = 1,
                                  .queues = QUEUE_UP,
                                  .queued_up = waits[i]});
    rig_send(r, (struct step){.at = 5,
                              .conn = c,
                              .in = 2,
                              .direction = 1,
                              .queues = QUEUE_DOWN,
                              .queued_down = .5});
    rig_send(r, (struct step){.at = 6,
                              .conn = c,
                              .out = 1,
                              .fate = FATE_DROPPED,
                              .reason = REASON_QUEUE_FULL});
    result = rig_result(r, 10);
    rig_expect(result, "/paths/wan1/queue_seconds_up/packets", 4);
    rig_expect(result, "/paths/wan1/queue_seconds_up/mean", 3.25);
    is_about(result, "/paths/wan1/queue_seconds_up/p50", 1);
    is_about(result, "/paths/wan1/queue_seconds_up/p95", 10);
    is_about(result, "/paths/wan1/queue_seconds_up/p99", 10);
    rig_expect(result, "/paths/wan1/queue_seconds_up/max", 10);
    rig_expect(result, "/paths/wan1/drops/queue-full", 1);
    rig_expect(result, "/paths/wan2/queue_seconds_down/packets", 1);
    rig_expect(result, "/paths/wan2/queue_seconds_down/p50", .5);
    assert_null(expect_find(result, "/paths/wan1/queue_seconds_down"));
    assert_null(expect_find(result, "/paths/wan2/queue_seconds_up"));
    json_decref(result);
    rig_destroy(r);
}

/* Four packets of 100 bytes out by wan1 in 10 s are 320 bit/s. */
static void goodput_is_what_arrived_in_the_time_of_the_run(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    json_t *result;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        rig_send(r, (struct step){.at = 2, .conn = c, .out = 1});
    rig_send(r, (struct step){.at = 2, .conn = c, .in = 1, .direction = 1, .size = 1000});
    rig_send(r, (struct step){.at = 2,
                              .conn = c,
                              .out = 1,
                              .fate = FATE_DROPPED,
                              .reason = REASON_LINK_LOSS});
    result = rig_result(r, 10);
    rig_expect(result, "/paths/wan1/goodput_up", 320);
    rig_expect(result, "/paths/wan1/goodput_down", 800);
    rig_expect(result, "/paths/wan3/goodput_down", 0);
    assert_null(
        expect_find(result, "/completion_seconds")); /* no link that would take time */
    json_decref(result);
    rig_destroy(r);
}

static void a_flow_is_complete_when_its_last_packet_has_arrived(void **state)
{
    struct rig *r = rig_create(with_rates);
    struct conn *udp = rig_begin(r, 1, PROTO_UDP, host, site, 0),
                *tcp = rig_begin(r, 2, PROTO_TCP, host, site, 1),
                *ping = rig_begin(r, 3, PROTO_ICMP, host, site, 0);
    json_t *result;

    (void)state;
    rig_send(r,
             (struct step){.at = 4, .conn = udp, .in = 1, .direction = 1, .delay = .5});
    rig_send(r, (struct step){.at = 8,
                              .conn = udp,
                              .out = 1,
                              .fate = FATE_DROPPED,
                              .reason = REASON_LINK_LOSS}); /* never arrived */
    rig_send(r, (struct step){.at = 9, .conn = tcp, .out = 2});
    rig_send(r, (struct step){.at = 9, .conn = ping, .out = 1}); /* no such flow */
    result = rig_result(r, 10);
    rig_expect(result, "/paths/wan1/completion_seconds/flows", 1);
    rig_expect(result, "/paths/wan1/completion_seconds/mean", 3.5);
    rig_expect(result, "/paths/wan1/completion_seconds/max", 3.5);
    rig_expect(result, "/paths/wan2/completion_seconds/mean", 7);
    rig_expect(result, "/completion_seconds/flows", 2);
    rig_expect(result, "/completion_seconds/mean", 5.25);
    is_about(result, "/completion_seconds/p50", 3.5);
    json_decref(result);
    rig_destroy(r);
}

/* Packets of 100 bytes; the third of wan1 reaches 250. */
static void a_cap_is_used_both_ways_together(void **state)
{
    struct rig *r = rig_create(with_caps);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    json_t *result;

    (void)state;
    rig_send(r, (struct step){.at = 2, .conn = c, .in = 1, .direction = 1});
    rig_send(r, (struct step){.at = 3,
                              .conn = c,
                              .out = 1,
                              .fate = FATE_DROPPED,
                              .reason = REASON_QUEUE_FULL});
    rig_send(r, (struct step){.at = 4, .conn = c, .out = 2});
    rig_send(r, (struct step){.at = 5, .conn = c, .out = 1});
    rig_send(r, (struct step){.at = 6, .conn = c, .out = 1});
    result = rig_result(r, 10);
    rig_expect(result, "/paths/wan1/cap/bytes", 250);
    rig_expect(result, "/paths/wan1/cap/used_bytes", 400);
    rig_expect(result, "/paths/wan1/cap/left_bytes", 0);
    rig_expect(result, "/paths/wan1/cap/used_share", 1.6);
    rig_expect(result, "/paths/wan1/cap/reached_at", 5);
    rig_expect(result, "/paths/wan2/cap/used_bytes", 100);
    rig_expect(result, "/paths/wan2/cap/left_bytes", 900);
    assert_true(json_is_null(expect_find(result, "/paths/wan2/cap/reached_at")));
    assert_null(expect_find(result, "/paths/wan3/cap"));
    json_decref(result);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_told_by_path_and_direction),
        cmocka_unit_test(goodput_is_what_arrived_in_the_time_of_the_run),
        cmocka_unit_test(a_flow_is_complete_when_its_last_packet_has_arrived),
        cmocka_unit_test(a_cap_is_used_both_ways_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
