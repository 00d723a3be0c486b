/*
 * Where a captured packet enters the router, and as what.
 *
 *     from the LAN     by the LAN interface on whose network its source is
 *     to the LAN       from the WAN that holds its connection, as it was before the router
 *                      translated its destination back
 *     neither          foreign: the capture saw it, the router would not
 *
 * A capture is made on the LAN: an answer is recorded with its LAN address. A connection that
 * the capture shows only from its answer on is taken to have been begun by the LAN host: the
 * request that must have been is shown to the router first (FATE_ASSUMED). A SYN whose answer
 * the capture lacks, though the host goes on, was answered. What can only have
 * begun outside (SYN, echo request) enters by the WAN that its answer would take, unless that
 * would be translated: then it could not have come in at all (REASON_UNSOLICITED).
 */
#include "sim/timeline/simulation_parts.h"

#include <endian.h>
#include <string.h>

#include "core/memory.h"

struct net net_make(const struct prefix *p, int iface)
{
    struct addr ones = {.family = p->addr.family};
    struct net n = {.family = p->addr.family, .length = p->length, .iface = iface};
    struct addr mask, bits = addr_mask(&p->addr, p->length);

    memset(ones.bytes, 0xff, sizeof ones.bytes);
    mask = addr_mask(&ones, p->length);
    memcpy(n.mask, mask.quads, sizeof n.mask);
    memcpy(n.bits, bits.quads, sizeof n.bits);
    return n;
}

void entrance_segments_init(struct simulation *sim)
{
    const struct router_config *c = &sim->scenario->router;
    size_t cap = 0;

    sim->only_lan_iface = -1;
    for (size_t i = 0, found = 0; i < c->ifaces_len; i++) {
        if (sim->wan_of_iface[i] >= 0)
            continue;
        sim->only_lan_iface = found++ ? -1 : (int)i;
        for (size_t k = 0; k < c->ifaces[i].addresses_len; k++) {
            sim->segments = mem_grow(sim->segments, &cap, sim->segments_len + 1,
                                     sizeof *sim->segments);
            sim->segments[sim->segments_len++] =
                net_make(&c->ifaces[i].addresses[k], (int)i);
        }
    }
}

/* The LAN interface on whose network the address is, longest network first; -1: none. */
static int segment_of(const struct simulation *sim, const struct addr *a)
{
    const struct net *best = NULL;

    for (size_t i = 0; i < sim->segments_len; i++) {
        const struct net *n = &sim->segments[i];

        if (net_holds(n, a) && (!best || n->length > best->length))
            best = n;
    }
    return best ? best->iface : -1;
}

/* The same, or the only LAN interface there is. */
int simulation_lan_iface(const struct simulation *sim, const struct addr *a)
{
    const int segment = segment_of(sim, a);

    return segment >= 0 ? segment : sim->only_lan_iface;
}

static bool is_own(const struct simulation *sim, const struct addr *a)
{
    return rib_lookup(router_rib(sim->router), TABLE_LOCAL, a, 0, -1) != NULL;
}

/* Destinations that no router forwards. */
static enum reason not_for_routing(const struct addr *dst)
{
    if (addr_is_multicast(dst))
        return REASON_MULTICAST;
    if (addr_is_broadcast(dst))
        return REASON_BROADCAST;
    return dst->family == FAMILY_V6 && addr_is_link_local(dst) ? REASON_LINK_LOCAL
                                                               : REASON_NONE;
}

/* The router is down: whose packet would it have been? Its entry may be a forgotten one. */
void entrance_find_conn(const struct simulation *sim, struct observation *o)
{
    const struct conn_table *conns = router_conns_const(sim->router);
    struct router_key key;
    unsigned direction;

    if (o->conn || (o->packet->flags & (PACKET_LATER_FRAGMENT | PACKET_ICMP_ERROR)))
        return;
    for (unsigned answered = 0; answered < 2 && !o->conn; answered++) {
        router_key(sim->router, o->packet, answered, &key);
        o->conn = conn_find(conns, &key.tuple, key.hash, &direction);
        if (o->conn && o->conn->expires_ns <= sim->now_ns)
            o->conn = NULL;
    }
}

/* ----------------------------------------------------------------------------- outward */

static void admit_from_lan(struct simulation *sim, struct observation *o,
                           const struct router_key *key, int stream_iface)
{
    const struct packet *p = o->packet;
    const int segment = segment_of(sim, &p->src);

    o->in_iface = stream_iface >= 0 ? stream_iface : simulation_lan_iface(sim, &p->src);
    if (o->in_iface < 0) {
        simulation_show(sim, o, FATE_UNROUTED, REASON_FOREIGN);
        return;
    }
    if (segment >= 0 && segment_of(sim, &p->dst) == segment && !is_own(sim, &p->dst)) {
        simulation_show(sim, o, FATE_UNROUTED, REASON_SAME_SEGMENT);
        return;
    }
    simulation_deliver(sim, o, p, key);
}

/* ------------------------------------------------------------------------------ inward */

static bool begins_outside(const struct packet *p)
{
    if (p->protocol == PROTO_TCP)
        return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (p->protocol == PROTO_ICMP)
        return p->icmp_type == 8 || p->icmp_type == 13 || p->icmp_type == 15 ||
               p->icmp_type == 17;
    return p->protocol == PROTO_ICMPV6 &&
           (p->icmp_type == ICMPV6_ECHO || p->icmp_type == ICMPV6_NODE_QUERY);
}

/* The ICMP type that this one answers; a query is its own. */
static uint8_t query_of(uint8_t icmp_type)
{
    switch (icmp_type) {
    case 0: return 8;
    case 14:
    case 16:
    case 18: return (uint8_t)(icmp_type - 1);
    default: return icmp_type;
    }
}

/* The packet that `answer` would be the answer to. */
static struct packet request_of(const struct packet *answer)
{
    struct packet p = *answer;

    p.src = answer->dst;
    p.dst = answer->src;
    p.sport = answer->dport;
    p.dport = answer->sport;
    p.ttl = 64;
    p.size_bytes = 0;
    p.payload_bytes = 0;
    p.flags = 0;
    p.next_header = p.protocol;
    p.tcp_flags = TCP_ACK;
    p.tcp_seq = answer->tcp_ack;
    p.tcp_ack = answer->tcp_seq;
    if (answer->protocol == PROTO_ICMP)
        p.icmp_type = query_of(answer->icmp_type);
    else if (answer->protocol == PROTO_ICMPV6)
        p.icmp_type =
            answer->icmp_type == ICMPV6_NODE_QUERY + 1 ? ICMPV6_NODE_QUERY : ICMPV6_ECHO;
    return p;
}

/*
 * Show the router the request behind an answer, and observers what it did. True: there is a
 * connection now.
 */
static bool assume_request(struct simulation *sim, const struct observation *answer, int iface)
{
    const struct packet request = request_of(answer->packet);
    struct decision d;
    struct observation o = {
        .time_ns = sim->now_ns,
        .packet = &request,
        .wire = &request,
        .decision = &d,
        .in_iface = iface,
        .in_wan = -1,
        .out_wan = -1,
    };

    router_forward(sim->router, &request, iface, sim->now_ns, &d);
    if (d.conn == CONN_NONE)
        return false;
    o.conn = conn_at(router_conns(sim->router), d.conn);
    o.out_wan = d.out_iface == NEXTHOP_NONE ? -1 : sim->wan_of_iface[d.out_iface];
    simulation_show(sim, &o, FATE_ASSUMED, REASON_NONE);
    return true;
}

bool entrance_assume_answer(struct simulation *sim, const struct observation *o)
{
    const struct packet *p = o->packet;
    struct packet answer = request_of(p), wire;
    struct decision d;
    struct conn *c;
    int iface;

    if (p->protocol != PROTO_TCP || !(p->tcp_flags & TCP_ACK))
        return false;
    if (p->tcp_flags & TCP_SYN) { /* its SYN came from another LAN segment, unseen */
        iface = segment_of(sim, &p->dst);
        return iface >= 0 && assume_request(sim, o, iface);
    }
    answer.tcp_flags = TCP_SYN | TCP_ACK;
    c = router_find_wire(sim->router, &answer, NULL, sim->now_ns, &wire, &iface);
    if (!c || (c->flags & CONN_KILLED) || c->tcp.state != TCP_SYN_SENT)
        return false;
    if (sim->wan_of_iface[iface] >= 0 &&
        wan_fault(&sim->wans[sim->wan_of_iface[iface]]) != REASON_NONE)
        return false;
    router_forward(sim->router, &wire, iface, sim->now_ns, &d);
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].assumed_answer)
            sim->observers[i].assumed_answer(sim->observers[i].context, &wire, iface);
    if (d.conn == CONN_NONE)
        return false;
    return c->tcp.state != TCP_SYN_SENT;
}

/*
 * The WAN by which an untranslated answer would leave; -1: it would be translated, or lost. It is
 * asked about as if it began a connection: translation judges by that.
 */
static int wan_of_answer(struct simulation *sim, const struct packet *p, int iface)
{
    struct packet answer = request_of(p);
    struct decision d;

    answer.tcp_flags = TCP_SYN;
    answer.icmp_code = UINT8_MAX; /* of no query that lives */
    router_forward(sim->router, &answer, iface, sim->now_ns, &d);
    if (d.conn != CONN_NONE && (d.flags & (DECISION_NEW | DECISION_REVIVED)))
        router_forget(sim->router, d.conn);
    if (d.verdict != VERDICT_FORWARD || (d.flags & DECISION_NATED))
        return -1;
    return sim->wan_of_iface[d.out_iface];
}

/* Which direction of its connection is a packet to the LAN? The answer, unless it began outside. */
static unsigned direction_of(const struct conn *c, const struct packet *p)
{
    return memcmp(c->orig.src, p->src.bytes, sizeof c->orig.src) != 0;
}

/* It comes by a WAN: whose link may be down or drop it, and whose connection may be forgotten. */
void entrance_from_wan(struct simulation *sim, struct observation *o,
                       const struct packet *wire)
{
    enum reason fault;

    o->in_wan = o->in_iface >= 0 ? sim->wan_of_iface[o->in_iface] : -1;
    fault = o->in_wan >= 0 ? wan_fault(&sim->wans[o->in_wan]) : REASON_NONE;
    if (fault == REASON_NONE && o->in_wan >= 0)
        fault = crossing_down(sim, o);
    if (fault != REASON_NONE)
        simulation_show(sim, o, FATE_DROPPED, fault);
    else if (o->conn && (o->conn->flags & CONN_KILLED))
        simulation_show(sim, o, FATE_DROPPED, REASON_NO_CONNECTION);
    else if (o->conn)
        simulation_deliver(sim, o, wire,
                           &(struct router_key){.conn = o->conn,
                                                .direction = direction_of(o->conn, o->packet)});
    else
        simulation_deliver(sim, o, wire, NULL);
}

/* Before the router that was captured lowered it. */
static uint8_t ttl_before(const struct packet *p)
{
    return p->ttl < UINT8_MAX ? (uint8_t)(p->ttl + 1) : p->ttl;
}

/*
 * Later fragments carry no ports to find a connection by: they come as the first of their
 * datagram came. One that comes before the first is lost on us (REASON_UNSOLICITED).
 */
static struct fragment_way *fragment_way(struct simulation *sim, const struct packet *p)
{
    const uint64_t ends = p->src.quads[0] ^ p->src.quads[1] ^ p->dst.quads[0];
    const uint64_t mixed = (le64toh(ends) ^ p->fragment_id) * 0x9e3779b97f4a7c15u;

    return &sim->fragment_ways[mixed >> 32 & (FRAGMENT_WAYS - 1)];
}

static void fragment_way_keep(struct simulation *sim, const struct observation *o,
                              const struct packet *wire)
{
    const struct packet *p = o->packet;

    *fragment_way(sim, p) = (struct fragment_way){
        .src = p->src,
        .dst = p->dst,
        .wire_dst = wire->dst,
        .id = p->fragment_id,
        .protocol = p->protocol,
        .iface = o->in_iface,
    };
}

static void admit_later_fragment(struct simulation *sim, struct observation *o)
{
    const struct packet *p = o->packet;
    const struct fragment_way *way = fragment_way(sim, p);
    struct packet wire = *p;

    if (!addr_equal(&way->src, &p->src) || !addr_equal(&way->dst, &p->dst) ||
        way->id != p->fragment_id || way->protocol != p->protocol) {
        simulation_show(sim, o, FATE_UNROUTED, REASON_UNSOLICITED);
        return;
    }
    wire.dst = way->wire_dst;
    wire.ttl = ttl_before(&wire);
    o->in_iface = way->iface;
    entrance_from_wan(sim, o, &wire);
}

static void admit_to_lan(struct simulation *sim, struct observation *o,
                         const struct router_key *key)
{
    const struct packet *p = o->packet;
    struct packet wire;
    int lan;

    if (sim->down) {
        entrance_find_conn(sim, o);
        simulation_show(sim, o, FATE_DROPPED, REASON_ROUTER_DOWN);
        return;
    }
    if (p->flags & PACKET_LATER_FRAGMENT) {
        admit_later_fragment(sim, o);
        return;
    }
    o->conn = router_find_wire(sim->router, p, key, sim->now_ns, &wire, &o->in_iface);
    lan = o->conn ? -1 : simulation_lan_iface(sim, &p->dst);
    if (lan >= 0 && !(p->flags & PACKET_ICMP_ERROR)) {
        if (begins_outside(p)) {
            int wan = wan_of_answer(sim, p, lan);

            if (wan >= 0) {
                o->in_iface = sim->scenario->wans[wan].iface;
                wire = *p;
                wire.ttl = ttl_before(&wire);
                entrance_from_wan(sim, o, &wire);
                return;
            }
        } else if (assume_request(sim, o, lan)) {
            o->conn = router_find_wire(sim->router, p, key, sim->now_ns, &wire, &o->in_iface);
        }
    }
    if (!o->conn) {
        simulation_show(sim, o, FATE_UNROUTED, REASON_UNSOLICITED);
        return;
    }
    if (p->flags & PACKET_FRAGMENT)
        fragment_way_keep(sim, o, &wire);
    entrance_from_wan(sim, o, &wire);
}

/* ------------------------------------------------------------------------------- either */

static enum reason frame_reason(unsigned kind)
{
    switch (kind) {
    case FRAME_MALFORMED: return REASON_MALFORMED;
    case FRAME_TRUNCATED: return REASON_TRUNCATED;
    default: return REASON_NOT_IP;
    }
}

void entrance_admit(struct simulation *sim, const struct captured *c, const struct arrival *a,
                    int stream_iface)
{
    struct observation o = {
        .number = ++sim->packets,
        .time_ns = sim->now_ns,
        .packet = &c->packet,
        .frame_bytes = c->frame_bytes,
        .in_iface = -1,
        .in_wan = -1,
        .out_wan = -1,
    };

    entrance_enter(sim, &o, c, a, stream_iface);
}

void entrance_enter(struct simulation *sim, struct observation *o, const struct captured *c,
                    const struct arrival *a, int stream_iface)
{
    enum reason reason;

    if (c->kind != FRAME_IP) {
        simulation_show(sim, o, FATE_UNROUTED, frame_reason(c->kind));
        return;
    }
    reason = not_for_routing(&c->packet.dst);
    if (reason != REASON_NONE)
        simulation_show(sim, o, FATE_UNROUTED, reason);
    else if (a->from_lan)
        admit_from_lan(sim, o, &a->key, stream_iface);
    else if (a->to_lan)
        admit_to_lan(sim, o, &a->key);
    else
        simulation_show(sim, o, FATE_UNROUTED, REASON_FOREIGN);
}
