/*
 * reassembly - fragments put together before routing, where connections are tracked
 *
 * Connection tracking needs ports, and only a datagram's first fragment has them. Linux
 * therefore holds all fragments until the last missing one arrives, routes the datagram
 * as one packet, and cuts it again on the way out:
 *
 *     fragments ──▶ reassembly_add() ──▶ the datagram, once whole
 *                          │
 *                          └──▶ dropped: duplicates, overlaps, what never became whole
 *
 * No payload is kept, only which bytes of it have come. A datagram is known by its
 * family, addresses, identification and, in IPv4, protocol. Every packet that goes in
 * comes out of exactly one call, as part of a datagram or as dropped, so that all can be
 * accounted for.
 *
 * Sources: RFC 791, 8200, 5722 (overlaps), 6946 (atomic fragments); Linux ip_defrag(),
 * nf_ct_frag6_gather(), inet_frag_queue_insert().
 * Differs: the limit is a number of datagrams and packets, and the oldest datagram makes
 * room, where Linux counts bytes of memory and refuses the new one; the IPv4 limit on how
 * many datagrams of one source may pass in between (ipfrag_max_dist) and the check that
 * fragments agree on ECN are not modelled; what lies behind the first fragment in a
 * transport header cut in two (TCP flags, a tunnelled packet) stays unknown.
 */
#ifndef ECMPLAB_REASSEMBLY_H
#define ECMPLAB_REASSEMBLY_H

#include "core/packet.h"

enum { REASSEMBLY_DATAGRAMS_MAX = 4096, REASSEMBLY_PACKETS_MAX = 32768 };

enum reassembly_result {
    REASSEMBLY_HELD,     /* kept: there is nothing to route yet */
    REASSEMBLY_COMPLETE, /* the datagram is whole */
    REASSEMBLY_DROPPED,  /* this fragment alone is dropped; its datagram waits on */
    REASSEMBLY_REJECTED, /* this fragment and all of its datagram are dropped */
};

/* Packets that are no longer held, and their bytes; never the packet just added. */
struct reassembly_held {
    uint32_t packets;
    uint64_t bytes;
};

struct reassembly;

struct reassembly *reassembly_create(void);
void reassembly_destroy(struct reassembly *r);

/*
 * Add one packet. A fragment that covers start..end of its datagram's payload:
 *   1. no fragment, or one that is a whole datagram (atomic): COMPLETE at once
 *   2. IPv6, the end lies beyond 65535: DROPPED
 *   3. more follow, and the end is no multiple of 8: IPv6 REJECTED; IPv4 goes on without
 *      the odd bytes
 *   4. it is empty, or contradicts the datagram's known end: IPv4 REJECTED, IPv6 DROPPED
 *   5. all its bytes lie in one stretch that has come already: DROPPED
 *   6. some bytes have come already: REJECTED
 *   7. bytes are missing still: HELD
 *   8. the datagram would exceed 65535 bytes: REJECTED; else COMPLETE
 * COMPLETE writes `whole`: the first fragment with the fragment flags and the IPv6
 * fragment header gone, and size and payload those of the datagram. Otherwise `whole` is
 * not touched.
 *
 * `held` tells which earlier packets leave with this call: with COMPLETE the other parts
 * of `whole`, with REJECTED those that are dropped with it. With HELD and DROPPED there
 * are none, save that a datagram with this key was too old or the oldest had to make
 * room; those are dropped.
 */
enum reassembly_result reassembly_add(struct reassembly *r, const struct packet *fragment,
                                      int64_t now_ns, struct packet *whole,
                                      struct reassembly_held *held);

/*
 * Drop the datagrams whose first packet came 30 s (IPv4) or 60 s (IPv6) ago or earlier;
 * later fragments do not prolong that. INT64_MAX drops all. `held` is their sum.
 */
void reassembly_expire(struct reassembly *r, int64_t now_ns,
                       struct reassembly_held *held);

#endif
