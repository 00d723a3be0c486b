#include "core/router_parts.h"

enum { SWEEP_PER_NEW = 2 }; /* entries looked at for each new one: the table follows what lives */

static void conn_end(struct router *r, struct conn *c)
{
    if (r->sink.ended)
        r->sink.ended(r->sink.context, c);
    conn_remove(r->conns, c);
}

void conns_sweep(struct router *r, int64_t now_ns)
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

/* Queries that begin a connection: echo, timestamp, information, mask; ICMPv6 echo and node
 * information. */
static bool icmp_begins(const struct packet *p)
{
    if (p->protocol == PROTO_ICMPV6)
        return p->icmp_type == ICMPV6_ECHO || p->icmp_type == ICMPV6_NODE_QUERY;
    return p->icmp_type == 8 || p->icmp_type == 13 || p->icmp_type == 15 || p->icmp_type == 17;
}

static void find_related(struct router *r, struct passage *pass, int64_t now_ns)
{
    const struct packet *p = pass->packet;
    struct tuple quoted, answer;

    /* An error goes to the sender of what it quotes. */
    if (!(p->flags & PACKET_HAS_INNER) || !addr_equal(&p->dst, &p->inner.src)) {
        pass->invalid = true;
        return;
    }
    tuple_of_inner(p, &quoted);
    tuple_reverse(&quoted, &answer);
    pass->conn = conn_find(r->conns, &answer, conn_hash(r->conns, &answer), &pass->direction);
    if (pass->conn && ((pass->conn->flags & CONN_KILLED) || pass->conn->expires_ns <= now_ns))
        pass->conn = NULL;
    pass->invalid = !pass->conn;
    pass->related = pass->conn != NULL;
}

static void passage_key(const struct router *r, struct passage *pass)
{
    tuple_of_packet(pass->packet, &pass->tuple);
    pass->hash = conn_hash(r->conns, &pass->tuple);
    pass->keyed = true;
}

static void track_begin(struct router *r, struct passage *pass)
{
    const struct packet *p = pass->packet;

    if (!pass->keyed)
        passage_key(r, pass);
    if (p->protocol == PROTO_TCP)
        pass->invalid = !tcp_begin(&pass->tcp, p, r->config->tcp_loose);
    else if (is_icmp(p->protocol))
        pass->invalid = !icmp_begins(p);
}

void conn_prolong(const struct router *r, struct conn *c, int64_t now_ns)
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

/* The entry of the packet's tuple, unless its time is over. */
static void passage_find(struct router *r, struct passage *pass, const struct router_key *key,
                         int64_t now_ns)
{
    if (key && key->conn) {
        pass->conn = key->conn;
        pass->direction = key->direction;
        pass->keyed = false;
    } else {
        if (key) {
            pass->tuple = key->tuple;
            pass->hash = key->hash;
            pass->keyed = true;
        } else {
            passage_key(r, pass);
        }
        pass->conn = conn_find(r->conns, &pass->tuple, pass->hash, &pass->direction);
    }
    if (pass->conn && pass->conn->expires_ns <= now_ns) {
        conn_end(r, pass->conn);
        pass->conn = NULL;
    }
}

void passage_track(struct router *r, struct passage *pass, const struct router_key *key,
                   int64_t now_ns)
{
    if (pass->packet->flags & PACKET_ICMP_ERROR) {
        find_related(r, pass, now_ns);
        return;
    }
    passage_find(r, pass, key, now_ns);
    if (pass->conn && !(pass->conn->flags & CONN_KILLED)) {
        track_follow(r, pass, now_ns);
        return;
    }
    pass->direction = 0;
    pass->revive = pass->conn != NULL;
    track_begin(r, pass);
}

/* The packet as routing sees it: an answer has its LAN address back. */
void passage_translate_back(struct passage *pass)
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
        if (is_icmp(p->inner.protocol))
            p->inner.icmp_id = c->orig.sport;
        else if (packet_protocol_has_ports(p->inner.protocol))
            p->inner.sport = c->orig.sport;
    } else if (is_icmp(p->protocol)) {
        p->icmp_id = c->orig.sport;
    } else if (packet_protocol_has_ports(p->protocol)) { /* an SPI stays */
        p->dport = c->orig.sport;
    }
    pass->packet = p;
}
