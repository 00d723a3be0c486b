#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * A kept decision is the decision: the same packets and events go through two routers, of which
 * one is traced and therefore decides every packet anew. All that they say must agree.
 */
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "tests/routers.h"

#define CONFIG                                                                           \
    "iface lan 192.168.10.1/24 2001:db8:10::1/64\n"                                      \
    "iface wan1 100.64.1.2/24 2001:db8:1::2/64 group 1\n"                                \
    "iface wan2 100.64.2.2/24 2001:db8:2::2/64\n"                                        \
    "iface wan3 100.64.3.2/24 100.64.4.2/24 2001:db8:3::2/64\n"                          \
    "route 0.0.0.0/0 via 100.64.1.1 distance 1 check ping\n"                             \
    "route 0.0.0.0/0 via 100.64.2.1 distance 2 check ping\n"                             \
    "route 0.0.0.0/0 via 100.64.1.1 100.64.2.1*2 100.64.3.1 check ping table ecmp\n"     \
    "route ::/0 via 2001:db8:1::1 2001:db8:2::1 2001:db8:3::1 table ecmp\n"              \
    "route ::/0 via 2001:db8:3::1\n"                                                     \
    "route 45.57.3.0/24 via 100.64.4.1\n"                                                \
    "route 45.57.4.0/24 blackhole\n"                                                     \
    "route 45.57.5.0/24 via 100.64.2.1 tos 16\n"                                         \
    "rule lookup main min-prefix 0 priority 10\n"                                        \
    "rule lookup main from 192.168.10.7/32 priority 20\n"                                \
    "rule drop mark 3 priority 30\n"                                                     \
    "rule lookup ecmp iif lan priority 40\n"                                             \
    "rule lookup ecmp proto udp dport 53 priority 50 suppress-group 1\n"

enum { ROUTES = 8, RULES = 5, NATS = 3, STEPS = 60000, EVENT_EVERY = 100, RECENT = 16 };

static void ignore_step(void *context, const struct trace_step *step)
{
    (void)context;
    (void)step;
}

/* Few enough fields that connections are met again, in both directions. */
static struct packet random_packet(struct random_stream *s, const struct decision *before)
{
    static const uint8_t protocols[] = {PROTO_TCP, PROTO_TCP,  PROTO_UDP,    PROTO_UDP,
                                        PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6, PROTO_ESP,
                                        PROTO_GRE, PROTO_IPIP};
    static const uint8_t flags[] = {TCP_SYN,           TCP_ACK, TCP_ACK,
                                    TCP_FIN | TCP_ACK, TCP_RST, TCP_SYN | TCP_ACK};
    const bool v6 = random_below(s, 3) == 0;
    char src[64], dst[64];
    struct packet p = {.ttl = 64, .size_bytes = 100};

    snprintf(src, sizeof src, v6 ? "2001:db8:10::%u" : "192.168.10.%u",
             5 + (unsigned)random_below(s, 4));
    snprintf(dst, sizeof dst, v6 ? "2001:db8:ff::%u" : "45.57.%u.1",
             1 + (unsigned)random_below(s, 5));
    p.src = address(src);
    p.dst = address(dst);
    p.protocol = p.next_header = protocols[random_below(s, 10)];
    if (packet_protocol_has_ports(p.protocol) || p.protocol == PROTO_ESP) {
        p.sport = (uint16_t)(40000 + random_below(s, 3));
        p.dport = random_below(s, 2) ? 53 : 443;
    }
    p.icmp_id = (uint16_t)random_below(s, 3);
    p.icmp_type = p.protocol == PROTO_ICMP ? 8 : 128;
    p.tcp_flags = flags[random_below(s, 6)];
    p.tcp_window = 9;
    p.payload_bytes = (uint32_t)random_below(s, 2) * 10;
    p.tos = random_below(s, 8) ? 0 : 0x10;
    p.ttl = random_below(s, 50) ? 64 : 1;
    p.mark = random_below(s, 30) ? 0 : 3;
    p.flow_label = v6 ? (uint32_t)random_below(s, 2) : 0;
    if (v6 && random_below(s, 10) == 0)
        p.next_header = PROTO_DSTOPTS;
    if (p.protocol == PROTO_IPIP && random_below(s, 2)) {
        p.flags = PACKET_ENCAPSULATED | PACKET_HAS_INNER;
        p.inner.src = p.dst;
        p.inner.dst = p.src;
        p.inner.sport = (uint16_t)random_below(s, 9);
    }
    if (random_below(s, 3) ==
        0) { /* from outside: to the last public source, or the host */
        p = answer_to(&p);
        if (random_below(s, 4) && before->nat_src.family == p.dst.family) {
            p.dst = before->nat_src;
            p.dport = before->nat_sport;
        }
    }
    if (random_below(s, 20) == 0) {
        const struct packet quoted = p;

        p = error_about(&quoted, v6 ? "2001:db8:99::9" : "198.51.100.9");
    }
    return p;
}

/* The same connection, but what besides it a decision depends on. */
static void vary(struct random_stream *s, struct packet *p)
{
    if (p->flags)
        return;
    if (random_below(s, 4) == 0)
        p->tos ^= 0x10;
    if (p->src.family == FAMILY_V6 && random_below(s, 4) == 0)
        p->flow_label ^= 1;
    if (p->src.family == FAMILY_V6 && random_below(s, 4) == 0)
        p->next_header = p->next_header == p->protocol ? PROTO_DSTOPTS : p->protocol;
}

static void random_event(struct lab *l, uint64_t which, uint64_t with)
{
    const unsigned iface = 1 + (unsigned)(with % 3);
    const bool bad = (with & 24) == 0; /* more is mended than broken */
    const struct addr old = address("100.64.3.2"), none = {0};
    const struct prefix fresh = interface_address("100.64.3.2/24"), nothing = {0};

    switch (which) {
    case 0: router_set_carrier(l->router, iface, !bad); break;
    case 1: router_set_admin(l->router, iface, !bad); break;
    case 2:
        router_set_route_disabled(l->router, (uint32_t)(with / 32 % ROUTES), bad);
        break;
    case 3:
        router_set_rule_disabled(l->router, (unsigned)(with / 32 % RULES), bad);
        break;
    case 4: router_renew(l->router); break;
    case 5:
        for (int i = 0; i < 2; i++)
            router_check_ended(l->router, with / 32 % router_checks_len(l->router), !bad);
        break;
    case 6:
        router_change_address(l->router, 3, bad ? &old : &none, bad ? &nothing : &fresh);
        break;
    default: router_renew(l->router); break;
    }
}

static void check_same(const char *what, unsigned step, const struct decision *a,
                       const struct decision *b)
{
    const uint8_t told = (uint8_t) ~(DECISION_ROUTED | DECISION_HASHED);

    if (a->verdict != b->verdict || a->reason != b->reason || a->rule != b->rule ||
        a->member != b->member || a->out_iface != b->out_iface ||
        a->direction != b->direction || (a->flags & told) != (b->flags & told) ||
        !addr_equal(&a->nat_src, &b->nat_src) || a->nat_sport != b->nat_sport ||
        a->conn != b->conn)
        fail_msg("%s, step %u: %s %s rule %d out %u flags %x, anew: %s %s rule %d out %u "
                 "flags %x",
                 what, step, verdict_names[a->verdict], reason_names[a->reason], a->rule,
                 a->out_iface, a->flags, verdict_names[b->verdict],
                 reason_names[b->reason], b->rule, b->out_iface, b->flags);
    if ((a->entry == NULL) != (b->entry == NULL) ||
        (a->entry && (a->entry->table != b->entry->table ||
                      !prefix_equal(&a->entry->dst, &b->entry->dst))))
        fail_msg("%s, step %u: another route", what, step);
}

/* How many of the decisions were kept. */
static unsigned keep_and_decide_anew(const char *what, const char *config, uint64_t seed,
                                     unsigned steps)
{
    static const struct trace trace = {ignore_step, NULL};
    struct random_stream s = random_stream_make(seed, 1);
    struct lab *keeps = lab_create(config), *anew = lab_create(config);
    struct packet recent[RECENT];
    unsigned kept = 0;

    router_set_trace(anew->router, &trace);
    for (unsigned k = 0; k < steps; k++) {
        const size_t again = random_below(&s, k < RECENT ? 1 : RECENT);
        struct packet p = k < RECENT || random_below(&s, 5) == 0
                              ? random_packet(&s, &keeps->last)
                              : recent[again];
        const int in =
            random_below(&s, 40) == 0 ? -1
            : prefix_contains(&(struct prefix){address("192.168.10.0"), 24}, &p.src)
                ? 0
                : (int)random_below(&s, 4);

        vary(&s, &p);
        recent[k < RECENT ? k : again] = p;
        router_forward(keeps->router, &p, in, SECONDS(k * 0.02), &keeps->last);
        router_forward(anew->router, &p, in, SECONDS(k * 0.02), &anew->last);
        check_same(what, k, &keeps->last, &anew->last);
        kept += keeps->last.verdict == VERDICT_FORWARD &&
                !(keeps->last.flags & DECISION_ROUTED);
        assert_true(anew->last.verdict != VERDICT_FORWARD ||
                    (anew->last.flags & DECISION_ROUTED));
        if (random_below(&s, EVENT_EVERY) == 0) {
            const uint64_t which = random_below(&s, 8), with = random_next(&s);

            random_event(keeps, which, with);
            random_event(anew, which, with);
        }
    }
    lab_destroy(keeps);
    lab_destroy(anew);
    return kept;
}

static void kept_decisions_are_the_decisions(void **state)
{
    static const struct {
        const char *what, *head;
    } rows[] = {
        {"RouterOS, l3", "platform routeros7\nhash l3 1\n"},
        {"RouterOS, l4", "platform routeros7\nhash l4 1\n"},
        {"Linux, l4", "platform linux\nhash l4 1\nignore-linkdown\n"},
        {"Linux, l3, strict", "platform linux\nhash l3 1\ntcp-loose no\n"},
        {"Linux, l3-inner", "platform linux\nhash l3-inner 1\n"},
        {"Linux, untracked", "platform linux\nhash l4 1\ntracking off\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char config[4096];
        unsigned kept;

        snprintf(
            config, sizeof config,
            "%s" CONFIG "nat accept to 45.57.2.0/24\nnat %s\nnat masquerade family 6\n",
            rows[i].head, i % 2 ? "src-nat public 100.64.1.2-100.64.1.9" : "masquerade");
        kept = keep_and_decide_anew(rows[i].what, config, i, STEPS);
        if (kept < STEPS / 20)
            fail_msg("%s: only %u decisions were kept", rows[i].what, kept);
    }
}

/* What a policy remembers does not depend on whether rules and routes were looked up anew. */
static void kept_decisions_are_the_decisions_under_every_policy(void **state)
{
    (void)state;
    for (unsigned i = 0; i < policies_len; i++) {
        char config[4096];
        unsigned kept;

        snprintf(config, sizeof config,
                 "platform %s\nhash l4 1\npolicy %s\n" CONFIG "nat %s\n",
                 i % 2 ? "linux" : "routeros7", policies[i]->name,
                 i % 3 ? "src-nat public 100.64.1.2" : "masquerade");
        kept = keep_and_decide_anew(policies[i]->name, config, i, STEPS / 3);
        if (kept < STEPS / 3 / 20)
            fail_msg("%s: only %u decisions were kept", policies[i]->name, kept);
    }
}

/* An observer sees each flow once more after router_renew(), and in each direction. */
static void a_decision_is_taken_once_an_epoch_and_direction(void **state)
{
    struct lab *l = lab_create("hash l3 1\n" CONFIG "nat masquerade\n");
    const struct packet p = packet("udp 192.168.10.5:40000 > 45.57.1.1:443");
    struct packet answer = answer_to(&p);

    (void)state;
    for (int epoch = 0; epoch < 3; epoch++) {
        for (int i = 0; i < 3; i++) {
            lab_send_packet(l, "lan", &p, epoch);
            assert_int_equal((l->last.flags & DECISION_ROUTED) != 0, i == 0);
        }
        answer.dst = l->last.nat_src;
        for (int i = 0; i < 3; i++) {
            lab_send_packet(
                l, l->ifaces[conn_at(router_conns(l->router), 0)->iface_out].name,
                &answer, epoch);
            assert_int_equal(l->last.direction, 1);
            assert_int_equal((l->last.flags & DECISION_ROUTED) != 0, i == 0);
        }
        router_renew(l->router);
    }
    lab_destroy(l);
}

/* One half of a datagram: the first, or the one behind it. IPv6, 1000 bytes of payload each. */
static struct packet half_of(const struct packet *whole, bool first)
{
    struct packet p = *whole;

    p.next_header = PROTO_FRAGMENT;
    p.flags = PACKET_FRAGMENT | (first ? PACKET_MORE_FRAGMENTS : PACKET_LATER_FRAGMENT);
    p.fragment_id = 7;
    p.fragment_offset = first ? 0 : 125;
    p.transport_bytes = first ? 8 : 0;
    p.payload_bytes = 1000;
    p.size_bytes = 1048;
    return p;
}

/*
 * A datagram that came in fragments has its own next header again (RFC 8200, section 4.5), which
 * policy l3 hashes: it goes the way of whole ones, and their kept decision is its own.
 * Untracked, nobody puts it together, and 44 is hashed.
 */
static void a_datagram_in_fragments_keeps_to_the_way_of_whole_ones(void **state)
{
    static const struct {
        const char *what, *head;
        bool tracked;
    } rows[] = {
        {"tracked", "platform linux\nhash l3 1\ntracking on\n", true},
        {"untracked", "platform linux\nhash l3 1\ntracking off\n", false},
    };
    enum { HOSTS = 64 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[1024];
        unsigned elsewhere = 0, used[3] = {0};
        struct lab *l;

        snprintf(text, sizeof text,
                 "%siface lan 2001:db8:10::1/64\niface wan1 2001:db8:1::2/64\n"
                 "iface wan2 2001:db8:2::2/64\nroute ::/0 via 2001:db8:1::1 "
                 "2001:db8:2::1\n",
                 rows[i].head);
        l = lab_create(text);
        for (unsigned host = 2; host < 2 + HOSTS; host++) {
            struct packet whole = packet("udp [2001:db8:10::5]:40000 > [2001:db8:ff::1]:443");
            struct packet first, second;
            unsigned way;

            whole.dst.bytes[15] = (uint8_t)host;
            first = half_of(&whole, true);
            second = half_of(&whole, false);
            lab_send_packet(l, "lan", &whole, 1);
            way = l->last.out_iface;
            used[way]++;
            lab_send_packet(l, "lan", &first, 1);
            assert_int_equal(l->last.verdict,
                             rows[i].tracked ? VERDICT_HELD : VERDICT_FORWARD);
            if (!rows[i].tracked)
                elsewhere += l->last.out_iface != way;
            lab_send_packet(l, "lan", &second, 1);
            assert_int_equal(l->last.verdict, VERDICT_FORWARD);
            if (rows[i].tracked && (l->last.out_iface != way ||
                                    (l->last.flags & DECISION_ROUTED)))
                fail_msg("%s, host %u: by interface %u, whole by %u, flags %x",
                         rows[i].what, host, l->last.out_iface, way, l->last.flags);
        }
        if (!used[1] || !used[2] || (elsewhere > 0) == rows[i].tracked)
            fail_msg("%s: %u and %u ways, %u elsewhere", rows[i].what, used[1], used[2],
                     elsewhere);
        lab_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_decisions_are_the_decisions),
        cmocka_unit_test(kept_decisions_are_the_decisions_under_every_policy),
        cmocka_unit_test(a_decision_is_taken_once_an_epoch_and_direction),
        cmocka_unit_test(a_datagram_in_fragments_keeps_to_the_way_of_whole_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
