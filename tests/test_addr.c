#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/addr.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static struct addr address(const char *text)
{
    struct addr a = {.family = FAMILY_NONE};

    if (strcmp(text, "none") != 0 && !addr_parse(text, &a))
        fail_msg("the test's own address '%s' does not parse", text);
    return a;
}

static struct prefix prefix(const char *text)
{
    struct prefix p;

    if (!prefix_parse(text, &p))
        fail_msg("the test's own prefix '%s' does not parse", text);
    return p;
}

/* What goes in and what comes out. Sources by row. */
static void addresses_are_written_as_rfc_5952_asks(void **state)
{
    static const struct {
        const char *source, *text, *expected;
    } rows[] = {
        {"RFC 4291, 2.2 (1)", "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
         "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
        {"RFC 4291, 2.2 (1)", "2001:DB8:0:0:8:800:200C:417A",
         "2001:db8::8:800:200c:417a"},
        {"RFC 4291, 2.2 (2), multicast", "FF01:0:0:0:0:0:0:101", "ff01::101"},
        {"RFC 4291, 2.2 (2), loopback", "0:0:0:0:0:0:0:1", "::1"},
        {"RFC 4291, 2.2 (2), unspecified", "0:0:0:0:0:0:0:0", "::"},
        {"RFC 4291, 2.2 (3), mapped", "0:0:0:0:0:FFFF:129.144.52.38",
         "::ffff:129.144.52.38"},
        {"RFC 5952, 1", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"RFC 5952, 1", "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"RFC 5952, 1", "2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
        {"RFC 5952, 1", "2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"RFC 5952, 1", "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
        {"RFC 5952, 2.1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001",
         "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},
        {"RFC 5952, 2.2", "2001:db8:0:0:0::1", "2001:db8::1"},
        {"RFC 5952, 4.1", "2001:0db8::0001", "2001:db8::1"},
        {"RFC 5952, 4.2.1", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"RFC 5952, 4.2.2, one group stays", "2001:db8::1:1:1:1:1",
         "2001:db8:0:1:1:1:1:1"},
        {"RFC 5952, 4.2.3, the longest run", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"RFC 5952, 4.2.3, the first of equals", "2001:db8:0:0:1:0:0:1",
         "2001:db8::1:0:0:1"},
        {"RFC 5952, 4.3", "2001:DB8::AAAA", "2001:db8::aaaa"},
        {"RFC 5952, 5, mapped", "::ffff:c000:0201", "::ffff:192.0.2.1"},
        {"mapped unspecified", "::ffff:0:0", "::ffff:0.0.0.0"},
        {"a run at the front", "0:0:0:1:2:3:4:5", "::1:2:3:4:5"},
        {"a run at the end", "1:2:3:4:5:0:0:0", "1:2:3:4:5::"},
        {"a single 0 at the front", "0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
        {"a single 0 at the end", "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
        {"IPv4-compatible is deprecated, so hexadecimal", "::1.2.3.4", "::102:304"},
        {"the longest", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"IPv4", "192.0.2.1", "192.0.2.1"},
        {"IPv4, the first", "0.0.0.0", "0.0.0.0"},
        {"IPv4, the last", "255.255.255.255", "255.255.255.255"},
    };
    char text[ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct addr a = address(rows[i].text), again;

        if (strcmp(addr_format(&a, text), rows[i].expected) != 0)
            fail_msg("%s: %s is written %s, expected %s", rows[i].source, rows[i].text,
                     text, rows[i].expected);
        again = address(text);
        if (!addr_equal(&a, &again))
            fail_msg("%s: %s does not read back", rows[i].source, text);
    }
}

static void no_address_is_written_as_none(void **state)
{
    struct addr a = {.family = FAMILY_NONE};
    char text[ADDR_TEXT_MAX];

    (void)state;
    assert_string_equal(addr_format(&a, text), "none");
}

static void what_is_no_address_is_refused_and_changes_nothing(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.",
        ".1.2.3.4",
        "1.2.3.4.",
        "1.2.3.4.5",
        "1..2.3",
        "256.1.1.1",
        "1.1.1.256",
        "1.1.1.1111",
        "01.2.3.4",
        "1.2.3.04",
        "00.0.0.0",
        "0x1.2.3.4",
        "1.2.3.0x4",
        "-1.2.3.4",
        "+1.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3. 4",
        "1.2.3.4/24",
        "1.2.3.a",
        "localhost",
        "16909060",
        ":",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:",
        ":1:2:3:4:5:6:7:8",
        "1::2::3",
        "1:2:3:4::5:6:7:8",
        "12345::",
        "g::1",
        "::00001",
        "::1 ",
        " ::1",
        "fe80::1%eth0",
        "[::1]",
        "::/0",
        "::1.2.3",
        "::1.2.3.256",
        "::1.2.3.04",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "2001:db8::-1",
    };
    const struct addr before = address("192.0.2.1");

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct addr a = before;

        if (addr_parse(rows[i], &a))
            fail_msg("'%s' was taken for an address", rows[i]);
        assert_true(addr_equal(&a, &before));
    }
}

static void prefixes_are_read_with_and_without_length(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"10.1.2.3/8", "10.1.2.3/8"}, /* host bits are kept */
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.1/32", "192.0.2.1/32"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"2001:db8::1/64", "2001:db8::1/64"},
        {"::/0", "::/0"},
        {"2001:db8::1", "2001:db8::1/128"},
        {"2001:0DB8:0000:CD30:0000:0000:0000:0000/60",
         "2001:db8:0:cd30::/60"}, /* RFC 4291 */
        {"2001:0DB8::CD30:0:0:0:0/60", "2001:db8:0:cd30::/60"},
        {"2001:0DB8:0:CD30::/60", "2001:db8:0:cd30::/60"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
    };
    char text[PREFIX_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct prefix p = prefix(rows[i].text);

        if (strcmp(prefix_format(&p, text), rows[i].expected) != 0)
            fail_msg("%s is written %s, expected %s", rows[i].text, text,
                     rows[i].expected);
    }
}

static void what_is_no_prefix_is_refused_and_changes_nothing(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/08x",
        "10.0.0.0/8x",
        "10.0.0.0/ 8",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0 /8",
        "10.0.0.0//8",
        "10.0.0.0/8/8",
        "10.0.0.0/0x8",
        "10.0.0.0/00",
        "10.0.0.0/4294967304",
        "10.0.0.0/18446744073709551624",
        "10.0.0.0/255.0.0.0",
        "10.0.0/8",
        "10/8",
        "::/129",
        "::/",
        "::/-1",
        "::/1000",
        "::/064",
        "2001:DB8:0:CD3/60x",
        "2001:db8:0:cd30/60",
        "default",
        "any",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64",
    };
    const struct prefix before = prefix("192.0.2.0/24");

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct prefix p = before;

        if (prefix_parse(rows[i], &p))
            fail_msg("'%s' was taken for a prefix", rows[i]);
        assert_true(prefix_equal(&p, &before));
    }
}

enum kind {
    UNSPECIFIED = 1,
    LOOPBACK = 2,
    MULTICAST = 4,
    LINK_LOCAL = 8,
    PRIVATE = 16,
    BROADCAST = 32,
};

static unsigned kinds_of(const struct addr *a)
{
    return (addr_is_unspecified(a) ? UNSPECIFIED : 0u) |
           (addr_is_loopback(a) ? LOOPBACK : 0u) |
           (addr_is_multicast(a) ? MULTICAST : 0u) |
           (addr_is_link_local(a) ? LINK_LOCAL : 0u) |
           (addr_is_private(a) ? PRIVATE : 0u) | (addr_is_broadcast(a) ? BROADCAST : 0u);
}

/* RFC 6890 and the RFCs that it names; the ends of each block and what lies behind them. */
static void each_address_is_of_the_kind_that_its_block_says(void **state)
{
    static const struct {
        const char *addr;
        unsigned kinds;
    } rows[] = {
        {"none", 0},
        {"0.0.0.0", UNSPECIFIED},
        {"0.0.0.1", 0},
        {"126.255.255.255", 0},
        {"127.0.0.0", LOOPBACK},
        {"127.255.255.255", LOOPBACK},
        {"128.0.0.0", 0},
        {"223.255.255.255", 0},
        {"224.0.0.0", MULTICAST},
        {"239.255.255.255", MULTICAST},
        {"240.0.0.0", 0},
        {"255.255.255.254", 0},
        {"255.255.255.255", BROADCAST},
        {"169.253.255.255", 0},
        {"169.254.0.0", LINK_LOCAL},
        {"169.254.255.255", LINK_LOCAL},
        {"169.255.0.0", 0},
        {"9.255.255.255", 0},
        {"10.0.0.0", PRIVATE},
        {"10.255.255.255", PRIVATE},
        {"11.0.0.0", 0},
        {"172.15.255.255", 0},
        {"172.16.0.0", PRIVATE},
        {"172.31.255.255", PRIVATE},
        {"172.32.0.0", 0},
        {"192.167.255.255", 0},
        {"192.168.0.0", PRIVATE},
        {"192.168.255.255", PRIVATE},
        {"192.169.0.0", 0},
        {"100.64.0.1", 0}, /* RFC 6598 is not private */
        {"::", UNSPECIFIED},
        {"::1", LOOPBACK},
        {"::2", 0},
        {"1::1", 0},
        {"::100:0:0:0", 0},
        {"fe7f:ffff::", 0},
        {"fe80::", LINK_LOCAL},
        {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", LINK_LOCAL},
        {"fec0::", 0},
        {"fbff::", 0},
        {"fc00::", PRIVATE},
        {"fdff:ffff::1", PRIVATE},
        {"fe00::", 0},
        {"feff::", 0},
        {"ff00::", MULTICAST},
        {"ff02::1", MULTICAST},
        {"::ffff:127.0.0.1", 0}, /* IPv6 to the router, whatever it maps */
        {"7f00::", 0},
        {"a00::", 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct addr a = address(rows[i].addr);

        if (kinds_of(&a) != rows[i].kinds)
            fail_msg("%s: kinds %#x, expected %#x", rows[i].addr, kinds_of(&a),
                     rows[i].kinds);
    }
}

static void addresses_are_ordered_by_family_then_value(void **state)
{
    static const char *const ordered[] = {
        "none",      "0.0.0.0",         "0.0.0.1", "1.0.0.0", "127.0.0.1",
        "128.0.0.0", "255.255.255.255", "::",      "::1",     "::1:0",
        "1::",       "2001:db8::",      "8000::"};

    (void)state;
    for (size_t i = 0; i < LENGTH(ordered); i++)
        for (size_t j = 0; j < LENGTH(ordered); j++) {
            struct addr a = address(ordered[i]), b = address(ordered[j]);
            int order = addr_compare(&a, &b);

            if ((order < 0) != (i < j) || (order > 0) != (i > j) ||
                addr_equal(&a, &b) != (i == j))
                fail_msg("%s and %s: order %d", ordered[i], ordered[j], order);
        }
}

static void bytes_in_network_order_make_addresses(void **state)
{
    static const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    struct addr v4 = addr_from_v4(bytes), v6 = addr_from_v6(bytes);
    struct addr expected_v4 = address("32.1.13.184"),
                expected_v6 = address("2001:db8::1");

    (void)state;
    assert_true(addr_equal(&v4, &expected_v4));
    assert_true(addr_equal(&v6, &expected_v6));
    assert_int_equal(addr_bits(&v4), 32);
    assert_int_equal(addr_bits(&v6), 128);
    assert_int_equal(addr_bits(&(struct addr){.family = FAMILY_NONE}), 0);
}

static void masking_clears_what_is_behind_the_length(void **state)
{
    static const struct {
        const char *addr;
        unsigned length;
        const char *expected;
    } rows[] = {
        {"255.255.255.255", 0, "0.0.0.0"},
        {"255.255.255.255", 1, "128.0.0.0"},
        {"255.255.255.255", 19, "255.255.224.0"},
        {"255.255.255.255", 31, "255.255.255.254"},
        {"255.255.255.255", 32, "255.255.255.255"},
        {"255.255.255.255", 200, "255.255.255.255"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 3, "e000::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 63, "ffff:ffff:ffff:fffe::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 64, "ffff:ffff:ffff:ffff::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65, "ffff:ffff:ffff:ffff:8000::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 127,
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128,
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"none", 8, "none"},
    };
    char text[ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct addr a = address(rows[i].addr), masked = addr_mask(&a, rows[i].length);

        if (strcmp(addr_format(&masked, text), rows[i].expected) != 0)
            fail_msg("%s/%u: %s, expected %s", rows[i].addr, rows[i].length, text,
                     rows[i].expected);
    }
}

/* The two prefixes of each length that differ in their last bit share one bit less. */
static void common_bits_count_up_to_the_first_difference(void **state)
{
    static const char *const ends[] = {"0.0.0.0", "255.255.255.255",
                                       "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

    (void)state;
    for (size_t i = 0; i < LENGTH(ends); i++) {
        struct addr a = address(ends[i]);

        assert_int_equal(addr_common_bits(&a, &a), addr_bits(&a));
        for (unsigned bit = 0; bit < addr_bits(&a); bit++) {
            struct addr b = a;

            b.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
            assert_int_equal(addr_common_bits(&a, &b), bit);
            assert_int_equal(addr_common_bits(&b, &a), bit);
        }
    }
    struct addr v4 = address("0.0.0.0"), v6 = address("::");
    assert_int_equal(addr_common_bits(&v4, &v6), 0);
}

static void a_prefix_contains_its_addresses_and_no_other(void **state)
{
    static const struct {
        const char *prefix, *addr;
        bool contains;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.2.3/8", "10.9.9.9", true}, /* host bits do not count */
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::", false},
        {"::/0", "0.0.0.0", false},
        {"0.0.0.0/0", "none", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"192.0.2.1/32", "192.0.2.0", false},
        {"2001:db8::/63", "2001:db8:0:1:ffff::", true},
        {"2001:db8::/63", "2001:db8:0:2::", false},
        {"2001:db8::1/128", "2001:db8::1", true},
        {"2001:db8::1/128", "2001:db8::", false},
        {"a00::/8", "10.0.0.1", false}, /* the same first bytes, another family */
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct prefix p = prefix(rows[i].prefix);
        struct addr a = address(rows[i].addr);

        if (prefix_contains(&p, &a) != rows[i].contains)
            fail_msg("%s in %s: expected %d", rows[i].addr, rows[i].prefix,
                     rows[i].contains);
    }
}

static void a_prefix_covers_those_inside_it(void **state)
{
    static const struct {
        const char *outer, *inner;
        bool covers;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0/8", true},
        {"10.0.0.0/8", "10.1.0.0/16", true},
        {"10.1.0.0/16", "10.0.0.0/8", false},
        {"10.0.0.0/8", "11.0.0.0/16", false},
        {"0.0.0.0/0", "0.0.0.0/0", true},
        {"0.0.0.0/0", "192.0.2.1/32", true},
        {"0.0.0.0/0", "::/0", false},
        {"::/0", "2001:db8::/32", true},
        {"2001:db8::/33", "2001:db8:8000::/34", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct prefix outer = prefix(rows[i].outer), inner = prefix(rows[i].inner);

        if (prefix_covers(&outer, &inner) != rows[i].covers)
            fail_msg("%s covers %s: expected %d", rows[i].outer, rows[i].inner,
                     rows[i].covers);
    }
}

static void prefix_of_an_address_has_no_host_bits(void **state)
{
    struct addr a = address("10.1.2.3"), b = address("2001:db8::ffff");
    struct prefix p = prefix_of(&a, 8), expected = prefix("10.0.0.0/8");
    struct prefix p6 = prefix_of(&b, 32), expected6 = prefix("2001:db8::/32");
    struct prefix with_host_bits = prefix("10.1.2.3/8");

    (void)state;
    assert_true(prefix_equal(&p, &expected));
    assert_true(prefix_equal(&p6, &expected6));
    assert_false(prefix_equal(&p, &p6));
    assert_false(prefix_equal(&p, &with_host_bits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_written_as_rfc_5952_asks),
        cmocka_unit_test(no_address_is_written_as_none),
        cmocka_unit_test(what_is_no_address_is_refused_and_changes_nothing),
        cmocka_unit_test(prefixes_are_read_with_and_without_length),
        cmocka_unit_test(what_is_no_prefix_is_refused_and_changes_nothing),
        cmocka_unit_test(each_address_is_of_the_kind_that_its_block_says),
        cmocka_unit_test(addresses_are_ordered_by_family_then_value),
        cmocka_unit_test(bytes_in_network_order_make_addresses),
        cmocka_unit_test(masking_clears_what_is_behind_the_length),
        cmocka_unit_test(common_bits_count_up_to_the_first_difference),
        cmocka_unit_test(a_prefix_contains_its_addresses_and_no_other),
        cmocka_unit_test(a_prefix_covers_those_inside_it),
        cmocka_unit_test(prefix_of_an_address_has_no_host_bits),
    };

    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
