/* Events with a longer course than "it broke, it was whole again". */
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

static void expect_time(const char *when, const char *what, int64_t got_ns,
                        double seconds)
{
    const int64_t expected = seconds < 0 ? -1 : SECONDS(seconds);

    if (got_ns != expected)
        fail_msg("%s: %s at %.9f s, not %.9f", when, what, (double)got_ns / 1e9, seconds);
}

/* began, detected, effective, ended, recovered */
static void expect_times(const char *when, const struct event_course *c,
                         const double times[5])
{
    expect_time(when, "began", c->began_ns, times[0]);
    expect_time(when, "detected", c->detected_ns, times[1]);
    expect_time(when, "effective", c->effective_ns, times[2]);
    expect_time(when, "ended", c->ended_ns, times[3]);
    expect_time(when, "recovered", c->recovered_ns, times[4]);
}

static void expect_course(const struct play *p, const char *when, int event,
                          const double times[5])
{
    expect_times(when, simulation_event_course(p->sim, event), times);
}

static const char direct[] = "[{'gateway': '100.64.1.1', 'check_gateway': 'ping'},"
                             " {'gateway': '100.64.2.1', 'distance': 2}]";

/* ------------------------------------------------------------------------- shared risk */

static void one_event_takes_all_its_wans(void **state)
{
    static const struct {
        const char *kind, *changes, *lines;
        double course[5];
    } rows[] = {
        {"link-down",
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n10 loss wan2 v4 #0\n"
         "10 loss wan2 v6 #0\n20 ends #0\n20 return wan1 v4 #0\n20 return wan1 v6 #0\n"
         "20 return wan2 v4 #0\n20 return wan2 v6 #0\n",
         "2 dropped no-route\n",
         {10, 10, 10, 20, 20}},
        {"blackhole", "10 begins #0\n10 mark wan2 #0\n20 ends #0\n20 mark wan2 #0\n",
         "2 dropped out wan1 blackholed\n",
         {10, NEVER, NEVER, 20, NEVER}},
        {"gateway-down", "10 begins #0\n10 mark wan2 #0\n20 ends #0\n20 mark wan2 #0\n",
         "2 dropped out wan1 gateway-down\n",
         {10, NEVER, NEVER, 20, NEVER}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char events[160], lines[256];

        play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, 15, "udp 192.168.10.5:5001 > 198.51.100.1:53");
        play_packet(p, 25, "udp 192.168.10.5:5002 > 198.51.100.1:53");
        snprintf(events, sizeof events,
                 "[{'at': '10s', 'for': '10s', 'kind': '%s', 'wan': ['wan2', 'wan1']}]",
                 rows[i].kind);
        snprintf(lines, sizeof lines,
                 "1 delivered out wan1 as 100.64.1.2:5000\n%s"
                 "3 delivered out wan1 as 100.64.1.2:5002\n",
                 rows[i].lines);
        play_run(p, &(struct play_text){.events = events});
        play_expect_changes(p, rows[i].kind, rows[i].changes);
        play_expect_packets(p, rows[i].kind, lines);
        expect_course(p, rows[i].kind, 0, rows[i].course);
        play_destroy(p);
    }
}

/* Each WAN's gateway is probed apart: known with the first, effective with the last. */
static void a_shared_fault_is_known_by_its_first_wan_and_effective_with_its_last(void **state)
{
    struct play *p = play_create();
    int64_t known[2], back[2];
    const struct event_course *c;

    (void)state;
    play_prepare(p, &(struct play_text){
                        .routes = "[{'gateway': '100.64.1.1', 'check_gateway': 'ping'},"
                                  " {'gateway': '100.64.2.1', 'check_gateway': 'ping'}]",
                        .events = "[{'at': '30s', 'for': '60s', 'kind': 'gateway-down',"
                                  " 'wan': ['wan1', 'wan2']}]",
                        .more = ", 'duration': '200s'"});
    for (size_t i = 0; i < 2; i++) {
        const int64_t phase = router_check_next_ns(simulation_router(p->sim), i);

        known[i] = probe_from(phase, SECONDS(10), SECONDS(30)) + SECONDS(11);
        back[i] = probe_from(phase, SECONDS(10), SECONDS(90));
    }
    assert_true(known[0] != known[1]);
    run(p);
    c = simulation_event_course(p->sim, 0);
    assert_int_equal(c->detected_ns, known[0] < known[1] ? known[0] : known[1]);
    assert_int_equal(c->effective_ns, known[0] < known[1] ? known[1] : known[0]);
    assert_int_equal(c->recovered_ns, back[0] < back[1] ? back[1] : back[0]);
    play_destroy(p);
}

/* --------------------------------------------------------------------------- flapping */

static void a_flap_is_one_event_with_its_outages(void **state)
{
    static const struct {
        const char *when, *event, *changes;
        double course[5];
        size_t outages;
        double outage[3][5];
        double down_s, up_s;
    } rows[] = {
        {"a count",
         "'period': '10s', 'duty': 0.3, 'count': 3",
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "13 return wan1 v4 #0\n13 return wan1 v6 #0\n"
         "20 loss wan1 v4 #0\n20 loss wan1 v6 #0\n"
         "23 return wan1 v4 #0\n23 return wan1 v6 #0\n"
         "30 loss wan1 v4 #0\n30 loss wan1 v6 #0\n"
         "33 ends #0\n33 return wan1 v4 #0\n33 return wan1 v6 #0\n",
         {10, 10, 10, 33, 33},
         3,
         {{10, 10, 10, 13, 13}, {20, 20, 20, 23, 23}, {30, 30, 30, 33, 33}},
         9,
         91},
        {"a time that ends within an outage",
         "'period': '20s', 'for': '25s'",
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "20 return wan1 v4 #0\n20 return wan1 v6 #0\n"
         "30 loss wan1 v4 #0\n30 loss wan1 v6 #0\n"
         "35 ends #0\n35 return wan1 v4 #0\n35 return wan1 v6 #0\n",
         {10, 10, 10, 35, 35},
         2,
         {{10, 10, 10, 20, 20}, {30, 30, 30, 35, 35}},
         15,
         85},
        {"a time that ends between outages",
         "'period': '20s', 'for': '15s'",
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "20 return wan1 v4 #0\n20 return wan1 v6 #0\n25 ends #0\n25 mark wan1 #0\n",
         {10, 10, 10, 25, 20},
         1,
         {{10, 10, 10, 20, 20}},
         10,
         90},
        {"one",
         "'period': '20s', 'count': 1",
         "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "20 return wan1 v4 #0\n20 return wan1 v6 #0\n20 ends #0\n20 mark wan1 #0\n",
         {10, 10, 10, 20, 20},
         1,
         {{10, 10, 10, 20, 20}},
         10,
         90},
        {"of the world behind the gateway: nothing that a route could tell",
         "'period': '40s', 'count': 2, 'what': 'blackhole'",
         "10 begins #0\n10 mark wan1 #0\n30 mark wan1 #0\n50 mark wan1 #0\n"
         "70 ends #0\n70 mark wan1 #0\n",
         {10, NEVER, NEVER, 70, NEVER},
         2,
         {{10, NEVER, NEVER, 30, NEVER}, {50, NEVER, NEVER, 70, NEVER}},
         40,
         100},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        const struct course_outages *o;
        char events[256];

        snprintf(events, sizeof events,
                 "[{'at': '10s', 'kind': 'flap', 'wan': 'wan1', %s}]", rows[i].event);
        play_run(p,
                 &(struct play_text){.events = events, .more = ", 'duration': '100s'"});
        play_expect_changes(p, rows[i].when, rows[i].changes);
        expect_course(p, rows[i].when, 0, rows[i].course);
        o = simulation_event_outages(p->sim, 0);
        assert_int_equal(o->count, rows[i].outages);
        for (size_t k = 0; k < rows[i].outages; k++)
            expect_times(rows[i].when, &o->kept[k], rows[i].outage[k]);
        expect_time(rows[i].when, "down for",
                    course_outages_down_ns(o, SECONDS(100)), rows[i].down_s);
        expect_time(rows[i].when, "up for", simulation_wan_up_ns(p->sim, 0),
                    rows[i].up_s);
        play_destroy(p);
    }
}

/* Silence of four intervals of 200 ms: noticed 0.6 to 0.8 s later, or never within 0.5 s. */
static void a_flap_is_noticed_when_its_outages_last(void **state)
{
    static const struct {
        const char *duty;
        unsigned detected;
    } rows[] = {{"0.2", 5}, {"0.05", 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        const struct course_outages *o;
        char events[256];

        snprintf(events, sizeof events,
                 "[{'at': '10s', 'kind': 'flap', 'wan': 'wan1', 'period': '10s',"
                 " 'count': 5, 'what': 'gateway-down', 'duty': %s}]",
                 rows[i].duty);
        play_run(p, &(struct play_text){
                        .routes = "[{'gateway': '100.64.1.1', 'check_gateway': 'bfd'},"
                                  " {'gateway': '100.64.2.1', 'distance': 2}]",
                        .router = ", 'check_gateway': {'bfd': {'multiplier': 4}}",
                        .events = events,
                        .more = ", 'duration': '100s'"});
        o = simulation_event_outages(p->sim, 0);
        assert_int_equal(o->count, 5);
        assert_int_equal(o->detected, rows[i].detected);
        for (size_t k = 0; k < 5 && rows[i].detected; k++) {
            const int64_t took = o->kept[k].detected_ns - o->kept[k].began_ns;
            const int64_t back = o->kept[k].recovered_ns - o->kept[k].ended_ns;

            assert_true(took >= SECONDS(.6) && took <= SECONDS(.8));
            assert_true(back >= 0 && back <= SECONDS(.2));
        }
        play_destroy(p);
    }
}

struct told {
    char text[256];
    size_t length;
};

static void tell(struct told *t, const char *what, bool begins, int64_t time_ns)
{
    t->length += (size_t)snprintf(t->text + t->length, sizeof t->text - t->length,
                                  "%s%s%g", what, begins ? "+" : "-", (double)time_ns / 1e9);
}

static void note_event(void *context, int event, bool begins, int64_t time_ns)
{
    (void)event;
    tell(context, " event", begins, time_ns);
}

static void note_outage(void *context, int event, bool begins, int64_t time_ns)
{
    (void)event;
    tell(context, " ", begins, time_ns);
}

static void note_nothing(void *context, const struct observation *o)
{
    (void)context, (void)o;
}

/* Also the last one, which the event's end cuts short. */
static void each_outage_is_told_within_its_event(void **state)
{
    struct play *p = play_create();
    struct told told = {.length = 0};
    const struct observer o = {.packet = note_nothing,
                               .event = note_event,
                               .outage = note_outage,
                               .context = &told};
    char error[256];

    (void)state;
    play_prepare(p, &(struct play_text){
                        .events = "[{'at': '10s', 'kind': 'flap', 'wan': 'wan1',"
                                  " 'period': '10s', 'for': '21s'}]",
                        .more = ", 'duration': '100s'"});
    simulation_observe(p->sim, &o);
    assert_true(simulation_run(p->sim, error, sizeof error));
    assert_string_equal(told.text, " event+10 +10 -15 +20 -25 +30 event-31 -31");
    play_destroy(p);
}

/* Every 20 s, for 5 s: the times are those of a flap, but counted from each end. */
static void outages_of_constant_times_come_in_turn(void **state)
{
    struct play *p = play_create();
    const struct course_outages *o;

    (void)state;
    play_run(p, &(struct play_text){
                    .events = "[{'at': '10s', 'kind': 'outages', 'wan': 'wan1',"
                              " 'between': {'law': 'constant', 'mean': '20s'},"
                              " 'repair': {'law': 'constant', 'mean': '5s'}, 'for': '60s'}]",
                    .more = ", 'duration': '100s'"});
    o = simulation_event_outages(p->sim, 0);
    assert_int_equal(o->count, 2);
    expect_times("first", &o->kept[0], (const double[]){30, 30, 30, 35, 35});
    expect_times("second", &o->kept[1], (const double[]){55, 55, 55, 60, 60});
    expect_course(p, "the event", 0, (const double[]){10, 30, 30, 70, 60});
    play_destroy(p);
}

/*
 * Up for a day, down for an hour in the mean, ten years long: 3504 outages, give or take three
 * times the root of so many, and 4 % of the time down. Other events change nothing, another
 * seed and another name everything.
 */
static void outages_at_random_are_the_events_own(void **state)
{
    static const struct {
        const char *when, *name, *more, *others;
        bool alike;
    } rows[] = {
        {"once", "a", "", "", true},
        {"again", "a", "", "", true},
        {"beside others", "a", "",
         "{'at': '1s', 'kind': 'outages', 'wan': 'wan2', 'between': {'law': 'weibull',"
         " 'mean': '20d', 'shape': 0.7}, 'repair': {'law': 'lognormal', 'mean': '2h',"
         " 'sigma': 1}}, ",
         true},
        {"with another seed", "a", ", 'seed': 2", "", false},
        {"by another name", "b", "", "", false},
    };
    int64_t first_ns = -1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        const struct course_outages *o;
        char events[640], more[64];
        struct simulation *sim;
        double down;
        int own;

        snprintf(events, sizeof events,
                 "[%s{'at': '2s', 'kind': 'outages', 'wan': 'wan1', 'name': '%s',"
                 " 'between': {'law': 'exponential', 'mean': '1d'},"
                 " 'repair': {'law': 'exponential', 'mean': '1h'}}]",
                 rows[i].others, rows[i].name);
        snprintf(more, sizeof more, ", 'duration': '3650d'%s", rows[i].more);
        play_prepare(p, &(struct play_text){.events = events, .more = more});
        sim = simulation_create(p->scenario);
        simulation_advance(sim, SECONDS(315360000.0));
        own = (int)p->scenario->events_len - 1;
        o = simulation_event_outages(sim, own);
        down = (double)course_outages_down_ns(o, SECONDS(315360000.0)) / 1e9;
        assert_true(o->count > 3504 - 178 && o->count < 3504 + 178);
        assert_int_equal(o->detected, o->count);
        assert_true(down / 315360000 > .04 * .92 && down / 315360000 < .04 * 1.08);
        if (i == 0)
            first_ns = o->kept[0].began_ns;
        if ((o->kept[0].began_ns == first_ns) != rows[i].alike)
            fail_msg("%s", rows[i].when);
        simulation_destroy(sim);
        play_destroy(p);
    }
}

/* ---------------------------------------------------------------------- new addresses */

/* A flow that goes on, and one that begins each time, at 5, 15 and 25 s. */
static void a_new_lease_brings_its_address_and_gateway(void **state)
{
    static const struct {
        const char *when, *platform, *event, *changes, *lines;
        double course[5];
    } rows[] = {
        {"another network, after a gap",
         "routeros7",
         "'kind': 'lease-change', 'address': '198.18.5.2/24', 'gateway': '198.18.5.1',"
         " 'gap': '10s'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n"
         "20 ends #0\n20 address wan1 v4 #0\n20 return wan1 v4 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan1 as 198.18.5.2:5002\n4 delivered out wan1 as 198.18.5.2:5000\n",
         {10, 10, 10, 20, 20}},
        {"... Linux, which deletes the routes of an interface without an address",
         "linux",
         "'kind': 'lease-change', 'address': '198.18.5.2/24', 'gateway': '198.18.5.1',"
         " 'gap': '10s'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n"
         "20 ends #0\n20 address wan1 v4 #0\n20 return wan1 v4 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan1 as 198.18.5.2:5002\n4 delivered out wan1 as 198.18.5.2:5000\n",
         {10, 10, 10, 20, 20}},
        {"... and has them back by the same gateway too",
         "linux",
         "'kind': 'lease-change', 'address': '100.64.1.9/24', 'gap': '10s'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n"
         "20 ends #0\n20 address wan1 v4 #0\n20 return wan1 v4 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan1 as 100.64.1.9:5002\n4 delivered out wan1 as 100.64.1.9:5000\n",
         {10, 10, 10, 20, 20}},
        {"another network, at once",
         "linux",
         "'kind': 'lease-change', 'address': '198.18.5.2/24', 'gateway': '198.18.5.1'",
         "10 begins #0\n10 address wan1 v4 #0\n10 ends #0\n10 address wan1 v4 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan1 as 198.18.5.2:5001\n"
         "3 delivered out wan1 as 198.18.5.2:5002\n4 delivered out wan1 as 198.18.5.2:5000\n",
         {10, 10, 10, 10, 10}},
        {"another network, the old gateway: nothing leads there",
         "routeros7",
         "'kind': 'lease-change', 'address': '198.18.5.2/24'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n10 ends #0\n"
         "10 address wan1 v4 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan2 as 100.64.2.2:5002\n4 delivered out wan2 as 100.64.2.2:5000\n",
         {10, 10, 10, 10, 10}},
        {"a session that comes back as it was",
         "routeros7",
         "'kind': 'pppoe-reconnect', 'gap': '10s'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "20 ends #0\n20 address wan1 v4 #0\n20 return wan1 v4 #0\n20 return wan1 v6 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan1 as 100.64.1.2:5002\n4 delivered out wan1 as 100.64.1.2:5000\n",
         {10, 10, 10, 20, 20}},
        {"a session that comes back as it was, on a device made anew",
         "linux",
         "'kind': 'pppoe-reconnect', 'gap': '10s'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "20 ends #0\n20 address wan1 v4 #0\n20 return wan1 v4 #0\n20 return wan1 v6 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan1 as 100.64.1.2:5002\n4 delivered out wan1 as 100.64.1.2:5000\n",
         {10, 10, 10, 20, 20}},
        {"a session that comes back elsewhere",
         "linux",
         "'kind': 'pppoe-reconnect', 'gap': '10s', 'address': '198.18.5.2/24',"
         " 'gateway': '198.18.5.1'",
         "10 begins #0\n10 address wan1 v4 #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
         "20 ends #0\n20 address wan1 v4 #0\n20 return wan1 v4 #0\n20 return wan1 v6 #0\n",
         "1 delivered out wan1 as 100.64.1.2:5000\n2 delivered out wan2 as 100.64.2.2:5001\n"
         "3 delivered out wan1 as 198.18.5.2:5002\n4 delivered out wan1 as 198.18.5.2:5000\n",
         {10, 10, 10, 20, 20}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char events[256];

        play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
        play_packet(p, 15, "udp 192.168.10.5:5001 > 203.0.113.9:53");
        play_packet(p, 25, "udp 192.168.10.5:5002 > 203.0.113.9:53");
        play_packet(p, 26, "udp 192.168.10.5:5000 > 203.0.113.9:53");
        snprintf(events, sizeof events, "[{'at': '10s', 'wan': 'wan1', %s}]",
                 rows[i].event);
        play_run(p, &(struct play_text){.platform = rows[i].platform, .events = events});
        play_expect_packets(p, rows[i].when, rows[i].lines);
        play_expect_changes(p, rows[i].when, rows[i].changes);
        expect_course(p, rows[i].when, 0, rows[i].course);
        play_destroy(p);
    }
}

/* The second lease takes over what the first one wrote; then the file's route 0 goes. */
static void leases_follow_one_another(void **state)
{
    static const char *const platforms[] = {"routeros7", "linux"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(platforms); i++) {
        struct play *p = play_create();

        play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
        play_packet(p, 10, "udp 192.168.10.5:5001 > 203.0.113.9:53");
        play_packet(p, 20, "udp 192.168.10.5:5002 > 203.0.113.9:53");
        play_packet(p, 30, "udp 192.168.10.5:5003 > 203.0.113.9:53");
        play_run(p, &(struct play_text){
                        .platform = platforms[i],
                        .events =
                            "[{'at': '5s', 'wan': 'wan1', 'kind': 'lease-change',"
                            " 'address': '198.18.5.2/24', 'gateway': '198.18.5.1'},"
                            " {'at': '15s', 'wan': 'wan1', 'kind': 'lease-change',"
                            " 'address': '198.18.6.2/24', 'gateway': '198.18.6.1'},"
                            " {'at': '25s', 'kind': 'route-remove', 'route': 0}]"});
        play_expect_packets(p, platforms[i],
                            "1 delivered out wan1 as 100.64.1.2:5000\n"
                            "2 delivered out wan1 as 198.18.5.2:5001\n"
                            "3 delivered out wan1 as 198.18.6.2:5002\n"
                            "4 delivered out wan2 as 100.64.2.2:5003\n");
        play_destroy(p);
    }
}

/* The new gateway's check begins when its route comes: it is used at once. */
static void a_new_gateway_is_presumed_to_answer(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_packet(p, 50, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_run(p, &(struct play_text){
                    .routes = direct,
                    .events = "[{'at': '50s', 'wan': 'wan1', 'kind': 'lease-change',"
                              " 'address': '198.18.5.2/24', 'gateway': '198.18.5.1'}]"});
    play_expect_packets(p, "checked",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered out wan1 as 198.18.5.2:5000\n");
    play_destroy(p);
}

/* ------------------------------------------------------------------------- the router */

static void a_router_that_restarts_forwards_nothing_and_forgets(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_packet(p, 1, "udp 203.0.113.9:53 > 192.168.10.5:5000");
    play_packet(p, 1, "udp 2001:db8:10::5:5000 > 2001:db8:f::9:53");
    play_packet(p, 11, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_packet(p, 12, "udp 203.0.113.9:53 > 192.168.10.5:5000");
    play_packet(p, 13, "udp 192.168.10.5:1 > 192.168.20.9:9");
    play_packet(p, 14, "udp 192.168.10.5:1 > 192.168.10.9:9");
    play_packet(p, 20, "udp 203.0.113.9:53 > 192.168.10.5:5000");
    play_packet(p, 21, "udp 2001:db8:f::9:53 > 2001:db8:10::5:5000");
    play_packet(p, 22, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_packet(p, 23, "udp 203.0.113.9:53 > 192.168.10.5:5000");
    play_run(p, &(struct play_text){
                    .events = "[{'at': '10s', 'for': '10s', 'kind': 'reboot'}]"});
    play_expect_packets(p, "reboot",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered in wan1\n"
                        "3 delivered out wan1\n"
                        "4 dropped router-down\n"
                        "5 dropped router-down\n"
                        "6 dropped router-down\n"
                        "7 unrouted same-segment\n"
                        "8 dropped in wan1 no-connection\n"
                        "9 delivered in wan1\n"
                        "10 delivered out wan1 as 100.64.1.2:5000\n"
                        "11 delivered in wan1\n");
    play_expect_changes(p, "reboot", "10 begins #0\n10 mark #0\n20 ends #0\n20 config #0\n");
    expect_course(p, "reboot", 0, (const double[]){10, NEVER, NEVER, 20, 20});
    play_destroy(p);
}

/* What the check knew is lost with the restart: the dead gateway is used until it is known anew. */
static void checks_begin_anew_with_the_router(void **state)
{
    struct play *p = play_create();
    struct router *r;
    int64_t phase;

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 203.0.113.9:53");
    play_packet(p, 49, "udp 192.168.10.5:5001 > 203.0.113.9:53");
    play_packet(p, 60, "udp 192.168.10.5:5002 > 203.0.113.9:53");
    play_packet(p, 81, "udp 192.168.10.5:5003 > 203.0.113.9:53");
    play_prepare(p, &(struct play_text){
                        .routes = direct,
                        .events = "[{'at': '10s', 'kind': 'gateway-down', 'wan': 'wan1'},"
                                  " {'at': '50s', 'for': '10s', 'kind': 'reboot'}]"});
    r = simulation_router(p->sim);
    run(p);
    phase = router_check_next_ns(r, 0) % SECONDS(10);
    assert_true(phase > 0);
    play_expect_packets(p, "checks",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered out wan2 as 100.64.2.2:5001\n"
                        "3 dropped out wan1 gateway-down\n"
                        "4 delivered out wan2 as 100.64.2.2:5003\n");
    play_destroy(p);
}

/* A hundred flows over two equal WANs: about half of them hash elsewhere under another seed. */
static void a_restart_can_draw_another_hash_seed(void **state)
{
    static const struct {
        const char *when, *event;
        bool moves;
    } rows[] = {
        {"the seed is given", "", false},
        {"given, and drawn anew", ", 'redraw_hash': true", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char events[128];
        unsigned moved = 0;

        for (int k = 0; k < 200; k++) {
            char packet[96];

            snprintf(packet, sizeof packet, "udp 192.168.10.5:%d > 203.0.113.9:53",
                     5000 + k % 100);
            play_packet(p, k < 100 ? 1 : 20, packet);
        }
        snprintf(events, sizeof events, "[{'at': '5s', 'for': '5s', 'kind': 'reboot'%s}]",
                 rows[i].event);
        play_run(p, &(struct play_text){.routes = "[{'gateway': '100.64.1.1'},"
                                                  " {'gateway': '100.64.2.1'}]",
                                        .events = events});
        for (int k = 0; k < 100; k++) {
            char first[32], second[32];
            const char *a, *b;

            snprintf(first, sizeof first, "%s%d delivered out wan", k ? "\n" : "", k + 1);
            snprintf(second, sizeof second, "\n%d delivered out wan", k + 101);
            a = strstr(p->packets, first);
            b = strstr(p->packets, second);
            assert_true(a && b);
            moved += a[strlen(first)] != b[strlen(second)];
        }
        if (rows[i].moves ? moved < 30 || moved > 70 : moved != 0)
            fail_msg("%s: %u of 100 moved", rows[i].when, moved);
        play_destroy(p);
    }
}

/* ------------------------------------------------------------------------- in turn */

static void each_wan_and_each_pair_fail_in_turn(void **state)
{
    static const struct {
        const char *event;
        struct {
            const char *name;
            double at;
            uint8_t kind;
            int first;
            size_t wans;
        } events[3];
        size_t len;
    } rows[] = {
        {"'kind': 'each-wan', 'for': '5s'",
         {{"each-wan1", 10, EVENT_LINK_DOWN, 0, 1}, {"each-wan2", 20, EVENT_LINK_DOWN, 1, 1}},
         2},
        {"'kind': 'each-wan', 'for': '5s', 'spacing': '30s', 'what': 'blackhole',"
         " 'name': 'n'",
         {{"n-wan1", 10, EVENT_BLACKHOLE, 0, 1}, {"n-wan2", 40, EVENT_BLACKHOLE, 1, 1}},
         2},
        {"'kind': 'each-pair', 'for': '5s', 'what': 'gateway-down', 'name': 'two'",
         {{"two-wan1-wan2", 10, EVENT_GATEWAY_DOWN, 0, 2}},
         1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char events[256];

        snprintf(events, sizeof events, "[{'at': '10s', %s}]", rows[i].event);
        play_run(p,
                 &(struct play_text){.events = events, .more = ", 'duration': '100s'"});
        assert_int_equal(p->scenario->events_len, rows[i].len);
        for (size_t k = 0; k < rows[i].len; k++) {
            const struct scenario_event *e = &p->scenario->events[k];
            const struct event_course *c = simulation_event_course(p->sim, (int)k);

            assert_string_equal(e->name, rows[i].events[k].name);
            assert_int_equal(e->kind, rows[i].events[k].kind);
            assert_int_equal(e->wan, rows[i].events[k].first);
            assert_int_equal(scenario_event_wans(e), rows[i].events[k].wans);
            assert_int_equal(c->began_ns, SECONDS(rows[i].events[k].at));
            assert_int_equal(c->ended_ns, SECONDS(rows[i].events[k].at + 5));
        }
        play_destroy(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event_takes_all_its_wans),
        cmocka_unit_test(
            a_shared_fault_is_known_by_its_first_wan_and_effective_with_its_last),
        cmocka_unit_test(a_flap_is_one_event_with_its_outages),
        cmocka_unit_test(a_flap_is_noticed_when_its_outages_last),
        cmocka_unit_test(each_outage_is_told_within_its_event),
        cmocka_unit_test(outages_of_constant_times_come_in_turn),
        cmocka_unit_test(outages_at_random_are_the_events_own),
        cmocka_unit_test(each_wan_and_each_pair_fail_in_turn),
        cmocka_unit_test(a_router_that_restarts_forwards_nothing_and_forgets),
        cmocka_unit_test(checks_begin_anew_with_the_router),
        cmocka_unit_test(a_restart_can_draw_another_hash_seed),
        cmocka_unit_test(a_new_lease_brings_its_address_and_gateway),
        cmocka_unit_test(leases_follow_one_another),
        cmocka_unit_test(a_new_gateway_is_presumed_to_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
