#include "sim/input/addrmap.h"

#include <endian.h>
#include <string.h>

#include "core/memory.h"

/* An address as a number: IPv4 fills the top 32 bits of `high`. */
struct bits {
    uint64_t high, low;
};

#define NO_ENTRY SIZE_MAX

struct entry {
    struct bits captured, scenario, mask;
    size_t
        enclosing; /* index of the longest shorter prefix that holds this one, or NO_ENTRY */
    uint8_t length;
};

/* Entries of one family, by captured address, then by length. */
struct family_map {
    struct entry *entries;
    size_t count, capacity;
};

struct addrmap {
    struct family_map families[2]; /* IPv4, IPv6 */
};

static struct bits bits_of(const struct addr *a)
{
    return (struct bits){be64toh(a->quads[0]), be64toh(a->quads[1])};
}

static void set_bits(struct addr *a, struct bits b)
{
    a->quads[0] = htobe64(b.high);
    a->quads[1] = htobe64(b.low);
}

static struct bits mask_of(unsigned length)
{
    struct bits m = {0, 0};

    if (length > 0)
        m.high = length < 64 ? ~(UINT64_MAX >> length) : UINT64_MAX;
    if (length > 64)
        m.low = length < 128 ? ~(UINT64_MAX >> (length - 64)) : UINT64_MAX;
    return m;
}

/* Does the entry's captured prefix hold this address? */
static bool entry_holds(const struct entry *e, struct bits b)
{
    return ((e->captured.high ^ b.high) & e->mask.high) == 0 &&
           ((e->captured.low ^ b.low) & e->mask.low) == 0;
}

/* Is the entry ordered at or before a prefix of this address and length? */
static bool entry_at_or_before(const struct entry *e, struct bits b, unsigned length)
{
    if (e->captured.high != b.high)
        return e->captured.high < b.high;
    if (e->captured.low != b.low)
        return e->captured.low < b.low;
    return e->length <= length;
}

/* The number of entries at or before a prefix of this address and length. */
static size_t rank_of(const struct family_map *f, struct bits b, unsigned length)
{
    size_t first = 0, count = f->count;

    while (count > 0) {
        size_t half = count / 2;

        if (entry_at_or_before(&f->entries[first + half], b, length)) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

/*
 * The longest prefix that holds the address. Prefixes nest or are apart, so it is the last
 * entry that begins at or before the address, or one of those that enclose that entry.
 */
static const struct entry *find_entry(const struct family_map *f, struct bits b)
{
    size_t i = rank_of(f, b, 128);

    i = i > 0 ? i - 1 : NO_ENTRY;
    while (i != NO_ENTRY && !entry_holds(&f->entries[i], b))
        i = f->entries[i].enclosing;
    return i == NO_ENTRY ? NULL : &f->entries[i];
}

static void link_enclosing(struct family_map *f)
{
    for (size_t i = 0; i < f->count; i++) {
        size_t outer = i > 0 ? i - 1 : NO_ENTRY;

        while (outer != NO_ENTRY &&
               !entry_holds(&f->entries[outer], f->entries[i].captured))
            outer = f->entries[outer].enclosing;
        f->entries[i].enclosing = outer;
    }
}

static bool has_host_bits(const struct prefix *p)
{
    struct prefix clean = prefix_of(&p->addr, p->length);

    return !prefix_equal(p, &clean);
}

static void insert_entry(struct family_map *f, size_t at, const struct entry *e)
{
    f->entries = mem_grow(f->entries, &f->capacity, f->count + 1, sizeof *f->entries);
    memmove(&f->entries[at + 1], &f->entries[at], (f->count - at) * sizeof *f->entries);
    f->entries[at] = *e;
    f->count++;
    link_enclosing(f);
}

struct addrmap *addrmap_create(void)
{
    return mem_alloc(1, sizeof(struct addrmap));
}

void addrmap_destroy(struct addrmap *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < 2; i++)
        mem_free(m->families[i].entries);
    mem_free(m);
}

const char *addrmap_add(struct addrmap *m, const struct prefix *captured,
                        const struct prefix *scenario)
{
    struct family_map *f = &m->families[captured->addr.family == FAMILY_V6];
    struct entry e = {.captured = bits_of(&captured->addr),
                      .scenario = bits_of(&scenario->addr),
                      .mask = mask_of(captured->length),
                      .length = captured->length};
    size_t at = rank_of(f, e.captured, e.length);

    if (captured->addr.family != scenario->addr.family)
        return "expected two IPv4 or two IPv6 prefixes, not one of each";
    if (captured->length != scenario->length)
        return "expected prefixes of one length";
    if (has_host_bits(captured))
        return "the captured prefix has bits set behind its length";
    if (has_host_bits(scenario))
        return "the scenario's prefix has bits set behind its length";
    if (at > 0 && f->entries[at - 1].length == e.length &&
        entry_holds(&f->entries[at - 1], e.captured))
        return "the captured prefix is mapped twice";
    if (addrmap_count(m) == ADDRMAP_ENTRIES_MAX)
        return "expected at most 4096 entries";
    insert_entry(f, at, &e);
    return NULL;
}

size_t addrmap_count(const struct addrmap *m)
{
    return m->families[0].count + m->families[1].count;
}

struct addr addrmap_address(const struct addrmap *m, const struct addr *a)
{
    const struct family_map *f = &m->families[a->family == FAMILY_V6];
    struct addr to = *a;
    struct bits b;
    const struct entry *e;

    if (f->count == 0 || !addr_is_set(a))
        return to;
    b = bits_of(a);
    e = find_entry(f, b);
    if (e)
        set_bits(&to, (struct bits){e->scenario.high | (b.high & ~e->mask.high),
                                    e->scenario.low | (b.low & ~e->mask.low)});
    return to;
}

void addrmap_packet(const struct addrmap *m, struct packet *p)
{
    p->src = addrmap_address(m, &p->src);
    p->dst = addrmap_address(m, &p->dst);
    if (!(p->flags & PACKET_ICMP_ERROR) || !(p->flags & PACKET_HAS_INNER))
        return;
    p->inner.src = addrmap_address(m, &p->inner.src);
    p->inner.dst = addrmap_address(m, &p->inner.dst);
}
