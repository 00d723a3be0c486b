/*
 * profile - what people do with a connection to the Internet, and what they take for broken
 *
 *     session   one thing that a person does: a page, a film, a call, an hour of online banking
 *     lane      what one of its connections at a time is for; a session has some side by side
 *     exchange  a request and its response; lanes that talk (calls, games, tunnels) have none
 *
 * One row a profile. Where a figure has no source it is our assumption, and says so in `source`.
 */
#ifndef ECMPLAB_PROFILE_H
#define ECMPLAB_PROFILE_H

#include <stdbool.h>

#include "sim/traffic/law.h"

enum carrier {
    CARRIER_TCP,   /* reliable; the server knows it by its addresses and ports alone */
    CARRIER_QUIC,  /* reliable; goes on when the client's address changes (RFC 9000, 9) */
    CARRIER_QUERY, /* one packet there, one back, nothing else */
    CARRIER_TALK,  /* packets at a steady pace, both ways, until the session is over */
};

/* What the far end of a talk does when packets come from another address than before. */
enum peer_rule {
    PEER_ROAM,        /* answers there from now on (WireGuard) */
    PEER_IGNORE,      /* does not take them for the same talk (RTP, games) */
    PEER_REHANDSHAKE, /* the tunnel is down until both have shaken hands again */
    PEER_BLOCK,       /* takes it for an attack: the session is over */
    PEER_RULES,
};

extern const char *const peer_rule_names[PEER_RULES];

struct profile {
    const char *name;
    const char *about;
    const char *source;
    uint8_t carrier;   /* enum carrier */
    uint8_t peer_rule; /* enum peer_rule, of CARRIER_TALK */
    bool one_address; /* the site ends a session whose requests come from two addresses */
    bool fresh;       /* every exchange has a connection of its own */
    double quic;      /* the part of CARRIER_TCP's lanes that are QUIC instead */
    uint16_t port;
    unsigned servers;             /* that a session may talk to */
    struct law lanes, exchanges;  /* how many, of a session and of a lane */
    struct law request, response; /* bytes */
    struct law think;             /* ns from a response to the next request */
    int64_t server_ns;            /* from request to response */
    struct law duration;          /* ns, of a talk */
    int64_t beat_ns;              /* a talk's pace */
    uint16_t beat_up, beat_down;  /* bytes of its packets' payload */
    int64_t patience_ns;  /* nothing comes for so long: the connection is given up */
    int64_t notice_ns;    /* nothing comes for so long: the person feels it */
    int64_t again_ns;     /* from giving up to the next try */
    int64_t handshake_ns; /* PEER_REHANDSHAKE: how long it takes */
    unsigned tries;       /* connections in a row that may fail */
};

enum { PROFILES = 9 };
extern const struct profile profiles[PROFILES];

/* By name; NULL when there is none. */
const struct profile *profile_find(const char *name);

#endif
