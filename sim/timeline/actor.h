/*
 * actor - traffic that acts: it is woken at times of its own, sends packets one by one, and
 * sees what becomes of each
 *
 *     next_ns() ──▶ the simulation's merge ──▶ act(now) ── simulation_send_up(), _down() ──▶ router
 *                                                 ▲                              │
 *                                                 └────────── struct sending ────┘
 *
 * Streams (source.h) are read ahead and cannot react; actors are asked at their turn. Of packets
 * and actors due at one instant, those that stand first in the scenario's traffic come first,
 * and timers come before either.
 */
#ifndef ECMPLAB_ACTOR_H
#define ECMPLAB_ACTOR_H

#include "sim/input/capture.h"
#include "sim/timeline/simulation.h"

#define ACTOR_NEVER INT64_MAX

struct actor_kind {
    /* `t` is borrowed for the actor's life. */
    void *(*create)(struct simulation *sim, const struct scenario_traffic *t);
    /* When it next has something to do; ACTOR_NEVER: it has ended. */
    int64_t (*next_ns)(const void *actor);
    /* Do all that is due at next_ns(), which is now. */
    void (*act)(void *actor);
    void (*destroy)(void *actor);
    /*
     * Something is about to change, or the run to end: tell all that was carried before
     * `before_ns` (simulation_carry()), and ask the router anew for what follows. NULL: it
     * carries nothing.
     */
    void (*settle)(void *actor, int64_t before_ns);
    /* Why it ended before its time; NULL: it did not. May be NULL, if it never does. */
    const char *(*error)(const void *actor);
};

/* What became of a packet that an actor sent. */
struct sending {
    uint8_t fate;    /* enum fate */
    uint8_t reason;  /* enum reason; of FATE_DROPPED and FATE_UNROUTED */
    int wan;         /* up: by which it left; -1: none */
    struct addr src; /* up: as the other end sees it */
    uint16_t sport;
    int64_t delay_ns;        /* on the WAN's link, when it arrived */
    const struct conn *conn; /* of the router; NULL: none. Until the next packet */
};

/* A host of the LAN sends it; it enters by the interface on whose network its source is. */
void simulation_send_up(struct simulation *sim, const struct packet *p,
                        struct sending *out);

/*
 * The Internet sends `wire` to a public address of this WAN; `lan` is the same as the LAN host
 * will see it, or would.
 */
void simulation_send_down(struct simulation *sim, const struct packet *wire,
                          const struct packet *lan, int wan, struct sending *out);

/*
 * It is as if it had been read from a capture, now: `out` is what observers saw of it, and its
 * decision is valid until the next packet. It stands for a connection that was offered.
 */
void simulation_send_captured(struct simulation *sim, const struct captured *c, int iface,
                              struct observation *out);

/* A connection is offered: what it wants to send is known as a whole. */
void simulation_offer(struct simulation *sim, const struct demand *d);

/*
 * Packets that nobody sends one by one: the router counts them for their connection
 * (`counted`), the links of their WANs take their share by chance, observers are told.
 */
void simulation_carry(struct simulation *sim, const struct carried *c, bool counted);

void simulation_tell_session(struct simulation *sim, const struct session_news *n);

/* Do more sessions live than may? Then nothing more is to begin: the run ends with an error. */
bool simulation_is_full(const struct simulation *sim);

/* Does the provider of this WAN let packets with this source pass (BCP 38)? It does when the
 * address is one that it delivers there. */
bool simulation_wan_takes(const struct simulation *sim, int wan, const struct addr *src);

/* The WAN to which the Internet delivers packets for this address now; -1: to none. Of several
 * that have a prefix the first that is well. */
int simulation_wan_of_address(const struct simulation *sim, const struct addr *a);

#endif
