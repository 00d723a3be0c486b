#include "sim/traffic/demand.h"

#include <stddef.h>

enum { WIRE_PACKET_MAX = 65535 };

unsigned demand_header_bytes(const struct demand *d)
{
    return (d->src.family == FAMILY_V4 ? 20u : 40u) +
           (d->protocol == PROTO_TCP ? 20u : 8u);
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

/* Acknowledgements of its own that one end sends. */
static uint32_t acks_of(uint32_t own_data, uint32_t other_data, unsigned every)
{
    const uint32_t owed = (uint32_t)divide_up(other_data, every);

    return owed > own_data ? owed - own_data : 0;
}

static void way_fill(struct demand_way *w, uint64_t payload, uint32_t chunk)
{
    w->payload_bytes = payload;
    w->chunk_bytes = chunk;
    w->data_packets = (uint32_t)divide_up(payload, chunk);
}

void demand_fill(struct demand *d, uint64_t up, uint64_t down,
                 const struct demand_limits *limits)
{
    const uint32_t chunk = limits->mtu - demand_header_bytes(d);

    way_fill(&d->up, up, chunk);
    way_fill(&d->down, down, chunk);
    if (d->protocol != PROTO_TCP) {
        d->shape = DEMAND_PLAIN;
        if (d->up.data_packets == 0)
            d->up.data_packets = 1;
        d->up.packets = d->up.data_packets;
        d->down.packets = d->down.data_packets;
        return;
    }
    d->shape = DEMAND_WHOLE;
    d->up.packets = d->up.data_packets + DEMAND_CONTROL_UP +
                    acks_of(d->up.data_packets, d->down.data_packets, limits->ack_every);
    d->down.packets =
        d->down.data_packets + DEMAND_CONTROL_DOWN +
        acks_of(d->down.data_packets, d->up.data_packets, limits->ack_every);
}

/* Payload into `packets` packets of which the control packets have none. */
static const char *way_fit(struct demand_way *w, const struct demand *d,
                           const struct demand_counts *c, uint32_t control)
{
    const uint64_t headers = c->packets * demand_header_bytes(d);
    const uint64_t room = c->packets - control;
    uint64_t chunk = 1;

    if (c->bytes < headers)
        return "fewer bytes than the packets' headers";
    w->packets = (uint32_t)c->packets;
    w->payload_bytes = c->bytes - headers;
    if (w->payload_bytes > 0)
        chunk = room ? divide_up(w->payload_bytes, room) : UINT64_MAX;
    if (chunk > WIRE_PACKET_MAX - demand_header_bytes(d))
        return "more bytes than the packets can hold";
    w->data_packets = (uint32_t)room;
    w->chunk_bytes = (uint32_t)chunk;
    return NULL;
}

/* TCP data fills its packets; the others are acknowledgements. */
static void way_acknowledge(struct demand_way *w, uint32_t full)
{
    if (w->chunk_bytes < full)
        w->chunk_bytes = full;
    w->data_packets = (uint32_t)divide_up(w->payload_bytes, w->chunk_bytes);
}

/* Is there room for the beginning and the end beside the payload? */
static enum demand_shape shape_of(const struct demand *d, const struct demand_counts *up,
                                  const struct demand_counts *down)
{
    const unsigned header = demand_header_bytes(d);
    struct demand_way scratch;

    if (d->protocol != PROTO_TCP)
        return DEMAND_PLAIN;
    if (down->packets == 0 && up->bytes == up->packets * header)
        return DEMAND_SYN;
    if (up->packets < DEMAND_CONTROL_UP || down->packets < DEMAND_CONTROL_DOWN ||
        way_fit(&scratch, d, up, DEMAND_CONTROL_UP) ||
        way_fit(&scratch, d, down, DEMAND_CONTROL_DOWN))
        return DEMAND_PLAIN;
    return DEMAND_WHOLE;
}

bool demand_fit(struct demand *d, const struct demand_counts *up,
                const struct demand_counts *down, const char **wrong)
{
    enum { FULL = 1460 }; /* payload of a full packet by Ethernet's MTU */
    bool whole;

    if (up->packets > DEMAND_PACKETS_MAX / 2 || down->packets > DEMAND_PACKETS_MAX / 2) {
        *wrong = "more packets than 2147483647";
        return false;
    }
    if (up->packets + down->packets == 0) {
        *wrong = "no packets";
        return false;
    }
    d->shape = (uint8_t)shape_of(d, up, down);
    whole = d->shape == DEMAND_WHOLE;
    *wrong = way_fit(&d->up, d, up, whole ? DEMAND_CONTROL_UP : 0);
    if (!*wrong)
        *wrong = way_fit(&d->down, d, down, whole ? DEMAND_CONTROL_DOWN : 0);
    if (*wrong)
        return false;
    if (d->protocol == PROTO_TCP) {
        way_acknowledge(&d->up, FULL);
        way_acknowledge(&d->down, FULL);
    }
    return true;
}

uint64_t demand_way_bytes(const struct demand *d, const struct demand_way *w)
{
    return w->payload_bytes + (uint64_t)w->packets * demand_header_bytes(d);
}

uint64_t demand_bytes(const struct demand *d)
{
    return demand_way_bytes(d, &d->up) + demand_way_bytes(d, &d->down);
}
