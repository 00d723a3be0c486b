/*
 * users_parts - what the parts of the users share; see users.h
 *
 *     users.c        the actor: its timers, arrivals, pools
 *     session.c      what a session does, and what it takes for broken
 *     connection.c   one connection, at both its ends
 *     parcel.c       its packets, on their way through the router
 */
#ifndef ECMPLAB_USERS_PARTS_H
#define ECMPLAB_USERS_PARTS_H

#include "sim/timeline/heap.h"
#include "sim/users/transfer.h"
#include "sim/users/users.h"

enum direction { UP, DOWN };

/* What goes off. Those of lanes: one of a kind at a time. */
enum users_timer {
    TIMER_RESEND_UP, /* of a lane: the time-outs of its connection, by enum direction */
    TIMER_RESEND_DOWN,
    TIMER_BEAT,     /* the next packets of a talk */
    TIMER_STEP,     /* to think is over, or the pause before the next try */
    TIMER_PATIENCE, /* has anything come? */
    TIMER_SERVE,    /* the server has its response */
    LANE_TIMERS,
    TIMER_ARRIVAL = LANE_TIMERS, /* of a host: its next session begins */
    TIMER_PARCEL,                /* it has arrived */
};

enum parcel_kind {
    PARCEL_OPEN,   /* SYN; the first packet of QUIC */
    PARCEL_ACCEPT, /* SYN+ACK; its answer */
    PARCEL_DATA,   /* also an acknowledgement alone */
    PARCEL_CLOSE,
    PARCEL_RESET,
    PARCEL_BEAT,
};

/* A packet behind the router, on its way to the other end. */
struct parcel {
    uint32_t lane, serial; /* the connection that it is of */
    uint8_t kind;          /* enum parcel_kind */
    uint8_t direction;
    struct segment segment;
    struct acknowledgement ack;
    int64_t sent_ns;
    struct addr from; /* up: as the server sees it */
    uint16_t from_port;
    uint32_t next; /* free one */
};

enum connection_state { CONNECTION_NONE, CONNECTION_OPENING, CONNECTION_OPEN };

struct connection {
    uint32_t serial; /* of all connections there ever were, from 1 */
    uint8_t state;   /* enum connection_state */
    bool accepted;   /* the server knows it */
    bool tried_again;
    uint16_t port;
    struct addr peer; /* the client, as the server knows it */
    uint16_t peer_port;
    int64_t shaken_ns; /* until then the tunnel shakes hands again; 0: it does not */
    int64_t opened_ns;
    struct transfer ways[2]; /* by enum direction */
    int64_t due_ns[2];       /* of their time-outs */
};

enum lane_state { LANE_IDLE, LANE_WAITING, LANE_OVER };

/* What one connection at a time is for. */
struct lane {
    uint32_t number, session;
    uint8_t state;              /* enum lane_state: does the person wait for something? */
    uint8_t carrier;            /* enum carrier */
    int64_t exchanges;          /* left */
    unsigned failures;          /* in a row */
    uint64_t request, response; /* bytes of the present exchange */
    uint64_t asked, answered; /* what the connection will have carried when it is over */
    int64_t ends_ns;          /* a talk; 0: not begun */
    int64_t trouble_ns;       /* when something last went wrong */
    const char *trouble;      /* the first since something came; NULL: none */
    int64_t progress_ns;      /* when something last came, or was asked for */
    int64_t timers[LANE_TIMERS]; /* when the one of each kind goes off; 0: none */
    struct addr server;
    struct connection connection;
};

enum { LANES_MAX = 8, SERVERS_MAX = 8, NONE = -1 };

struct session {
    uint32_t host; /* of config->hosts */
    bool live;
    bool known;          /* the site knows `address` */
    struct addr address; /* of its first request */
    unsigned lanes_len, over;
    struct lane lanes[LANES_MAX];
    uint32_t next; /* free one */
};

struct user_host {
    struct arrivals arrivals;
    struct random_stream chance; /* of its sessions */
    uint16_t port;               /* of its last connection */
};

#define USERS_NO_SLOT UINT32_MAX

struct users {
    struct simulation *sim;
    const struct users_config *config;
    const struct profile *profile;
    struct heap timers;
    struct user_host *hosts;
    struct session **sessions; /* each stays where it is */
    size_t sessions_len, sessions_cap;
    struct parcel *parcels;
    size_t parcels_len, parcels_cap;
    uint32_t free_session, free_parcel;
    size_t live, expected; /* sessions; hosts of which another will begin */
    uint32_t serial;
    int64_t now_ns;
};

static inline struct session *users_session(const struct users *u, const struct lane *l)
{
    return u->sessions[l->session];
}

static inline const struct addr *users_host(const struct users *u, const struct lane *l)
{
    return &u->config->hosts[users_session(u, l)->host];
}

/* users.c */

/* At the earlier of this time and the one that is set. */
void users_arm(struct users *u, struct lane *l, enum users_timer kind, int64_t at_ns);
void users_tell(struct users *u, const struct session *s, enum session_news_kind kind,
                int64_t outage_ns, const char *why);
struct parcel *users_parcel(struct users *u, int64_t arrives_ns);
struct session *users_session_take(struct users *u);
void users_session_give(struct users *u, struct session *s);

/* session.c */
void session_begin(struct users *u, uint32_t host);
void lane_step(struct users *u, struct lane *l);
void lane_look_at_patience(struct users *u, struct lane *l);
void lane_serve(struct users *u, struct lane *l);
void lane_opened(struct users *u, struct lane *l);
/* Something came that was sent at that time. */
void lane_progressed(struct users *u, struct lane *l, int64_t sent_ns);
void lane_answered(struct users *u, struct lane *l);
void lane_talk_over(struct users *u, struct lane *l);
void lane_broke(struct users *u, struct lane *l, enum session_news_kind how);
/* The server has a whole request, from this address. */
void lane_requested(struct users *u, struct lane *l, const struct addr *from);
/* The far end does not like that the address has changed. */
void lane_blocked(struct users *u, struct lane *l);

static inline void lane_trouble(const struct users *u, struct lane *l, const char *why)
{
    if (!l->trouble)
        l->trouble = why;
    l->trouble_ns = u->now_ns;
}

/* connection.c */
void connection_open(struct users *u, struct lane *l);
void connection_close(struct users *u, struct lane *l);
void connection_send(struct users *u, struct lane *l, enum direction d, uint64_t bytes);
void connection_resend(struct users *u, struct lane *l, enum direction d);
void connection_beat(struct users *u, struct lane *l);
void connection_arrived(struct users *u, const struct parcel *p);

/* parcel.c */

/* Send it; when the router and its WAN let it pass, it will arrive. */
void parcel_send_up(struct users *u, struct lane *l, const struct parcel *p);
/* To this public address, by which the server knows the client. */
void parcel_send_down(struct users *u, struct lane *l, const struct parcel *p,
                      const struct addr *to, uint16_t to_port);

#endif
