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
        cmocka_unit_test(a_capture_that_cannot_be_read_on_ends_the_run),
        cmocka_unit_test(every_packet_of_every_trace_is_counted_once),
        cmocka_unit_test(two_runs_write_the_same_bytes),
        cmocka_unit_test(another_seed_is_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
