#include "sim/traffic/pacing.h"

#include <assert.h>

#include "core/random.h"

enum {
    TTL_HOST = 64,
    TTL_SERVER = 56, /* 64 less a path of eight routers */
    ETHERNET_BYTES = 14,
    WINDOW = 65535,
    OPENING = 3, /* packets of a whole connection before its middle, and behind it */
    CLOSING = 3,
};
_Static_assert(OPENING + CLOSING == DEMAND_CONTROL_UP + DEMAND_CONTROL_DOWN, "control");

/* --------------------------------------------------------------------------------- times */

/* First sequence numbers and flow labels: any will do, of the connection's own. */
static void ways_init(struct pacing *p)
{
    struct random_stream own = {(p->demand.key ^ (uint64_t)p->demand.start_ns)};
    const uint64_t labels = random_next(&own), numbers = random_next(&own);

    p->up = (struct way_state){
        .payload_left = p->demand.up.payload_bytes,
        .seq = (uint32_t)numbers,
        .flow_label = (labels & 0xfffff) ? labels & 0xfffff : 1,
    };
    p->down = (struct way_state){
        .payload_left = p->demand.down.payload_bytes,
        .seq = (uint32_t)(numbers >> 32),
        .flow_label = (labels >> 32 & 0xfffff) ? labels >> 32 & 0xfffff : 1,
    };
}

void pacing_begin(struct pacing *p, const struct demand *d)
{
    const uint64_t gaps = pacing_packets(d) - 1;

    *p = (struct pacing){.demand = *d};
    ways_init(p);
    if (!gaps)
        return;
    p->step_ns = (uint64_t)d->duration_ns / gaps;
    p->rest_ns = (uint64_t)d->duration_ns % gaps;
}

int64_t pacing_time(const struct pacing *p, uint32_t k)
{
    const uint64_t gaps = pacing_packets(&p->demand) - 1;

    return p->demand.start_ns +
           (int64_t)(k * p->step_ns + (gaps ? k * p->rest_ns / gaps : 0));
}

uint32_t pacing_count_before(const struct pacing *p, int64_t time_ns)
{
    uint32_t low = 0, high = pacing_packets(&p->demand);

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (pacing_time(p, middle) < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* -------------------------------------------------------------------------------- mixing */

/* Two kinds of packets, evenly mixed: is it the first kind's turn? `tie`: at equal parts. */
static bool is_turn(uint64_t sent, uint64_t all, uint64_t other_sent, uint64_t other_all,
                    bool tie)
{
    if (sent == all || other_sent == other_all)
        return sent < all;
    return sent * other_all < other_sent * all ||
           (tie && sent * other_all == other_sent * all);
}

/* The place in the mixture of the first kind's packet number `i`, of `all`, from 0. */
static uint64_t place_in_mix(uint64_t i, uint64_t all, uint64_t other_all, bool tie)
{
    if (!all || !other_all)
        return i;
    return i + (tie ? (i * other_all + all - 1) / all : i * other_all / all + 1);
}

/* How many of the first `mixed` packets are of the first kind: what is_turn() comes to. */
static uint64_t turns_among(uint64_t mixed, uint64_t all, uint64_t other_all, bool tie)
{
    uint64_t i;

    if (!all || !other_all)
        return all ? mixed : 0;
    i = mixed * all / (all + other_all);
    while (i < all && place_in_mix(i, all, other_all, tie) < mixed)
        i++;
    while (i > 0 && place_in_mix(i - 1, all, other_all, tie) >= mixed)
        i--;
    return i;
}

/* ---------------------------------------------------------------------------- passing over */

static uint32_t control_of(const struct demand *d, bool up)
{
    if (d->shape != DEMAND_WHOLE)
        return 0;
    return up ? DEMAND_CONTROL_UP : DEMAND_CONTROL_DOWN;
}

/* Packets of the middle that one direction sends. */
static uint32_t middle_of(const struct demand *d, bool up)
{
    return (up ? d->up.packets : d->down.packets) - control_of(d, up);
}

/* Is it the initiator that begins the middle, where both are due? */
static bool begins_up(const struct demand *d)
{
    return d->up.data_packets > 0 || !d->down.data_packets;
}

void pacing_middle(const struct pacing *p, uint32_t *first, uint32_t *end)
{
    const bool whole = p->demand.shape == DEMAND_WHOLE;

    *first = whole ? OPENING : 0;
    *end = pacing_packets(&p->demand) - (whole ? CLOSING : 0);
}

/* One direction has sent so many packets of its middle; tells the bytes of IP of what is new. */
static uint64_t way_skip(struct pacing *p, bool up, uint32_t sent)
{
    const struct demand *d = &p->demand;
    const struct demand_way *w = up ? &d->up : &d->down;
    struct way_state *own = up ? &p->up : &p->down;
    const uint32_t acks = middle_of(d, up) - w->data_packets;
    const uint64_t data = turns_among(sent, w->data_packets, acks, true);
    const uint64_t full = data * w->chunk_bytes;
    const uint64_t left = full < w->payload_bytes ? w->payload_bytes - full : 0;
    const uint64_t payload = own->payload_left - left;
    const uint64_t bytes =
        payload + (uint64_t)(sent - own->sent) * demand_header_bytes(d);

    own->payload_left = left;
    own->sent = sent;
    own->data_sent = (uint32_t)data;
    if (d->shape != DEMAND_SYN)
        own->seq += (uint32_t)payload;
    return bytes;
}

void pacing_skip(struct pacing *p, uint32_t k, struct pacing_passed *out)
{
    const struct demand *d = &p->demand;
    uint32_t first, end, up, down;

    pacing_middle(p, &first, &end);
    assert(p->sent >= first && k >= p->sent && k <= end);
    up = (uint32_t)turns_among(k - first, middle_of(d, true), middle_of(d, false),
                               begins_up(d));
    down = k - first - up;
    out->packets[0] = up - p->up.sent;
    out->packets[1] = down - p->down.sent;
    out->bytes[0] = way_skip(p, true, up);
    out->bytes[1] = way_skip(p, false, down);
    p->sent = k;
}

/* How many packets of the middle went this way before `k`. */
static uint32_t of_way(const struct pacing *p, uint32_t k, bool up)
{
    const struct demand *d = &p->demand;
    uint32_t first, end, ups;

    pacing_middle(p, &first, &end);
    ups = (uint32_t)turns_among(k - first, middle_of(d, true), middle_of(d, false),
                                begins_up(d));
    return up ? ups : k - first - ups;
}

/* The place of the way's packet number `i` among all. */
static uint32_t place_of(const struct pacing *p, uint32_t i, bool up)
{
    const struct demand *d = &p->demand;
    uint32_t first, end;

    pacing_middle(p, &first, &end);
    return first + (uint32_t)place_in_mix(i, middle_of(d, up), middle_of(d, !up),
                                          begins_up(d) == up);
}

uint32_t pacing_next_of_way(const struct pacing *p, uint32_t k, bool up)
{
    const uint32_t i = of_way(p, k, up);
    uint32_t first, end;

    pacing_middle(p, &first, &end);
    return i < middle_of(&p->demand, up) ? place_of(p, i, up) : end;
}

uint32_t pacing_last_of_way(const struct pacing *p, uint32_t k, bool up)
{
    const uint32_t i = of_way(p, k, up);

    return i ? place_of(p, i - 1, up) : k;
}

/* ------------------------------------------------------------------------------- packets */

/* A packet of the one direction; `control`: beginning or end, without payload. */
static void put_packet(struct pacing *p, bool up, uint8_t flags, bool control,
                       struct captured *out)
{
    const struct demand *d = &p->demand;
    const struct demand_way *w = up ? &d->up : &d->down;
    struct way_state *own = up ? &p->up : &p->down;
    const struct way_state *other = up ? &p->down : &p->up;
    const uint32_t acks = middle_of(d, up) - w->data_packets;
    const bool v4 = d->src.family == FAMILY_V4, tcp = d->protocol == PROTO_TCP;
    uint32_t payload = 0;

    if (!control) {
        if (is_turn(own->data_sent, w->data_packets, own->sent - own->data_sent, acks,
                    true)) {
            payload = own->payload_left < w->chunk_bytes ? (uint32_t)own->payload_left
                                                         : w->chunk_bytes;
            own->data_sent++;
        }
        own->sent++;
        own->payload_left -= payload;
    }
    out->kind = FRAME_IP;
    out->packet = (struct packet){
        .src = up ? d->src : d->dst,
        .dst = up ? d->dst : d->src,
        .size_bytes = demand_header_bytes(d) + payload,
        .flow_label = v4 ? 0 : own->flow_label,
        .sport = up ? d->sport : d->dport,
        .dport = up ? d->dport : d->sport,
        .protocol = d->protocol,
        .next_header = d->protocol,
        .ttl = up ? TTL_HOST : TTL_SERVER,
        .transport_bytes = tcp ? 20 : 8,
        .fragment_id = v4 ? (own->flow_label + p->sent) & 0xffff : 0,
        .payload_bytes = payload,
    };
    out->frame_bytes = out->packet.size_bytes + ETHERNET_BYTES;
    if (!tcp)
        return;
    out->packet.tcp_flags = flags;
    out->packet.tcp_window = WINDOW;
    out->packet.tcp_seq = own->seq;
    out->packet.tcp_ack = flags & TCP_ACK ? other->seq : 0;
    if (d->shape != DEMAND_SYN)
        own->seq += payload + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

/* A packet that belongs neither to the beginning nor to the end. */
static void put_middle(struct pacing *p, struct captured *out)
{
    const struct demand *d = &p->demand;
    const bool up = is_turn(p->up.sent, middle_of(d, true), p->down.sent,
                            middle_of(d, false), begins_up(d));

    put_packet(p, up, TCP_ACK, false, out);
}

static void put_whole(struct pacing *p, struct captured *out)
{
    const uint32_t to_go = pacing_packets(&p->demand) - p->sent;

    if (p->sent == 0)
        put_packet(p, true, TCP_SYN, true, out);
    else if (p->sent == 1)
        put_packet(p, false, TCP_SYN | TCP_ACK, true, out);
    else if (p->sent == 2 || to_go == 1)
        put_packet(p, true, TCP_ACK, true, out);
    else if (to_go == 3)
        put_packet(p, true, TCP_FIN | TCP_ACK, true, out);
    else if (to_go == 2)
        put_packet(p, false, TCP_FIN | TCP_ACK, true, out);
    else
        put_middle(p, out);
}

void pacing_emit(struct pacing *p, struct captured *out)
{
    out->time_ns = pacing_time(p, p->sent);
    switch ((enum demand_shape)p->demand.shape) {
    case DEMAND_WHOLE: put_whole(p, out); break;
    case DEMAND_SYN: put_packet(p, true, TCP_SYN, true, out); break;
    case DEMAND_PLAIN: put_middle(p, out); break;
    }
    p->sent++;
}
