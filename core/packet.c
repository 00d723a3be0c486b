#include "core/packet.h"

#include <string.h>

enum { V4_HEADER = 20, V6_HEADER = 40, EXTENSION_UNIT = 8, FRAGMENT_HEADER = 8 };

/* Linux stops after so many headers behind the first (MAX_FLOW_DISSECT_HDRS). */
enum { MAX_HEADERS = 15 };

enum ethertype {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_TEB = 0x6558, /* an Ethernet frame */
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_PPP = 0x880b,
    ETHERTYPE_QINQ = 0x88a8,
};

/* How far reading has come: of `length` bytes, the next header is `protocol` at `at`. */
struct walk {
    const uint8_t *bytes;
    size_t length, at;
    unsigned headers; /* stepped over so far */
    uint8_t protocol;
    bool fragment; /* of the innermost IP header */
    bool more_fragments;
    uint16_t fragment_offset; /* in bytes / 8 */
    uint32_t fragment_id;
};

static inline uint16_t read_16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t read_32(const uint8_t *b)
{
    return (uint32_t)read_16(b) << 16 | read_16(b + 2);
}

/* `count` bytes that lie `skip` behind the walk's place; NULL when not all are there. */
static inline const uint8_t *walk_peek(const struct walk *w, size_t skip, size_t count)
{
    size_t from = w->at + skip;

    return from <= w->length && w->length - from >= count ? w->bytes + from : NULL;
}

bool packet_protocol_has_ports(uint8_t protocol)
{
    return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_UDPLITE ||
           protocol == PROTO_SCTP || protocol == PROTO_DCCP;
}

/* Where the four bytes are that the kernel takes for ports; false when there are none. */
static bool ports_place(uint8_t protocol, size_t *skip)
{
    *skip = protocol == PROTO_AH ? 4 : 0;
    return packet_protocol_has_ports(protocol) || protocol == PROTO_ESP ||
           protocol == PROTO_AH;
}

static bool icmp_is_query(const struct addr *src, uint8_t type)
{
    if (src->family == FAMILY_V6)
        return type == 128 || type == 129 || type == 139 || type == 140;
    return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

static bool icmp_is_error(const struct addr *src, uint8_t type)
{
    if (src->family == FAMILY_V6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool protocol_is_icmp(const struct addr *src, uint8_t protocol)
{
    return protocol == (src->family == FAMILY_V6 ? PROTO_ICMPV6 : PROTO_ICMP);
}

static bool walk_fragment_header(struct walk *w)
{
    const uint8_t *b = walk_peek(w, 0, FRAGMENT_HEADER);

    if (b == NULL)
        return false;
    w->protocol = b[0];
    w->fragment = true;
    w->fragment_offset = read_16(b + 2) >> 3;
    w->more_fragments = b[3] & 1;
    w->fragment_id = read_32(b + 4);
    w->at += FRAGMENT_HEADER;
    return true;
}

/*
 * Step over IPv6 extension headers, up to and with a fragment header. False when the
 * bytes end first; `protocol` is then the header that is cut.
 */
static bool walk_extensions(struct walk *w)
{
    while (w->protocol == PROTO_HOPOPT || w->protocol == PROTO_ROUTING ||
           w->protocol == PROTO_DSTOPTS) {
        const uint8_t *b = walk_peek(w, 0, 2);

        if (b == NULL)
            return false;
        w->protocol = b[0];
        w->at += (b[1] + 1U) * EXTENSION_UNIT;
        if (++w->headers > MAX_HEADERS)
            return true;
    }
    return w->protocol != PROTO_FRAGMENT || walk_fragment_header(w);
}

/* The fields of the IPv4 header at the walk's place; steps behind it. */
static bool inner_read_v4(struct packet_inner *in, struct walk *w)
{
    const uint8_t *b = walk_peek(w, 0, V4_HEADER);
    uint16_t fragment;

    if (b == NULL)
        return false;
    *in = (struct packet_inner){.src = addr_from_v4(b + 12),
                                .dst = addr_from_v4(b + 16),
                                .protocol = b[9],
                                .next_header = b[9]};
    fragment = read_16(b + 6);
    w->more_fragments = (fragment & 0x2000) != 0;
    w->fragment_offset = fragment & 0x1fff;
    w->fragment = w->more_fragments || w->fragment_offset != 0;
    w->protocol = b[9];
    w->at += (b[0] & 15U) * 4U;
    return true;
}

/* The fields of the IPv6 header at the walk's place; steps behind that header alone. */
static bool inner_read_v6(struct packet_inner *in, struct walk *w)
{
    const uint8_t *b = walk_peek(w, 0, V6_HEADER);

    if (b == NULL)
        return false;
    *in = (struct packet_inner){.src = addr_from_v6(b + 8),
                                .dst = addr_from_v6(b + 24),
                                .flow_label = read_32(b) & 0xfffff,
                                .protocol = b[6],
                                .next_header = b[6]};
    w->fragment = w->more_fragments = false;
    w->fragment_offset = 0;
    w->protocol = b[6];
    w->at += V6_HEADER;
    return true;
}

static void inner_read_transport(struct packet_inner *in, const struct walk *w)
{
    const uint8_t *b;
    size_t skip;

    if (ports_place(w->protocol, &skip) && (b = walk_peek(w, skip, 4)) != NULL) {
        in->sport = read_16(b);
        in->dport = read_16(b + 2);
    }
    if (protocol_is_icmp(&in->src, w->protocol) && (b = walk_peek(w, 0, 8)) != NULL) {
        in->icmp_type = b[0];
        in->icmp_code = b[1];
        in->icmp_id = icmp_is_query(&in->src, b[0]) ? read_16(b + 4) : 0;
    }
}

/* The packet that an ICMP error quotes. As in Linux its fixed header is enough. */
static void read_quoted(struct packet *p, struct walk w)
{
    struct packet_inner *in = &p->inner;
    const uint8_t *b = walk_peek(&w, 0, 1);
    bool v6 = p->src.family == FAMILY_V6;

    if (!(v6 ? inner_read_v6(in, &w) : inner_read_v4(in, &w)))
        return;
    p->flags |= PACKET_HAS_INNER;
    if (v6 ? !walk_extensions(&w) : (*b & 15) * 4 < V4_HEADER)
        return;
    in->protocol = w.protocol;
    if (w.fragment_offset == 0)
        inner_read_transport(in, &w);
}

/*
 * Step over a GRE header. False when the kernel does not look behind it: routing bit, a
 * version other than 0 and PPTP's 1, or the bytes end.
 */
static bool walk_gre(struct walk *w, uint16_t *ethertype)
{
    const uint8_t *b = walk_peek(w, 0, 4);
    uint16_t flags;
    size_t skip = 4;

    if (b == NULL)
        return false;
    flags = read_16(b);
    *ethertype = read_16(b + 2);
    if (flags & 0x4000 || (flags & 7) > 1)
        return false;
    if ((flags & 7) == 1 && (*ethertype != ETHERTYPE_PPP || !(flags & 0x2000)))
        return false;

    skip += flags & 0x8000 ? 4 : 0; /* checksum */
    if (flags & 0x2000) {           /* key */
        if (walk_peek(w, skip, 4) == NULL)
            return false;
        skip += 4;
    }
    skip += flags & 0x1000 ? 4 : 0; /* sequence number */

    if ((flags & 7) == 1) {
        skip += flags & 0x0080 ? 4 : 0; /* acknowledgment */
        if ((b = walk_peek(w, skip, 4)) == NULL)
            return false;
        if (read_16(b + 2) == 0x0021)
            *ethertype = ETHERTYPE_IPV4;
        if (read_16(b + 2) == 0x0057)
            *ethertype = ETHERTYPE_IPV6;
        skip += 4;
    } else if (*ethertype == ETHERTYPE_TEB) {
        if ((b = walk_peek(w, skip, 14)) == NULL)
            return false;
        *ethertype = read_16(b + 12);
        skip += 14;
    }
    w->at += skip;
    return true;
}

/* Step over a tunnel header; false when there is none that the kernel looks behind. */
static bool walk_tunnel(struct walk *w, uint16_t *ethertype)
{
    switch (w->protocol) {
    case PROTO_IPIP: *ethertype = ETHERTYPE_IPV4; return true;
    case PROTO_IPV6: *ethertype = ETHERTYPE_IPV6; return true;
    case PROTO_GRE: return walk_gre(w, ethertype);
    default: return false;
    }
}

/* The IP packet behind a tunnel header, and VLAN tags before it. False ends the walk. */
static bool walk_tunnelled(struct packet *p, struct walk *w, uint16_t ethertype)
{
    const uint8_t *b;

    while (ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ) {
        if ((b = walk_peek(w, 0, 4)) == NULL || ++w->headers > MAX_HEADERS)
            return false;
        ethertype = read_16(b + 2);
        w->at += 4;
    }
    if (ethertype == ETHERTYPE_IPV4) {
        b = walk_peek(w, 0, 1);
        if (b == NULL || (*b & 15) * 4 < V4_HEADER || !inner_read_v4(&p->inner, w))
            return false;
        p->flags |= PACKET_HAS_INNER;
        return !w->fragment;
    }
    if (ethertype == ETHERTYPE_IPV6) {
        if (!inner_read_v6(&p->inner, w))
            return false;
        p->flags |= PACKET_HAS_INNER;
        return walk_extensions(w) && !w->fragment;
    }
    return false;
}

/* The innermost packet that can be read behind the tunnel header at the walk's place. */
static void read_tunnel(struct packet *p, struct walk w)
{
    uint32_t label = p->flow_label;
    bool ended = false;
    uint16_t ethertype;

    while (!ended && walk_tunnel(&w, &ethertype)) {
        p->flags |= PACKET_ENCAPSULATED;
        ended = ++w.headers > MAX_HEADERS || !walk_tunnelled(p, &w, ethertype);
        if ((p->flags & PACKET_HAS_INNER) && p->inner.src.family == FAMILY_V6) {
            label = p->inner.flow_label != 0 ? p->inner.flow_label : label;
            p->inner.flow_label = label;
        }
    }
    if (!(p->flags & PACKET_HAS_INNER))
        return;
    p->inner.protocol = w.protocol;
    if (!ended)
        inner_read_transport(&p->inner, &w);
}

static inline void read_ports(struct packet *p, const struct walk *w, size_t skip)
{
    const uint8_t *b = walk_peek(w, skip, 4);

    if (b == NULL) {
        p->flags |= PACKET_PORTS_CUT;
        return;
    }
    p->sport = read_16(b);
    p->dport = read_16(b + 2);
}

/* The window scale among `n` bytes of TCP options, plus 1; 0: none. RFC 7323. */
static uint8_t window_scale(const uint8_t *option, size_t n)
{
    uint8_t scale = 0;

    while (n >= 2 && option[0] != 0) {
        const size_t length = option[0] == 1 ? 1 : option[1];

        if (length > n || (length < 2 && option[0] != 1))
            break;
        if (option[0] == 3 && length == 3)
            scale = (uint8_t)((option[2] < TCP_SCALE_MAX ? option[2] : TCP_SCALE_MAX) + 1);
        option += length;
        n -= length;
    }
    return scale;
}

static inline void read_tcp(struct packet *p, const struct walk *w)
{
    const uint8_t *b = walk_peek(w, 0, 16);

    p->transport_bytes = 20;
    read_ports(p, w, 0);
    if (b == NULL) {
        p->flags |= PACKET_PORTS_CUT;
        return;
    }
    p->tcp_seq = read_32(b + 4);
    p->tcp_ack = read_32(b + 8);
    if (b[12] >> 4 > 5)
        p->transport_bytes = (uint8_t)((b[12] >> 4) * 4);
    p->tcp_flags = b[13];
    p->tcp_window = read_16(b + 14);
    if ((b[13] & TCP_SYN) && p->transport_bytes > 20 &&
        (b = walk_peek(w, 20, p->transport_bytes - 20u)) != NULL)
        p->tcp_scale = window_scale(b, p->transport_bytes - 20u);
}

static void read_icmp(struct packet *p, struct walk *w)
{
    const uint8_t *b = walk_peek(w, 0, 8);

    p->transport_bytes = 8;
    if (b == NULL) {
        p->flags |= PACKET_PORTS_CUT;
        return;
    }
    p->icmp_type = b[0];
    p->icmp_code = b[1];
    if (icmp_is_query(&p->src, b[0]))
        p->icmp_id = read_16(b + 4);
    if (icmp_is_error(&p->src, b[0])) {
        p->flags |= PACKET_ICMP_ERROR;
        w->at += 8;
        read_quoted(p, *w);
    }
}

/* The header in front of what the protocol carries; 0 when there is none to see. */
static uint8_t transport_header(uint8_t protocol)
{
    switch (protocol) {
    case PROTO_UDPLITE: return 8;
    case PROTO_SCTP:
    case PROTO_DCCP: return 12;
    default: return 0;
    }
}

/* What is not TCP or UDP. */
static void read_other(struct packet *p, struct walk *w)
{
    size_t skip;

    if (protocol_is_icmp(&p->src, p->protocol)) {
        read_icmp(p, w);
    } else if (ports_place(p->protocol, &skip)) {
        read_ports(p, w, skip);
        p->transport_bytes = transport_header(p->protocol);
    } else {
        read_tunnel(p, *w);
    }
}

static inline void read_transport(struct packet *p, struct walk *w)
{
    p->protocol = w->protocol;
    p->payload_bytes = p->size_bytes > w->at ? p->size_bytes - (uint32_t)w->at : 0;
    if (p->flags & PACKET_LATER_FRAGMENT)
        return;

    if (w->protocol == PROTO_TCP) {
        read_tcp(p, w);
    } else if (w->protocol == PROTO_UDP) {
        p->transport_bytes = 8;
        read_ports(p, w, 0);
    } else {
        read_other(p, w);
    }
    if (!(p->flags & PACKET_FRAGMENT))
        p->payload_bytes -=
            p->payload_bytes < p->transport_bytes ? p->payload_bytes : p->transport_bytes;
}

static inline void set_fragment(struct packet *p, uint16_t offset, bool more)
{
    p->fragment_offset = offset;
    p->flags |= PACKET_FRAGMENT;
    p->flags |= offset != 0 ? PACKET_LATER_FRAGMENT : 0;
    p->flags |= more ? PACKET_MORE_FRAGMENTS : 0;
}

static inline uint32_t clamp_32(size_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static enum dissect_result dissect_v4(const uint8_t *b, size_t captured, size_t wire,
                                      struct packet *p)
{
    struct walk w = {.bytes = b};
    uint16_t fragment;

    if (captured < V4_HEADER)
        return wire < V4_HEADER ? DISSECT_MALFORMED : DISSECT_TRUNCATED;
    p->size_bytes = read_16(b + 2) != 0 ? read_16(b + 2) : clamp_32(wire);
    w.at = (b[0] & 15U) * 4U;
    if (w.at < V4_HEADER || p->size_bytes < w.at)
        return DISSECT_MALFORMED;
    if (captured < w.at)
        return wire < w.at ? DISSECT_MALFORMED : DISSECT_TRUNCATED;
    w.length = captured < p->size_bytes ? captured : p->size_bytes;

    p->src.family = p->dst.family = FAMILY_V4;
    memcpy(p->src.bytes, b + 12, 4);
    memcpy(p->dst.bytes, b + 16, 4);
    p->tos = b[1];
    p->ttl = b[8];
    p->next_header = w.protocol = b[9];
    p->fragment_id = read_16(b + 4);
    fragment = read_16(b + 6);
    if (fragment & 0x3fff)
        set_fragment(p, fragment & 0x1fff, (fragment & 0x2000) != 0);
    read_transport(p, &w);
    return DISSECT_OK;
}

static enum dissect_result dissect_v6(const uint8_t *b, size_t captured, size_t wire,
                                      struct packet *p)
{
    struct walk w = {.bytes = b, .at = V6_HEADER};
    uint16_t payload;

    if (captured < V6_HEADER)
        return wire < V6_HEADER ? DISSECT_MALFORMED : DISSECT_TRUNCATED;
    payload = read_16(b + 4);
    p->next_header = w.protocol = b[6];
    p->size_bytes = clamp_32(wire);
    if (payload != 0 || b[6] == PROTO_NONE)
        p->size_bytes = (uint32_t)payload + V6_HEADER;
    w.length = captured < p->size_bytes ? captured : p->size_bytes;

    p->src.family = p->dst.family = FAMILY_V6;
    memcpy(p->src.bytes, b + 8, 16);
    memcpy(p->dst.bytes, b + 24, 16);
    p->flow_label = read_32(b) & 0xfffff;
    p->tos = (uint8_t)(read_16(b) >> 4);
    p->ttl = b[7];
    if (!walk_extensions(&w)) {
        if (captured < wire && captured < p->size_bytes)
            return DISSECT_TRUNCATED;
        p->protocol = w.protocol;
        p->payload_bytes = p->size_bytes > w.at ? p->size_bytes - (uint32_t)w.at : 0;
        return DISSECT_OK;
    }
    if (w.fragment) {
        p->fragment_id = w.fragment_id;
        set_fragment(p, w.fragment_offset, w.more_fragments);
    }
    read_transport(p, &w);
    return DISSECT_OK;
}

enum dissect_result packet_dissect(const uint8_t *bytes, size_t captured, size_t wire,
                                   struct packet *p)
{
    memset(p, 0, offsetof(struct packet, inner));
    if (captured > wire)
        captured = wire;
    if (captured == 0)
        return wire == 0 ? DISSECT_MALFORMED : DISSECT_TRUNCATED;
    if (bytes[0] >> 4 == 4)
        return dissect_v4(bytes, captured, wire, p);
    if (bytes[0] >> 4 == 6)
        return dissect_v6(bytes, captured, wire, p);
    return DISSECT_NOT_IP;
}
