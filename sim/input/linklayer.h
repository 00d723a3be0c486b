/*
 * linklayer - from a captured frame to the IP packet inside
 *
 *     Ethernet ─┬─ 802.1Q, 802.1ad, 0x9100 tags, any number ─┬─ IPv4, IPv6
 *     SLL, SLL2 ┤                                            ├─ PPPoE session ── PPP ── IPv4, IPv6
 *     Cisco HDLC┘                                            ├─ 802.3, LLC/SNAP ── IPv4, IPv6
 *     PPP, PPP_SERIAL, PPP_ETHER ── IPv4, IPv6               └─ ARP, MPLS, LLDP, ...: not IP
 *     RAW, IPV4, IPV6, NULL, LOOP ── IPv4, IPv6
 *
 * MPLS is not looked into: what lies behind the labels is not in the frame. Nor is anything
 * that IP carries; core/packet.h does that.
 *
 * Sources: the LINKTYPE_ descriptions of tcpdump.org; IEEE 802.1Q; RFC 1042 (SNAP), RFC 1661
 * and 1662 (PPP), RFC 2516 (PPPoE).
 */
#ifndef ECMPLAB_LINKLAYER_H
#define ECMPLAB_LINKLAYER_H

#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_IP,
    FRAME_NOT_IP,    /* ARP, 802.2, MPLS, ...: sound, but nothing that a router forwards */
    FRAME_MALFORMED, /* lengths or versions contradict each other */
    FRAME_TRUNCATED, /* the capture ends inside the headers that routing needs */
};

/* "ip", "not ip", "malformed", "truncated"; by enum frame_kind. */
extern const char *const frame_kind_names[4];

/* Borrowed bytes: `captured` of them are at hand, `wire` (at least as many) were sent. */
struct frame_view {
    const uint8_t *bytes;
    size_t captured, wire;
};

struct linklayer;

/* By libpcap's DLT_ number, as pcap_datalink() gives it; NULL = not supported. */
const struct linklayer *linklayer_find(int dlt);

/*
 * Narrow a frame to its IP packet. FRAME_IP promises a first byte at hand, with the version
 * that the link layer announced (4 or 6 where it announces none), and no more than that;
 * padding may follow the packet. After any other answer the view is of no use.
 */
enum frame_kind linklayer_strip(const struct linklayer *l, struct frame_view *f);

#endif
