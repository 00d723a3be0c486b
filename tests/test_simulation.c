#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/observe/decisions.h"
#include "sim/observe/expect.h"
#include "sim/observe/metrics.h"
#include "sim/report/report.h"
#include "tests/play.h"
#include "tests/routers.h"
#include "tests/words.h"

static const char recipe[] = "scenarios/001-recipe.json";

/* ------------------------------------------------------------------------------- order */

/* Two captures that begin at one time: the first one's packets come first at each instant. */
static void streams_are_merged_by_time_the_first_of_equals_first(void **state)
{
    static const char *const packets[] = {
        "udp 192.168.10.5:1 > 192.168.20.1:9", "udp 192.168.10.5:2 > 192.168.20.9:9",
        "udp 192.168.10.5:3 > 192.168.10.9:9", "udp 192.168.10.5:4 > 224.0.0.1:9",
        "udp 203.0.113.1:5 > 198.51.100.1:9",
    };
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, packets[0]);
    play_packet(p, 2, packets[3]);
    play_packet(p, 2, packets[0]);
    play_capture(p);
    play_packet(p, 0, packets[1]);
    play_packet(p, 1, packets[2]);
    play_packet(p, 2, packets[4]);
    play_run(p, &(struct play_text){.platform = NULL});
    play_expect_packets(p, "merged",
                        "1 local\n2 delivered\n3 unrouted same-segment\n"
                        "4 unrouted multicast\n5 local\n6 unrouted foreign\n");
    play_destroy(p);
}

/* More than several batches of two streams, each a packet every 2 ms, the second 1 ms later. */
static void long_streams_take_turns(void **state)
{
    enum { PACKETS = 1000 };
    struct play *p = play_create();
    char *expected = mem_alloc(PLAY_TEXT_MAX, 1);
    size_t len = 0;

    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        play_capture(p);
        if (stream == 1) /* both captures begin at 0 s */
            play_packet(p, 0, "udp 192.168.10.5:1 > 192.168.10.9:9");
        for (int i = 0; i < PACKETS / 2; i++)
            play_packet(p, .002 * i + .001 * stream,
                        stream ? "udp 192.168.10.5:1 > 192.168.20.1:9"
                               : "udp 192.168.10.5:1 > 192.168.20.9:9");
    }
    p->packets[0] = '\0';
    play_run(p, &(struct play_text){.platform = NULL});
    for (int i = 0; i < PACKETS + 1; i++) {
        const bool first_extra = i == 1;
        const bool of_first = i == 0 || (i > 1 && i % 2 == 1);

        len += (size_t)snprintf(expected + len, PLAY_TEXT_MAX - len, "%d %s\n", i + 1,
                                first_extra ? "unrouted same-segment"
                                : of_first  ? "delivered"
                                            : "local");
        assert_true(len < PLAY_TEXT_MAX);
    }
    play_expect_packets(p, "turns", expected);
    mem_free(expected);
    play_destroy(p);
}

/* An event at the very time of a packet comes before it; events at one time in the file's order. */
static void timers_come_before_packets_of_their_instant(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:1 > 198.51.100.1:9");
    play_packet(p, 10, "udp 192.168.10.5:2 > 198.51.100.1:9");
    play_packet(p, 20, "udp 192.168.10.5:3 > 198.51.100.1:9");
    play_run(p,
             &(struct play_text){
                 .events =
                     "[{'at': '20s', 'kind': 'blackhole', 'wan': 'wan2'},"
                     " {'at': '10s', 'for': '10s', 'kind': 'link-down', 'wan': 'wan1'},"
                     " {'at': '10s', 'for': '5s', 'kind': 'blackhole', 'wan': 'wan2'}]"});
    play_expect_packets(p, "at 10 s and 20 s",
                        "1 delivered out wan1 as 100.64.1.2:1\n"
                        "2 dropped out wan2 blackholed\n"
                        "3 delivered out wan1 as 100.64.1.2:3\n");
    play_expect_changes(p, "at 10 s and 20 s",
                        "10 begins #0\n10 loss wan1 v4 #0\n10 loss wan1 v6 #0\n"
                        "10 begins #1\n10 mark wan2 #1\n15 ends #1\n15 mark wan2 #1\n"
                        "20 begins #2\n20 mark wan2 #2\n"
                        "20 ends #0\n20 return wan1 v4 #0\n20 return wan1 v6 #0\n");
    play_destroy(p);
}

static void the_run_ends_with_its_duration(void **state)
{
    static const struct {
        const char *when, *more;
        unsigned packets;
        double end_s;
    } rows[] = {
        {"none: with the traffic", "", 4, 30},
        {"within the traffic", ", 'duration': '15s'", 2, 15},
        {"at a packet's time", ", 'duration': '20s'", 3, 20},
        {"after the traffic", ", 'duration': '100s'", 4, 100},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();

        for (int k = 0; k < 4; k++)
            play_packet(p, 10 * k, "udp 192.168.10.5:1 > 198.51.100.1:9");
        play_run(p, &(struct play_text){.more = rows[i].more});
        if (simulation_packets(p->sim) != rows[i].packets ||
            simulation_now_ns(p->sim) != SECONDS(rows[i].end_s))
            fail_msg("%s: %u packets, %g s", rows[i].when,
                     (unsigned)simulation_packets(p->sim),
                     (double)simulation_now_ns(p->sim) / 1e9);
        play_destroy(p);
    }
}

/* Starts and speeds: packets at 0 s and 10 s, twice as fast from 5 s on, are at 5 s and 10 s. */
static void traffic_starts_and_hurries_as_told(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:1 > 198.51.100.1:9");
    play_packet(p, 10, "udp 192.168.10.5:2 > 198.51.100.1:9");
    play_run(p, &(struct play_text){.traffic = ", 'start': '5s', 'speed': 2"});
    assert_int_equal(simulation_now_ns(p->sim), SECONDS(10));
    play_destroy(p);
}

/*
 * More than nine years without a packet, then a gateway that dies: a run that told each probe of
 * BFD, every 200 ms, would take hours. What the checks make of it is as soon as ever.
 */
static void years_without_packets_pass_at_once(void **state)
{
    static const struct {
        const char *check;
        double soonest, latest; /* after the failure */
    } rows[] = {{"ping", 11, 21}, {"arp", 11, 21}, {"bfd", .8, 1}};
    const double jump = 300000000, failure = jump + 30;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        const struct event_course *c;
        char routes[256];

        snprintf(routes, sizeof routes,
                 "[{'gateway': '100.64.1.1', 'check_gateway': '%s'},"
                 " {'gateway': '100.64.2.1', 'distance': 2}]",
                 rows[i].check);
        play_packet(p, 0, "udp 192.168.10.5:1 > 198.51.100.1:9");
        play_packet(p, jump, "udp 192.168.10.5:2 > 198.51.100.1:9");
        play_packet(p, failure + 60, "udp 192.168.10.5:3 > 198.51.100.1:9");
        play_run(p, &(struct play_text){
                        .routes = routes,
                        .events = "[{'at': '300000030s', 'kind': 'gateway-down',"
                                  " 'wan': 'wan1'}]"});
        c = simulation_event_course(p->sim, 0);
        if (c->detected_ns < SECONDS(failure + rows[i].soonest) ||
            c->detected_ns > SECONDS(failure + rows[i].latest))
            fail_msg("%s: known %.9f s after the failure", rows[i].check,
                     (double)(c->detected_ns - SECONDS(failure)) / 1e9);
        play_expect_packets(p, rows[i].check,
                            "1 delivered out wan1 as 100.64.1.2:1\n"
                            "2 delivered out wan1 as 100.64.1.2:2\n"
                            "3 delivered out wan2 as 100.64.2.2:3\n");
        play_destroy(p);
    }
}

static void a_capture_that_cannot_be_read_on_ends_the_run(void **state)
{
    struct play *p = play_create();
    char error[512] = "", path[PLAY_PATH_MAX + 32];

    (void)state;
    for (int k = 0; k < 4; k++)
        play_packet(p, k, "udp 192.168.10.5:1 > 198.51.100.1:9");
    play_prepare(p, &(struct play_text){.platform = NULL});
    snprintf(path, sizeof path, "%s/0.pcap", p->folder);
    pcapfile_save(path, p->captures[0]->data, p->captures[0]->size - 5);
    assert_false(simulation_run(p->sim, error, sizeof error));
    assert_non_null(strstr(error, "0.pcap"));
    play_destroy(p);
}

/* --------------------------------------------------------------------- whole scenarios */

static struct scenario *recipe_read(const struct scenario_changes *changes)
{
    struct diag *d = diag_create(recipe, NULL, 0);
    struct scenario *s = scenario_read(recipe, changes, d);

    diag_print(d, stderr);
    diag_destroy(d);
    assert_non_null(s);
    return s;
}

/* What a run writes: the result as text, and its decisions. The caller frees both. */
struct written {
    char *result, *decisions;
    size_t result_len, decisions_len;
};

static json_t *run_scenario(const struct scenario *s, struct written *w)
{
    struct simulation *sim = simulation_create(s);
    struct metrics *m = metrics_create(s, simulation_router(sim));
    const struct observer watching = metrics_observer(m);
    FILE *csv = open_memstream(&w->decisions, &w->decisions_len), *text;
    struct decisions decisions = {0};
    struct observer writing;
    char error[512] = "";
    json_t *result;

    decisions_begin(&decisions, csv, &s->router);
    writing = decisions_observer(&decisions);
    simulation_observe(sim, &watching);
    simulation_observe(sim, &writing);
    if (!simulation_run(sim, error, sizeof error))
        fail_msg("%s", error);
    result = metrics_result(m, sim);
    fclose(csv);
    text = open_memstream(&w->result, &w->result_len);
    assert_true(report_draw_json(result, &(struct report_options){0}, text));
    fclose(text);
    metrics_destroy(m);
    simulation_destroy(sim);
    return result;
}

static void written_free(struct written *w)
{
    free(w->result);
    free(w->decisions);
}

static double number(json_t *result, const char *pointer)
{
    json_t *value = expect_find(result, pointer);

    if (!json_is_number(value))
        fail_msg("%s: no number", pointer);
    return json_number_value(value);
}

static double sum_of(json_t *result, const char *pointer)
{
    json_t *object = expect_find(result, pointer), *value;
    const char *key;
    double sum = 0;

    json_object_foreach (object, key, value)
        sum += json_number_value(value);
    return sum;
}

/* ------------------------------------------------------------------ what is shown, counted */

/* What observers are shown of a connection is the decision's own, and lives. */
static void judge_conn(void *context, const struct observation *o)
{
    const struct play *p = context;
    const struct conn_table *conns = router_conns(simulation_router(p->sim));
    const uint32_t index = o->decision ? o->decision->conn : CONN_NONE;
    const struct conn *expected = index == CONN_NONE ? NULL : conn_at(conns, index);

    if (o->decision && o->conn != expected)
        fail_msg("packet %u: shown with another connection", (unsigned)o->number);
    if (o->conn && !conn_is_used(conns, o->conn->index))
        fail_msg("packet %u: shown with a connection that has ended",
                 (unsigned)o->number);
}

static json_t *run_counted(struct play *p)
{
    struct metrics *m = metrics_create(p->scenario, simulation_router(p->sim));
    const struct observer counting = metrics_observer(m);
    const struct observer judging = {.packet = judge_conn, .context = p};
    char error[512] = "";
    json_t *result;

    simulation_observe(p->sim, &counting);
    simulation_observe(p->sim, &judging);
    if (!simulation_run(p->sim, error, sizeof error))
        fail_msg("%s", error);
    result = metrics_result(m, p->sim);
    metrics_destroy(m);
    return result;
}

static void expect_number(const char *when, json_t *result, const char *pointer,
                          double value)
{
    if (number(result, pointer) != value)
        fail_msg("%s: %s is %g, not %g", when, pointer, number(result, pointer), value);
}

/* A connection that begins, ends from both sides and waits, all within a second. */
static void play_short_connection(struct play *p, double at, const char *host,
                                  const char *site)
{
    static const struct {
        bool answer;
        const char *flags;
    } steps[] = {{false, "syn"},     {true, "syn ack"}, {false, "ack"},
                 {false, "fin ack"}, {true, "fin ack"}, {false, "ack"}};
    unsigned sent[2] = {100, 500}; /* sequence numbers */

    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        const bool a = steps[i].answer;
        char text[160];

        snprintf(text, sizeof text, "tcp %s > %s %s seq %u acked %u window 1000",
                 a ? site : host, a ? host : site, steps[i].flags, sent[a],
                 i ? sent[!a] : 0);
        play_packet(p, at + .1 * i, text);
        if (steps[i].flags[0] != 'a')
            sent[a]++;
    }
}

/* Of 20 + 20 bytes of IPv6: a SYN to 2001:db8:10::5 port 5000 that no router may pass on. */
#define SYN_WITHOUT_HOPS                                                                 \
    "020000000001 020000000002 86dd 60000000 0014 06 00"                                 \
    " 20010db8009900000000000000000001 20010db8001000000000000000000005"                 \
    " 01bb 1388 00000009 00000000 5002 ffff 0000 0000"

/*
 * A SYN from the other side ends the connection that it finds waiting (kernel's table of
 * TIME_WAIT: reopened), and here begins no new one: translated, it is for nobody.
 */
static void a_syn_that_only_ends_a_connection_is_shown_without(void **state)
{
    static const struct {
        const char *when, *host, *site;
        const char *frame; /* of the SYN; NULL: as in the text */
        const char *line;
    } rows[] = {
        {"translated", "192.168.10.5:5000", "198.51.100.1:443", NULL,
         "7 dropped in wan1 no-connection\n"},
        {"its hops used up", "[2001:db8:10::5]:5000", "[2001:db8:99::1]:443",
         SYN_WITHOUT_HOPS, "7 dropped in wan1 ttl\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        char text[128];
        json_t *result;

        play_short_connection(p, 1, rows[i].host, rows[i].site);
        snprintf(text, sizeof text, "tcp %s > %s syn seq 9", rows[i].site, rows[i].host);
        if (rows[i].frame)
            play_frame(p, 3, rows[i].frame);
        else
            play_packet(p, 3, text);
        play_packet(p, 4, "udp 192.168.10.6:7000 > 198.51.100.1:53");
        play_packet(p, 5, "udp 198.51.100.1:53 > 192.168.10.6:7000");
        play_prepare(p, &(struct play_text){.platform = NULL});
        result = run_counted(p);
        if (!strstr(p->packets, rows[i].line))
            fail_msg("%s: not '%s' in\n%s", rows[i].when, rows[i].line, p->packets);
        expect_number(rows[i].when, result, "/run/flows", 2);
        expect_number(rows[i].when, result, "/run/packets", 9);
        expect_number(rows[i].when, result, "/run/delivered", 8);
        assert_true(json_is_true(expect_find(result, "/run/balanced")));
        json_decref(result);
        play_destroy(p);
    }
}

/* A segment in two halves, each of 32 bytes behind the IP header. */
static struct packet half_of(const char *text, bool first)
{
    struct packet p = packet(text);

    p.size_bytes = 20 + 32;
    p.fragment_id = 9;
    p.fragment_offset = first ? 0 : 4;
    p.flags = PACKET_FRAGMENT | (first ? PACKET_MORE_FRAGMENTS : PACKET_LATER_FRAGMENT);
    return p;
}

/*
 * The host acknowledges what the capture does not show, in two halves, the first one last. What
 * waited shares the fate of the whole, also where that is dropped.
 */
static void both_halves_of_what_is_dropped_are_counted(void **state)
{
    static const char ack[] =
        "tcp 192.168.10.5:6000 > 198.51.100.1:443 ack seq 1 acked 1";
    const struct packet halves[] = {half_of(ack, true), half_of(ack, false)};

    (void)state;
    for (unsigned last = 0; last < 2; last++) {
        struct play *p = play_create();
        const char *when = last ? "the later half last" : "the first half last";
        json_t *result;

        play_packet(p, 1, "tcp 192.168.10.5:6000 > 198.51.100.1:443 syn");
        play_made(p, 2, &halves[!last]);
        play_made(p, 2.1, &halves[last]);
        play_packet(p, 3, "udp 192.168.10.5:5 > 198.51.100.1:5");
        play_prepare(p, &(struct play_text){.platform = NULL});
        result = run_counted(p);
        expect_number(when, result, "/run/packets", 4);
        if (number(result, "/run/delivered") + number(result, "/run/dropped") != 4)
            fail_msg("%s: of 4 packets %g delivered, %g dropped", when,
                     number(result, "/run/delivered"), number(result, "/run/dropped"));
        if (!json_is_true(expect_find(result, "/run/balanced")))
            fail_msg("%s: not balanced", when);
        expect_number(when, result, "/run/flows", 2);
        json_decref(result);
        play_destroy(p);
    }
}

/* Whatever a capture holds, each of its packets ends in exactly one place. */
static void every_packet_of_every_trace_is_counted_once(void **state)
{
    static const char *const traces[] = {
        "traces/desktop-browsing.pcap", "traces/device-outbound.pcapng",
        "traces/dualstack-tls.pcap",    "traces/office-segment.pcap",
        "traces/phone-ipv6.pcap",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        const char *const set[] = {
            "/lan=[\"192.168.0.0/16\", \"10.0.0.0/8\", \"172.16.0.0/12\", \"fd00::/8\","
            " \"2601::/16\", \"2001::/16\"]",
            "/expect=[]", "/hosts={}"};
        struct scenario *s = recipe_read(&(struct scenario_changes){
            .pcap = traces[i], .set = set, .set_len = ARRAY_LEN(set)});
        struct written w;
        json_t *result = run_scenario(s, &w);
        const double packets = number(result, "/run/packets");
        size_t lines = 0;

        for (size_t k = 0; k < w.decisions_len; k++)
            lines += w.decisions[k] == '\n';
        if (packets <= 0 || packets != number(result, "/run/delivered") +
                                           number(result, "/run/local") +
                                           number(result, "/run/dropped") +
                                           number(result, "/run/unrouted"))
            fail_msg("%s: %g packets are not what became of them", traces[i], packets);
        if (sum_of(result, "/unrouted") != number(result, "/run/unrouted"))
            fail_msg("%s: unrouted: the reasons do not add up", traces[i]);
        if ((double)lines != packets + 1)
            fail_msg("%s: %zu lines of decisions, %g packets", traces[i], lines, packets);
        json_decref(result);
        written_free(&w);
        scenario_free(s);
    }
}

static void two_runs_write_the_same_bytes(void **state)
{
    struct scenario *s = recipe_read(NULL);
    struct written w[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        json_decref(run_scenario(s, &w[i]));
    assert_int_equal(w[0].result_len, w[1].result_len);
    assert_memory_equal(w[0].result, w[1].result, w[0].result_len);
    assert_int_equal(w[0].decisions_len, w[1].decisions_len);
    assert_memory_equal(w[0].decisions, w[1].decisions, w[0].decisions_len);
    written_free(&w[0]);
    written_free(&w[1]);
    scenario_free(s);
}

/* The key of the connections' index is drawn anew each time that a scenario is read. */
static void what_nobody_may_know_changes_no_result(void **state)
{
    struct written w[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct scenario *s = recipe_read(NULL);

        s->router.secret = i;
        json_decref(run_scenario(s, &w[i]));
        scenario_free(s);
    }
    assert_string_equal(w[0].result, w[1].result);
    assert_string_equal(w[0].decisions, w[1].decisions);
    written_free(&w[0]);
    written_free(&w[1]);
}

/* The scenario's seed draws the hash's where that is not given; where it is, flows stay put. */
static void another_seed_is_another_hash(void **state)
{
    static const struct {
        const char *when, *set;
        bool differs;
    } rows[] = {
        {"a hash seed is drawn", "/router/hash={\"ipv4\": \"l4\", \"ipv6\": \"l4\"}",
         true},
        {"a hash seed is given", "/router/hash/seed=5", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const set[] = {"/events=[]", rows[i].set};
        struct written w[2];

        for (unsigned k = 0; k < 2; k++) {
            struct scenario *s = recipe_read(&(struct scenario_changes){
                .has_seed = true, .seed = 100 + k, .set = set, .set_len = 2});

            json_decref(run_scenario(s, &w[k]));
            scenario_free(s);
        }
        if ((strcmp(w[0].decisions, w[1].decisions) != 0) != rows[i].differs)
            fail_msg("%s: two seeds' decisions", rows[i].when);
        written_free(&w[0]);
        written_free(&w[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_merged_by_time_the_first_of_equals_first),
        cmocka_unit_test(long_streams_take_turns),
        cmocka_unit_test(timers_come_before_packets_of_their_instant),
        cmocka_unit_test(the_run_ends_with_its_duration),
        cmocka_unit_test(traffic_starts_and_hurries_as_told),
        cmocka_unit_test(years_without_packets_pass_at_once),
        cmocka_unit_test(a_capture_that_cannot_be_read_on_ends_the_run),
        cmocka_unit_test(a_syn_that_only_ends_a_connection_is_shown_without),
        cmocka_unit_test(both_halves_of_what_is_dropped_are_counted),
        cmocka_unit_test(every_packet_of_every_trace_is_counted_once),
        cmocka_unit_test(two_runs_write_the_same_bytes),
        cmocka_unit_test(what_nobody_may_know_changes_no_result),
        cmocka_unit_test(another_seed_is_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
