#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "tests/routers.h"

static struct tuple tuple_of(const char *text)
{
    const struct packet p = packet(text);
    struct tuple t;

    tuple_of_packet(&p, &t);
    return t;
}

static struct conn *create(struct conn_table *t, const char *text, double expires_s)
{
    const struct tuple tuple = tuple_of(text);
    struct conn *c = conn_create(t, &tuple, conn_hash(t, &tuple));

    c->expires_ns = SECONDS(expires_s);
    return c;
}

static struct conn *find(const struct conn_table *t, const char *text,
                         unsigned *direction)
{
    const struct tuple tuple = tuple_of(text);

    return conn_find(t, &tuple, conn_hash(t, &tuple), direction);
}

static void set_public(struct conn *c, const char *public, uint16_t port)
{
    const struct addr a = address(public);

    memcpy(c->nat_src, a.bytes, sizeof c->nat_src);
    c->nat_sport = port;
    c->flags |= CONN_NATED;
}

static void both_directions_find_the_connection(void **state)
{
    static const struct {
        const char *sent, *public;
        uint16_t port;
        const char *answer;
    } rows[] = {
        {"tcp 10.0.0.1:1000 > 192.0.2.1:80", "100.64.1.2", 1000,
         "tcp 192.0.2.1:80 > 100.64.1.2:1000"},
        {"udp 10.0.0.1:1000 > 192.0.2.1:80", "100.64.1.2", 2000,
         "udp 192.0.2.1:80 > 100.64.1.2:2000"},
        {"icmp 10.0.0.1 > 192.0.2.1 id 7", "100.64.1.2", 8,
         "icmp 192.0.2.1 > 100.64.1.2 type 0 id 8"},
        {"gre 10.0.0.1 > 192.0.2.1", "100.64.1.2", 0, "gre 192.0.2.1 > 100.64.1.2"},
        {"udp [fd00::1]:1000 > [2001:db8::1]:53", "2001:db8:9::1", 1000,
         "udp [2001:db8::1]:53 > [2001:db8:9::1]:1000"},
        {"icmpv6 fd00::1 > 2001:db8::1 id 9", "2001:db8:9::1", 9,
         "icmpv6 2001:db8::1 > 2001:db8:9::1 type 129 id 9"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conn_table *t = conn_table_create(1);
        struct conn *c = create(t, rows[i].sent, 100);
        unsigned direction = 9;

        set_public(c, rows[i].public, rows[i].port);
        assert_true(conn_index_reply(t, c, 0));
        if (find(t, rows[i].sent, &direction) != c || direction != 0)
            fail_msg("%s", rows[i].sent);
        if (find(t, rows[i].answer, &direction) != c || direction != 1)
            fail_msg("%s", rows[i].answer);
        conn_remove(t, c);
        if (find(t, rows[i].sent, &direction) || find(t, rows[i].answer, &direction))
            fail_msg("%s is still there", rows[i].sent);
        assert_int_equal(conn_count(t), 0);
        conn_table_destroy(t);
    }
}

static void two_connections_cannot_share_an_answer(void **state)
{
    struct conn_table *t = conn_table_create(1);
    struct conn *a = create(t, "udp 10.0.0.1:1000 > 192.0.2.1:80", 100);
    struct conn *b = create(t, "udp 10.0.0.2:1000 > 192.0.2.1:80", 100);
    const struct tuple answer = tuple_of("udp 192.0.2.1:80 > 100.64.1.2:1000");
    unsigned direction;

    (void)state;
    set_public(a, "100.64.1.2", 1000);
    set_public(b, "100.64.1.2", 1000);
    assert_true(conn_index_reply(t, a, 0));
    assert_true(conn_tuple_taken(t, &answer, 0));
    assert_false(conn_index_reply(t, b, 0));
    assert_false(conn_tuple_taken(t, &answer, SECONDS(100))); /* past its time */
    assert_true(conn_index_reply(t, b, SECONDS(100)));
    assert_ptr_equal(find(t, "udp 192.0.2.1:80 > 100.64.1.2:1000", &direction), b);
    assert_true(a->flags & CONN_KILLED);
    conn_table_destroy(t);
}

static void a_killed_entry_is_known_by_its_first_tuple_alone(void **state)
{
    struct conn_table *t = conn_table_create(1);
    struct conn *c = create(t, "udp 10.0.0.1:1000 > 192.0.2.1:80", 100);
    const struct tuple answer = tuple_of("udp 192.0.2.1:80 > 100.64.1.2:1000");
    unsigned direction;

    (void)state;
    c->cookie = 77;
    set_public(c, "100.64.1.2", 1000);
    assert_true(conn_index_reply(t, c, 0));
    conn_kill(t, c);
    assert_false(conn_tuple_taken(t, &answer, 0));
    assert_null(find(t, "udp 192.0.2.1:80 > 100.64.1.2:1000", &direction));
    assert_ptr_equal(find(t, "udp 10.0.0.1:1000 > 192.0.2.1:80", &direction), c);
    assert_int_equal(c->cookie, 77);
    conn_kill(t, c); /* twice is once */
    conn_remove(t, c);
    assert_int_equal(conn_count(t), 0);
    conn_table_destroy(t);
}

/* Linux, and RouterOS: a stream is one that is answered and lives for more than 2 s. */
static void what_is_not_tcp_has_its_timeouts(void **state)
{
    static const struct {
        const char *packet;
        bool answered;
        double age_s;
        int linux_s, routeros_s;
    } rows[] = {
        {"udp 10.0.0.1:1 > 10.0.0.2:2", false, 0, 30, 30},
        {"udp 10.0.0.1:1 > 10.0.0.2:2", false, 60, 30, 30},
        {"udp 10.0.0.1:1 > 10.0.0.2:2", true, 1, 30, 30},
        {"udp 10.0.0.1:1 > 10.0.0.2:2", true, 2, 30, 30},
        {"udp 10.0.0.1:1 > 10.0.0.2:2", true, 2.001, 120, 180},
        {"udplite 10.0.0.1:1 > 10.0.0.2:2", true, 3, 120, 180},
        {"icmp 10.0.0.1 > 10.0.0.2", true, 3, 30, 10},
        {"icmpv6 fd00::1 > fd00::2", false, 0, 30, 10},
        {"gre 10.0.0.1 > 10.0.0.2", true, 9, 600, 600},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned k = 0; k < 2; k++) {
            const int seconds = k ? rows[i].routeros_s : rows[i].linux_s;
            struct conn c = {.orig = tuple_of(rows[i].packet), .stream_ns = SECONDS(2)};
            struct router_config config;

            c.flags = rows[i].answered ? CONN_ANSWERED : 0;
            config_set_defaults(&config, k ? PLATFORM_ROUTEROS7 : PLATFORM_LINUX);
            if (conn_timeout(&c, &config.timeouts, SECONDS(rows[i].age_s)) !=
                SECONDS(seconds))
                fail_msg("%s after %g s, answered %d", rows[i].packet, rows[i].age_s,
                         rows[i].answered);
        }
}

/* --------------------------------------------------- random operations on a naive list too */

enum { LIVE_MAX = 6000, OPERATIONS = 60000, NAMES = 9000 };

struct plain_conn {
    struct tuple orig, reply;
    struct conn *conn;
    bool replied, killed;
};

static struct tuple random_tuple(struct random_stream *s)
{
    struct tuple t = {.family = FAMILY_V4, .protocol = PROTO_UDP};
    const uint64_t x = random_below(s, NAMES);

    t.src[0] = 10;
    t.src[3] = (uint8_t)x;
    t.sport = (uint16_t)(x >> 8);
    t.dst[0] = 192;
    t.dport = 443;
    return t;
}

static int plain_find(const struct plain_conn *all, size_t len, const struct tuple *t,
                      unsigned *direction)
{
    for (size_t i = 0; i < len; i++) {
        if (memcmp(&all[i].orig, t, sizeof *t) == 0) {
            *direction = 0;
            return (int)i;
        }
        if (all[i].replied && memcmp(&all[i].reply, t, sizeof *t) == 0) {
            *direction = 1;
            return (int)i;
        }
    }
    return -1;
}

static void plain_create(struct conn_table *t, struct plain_conn *all, size_t *len,
                         const struct tuple *orig, struct random_stream *s)
{
    struct plain_conn *p = &all[*len];
    unsigned direction;

    p->orig = *orig;
    p->conn = conn_create(t, orig, conn_hash(t, orig));
    p->conn->expires_ns = INT64_MAX;
    p->killed = false;
    set_public(p->conn, "100.64.1.2", (uint16_t)(1024 + random_below(s, 60000)));
    conn_reply_tuple(p->conn, &p->reply);
    p->replied = plain_find(all, *len, &p->reply, &direction) < 0;
    if (conn_index_reply(t, p->conn, 0) != p->replied)
        fail_msg("the answer of entry %zu: free is %d", *len, p->replied);
    (*len)++;
}

static void the_table_agrees_with_a_naive_list(void **state)
{
    static struct plain_conn all[LIVE_MAX];
    struct conn_table *t = conn_table_create(5);
    struct random_stream s = random_stream_make(3, 3);
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        const struct tuple tuple = random_tuple(&s);
        unsigned direction = 9, got = 9;
        const int at = plain_find(all, len, &tuple, &direction);
        const struct conn *c = conn_find(t, &tuple, conn_hash(t, &tuple), &got);

        if (c != (at < 0 ? NULL : all[at].conn) || (c && got != direction))
            fail_msg("operation %u: found %p, direction %u", i, (const void *)c, got);
        if (at < 0 && len < LIVE_MAX && random_below(&s, 8)) {
            plain_create(t, all, &len, &tuple, &s);
        } else if (at >= 0 && !all[at].killed && random_below(&s, 2)) {
            conn_kill(t, all[at].conn);
            all[at].killed = true;
            all[at].replied = false;
        } else if (at >= 0) {
            conn_remove(t, all[at].conn);
            all[at] = all[--len];
        }
        if (conn_count(t) != len)
            fail_msg("operation %u: %u entries, not %zu", i, conn_count(t), len);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned direction = 9;

        if (all[i].replied && (conn_find(t, &all[i].reply, conn_hash(t, &all[i].reply),
                                         &direction) != all[i].conn ||
                               direction != 1))
            fail_msg("the answer of entry %zu is lost", i);
    }
    conn_table_destroy(t);
}

/* How many of the sorted numbers are equal, at most. */
static unsigned longest_run(const uint32_t *sorted, size_t len)
{
    unsigned longest = 1, run = 1;

    for (size_t i = 1; i < len; i++) {
        run = sorted[i] == sorted[i - 1] ? run + 1 : 1;
        if (run > longest)
            longest = run;
    }
    return longest;
}

static int compare_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/*
 * The half of the hash that is an entry's place, for sources that a scan would show. Of 60,000
 * random numbers of 32 bits, 0.42 pairs are equal; five, or so many in 16 bits that one
 * place holds 24 where it should hold 0.9, are none in a million draws.
 */
static void no_destination_puts_all_sources_into_one_place(void **state)
{
    enum { SOURCES = 60000, SEED = 7 };
    static const struct {
        const char *what;
        uint64_t words[2]; /* of the destination, as they lie in memory */
    } rows[] = {
        {"nothing", {0, 0}},
        {"all ones", {UINT64_MAX, UINT64_MAX}},
        {"the seed", {SEED, SEED}},
        {"the seed under a well-known constant",
         {SEED ^ UINT64_C(0xa0761d6478bd642f), SEED ^ UINT64_C(0xa0761d6478bd642f)}},
        {"its product with another",
         {SEED * UINT64_C(0xe7037ed1a0b428db) ^ UINT64_C(0x8ebc6af09c88c6e3),
          SEED * UINT64_C(0xe7037ed1a0b428db) ^ UINT64_C(0x8ebc6af09c88c6e3)}},
        {"first one, then the other",
         {SEED * UINT64_C(0xe7037ed1a0b428db) ^ UINT64_C(0x8ebc6af09c88c6e3),
          SEED ^ UINT64_C(0xa0761d6478bd642f)}},
    };
    static uint32_t halves[SOURCES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        const bool low = i % 2; /* which half of the source counts up */
        struct conn_table *t = conn_table_create(SEED);
        struct tuple tuple = {
            .sport = 1000, .dport = 53, .protocol = PROTO_UDP, .family = FAMILY_V6};
        unsigned whole, part;

        memcpy(tuple.dst, rows[i / 2].words, sizeof tuple.dst);
        for (uint32_t k = 0; k < SOURCES; k++) {
            memcpy(tuple.src + (low ? 8 : 0), &k, sizeof k);
            halves[k] = (uint32_t)(conn_hash(t, &tuple) >> 32);
        }
        qsort(halves, SOURCES, sizeof *halves, compare_u32);
        whole = longest_run(halves, SOURCES);
        for (size_t k = 0; k < SOURCES; k++)
            halves[k] &= 0xffff;
        qsort(halves, SOURCES, sizeof *halves, compare_u32);
        part = longest_run(halves, SOURCES);
        if (whole > 4 || part > 24)
            fail_msg("%s, word %d of the source: %u hashes are equal, %u in 16 bits",
                     rows[i / 2].what, low, whole, part);
        conn_table_destroy(t);
    }
}

static void another_secret_is_another_hash(void **state)
{
    const struct tuple tuple = tuple_of("udp [fd00::1]:1000 > [2001:db8::1]:53");
    uint64_t before = 0;

    (void)state;
    for (uint64_t secret = 0; secret < 100; secret++) {
        struct conn_table *t = conn_table_create(secret);

        assert_true(conn_hash(t, &tuple) != before);
        before = conn_hash(t, &tuple);
        conn_table_destroy(t);
    }
}

static void memory_follows_what_lives(void **state)
{
    struct conn_table *t = conn_table_create(1);
    struct random_stream s = random_stream_make(4, 4);
    size_t bytes = 0;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 3000; i++) {
            struct tuple tuple = random_tuple(&s);

            tuple.dport = (uint16_t)i;
            conn_create(t, &tuple, conn_hash(t, &tuple));
        }
        for (uint32_t i = 0; i < conn_slots(t); i++)
            if (conn_is_used(t, i))
                conn_remove(t, conn_at(t, i));
        if (round == 0)
            bytes = conn_memory_bytes(t);
    }
    assert_true(conn_memory_bytes(t) == bytes);
    assert_int_equal(conn_slots(t), 3000);
    conn_table_destroy(t);
}

/* Each direction keeps its own, whatever the other one's is. */
static void pins_are_kept_a_direction_each(void **state)
{
    static const uint16_t pins[] = {0, 1, 0xff, 0x100, 0xabc, CONN_PIN_MAX};
    struct conn c = {.flags = CONN_NATED};

    (void)state;
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        for (size_t k = 0; k < sizeof pins / sizeof pins[0]; k++) {
            conn_set_pin(&c, 0, pins[i]);
            conn_set_pin(&c, 1, pins[k]);
            assert_int_equal(conn_pin(&c, 0), pins[i]);
            assert_int_equal(conn_pin(&c, 1), pins[k]);
        }
    assert_int_equal(c.flags, CONN_NATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_are_kept_a_direction_each),
        cmocka_unit_test(both_directions_find_the_connection),
        cmocka_unit_test(two_connections_cannot_share_an_answer),
        cmocka_unit_test(a_killed_entry_is_known_by_its_first_tuple_alone),
        cmocka_unit_test(what_is_not_tcp_has_its_timeouts),
        cmocka_unit_test(the_table_agrees_with_a_naive_list),
        cmocka_unit_test(no_destination_puts_all_sources_into_one_place),
        cmocka_unit_test(another_secret_is_another_hash),
        cmocka_unit_test(memory_follows_what_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
