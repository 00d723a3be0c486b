#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "tests/play.h"
#include "tests/words.h"

enum { PACKETS_MAX = 6 };

/* Packets at 0 s, 1 s, 2 s ...; at 8 bit/s a byte takes a second. */
struct row {
    const char *when, *wans;
    const char *packets[PACKETS_MAX];
    const char *lines;
};

static void play_rows(const struct row *rows, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        struct play *p = play_create();

        for (unsigned k = 0; k < PACKETS_MAX && rows[i].packets[k]; k++)
            play_packet(p, k, rows[i].packets[k]);
        play_run(p, &(struct play_text){.wans = rows[i].wans});
        play_expect_packets(p, rows[i].when, rows[i].lines);
        play_destroy(p);
    }
}

static void what_the_link_up_drops_the_router_has_decided(void **state)
{
    static const struct row rows[] = {
        {"no room",
         "{'wan1': {'up': '8', 'queue': '0s'}, 'wan2': {}}",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53",
          "udp 192.168.10.5:5001 > 198.51.100.1:53",
          "udp 198.51.100.1:53 > 192.168.10.5:5001"},
         "1 delivered out wan1 as 100.64.1.2:5000\n"
         "2 dropped out wan1 queue-full\n"
         "3 delivered in wan1\n"}, /* as recorded: its connection is known */
        {"lost by chance",
         "{'wan1': {'loss': 1}, 'wan2': {}}",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53"},
         "1 dropped out wan1 link-loss\n"},
        {"the default queue of 250 ms",
         "{'wan1': {'up': '224'}, 'wan2': {}}", /* 28 bytes take a second */
         {"udp 192.168.10.5:5000 > 198.51.100.1:53",
          "udp 192.168.10.5:5000 > 198.51.100.1:53",
          "tcp 192.168.10.5:5000 > 198.51.100.1:53 syn",
          "udp 192.168.10.5:5000 > 198.51.100.1:53"},
         "1 delivered out wan1 as 100.64.1.2:5000\n"
         "2 delivered out wan1 as 100.64.1.2:5000\n"
         "3 delivered out wan1 as 100.64.1.2:5000\n"
         "4 dropped out wan1 queue-full\n"}, /* 40 bytes take 1.43 s */
        {"between two LANs is no link",
         "{'wan1': {'loss': 1}, 'wan2': {'loss': 1, 'down': '8'}}",
         {"udp 192.168.20.5:5000 > 192.168.10.5:53",
          "udp 192.168.10.5:53 > 192.168.20.5:5000"},
         "1 delivered\n2 delivered\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows));
}

/* An answer that was lost leaves the router's connection as it was. */
static void what_the_link_down_drops_the_router_never_sees(void **state)
{
    static const struct row rows[] = {
        {"no room for the second answer",
         "{'wan1': {'down': '8', 'queue': '1p'}, 'wan2': {}}",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53",
          "udp 198.51.100.1:53 > 192.168.10.5:5000",
          "udp 198.51.100.1:53 > 192.168.10.5:5000"},
         "1 delivered out wan1 as 100.64.1.2:5000\n"
         "2 delivered in wan1\n"
         "3 dropped in wan1 queue-full\n"},
        {"what the router would refuse takes its part of the link too",
         "{'wan1': {'down': '8', 'queue': '0s'}, 'wan2': {}}",
         {"udp 192.168.10.5:5000 > 198.51.100.1:53",
          "tcp 198.51.100.1:443 > 192.168.10.5:50000 ack data 40",
          "udp 198.51.100.1:53 > 192.168.10.5:5000"},
         "1 delivered out wan1 as 100.64.1.2:5000\n"
         "0 assumed out wan1 as 100.64.1.2:50000\n"
         "2 delivered in wan1\n"
         "3 dropped in wan1 queue-full\n"},
    };

    (void)state;
    play_rows(rows, ARRAY_LEN(rows));
}

/* UDP without an answer is remembered for 30 s. */
static void a_dropped_answer_does_not_prolong_its_connection(void **state)
{
    struct play *p = play_create();

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 18, "udp 192.168.10.6:5001 > 198.51.100.1:53");
    play_packet(p, 19, "udp 198.51.100.1:53 > 192.168.10.6:5001"); /* takes 28 s */
    play_packet(p, 20, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_packet(p, 49, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_run(p, &(struct play_text){
                    .wans = "{'wan1': {'down': '8', 'queue': '0s'}, 'wan2': {}}"});
    play_expect_packets(p, "an answer to what was forgotten meanwhile",
                        "1 delivered out wan1 as 100.64.1.2:5000\n"
                        "2 delivered out wan1 as 100.64.1.2:5001\n"
                        "3 delivered in wan1\n"
                        "4 dropped in wan1 queue-full\n"
                        "0 assumed out wan1 as 100.64.1.2:5000\n"
                        "5 delivered in wan1\n");
    play_destroy(p);
}

/* ------------------------------------------------------------------ what observers are told */

struct seen {
    unsigned count;
    struct told {
        int64_t delay_ns, queued_up_ns, queued_down_ns;
        unsigned queues, reason;
        bool decided, came;
    } packets[8];
};

static void see(void *context, const struct observation *o)
{
    struct seen *s = context;

    if (o->number && s->count < 8)
        s->packets[s->count++] = (struct told){
            o->delay_ns, o->queued_up_ns, o->queued_down_ns, o->queues, o->reason,
            o->decision, o->wire};
}

static struct seen watch(struct play *p, const char *wans)
{
    struct seen s = {.count = 0};
    const struct observer watching = {.packet = see, .context = &s};
    char error[256] = "";

    play_prepare(p, &(struct play_text){.wans = wans});
    simulation_observe(p->sim, &watching);
    if (!simulation_run(p->sim, error, sizeof error))
        fail_msg("%s", error);
    return s;
}

/* 28 bytes at 8 kbit/s take 28 ms. */
static void the_way_over_the_links_is_told(void **state)
{
    enum { MS = 1000000, UP = QUEUE_UP, DOWN = QUEUE_DOWN };
    static const struct {
        const char *what, *wans;
        struct told packets[3]; /* two requests and an answer, 10 ms apart */
    } rows[] = {
        {"nothing", "{'wan1': {}, 'wan2': {}}", {{0}, {0}, {0}}},
        {"a delay",
         "{'wan1': {'delay': '5ms'}, 'wan2': {}}",
         {{.delay_ns = 5 * MS}, {.delay_ns = 5 * MS}, {.delay_ns = 5 * MS}}},
        {"both rates",
         "{'wan1': {'up': '8k', 'down': '16k', 'delay': '5ms'}, 'wan2': {}}",
         {{33 * MS, 0, 0, UP, 0, 0, 0},
          {51 * MS, 18 * MS, 0, UP, 0, 0, 0},
          {19 * MS, 0, 0, DOWN, 0, 0, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct play *p = play_create();
        struct seen s;

        play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, .01, "udp 192.168.10.5:5000 > 198.51.100.1:53");
        play_packet(p, .02, "udp 198.51.100.1:53 > 192.168.10.5:5000");
        s = watch(p, rows[i].wans);
        assert_int_equal(s.count, 3);
        for (unsigned k = 0; k < 3; k++) {
            const struct told *got = &s.packets[k], *due = &rows[i].packets[k];

            if (got->delay_ns != due->delay_ns ||
                got->queued_up_ns != due->queued_up_ns ||
                got->queued_down_ns != due->queued_down_ns || got->queues != due->queues)
                fail_msg("%s: packet %u: delay %" PRId64 ", queued %" PRId64
                         " and %" PRId64 ", queues %u",
                         rows[i].what, k + 1, got->delay_ns, got->queued_up_ns,
                         got->queued_down_ns, got->queues);
        }
        play_destroy(p);
    }
}

/* 36 and 28 bytes: 64 ms at 8 kbit/s up, each for itself down. */
static void fragments_that_were_put_together_cross_as_one(void **state)
{
    static const char *const ways[] = {"udp 192.168.10.5:5000 > 198.51.100.1:53",
                                       "udp 198.51.100.1:53 > 192.168.10.5:5000"};
    static const int64_t delays_ms[] = {0, 64, 36, 28};
    struct play *p = play_create();
    struct seen s;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct packet half = packet(ways[i / 2]);

        half.fragment_id = 77;
        half.fragment_offset = i % 2 ? 2 : 0;
        half.size_bytes = i % 2 ? 28 : 36;
        half.payload_bytes = 16;
        half.flags = i % 2 ? PACKET_FRAGMENT | PACKET_LATER_FRAGMENT
                           : PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS;
        play_made(p, i, &half);
    }
    s = watch(p, "{'wan1': {'up': '8k', 'down': '8k'}, 'wan2': {}}");
    assert_int_equal(s.count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(s.packets[i].delay_ns, delays_ms[i] * 1000000);
    play_destroy(p);
}

/* `verify` gives the kernel what has a decision, and nothing else. */
static void what_never_came_to_the_router_has_no_decision(void **state)
{
    struct play *p = play_create();
    struct seen s;

    (void)state;
    play_packet(p, 0, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    play_packet(p, 1, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_packet(p, 2, "udp 198.51.100.1:53 > 192.168.10.5:5000");
    play_packet(p, 3, "udp 192.168.10.5:5000 > 198.51.100.1:53");
    s = watch(p, "{'wan1': {'up': '8', 'down': '8', 'queue': '0s'}, 'wan2': {}}");
    assert_int_equal(s.count, 4);
    assert_true(s.packets[1].decided && s.packets[1].came);
    assert_int_equal(s.packets[2].reason, REASON_QUEUE_FULL); /* in front of the router */
    assert_true(!s.packets[2].decided && !s.packets[2].came);
    assert_int_equal(s.packets[3].reason, REASON_QUEUE_FULL); /* behind it */
    assert_true(s.packets[3].decided && s.packets[3].came);
    play_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_link_up_drops_the_router_has_decided),
        cmocka_unit_test(what_the_link_down_drops_the_router_never_sees),
        cmocka_unit_test(a_dropped_answer_does_not_prolong_its_connection),
        cmocka_unit_test(the_way_over_the_links_is_told),
        cmocka_unit_test(fragments_that_were_put_together_cross_as_one),
        cmocka_unit_test(what_never_came_to_the_router_has_no_decision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
