#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/reassembly.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const int64_t SECOND_NS = INT64_C(1000000000);

enum { V4_HEADER = 20, V6_HEADERS = 48, PIECES_MAX = 8 };

static struct addr addr_of(const char *text)
{
    struct addr a = {.family = FAMILY_NONE};

    if (!addr_parse(text, &a))
        fail_msg("no address: %s", text);
    return a;
}

/* UDP payload bytes from..to-1 of datagram `id`; the first 8 are the UDP header. */
static struct packet fragment_v4(uint32_t id, uint32_t from, uint32_t to, bool more)
{
    return (struct packet){
        .src = addr_of("192.0.2.1"),
        .dst = addr_of("198.51.100.2"),
        .protocol = PROTO_UDP,
        .next_header = PROTO_UDP,
        .sport = from == 0 ? 1000 : 0,
        .dport = from == 0 ? 2000 : 0,
        .transport_bytes = from == 0 ? 8 : 0,
        .ttl = from == 0 ? 60 : 59,
        .flags = (uint8_t)(PACKET_FRAGMENT | (from != 0 ? PACKET_LATER_FRAGMENT : 0) |
                           (more ? PACKET_MORE_FRAGMENTS : 0)),
        .fragment_offset = (uint16_t)(from / 8),
        .fragment_id = id,
        .size_bytes = V4_HEADER + to - from,
        .payload_bytes = to - from,
    };
}

static struct packet fragment_v6(uint32_t id, uint32_t from, uint32_t to, bool more)
{
    struct packet p = fragment_v4(id, from, to, more);

    p.src = addr_of("2001:db8::1");
    p.dst = addr_of("2001:db8::2");
    p.next_header = PROTO_FRAGMENT;
    p.size_bytes = V6_HEADERS + to - from;
    return p;
}

/* What one call did, to be compared at once. */
struct outcome {
    enum reassembly_result result;
    struct reassembly_held held;
    struct packet whole;
};

static struct outcome add(struct reassembly *r, struct packet p, int64_t now_ns)
{
    struct outcome o = {.held = {99, 99}};

    o.result = reassembly_add(r, &p, now_ns, &o.whole, &o.held);
    return o;
}

static void outcome_expect(const char *what, const struct outcome *o,
                           enum reassembly_result result, uint32_t packets,
                           uint64_t bytes)
{
    if (o->result != result)
        fail_msg("%s: result %d, expected %d", what, o->result, result);
    if (o->held.packets != packets || o->held.bytes != bytes)
        fail_msg("%s: %u packets of %lu bytes, expected %u of %lu", what, o->held.packets,
                 (unsigned long)o->held.bytes, packets, (unsigned long)bytes);
}

static void expire_expect(struct reassembly *r, int64_t now_ns, uint32_t packets,
                          uint64_t bytes)
{
    struct reassembly_held held = {99, 99};

    reassembly_expire(r, now_ns, &held);
    assert_int_equal(held.packets, packets);
    assert_int_equal(held.bytes, bytes);
}

/* Sequences over one datagram */

#define HELD     REASSEMBLY_HELD
#define WHOLE    REASSEMBLY_COMPLETE
#define DROPPED  REASSEMBLY_DROPPED
#define REJECTED REASSEMBLY_REJECTED

struct sequence {
    const char *what;
    struct piece {
        uint32_t from, to;
        bool more;
        enum reassembly_result result;
    } pieces[PIECES_MAX]; /* up to the first that is empty at 0 */
    uint32_t left;        /* packets still held at the end */
};

static void sequence_run(const struct sequence *s,
                         struct packet (*fragment)(uint32_t, uint32_t, uint32_t, bool))
{
    struct reassembly *r = reassembly_create();
    uint32_t inside = 0, packets_held = 0, length = 0;
    uint64_t bytes_held = 0;
    struct reassembly_held held;

    for (size_t i = 0; i < PIECES_MAX && (s->pieces[i].to != 0 || s->pieces[i].from != 0);
         i++) {
        const struct piece *piece = &s->pieces[i];
        const bool ends = piece->result == WHOLE || piece->result == REJECTED;
        const struct packet p = fragment(7, piece->from, piece->to, piece->more);
        const struct outcome o = add(r, p, 0);

        inside++;
        length = !piece->more && piece->result != DROPPED ? piece->to : length;
        outcome_expect(s->what, &o, piece->result, ends ? packets_held : 0,
                       ends ? bytes_held : 0);
        packets_held = ends ? 0 : packets_held + (piece->result == HELD);
        bytes_held = ends ? 0 : bytes_held + (piece->result == HELD ? p.size_bytes : 0);
        if (piece->result != WHOLE)
            continue;
        assert_int_equal(o.whole.payload_bytes, length - 8);
        assert_int_equal(o.whole.sport, 1000);
        assert_int_equal(o.whole.flags, 0);
    }
    reassembly_expire(r, INT64_MAX, &held);
    if (inside == 0 || held.packets != s->left || held.bytes != bytes_held)
        fail_msg("%s: %u packets left, expected %u", s->what, held.packets, s->left);
    reassembly_destroy(r);
}

static void datagrams_are_whole_with_their_last_missing_piece(void **state)
{
    static const struct sequence rows[] = {
        {"in order",
         {{0, 1480, true, HELD}, {1480, 2960, true, HELD}, {2960, 3000, false, WHOLE}},
         0},
        {"reverse order",
         {{2960, 3000, false, HELD}, {1480, 2960, true, HELD}, {0, 1480, true, WHOLE}},
         0},
        {"the middle last",
         {{0, 1480, true, HELD}, {2960, 3000, false, HELD}, {1480, 2960, true, WHOLE}},
         0},
        {"the middle missing", {{0, 1480, true, HELD}, {2960, 3000, false, HELD}}, 2},
        {"the first missing", {{1480, 2960, true, HELD}, {2960, 3000, false, HELD}}, 2},
        {"the last missing", {{0, 1480, true, HELD}, {1480, 2960, true, HELD}}, 2},
        {"a duplicate",
         {{0, 1480, true, HELD}, {0, 1480, true, DROPPED}, {1480, 3000, false, WHOLE}},
         0},
        {"a duplicate of a part of it",
         {{0, 1480, true, HELD}, {8, 16, true, DROPPED}, {1480, 3000, false, WHOLE}},
         0},
        {"a duplicate across pieces that came in order",
         {{0, 800, true, HELD},
          {800, 1600, true, HELD},
          {400, 1200, true, DROPPED},
          {1600, 1700, false, WHOLE}},
         0},
        {"a duplicate of the last",
         {{1480, 3000, false, HELD},
          {1480, 3000, false, DROPPED},
          {0, 1480, true, WHOLE}},
         0},
        {"the same again when it was whole",
         {{0, 1480, true, HELD}, {1480, 3000, false, WHOLE}, {0, 1480, true, HELD}},
         1},
        {"eight pieces, mixed",
         {{32, 40, true, HELD},
          {8, 16, true, HELD},
          {56, 64, false, HELD},
          {0, 8, true, HELD},
          {48, 56, true, HELD},
          {16, 24, true, HELD},
          {40, 48, true, HELD},
          {24, 32, true, WHOLE}},
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        sequence_run(&rows[i], fragment_v4);
        sequence_run(&rows[i], fragment_v6);
    }
}

/* RFC 5722: all pieces of the datagram go, and later ones begin anew. */
static void an_overlap_discards_the_whole_datagram(void **state)
{
    static const struct sequence rows[] = {
        {"from behind", {{0, 1480, true, HELD}, {1472, 3000, false, REJECTED}}, 0},
        {"from before", {{1480, 2960, true, HELD}, {0, 1488, true, REJECTED}}, 0},
        {"over all of a piece", {{800, 1600, true, HELD}, {0, 2400, true, REJECTED}}, 0},
        {"across two pieces that came in reverse",
         {{800, 1600, true, HELD}, {0, 800, true, HELD}, {400, 1200, true, REJECTED}},
         0},
        {"across two pieces in order that came behind the last",
         {{2400, 2500, false, HELD},
          {0, 800, true, HELD},
          {800, 1600, true, HELD},
          {400, 1200, true, REJECTED}},
         0},
        {"what comes behind begins anew",
         {{0, 1480, true, HELD},
          {1472, 3000, false, REJECTED},
          {0, 1480, true, HELD},
          {1480, 3000, false, WHOLE}},
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        sequence_run(&rows[i], fragment_v4);
        sequence_run(&rows[i], fragment_v6);
    }
}

/* Sources: Linux ip_frag_queue() and nf_ct_frag6_queue(). */
static void contradicting_ends_cost_ipv4_the_datagram_and_ipv6_the_fragment(void **state)
{
    static const struct sequence v4[] = {
        {"two ends", {{1480, 3000, false, HELD}, {1480, 2000, false, REJECTED}}, 0},
        {"beyond the end", {{1480, 3000, false, HELD}, {2960, 3040, true, REJECTED}}, 0},
        {"a later end", {{1480, 3000, false, HELD}, {3000, 3100, false, REJECTED}}, 0},
        {"end before what came",
         {{1480, 2960, true, HELD}, {8, 1480, false, REJECTED}},
         0},
        {"empty", {{0, 1480, true, HELD}, {1480, 1480, true, REJECTED}}, 0},
    };
    static const struct sequence v6[] = {
        {"two ends",
         {{1480, 3000, false, HELD},
          {1480, 2000, false, DROPPED},
          {0, 1480, true, WHOLE}},
         0},
        {"beyond the end",
         {{1480, 3000, false, HELD}, {2960, 3040, true, DROPPED}, {0, 1480, true, WHOLE}},
         0},
        {"end before what came",
         {{1480, 2960, true, HELD}, {8, 1480, false, DROPPED}},
         1},
        {"empty",
         {{0, 1480, true, HELD}, {1480, 1480, true, DROPPED}, {1480, 3000, false, WHOLE}},
         0},
        {"a later end", {{1480, 3000, false, HELD}, {3000, 3100, false, DROPPED}}, 1},
        {"end beyond 65535", {{0, 1480, true, HELD}, {65528, 65544, false, DROPPED}}, 1},
        {"odd end inside", {{0, 1480, true, HELD}, {1480, 1485, true, REJECTED}}, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(v4); i++)
        sequence_run(&v4[i], fragment_v4);
    for (size_t i = 0; i < COUNT(v6); i++)
        sequence_run(&v6[i], fragment_v6);
}

static void ipv4_pieces_are_cut_to_units_of_eight(void **state)
{
    static const struct sequence rows[] = {
        {"the odd bytes do not count",
         {{0, 1485, true, HELD}, {1480, 3000, false, WHOLE}},
         0},
        {"less than a unit is empty",
         {{0, 1480, true, HELD}, {1480, 1487, true, REJECTED}},
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        sequence_run(&rows[i], fragment_v4);
}

static void datagrams_beyond_65535_bytes_are_rejected(void **state)
{
    static const struct sequence v4[] = {
        {"65535 with the header",
         {{0, 65512, true, HELD}, {65512, 65515, false, WHOLE}},
         0},
        {"65536 with the header",
         {{0, 65512, true, HELD}, {65512, 65516, false, REJECTED}},
         0},
    };
    static const struct sequence v6[] = {
        {"65535 behind the header",
         {{0, 65528, true, HELD}, {65528, 65535, false, WHOLE}},
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(v4); i++)
        sequence_run(&v4[i], fragment_v4);
    for (size_t i = 0; i < COUNT(v6); i++)
        sequence_run(&v6[i], fragment_v6);
}

/* The datagram */

static void
the_datagram_has_the_first_fragments_fields_and_the_sum_of_payloads(void **state)
{
    struct reassembly *r = reassembly_create();
    struct outcome o;

    (void)state;
    add(r, fragment_v4(7, 1480, 3000, false), 0);
    o = add(r, fragment_v4(7, 0, 1480, true), 1);
    outcome_expect("IPv4", &o, REASSEMBLY_COMPLETE, 1, 1540);
    assert_int_equal(o.whole.size_bytes, 3020);
    assert_int_equal(o.whole.payload_bytes, 2992);
    assert_int_equal(o.whole.ttl, 60);
    assert_int_equal(o.whole.dport, 2000);
    assert_int_equal(o.whole.fragment_offset, 0);

    add(r, fragment_v6(7, 0, 1448, true), 0);
    o = add(r, fragment_v6(7, 1448, 2000, false), 1);
    outcome_expect("IPv6", &o, REASSEMBLY_COMPLETE, 1, 1496);
    assert_int_equal(o.whole.size_bytes, 2040); /* the fragment header goes */
    assert_int_equal(o.whole.next_header, PROTO_UDP);
    assert_int_equal(o.whole.payload_bytes, 1992);
    reassembly_destroy(r);
}

static void a_datagram_behind_other_extension_headers_keeps_its_next_header(void **state)
{
    struct reassembly *r = reassembly_create();
    struct packet p = fragment_v6(7, 0, 80, false);
    struct outcome o;

    (void)state;
    p.next_header = PROTO_HOPOPT;
    o = add(r, p, 0);
    assert_int_equal(o.whole.next_header, PROTO_HOPOPT);
    reassembly_destroy(r);
}

/* RFC 6946: whatever else is held under the same key. */
static void atomic_fragments_and_whole_packets_pass_at_once(void **state)
{
    struct reassembly *r = reassembly_create();
    struct packet whole = fragment_v4(7, 0, 100, false);
    struct outcome o;

    (void)state;
    add(r, fragment_v6(7, 0, 1448, true), 0);
    o = add(r, fragment_v6(7, 0, 100, false), 0);
    outcome_expect("atomic", &o, REASSEMBLY_COMPLETE, 0, 0);
    assert_int_equal(o.whole.size_bytes, 140);
    assert_int_equal(o.whole.payload_bytes, 92);
    assert_int_equal(o.whole.next_header, PROTO_UDP);
    assert_int_equal(o.whole.flags, 0);

    whole.flags = PACKET_PORTS_CUT;
    o = add(r, whole, 0);
    outcome_expect("whole", &o, REASSEMBLY_COMPLETE, 0, 0);
    assert_memory_equal(&o.whole, &whole, sizeof whole);
    expire_expect(r, INT64_MAX, 1, 1496);
    reassembly_destroy(r);
}

/* Which pieces belong together */

static void interleaved_datagrams_do_not_mix(void **state)
{
    static const struct {
        const char *what;
        bool v6;
        uint32_t id;
        const char *src, *dst; /* NULL = as ever */
        uint8_t protocol;
        bool same;
    } rows[] = {
        {"the same", false, 7, NULL, NULL, PROTO_UDP, true},
        {"another id", false, 8, NULL, NULL, PROTO_UDP, false},
        {"another source", false, 7, "192.0.2.2", NULL, PROTO_UDP, false},
        {"another destination", false, 7, NULL, "198.51.100.3", PROTO_UDP, false},
        {"another protocol", false, 7, NULL, NULL, PROTO_ICMP, false},
        {"IPv6, the same", true, 7, NULL, NULL, PROTO_UDP, true},
        {"IPv6, another id", true, 0x10007, NULL, NULL, PROTO_UDP, false},
        {"IPv6, another source", true, 7, "2001:db8::3", NULL, PROTO_UDP, false},
        {"IPv6 does not look at the protocol", true, 7, NULL, NULL, PROTO_ICMP, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reassembly *r = reassembly_create();
        struct packet first =
            rows[i].v6 ? fragment_v6(7, 0, 800, true) : fragment_v4(7, 0, 800, true);
        struct packet last = rows[i].v6 ? fragment_v6(rows[i].id, 800, 900, false)
                                        : fragment_v4(rows[i].id, 800, 900, false);
        struct outcome o;

        if (rows[i].src != NULL)
            last.src = addr_of(rows[i].src);
        if (rows[i].dst != NULL)
            last.dst = addr_of(rows[i].dst);
        last.protocol = rows[i].protocol;
        add(r, first, 0);
        o = add(r, last, 0);
        outcome_expect(rows[i].what, &o,
                       rows[i].same ? REASSEMBLY_COMPLETE : REASSEMBLY_HELD, rows[i].same,
                       rows[i].same ? first.size_bytes : 0);
        reassembly_destroy(r);
    }
}

static void many_datagrams_in_turns_all_become_whole(void **state)
{
    enum { DATAGRAMS = 3000 };
    struct reassembly *r = reassembly_create();

    (void)state;
    for (uint32_t id = 0; id < DATAGRAMS; id++)
        assert_int_equal(add(r, fragment_v4(id, 0, 800, true), 0).result,
                         REASSEMBLY_HELD);
    for (uint32_t id = 0; id < DATAGRAMS; id++)
        assert_int_equal(add(r, fragment_v4(id, 800, 1600, true), 0).result,
                         REASSEMBLY_HELD);
    for (uint32_t id = DATAGRAMS; id-- > 0;) {
        struct outcome o = add(r, fragment_v4(id, 1600, 1601, false), 0);

        outcome_expect("last", &o, REASSEMBLY_COMPLETE, 2, 1640);
        assert_int_equal(o.whole.fragment_id, id);
    }
    expire_expect(r, INT64_MAX, 0, 0);
    reassembly_destroy(r);
}

/* Time and room */

static void what_never_becomes_whole_is_dropped_in_time(void **state)
{
    struct reassembly *r = reassembly_create();

    (void)state;
    add(r, fragment_v4(1, 0, 80, true), 0);
    add(r, fragment_v6(1, 0, 80, true), 0);
    add(r, fragment_v4(1, 160, 240, true), 29 * SECOND_NS); /* does not prolong it */
    add(r, fragment_v4(2, 0, 80, true), 20 * SECOND_NS);
    expire_expect(r, 30 * SECOND_NS - 1, 0, 0);
    expire_expect(r, 30 * SECOND_NS, 2, 200);
    expire_expect(r, 30 * SECOND_NS, 0, 0);
    expire_expect(r, 50 * SECOND_NS, 1, 100);
    expire_expect(r, 60 * SECOND_NS - 1, 0, 0);
    expire_expect(r, 60 * SECOND_NS, 1, 128);
    reassembly_destroy(r);
}

static void a_piece_too_late_begins_a_new_datagram(void **state)
{
    struct reassembly *r = reassembly_create();
    struct outcome o;

    (void)state;
    add(r, fragment_v4(1, 0, 80, true), 0);
    o = add(r, fragment_v4(1, 80, 90, false), 30 * SECOND_NS);
    outcome_expect("the last, too late", &o, REASSEMBLY_HELD, 1, 100);
    expire_expect(r, INT64_MAX, 1, 30);
    reassembly_destroy(r);
}

static void the_oldest_datagram_makes_room_for_one_too_many(void **state)
{
    struct reassembly *r = reassembly_create();
    struct outcome o;

    (void)state;
    add(r, fragment_v6(0, 0, 80, true), 0);
    add(r, fragment_v6(0, 80, 160, true), 0);
    for (uint32_t id = 1; id < REASSEMBLY_DATAGRAMS_MAX; id++) {
        o = add(r, fragment_v4(id, 0, 80, true), id);
        outcome_expect("there is room", &o, REASSEMBLY_HELD, 0, 0);
    }
    o = add(r, fragment_v4(REASSEMBLY_DATAGRAMS_MAX, 0, 80, true), SECOND_NS);
    outcome_expect("the oldest, of IPv6", &o, REASSEMBLY_HELD, 2, 256);
    o = add(r, fragment_v4(REASSEMBLY_DATAGRAMS_MAX + 1, 0, 80, true), SECOND_NS);
    outcome_expect("the next", &o, REASSEMBLY_HELD, 1, 100);
    o = add(r, fragment_v4(2, 80, 90, false), SECOND_NS);
    outcome_expect("the one behind is still there", &o, REASSEMBLY_COMPLETE, 1, 100);
    expire_expect(r, INT64_MAX, REASSEMBLY_DATAGRAMS_MAX - 1,
                  (REASSEMBLY_DATAGRAMS_MAX - 1) * UINT64_C(100));
    reassembly_destroy(r);
}

static void the_number_of_packets_is_bounded_too(void **state)
{
    enum { EACH = 8000 };
    struct reassembly *r = reassembly_create();
    uint32_t dropped = 0, added = 0;
    struct reassembly_held held;

    (void)state;
    for (uint32_t id = 0; id < 5; id++) {
        for (uint32_t i = EACH; i > 0; i--) {
            struct outcome o = add(r, fragment_v4(id, i * 8, i * 8 + 8, true), id);

            assert_int_equal(o.result, REASSEMBLY_HELD);
            assert_true(o.held.packets == 0 || o.held.packets == EACH);
            dropped += o.held.packets;
            added++;
            assert_true(added - dropped <= REASSEMBLY_PACKETS_MAX);
        }
    }
    assert_int_equal(dropped, EACH);
    reassembly_expire(r, INT64_MAX, &held);
    assert_int_equal(held.packets + dropped, added);
    reassembly_destroy(r);
}

/* Every packet goes out as often as it went in. */
static void random_fragments_are_all_accounted_for(void **state)
{
    struct reassembly *r = reassembly_create();
    uint64_t random = 1, bytes_in = 0, bytes_out = 0;
    uint32_t packets_in = 0, packets_out = 0;
    struct reassembly_held held;

    (void)state;
    for (unsigned round = 0; round < 300000; round++) {
        struct packet p;
        struct outcome o;
        uint32_t from, length;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        from = (uint32_t)(random >> 60) * 8;
        length = (uint32_t)(random >> 50) % 24;
        length = round % 1000 == 0 ? (uint32_t)(random >> 30) : length;
        p = (random >> 40 & 1 ? fragment_v4 : fragment_v6)(
            (uint32_t)(random >> 41) % 16, from, from + length, random >> 47 & 1);
        o = add(r, p, (int64_t)round * 10000000);
        packets_in++;
        bytes_in += p.size_bytes;
        packets_out += o.held.packets + (o.result != REASSEMBLY_HELD);
        bytes_out += o.held.bytes + (o.result != REASSEMBLY_HELD ? p.size_bytes : 0);
        if (round % 100 == 0) {
            reassembly_expire(r, (int64_t)round * 10000000, &held);
            packets_out += held.packets;
            bytes_out += held.bytes;
        }
    }
    reassembly_expire(r, INT64_MAX, &held);
    assert_int_equal(packets_out + held.packets, packets_in);
    assert_int_equal(bytes_out + held.bytes, bytes_in);
    reassembly_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_are_whole_with_their_last_missing_piece),
        cmocka_unit_test(an_overlap_discards_the_whole_datagram),
        cmocka_unit_test(contradicting_ends_cost_ipv4_the_datagram_and_ipv6_the_fragment),
        cmocka_unit_test(ipv4_pieces_are_cut_to_units_of_eight),
        cmocka_unit_test(datagrams_beyond_65535_bytes_are_rejected),
        cmocka_unit_test(
            the_datagram_has_the_first_fragments_fields_and_the_sum_of_payloads),
        cmocka_unit_test(a_datagram_behind_other_extension_headers_keeps_its_next_header),
        cmocka_unit_test(atomic_fragments_and_whole_packets_pass_at_once),
        cmocka_unit_test(interleaved_datagrams_do_not_mix),
        cmocka_unit_test(many_datagrams_in_turns_all_become_whole),
        cmocka_unit_test(what_never_becomes_whole_is_dropped_in_time),
        cmocka_unit_test(a_piece_too_late_begins_a_new_datagram),
        cmocka_unit_test(the_oldest_datagram_makes_room_for_one_too_many),
        cmocka_unit_test(the_number_of_packets_is_bounded_too),
        cmocka_unit_test(random_fragments_are_all_accounted_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
