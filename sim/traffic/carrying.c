#include "sim/traffic/carrying.h"

enum { UP, DOWN, WAYS };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ------------------------------------------------------------------------ what is carried */

/* The entry that the way's packets belong to; NULL: none, or it is another's by now. */
static struct conn *conn_of(const struct carrier *r, const struct carrying *c,
                            const struct course *way)
{
    struct conn_table *conns = router_conns(simulation_router(r->sim));
    const struct demand *d = &c->pacing.demand;
    struct conn *conn;

    if (way->conn == CONN_NONE || way->conn >= conn_slots(conns) ||
        !conn_is_used(conns, way->conn))
        return NULL;
    conn = conn_at(conns, way->conn);
    return conn->orig.sport + conn->orig.dport == d->sport + d->dport &&
                   conn->orig.protocol == d->protocol
               ? conn
               : NULL;
}

/* One of the packets of this way, as far as anybody looks at what is carried. */
static struct packet packet_of(const struct demand *d, unsigned way)
{
    const bool up = way == UP;

    return (struct packet){
        .src = up ? d->src : d->dst,
        .dst = up ? d->dst : d->src,
        .sport = up ? d->sport : d->dport,
        .dport = up ? d->dport : d->sport,
        .protocol = d->protocol,
        .next_header = d->protocol,
    };
}

static void carry_way(const struct carrier *r, const struct carrying *c, unsigned way,
                      struct carried *told)
{
    enum { ETHERNET_BYTES = 14 };
    const struct course *course = &c->ways[way];
    const struct packet packet = packet_of(&c->pacing.demand, way);

    told->frame_bytes = told->bytes + told->packets * ETHERNET_BYTES;
    told->packet = &packet;
    told->conn = course->own ? conn_of(r, c, course) : NULL;
    told->delay_ns = course->delay_ns;
    told->in_wan = course->in_wan;
    told->out_wan = course->out_wan;
    told->direction = course->direction;
    told->fate = course->fate;
    told->reason = course->reason;
    simulation_carry(r->sim, told, course->counted && told->conn);
}

/* The last packet of those that keep the entry alive was `last`; it is held no longer. */
static void let_go(const struct carrier *r, const struct carrying *c, unsigned way,
                   uint32_t last)
{
    struct conn *conn = conn_of(r, c, &c->ways[way]);

    if (!conn)
        return;
    if (last > c->last_sent)
        router_carried(simulation_router(r->sim), conn, pacing_time(&c->pacing, last));
    else
        router_release(conn, c->expires_ns);
}

/* Entries live of the last packet that kept them alive, sent or carried, and no longer. */
static void keep_alive(const struct carrier *r, const struct carrying *c)
{
    const struct pacing *p = &c->pacing;
    uint32_t last = c->last_sent;
    unsigned keeps = WAYS;

    for (unsigned way = UP; way < WAYS; way++) {
        uint32_t k;

        if (!c->ways[way].prolongs)
            continue;
        k = pacing_last_of_way(p, p->sent, way == UP);
        if (keeps == WAYS || (k > last && k < p->sent))
            keeps = way;
        if (k > last && k < p->sent)
            last = k;
    }
    if (keeps != WAYS)
        let_go(r, c, keeps, last);
}

/* All packets before number `k` are behind us. */
void carrying_pass(const struct carrier *r, struct carrying *c, uint32_t k)
{
    struct pacing *p = &c->pacing;
    struct carried told = {.from_ns = pacing_time(p, p->sent)};
    struct pacing_passed passed;

    if (k > p->sent) {
        told.to_ns = pacing_time(p, k - 1);
        pacing_skip(p, k, &passed);
        for (unsigned way = UP; way < WAYS; way++) {
            told.packets = passed.packets[way];
            told.bytes = passed.bytes[way];
            if (told.packets)
                carry_way(r, c, way, &told);
        }
    }
    if (c->held)
        keep_alive(r, c);
    c->held = false;
}

/* ------------------------------------------------------------------- what is sent for real */

/* The longest time without a packet of the ways that keep the entry alive. */
static int64_t longest_gap_ns(const struct carrying *c)
{
    const struct pacing *p = &c->pacing;
    const int64_t gap = (int64_t)p->step_ns + 1;
    const uint64_t up = p->demand.up.packets, down = p->demand.down.packets;
    const bool up_keeps = c->ways[UP].prolongs, down_keeps = c->ways[DOWN].prolongs;
    uint64_t own, other;

    if (up_keeps && down_keeps)
        return gap;
    own = up_keeps ? up : down;
    other = up_keeps ? down : up;
    if ((!up_keeps && !down_keeps) || own <= DEMAND_CONTROL_UP ||
        gap > INT64_MAX / 16 / (int64_t)(other + 1))
        return INT64_MAX;
    return gap * (int64_t)(other / (own - DEMAND_CONTROL_UP) + 2);
}

/* For how long one packet keeps the entry alive, at least. */
static int64_t shortest_life_ns(const struct carrier *r, const struct carrying *c)
{
    int64_t life_ns = c->pacing.demand.protocol == PROTO_TCP ? r->unacked_ns : INT64_MAX;

    for (unsigned way = UP; way < WAYS; way++)
        if (c->ways[way].prolongs)
            life_ns = least(life_ns, c->ways[way].keeps_ns);
    return life_ns;
}

/* The first packet that finds this entry past its time, or may prolong it. */
static uint32_t entry_limit(const struct carrier *r, const struct carrying *c,
                            const struct course *way, uint32_t until)
{
    const struct pacing *p = &c->pacing;
    const struct conn *conn = conn_of(r, c, way);
    uint32_t k;

    if (!conn)
        return until;
    k = pacing_count_before(p, conn->expires_ns);
    return k < p->sent ? p->sent : k < until ? k : until;
}

/* Entries must live as they would with all packets: the next one that has to be sent for it. */
static uint32_t limit_by_entries(const struct carrier *r, struct carrying *c,
                                 uint32_t until)
{
    if (longest_gap_ns(c) < shortest_life_ns(r, c)) {
        for (unsigned way = UP; way < WAYS; way++) {
            struct conn *conn = conn_of(r, c, &c->ways[way]);

            if (!conn || !c->ways[way].prolongs)
                continue;
            if (!c->held)
                c->expires_ns = conn->expires_ns;
            c->held = true;
            router_hold(conn, pacing_time(&c->pacing, until) + 1);
        }
        return until;
    }
    for (unsigned way = UP; way < WAYS; way++) {
        until = entry_limit(r, c, &c->ways[way], until);
        if (c->ways[way].prolongs) {
            const uint32_t next =
                pacing_next_of_way(&c->pacing, c->pacing.sent, way == UP);

            until = next < until ? next : until;
        }
    }
    return until;
}

/* The next packet that has to be sent for real. */
uint32_t carrying_next(const struct carrier *r, struct carrying *c)
{
    const struct pacing *p = &c->pacing;
    const struct demand *d = &p->demand;
    uint32_t first, end, until;

    pacing_middle(p, &first, &end);
    if (d->shape == DEMAND_SYN || p->sent < first || p->sent >= end)
        return p->sent;
    until = end < pacing_packets(d) ? end : end - 1;
    for (unsigned way = UP; way < WAYS; way++) {
        uint32_t next;

        if (c->ways[way].known)
            continue;
        next = pacing_next_of_way(p, p->sent, way == UP);
        until = next < until ? next : until;
    }
    return limit_by_entries(r, c, until);
}

/* ------------------------------------------------------------------------ one packet's fate */

static bool lost_by_chance(const struct observation *o)
{
    return o->fate == FATE_DROPPED &&
           (o->reason == REASON_LINK_LOSS || o->reason == REASON_QUEUE_FULL);
}

/* What its packets met need not be what the next ones meet. */
static void forget(struct course *way)
{
    way->known = way->prolongs = false;
}

/* The entry that matters for the packet: also one that does not take it as its own. */
static uint32_t entry_of(const struct carrier *r, const struct observation *o)
{
    const struct router *router = simulation_router(r->sim);
    const struct conn *found = o->conn;
    struct router_key key;
    unsigned direction;

    if (!found && o->wire) {
        router_key(router, o->wire, false, &key);
        found = conn_find(router_conns_const(router), &key.tuple, key.hash, &direction);
    }
    return found ? found->index : CONN_NONE;
}

void carrying_forget(struct carrying *c)
{
    forget(&c->ways[UP]);
    forget(&c->ways[DOWN]);
}

/* Can it change what becomes of the other direction's packets? */
static bool turns_the_other(const struct carrying *c, const struct course *before,
                            const struct course *now, const struct course *other,
                            const struct observation *o)
{
    const unsigned flags = o->decision ? o->decision->flags : 0;

    if (flags & (DECISION_NEW | DECISION_REVIVED | DECISION_KILLED))
        return true;
    if (!o->conn)
        return false;
    return now->conn != other->conn || o->conn->tcp.state != c->tcp_state ||
           now->out_wan != before->out_wan; /* answers come back where it left */
}

/* When the entry of the connection's packets ends as it is; -1: there is none. */
static int64_t entry_ends_ns(const struct carrier *r, const struct carrying *c)
{
    for (unsigned way = UP; way < WAYS; way++) {
        const struct conn *conn = conn_of(r, c, &c->ways[way]);

        if (conn)
            return conn->expires_ns;
    }
    return -1;
}

static struct course course_of(const struct carrier *r, const struct carrying *c,
                               unsigned way, const struct observation *o,
                               int64_t ended_ns)
{
    const struct decision *d = o->decision;
    const bool stable = !o->conn || o->conn->tcp.state == c->tcp_state ||
                        o->conn->tcp.state == TCP_ESTABLISHED;

    return (struct course){
        .conn = entry_of(r, o),
        .in_wan = (int16_t)o->in_wan,
        .out_wan = (int16_t)o->out_wan,
        .delay_ns = o->delay_ns,
        .direction = d ? d->direction : (uint8_t)way,
        .fate = o->fate,
        .reason = o->reason,
        .own = o->conn != NULL,
        .known = stable && !(d && (d->flags & DECISION_KILLED)),
        .counted = d && o->conn && d->verdict == VERDICT_FORWARD &&
                   !(o->conn->flags & CONN_KILLED),
        .prolongs = d && o->conn && o->conn->expires_ns != ended_ns,
        .keeps_ns = o->conn ? o->conn->expires_ns - o->time_ns : 0,
    };
}

/* The packets behind this one share its fate. */
static void learn(const struct carrier *r, struct carrying *c, unsigned way,
                  const struct observation *o, int64_t ended_ns)
{
    struct course *course = &c->ways[way], *other = &c->ways[way == UP ? DOWN : UP];
    const struct course before = *course;

    *course = course_of(r, c, way, o, ended_ns);
    if (turns_the_other(c, &before, course, other, o))
        forget(other);
    if (o->conn)
        c->tcp_state = o->conn->tcp.state;
    if (!lost_by_chance(o))
        return;
    course->fate = FATE_DELIVERED;
    course->reason = REASON_NONE;
    course->known &= o->decision != NULL;
}

/* Is an entry of its packets gone, or past its time? Then what they met says nothing more. */
static bool has_lost_entry(const struct carrier *r, const struct carrying *c,
                           int64_t now_ns)
{
    for (unsigned way = UP; way < WAYS; way++) {
        const struct conn *conn = conn_of(r, c, &c->ways[way]);

        if (c->ways[way].conn != CONN_NONE && (!conn || conn->expires_ns <= now_ns))
            return true;
    }
    return false;
}

void carrying_send(const struct carrier *r, struct carrying *c)
{
    const int64_t now_ns = simulation_now_ns(r->sim);
    struct observation o;
    struct captured packet;
    int64_t ended_ns;

    carrying_pass(r, c, c->until);
    if (has_lost_entry(r, c, now_ns))
        carrying_forget(c);
    c->last_sent = c->pacing.sent;
    pacing_emit(&c->pacing, &packet);
    ended_ns = entry_ends_ns(r, c);
    simulation_send_captured(r->sim, &packet, r->iface, &o);
    learn(r, c, addr_equal(&packet.packet.src, &c->pacing.demand.src) ? UP : DOWN, &o,
          ended_ns);
}

void carrying_begin(struct carrying *c, const struct demand *d)
{
    *c = (struct carrying){.lives = true};
    c->ways[UP].conn = c->ways[DOWN].conn = CONN_NONE;
    pacing_begin(&c->pacing, d);
}
