#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "sim/observe/expect.h"
#include "tests/rig.h"

static const char host[] = "192.168.10.99", site[] = "198.51.100.1";

/* A later packet of a flow that lives on. */
static struct step onward(struct conn *c, double at, int wan, unsigned flags)
{
    return (struct step){.at = at,
                         .conn = c,
                         .out = wan + 1,
                         .tcp_flags = TCP_ACK,
                         .flags = (uint8_t)(flags | DECISION_ROUTED)};
}

/* The packet that masquerade drops because its way changed. */
static struct step killed(struct conn *c, double at, int wan)
{
    struct step s = onward(c, at, wan, DECISION_KILLED);

    s.fate = FATE_DROPPED;
    s.reason = REASON_NAT_MOVED;
    return s;
}

/* The share of the flows that moved by each cause, as "forced 1 failback 0 ...". */
static void expect_causes(json_t *result, const char *when, const char *cause)
{
    for (int i = 0; i < MOVE_CAUSES; i++) {
        char pointer[64];

        snprintf(pointer, sizeof pointer, "/stickiness/%s", move_cause_names[i]);
        if (fabs(rig_number(result, pointer) - !strcmp(move_cause_names[i], cause)) > 0)
            fail_msg("%s: %s %g", when, move_cause_names[i], rig_number(result, pointer));
    }
}

/* One flow on wan1 moves to wan2 after the changes of the row. */
static void a_move_has_one_cause(void **state)
{
    static const struct {
        const char *when;
        struct {
            bool is;
            enum change_kind kind;
            int wan;
        } changes[3];
        const char *cause;
    } rows[] = {
        {"its path is lost", {{true, CHANGE_LOSS, 0}}, "forced"},
        {"lost, then something else",
         {{true, CHANGE_LOSS, 0}, {true, CHANGE_CONFIG, -1}},
         "forced"},
        {"another path is lost", {{true, CHANGE_LOSS, 2}}, "collateral"},
        {"its new path returned", {{true, CHANGE_RETURN, 1}}, "failback"},
        {"its new path returned, then another was lost",
         {{true, CHANGE_RETURN, 1}, {true, CHANGE_LOSS, 2}},
         "failback"},
        {"a third path returned", {{true, CHANGE_RETURN, 2}}, "failback"},
        {"its path was lost and is back",
         {{true, CHANGE_LOSS, 0}, {true, CHANGE_RETURN, 0}},
         "failback"},
        {"the configuration changed", {{true, CHANGE_CONFIG, -1}}, "config"},
        {"an address changed", {{true, CHANGE_ADDRESS, 0}}, "config"},
        {"an event that nothing saw", {{true, CHANGE_MARK, 0}}, "policy"},
        {"nothing changed", {{false, CHANGE_MARK, 0}}, "policy"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(NULL);
        struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
        json_t *result;

        for (int k = 0; k < 3 && rows[i].changes[k].is; k++)
            rig_change(r, rows[i].changes[k].kind, rows[i].changes[k].wan, -1, 2 + k);
        rig_send(r, onward(c, 9, 1, 0));
        result = rig_result(r, 10);
        expect_causes(result, rows[i].when, rows[i].cause);
        rig_expect(result, "/checks/flows_on_two_paths_without_an_event",
                   !strcmp(rows[i].cause, "policy"));
        json_decref(result);
        rig_destroy(r);
    }
}

static void let_packets_take_turns(struct scenario *s)
{
    static const struct config_policy policy = {.name = "round-robin"};

    s->router.policies = &policy;
    s->router.policies_len = 1;
}

/* A policy that splits flows needs no reason, unless the old path is gone. */
static void what_a_policy_splits_moves_for_no_event(void **state)
{
    static const struct {
        const char *when;
        enum change_kind kind;
        int wan;
        const char *cause;
    } rows[] = {
        {"its path is lost", CHANGE_LOSS, 0, "forced"},
        {"another path is lost", CHANGE_LOSS, 2, "policy"},
        {"its new path returned", CHANGE_RETURN, 1, "policy"},
        {"the configuration changed", CHANGE_CONFIG, -1, "policy"},
        {"nothing changed", CHANGE_MARK, 0, "policy"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(let_packets_take_turns);
        struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
        json_t *result;

        rig_change(r, rows[i].kind, rows[i].wan, -1, 2);
        rig_send(r, onward(c, 9, 1, 0));
        result = rig_result(r, 10);
        expect_causes(result, rows[i].when, rows[i].cause);
        json_decref(result);
        rig_destroy(r);
    }
}

/*
 * A flow on wan1 moves to wan2 after changes of one family's routes. The other family's are
 * not its own, though they are those of the same WAN.
 */
static void a_flow_is_judged_by_the_changes_of_its_own_family(void **state)
{
    static const char v6_host[] = "2001:db8:10::99", v6_site[] = "2001:db8::1";
    static const struct {
        const char *when, *src, *dst;
        struct {
            enum change_kind kind;
            enum family family;
            int wan;
        } changes[2];
        const char *cause;
    } rows[] = {
        {"IPv4 lost", host, site, {{CHANGE_LOSS, FAMILY_V4, 0}}, "forced"},
        {"IPv6 lost alone", host, site, {{CHANGE_LOSS, FAMILY_V6, 0}}, "policy"},
        {"IPv6 lost, IPv6 flow",
         v6_host,
         v6_site,
         {{CHANGE_LOSS, FAMILY_V6, 0}},
         "forced"},
        {"IPv4 lost alone, IPv6 flow",
         v6_host,
         v6_site,
         {{CHANGE_LOSS, FAMILY_V4, 0}},
         "policy"},
        {"both lost, IPv6 back",
         host,
         site,
         {{CHANGE_LOSS, FAMILY_NONE, 0}, {CHANGE_RETURN, FAMILY_V6, 0}},
         "forced"},
        {"both lost, IPv6 back, IPv6 flow",
         v6_host,
         v6_site,
         {{CHANGE_LOSS, FAMILY_NONE, 0}, {CHANGE_RETURN, FAMILY_V6, 0}},
         "failback"},
        {"another's IPv4 lost, then its IPv6 configuration changed",
         host,
         site,
         {{CHANGE_LOSS, FAMILY_V4, 2}, {CHANGE_CONFIG, FAMILY_V6, -1}},
         "collateral"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(NULL);
        struct conn *c = rig_begin(r, 1, PROTO_UDP, rows[i].src, rows[i].dst, 0);
        json_t *result;

        rig_change_family(r, rows[i].changes[0].kind, rows[i].changes[0].family,
                          rows[i].changes[0].wan, -1, 2);
        if (rows[i].changes[1].family || rows[i].changes[1].kind)
            rig_change_family(r, rows[i].changes[1].kind, rows[i].changes[1].family,
                              rows[i].changes[1].wan, -1, 3);
        rig_send(r, onward(c, 9, 1, 0));
        result = rig_result(r, 10);
        expect_causes(result, rows[i].when, rows[i].cause);
        json_decref(result);
        rig_destroy(r);
    }
}

/* It was decided on the path after the loss: the route that went was another table's. */
static void a_path_lost_to_others_forces_nothing(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    json_t *result;

    (void)state;
    rig_change(r, CHANGE_LOSS, 0, -1, 2);
    rig_send(r, onward(c, 3, 0, 0));
    rig_change(r, CHANGE_LOSS, 2, -1, 4);
    rig_send(r, onward(c, 5, 1, 0));
    result = rig_result(r, 10);
    expect_causes(result, "its own route was well", "collateral");
    json_decref(result);
    rig_destroy(r);
}

/* At 10 s wan1's IPv6 routes are lost alone. What fails then of IPv4 is no fault of that event. */
static void harm_belongs_to_an_event_of_the_flows_family(void **state)
{
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, "outage", EVENT_GATEWAY_DOWN, 0, 10, -1);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    json_t *result;

    (void)state;
    rig_event(r, e, true, 10);
    rig_change_family(r, CHANGE_LOSS, FAMILY_V6, 0, e, 10);
    rig_send(r, onward(c, 12, 0, DECISION_REVIVED));
    rig_send(r, (struct step){.at = 13,
                              .conn = c,
                              .out = 1,
                              .nat_port = 1024,
                              .flags = DECISION_REVIVED | DECISION_ROUTED});
    result = rig_result(r, 20);
    rig_expect(result, "/stickiness/rehomed", 1);
    rig_expect(result, "/events/outage/rehomed", 0);
    rig_expect(result, "/events/outage/survived", 1);
    json_decref(result);
    rig_destroy(r);
}

static void a_change_before_the_last_decision_causes_nothing(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c;
    json_t *result;

    (void)state;
    rig_change(r, CHANGE_RETURN, 1, -1, 0);
    c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    rig_send(r, onward(c, 2, 1, 0));
    result = rig_result(r, 3);
    expect_causes(result, "returned before the flow began", "policy");
    json_decref(result);
    rig_destroy(r);
}

/* What one flow comes to that lives across a loss of wan1 at 10 s. */
static void expect_fate(json_t *result, const char *when, const char *fate)
{
    for (int i = 0; i < FLOW_FATES; i++) {
        static const char *const parts[] = {"/stickiness/%s", "/events/outage/%s"};

        for (int k = 0; k < 2; k++) {
            char pointer[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(pointer, sizeof pointer, parts[k], flow_fate_names[i]);
#pragma GCC diagnostic pop
            if (fabs(rig_number(result, pointer) - !strcmp(flow_fate_names[i], fate)) > 0)
                fail_msg("%s: %s is %g", when, pointer, rig_number(result, pointer));
        }
    }
}

static void a_flow_comes_to_one_fate_at_an_event(void **state)
{
    static const struct {
        const char *when;
        uint8_t protocol;
        struct step steps[3]; /* without their connection */
        const char *fate;
    } rows[] = {
        {"it goes on where it was", PROTO_TCP, {{.at = 12, .out = 1}}, "survived"},
        {"it moves without translation",
         PROTO_TCP,
         {{.at = 12, .out = 2, .nat = "192.0.2.9"}},
         "survived"},
        {"masquerade kills TCP",
         PROTO_TCP,
         {{.at = 12,
           .out = 2,
           .flags = DECISION_KILLED,
           .fate = FATE_DROPPED,
           .reason = REASON_NAT_MOVED}},
         "broken"},
        {"masquerade kills UDP",
         PROTO_UDP,
         {{.at = 12,
           .out = 2,
           .flags = DECISION_KILLED,
           .fate = FATE_DROPPED,
           .reason = REASON_NAT_MOVED},
          {.at = 13, .out = 2, .flags = DECISION_REVIVED}},
         "rehomed"},
        {"masquerade kills a SYN",
         PROTO_TCP,
         {{.at = 12,
           .out = 2,
           .flags = DECISION_KILLED,
           .fate = FATE_DROPPED,
           .reason = REASON_NAT_MOVED,
           .tcp_flags = TCP_SYN},
          {.at = 13, .out = 2, .flags = DECISION_REVIVED, .tcp_flags = TCP_SYN}},
         "rehomed"},
        {"a flushed TCP entry begins anew elsewhere",
         PROTO_TCP,
         {{.at = 12, .out = 2, .flags = DECISION_REVIVED}},
         "broken"},
        {"a flushed entry begins anew as it was",
         PROTO_TCP,
         {{.at = 12, .out = 1, .flags = DECISION_REVIVED}},
         "survived"},
        {"... under another port",
         PROTO_TCP,
         {{.at = 12, .out = 1, .flags = DECISION_REVIVED, .nat_port = 1024}},
         "broken"},
        {"it leaves with the old WAN's address",
         PROTO_UDP,
         {{.at = 12, .out = 2, .nat = "100.64.1.2"}},
         "broken"},
        {"a packet dies on the link",
         PROTO_TCP,
         {{.at = 12, .out = 1, .fate = FATE_DROPPED, .reason = REASON_LINK_DOWN}},
         "stalled"},
        {"it finds no route",
         PROTO_UDP,
         {{.at = 12,
           .fate = FATE_DROPPED,
           .reason = REASON_NO_ROUTE,
           .dropped_by_router = true}},
         "stalled"},
        {"an answer dies on the link",
         PROTO_TCP,
         {{.at = 12,
           .in = 1,
           .direction = 1,
           .fate = FATE_DROPPED,
           .reason = REASON_LINK_DOWN,
           .undecided = true}},
         "stalled"},
        {"stalled, then rehomed",
         PROTO_UDP,
         {{.at = 12,
           .in = 1,
           .direction = 1,
           .fate = FATE_DROPPED,
           .reason = REASON_LINK_DOWN,
           .undecided = true},
          {.at = 13, .out = 2, .flags = DECISION_REVIVED}},
         "rehomed"},
        {"broken, then stalled",
         PROTO_TCP,
         {{.at = 12, .out = 2, .flags = DECISION_REVIVED},
          {.at = 13, .out = 2, .fate = FATE_DROPPED, .reason = REASON_LINK_DOWN}},
         "broken"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(NULL);
        const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 0, 10, -1);
        struct conn *c = rig_begin(r, 1, rows[i].protocol, host, site, 0);
        json_t *result;

        rig_event(r, e, true, 10);
        rig_change(r, CHANGE_LOSS, 0, e, 11);
        for (int k = 0; k < 3 && rows[i].steps[k].at > 0; k++) {
            struct step s = rows[i].steps[k];

            s.conn = c;
            s.flags |= DECISION_ROUTED;
            s.tcp_flags = s.tcp_flags ? s.tcp_flags : TCP_ACK;
            rig_send(r, s);
        }
        result = rig_result(r, 20);
        rig_expect(result, "/events/outage/flows_alive", 1);
        expect_fate(result, rows[i].when, rows[i].fate);
        json_decref(result);
        rig_destroy(r);
    }
}

/*
 * Three WANs lose the first at 10 s; it is back at 20 s. Four flows live: two on wan1
 * move to wan2, one of wan2 moves to wan3 (the regions shifted), one of wan3 stays. They
 * all go back. One flow that began meanwhile on wan2 goes to wan1; another, quiet since
 * before, is not seen.
 */
static void an_outage_and_its_return_are_told_apart(void **state)
{
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 0, 10, 10);
    struct conn *flows[6];
    json_t *result;

    (void)state;
    for (int i = 0; i < 5; i++)
        flows[i] = rig_begin(r, 1 + i, PROTO_UDP, host, site, (int[]){0, 0, 1, 2, 0}[i]);
    rig_event(r, e, true, 10);
    rig_change(r, CHANGE_LOSS, 0, e, 10);
    for (int i = 0; i < 4; i++)
        rig_send(r, onward(flows[i], 11, (int[]){1, 1, 2, 2}[i], DECISION_REVIVED));
    flows[5] = rig_begin(r, 15, PROTO_TCP, host, site, 1);
    rig_event(r, e, false, 20);
    rig_change(r, CHANGE_RETURN, 0, e, 20);
    for (int i = 0; i < 4; i++)
        rig_send(r, onward(flows[i], 21, (int[]){0, 0, 1, 2}[i],
                           i < 3 ? DECISION_REVIVED : 0));
    rig_send(r, killed(flows[5], 22, 0));
    result = rig_result(r, 30);
    rig_expect(result, "/events/outage/flows_alive", 4);
    rig_expect(result, "/events/outage/moved", 3);
    rig_expect(result, "/events/outage/moved_share", .75);
    rig_expect(result, "/events/outage/forced", 2);
    rig_expect(result, "/events/outage/collateral", 1);
    rig_expect(result, "/events/outage/failback", 4);
    rig_expect(result, "/events/outage/rehomed", 3);
    rig_expect(result, "/events/outage/broken", 0);
    rig_expect(result, "/events/outage/survived", 1);
    rig_expect(result, "/events/outage/begun_meanwhile/flows", 1);
    rig_expect(result, "/events/outage/begun_meanwhile/moved", 1);
    rig_expect(result, "/events/outage/begun_meanwhile/broken", 1);
    rig_expect(result, "/events/outage/begun_meanwhile/survived", 0);
    rig_expect(result, "/events/outage/ended_at", 20);
    assert_true(json_is_null(expect_find(result, "/events/outage/recovered_at")));
    rig_expect(result, "/stickiness/flows", 6);
    rig_expect(result, "/stickiness/kept", 2);
    rig_expect(result, "/stickiness/moves", 7);
    rig_expect(result, "/stickiness/broken", 1);
    rig_expect(result, "/stickiness/rehomed", 3);
    rig_expect(result, "/stickiness/survived", 1);
    /* of the two whose path was well, one moved */
    rig_expect(result, "/stickiness/moved_share_of_survivors", .5);
    json_decref(result);
    rig_destroy(r);
}

/* The link is back at 20 s, its IPv4 route at 25 s and its IPv6 route at 30 s. Whoever began
 * before the route of its family was back counts, moved or not; later ones do not. */
static void who_began_before_the_path_was_back_began_meanwhile(void **state)
{
    static const struct {
        double begins;
        const char *src, *dst;
        bool counts;
    } flows[] = {
        {15, host, site, true},
        {22, host, site, true},
        {27, host, site, false},
        {27, "2001:db8:10::99", "2001:db8::1", true},
        {32, "2001:db8:10::99", "2001:db8::1", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        static const struct {
            double at;
            enum family family;
        } returns[] = {{25, FAMILY_V4}, {30, FAMILY_V6}};
        struct rig *r = rig_create(NULL);
        const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 0, 10, 10);
        struct conn *c = NULL;
        json_t *result;

        rig_event(r, e, true, 10);
        rig_change(r, CHANGE_LOSS, 0, e, 10);
        for (int k = 0; k <= 2; k++) {
            const double until = k < 2 ? returns[k].at : 40;

            if (k == 0 && flows[i].begins < 20)
                c = rig_begin(r, flows[i].begins, PROTO_UDP, flows[i].src, flows[i].dst, 1);
            if (k == 0)
                rig_event(r, e, false, 20);
            if (!c && flows[i].begins < until)
                c = rig_begin(r, flows[i].begins, PROTO_UDP, flows[i].src, flows[i].dst, 1);
            if (k < 2)
                rig_change_family(r, CHANGE_RETURN, returns[k].family, 0, e, until);
        }
        rig_send(r, onward(c, 45, 1, 0));
        result = rig_result(r, 50);
        if (fabs(rig_number(result, "/events/outage/begun_meanwhile/flows") -
                 flows[i].counts) > 0)
            fail_msg("from %s at %g s: not %d", flows[i].src, flows[i].begins,
                     flows[i].counts);
        rig_expect(result, "/events/outage/begun_meanwhile/survived", flows[i].counts);
        json_decref(result);
        rig_destroy(r);
    }
}

static void a_flow_counts_once_at_each_of_several_events(void **state)
{
    struct rig *r = rig_create(NULL);
    int events[3];
    struct conn *c;
    json_t *result;

    (void)state;
    for (int i = 0; i < 3; i++)
        events[i] = rig_plan(r, NULL, EVENT_BLACKHOLE, 0, 10 + i, -1);
    c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    for (int i = 0; i < 3; i++)
        rig_event(r, events[i], true, 10 + i);
    rig_send(r, onward(c, 20, 0, 0));
    rig_send(r, onward(c, 21, 0, 0));
    result = rig_result(r, 30);
    for (int i = 0; i < 3; i++) {
        char pointer[64];

        snprintf(pointer, sizeof pointer, "/events/%d/flows_alive", i);
        rig_expect(result, pointer, 1);
        snprintf(pointer, sizeof pointer, "/events/%d/survived", i);
        rig_expect(result, pointer, 1);
    }
    rig_expect(result, "/stickiness/survived", 1);
    json_decref(result);
    rig_destroy(r);
}

static void a_flow_with_no_packet_after_the_event_was_not_alive(void **state)
{
    struct rig *r = rig_create(NULL);
    const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 0, 10, -1);
    json_t *result;

    (void)state;
    rig_begin(r, 1, PROTO_UDP, host, site, 0);
    rig_event(r, e, true, 10);
    rig_begin(r, 11, PROTO_UDP, host, site, 1);
    result = rig_result(r, 20);
    rig_expect(result, "/events/outage/flows_alive", 0);
    rig_expect(result, "/events/outage/moved_share", 0);
    rig_expect(result, "/stickiness/survived", 0);
    json_decref(result);
    rig_destroy(r);
}

/* Begun from outside by wan1, answered by wan2: at once, or from a loss on. */
static void answers_by_another_wan_are_seen(void **state)
{
    static const struct {
        const char *when;
        bool later;
        double replies, broken;
    } rows[] = {{"from the start", false, 1, 0}, {"after an event", true, 1, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_create(NULL);
        const int e = rig_plan(r, "outage", EVENT_LINK_DOWN, 2, 10, -1);
        struct conn *c = rig_begin(r, 0, PROTO_UDP, "203.0.113.5", "192.0.2.7", -1);
        struct step request = {.at = 1, .conn = c, .in = 1, .flags = DECISION_ROUTED};
        struct step answer = {
            .at = 2, .conn = c, .direction = 1, .flags = DECISION_ROUTED};
        json_t *result;

        rig_send(r, request);
        answer.out = rows[i].later ? 1 : 2;
        rig_send(r, answer);
        rig_event(r, e, true, 10);
        rig_change(r, CHANGE_LOSS, 2, e, 10);
        answer.at = 12;
        answer.out = 2;
        rig_send(r, answer);
        result = rig_result(r, 20);
        rig_expect(result, "/checks/replies_by_another_wan", rows[i].replies);
        rig_expect(result, "/stickiness/broken", rows[i].broken);
        rig_expect(result, "/paths/wan1/flows", rows[i].later);
        json_decref(result);
        rig_destroy(r);
    }
}

/* 100 bytes by wan1, 300 by wan2: both while there was a choice of three. */
static void bytes_belong_to_the_path_that_carried_them(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s;

    (void)state;
    rig_change(r, CHANGE_CONFIG, -1, -1, 2);
    rig_send(r, onward(c, 3, 1, 0));
    s = onward(c, 4, 1, 0);
    s.flags = 0;
    s.size = 200;
    rig_send(r, s);
    json_decref(rig_result(r, 5));
    assert_int_equal(r->metrics->paths[0].choice_bytes, 100);
    assert_int_equal(r->metrics->paths[1].choice_bytes, 300);
    assert_int_equal(r->metrics->choice_bytes, 400);
    assert_true(r->metrics->promises.counts[0].byte_squares == 160000);
    assert_int_equal(r->metrics->paths[0].flows, 1);
    assert_int_equal(r->metrics->paths[1].flows, 0);
    rig_destroy(r);
}

static void icmp_errors_move_nothing(void **state)
{
    struct rig *r = rig_create(NULL);
    struct conn *c = rig_begin(r, 1, PROTO_UDP, host, site, 0);
    struct step s = onward(c, 2, 1, 0);
    json_t *result;

    (void)state;
    s.packet_flags = PACKET_ICMP_ERROR;
    rig_send(r, s);
    result = rig_result(r, 5);
    rig_expect(result, "/stickiness/moves", 0);
    json_decref(result);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_has_one_cause),
        cmocka_unit_test(what_a_policy_splits_moves_for_no_event),
        cmocka_unit_test(a_flow_is_judged_by_the_changes_of_its_own_family),
        cmocka_unit_test(a_path_lost_to_others_forces_nothing),
        cmocka_unit_test(harm_belongs_to_an_event_of_the_flows_family),
        cmocka_unit_test(a_change_before_the_last_decision_causes_nothing),
        cmocka_unit_test(a_flow_comes_to_one_fate_at_an_event),
        cmocka_unit_test(an_outage_and_its_return_are_told_apart),
        cmocka_unit_test(who_began_before_the_path_was_back_began_meanwhile),
        cmocka_unit_test(a_flow_counts_once_at_each_of_several_events),
        cmocka_unit_test(a_flow_with_no_packet_after_the_event_was_not_alive),
        cmocka_unit_test(answers_by_another_wan_are_seen),
        cmocka_unit_test(bytes_belong_to_the_path_that_carried_them),
        cmocka_unit_test(icmp_errors_move_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
