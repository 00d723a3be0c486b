#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario.h"
#include "sim/timeline/source.h"
#include "sim/traffic/synthetic.h"
#include "tests/play.h"
#include "tests/routers.h"

/* ---- whole runs ---- */

/* 192.168.10.5:1024 to three ports, 1 ms apart, an answer each; then all that is left. */
static void drawn_packets_pass_the_router_as_captured_ones(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0.0005, "udp 192.168.10.9:5 > 198.51.100.9:9");
    play_run(
        p,
        &(struct play_text){
            .sources =
                "{'kind': 'synthetic', 'start': '1ms', 'flows': 3, 'protocol': 'udp',"
                " 'arrivals': {'kind': 'periodic', 'every': '1ms'}, 'rate': '100G',"
                " 'size': {'law': 'constant', 'bytes': 200}, 'down_share': 0.5,"
                " 'hosts': '192.168.10.5', 'servers': '198.51.100.1',"
                " 'ports': '80-90', 'port_pick': 'sequential', 'source_ports': 1024}"});
    play_expect_packets(p, "three connections",
                        "1 delivered out wan1 as 100.64.1.2:5\n"
                        "2 delivered out wan1 as 100.64.1.2:1024\n3 delivered in wan1\n"
                        "4 delivered out wan1 as 100.64.1.2:1024\n5 delivered in wan1\n"
                        "6 delivered out wan1 as 100.64.1.2:1024\n7 delivered in wan1\n");
    play_destroy(p);
}

/* Every packet of TCP is one that tracking expects: nothing is invalid, foreign or unsolicited. */
static void whole_connections_are_what_tracking_expects(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_run(
        p, &(struct play_text){
               .sources =
                   "{'kind': 'synthetic', 'flows': 12, 'protocol': {'tcp': 2, 'quic': 1},"
                   " 'arrivals': {'kind': 'poisson', 'per_second': 10},"
                   " 'size': {'law': 'pareto', 'shape': 1, 'from': 100, 'to': 20000},"
                   " 'hosts': ['192.168.10.5', '2001:db8:10::5'],"
                   " 'servers': ['198.51.100.0/24', '2001:db8:f::/64'],"
                   " 'server_count': 5}"});
    assert_true(p->fates[FATE_DELIVERED] > 12 * 6);
    assert_int_equal(p->fates[FATE_DELIVERED], simulation_packets(p->sim));
    assert_null(strstr(p->packets, "invalid"));
    play_destroy(p);
}

/* It has no end of its own: the run has. */
static void a_run_with_a_duration_ends_traffic_without_an_end(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_run(p, &(struct play_text){
                    .more = ", 'duration': '1s'",
                    .sources = "{'kind': 'synthetic', 'protocol': 'udp', 'down_share': 0,"
                               " 'arrivals': {'kind': 'periodic', 'every': '100ms'},"
                               " 'size': {'law': 'constant', 'bytes': 20},"
                               " 'hosts': '192.168.10.5', 'servers': '198.51.100.1'}"});
    assert_int_equal(simulation_packets(p->sim), 11); /* 0 s, 0.1 s .. 1 s */
    play_destroy(p);
}

/* ---- what the draws depend on ---- */

#define ONE(members)                                                                     \
    "{'kind': 'synthetic', 'flows': 40, 'down_share': 0, 'protocol': 'udp',"             \
    " 'arrivals': {'kind': 'poisson', 'per_second': 10}, 'size': {'law': 'storage'},"    \
    " 'hosts': '192.168.10.0/24', 'servers': '198.51.100.0/24', 'server_count': "        \
    "9" members "}"

/* The first packets of traffic `which`, as bytes. */
static void draw(const char *sources, uint64_t seed, size_t which,
                 struct captured out[20])
{
    struct play *p = play_create();
    const struct scenario_changes changes = {.has_seed = true, .seed = seed};
    char path[PLAY_PATH_MAX + 16];
    struct diag *d;
    struct scenario *s;
    struct synthetic *drawn;

    play_prepare(p, &(struct play_text){.sources = sources});
    snprintf(path, sizeof path, "%s/scenario.json", p->folder);
    d = diag_create(path, NULL, 0);
    s = scenario_read(path, &changes, d);
    assert_non_null(s);
    drawn = synthetic_open(s->traffic[which].flowgen);
    memset(out, 0, 20 * sizeof *out);
    assert_int_equal(synthetic_read(drawn, out, 20), 20);
    synthetic_close(drawn);
    scenario_free(s);
    diag_destroy(d);
    play_destroy(p);
}

static void draws_depend_on_seed_and_name_or_index_alone(void **state)
{
    static const struct {
        const char *what, *sources;
        uint64_t seed;
        size_t which;
        bool same;
        const char *base;
    } rows[] = {
        {"again", ONE(""), 1, 0, true, ONE("")},
        {"another seed", ONE(""), 2, 0, false, ONE("")},
        {"another index", ONE("") ", " ONE(""), 1, 1, false, ONE("")},
        {"one more behind it", ONE("") ", " ONE(""), 1, 0, true, ONE("")},
        {"a name", ONE(", 'name': 'a'"), 1, 0, false, ONE("")},
        {"a name at another index", ONE("") ", " ONE(", 'name': 'a'"), 1, 1, true,
         ONE(", 'name': 'a'")},
        {"another name", ONE(", 'name': 'b'"), 1, 0, false, ONE(", 'name': 'a'")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct captured a[20], b[20];
        bool same = true;

        draw(rows[i].base, 1, 0, a);
        draw(rows[i].sources, rows[i].seed, rows[i].which, b);
        for (size_t k = 0; k < 20; k++)
            same = same && a[k].time_ns == b[k].time_ns &&
                   addr_equal(&a[k].packet.src, &b[k].packet.src) &&
                   a[k].packet.size_bytes == b[k].packet.size_bytes;
        if (same != rows[i].same)
            fail_msg("%s: %s", rows[i].what, same ? "the same" : "other draws");
    }
}

static void an_impossible_connection_ends_the_run_with_its_reason(void **state)
{
    struct play *p = play_create();
    char error[512] = "";

    (void)state;
    play_prepare(p,
                 &(struct play_text){
                     .sources = "{'kind': 'synthetic', 'flows': 2, 'source_ports': 1024,"
                                " 'arrivals': {'kind': 'at-once'},"
                                " 'size': {'law': 'constant', 'bytes': 20000},"
                                " 'hosts': '192.168.10.5', 'servers': '198.51.100.1'}"});
    assert_false(simulation_run(p->sim, error, sizeof error));
    assert_string_equal(
        error, "/traffic/0: no source port from 1024 to 1024 is free for another "
               "connection from 192.168.10.5 to 198.51.100.1, port 443");
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_packets_pass_the_router_as_captured_ones),
        cmocka_unit_test(whole_connections_are_what_tracking_expects),
        cmocka_unit_test(a_run_with_a_duration_ends_traffic_without_an_end),
        cmocka_unit_test(draws_depend_on_seed_and_name_or_index_alone),
        cmocka_unit_test(an_impossible_connection_ends_the_run_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
