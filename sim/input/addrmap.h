/*
 * addrmap - captured addresses to the scenario's addresses
 *
 *     "192.168.100.206" -> "192.168.10.50"      a host
 *     "192.168.0.0/24"  -> "10.7.0.0/24"        a subnet: host bits stay as they are
 *
 * An address is a prefix of full length. Of several captured prefixes that hold an address
 * the longest decides, and only once: what it yields is not looked up again. An address that
 * no entry holds stays as it is.
 */
#ifndef ECMPLAB_ADDRMAP_H
#define ECMPLAB_ADDRMAP_H

#include "core/packet.h"

struct addrmap;

/* Longer maps are refused, so that a hostile scenario cannot stall the reading of it. */
enum { ADDRMAP_ENTRIES_MAX = 4096 };

struct addrmap *addrmap_create(void);
void addrmap_destroy(struct addrmap *m);

/*
 * Send the addresses of `captured` to those of `scenario`. NULL, or in words why not: families or
 * lengths that differ, bits behind a length, a captured prefix that is already mapped.
 */
const char *addrmap_add(struct addrmap *m, const struct prefix *captured,
                        const struct prefix *scenario);

size_t addrmap_count(const struct addrmap *m);

/* What becomes of one address. O(log entries). */
struct addr addrmap_address(const struct addrmap *m, const struct addr *a);

/* Both addresses of a packet, and those of the packet that an ICMP error quotes. Tunnelled
 * packets keep theirs. */
void addrmap_packet(const struct addrmap *m, struct packet *p);

#endif
