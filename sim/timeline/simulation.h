/*
 * simulation - one run: the router, its WANs, the timeline, and who watches
 *
 *     sources ──merged by time──┐
 *                               ├─▶ simulation ─▶ router_forward() ─▶ WAN links ─▶ observers
 *     timers (events, probes) ──┘
 *
 * Packet sources are sorted streams that are merged; only timers live in the heap, ordered by
 * (time, sequence number). A timer due at a packet's time comes before the packet. Nothing is
 * loaded whole: memory follows the connections that live.
 */
#ifndef ECMPLAB_SIMULATION_H
#define ECMPLAB_SIMULATION_H

#include "core/router.h"
#include "sim/timeline/course.h"

/* What became of a packet. Every packet read ends as exactly one of these, or waits. */
enum fate {
    FATE_DELIVERED, /* left the router and arrived: by a WAN, or to the LAN */
    FATE_LOCAL,     /* arrived at the router itself */
    FATE_DROPPED,   /* by the router or a WAN link, for `reason` */
    FATE_UNROUTED,  /* never a matter of routing, for `reason`: not IP, same segment, ... */
    FATE_HELD,      /* a fragment that waits; told again as part of another packet's decision */
    FATE_ASSUMED,   /* no packet at all (number 0): the request behind an answer that was not seen */
};

/* Which links with a rate a packet passed: those have a queue. */
enum queue_passed { QUEUE_UP = 1, QUEUE_DOWN = 2 };

struct observation {
    uint64_t number;  /* of the packet, from 1, in the order of the timeline */
    int64_t time_ns;
    const struct packet *packet; /* as captured, after mapping */
    const struct packet *wire;   /* as it came to the router; NULL when it never did */
    uint32_t frame_bytes;        /* of the frame that brought it */
    const struct decision *decision; /* NULL when the router was not asked */
    struct conn *conn;               /* NULL: none. Its cookie is the observer's */
    int in_iface;                    /* -1: unknown, or the router itself */
    int in_wan, out_wan;             /* index into scenario.wans; -1: none */
    /* On the links of these WANs, of what passed them: queueing, transmission, propagation. */
    int64_t delay_ns;
    int64_t queued_up_ns, queued_down_ns; /* of it, the waits */
    uint8_t queues;                       /* enum queue_passed */
    uint8_t fate;                    /* enum fate */
    uint8_t reason;                  /* enum reason */
    bool offered; /* it is of a connection that was offered as a whole */
};

/*
 * Packets of one direction of a connection to which the same happened, and which were not sent
 * one by one: the router had decided before, and nothing has changed since. They are evenly
 * spread over their time. No packet that waited, none of them begins or ends a connection.
 */
struct carried {
    int64_t from_ns, to_ns;      /* of the first and of the last */
    uint64_t packets, bytes;     /* of IP */
    uint64_t frame_bytes;        /* of their frames together */
    const struct packet *packet; /* one like them, as captured */
    struct conn *conn;           /* NULL: none. Its counts have them already */
    int64_t delay_ns;            /* on the WANs' links */
    int in_wan, out_wan;         /* index into scenario.wans; -1: none */
    uint8_t direction;           /* of the connection */
    uint8_t fate;                /* enum fate */
    uint8_t reason;              /* enum reason */
};

struct demand;

/*
 * A change that made the router decide anew. A WAN is lost when next hops on it die, in whatever
 * table, and returns when some come alive: where several gateways are checked on it, one failure
 * can be told as several losses.
 */
enum change_kind { CHANGE_LOSS, CHANGE_RETURN, CHANGE_CONFIG, CHANGE_ADDRESS, CHANGE_MARK };

struct change {
    int64_t time_ns;
    uint32_t epoch; /* the router's, from this change on */
    uint8_t kind;   /* enum change_kind; MARK: an event began or ended that nothing saw yet */
    uint8_t family; /* of the routes that it concerns (enum family); NONE: of both */
    int wan;        /* LOSS, RETURN, ADDRESS: whose; -1: none */
    int event;      /* index into scenario.events that caused it; -1: none */
};

/* What users tell of their sessions (sim/users/). */
enum session_news_kind {
    SESSION_BEGUN,
    SESSION_FINISHED,
    SESSION_ENDED,     /* by the site, which did not like its addresses */
    SESSION_GIVEN_UP,  /* by the person */
    SESSION_CONNECTION, /* one was opened */
    SESSION_RESET,     /* a connection was, by the server */
    SESSION_TIMED_OUT, /* a connection: nothing came for too long */
    SESSION_SHOOK_HANDS, /* a tunnel, again */
    SESSION_OUTAGE,    /* is over: outage_ns long */
    SESSION_NEWS,
};

struct session_news {
    int64_t time_ns;
    uint8_t kind;   /* enum session_news_kind */
    size_t traffic; /* index into scenario.traffic */
    struct addr host;
    int64_t outage_ns;
    const char *why; /* of what broke; a constant; NULL: not known */
};

struct simulation;

struct observer {
    void (*packet)(void *context, const struct observation *o);
    void (*changed)(void *context, const struct change *c);     /* may be NULL */
    void (*conn_ended)(void *context, const struct conn *c);    /* may be NULL */
    /* An event begins or ends, before the router is told; may be NULL. */
    void (*event)(void *context, int event, bool begins, int64_t time_ns);
    /* Of an event that is a row of outages, one begins or ends; may be NULL. */
    void (*outage)(void *context, int event, bool begins, int64_t time_ns);
    /* An answer that the capture lacks was shown to the router, before the packet from which it
     * follows is observed; may be NULL. */
    void (*assumed_answer)(void *context, const struct packet *wire, int in_iface);
    void (*session)(void *context, const struct session_news *n); /* may be NULL */
    void (*carried)(void *context, const struct carried *c);      /* may be NULL */
    void (*offered)(void *context, const struct demand *d);       /* may be NULL */
    /* Fragments that never became whole; may be NULL. */
    void (*fragments_dropped)(void *context, int64_t time_ns, uint32_t packets, uint64_t bytes);
    void *context;
};

enum {
    SIMULATION_OBSERVERS_MAX = 4,
    SIMULATION_SESSIONS_MAX = 1 << 17 /* of users, at once: 2 GB */
};

/* `s` is borrowed for the simulation's life. Opens no file yet. */
struct simulation *simulation_create(const struct scenario *s);
void simulation_destroy(struct simulation *sim);

void simulation_observe(struct simulation *sim, const struct observer *o);

/*
 * Run the whole scenario. False when an input could not be opened or read to its end, or more
 * sessions lived at once than may: `error` says why; what was read until then has been observed.
 */
bool simulation_run(struct simulation *sim, char *error, size_t error_size);

/* What an event of this kind is, in a line. */
const char *simulation_event_about(enum event_kind kind);

/* Let time pass without traffic: every timer up to and including `time_ns`. */
void simulation_advance(struct simulation *sim, int64_t time_ns);

struct router *simulation_router(struct simulation *sim);
const struct scenario *simulation_scenario(const struct simulation *sim);
int64_t simulation_now_ns(const struct simulation *sim);
uint64_t simulation_packets(const struct simulation *sim);   /* read so far, and carried */
uint64_t simulation_steps_back(const struct simulation *sim); /* timestamps that did */
const struct event_course *simulation_event_course(const struct simulation *sim, int event);
const struct course_outages *simulation_event_outages(const struct simulation *sim, int event);

/* How often the watched host was found down, and how long it was so, until now. */
void simulation_watch(const struct simulation *sim, int watch, uint64_t *downs,
                      int64_t *down_ns);

/* Is the WAN's link up now, and how long has it been in all, until now? */
bool simulation_wan_is_up(const struct simulation *sim, int wan);
int64_t simulation_wan_up_ns(const struct simulation *sim, int wan);

/* Why the WAN loses every packet now; REASON_NONE: it does not. */
enum reason simulation_wan_fault(const struct simulation *sim, int wan);

/* The LAN interface by which packets of this source enter: the one on whose network it is,
 * longest network first, or else the only one there is; -1: none. */
int simulation_lan_iface(const struct simulation *sim, const struct addr *a);

/* Decide one packet outside of any traffic, at the present time, as the run would. */
void simulation_ask(struct simulation *sim, const struct packet *p, int in_iface,
                    struct decision *d);

#endif
