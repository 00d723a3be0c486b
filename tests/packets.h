/*
 * packets - packets written as text
 *
 *     tcp|udp|icmp|icmpv6|esp|gre|NUMBER SRC[:PORT] > DST[:PORT] [syn] [ack] [fin] [rst]
 *         [seq N] [acked N] [window N] [data N] [ttl N] [tos N] [mark N] [label N] [type N]
 *         [id N]
 *
 * An IPv6 address with a port stands in brackets. ICMP is an echo request, the TTL 64, the
 * window 1000, unless the text says otherwise. Whatever is not understood fails the test.
 */
#ifndef ECMPLAB_TESTS_PACKETS_H
#define ECMPLAB_TESTS_PACKETS_H

#include "core/packet.h"

struct addr address(const char *text);
struct prefix network(const char *text);           /* without host bits */
struct prefix interface_address(const char *text); /* with them */
struct packet packet(const char *text);

/* The ICMP error (destination unreachable) that `from` sends to the source of `quoted`. */
struct packet error_about(const struct packet *quoted, const char *from);

/* The answer: addresses and ports exchanged; of an echo request the reply. */
struct packet answer_to(const struct packet *p);

#endif
