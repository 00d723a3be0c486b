#include "sim/input/linklayer.h"

#include <stdbool.h>
#include <string.h>

#include <pcap/dlt.h>

enum ethertype {
    ETHERTYPE_LENGTH_MAX = 1500, /* up to here the field is an 802.3 length */
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_VLAN_AD = 0x88a8,
    ETHERTYPE_VLAN_9100 = 0x9100,
    ETHERTYPE_PPPOE_SESSION = 0x8864,
};

enum ppp_protocol { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057 };

/* Hardware types under which the protocol field of a cooked frame is no ethertype. */
enum arphrd { ARPHRD_FRAD = 770, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK = 824 };

const char *const frame_kind_names[4] = {"ip", "not ip", "malformed", "truncated"};

static unsigned read_be16(const uint8_t *b)
{
    return (unsigned)b[0] << 8 | b[1];
}

static uint32_t read_be32(const uint8_t *b)
{
    return (uint32_t)read_be16(b) << 16 | read_be16(b + 2);
}

static uint32_t read_le32(const uint8_t *b)
{
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* What a frame is called that has fewer than `need` bytes at hand. */
static enum frame_kind too_short(const struct frame_view *f, size_t need)
{
    return need > f->wire ? FRAME_MALFORMED : FRAME_TRUNCATED;
}

static void skip(struct frame_view *f, size_t bytes)
{
    f->bytes += bytes;
    f->captured -= bytes;
    f->wire -= bytes;
}

/* The packet of IP version 4 or 6 that should begin here. */
static enum frame_kind strip_nothing(const struct frame_view *f, unsigned version)
{
    if (f->captured < 1)
        return too_short(f, 1);
    return f->bytes[0] >> 4 == version ? FRAME_IP : FRAME_MALFORMED;
}

static enum frame_kind strip_raw(struct frame_view *f)
{
    if (f->captured < 1)
        return too_short(f, 1);
    return f->bytes[0] >> 4 == 4 || f->bytes[0] >> 4 == 6 ? FRAME_IP : FRAME_NOT_IP;
}

static enum frame_kind strip_ipv4(struct frame_view *f)
{
    return strip_nothing(f, 4);
}

static enum frame_kind strip_ipv6(struct frame_view *f)
{
    return strip_nothing(f, 6);
}

/* The PPP protocol field: two bytes, or one when its lowest bit is set (RFC 1661, 6.5). */
static enum frame_kind strip_ppp_protocol(struct frame_view *f)
{
    unsigned protocol;

    if (f->captured < 1)
        return too_short(f, 1);
    protocol = f->bytes[0];
    if (protocol & 1) {
        skip(f, 1);
    } else {
        if (f->captured < 2)
            return too_short(f, 2);
        protocol = read_be16(f->bytes);
        skip(f, 2);
    }
    if (protocol == PPP_IPV4)
        return strip_ipv4(f);
    return protocol == PPP_IPV6 ? strip_ipv6(f) : FRAME_NOT_IP;
}

/* PPP, with the address and control bytes of HDLC-like framing or without. */
static enum frame_kind strip_ppp(struct frame_view *f)
{
    if (f->captured >= 1 && f->bytes[0] == 0xff) {
        if (f->captured < 2)
            return too_short(f, 2);
        if (f->bytes[1] == 0x03)
            skip(f, 2);
    }
    return strip_ppp_protocol(f);
}

static enum frame_kind strip_pppoe(struct frame_view *f)
{
    enum { HEADER = 6, VERSION_1_TYPE_1 = 0x11, CODE_SESSION = 0 };
    size_t length;

    if (f->captured < HEADER)
        return too_short(f, HEADER);
    if (f->bytes[0] != VERSION_1_TYPE_1)
        return FRAME_MALFORMED;
    if (f->bytes[1] != CODE_SESSION)
        return FRAME_NOT_IP;
    length = read_be16(f->bytes + 4);
    skip(f, HEADER);
    if (length > f->wire)
        return FRAME_MALFORMED;
    f->wire = length;
    if (f->captured > length)
        f->captured = length;
    return strip_ppp_protocol(f);
}

/* 802.2 LLC: IP only behind SNAP with an ethertype. */
static enum frame_kind strip_llc(struct frame_view *f)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00};
    size_t seen = f->captured < sizeof snap ? f->captured : sizeof snap;
    unsigned type;

    if (memcmp(f->bytes, snap, seen) != 0 || f->wire < sizeof snap + 2)
        return FRAME_NOT_IP;
    if (f->captured < sizeof snap + 2)
        return FRAME_TRUNCATED;
    type = read_be16(f->bytes + sizeof snap);
    skip(f, sizeof snap + 2);
    if (type == ETHERTYPE_IPV4)
        return strip_ipv4(f);
    return type == ETHERTYPE_IPV6 ? strip_ipv6(f) : FRAME_NOT_IP;
}

/* What follows a type field of this value; a VLAN tag is followed by the next type field. */
static enum frame_kind strip_behind_type(struct frame_view *f, unsigned type)
{
    while (type == ETHERTYPE_VLAN || type == ETHERTYPE_VLAN_AD ||
           type == ETHERTYPE_VLAN_9100) {
        if (f->captured < 4)
            return too_short(f, 4);
        type = read_be16(f->bytes + 2);
        skip(f, 4);
    }
    if (type == ETHERTYPE_IPV4)
        return strip_ipv4(f);
    if (type == ETHERTYPE_IPV6)
        return strip_ipv6(f);
    if (type == ETHERTYPE_PPPOE_SESSION)
        return strip_pppoe(f);
    return type <= ETHERTYPE_LENGTH_MAX ? strip_llc(f) : FRAME_NOT_IP;
}

static enum frame_kind strip_ethernet(struct frame_view *f)
{
    unsigned type;

    if (f->captured < 14)
        return too_short(f, 14);
    type = read_be16(f->bytes + 12);
    skip(f, 14);
    return strip_behind_type(f, type);
}

/* The protocol field of Linux cooked frames: an ethertype, or one of Linux's own below. */
static enum frame_kind strip_cooked(struct frame_view *f, unsigned hardware,
                                    unsigned type)
{
    enum { PROTOCOL_802_2 = 4 };

    if (hardware == ARPHRD_FRAD || hardware == ARPHRD_RADIOTAP ||
        hardware == ARPHRD_NETLINK)
        return FRAME_NOT_IP;
    if (type <= ETHERTYPE_LENGTH_MAX && type != PROTOCOL_802_2)
        return FRAME_NOT_IP;
    return strip_behind_type(f, type);
}

static enum frame_kind strip_sll(struct frame_view *f)
{
    unsigned hardware, type;

    if (f->captured < 16)
        return too_short(f, 16);
    hardware = read_be16(f->bytes + 2);
    type = read_be16(f->bytes + 14);
    skip(f, 16);
    return strip_cooked(f, hardware, type);
}

static enum frame_kind strip_sll2(struct frame_view *f)
{
    unsigned hardware, type;

    if (f->captured < 20)
        return too_short(f, 20);
    type = read_be16(f->bytes);
    hardware = read_be16(f->bytes + 8);
    skip(f, 20);
    return strip_cooked(f, hardware, type);
}

/* Cisco HDLC begins with 0x0f (unicast) or 0x8f, PPP with anything else. */
static enum frame_kind strip_ppp_serial(struct frame_view *f)
{
    unsigned type;

    if (f->captured < 1 || (f->bytes[0] & 0x7f) != 0x0f)
        return strip_ppp(f);
    if (f->captured < 4)
        return too_short(f, 4);
    type = read_be16(f->bytes + 2);
    skip(f, 4);
    return strip_behind_type(f, type);
}

/* AF_INET is 2 everywhere; AF_INET6 is 10, 23, 24, 28 or 30, as the system has it. */
static enum frame_kind strip_behind_family(struct frame_view *f, uint32_t family)
{
    skip(f, 4);
    switch (family) {
    case 2: return strip_ipv4(f);
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD, Npcap */
    case 28: /* FreeBSD */
    case 30: /* Darwin */ return strip_ipv6(f);
    default: return FRAME_NOT_IP;
    }
}

/* The family is in the capturing host's byte order: families are small, so the order shows. */
static enum frame_kind strip_null(struct frame_view *f)
{
    uint32_t little;

    if (f->captured < 4)
        return too_short(f, 4);
    little = read_le32(f->bytes);
    return strip_behind_family(f, little <= 0xffff ? little : read_be32(f->bytes));
}

/* As NULL, but in network order. */
static enum frame_kind strip_loop(struct frame_view *f)
{
    if (f->captured < 4)
        return too_short(f, 4);
    return strip_behind_family(f, read_be32(f->bytes));
}

struct linklayer {
    int dlt;
    enum frame_kind (*strip)(struct frame_view *f);
};

enum { DLT_RAW_OPENBSD = 14, LINKTYPE_RAW = 101 };

static const struct linklayer linklayers[] = {
    {DLT_EN10MB, strip_ethernet}, {DLT_LINUX_SLL, strip_sll},
    {DLT_LINUX_SLL2, strip_sll2}, {DLT_RAW, strip_raw},
    {DLT_RAW_OPENBSD, strip_raw}, {LINKTYPE_RAW, strip_raw},
    {DLT_IPV4, strip_ipv4},       {DLT_IPV6, strip_ipv6},
    {DLT_NULL, strip_null},       {DLT_LOOP, strip_loop},
    {DLT_PPP, strip_ppp},         {DLT_PPP_SERIAL, strip_ppp_serial},
    {DLT_PPP_ETHER, strip_pppoe},
};

const struct linklayer *linklayer_find(int dlt)
{
    for (size_t i = 0; i < sizeof linklayers / sizeof linklayers[0]; i++)
        if (linklayers[i].dlt == dlt)
            return &linklayers[i];
    return NULL;
}

enum frame_kind linklayer_strip(const struct linklayer *l, struct frame_view *f)
{
    return l->strip(f);
}
