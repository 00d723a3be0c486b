/* Resilient groups: the buckets' owners as a Linux kernel had them, timers, and what moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/policies/resilient.h"
#include "core/random.h"
#include "tests/packets.h"
#include "tests/routers.h"

enum { MEMBERS_MAX = 64 };

static const struct packet ipv4 = {.dst = {.family = FAMILY_V4}};
static const struct packet ipv6 = {.dst = {.family = FAMILY_V6}};

/* ------------------------------------------------------------------------ a group on the bench */

static void *group(uint32_t buckets, double idle_s, double unbalanced_s)
{
    const struct config_policy c = {.buckets = buckets,
                                    .idle_ns = SECONDS(idle_s),
                                    .unbalanced_ns = SECONDS(unbalanced_s)};

    return policy_resilient.create(&c, 0);
}

/* Members as text, "hop*weight hop*weight ...": of weight 1 without. */
static void update(void *g, const char *text, double at_s)
{
    struct policy_member members[MEMBERS_MAX];
    unsigned len = 0, hop, weight;
    int n;

    for (; sscanf(text, " %u%n", &hop, &n) == 1; len++) {
        text += n;
        weight = 1;
        if (sscanf(text, "*%u%n", &weight, &n) == 1)
            text += n;
        members[len] = (struct policy_member){.hop = (uint16_t)hop, .weight = weight};
    }
    policy_resilient.update(g, members, len, SECONDS(at_s));
}

/* A packet into the bucket; the place of its member. */
static unsigned use(void *g, uint32_t bucket, double at_s)
{
    const struct policy_query q = {
        .packet = &ipv4, .hash = bucket, .now_ns = SECONDS(at_s)};

    return policy_resilient.pick(g, &q);
}

static unsigned use_v6(void *g, uint32_t bucket, double at_s)
{
    const struct policy_query q = {
        .packet = &ipv6, .hash = bucket, .now_ns = SECONDS(at_s)};

    return policy_resilient.pick(g, &q);
}

static void expect_owners(void *g, const char *when, const char *owners)
{
    char got[512] = "";
    size_t at = 0;

    for (uint32_t i = 0; at < strlen(owners); i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%u", i ? " " : "",
                               resilient_owner(g, i));
    if (strcmp(got, owners) != 0)
        fail_msg("%s: owners %s, expected %s", when, got, owners);
}

/* -------------------------------------------------------------------------- kernel's answers */

static unsigned members_of_json(const json_t *list, struct policy_member *members)
{
    const json_t *m;
    size_t i;

    json_array_foreach (list, i, m)
        members[i] = (struct policy_member){
            .hop = (uint16_t)json_integer_value(json_array_get(m, 0)),
            .weight = (uint32_t)json_integer_value(json_array_get(m, 1))};
    return (unsigned)json_array_size(list);
}

static unsigned remove_member(struct policy_member *members, unsigned len, unsigned hop)
{
    unsigned n = 0;

    for (unsigned i = 0; i < len; i++)
        if (members[i].hop != hop)
            members[n++] = members[i];
    return n;
}

static void play_ops(void *g, const json_t *ops)
{
    struct policy_member members[MEMBERS_MAX];
    unsigned len = 0;
    const json_t *op, *bucket;
    double at = 0;
    size_t i, k;

    json_array_foreach (ops, i, op) {
        const char *what = json_string_value(json_object_get(op, "op"));

        at += 1;
        if (strcmp(what, "use") == 0) {
            json_array_foreach (json_object_get(op, "buckets"), k, bucket)
                use(g, (uint32_t)json_integer_value(bucket), at);
            continue;
        }
        if (strcmp(what, "remove") == 0)
            len = remove_member(members, len,
                                (unsigned)json_integer_value(json_object_get(op, "id")));
        else
            len = members_of_json(json_object_get(op, "members"), members);
        policy_resilient.update(g, members, len, SECONDS(at));
    }
}

static void check_owners(size_t line, void *g, const json_t *owners)
{
    for (size_t i = 0; i < json_array_size(owners); i++) {
        const long long owner = json_integer_value(json_array_get(owners, i));

        if (resilient_owner(g, (uint32_t)i) != owner)
            fail_msg("line %zu: bucket %zu is of %u, in the kernel of %lld", line, i,
                     resilient_owner(g, (uint32_t)i), owner);
    }
}

static struct packet packet_of_json(const json_t *v)
{
    struct packet p = {
        .protocol = (uint8_t)json_integer_value(json_object_get(v, "proto")),
        .sport = (uint16_t)json_integer_value(json_object_get(v, "sport")),
        .dport = (uint16_t)json_integer_value(json_object_get(v, "dport"))};

    p.next_header = p.protocol;
    if (!addr_parse(json_string_value(json_object_get(v, "src")), &p.src) ||
        !addr_parse(json_string_value(json_object_get(v, "dst")), &p.dst))
        fail_msg("no addresses");
    return p;
}

/* The flow of the line: its hash, its bucket, and who got it. */
static void check_flow(size_t line, void *g, const json_t *v)
{
    const struct packet p = packet_of_json(v);
    struct hash_config c = {.layout = HASH_LINUX};
    struct policy_member members[MEMBERS_MAX];
    struct policy_query q = {.packet = &p, .now_ns = SECONDS(9)};
    unsigned place;

    c.v4.policy = c.v6.policy = (uint8_t)json_integer_value(json_object_get(v, "policy"));
    hash_set_seed(&c, (uint32_t)json_integer_value(json_object_get(v, "seed")));
    q.hash = hash_packet(&c, &p);
    if (q.hash != json_integer_value(json_object_get(v, "hash")))
        fail_msg("line %zu: hash %u", line, q.hash);
    members_of_json(json_object_get(v, "members"), members);
    place = policy_resilient.pick(g, &q);
    if (members[place].hop != json_integer_value(json_object_get(v, "expect_id")))
        fail_msg("line %zu: the flow goes to %u", line, members[place].hop);
}

/* These lines are of groups just made. */
static void check_lookup(size_t line, const json_t *v)
{
    const json_t *owners = json_object_get(v, "owner");
    struct policy_member members[MEMBERS_MAX];
    void *g = group((uint32_t)json_array_size(owners), 1e6, 0);
    const unsigned len = members_of_json(json_object_get(v, "members"), members);

    policy_resilient.update(g, members, len, 0);
    check_owners(line, g, owners);
    check_flow(line, g, v);
    policy_resilient.destroy(g);
}

static void the_kernels_bucket_tables_and_choices_are_the_models(void **state)
{
    FILE *f = fopen("tests/vectors/linux-resilient.jsonl", "r");
    json_t *v;
    size_t tables = 0, flows = 0;

    (void)state;
    if (!f)
        fail_msg("no tests/vectors/linux-resilient.jsonl");
    while ((v = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
        const json_t *ops = json_object_get(v, "ops");

        if (ops) {
            void *g = group((uint32_t)json_integer_value(json_object_get(v, "buckets")),
                            1e6, 0);

            play_ops(g, ops);
            check_owners(++tables + flows, g, json_object_get(v, "expect_owner"));
            policy_resilient.destroy(g);
        } else {
            flows++;
            check_lookup(tables + flows, v);
        }
        json_decref(v);
    }
    fclose(f);
    assert_int_equal(tables, 302);
    assert_int_equal(flows, 200);
}

/* --------------------------------------------------------------------------------- wants */

/* Source: nexthop-group-resilient.rst (8 buckets, 3:1); the others by hand. */
static void wants_are_rounded_differences(void **state)
{
    static const struct {
        uint32_t buckets;
        const char *members;
        uint32_t wants[5];
    } rows[] = {
        {8, "1*3 2*1", {6, 2}},
        {8, "1 2 3", {3, 2, 3}},
        {128, "1 2 3", {43, 42, 43}},
        {64, "1 2 3 4 5", {13, 13, 12, 13, 13}},
        {64, "1*10 2*5 3*1", {40, 20, 4}},
        {1024, "1*100 2*20", {853, 171}},
        {4, "1 2 3 4 5", {1, 1, 0, 1, 1}},
        {1, "1 2", {1, 0}},
        {65535, "1*256 2*256", {32768, 32767}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        void *g = group(rows[i].buckets, 120, 0);
        uint32_t has[6] = {0};

        update(g, rows[i].members, 0);
        for (uint32_t b = 0; b < rows[i].buckets; b++)
            has[resilient_owner(g, b)]++;
        for (unsigned k = 0; k < 5; k++)
            if (has[k + 1] != rows[i].wants[k])
                fail_msg("%u buckets, %s: member %u has %u", rows[i].buckets,
                         rows[i].members, k + 1, has[k + 1]);
        policy_resilient.destroy(g);
    }
}

static void the_last_member_is_served_first(void **state)
{
    void *g = group(8, 120, 0);

    (void)state;
    update(g, "1 2 3", 0);
    expect_owners(g, "three equal members", "3 3 3 2 2 1 1 1");
    policy_resilient.destroy(g);
}

/* -------------------------------------------------------------------------------- timers */

/* Eight buckets of one member, all used at 10 s, when another comes at 20 s: it wants four. */
static void a_bucket_moves_when_it_is_idle_or_forced(void **state)
{
    static const struct {
        const char *when;
        double idle, unbalanced; /* timers */
        unsigned used_again;     /* the first so many buckets, at 21 s */
        double before;           /* nothing has moved yet */
        double at;               /* now it has */
        const char *owners;
    } rows[] = {
        {"idle already", 10, 0, 0, 19, 20, "2 2 2 2 1 1 1 1"},
        {"idle two seconds later", 12, 0, 0, 21.999, 22, "2 2 2 2 1 1 1 1"},
        {"two in use again", 12, 0, 2, 21.999, 22, "1 1 2 2 2 2 1 1"},
        {"six in use again", 12, 0, 6, 21.999, 22, "1 1 1 1 1 1 2 2"},
        {"the rest of the six", 12, 0, 6, 22, 33, "2 2 1 1 1 1 2 2"},
        {"not within half a second", 10.2, 0, 0, 20.499, 20.5, "2 2 2 2 1 1 1 1"},
        {"forced before it is idle", 100, 7, 8, 26.999, 27, "2 2 2 2 1 1 1 1"},
        {"idle before it is forced", 12, 7, 4, 21.999, 22, "1 1 1 1 2 2 2 2"},
        {"never forced", 100, 0, 8, 120.999, 121, "2 2 2 2 1 1 1 1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        void *g = group(8, rows[i].idle, rows[i].unbalanced);

        update(g, "1", 0);
        for (unsigned b = 0; b < 8; b++)
            use_v6(g, b, 10);
        if (rows[i].before > 20)
            update(g, "1 2", 20);
        for (unsigned b = 0; b < rows[i].used_again; b++)
            use_v6(g, b, 21);
        resilient_run(g, SECONDS(rows[i].before));
        if (strcmp(rows[i].when, "the rest of the six") != 0)
            expect_owners(g, rows[i].when, "1 1 1 1 1 1 1 1");
        if (rows[i].before <= 20)
            update(g, "1 2", 20);
        resilient_run(g, SECONDS(rows[i].at));
        expect_owners(g, rows[i].when, rows[i].owners);
        policy_resilient.destroy(g);
    }
}

static void a_use_in_the_moment_of_the_move_does_not_count(void **state)
{
    void *g = group(4, 1000, 0);

    (void)state;
    update(g, "1 2", 1);
    for (unsigned b = 0; b < 4; b++)
        use(g, b, 1);
    update(g, "2 1 3", 2);
    expect_owners(g, "not used since", "3 2 1 1");
    policy_resilient.destroy(g);
}

/* Measured on Linux 6.18: a group of one is used by IPv6 alone. */
static void a_group_of_one_is_marked_by_ipv6_alone(void **state)
{
    void *v4 = group(4, 1000, 0), *v6 = group(4, 1000, 0);

    (void)state;
    update(v4, "1", 0);
    update(v6, "1", 0);
    for (unsigned b = 0; b < 4; b++) {
        assert_int_equal(use(v4, b, 1), 0);
        assert_int_equal(use_v6(v6, b, 1), 0);
    }
    update(v4, "1 2", 2);
    update(v6, "1 2", 2);
    expect_owners(v4, "IPv4", "2 2 1 1");
    expect_owners(v6, "IPv6", "1 1 1 1");
    policy_resilient.destroy(v4);
    policy_resilient.destroy(v6);
}

/* Nobody watches the clock: it makes no difference how often somebody looks. */
static void an_upkeep_runs_as_of_the_time_it_was_due(void **state)
{
    struct random_stream s = random_stream_make(1, 2);

    (void)state;
    for (unsigned trial = 0; trial < 50; trial++) {
        void *seen = group(16, 5, trial % 2 ? 11 : 0),
             *unseen = group(16, 5, trial % 2 ? 11 : 0);

        update(seen, "1*3 2 4", 0);
        update(unseen, "1*3 2 4", 0);
        for (unsigned i = 1; i < 60; i++) {
            const uint32_t bucket = (uint32_t)random_below(&s, 16);
            const char *members = i % 20 ? NULL : i % 40 ? "1 2 3" : "3 1*3 4";

            for (unsigned k = 0; k < 10; k++)
                resilient_run(seen, SECONDS(i - 1 + k / 10.0));
            if (members) {
                update(seen, members, i);
                update(unseen, members, i);
            }
            use(seen, bucket, i);
            use(unseen, bucket, i);
        }
        for (uint32_t b = 0; b < 16; b++)
            if (resilient_owner(seen, b) != resilient_owner(unseen, b))
                fail_msg("trial %u: bucket %u is of %u and of %u", trial, b,
                         resilient_owner(seen, b), resilient_owner(unseen, b));
        policy_resilient.destroy(seen);
        policy_resilient.destroy(unseen);
    }
}

/* ---------------------------------------------------------------------- members come and go */

static unsigned owners_take(void *g, uint32_t buckets, uint16_t *owners)
{
    unsigned changed = 0;

    for (uint32_t b = 0; b < buckets; b++) {
        const uint16_t now = resilient_owner(g, b);

        changed += owners[b] != now;
        owners[b] = now;
    }
    return changed;
}

/* Source: 43 of 128 buckets are the first member's. */
static void a_loss_moves_only_the_lost_and_a_return_nothing_in_use(void **state)
{
    static const struct {
        const char *when, *members, *rest;
        unsigned lost;
    } rows[] = {
        {"the first of three", "1 2 3", "2 3", 43},
        {"the middle one", "1 2 3", "1 3", 42},
        {"the last", "1 2 3", "1 2", 43},
        {"of 100 and 28, the one of 28", "1*100 2*28", "1*100", 28},
    };
    uint16_t owners[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        void *g = group(128, 60, 0);
        unsigned moved;

        update(g, rows[i].members, 0);
        owners_take(g, 128, owners);
        for (uint32_t b = 0; b < 128; b++)
            use_v6(g, b, 1);
        update(g, rows[i].rest, 2);
        moved = owners_take(g, 128, owners);
        if (moved != rows[i].lost)
            fail_msg("%s: at the loss %u moved", rows[i].when, moved);
        for (uint32_t b = 0; b < 128; b++)
            use_v6(g, b, 3);
        update(g, rows[i].members, 4);
        moved = owners_take(g, 128, owners);
        if (moved != 0)
            fail_msg("%s: at the return %u of those in use moved", rows[i].when, moved);
        resilient_run(g, SECONDS(62.9));
        assert_int_equal(owners_take(g, 128, owners), 0);
        resilient_run(g, SECONDS(63));
        moved = owners_take(g, 128, owners);
        if (moved != rows[i].lost)
            fail_msg("%s: %u moved when all were idle", rows[i].when, moved);
        policy_resilient.destroy(g);
    }
}

/*
 * As Linux deletes the objects of a link that went down, one by one, the last made first. By hand:
 * 4 4 3 3 2 2 1 1, without 4 then 3 1 3 3 2 2 1 1, and without 3.
 */
static void members_that_go_at_once_go_one_by_one(void **state)
{
    void *g = group(8, 120, 0);

    (void)state;
    update(g, "1 2 3 4", 0);
    expect_owners(g, "all", "4 4 3 3 2 2 1 1");
    update(g, "1 2", 1);
    expect_owners(g, "without 3 and 4", "2 1 2 1 2 2 1 1");
    policy_resilient.destroy(g);
}

/* ------------------------------------------------------------------------- how many are idle */

enum duration_law { FIXED, EXPONENTIAL, TWO_POINTS };

static double uniform(struct random_stream *s)
{
    return ((double)(random_next(s) >> 11) + 0.5) / 9007199254740992.0;
}

/* Of mean 10 s. */
static double duration(enum duration_law law, struct random_stream *s)
{
    switch (law) {
    case FIXED: return 10;
    case EXPONENTIAL: return -10 * log(uniform(s));
    case TWO_POINTS: break;
    }
    return uniform(s) < 0.9 ? 1 : 91;
}

/* When the bucket last carried a packet, of flows that come 100 s apart on average and send
 * all the time; -1: never. */
static double last_use(enum duration_law law, double now, struct random_stream *s)
{
    double last = -1;

    for (double at = -100 * log(uniform(s)); at < now; at += -100 * log(uniform(s)))
        last = fmax(last, fmin(at + duration(law, s), now));
    return last;
}

/* exp(-rate (mean duration + idle timer)), as of an M/G/infinity queue: whatever the law. */
static void buckets_are_idle_as_often_as_the_formula_says(void **state)
{
    static const struct {
        const char *law_name;
        enum duration_law law;
        double idle_timer, idle_share;
    } rows[] = {
        {"fixed", FIXED, 60, 0.49659},
        {"fixed", FIXED, 5, 0.86071},
        {"exponential", EXPONENTIAL, 60, 0.49659},
        {"exponential", EXPONENTIAL, 5, 0.86071},
        {"two points", TWO_POINTS, 60, 0.49659},
        {"two points", TWO_POINTS, 5, 0.86071},
    };
    const uint32_t buckets = 40000;
    const double now = 2000;
    struct random_stream s = random_stream_make(11, 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        void *g = group(buckets, rows[i].idle_timer, 0);
        const double p = rows[i].idle_share, sigma = sqrt(p * (1 - p) / buckets);
        unsigned idle = 0;

        update(g, "1", 0);
        for (uint32_t b = 0; b < buckets; b++)
            use_v6(g, b, fmax(0, last_use(rows[i].law, now, &s)));
        update(g, "1 2*256", now);
        for (uint32_t b = 0; b < buckets; b++)
            idle += resilient_owner(g, b) == 2;
        if (fabs((double)idle / buckets - p) > 4 * sigma)
            fail_msg("%s, %g s: %.5f idle, expected %.5f", rows[i].law_name,
                     rows[i].idle_timer, (double)idle / buckets, p);
        policy_resilient.destroy(g);
    }
}

/* ------------------------------------------------------------------------------ in a router */

#define THREE_WANS                                                                       \
    "hash l4 7\n"                                                                        \
    "iface lan 192.0.2.1/24\n"                                                           \
    "iface a 198.51.100.2/30\n"                                                          \
    "iface b 198.51.100.6/30\n"                                                          \
    "iface c 198.51.100.10/30\n"                                                         \
    "route 0.0.0.0/0 via 198.51.100.1 198.51.100.5 198.51.100.9\n"

enum { FLOWS = 600 };

/* The interface of each flow: its first letter. How many left by another than before. */
static unsigned flows_send(struct lab *l, double at_s, char *by, unsigned *was_by_a)
{
    char text[80];
    unsigned moved = 0;

    *was_by_a = 0;
    for (unsigned i = 0; i < FLOWS; i++) {
        char now;

        snprintf(text, sizeof text, "udp 192.0.2.9:%u > 203.0.113.1:53", 1000 + i);
        now = *lab_send(l, "lan", text, at_s);
        moved += by[i] && by[i] != now;
        *was_by_a += by[i] == 'a';
        by[i] = now;
    }
    return moved;
}

/* hash-threshold moves others' flows too when its first member goes: a quarter. */
static void the_loss_of_an_outer_member_moves_its_flows_alone(void **state)
{
    struct lab *l = lab_create("policy resilient\n" THREE_WANS);
    char by[FLOWS] = {0};
    unsigned by_a, moved;

    (void)state;
    flows_send(l, 1, by, &by_a);
    lab_set_carrier(l, "a", false);
    moved = flows_send(l, 2, by, &by_a);
    assert_true(by_a > FLOWS / 4);
    assert_int_equal(moved, by_a);
    lab_set_carrier(l, "a", true);
    assert_int_equal(flows_send(l, 3, by, &by_a), 0);
    lab_destroy(l);
}

/* Measured on Linux 6.18. */
static void an_object_goes_with_its_link_and_not_with_its_address(void **state)
{
    static const char *const flow = "udp 192.0.2.9:1000 > 203.0.113.1:53";
    struct lab *l = lab_create("policy resilient\n"
                               "iface lan 192.0.2.1/24\n"
                               "iface a 198.51.100.2/30\n"
                               "route 0.0.0.0/0 via 198.51.100.1\n");
    const struct prefix nothing = {.length = 0};
    const struct addr own = l->config.ifaces[1].addresses[0].addr;

    (void)state;
    assert_string_equal(lab_route(l, "lan", flow), "main a 198.51.100.1");
    router_change_address(l->router, lab_iface(l, "a"), &own, &nothing);
    assert_string_equal(lab_route(l, "lan", flow), "main a 198.51.100.1");
    lab_set_carrier(l, "a", false);
    assert_string_equal(lab_route(l, "lan", flow), "no route");
    lab_set_carrier(l, "a", true);
    assert_string_equal(lab_route(l, "lan", flow), "main a 198.51.100.1");
    lab_set_admin(l, "a", false);
    assert_string_equal(lab_route(l, "lan", flow), "no route");
    lab_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernels_bucket_tables_and_choices_are_the_models),
        cmocka_unit_test(wants_are_rounded_differences),
        cmocka_unit_test(the_last_member_is_served_first),
        cmocka_unit_test(a_bucket_moves_when_it_is_idle_or_forced),
        cmocka_unit_test(a_use_in_the_moment_of_the_move_does_not_count),
        cmocka_unit_test(a_group_of_one_is_marked_by_ipv6_alone),
        cmocka_unit_test(an_upkeep_runs_as_of_the_time_it_was_due),
        cmocka_unit_test(a_loss_moves_only_the_lost_and_a_return_nothing_in_use),
        cmocka_unit_test(members_that_go_at_once_go_one_by_one),
        cmocka_unit_test(buckets_are_idle_as_often_as_the_formula_says),
        cmocka_unit_test(the_loss_of_an_outer_member_moves_its_flows_alone),
        cmocka_unit_test(an_object_goes_with_its_link_and_not_with_its_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
