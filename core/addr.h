/*
 * addr - IPv4 and IPv6 addresses and prefixes
 *
 * An address keeps its bytes in network order; IPv4 uses the first four and leaves the rest
 * zero, so that two addresses are equal exactly when family and all sixteen bytes are.
 * Zero-initialised means "no address" (FAMILY_NONE).
 *
 * Sources: RFC 4291 and RFC 5952 (IPv6 text), RFC 4632 (prefixes).
 */
#ifndef ECMPLAB_ADDR_H
#define ECMPLAB_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum family { FAMILY_NONE = 0, FAMILY_V4 = 4, FAMILY_V6 = 6 };

struct addr {
    union {
        uint8_t bytes[16];
        uint32_t words[4]; /* as in memory: network order */
        uint64_t quads[2];
    };
    uint8_t family; /* enum family */
};

/* A prefix has no bits set behind its length, except where a field's comment says so. */
struct prefix {
    struct addr addr;
    uint8_t length; /* 0..32 or 0..128 */
};

enum { ADDR_TEXT_MAX = 46, PREFIX_TEXT_MAX = 50 };

/* 32, 128, or 0 for no address. */
static inline unsigned addr_bits(const struct addr *a)
{
    return a->family == FAMILY_V4 ? 32 : a->family == FAMILY_V6 ? 128 : 0;
}

static inline bool addr_is_set(const struct addr *a)
{
    return a->family != FAMILY_NONE;
}

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return a->quads[0] == b->quads[0] && a->quads[1] == b->quads[1] &&
           a->family == b->family;
}

/* Order by family, then by value: <0, 0, >0. */
int addr_compare(const struct addr *a, const struct addr *b);

/* From four or sixteen bytes in network order. */
static inline struct addr addr_from_v4(const void *bytes)
{
    struct addr a = {.family = FAMILY_V4};

    memcpy(a.bytes, bytes, 4);
    return a;
}

static inline struct addr addr_from_v6(const void *bytes)
{
    struct addr a = {.family = FAMILY_V6};

    memcpy(a.bytes, bytes, 16);
    return a;
}

/* False when the text is no plain IPv4 or IPv6 address; *a is then unchanged. */
bool addr_parse(const char *text, struct addr *a);

/*
 * Writes at most ADDR_TEXT_MAX bytes with the NUL, RFC 5952 form; returns buf. Only
 * IPv4-mapped addresses (::ffff:0:0/96) end in dotted form; no address is "none".
 */
char *addr_format(const struct addr *a, char *buf);

/* The kinds that routing treats apart. */
bool addr_is_unspecified(const struct addr *a); /* 0.0.0.0, :: */
bool addr_is_loopback(const struct addr *a);    /* 127/8, ::1 */
bool addr_is_link_local(const struct addr *a);  /* 169.254/16, fe80::/10 */
bool addr_is_private(const struct addr *a);     /* RFC 1918, RFC 6598 is not; fc00::/7 */

static inline bool addr_is_multicast(const struct addr *a) /* 224/4, ff00::/8 */
{
    return a->family == FAMILY_V4 ? (a->bytes[0] & 0xf0) == 0xe0
                                  : a->family == FAMILY_V6 && a->bytes[0] == 0xff;
}

static inline bool addr_is_broadcast(const struct addr *a) /* 255.255.255.255 only */
{
    return a->family == FAMILY_V4 && a->words[0] == UINT32_MAX;
}

/* The address with every bit behind the first `length` cleared. */
struct addr addr_mask(const struct addr *a, unsigned length);

/* The number of leading bits the two share; 0 when the families differ. */
unsigned addr_common_bits(const struct addr *a, const struct addr *b);

static inline struct prefix prefix_of(const struct addr *a, unsigned length)
{
    return (struct prefix){.addr = addr_mask(a, length), .length = (uint8_t)length};
}

bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_equal(const struct prefix *a, const struct prefix *b);

/*
 * Parse "10.0.0.0/8", "2001:db8::/32" or a bare address (full length). Host bits are kept:
 * callers that must not have them compare with prefix_of(). False when it is neither.
 */
bool prefix_parse(const char *text, struct prefix *p);

/* Writes at most PREFIX_TEXT_MAX bytes with the NUL; returns buf. */
char *prefix_format(const struct prefix *p, char *buf);

#endif
