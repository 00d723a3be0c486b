/*
 * packet - what the router needs to know of a packet, and how it is read from bytes
 *
 *     bytes of an IP packet ── packet_dissect() ──▶ struct packet ──▶ router_forward()
 *
 * Dissection follows the Linux flow dissector where the multipath hash depends on it:
 * which protocols have ports, what a fragment hides, how far tunnels are looked into.
 * Sources: RFC 791, 8200, 792, 4443, 2784; Linux __skb_flow_dissect(),
 * ip_multipath_l3_keys().
 */
#ifndef ECMPLAB_PACKET_H
#define ECMPLAB_PACKET_H

#include "core/addr.h"

enum packet_protocol {
    PROTO_HOPOPT = 0,
    PROTO_ICMP = 1,
    PROTO_IGMP = 2,
    PROTO_IPIP = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_DCCP = 33,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NONE = 59,
    PROTO_DSTOPTS = 60,
    PROTO_SCTP = 132,
    PROTO_UDPLITE = 136,
};

enum tcp_flag {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
};

enum { TCP_SCALE_MAX = 14 };

enum { ICMPV6_ECHO = 128, ICMPV6_NODE_QUERY = 139 }; /* the answer's type is one more */

enum packet_flag {
    PACKET_FRAGMENT = 1,       /* any part of a fragmented datagram, or an atomic one */
    PACKET_LATER_FRAGMENT = 2, /* not the first: carries no ports */
    PACKET_MORE_FRAGMENTS = 4,
    PACKET_ICMP_ERROR = 8,     /* with PACKET_HAS_INNER `inner` is the packet it quotes */
    PACKET_HAS_INNER = 16,     /* `inner` is valid */
    PACKET_PORTS_CUT = 32,     /* the capture or the packet ends inside the ports, or the
                                * first bytes of TCP or ICMP; what is missing is then 0 */
    PACKET_ENCAPSULATED = 64,  /* a tunnel header that the kernel looks behind; with
                                * PACKET_HAS_INNER what it found there is in `inner` */
};

/*
 * The fields of a packet inside another one: quoted by an ICMP error, or tunnelled (then
 * the innermost that could be read). A tunnelled fragment has no ports, as in the
 * kernel's hash.
 */
struct packet_inner {
    struct addr src, dst;
    uint32_t flow_label;   /* tunnelled IPv6 without one has that of the IPv6 around it */
    uint16_t sport, dport; /* as in struct packet */
    uint8_t protocol;      /* behind IPv6 extension headers */
    uint8_t next_header;   /* of the fixed IPv6 header; = protocol for IPv4 */
    uint8_t icmp_type, icmp_code;
    uint16_t icmp_id;      /* of echo and other queries */
};

struct packet {
    struct addr src, dst;
    uint32_t size_bytes; /* the whole IP packet as it was on the wire */
    uint32_t flow_label; /* IPv6, 20 bits; else 0 */
    uint32_t mark;       /* Linux fwmark or RouterOS routing mark (index + 1); 0 = none */
    /* Host order. TCP, UDP, UDP-Lite, SCTP, DCCP: the ports. ESP, AH: the SPI's halves, as
     * the kernel hashes it. First fragments keep them, for connection tracking. */
    uint16_t sport, dport;
    uint16_t icmp_id;    /* of echo and other queries */
    /* Behind IPv6 extension headers; of fragments what the fragment header names. */
    uint8_t protocol;
    uint8_t next_header; /* of the fixed IPv6 header; = protocol for IPv4 */
    uint8_t tos;         /* the whole TOS or traffic class byte */
    uint8_t ttl;
    uint8_t icmp_type, icmp_code;
    uint8_t tcp_flags;   /* enum tcp_flag */
    uint8_t flags;       /* enum packet_flag */
    uint16_t tcp_window;
    uint16_t fragment_offset; /* in bytes / 8 */
    uint8_t transport_bytes;  /* the transport header's length, 0 when it has none */
    uint8_t tcp_scale;        /* of a SYN: the window scale that it offers, plus 1; 0: none */
    uint32_t fragment_id;     /* IPv4: set in every packet */
    uint32_t tcp_seq, tcp_ack;
    uint32_t payload_bytes;    /* behind the transport header; fragments: the IP header */
    struct packet_inner inner; /* only with PACKET_HAS_INNER */
};

enum dissect_result {
    DISSECT_OK,
    DISSECT_NOT_IP,    /* the version nibble is neither 4 nor 6 */
    DISSECT_MALFORMED, /* lengths contradict each other */
    DISSECT_TRUNCATED, /* the capture ends inside the headers that routing needs */
};

/*
 * Read one IP packet. `captured` bytes are at hand, `wire` bytes were on the wire (at
 * least `captured`; more when the capture cut frames). `mark` is set to 0; `inner` is not
 * cleared and means nothing without PACKET_HAS_INNER. Reads nothing behind bytes +
 * captured.
 *
 * Lengths:
 *   1. the IP header's length is the packet's; what follows it is Ethernet padding,
 *      unread
 *   2. a length of 0 takes `wire` (segmentation offload, jumbograms), except that IPv6
 *      with next header 59 is as empty as it says
 *   3. a length beyond `wire` is accepted (offload again, cut captures): the headers
 *      count
 *   4. a length below the header's own is malformed
 * The fixed header with its IPv4 options, and the IPv6 extension headers, must be at
 * hand: cut by the capture they make DISSECT_TRUNCATED. Extension headers that the packet
 * itself ends in leave the last one as `protocol`, as the kernel does. Checksums are not
 * looked at: captures at the sender have wrong ones.
 */
enum dissect_result packet_dissect(const uint8_t *bytes, size_t captured, size_t wire,
                                   struct packet *p);

/* Does connection tracking see ports in it (TCP, UDP, UDP-Lite, SCTP, DCCP)? */
bool packet_protocol_has_ports(uint8_t protocol);

/*
 * "tcp", "udp", "icmp", ...; a number as text into buf (4 bytes) for others. The names
 * are those of RouterOS, so 4 is "ipencap" and "ipip" is 94.
 */
const char *packet_protocol_name(uint8_t protocol, char *buf);

/* From a name or alias in any case, or a decimal number 0..255; else false. */
bool packet_protocol_parse(const char *text, uint8_t *protocol);

#endif
