/*
 * metrics_parts - what the parts of the metrics share; for sim/observe alone
 *
 * What adds up over a run (the *_counts) is kept side by side, so that a phase is the
 * difference of two snapshots.
 */
#ifndef ECMPLAB_METRICS_PARTS_H
#define ECMPLAB_METRICS_PARTS_H

#include "sim/observe/choices.h"
#include "sim/observe/delays.h"
#include "sim/observe/elephants.h"
#include "sim/observe/flows.h"
#include "sim/observe/hosts.h"
#include "sim/observe/ledger.h"
#include "sim/observe/metrics.h"
#include "sim/observe/places.h"
#include "sim/observe/promise.h"
#include "sim/observe/series.h"
#include "sim/observe/sessions.h"
#include "sim/observe/stats.h"

/* Why a flow's packet left by another path than its last one. */
enum move_cause {
    MOVE_FORCED,     /* its path failed */
    MOVE_FAILBACK,   /* a path returned */
    MOVE_COLLATERAL, /* its path was well; the group's regions shifted */
    MOVE_CONFIG,
    MOVE_POLICY, /* nothing had changed: per-packet policies */
    MOVE_CAUSES,
};

extern const char *const move_cause_names[MOVE_CAUSES];
extern const char *const flow_fate_names[FLOW_FATES];

/* Of one WAN; packets and bytes that arrived. 64 bytes: one cache line. */
struct path_counts {
    uint64_t packets_up, packets_down, bytes_up, bytes_down;
    uint64_t flows;        /* whose first packet left by it */
    uint64_t choice_flows; /* of them, those that had a choice */
    uint64_t choice_bytes; /* both ways, carried on it by flows while they had a choice */
    uint64_t unused;
};
_Static_assert(sizeof(struct path_counts) == 64, "one cache line");

struct stick_counts {
    uint64_t flows; /* that got a path */
    uint64_t moves[MOVE_CAUSES];
    uint64_t became[FLOW_FATES]; /* times that a flow came to it, at each event apart */
};

/* IPv4 and IPv6 routes come and go apart; a flow is judged by those of its own family. */
enum { METRIC_FAMILIES = 2 };

static inline unsigned metrics_family(unsigned family)
{
    return family == FAMILY_V6;
}

/* What changed on a WAN, as the router sees it. The numbers are those of changes, 0 =
 * never. */
struct path_changes {
    uint32_t lost, returned, address;
    int lost_event, returned_event, address_event; /* -1: none is known */
};

/* The latest change that affects routes of a family. */
struct last_change {
    uint32_t number; /* 0: none */
    uint8_t kind;    /* enum change_kind */
    int event;
};

/* What does not add up a phase at a time, of one WAN. */
struct path_state {
    uint64_t drops[REASONS]; /* packets */
    uint64_t dropped_packets, dropped_bytes;
    uint64_t foreign_sources, untranslated, inside_leaks; /* packets */
    struct path_changes changes[METRIC_FAMILIES];         /* metrics_family() */
    /* The latest event that makes it fail so now: link-down, gateway-down, blackhole; -1. */
    int open[3], degraded; /* ..., or worse: degrade, brownout */
};

/* What became of the flows that lived when an event began, or that began meanwhile. */
struct event_flows {
    uint64_t alive, moved;
    uint64_t fates[FLOW_FATES];  /* [FLOW_SURVIVED] is not kept */
    uint64_t forced, collateral; /* flows with such a move */
};

/* What has come of an event: flows are harmed in one of these. */
enum event_step {
    STEP_UNNOTICED, /* the router goes on as before */
    STEP_SWITCHED,  /* it has changed its routes, or was told to */
    STEP_OVER,      /* the event has ended, or its routes are back */
    EVENT_STEPS,
};

extern const char *const event_step_names[EVENT_STEPS];

struct event_state {
    uint8_t step;                            /* enum event_step */
    uint64_t harms[EVENT_STEPS][FLOW_FATES]; /* times that it did worse to a flow than before */
    uint64_t step_moves[EVENT_STEPS];
    bool begun, open;
    bool down; /* one of its outages lasts */
    uint32_t begin_mark;
    struct event_flows before, meanwhile; /* flows that began before it, and after */
    uint64_t moves[MOVE_CAUSES];
    uint64_t packets_lost, bytes_lost;
    uint64_t drops[REASONS];            /* the packets */
    int begin_snapshot, end_snapshot; /* -1: none */
};

/* An event's beginning or end, or a return of its path. Flows know how many they saw. */
struct mark {
    int event;
    bool begins;
    uint8_t family; /* whose flows it concerns; FAMILY_NONE: both */
};

struct snapshot {
    int64_t time_ns;
    struct path_counts *paths;
    struct stick_counts stick;
    struct host_counts *hosts;
    struct promise_counts *promises;
    size_t promises_len;
};

struct metrics {
    /* the fast path's */
    uint64_t fingerprint, traffic, packets, bytes;
    uint64_t fates[FATE_ASSUMED + 1]; /* packets; held ones once they are resolved */
    struct path_counts *paths;
    struct series series;
    struct delays delays;
    struct series_cell *scratch; /* a WAN each, all zero: of what is being spread */

    const struct scenario *scenario;
    struct router *router;
    struct places places;
    struct promises promises;
    struct flows flows;
    struct hosts hosts;
    struct sessions sessions;
    struct path_state *states; /* by WAN */
    bool *sprays;              /* by policy: its flows take several paths anyhow */
    struct event_state *events;
    int reboot; /* the latest event that keeps the router down; -1: none does */
    struct mark *marks;
    size_t marks_len, marks_cap;
    struct snapshot *snapshots;
    size_t snapshots_len, snapshots_cap, snapshots_cells;

    uint32_t changes; /* so far, that affect routes */
    struct last_change last[METRIC_FAMILIES];

    struct stick_counts stick;
    uint64_t worst[FLOW_FATES]; /* flows by their worst fate */
    uint64_t flows_begun, flows_moved, flows_moved_alone, flows_split_reply;
    uint64_t unharmed;         /* lived at some event, and nothing happened to them */
    uint64_t choice_bytes;      /* of flows that ended */
    struct elephants elephants; /* the largest of them */
    struct choices choices;
    struct ledger *ledger; /* NULL: none is kept; borrowed */
    uint64_t unrouted[REASONS], dropped[REASONS];
    struct addr foreign_src, foreign_dst; /* of the first foreign packet */

    char **warnings;
    size_t warnings_len, warnings_cap;
    bool finished;
};

/* -------------------------------------------------------------------------- phases.c */

/* Remember the counts now: an index into snapshots. The second way refuses, with a
 * warning and -1, when there are too many. */
int phases_take(struct metrics *m, int64_t time_ns);
int phases_snapshot(struct metrics *m, int64_t time_ns);
void phases_free(struct metrics *m);

/* ------------------------------------------------------------------------- metrics.c */

/* Close what still lives. More than once is as good as once. */
void metrics_finish(struct metrics *m, int64_t end_ns);

#endif
