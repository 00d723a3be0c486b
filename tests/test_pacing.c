#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "sim/traffic/pacing.h"
#include "tests/routers.h"

static struct demand demand_of(uint8_t protocol, uint64_t up, uint64_t down,
                               unsigned ack_every)
{
    const struct demand_limits limits = {576, ack_every};
    struct demand d = {.start_ns = 1000,
                       .duration_ns = 123456789,
                       .src = addr_from_v4((const uint8_t[]){192, 168, 10, 5}),
                       .dst = addr_from_v4((const uint8_t[]){203, 0, 113, 1}),
                       .sport = 40000,
                       .dport = 443,
                       .protocol = protocol,
                       .key = 7};

    demand_fill(&d, up, down, &limits);
    return d;
}

static bool is_up(const struct captured *c)
{
    return c->packet.sport == 40000;
}

/* What is passed over is what would have been sent, and what follows is the same. */
static void expect_skip(const char *when, const struct demand *d, uint32_t from,
                        uint32_t to)
{
    struct pacing sent, skipped;
    struct pacing_passed want = {{0, 0}, {0, 0}}, got;
    struct captured a, b;

    pacing_begin(&sent, d);
    for (uint32_t k = 0; k < from; k++)
        pacing_emit(&sent, &a);
    skipped = sent;
    for (uint32_t k = from; k < to; k++) {
        pacing_emit(&sent, &a);
        want.packets[!is_up(&a)]++;
        want.bytes[!is_up(&a)] += a.packet.size_bytes;
    }
    pacing_skip(&skipped, to, &got);
    if (memcmp(&want, &got, sizeof want) != 0)
        fail_msg("%s: from %u to %u: %u up, %u down passed, expected %u and %u", when,
                 from, to, got.packets[0], got.packets[1], want.packets[0],
                 want.packets[1]);
    for (uint32_t k = to; k < pacing_packets(d); k++) {
        pacing_emit(&sent, &a);
        pacing_emit(&skipped, &b);
        if (a.time_ns != b.time_ns || memcmp(&a.packet, &b.packet, sizeof a.packet) != 0)
            fail_msg("%s: packet %u differs behind %u to %u", when, k, from, to);
    }
}

static void packets_passed_over_are_those_that_would_be_sent(void **state)
{
    static const struct {
        const char *when;
        uint8_t protocol;
        uint64_t up, down;
        unsigned ack_every;
    } rows[] = {
        {"a download", PROTO_TCP, 3000, 40000, 2},
        {"an upload", PROTO_TCP, 40000, 700, 2},
        {"as much both ways", PROTO_TCP, 20000, 20000, 1},
        {"acknowledged seldom", PROTO_TCP, 1, 30000, 7},
        {"UDP both ways", PROTO_UDP, 12000, 18000, 2},
        {"UDP down alone", PROTO_UDP, 0, 20000, 2},
        {"UDP up alone", PROTO_UDP, 20000, 0, 2},
    };
    struct random_stream chance = random_stream_make(1, 1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct demand d =
            demand_of(rows[i].protocol, rows[i].up, rows[i].down, rows[i].ack_every);
        struct pacing p;
        uint32_t first, end;

        pacing_begin(&p, &d);
        pacing_middle(&p, &first, &end);
        for (unsigned n = 0; n < 300; n++) {
            const uint32_t from =
                first + (uint32_t)random_below(&chance, end - first + 1);
            const uint32_t to = from + (uint32_t)random_below(&chance, end - from + 1);

            expect_skip(rows[i].when, &d, from, to);
        }
    }
}

static void the_next_and_the_last_packet_of_a_way_are_found(void **state)
{
    const struct demand d = demand_of(PROTO_TCP, 5000, 30000, 2);
    uint32_t first, end, n = pacing_packets(&d);
    bool *ups = mem_alloc(n, sizeof *ups);
    struct captured packet;
    struct pacing p, all;

    (void)state;
    pacing_begin(&p, &d);
    all = p;
    pacing_middle(&p, &first, &end);
    for (uint32_t k = 0; k < n; k++) {
        pacing_emit(&all, &packet);
        ups[k] = is_up(&packet);
    }
    for (uint32_t k = first; k <= end; k++)
        for (unsigned up = 0; up < 2; up++) {
            uint32_t next = k, last = k;

            while (next < end && ups[next] != up)
                next++;
            while (last > first && ups[last - 1] != up)
                last--;
            last = last > first ? last - 1 : k;
            if (pacing_next_of_way(&p, k, up) != next)
                fail_msg("next of way %u from %u: %u, expected %u", up, k,
                         pacing_next_of_way(&p, k, up), next);
            if (pacing_last_of_way(&p, k, up) != last)
                fail_msg("last of way %u before %u: %u, expected %u", up, k,
                         pacing_last_of_way(&p, k, up), last);
        }
    mem_free(ups);
}

/* The first at the start, the last at the end; before a packet's own time it is not counted. */
static void packets_are_counted_by_their_times(void **state)
{
    const struct demand d = demand_of(PROTO_UDP, 9000, 9000, 2);
    const uint32_t n = pacing_packets(&d);
    struct pacing p;

    (void)state;
    pacing_begin(&p, &d);
    assert_int_equal(pacing_time(&p, 0), d.start_ns);
    assert_int_equal(pacing_time(&p, n - 1), d.start_ns + d.duration_ns);
    for (uint32_t k = 0; k < n; k++) {
        assert_int_equal(pacing_count_before(&p, pacing_time(&p, k)), k);
        assert_int_equal(pacing_count_before(&p, pacing_time(&p, k) + 1), k + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_passed_over_are_those_that_would_be_sent),
        cmocka_unit_test(the_next_and_the_last_packet_of_a_way_are_found),
        cmocka_unit_test(packets_are_counted_by_their_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
