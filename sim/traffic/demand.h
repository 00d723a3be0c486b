/*
 * demand - one connection that somebody wants to have: who, when, how much, in how many packets
 *
 *     flowgen ─┐                       ┌─ pacer: packets
 *              ├─ demands, by start ──▶┤
 *     flow list┘                       └─ or whatever else carries bytes
 *
 * Bytes are of two kinds: payload, and the headers that its packets add. What a direction sends
 * is its packets' headers and its payload, no more and no less: demand_bytes().
 *
 * How a connection is put into packets:
 *     whole     TCP with both ends seen: SYN, SYN+ACK, ACK; data; FIN, FIN+ACK, ACK
 *     syn       TCP that nobody answered: SYNs
 *     plain     UDP, and TCP of which neither begin nor end is seen
 *
 *     up    SYN   ACK data ack data ack ... FIN   ACK
 *     down   SYN+ACK   data data ack data ...  FIN+ACK
 *
 * Data packets are as full as the MTU lets them, the last has what is left. A TCP end sends an
 * acknowledgement of its own for every `ack_every` data packets of the other, less those
 * that its own data packets carry. UDP, also QUIC, has none.
 */
#ifndef ECMPLAB_DEMAND_H
#define ECMPLAB_DEMAND_H

#include <stdbool.h>

#include "core/packet.h"

enum demand_shape { DEMAND_WHOLE, DEMAND_SYN, DEMAND_PLAIN };

enum {
    DEMAND_CONTROL_UP = 4, /* of a whole connection: SYN, ACK, FIN, ACK */
    DEMAND_CONTROL_DOWN = 2,
    DEMAND_MTU_MIN_V4 = 576, /* RFC 791: what every host takes; RFC 8200 */
    DEMAND_MTU_MIN_V6 = 1280,
};

/* Packets of one demand, and the payload of one direction: at most. */
#define DEMAND_PACKETS_MAX UINT32_MAX
#define DEMAND_BYTES_MAX   (INT64_C(1) << 40)

/* One direction. */
struct demand_way {
    uint64_t payload_bytes;
    uint32_t packets;      /* with control packets and acknowledgements */
    uint32_t data_packets; /* of them: those with payload, or that could have had some */
    uint32_t chunk_bytes;  /* payload of a full packet */
};

struct demand {
    int64_t start_ns, duration_ns; /* first packet; from there to the last */
    struct addr src, dst;          /* who begins; on the LAN that is the host */
    uint16_t sport, dport;
    uint8_t protocol;           /* PROTO_TCP, PROTO_UDP */
    uint8_t shape;              /* enum demand_shape */
    struct demand_way up, down; /* from src; from dst */
    uint64_t key;               /* of the 5-tuple (livetuples.h); 0: not kept */
};

struct demand_limits {
    unsigned mtu; /* bytes of the largest IP packet */
    unsigned ack_every;
};

/* Of one of its packets: IP and transport header, without options. */
unsigned demand_header_bytes(const struct demand *d);

/*
 * Protocol and addresses are set: put `up` and `down` bytes of payload into packets. UDP that
 * has any payload begins with a packet up, if need be an empty one.
 */
void demand_fill(struct demand *d, uint64_t up, uint64_t down,
                 const struct demand_limits *limits);

/*
 * The same when bytes on the wire and packets of both directions are known. False: `wrong` says
 * why so many packets cannot hold so many bytes.
 */
struct demand_counts {
    uint64_t bytes, packets;
};
bool demand_fit(struct demand *d, const struct demand_counts *up,
                const struct demand_counts *down, const char **wrong);

/* On the wire, both headers and payload. */
uint64_t demand_bytes(const struct demand *d);
uint64_t demand_way_bytes(const struct demand *d, const struct demand_way *w);

/*
 * Where demands come from, in order of start. `begin` and `take` take turns: what is live is
 * only known when the time of the next one has come.
 */
struct demand_source {
    /* 1: the next one begins at *start_ns; 0: there is none any more. */
    int (*begin)(void *context, int64_t *start_ns);
    /* That one. False: it cannot be had, error() says why. */
    bool (*take)(void *context, struct demand *d);
    /* It is over: its ports may be used again. */
    void (*ended)(void *context, const struct demand *d);
    const char *(*error)(const void *context);
    void *context;
};

#endif
