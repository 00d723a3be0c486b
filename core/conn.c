#include "core/conn.h"

#include <assert.h>
#include <string.h>

#include "core/conn_chain.h"
#include "core/memory.h"
#include "core/random.h"

/*
 * The index is open addressing with linear probing over 8-byte slots:
 *
 *     | high 32 bits of the hash | (entry << 1 | direction) + 1 |      0 = empty
 *
 * A slot's home is those 32 bits masked, so that growing and deleting need no entry. Deleting
 * shifts the run behind back; there are no tombstones. Entries live in blocks that never move.
 */
enum { BLOCK_BITS = 15, BLOCK_LEN = 1 << BLOCK_BITS, INDEX_MIN = 1024 };

/* A block is three huge pages exactly. */
_Static_assert(BLOCK_LEN * sizeof(struct conn) == 6 << 20, "blocks fill huge pages");

struct conn_table {
    uint64_t key[4];
    uint64_t *index;
    uint64_t mask;
    uint64_t used; /* slots */
    struct conn **blocks;
    size_t blocks_len, blocks_cap;
    uint8_t *live; /* a byte an entry */
    size_t live_cap;
    uint32_t slots; /* entries ever handed out at the same time */
    uint32_t *free;
    size_t free_len, free_cap;
    struct conn_chains chains;
};

/* ------------------------------------------------------------------------------ tuples */

static bool is_icmp(uint8_t protocol)
{
    return protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

static void tuple_fill(struct tuple *t, const struct addr *src, const struct addr *dst,
                       uint8_t protocol)
{
    memcpy(t->src, src->bytes, 16);
    memcpy(t->dst, dst->bytes, 16);
    t->protocol = protocol;
    t->family = src->family;
    t->sport = t->dport = 0;
    t->icmp_type = t->icmp_code = 0;
}

void tuple_of_packet(const struct packet *p, struct tuple *t)
{
    tuple_fill(t, &p->src, &p->dst, p->protocol);
    if (packet_protocol_has_ports(p->protocol)) {
        t->sport = p->sport;
        t->dport = p->dport;
    } else if (is_icmp(p->protocol)) {
        t->sport = t->dport = p->icmp_id;
        t->icmp_type = p->icmp_type;
        t->icmp_code = p->icmp_code;
    }
}

void tuple_of_inner(const struct packet *p, struct tuple *t)
{
    tuple_fill(t, &p->inner.src, &p->inner.dst, p->inner.protocol);
    if (packet_protocol_has_ports(p->inner.protocol)) {
        t->sport = p->inner.sport;
        t->dport = p->inner.dport;
    } else if (is_icmp(p->inner.protocol)) {
        t->sport = t->dport = p->inner.icmp_id;
        t->icmp_type = p->inner.icmp_type;
        t->icmp_code = p->inner.icmp_code;
    }
}

/* The type that answers this one, or that it answers; others are their own. */
static uint8_t icmp_reverse(uint8_t protocol, uint8_t type)
{
    static const uint8_t pairs[] = {0, 8, 13, 14, 15, 16, 17, 18},
                         v6_pairs[] = {128, 129, 139, 140};
    const bool v6 = protocol == PROTO_ICMPV6;
    const uint8_t *all = v6 ? v6_pairs : pairs;
    const size_t n = v6 ? sizeof v6_pairs : sizeof pairs;

    for (size_t i = 0; i < n; i++)
        if (all[i] == type)
            return all[i ^ 1];
    return type;
}

void tuple_reverse(const struct tuple *t, struct tuple *reversed)
{
    memcpy(reversed->src, t->dst, 16);
    memcpy(reversed->dst, t->src, 16);
    reversed->sport = t->dport;
    reversed->dport = t->sport;
    reversed->protocol = t->protocol;
    reversed->family = t->family;
    reversed->icmp_type = t->icmp_type;
    reversed->icmp_code = t->icmp_code;
    if (is_icmp(t->protocol))
        reversed->icmp_type = icmp_reverse(t->protocol, t->icmp_type);
}

void conn_reply_tuple(const struct conn *c, struct tuple *reply)
{
    tuple_reverse(&c->orig, reply);
    if (!(c->flags & CONN_NATED))
        return;
    memcpy(reply->dst, c->nat_src, 16);
    reply->dport = c->nat_sport;
    if (is_icmp(c->orig.protocol))
        reply->sport = c->nat_sport;
}

/* --------------------------------------------------------------------------------- hash */

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ const unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t conn_hash(const struct conn_table *t, const struct tuple *tuple)
{
    uint64_t w[5];

    memcpy(w, tuple, sizeof w);
    return mix(mix(w[0] ^ t->key[0], w[2] ^ t->key[1]) ^ w[4] ^ t->key[2],
               mix(w[1] ^ t->key[2], w[3] ^ t->key[3]) ^ t->key[0]);
}

/* -------------------------------------------------------------------------------- index */

static uint64_t slot_make(uint64_t hash, uint32_t entry, unsigned direction)
{
    return (hash & 0xffffffff00000000u) | (((uint64_t)entry << 1 | direction) + 1);
}

static uint64_t slot_home(const struct conn_table *t, uint64_t slot)
{
    return slot >> 32 & t->mask;
}

static uint32_t slot_entry(uint64_t slot)
{
    return (uint32_t)((slot & UINT32_MAX) - 1) >> 1;
}

static unsigned slot_direction(uint64_t slot)
{
    return (unsigned)((slot & UINT32_MAX) - 1) & 1;
}

static void index_put(struct conn_table *t, uint64_t slot)
{
    uint64_t i = slot_home(t, slot);

    while (t->index[i])
        i = (i + 1) & t->mask;
    t->index[i] = slot;
    t->used++;
}

/* Large indices on huge pages, small ones where small things are. */
static bool index_is_large(uint64_t len)
{
    return len * sizeof(uint64_t) >= 2 << 20;
}

static uint64_t *index_alloc(uint64_t len)
{
    return index_is_large(len) ? mem_map(len * sizeof(uint64_t))
                               : mem_alloc(len, sizeof(uint64_t));
}

static void index_free(uint64_t *index, uint64_t len)
{
    if (index_is_large(len))
        mem_unmap(index, len * sizeof(uint64_t));
    else
        mem_free(index);
}

static void index_grow(struct conn_table *t)
{
    uint64_t *old = t->index;
    const uint64_t old_len = t->mask + 1;

    t->index = index_alloc(old_len * 2);
    t->mask = old_len * 2 - 1;
    t->used = 0;
    for (uint64_t i = 0; i < old_len; i++)
        if (old[i])
            index_put(t, old[i]);
    index_free(old, old_len);
}

static void index_add(struct conn_table *t, uint64_t hash, uint32_t entry, unsigned direction)
{
    if ((t->used + 1) * 4 > (t->mask + 1) * 3)
        index_grow(t);
    index_put(t, slot_make(hash, entry, direction));
}

/* Empty slot i and move back what stood behind it only because it was full. */
static void index_clear(struct conn_table *t, uint64_t i)
{
    uint64_t k = i;

    t->used--;
    for (;;) {
        uint64_t home;

        t->index[i] = 0;
        do {
            k = (k + 1) & t->mask;
            if (!t->index[k])
                return;
            home = slot_home(t, t->index[k]);
        } while (((k - home) & t->mask) < ((k - i) & t->mask));
        t->index[i] = t->index[k];
        i = k;
    }
}

static void index_delete(struct conn_table *t, uint64_t hash, uint32_t entry,
                         unsigned direction)
{
    const uint64_t slot = slot_make(hash, entry, direction);

    for (uint64_t i = slot_home(t, slot); t->index[i]; i = (i + 1) & t->mask) {
        if (t->index[i] != slot)
            continue;
        index_clear(t, i);
        return;
    }
}

void conn_prefetch_index(const struct conn_table *t, uint64_t hash)
{
    __builtin_prefetch(&t->index[hash >> 32 & t->mask]);
}

void conn_prefetch_entry(const struct conn_table *t, uint64_t hash)
{
    for (uint64_t i = hash >> 32 & t->mask; t->index[i]; i = (i + 1) & t->mask) {
        const char *entry;

        if (t->index[i] >> 32 != hash >> 32)
            continue;
        entry = (const char *)conn_at(t, slot_entry(t->index[i]));
        __builtin_prefetch(entry);
        __builtin_prefetch(entry + 64);
        __builtin_prefetch(entry + 128);
        return;
    }
}

/* ------------------------------------------------------------------------------ entries */

struct conn *conn_at(const struct conn_table *t, uint32_t index)
{
    return &t->blocks[index >> BLOCK_BITS][index & (BLOCK_LEN - 1)];
}

bool conn_is_used(const struct conn_table *t, uint32_t index)
{
    return index < t->slots && t->live[index];
}

uint32_t conn_slots(const struct conn_table *t)
{
    return t->slots;
}

uint32_t conn_count(const struct conn_table *t)
{
    return t->slots - (uint32_t)t->free_len;
}

static uint32_t entry_take(struct conn_table *t)
{
    uint32_t e;

    if (t->free_len) {
        e = t->free[--t->free_len];
    } else {
        e = t->slots++;
        if (e >> BLOCK_BITS == t->blocks_len) {
            t->blocks =
                mem_grow(t->blocks, &t->blocks_cap, t->blocks_len + 1, sizeof *t->blocks);
            t->blocks[t->blocks_len++] = mem_map(BLOCK_LEN * sizeof **t->blocks);
        }
        t->live = mem_grow(t->live, &t->live_cap, e + 1u, 1);
    }
    t->live[e] = 1;
    memset(conn_at(t, e), 0, sizeof(struct conn));
    return e;
}

struct conn *conn_create(struct conn_table *t, const struct tuple *orig, uint64_t hash)
{
    uint32_t e = entry_take(t);
    struct conn *c = conn_at(t, e);

    c->orig = *orig;
    c->index = e;
    c->masq_iface = c->iface_in = c->iface_out = NEXTHOP_NONE;
    index_add(t, hash, e, 0);
    return c;
}

bool conn_index_reply(struct conn_table *t, struct conn *c, int64_t now_ns)
{
    struct tuple reply;
    unsigned direction;
    struct conn *taken;
    uint64_t hash;

    conn_reply_tuple(c, &reply);
    hash = conn_hash(t, &reply);
    taken = conn_find(t, &reply, hash, &direction);
    if (taken && !(taken->flags & CONN_KILLED)) {
        if (taken->expires_ns > now_ns || taken == c)
            return false;
        conn_kill(t, taken);
    }
    index_add(t, hash, c->index, 1);
    c->flags |= CONN_INDEXED_REPLY;
    return true;
}

static void reply_unindex(struct conn_table *t, struct conn *c)
{
    struct tuple reply;

    if (!(c->flags & CONN_INDEXED_REPLY))
        return;
    conn_reply_tuple(c, &reply);
    index_delete(t, conn_hash(t, &reply), c->index, 1);
    c->flags &= (uint8_t)~CONN_INDEXED_REPLY;
}

/* --------------------------------------------------------------- the connections of one source */

/* Of the source alone. */
static uint64_t source_hash(const struct conn_table *t, const struct tuple *orig)
{
    struct tuple source = *orig;

    memset(source.dst, 0, sizeof source.dst);
    source.dport = 0;
    source.icmp_type = source.icmp_code = 0;
    return conn_hash(t, &source);
}

static bool source_equal(const struct tuple *a, const struct tuple *b)
{
    return a->sport == b->sport && a->protocol == b->protocol && a->family == b->family &&
           memcmp(a->src, b->src, sizeof a->src) == 0;
}

static struct conn *chain_seek(const struct conn_table *t, uint32_t at,
                               const struct tuple *orig)
{
    for (; at != CONN_NONE; at = chain_next(&t->chains, at))
        if (source_equal(&conn_at(t, at)->orig, orig))
            return conn_at(t, at);
    return NULL;
}

void conn_chain_add(struct conn_table *t, struct conn *c)
{
    chain_put(&t->chains, c->index, source_hash(t, &c->orig));
    c->flags |= CONN_CHAINED;
}

struct conn *conn_chain_first(const struct conn_table *t, const struct tuple *orig)
{
    if (!t->chains.count)
        return NULL;
    return chain_seek(t, chain_head(&t->chains, source_hash(t, orig)), orig);
}

struct conn *conn_chain_next(const struct conn_table *t, const struct conn *c)
{
    return chain_seek(t, chain_next(&t->chains, c->index), &c->orig);
}

static void chain_leave(struct conn_table *t, struct conn *c)
{
    if (!(c->flags & CONN_CHAINED))
        return;
    chain_take(&t->chains, c->index);
    c->flags &= (uint8_t)~CONN_CHAINED;
}

/* -------------------------------------------------------------------------- going and finding */

void conn_kill(struct conn_table *t, struct conn *c)
{
    reply_unindex(t, c);
    chain_leave(t, c);
    c->flags |= CONN_KILLED;
    c->route[0].epoch = c->route[1].epoch = 0;
}

void conn_remove(struct conn_table *t, struct conn *c)
{
    const uint32_t e = c->index;

    reply_unindex(t, c);
    chain_leave(t, c);
    index_delete(t, conn_hash(t, &c->orig), e, 0);
    t->live[e] = 0;
    t->free = mem_grow(t->free, &t->free_cap, t->free_len + 1, sizeof *t->free);
    t->free[t->free_len++] = e;
}

static bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

struct conn *conn_find(const struct conn_table *t, const struct tuple *tuple, uint64_t hash,
                       unsigned *direction)
{
    struct conn *killed = NULL;

    for (uint64_t i = hash >> 32 & t->mask; t->index[i]; i = (i + 1) & t->mask) {
        const uint64_t slot = t->index[i];
        struct conn *c;

        if (slot >> 32 != hash >> 32)
            continue;
        c = conn_at(t, slot_entry(slot));
        *direction = slot_direction(slot);
        if (*direction == 0) {
            if (!tuple_equal(&c->orig, tuple))
                continue;
            if (!(c->flags & CONN_KILLED))
                return c;
            killed = c; /* the tuple may be another's answer by now */
        } else {
            struct tuple reply;

            conn_reply_tuple(c, &reply);
            if (tuple_equal(&reply, tuple))
                return c;
        }
    }
    *direction = 0;
    return killed;
}

bool conn_tuple_taken(const struct conn_table *t, const struct tuple *tuple, int64_t now_ns)
{
    unsigned direction;
    const struct conn *c = conn_find(t, tuple, conn_hash(t, tuple), &direction);

    return c && !(c->flags & CONN_KILLED) && c->expires_ns > now_ns;
}

int64_t conn_timeout(const struct conn *c, const struct config_timeouts *timeouts,
                     int64_t now_ns)
{
    switch (c->orig.protocol) {
    case PROTO_UDP:
    case PROTO_UDPLITE:
        if ((c->flags & CONN_ANSWERED) && now_ns > c->stream_ns)
            return timeouts->udp_stream;
        return timeouts->udp;
    case PROTO_ICMP:
    case PROTO_ICMPV6: return timeouts->icmp;
    default: return timeouts->generic;
    }
}

/* ------------------------------------------------------------------------------- table */

struct conn_table *conn_table_create(uint64_t secret)
{
    struct conn_table *t = mem_alloc(1, sizeof *t);
    struct random_stream stream = random_stream_make(secret, 0x636f6e6e);

    for (unsigned i = 0; i < 4; i++)
        t->key[i] = random_next(&stream);
    t->index = index_alloc(INDEX_MIN);
    t->mask = INDEX_MIN - 1;
    return t;
}

void conn_table_destroy(struct conn_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->blocks_len; i++)
        mem_unmap(t->blocks[i], BLOCK_LEN * sizeof **t->blocks);
    mem_free(t->blocks);
    index_free(t->index, t->mask + 1);
    chains_free(&t->chains);
    mem_free(t->live);
    mem_free(t->free);
    mem_free(t);
}

size_t conn_memory_bytes(const struct conn_table *t)
{
    return sizeof *t + (t->mask + 1) * sizeof *t->index +
           t->blocks_len * BLOCK_LEN * sizeof(struct conn) + t->live_cap +
           t->free_cap * sizeof *t->free + t->blocks_cap * sizeof *t->blocks +
           chains_memory_bytes(&t->chains);
}
