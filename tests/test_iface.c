#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/routers.h"

static struct iface_state iface_with(const struct prefix *addresses, size_t len)
{
    const struct config_iface c = {
        .name = "wan", .addresses = addresses, .addresses_len = len};
    struct iface_state s;

    iface_init(&s, &c);
    return s;
}

/* Sources: Linux inet_select_addr(); ipv6_dev_get_saddr(), RFC 6724. */
static void the_address_fits_the_way_out(void **state)
{
    static const struct {
        const char *what, *addresses[4], *towards, *selected;
    } rows[] = {
        {"the only one", {"192.0.2.2/24"}, "198.51.100.1", "192.0.2.2"},
        {"the one with the next hop on its network",
         {"192.0.2.2/24", "198.51.100.2/24"},
         "198.51.100.1",
         "198.51.100.2"},
        {"else the first",
         {"192.0.2.2/24", "198.51.100.2/24"},
         "203.0.113.1",
         "192.0.2.2"},
        {"of two on one network the first",
         {"192.0.2.2/24", "192.0.2.3/24"},
         "192.0.2.1",
         "192.0.2.2"},
        {"a link-local IPv4 address serves",
         {"169.254.1.2/16"},
         "198.51.100.1",
         "169.254.1.2"},
        {"none of the family", {"2001:db8::2/64"}, "192.0.2.1", NULL},
        {"IPv6 passes over IPv4",
         {"192.0.2.2/24", "2001:db8::2/64"},
         "2001:db8:ffff::1",
         "2001:db8::2"},
        {"IPv6 link-local never", {"fe80::2/64"}, "2001:db8::1", NULL},
        {"to the global a global address",
         {"fd00::2/64", "2001:db8::2/64"},
         "2a00::1",
         "2001:db8::2"},
        {"to a unique local one its like",
         {"2001:db8::2/64", "fd00::2/64"},
         "fd00:1::1",
         "fd00::2"},
        {"a unique local one when there is nothing else",
         {"fd00::2/64"},
         "2a00::1",
         "fd00::2"},
        {"the longer match",
         {"2001:db8:1::2/64", "2001:db8:2::2/64"},
         "2001:db8:2:9::1",
         "2001:db8:2::2"},
        {"none", {NULL}, "192.0.2.1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct addr towards = address(rows[i].towards);
        struct prefix addresses[4];
        struct addr got = {0};
        struct iface_state s;
        size_t n = 0;
        bool found;

        for (; n < 4 && rows[i].addresses[n]; n++)
            addresses[n] = interface_address(rows[i].addresses[n]);
        s = iface_with(addresses, n);
        found = iface_select_address(&s, towards.family, &towards, &got);
        if (found != (rows[i].selected != NULL))
            fail_msg("%s: %s", rows[i].what, found ? "one was found" : "none was found");
        if (found) {
            const struct addr wanted = address(rows[i].selected);

            if (!addr_equal(&got, &wanted))
                fail_msg("%s: another than %s", rows[i].what, rows[i].selected);
        }
        iface_free(&s);
    }
}

static void it_runs_when_it_is_up_and_has_a_carrier(void **state)
{
    struct iface_state s = iface_with(NULL, 0);

    (void)state;
    assert_true(iface_is_running(&s));
    s.carrier = false;
    assert_false(iface_is_running(&s));
    s.carrier = true;
    s.admin_up = false;
    assert_false(iface_is_running(&s));
    iface_free(&s);
}

/* What IPv6 on Linux waits for. */
static void it_is_ready_once_it_was_up_with_a_carrier(void **state)
{
    struct iface_state s = iface_with(NULL, 0);

    (void)state;
    assert_true(s.ready);
    iface_set_carrier(&s, false);
    assert_true(s.ready);
    iface_set_admin(&s, false);
    assert_false(s.ready);
    iface_set_admin(&s, true);
    assert_false(s.ready);
    iface_set_carrier(&s, true);
    assert_true(s.ready);
    iface_free(&s);
}

static void addresses_come_once_and_go_by_their_bytes(void **state)
{
    const struct prefix a = interface_address("192.0.2.2/24");
    const struct prefix again = interface_address("192.0.2.2/32");
    const struct prefix b = interface_address("2001:db8::1/64");
    struct iface_state s = iface_with(&a, 1);

    (void)state;
    iface_add_address(&s, &again);
    iface_add_address(&s, &b);
    assert_int_equal(s.addresses_len, 2);
    assert_true(iface_has_family(&s, FAMILY_V6));
    assert_true(iface_remove_address(&s, &a.addr));
    assert_false(iface_remove_address(&s, &a.addr));
    assert_false(iface_has_family(&s, FAMILY_V4));
    assert_int_equal(s.addresses_len, 1);
    iface_free(&s);
}

static void an_address_that_comes_again_has_the_new_length(void **state)
{
    const struct prefix a = interface_address("192.0.2.2/24");
    const struct prefix longer = interface_address("192.0.2.2/30");
    const struct addr beyond = address("192.0.2.200"), inside = address("192.0.2.1");
    struct iface_state s = iface_with(&a, 1);

    (void)state;
    iface_add_address(&s, &longer);
    assert_int_equal(s.addresses_len, 1);
    assert_int_equal(s.addresses[0].length, 30);
    assert_true(addr_equal(&s.addresses[0].addr, &a.addr));
    assert_true(prefix_contains(&s.addresses[0], &inside));
    assert_false(prefix_contains(&s.addresses[0], &beyond));
    iface_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_fits_the_way_out),
        cmocka_unit_test(it_runs_when_it_is_up_and_has_a_carrier),
        cmocka_unit_test(it_is_ready_once_it_was_up_with_a_carrier),
        cmocka_unit_test(addresses_come_once_and_go_by_their_bytes),
        cmocka_unit_test(an_address_that_comes_again_has_the_new_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
