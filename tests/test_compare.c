/*
 * One field of the kernel's answer altered is one finding, of that field's kind; nothing altered
 * is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sim/verify/compare.h"
#include "tests/packets.h"

#define LEN(a) (sizeof(a) / sizeof(a)[0])

static struct config_iface ifaces[] = {
    {.name = "lan"}, {.name = "wan1"}, {.name = "wan2"}};
static const struct router_config config = {.ifaces = ifaces, .ifaces_len = LEN(ifaces)};

/* What is altered, each a bit; several at once are one finding, of the first kind. */
enum alteration {
    WAN = 1,
    SOURCE = 2,
    SOURCE_PORT = 4,
    DESTINATION = 8,
    DESTINATION_PORT = 16,
    DROPPED = 32,
    SECOND_PACKET = 64,
    OTHER_TABLE = 128,
    OTHER_GATEWAY = 256,
    OTHER_REFUSAL = 512,
};

static struct outcome altered(struct outcome o, unsigned what)
{
    if (what & WAN)
        o.iface = 2;
    if (what & SOURCE)
        o.src = address("100.64.2.2");
    if (what & SOURCE_PORT)
        o.sport++;
    if (what & DESTINATION)
        o.dst = address("203.0.113.10");
    if (what & DESTINATION_PORT)
        o.dport++;
    if (what & DROPPED)
        o.forwarded = !o.forwarded;
    if (what & SECOND_PACKET)
        o.extra = true;
    if (what & OTHER_TABLE)
        o.table++;
    if (what & OTHER_GATEWAY)
        o.gateway = address("100.64.1.254");
    if (what & OTHER_REFUSAL)
        o.type = ROUTE_PROHIBIT;
    return o;
}

struct row {
    const char *what;
    unsigned alterations;
    enum difference kind;
    const char *kernel; /* its words in the example; NULL: there is none */
};

static void expect_one_finding(const struct row *row, const struct outcome *model)
{
    const struct packet p = packet("udp 192.168.10.5:40000 > 203.0.113.9:443");
    const struct observation o = {.number = 7, .packet = &p, .wire = &p};
    const struct outcome kernel = altered(*model, row->alterations);
    struct comparison c = {.config = &config};
    const bool agrees = comparison_add(&c, &o, model, &kernel);

    if (agrees != (row->kind == AGREES) || c.compared != 1 || c.agreed != agrees ||
        comparison_differing(&c) != !agrees)
        fail_msg("%s: %s", row->what, agrees ? "agrees" : "differs");
    for (unsigned i = 0; i < DIFFERENCES; i++)
        if (c.differences[i].count != (i == (unsigned)row->kind))
            fail_msg("%s: %d under \"%s\"", row->what, (int)c.differences[i].count,
                     difference_names[i]);
    if (agrees)
        return;
    assert_int_equal(c.differences[row->kind].examples[0].packet, 7);
    assert_string_equal(c.differences[row->kind].examples[0].kernel, row->kernel);
}

static void each_altered_field_of_a_packet_is_one_finding(void **state)
{
    static const struct row rows[] = {
        {"nothing", 0, AGREES, NULL},
        {"dropped", DROPPED, DIFFER_ONLY_MODEL, "not forwarded"},
        {"the WAN", WAN, DIFFER_INTERFACE, "wan2, 100.64.1.2:40000 > 203.0.113.9:443"},
        {"the source address", SOURCE, DIFFER_SOURCE,
         "wan1, 100.64.2.2:40000 > 203.0.113.9:443"},
        {"the source port", SOURCE_PORT, DIFFER_PORT,
         "wan1, 100.64.1.2:40001 > 203.0.113.9:443"},
        {"the destination", DESTINATION, DIFFER_DESTINATION,
         "wan1, 100.64.1.2:40000 > 203.0.113.10:443"},
        {"the destination port", DESTINATION_PORT, DIFFER_DESTINATION,
         "wan1, 100.64.1.2:40000 > 203.0.113.9:444"},
        {"an extra packet", SECOND_PACKET, DIFFER_EXTRA,
         "wan1, 100.64.1.2:40000 > 203.0.113.9:443, and more"},
        {"WAN and source", WAN | SOURCE, DIFFER_INTERFACE,
         "wan2, 100.64.2.2:40000 > 203.0.113.9:443"},
        {"source and port", SOURCE | SOURCE_PORT, DIFFER_SOURCE,
         "wan1, 100.64.2.2:40001 > 203.0.113.9:443"},
        {"routing, which no packet shows", OTHER_TABLE | OTHER_GATEWAY, AGREES, NULL},
    };
    const struct outcome model = {.forwarded = true,
                                  .iface = 1,
                                  .src = address("100.64.1.2"),
                                  .dst = address("203.0.113.9"),
                                  .sport = 40000,
                                  .dport = 443,
                                  .table = 254,
                                  .why = ""};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        expect_one_finding(&rows[i], &model);
}

/* What the simulation drops, the kernel may not forward; where neither does, nothing else counts. */
static void a_packet_that_only_the_kernel_forwards_is_one_finding(void **state)
{
    static const struct row rows[] = {
        {"neither forwards it", WAN | SOURCE, AGREES, NULL},
        {"the kernel does", DROPPED, DIFFER_ONLY_KERNEL,
         "wan1, 192.168.10.5:40000 > 203.0.113.9:443"},
    };
    const struct outcome model = {.iface = 1,
                                  .src = address("192.168.10.5"),
                                  .dst = address("203.0.113.9"),
                                  .sport = 40000,
                                  .dport = 443,
                                  .why = ""};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        expect_one_finding(&rows[i], &model);
}

static void each_altered_part_of_a_route_is_one_finding(void **state)
{
    static const struct row rows[] = {
        {"nothing", 0, AGREES, NULL},
        {"no route", DROPPED, DIFFER_ONLY_MODEL, "unicast"},
        {"the interface", WAN, DIFFER_INTERFACE, "wan2 via 100.64.1.1, table 254"},
        {"the table", OTHER_TABLE, DIFFER_TABLE, "wan1 via 100.64.1.1, table 255"},
        {"the gateway", OTHER_GATEWAY, DIFFER_GATEWAY,
         "wan1 via 100.64.1.254, table 254"},
    };
    static const struct row refusals[] = {
        {"nothing", 0, AGREES, NULL},
        {"another refusal", OTHER_REFUSAL, DIFFER_REFUSAL, "prohibit"},
    };
    const struct outcome model = {.forwarded = true,
                                  .routing_only = true,
                                  .type = ROUTE_UNICAST,
                                  .iface = 1,
                                  .table = 254,
                                  .gateway = address("100.64.1.1"),
                                  .why = ""};
    const struct outcome refuses = {
        .routing_only = true, .type = ROUTE_UNREACHABLE, .iface = -1, .why = ""};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        expect_one_finding(&rows[i], &model);
    for (size_t i = 0; i < LEN(refusals); i++)
        expect_one_finding(&refusals[i], &refuses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_altered_field_of_a_packet_is_one_finding),
        cmocka_unit_test(a_packet_that_only_the_kernel_forwards_is_one_finding),
        cmocka_unit_test(each_altered_part_of_a_route_is_one_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
