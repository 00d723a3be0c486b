#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

static void run(struct play *p)
{
    char error[256] = "";

    if (!simulation_run(p->sim, error, sizeof error))
        fail_msg("%s", error);
}

/* The first probe of the check at or after a time; its first one is `phase_ns`. */
static int64_t probe_from(int64_t phase_ns, int64_t interval_ns, int64_t time_ns)
{
    const int64_t late = time_ns - phase_ns;

    return late <= 0 ? phase_ns
                     : phase_ns + (late + interval_ns - 1) / interval_ns * interval_ns;
}

/*
 * The gateway of wan1 dies at 30.3 s and is back at 90.7 s. The first probe that it misses, and
 * the (count - 1) behind it, each wait their time: then the router knows. It is back with the first
 * answer, 2 x 40 ms after its probe.
 */
static void a_dead_gateway_is_known_when_its_misses_are_counted(void **state)
{
    static const struct {
        const char *check, *settings;
        double interval, timeout;
        int count;
        double soonest, latest; /* after the failure */
    } rows[] = {
        {"ping", "", 10, 1, 2, 11, 21},
        {"arp", "", 10, 1, 2, 11, 21},
        {"ping",
         ", 'check_gateway': {'ping': {'interval': '4s', 'timeout': '500ms', 'count': "
         "3}}",
         4, .5, 3, 8.5, 12.5},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows) * 8; i++) {
        const size_t row = i / 8;
        const int64_t interval = SECONDS(rows[row].interval);
        struct play *p = play_create();
        const struct event_course *c;
        char routes[256], more[96];
        int64_t phase, known, back;

        snprintf(routes, sizeof routes,
                 "[{'gateway': '100.64.1.1', 'check_gateway': '%s'},"
                 " {'gateway': '100.64.2.1', 'distance': 2}]",
                 rows[row].check);
        snprintf(more, sizeof more, ", 'duration': '200s', 'seed': %zu", i);
        play_prepare(
            p, &(struct play_text){.routes = routes,
                                   .router = rows[row].settings,
                                   .wans = "{'wan1': {'delay': '40ms'}, 'wan2': {}}",
                                   .events = "[{'at': '30300ms', 'for': '60400ms',"
                                             " 'kind': 'gateway-down', 'wan': 'wan1'}]",
                                   .more = more});
        assert_int_equal(router_checks_len(simulation_router(p->sim)), 1);
        phase = router_check_next_ns(simulation_router(p->sim), 0);
        assert_true(phase >= 0 && phase < interval);
        run(p);
        known = probe_from(phase, interval, SECONDS(30.3)) +
                (rows[row].count - 1) * interval + SECONDS(rows[row].timeout);
        back = probe_from(phase, interval, SECONDS(90.7)) + SECONDS(.08);
        c = simulation_event_course(p->sim, 0);
        if (c->detected_ns != known || c->effective_ns != known ||
            c->recovered_ns != back)
            fail_msg("%s, seed %zu: known at %.9f, not %.9f; back at %.9f, not %.9f",
                     rows[row].check, i, (double)c->detected_ns / 1e9,
                     (double)known / 1e9, (double)c->recovered_ns / 1e9,
                     (double)back / 1e9);
        assert_true(known >= SECONDS(30.3 + rows[row].soonest) &&
                    known <= SECONDS(30.3 + rows[row].latest));
        play_destroy(p);
    }
}

static const char direct[] = "[{'gateway': '100.64.1.1', 'check_gateway': 'ping'},"
                             " {'gateway': '100.64.2.1', 'distance': 2}]";

/* The usual way to see beyond the gateway: a canary that only it can reach, looked up first. */
static const char recursive[] =
    "[{'dst_address': '8.8.8.8/32', 'gateway': '100.64.1.1', 'scope': 10},"
    " {'gateway': '8.8.8.8', 'target_scope': 11, 'check_gateway': 'ping'},"
    " {'gateway': '100.64.2.1', 'distance': 2}]";

/* A failure of wan1 from 30 s to 90 s: how often is it known, and when is its route back? */
static void what_a_check_sees_depends_on_its_target(void **state)
{
    static const struct {
        const char *when, *routes, *kind;
        bool seen;
    } rows[] = {
        {"the gateway is probed, and dead", direct, "gateway-down", true},
        {"the gateway is probed, the world behind it dead", direct, "blackhole", false},
        {"a canary is probed, the gateway dead", recursive, "gateway-down", true},
        {"a canary is probed, the world behind the gateway dead", recursive, "blackhole",
         true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        const struct event_course *c;
        char events[128];

        snprintf(events, sizeof events,
                 "[{'at': '30s', 'for': '60s', 'kind': '%s', 'wan': 'wan1'}]",
                 rows[i].kind);
        play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, 40.9, "udp 192.168.10.5:5001 > 198.51.100.1:53");
        play_packet(p, 60, "udp 192.168.10.5:5002 > 198.51.100.1:53");
        play_packet(p, 110, "udp 192.168.10.5:5003 > 198.51.100.1:53");
        play_run(p, &(struct play_text){.routes = rows[i].routes, .events = events});
        c = simulation_event_course(p->sim, 0);
        if ((c->detected_ns >= 0) != rows[i].seen)
            fail_msg("%s: known at %g", rows[i].when, (double)c->detected_ns / 1e9);
        if (rows[i].seen)
            assert_true(c->detected_ns >= SECONDS(41) && c->detected_ns <= SECONDS(51) &&
                        c->recovered_ns >= SECONDS(90) &&
                        c->recovered_ns <= SECONDS(100));
        assert_int_equal(p->fates[FATE_DROPPED], rows[i].seen ? 1 : 2);
        play_destroy(p);
    }
}

/* IPv4's gateway and IPv6's have a check each: one event is first known by one, last by other. */
static void each_gateways_check_is_its_own(void **state)
{
    struct play *p = play_create();
    const struct event_course *c;
    int64_t known[2];

    (void)state;
    play_prepare(p, &(struct play_text){
                        .routes = "[{'gateway': '100.64.1.1', 'check_gateway': 'ping'},"
                                  " {'dst_address': '::/0', 'gateway': '2001:db8:1::1',"
                                  " 'check_gateway': 'ping'}, {'gateway': '100.64.2.1',"
                                  " 'distance': 2}]",
                        .events = "[{'at': '30s', 'for': '60s', 'kind': 'gateway-down',"
                                  " 'wan': 'wan1'}]",
                        .more = ", 'duration': '200s'"});
    assert_int_equal(router_checks_len(simulation_router(p->sim)), 2);
    for (size_t i = 0; i < 2; i++)
        known[i] = probe_from(router_check_next_ns(simulation_router(p->sim), i),
                              SECONDS(10), SECONDS(30)) +
                   SECONDS(11);
    assert_true(known[0] != known[1]);
    run(p);
    c = simulation_event_course(p->sim, 0);
    assert_int_equal(c->detected_ns, known[0] < known[1] ? known[0] : known[1]);
    assert_int_equal(c->effective_ns, known[0] < known[1] ? known[1] : known[0]);
    play_destroy(p);
}

static void tables_share_the_check_of_their_gateway(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_run(p,
             &(struct play_text){
                 .routes = "[{'gateway': '100.64.1.1', 'check_gateway': 'ping'},"
                           " {'gateway': '100.64.1.1', 'check_gateway': 'ping',"
                           " 'table': 't1'}, {'gateway': '100.64.2.1', 'distance': 2}]",
                 .events = "[{'at': '30s', 'for': '60s', 'kind': 'gateway-down',"
                           " 'wan': 'wan1'}]",
                 .more = ", 'duration': '200s'"});
    assert_int_equal(router_checks_len(simulation_router(p->sim)), 1);
    assert_int_equal(simulation_event_course(p->sim, 0)->detected_ns,
                     simulation_event_course(p->sim, 0)->effective_ns);
    play_destroy(p);
}

/* The gateway dies; a short blackhole comes and goes before two misses are counted. */
static void a_loss_is_the_fault_of_what_lasts(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_run(
        p, &(struct play_text){
               .routes = direct,
               .events =
                   "[{'at': '30s', 'for': '60s', 'kind': 'gateway-down', 'wan': 'wan1'},"
                   " {'at': '31s', 'for': '2s', 'kind': 'blackhole', 'wan': 'wan1'}]",
               .more = ", 'duration': '200s'"});
    assert_true(simulation_event_course(p->sim, 0)->detected_ns > 0);
    assert_true(simulation_event_course(p->sim, 0)->recovered_ns > SECONDS(90));
    assert_int_equal(simulation_event_course(p->sim, 1)->detected_ns, -1);
    play_destroy(p);
}

static void an_outage_shorter_than_its_misses_is_never_known(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_run(p, &(struct play_text){
                    .routes = direct,
                    .events = "[{'at': '30s', 'for': '9s', 'kind': 'gateway-down',"
                              " 'wan': 'wan1'}]",
                    .more = ", 'duration': '200s'"});
    assert_int_equal(simulation_event_course(p->sim, 0)->detected_ns, -1);
    play_expect_changes(p, "9 s",
                        "30 begins #0\n30 mark wan1 #0\n39 ends #0\n39 mark wan1 #0\n");
    play_destroy(p);
}

/* A round trip of 1.2 s is no answer within a second, whatever happens. */
static void an_answer_after_its_time_is_none(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 21, "udp 192.168.10.5:5001 > 198.51.100.1:53");
    play_run(p, &(struct play_text){.routes = direct,
                                    .wans = "{'wan1': {'delay': '600ms'}, 'wan2': {}}"});
    play_expect_packets(p, "too slow",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered out wan2 as 100.64.2.2:5001\n");
    play_destroy(p);
}

/* A link that was down for longer than the check takes is used after the first answer. */
static void a_link_that_is_back_waits_for_its_check(void **state)
{
    struct play *p = play_create();
    const struct event_course *c;

    (void)state;
    play_run(
        p,
        &(struct play_text){
            .routes = direct,
            .events = "[{'at': '30s', 'for': '60s', 'kind': 'link-down', 'wan': 'wan1'}]",
            .more = ", 'duration': '200s'"});
    c = simulation_event_course(p->sim, 0);
    assert_int_equal(c->detected_ns, SECONDS(30));
    assert_true(c->recovered_ns > SECONDS(90) && c->recovered_ns <= SECONDS(100));
    play_destroy(p);
}

/* The gateway dies while a probe is on its way: that one is answered, the next ones are not. */
static void what_happens_during_a_probe_is_not_missed(void **state)
{
    const struct play_text text = {
        .routes = direct,
        .wans = "{'wan1': {'delay': '400ms'}, 'wan2': {}}",
        .events = "[{'at': '30s', 'kind': 'gateway-down', 'wan': 'wan1'}]",
        .more = ", 'duration': '100s'"};
    struct play *p = play_create();
    struct play_text during = text;
    char events[128];
    int64_t sent;

    (void)state;
    play_prepare(p, &text);
    sent = router_check_next_ns(simulation_router(p->sim), 0);
    play_destroy(p);
    snprintf(events, sizeof events,
             "[{'at': '%lldns', 'kind': 'gateway-down', 'wan': 'wan1'}]",
             (long long)(sent + SECONDS(.3)));
    during.events = events;
    p = play_create();
    play_run(p, &during);
    assert_int_equal(simulation_event_course(p->sim, 0)->detected_ns,
                     sent + SECONDS(10) + SECONDS(11));
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_gateway_is_known_when_its_misses_are_counted),
        cmocka_unit_test(what_a_check_sees_depends_on_its_target),
        cmocka_unit_test(each_gateways_check_is_its_own),
        cmocka_unit_test(tables_share_the_check_of_their_gateway),
        cmocka_unit_test(a_loss_is_the_fault_of_what_lasts),
        cmocka_unit_test(an_outage_shorter_than_its_misses_is_never_known),
        cmocka_unit_test(an_answer_after_its_time_is_none),
        cmocka_unit_test(a_link_that_is_back_waits_for_its_check),
        cmocka_unit_test(what_happens_during_a_probe_is_not_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
