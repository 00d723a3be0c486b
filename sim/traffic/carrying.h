/*
 * carrying - one connection of which few packets are sent, and the others carried
 *
 * The packets of a connection are those of pacing.h, at the same times. Sent for real are
 *   1. those that begin and end it: of whole TCP the first three and the last three, else the
 *      first of each direction and the very last
 *   2. behind each change that makes the router decide anew, the next of each direction
 *   3. behind one that lost its entry, began it anew, changed its TCP state or left by another
 *      WAN than before, the next of the other direction, or of both
 *   4. behind one that a link lost by chance in front of the router, the next of its direction
 * until each direction was decided by the rules that hold now: what is between those packets and
 * the next change can only share their fate, and is carried: told by simulation_carry() as so
 * many packets and bytes. So both granularities give the same, packet for packet:
 *
 *     time        ──────────────┬─────────────────────┬──────────────▶
 *     sent        SYN ..ACK     │ up, down            │ up, down    FIN ..ACK
 *     carried        ═══════════╡   ══════════════════╡     ════════
 *                               link-down             the check's verdict
 *
 * An entry of the router that no packet prolongs for so long that it could time out is no matter
 * of carrying: there the packets that prolong it are sent for real, and the first that finds it
 * gone. So connections whose packets are farther apart than their time-out are sent packet by
 * packet, as are SYNs that nobody answers.
 */
#ifndef ECMPLAB_CARRYING_H
#define ECMPLAB_CARRYING_H

#include "sim/timeline/actor.h"
#include "sim/traffic/pacing.h"

enum { CARRYING_WAYS = 2 };

/* What becomes of the packets of one direction until something changes. */
struct course {
    uint32_t conn; /* of the router; CONN_NONE */
    int16_t in_wan, out_wan;
    int64_t delay_ns;
    uint8_t direction; /* of the connection */
    uint8_t fate, reason;
    bool known;       /* it is that of the last packet sent */
    bool own;         /* the entry takes them for its own: they are of its flow */
    bool counted;     /* the router counts them for the connection */
    bool prolongs;    /* they keep its entry alive */
    int64_t keeps_ns; /* for so long without another */
};

struct carrying {
    struct pacing pacing;
    struct course ways[CARRYING_WAYS]; /* from who begins, and to him */
    uint32_t until;                    /* the next packet to be sent for real */
    uint32_t next_free;                /* of a dead one: index + 1 */
    uint8_t tcp_state;                 /* of its entry, when it was last seen */
    bool lives;
    bool
        held; /* the router holds its entry until the next packet that is sent for real */
    uint32_t last_sent; /* the last one that was */
    int64_t expires_ns; /* held: what it had let the entry live to */
};

/* What all connections of one source have in common. */
struct carrier {
    struct simulation *sim;
    int iface; /* where their LAN packets enter; -1: by their source */
    int64_t
        unacked_ns; /* the router's time-out of TCP that waits for an acknowledgement */
};

void carrying_begin(struct carrying *c, const struct demand *d);

/* All packets before number `k` are behind us: tell what was carried of them. */
void carrying_pass(const struct carrier *r, struct carrying *c, uint32_t k);

/* The router decides anew: what packets met says nothing of the next ones. */
void carrying_forget(struct carrying *c);

/* The next packet that has to be sent for real. The router holds the entry until then. */
uint32_t carrying_next(const struct carrier *r, struct carrying *c);

/* Send packet number `c->until`, now, and learn what becomes of those behind it. */
void carrying_send(const struct carrier *r, struct carrying *c);

#endif
