#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "tests/flowgens.h"
#include "tests/packets.h"
#include "tests/routers.h"

/* ---- common random numbers ---- */

enum part {
    PART_START = 1,
    PART_HOST = 2,
    PART_SERVER = 4,
    PART_PORT = 8,
    PART_SOURCE_PORT = 16,
    PART_PROTOCOL = 32,
    PART_BYTES = 64,
    PART_DURATION = 128,
};

static unsigned differences(const struct demand *a, const struct demand *b)
{
    return (a->start_ns != b->start_ns ? PART_START : 0) |
           (addr_equal(&a->src, &b->src) ? 0 : PART_HOST) |
           (addr_equal(&a->dst, &b->dst) ? 0 : PART_SERVER) |
           (a->dport != b->dport ? PART_PORT : 0) |
           (a->sport != b->sport ? PART_SOURCE_PORT : 0) |
           (a->protocol != b->protocol ? PART_PROTOCOL : 0) |
           (a->up.payload_bytes != b->up.payload_bytes ? PART_BYTES : 0) |
           (a->duration_ns != b->duration_ns ? PART_DURATION : 0);
}

/* What differs between two streams, connection by connection. */
static unsigned all_differences(const struct flowgen_config *a,
                                const struct flowgen_config *b)
{
    size_t a_len, b_len;
    struct demand *x = flowgens_all(a, &a_len), *y = flowgens_all(b, &b_len);
    unsigned parts = 0;

    assert_int_equal(a_len, b_len);
    for (size_t i = 0; i < a_len; i++)
        parts |= differences(&x[i], &y[i]);
    mem_free(x);
    mem_free(y);
    return parts;
}

static const struct flowgen_range many_servers[] = {
    {.first = {.bytes = {203, 0, 113, 0}, .family = FAMILY_V4}, .count = 256},
};
static const struct config_range many_ports[] = {{80, 89}};

static struct flowgen_config varied(void)
{
    struct flowgen_config c = flowgens_plain();

    c.size = (struct law){
        .kind = LAW_EXPONENTIAL, .a = 1e5, .at_least = 1, .at_most = 1 << 30};
    c.duration =
        (struct law){.kind = LAW_EXPONENTIAL, .a = 6e10, .at_most = LAW_VALUE_MAX};
    c.has_duration = true;
    c.rate_bps = 0;
    c.servers = many_servers;
    c.ports = many_ports;
    c.protocols[FLOWGEN_UDP] = 1;
    return c;
}

static void change_seed(struct flowgen_config *c)
{
    c->seed++;
}
static void change_arrivals(struct flowgen_config *c)
{
    c->arrivals.per_hour *= 2;
}
static void change_size(struct flowgen_config *c)
{
    c->size.kind = LAW_CONSTANT;
}
static void change_duration(struct flowgen_config *c)
{
    c->duration.kind = LAW_CONSTANT;
}
static void change_hosts(struct flowgen_config *c)
{
    c->hosts_len = 1;
}
static void change_servers(struct flowgen_config *c)
{
    c->server_pick = PICK_ZIPF;
    c->server_zipf = 1;
}
static void change_ports(struct flowgen_config *c)
{
    c->ports_len = 1;
    c->port_pick = PICK_SEQUENTIAL;
}
static void change_protocols(struct flowgen_config *c)
{
    c->protocols[FLOWGEN_UDP] = 9;
}
static void change_nothing(struct flowgen_config *c)
{
    (void)c;
}

static void a_change_of_one_part_changes_no_other(void **state)
{
    static const struct {
        const char *what;
        void (*change)(struct flowgen_config *c);
        unsigned parts; /* that may differ, and do */
    } rows[] = {
        {"nothing", change_nothing, 0},
        {"arrivals", change_arrivals, PART_START},
        {"sizes", change_size, PART_BYTES},
        {"durations", change_duration, PART_DURATION},
        {"hosts", change_hosts, PART_HOST},
        {"servers", change_servers, PART_SERVER},
        {"ports", change_ports, PART_PORT},
        {"protocols", change_protocols, PART_PROTOCOL},
        {"the seed", change_seed, 255},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct flowgen_config a = varied();
        struct flowgen_config b = varied();
        unsigned parts;

        rows[i].change(&b);
        parts = all_differences(&a, &b);
        if (parts != rows[i].parts)
            fail_msg("%s: parts %u differ, not %u", rows[i].what, parts, rows[i].parts);
    }
}

/* ---- what a connection is ---- */

/* 10 kB, 91 % down: 900 up (1 packet), 9100 down (7 packets); wire bytes at 8 Mbit/s. */
static void bytes_and_rate_make_the_duration(void **state)
{
    const struct flowgen_config c = flowgens_plain();
    size_t len;
    struct demand *all = flowgens_all(&c, &len);

    (void)state;
    assert_int_equal(len, FLOWGENS_FLOWS);
    assert_int_equal(all[0].up.payload_bytes, 900);
    assert_int_equal(all[0].down.payload_bytes, 9100);
    assert_int_equal(all[0].up.packets, 1 + 4 + 3);
    assert_int_equal(all[0].down.packets, 7 + 2);
    assert_int_equal(all[0].duration_ns, (10000 + 17 * 40) * 1000);
    mem_free(all);
}

static void a_duration_is_no_shorter_than_its_law_says(void **state)
{
    struct flowgen_config c = flowgens_plain();
    size_t len;
    struct demand *all;

    (void)state;
    c.has_duration = true;
    c.duration = (struct law){.kind = LAW_CONSTANT, .a = 5e9, .at_most = LAW_VALUE_MAX};
    all = flowgens_all(&c, &len);
    assert_int_equal(all[0].duration_ns, SECONDS(5));
    mem_free(all);
    c.rate_bps = 1;
    c.size.a = 1e12;
    all = flowgens_all(&c, &len);
    assert_int_equal(all[0].duration_ns, LAW_VALUE_MAX); /* a terabyte at 1 bit/s */
    mem_free(all);
}

/* The published self-tests of a kernel sweep 32,769 destination ports from one source port. */
static void ports_are_swept_in_order(void **state)
{
    static const struct config_range sweep[] = {{0, 32768}};
    struct flowgen_config c = flowgens_plain();
    size_t len;
    struct demand *all;

    (void)state;
    c.arrivals.flows = 32769;
    c.hosts_len = 1;
    c.ports = sweep;
    c.port_pick = PICK_SEQUENTIAL;
    c.source_ports = (struct config_range){1024, 1024};
    c.protocols[FLOWGEN_TCP] = 0;
    c.protocols[FLOWGEN_UDP] = 1;
    all = flowgens_all(&c, &len);
    assert_int_equal(len, 32769);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(all[i].dport, i);
        assert_int_equal(all[i].sport, 1024);
        assert_int_equal(all[i].protocol, PROTO_UDP);
    }
    mem_free(all);
}

static void sequential_source_ports_begin_with_the_first(void **state)
{
    struct flowgen_config c = flowgens_plain();
    size_t len;
    struct demand *all;

    (void)state;
    c.source_ports = (struct config_range){7000, 7002};
    c.source_port_pick = PICK_SEQUENTIAL;
    all = flowgens_all(&c, &len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(all[i].sport, 7000 + i % 3);
    mem_free(all);
}

static void quic_goes_to_443_and_weights_choose_ports(void **state)
{
    static const struct config_range ranges[] = {{53, 53}, {100, 199}};
    static const double weights[] = {3, 1};
    struct flowgen_config c = flowgens_plain();
    unsigned quic = 0, dns = 0;
    size_t len;
    struct demand *all;

    (void)state;
    c.arrivals.flows = 20000;
    c.ports = ranges;
    c.ports_len = 2;
    c.port_weights = weights;
    c.port_pick = PICK_WEIGHTED;
    c.protocols[FLOWGEN_TCP] = 1;
    c.protocols[FLOWGEN_QUIC] = 1;
    all = flowgens_all(&c, &len);
    for (size_t i = 0; i < len; i++) {
        const uint16_t port = all[i].dport;

        assert_true((port == 443) == (all[i].protocol == PROTO_UDP));
        assert_true(port == 443 || port == 53 || (port >= 100 && port <= 199));
        quic += port == 443;
        dns += port == 53;
    }
    mem_free(all);
    assert_true(fabs(quic - 10000.0) < 4 * sqrt(5000)); /* a half of 20000 */
    assert_true(fabs(dns - 7500.0) < 4 * sqrt(20000 * .375 * .625));
}

/* ---- servers ---- */

static void servers_are_distinct_and_inside_their_ranges(void **state)
{
    static const struct flowgen_range ranges[] = {
        {.first = {.bytes = {198, 51, 100, 0}, .family = FAMILY_V4}, .count = 4},
        {.first = {.bytes = {203, 0, 113, 0}, .family = FAMILY_V4}, .count = 256},
    };
    struct flowgen_config c = flowgens_plain();
    unsigned seen[2][256] = {{0}}, small = 0, large = 0;
    size_t len;
    struct demand *all;

    (void)state;
    c.servers = ranges;
    c.servers_len = 2;
    c.server_count = 100;
    c.server_pick = PICK_SEQUENTIAL;
    c.arrivals.flows = 200;
    all = flowgens_all(&c, &len);
    for (size_t i = 0; i < len; i++) {
        const uint8_t *b = all[i].dst.bytes;

        assert_true((b[0] == 198 && b[1] == 51 && b[2] == 100 && b[3] < 4) ||
                    (b[0] == 203 && b[1] == 0 && b[2] == 113));
        seen[b[0] == 203][b[3]]++;
    }
    mem_free(all);
    for (unsigned i = 0; i < 256; i++) { /* each one twice in 200 */
        assert_true((seen[0][i] | seen[1][i] | 2) == 2);
        small += seen[0][i] / 2;
        large += seen[1][i] / 2;
    }
    assert_int_equal(small, 4);
    assert_int_equal(large, 96);
}

static void addresses_in_a_row_carry_over_bytes(void **state)
{
    static const struct {
        const char *first;
        uint64_t index;
        const char *there;
    } rows[] = {
        {"192.168.10.250", 10, "192.168.11.4"},
        {"2001:db8::ffff", 1, "2001:db8::1:0"},
        {"2001:db8::", UINT64_MAX, "2001:db8::ffff:ffff:ffff:ffff"},
        {"10.0.0.1", 0, "10.0.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct flowgen_range r = {.first = address(rows[i].first),
                                        .count = UINT64_MAX};
        const struct addr a = flowgen_range_at(&r, rows[i].index),
                          b = address(rows[i].there);

        if (!addr_equal(&a, &b))
            fail_msg("%s: row %zu", rows[i].there, i);
    }
}

static void a_host_reaches_servers_of_its_own_family(void **state)
{
    const struct addr hosts[] = {address("192.168.10.5"), address("2001:db8:10::5")};
    const struct flowgen_range ranges[] = {
        {.first = address("198.51.100.0"), .count = 256},
        {.first = address("2001:db8:f::"), .count = UINT64_MAX},
    };
    struct flowgen_config c = flowgens_plain();
    size_t len;
    struct demand *all;

    (void)state;
    c.hosts = hosts;
    c.servers = ranges;
    c.servers_len = 2;
    c.server_count = 50;
    all = flowgens_all(&c, &len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(all[i].src.family, all[i].dst.family);
    mem_free(all);
}

/* ---- 5-tuples ---- */

/* Two source ports: of two that live at once none is used twice; a third finds none. */
static void a_live_tuple_is_never_used_again(void **state)
{
    static const struct {
        const char *what;
        uint8_t pick;
    } rows[] = {{"random", PICK_UNIFORM}, {"sequential", PICK_SEQUENTIAL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct flowgen_config c = flowgens_plain();
        struct flowgen *g;
        struct demand_source s;
        struct demand a, b, third;
        int64_t at;

        c.hosts_len = 1;
        c.source_ports = (struct config_range){5000, 5001};
        c.source_port_pick = rows[i].pick;
        g = flowgen_create(&c);
        s = flowgen_source(g);
        for (int n = 0; n < 50; n++) {
            assert_true(s.begin(s.context, &at) && s.take(s.context, &a));
            assert_true(s.begin(s.context, &at) && s.take(s.context, &b));
            assert_true(a.sport != b.sport && (a.sport | 1) == 5001 &&
                        (b.sport | 1) == 5001);
            assert_true(s.begin(s.context, &at));
            if (s.take(s.context, &third))
                fail_msg("%s: a third connection", rows[i].what);
            assert_non_null(strstr(s.error(s.context),
                                   "/traffic/0: no source port from 5000 to "
                                   "5001 is free"));
            s.ended(s.context, &a);
            s.ended(s.context, &b);
        }
        flowgen_destroy(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_one_part_changes_no_other),
        cmocka_unit_test(bytes_and_rate_make_the_duration),
        cmocka_unit_test(a_duration_is_no_shorter_than_its_law_says),
        cmocka_unit_test(ports_are_swept_in_order),
        cmocka_unit_test(sequential_source_ports_begin_with_the_first),
        cmocka_unit_test(quic_goes_to_443_and_weights_choose_ports),
        cmocka_unit_test(servers_are_distinct_and_inside_their_ranges),
        cmocka_unit_test(addresses_in_a_row_carry_over_bytes),
        cmocka_unit_test(a_host_reaches_servers_of_its_own_family),
        cmocka_unit_test(a_live_tuple_is_never_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
