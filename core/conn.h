/*
 * conn - the connection table
 *
 * One entry a connection, found by the 5-tuple of either direction:
 *
 *     direction 0   as first sent    192.168.10.50:40000 -> 45.57.94.1:443
 *     direction 1   as answered      45.57.94.1:443 -> 100.64.1.2:40000   (the source's translation)
 *
 * An entry lives until its time-out, or until it is killed: masquerade forgets connections
 * when their way changes. A killed entry keeps its place under its first 5-tuple, so that the
 * flow is known again when it begins anew; it answers to nothing else.
 *
 * With tracking off the table still tells flows apart, and decides nothing.
 * Sources: Linux nf_conntrack_core.c, nf_conntrack_proto_udp.c, nf_conntrack_proto_icmp.c.
 */
#ifndef ECMPLAB_CONN_H
#define ECMPLAB_CONN_H

#include "core/nexthop.h"
#include "core/tcp.h"

/* A 5-tuple, packed for hashing and comparing: all of it, without padding. */
struct tuple {
    uint8_t src[16], dst[16];
    uint16_t sport, dport; /* ICMP queries: the id in both */
    uint8_t protocol;
    uint8_t family;
    uint8_t icmp_type, icmp_code; /* of ICMP queries and their answers; else 0 */
};
_Static_assert(sizeof(struct tuple) == 40, "no padding to hash");

/* The decision for one direction, valid within one epoch for packets with the same key. */
struct conn_route {
    uint32_t key[2]; /* what besides the 5-tuple the decision depends on */
    uint32_t epoch;  /* of the router's configuration; 0 = none kept */
    uint32_t entry;  /* rib_entry() */
    uint16_t member; /* of its group; NEXTHOP_NONE: not unicast */
    int16_t rule;
};

enum conn_flag {
    CONN_ANSWERED = 1, /* direction 1 was seen */
    CONN_KILLED = 2,   /* forgotten by NAT; kept only to know the flow again */
    CONN_NATED = 4,    /* the source is translated (also to itself) */
    CONN_INDEXED_REPLY = 8,
    CONN_CHAINED = 16, /* among the connections of its source */
};

struct conn {
    _Alignas(64) struct tuple orig; /* of direction 0, untranslated */
    uint8_t nat_src[16];  /* the source of direction 0 behind the router */
    uint16_t nat_sport;   /* = orig.sport unless that was taken */
    uint16_t masq_iface;  /* masqueraded behind this interface; NEXTHOP_NONE: not */
    uint16_t iface_in;    /* where direction 0 last came in; NEXTHOP_NONE: the router itself */
    uint16_t iface_out;   /* where direction 0 last left */
    uint32_t index;       /* its own, conn_at() */
    uint32_t cookie;      /* the caller's; survives kill and new begin */
    int64_t expires_ns;
    uint64_t bytes[2];
    struct conn_route route[2];
    union {
        struct tcp_track tcp;
        /* UDP: from when on answers make it a stream; no more aligned than the other */
        int64_t stream_ns __attribute__((packed, aligned(4)));
    };
    uint8_t flags;   /* enum conn_flag */
    uint8_t pins[3]; /* conn_pin() of both directions, 12 bits each */
};
_Static_assert(sizeof(struct conn) == 192, "three cache lines");

/* The next hop that a policy keeps a direction on (policy_member.hop); 0: none. */
enum { CONN_PIN_MAX = 0xfff };

static inline uint16_t conn_pin(const struct conn *c, unsigned direction)
{
    return direction == 0 ? (uint16_t)(c->pins[0] | (c->pins[1] & 0xf) << 8)
                          : (uint16_t)(c->pins[2] | (c->pins[1] & 0xf0) << 4);
}

static inline void conn_set_pin(struct conn *c, unsigned direction, uint16_t pin)
{
    const unsigned high = pin >> 8 & 0xf;

    c->pins[direction == 0 ? 0 : 2] = (uint8_t)pin;
    c->pins[1] = (uint8_t)(direction == 0 ? (c->pins[1] & 0xf0) | high
                                          : (c->pins[1] & 0x0f) | high << 4);
}

struct conn_table;

#define CONN_NONE UINT32_MAX

/*
 * `secret` keys the index. Which entries there are and what becomes of them does not depend
 * on it; unknown to whoever made the input, it keeps him from aiming at one slot.
 */
struct conn_table *conn_table_create(uint64_t secret);
void conn_table_destroy(struct conn_table *t);

/* The tuple of a packet as connection tracking sees it, and of its answer. */
void tuple_of_packet(const struct packet *p, struct tuple *t);
void tuple_reverse(const struct tuple *t, struct tuple *reversed);
/* Of the packet that an ICMP error quotes. */
void tuple_of_inner(const struct packet *p, struct tuple *t);

uint64_t conn_hash(const struct conn_table *t, const struct tuple *tuple);

/* Ask the memory for what a look-up of this hash will touch: first the index, later the entry. */
void conn_prefetch_index(const struct conn_table *t, uint64_t hash);
void conn_prefetch_entry(const struct conn_table *t, uint64_t hash);

/*
 * Find by the tuple of either direction. Returns the entry and its direction, or NULL. Killed
 * entries are found by their first tuple only, and after all others. Entries past their time are returned too:
 * the caller compares expires_ns.
 */
struct conn *conn_find(const struct conn_table *t, const struct tuple *tuple, uint64_t hash,
                       unsigned *direction);

/* A new zeroed entry, found by `orig` from now on. Pointers to others stay valid. */
struct conn *conn_create(struct conn_table *t, const struct tuple *orig, uint64_t hash);

/* Let it be found by its translated answer too. False: that tuple is taken. An entry past its
 * time gives way. */
bool conn_index_reply(struct conn_table *t, struct conn *c, int64_t now_ns);

/* Is this tuple taken, by either direction of a living entry? */
bool conn_tuple_taken(const struct conn_table *t, const struct tuple *tuple, int64_t now_ns);

/*
 * The connections of one source (address, port or ICMP id, protocol), as far as they were added:
 * newest first. A killed or removed one leaves. Source: Linux nf_nat_bysource.
 */
void conn_chain_add(struct conn_table *t, struct conn *c);
struct conn *conn_chain_first(const struct conn_table *t, const struct tuple *orig);
struct conn *conn_chain_next(const struct conn_table *t, const struct conn *c);

/* NAT forgets it: keeps the first tuple and the cookie. */
void conn_kill(struct conn_table *t, struct conn *c);

/* Take it out of the table. */
void conn_remove(struct conn_table *t, struct conn *c);

/* The answer's tuple: the reverse of `orig` with the translated source as destination. */
void conn_reply_tuple(const struct conn *c, struct tuple *reply);

struct conn *conn_at(const struct conn_table *t, uint32_t index);
bool conn_is_used(const struct conn_table *t, uint32_t index);
uint32_t conn_slots(const struct conn_table *t); /* indices run below this */
uint32_t conn_count(const struct conn_table *t);
size_t conn_memory_bytes(const struct conn_table *t);

/* How long a non-TCP entry lives from now without another packet. */
int64_t conn_timeout(const struct conn *c, const struct config_timeouts *timeouts,
                     int64_t now_ns);

#endif
