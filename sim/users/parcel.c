#include <string.h>

#include "sim/users/users_parts.h"

enum {
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    QUIC_FIRST_BYTES = 1200,
    WINDOW = 65535,
    TTL = 64
};

static uint8_t tcp_flags_of(const struct parcel *p)
{
    switch ((enum parcel_kind)p->kind) {
    case PARCEL_OPEN: return TCP_SYN;
    case PARCEL_ACCEPT: return TCP_SYN | TCP_ACK;
    case PARCEL_CLOSE: return TCP_FIN | TCP_ACK;
    case PARCEL_RESET: return TCP_RST | TCP_ACK;
    case PARCEL_DATA:
    case PARCEL_BEAT: break;
    }
    return p->segment.push && p->segment.bytes ? TCP_ACK | TCP_PSH : TCP_ACK;
}

/* Where each side begins to count. */
static uint32_t first_sequence(const struct connection *c, unsigned direction)
{
    return c->serial * 2654435761u ^ (direction == UP ? 0 : 0x5bd1e995u);
}

static void fill_tcp(const struct connection *c, const struct parcel *p, struct packet *q)
{
    q->protocol = PROTO_TCP;
    q->transport_bytes = TCP_HEADER;
    q->tcp_flags = tcp_flags_of(p);
    q->tcp_window = WINDOW;
    q->tcp_seq = first_sequence(c, p->direction);
    if (p->kind != PARCEL_OPEN && p->kind != PARCEL_ACCEPT)
        q->tcp_seq += 1 + (uint32_t)p->segment.from;
    if (p->kind != PARCEL_OPEN)
        q->tcp_ack = first_sequence(c, !p->direction) + 1 + (uint32_t)p->ack.all;
}

/* The packet as the LAN sees it. */
static struct packet packet_of(const struct users *u, const struct lane *l,
                               const struct parcel *p)
{
    const struct connection *c = &l->connection;
    const struct addr *host = users_host(u, l);
    struct packet q = {.ttl = TTL, .payload_bytes = p->segment.bytes};

    if (l->carrier == CARRIER_TCP) {
        fill_tcp(c, p, &q);
    } else {
        q.protocol = PROTO_UDP;
        q.transport_bytes = UDP_HEADER;
        if (p->kind == PARCEL_OPEN || p->kind == PARCEL_ACCEPT)
            q.payload_bytes = QUIC_FIRST_BYTES;
    }
    q.next_header = q.protocol;
    q.src = p->direction == UP ? *host : l->server;
    q.dst = p->direction == UP ? l->server : *host;
    q.sport = p->direction == UP ? c->port : u->profile->port;
    q.dport = p->direction == UP ? u->profile->port : c->port;
    if (host->family == FAMILY_V6)
        q.flow_label = first_sequence(c, p->direction) & 0xfffff;
    q.size_bytes =
        q.payload_bytes + q.transport_bytes + (host->family == FAMILY_V6 ? 40 : 20);
    return q;
}

static struct parcel *take_off(struct users *u, const struct parcel *p, int64_t delay_ns)
{
    struct parcel *way = users_parcel(u, u->now_ns + delay_ns + u->config->distance_ns);
    const uint32_t next = way->next;

    *way = *p;
    way->sent_ns = u->now_ns;
    way->next = next;
    return way;
}

void parcel_send_up(struct users *u, struct lane *l, const struct parcel *p)
{
    const struct packet q = packet_of(u, l, p);
    struct sending s;
    struct parcel *way;

    simulation_send_up(u->sim, &q, &s);
    if (s.fate != FATE_DELIVERED) {
        lane_trouble(u, l, reason_names[s.reason]);
    } else if (s.wan < 0) {
        lane_trouble(u, l, "not-by-a-wan");
    } else if (!simulation_wan_takes(u->sim, s.wan, &s.src)) {
        lane_trouble(u, l, "foreign-source");
    } else {
        way = take_off(u, p, s.delay_ns);
        way->from = s.src;
        way->from_port = s.sport;
    }
}

/* Did the router send it on to this very connection? */
static bool came_to(const struct packet *lan, const struct conn *c)
{
    return c && c->orig.sport == lan->dport && c->orig.dport == lan->sport &&
           memcmp(c->orig.src, lan->dst.bytes, sizeof c->orig.src) == 0;
}

void parcel_send_down(struct users *u, struct lane *l, const struct parcel *p,
                      const struct addr *to, uint16_t to_port)
{
    const struct packet lan = packet_of(u, l, p);
    const int wan = simulation_wan_of_address(u->sim, to);
    struct packet wire = lan;
    struct sending s;

    if (wan < 0) {
        lane_trouble(u, l, "address-gone");
        return;
    }
    wire.dst = *to;
    wire.dport = to_port;
    simulation_send_down(u->sim, &wire, &lan, wan, &s);
    if (s.fate != FATE_DELIVERED)
        lane_trouble(u, l, reason_names[s.reason]);
    else if (came_to(&lan, s.conn))
        take_off(u, p, s.delay_ns);
}
