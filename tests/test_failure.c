#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

#define NEVER (-1.0)

static void expect_time(const char *when, const char *what, int64_t got_ns,
                        double seconds)
{
    const int64_t expected = seconds < 0 ? -1 : SECONDS(seconds);

    if (got_ns != expected)
        fail_msg("%s: %s at %.9f s, not %.9f", when, what, (double)got_ns / 1e9, seconds);
}

/* began, detected, effective, ended, recovered */
static void expect_course(const struct play *p, const char *when, int event,
                          const double times[5])
{
    const struct event_course *c = simulation_event_course(p->sim, event);

    expect_time(when, "began", c->began_ns, times[0]);
    expect_time(when, "detected", c->detected_ns, times[1]);
    expect_time(when, "effective", c->effective_ns, times[2]);
    expect_time(when, "ended", c->ended_ns, times[3]);
    expect_time(when, "recovered", c->recovered_ns, times[4]);
}

/* One event from 10 s on, for 50 s, of a run of 100 s without traffic or gateway checks. */
static void every_kind_of_event_comes_and_goes(void **state)
{
    static const struct {
        const char *when, *event;
        struct play_text text;
        const char *changes;
        double course[5], up_s;
    } rows[] = {
        {"the cable of a RouterOS WAN",
         "'kind': 'link-down', 'wan': 'wan1'",
         {.platform = NULL},
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "60 ends #0\n60 return wan1 v4 #0\n60 return wan1 v6 #0\n",
         {10, 10, 10, 60, 60},
         50},
        {"... disabled",
         "'kind': 'link-down', 'wan': 'wan1', 'how': 'admin'",
         {.platform = NULL},
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "60 ends #0\n60 return wan1 v4 #0\n60 return wan1 v6 #0\n",
         {10, 10, 10, 60, 60},
         50},
        {"the cable of a Linux WAN: routes stay unless told otherwise",
         "'kind': 'link-down', 'wan': 'wan1'",
         {.platform = "linux"},
         "10 begins #0\n10 mark wan1 #0\n60 ends #0\n60 mark wan1 #0\n",
         {10, NEVER, NEVER, 60, NEVER},
         50},
        {"... told otherwise",
         "'kind': 'link-down', 'wan': 'wan1'",
         {.platform = "linux", .router = ", 'ignore_routes_with_linkdown': true"},
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "60 ends #0\n60 return wan1 v4 #0\n60 return wan1 v6 #0\n",
         {10, 10, 10, 60, 60},
         50},
        {"... disabled: its routes are deleted for good",
         "'kind': 'link-down', 'wan': 'wan1', 'how': 'admin'",
         {.platform = "linux"},
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "60 ends #0\n60 mark wan1 #0\n",
         {10, 10, 10, 60, NEVER},
         50},
        {"a gateway that nobody checks",
         "'kind': 'gateway-down', 'wan': 'wan1'",
         {.platform = NULL},
         "10 begins #0\n10 mark wan1 #0\n60 ends #0\n60 mark wan1 #0\n",
         {10, NEVER, NEVER, 60, NEVER},
         100},
        {"a blackhole",
         "'kind': 'blackhole', 'wan': 'wan2'",
         {.platform = NULL},
         "10 begins #0\n10 mark wan2 #0\n60 ends #0\n60 mark wan2 #0\n",
         {10, NEVER, NEVER, 60, NEVER},
         100},
        {"another address in the same network",
         "'kind': 'address-change', 'wan': 'wan1', 'address': '100.64.1.9/24'",
         {.platform = NULL},
         "10 begins #0\n10 address wan1 v4 #0\n60 ends #0\n60 address wan1 v4 #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"an address in a network without the gateway",
         "'kind': 'address-change', 'wan': 'wan1', 'address': '100.64.9.2/24'",
         {.platform = NULL},
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n"
         "60 ends #0\n60 address wan1 v4 #0\n60 return wan1 v4 #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"the address that it has",
         "'kind': 'address-change', 'wan': 'wan1', 'address': '100.64.1.2/24'",
         {.platform = NULL},
         "10 begins #0\n10 address wan1 v4 #0\n60 ends #0\n60 address wan1 v4 #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"its address in a network too small for the gateway",
         "'kind': 'address-change', 'wan': 'wan1', 'address': '100.64.1.2/31'",
         {.platform = NULL},
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n"
         "60 ends #0\n60 address wan1 v4 #0\n60 return wan1 v4 #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"a route goes, the only one of its WAN and family",
         "'kind': 'route-remove', 'route': 0",
         {.platform = NULL},
         "10 begins #0\n10 config v4 #0\n60 ends #0\n60 config v4 #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"a route comes",
         "'kind': 'route-add', 'route': {'dst_address': '2001:db8:f::/48',"
         " 'gateway': '2001:db8:2::1'}",
         {.platform = NULL},
         "10 begins #0\n10 config v6 #0\n60 ends #0\n60 config v6 #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"a rule comes",
         "'kind': 'rule-add', 'rule': {'table': 't2', 'interface': 'dmz'}",
         {.platform = NULL},
         "10 begins #0\n10 config #0\n60 ends #0\n60 config #0\n",
         {10, 10, 10, 60, 60},
         100},
        {"a rule goes",
         "'kind': 'rule-remove', 'rule': 0",
         {.rules = "[{'table': 't2', 'interface': 'dmz'}]"},
         "10 begins #0\n10 config #0\n60 ends #0\n60 config #0\n",
         {10, 10, 10, 60, 60},
         100},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        struct play_text text = rows[i].text;
        const int wan = i == 6;
        char events[256];

        snprintf(events, sizeof events, "[{'at': '10s', 'for': '50s', %s}]",
                 rows[i].event);
        text.events = events;
        text.more = ", 'duration': '100s'";
        play_run(p, &text);
        play_expect_changes(p, rows[i].when, rows[i].changes);
        expect_course(p, rows[i].when, 0, rows[i].course);
        expect_time(rows[i].when, "the run's end", simulation_now_ns(p->sim), 100);
        expect_time(rows[i].when, "time up", simulation_wan_up_ns(p->sim, wan),
                    rows[i].up_s);
        assert_int_equal(simulation_packets(p->sim), 0);
        play_destroy(p);
    }
}

/* A packet each second from 0 to 9 by wan1; 10 s is the last of the run. */
static void packets_die_of_what_befell_their_wan(void **state)
{
    static const struct {
        const char *kind, *lines;
    } rows[] = {
        {"gateway-down",
         "2 dropped out wan1 gateway-down\n3 dropped in wan1 gateway-down\n"},
        {"blackhole", "2 dropped out wan1 blackholed\n3 dropped in wan1 blackholed\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char events[128], lines[256];

        play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, 5, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, 6, "udp 198.51.100.1:53 > 192.168.10.5:5000");
        play_packet(p, 15, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        snprintf(events, sizeof events,
                 "[{'at': '5s', 'for': '10s', 'kind': '%s', 'wan': 'wan1'}]",
                 rows[i].kind);
        snprintf(lines, sizeof lines,
                 "1 delivered out wan1 as 100.64.1.2:5000\n%s"
                 "4 delivered out wan1 as 100.64.1.2:5000\n",
                 rows[i].lines);
        play_run(p, &(struct play_text){.events = events});
        play_expect_packets(p, rows[i].kind, lines);
        play_destroy(p);
    }
}

static void a_changed_address_is_what_new_connections_get(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 11, "udp 192.168.10.5:5001 > 198.51.100.1:53");
    play_packet(p, 61, "udp 192.168.10.5:5002 > 198.51.100.1:53");
    play_run(p, &(struct play_text){
                    .events = "[{'at': '10s', 'for': '50s', 'kind': 'address-change',"
                              " 'wan': 'wan1', 'address': '100.64.1.9/24'}]"});
    play_expect_packets(p, "address change",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered out wan1 as 100.64.1.9:5001\n"
                        "3 delivered out wan1 as 100.64.1.2:5002\n");
    play_destroy(p);
}

/* A connection from before goes on as it was, one that begins meanwhile finds the address. */
static void an_address_changed_to_itself_stays(void **state)
{
    static const struct {
        const char *when, *events;
    } rows[] = {
        {"for good", "[{'at': '10s', 'kind': 'address-change', 'wan': 'wan1',"
                     " 'address': '100.64.1.2/24'}]"},
        {"for a while", "[{'at': '10s', 'for': '10s', 'kind': 'address-change',"
                        " 'wan': 'wan1', 'address': '100.64.1.2/24'}]"},
        {"with a longer network", "[{'at': '10s', 'for': '10s', 'kind': 'address-change',"
                                  " 'wan': 'wan1', 'address': '100.64.1.2/30'}]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();

        play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, 11, "udp 192.168.10.5:5001 > 198.51.100.1:53");
        play_packet(p, 12, "udp 198.51.100.1:53 > 192.168.10.5:5000");
        play_packet(p, 21, "udp 192.168.10.5:5002 > 198.51.100.1:53");
        play_packet(p, 22, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_run(p, &(struct play_text){.events = rows[i].events});
        play_expect_packets(p, rows[i].when,
                            "1 delivered out wan1 as 100.64.1.2:5000\n"
                            "2 delivered out wan1 as 100.64.1.2:5001\n"
                            "3 delivered in wan1\n"
                            "4 delivered out wan1 as 100.64.1.2:5002\n"
                            "5 delivered out wan1 as 100.64.1.2:5000\n");
        play_destroy(p);
    }
}

/* wan2's route is the better one as long as its gateway, 100.64.2.200, is on its network. */
static void another_length_of_an_address_is_another_network(void **state)
{
    struct play *p = play_create();

    (void)state;
    for (int i = 0; i < 3; i++)
        play_packet(p, 10 * i, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_run(p, &(struct play_text){
                    .nat = "[]",
                    .routes = "[{'gateway': '100.64.2.200'},"
                              " {'gateway': '100.64.1.1', 'distance': 2}]",
                    .events = "[{'at': '5s', 'for': '10s', 'kind': 'address-change',"
                              " 'wan': 'wan2', 'address': '100.64.2.2/25'}]"});
    play_expect_packets(p, "of 128 addresses only",
                        "1 delivered out wan2\n2 delivered out wan1\n"
                        "3 delivered out wan2\n");
    play_destroy(p);
}

static void routes_and_rules_that_come_and_go_lead_elsewhere(void **state)
{
    struct play *p = play_create();

    (void)state;
    for (int i = 0; i < 5; i++)
        play_packet(p, 10 * i, "udp 192.168.20.5:5000 > 198.51.100.1:53");
    play_run(p, &(struct play_text){
                    .nat = "[]",
                    .events = "[{'at': '5s', 'kind': 'route-add', 'route':"
                              " {'gateway': '100.64.2.1', 'table': 't2'}},"
                              " {'at': '15s', 'for': '10s', 'kind': 'rule-add',"
                              " 'rule': {'table': 't2', 'interface': 'dmz'}},"
                              " {'at': '35s', 'kind': 'route-remove', 'route': 0}]"});
    play_expect_packets(
        p, "config",
        "1 delivered out wan1\n2 delivered out wan1\n3 delivered out wan2\n"
        "4 delivered out wan1\n5 delivered out wan2\n");
    play_destroy(p);
}

/* What each of two events on wan1 did, when they overlap. */
static void overlapping_events_are_counted(void **state)
{
    static const struct {
        const char *when, *events;
        double first[5], second[5], up_s;
    } rows[] = {
        {"one within the other",
         "[{'at': '10s', 'for': '40s', 'kind': 'link-down', 'wan': 'wan1'},"
         " {'at': '20s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'}]",
         {10, 10, 10, 50, 50},
         {20, NEVER, NEVER, 30, NEVER},
         60},
        {"one after the other's middle",
         "[{'at': '10s', 'for': '20s', 'kind': 'link-down', 'wan': 'wan1'},"
         " {'at': '20s', 'for': '20s', 'kind': 'link-down', 'wan': 'wan1'}]",
         {10, 10, 10, 30, 40},
         {20, NEVER, NEVER, 40, NEVER},
         70},
        {"carrier and administration",
         "[{'at': '10s', 'for': '20s', 'kind': 'link-down', 'wan': 'wan1'},"
         " {'at': '20s', 'for': '20s', 'kind': 'link-down', 'wan': 'wan1', 'how': "
         "'admin'}]",
         {10, 10, 10, 30, 40},
         {20, NEVER, NEVER, 40, NEVER},
         70},
        {"one begins as the other ends",
         "[{'at': '10s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'},"
         " {'at': '20s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'}]",
         {10, 10, 10, 20, 30},
         {20, NEVER, NEVER, 30, NEVER},
         80},
        {"two apart",
         "[{'at': '10s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'},"
         " {'at': '30s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'}]",
         {10, 10, 10, 20, 20},
         {30, 30, 30, 40, 40},
         80},
        {"one that never ends",
         "[{'at': '10s', 'kind': 'link-down', 'wan': 'wan1'},"
         " {'at': '30s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'}]",
         {10, 10, 10, NEVER, NEVER},
         {30, NEVER, NEVER, 40, NEVER},
         10},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();

        play_run(p, &(struct play_text){.events = rows[i].events,
                                        .more = ", 'duration': '100s'"});
        expect_course(p, rows[i].when, 0, rows[i].first);
        expect_course(p, rows[i].when, 1, rows[i].second);
        expect_time(rows[i].when, "time up", simulation_wan_up_ns(p->sim, 0),
                    rows[i].up_s);
        play_destroy(p);
    }
}

/* A packet every 10 s from 0 to 50 s, each by the WAN whose number is given; 0: dropped. */
static void an_event_undoes_what_it_did_and_no_more(void **state)
{
    static const struct {
        const char *when;
        struct play_text text;
        unsigned ways[6];
    } rows[] = {
        {"a route is taken away twice, once within the other",
         {.events = "[{'at': '5s', 'for': '40s', 'kind': 'route-remove', 'route': 0},"
                    " {'at': '15s', 'for': '10s', 'kind': 'route-remove', 'route': 0}]"},
         {1, 2, 2, 2, 2, 1}},
        {"... one after the other's middle",
         {.events = "[{'at': '5s', 'for': '20s', 'kind': 'route-remove', 'route': 0},"
                    " {'at': '15s', 'for': '20s', 'kind': 'route-remove', 'route': 0}]"},
         {1, 2, 2, 2, 1, 1}},
        {"... and the last one is for good",
         {.events = "[{'at': '5s', 'for': '30s', 'kind': 'route-remove', 'route': 0},"
                    " {'at': '15s', 'kind': 'route-remove', 'route': 0}]"},
         {1, 2, 2, 2, 2, 2}},
        {"a rule is taken away twice",
         {.rules = "[{'action': 'drop', 'src_address': '192.168.10.5'}]",
          .events = "[{'at': '5s', 'for': '40s', 'kind': 'rule-remove', 'rule': 0},"
                    " {'at': '15s', 'for': '10s', 'kind': 'rule-remove', 'rule': 0}]"},
         {0, 1, 1, 1, 1, 0}},
        {"a disabled route is taken away",
         {.routes = "[{'gateway': '100.64.1.1', 'distance': 2},"
                    " {'gateway': '100.64.2.1', 'disabled': true}]",
          .events = "[{'at': '5s', 'for': '10s', 'kind': 'route-remove', 'route': 1}]"},
         {1, 1, 1, 1, 1, 1}},
        {"a disabled rule is taken away",
         {.rules = "[{'action': 'drop', 'src_address': '192.168.10.5',"
                   " 'disabled': true}]",
          .events = "[{'at': '5s', 'for': '10s', 'kind': 'rule-remove', 'rule': 0}]"},
         {1, 1, 1, 1, 1, 1}},
        {"a route that is not there yet is taken away",
         {.routes = "[{'gateway': '100.64.1.1', 'distance': 2}]",
          .events = "[{'at': '35s', 'kind': 'route-add', 'route':"
                    " {'gateway': '100.64.2.1', 'comment': 'late'}},"
                    " {'at': '5s', 'for': '10s', 'kind': 'route-remove',"
                    " 'route': 'late'}]"},
         {1, 1, 1, 1, 2, 2}},
        {"... and comes while it is held away",
         {.routes = "[{'gateway': '100.64.1.1', 'distance': 2}]",
          .events = "[{'at': '15s', 'kind': 'route-add', 'route':"
                    " {'gateway': '100.64.2.1', 'comment': 'late'}},"
                    " {'at': '5s', 'for': '30s', 'kind': 'route-remove',"
                    " 'route': 'late'}]"},
         {1, 1, 1, 1, 2, 2}},
        {"a rule that is not there yet is taken away",
         {.events = "[{'at': '35s', 'kind': 'rule-add', 'rule': {'action': 'drop',"
                    " 'src_address': '192.168.10.5', 'comment': 'late'}},"
                    " {'at': '5s', 'for': '10s', 'kind': 'rule-remove',"
                    " 'rule': 'late'}]"},
         {1, 1, 1, 1, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        struct play_text text = rows[i].text;
        char lines[512] = "";

        text.nat = "[]";
        for (unsigned k = 0; k < ARRAY_LEN(rows[i].ways); k++) {
            const size_t len = strlen(lines);
            const unsigned wan = rows[i].ways[k];

            play_packet(p, 10 * k, "udp 192.168.10.5:5000 > 198.51.100.1:53");
            if (wan)
                snprintf(lines + len, sizeof lines - len, "%u delivered out wan%u\n",
                         k + 1, wan);
            else
                snprintf(lines + len, sizeof lines - len, "%u dropped rule\n", k + 1);
        }
        play_run(p, &text);
        play_expect_packets(p, rows[i].when, lines);
        play_destroy(p);
    }
}

/* Whatever ends on a WAN that is disabled in the configuration, it stays down. */
static void what_is_disabled_from_the_start_stays_down(void **state)
{
    static const char *const set[] = {
        "/router/interfaces/2/disabled=true",
        "/events=[{\"at\": \"10s\", \"for\": \"10s\", \"kind\": \"link-down\","
        " \"wan\": \"wan1\", \"how\": \"admin\"},"
        " {\"at\": \"15s\", \"for\": \"10s\", \"kind\": \"link-down\","
        " \"wan\": \"wan1\"}]",
        "/expect=[]",
    };
    static const char path[] = "scenarios/001-recipe.json";
    struct diag *d = diag_create(path, NULL, 0);
    struct scenario *s = scenario_read(
        path, &(struct scenario_changes){.set = set, .set_len = ARRAY_LEN(set)}, d);
    struct simulation *sim;

    (void)state;
    assert_non_null(s);
    assert_int_equal(s->wans[0].iface, 2);
    sim = simulation_create(s);
    for (int second = 0; second <= 30; second += 5) {
        simulation_advance(sim, SECONDS(second));
        if (simulation_wan_is_up(sim, 0) ||
            router_iface(simulation_router(sim), 2)->admin_up)
            fail_msg("it is up at %d s", second);
    }
    assert_int_equal(simulation_wan_up_ns(sim, 0), 0);
    simulation_destroy(sim);
    scenario_free(s);
    diag_destroy(d);
}

static void an_event_after_the_end_never_happens(void **state)
{
    struct play *p = play_create();
    const struct event_course *c;

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 5, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_run(p, &(struct play_text){
                    .events = "[{'at': '6s', 'kind': 'link-down', 'wan': 'wan1'}]"});
    play_expect_changes(p, "after the last packet", "");
    c = simulation_event_course(p->sim, 0);
    assert_int_equal(c->began_ns, -1);
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_event_comes_and_goes),
        cmocka_unit_test(packets_die_of_what_befell_their_wan),
        cmocka_unit_test(a_changed_address_is_what_new_connections_get),
        cmocka_unit_test(an_address_changed_to_itself_stays),
        cmocka_unit_test(another_length_of_an_address_is_another_network),
        cmocka_unit_test(routes_and_rules_that_come_and_go_lead_elsewhere),
        cmocka_unit_test(overlapping_events_are_counted),
        cmocka_unit_test(an_event_undoes_what_it_did_and_no_more),
        cmocka_unit_test(what_is_disabled_from_the_start_stays_down),
        cmocka_unit_test(an_event_after_the_end_never_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
