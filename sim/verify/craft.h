/*
 * craft - from the fields of a packet to its bytes
 *
 *     struct packet ── craft_packet() ──▶ bytes of an IP packet, as packet_dissect() read them
 *
 * Built afresh: addresses, protocol, ports, TCP flags, sequence numbers, window and its scale,
 * ICMP type, code and id, what an ICMP error quotes, TOS, TTL, flow label and fragmentation are
 * the packet's, and so are the lengths; the payload is zeros, other TCP options are NOPs,
 * checksums are right (fragments: none). IPv4 options are left out, of IPv6 extension headers
 * the first is kept.
 * Sources: RFC 791, 8200, 9293, 768, 792, 4443, 2784, 4302, 4303.
 */
#ifndef ECMPLAB_CRAFT_H
#define ECMPLAB_CRAFT_H

#include "core/packet.h"

enum { CRAFT_MAX = 65535 };

/* Why a packet cannot be built from its fields, in words; NULL: it can. */
const char *craft_refuses(const struct packet *p);

/* Writes at most CRAFT_MAX bytes; the length. Longer packets (offload) are cut to that. */
size_t craft_packet(const struct packet *p, uint8_t *out);

#endif
