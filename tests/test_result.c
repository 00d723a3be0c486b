#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/observe/expect.h"
#include "tests/rig.h"

static const char host[] = "192.168.10.99", laptop[] = "192.168.10.50",
                  site[] = "198.51.100.1";

static void keys_are(const json_t *object, const char *what, const char *expected)
{
    char got[1024] = "";
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        strncat(got, key, sizeof got - strlen(got) - 2);
        strcat(got, " ");
    }
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s", what, got);
}

static void the_parts_stand_in_their_order(void **state)
{
    struct rig *r = rig_create(NULL);
    json_t *result = rig_result(r, 1);

    (void)state;
    keys_are(result, "the document",
             "format scenario run paths balance stickiness hosts events phases unrouted "
             "dropped "
             "checks series expect warnings ");
    rig_expect_text(result, "/format", "ecmplab-result/1");
    rig_expect_text(result, "/scenario/file", "by-hand.json");
    rig_expect_text(result, "/scenario/platform", "linux");
    rig_expect_text(result, "/scenario/fingerprint", "0000000000000000");
    keys_are(expect_find(result, "/balance/flows"), "no flow at all", "count ");
    keys_are(expect_find(result, "/paths"), "paths", "wan1 wan2 wan3 ");
    json_decref(result);
    rig_destroy(r);
}

static void with_rates(struct scenario *s)
{
    static struct scenario_wan wans[RIG_WANS];

    for (int i = 0; i < RIG_WANS; i++)
        wans[i] = s->wans[i];
    wans[0].up_bps = 1000;
    wans[0].down_bps = 0;
    wans[0].delay_ns = 8000000;
    s->wans = wans;
}

/* 100 bytes are 800 bits; 1000 bit/s for 10 s carry 10000. */
static void utilisation_is_there_only_with_a_rate(void **state)
{
    struct rig *r = rig_create(with_rates);
    json_t *result;

    (void)state;
    rig_begin(r, 1, PROTO_UDP, host, site, 0);
    r->wan_up_ns[0] = SECONDS(7);
    result = rig_result(r, 10);
    rig_expect(result, "/paths/wan1/utilisation_up", .08);
    rig_expect(result, "/paths/wan1/delay_seconds", .008);
    rig_expect(result, "/paths/wan1/time_up_seconds", 7);
    assert_null(expect_find(result, "/paths/wan1/utilisation_down"));
    assert_null(expect_find(result, "/paths/wan2/utilisation_up"));
    assert_null(expect_find(result, "/paths/wan2/delay_seconds"));
    json_decref(result);
    rig_destroy(r);
}

/*
 * 1200 flows, 500, 400 and 300 to the three WANs where 400 each were promised: x = 1.25,
 * 1, .75; X2 = (100^2 + 0 + 100^2) / 400 = 50, and with two degrees of freedom p =
 * exp(-25), but for the finite number of flows (its variance is less than chi-square's
 * by 4 / 1200, a thousandth of it).
 */
static void balance_is_of_the_flows_that_had_a_choice(void **state)
{
    struct rig *r = rig_create(NULL);
    json_t *result;

    (void)state;
    for (int i = 0; i < 1200; i++)
        rig_begin(r, 1, PROTO_UDP, host, site, i < 500 ? 0 : i < 900 ? 1 : 2);
    r->group->hops[0].up = r->group->hops[1].up = false;
    nexthop_group_rebalance(r->group);
    for (int i = 0; i < 800; i++) /* these had none */
        rig_begin(r, 2, PROTO_UDP, host, site, 2);
    result = rig_result(r, 10);
    rig_expect(result, "/balance/flows/count", 1200);
    rig_expect(result, "/balance/flows/max_over_mean", 1.25);
    rig_expect(result, "/balance/flows/jain", 9 / (3 * (1.5625 + 1 + .5625)));
    rig_expect(result, "/balance/flows/flows_needed", 1800);
    assert_true(fabs(log(rig_number(result, "/balance/flows/p_value")) + 25) < .1);
    rig_expect_text(result, "/balance/flows/verdict", "uneven");
    rig_expect(result, "/balance/bytes/count", 120000);
    rig_expect(result, "/balance/bytes/effective_flows", 1200);
    assert_true(fabs(log(rig_number(result, "/balance/bytes/p_value")) + 25) < .1);
    rig_expect(result, "/paths/wan3/flows", 1100);
    rig_expect(result, "/paths/wan3/promised_share", (400.0 + 800) / 2000);
    rig_expect(result, "/paths/wan1/promised_share", 400.0 / 2000);
    json_decref(result);
    rig_destroy(r);
}

/* Twelve flows of one hash fell once: no split of theirs is uneven. One more, of another
 * hash, is as good as a second choice: 13^2 / (12^2 + 1) = 1.1655. */
static void flows_of_one_hash_are_one_choice(void **state)
{
    struct rig *r = rig_create(NULL);
    json_t *result;

    (void)state;
    r->hashed = true;
    for (int i = 0; i < 12; i++)
        rig_begin(r, 1, PROTO_UDP, host, site, 0);
    r->hashed = false;
    rig_begin(r, 1, PROTO_UDP, host, site, 1);
    result = rig_result(r, 10);
    rig_expect(result, "/balance/flows/count", 13);
    rig_expect(result, "/balance/flows/effective_flows", 169.0 / 145);
    rig_expect(result, "/balance/bytes/effective_flows", 169.0 / 145);
    rig_expect_text(result, "/balance/flows/verdict", "too-few-flows");
    json_decref(result);
    rig_destroy(r);
}

static void mark_connections(struct scenario *s)
{
    static const struct config_policy policy = {.name = "connection-mark"};

    s->router.policies = &policy;
    s->router.policies_len = 1;
}

static void keep_buckets(struct scenario *s)
{
    static struct config_policy policy;

    policy = config_policy_defaults("resilient");
    s->router.policies = &policy;
    s->router.policies_len = 1;
}

static void draw_for_connections(struct scenario *s)
{
    static const struct config_policy policy = {.name = "random-flow"};

    s->router.policies = &policy;
    s->router.policies_len = 1;
}

/* A mark keeps a connection where its hash has put it, and one hash is of one bucket; a draw knows
 * no hash. */
static void flows_of_one_hash_are_one_choice_where_they_begin_by_it(void **state)
{
    static const struct {
        void (*change)(struct scenario *s);
        double effective;
    } rows[] = {{mark_connections, 169.0 / 145},
                {keep_buckets, 169.0 / 145},
                {draw_for_connections, 13}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(rows[i].change);
        json_t *result;

        r->hashed = true;
        for (int k = 0; k < 12; k++)
            rig_begin(r, 1, PROTO_UDP, host, site, 0);
        r->hashed = false;
        rig_begin(r, 1, PROTO_UDP, host, site, 1);
        result = rig_result(r, 10);
        rig_expect(result, "/balance/flows/effective_flows", rows[i].effective);
        json_decref(result);
        rig_destroy(r);
    }
}

/* Two flows, of 300 and of 100 bytes. */
static void the_largest_flows_are_named(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 1);
    json_t *result;

    (void)state;
    rig_begin(r, 1, PROTO_TCP, host, site, 0);
    rig_send(r, (struct step){.at = 2, .conn = c, .out = 2, .size = 200});
    result = rig_result(r, 10);
    rig_expect_text(result, "/balance/elephants/0/flow",
                    "udp 192.168.10.99:40000 > 198.51.100.1:443");
    rig_expect_text(result, "/balance/elephants/0/path", "wan2");
    rig_expect(result, "/balance/elephants/0/bytes", 300);
    rig_expect(result, "/balance/elephants/0/bytes_share", 0.75);
    rig_expect_text(result, "/balance/elephants/1/flow",
                    "tcp 192.168.10.99:40001 > 198.51.100.1:443");
    assert_null(expect_find(result, "/balance/elephants/2"));
    json_decref(result);
    rig_destroy(r);
}

/*
 * An outage of wan1 from 10 to 20 s, seen at once. The laptop's flow moves at 11 s; a
 * flow each begins in every phase.
 */
static json_t *phases(struct rig *r)
{
    const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 0, 10, 10);
    struct conn *c;

    c = rig_begin(r, 5, PROTO_UDP, laptop, site, 0);
    rig_event(r, e, true, 10);
    rig_change(r, CHANGE_LOSS, 0, e, 10);
    r->group->hops[0].up = false;
    nexthop_group_rebalance(r->group);
    rig_send(r, (struct step){.at = 11,
                              .conn = c,
                              .out = 2,
                              .size = 300,
                              .flags = DECISION_REVIVED | DECISION_ROUTED});
    rig_begin(r, 12, PROTO_UDP, host, site, 2);
    rig_event(r, e, false, 20);
    rig_change(r, CHANGE_RETURN, 0, e, 20);
    r->group->hops[0].up = true;
    nexthop_group_rebalance(r->group);
    rig_begin(r, 25, PROTO_UDP, host, site, 0);
    return rig_result(r, 30);
}

/* Before the router knows one flow stalls; when it switches that one breaks and another is
 * rehomed; with the return a third moves back. */
static void an_events_steps_tell_what_each_did(void **state)
{
    static const struct {
        const char *pointer;
        double value;
    } rows[] = {
        {"/events/0/failover_seconds", 5},
        {"/events/0/steps/unnoticed/stalled", 1},
        {"/events/0/steps/unnoticed/rehomed", 0},
        {"/events/0/steps/unnoticed/moves", 0},
        {"/events/0/steps/switched/rehomed", 1},
        {"/events/0/steps/switched/stalled", 0},
        {"/events/0/steps/switched/moves", 1},
        {"/events/0/steps/over/rehomed", 1},
        {"/events/0/steps/over/moves", 1},
    };
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 0, 10, 10);
    struct conn *stays, *moves, *later;
    json_t *result;

    (void)state;
    stays = rig_begin(r, 5, PROTO_UDP, laptop, site, 0);
    moves = rig_begin(r, 6, PROTO_UDP, host, site, 0);
    rig_event(r, e, true, 10);
    rig_send(r, (struct step){.at = 11,
                              .conn = stays,
                              .out = 1,
                              .size = 100,
                              .fate = FATE_DROPPED,
                              .reason = REASON_LINK_DOWN});
    rig_change(r, CHANGE_LOSS, 0, e, 15);
    rig_send(r, (struct step){.at = 16,
                              .conn = moves,
                              .out = 2,
                              .size = 100,
                              .flags = DECISION_REVIVED | DECISION_ROUTED});
    later = rig_begin(r, 17, PROTO_UDP, host, site, 1);
    rig_event(r, e, false, 20);
    rig_change(r, CHANGE_RETURN, 0, e, 21);
    rig_send(r, (struct step){.at = 25,
                              .conn = later,
                              .out = 1,
                              .size = 100,
                              .flags = DECISION_REVIVED | DECISION_ROUTED});
    result = rig_result(r, 30);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        rig_expect(result, rows[i].pointer, rows[i].value);
    json_decref(result);
    rig_destroy(r);
}

static void phases_are_differences(void **state)
{
    static const struct {
        const char *pointer;
        double before, during, after;
    } rows[] = {
        {"from", 0, 10, 20},
        {"to", 10, 20, 30},
        {"paths/wan1/packets_up", 1, 0, 1},
        {"paths/wan2/packets_up", 0, 1, 0},
        {"paths/wan2/bytes_up", 0, 300, 0},
        {"paths/wan3/flows", 0, 1, 0},
        {"paths/wan1/promised_share", 1.0 / 3, 0, 1.0 / 3},
        {"paths/wan3/promised_share", 1.0 / 3, 1.0 / 2, 1.0 / 3},
        {"paths/wan3/promised_bytes_share", 1.0 / 3, 1.0 / 2, 1.0 / 3},
        {"balance/flows/count", 1, 1, 1},
        {"balance/bytes/count", 100, 400, 100},
        {"stickiness/flows", 1, 1, 1},
        {"stickiness/moves", 0, 1, 0},
        {"stickiness/forced", 0, 1, 0},
        {"stickiness/rehomed", 0, 1, 0},
        {"hosts/laptop/public_address_changes", 0, 1, 0},
        {"hosts/laptop/live_address_changes", 0, 1, 0},
        {"hosts/laptop/broken", 0, 0, 0},
    };
    struct rig *r = rig_create(NULL);
    json_t *result = phases(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const double expected[] = {rows[i].before, rows[i].during, rows[i].after};
        static const char *const names[] = {"before", "during", "after"};

        for (int k = 0; k < 3; k++) {
            char pointer[128];

            snprintf(pointer, sizeof pointer, "/phases/outage/%s/%s", names[k],
                     rows[i].pointer);
            rig_expect(result, pointer, expected[k]);
        }
    }
    json_decref(result);
    rig_destroy(r);
}

static void an_event_without_end_has_no_phase_after_it(void **state)
{
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, "for good", EVENT_LINK_DOWN, 0, 10, -1);
    json_t *result;

    (void)state;
    rig_event(r, e, true, 10);
    result = rig_result(r, 30);
    keys_are(expect_find(result, "/phases/for good"), "phases", "before during ");
    rig_expect(result, "/phases/for good/during/to", 30);
    json_decref(result);
    rig_destroy(r);
}

static void the_same_run_gives_the_same_bytes(void **state)
{
    char *texts[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rig *r = rig_create(NULL);
        json_t *result = phases(r);

        texts[i] = json_dumps(result, JSON_INDENT(1));
        json_decref(result);
        rig_destroy(r);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static void the_series_runs_to_the_end_of_the_run(void **state)
{
    struct rig *r = rig_create(NULL);
    json_t *result;

    (void)state;
    rig_begin(r, 2.5, PROTO_UDP, host, site, 1);
    result = rig_result(r, 10);
    rig_expect(result, "/series/interval_seconds", 1);
    rig_expect(result, "/series/start_seconds", 0);
    assert_int_equal(json_array_size(expect_find(result, "/series/paths/wan2/bytes_up")),
                     10);
    rig_expect(result, "/series/paths/wan2/bytes_up/2", 100);
    rig_expect(result, "/series/paths/wan2/bytes_up/3", 0);
    rig_expect(result, "/series/paths/wan2/packets_lost/2", 0);
    json_decref(result);
    rig_destroy(r);
}

static void a_warning_is_said_once(void **state)
{
    struct rig *r = rig_create(NULL);
    json_t *result;

    (void)state;
    rig_begin(r, 1, PROTO_UDP, host, site, 0);
    metrics_warn(r->metrics, "one");
    metrics_warn(r->metrics, "two");
    metrics_warn(r->metrics, "one");
    result = rig_result(r, 2);
    assert_int_equal(json_array_size(expect_find(result, "/warnings")), 2);
    rig_expect_text(result, "/warnings/1", "two");
    json_decref(result);
    rig_destroy(r);
}

static void without_wans(struct scenario *s)
{
    s->wans_len = 0;
    s->hosts_len = 0;
    s->lan_len = 0;
}

static void a_scenario_without_wans_or_traffic_has_a_result(void **state)
{
    struct rig *r = rig_create(without_wans);
    json_t *result = rig_result(r, 0);

    (void)state;
    rig_expect(result, "/run/packets", 0);
    assert_true(json_is_true(expect_find(result, "/run/balanced")));
    json_decref(result);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_stand_in_their_order),
        cmocka_unit_test(utilisation_is_there_only_with_a_rate),
        cmocka_unit_test(balance_is_of_the_flows_that_had_a_choice),
        cmocka_unit_test(flows_of_one_hash_are_one_choice),
        cmocka_unit_test(flows_of_one_hash_are_one_choice_where_they_begin_by_it),
        cmocka_unit_test(the_largest_flows_are_named),
        cmocka_unit_test(an_events_steps_tell_what_each_did),
        cmocka_unit_test(phases_are_differences),
        cmocka_unit_test(an_event_without_end_has_no_phase_after_it),
        cmocka_unit_test(the_same_run_gives_the_same_bytes),
        cmocka_unit_test(the_series_runs_to_the_end_of_the_run),
        cmocka_unit_test(a_warning_is_said_once),
        cmocka_unit_test(a_scenario_without_wans_or_traffic_has_a_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
