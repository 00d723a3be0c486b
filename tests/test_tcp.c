#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

static const char *const names[TCP_STATES] = {
    "none",       "syn-sent", "syn-received", "established", "fin-wait",
    "close-wait", "last-ack", "time-wait",    "close",       "syn-sent2",
};

static struct packet segment(const char *flags)
{
    char text[128];

    snprintf(text, sizeof text, "tcp 10.0.0.1:1 > 10.0.0.2:2 window 100 %s", flags);
    return packet(text);
}

/* "> syn": direction 0 sends it, "< syn ack": direction 1. Sources: Linux tcp_conntracks,
 * tcp_new(). The verdict is told only where it is another than tracked. */
struct step {
    const char *segment, *then;
};

static void check_life(const char *what, const struct step *steps, bool loose)
{
    static const char *const verdicts[] = {"tracked", "ignored", "invalid",
                                           "again",   "anew",    "gone"};
    struct tcp_track t;
    bool answered = false;

    for (unsigned i = 0; steps[i].segment; i++) {
        const struct packet p = segment(steps[i].segment + 2);
        const unsigned direction = steps[i].segment[0] == '<';
        char got[64];

        if (i == 0) {
            if (!tcp_begin(&t, &p, loose)) {
                if (strcmp(steps[i].then, "refused") != 0)
                    fail_msg("%s: refused", what);
                return;
            }
            snprintf(got, sizeof got, "%s", names[t.state]);
        } else {
            const enum tcp_verdict v = tcp_follow(&t, &p, direction, answered);

            answered |= direction == 1 && v != TCP_INVALID;
            if (v == TCP_TRACKED)
                snprintf(got, sizeof got, "%s", names[t.state]);
            else
                snprintf(got, sizeof got, "%s", verdicts[v]);
        }
        if (strcmp(got, steps[i].then) != 0)
            fail_msg("%s: '%s' gives %s, not %s", what, steps[i].segment, got,
                     steps[i].then);
    }
}

static void a_life_runs_through_the_states(void **state)
{
    static const struct {
        const char *what;
        struct step steps[16];
    } rows[] = {
        {"the client closes",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"> ack psh data 9", "established"},
          {"< ack", "established"},
          {"> fin ack", "fin-wait"},
          {"< ack", "close-wait"},
          {"< fin ack", "last-ack"},
          {"> ack", "time-wait"},
          {"> syn", "anew"},
          {0}}},
        {"the server closes",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"< fin ack", "fin-wait"},
          {"> ack", "close-wait"},
          {"> fin ack", "last-ack"},
          {"< ack", "time-wait"},
          {"> syn", "anew"},
          {0}}},
        {"both close at once",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"> fin ack", "fin-wait"},
          {"< fin ack", "last-ack"},
          {"> ack", "time-wait"},
          {"< ack", "time-wait"},
          {0}}},
        {"refused: the entry goes at once",
         {{"> syn", "syn-sent"}, {"< rst ack", "gone"}, {0}}},
        {"given up", {{"> syn", "syn-sent"}, {"> rst", "gone"}, {0}}},
        {"sent again", {{"> syn", "syn-sent"}, {"> syn", "again"}, {0}}},
        {"reset in life",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"> rst", "close"},
          {"> syn", "anew"},
          {0}}},
        {"reset by the server: the client's SYN belongs to the old one",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"< rst", "close"},
          {"> syn", "ignored"},
          {0}}},
        {"and its SYN+ACK opens that again",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"< rst", "close"},
          {"> syn seq 9", "ignored"},
          {"< syn ack acked 10", "syn-received"},
          {"> ack", "established"},
          {0}}},
        {"reset by the server after a FIN: anew",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"> fin ack", "fin-wait"},
          {"< rst", "close"},
          {"> syn", "anew"},
          {0}}},
        {"the server begins anew",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"< fin ack", "fin-wait"},
          {"> fin ack", "last-ack"},
          {"< ack", "time-wait"},
          {"< syn", "anew"},
          {0}}},
        {"a RST that is not where the other side is changes no state",
         {{"> syn seq 10", "syn-sent"},
          {"< syn ack seq 90 acked 11", "syn-received"},
          {"> ack seq 11 acked 91", "established"},
          {"< ack seq 91 acked 11", "established"},
          {"> rst seq 12", "established"},
          {"> rst seq 11", "close"},
          {0}}},
        {"the ACK to a SYN in LAST_ACK is no answer to the FIN",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"< fin ack", "fin-wait"},
          {"> fin ack", "last-ack"},
          {"> syn", "ignored"},
          {"< ack", "ignored"},
          {"< ack", "time-wait"},
          {0}}},
        {"flags that no TCP sends",
         {{"> syn", "syn-sent"},
          {"> syn fin", "invalid"},
          {"> rst syn", "invalid"},
          {"> fin", "invalid"},
          {"< syn ack", "syn-received"},
          {0}}},
        {"a simultaneous open",
         {{"> syn", "syn-sent"},
          {"< syn", "again"}, /* now in SYN_SENT2 */
          {"> syn ack", "syn-received"},
          {"< syn ack", "ignored"},
          {"< ack", "established"},
          {"> ack", "established"},
          {0}}},
        {"a SYN into a living connection is ignored",
         {{"> syn", "syn-sent"},
          {"< syn ack", "syn-received"},
          {"> ack", "established"},
          {"> syn", "ignored"},
          {"< ack", "established"},
          {0}}},
        {"no flags at all are invalid",
         {{"> syn", "syn-sent"},
          {"> psh", "invalid"},
          {"< syn ack", "syn-received"},
          {0}}},
        {"an ACK before the SYN+ACK is invalid",
         {{"> syn", "syn-sent"}, {"> ack", "invalid"}, {0}}},
        {"picked up in mid-stream",
         {{"> ack", "established"}, {"< ack", "established"}, {0}}},
        {"with data", {{"> ack psh data 100", "established"}, {0}}},
        {"not by a SYN+ACK", {{"> syn ack", "refused"}, {0}}},
        {"not by a FIN", {{"> fin ack", "refused"}, {0}}},
        {"not by a RST", {{"> rst", "refused"}, {0}}},
        {"not by nothing", {{"> psh", "refused"}, {0}}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_life(rows[i].what, rows[i].steps, true);
}

static void without_loose_tracking_only_a_syn_begins(void **state)
{
    static const struct step mid_stream[] = {{"> ack", "refused"}, {0}};
    static const struct step opened[] = {{"> syn", "syn-sent"}, {0}};

    (void)state;
    check_life("in mid-stream", mid_stream, false);
    check_life("opened", opened, false);
}

/* ---------------------------------------------------------------------------- time-outs */

static void each_state_has_its_timeout(void **state)
{
    static const struct {
        enum tcp_state state;
        int linux_s, routeros_s;
    } rows[] = {
        {TCP_SYN_SENT, 120, 5},           {TCP_SYN_RECEIVED, 60, 5},
        {TCP_ESTABLISHED, 432000, 86400}, {TCP_FIN_WAIT, 120, 10},
        {TCP_CLOSE_WAIT, 60, 10},         {TCP_LAST_ACK, 30, 10},
        {TCP_TIME_WAIT, 120, 10},         {TCP_CLOSE, 10, 10},
        {TCP_SYN_SENT2, 120, 5},
    };
    struct router_config c[2];
    struct tcp_timeouts timeouts[2];

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        config_set_defaults(&c[k], k ? PLATFORM_ROUTEROS7 : PLATFORM_LINUX);
        tcp_timeouts_init(&timeouts[k], &c[k].timeouts);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            const struct tcp_track t = {.state = (uint8_t)rows[i].state, .last_window = 1};
            const int wanted = k ? rows[i].routeros_s : rows[i].linux_s;

            if (tcp_timeout(&t, &timeouts[k], true) != SECONDS(wanted))
                fail_msg("%s: %lld ns", names[rows[i].state],
                         (long long)tcp_timeout(&t, &timeouts[k], true));
        }
    }
}

/* Linux: 300 s while data is not acknowledged, after three repetitions, and while a picked-up
 * connection has no answer; else five days. */
static void what_is_not_acknowledged_shortens_the_timeout(void **state)
{
    static const struct {
        const char *what;
        const char *segments[8];
        bool answered;
        int seconds;
    } rows[] = {
        {"an idle connection",
         {"> syn seq 10", "< syn ack seq 90 acked 11", "> ack seq 11 acked 91"},
         true,
         432000},
        {"data on its way",
         {"> syn seq 10", "< syn ack seq 90 acked 11", "> ack seq 11 acked 91",
          "> ack seq 11 acked 91 data 100"},
         true,
         300},
        {"data acknowledged",
         {"> syn seq 10", "< syn ack seq 90 acked 11", "> ack seq 11 acked 91",
          "> ack seq 11 acked 91 data 100", "< ack seq 91 acked 111"},
         true,
         432000},
        {"data acknowledged in part",
         {"> syn seq 10", "< syn ack seq 90 acked 11", "> ack seq 11 acked 91",
          "> ack seq 11 acked 91 data 100", "< ack seq 91 acked 50"},
         true,
         300},
        {"the server's data on its way",
         {"> syn seq 10", "< syn ack seq 90 acked 11", "> ack seq 11 acked 91",
          "< ack seq 91 acked 11 data 7"},
         true,
         300},
        {"over the end of the sequence numbers",
         {"> syn seq 0xfffffff0", "< syn ack seq 90 acked 0xfffffff1",
          "> ack seq 0xfffffff1 acked 91", "> ack seq 0xfffffff1 acked 91 data 100",
          "< ack seq 91 acked 0x55"},
         true,
         432000},
        {"a closed window",
         {"> syn seq 10", "< syn ack seq 90 acked 11", "> ack seq 11 acked 91 window 0"},
         true,
         300},
        {"picked up and not answered", {"> ack seq 10 acked 5"}, false, 300},
        {"picked up and answered",
         {"> ack seq 10 acked 5", "< ack seq 5 acked 10"},
         true,
         432000},
    };
    struct router_config c;
    struct tcp_timeouts timeouts;

    (void)state;
    config_set_defaults(&c, PLATFORM_LINUX);
    tcp_timeouts_init(&timeouts, &c.timeouts);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tcp_track t;
        int64_t got;

        for (unsigned k = 0; k < 8 && rows[i].segments[k]; k++) {
            const struct packet p = segment(rows[i].segments[k] + 2);

            if (k == 0)
                assert_true(tcp_begin(&t, &p, true));
            else
                assert_int_equal(tcp_follow(&t, &p, rows[i].segments[k][0] == '<', k > 1),
                                 TCP_TRACKED);
        }
        got = tcp_timeout(&t, &timeouts, rows[i].answered);
        if (got != SECONDS(rows[i].seconds))
            fail_msg("%s: %lld ns", rows[i].what, (long long)got);
    }
}

static void three_repetitions_shorten_the_timeout(void **state)
{
    struct packet p = segment("ack seq 11 acked 91 data 100");
    const struct packet answer = segment("ack seq 91 acked 11");
    struct router_config c;
    struct tcp_timeouts timeouts;
    struct tcp_track t;

    (void)state;
    config_set_defaults(&c, PLATFORM_LINUX);
    c.timeouts.tcp_unacked = SECONDS(1000); /* so that the two are told apart */
    tcp_timeouts_init(&timeouts, &c.timeouts);
    assert_true(tcp_begin(&t, &p, true));
    assert_int_equal(tcp_follow(&t, &answer, 1, false), TCP_TRACKED);
    p.tcp_seq += p.payload_bytes;
    assert_int_equal(tcp_follow(&t, &p, 0, true), TCP_TRACKED);
    for (unsigned repeated = 1; repeated <= 4; repeated++) {
        assert_int_equal(tcp_follow(&t, &p, 0, true), TCP_TRACKED);
        assert_true(tcp_timeout(&t, &timeouts, true) ==
                    SECONDS(repeated < 3 ? 1000 : 300));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_runs_through_the_states),
        cmocka_unit_test(without_loose_tracking_only_a_syn_begins),
        cmocka_unit_test(each_state_has_its_timeout),
        cmocka_unit_test(what_is_not_acknowledged_shortens_the_timeout),
        cmocka_unit_test(three_repetitions_shorten_the_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
