/*
 * scenario - the question: a router, its WANs, the traffic, what fails, what is expected
 *
 *     scenario.json ─▶ scenario_read() ─▶ struct scenario ─▶ simulation
 *
 * Everything is owned by the scenario's arena and constant after reading. Every mistake of a
 * file is reported in one run, with its place (diag.h).
 */
#ifndef ECMPLAB_SCENARIO_H
#define ECMPLAB_SCENARIO_H

#include <jansson.h>

#include "core/config.h"
#include "core/memory.h"
#include "sim/input/addrmap.h"
#include "sim/input/diag.h"
#include "sim/links/link.h"
#include "sim/timeline/spell.h"

/* Ten years: later times are refused, so that sums of a few stay far from what int64_t holds. */
#define SCENARIO_TIME_MAX INT64_C(315360000000000000)

/* One WAN: an interface of the router and the link behind it. */
struct scenario_wan {
    const char *name; /* of the interface */
    int iface;
    uint64_t down_bps, up_bps; /* 0: not given */
    int64_t delay_ns;          /* one way */
    int64_t jitter_ns;         /* of each direction's link, as the rest here; link.h */
    double loss, loss_burst;
    struct link_queue queue;
    uint64_t cap_bytes; /* what may be used of it in all, both ways; 0: no cap */
    const struct prefix *prefixes; /* routed to this WAN by its provider, besides its addresses */
    size_t prefixes_len;
};

struct scenario_host {
    const char *name;
    const struct addr *addresses;
    size_t addresses_len;
    bool sensitive;
};

enum traffic_kind {
    TRAFFIC_PCAP,
    TRAFFIC_SYNTHETIC,
    TRAFFIC_FLOWS,
    TRAFFIC_USERS, /* synthetic with a profile */
    TRAFFIC_KINDS
};

struct flowgen_config;
struct flowlist;

struct users_config;

struct scenario_traffic {
    const char *pointer;
    uint8_t kind;       /* enum traffic_kind */
    const char *file;   /* pcap, flows: as opened, relative to the scenario's folder */
    const char *filter; /* BPF; NULL: everything */
    int64_t start_ns;   /* when its first packet comes */
    double speed;       /* 2: twice as fast */
    struct addrmap *map; /* NULL: none; owned by the scenario */
    int iface;          /* where its LAN packets enter; -1: found by their source */
    bool by_flow;       /* synthetic, flows: carried, not sent packet by packet */
    const struct flowgen_config *flowgen; /* synthetic (sim/traffic/flowgen.h); else NULL */
    struct flowlist *flows; /* flows (sim/traffic/flowlist.h), owned by the scenario; else NULL */
    const struct users_config *users; /* sim/users/users.h; NULL: it is not of users */
};

enum { SCENARIO_OUTAGES_MAX = 65536 }; /* of one event: more do not happen */

enum event_kind {
    EVENT_LINK_DOWN,
    EVENT_GATEWAY_DOWN,
    EVENT_BLACKHOLE,
    EVENT_FLAP,
    EVENT_OUTAGES,
    EVENT_DEGRADE,
    EVENT_BROWNOUT,
    EVENT_ADDRESS_CHANGE,
    EVENT_LEASE_CHANGE,
    EVENT_PPPOE_RECONNECT,
    EVENT_REBOOT,
    EVENT_ROUTE_ADD,
    EVENT_ROUTE_REMOVE,
    EVENT_RULE_ADD,
    EVENT_RULE_REMOVE,
    /* in the file only: each stands for many of the kinds above */
    EVENT_EACH_WAN,
    EVENT_EACH_PAIR,
    EVENT_KINDS,
};

extern const char *const event_kind_names[EVENT_KINDS];
extern const char *const traffic_kind_names[TRAFFIC_KINDS]; /* NULL: written as another, with a key of its own */

enum watch_type { WATCH_SIMPLE, WATCH_ICMP, WATCH_LOSS, WATCH_TYPES };

extern const char *const watch_type_names[WATCH_TYPES];

/* A host that the router watches, and the routes that are disabled while it is down: see
 * netwatch.h. */
struct scenario_watch {
    const char *pointer;
    const char *name; /* NULL: none */
    struct addr host;
    struct addr source; /* unset: whatever the router takes */
    int iface;          /* by which its packets leave; -1: as routing says */
    uint8_t type;       /* enum watch_type */
    int64_t interval_ns, timeout_ns, packet_interval_ns;
    uint32_t packet_count;
    uint32_t loss_percent;
    int64_t mean_ns, longest_ns; /* of round trips */
    uint32_t down_after, up_after;
    int64_t hold_down_ns;
    const unsigned *routes;
    size_t routes_len;
};

/* From then on another route stands for one of the configuration: the same by a new gateway, or
 * (both are one) the same once more, which Linux had deleted with the address. */
struct renumbering {
    unsigned route; /* as the file or an event has it */
    unsigned by;
};

/* What an event makes of its WANs' links; both directions but for the rates. */
struct degradation {
    uint64_t down_bps, up_bps; /* 0: as it was */
    int64_t delay_ns, jitter_ns;
    double loss;
    bool has_delay, has_jitter, has_loss;
};

struct scenario_event {
    const char *pointer;
    const char *name; /* of its phases; NULL: none */
    int64_t at_ns;
    int64_t for_ns; /* how long; -1: to the end */
    uint8_t kind;   /* enum event_kind */
    int wan;        /* index into scenario.wans: the only one, or the first; -1: none */
    const int *more_wans; /* that fail with it */
    size_t more_wans_len;
    bool admin;     /* EVENT_LINK_DOWN: administratively, not by loss of carrier */
    uint8_t what;   /* EVENT_FLAP, EVENT_OUTAGES: enum event_kind, how its WANs fail */
    struct degradation degraded; /* EVENT_DEGRADE, EVENT_BROWNOUT */
    struct spell_law between, repair; /* EVENT_OUTAGES: from outage to outage, of one */
    int64_t period_ns, down_ns; /* EVENT_FLAP: from outage to outage; how long each lasts */
    struct prefix address;   /* of kinds that bring one (scenario_event_brings_address()) */
    struct addr old_address; /* and the one that it replaces */
    struct addr gateway;     /* EVENT_LEASE_CHANGE, EVENT_PPPOE_RECONNECT: the new one; or unset */
    const struct renumbering *renumbered; /* the same kinds: when the address is there */
    size_t renumbered_len;
    bool redraw_hash; /* EVENT_REBOOT: the router starts with another hash seed */
    unsigned index; /* of the route or rule that comes or goes */
};

enum expect_level { EXPECT_ERROR, EXPECT_WARN };

struct scenario_expect {
    const char *pointer; /* where the expectation stands */
    const char *metric;  /* JSON pointer into the result */
    bool has_min, has_max, has_near;
    double min, max, near, within;
    json_t *equals; /* NULL: none; any JSON scalar */
    uint8_t level;  /* enum expect_level */
    const char *because;
};

struct scenario {
    const char *path; /* as given by the user */
    const char *name;
    const char *about; /* optional: the question and why the answer is so */
    uint64_t seed;
    struct router_config router;
    const struct scenario_wan *wans;
    size_t wans_len;
    const struct prefix *lan;
    size_t lan_len;
    const struct scenario_host *hosts;
    size_t hosts_len;
    const struct scenario_traffic *traffic;
    size_t traffic_len;
    const struct scenario_watch *watches;
    size_t watches_len;
    const struct scenario_event *events; /* ordered by time, equal times in the file's order */
    size_t events_len;
    const struct scenario_expect *expect;
    size_t expect_len;
    int64_t series_interval_ns; /* of the result's series; 0: chosen */
    int64_t duration_ns;        /* the run ends here; 0: with the traffic */
    uint64_t fingerprint;       /* of the file's text */
    struct arena *arena;
};

/* What the command line changes: --seed, --set POINTER=VALUE (JSON text), --pcap FILE. */
struct scenario_changes {
    bool has_seed;
    uint64_t seed;
    const char *const *set; /* "POINTER=VALUE" */
    size_t set_len;
    const char *pcap; /* instead of the scenario's traffic; NULL: keep it */
};

/*
 * Read and check a scenario file. NULL when it cannot be read or has errors; `d` then holds
 * them all, and diag_file_failed() tells an unreadable file from a wrong one. Warnings may be
 * there in either case.
 */
struct scenario *scenario_read(const char *path, const struct scenario_changes *changes,
                               struct diag *d);
void scenario_free(struct scenario *s);

/* The JSON Schema of what scenario_read() accepts. */
json_t *scenario_schema(void);

/* Is the WAN one of the event's? */
static inline bool scenario_event_has_wan(const struct scenario_event *e, int wan)
{
    bool has = wan >= 0 && e->wan == wan;

    for (size_t i = 0; i < e->more_wans_len && !has; i++)
        has = e->more_wans[i] == wan;
    return has;
}

/* How many WANs it has, and which the i-th is. */
static inline size_t scenario_event_wans(const struct scenario_event *e)
{
    return e->wan < 0 ? 0 : 1 + e->more_wans_len;
}

static inline int scenario_event_wan(const struct scenario_event *e, size_t i)
{
    return i == 0 ? e->wan : e->more_wans[i - 1];
}

/* How the event's WANs fail: EVENT_LINK_DOWN, EVENT_GATEWAY_DOWN or EVENT_BLACKHOLE;
 * EVENT_KINDS: they do not. */
enum event_kind scenario_event_fault(const struct scenario_event *e);

/* Does it replace old_address by address? */
static inline bool scenario_event_brings_address(const struct scenario_event *e)
{
    return e->kind == EVENT_ADDRESS_CHANGE || e->kind == EVENT_LEASE_CHANGE ||
           e->kind == EVENT_PPPOE_RECONNECT;
}

/* For good: when it ends, the new address stays. */
static inline bool scenario_event_renews(const struct scenario_event *e)
{
    return e->kind == EVENT_LEASE_CHANGE || e->kind == EVENT_PPPOE_RECONNECT;
}

static inline bool scenario_event_degrades(const struct scenario_event *e)
{
    return e->kind == EVENT_DEGRADE || e->kind == EVENT_BROWNOUT;
}

/* Is it a row of outages? */
bool scenario_event_has_outages(const struct scenario_event *e);

/* What the policy was told, by the scenario's keys; switches only where they are set. */
json_t *scenario_policy_parameters(const struct config_policy *p);

/* Index of the WAN on this interface, or -1. */
int scenario_wan_of_iface(const struct scenario *s, int iface);

/* Is the address one of the LAN's? */
bool scenario_is_lan(const struct scenario *s, const struct addr *a);

#endif
