#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/observe/expect.h"
#include "tests/rig.h"

static const char host[] = "192.168.10.99", laptop[] = "192.168.10.50",
                  site[] = "198.51.100.1";

static struct step up(struct conn *c, double at, int wan)
{
    return (struct step){.at = at, .conn = c, .out = wan + 1};
}

static struct step down(struct conn *c, double at, int wan)
{
    return (struct step){.at = at, .conn = c, .in = wan + 1, .direction = 1};
}

static struct step lost(struct step s, enum reason reason)
{
    s.fate = FATE_DROPPED;
    s.reason = (uint8_t)reason;
    return s;
}

/* 100 + 200 up and 1000 down by wan1, 100 up by wan2. */
static void packets_and_bytes_are_counted_both_ways(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s = up(c, 2, 0);
    json_t *result;

    (void)state;
    s.size = 200;
    rig_send(r, s);
    s = down(c, 3, 0);
    s.size = 1000;
    rig_send(r, s);
    rig_begin(r, 4, PROTO_UDP, host, site, 1);
    result = rig_result(r, 10);
    rig_expect(result, "/run/packets", 4);
    rig_expect(result, "/run/bytes", 1400 + 4 * 14);
    rig_expect(result, "/run/flows", 2);
    rig_expect(result, "/run/delivered", 4);
    rig_expect(result, "/run/simulated_seconds", 10);
    rig_expect(result, "/paths/wan1/packets_up", 2);
    rig_expect(result, "/paths/wan1/bytes_up", 300);
    rig_expect(result, "/paths/wan1/packets_down", 1);
    rig_expect(result, "/paths/wan1/bytes_down", 1000);
    rig_expect(result, "/paths/wan2/bytes_up", 100);
    rig_expect(result, "/paths/wan1/bytes_share", 1300.0 / 1400);
    rig_expect(result, "/paths/wan1/flows_share", .5);
    rig_expect(result, "/paths/wan3/promised_share", 1.0 / 3);
    rig_expect(result, "/paths/wan3/promised_bytes_share", 1.0 / 3);
    assert_true(json_is_true(expect_find(result, "/run/balanced")));
    assert_int_equal(json_array_size(expect_find(result, "/warnings")), 0);
    json_decref(result);
    rig_destroy(r);
}

static void every_fate_has_its_count_and_the_sum_is_the_packets(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s = {
        .at = 2, .fate = FATE_UNROUTED, .reason = REASON_NOT_IP, .undecided = true};
    json_t *result;

    (void)state;
    rig_send(r, s);
    s.reason = REASON_SAME_SEGMENT;
    rig_send(r, s);
    rig_send(r, s);
    s = (struct step){.at = 3, .fate = FATE_LOCAL, .in = 2};
    rig_send(r, s);
    rig_send(r, lost(up(c, 4, 0), REASON_LINK_DOWN));
    s = (struct step){.at = 5,
                      .fate = FATE_DROPPED,
                      .reason = REASON_NO_ROUTE,
                      .dropped_by_router = true};
    rig_send(r, s);
    result = rig_result(r, 10);
    rig_expect(result, "/run/packets", 7);
    rig_expect(result, "/run/delivered", 1);
    rig_expect(result, "/run/local", 1);
    rig_expect(result, "/run/dropped", 2);
    rig_expect(result, "/run/unrouted", 3);
    rig_expect(result, "/unrouted/not-ip", 1);
    rig_expect(result, "/unrouted/same-segment", 2);
    rig_expect(result, "/dropped/link-down", 1);
    rig_expect(result, "/dropped/no-route", 1);
    rig_expect(result, "/paths/wan1/drops/link-down", 1);
    rig_expect(result, "/paths/wan1/dropped_packets", 1);
    rig_expect(result, "/paths/wan1/dropped_bytes", 100);
    rig_expect(result, "/paths/wan1/packets_up", 1);
    rig_expect(result, "/paths/wan2/packets_down", 1);
    assert_true(json_is_true(expect_find(result, "/run/balanced")));
    json_decref(result);
    rig_destroy(r);
}

/* Six fragments: two and their last one pass, one dies waiting, one is rejected with
 * another that waited, and the run ends over one. */
static void fragments_share_the_fate_of_their_datagram(void **state)
{
    struct rig *r = rig_create(NULL);
    struct step held = {.at = 1, .fate = FATE_HELD, .reason = REASON_FRAGMENT_HELD};
    struct step whole = {.at = 2, .out = 1, .held = 2, .nat = "100.64.1.2"};
    struct step rejected = {.at = 5,
                            .fate = FATE_DROPPED,
                            .reason = REASON_FRAGMENT_REJECTED,
                            .dropped_by_router = true,
                            .held = 1};
    json_t *result;

    (void)state;
    rig_send(r, held);
    rig_send(r, held);
    rig_send(r, whole);
    held.at = 3;
    rig_send(r, held);
    held.at = 4;
    held.held = 1; /* the one before it died meanwhile */
    rig_send(r, held);
    rig_send(r, rejected);
    held.held = 0;
    rig_send(r, held);
    r->observer.fragments_dropped(r->observer.context, SECONDS(9), 1, 100);
    result = rig_result(r, 10);
    rig_expect(result, "/run/packets", 7);
    rig_expect(result, "/run/delivered", 3);
    rig_expect(result, "/run/dropped", 4);
    rig_expect(result, "/dropped/fragment-timeout", 2);
    rig_expect(result, "/dropped/fragment-rejected", 2);
    rig_expect(result, "/paths/wan1/packets_up", 3);
    assert_true(json_is_true(expect_find(result, "/run/balanced")));
    json_decref(result);
    rig_destroy(r);
}

static void a_packet_that_was_counted_nowhere_is_told(void **state)
{
    struct rig *r = rig_create(NULL);
    struct step held = {.at = 1, .fate = FATE_HELD, .reason = REASON_FRAGMENT_HELD};
    json_t *result;

    (void)state;
    rig_send(r, held);
    result = rig_result(r, 10);
    assert_true(json_is_false(expect_find(result, "/run/balanced")));
    assert_int_equal(json_array_size(expect_find(result, "/warnings")), 1);
    json_decref(result);
    rig_destroy(r);
}

/* The request that an answer implies makes a flow, and is no packet. */
static void an_assumed_request_is_no_packet(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s = up(c, 2, 0);
    json_t *result;

    (void)state;
    s.fate = FATE_ASSUMED;
    rig_send(r, s);
    r->packets--;
    result = rig_result(r, 10);
    rig_expect(result, "/run/packets", 1);
    rig_expect(result, "/paths/wan1/packets_up", 1);
    rig_expect(result, "/paths/wan1/flows", 1);
    assert_true(json_is_true(expect_find(result, "/run/balanced")));
    json_decref(result);
    rig_destroy(r);
}

/* Three events overlap on wan1; each packet is lost to the latest of its kind that
 * lasts. */
static void lost_packets_belong_to_one_event(void **state)
{
    struct rig *r = rig_create(NULL);
    const int link = rig_plan(r, "link", EVENT_LINK_DOWN, 0, 10, 30);
    const int hole = rig_plan(r, "hole", EVENT_BLACKHOLE, 0, 20, 10);
    const int again = rig_plan(r, "again", EVENT_LINK_DOWN, 0, 25, 1);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    json_t *result;

    (void)state;
    rig_send(r, lost(up(c, 5, 0), REASON_LINK_DOWN)); /* to no event */
    rig_event(r, link, true, 10);
    rig_send(r, lost(up(c, 11, 0), REASON_LINK_DOWN));
    rig_event(r, hole, true, 20);
    rig_send(r, lost(up(c, 21, 0), REASON_LINK_DOWN));
    rig_send(r, lost(up(c, 22, 0), REASON_BLACKHOLED));
    rig_event(r, again, true, 25);
    rig_send(r, lost(up(c, 26, 0), REASON_LINK_DOWN));
    rig_event(r, again, false, 26);
    rig_send(r, lost(up(c, 27, 0), REASON_LINK_DOWN));
    rig_send(r, lost(down(c, 28, 0), REASON_LINK_DOWN));
    rig_send(r, lost(up(c, 29, 1), REASON_LINK_DOWN)); /* by another WAN */
    rig_event(r, hole, false, 30);
    rig_send(r, lost(up(c, 31, 0), REASON_BLACKHOLED)); /* nothing else is open */
    result = rig_result(r, 50);
    rig_expect(result, "/events/link/packets_lost", 5);
    rig_expect(result, "/events/link/bytes_lost", 500);
    rig_expect(result, "/events/hole/packets_lost", 1);
    rig_expect(result, "/events/again/packets_lost", 1);
    rig_expect(result, "/paths/wan1/dropped_packets", 8);
    rig_expect(result, "/paths/wan2/dropped_packets", 1);
    json_decref(result);
    rig_destroy(r);
}

/* A flap began later than a link-down and than a dead gateway: its up phases kill nothing. */
static void a_flap_kills_in_its_outages_alone(void **state)
{
    struct rig *r = rig_create(NULL);
    const int link = rig_plan(r, "link", EVENT_LINK_DOWN, 0, 10, 30);
    const int flap = rig_plan(r, "flap", EVENT_FLAP, 0, 20, 10);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    json_t *result;

    (void)state;
    rig_event(r, link, true, 10);
    rig_send(r, lost(up(c, 11, 0), REASON_LINK_DOWN));
    rig_event(r, flap, true, 20);
    rig_outage(r, flap, true, 20);
    rig_send(r, lost(up(c, 21, 0), REASON_LINK_DOWN));
    rig_outage(r, flap, false, 22);
    rig_send(r, lost(up(c, 23, 0), REASON_LINK_DOWN));
    rig_send(r, lost(down(c, 23, 0), REASON_LINK_DOWN));
    rig_outage(r, flap, true, 24);
    rig_send(r, lost(up(c, 25, 0), REASON_LINK_DOWN));
    rig_outage(r, flap, false, 26);
    rig_event(r, flap, false, 26);
    rig_send(r, lost(up(c, 27, 0), REASON_LINK_DOWN));
    result = rig_result(r, 50);
    rig_expect(result, "/events/link/packets_lost", 4);
    rig_expect(result, "/events/flap/packets_lost", 2);
    rig_expect(result, "/events/flap/drops/link-down", 2);
    json_decref(result);
    rig_destroy(r);
}

/* The window ends with the router's answer at 14 s; without one with the cause, or the
 * run. */
static void the_blackhole_window_ends_with_what_comes_first(void **state)
{
    static const struct {
        const char *when;
        bool effective, ended;
        double seconds;
    } rows[] = {
        {"the routes changed", true, true, 4},
        {"the cause ended", false, true, 10},
        {"neither", false, false, 40},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(NULL);
        const int e = rig_plan(r, "outage", EVENT_GATEWAY_DOWN, 0, 10, 10);
        json_t *result;

        rig_event(r, e, true, 10);
        if (rows[i].effective)
            rig_change(r, CHANGE_LOSS, 0, e, 14);
        if (rows[i].ended)
            rig_event(r, e, false, 20);
        result = rig_result(r, 50);
        rig_expect(result, "/events/outage/blackhole_seconds", rows[i].seconds);
        json_decref(result);
        rig_destroy(r);
    }
}

/* After the first packet nothing is decided anew: the flow is watched because it
 * leaks. */
static void every_leaking_packet_is_counted(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s = up(c, 2, 1);
    json_t *result;

    (void)state;
    s.nat = "100.64.1.2";
    s.flags = DECISION_ROUTED;
    rig_send(r, s);
    s.flags = 0;
    rig_send(r, s);
    rig_send(r, s);
    assert_true(c->cookie & FLOW_WATCHED);
    rig_send(r, lost(s, REASON_LINK_DOWN)); /* did not leave */
    s.nat = "100.64.2.2";
    s.flags = DECISION_ROUTED;
    rig_send(r, s);
    assert_false(c->cookie & FLOW_WATCHED);
    s = (struct step){.at = 9,
                      .out = 3,
                      .flags = DECISION_INVALID | DECISION_ROUTED,
                      .dst = "192.168.10.9"};
    rig_send(r, s);
    result = rig_result(r, 10);
    rig_expect(result, "/paths/wan2/foreign_sources", 3);
    rig_expect(result, "/paths/wan3/untranslated", 1);
    rig_expect(result, "/paths/wan3/inside_leaks", 1);
    rig_expect(result, "/checks/foreign_sources", 3);
    rig_expect(result, "/checks/untranslated", 1);
    rig_expect(result, "/checks/inside_leaks", 1);
    json_decref(result);
    rig_destroy(r);
}

/* The laptop: wan1, lost from 10 to 14 s, then wan2 within the connection. */
static void a_named_host_is_followed_packet_by_packet(void **state)
{
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, NULL, EVENT_LINK_DOWN, 0, 10, -1);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, laptop, site, 0);
    struct step s;
    json_t *result;

    (void)state;
    assert_true(c->cookie & FLOW_WATCHED);
    rig_send(r, down(c, 2, 0));
    rig_event(r, e, true, 10);
    rig_send(r, lost(up(c, 10, 0), REASON_LINK_DOWN));
    rig_send(r, lost(up(c, 11, 0), REASON_LINK_DOWN));
    rig_change(r, CHANGE_LOSS, 0, e, 12);
    s = lost(up(c, 12, 1), REASON_NAT_MOVED);
    s.flags = DECISION_KILLED | DECISION_ROUTED;
    rig_send(r, s);
    s = up(c, 14, 1);
    s.flags = DECISION_REVIVED | DECISION_ROUTED;
    rig_send(r, s);
    result = rig_result(r, 20);
    rig_expect(result, "/hosts/laptop/flows", 1);
    rig_expect(result, "/hosts/laptop/packets_up", 2);
    rig_expect(result, "/hosts/laptop/packets_down", 1);
    rig_expect_text(result, "/hosts/laptop/public_addresses/0", "100.64.1.2");
    rig_expect_text(result, "/hosts/laptop/public_addresses/1", "100.64.2.2");
    rig_expect(result, "/hosts/laptop/public_address_changes", 1);
    rig_expect(result, "/hosts/laptop/site_address_changes", 1);
    rig_expect(result, "/hosts/laptop/live_address_changes", 1);
    rig_expect(result, "/hosts/laptop/addresses_at_once", 1);
    rig_expect(result, "/hosts/laptop/outage_seconds", 4);
    rig_expect(result, "/hosts/laptop/rehomed", 1);
    rig_expect(result, "/hosts/laptop/stalled", 0);
    rig_expect(result, "/hosts/laptop/timeline/1/at", 14);
    rig_expect_text(result, "/hosts/laptop/timeline/1/kind", "live connection");
    rig_expect_text(result, "/hosts/laptop/timeline/1/wan", "wan2");
    rig_expect(result, "/hosts/phone/flows", 0);
    json_decref(result);
    rig_destroy(r);
}

static void untranslated_packets_show_no_public_address(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, laptop, site, 0);
    struct step s = up(c, 2, 1);
    json_t *result;

    (void)state;
    s.nat = laptop;
    s.flags = DECISION_ROUTED;
    rig_send(r, s);
    result = rig_result(r, 20);
    rig_expect(result, "/hosts/laptop/packets_up", 2);
    rig_expect(result, "/hosts/laptop/public_address_changes", 0);
    json_decref(result);
    rig_destroy(r);
}

static uint64_t fingerprint_of(const char *nat, enum reason reason)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s = up(c, 2, 0);
    uint64_t got;

    s.nat = nat;
    s.reason = (uint8_t)reason;
    rig_send(r, s);
    got = r->metrics->fingerprint;
    rig_destroy(r);
    return got;
}

static void the_fingerprint_is_of_every_decision(void **state)
{
    const uint64_t one = fingerprint_of("100.64.1.2", REASON_NONE);

    (void)state;
    assert_true(one == fingerprint_of("100.64.1.2", REASON_NONE));
    assert_true(one != fingerprint_of("100.64.1.3", REASON_NONE));
    assert_true(one != fingerprint_of("100.64.1.2", REASON_INVALID));
}

static void records_follow_the_connections_that_live(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn_table *t = router_conns(r->lab->router);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct conn *c = rig_begin(r, i, PROTO_UDP, host, site, i % 3);

        r->observer.conn_ended(r->observer.context, c);
        conn_remove(t, c);
    }
    assert_int_equal(r->metrics->flows.len, 1);
    assert_int_equal(r->metrics->stick.flows, 5000);
    rig_destroy(r);
}

/* A flow that ends is closed once, also when the run ends on it. */
static void living_flows_are_closed_once(void **state)
{
    struct rig *r = rig_create(NULL);

    (void)state;
    rig_begin(r, 1, PROTO_UDP, host, site, 0);
    metrics_finish(r->metrics, SECONDS(9));
    metrics_finish(r->metrics, SECONDS(9));
    assert_int_equal(r->metrics->choice_bytes, 100);
    assert_int_equal(r->metrics->flows.live, 0);
    rig_destroy(r);
}

static void events_that_are_not_known_are_of_no_event(void **state)
{
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, "later", EVENT_LINK_DOWN, 0, 90, -1);
    json_t *result;

    (void)state;
    rig_change(r, CHANGE_LOSS, 0, 77, 1);
    rig_change(r, CHANGE_LOSS, 55, -1, 1);
    r->observer.changed(r->observer.context,
                        &(struct change){.kind = CHANGE_LOSS, .event = e});
    result = rig_result(r, 9);
    assert_true(json_is_null(expect_find(result, "/events/later/at")));
    rig_expect(result, "/events/later/flows_alive", 0);
    assert_null(expect_find(result, "/events/later/blackhole_seconds"));
    assert_null(expect_find(result, "/phases/later"));
    json_decref(result);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_and_bytes_are_counted_both_ways),
        cmocka_unit_test(every_fate_has_its_count_and_the_sum_is_the_packets),
        cmocka_unit_test(fragments_share_the_fate_of_their_datagram),
        cmocka_unit_test(a_packet_that_was_counted_nowhere_is_told),
        cmocka_unit_test(an_assumed_request_is_no_packet),
        cmocka_unit_test(lost_packets_belong_to_one_event),
        cmocka_unit_test(a_flap_kills_in_its_outages_alone),
        cmocka_unit_test(the_blackhole_window_ends_with_what_comes_first),
        cmocka_unit_test(every_leaking_packet_is_counted),
        cmocka_unit_test(a_named_host_is_followed_packet_by_packet),
        cmocka_unit_test(untranslated_packets_show_no_public_address),
        cmocka_unit_test(the_fingerprint_is_of_every_decision),
        cmocka_unit_test(records_follow_the_connections_that_live),
        cmocka_unit_test(living_flows_are_closed_once),
        cmocka_unit_test(events_that_are_not_known_are_of_no_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
