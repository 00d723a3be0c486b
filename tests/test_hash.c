#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "core/siphash.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { NEXT_HOPS_MAX = 64, PACKET_MAX = 2048 };

static struct addr addr_of(const char *text)
{
    struct addr a = {.family = FAMILY_NONE};

    if (!addr_parse(text, &a))
        fail_msg("no address: %s", text);
    return a;
}

/* A packet as a flow describes it. */
static struct packet packet_of(const char *src, const char *dst, uint8_t protocol,
                               uint16_t sport, uint16_t dport, uint32_t flow_label)
{
    return (struct packet){.src = addr_of(src),
                           .dst = addr_of(dst),
                           .protocol = protocol,
                           .next_header = protocol,
                           .sport = sport,
                           .dport = dport,
                           .flow_label = flow_label};
}

static size_t hex_decode(const char *hex, uint8_t *bytes, size_t room)
{
    size_t length = 0;
    unsigned byte;

    for (; *hex != '\0'; length++) {
        while (*hex == ' ')
            hex++;
        if (length == room || sscanf(hex, "%2x", &byte) != 1)
            fail_msg("bad hexadecimal: %s", hex);
        bytes[length] = (uint8_t)byte;
        hex += 2;
    }
    return length;
}

static void block_expect(const char *what, const struct hash_config *c,
                         const struct packet *p, const char *hex)
{
    uint8_t got[HASH_BLOCK_MAX], expected[HASH_BLOCK_MAX];
    size_t got_length = hash_packet_block(c, p, got);
    size_t expected_length = hex_decode(hex, expected, sizeof expected);

    if (got_length != expected_length)
        fail_msg("%s: block of %zu bytes, expected %zu", what, got_length,
                 expected_length);
    for (size_t i = 0; i < got_length; i++)
        if (got[i] != expected[i])
            fail_msg("%s: byte %zu is %02x, expected %02x", what, i, got[i], expected[i]);
}

/* Blocks, SipHash values and hashes of flows that a Linux 6.18 kernel routed. */
static void worked_examples_have_the_kernels_blocks_and_hashes(void **state)
{
    static const struct {
        const char *what;
        bool v6;
        uint8_t policy;
        const char *block;
        uint64_t siphash;
        uint32_t hash;
    } rows[] = {
        {"IPv4 l4", false, HASH_L4,
         "00000600 00000000 00000000000000000000000000000000 00000000 9c4001bb 00000000"
         "c0a80102 cb007109 00000000",
         UINT64_C(0x4df4e3ed7ed197d6), 1063832555},
        {"IPv4 l3", false, HASH_L3,
         "00000000 00000000 00000000000000000000000000000000 00000000 00000000 00000000"
         "c0a80102 cb007109 00000000",
         UINT64_C(0x3eb706935e7c03d1), 792592872},
        {"IPv6 l4", true, HASH_L4,
         "00001100 00000000 00000000000000000000000000000000 00000000 00359c40 00000000"
         "20010db8000100000000000000000002 20010db8000200000000000000000009 00000000",
         UINT64_C(0xe529e9f6802017ea), 1074793461},
        {"IPv6 l3", true, HASH_L3,
         "00001100 000abcde 00000000000000000000000000000000 00000000 00000000 00000000"
         "20010db8000100000000000000000002 20010db8000200000000000000000009 00000000",
         UINT64_C(0x4d270fd42a7ddaa8), 356445524},
    };
    const struct packet v4 =
        packet_of("192.168.1.2", "203.0.113.9", PROTO_TCP, 40000, 443, 0);
    const struct packet v6 =
        packet_of("2001:db8:1::2", "2001:db8:2::9", PROTO_UDP, 40000, 53, 0xabcde);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hash_config c = {.v4.policy = rows[i].policy, .v6.policy = rows[i].policy};
        const struct packet *p = rows[i].v6 ? &v6 : &v4;
        uint8_t block[HASH_BLOCK_MAX];
        size_t length = hash_packet_block(&c, p, block);
        uint64_t siphash;

        hash_set_seed(&c, 0x12345678);
        block_expect(rows[i].what, &c, p, rows[i].block);
        siphash = siphash_2_4(c.key, block, length);
        if (siphash != rows[i].siphash)
            fail_msg("%s: SipHash %016" PRIx64, rows[i].what, siphash);
        if (hash_packet(&c, p) != rows[i].hash)
            fail_msg("%s: hash %" PRIu32, rows[i].what, hash_packet(&c, p));
    }
}

static void the_seed_fills_all_four_words_of_the_key(void **state)
{
    struct hash_config c = {.key = {0}};

    (void)state;
    hash_set_seed(&c, 0x9abcdef0);
    assert_int_equal(c.key[0], UINT64_C(0x9abcdef09abcdef0));
    assert_int_equal(c.key[1], UINT64_C(0x9abcdef09abcdef0));
}

/* The measured answers */

static json_int_t json_number(const json_t *vector, const char *key)
{
    return json_integer_value(json_object_get(vector, key));
}

static bool next_hop_lives(const json_t *vector, size_t next_hop)
{
    const json_t *alive = json_object_get(vector, "alive");

    return alive == NULL || json_is_true(json_array_get(alive, next_hop));
}

/* Last hash of each next hop's region, rounded half up; -1 = dead. Returns how many. */
static size_t bounds_compute(const json_t *vector, int64_t bounds[NEXT_HOPS_MAX])
{
    const json_t *weights = json_object_get(vector, "weights");
    size_t count = json_array_size(weights);
    int64_t total = 0, sum = 0;

    assert_true(count <= NEXT_HOPS_MAX);
    for (size_t i = 0; i < count; i++)
        if (next_hop_lives(vector, i))
            total += json_integer_value(json_array_get(weights, i));
    for (size_t i = 0; i < count; i++) {
        bounds[i] = -1;
        if (!next_hop_lives(vector, i))
            continue;
        sum += json_integer_value(json_array_get(weights, i));
        bounds[i] = ((sum << 31) + total / 2) / total - 1;
    }
    return count;
}

/* Why the hash or the next hop is not the kernel's; NULL when they are. */
static const char *vector_judge(const json_t *vector, uint32_t hash)
{
    const json_t *expected = json_object_get(vector, "bounds");
    int64_t bounds[NEXT_HOPS_MAX];
    size_t count = bounds_compute(vector, bounds), chosen = 0;

    if (hash != (uint32_t)json_number(vector, "hash"))
        return "another hash";
    for (size_t i = 0; i < json_array_size(expected); i++)
        if (bounds[i] != json_integer_value(json_array_get(expected, i)))
            return "other bounds";
    while (chosen < count && (bounds[chosen] < 0 || hash > bounds[chosen]))
        chosen++;
    return chosen == (size_t)json_number(vector, "expect_index") ? NULL
                                                                 : "another next hop";
}

static struct packet packet_of_flow(const json_t *vector)
{
    return packet_of(json_string_value(json_object_get(vector, "src")),
                     json_string_value(json_object_get(vector, "dst")),
                     (uint8_t)json_number(vector, "proto"),
                     (uint16_t)json_number(vector, "sport"),
                     (uint16_t)json_number(vector, "dport"),
                     (uint32_t)json_number(vector, "flowlabel"));
}

static struct packet packet_of_bytes(const json_t *vector)
{
    const char *hex = json_string_value(json_object_get(vector, "packet"));
    uint8_t bytes[PACKET_MAX];
    size_t length = hex_decode(hex, bytes, sizeof bytes);
    struct packet p;

    if (packet_dissect(bytes, length, length, &p) != DISSECT_OK)
        fail_msg("not dissected: %s", hex);
    return p;
}

static struct hash_config config_of(const json_t *vector)
{
    const struct hash_family family = {
        .policy = (uint8_t)json_number(vector, "policy"),
        .fields = (uint16_t)json_number(vector, "fields"),
    };
    struct hash_config c = {
        .v4 = family,
        .v6 = family,
        .port_rules = json_is_true(json_object_get(vector, "port_rule")),
    };

    hash_set_seed(&c, (uint32_t)json_number(vector, "seed"));
    return c;
}

/* Every line of the file must have the kernel's hash and next hop. */
static void vectors_check(const char *file, size_t lines,
                          struct packet (*read)(const json_t *))
{
    char path[128], line[4096];
    size_t number = 0, wrong = 0;
    FILE *f;

    snprintf(path, sizeof path, "tests/vectors/%s", file);
    f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    while (fgets(line, sizeof line, f) != NULL) {
        json_t *vector = json_loads(line, 0, NULL);
        struct hash_config c;
        struct packet p;
        const char *why;

        number++;
        if (vector == NULL)
            fail_msg("%s:%zu: not JSON", file, number);
        c = config_of(vector);
        p = read(vector);
        why = vector_judge(vector, hash_packet(&c, &p));
        if (why != NULL && wrong++ < 10)
            print_error("%s:%zu: %s: %s", file, number, why, line);
        json_decref(vector);
    }
    fclose(f);
    if (wrong != 0 || number != lines)
        fail_msg("%s: %zu of %zu lines wrong, expected %zu lines", file, wrong, number,
                 lines);
}

static void flows_take_the_kernels_next_hop(void **state)
{
    static const struct {
        const char *file;
        size_t lines;
    } rows[] = {
        {"linux-l3-v4.jsonl", 500},    {"linux-l4-v4.jsonl", 500},
        {"linux-l3-v6.jsonl", 500},    {"linux-l4-v6.jsonl", 500},
        {"linux-weighted.jsonl", 500},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        vectors_check(rows[i].file, rows[i].lines, packet_of_flow);
}

static void raw_packets_of_every_kind_take_the_kernels_next_hop(void **state)
{
    (void)state;
    vectors_check("linux-packets.jsonl", 700, packet_of_bytes);
}

/* Canonical order */

static struct packet packet_reversed(const struct packet *p)
{
    struct packet r = *p;

    r.src = p->dst;
    r.dst = p->src;
    r.sport = p->dport;
    r.dport = p->sport;
    return r;
}

static void both_directions_of_a_flow_hash_alike(void **state)
{
    const struct packet flows[] = {
        packet_of("192.168.1.2", "203.0.113.9", PROTO_TCP, 40000, 443, 0),
        packet_of("203.0.113.9", "192.168.1.2", PROTO_UDP, 53, 1024, 0),
        packet_of("10.0.0.1", "10.0.0.129", PROTO_UDP, 7, 9, 0), /* differ by 2^31 */
        packet_of("10.0.0.1", "10.0.0.1", PROTO_UDP, 9, 7, 0),
        packet_of("2001:db8::1", "2001:db8::2", PROTO_TCP, 1, 2, 0x12345),
        packet_of("2001:db8::ff00", "2001:db8::ff", PROTO_TCP, 256, 255, 0),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(flows); i++) {
        for (uint8_t policy = HASH_L3; policy <= HASH_CUSTOM; policy++) {
            const struct packet back = packet_reversed(&flows[i]);
            struct hash_config c = {.v4 = {policy, 0x37}, .v6 = {policy, 0x37}};

            hash_set_seed(&c, 7);
            if (hash_packet(&c, &flows[i]) != hash_packet(&c, &back))
                fail_msg("flow %zu, policy %s: the directions differ", i,
                         hash_policy_names[policy]);
        }
    }
}

/* Addresses and ports are ordered apart, so a flow between swapped ports joins in. */
static void swapping_only_the_ports_changes_nothing_but_under_5_6(void **state)
{
    struct packet p = packet_of("192.168.1.2", "203.0.113.9", PROTO_TCP, 1000, 80, 0);
    struct packet q = packet_of("192.168.1.2", "203.0.113.9", PROTO_TCP, 80, 1000, 0);
    struct hash_config c = {.v4.policy = HASH_L4};

    (void)state;
    hash_set_seed(&c, 7);
    assert_int_equal(hash_packet(&c, &p), hash_packet(&c, &q));
    c.layout = HASH_LINUX_5_6;
    assert_int_not_equal(hash_packet(&c, &p), hash_packet(&c, &q));
}

/* Linux 5.6.3 */

/*
 * Ports at 20, addresses at 28, 40 or 64 bytes; one swap for both. Read as little-endian,
 * 10.0.0.1 is 0x0100000a, 10.0.0.2 is 0x0200000a, 10.0.0.129 is 0x8100000a; port 443 is
 * 0xbb01, 40000 is 0x409c.
 */
static void linux_5_6_lays_out_short_vlan_records_and_swaps_jointly(void **state)
{
    static const struct {
        const char *what, *src, *dst;
        uint16_t sport, dport;
        const char *block;
    } rows[] = {
        {"addresses in order: ports stay though 443 > 40000", "10.0.0.1", "10.0.0.2", 443,
         40000,
         "00000600 00000000 0000000000000000 00000000 01bb9c40 00000000"
         "0a000001 0a000002 00000000"},
        {"addresses swapped: ports go along", "10.0.0.2", "10.0.0.1", 40000, 443,
         "00000600 00000000 0000000000000000 00000000 01bb9c40 00000000"
         "0a000001 0a000002 00000000"},
        {"equal addresses, ports in order", "10.0.0.1", "10.0.0.1", 40000, 443,
         "00000600 00000000 0000000000000000 00000000 9c4001bb 00000000"
         "0a000001 0a000001 00000000"},
        {"equal addresses, ports swapped", "10.0.0.1", "10.0.0.1", 443, 40000,
         "00000600 00000000 0000000000000000 00000000 9c4001bb 00000000"
         "0a000001 0a000001 00000000"},
        {"difference 2^31 is negative, there", "10.0.0.1", "10.0.0.129", 1, 2,
         "00000600 00000000 0000000000000000 00000000 00020001 00000000"
         "0a000081 0a000001 00000000"},
        {"difference 2^31 is negative, and back", "10.0.0.129", "10.0.0.1", 2, 1,
         "00000600 00000000 0000000000000000 00000000 00010002 00000000"
         "0a000001 0a000081 00000000"},
        {"difference 0xfd000000 is negative", "10.0.0.4", "10.0.0.1", 1, 2,
         "00000600 00000000 0000000000000000 00000000 00020001 00000000"
         "0a000001 0a000004 00000000"},
        {"difference 0x81000000 is negative though dst > src", "10.0.0.1", "10.0.0.130",
         1, 2,
         "00000600 00000000 0000000000000000 00000000 00020001 00000000"
         "0a000082 0a000001 00000000"},
        {"IPv6 compares as bytes: in order", "2001:db8::ff", "2001:db8::100", 443, 40000,
         "00000600 00000000 0000000000000000 00000000 01bb9c40 00000000"
         "20010db80000000000000000000000ff 20010db8000000000000000000000100 00000000"},
        {"IPv6 swapped", "2001:db8::100", "2001:db8::ff", 443, 40000,
         "00000600 00000000 0000000000000000 00000000 9c4001bb 00000000"
         "20010db80000000000000000000000ff 20010db8000000000000000000000100 00000000"},
    };
    const struct hash_config c = {
        .layout = HASH_LINUX_5_6, .v4.policy = HASH_L4, .v6.policy = HASH_L4};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p = packet_of(rows[i].src, rows[i].dst, PROTO_TCP, rows[i].sport,
                                    rows[i].dport, 0);

        block_expect(rows[i].what, &c, &p, rows[i].block);
    }
}

static void the_hash_is_the_low_half_of_siphash_halved(void **state)
{
    struct packet p = packet_of("10.0.0.1", "10.0.0.2", PROTO_TCP, 443, 40000, 0);
    struct hash_config c = {
        .key = {1, 2}, .layout = HASH_LINUX_5_6, .v4.policy = HASH_L4};
    uint8_t block[HASH_BLOCK_MAX];
    size_t length = hash_packet_block(&c, &p, block);

    (void)state;
    assert_int_equal(length, 40);
    assert_int_equal(hash_packet(&c, &p),
                     (uint32_t)siphash_2_4(c.key, block, length) >> 1);
}

/* What a packet hides */

static void no_fragment_has_ports_until_it_is_reassembled(void **state)
{
    struct packet p = packet_of("192.168.1.2", "203.0.113.9", PROTO_UDP, 40000, 443, 0);
    struct hash_config c = {.v4 = {HASH_L4, 0}};

    (void)state;
    p.flags = PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS;
    block_expect(
        "fragment", &c, &p,
        "00001100 00000000 00000000000000000000000000000000 00000000 00000000 00000000"
        "c0a80102 cb007109 00000000");
    p.flags = 0;
    block_expect(
        "reassembled", &c, &p,
        "00001100 00000000 00000000000000000000000000000000 00000000 9c4001bb 00000000"
        "c0a80102 cb007109 00000000");
}

static void fragments_of_a_tunnel_are_not_looked_into(void **state)
{
    struct packet p = packet_of("192.168.1.2", "203.0.113.9", PROTO_IPIP, 0, 0, 0);
    struct hash_config c = {.v4 = {HASH_L3_INNER, 0}};

    (void)state;
    p.inner =
        (struct packet_inner){.src = addr_of("10.0.0.1"), .dst = addr_of("10.0.0.2")};
    p.flags = PACKET_HAS_INNER | PACKET_ENCAPSULATED;
    block_expect(
        "whole", &c, &p,
        "00000000 00000000 00000000000000000000000000000000 00000000 00000000 00000000"
        "0a000001 0a000002 00000000");
    p.flags |= PACKET_FRAGMENT | PACKET_MORE_FRAGMENTS;
    block_expect(
        "fragment", &c, &p,
        "00000000 00000000 00000000000000000000000000000000 00000000 00000000 00000000"
        "c0a80102 cb007109 00000000");
}

static void a_custom_policy_of_inner_fields_alone_has_no_outer_block(void **state)
{
    struct packet p = packet_of("192.168.1.2", "203.0.113.9", PROTO_UDP, 1, 2, 0);
    struct hash_config c = {.v4 = {HASH_CUSTOM, 0x3f << 6}};
    uint8_t block[HASH_BLOCK_MAX];

    (void)state;
    assert_int_equal(hash_packet_block(&c, &p, block), 0);
}

/* Without a packet: l3-inner is l3, and custom is not mixed. Source: Linux
 * rt6_multipath_hash(), fib_multipath_hash() with skb NULL. */
static void a_flow_without_a_packet_hashes_by_its_fields(void **state)
{
    static const struct {
        const char *what;
        bool v6;
        uint8_t policy;
        uint16_t fields;
        uint32_t hash;
    } rows[] = {
        {"IPv4 l3-inner as l3", false, HASH_L3_INNER, 0, 792592872},
        {"IPv4 l4", false, HASH_L4, 0, 1063832555},
        {"IPv4 custom of the l4 fields", false, HASH_CUSTOM, 0x37, 1063832555},
        {"IPv4 custom of the l3 fields", false, HASH_CUSTOM, 0x3, 792592872},
        {"IPv6 l3-inner as l3", true, HASH_L3_INNER, 0, 356445524},
        {"IPv6 l4", true, HASH_L4, 0, 1074793461},
        {"IPv6 custom of the l3 fields", true, HASH_CUSTOM, 0xf, 356445524},
        {"IPv6 custom of the l4 fields", true, HASH_CUSTOM, 0x37, 1074793461},
        {"custom of inner fields alone", true, HASH_CUSTOM, 0x3f << 6, 0},
    };
    const struct packet v4 =
        packet_of("192.168.1.2", "203.0.113.9", PROTO_TCP, 40000, 443, 0);
    const struct packet v6 =
        packet_of("2001:db8:1::2", "2001:db8:2::9", PROTO_UDP, 40000, 53, 0xabcde);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct hash_family family = {rows[i].policy, rows[i].fields};
        struct hash_config c = {.v4 = family, .v6 = family};
        const struct packet *p = rows[i].v6 ? &v6 : &v4;
        uint8_t block[HASH_BLOCK_MAX];

        hash_set_seed(&c, 0x12345678);
        if (hash_fields(&c, p) != rows[i].hash)
            fail_msg("%s: hash %" PRIu32, rows[i].what, hash_fields(&c, p));
        if ((hash_fields_block(&c, p, block) != 0) != (rows[i].hash != 0))
            fail_msg("%s: block", rows[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_examples_have_the_kernels_blocks_and_hashes),
        cmocka_unit_test(the_seed_fills_all_four_words_of_the_key),
        cmocka_unit_test(flows_take_the_kernels_next_hop),
        cmocka_unit_test(raw_packets_of_every_kind_take_the_kernels_next_hop),
        cmocka_unit_test(both_directions_of_a_flow_hash_alike),
        cmocka_unit_test(swapping_only_the_ports_changes_nothing_but_under_5_6),
        cmocka_unit_test(linux_5_6_lays_out_short_vlan_records_and_swaps_jointly),
        cmocka_unit_test(the_hash_is_the_low_half_of_siphash_halved),
        cmocka_unit_test(no_fragment_has_ports_until_it_is_reassembled),
        cmocka_unit_test(fragments_of_a_tunnel_are_not_looked_into),
        cmocka_unit_test(a_custom_policy_of_inner_fields_alone_has_no_outer_block),
        cmocka_unit_test(a_flow_without_a_packet_hashes_by_its_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
