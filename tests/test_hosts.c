#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/rig.h"

/* What a host sends: connection (letter), when, public address, site. */
struct sent {
    char conn;
    double at;
    const char *from, *to;
};

enum { SENT_MAX = 8 };

struct counts {
    uint64_t public_changes, site_changes, live_changes;
    size_t at_once, addresses;
};

static struct addr addr(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

/* The figures of the laptop after these packets. Each connection ends with its last
 * one. */
static struct counts counts_of(const struct sent *sent)
{
    struct rig *r = rig_create(NULL);
    struct flow flows[26];
    struct hosts h;
    struct counts c;

    hosts_init(&h, &r->scenario);
    for (int i = 0; i < 26; i++)
        flows[i] = (struct flow){.host = 0, .used_address = FLOWS_NONE};
    for (int i = 0; i < SENT_MAX && sent[i].conn; i++) {
        const struct addr from = addr(sent[i].from), to = addr(sent[i].to);

        hosts_sent(&h, &flows[sent[i].conn - 'a'], &from, &to, 0, SECONDS(sent[i].at));
    }
    for (int i = 0; i < 26; i++)
        hosts_flow_ended(&h, &flows[i]);
    c = (struct counts){h.counts[0].public_changes, h.list[0]->site_changes,
                        h.counts[0].live_changes, hosts_addresses_at_once(&h, 0),
                        h.list[0]->addresses_len};
    hosts_free(&h);
    rig_destroy(r);
    return c;
}

static void address_changes_are_counted_three_ways(void **state)
{
    static const char one[] = "100.64.1.2", two[] = "100.64.2.2",
                      six[] = "2001:db8:10::50";
    static const char bank[] = "198.51.100.1", shop[] = "198.51.100.2",
                      far[] = "2001:db8:f::1";
    static const struct {
        const char *when;
        struct sent sent[SENT_MAX];
        struct counts counts;
    } rows[] = {
        {"nothing sent", {{0}}, {0, 0, 0, 0, 0}},
        {"one address", {{'a', 0, one, bank}, {'b', 1, one, shop}}, {0, 0, 0, 1, 1}},
        {"each site sees its own",
         {{'a', 0, one, bank},
          {'b', 1, two, shop},
          {'c', 2, one, bank},
          {'d', 3, two, shop}},
         {3, 0, 0, 1, 2}},
        {"one site sees both",
         {{'a', 0, one, bank}, {'b', 1, two, bank}},
         {1, 1, 0, 1, 2}},
        {"old connections go on unseen",
         {{'a', 0, one, bank},
          {'b', 1, two, bank},
          {'a', 2, one, bank},
          {'b', 3, two, bank}},
         {1, 1, 0, 2, 2}},
        {"within a connection",
         {{'a', 0, one, bank}, {'a', 1, two, bank}, {'a', 2, one, bank}},
         {2, 2, 2, 1, 2}},
        {"a live change to where the host is already",
         {{'a', 0, one, bank}, {'b', 1, two, shop}, {'a', 2, two, bank}},
         {1, 1, 1, 1, 2}},
        {"both families side by side",
         {{'a', 0, one, bank},
          {'b', 1, six, far},
          {'c', 2, one, bank},
          {'b', 9, six, far}},
         {0, 0, 0, 1, 2}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct counts c = counts_of(rows[i].sent), *e = &rows[i].counts;

        if (c.public_changes != e->public_changes || c.site_changes != e->site_changes ||
            c.live_changes != e->live_changes || c.at_once != e->at_once ||
            c.addresses != e->addresses)
            fail_msg("%s: public %d site %d live %d at once %d addresses %d",
                     rows[i].when, (int)c.public_changes, (int)c.site_changes,
                     (int)c.live_changes, (int)c.at_once, (int)c.addresses);
    }
}

static void names_are_found_by_any_of_their_addresses(void **state)
{
    static const struct {
        const char *addr;
        uint32_t host;
    } rows[] = {
        {"192.168.10.50", 0},          {"192.168.10.60", 1},
        {"2001:db8:10::60", 1},        {"192.168.10.1", FLOWS_NONE},
        {"192.168.10.99", FLOWS_NONE}, {"::", FLOWS_NONE},
    };
    struct rig *r = rig_create(NULL);
    struct hosts h;

    (void)state;
    hosts_init(&h, &r->scenario);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct addr a = addr(rows[i].addr);

        if (hosts_find(&h, &a) != rows[i].host)
            fail_msg("%s", rows[i].addr);
    }
    hosts_free(&h);
    rig_destroy(r);
}

/* Lost at 10, 11, 12, arrived at 15: 5 s; lost at 20, 23 and never again: 3 s. */
static void an_outage_lasts_until_a_packet_arrives_or_to_the_last_lost_one(void **state)
{
    struct rig *r = rig_create(NULL);
    struct flow f = {.host = 0, .used_address = FLOWS_NONE};
    const struct addr from = addr("100.64.1.2"), to = addr("198.51.100.1");
    struct hosts h;

    (void)state;
    hosts_init(&h, &r->scenario);
    hosts_sent(&h, &f, &from, &to, 0, SECONDS(9));
    hosts_lost(&h, 0, SECONDS(10));
    hosts_lost(&h, 0, SECONDS(11));
    hosts_lost(&h, 0, SECONDS(12));
    hosts_sent(&h, &f, &from, &to, 0, SECONDS(15));
    assert_int_equal(h.list[0]->outage_ns, SECONDS(5));
    hosts_lost(&h, 0, SECONDS(20));
    hosts_lost(&h, 0, SECONDS(23));
    hosts_finish(&h);
    assert_int_equal(h.list[0]->outage_ns, SECONDS(8));
    hosts_free(&h);
    rig_destroy(r);
}

/* Every 10 s another of two addresses: 1000 connections are 999 changes. */
static void the_timeline_keeps_its_beginning(void **state)
{
    struct rig *r = rig_create(NULL);
    const struct addr site = addr("198.51.100.1");
    struct hosts h;

    (void)state;
    hosts_init(&h, &r->scenario);
    for (int i = 0; i < 1000; i++) {
        struct flow f = {.host = 0, .used_address = FLOWS_NONE};
        const struct addr from = addr(i % 2 ? "100.64.2.2" : "100.64.1.2");

        hosts_sent(&h, &f, &from, &site, i % 2, SECONDS(i * 10));
        hosts_flow_ended(&h, &f);
    }
    assert_int_equal(h.counts[0].public_changes, 999);
    assert_int_equal(h.list[0]->moments, 1000);
    assert_int_equal(h.list[0]->timeline[HOST_TIMELINE_MAX - 1].time_ns, SECONDS(1990));
    assert_int_equal(h.list[0]->timeline[1].wan, 1);
    hosts_free(&h);
    rig_destroy(r);
}

static void very_many_sites_and_addresses_stay_within_their_memory(void **state)
{
    struct rig *r = rig_create(NULL);
    struct addr site = addr("2001:db8:f::1"), from = addr("100.64.1.2");
    struct hosts h;

    (void)state;
    hosts_init(&h, &r->scenario);
    for (uint32_t i = 0; i < HOST_SITES_MAX + 1000; i++) {
        struct flow f = {.host = 0, .used_address = FLOWS_NONE};
        const uint32_t n = i < HOST_ADDRESSES_MAX + 10 ? i : 0;

        memcpy(site.bytes + 8, &i, sizeof i);
        memcpy(from.bytes, &n, sizeof n);
        hosts_sent(&h, &f, &from, &site, 0, SECONDS(i));
    }
    assert_true(h.sites_full && h.addresses_full);
    assert_int_equal(h.list[0]->addresses_len, HOST_ADDRESSES_MAX);
    assert_true(h.sites_len <= HOST_SITES_MAX);
    hosts_free(&h);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_changes_are_counted_three_ways),
        cmocka_unit_test(names_are_found_by_any_of_their_addresses),
        cmocka_unit_test(an_outage_lasts_until_a_packet_arrives_or_to_the_last_lost_one),
        cmocka_unit_test(the_timeline_keeps_its_beginning),
        cmocka_unit_test(very_many_sites_and_addresses_stay_within_their_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
