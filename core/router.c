#include "core/router.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/nat.h"
#include "core/reassembly.h"

#define S(n) ((int64_t)(n) * 1000000000)

enum { SWEEP_PER_NEW = 2 }; /* entries looked at for each new one: the table follows what lives */

struct router {
    const struct router_config *config;
    struct iface_state *ifaces;
    struct rib *rib;
    struct ruleset *rules;
    struct conn_table *conns;
    struct reassembly *reassembly;
    const struct policy *policy;
    const struct trace *trace;
    struct router_conn_sink sink;
    struct hash_config hash;
    struct tcp_timeouts tcp_timeouts;
    struct check *checks;
    struct nat nat;
    uint32_t epoch;
    uint32_t sweep; /* the next entry to look at */
    bool tracking;
};

const char *const verdict_names[] = {
    "forward", "local", "held", "drop", "unreachable", "prohibit",
};

const char *const reason_names[] = {
    [REASON_NONE] = "",
    [REASON_NO_ROUTE] = "no-route",
    [REASON_ONLY_TABLE] = "only-in-table",
    [REASON_RULE] = "rule",
    [REASON_BLACKHOLE_ROUTE] = "blackhole-route",
    [REASON_UNREACHABLE_ROUTE] = "unreachable-route",
    [REASON_PROHIBIT_ROUTE] = "prohibit-route",
    [REASON_TTL] = "ttl",
    [REASON_MARTIAN] = "martian-source",
    [REASON_MULTICAST] = "multicast",
    [REASON_BROADCAST] = "broadcast",
    [REASON_LINK_LOCAL] = "link-local",
    [REASON_NAT_MOVED] = "nat-moved",
    [REASON_NAT_NO_ADDRESS] = "nat-no-address",
    [REASON_NAT_CLASH] = "nat-clash",
    [REASON_NO_CONNECTION] = "no-connection",
    [REASON_FRAGMENT_HELD] = "fragment-held",
    [REASON_FRAGMENT_REJECTED] = "fragment-rejected",
    [REASON_FRAGMENT_TIMEOUT] = "fragment-timeout",
    [REASON_INVALID] = "invalid",
    [REASON_LINK_DOWN] = "link-down",
    [REASON_GATEWAY_DOWN] = "gateway-down",
    [REASON_BLACKHOLED] = "blackholed",
    [REASON_NOT_IP] = "not-ip",
    [REASON_MALFORMED] = "malformed",
    [REASON_TRUNCATED] = "truncated",
    [REASON_SAME_SEGMENT] = "same-segment",
    [REASON_FOREIGN] = "foreign",
    [REASON_UNSOLICITED] = "unsolicited",
};

/* ------------------------------------------------------------------------------- making */

static void checks_start(struct router *r)
{
    const size_t n = rib_checks_len(r->rib);
    struct random_stream phases = random_stream_make(r->config->seed, 0x636865636b);

    r->checks = mem_alloc(n, sizeof *r->checks);
    for (size_t i = 0; i < n; i++) {
        const struct config_check *c = &r->config->checks[rib_check_get(r->rib, i).kind];

        check_start(&r->checks[i], (int64_t)random_below(&phases, (uint64_t)c->interval_ns));
    }
}

static bool has_nat_rules(const struct router_config *c)
{
    for (size_t i = 0; i < c->nat_len; i++)
        if (!c->nat[i].disabled)
            return true;
    return false;
}

struct router *router_create(const struct router_config *config)
{
    struct router *r = mem_alloc(1, sizeof *r);

    r->config = config;
    r->ifaces = mem_alloc(config->ifaces_len, sizeof *r->ifaces);
    for (size_t i = 0; i < config->ifaces_len; i++)
        iface_init(&r->ifaces[i], &config->ifaces[i]);
    r->rib = rib_create(config, r->ifaces);
    r->rules = ruleset_create(config);
    r->conns = conn_table_create(config->seed);
    r->reassembly = reassembly_create();
    r->policy = policy_find(config->policy);
    assert(r->policy);
    r->hash = config->hash;
    r->hash.port_rules = ruleset_has_port_rules(r->rules);
    r->tracking = config->tracking == TRACKING_ON ||
                  (config->tracking == TRACKING_AUTO && has_nat_rules(config));
    tcp_timeouts_init(&r->tcp_timeouts, &config->timeouts);
    nat_init(&r->nat, config, r->ifaces, r->conns);
    checks_start(r);
    r->epoch = 1;
    return r;
}

void router_destroy(struct router *r)
{
    if (!r)
        return;
    rib_destroy(r->rib);
    ruleset_destroy(r->rules);
    conn_table_destroy(r->conns);
    reassembly_destroy(r->reassembly);
    for (size_t i = 0; i < r->config->ifaces_len; i++)
        iface_free(&r->ifaces[i]);
    mem_free(r->ifaces);
    mem_free(r->checks);
    mem_free(r);
}

void router_set_trace(struct router *r, const struct trace *trace)
{
    r->trace = trace;
}

void router_set_conn_sink(struct router *r, const struct router_conn_sink *sink)
{
    r->sink = *sink;
}

static void tell(const struct router *r, struct trace_step step)
{
    if (r->trace)
        r->trace->step(r->trace->context, &step);
}

/* ------------------------------------------------------------------------------- routing */

/*
 * Local IPv4 traffic prefers a next hop whose device owns the flow's source: that scores 2,
 * hash <= bound scores 1; the best score wins, the first on ties.
 * Source: Linux fib_select_multipath().
 */
static unsigned pick_by_source(const struct router *r, const struct nexthop_group *g,
                               const struct addr *src, uint32_t hash)
{
    unsigned best = NEXTHOP_NONE, best_score = 0;

    for (unsigned i = 0; i < g->len; i++) {
        const struct nexthop *h = &g->hops[i];
        struct addr own;
        unsigned score = 0;

        if (h->upper_bound < 0)
            continue;
        if (iface_select_address(&r->ifaces[h->iface], FAMILY_V4, &h->gateway, &own) &&
            addr_equal(&own, src))
            score += 2;
        score += hash <= (uint32_t)h->upper_bound;
        if (best == NEXTHOP_NONE || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

static unsigned choose_member(struct router *r, struct route_query *q,
                              const struct fib_entry *e)
{
    const struct nexthop_group *g = e->group;
    const bool v4 = e->dst.addr.family == FAMILY_V4;
    struct trace_step step = {.kind = TRACE_MEMBER, .entry = e, .rule = RULE_NONE};
    uint8_t block[HASH_BLOCK_MAX];

    if (v4 && q->out_iface >= 0)
        return route_query_bound_member(q, g, NEXTHOP_NONE);
    if (g->len == 1) {
        tell(r, step);
        return 0;
    }
    step.hash = route_query_hash(q);
    if (r->trace) {
        const struct hash_family *f = v4 ? &r->hash.v4 : &r->hash.v6;

        step.kind = TRACE_HASH;
        step.text = hash_policy_names[f->policy];
        step.block = block;
        step.block_len = hash_packet_block(&r->hash, q->packet, block);
        tell(r, step);
        step.kind = TRACE_MEMBER;
    }
    if (v4 && q->in_iface < 0 && r->config->platform == PLATFORM_LINUX)
        step.member = pick_by_source(r, g, &q->packet->src, step.hash);
    else
        step.member = route_query_bound_member(q, g, r->policy->pick(g, step.hash));
    tell(r, step);
    return step.member;
}

void router_route(struct router *r, struct route_query *q, struct route_answer *answer,
                  unsigned *member)
{
    const bool bound_v4 = q->out_iface >= 0 && q->packet->dst.family == FAMILY_V4 &&
                          r->config->platform == PLATFORM_LINUX;

    q->hash_config = &r->hash;
    *member = NEXTHOP_NONE;
    *answer = (struct route_answer){OUTCOME_NO_ROUTE, RULE_NONE, NULL};
    if (bound_v4 && !r->ifaces[q->out_iface].admin_up)
        return;
    ruleset_lookup(r->rules, r->rib, r->ifaces, q, r->trace, answer);
    if (bound_v4 && answer->outcome != OUTCOME_ROUTE)
        *answer = (struct route_answer){OUTCOME_ROUTE, RULE_NONE, NULL};
    if (answer->outcome == OUTCOME_ROUTE && answer->entry && answer->entry->group)
        *member = choose_member(r, q, answer->entry);
}

/* --------------------------------------------------------------- what is never forwarded */

/* Is this an address of the router's own, or a broadcast one? */
static bool is_own_address(const struct router *r, const struct addr *a)
{
    return rib_lookup(r->rib, TABLE_LOCAL, a, 0, -1) != NULL;
}

/*
 * Sources and destinations that routing does not handle. REASON_NONE: it does.
 * Source: Linux ip_route_input_slow(), ip_route_input_mc(), ip6_forward(), ipv6_rcv().
 */
static enum reason special_address(const struct router *r, const struct packet *p,
                                   int in_iface)
{
    if (addr_is_multicast(&p->dst))
        return REASON_MULTICAST;
    if (addr_is_broadcast(&p->dst))
        return REASON_BROADCAST;
    if (in_iface < 0)
        return REASON_NONE;
    if (addr_is_multicast(&p->src) || addr_is_broadcast(&p->src) ||
        addr_is_loopback(&p->src) || addr_is_loopback(&p->dst) ||
        addr_is_unspecified(&p->src) || addr_is_unspecified(&p->dst))
        return REASON_MARTIAN;
    if (p->src.family == FAMILY_V6 &&
        (addr_is_link_local(&p->src) || addr_is_link_local(&p->dst)))
        return REASON_LINK_LOCAL;
    if (is_own_address(r, &p->src))
        return REASON_MARTIAN;
    return REASON_NONE;
}

/* ------------------------------------------------------------------------------ tracking */

static void conn_end(struct router *r, struct conn *c)
{
    if (r->sink.ended)
        r->sink.ended(r->sink.context, c);
    conn_remove(r->conns, c);
}

static void sweep(struct router *r, int64_t now_ns)
{
    for (int i = 0; i < SWEEP_PER_NEW && conn_slots(r->conns); i++) {
        if (r->sweep >= conn_slots(r->conns))
            r->sweep = 0;
        if (conn_is_used(r->conns, r->sweep)) {
            struct conn *c = conn_at(r->conns, r->sweep);

            if (c->expires_ns <= now_ns)
                conn_end(r, c);
        }
        r->sweep++;
    }
}

static bool is_icmp_protocol(uint8_t protocol)
{
    return protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

static bool is_icmp(const struct packet *p)
{
    return is_icmp_protocol(p->protocol);
}

/* Queries that begin a connection: echo, timestamp, information, mask; ICMPv6 echo. */
static bool icmp_begins(const struct packet *p)
{
    if (p->protocol == PROTO_ICMPV6)
        return p->icmp_type == 128;
    return p->icmp_type == 8 || p->icmp_type == 13 || p->icmp_type == 15 || p->icmp_type == 17;
}

/* A packet on its way through tracking. */
struct passage {
    const struct packet *packet;
    struct packet translated; /* filled only when `packet` points to it */
    struct tuple tuple;
    uint64_t hash;
    struct conn *conn; /* NULL: none yet */
    unsigned direction;
    bool related; /* an ICMP error of the connection */
    bool invalid;
    bool revive;     /* `conn` was killed: begin anew */
    struct tcp_track tcp; /* of a connection that begins */
};

static void find_related(struct router *r, struct passage *pass, int64_t now_ns)
{
    struct tuple quoted, answer;

    if (!(pass->packet->flags & PACKET_HAS_INNER)) {
        pass->invalid = true;
        return;
    }
    tuple_of_inner(pass->packet, &quoted);
    tuple_reverse(&quoted, &answer);
    pass->conn = conn_find(r->conns, &answer, conn_hash(r->conns, &answer), &pass->direction);
    if (pass->conn && ((pass->conn->flags & CONN_KILLED) || pass->conn->expires_ns <= now_ns))
        pass->conn = NULL;
    pass->invalid = !pass->conn;
    pass->related = pass->conn != NULL;
}

static void track_begin(struct router *r, struct passage *pass)
{
    const struct packet *p = pass->packet;

    if (p->protocol == PROTO_TCP)
        pass->invalid = !tcp_begin(&pass->tcp, p, r->config->tcp_loose);
    else if (is_icmp(p))
        pass->invalid = !icmp_begins(p);
}

static void conn_prolong(const struct router *r, struct conn *c, int64_t now_ns)
{
    if (c->orig.protocol == PROTO_TCP)
        c->expires_ns =
            now_ns + tcp_timeout(&c->tcp, &r->tcp_timeouts, c->flags & CONN_ANSWERED);
    else
        c->expires_ns = now_ns + conn_timeout(c, &r->config->timeouts, now_ns);
}

static void track_follow(struct router *r, struct passage *pass, int64_t now_ns)
{
    struct conn *c = pass->conn;
    enum tcp_verdict verdict = TCP_TRACKED;

    if (c->orig.protocol == PROTO_TCP)
        verdict =
            tcp_follow(&c->tcp, pass->packet, pass->direction, c->flags & CONN_ANSWERED);
    switch (verdict) {
    case TCP_TRACKED: conn_prolong(r, c, now_ns); break;
    case TCP_AGAIN:
        if (r->config->platform == PLATFORM_ROUTEROS7)
            conn_prolong(r, c, now_ns);
        break;
    case TCP_IGNORED: break;
    case TCP_INVALID:
        pass->invalid = true;
        if (r->tracking)
            pass->conn = NULL;
        break;
    case TCP_ANEW:
        conn_end(r, c);
        pass->conn = NULL;
        pass->direction = 0;
        track_begin(r, pass);
        break;
    case TCP_GONE: c->expires_ns = now_ns; break;
    }
    if (pass->conn == c && pass->direction == 1)
        c->flags |= CONN_ANSWERED; /* behind the time-out, as the kernel does it */
}

static void track(struct router *r, struct passage *pass, int64_t now_ns)
{
    if (pass->packet->flags & PACKET_ICMP_ERROR) {
        find_related(r, pass, now_ns);
        return;
    }
    tuple_of_packet(pass->packet, &pass->tuple);
    pass->hash = conn_hash(r->conns, &pass->tuple);
    pass->conn = conn_find(r->conns, &pass->tuple, pass->hash, &pass->direction);
    if (pass->conn && pass->conn->expires_ns <= now_ns) {
        conn_end(r, pass->conn);
        pass->conn = NULL;
    }
    if (pass->conn && !(pass->conn->flags & CONN_KILLED)) {
        track_follow(r, pass, now_ns);
        return;
    }
    pass->direction = 0;
    pass->revive = pass->conn != NULL;
    track_begin(r, pass);
}

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

static bool route_kept(const struct router *r, const struct passage *pass, int in_iface,
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
    d->out_iface = d->entry->group->hops[kept->member].iface;
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

/* The packet as routing sees it: an answer has its LAN address back. */
static void translate_back(struct passage *pass)
{
    const struct conn *c = pass->conn;
    struct packet *p = &pass->translated;
    const bool v4 = c->orig.family == FAMILY_V4;

    if (pass->direction == 0 || !(c->flags & CONN_NATED))
        return;
    *p = *pass->packet;
    p->dst = v4 ? addr_from_v4(c->orig.src) : addr_from_v6(c->orig.src);
    if (pass->related) {
        p->inner.src = p->dst;
        if (is_icmp_protocol(p->inner.protocol))
            p->inner.icmp_id = c->orig.sport;
        else
            p->inner.sport = c->orig.sport;
    } else if (is_icmp(p)) {
        p->icmp_id = c->orig.sport;
    } else {
        p->dport = c->orig.sport;
    }
    pass->packet = p;
}

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

static void decide_route(struct router *r, const struct packet *p, int in_iface,
                         struct decision *d)
{
    struct route_query q = {.packet = p, .in_iface = in_iface, .out_iface = -1};
    struct route_answer answer;
    enum reason reason;

    router_route(r, &q, &answer, &d->member);
    d->rule = answer.rule;
    d->entry = answer.entry;
    d->verdict = (uint8_t)outcome_verdict(&answer, &reason);
    d->reason = (uint8_t)reason;
    d->flags |= DECISION_ROUTED;
    if (q.hashed) {
        d->hash = q.hash;
        if (d->entry && d->entry->group && d->entry->group->live > 1)
            d->flags |= DECISION_HASHED;
    }
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
        sweep(r, now_ns);
        c = conn_create(r->conns, &pass->tuple, pass->hash);
    }
    c->flags = 0;
    c->tcp = pass->tcp;
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
    pass->conn->packets[pass->direction]++;
    pass->conn->bytes[pass->direction] += pass->packet->size_bytes;
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
    if (!pass->related)
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

static void decide(struct router *r, struct passage *pass, int in_iface, int64_t now_ns,
                   struct decision *d)
{
    const struct packet *arrived = pass->packet;
    enum reason special;

    track(r, pass, now_ns);
    if (r->trace)
        tell(r, (struct trace_step){.kind = TRACE_CONNECTION,
                                    .rule = RULE_NONE,
                                    .text = connection_text(r, pass)});
    if (!route_kept(r, pass, in_iface, d)) {
        special = special_address(r, arrived, in_iface);
        if (special != REASON_NONE) {
            end_passage(d, special == REASON_BROADCAST ? VERDICT_LOCAL : VERDICT_DROP,
                        special);
            return;
        }
        if (pass->conn && !pass->revive)
            translate_back(pass);
        decide_route(r, pass->packet, in_iface, d);
    }
    if (d->verdict == VERDICT_FORWARD)
        forward(r, pass, in_iface, now_ns, d);
    else if (d->verdict == VERDICT_LOCAL && r->tracking && !pass->conn && !pass->invalid)
        d->flags |= DECISION_NEW;
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
    if ((p->flags & PACKET_FRAGMENT) && r->tracking && !reassemble(r, &p, &whole, now_ns, d))
        return;
    pass.packet = p;
    pass.conn = NULL;
    pass.direction = 0;
    pass.related = pass.invalid = pass.revive = false;
    decide(r, &pass, in_iface, now_ns, d);
    if (r->trace)
        tell(r, (struct trace_step){.kind = TRACE_VERDICT,
                                    .rule = d->rule,
                                    .entry = d->entry,
                                    .text = verdict_names[d->verdict]});
}

/* -------------------------------------------------------------------- from LAN to wire */

struct conn *router_find_wire(const struct router *r, const struct packet *p, int64_t now_ns,
                      struct packet *wire, int *in_iface)
{
    const bool error = p->flags & PACKET_ICMP_ERROR;
    struct tuple t, answered;
    struct conn *c;
    unsigned direction;

    if (error && !(p->flags & PACKET_HAS_INNER))
        return NULL;
    if (error) {
        tuple_of_inner(p, &answered);
    } else {
        tuple_of_packet(p, &t);
        tuple_reverse(&t, &answered);
    }
    c = conn_find(r->conns, &answered, conn_hash(r->conns, &answered), &direction);
    if (!c || direction != 0) { /* begun from outside: it comes as it came */
        if (error || !(c = conn_find(r->conns, &t, conn_hash(r->conns, &t), &direction)) ||
            direction != 0 || c->expires_ns <= now_ns || c->iface_in == NEXTHOP_NONE)
            return NULL;
        *wire = *p;
        *in_iface = c->iface_in;
        return c;
    }
    if (c->expires_ns <= now_ns || c->iface_out == NEXTHOP_NONE)
        return NULL;
    *in_iface = c->iface_out;
    *wire = *p;
    if (!(c->flags & CONN_NATED))
        return c;
    wire->dst =
        c->orig.family == FAMILY_V4 ? addr_from_v4(c->nat_src) : addr_from_v6(c->nat_src);
    if (error) {
        wire->inner.src = wire->dst;
        if (is_icmp_protocol(p->inner.protocol))
            wire->inner.icmp_id = c->nat_sport;
        else
            wire->inner.sport = c->nat_sport;
    } else if (is_icmp(p)) {
        wire->icmp_id = c->nat_sport;
    } else {
        wire->dport = c->nat_sport;
    }
    return c;
}

void router_forget(struct router *r, uint32_t conn)
{
    if (conn_is_used(r->conns, conn))
        conn_remove(r->conns, conn_at(r->conns, conn));
}

uint64_t router_packet_hash(const struct router *r, const struct packet *p, bool reversed)
{
    struct tuple t, other;

    tuple_of_packet(p, &t);
    if (!reversed)
        return conn_hash(r->conns, &t);
    tuple_reverse(&t, &other);
    return conn_hash(r->conns, &other);
}

/* ------------------------------------------------------------------ what happens to it */

static void changed(struct router *r)
{
    r->epoch++;
}

/* Kill the connections masqueraded behind the interface; `address` set: only those with it. */
static void flush_masquerade(struct router *r, unsigned iface, const struct addr *address)
{
    for (uint32_t i = 0; i < conn_slots(r->conns); i++) {
        struct conn *c = conn_at(r->conns, i);

        if (!conn_is_used(r->conns, i) || (c->flags & CONN_KILLED) || c->masq_iface != iface)
            continue;
        if (address && (c->orig.family != address->family ||
                        memcmp(c->nat_src, address->bytes, sizeof c->nat_src) != 0))
            continue;
        conn_kill(r->conns, c);
    }
}

/*
 * RouterOS takes a link that is not running for an interface that is down, and forgets what
 * was masqueraded behind it; Linux does so only when it is administratively down.
 */
void router_set_carrier(struct router *r, unsigned iface, bool carrier)
{
    if (r->ifaces[iface].carrier == carrier)
        return;
    r->ifaces[iface].carrier = carrier;
    if (!carrier && r->config->platform == PLATFORM_ROUTEROS7)
        flush_masquerade(r, iface, NULL);
    rib_iface_changed(r->rib, iface);
    changed(r);
}

/* Linux drops IPv6 addresses with the interface (keep_addr_on_down = 0). */
static void drop_v6_addresses(struct iface_state *s)
{
    for (size_t i = s->addresses_len; i-- > 0;) {
        const struct addr a = s->addresses[i].addr;

        if (a.family == FAMILY_V6)
            iface_remove_address(s, &a);
    }
}

void router_set_admin(struct router *r, unsigned iface, bool up)
{
    if (r->ifaces[iface].admin_up == up)
        return;
    r->ifaces[iface].admin_up = up;
    if (!up) {
        flush_masquerade(r, iface, NULL);
        if (r->config->platform == PLATFORM_LINUX)
            drop_v6_addresses(&r->ifaces[iface]);
    }
    rib_iface_changed(r->rib, iface);
    changed(r);
}

void router_change_address(struct router *r, unsigned iface, const struct addr *old_address,
                           const struct prefix *new_address)
{
    struct iface_state *s = &r->ifaces[iface];

    if (addr_is_set(&new_address->addr))
        iface_add_address(s, new_address);
    if (addr_is_set(old_address) && iface_remove_address(s, old_address))
        flush_masquerade(r, iface, old_address);
    rib_iface_changed(r->rib, iface);
    changed(r);
}

void router_set_route_disabled(struct router *r, uint32_t route, bool disabled)
{
    rib_route_set_disabled(r->rib, route, disabled);
    changed(r);
}

void router_set_rule_disabled(struct router *r, unsigned rule, bool disabled)
{
    ruleset_set_disabled(r->rules, rule, disabled);
    r->hash.port_rules = ruleset_has_port_rules(r->rules);
    changed(r);
}

void router_set_nat_disabled(struct router *r, unsigned nat, bool disabled)
{
    r->config->nat[nat].disabled = disabled;
}

void router_expire_fragments(struct router *r, int64_t now_ns, uint32_t *packets,
                             uint64_t *bytes)
{
    struct reassembly_held held = {0};

    reassembly_expire(r->reassembly, now_ns, &held);
    *packets = held.packets;
    *bytes = held.bytes;
}

size_t router_checks_len(const struct router *r)
{
    return rib_checks_len(r->rib);
}

struct rib_check router_check_target(const struct router *r, size_t check)
{
    return rib_check_get(r->rib, check);
}

int64_t router_check_next_ns(const struct router *r, size_t check)
{
    return r->checks[check].next_probe_ns;
}

static const struct config_check *check_settings(const struct router *r, size_t check)
{
    return &r->config->checks[rib_check_get(r->rib, check).kind];
}

void router_check_sent(struct router *r, size_t check)
{
    check_probe_sent(&r->checks[check], check_settings(r, check));
}

bool router_check_ended(struct router *r, size_t check, bool answered)
{
    if (!check_probe_ended(&r->checks[check], check_settings(r, check), answered))
        return false;
    rib_check_set(r->rib, check, r->checks[check].up);
    changed(r);
    return true;
}

/* ------------------------------------------------------------------------ what it is now */

void router_renew(struct router *r)
{
    changed(r);
}

uint32_t router_epoch(const struct router *r)
{
    return r->epoch;
}

const struct rib *router_rib(const struct router *r)
{
    return r->rib;
}

const struct iface_state *router_iface(const struct router *r, unsigned iface)
{
    return &r->ifaces[iface];
}

struct conn_table *router_conns(struct router *r)
{
    return r->conns;
}

const struct conn_table *router_conns_const(const struct router *r)
{
    return r->conns;
}

bool router_is_tracking(const struct router *r)
{
    return r->tracking;
}
