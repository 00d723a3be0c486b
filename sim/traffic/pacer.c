#include "sim/traffic/pacer.h"

#include <stdio.h>

#include "core/memory.h"
#include "core/random.h"
#include "sim/timeline/heap.h"

enum {
    TTL_HOST = 64,
    TTL_SERVER = 56, /* 64 less a path of eight routers */
    ETHERNET_BYTES = 14,
    WINDOW = 65535,
};

/* What one direction has sent. */
struct way_state {
    uint64_t payload_left;
    uint32_t sent, data_sent; /* packets, of them data; without control packets */
    uint32_t seq;             /* the next one */
    uint32_t flow_label;
};

struct live {
    struct demand demand;
    struct way_state up, down;
    uint64_t step_ns, rest_ns; /* duration = step (n - 1) + rest */
    uint32_t sent;
    uint32_t next_free; /* of a dead one: index + 1 */
};

_Static_assert(sizeof(struct live) <= 256, "a million connections in 256 MB");

struct pacer {
    struct demand_source source;
    struct live *live;
    size_t live_len, live_cap, live_count;
    uint32_t free; /* index + 1 of the first dead one; 0: none */
    struct heap heap;
    bool failed;
    char error[320];
};

struct pacer *pacer_create(const struct demand_source *source)
{
    struct pacer *p = mem_alloc(1, sizeof *p);

    p->source = *source;
    return p;
}

void pacer_destroy(struct pacer *p)
{
    if (!p)
        return;
    mem_free(p->live);
    heap_free(&p->heap);
    mem_free(p);
}

const char *pacer_error(const struct pacer *p)
{
    return p->error;
}

size_t pacer_live(const struct pacer *p)
{
    return p->live_count;
}

/* --------------------------------------------------------------------------- connections */

static uint32_t packets_of(const struct demand *d)
{
    return d->up.packets + d->down.packets;
}

/* First sequence numbers and flow labels: any will do, of the connection's own. */
static void ways_init(struct live *l)
{
    struct random_stream own = {(l->demand.key ^ (uint64_t)l->demand.start_ns)};
    const uint64_t labels = random_next(&own), numbers = random_next(&own);

    l->up = (struct way_state){
        .payload_left = l->demand.up.payload_bytes,
        .seq = (uint32_t)numbers,
        .flow_label = (labels & 0xfffff) ? labels & 0xfffff : 1,
    };
    l->down = (struct way_state){
        .payload_left = l->demand.down.payload_bytes,
        .seq = (uint32_t)(numbers >> 32),
        .flow_label = (labels >> 32 & 0xfffff) ? labels >> 32 & 0xfffff : 1,
    };
}

static uint32_t slot_take(struct pacer *p)
{
    uint32_t i = p->free;

    if (i) {
        p->free = p->live[i - 1].next_free;
        return i - 1;
    }
    p->live = mem_grow(p->live, &p->live_cap, p->live_len + 1, sizeof *p->live);
    return (uint32_t)p->live_len++;
}

static void live_add(struct pacer *p, const struct demand *d)
{
    const uint32_t i = slot_take(p);
    struct live *l = &p->live[i];
    const uint64_t gaps = packets_of(d) - 1;

    *l = (struct live){.demand = *d};
    ways_init(l);
    if (gaps) {
        l->step_ns = (uint64_t)d->duration_ns / gaps;
        l->rest_ns = (uint64_t)d->duration_ns % gaps;
    }
    p->live_count++;
    heap_push(&p->heap, d->start_ns, 0, i);
}

static void live_end(struct pacer *p, uint32_t i)
{
    p->source.ended(p->source.context, &p->live[i].demand);
    p->live[i].next_free = p->free;
    p->free = i + 1;
    p->live_count--;
}

static int64_t time_of(const struct live *l, uint32_t k)
{
    const uint64_t gaps = packets_of(&l->demand) - 1;

    return l->demand.start_ns +
           (int64_t)(k * l->step_ns + (gaps ? k * l->rest_ns / gaps : 0));
}

/* Two kinds of packets, evenly mixed: is it the first kind's turn? `tie`: at equal parts. */
static bool is_turn(uint64_t sent, uint64_t all, uint64_t other_sent, uint64_t other_all,
                    bool tie)
{
    if (sent == all || other_sent == other_all)
        return sent < all;
    return sent * other_all < other_sent * all ||
           (tie && sent * other_all == other_sent * all);
}

/* ------------------------------------------------------------------------------- packets */

/* A packet of the one direction; `control`: beginning or end, without payload. */
static void put_packet(struct live *l, bool up, uint8_t flags, bool control,
                       struct captured *out)
{
    const struct demand *d = &l->demand;
    const struct demand_way *w = up ? &d->up : &d->down;
    struct way_state *own = up ? &l->up : &l->down;
    const struct way_state *other = up ? &l->down : &l->up;
    const uint32_t acks =
        w->packets - w->data_packets -
        (d->shape == DEMAND_WHOLE ? (up ? DEMAND_CONTROL_UP : DEMAND_CONTROL_DOWN) : 0);
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
        .fragment_id = v4 ? (own->flow_label + l->sent) & 0xffff : 0,
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
static void put_middle(struct live *l, struct captured *out)
{
    const struct demand *d = &l->demand;
    const bool whole = d->shape == DEMAND_WHOLE;
    const uint32_t up_all = d->up.packets - (whole ? DEMAND_CONTROL_UP : 0);
    const uint32_t down_all = d->down.packets - (whole ? DEMAND_CONTROL_DOWN : 0);
    const bool up = is_turn(l->up.sent, up_all, l->down.sent, down_all,
                            d->up.data_packets > 0 || !d->down.data_packets);

    put_packet(l, up, TCP_ACK, false, out);
}

static void put_whole(struct live *l, struct captured *out)
{
    const uint32_t to_go = packets_of(&l->demand) - l->sent;

    if (l->sent == 0)
        put_packet(l, true, TCP_SYN, true, out);
    else if (l->sent == 1)
        put_packet(l, false, TCP_SYN | TCP_ACK, true, out);
    else if (l->sent == 2 || to_go == 1)
        put_packet(l, true, TCP_ACK, true, out);
    else if (to_go == 3)
        put_packet(l, true, TCP_FIN | TCP_ACK, true, out);
    else if (to_go == 2)
        put_packet(l, false, TCP_FIN | TCP_ACK, true, out);
    else
        put_middle(l, out);
}

/* The next packet of all. */
static void emit(struct pacer *p, struct captured *out)
{
    struct timer t;
    struct live *l;

    heap_pop(&p->heap, &t);
    l = &p->live[t.index];
    out->time_ns = t.time_ns;
    switch ((enum demand_shape)l->demand.shape) {
    case DEMAND_WHOLE: put_whole(l, out); break;
    case DEMAND_SYN: put_packet(l, true, TCP_SYN, true, out); break;
    case DEMAND_PLAIN: put_middle(l, out); break;
    }
    if (++l->sent < packets_of(&l->demand))
        heap_push(&p->heap, time_of(l, l->sent), 0, t.index);
    else
        live_end(p, t.index);
}

/* ------------------------------------------------------------------------------- reading */

static bool admit(struct pacer *p)
{
    struct demand d;

    if (p->live_count == PACER_LIVE_MAX) {
        snprintf(p->error, sizeof p->error, "more than %d connections live at once",
                 PACER_LIVE_MAX);
        return false;
    }
    if (!p->source.take(p->source.context, &d)) {
        snprintf(p->error, sizeof p->error, "%s", p->source.error(p->source.context));
        return false;
    }
    live_add(p, &d);
    return true;
}

/* What lives and is due by then is heard before a new connection: it may free a port. */
static bool is_due(const struct pacer *p, int64_t start_ns)
{
    const struct timer *first = heap_peek(&p->heap);

    return !first || start_ns < first->time_ns;
}

int pacer_read(struct pacer *p, struct captured *out, unsigned max)
{
    unsigned n = 0;
    int64_t start_ns;

    while (n < max && !p->failed) {
        if (p->source.begin(p->source.context, &start_ns) && is_due(p, start_ns))
            p->failed = !admit(p);
        else if (heap_peek(&p->heap))
            emit(p, &out[n++]);
        else
            break;
    }
    return n == 0 && p->failed ? -1 : (int)n;
}
