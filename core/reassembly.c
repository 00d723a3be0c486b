#include "core/reassembly.h"

#include <string.h>

#include "core/memory.h"
#include "core/siphash.h"

enum {
    BUCKETS = 1024,
    DATAGRAM_BYTES_MAX = 65535,
    V6_FIXED_HEADER = 40,
    V6_FRAGMENT_HEADER = 8
};

static const int64_t SECOND_NS = INT64_C(1000000000);

/* Payload bytes start..end-1. */
struct stretch {
    uint32_t start, end;
};

struct datagram {
    struct packet head; /* the first fragment, or until that comes any */
    struct stretch
        *stretches; /* in order, apart; adjacent ones are joined only at the end */
    size_t count, capacity;
    uint32_t length;   /* end of what is known of the payload */
    uint32_t received; /* payload bytes */
    bool has_first, has_last;
    struct reassembly_held held;
    int64_t created_ns;
    struct datagram *next;          /* in its bucket */
    struct datagram *older, *newer; /* of its family */
};

/* The datagrams of one family by age. */
struct age_list {
    struct datagram *oldest, *newest;
    int64_t timeout_ns;
};

struct reassembly {
    struct age_list v4, v6;
    size_t datagrams, packets; /* held */
    struct datagram *buckets[BUCKETS];
};

struct reassembly *reassembly_create(void)
{
    struct reassembly *r = mem_alloc(1, sizeof *r);

    r->v4.timeout_ns = 30 * SECOND_NS;
    r->v6.timeout_ns = 60 * SECOND_NS;
    return r;
}

static struct age_list *age_list_of(struct reassembly *r, const struct packet *p)
{
    return p->src.family == FAMILY_V6 ? &r->v6 : &r->v4;
}

static bool same_datagram(const struct packet *a, const struct packet *b)
{
    return a->fragment_id == b->fragment_id && addr_equal(&a->src, &b->src) &&
           addr_equal(&a->dst, &b->dst) &&
           (a->src.family == FAMILY_V6 || a->protocol == b->protocol);
}

/* The link that points to the packet's datagram, or to NULL at its bucket's end. */
static struct datagram **datagram_find(struct reassembly *r, const struct packet *p)
{
    static const uint64_t key[2] = {UINT64_C(0x667261676d656e74),
                                    UINT64_C(0x6964656e74697479)};
    const uint64_t fields[5] = {p->src.quads[0], p->src.quads[1], p->dst.quads[0],
                                p->dst.quads[1], p->fragment_id};
    struct datagram **link =
        &r->buckets[siphash_2_4(key, fields, sizeof fields) % BUCKETS];

    while (*link != NULL && !same_datagram(&(*link)->head, p))
        link = &(*link)->next;
    return link;
}

/* Take a datagram out; what was held of it is added to `held`. */
static void datagram_release(struct reassembly *r, struct datagram *d,
                             struct reassembly_held *held)
{
    struct age_list *ages = age_list_of(r, &d->head);
    struct datagram **link = datagram_find(r, &d->head);

    *link = d->next;
    *(d->older != NULL ? &d->older->newer : &ages->oldest) = d->newer;
    *(d->newer != NULL ? &d->newer->older : &ages->newest) = d->older;
    r->datagrams--;
    r->packets -= d->held.packets;
    held->packets += d->held.packets;
    held->bytes += d->held.bytes;
    mem_free(d->stretches);
    mem_free(d);
}

static struct datagram *datagram_create(struct reassembly *r, const struct packet *p,
                                        int64_t now_ns)
{
    struct age_list *ages = age_list_of(r, p);
    struct datagram *d = mem_alloc(1, sizeof *d);

    d->head = *p;
    d->created_ns = now_ns;
    *datagram_find(r, p) = d;
    d->older = ages->newest;
    *(d->older != NULL ? &d->older->newer : &ages->oldest) = d;
    ages->newest = d;
    r->datagrams++;
    return d;
}

void reassembly_destroy(struct reassembly *r)
{
    struct reassembly_held held = {0};

    if (r == NULL)
        return;
    while (r->v4.oldest != NULL)
        datagram_release(r, r->v4.oldest, &held);
    while (r->v6.oldest != NULL)
        datagram_release(r, r->v6.oldest, &held);
    mem_free(r);
}

static bool datagram_is_old(const struct datagram *d, int64_t now_ns, int64_t timeout_ns)
{
    return now_ns > d->created_ns &&
           (uint64_t)now_ns - (uint64_t)d->created_ns >= (uint64_t)timeout_ns;
}

static void age_list_expire(struct reassembly *r, struct age_list *ages, int64_t now_ns,
                            struct reassembly_held *held)
{
    while (
        ages->oldest != NULL &&
        (now_ns == INT64_MAX || datagram_is_old(ages->oldest, now_ns, ages->timeout_ns)))
        datagram_release(r, ages->oldest, held);
}

void reassembly_expire(struct reassembly *r, int64_t now_ns, struct reassembly_held *held)
{
    *held = (struct reassembly_held){0};
    age_list_expire(r, &r->v4, now_ns, held);
    age_list_expire(r, &r->v6, now_ns, held);
}

/* Room for one more packet, of a new datagram when `keep` is NULL; `keep` stays. */
static void make_room(struct reassembly *r, const struct datagram *keep,
                      struct reassembly_held *held)
{
    while (r->packets >= REASSEMBLY_PACKETS_MAX ||
           (keep == NULL && r->datagrams >= REASSEMBLY_DATAGRAMS_MAX)) {
        struct datagram *v4 = r->v4.oldest, *v6 = r->v6.oldest;

        if (v4 != NULL && v4 == keep)
            v4 = v4->newer;
        if (v6 != NULL && v6 == keep)
            v6 = v6->newer;
        if (v4 == NULL && v6 == NULL)
            return;
        if (v4 == NULL || (v6 != NULL && v6->created_ns < v4->created_ns))
            v4 = v6;
        datagram_release(r, v4, held);
    }
}

/* The first stretch that does not end at or before `start`. */
static size_t stretch_find(const struct datagram *d, uint32_t start)
{
    size_t low = 0, high = d->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (d->stretches[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Steps 2 to 6 of reassembly_add(); `d` is NULL when this is the first to come. */
static enum reassembly_result piece_judge(const struct datagram *d,
                                          const struct packet *p, struct stretch piece)
{
    const bool v6 = p->src.family == FAMILY_V6;
    const bool last = !(p->flags & PACKET_MORE_FRAGMENTS);
    const enum reassembly_result contradicts =
        v6 ? REASSEMBLY_DROPPED : REASSEMBLY_REJECTED;
    const struct stretch *s;

    if (v6 && piece.end > DATAGRAM_BYTES_MAX) /* 2 */
        return REASSEMBLY_DROPPED;
    if (v6 && !last && piece.end % 8 != 0) /* 3 */
        return REASSEMBLY_REJECTED;
    if (piece.end <= piece.start) /* 4 */
        return contradicts;
    if (d == NULL)
        return REASSEMBLY_HELD;
    if (last && piece.end < d->length)
        return contradicts;
    if (d->has_last && (last ? piece.end != d->length : piece.end > d->length))
        return contradicts;

    s = d->stretches + stretch_find(d, piece.start);
    if (s == d->stretches + d->count || piece.end <= s->start)
        return REASSEMBLY_HELD;
    /* 5, 6 */
    return piece.start >= s->start && piece.end <= s->end ? REASSEMBLY_DROPPED
                                                          : REASSEMBLY_REJECTED;
}

/* As in Linux a stretch grows only at the datagram's end, in the order of sending. */
static void stretch_insert(struct datagram *d, struct stretch piece)
{
    size_t at = stretch_find(d, piece.start);

    d->received += piece.end - piece.start;
    if (at > 0 && at == d->count && d->stretches[at - 1].end == piece.start) {
        d->stretches[at - 1].end = piece.end;
        return;
    }
    d->stretches =
        mem_grow(d->stretches, &d->capacity, d->count + 1, sizeof *d->stretches);
    memmove(d->stretches + at + 1, d->stretches + at,
            (d->count - at) * sizeof *d->stretches);
    d->stretches[at] = piece;
    d->count++;
}

static void datagram_add(struct datagram *d, const struct packet *p, struct stretch piece)
{
    stretch_insert(d, piece);
    if (piece.end > d->length)
        d->length = piece.end;
    if (!(p->flags & PACKET_MORE_FRAGMENTS))
        d->has_last = true;
    if (piece.start == 0) {
        d->has_first = true;
        d->head = *p;
    }
}

/* The datagram of `length` payload bytes that begins with `first`; false: too big. */
static bool datagram_whole(const struct packet *first, uint32_t length,
                           struct packet *whole)
{
    const bool v6 = first->src.family == FAMILY_V6;
    const uint32_t fixed =
        v6 ? V6_FIXED_HEADER : 0; /* what a length field does not count */
    uint32_t headers = first->size_bytes - first->payload_bytes;
    uint32_t transport = first->transport_bytes;

    if (v6 && headers >= V6_FIXED_HEADER + V6_FRAGMENT_HEADER)
        headers -= V6_FRAGMENT_HEADER;
    if ((uint64_t)headers + length > (uint64_t)DATAGRAM_BYTES_MAX + fixed)
        return false;

    *whole = *first;
    whole->size_bytes = headers + length;
    whole->payload_bytes = length > transport ? length - transport : 0;
    whole->fragment_offset = 0;
    whole->flags &=
        (uint8_t) ~(PACKET_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_MORE_FRAGMENTS);
    if (v6 && whole->next_header == PROTO_FRAGMENT)
        whole->next_header = whole->protocol;
    return true;
}

static bool is_atomic(const struct packet *p)
{
    return !(p->flags & (PACKET_LATER_FRAGMENT | PACKET_MORE_FRAGMENTS));
}

/* The payload that a fragment brings; Linux cuts IPv4 to whole units when more follow. */
static struct stretch piece_of(const struct packet *p)
{
    const uint32_t start = p->fragment_offset * 8U;
    uint32_t length = p->payload_bytes;

    if (length > DATAGRAM_BYTES_MAX)
        length = DATAGRAM_BYTES_MAX + 1;
    if (p->src.family != FAMILY_V6 && (p->flags & PACKET_MORE_FRAGMENTS))
        length -= length % 8;
    return (struct stretch){start, start + length};
}

enum reassembly_result reassembly_add(struct reassembly *r, const struct packet *fragment,
                                      int64_t now_ns, struct packet *whole,
                                      struct reassembly_held *held)
{
    const struct stretch piece = piece_of(fragment);
    enum reassembly_result judged;
    struct datagram *d;
    bool fits;

    *held = (struct reassembly_held){0};
    if (!(fragment->flags & PACKET_FRAGMENT)) {
        *whole = *fragment;
        return REASSEMBLY_COMPLETE;
    }
    if (is_atomic(fragment))
        return datagram_whole(fragment, fragment->payload_bytes, whole)
                   ? REASSEMBLY_COMPLETE
                   : REASSEMBLY_REJECTED;

    d = *datagram_find(r, fragment);
    if (d != NULL && datagram_is_old(d, now_ns, age_list_of(r, fragment)->timeout_ns)) {
        datagram_release(r, d, held);
        d = NULL;
    }
    judged = piece_judge(d, fragment, piece);
    if (judged == REASSEMBLY_REJECTED && d != NULL)
        datagram_release(r, d, held);
    if (judged != REASSEMBLY_HELD)
        return judged;

    if (d != NULL)
        datagram_add(d, fragment, piece);
    if (d != NULL && d->has_first && d->has_last && d->received == d->length) {
        fits = datagram_whole(&d->head, d->length, whole);
        datagram_release(r, d, held);
        return fits ? REASSEMBLY_COMPLETE : REASSEMBLY_REJECTED;
    }
    make_room(r, d, held);
    if (d == NULL) {
        d = datagram_create(r, fragment, now_ns);
        datagram_add(d, fragment, piece);
    }
    d->held.packets++;
    d->held.bytes += fragment->size_bytes;
    r->packets++;
    return REASSEMBLY_HELD;
}
