/*
 * flows - a record for each flow that lives, and what events did to it
 *
 * A flow is one connection as tracking sees it, both directions: from the packet that
 * begins it until its entry ends. An entry that NAT forgot and that begins anew is the
 * same flow. Records are found through the connection's cookie and recycled:
 *
 *     conn->cookie   | watch, 1 bit | number + 1, 31 bits |     0 = no record
 *
 * `watch` asks to be shown each packet of the flow; packets of other flows touch no
 * record unless something happens to them.
 *
 * What an event did to a flow is a node in the flow's list, newest first. The list keeps
 * FLOW_TOUCHES_MAX events: what came before is counted and settled.
 */
#ifndef ECMPLAB_FLOWS_H
#define ECMPLAB_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exclusive, the worse ones later. */
enum flow_fate {
    FLOW_SURVIVED,
    FLOW_STALLED, /* lost packets on a dead path */
    FLOW_REHOMED, /* went on under another public address */
    FLOW_BROKEN,  /* could not go on */
    FLOW_FATES,
};

enum flow_flag {
    FLOW_MOVED = 1,
    FLOW_MOVED_ALONE = 2, /* without any change that would explain it */
    FLOW_ALIVE = 4,       /* at some event */
    FLOW_SPLIT_REPLY = 8, /* answers left by another WAN than the requests came by */
};

enum touch_bit {
    TOUCH_MEANWHILE = 1, /* the flow began after the event did */
    TOUCH_MOVED = 2,
    TOUCH_FORCED = 4,
    TOUCH_COLLATERAL = 8,
};

struct touch {
    uint32_t next; /* FLOWS_NONE: the last */
    int32_t event;
    uint8_t fate; /* enum flow_fate */
    uint8_t bits; /* enum touch_bit */
};

#define FLOWS_NONE   UINT32_MAX
#define FLOW_WATCHED (UINT32_C(1) << 31)

enum { FLOW_NO_DIRECTION = 2, FLOW_TOUCHES_MAX = 64 };

struct flow {
    uint64_t public_addr[2];  /* source of direction 0 as it left, network order */
    uint64_t accounted_bytes; /* of the connection, given to a path already */
    uint64_t choice_bytes;    /* of them, carried while there was a choice */
    int64_t used_ns, last_ns; /* named hosts: from when to when under `used_address` */
    uint32_t used_address;    /* its number in the host; FLOWS_NONE: nothing sent yet */
    uint32_t host;            /* FLOWS_NONE: no named one */
    uint32_t promise;         /* of its last decision */
    uint32_t choice;          /* what it fell with: choices.h */
    uint32_t changes_seen;    /* when its way out was last decided */
    uint32_t marks_seen;   /* beginnings and ends of events that it has lived through */
    uint32_t marks_before; /* of them, before its path was known */
    uint32_t touched;      /* struct touch; FLOWS_NONE. Free: the next free record */
    int32_t path;          /* the WAN that it leaves by; -1: none so far */
    int32_t request_wan;   /* begun from outside: where direction 0 comes in; -1 */
    uint16_t public_port;
    uint8_t outward;        /* the direction that leaves by `path`; FLOW_NO_DIRECTION */
    uint8_t host_direction; /* the direction that the named host sends */
    uint8_t protocol;
    uint8_t family;   /* enum family */
    uint8_t worst;    /* enum flow_fate */
    uint8_t flags;    /* enum flow_flag */
    uint8_t leaks[2]; /* enum leak, of each direction's last decision */
};
_Static_assert(sizeof(struct flow) <= 104, "beside 208 bytes of connection");

struct flows {
    struct flow *records;
    size_t len, records_cap;
    struct touch *touches;
    size_t touches_len, touches_cap;
    uint32_t free_record, free_touch;
    size_t live;
};

void flows_init(struct flows *f);
void flows_free(struct flows *f);

/* A new record without path, host or touch: its number. Moves the others in memory. */
uint32_t flows_add(struct flows *f);
void flows_remove(struct flows *f, uint32_t number);

static inline struct flow *flows_at(const struct flows *f, uint32_t number)
{
    return &f->records[number];
}

static inline uint32_t flows_number(const struct flows *f, const struct flow *flow)
{
    return (uint32_t)(flow - f->records);
}

/* The number in a connection's cookie; FLOWS_NONE: it has no record. */
static inline uint32_t flows_of_cookie(uint32_t cookie)
{
    return (cookie & ~FLOW_WATCHED) - 1;
}

/* What `event` did to the flow, zeroed when it is new. Valid until the next touch. */
struct touch *flows_touch(struct flows *f, struct flow *flow, int event, bool *is_new);

#endif
