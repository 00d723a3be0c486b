#include "core/router_parts.h"

#include <string.h>

void router_key(const struct router *r, const struct packet *p, bool answered,
                struct router_key *key)
{
    struct tuple t;

    key->conn = NULL;
    key->direction = 0;
    tuple_of_packet(p, &key->tuple);
    if (answered) {
        tuple_reverse(&key->tuple, &t);
        key->tuple = t;
    }
    key->hash = conn_hash(r->conns, &key->tuple);
}

/* The connection that an answer seen on the LAN belongs to: its request was direction 0. */
static struct conn *find_answered(const struct router *r, const struct packet *p,
                                  const struct router_key *key)
{
    struct tuple quoted;
    unsigned direction;
    struct conn *c;

    if (p->flags & PACKET_ICMP_ERROR) {
        if (!(p->flags & PACKET_HAS_INNER))
            return NULL;
        tuple_of_inner(p, &quoted);
        c = conn_find(r->conns, &quoted, conn_hash(r->conns, &quoted), &direction);
    } else {
        c = conn_find(r->conns, &key->tuple, key->hash, &direction);
    }
    return c && direction == 0 ? c : NULL;
}

/* The connection that the packet itself continues: one that began outside. */
static struct conn *find_begun_outside(const struct router *r, const struct packet *p)
{
    struct tuple t;
    unsigned direction;
    struct conn *c;

    if (p->flags & PACKET_ICMP_ERROR)
        return NULL;
    tuple_of_packet(p, &t);
    c = conn_find(r->conns, &t, conn_hash(r->conns, &t), &direction);
    return c && direction == 0 ? c : NULL;
}

/* As it was before a router passed it on. */
static void packet_copy(struct packet *to, const struct packet *from)
{
    if (from->flags & PACKET_HAS_INNER)
        *to = *from;
    else
        memcpy(to, from, offsetof(struct packet, inner));
    if (to->ttl < UINT8_MAX)
        to->ttl++; /* the router that was captured has lowered it */
}

/* Undo what the router will do to an answer: it is addressed to the public source. */
static void untranslate(struct packet *wire, const struct conn *c)
{
    wire->dst =
        c->orig.family == FAMILY_V4 ? addr_from_v4(c->nat_src) : addr_from_v6(c->nat_src);
    if (wire->flags & PACKET_ICMP_ERROR) {
        wire->inner.src = wire->dst;
        if (is_icmp(wire->inner.protocol))
            wire->inner.icmp_id = c->nat_sport;
        else if (packet_protocol_has_ports(wire->inner.protocol))
            wire->inner.sport = c->nat_sport;
    } else if (is_icmp(wire->protocol)) {
        wire->icmp_id = c->nat_sport;
    } else if (packet_protocol_has_ports(wire->protocol)) { /* an SPI stays */
        wire->dport = c->nat_sport;
    }
}

struct conn *router_find_wire(const struct router *r, const struct packet *p,
                              const struct router_key *key, int64_t now_ns,
                              struct packet *wire, int *in_iface)
{
    struct router_key own;
    struct conn *c;

    if (!key) {
        router_key(r, p, true, &own);
        key = &own;
    }
    c = find_answered(r, p, key);
    if (!c) {
        c = find_begun_outside(r, p);
        if (!c || c->expires_ns <= now_ns || c->iface_in == NEXTHOP_NONE)
            return NULL;
        packet_copy(wire, p);
        *in_iface = c->iface_in;
        return c;
    }
    if (c->expires_ns <= now_ns || c->iface_out == NEXTHOP_NONE)
        return NULL;
    packet_copy(wire, p);
    *in_iface = c->iface_out;
    if (c->flags & CONN_NATED)
        untranslate(wire, c);
    return c;
}
