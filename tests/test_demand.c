#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/traffic/demand.h"
#include "tests/packets.h"
#include "tests/routers.h"

static struct demand between(const char *src, const char *dst, uint8_t protocol)
{
    return (struct demand){
        .src = address(src), .dst = address(dst), .protocol = protocol};
}

/* With MTU 1500: a full packet has 1460 bytes of TCP over IPv4, 1440 over IPv6, 1472 of UDP. */
static void payload_fills_packets_and_is_acknowledged(void **state)
{
    static const struct {
        const char *what, *src, *dst;
        uint8_t protocol;
        unsigned ack_every;
        uint64_t up, down;
        uint32_t up_packets, up_data, down_packets, down_data;
    } rows[] = {
        {"tcp without payload", "10.0.0.1", "10.0.0.2", PROTO_TCP, 2, 0, 0, 4, 0, 2, 0},
        {"one full packet each", "10.0.0.1", "10.0.0.2", PROTO_TCP, 2, 1460, 1460, 5, 1,
         3, 1},
        {"a byte more", "10.0.0.1", "10.0.0.2", PROTO_TCP, 2, 1460, 1461, 5, 1, 4, 2},
        {"ten full ones down", "10.0.0.1", "10.0.0.2", PROTO_TCP, 2, 100, 14600, 9, 1, 12,
         10},
        {"each acknowledged", "10.0.0.1", "10.0.0.2", PROTO_TCP, 1, 100, 14600, 14, 1, 12,
         10},
        {"only up", "10.0.0.1", "10.0.0.2", PROTO_TCP, 2, 14600, 0, 14, 10, 7, 0},
        {"tcp over IPv6", "2001:db8::1", "2001:db8::2", PROTO_TCP, 2, 1, 1441, 5, 1, 4,
         2},
        {"udp", "10.0.0.1", "10.0.0.2", PROTO_UDP, 2, 1472, 1473, 1, 1, 2, 2},
        {"udp with nothing up", "10.0.0.1", "10.0.0.2", PROTO_UDP, 2, 0, 10, 1, 1, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct demand_limits limits = {1500, rows[i].ack_every};
        struct demand d = between(rows[i].src, rows[i].dst, rows[i].protocol);

        demand_fill(&d, rows[i].up, rows[i].down, &limits);
        if (d.up.packets != rows[i].up_packets || d.up.data_packets != rows[i].up_data ||
            d.down.packets != rows[i].down_packets ||
            d.down.data_packets != rows[i].down_data)
            fail_msg("%s: up %u, data %u; down %u, data %u", rows[i].what, d.up.packets,
                     d.up.data_packets, d.down.packets, d.down.data_packets);
        if (demand_bytes(&d) !=
            rows[i].up + rows[i].down +
                (uint64_t)demand_header_bytes(&d) * (d.up.packets + d.down.packets))
            fail_msg("%s: %llu bytes", rows[i].what,
                     (unsigned long long)demand_bytes(&d));
    }
}

/* TCP headers are 40 bytes, UDP's 28. */
static void counted_packets_and_bytes_are_kept(void **state)
{
    static const struct {
        const char *what;
        uint8_t protocol;
        struct demand_counts up, down;
        enum demand_shape shape;
        uint32_t up_data, down_data;
    } rows[] = {
        {"a SYN", PROTO_TCP, {40, 1}, {0, 0}, DEMAND_SYN, 0, 0},
        {"three SYNs", PROTO_TCP, {120, 3}, {0, 0}, DEMAND_SYN, 0, 0},
        {"nothing but the exchange", PROTO_TCP, {160, 4}, {80, 2}, DEMAND_WHOLE, 0, 0},
        {"a small page",
         PROTO_TCP,
         {40 * 6 + 500, 6},
         {40 * 6 + 4000, 6},
         DEMAND_WHOLE,
         1,
         3},
        {"no room for the end",
         PROTO_TCP,
         {40 * 2 + 500, 2},
         {40 + 100, 1},
         DEMAND_PLAIN,
         1,
         1},
        {"segments put together",
         PROTO_TCP,
         {40 * 5 + 9000, 5},
         {80, 2},
         DEMAND_WHOLE,
         1,
         0},
        {"udp, one each", PROTO_UDP, {28 + 40, 1}, {28 + 200, 1}, DEMAND_PLAIN, 1, 1},
        {"udp, empty", PROTO_UDP, {56, 2}, {0, 0}, DEMAND_PLAIN, 2, 0},
        {"only down", PROTO_UDP, {0, 0}, {28 + 9, 1}, DEMAND_PLAIN, 0, 1},
    };
    const char *wrong;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct demand d = between("10.0.0.1", "10.0.0.2", rows[i].protocol);

        if (!demand_fit(&d, &rows[i].up, &rows[i].down, &wrong))
            fail_msg("%s: %s", rows[i].what, wrong);
        if (demand_way_bytes(&d, &d.up) != rows[i].up.bytes ||
            demand_way_bytes(&d, &d.down) != rows[i].down.bytes ||
            d.up.packets != rows[i].up.packets || d.down.packets != rows[i].down.packets)
            fail_msg("%s: bytes or packets are lost", rows[i].what);
        if (d.shape != rows[i].shape || d.up.data_packets != rows[i].up_data ||
            d.down.data_packets != rows[i].down_data)
            fail_msg("%s: shape %u, data %u and %u", rows[i].what, d.shape,
                     d.up.data_packets, d.down.data_packets);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        struct demand_counts up, down;
        const char *wrong;
    } rows[] = {
        {{39, 1}, {0, 0}, "fewer bytes than the packets' headers"},
        {{40, 1}, {100, 0}, "more bytes than the packets can hold"},
        {{70000, 1}, {0, 0}, "more bytes than the packets can hold"},
        {{0, 0}, {0, 0}, "no packets"},
        {{UINT64_MAX, 3000000000}, {0, 0}, "more packets than 2147483647"},
    };
    const char *wrong = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct demand d = between("10.0.0.1", "10.0.0.2", PROTO_TCP);

        if (demand_fit(&d, &rows[i].up, &rows[i].down, &wrong) ||
            strcmp(wrong, rows[i].wrong) != 0)
            fail_msg("row %zu: %s", i, wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_fills_packets_and_is_acknowledged),
        cmocka_unit_test(counted_packets_and_bytes_are_kept),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
