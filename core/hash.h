/*
 * hash - the multipath hash of the Linux kernel, bit for bit
 *
 * A packet's chosen fields are put in canonical order (both directions of a flow alike),
 * laid out as the kernel lays out its flow keys, hashed with SipHash-2-4 under a key drawn
 * from the seed, and cut to 31 bits:
 *
 *     fields ─▶ canonical ─▶ 48 or 72 bytes ─▶ SipHash-2-4 ─▶ low 32 bits, 0 becomes 1 ─▶ >> 1
 *
 * Sources: Linux fib_multipath_hash(), rt6_multipath_hash(), flow_hash_from_keys_seed(),
 * __flow_hash_consistentify(). HASH_LINUX_5_6 is the layout of 5.6.3, the kernel under
 * RouterOS 7: shorter VLAN records (40 or 64 bytes) and one joint decision to swap.
 */
#ifndef ECMPLAB_HASH_H
#define ECMPLAB_HASH_H

#include "core/packet.h"

enum hash_policy { HASH_L3, HASH_L4, HASH_L3_INNER, HASH_CUSTOM };

enum hash_layout { HASH_LINUX, HASH_LINUX_5_6 };

/* Bits of `fields` for HASH_CUSTOM; the same bits << 6 name the inner packet's fields. */
enum hash_field {
    HASH_FIELD_SRC = 1,
    HASH_FIELD_DST = 2,
    HASH_FIELD_PROTOCOL = 4,
    HASH_FIELD_FLOW_LABEL = 8,
    HASH_FIELD_SPORT = 16,
    HASH_FIELD_DPORT = 32,
};

struct hash_config {
    uint64_t key[2]; /* SipHash key */
    uint8_t layout;  /* enum hash_layout */
    struct hash_family {
        uint8_t policy;  /* enum hash_policy */
        uint16_t fields; /* HASH_CUSTOM only */
    } v4, v6;
    /* A rule selects by protocol or port, which makes the kernel dissect early: ICMPv6 under
     * HASH_L3 then hashes its flow label in host order. */
    bool port_rules;
};

/* Both halves of the key are the seed twice, as net.ipv4.fib_multipath_hash_seed does it. */
void hash_set_seed(struct hash_config *c, uint32_t seed);

/* The 31-bit hash of a packet that is to be forwarded. */
uint32_t hash_packet(const struct hash_config *c, const struct packet *p);

/*
 * The 31-bit hash of a flow that is looked up before it has a packet: what the router itself
 * sends, and whatever RTM_GETROUTE asks of IPv6. Policy l3-inner is then l3, and custom has no
 * inner half to mix in. Source: Linux fib_multipath_hash(), rt6_multipath_hash() without skb.
 */
uint32_t hash_fields(const struct hash_config *c, const struct packet *p);

/*
 * The block that hash_packet() gives to SipHash for the packet's outer half, for traces and
 * tests: returns its length (0 when the policy hashes nothing).
 */
enum { HASH_BLOCK_MAX = 72 };
size_t hash_packet_block(const struct hash_config *c, const struct packet *p,
                         uint8_t block[HASH_BLOCK_MAX]);

/* The same for hash_fields(). */
size_t hash_fields_block(const struct hash_config *c, const struct packet *p,
                         uint8_t block[HASH_BLOCK_MAX]);

/* "l3", "l4", "l3-inner", "custom". */
extern const char *const hash_policy_names[4];
extern const char *const hash_policy_abouts[4];

#endif
