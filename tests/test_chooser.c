#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/chooser.h"
#include "core/memory.h"
#include "core/random.h"
#include "tests/routers.h"

/* A RIB of three gateways and the policies of its groups, with links to set. */
struct bench {
    struct lab *lab;
    struct iface_state *ifaces;
    struct rib *rib;
    struct choosers *choosers;
};

static const char three[] = "iface lan 192.0.2.1/24\n"
                            "iface a 198.51.100.2/30\n"
                            "iface b 198.51.100.6/30\n"
                            "iface c 198.51.100.10/30\n"
                            "route 0.0.0.0/0 via 198.51.100.1\n"
                            "route 0.0.0.0/0 via 198.51.100.5\n"
                            "route 0.0.0.0/0 via 198.51.100.9\n";

static struct bench bench_create(const char *policy)
{
    char text[600];
    struct bench b;

    snprintf(text, sizeof text, "platform routeros7\nseed 5\npolicy %s\n%s", policy,
             three);
    b.lab = lab_read(text);
    b.ifaces = mem_alloc(b.lab->config.ifaces_len, sizeof *b.ifaces);
    for (size_t i = 0; i < b.lab->config.ifaces_len; i++)
        iface_init(&b.ifaces[i], &b.lab->config.ifaces[i]);
    b.rib = rib_create(&b.lab->config, b.ifaces);
    b.choosers = choosers_create(&b.lab->config, b.rib);
    choosers_follow(b.choosers, 0);
    return b;
}

static void bench_destroy(struct bench *b)
{
    choosers_destroy(b->choosers);
    rib_destroy(b->rib);
    for (size_t i = 0; i < b->lab->config.ifaces_len; i++)
        iface_free(&b->ifaces[i]);
    mem_free(b->ifaces);
    lab_destroy(b->lab);
}

static void set_link(struct bench *b, const char *iface, bool carrier, double at_s)
{
    const unsigned i = lab_iface(b->lab, iface);

    iface_set_carrier(&b->ifaces[i], carrier);
    rib_iface_changed(b->rib, i);
    choosers_follow(b->choosers, SECONDS(at_s));
}

static const struct fib_entry *entry_of(const struct bench *b)
{
    struct addr dst;

    addr_parse("203.0.113.9", &dst);
    return rib_lookup(b->rib, TABLE_MAIN, &dst, 0, -1);
}

/* The interface by which a flow leaves; `pin` as its connection remembers it. */
static const char *leaves_by(struct bench *b, uint32_t hash, uint16_t *pin)
{
    const struct packet p = packet("udp 192.0.2.9:1 > 203.0.113.9:2");
    const struct fib_entry *e = entry_of(b);
    const struct policy_query q = {
        .packet = &p, .hash = hash, .in_iface = 0, .begins = *pin == 0, .pin = pin};
    const unsigned member = choosers_pick(b->choosers, e, &q);

    return member == NEXTHOP_NONE
               ? "none"
               : b->lab->config.ifaces[e->group->hops[member].iface].name;
}

static void a_member_that_went_is_known_again_when_it_returns(void **state)
{
    struct bench b = bench_create("random-flow");
    unsigned checked = 0;

    (void)state;
    for (uint32_t flow = 0; flow < 40; flow++) {
        uint16_t pin = 0, remembered;
        const char *first = leaves_by(&b, flow, &pin);

        remembered = pin;
        set_link(&b, "a", false, 10);
        set_link(&b, "a", true, 20);
        pin = remembered;
        assert_string_equal(leaves_by(&b, flow, &pin), first);
        checked += strcmp(first, "a") == 0;
    }
    assert_true(checked > 3);
    bench_destroy(&b);
}

/* Places shift in the group when a member is lost; what is asked for is the member. */
static void the_others_stay_themselves_when_one_is_lost(void **state)
{
    struct bench b = bench_create("random-flow");

    (void)state;
    for (uint32_t flow = 0; flow < 40; flow++) {
        uint16_t pin = 0;
        const char *first = leaves_by(&b, flow, &pin);

        set_link(&b, "a", false, 10);
        if (strcmp(first, "a") == 0)
            assert_string_not_equal(leaves_by(&b, flow, &pin), "a");
        else
            assert_string_equal(leaves_by(&b, flow, &pin), first);
        set_link(&b, "a", true, 20);
    }
    bench_destroy(&b);
}

static void a_group_that_lost_all_its_members_begins_anew(void **state)
{
    static const char *const wans[] = {"a", "b", "c"};
    struct bench b = bench_create("round-robin");
    uint16_t pin = 0;

    (void)state;
    assert_string_equal(leaves_by(&b, 0, &pin), "a");
    assert_string_equal(leaves_by(&b, 0, &pin), "b");
    for (size_t i = 0; i < 3; i++)
        set_link(&b, wans[i], false, 10);
    assert_null(entry_of(&b));
    for (size_t i = 0; i < 3; i++)
        set_link(&b, wans[i], true, 20);
    assert_string_equal(leaves_by(&b, 0, &pin), "a");
    bench_destroy(&b);
}

static void what_keeps_no_state_has_no_seat(void **state)
{
    struct bench b = bench_create("hash-threshold");

    (void)state;
    assert_int_equal(rib_seats_len(b.rib), 0);
    assert_true(choosers_is_fixed(b.choosers, entry_of(&b)));
    bench_destroy(&b);
    b = bench_create("round-robin");
    assert_true(rib_seats_len(b.rib) > 0);
    assert_false(choosers_is_fixed(b.choosers, entry_of(&b)));
    bench_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_went_is_known_again_when_it_returns),
        cmocka_unit_test(the_others_stay_themselves_when_one_is_lost),
        cmocka_unit_test(a_group_that_lost_all_its_members_begins_anew),
        cmocka_unit_test(what_keeps_no_state_has_no_seat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
