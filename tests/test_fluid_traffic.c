#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/observe/facts.h"
#include "sim/observe/ledger.h"
#include "sim/observe/metrics.h"
#include "sim/observe/result.h"
#include "sim/traffic/fluid_traffic.h"
#include "tests/play.h"
#include "tests/routers.h"

/* ---- one scenario, both ways ---- */

/* What a run came to: the result, what each flow did, and how many packets were really sent. */
struct outcome {
    struct play *play;
    json_t *result;
    struct ledger ledger;
    uint64_t sent;
};

static void count_sent(void *context, const struct observation *o)
{
    struct outcome *out = context;

    out->sent += o->fate != FATE_ASSUMED;
}

/* `text` with what belongs where %s stands. */
static void text_put(char *out, size_t size, const char *text, const char *what)
{
    const char *place = strstr(text, "%s");

    assert_non_null(place);
    snprintf(out, size, "%.*s%s%s", (int)(place - text), text, what, place + 2);
}

/* `sources` has %s where the granularity belongs. `list`: a flow list beside the scenario. */
static void run(struct outcome *out, const struct play_text *text,
                const char *granularity, const char *list)
{
    const struct observer counting = {.packet = count_sent, .context = out};
    struct play_text t = *text;
    char sources[2000], path[PLAY_PATH_MAX + 32], error[400];
    struct observer watching;
    struct metrics *m;

    memset(out, 0, sizeof *out);
    out->play = play_create();
    text_put(sources, sizeof sources, text->sources, granularity);
    t.sources = sources;
    t.quiet = true;
    if (list) {
        snprintf(path, sizeof path, "%s/list.csv", out->play->folder);
        pcapfile_save(path, list, strlen(list));
    }
    play_prepare(out->play, &t);
    m = metrics_create(out->play->scenario, simulation_router(out->play->sim));
    ledger_init(&out->ledger, out->play->scenario);
    metrics_keep_ledger(m, &out->ledger);
    watching = metrics_observer(m);
    simulation_observe(out->play->sim, &watching);
    simulation_observe(out->play->sim, &counting);
    if (!simulation_run(out->play->sim, error, sizeof error))
        fail_msg("%s", error);
    out->result = metrics_result(m, out->play->sim);
    metrics_destroy(m);
}

static void end(struct outcome *o)
{
    ledger_free(&o->ledger);
    json_decref(o->result);
    play_destroy(o->play);
}

static json_t *at(json_t *o, const char *key)
{
    json_t *member = json_object_get(o, key);

    if (!member)
        fail_msg("no %s", key);
    return member;
}

static json_int_t sum_of(const json_t *list)
{
    json_int_t sum = 0;
    json_t *value;
    size_t i;

    json_array_foreach (list, i, value)
        sum += json_integer_value(value);
    return sum;
}

/*
 * Take out what is to differ: what names the file and the chain of packets; where in a series
 * bytes are (their sums stay); and a host's outage, of which flows know less.
 */
static void strip(json_t *result)
{
    json_t *part;
    const char *key;

    json_object_del(at(result, "scenario"), "fingerprint");
    json_object_del(at(result, "run"), "fingerprint");
    json_object_del(at(result, "run"), "traffic_fingerprint");
    json_object_foreach (at(at(result, "series"), "paths"), key, part) {
        const char *name;
        json_t *list;
        void *next;

        json_object_foreach_safe(part, next, name, list)
            json_object_set_new(part, name, json_integer(sum_of(list)));
    }
    json_object_foreach (at(result, "hosts"), key, part)
        json_object_del(part, "outage_seconds");
}

static void tell_difference(const char *when, const char *path, const json_t *a,
                            const json_t *b)
{
    const char *key;
    json_t *member;
    char deeper[300];

    if (json_equal(a, b))
        return;
    if (!json_is_object(a) || !json_is_object(b)) {
        char *x = json_dumps(a, JSON_ENCODE_ANY), *y = json_dumps(b, JSON_ENCODE_ANY);

        fail_msg("%s: %s is %s by packet, %s by flow", when, path, x ? x : "-",
                 y ? y : "-");
    }
    json_object_foreach ((json_t *)(uintptr_t)a, key, member) {
        snprintf(deeper, sizeof deeper, "%s/%s", path, key);
        tell_difference(when, deeper, member, json_object_get(b, key));
    }
    fail_msg("%s: %s has more by flow", when, path);
}

/* Each flow: its tuple, first path, public address and bytes. */
static void expect_same_flows(const char *when, const struct ledger *a,
                              const struct ledger *b)
{
    if (a->len != b->len)
        fail_msg("%s: %zu flows by packet, %zu by flow", when, a->len, b->len);
    for (size_t i = 0; i < a->len; i++) {
        const struct ledger_flow *x = &a->flows[i], *y = &b->flows[i];

        if (memcmp(&x->tuple, &y->tuple, sizeof x->tuple) != 0 || x->path != y->path ||
            !addr_equal(&x->public, &y->public) || x->bytes != y->bytes)
            fail_msg("%s: flow %zu: path %d, %llu bytes by packet; path %d, %llu by flow",
                     when, i, (int)x->path, (unsigned long long)x->bytes, (int)y->path,
                     (unsigned long long)y->bytes);
    }
}

/* Every figure is the same, and no more than `most` of the packets were really sent. */
static void expect_same(const char *when, const struct play_text *text, const char *list,
                        double most)
{
    struct outcome by_packet, by_flow;

    run(&by_packet, text, "packet", list);
    run(&by_flow, text, "flow", list);
    expect_same_flows(when, &by_packet.ledger, &by_flow.ledger);
    strip(by_packet.result);
    strip(by_flow.result);
    tell_difference(when, "", by_packet.result, by_flow.result);
    if ((double)by_flow.sent > most * (double)by_packet.sent)
        fail_msg("%s: %llu packets were sent, of %llu", when,
                 (unsigned long long)by_flow.sent, (unsigned long long)by_packet.sent);
    if (by_flow.sent >= by_packet.sent && most < 1)
        fail_msg("%s: all packets were sent", when);
    end(&by_packet);
    end(&by_flow);
}

#define BOTH    "[{'gateway': ['100.64.1.1', '100.64.2.1']}]"
#define CHECKED "[{'gateway': ['100.64.1.1', '100.64.2.1'], 'check_gateway': 'ping'}]"
#define SRC_NAT                                                                          \
    "[{'chain': 'srcnat', 'action': 'src-nat', 'to_addresses': '100.64.1.2',"            \
    " 'out_interface': 'wan1'}, {'chain': 'srcnat', 'action': 'src-nat',"                \
    " 'to_addresses': '100.64.2.2', 'out_interface': 'wan2'}]"
#define DRAWN(protocol, size, duration)                                                  \
    "{'kind': 'synthetic', 'granularity': '%s', 'hosts': '192.168.10.2-192.168.10.60',"  \
    " 'servers': '203.0.113.0/26', 'flows': 600, 'protocol': " protocol ","              \
    " 'arrivals': {'kind': 'poisson', 'per_second': 20}, 'size': " size ","              \
    " 'duration': {'law': 'exponential', 'mean': '" duration "'}}"
#define LARGE "{'law': 'exponential', 'mean': 200000}"
#define SMALL "{'law': 'exponential', 'mean': 4000}"
#define HOSTS ", 'hosts': {'pc': {'addresses': ['192.168.10.5']}}"
#define LINK                                                                             \
    "{'at': '10s', 'kind': 'link-down', 'wan': 'wan1', 'for': '15s', 'name': 'cut'}"
#define GATEWAY                                                                          \
    "{'at': '12s', 'kind': 'gateway-down', 'wan': 'wan2', 'for': '25s', 'name': 'mute'}"
#define DARK                                                                             \
    "{'at': '8s', 'kind': 'blackhole', 'wan': 'wan1', 'for': '7s', 'name': 'dark'}"
#define ADDRESS                                                                          \
    "{'at': '9s', 'kind': 'address-change', 'wan': 'wan1', 'address': '100.64.1.9/24'}"
#define FLAP                                                                             \
    "{'at': '6s', 'kind': 'flap', 'wan': 'wan2', 'period': '5s', 'duty': 0.4, 'for': "   \
    "'20s'}"
#define REBOOT "{'at': '11s', 'kind': 'reboot', 'for': '4s'}"

static const struct {
    const char *when, *routes, *nat, *events;
} rows[] = {
    {"nothing happens", BOTH, NULL, NULL},
    {"a link drops, masquerade", BOTH, NULL, LINK},
    {"a link drops, src-nat", BOTH, SRC_NAT, LINK},
    {"a link drops, no NAT", BOTH, "[]", LINK},
    {"a gateway is checked, masquerade", CHECKED, NULL, GATEWAY},
    {"a gateway is checked, src-nat", CHECKED, SRC_NAT, GATEWAY},
    {"nobody notices", BOTH, NULL, GATEWAY},
    {"behind the gateway nothing answers", CHECKED, NULL, DARK},
    {"both, over each other", CHECKED, NULL, LINK ", " GATEWAY ", " DARK},
    {"one path after the other", NULL, NULL, LINK ", " GATEWAY},
    {"the address changes", BOTH, NULL, ADDRESS},
    {"a link flaps", CHECKED, NULL, FLAP},
    {"the router restarts", CHECKED, NULL, REBOOT},
};

static void expect_same_on(const char *platform)
{
    static const struct {
        const char *what, *sources;
        double most;
    } kinds[] = {
        {"large TCP", DRAWN("'tcp'", LARGE, "20s"), 0.2},
        {"large UDP", DRAWN("'udp'", LARGE, "20s"), 0.2},
        {"small of both", DRAWN("{'tcp': 1, 'udp': 1, 'quic': 1}", SMALL, "30s"), 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            char when[200], events[1000];

            snprintf(when, sizeof when, "%s, %s, %s", platform, rows[i].when,
                     kinds[k].what);
            snprintf(events, sizeof events, "[%s]", rows[i].events ? rows[i].events : "");
            expect_same(when,
                        &(struct play_text){.platform = platform,
                                            .routes = rows[i].routes,
                                            .nat = rows[i].nat,
                                            .events = events,
                                            .more = HOSTS,
                                            .sources = kinds[k].sources},
                        NULL, kinds[k].most);
        }
}

static void both_granularities_give_the_same_on_routeros(void **state)
{
    (void)state;
    expect_same_on("routeros7");
}

static void both_granularities_give_the_same_on_linux(void **state)
{
    (void)state;
    expect_same_on("linux");
}

/* Long silences, answers alone, SYNs that nobody answers, one 5-tuple one time after the other. */
static void flow_lists_give_the_same_too(void **state)
{
    static const char list[] =
        "time,src,sport,dst,dport,proto,bytes_up,bytes_down,packets_up,packets_down,"
        "duration\n"
        "1.0,192.168.10.5,40000,198.51.100.1,443,tcp,20740,1004240,300,700,60\n"
        "1.1,192.168.10.6,40001,198.51.100.2,53,udp,68,228,1,1,0.02\n"
        "1.2,192.168.10.7,40002,198.51.100.3,443,udp,2800,560000,10,400,90\n"
        "1.3,192.168.10.8,40003,198.51.100.4,443,udp,100,560000,1,400,90\n"
        "1.4,192.168.10.9,40004,198.51.100.5,443,tcp,240,0,6,0,30\n"
        "1.5,192.168.10.10,40005,198.51.100.6,443,tcp,4000,4000,9,9,200\n"
        "1.6,192.168.10.11,40006,198.51.100.7,443,tcp,40,60000,1,50,50\n"
        "1.7,192.168.10.12,40007,198.51.100.8,443,udp,60000,0,500,0,70\n"
        "2.0,192.168.10.13,40008,198.51.100.9,443,tcp,20740,104240,80,90,10\n"
        "14.0,192.168.10.13,40008,198.51.100.9,443,tcp,20740,104240,80,90,30\n"
        "3.0,198.51.100.7,50000,192.168.10.20,22,tcp,20740,104240,80,90,30\n";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char events[1000];

        snprintf(events, sizeof events, "[%s]", rows[i].events ? rows[i].events : "");
        expect_same(rows[i].when,
                    &(struct play_text){.routes = rows[i].routes,
                                        .nat = rows[i].nat,
                                        .events = events,
                                        .sources =
                                            "{'kind': 'flows', 'file': 'list.csv',"
                                            " 'format': 'csv', 'granularity': '%s'}"},
                    list, 1);
    }
}

/* ---- by itself ---- */

/* A packet that is due at the last instant belongs to the run, as it does when it is sent. */
static void a_run_that_is_cut_off_counts_to_its_end(void **state)
{
    (void)state;
    expect_same("cut off at 13 s",
                &(struct play_text){
                    .routes = CHECKED,
                    .events = "[" GATEWAY "]",
                    .more = ", 'duration': '13s'",
                    .sources = "{'kind': 'synthetic', 'granularity': '%s', 'flows': 4,"
                               " 'hosts': '192.168.10.5', 'servers': '203.0.113.1',"
                               " 'arrivals': {'kind': 'at-once'}, 'protocol': 'udp',"
                               " 'size': {'law': 'constant', 'bytes': 147200},"
                               " 'duration': {'law': 'constant', 'time': '99s'}}"},
                NULL, 0.5);
}

/* 101 packets over 100 s, one a second: 1 of them at the beginning, one at the end. */
static void what_is_between_two_packets_that_are_sent_is_carried(void **state)
{
    struct outcome o;

    (void)state;
    run(&o,
        &(struct play_text){
            .sources = "{'kind': 'synthetic', 'granularity': '%s', 'flows': 1,"
                       " 'hosts': '192.168.10.5', 'servers': '203.0.113.1',"
                       " 'arrivals': {'kind': 'at-once'}, 'protocol': 'udp', 'mtu': 1028,"
                       " 'size': {'law': 'constant', 'bytes': 101000}, 'down_share': 0,"
                       " 'duration': {'law': 'constant', 'time': '100s'}}"},
        "flow", NULL);
    assert_int_equal(o.sent, 2);
    assert_int_equal(json_integer_value(at(at(o.result, "run"), "packets")), 101);
    assert_int_equal(json_integer_value(at(at(o.result, "run"), "bytes")), 101 * 1042);
    assert_int_equal(
        json_integer_value(at(at(at(o.result, "paths"), "wan1"), "bytes_up")),
        101 * 1028);
    assert_true(json_is_true(at(at(o.result, "run"), "balanced")));
    end(&o);
}

static void one_scenario_gives_one_result(void **state)
{
    const struct play_text text = {.routes = CHECKED,
                                   .events = "[" LINK ", " GATEWAY "]",
                                   .sources =
                                       DRAWN("{'tcp': 1, 'udp': 1}", LARGE, "20s")};
    struct outcome a, b;

    (void)state;
    run(&a, &text, "flow", NULL);
    run(&b, &text, "flow", NULL);
    assert_true(json_equal(a.result, b.result));
    end(&a);
    end(&b);
}

/* Of 10000 packets, half of them lost by chance: carried ones lose their share to the packet. */
static void a_link_takes_its_share_of_what_is_carried(void **state)
{
    struct outcome o;
    json_int_t lost;

    (void)state;
    run(&o,
        &(struct play_text){
            .wans = "{'wan1': {'loss': 0.5}, 'wan2': {}}",
            .sources = "{'kind': 'synthetic', 'granularity': '%s', 'flows': 1,"
                       " 'hosts': '192.168.10.5', 'servers': '203.0.113.1',"
                       " 'arrivals': {'kind': 'at-once'}, 'protocol': 'udp', 'mtu': 1028,"
                       " 'size': {'law': 'constant', 'bytes': 10000000}, 'down_share': 0,"
                       " 'duration': {'law': 'constant', 'time': '100s'}}"},
        "flow", NULL);
    lost = json_integer_value(
        at(at(at(at(o.result, "paths"), "wan1"), "drops"), "link-loss"));
    if (lost < 4999 || lost > 5001)
        fail_msg("%lld of 10000 were lost", (long long)lost);
    assert_true(json_is_true(at(at(o.result, "run"), "balanced")));
    end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_granularities_give_the_same_on_routeros),
        cmocka_unit_test(both_granularities_give_the_same_on_linux),
        cmocka_unit_test(flow_lists_give_the_same_too),
        cmocka_unit_test(a_run_that_is_cut_off_counts_to_its_end),
        cmocka_unit_test(what_is_between_two_packets_that_are_sent_is_carried),
        cmocka_unit_test(one_scenario_gives_one_result),
        cmocka_unit_test(a_link_takes_its_share_of_what_is_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
