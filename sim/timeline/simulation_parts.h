/*
 * simulation_parts - what the parts of the simulation share
 *
 *     simulation.c   making it, one packet's course, timers, a run
 *     merge.c        all traffic in one order of time
 *     changes.c      next hops lost and back, told to observers
 *     send.c         packets of traffic that acts, sent or carried
 *     entrance.c     where a captured packet enters the router, and as what
 *     crossing.c     a packet and the link of its WAN
 *     failure.c      the kinds of events: what begins and what ends
 *     outages.c      events that are a row of outages
 *     degrade.c      links that get worse
 *     course.c       what is known of each event's course
 *     probes.c       gateway checks: probes sent, answered or missed
 *     listening.c    gateway checks by BFD: packets heard, or silence
 *     watches.c      watched hosts, and the routes that hang on them
 */
#ifndef ECMPLAB_SIMULATION_PARTS_H
#define ECMPLAB_SIMULATION_PARTS_H

#include "sim/timeline/actor.h"
#include "core/random.h"
#include "sim/timeline/bfd.h"
#include "sim/timeline/degrade.h"
#include "sim/timeline/feed.h"
#include "sim/timeline/heap.h"
#include "sim/timeline/netwatch.h"
#include "sim/timeline/outages.h"
#include "sim/timeline/simulation.h"
#include "sim/timeline/wan.h"

enum timer_kind {
    TIMER_EVENT_BEGINS, /* index: of the event */
    TIMER_EVENT_ENDS,
    TIMER_OUTAGE,      /* index: of the event */
    /* the router's own, lost when it restarts: */
    TIMER_PROBE,       /* index: of the check; bfd: the gateway sends a packet */
    TIMER_PROBE_OK,    /* its answer comes; bfd: the packet */
    TIMER_PROBE_LOST,  /* its time is out; bfd: there may have been silence for too long */
    TIMER_WATCH_PACKET, /* index: of the watch */
    TIMER_WATCH_TEST,
};

/* One source as the merge sees it. */
struct stream {
    struct feed *feed;
    const struct batch *batch;
    unsigned next; /* in the batch */
    size_t order;  /* in the scenario's traffic */
    int iface;     /* where its LAN packets enter; -1: by their source */
};

/* Traffic that acts, as the merge sees it. */
struct acting {
    const struct actor_kind *kind;
    void *actor;
    size_t order;
};

/* A prefix test without branches on the family: two masked words. */
struct net {
    uint64_t mask[2], bits[2];
    uint8_t family;
    uint8_t length;
    int iface; /* of lan_ifaces; -1 elsewhere */
};

/* How the first fragment of a datagram to the LAN came, for those behind it. */
struct fragment_way {
    struct addr src, dst, wire_dst;
    uint32_t id;
    uint8_t protocol;
    int iface;
};

enum { FRAGMENT_WAYS = 256 };

/* A host that the router watches. */
struct watching {
    struct netwatch netwatch;
    struct random_stream phases, losses;
    int64_t packet_ns; /* type loss: the next packet leaves */
    int64_t test_ns;   /* the next test begins; type loss: is judged */
    uint32_t in_test;  /* packets sent of it */
    int wan;           /* by which the last packet left; -1: by none */
    bool beyond_gateway, sleeping, packet_is_due;
    uint64_t wakes; /* simulation.wakes when the last packet left */
    uint64_t downs; /* times that it was found down */
    int64_t down_ns, down_since_ns; /* of those that ended; the last one's beginning */
};

/* A gateway whose BFD packets the router listens for. */
struct listening {
    struct bfd bfd;
    bool timed; /* a timer for the end of its silence is set */
};

/* Events and watches that now add a route or rule, or take it away. */
struct hold {
    unsigned added, removed;
};

struct simulation {
    const struct scenario *scenario;
    struct router *router;
    struct wan_link *wans;
    int *wan_of_iface; /* -1: a LAN interface */
    struct net *lan;   /* the scenario's LAN prefixes */
    size_t lan_len;
    struct net *segments; /* the networks on LAN interfaces */
    size_t segments_len;
    int only_lan_iface; /* the one interface that is no WAN; -1: there are several */
    struct heap timers;
    bool *sleeping; /* a gateway check each */
    uint64_t wakes; /* times that something happened: probes_wake() */
    struct random_stream *probe_losses; /* a gateway check each */
    struct listening *listening; /* a gateway check each: those by bfd */
    uint64_t *probe_wakes; /* a gateway check each: when its last probe left */
    struct watching *watches; /* of the scenario */
    struct stream *streams;
    size_t streams_len;
    struct acting *actors;
    size_t actors_len;
    uint64_t sessions; /* of actors, that live */
    bool is_full;      /* they were more than may be */
    struct decision decision; /* the last one */
    unsigned down; /* events that keep the router from forwarding */
    struct courses courses;
    struct outages_plan *outages; /* an event each */
    uint8_t *old_lengths; /* an event each: of the network of the address that it replaced */
    struct hold *route_holds, *rule_holds;
    unsigned *standing; /* which route now stands for each of the configuration */
    struct observer observers[SIMULATION_OBSERVERS_MAX];
    size_t observers_len;
    int64_t now_ns;
    uint64_t packets;
    struct fragment_way fragment_ways[FRAGMENT_WAYS];
};

static inline bool net_holds(const struct net *n, const struct addr *a)
{
    return (((a->quads[0] & n->mask[0]) ^ n->bits[0]) |
            ((a->quads[1] & n->mask[1]) ^ n->bits[1])) == 0 &&
           a->family == n->family;
}

static inline bool simulation_is_lan(const struct simulation *sim, const struct addr *a)
{
    for (size_t i = 0; i < sim->lan_len; i++)
        if (net_holds(&sim->lan[i], a))
            return true;
    return false;
}

struct net net_make(const struct prefix *p, int iface);

/* changes.c */
/* The router was told something: find what next hops live on each WAN now, and tell losses and
 * returns. CHANGE_ADDRESS is told besides, CHANGE_MARK where there are none; what CHANGE_CONFIG
 * takes and gives is no loss and no return. */
void simulation_note_change(struct simulation *sim, enum change_kind kind, int event);

/* merge.c */
/* The scenario's traffic; false, with the error, when some cannot be opened. */
bool merge_open(struct simulation *sim, char *error, size_t error_size);
void merge_close(struct simulation *sim);
/* What comes next of all traffic, up to the end; false when nothing does. */
bool merge_run_next(struct simulation *sim, int64_t end_ns);
/* Everything that was carried before the time is told. */
void merge_settle(struct simulation *sim, int64_t before_ns);
/* Did all that has ended end well? */
bool merge_ended_well(const struct simulation *sim, char *error, size_t error_size);

/* Everything that was carried until now is told, before something changes. */
void simulation_settle(struct simulation *sim);

/* What a packet is to the router, as far as nothing can change it. */
void simulation_arrival(const struct simulation *sim, const struct packet *p,
                        struct arrival *a);

/* entrance.c: a packet of a capture meets the router. */
void entrance_find_conn(const struct simulation *sim, struct observation *o);
void entrance_segments_init(struct simulation *sim);
/* `o` has its number, time and size; it is shown with what became of it. */
void entrance_enter(struct simulation *sim, struct observation *o, const struct captured *c,
                    const struct arrival *a, int stream_iface);
void entrance_admit(struct simulation *sim, const struct captured *c, const struct arrival *a,
                    int stream_iface);

/* It comes by a WAN (o->in_iface), whose link may be down, and whose connection may be forgotten. */
void entrance_from_wan(struct simulation *sim, struct observation *o,
                       const struct packet *wire);

/*
 * A LAN host acknowledges a connection whose SYN+ACK the capture does not show: it must have
 * had it. Show that to the router. True: it was so, and the packet is to be decided again.
 */
bool entrance_assume_answer(struct simulation *sim, const struct observation *o);

/* simulation.c: the packet is before the router. */
void simulation_deliver(struct simulation *sim, struct observation *o,
                        const struct packet *wire, const struct router_key *key);
void simulation_drop_fragments(struct simulation *sim);
void simulation_show(struct simulation *sim, struct observation *o, enum fate fate,
                     enum reason reason);

/*
 * crossing.c: the packet goes by the link of its WAN, `out_wan` behind the router or `in_wan`
 * in front of it. REASON_NONE: it arrives, and `o` has its delay; or why it does not.
 */
enum reason crossing_up(struct simulation *sim, struct observation *o);
enum reason crossing_down(struct simulation *sim, struct observation *o);

/* failure.c */
void failure_begin(struct simulation *sim, unsigned event);
void failure_end(struct simulation *sim, unsigned event);
/* The WANs of the event fail as it says (scenario_event_fault()), or that is over. */
void failure_set_wans(struct simulation *sim, const struct scenario_event *e, bool begins);
/* Something was done to the router or its WANs for the event: see who notices. */
void failure_tell(struct simulation *sim, enum change_kind kind, unsigned event);

/* A route is taken away once more, or once less. */
void failure_remove_route(struct simulation *sim, unsigned route, bool removed);

/* watches.c */
void watches_create(struct simulation *sim);
void watches_free(struct simulation *sim);
/* The router starts: tests begin at phases drawn anew. */
void watches_start(struct simulation *sim);
void watches_wake(struct simulation *sim);
void watch_packet(struct simulation *sim, unsigned watch);
void watch_test(struct simulation *sim, unsigned watch);

/* probes.c */
/* A packet's way by the interface (NEXTHOP_NONE: none) there and back, as its WAN's links are
 * now; -1: nothing comes back. It is too small to delay others. */
int64_t probe_round_trip_ns(const struct simulation *sim, unsigned iface, bool beyond_gateway,
                            struct random_stream *chance);
/* Will each such packet fare as the one before: always lost, or always back by `limit_ns`? */
bool probe_is_certain(const struct simulation *sim, int wan, bool beyond_gateway,
                      int64_t limit_ns);
/* The event behind a new verdict on what is reached by the WAN; -1: none is known. */
int probe_event_behind(const struct simulation *sim, int wan, bool beyond_gateway, bool answered);
/* The same of the verdict of a gateway check. */
int probe_event_of(const struct simulation *sim, const struct rib_check *c, bool answered);
/* The WAN that a check's packets take; -1: none. */
int probe_wan(const struct simulation *sim, const struct rib_check *c);
/* The longest that a packet can take by the link; -1: there is no telling. */
int64_t probe_longest_ns(const struct link *l);
/* One way by a link, behind what is queued there now; `lost` is set if it is, by chance. */
int64_t probe_one_way_ns(const struct link *l, int64_t now_ns, bool *lost,
                         struct random_stream *chance);
/* The check's next packet is due at the time. */
void probe_schedule(struct simulation *sim, size_t check, int64_t time_ns);
void probes_start(struct simulation *sim);
/* Something happened to the router or its WANs: checks that slept probe again. */
void probes_wake(struct simulation *sim);
void probe_send(struct simulation *sim, unsigned check);
void probe_end(struct simulation *sim, unsigned check, bool answered);

/* listening.c */
void listening_create(struct simulation *sim);
void listening_start(struct simulation *sim, size_t check);
void listening_wake(struct simulation *sim, size_t check);
void listening_packet(struct simulation *sim, unsigned check);
void listening_heard(struct simulation *sim, unsigned check);
void listening_silence(struct simulation *sim, unsigned check);

#endif
