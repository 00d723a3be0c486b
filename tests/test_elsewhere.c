#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "sim/compare/elsewhere.h"
#include "sim/observe/expect.h"
#include "tests/rig.h"

static const struct scenario_wan three[] = {
    {.name = "wan1"}, {.name = "wan2"}, {.name = "wan3"}};
static const struct scenario_wan two[] = {{.name = "wan3"}, {.name = "wan1"}};

static struct addr source_of(uint8_t a, uint8_t b)
{
    return addr_from_v4((const uint8_t[]){a, b, 10, 5});
}

static struct tuple tuple_of(uint8_t host, uint16_t sport)
{
    struct tuple t = {.protocol = PROTO_TCP, .family = FAMILY_V4, .dport = 443};

    memcpy(t.src, (const uint8_t[]){192, 168, 10, host}, 4);
    memcpy(t.dst, (const uint8_t[]){198, 51, 100, 1}, 4);
    t.sport = sport;
    return t;
}

/* The n-th flow of a run: its way, its bytes. */
static void add(struct ledger *l, uint8_t host, uint16_t sport, int path, uint64_t bytes)
{
    const struct tuple t = tuple_of(host, sport);
    const uint32_t record = (uint32_t)l->len;
    const struct addr source = source_of(100, (uint8_t)path);

    ledger_begin(l, record, &t);
    if (path >= 0)
        ledger_path(l, record, path, &source);
    ledger_end(l, record, bytes);
}

static struct scenario scenario_of(const struct scenario_wan *wans, size_t n)
{
    return (struct scenario){.wans = wans, .wans_len = n};
}

/* Flows of hash i / 12 over three equal WANs, and over those left without the middle one:
 * its third is halved between the neighbours, nobody else moves. Without the first, a
 * quarter of what is left moves too. Source: RFC 2992. */
static void losing_a_wan_moves_what_the_rfc_says(void **state)
{
    static const struct {
        const char *gone;
        struct scenario_wan left[2];
        int elsewhere;
        struct {
            const char *pointer;
            double value;
        } between[4];
    } rows[] = {
        {"wan2",
         {{.name = "wan1"}, {.name = "wan3"}},
         4,
         {{"/between/0/flows", 2}, {"/between/1/flows", 2}}},
        {"wan1",
         {{.name = "wan2"}, {.name = "wan3"}},
         6,
         {{"/between/0/flows", 4}, {"/between/1/flows", 2}}},
    };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const struct scenario a = scenario_of(three, 3), b = scenario_of(rows[r].left, 2);
        struct ledger first, other;
        json_t *e;

        ledger_init(&first, &a);
        ledger_init(&other, &b);
        for (uint16_t i = 0; i < 12; i++) {
            add(&first, 9, i, i / 4, 100);
            add(&other, 9, i, i / 6, 100);
        }
        e = elsewhere_build(&first, &other);
        if (fabs(rig_number(e, "/elsewhere") - rows[r].elsewhere) > 0)
            fail_msg("without %s: %g elsewhere", rows[r].gone,
                     rig_number(e, "/elsewhere"));
        rig_expect(e, "/elsewhere_share", rows[r].elsewhere / 12.0);
        rig_expect(e, "/bytes_elsewhere", rows[r].elsewhere * 100);
        for (size_t k = 0; rows[r].between[k].pointer; k++)
            rig_expect(e, rows[r].between[k].pointer, rows[r].between[k].value);
        assert_int_equal(json_array_size(json_object_get(e, "between")), 2);
        json_decref(e);
        ledger_free(&first);
        ledger_free(&other);
    }
}

/* The same path is the WAN of the same name, wherever it stands. */
static void paths_go_by_name(void **state)
{
    const struct scenario a = scenario_of(three, 3), b = scenario_of(two, 2);
    struct ledger first, other;
    json_t *e;

    (void)state;
    ledger_init(&first, &a);
    ledger_init(&other, &b);
    add(&first, 9, 1, 0, 10); /* wan1 */
    add(&other, 9, 1, 1, 10); /* wan1 */
    add(&first, 9, 2, 0, 10); /* wan1 */
    add(&other, 9, 2, 0, 10); /* wan3 */
    add(&first, 9, 3, -1, 10);
    add(&other, 9, 3, 0, 10); /* from no path to wan3 */
    add(&first, 9, 4, -1, 10);
    add(&other, 9, 4, -1, 10);
    e = elsewhere_build(&first, &other);
    rig_expect(e, "/matched", 4);
    rig_expect(e, "/elsewhere", 2);
    assert_true(json_is_null(expect_find(e, "/between/0/from")));
    rig_expect_text(e, "/between/0/to", "wan3");
    rig_expect_text(e, "/between/1/from", "wan1");
    json_decref(e);
    ledger_free(&first);
    ledger_free(&other);
}

/* Of one 5-tuple the first goes with the first; what is left over has no partner. */
static void flows_of_one_tuple_go_in_their_order(void **state)
{
    const struct scenario a = scenario_of(three, 3);
    struct ledger first, other;
    json_t *e;

    (void)state;
    ledger_init(&first, &a);
    ledger_init(&other, &a);
    add(&first, 9, 1, 0, 10);
    add(&first, 9, 7, 2, 10);
    add(&first, 9, 1, 1, 10);
    add(&first, 9, 1, 2, 10);
    add(&other, 9, 8, 2, 10);
    add(&other, 9, 1, 0, 10);
    add(&other, 9, 1, 1, 10);
    e = elsewhere_build(&first, &other);
    rig_expect(e, "/matched", 2);
    rig_expect(e, "/elsewhere", 0);
    rig_expect(e, "/only_in_first", 2);
    rig_expect(e, "/only_here", 1);
    json_decref(e);
    ledger_free(&first);
    ledger_free(&other);
}

/* Named hosts are told whatever happens to them, others when they go elsewhere. */
static void hosts_are_told_by_their_flows(void **state)
{
    const struct addr laptop[] = {addr_from_v4((const uint8_t[]){192, 168, 10, 50})};
    const struct scenario_host hosts[] = {
        {.name = "laptop", .addresses = laptop, .addresses_len = 1}};
    struct scenario a = scenario_of(three, 3);
    struct ledger first, other;
    json_t *e;

    (void)state;
    a.hosts = hosts;
    a.hosts_len = 1;
    ledger_init(&first, &a);
    ledger_init(&other, &a);
    for (uint16_t i = 0; i < 6; i++) {
        const uint8_t host = (uint8_t)(i < 2 ? 50 : i < 5 ? 7 : 8);

        add(&first, host, i, 0, i);
        add(&other, host, i, host == 7 && i > 2 ? 2 : 0, 0);
    }
    e = elsewhere_build(&first, &other);
    assert_int_equal(json_array_size(json_object_get(e, "hosts")), 2);
    rig_expect_text(e, "/hosts/0/name", "laptop");
    rig_expect(e, "/hosts/0/flows", 2);
    rig_expect(e, "/hosts/0/elsewhere", 0);
    rig_expect_text(e, "/hosts/1/address", "192.168.10.7");
    rig_expect(e, "/hosts/1/flows", 3);
    rig_expect(e, "/hosts/1/elsewhere", 2);
    rig_expect(e, "/hosts/1/another_address", 2);
    rig_expect(e, "/hosts/1/bytes_elsewhere", 3 + 4);
    rig_expect(e, "/hosts_elsewhere", 1);
    rig_expect_text(e, "/largest/0/flow", "tcp 192.168.10.7:4 > 198.51.100.1:443");
    rig_expect_text(e, "/largest/0/from_address", "100.0.10.5");
    rig_expect_text(e, "/largest/0/to_address", "100.2.10.5");
    rig_expect(e, "/largest/1/bytes", 3);
    json_decref(e);
    ledger_free(&first);
    ledger_free(&other);
}

/* A flow's record is another flow's when it has ended. */
static void records_are_used_again(void **state)
{
    const struct tuple t = tuple_of(1, 1), u = tuple_of(1, 2);
    const struct addr source = source_of(100, 1);
    struct ledger l;

    (void)state;
    ledger_init(&l, NULL);
    ledger_begin(&l, 5, &t);
    ledger_path(&l, 5, 1, &source);
    ledger_end(&l, 5, 10);
    ledger_begin(&l, 5, &u);
    ledger_end(&l, 5, 20);
    ledger_end(&l, 4, 30); /* never began */
    ledger_end(&l, 9, 30);
    assert_int_equal(l.len, 2);
    assert_int_equal(l.flows[0].path, 1);
    assert_int_equal(l.flows[0].bytes, 10);
    assert_int_equal(l.flows[1].path, -1);
    assert_int_equal(l.flows[1].bytes, 20);
    ledger_free(&l);
}

static void runs_without_flows_have_nothing_elsewhere(void **state)
{
    const struct scenario a = scenario_of(three, 3), none = scenario_of(NULL, 0);
    struct ledger first, other;
    json_t *e;

    (void)state;
    ledger_init(&first, &a);
    ledger_init(&other, &none);
    e = elsewhere_build(&first, &other);
    rig_expect(e, "/matched", 0);
    rig_expect(e, "/elsewhere_share", 0);
    json_decref(e);
    ledger_free(&first);
    ledger_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losing_a_wan_moves_what_the_rfc_says),
        cmocka_unit_test(paths_go_by_name),
        cmocka_unit_test(flows_of_one_tuple_go_in_their_order),
        cmocka_unit_test(hosts_are_told_by_their_flows),
        cmocka_unit_test(records_are_used_again),
        cmocka_unit_test(runs_without_flows_have_nothing_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
