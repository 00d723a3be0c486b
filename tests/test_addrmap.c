#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/input/addrmap.h"

static struct addr address(const char *text)
{
    struct addr a;

    if (!addr_parse(text, &a))
        fail_msg("%s is no address", text);
    return a;
}

static const char *add(struct addrmap *m, const char *captured, const char *scenario)
{
    struct prefix from, to;

    if (!prefix_parse(captured, &from) || !prefix_parse(scenario, &to))
        fail_msg("%s or %s is no prefix", captured, scenario);
    return addrmap_add(m, &from, &to);
}

/* Prefixes inside one another, added neither in order of address nor of length. */
static struct addrmap *nested_map(void)
{
    static const char *const entries[][2] = {
        {"192.168.0.0/24", "10.7.0.0/24"},
        {"192.168.0.17", "10.9.9.9"},
        {"192.168.0.0/16", "172.16.0.0/16"},
        {"192.168.0.0", "10.1.1.1"},
        {"192.168.0.16/28", "10.8.0.32/28"},
        {"203.0.113.0/24", "192.168.0.0/24"},
        {"2001:db8:1::/48", "2001:db8:a::/48"},
        {"2001:db8:1:0:8000::/65", "fd00::8000:0:0:0/65"},
        {"2001:db8:1::5", "fd00::5"},
        {"2001:db8:1:2::/64", "fd00:0:0:2::/64"},
    };
    struct addrmap *m = addrmap_create();

    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        assert_null(add(m, entries[i][0], entries[i][1]));
    return m;
}

static void the_longest_captured_prefix_decides(void **state)
{
    static const struct {
        const char *when, *from, *to;
    } rows[] = {
        {"a host entry", "192.168.0.17", "10.9.9.9"},
        {"behind a host entry", "192.168.0.18", "10.8.0.34"},
        {"first of the innermost", "192.168.0.16", "10.8.0.32"},
        {"last of the innermost", "192.168.0.31", "10.8.0.47"},
        {"behind the innermost", "192.168.0.32", "10.7.0.32"},
        {"a host at its subnet's address", "192.168.0.0", "10.1.1.1"},
        {"next to it", "192.168.0.1", "10.7.0.1"},
        {"outer prefix alone", "192.168.1.1", "172.16.1.1"},
        {"last of the outer prefix", "192.168.255.255", "172.16.255.255"},
        {"what an entry yields is not mapped again", "203.0.113.17", "192.168.0.17"},
        {"in front of all", "10.0.0.1", "10.0.0.1"},
        {"between", "192.169.0.0", "192.169.0.0"},
        {"behind all", "255.255.255.255", "255.255.255.255"},
        {"IPv6 host", "2001:db8:1::5", "fd00::5"},
        {"IPv6 in the lower 64 bits", "2001:db8:1:0:8000::1", "fd00::8000:0:0:1"},
        {"IPv6 subnet", "2001:db8:1:2:3::4", "fd00:0:0:2:3::4"},
        {"IPv6 site", "2001:db8:1:ffff::1", "2001:db8:a:ffff::1"},
        {"IPv6 site, between its parts", "2001:db8:1::6", "2001:db8:a::6"},
        {"other IPv6", "2001:db8:2::1", "2001:db8:2::1"},
    };
    struct addrmap *m = nested_map();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr from = address(rows[i].from), want = address(rows[i].to);
        struct addr got = addrmap_address(m, &from);
        char text[ADDR_TEXT_MAX];

        if (!addr_equal(&got, &want))
            fail_msg("%s: %s became %s", rows[i].when, rows[i].from,
                     addr_format(&got, text));
    }
    addrmap_destroy(m);
}

static void a_default_prefix_maps_what_nothing_else_does(void **state)
{
    struct addrmap *m = addrmap_create();
    struct addr a = address("198.51.100.7"), b = address("10.0.0.1");
    struct addr six = address("2001:db8::1"), none = {.family = FAMILY_NONE};
    struct addr got;

    (void)state;
    assert_null(add(m, "0.0.0.0/0", "0.0.0.0/0"));
    assert_null(add(m, "10.0.0.1", "10.0.0.2"));
    assert_null(add(m, "::/0", "::/0"));
    got = addrmap_address(m, &a);
    assert_true(addr_equal(&got, &a));
    got = addrmap_address(m, &b);
    assert_true(got.bytes[3] == 2);
    got = addrmap_address(m, &six);
    assert_true(addr_equal(&got, &six));
    got = addrmap_address(m, &none);
    assert_true(addr_equal(&got, &none));
    addrmap_destroy(m);
}

static void entries_that_cannot_be_meant_are_refused(void **state)
{
    static const struct {
        const char *captured, *scenario, *why;
    } rows[] = {
        {"10.0.0.1", "2001:db8::1",
         "expected two IPv4 or two IPv6 prefixes, not one of each"},
        {"2001:db8::/32", "10.0.0.0/8",
         "expected two IPv4 or two IPv6 prefixes, not one of each"},
        {"10.0.0.0/8", "10.0.0.0/9", "expected prefixes of one length"},
        {"10.0.0.1", "10.1.0.0/16", "expected prefixes of one length"},
        {"10.0.0.1/8", "10.0.0.0/8",
         "the captured prefix has bits set behind its length"},
        {"10.0.0.0/8", "10.0.0.1/8",
         "the scenario's prefix has bits set behind its length"},
        {"192.168.0.0/24", "10.0.0.0/24", "the captured prefix is mapped twice"},
        {"192.168.0.17", "10.0.0.1", "the captured prefix is mapped twice"},
        {"2001:db8:1::5/128", "::1", "the captured prefix is mapped twice"},
    };
    struct addrmap *m = nested_map();
    size_t before = addrmap_count(m);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = add(m, rows[i].captured, rows[i].scenario);

        if (!why || strcmp(why, rows[i].why) != 0)
            fail_msg("%s -> %s: %s", rows[i].captured, rows[i].scenario,
                     why ? why : "taken");
    }
    assert_int_equal(addrmap_count(m), before);
    addrmap_destroy(m);
}

static void two_captured_hosts_may_become_one(void **state)
{
    struct addrmap *m = addrmap_create();

    (void)state;
    assert_null(add(m, "10.0.0.1", "192.168.1.1"));
    assert_null(add(m, "10.0.0.2", "192.168.1.1"));
    assert_int_equal(addrmap_count(m), 2);
    addrmap_destroy(m);
}

static void a_map_has_room_for_its_maximum_and_no_more(void **state)
{
    struct addrmap *m = addrmap_create();
    struct prefix p = {.addr = address("10.0.0.0"), .length = 32};

    (void)state;
    for (unsigned i = 0; i < ADDRMAP_ENTRIES_MAX; i++) {
        p.addr.bytes[2] = (uint8_t)(i >> 8);
        p.addr.bytes[3] = (uint8_t)i;
        assert_null(addrmap_add(m, &p, &p));
    }
    p.addr.bytes[1] = 1;
    assert_string_equal(addrmap_add(m, &p, &p), "expected at most 4096 entries");
    addrmap_destroy(m);
}

static void packets_are_mapped_at_both_ends_and_in_what_errors_quote(void **state)
{
    static const struct {
        const char *what;
        uint8_t flags;
        const char *inner_src, *inner_dst;
    } rows[] = {
        {"no inner packet", 0, "192.168.0.17", "192.168.0.18"},
        {"a quoted packet", PACKET_ICMP_ERROR | PACKET_HAS_INNER, "10.9.9.9",
         "10.8.0.34"},
        {"an error that quotes nothing", PACKET_ICMP_ERROR, "192.168.0.17",
         "192.168.0.18"},
        {"a tunnelled packet", PACKET_HAS_INNER, "192.168.0.17", "192.168.0.18"},
    };
    struct addrmap *m = nested_map();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr want[4] = {address("10.9.9.9"), address("192.168.0.1"),
                               address(rows[i].inner_src), address(rows[i].inner_dst)};
        struct packet p = {
            .src = address("192.168.0.17"),
            .dst = address("203.0.113.1"),
            .flags = rows[i].flags,
            .inner = {.src = address("192.168.0.17"), .dst = address("192.168.0.18")}};

        addrmap_packet(m, &p);
        if (!addr_equal(&p.src, &want[0]) || !addr_equal(&p.dst, &want[1]))
            fail_msg("%s: outer addresses", rows[i].what);
        if (!addr_equal(&p.inner.src, &want[2]) || !addr_equal(&p.inner.dst, &want[3]))
            fail_msg("%s: inner addresses", rows[i].what);
    }
    addrmap_destroy(m);
}

enum { ENTRIES = 200, LOOKUPS = 2000 };

struct pair {
    struct prefix captured, scenario;
};

/* The definition: walk all entries, keep the longest that holds the address. */
static struct addr plain_address(const struct pair *pairs, size_t count, struct addr a)
{
    const struct pair *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (prefix_contains(&pairs[i].captured, &a) &&
            (!best || pairs[i].captured.length > best->captured.length))
            best = &pairs[i];
    if (!best)
        return a;
    for (unsigned bit = 0; bit < best->captured.length; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);

        a.bytes[bit / 8] = (uint8_t)((a.bytes[bit / 8] & ~mask) |
                                     (best->scenario.addr.bytes[bit / 8] & mask));
    }
    return a;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Few distinct bits, so that prefixes nest and addresses hit them. */
static struct addr random_address(uint64_t *random, bool six)
{
    struct addr a = {.family = six ? FAMILY_V6 : FAMILY_V4};

    for (unsigned i = 0; i < (six ? 16 : 4); i++)
        a.bytes[i] = (uint8_t)(next_random(random) % 2 ? 0x80 : 0x01);
    return a;
}

static void random_maps_agree_with_the_definition(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct addrmap *m = addrmap_create();
        struct pair pairs[ENTRIES];
        size_t count = 0;

        for (unsigned i = 0; i < ENTRIES; i++) {
            struct addr from = random_address(&random, round % 2);
            struct addr to = random_address(&random, round % 2);
            unsigned length = (unsigned)(next_random(&random) % (round % 2 ? 129 : 33));
            struct pair p = {prefix_of(&from, length), prefix_of(&to, length)};

            if (!addrmap_add(m, &p.captured, &p.scenario))
                pairs[count++] = p;
        }
        for (unsigned i = 0; i < LOOKUPS; i++) {
            struct addr a = random_address(&random, round % 2);
            struct addr got = addrmap_address(m, &a);
            struct addr want = plain_address(pairs, count, a);
            char text[ADDR_TEXT_MAX];

            if (!addr_equal(&got, &want))
                fail_msg("round %u: %s", round, addr_format(&a, text));
        }
        addrmap_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_captured_prefix_decides),
        cmocka_unit_test(a_default_prefix_maps_what_nothing_else_does),
        cmocka_unit_test(entries_that_cannot_be_meant_are_refused),
        cmocka_unit_test(two_captured_hosts_may_become_one),
        cmocka_unit_test(a_map_has_room_for_its_maximum_and_no_more),
        cmocka_unit_test(packets_are_mapped_at_both_ends_and_in_what_errors_quote),
        cmocka_unit_test(random_maps_agree_with_the_definition),
    };

    return cmocka_run_group_tests_name("addrmap", tests, NULL, NULL);
}
