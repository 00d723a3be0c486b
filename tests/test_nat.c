#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

#define ROUTER                                                                           \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24 100.64.1.3/24 198.18.0.2/30 2001:db8:1::2/64\n"            \
    "iface wan2 100.64.2.2/24\n"                                                         \
    "route 0.0.0.0/0 via 100.64.1.1\n"                                                   \
    "route ::/0 via 2001:db8:1::1\n"                                                     \
    "route 20.0.0.0/8 via 198.18.0.1\n"                                                  \
    "route 30.0.0.0/8 via 100.64.2.1\n"

static void check(const char *what, const char *rules, const char *sent,
                  const char *answer)
{
    char config[1024];
    struct lab *l;

    snprintf(config, sizeof config, ROUTER "%s", rules);
    l = lab_create(config);
    if (strcmp(lab_send(l, "lan", sent, 1), answer) != 0)
        fail_msg("%s: %s, not %s", what, l->said, answer);
    lab_destroy(l);
}

static void the_first_rule_that_matches_decides(void **state)
{
    static const struct {
        const char *what, *rules, *sent, *answer;
    } rows[] = {
        {"no rule", "tracking on\n", "udp 192.168.10.5:9 > 8.8.8.8:53",
         "wan1 192.168.10.5:9 new"},
        {"masquerade", "nat masquerade\n", "udp 192.168.10.5:9 > 8.8.8.8:53",
         "wan1 100.64.1.2:9 new"},
        {"by its interface", "nat masquerade out wan2\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 192.168.10.5:9 new"},
        {"the address on the next hop's network", "nat masquerade\n",
         "udp 192.168.10.5:9 > 20.0.0.1:53", "wan1 198.18.0.2:9 new"},
        {"on link: the address on the destination's network", "nat masquerade out wan1\n",
         "udp 192.168.10.5:9 > 198.18.0.1:53", "wan1 198.18.0.2:9 new"},
        {"accept goes before", "nat accept to 8.0.0.0/8\nnat masquerade\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 192.168.10.5:9 new"},
        {"disabled", "nat accept disabled\nnat masquerade\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 100.64.1.2:9 new"},
        {"source", "nat masquerade from 192.168.10.6/32\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 192.168.10.5:9 new"},
        {"protocol", "nat src-nat public 1.2.3.4 proto tcp\nnat masquerade\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 100.64.1.2:9 new"},
        {"port", "nat src-nat public 1.2.3.4 dport 50-60\nnat masquerade\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 1.2.3.4:9 new"},
        {"no port, no match", "nat src-nat public 1.2.3.4 dport 1-60\nnat masquerade\n",
         "icmp 192.168.10.5 > 8.8.8.8 id 50", "wan1 100.64.1.2:50 new"},
        {"one public port", "nat src-nat public 1.2.3.4 ports 7000-7000\n",
         "udp 192.168.10.5:9 > 8.8.8.8:53", "wan1 1.2.3.4:7000 new"},
        {"the port is kept inside of the range",
         "nat src-nat public 1.2.3.4 ports 5-10\n", "udp 192.168.10.5:9 > 8.8.8.8:53",
         "wan1 1.2.3.4:9 new"},
        {"IPv6 is another family", "nat masquerade\n",
         "udp [2001:db8:10::5]:9 > [2001:db8:ff::1]:53", "wan1 [2001:db8:10::5]:9 new"},
        {"IPv6", "nat masquerade family 6\n",
         "udp [2001:db8:10::5]:9 > [2001:db8:ff::1]:53", "wan1 [2001:db8:1::2]:9 new"},
        {"IPv6 ping", "nat masquerade family 6\n",
         "icmpv6 2001:db8:10::5 > 2001:db8:ff::1 id 3", "wan1 [2001:db8:1::2]:3 new"},
        {"no address of the family: another interface's, RFC 6724 rule 8",
         "route 2001:db8:f::/48 via wan2\n"
         "nat masquerade family 6\n",
         "udp [2001:db8:10::5]:9 > [2001:db8:f::1]:53", "wan2 [2001:db8:1::2]:9 new"},
        {"without ports", "nat masquerade\n", "gre 192.168.10.5 > 8.8.8.8",
         "wan1 100.64.1.2 new"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(rows[i].what, rows[i].rules, rows[i].sent, rows[i].answer);
}

/* ------------------------------------------------------------------------ ports that clash */

/* Source: Linux nf_nat_l4proto_unique_tuple(). */
static void of_two_with_one_port_the_second_gets_another_of_its_class(void **state)
{
    static const struct {
        unsigned port, first, last;
    } rows[] = {{1, 1, 511},         {511, 1, 511},       {512, 600, 1023},
                {1023, 600, 1023},   {1024, 1024, 65535}, {50000, 1024, 65535},
                {65535, 1024, 65535}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned seed = 0; seed < 20; seed++) {
            char config[512], sent[96], kept[64];
            struct lab *l;

            snprintf(config, sizeof config, "seed %u\n" ROUTER "nat masquerade\n", seed);
            l = lab_create(config);
            snprintf(sent, sizeof sent, "tcp 192.168.10.5:%u > 8.8.8.8:443 syn",
                     rows[i].port);
            snprintf(kept, sizeof kept, "wan1 100.64.1.2:%u new", rows[i].port);
            assert_string_equal(lab_send(l, "lan", sent, 1), kept);
            snprintf(sent, sizeof sent, "tcp 192.168.10.6:%u > 8.8.8.8:443 syn",
                     rows[i].port);
            lab_send(l, "lan", sent, 1);
            if (l->last.nat_sport == rows[i].port || l->last.nat_sport < rows[i].first ||
                l->last.nat_sport > rows[i].last)
                fail_msg("port %u, seed %u: %s", rows[i].port, seed, l->said);
            snprintf(sent, sizeof sent, "tcp 192.168.10.6:%u > 8.8.4.4:443 syn",
                     rows[i].port);
            lab_destroy(l);
        }
}

static void a_free_answer_keeps_the_port(void **state)
{
    struct lab *l = lab_create(ROUTER "nat masquerade\n");

    (void)state;
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.5:5000 > 8.8.8.8:53", 1),
                        "wan1 100.64.1.2:5000 new");
    /* another destination, another protocol, after the time of the first */
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.6:5000 > 8.8.4.4:53", 1),
                        "wan1 100.64.1.2:5000 new");
    assert_string_equal(lab_send(l, "lan", "tcp 192.168.10.6:5000 > 8.8.8.8:53 syn", 1),
                        "wan1 100.64.1.2:5000 new");
    assert_string_equal(lab_send(l, "lan", "udp 192.168.10.6:5000 > 8.8.8.8:53", 31),
                        "wan1 100.64.1.2:5000 new");
    lab_destroy(l);
}

/* Source: Linux find_appropriate_src(): endpoint-independent mapping as far as it goes. */
static void one_source_keeps_its_changed_port(void **state)
{
    struct lab *l = lab_create(ROUTER "nat masquerade\n");
    uint16_t changed;

    (void)state;
    lab_send(l, "lan", "udp 192.168.10.5:5000 > 8.8.8.8:53", 1);
    lab_send(l, "lan", "udp 192.168.10.6:5000 > 8.8.8.8:53", 1);
    changed = l->last.nat_sport;
    assert_int_not_equal(changed, 5000);
    lab_send(l, "lan", "udp 192.168.10.6:5000 > 8.8.4.4:53", 1);
    assert_int_equal(l->last.nat_sport, changed);
    lab_send(l, "lan", "udp 192.168.10.6:5000 > 30.0.0.1:53", 1); /* by the other WAN */
    assert_int_equal(l->last.nat_sport, 5000);
    lab_send(l, "lan", "udp 192.168.10.7:5000 > 8.8.4.4:53", 1); /* another source */
    assert_int_equal(l->last.nat_sport, 5000);
    lab_destroy(l);
}

static void without_a_free_port_the_packet_is_dropped(void **state)
{
    struct lab *l = lab_create(ROUTER "nat src-nat public 1.2.3.4 ports 7000-7003\n");
    bool seen[4] = {false};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        char sent[96];

        snprintf(sent, sizeof sent, "udp 192.168.10.5:%u > 8.8.8.8:53", 100 + i);
        lab_send(l, "lan", sent, 1);
        if (i >= 4) {
            assert_string_equal(l->said, "drop nat-clash");
            continue;
        }
        assert_in_range(l->last.nat_sport, 7000, 7003);
        assert_false(seen[l->last.nat_sport - 7000]);
        seen[l->last.nat_sport - 7000] = true;
    }
    assert_int_equal(conn_count(router_conns(l->router)), 4);
    lab_send(l, "lan", "udp 192.168.10.5:200 > 8.8.8.8:53",
             32); /* they are past their time */
    assert_in_range(l->last.nat_sport, 7000, 7003);
    lab_destroy(l);
}

static void what_has_no_port_clashes_at_once(void **state)
{
    struct lab *l = lab_create(ROUTER "nat masquerade\n");

    (void)state;
    assert_string_equal(lab_send(l, "lan", "gre 192.168.10.5 > 8.8.8.8", 1),
                        "wan1 100.64.1.2 new");
    assert_string_equal(lab_send(l, "lan", "gre 192.168.10.6 > 8.8.8.8", 1),
                        "drop nat-clash");
    assert_string_equal(lab_send(l, "lan", "gre 192.168.10.6 > 8.8.4.4", 1),
                        "wan1 100.64.1.2 new");
    lab_destroy(l);
}

/* The kernel gives up after 128 + 64 + 32 + 16 + 8 tries; so many hosts must not take for ever. */
static void many_hosts_on_one_port_end_in_bounded_time(void **state)
{
    struct lab *l = lab_create(ROUTER "nat masquerade\n");
    struct packet p = packet("udp 192.168.10.5:5000 > 8.8.8.8:53");
    unsigned dropped = 0;

    (void)state;
    for (unsigned i = 0; i < 70000; i++) {
        p.src.bytes[1] = (uint8_t)(i >> 16);
        p.src.bytes[2] = (uint8_t)(i >> 8);
        p.src.bytes[3] = (uint8_t)i;
        lab_send_packet(l, "lan", &p, 1);
        dropped += l->last.reason == REASON_NAT_CLASH;
    }
    assert_true(dropped >= 70000 - 64512);
    assert_int_equal(conn_count(router_conns(l->router)), 70000 - dropped);
    lab_destroy(l);
}

/* An untranslated connection whose answer belongs to another: only its port changes. */
static void a_clash_without_a_rule_changes_the_port(void **state)
{
    struct lab *l = lab_create(ROUTER "nat masquerade from 192.168.10.0/24\n");

    (void)state;
    lab_send(l, "lan", "udp 192.168.10.5:5000 > 8.8.8.8:53", 1);
    lab_send(l, "router", "udp 100.64.1.2:5000 > 8.8.8.8:53", 1);
    assert_int_equal(l->last.verdict, VERDICT_FORWARD);
    assert_int_not_equal(l->last.nat_sport, 5000);
    assert_true(l->last.nat_sport >= 1024);
    lab_destroy(l);
}

/* --------------------------------------------------------------------------- address ranges */

static void a_range_of_addresses_is_used_evenly_and_steadily(void **state)
{
    enum { HOSTS = 4000, ADDRESSES = 5 };
    struct lab *l = lab_create(ROUTER "nat src-nat public 203.0.113.254-203.0.114.2\n");
    unsigned used[ADDRESSES] = {0};

    (void)state;
    for (unsigned i = 0; i < HOSTS; i++) {
        char sent[96];
        struct addr first;
        unsigned at;

        snprintf(sent, sizeof sent, "udp 192.168.%u.%u:9000 > 8.8.8.8:53", 20 + i / 250,
                 i % 250);
        lab_send(l, "lan", sent, 1);
        first = l->last.nat_src;
        at = (unsigned)first.bytes[2] * 256 + first.bytes[3] - (113 * 256 + 254);
        if (at >= ADDRESSES)
            fail_msg("%s: %s", sent, l->said);
        used[at]++;
        snprintf(sent, sizeof sent, "udp 192.168.%u.%u:9001 > 8.8.8.8:53", 20 + i / 250,
                 i % 250);
        lab_send(l, "lan", sent,
                 1); /* the choice is by addresses: another port, the same */
        assert_true(addr_equal(&l->last.nat_src, &first));
    }
    for (unsigned i = 0; i < ADDRESSES;
         i++) /* 800 expected; 4.5 standard deviations: 114 */
        if (used[i] < 686 || used[i] > 914)
            fail_msg("address %u: %u of %d", i, used[i], HOSTS);
    lab_destroy(l);
}

/* Linux find_best_ips_proto(): first + (hash * count >> 32), where the hash is lookup3 of the
 * source, begun with the destination's last word; IPv6 adds its other words by xor. The rows
 * were computed with an implementation checked against Jenkins's published answers. */
static void the_address_is_the_one_that_the_kernel_takes(void **state)
{
    static const struct {
        const char *range, *sent, *public;
    } rows[] = {
        {"203.0.113.0-203.0.113.255", "udp 192.168.10.5:9 > 8.8.8.8:53", "203.0.113.131"},
        {"203.0.113.0-203.0.113.255", "udp 192.168.10.6:9 > 8.8.8.8:53", "203.0.113.43"},
        {"203.0.113.0-203.0.113.255", "udp 192.168.10.5:9 > 45.57.1.1:53",
         "203.0.113.170"},
        {"203.0.113.0-203.0.113.255", "udp 10.0.0.1:9 > 1.1.1.1:53", "203.0.113.135"},
        {"203.0.113.10-203.0.113.12", "udp 192.168.10.5:9 > 8.8.8.8:53", "203.0.113.11"},
        {"2001:db8:99::1000-2001:db8:99::1fff",
         "udp [2001:db8:10::5]:9 > [2001:db8:ff::1]:53", "2001:db8:99::1c33"},
        {"2001:db8:99::1000-2001:db8:99::1fff",
         "udp [2001:db8:10::5]:9 > [2001:db8:ff::2]:53", "2001:db8:99::1544"},
        {"2001:db8:99::1000-2001:db8:99::1fff",
         "udp [2001:db8:10::6]:9 > [2a00:1450:4001::64]:53", "2001:db8:99::1b0b"},
        /* more than the last word varies: taken from Linux 6.18 */
        {"2001:db8:a3::2-2001:db8:a3::2:0:9",
         "udp [fd00:10::101]:49634 > [2607:f8b0:4005:801::200e]:443", "2001:db8:a3::2:0:8"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct addr public = address(rows[i].public);
        char config[512];
        struct lab *l;

        snprintf(config, sizeof config, ROUTER "nat src-nat public %s\n", rows[i].range);
        l = lab_create(config);
        lab_send(l, "lan", rows[i].sent, 1);
        if (!addr_equal(&l->last.nat_src, &public))
            fail_msg("%s: %s, not %s", rows[i].sent, l->said, rows[i].public);
        lab_destroy(l);
    }
}

static void one_source_port_keeps_its_public_address(void **state)
{
    struct lab *l = lab_create(ROUTER "nat src-nat public 203.0.113.1-203.0.113.200\n");
    struct addr first;
    unsigned others = 0;

    (void)state;
    lab_send(l, "lan", "udp 192.168.10.5:5000 > 8.8.0.1:53", 1);
    first = l->last.nat_src;
    for (unsigned i = 2; i < 40; i++) {
        char sent[96];

        snprintf(sent, sizeof sent, "udp 192.168.10.5:5000 > 8.8.0.%u:53", i);
        lab_send(l, "lan", sent, 1);
        assert_true(addr_equal(&l->last.nat_src, &first));
        snprintf(sent, sizeof sent, "udp 192.168.10.5:%u > 8.8.0.%u:53", 6000 + i, i);
        lab_send(l, "lan", sent, 1); /* a new source: by the hash of both addresses */
        others += !addr_equal(&l->last.nat_src, &first);
    }
    assert_true(others > 30);
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(of_two_with_one_port_the_second_gets_another_of_its_class),
        cmocka_unit_test(a_free_answer_keeps_the_port),
        cmocka_unit_test(one_source_keeps_its_changed_port),
        cmocka_unit_test(without_a_free_port_the_packet_is_dropped),
        cmocka_unit_test(what_has_no_port_clashes_at_once),
        cmocka_unit_test(many_hosts_on_one_port_end_in_bounded_time),
        cmocka_unit_test(a_clash_without_a_rule_changes_the_port),
        cmocka_unit_test(a_range_of_addresses_is_used_evenly_and_steadily),
        cmocka_unit_test(the_address_is_the_one_that_the_kernel_takes),
        cmocka_unit_test(one_source_port_keeps_its_public_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
