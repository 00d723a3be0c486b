/*
 * rig - metrics watching a run that the test tells step by step
 *
 *     bridge-lan 192.168.10.1/24, 2001:db8:10::1/64      hosts: laptop 192.168.10.50
 *     wan1       100.64.1.2/24                                  phone 192.168.10.60,
 *     wan2       100.64.2.2/24                                        2001:db8:10::60
 *     wan3       100.64.3.2/24
 *
 * WANs are 0, 1, 2. Decisions are made up by the test; connections are real entries of
 * the router's table, with counters kept as the router keeps them.
 */
#ifndef ECMPLAB_TESTS_RIG_H
#define ECMPLAB_TESTS_RIG_H

#include "sim/observe/facts.h"
#include "sim/observe/metrics_parts.h"
#include "tests/routers.h"

enum { RIG_WANS = 3, RIG_EVENTS_MAX = 200 };

struct rig {
    struct lab *lab;
    struct scenario scenario;
    struct scenario_wan wans[RIG_WANS];
    struct scenario_event events[RIG_EVENTS_MAX];
    struct event_course courses[RIG_EVENTS_MAX];
    int64_t wan_up_ns[RIG_WANS];
    struct facts facts;
    struct metrics *metrics;
    struct observer observer;
    struct nexthop_group *group; /* what every decision passes: all WANs, weight 1 */
    struct fib_entry entry;
    uint64_t packets;
    bool hashed; /* flows that begin now have one hash in common */
};

/* One packet. What is left out: 100 bytes, delivered, by no WAN, no flags but what is
 * said. */
struct step {
    double at;
    struct conn *conn; /* NULL: none */
    int out, in;       /* WAN + 1; 0: none */
    uint8_t direction, flags, fate, reason;
    uint8_t tcp_flags, packet_flags;
    const char
        *nat; /* the source as it leaves; NULL: 100.64.(out).2, or the packet's own */
    const char *src, *dst;
    uint16_t nat_port; /* 0: the packet's own */
    uint32_t size, held;
    bool undecided;
    bool dropped_by_router;
    double delay, queued_up, queued_down; /* on the links, in seconds */
    uint8_t queues;                       /* enum queue_passed */
};

/* `change` may set up the scenario before the metrics are made; NULL. */
struct rig *rig_create(void (*change)(struct scenario *s));
void rig_destroy(struct rig *r);

/* An event of the scenario; `duration` < 0: to the end. Before the first step. */
int rig_plan(struct rig *r, const char *name, enum event_kind kind, int wan, double at,
             double duration);

void rig_send(struct rig *r, struct step s);

/* The first packet of a connection from the LAN by `wan` (0..2). */
struct conn *rig_begin(struct rig *r, double at, uint8_t protocol, const char *src,
                       const char *dst, int wan);

void rig_event(struct rig *r, int event, bool begins, double at);
/* Of a flap. */
void rig_outage(struct rig *r, int event, bool begins, double at);
void rig_change(struct rig *r, enum change_kind kind, int wan, int event, double at);

/* The same for routes of one family only. */
void rig_change_family(struct rig *r, enum change_kind kind, enum family family, int wan,
                       int event, double at);

/* The whole run is over. */
json_t *rig_result(struct rig *r, double at);

/* Figures of a document by pointer; a missing one fails the test. */
double rig_number(json_t *result, const char *pointer);
void rig_expect(json_t *result, const char *pointer, double value);
void rig_expect_text(json_t *result, const char *pointer, const char *text);

#endif
