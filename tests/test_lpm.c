#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/addr.h"
#include "core/lpm.h"
#include "core/memory.h"
#include "tests/plain_lpm.h"

static struct prefix parsed(const char *text)
{
    struct prefix p;

    if (!prefix_parse(text, &p))
        fail_msg("the test's own prefix '%s' does not parse", text);
    return p;
}

static void insert(struct lpm *l, const char *text, uint32_t value)
{
    struct prefix p = parsed(text);

    lpm_insert(l, p.addr.bytes, p.length, value);
}

static bool take_out(struct lpm *l, const char *text)
{
    struct prefix p = parsed(text);

    return lpm_remove(l, p.addr.bytes, p.length);
}

static uint32_t lookup(const struct lpm *l, const char *text)
{
    return lpm_lookup(l, parsed(text).addr.bytes);
}

/* --- by hand --------------------------------------------------------------------------- */

/* Nested as real tables are, at and between the bytes' ends. Values are row numbers. */
static const char *const nested_v4[] = {
    "0.0.0.0/0",        "0.0.0.0/1",          "10.0.0.0/8",    "10.0.0.0/9",
    "10.1.0.0/16",      "10.1.0.0/17",        "10.1.2.0/23",   "10.1.2.0/24",
    "10.1.2.128/25",    "10.1.2.130/31",      "10.1.2.130/32", "128.0.0.0/1",
    "255.255.255.0/24", "255.255.255.255/32", "192.0.2.1/32",
};

static const char *const nested_v6[] = {
    "::/0",
    "2000::/3",
    "2001:db8::/32",
    "2001:db8:0:8000::/49",
    "2001:db8:10::/48",
    "2001:db8:10::/64",
    "2001:db8:10::1/128",
    "2001:db8:10::2/127",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
    "::1/128",
};

static struct lpm *filled(unsigned bits, const char *const *prefixes, size_t count)
{
    struct lpm *l = lpm_create(bits);

    for (size_t i = 0; i < count; i++)
        insert(l, prefixes[i], (uint32_t)i);
    return l;
}

struct expected {
    const char *when, *addr;
    uint32_t value;
};

static void expect_lookups(const struct lpm *l, const struct expected *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t got = lookup(l, rows[i].addr);

        if (got != rows[i].value)
            fail_msg("%s: %s gives %u, expected %u", rows[i].when, rows[i].addr, got,
                     rows[i].value);
    }
}

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void the_longest_of_nested_ipv4_prefixes_wins(void **state)
{
    static const struct expected rows[] = {
        {"the host route", "10.1.2.130", 10},
        {"the /31 beside the host route", "10.1.2.131", 9},
        {"the /25", "10.1.2.129", 8},
        {"the last of the /25", "10.1.2.255", 8},
        {"the /24 below the /25", "10.1.2.127", 7},
        {"the other half of the /23", "10.1.3.0", 6},
        {"the /17 behind the /23", "10.1.4.0", 5},
        {"the other half of the /16", "10.1.128.0", 4},
        {"the /9 behind the /16", "10.2.0.0", 3},
        {"the other half of the /8", "10.128.0.0", 2},
        {"half of the addresses", "11.0.0.0", 1},
        {"the first address", "0.0.0.0", 1},
        {"the other half of the addresses", "200.0.0.0", 11},
        {"the last /24", "255.255.255.254", 12},
        {"the last address", "255.255.255.255", 13},
        {"a host route on its own", "192.0.2.1", 14},
        {"in front of it", "192.0.2.0", 11},
        {"behind it", "192.0.2.2", 11},
    };
    struct lpm *l = filled(32, nested_v4, LENGTH(nested_v4));

    (void)state;
    expect_lookups(l, rows, LENGTH(rows));
    lpm_destroy(l);
}

static void the_longest_of_nested_ipv6_prefixes_wins(void **state)
{
    static const struct expected rows[] = {
        {"the host route", "2001:db8:10::1", 6},
        {"the /127", "2001:db8:10::3", 7},
        {"the /64", "2001:db8:10::4", 5},
        {"the /64's last", "2001:db8:10:0:ffff:ffff:ffff:ffff", 5},
        {"the /48", "2001:db8:10:1::", 4},
        {"the /49", "2001:db8:0:8000::1", 3},
        {"the other /49 of its /48", "2001:db8:0:7fff::1", 2},
        {"2000::/3", "2600::", 1},
        {"the default route", "fe80::1", 0},
        {"the last address", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 8},
        {"in front of the last", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0},
        {"loopback", "::1", 9},
        {"in front of loopback", "::", 0},
    };
    struct lpm *l = filled(128, nested_v6, LENGTH(nested_v6));

    (void)state;
    expect_lookups(l, rows, LENGTH(rows));
    lpm_destroy(l);
}

static void an_empty_table_holds_nothing(void **state)
{
    static const uint8_t key[16] = {10};

    (void)state;
    for (unsigned bits = 32; bits <= 128; bits += 96) {
        struct lpm *l = lpm_create(bits);

        assert_int_equal(lpm_count(l), 0);
        assert_int_equal(lpm_lookup(l, key), LPM_NONE);
        assert_int_equal(lpm_lookup_shorter(l, key, bits), LPM_NONE);
        for (unsigned length = 0; length <= bits; length++) {
            assert_int_equal(lpm_find(l, key, length), LPM_NONE);
            assert_false(lpm_remove(l, key, length));
        }
        lpm_destroy(l);
    }
    lpm_destroy(NULL);
}

static void a_default_route_alone_answers_everything(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 128; bits += 96) {
        static const uint8_t low[16], high[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        struct lpm *l = lpm_create(bits);

        lpm_insert(l, high, 0, 7);
        assert_int_equal(lpm_count(l), 1);
        assert_int_equal(lpm_lookup(l, low), 7);
        assert_int_equal(lpm_lookup(l, high), 7);
        assert_int_equal(lpm_lookup_shorter(l, high, 0), 7);
        assert_int_equal(lpm_find(l, low, 0), 7);
        assert_int_equal(lpm_find(l, low, 1), LPM_NONE);
        lpm_insert(l, low, 0, LPM_VALUE_MAX);
        assert_int_equal(lpm_count(l), 1);
        assert_int_equal(lpm_lookup(l, high), LPM_VALUE_MAX);
        assert_true(lpm_remove(l, low, 0));
        assert_false(lpm_remove(l, low, 0));
        assert_int_equal(lpm_lookup(l, high), LPM_NONE);
        lpm_destroy(l);
    }
}

static void bits_behind_the_length_do_not_count(void **state)
{
    struct lpm *l = lpm_create(32);

    (void)state;
    insert(l, "192.0.2.77/24", 1);
    insert(l, "192.0.2.99/24", 2);
    assert_int_equal(lpm_count(l), 1);
    assert_int_equal(lookup(l, "192.0.2.1"), 2);
    assert_true(take_out(l, "192.0.2.255/24"));
    assert_int_equal(lpm_count(l), 0);
    lpm_destroy(l);
}

static void a_second_insert_replaces_the_value(void **state)
{
    struct lpm *l = filled(32, nested_v4, LENGTH(nested_v4));

    (void)state;
    for (uint32_t i = 0; i < LENGTH(nested_v4); i++) {
        struct prefix p = parsed(nested_v4[i]);

        insert(l, nested_v4[i], 100 + i);
        assert_int_equal(lpm_count(l), LENGTH(nested_v4));
        assert_int_equal(lpm_find(l, p.addr.bytes, p.length), 100 + i);
    }
    assert_int_equal(lookup(l, "10.1.2.130"), 110);
    assert_int_equal(lookup(l, "200.0.0.0"), 111);
    lpm_destroy(l);
}

static void a_removed_prefix_leaves_its_addresses_to_the_next_shorter(void **state)
{
    static const struct {
        const char *remove;
        uint32_t then; /* for 10.1.2.130 */
    } rows[] = {
        {"10.1.2.130/32", 9}, {"10.1.2.128/25", 9},    {"10.1.2.130/31", 7},
        {"10.1.2.0/24", 6},   {"10.1.0.0/17", 6},      {"10.1.2.0/23", 4},
        {"10.0.0.0/8", 4},    {"10.1.0.0/16", 3},      {"0.0.0.0/0", 3},
        {"10.0.0.0/9", 1},    {"0.0.0.0/1", LPM_NONE},
    };
    struct lpm *l = filled(32, nested_v4, LENGTH(nested_v4));

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        bool there = take_out(l, rows[i].remove), again = take_out(l, rows[i].remove);
        uint32_t got = lookup(l, "10.1.2.130");

        if (!there || again || got != rows[i].then)
            fail_msg("%s removed (%d, again %d): gives %u, expected %u", rows[i].remove,
                     there, again, got, rows[i].then);
    }
    assert_int_equal(lpm_count(l), LENGTH(nested_v4) - LENGTH(rows));
    lpm_destroy(l);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
    static const char *const rows[] = {
        "0.0.0.0/0",   "10.0.0.0/8",  "10.1.0.0/16", "10.1.2.0/24", "10.1.2.2/31",
        "10.1.2.4/32", "10.1.9.3/32", "10.9.2.3/32", "11.1.2.3/32", "10.1.128.0/17",
    };
    struct lpm *l = lpm_create(32);

    (void)state;
    insert(l, "10.1.2.3/32", 1);
    for (size_t i = 0; i < LENGTH(rows); i++)
        if (take_out(l, rows[i]) || lpm_count(l) != 1 || lookup(l, "10.1.2.3") != 1)
            fail_msg("%s: removed something", rows[i]);
    lpm_destroy(l);
}

/* first.2.0.0/16, and all 256 /24 of first.1.0.0/16 with values from `value` on. */
static void insert_crowd(struct lpm *l, uint8_t first, uint32_t value)
{
    lpm_insert(l, (uint8_t[4]){first, 2}, 16, 9999);
    for (unsigned i = 0; i < 256; i++)
        lpm_insert(l, (uint8_t[4]){first, 1, (uint8_t)i}, 24, value + i);
}

static void remove_crowd(struct lpm *l, uint8_t first)
{
    for (unsigned i = 0; i < 256; i++)
        assert_true(lpm_remove(l, (uint8_t[4]){first, 1, (uint8_t)i}, 24));
}

/* The branch above a crowded node goes while the node stays, and others come and go. */
static void a_crowded_network_keeps_its_answers_when_its_neighbours_go(void **state)
{
    struct lpm *l = lpm_create(32);

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        insert_crowd(l, 10, 0);
        assert_true(take_out(l, "10.2.0.0/16"));
        assert_int_equal(lookup(l, "10.2.0.1"), LPM_NONE);
        insert_crowd(l, 20, 5000);
        assert_true(take_out(l, "20.2.0.0/16"));
        for (uint32_t i = 0; i < 256; i++) {
            assert_int_equal(lpm_lookup(l, (uint8_t[4]){10, 1, (uint8_t)i, 9}), i);
            assert_int_equal(lpm_lookup(l, (uint8_t[4]){20, 1, (uint8_t)i, 9}), 5000 + i);
        }
        remove_crowd(l, 20);
        for (uint32_t i = 0; i < 256; i++)
            assert_int_equal(lpm_lookup(l, (uint8_t[4]){10, 1, (uint8_t)i, 9}), i);
        assert_int_equal(lookup(l, "20.1.0.1"), LPM_NONE);
        remove_crowd(l, 10);
        assert_int_equal(lpm_count(l), 0);
    }
    lpm_destroy(l);
}

static void a_bound_on_the_length_finds_the_next_shorter(void **state)
{
    static const struct {
        unsigned from, to; /* bounds with the same answer for 10.1.2.130 */
        uint32_t value;
    } rows[] = {{0, 0, 0},   {1, 7, 1},   {8, 8, 2},   {9, 15, 3},
                {16, 16, 4}, {17, 22, 5}, {23, 23, 6}, {24, 24, 7},
                {25, 30, 8}, {31, 31, 9}, {32, 32, 10}};
    struct lpm *l = filled(32, nested_v4, LENGTH(nested_v4));
    struct prefix host = parsed("10.1.2.130");

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (unsigned most = rows[i].from; most <= rows[i].to; most++) {
            uint32_t got = lpm_lookup_shorter(l, host.addr.bytes, most);

            if (got != rows[i].value)
                fail_msg("at most %u bits: gives %u, expected %u", most, got,
                         rows[i].value);
        }
    lpm_destroy(l);
}

static void a_table_emptied_needs_no_more_memory_than_a_new_one(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 128; bits += 96) {
        struct lpm *l = lpm_create(bits);
        size_t fresh = lpm_memory_bytes(l);
        uint8_t key[16] = {0};

        for (unsigned i = 0; i < 10000; i++) {
            key[1] = (uint8_t)(i >> 8);
            key[3] = (uint8_t)i;
            lpm_insert(l, key, 32, i);
        }
        assert_int_equal(lpm_count(l), 10000);
        assert_true(lpm_memory_bytes(l) > fresh);
        for (unsigned i = 0; i < 10000; i++) {
            key[1] = (uint8_t)(i >> 8);
            key[3] = (uint8_t)i;
            assert_true(lpm_remove(l, key, 32));
        }
        assert_int_equal(lpm_count(l), 0);
        assert_int_equal(lpm_memory_bytes(l), fresh);
        assert_int_equal(lpm_lookup(l, key), LPM_NONE);
        lpm_destroy(l);
    }
}

static void memory_follows_what_is_alive_not_what_has_passed(void **state)
{
    struct lpm *l = lpm_create(32);
    uint8_t key[4];
    size_t after_first = 0;

    (void)state;
    insert(l, "192.0.2.0/24", 1); /* so that it is never empty */
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned pass = 0; pass < 2; pass++)
            for (unsigned i = 0; i < 5000; i++) {
                memcpy(key, (uint8_t[4]){10, (uint8_t)(i >> 4), (uint8_t)i, (uint8_t)i},
                       4);
                if (pass == 0)
                    lpm_insert(l, key, 17 + i % 16, i);
                else
                    lpm_remove(l, key, 17 + i % 16);
            }
        assert_int_equal(lpm_count(l), 1);
        if (round == 0)
            after_first = lpm_memory_bytes(l);
    }
    assert_int_equal(lpm_memory_bytes(l), after_first);
    lpm_destroy(l);
}

/* --- against the plain list ------------------------------------------------------------ */

/* Marsaglia's xorshift64*, so that every run draws the same. */
static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1dULL;
}

/*
 * How the keys of a random table are spread: `random_bytes` behind `zero_bytes` are drawn
 * from `values` values and the others are zero, so that few nest, branch and collide often.
 */
struct shape {
    const char *name;
    unsigned bits, values, zero_bytes, random_bytes, min_length;
    unsigned steps; /* insertions and removals */
    unsigned keep;  /* prefixes held at most, roughly */
};

static const struct shape shapes[] = {
    {"IPv4, all over the space", 32, 256, 0, 4, 0, 4000, 1500},
    {"IPv4, few branches, deeply nested", 32, 3, 0, 4, 0, 6000, 600},
    {"IPv4, one crowded /16", 32, 256, 2, 2, 17, 8000, 1500},
    {"IPv4, one byte with all its prefixes", 32, 256, 1, 1, 0, 6000, 500},
    {"IPv4, host routes", 32, 256, 0, 4, 32, 3000, 1500},
    {"IPv6, all over the space", 128, 256, 0, 16, 0, 3000, 1000},
    {"IPv6, few branches, deeply nested", 128, 2, 0, 16, 0, 6000, 800},
    {"IPv6, sites of a provider", 128, 256, 0, 6, 29, 4000, 1000},
    {"IPv6, one crowded /32", 128, 256, 4, 1, 33, 6000, 1000},
    {"IPv6, hosts in few networks", 128, 2, 0, 16, 120, 5000, 800},
};

static void draw_key(const struct shape *s, uint64_t *seed, uint8_t *key)
{
    memset(key, 0, 16);
    for (unsigned i = s->zero_bytes; i < s->zero_bytes + s->random_bytes; i++) {
        uint64_t pick = draw(seed) >> 32;

        /* spread few values over the byte: 0, 0xff, 0x55 */
        key[i] = (uint8_t)(s->values == 256 ? pick : pick % s->values * 0xff);
        if (s->values == 3 && pick % 3 == 2)
            key[i] = 0x55;
    }
}

/* The key plus or minus one at its last bit, around the ends. */
static void step_key(uint8_t *key, unsigned bits, int by)
{
    for (unsigned i = bits / 8; i-- > 0;) {
        key[i] = (uint8_t)(key[i] + by);
        if (key[i] != (by > 0 ? 0 : 0xff))
            return;
    }
}

struct pair {
    const struct shape *shape;
    struct lpm *lpm;
    struct plain_lpm plain;
    size_t lookups;
};

static void expect_same(struct pair *p, const uint8_t *key, unsigned max_length)
{
    uint32_t expected = plain_lpm_lookup_shorter(&p->plain, key, max_length);
    uint32_t got = lpm_lookup_shorter(p->lpm, key, max_length);

    if (max_length == p->shape->bits && got == expected)
        got = lpm_lookup(p->lpm, key);
    p->lookups++;
    if (got != expected) {
        struct addr a = p->shape->bits == 32 ? addr_from_v4(key) : addr_from_v6(key);
        char text[ADDR_TEXT_MAX];

        fail_msg("%s: %s, at most %u bits: gives %u, the plain list %u", p->shape->name,
                 addr_format(&a, text), max_length, got, expected);
    }
}

/* The first and last address of a prefix, and those on either side. */
static void expect_same_around(struct pair *p, const struct plain_prefix *prefix)
{
    uint8_t first[16] = {0}, last[16] = {0};

    for (unsigned i = 0; i < p->shape->bits; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);

        if (i >= prefix->length)
            last[i / 8] |= bit;
        else if (prefix->key[i / 8] & bit) {
            first[i / 8] |= bit;
            last[i / 8] |= bit;
        }
    }
    expect_same(p, first, p->shape->bits);
    expect_same(p, last, p->shape->bits);
    step_key(first, p->shape->bits, -1);
    step_key(last, p->shape->bits, 1);
    expect_same(p, first, p->shape->bits);
    expect_same(p, last, p->shape->bits);
    if (prefix->length > 0)
        expect_same(p, prefix->key, prefix->length - 1);
}

static void expect_same_everywhere(struct pair *p, uint64_t *seed)
{
    uint8_t key[16];

    assert_int_equal(lpm_count(p->lpm), p->plain.count);
    for (size_t i = 0; i < p->plain.count; i++) {
        const struct plain_prefix *prefix = &p->plain.prefixes[i];

        assert_int_equal(lpm_find(p->lpm, prefix->key, prefix->length), prefix->value);
        expect_same_around(p, prefix);
    }
    for (unsigned i = 0; i < 200; i++) {
        draw_key(p->shape, seed, key);
        expect_same(p, key, p->shape->bits);
        expect_same(p, key, (unsigned)(draw(seed) % (p->shape->bits + 1)));
    }
    for (unsigned length = 0; length <= p->shape->bits; length++) {
        draw_key(p->shape, seed, key);
        expect_same(p, key, length);
        assert_int_equal(lpm_find(p->lpm, key, length),
                         plain_lpm_find(&p->plain, key, length));
    }
}

/* Groups of all sizes, the last one of a call not full. */
static void expect_same_many(struct pair *p, uint64_t *seed)
{
    enum { MOST = 70 };
    unsigned key_bytes = p->shape->bits / 8;
    uint8_t keys[MOST * 16], key[16];
    uint32_t values[MOST + 1];

    for (unsigned count = 0; count <= MOST; count++) {
        for (unsigned i = 0; i < count; i++) {
            draw_key(p->shape, seed, key);
            memcpy(keys + i * key_bytes, key, key_bytes);
        }
        values[count] = 12345;
        lpm_lookup_many(p->lpm, keys, count, values);
        assert_int_equal(values[count], 12345);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(values[i], lpm_lookup(p->lpm, keys + i * key_bytes));
    }
}

static void change_at_random(struct pair *p, uint64_t *seed, bool grow)
{
    const struct shape *s = p->shape;
    unsigned length =
        s->min_length + (unsigned)(draw(seed) % (s->bits - s->min_length + 1));
    uint32_t value = (uint32_t)draw(seed) % 5; /* few: neighbours often have the same */
    uint8_t key[16];

    draw_key(s, seed, key);
    if (!grow && p->plain.count > 0) {
        const struct plain_prefix *one = &p->plain.prefixes[draw(seed) % p->plain.count];

        length = one->length;
        memcpy(key, one->key, sizeof key);
    }
    if (grow) {
        lpm_insert(p->lpm, key, length, value);
        plain_lpm_insert(&p->plain, key, length, value);
    } else {
        bool there = plain_lpm_remove(&p->plain, key, length);

        assert_int_equal(lpm_remove(p->lpm, key, length), there);
    }
    expect_same(p, key, s->bits);
}

static void random_changes_answer_as_the_plain_list_does(void **state)
{
    size_t lookups = 0;

    (void)state;
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        const struct shape *s = &shapes[i];
        struct pair p = {
            .shape = s, .lpm = lpm_create(s->bits), .plain = {.bits = s->bits}};
        uint64_t seed = 0x9e3779b97f4a7c15ULL + i;

        for (unsigned step = 0; step < s->steps; step++) {
            bool shrink = step / s->keep % 2 == 1;

            change_at_random(&p, &seed, draw(&seed) % 10 < (shrink ? 2 : 8));
            if (step % (s->steps / 6) == s->steps / 6 - 1)
                expect_same_everywhere(&p, &seed);
        }
        expect_same_many(&p, &seed);
        while (p.plain.count > 0)
            change_at_random(&p, &seed, false);
        assert_int_equal(lpm_count(p.lpm), 0);
        lookups += p.lookups;
        plain_lpm_clear(&p.plain);
        lpm_destroy(p.lpm);
    }
    assert_true(lookups > 50000);
}

/* Every prefix of a byte, in and out in an order that visits all 511 numbers. */
static void every_prefix_of_a_byte_can_be_held_at_once(void **state)
{
    struct pair p = {.shape = &shapes[3], .lpm = lpm_create(32), .plain = {.bits = 32}};

    (void)state;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < 511; i++) {
            unsigned number = i * 37 % 511 + 1, length = 0;
            uint8_t key[16] = {10};

            while (number >> (length + 1) != 0)
                length++;
            key[1] = (uint8_t)(number << (8 - length));
            if (pass == 0) {
                lpm_insert(p.lpm, key, 8 + length, number);
                plain_lpm_insert(&p.plain, key, 8 + length, number);
            } else {
                assert_true(lpm_remove(p.lpm, key, 8 + length));
                assert_true(plain_lpm_remove(&p.plain, key, 8 + length));
            }
            for (unsigned byte = 0; byte < 256; byte++)
                expect_same(&p, (uint8_t[16]){10, (uint8_t)byte}, 32);
        }
    assert_int_equal(lpm_count(p.lpm), 0);
    plain_lpm_clear(&p.plain);
    lpm_destroy(p.lpm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_of_nested_ipv4_prefixes_wins),
        cmocka_unit_test(the_longest_of_nested_ipv6_prefixes_wins),
        cmocka_unit_test(an_empty_table_holds_nothing),
        cmocka_unit_test(a_default_route_alone_answers_everything),
        cmocka_unit_test(bits_behind_the_length_do_not_count),
        cmocka_unit_test(a_second_insert_replaces_the_value),
        cmocka_unit_test(a_removed_prefix_leaves_its_addresses_to_the_next_shorter),
        cmocka_unit_test(removing_what_is_not_there_changes_nothing),
        cmocka_unit_test(a_crowded_network_keeps_its_answers_when_its_neighbours_go),
        cmocka_unit_test(a_bound_on_the_length_finds_the_next_shorter),
        cmocka_unit_test(a_table_emptied_needs_no_more_memory_than_a_new_one),
        cmocka_unit_test(memory_follows_what_is_alive_not_what_has_passed),
        cmocka_unit_test(every_prefix_of_a_byte_can_be_held_at_once),
        cmocka_unit_test(random_changes_answer_as_the_plain_list_does),
    };

    return cmocka_run_group_tests_name("lpm", tests, NULL, NULL);
}
