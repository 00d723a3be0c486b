#include "sim/verify/craft.h"

#include <string.h>

struct buffer {
    uint8_t *at;
    size_t len;
};

static void put8(struct buffer *b, unsigned value)
{
    if (b->len < CRAFT_MAX)
        b->at[b->len++] = (uint8_t)value;
}

static void put16(struct buffer *b, unsigned value)
{
    put8(b, value >> 8 & 0xff);
    put8(b, value & 0xff);
}

static void put32(struct buffer *b, uint32_t value)
{
    put16(b, value >> 16);
    put16(b, value & 0xffff);
}

static void put_zeros(struct buffer *b, size_t n)
{
    const size_t room = CRAFT_MAX - b->len;

    if (n > room)
        n = room;
    memset(b->at + b->len, 0, n);
    b->len += n;
}

static void put_addr(struct buffer *b, const struct addr *a)
{
    for (unsigned i = 0; i < addr_bits(a) / 8; i++)
        put8(b, a->bytes[i]);
}

/* ---------------------------------------------------------------------------- checksums */

static uint32_t sum_add(uint32_t sum, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return n % 2 ? sum + ((uint32_t)bytes[n - 1] << 8) : sum;
}

static uint16_t sum_finish(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void store16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Where the checksum stands in the transport header; 0: there is none. */
static size_t checksum_at(uint8_t protocol)
{
    switch (protocol) {
    case PROTO_TCP: return 16;
    case PROTO_UDP:
    case PROTO_UDPLITE: return 6;
    case PROTO_ICMP:
    case PROTO_ICMPV6: return 2;
    default: return 0;
    }
}

static void transport_checksum(const struct packet *p, uint8_t *transport, size_t n)
{
    const size_t at = checksum_at(p->protocol);
    uint32_t sum = 0;
    uint16_t value;

    if (!at || n < at + 2 || (p->flags & PACKET_FRAGMENT))
        return;
    if (p->protocol != PROTO_ICMP) {
        sum = sum_add(sum, p->src.bytes, addr_bits(&p->src) / 8);
        sum = sum_add(sum, p->dst.bytes, addr_bits(&p->dst) / 8);
        sum += (uint32_t)n + p->protocol;
    }
    value = sum_finish(sum_add(sum, transport, n));
    store16(transport + at, value ? value : 0xffff);
}

/* ---------------------------------------------------------------------------- transport */

static void put_tcp(struct buffer *b, const struct packet *p)
{
    const unsigned header = p->transport_bytes >= 20 && p->transport_bytes <= 60
                                ? p->transport_bytes & ~3u
                                : 20;

    put16(b, p->sport);
    put16(b, p->dport);
    put32(b, p->tcp_seq);
    put32(b, p->tcp_ack);
    put8(b, header / 4 << 4);
    put8(b, p->tcp_flags);
    put16(b, p->tcp_window);
    put32(b, 0); /* checksum, urgent pointer */
    if (p->tcp_scale && header > 20)
        put32(b, 0x01030300u | (p->tcp_scale - 1u)); /* NOP, window scale */
    for (unsigned i = p->tcp_scale && header > 20 ? 24 : 20; i < header; i++)
        put8(b, 1);
}

/* The header that a quoted packet has, and the first eight bytes behind it. */
static void put_inner(struct buffer *b, const struct packet_inner *in)
{
    const size_t begin = b->len;

    if (in->src.family == FAMILY_V4) {
        put32(b, 0x4500001c);
        put32(b, 0);
        put8(b, 64);
        put8(b, in->protocol);
        put16(b, 0);
    } else {
        put32(b, 6u << 28 | in->flow_label);
        put16(b, 8);
        put8(b, in->next_header);
        put8(b, 64);
    }
    put_addr(b, &in->src);
    put_addr(b, &in->dst);
    if (in->src.family == FAMILY_V4 && b->len == begin + 20)
        store16(b->at + begin + 10, sum_finish(sum_add(0, b->at + begin, 20)));
    if (in->protocol == PROTO_ICMP || in->protocol == PROTO_ICMPV6) {
        put8(b, in->icmp_type);
        put8(b, in->icmp_code);
        put16(b, 0);
        put16(b, in->icmp_id);
        put16(b, 0);
    } else {
        put16(b, in->sport);
        put16(b, in->dport);
        put16(b, in->protocol == PROTO_UDP ? 8 : 0);
        put16(b, 0);
    }
}

static void put_icmp(struct buffer *b, const struct packet *p)
{
    const bool error = p->flags & PACKET_ICMP_ERROR;

    put8(b, p->icmp_type);
    put8(b, p->icmp_code);
    put16(b, 0);
    put16(b, error ? 0 : p->icmp_id);
    put16(b, 0);
    if (error && (p->flags & PACKET_HAS_INNER))
        put_inner(b, &p->inner);
}

/* `body`: the length of it all. A first fragment does not know what follows. */
static void put_transport(struct buffer *b, const struct packet *p, size_t body)
{
    const size_t udp = p->flags & PACKET_FRAGMENT || body < 8 ? 8 : body;

    if (p->flags & PACKET_LATER_FRAGMENT)
        return;
    switch (p->protocol) {
    case PROTO_TCP: put_tcp(b, p); break;
    case PROTO_UDP:
    case PROTO_UDPLITE:
        put16(b, p->sport);
        put16(b, p->dport);
        put16(b, p->protocol == PROTO_UDP ? (unsigned)udp : 0);
        put16(b, 0);
        break;
    case PROTO_ICMP:
    case PROTO_ICMPV6: put_icmp(b, p); break;
    case PROTO_ESP:
        put16(b, p->sport);
        put16(b, p->dport);
        break;
    case PROTO_AH:
        put32(b, (uint32_t)PROTO_NONE << 24 | 4u << 16);
        put16(b, p->sport);
        put16(b, p->dport);
        break;
    default: break;
    }
}

/* ------------------------------------------------------------------------------- headers */

static void put_v4(struct buffer *b, const struct packet *p)
{
    put8(b, 0x45);
    put8(b, p->tos);
    put16(b, 0);
    put16(b, p->fragment_id & 0xffff);
    put16(b, (p->flags & PACKET_MORE_FRAGMENTS ? 0x2000u : 0) |
                 (p->fragment_offset & 0x1fff));
    put8(b, p->ttl);
    put8(b, p->protocol);
    put16(b, 0);
    put_addr(b, &p->src);
    put_addr(b, &p->dst);
}

static bool is_extension(uint8_t header)
{
    return header == PROTO_HOPOPT || header == PROTO_DSTOPTS || header == PROTO_ROUTING;
}

static void put_v6(struct buffer *b, const struct packet *p)
{
    const unsigned then = p->flags & PACKET_FRAGMENT ? PROTO_FRAGMENT : p->protocol;
    const bool extension = p->next_header != p->protocol && is_extension(p->next_header);

    put32(b, 6u << 28 | (uint32_t)p->tos << 20 | (p->flow_label & 0xfffff));
    put16(b, 0);
    put8(b, extension ? p->next_header : then);
    put8(b, p->ttl);
    put_addr(b, &p->src);
    put_addr(b, &p->dst);
    if (extension) {
        put8(b, then);
        put8(b, 0);
        put16(b, p->next_header == PROTO_ROUTING ? 253u << 8 : 0x0104); /* or PadN */
        put32(b, 0);
    }
    if (p->flags & PACKET_FRAGMENT) {
        put8(b, p->protocol);
        put8(b, 0);
        put16(b, (unsigned)p->fragment_offset << 3 |
                     (p->flags & PACKET_MORE_FRAGMENTS ? 1u : 0));
        put32(b, p->fragment_id);
    }
}

const char *craft_refuses(const struct packet *p)
{
    if (p->protocol == PROTO_SCTP || p->protocol == PROTO_DCCP)
        return "SCTP and DCCP packets need what the simulation does not keep of them";
    if (p->protocol == PROTO_GRE || p->protocol == PROTO_IPIP ||
        p->protocol == PROTO_IPV6)
        return "a tunnel's inside is not built";
    if (p->flags & PACKET_PORTS_CUT)
        return "the capture cut its transport header off";
    return NULL;
}

/* Of what stands behind the IP headers. */
static size_t body_length(const struct packet *p)
{
    if (p->flags & PACKET_FRAGMENT)
        return p->payload_bytes;
    return (size_t)p->payload_bytes + p->transport_bytes;
}

size_t craft_packet(const struct packet *p, uint8_t *out)
{
    const bool v4 = p->src.family == FAMILY_V4;
    const size_t body = body_length(p);
    struct buffer b = {.at = out};
    size_t transport;

    if (v4)
        put_v4(&b, p);
    else
        put_v6(&b, p);
    transport = b.len;
    put_transport(&b, p, body < CRAFT_MAX - transport ? body : CRAFT_MAX - transport);
    if (b.len - transport < body)
        put_zeros(&b, body - (b.len - transport));
    if (v4) {
        store16(out + 2, (unsigned)b.len);
        store16(out + 10, sum_finish(sum_add(0, out, 20)));
    } else {
        store16(out + 4, (unsigned)b.len - 40);
    }
    transport_checksum(p, out + transport, b.len - transport);
    return b.len;
}
