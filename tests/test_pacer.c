#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/traffic/pacer.h"
#include "tests/flowgens.h"
#include "tests/packets.h"
#include "tests/routers.h"

/* ---- demands that the test makes ---- */

struct script {
    const struct demand *demands;
    size_t len, next, ended;
};

static int script_begin(void *context, int64_t *start_ns)
{
    const struct script *s = context;

    if (s->next == s->len)
        return 0;
    *start_ns = s->demands[s->next].start_ns;
    return 1;
}

static bool script_take(void *context, struct demand *d)
{
    struct script *s = context;

    *d = s->demands[s->next++];
    return d->protocol != 0;
}

static void script_ended(void *context, const struct demand *d)
{
    struct script *s = context;

    (void)d;
    s->ended++;
}

static const char *script_error(const void *context)
{
    (void)context;
    return "there is no more";
}

static struct demand_source script_source(struct script *s)
{
    return (struct demand_source){script_begin, script_take, script_ended, script_error,
                                  s};
}

static struct demand connection(uint8_t protocol, uint64_t up, uint64_t down)
{
    const struct demand_limits limits = {1500, 2};
    struct demand d = {.src = address("192.168.10.5"),
                       .dst = address("198.51.100.1"),
                       .sport = 40000,
                       .dport = 443,
                       .protocol = protocol,
                       .start_ns = SECONDS(1),
                       .duration_ns = SECONDS(1),
                       .key = 77};

    demand_fill(&d, up, down, &limits);
    return d;
}

/* Everything there is, in batches of an odd size; free with mem_free(). */
static struct captured *read_all(const struct demand_source *source, size_t *len)
{
    struct pacer *p = pacer_create(source);
    struct captured *all = NULL;
    size_t cap = 0;
    int n;

    *len = 0;
    do {
        all = mem_grow(all, &cap, *len + 7, sizeof *all);
        n = pacer_read(p, all + *len, 7);
        assert_true(n >= 0);
        *len += (size_t)n;
    } while (n > 0);
    assert_int_equal(pacer_live(p), 0);
    assert_int_equal(pacer_read(p, all, 1), 0);
    pacer_destroy(p);
    return all;
}

/* ---- one connection ---- */

/* A packet in words: direction, flags, payload. */
static void describe(const struct captured *c, char *text, size_t size)
{
    const struct packet *p = &c->packet;

    snprintf(text, size, "%s%s%s%s %u", p->sport == 40000 ? "up" : "down",
             p->tcp_flags & TCP_SYN ? " syn" : "", p->tcp_flags & TCP_ACK ? " ack" : "",
             p->tcp_flags & TCP_FIN ? " fin" : "", p->payload_bytes);
}

static void a_connection_becomes_these_packets(void **state)
{
    static const struct {
        const char *what;
        uint8_t protocol;
        uint64_t up, down;
        const char *packets;
    } rows[] = {
        {"tcp without payload", PROTO_TCP, 0, 0,
         "up syn 0, down syn ack 0, up ack 0, up ack fin 0, down ack fin 0, up ack 0, "},
        {"a request and four full packets", PROTO_TCP, 100, 5000,
         "up syn 0, down syn ack 0, up ack 0, up ack 100, down ack 1460, down ack 1460, "
         "up ack 0, down ack 1460, down ack 620, up ack fin 0, down ack fin 0, up ack "
         "0, "},
        {"only down", PROTO_TCP, 0, 2000,
         "up syn 0, down syn ack 0, up ack 0, down ack 1460, up ack 0, down ack 540, "
         "up ack fin 0, down ack fin 0, up ack 0, "},
        {"udp", PROTO_UDP, 1500, 1600, "up 1472, down 1472, up 28, down 128, "},
        {"udp, nothing up", PROTO_UDP, 0, 10, "up 0, down 10, "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct demand d = connection(rows[i].protocol, rows[i].up, rows[i].down);
        struct script s = {.demands = &d, .len = 1};
        const struct demand_source source = script_source(&s);
        char text[2048] = "";
        size_t len;
        struct captured *all = read_all(&source, &len);

        for (size_t k = 0; k < len; k++) {
            describe(&all[k], text + strlen(text), sizeof text - strlen(text));
            strcat(text, ", ");
        }
        mem_free(all);
        if (strcmp(text, rows[i].packets) != 0)
            fail_msg("%s: %s", rows[i].what, text);
        assert_int_equal(s.ended, 1);
    }
}

/* 7 packets between 1 s and 2 s: every sixth of a second. */
static void packets_are_evenly_spaced_from_start_to_end(void **state)
{
    const struct demand d = connection(PROTO_UDP, 1472 * 7, 0);
    struct script s = {.demands = &d, .len = 1};
    const struct demand_source source = script_source(&s);
    size_t len;
    struct captured *all = read_all(&source, &len);

    (void)state;
    assert_int_equal(len, 7);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(all[i].time_ns, 1000000000 + (int64_t)i * 1000000000 / 6);
    mem_free(all);
}

/* Each end acknowledges all that it has had, and numbers what it sends without a gap. */
static void sequence_numbers_follow_what_was_sent(void **state)
{
    const struct demand d = connection(PROTO_TCP, 20000, 300000);
    struct script s = {.demands = &d, .len = 1};
    const struct demand_source source = script_source(&s);
    uint32_t next[2] = {0, 0};
    bool known[2] = {false, false};
    size_t len;
    struct captured *all = read_all(&source, &len);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        const struct packet *p = &all[i].packet;
        const unsigned way = p->sport != 40000;

        if (known[way])
            assert_true(p->tcp_seq == next[way]);
        if (p->tcp_flags & TCP_ACK)
            assert_true(known[!way] && p->tcp_ack == next[!way]);
        known[way] = true;
        next[way] =
            p->tcp_seq + p->payload_bytes + ((p->tcp_flags & (TCP_SYN | TCP_FIN)) != 0);
    }
    mem_free(all);
}

static void a_packet_has_what_a_capture_would_show(void **state)
{
    struct demand d = connection(PROTO_UDP, 100, 100);
    struct script s = {.demands = &d, .len = 1};
    const struct demand_source source = script_source(&s);
    size_t len;
    struct captured *all;

    (void)state;
    d.src = address("2001:db8:10::5");
    d.dst = address("2001:db8:f::1");
    all = read_all(&source, &len);
    assert_int_equal(len, 2);
    assert_int_equal(all[0].kind, FRAME_IP);
    assert_int_equal(all[0].packet.size_bytes, 148);
    assert_int_equal(all[0].frame_bytes, 162);
    assert_int_equal(all[0].packet.ttl, 64);
    assert_int_equal(all[0].packet.next_header, PROTO_UDP);
    assert_int_equal(all[0].packet.transport_bytes, 8);
    assert_true(addr_equal(&all[0].packet.src, &all[1].packet.dst));
    assert_true(all[0].packet.flow_label > 0 && all[0].packet.flow_label < 1 << 20);
    assert_true(all[1].packet.flow_label > 0 && all[1].packet.flow_label < 1 << 20);
    assert_true(all[0].packet.flow_label != all[1].packet.flow_label);
    mem_free(all);
}

static void a_syn_without_answer_is_sent_again(void **state)
{
    struct demand d = connection(PROTO_TCP, 0, 0);
    struct script s = {.demands = &d, .len = 1};
    const struct demand_source source = script_source(&s);
    const char *wrong;
    size_t len;
    struct captured *all;

    (void)state;
    assert_true(demand_fit(&d, &(struct demand_counts){120, 3},
                           &(struct demand_counts){0, 0}, &wrong));
    all = read_all(&source, &len);
    assert_int_equal(len, 3);
    for (size_t i = 0; i < len; i++)
        assert_true(all[i].packet.tcp_flags == TCP_SYN &&
                    all[i].packet.tcp_seq == all[0].packet.tcp_seq);
    mem_free(all);
}

/* ---- many ---- */

/* Whatever is asked for comes out: bytes and packets of each connection's two ways. */
static void nothing_is_lost_or_added(void **state)
{
    struct flowgen_config c = flowgens_plain();
    struct flowgen *g;
    struct demand_source source;
    uint64_t bytes = 0, packets = 0, payload_up = 0;
    size_t flows, len;
    struct demand *all;
    struct captured *got;

    (void)state;
    c.size = (struct law){
        .kind = LAW_PARETO, .a = 1.1, .b = 10, .at_least = 1, .at_most = 1000000};
    c.protocols[FLOWGEN_UDP] = 1;
    all = flowgens_all(&c, &flows);
    for (size_t i = 0; i < flows; i++) {
        bytes += demand_bytes(&all[i]);
        packets += all[i].up.packets + all[i].down.packets;
        payload_up += all[i].up.payload_bytes;
    }
    g = flowgen_create(&c);
    source = flowgen_source(g);
    got = read_all(&source, &len);
    assert_int_equal(len, packets);
    for (size_t i = 0; i < len; i++) {
        assert_true(i == 0 || got[i].time_ns >= got[i - 1].time_ns);
        bytes -= got[i].packet.size_bytes;
        payload_up -= got[i].packet.ttl == 64 ? got[i].packet.payload_bytes : 0;
    }
    assert_int_equal(bytes, 0);
    assert_int_equal(payload_up, 0);
    mem_free(all);
    mem_free(got);
    flowgen_destroy(g);
}

/* A single source port, connections one second long, the next when the last one ends. */
static void a_port_is_free_again_when_its_connection_ends(void **state)
{
    struct flowgen_config c = flowgens_plain();
    struct flowgen *g;
    struct demand_source source;
    struct captured *got;
    size_t len;

    (void)state;
    c.arrivals = (struct arrivals_config){.kind = ARRIVALS_PERIODIC,
                                          .every_ns = SECONDS(1),
                                          .end_ns = INT64_MAX / 2,
                                          .flows = 20};
    c.source_ports = (struct config_range){4000, 4000};
    c.rate_bps = 0;
    c.has_duration = true;
    c.duration = (struct law){.kind = LAW_CONSTANT, .a = 1e9, .at_most = LAW_VALUE_MAX};
    g = flowgen_create(&c);
    source = flowgen_source(g);
    got = read_all(&source, &len);
    assert_int_equal(len, 20 * 17);
    mem_free(got);
    flowgen_destroy(g);
}

static void what_cannot_be_had_ends_the_reading_after_what_could(void **state)
{
    struct demand demands[2] = {connection(PROTO_UDP, 1472 * 5, 0)};
    struct script s = {.demands = demands, .len = 2};
    const struct demand_source source = script_source(&s);
    struct pacer *p = pacer_create(&source);
    struct captured got[8];

    (void)state;
    demands[1].start_ns = SECONDS(1.6);
    assert_int_equal(pacer_read(p, got, 8), 3);
    assert_int_equal(pacer_read(p, got, 8), -1);
    assert_string_equal(pacer_error(p), "there is no more");
    pacer_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_becomes_these_packets),
        cmocka_unit_test(packets_are_evenly_spaced_from_start_to_end),
        cmocka_unit_test(sequence_numbers_follow_what_was_sent),
        cmocka_unit_test(a_packet_has_what_a_capture_would_show),
        cmocka_unit_test(a_syn_without_answer_is_sent_again),
        cmocka_unit_test(nothing_is_lost_or_added),
        cmocka_unit_test(a_port_is_free_again_when_its_connection_ends),
        cmocka_unit_test(what_cannot_be_had_ends_the_reading_after_what_could),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
