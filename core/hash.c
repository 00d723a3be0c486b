#include "core/hash.h"

#include <string.h>

#include "core/siphash.h"

/* The kernel's flow keys, as far as a multipath hash ever fills them. */
struct hash_keys {
    const struct addr *src, *dst;
    uint32_t label_word; /* as a little-endian machine stores it */
    uint16_t sport, dport;
    uint8_t protocol;
};

/*
 * The block as 64-bit little-endian words. The ports are the upper half of one, and the
 * addresses begin in the upper half of the next; zeros fill up the last.
 */
static const struct layout {
    uint8_t ports_word;
    bool joint_swap;
} layouts[] = {
    [HASH_LINUX] = {3, false},
    [HASH_LINUX_5_6] = {2, true},
};

enum { BLOCK_WORDS_MAX = HASH_BLOCK_MAX / 8 };

const char *const hash_policy_names[4] = {
    [HASH_L3] = "l3",
    [HASH_L4] = "l4",
    [HASH_L3_INNER] = "l3-inner",
    [HASH_CUSTOM] = "custom",
};

const char *const hash_policy_abouts[4] = {
    [HASH_L3] = "the addresses; IPv6 also the flow label and the protocol",
    [HASH_L4] = "the addresses, the protocol and the ports",
    [HASH_L3_INNER] = "the addresses inside a tunnel or an ICMP error, else the packet's own",
    [HASH_CUSTOM] = "the fields that the scenario names (Linux)",
};

void hash_set_seed(struct hash_config *c, uint32_t seed)
{
    c->key[0] = c->key[1] = (uint64_t)seed << 32 | seed;
}

static inline uint32_t read_le32(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

static inline uint32_t swap_32(uint32_t x)
{
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

static inline uint16_t swap_16(uint16_t x)
{
    return (uint16_t)(x >> 8 | x << 8);
}

/* <0, 0, >0 as the destination comes before, is, or comes behind the source. */
static inline int addresses_order(const struct hash_keys *k, bool by_difference)
{
    uint32_t src, dst, difference;

    if (k->src->family == FAMILY_V6)
        return memcmp(k->dst->bytes, k->src->bytes, 16);
    src = read_le32(k->src->bytes);
    dst = read_le32(k->dst->bytes);
    difference = dst - src;
    if (difference == 0)
        return 0;
    return (by_difference ? difference >> 31 != 0 : dst < src) ? -1 : 1;
}

/* Both addresses, from the upper half of `w` on; returns what is behind them. */
static inline uint64_t *addresses_lay_out(const struct addr *first,
                                          const struct addr *second, uint64_t *w)
{
    const uint8_t *a = first->bytes, *b = second->bytes;

    *w++ = (uint64_t)read_le32(a) << 32;
    if (first->family == FAMILY_V6) {
        *w++ = read_le32(a + 4) | (uint64_t)read_le32(a + 8) << 32;
        *w++ = read_le32(a + 12) | (uint64_t)read_le32(b) << 32;
        *w++ = read_le32(b + 4) | (uint64_t)read_le32(b + 8) << 32;
        b += 12;
    }
    *w++ = read_le32(b);
    return w;
}

/*
 * Lay the keys out in canonical order; returns the number of words.
 *   1. HASH_LINUX: addresses and ports are put in order each for themselves
 *   2. HASH_LINUX_5_6: both are swapped or none, the ports deciding between equal
 *      addresses
 */
static inline size_t keys_lay_out(const struct hash_keys *k, uint8_t layout,
                                  uint64_t words[BLOCK_WORDS_MAX])
{
    const struct layout *l = &layouts[layout == HASH_LINUX_5_6];
    const uint16_t sport = swap_16(k->sport),
                   dport = swap_16(k->dport); /* as on the wire */
    const int order = addresses_order(k, l->joint_swap);
    const bool swap = order < 0 || (l->joint_swap && order == 0 && dport < sport);
    const bool swap_ports = l->joint_swap ? swap : dport < sport;
    uint64_t *w = words + l->ports_word;

    words[0] = (uint64_t)k->protocol << 16 | (uint64_t)k->label_word << 32;
    words[1] = words[2] = 0;
    *w++ = (uint64_t)(swap_ports ? dport : sport) << 32 |
           (uint64_t)(swap_ports ? sport : dport) << 48;
    w = addresses_lay_out(swap ? k->dst : k->src, swap ? k->src : k->dst, w);
    return (size_t)(w - words);
}

/* The 32-bit hash, which is never 0. */
static inline uint32_t keys_hash(const struct hash_config *c, const struct hash_keys *k)
{
    uint64_t words[BLOCK_WORDS_MAX];
    size_t count = keys_lay_out(k, c->layout, words);
    uint32_t hash = (uint32_t)siphash_2_4_words(c->key, words, count);

    return hash != 0 ? hash : 1;
}

/*
 * Policy l3.
 *   1. ICMP errors follow the flow that they quote; ICMPv6 only without extension headers
 *   2. IPv4: the addresses alone
 *   3. IPv6: also the fixed header's next header, and the flow label in network order;
 *      other ICMPv6 dissected early: protocol behind the extension headers, label in host
 *      order
 */
static void keys_l3(const struct hash_config *c, const struct packet *p,
                    struct hash_keys *k)
{
    const uint8_t quoting = PACKET_ICMP_ERROR | PACKET_HAS_INNER;
    const bool v6 = p->src.family == FAMILY_V6;
    const bool quotes =
        (p->flags & quoting) == quoting && (!v6 || p->next_header == PROTO_ICMPV6);

    *k = (struct hash_keys){.src = quotes ? &p->inner.src : &p->src,
                            .dst = quotes ? &p->inner.dst : &p->dst};
    if (!v6)
        return;
    if (!quotes && c->port_rules && p->protocol == PROTO_ICMPV6) {
        k->label_word = p->flow_label;
        k->protocol = p->protocol;
        return;
    }
    k->label_word = swap_32(quotes ? p->inner.flow_label : p->flow_label);
    k->protocol = quotes ? p->inner.next_header : p->next_header;
}

/* Policy l4. No fragment has ports, the first one neither. */
static inline void keys_l4(const struct packet *p, struct hash_keys *k)
{
    const bool whole = !(p->flags & PACKET_FRAGMENT);

    *k = (struct hash_keys){.src = &p->src,
                            .dst = &p->dst,
                            .protocol = p->protocol,
                            .sport = whole ? p->sport : 0,
                            .dport = whole ? p->dport : 0};
}

/* The kernel looks into tunnels, but not into the fragments of one. */
static bool has_tunnelled(const struct packet *p)
{
    return (p->flags & (PACKET_HAS_INNER | PACKET_ICMP_ERROR | PACKET_FRAGMENT)) ==
           PACKET_HAS_INNER;
}

/* All keys of the tunnelled packet, or where there is none of the packet itself. */
static void keys_innermost(const struct packet *p, struct hash_keys *k)
{
    if (!has_tunnelled(p)) {
        keys_l4(p, k);
        k->label_word = p->flow_label;
        return;
    }
    *k = (struct hash_keys){.src = &p->inner.src,
                            .dst = &p->inner.dst,
                            .label_word = p->inner.flow_label,
                            .sport = p->inner.sport,
                            .dport = p->inner.dport,
                            .protocol = p->inner.protocol};
}

/* Policy l3-inner. IPv4: the addresses; IPv6: also protocol, and label in host order. */
static void keys_l3_inner(const struct packet *p, struct hash_keys *k)
{
    keys_innermost(p, k);
    k->sport = k->dport = 0;
    if (k->src->family == FAMILY_V6)
        return;
    k->label_word = 0;
    k->protocol = 0;
}

/* Keep what the bits of `fields` name. */
static void keys_select(struct hash_keys *k, unsigned fields)
{
    static const struct addr no_v4 = {.family = FAMILY_V4}, no_v6 = {.family = FAMILY_V6};
    const struct addr *none = k->src->family == FAMILY_V6 ? &no_v6 : &no_v4;

    if (!(fields & HASH_FIELD_SRC))
        k->src = none;
    if (!(fields & HASH_FIELD_DST))
        k->dst = none;
    if (!(fields & HASH_FIELD_PROTOCOL))
        k->protocol = 0;
    if (!(fields & HASH_FIELD_FLOW_LABEL) || none == &no_v4)
        k->label_word = 0;
    if (!(fields & HASH_FIELD_SPORT))
        k->sport = 0;
    if (!(fields & HASH_FIELD_DPORT))
        k->dport = 0;
}

enum { OUTER_FIELDS = 0x3f, INNER_SHIFT = 6 };

/* The outer half of policy custom; false when no bit names an outer field. */
static bool keys_custom(const struct packet *p, unsigned fields, struct hash_keys *k)
{
    if (!(fields & OUTER_FIELDS))
        return false;
    keys_l4(p, k);
    k->label_word = p->flow_label;
    keys_select(k, fields);
    return true;
}

/*
 * Its inner half; false when no bit names an inner field or there is no tunnel. A tunnel
 * whose inside cannot be read has the outer packet's fields for inner ones.
 */
static bool keys_custom_inner(const struct packet *p, unsigned fields,
                              struct hash_keys *k)
{
    const bool tunnel =
        (p->flags & (PACKET_ENCAPSULATED | PACKET_FRAGMENT)) == PACKET_ENCAPSULATED;

    fields = fields >> INNER_SHIFT & OUTER_FIELDS;
    if (fields == 0 || !(tunnel || has_tunnelled(p)))
        return false;
    keys_innermost(p, k);
    keys_select(k, fields);
    return true;
}

static inline uint32_t rotate_left(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

/* The final mix of Jenkins's lookup3. Source: Linux jhash_2words(a, b, 0). */
static uint32_t jenkins_2_words(uint32_t a, uint32_t b)
{
    uint32_t c = UINT32_C(0xdeadbeef) + 8;

    a += c;
    b += c;
    c ^= b;
    c -= rotate_left(b, 14);
    a ^= c;
    a -= rotate_left(c, 11);
    b ^= a;
    b -= rotate_left(a, 25);
    c ^= b;
    c -= rotate_left(b, 16);
    a ^= c;
    a -= rotate_left(c, 4);
    b ^= a;
    b -= rotate_left(a, 14);
    c ^= b;
    c -= rotate_left(b, 24);
    return c;
}

static uint32_t hash_custom(const struct hash_config *c, const struct packet *p,
                            unsigned fields)
{
    struct hash_keys k;
    uint32_t outer = keys_custom(p, fields, &k) ? keys_hash(c, &k) : 0;
    uint32_t inner = keys_custom_inner(p, fields, &k) ? keys_hash(c, &k) : 0;

    return jenkins_2_words(outer, inner);
}

/* The keys of a flow without its packet: label in network order, and nothing inside it. */
static bool keys_of_fields(const struct packet *p, const struct hash_family *f,
                           struct hash_keys *k)
{
    keys_l4(p, k);
    if (p->src.family == FAMILY_V6 && f->policy != HASH_L4)
        k->label_word = swap_32(p->flow_label);
    switch ((enum hash_policy)f->policy) {
    case HASH_L3:
    case HASH_L3_INNER:
        k->sport = k->dport = 0;
        k->protocol = p->src.family == FAMILY_V6 ? k->protocol : 0;
        return true;
    case HASH_L4: return true;
    case HASH_CUSTOM: keys_select(k, f->fields); return f->fields & OUTER_FIELDS;
    }
    return false;
}

static inline const struct hash_family *family_config(const struct hash_config *c,
                                                      const struct packet *p)
{
    return p->src.family == FAMILY_V6 ? &c->v6 : &c->v4;
}

/* The keys that make up the packet's outer half; false when there are none. */
static inline bool packet_keys(const struct hash_config *c, const struct packet *p,
                               struct hash_keys *k)
{
    const struct hash_family *f = family_config(c, p);

    switch ((enum hash_policy)f->policy) {
    case HASH_L3: keys_l3(c, p, k); return true;
    case HASH_L4: keys_l4(p, k); return true;
    case HASH_L3_INNER: keys_l3_inner(p, k); return true;
    case HASH_CUSTOM: return keys_custom(p, f->fields, k);
    }
    return false;
}

uint32_t hash_packet(const struct hash_config *c, const struct packet *p)
{
    const struct hash_family *f = family_config(c, p);
    struct hash_keys k;

    if (f->policy == HASH_CUSTOM)
        return hash_custom(c, p, f->fields) >> 1;
    return packet_keys(c, p, &k) ? keys_hash(c, &k) >> 1 : 0;
}

uint32_t hash_fields(const struct hash_config *c, const struct packet *p)
{
    struct hash_keys k;

    return keys_of_fields(p, family_config(c, p), &k) ? keys_hash(c, &k) >> 1 : 0;
}

static size_t keys_block(const struct hash_config *c, const struct hash_keys *k,
                         uint8_t block[HASH_BLOCK_MAX])
{
    uint64_t words[BLOCK_WORDS_MAX];
    const size_t length = 8 * keys_lay_out(k, c->layout, words);

    for (size_t i = 0; i < length; i++)
        block[i] = (uint8_t)(words[i / 8] >> (8 * (i % 8)));
    return length;
}

size_t hash_packet_block(const struct hash_config *c, const struct packet *p,
                         uint8_t block[HASH_BLOCK_MAX])
{
    struct hash_keys k;

    return packet_keys(c, p, &k) ? keys_block(c, &k, block) : 0;
}

size_t hash_fields_block(const struct hash_config *c, const struct packet *p,
                         uint8_t block[HASH_BLOCK_MAX])
{
    struct hash_keys k;

    return keys_of_fields(p, family_config(c, p), &k) ? keys_block(c, &k, block) : 0;
}
