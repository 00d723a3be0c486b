#include "core/router_parts.h"

#include <string.h>

#include "core/memory.h"

#define S(n) ((int64_t)(n) * 1000000000)

/* ------------------------------------------------------------------- the kept decision */

static void route_key(const struct packet *p, int in_iface, uint32_t key[2])
{
    key[0] = (uint32_t)(in_iface + 1) << 8 | p->tos;
    key[1] = (uint32_t)p->next_header << 24 | p->flow_label;
}

/* Depends the decision on nothing but 5-tuple, key and epoch? */
static bool route_is_keepable(const struct router *r, const struct packet *p)
{
    const struct hash_family *f = p->src.family == FAMILY_V4 ? &r->hash.v4 : &r->hash.v6;

    if (p->mark || r->trace || (p->flags & (PACKET_FRAGMENT | PACKET_ICMP_ERROR)))
        return false;
    if (!packet_protocol_has_ports(p->protocol) && (p->sport || p->dport))
        return false; /* an SPI: hashed, but in no tuple */
    return !(p->flags & PACKET_ENCAPSULATED) || f->policy == HASH_L3 || f->policy == HASH_L4;
}

static struct route_query passage_query(struct passage *pass, int in_iface)
{
    return (struct route_query){.packet = pass->packet,
                                .in_iface = in_iface,
                                .out_iface = -1,
                                .by_fields = in_iface < 0,
                                .begins = !pass->conn || pass->revive,
                                .pin = &pass->pin};
}

static void note_hash(const struct route_query *q, struct decision *d)
{
    if (!q->hashed)
        return;
    d->hash = q->hash;
    d->flags |= DECISION_HASHED;
}

/* Its policy may want another member now: rule and entry are the same all the same. */
static void pick_again(struct router *r, struct passage *pass, int in_iface,
                       struct decision *d)
{
    struct route_query q;

    passage_translate_back(pass);
    q = passage_query(pass, in_iface);
    q.hash_config = &r->hash;
    d->member = routing_ask_policy(r, &q, d->entry);
    note_hash(&q, d);
}

static bool route_kept(struct router *r, struct passage *pass, int in_iface,
                       struct decision *d)
{
    const struct conn_route *kept;
    uint32_t key[2];

    if (!pass->conn || pass->revive || !route_is_keepable(r, pass->packet))
        return false;
    kept = &pass->conn->route[pass->direction];
    route_key(pass->packet, in_iface, key);
    if (kept->epoch != r->epoch || kept->key[0] != key[0] || kept->key[1] != key[1])
        return false;
    d->verdict = VERDICT_FORWARD;
    d->rule = kept->rule;
    d->entry = rib_entry(r->rib, kept->entry);
    d->member = kept->member;
    if (!choosers_is_fixed(r->choosers, d->entry))
        pick_again(r, pass, in_iface, d);
    if (d->member != kept->member)
        d->flags |= DECISION_ROUTED;
    d->out_iface = d->entry->group->hops[d->member].iface;
    return true;
}

static void route_keep(const struct router *r, const struct passage *pass, int in_iface,
                       const struct decision *d)
{
    struct conn_route *kept;

    if (!pass->conn || !route_is_keepable(r, pass->packet) || d->rule > INT16_MAX)
        return;
    kept = &pass->conn->route[pass->direction];
    route_key(pass->packet, in_iface, kept->key);
    kept->epoch = r->epoch;
    kept->entry = rib_entry_index(r->rib, d->entry);
    kept->member = (uint16_t)d->member;
    kept->rule = (int16_t)d->rule;
}

/* --------------------------------------------------------------------------- deciding */

static enum verdict outcome_verdict(const struct route_answer *a, enum reason *reason)
{
    *reason = REASON_NONE;
    switch (a->outcome) {
    case OUTCOME_ROUTE:
        if (a->entry->type == ROUTE_BROADCAST)
            *reason = REASON_BROADCAST;
        return a->entry->type == ROUTE_UNICAST ? VERDICT_FORWARD : VERDICT_LOCAL;
    case OUTCOME_NO_ROUTE: *reason = REASON_NO_ROUTE; return VERDICT_UNREACHABLE;
    case OUTCOME_ONLY_TABLE: *reason = REASON_ONLY_TABLE; return VERDICT_UNREACHABLE;
    case OUTCOME_DROP:
        *reason = a->entry ? REASON_BLACKHOLE_ROUTE : REASON_RULE;
        return VERDICT_DROP;
    case OUTCOME_UNREACHABLE:
        *reason = a->entry ? REASON_UNREACHABLE_ROUTE : REASON_RULE;
        return VERDICT_UNREACHABLE;
    case OUTCOME_PROHIBIT:
        *reason = a->entry ? REASON_PROHIBIT_ROUTE : REASON_RULE;
        return VERDICT_PROHIBIT;
    }
    return VERDICT_DROP;
}

static void decide_route(struct router *r, struct passage *pass, int in_iface,
                         struct decision *d)
{
    struct route_query q = passage_query(pass, in_iface);
    struct route_answer answer;
    enum reason reason;

    router_route(r, &q, &answer, &d->member);
    d->rule = answer.rule;
    d->entry = answer.entry;
    d->verdict = (uint8_t)outcome_verdict(&answer, &reason);
    d->reason = (uint8_t)reason;
    d->flags |= DECISION_ROUTED;
    note_hash(&q, d);
    if (d->verdict != VERDICT_FORWARD)
        return;
    d->out_iface = d->entry->group->hops[d->member].iface;
}

static void end_passage(struct decision *d, enum verdict verdict, enum reason reason)
{
    d->verdict = (uint8_t)verdict;
    d->reason = (uint8_t)reason;
}

/* The first packet of a connection leaves: give it an entry and a public source. */
static void begin_connection(struct router *r, struct passage *pass, int in_iface,
                             int64_t now_ns, struct decision *d)
{
    const struct nexthop *hop = &d->entry->group->hops[d->member];
    const struct trace *trace = r->trace;
    struct conn *c = pass->conn;
    enum nat_result result = NAT_NONE;

    if (!c) {
        conns_sweep(r, now_ns);
        c = conn_create(r->conns, &pass->tuple, pass->hash);
    }
    c->flags = 0;
    memset(c->pins, 0, sizeof c->pins);
    if (c->orig.protocol == PROTO_TCP)
        c->tcp = pass->tcp;
    else
        c->stream_ns = now_ns + S(2);
    c->iface_in = (uint16_t)in_iface;
    memcpy(c->nat_src, c->orig.src, sizeof c->nat_src);
    c->nat_sport = c->orig.sport;
    c->masq_iface = NEXTHOP_NONE;
    if (r->tracking)
        result = nat_bind(&r->nat, c, d->out_iface, &hop->gateway, now_ns, trace);
    else
        conn_index_reply(r->conns, c, now_ns);
    if (result == NAT_NO_ADDRESS || result == NAT_CLASH) {
        if (pass->revive)
            conn_kill(r->conns, c);
        else
            conn_remove(r->conns, c);
        pass->conn = NULL;
        end_passage(d, VERDICT_DROP,
                    result == NAT_CLASH ? REASON_NAT_CLASH : REASON_NAT_NO_ADDRESS);
        return;
    }
    conn_prolong(r, c, now_ns);
    d->flags |= pass->revive ? DECISION_REVIVED : DECISION_NEW;
    pass->conn = c;
}

/*
 * Masquerade remembers its interface: a packet of direction 0 that would leave by another is
 * dropped and takes the entry with it. Source: Linux nf_nat_oif_changed().
 */
static bool masquerade_moved(const struct passage *pass, const struct decision *d)
{
    const struct conn *c = pass->conn;

    return pass->direction == 0 && !pass->related && c->masq_iface != NEXTHOP_NONE &&
           c->masq_iface != d->out_iface;
}

static void forward(struct router *r, struct passage *pass, int in_iface, int64_t now_ns,
                    struct decision *d)
{
    if (in_iface >= 0 && pass->packet->ttl <= 1) {
        end_passage(d, VERDICT_DROP, REASON_TTL);
        return;
    }
    if (!pass->conn || pass->revive) {
        if (pass->invalid) {
            if (r->tracking)
                d->reason = REASON_INVALID;
            return;
        }
        begin_connection(r, pass, in_iface, now_ns, d);
        if (!pass->conn)
            return;
    } else if (masquerade_moved(pass, d)) {
        conn_kill(r->conns, pass->conn);
        d->flags |= DECISION_KILLED;
        end_passage(d, VERDICT_DROP, REASON_NAT_MOVED);
        return;
    }
    if (pass->direction == 0 && !pass->related) {
        pass->conn->iface_in = (uint16_t)in_iface;
        pass->conn->iface_out = (uint16_t)d->out_iface;
    }
    pass->conn->bytes[pass->direction] += pass->packet->size_bytes;
    conn_set_pin(pass->conn, pass->direction, pass->pin);
    if (d->flags & DECISION_ROUTED)
        route_keep(r, pass, in_iface, d);
}

static void describe_source(const struct passage *pass, const struct packet *p,
                            struct decision *d)
{
    const struct conn *c = pass->conn;

    d->nat_src = p->src;
    d->nat_sport = p->sport;
    if (!c || pass->direction != 0 || !(c->flags & CONN_NATED) || (c->flags & CONN_KILLED))
        return;
    d->nat_src = c->orig.family == FAMILY_V4 ? addr_from_v4(c->nat_src)
                                             : addr_from_v6(c->nat_src);
    if (!pass->related && (packet_protocol_has_ports(p->protocol) || is_icmp(p->protocol)))
        d->nat_sport = c->nat_sport;
    d->flags |= DECISION_NATED;
}

static const char *connection_text(const struct router *r, const struct passage *pass)
{
    if (!r->tracking)
        return "connections are not tracked";
    if (pass->related)
        return "an ICMP error of a known connection";
    if (pass->revive)
        return "its entry was forgotten: the connection begins anew";
    if (pass->invalid)
        return "invalid: it belongs to no connection and begins none";
    if (!pass->conn)
        return "a new connection";
    return pass->direction ? "an answer of a known connection" : "of a known connection";
}

/* Fragments wait for each other where connections are tracked. False: nothing to route yet. */
static bool reassemble(struct router *r, const struct packet **p, struct packet *whole,
                       int64_t now_ns, struct decision *d)
{
    struct reassembly_held held = {0};
    enum reassembly_result result = reassembly_add(r->reassembly, *p, now_ns, whole, &held);

    d->held_packets = held.packets;
    d->held_bytes = held.bytes;
    if (result == REASSEMBLY_HELD)
        end_passage(d, VERDICT_HELD, REASON_FRAGMENT_HELD);
    else if (result != REASSEMBLY_COMPLETE)
        end_passage(d, VERDICT_DROP, REASON_FRAGMENT_REJECTED);
    *p = whole;
    return result == REASSEMBLY_COMPLETE;
}

static void decide(struct router *r, struct passage *pass, const struct router_key *key,
                   int in_iface, int64_t now_ns, struct decision *d)
{
    const struct packet *arrived = pass->packet;
    enum reason special;

    passage_track(r, pass, key, now_ns);
    if (r->trace)
        router_tell(r, (struct trace_step){.kind = TRACE_CONNECTION,
                                    .rule = RULE_NONE,
                                    .text = connection_text(r, pass)});
    if (pass->conn && !pass->revive)
        pass->pin = conn_pin(pass->conn, pass->direction);
    if (!route_kept(r, pass, in_iface, d)) {
        special = routing_special_address(r, arrived, in_iface);
        if (special != REASON_NONE) {
            end_passage(d, special == REASON_BROADCAST ? VERDICT_LOCAL : VERDICT_DROP,
                        special);
            return;
        }
        if (pass->conn && !pass->revive)
            passage_translate_back(pass);
        decide_route(r, pass, in_iface, d);
    }
    if (d->verdict == VERDICT_FORWARD)
        forward(r, pass, in_iface, now_ns, d);
    d->direction = (uint8_t)pass->direction;
    if (pass->invalid)
        d->flags |= DECISION_INVALID;
    describe_source(pass, arrived, d);
    if (pass->conn)
        d->conn = pass->conn->index;
}

void router_forward(struct router *r, const struct packet *p, int in_iface, int64_t now_ns,
                    struct decision *d)
{
    router_forward_keyed(r, p, NULL, in_iface, now_ns, d);
}

void router_forward_keyed(struct router *r, const struct packet *p,
                          const struct router_key *key, int in_iface, int64_t now_ns,
                          struct decision *d)
{
    struct passage pass;
    struct packet whole;

    d->verdict = VERDICT_DROP;
    d->reason = REASON_NONE;
    d->flags = 0;
    d->direction = 0;
    d->rule = RULE_NONE;
    d->entry = NULL;
    d->member = NEXTHOP_NONE;
    d->out_iface = NEXTHOP_NONE;
    d->hash = 0;
    d->conn = CONN_NONE;
    d->nat_src = p->src;
    d->nat_sport = p->sport;
    d->held_packets = 0;
    d->held_bytes = 0;
    if ((p->flags & PACKET_FRAGMENT) && r->tracking) {
        if (!reassemble(r, &p, &whole, now_ns, d))
            return;
        key = NULL; /* only the whole has ports */
    }
    r->now_ns = now_ns;
    pass.packet = p;
    pass.conn = NULL;
    pass.direction = 0;
    pass.pin = 0;
    pass.related = pass.invalid = pass.revive = false;
    decide(r, &pass, key, in_iface, now_ns, d);
    if (r->trace)
        router_tell(r, (struct trace_step){.kind = TRACE_VERDICT,
                                    .rule = d->rule,
                                    .entry = d->entry,
                                    .text = verdict_names[d->verdict]});
}
