#include "core/addr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

enum { GROUPS = 8 }; /* of 16 bits in an IPv6 address */

int addr_compare(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool addr_parse(const char *text, struct addr *a)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        *a = addr_from_v4(bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *a = addr_from_v6(bytes);
    else
        return false;
    return true;
}

/* The writers below return the place behind what they wrote. */

static char *write_decimal(char *out, unsigned value)
{
    if (value >= 10)
        out = write_decimal(out, value / 10);
    *out++ = (char)('0' + value % 10);
    return out;
}

static char *write_hex(char *out, unsigned value)
{
    if (value >= 16)
        out = write_hex(out, value / 16);
    *out++ = "0123456789abcdef"[value % 16];
    return out;
}

static char *write_v4(char *out, const uint8_t *bytes)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            *out++ = '.';
        out = write_decimal(out, bytes[i]);
    }
    return out;
}

/*
 * The zero groups that "::" stands for (RFC 5952, 4.2): the longest run, the first one of
 * equals, never a single group. Returns where it starts; *length is 0 when there is none.
 */
static unsigned find_zero_run(const uint16_t *group, unsigned *length)
{
    unsigned start = 0, run = 0;

    *length = 0;
    for (unsigned i = 0; i < GROUPS; i++) {
        run = group[i] == 0 ? run + 1 : 0;
        if (run > 1 && run > *length) {
            *length = run;
            start = i + 1 - run;
        }
    }
    return start;
}

/* IPv4-mapped addresses (::ffff:0:0/96) end in dotted form: RFC 5952, 5. */
static char *write_v6(char *out, const struct addr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool dotted = memcmp(a->bytes, mapped, sizeof mapped) == 0;
    uint16_t group[GROUPS];
    unsigned run, run_length;

    for (unsigned i = 0; i < GROUPS; i++)
        group[i] = (uint16_t)(a->bytes[2 * i] << 8 | a->bytes[2 * i + 1]);
    run = find_zero_run(group, &run_length);

    for (unsigned i = 0; i < GROUPS; i++) {
        if (run_length > 0 && i == run) {
            *out++ = ':';
            i += run_length - 1;
            if (i == GROUPS - 1)
                *out++ = ':';
            continue;
        }
        if (i > 0)
            *out++ = ':';
        if (dotted && i == GROUPS - 2)
            return write_v4(out, a->bytes + 12);
        out = write_hex(out, group[i]);
    }
    return out;
}

static char *write_addr(char *out, const struct addr *a)
{
    if (a->family == FAMILY_V4)
        return write_v4(out, a->bytes);
    if (a->family == FAMILY_V6)
        return write_v6(out, a);
    memcpy(out, "none", 4);
    return out + 4;
}

char *addr_format(const struct addr *a, char *buf)
{
    *write_addr(buf, a) = '\0';
    return buf;
}

/* Is `a` IPv4 and inside first.second.0.0/length? */
static bool in_v4(const struct addr *a, uint8_t first, uint8_t second, unsigned length)
{
    const uint8_t net[4] = {first, second, 0, 0};
    struct addr outer = addr_from_v4(net);

    return addr_common_bits(a, &outer) >= length;
}

bool addr_is_unspecified(const struct addr *a)
{
    return addr_is_set(a) && (a->quads[0] | a->quads[1]) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
    if (a->family == FAMILY_V4)
        return a->bytes[0] == 127;
    return a->family == FAMILY_V6 && a->quads[0] == 0 && be64toh(a->quads[1]) == 1;
}

bool addr_is_link_local(const struct addr *a)
{
    if (a->family == FAMILY_V4)
        return in_v4(a, 169, 254, 16);
    return a->family == FAMILY_V6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_private(const struct addr *a)
{
    if (a->family == FAMILY_V4)
        return in_v4(a, 10, 0, 8) || in_v4(a, 172, 16, 12) || in_v4(a, 192, 168, 16);
    return a->family == FAMILY_V6 && (a->bytes[0] & 0xfe) == 0xfc;
}

/* The first `length` of 64 bits, in network order. */
static uint64_t leading_bits(unsigned length)
{
    return htobe64(length == 0 ? 0 : UINT64_MAX << (64 - length));
}

struct addr addr_mask(const struct addr *a, unsigned length)
{
    struct addr masked = *a;

    if (length < 64) {
        masked.quads[0] &= leading_bits(length);
        masked.quads[1] = 0;
    } else if (length < 128) {
        masked.quads[1] &= leading_bits(length - 64);
    }
    return masked;
}

unsigned addr_common_bits(const struct addr *a, const struct addr *b)
{
    uint64_t high = be64toh(a->quads[0] ^ b->quads[0]);
    uint64_t low = be64toh(a->quads[1] ^ b->quads[1]);
    unsigned bits = addr_bits(a), common = 128;

    if (a->family != b->family)
        return 0;
    if (high != 0)
        common = (unsigned)__builtin_clzll(high);
    else if (low != 0)
        common = 64 + (unsigned)__builtin_clzll(low);
    return common < bits ? common : bits;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
    return addr_is_set(a) && a->family == p->addr.family &&
           addr_common_bits(&p->addr, a) >= p->length;
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
    return outer->length <= inner->length && prefix_contains(outer, &inner->addr);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return a->length == b->length && addr_equal(&a->addr, &b->addr);
}

/* Decimal digits alone, without leading zeros, at most `max`. */
static bool parse_length(const char *text, unsigned max, uint8_t *length)
{
    unsigned value = 0;

    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > max)
            return false;
    }
    *length = (uint8_t)value;
    return true;
}

bool prefix_parse(const char *text, struct prefix *p)
{
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    char address[ADDR_TEXT_MAX];
    struct prefix parsed = {.length = 0};

    if (size >= sizeof address)
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    if (!addr_parse(address, &parsed.addr))
        return false;
    parsed.length = (uint8_t)addr_bits(&parsed.addr);
    if (slash && !parse_length(slash + 1, parsed.length, &parsed.length))
        return false;
    *p = parsed;
    return true;
}

char *prefix_format(const struct prefix *p, char *buf)
{
    char *out = write_addr(buf, &p->addr);

    *out++ = '/';
    *write_decimal(out, p->length) = '\0';
    return buf;
}
