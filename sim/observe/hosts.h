/*
 * hosts - the named hosts of a scenario, as the Internet sees them
 *
 * A host is seen by its public addresses. What counts is the first packet of each of its
 * connections that leaves by a WAN and arrives, and each packet of a connection that
 * leaves under another address than the connection's packet before:
 *
 *     time        0 s            5 s            9 s                 20 s
 *     conn. 1     100.64.1.2 --------------------- 100.64.3.2 --- (live change)
 *     conn. 2                    100.64.1.2 ------------------------
 *     conn. 3                                                     100.64.2.2
 *     the host    100.64.1.2     same           100.64.3.2: 1      100.64.2.2: 2
 *
 * Three counts: as the host goes along in time; the same for each site (remote address)
 * apart; and inside connections alone. IPv4 and IPv6 are apart, so that a host with both
 * does not flip with every connection. Private sources that leave untranslated are no
 * public addresses.
 *
 * An outage is a span from a packet that was lost on its way out to the host's next one
 * that arrived, or to the last one lost when none does. While packets of another connection
 * are carried (struct carried), the host is not out: those lost meanwhile begin no outage.
 */
#ifndef ECMPLAB_HOSTS_H
#define ECMPLAB_HOSTS_H

#include "sim/input/scenario.h"
#include "sim/observe/flows.h"
#include "sim/observe/spans.h"

enum {
    HOST_TIMELINE_MAX = 200,
    HOST_ADDRESSES_MAX = 4096,
    HOST_SITES_MAX = 1000000, /* of all hosts together */
};

/* What adds up over a run. */
struct host_counts {
    uint64_t public_changes, live_changes, broken;
};

/* The host begins to be seen under another address (or the first). */
struct host_moment {
    int64_t time_ns;
    uint32_t address; /* index into host.addresses */
    int32_t wan;
    bool live; /* within a connection */
};

struct host_address {
    struct addr addr;
    struct spans used;
};

struct host {
    struct host_counts *counts;
    uint64_t flows, packets_up, packets_down, site_changes;
    uint64_t fates[FLOW_FATES];     /* flows by their worst */
    struct host_address *addresses; /* in the order of their first use */
    size_t addresses_len, addresses_cap;
    uint32_t seen_as[2];          /* index into addresses, IPv4 and IPv6; FLOWS_NONE */
    struct host_moment *timeline; /* the first HOST_TIMELINE_MAX moments */
    size_t timeline_cap;
    uint64_t moments;                    /* all of them */
    int64_t lost_since_ns, lost_last_ns; /* -1: not in an outage */
    int64_t outage_ns;
};

struct host_name; /* a LAN address and whose it is */
struct site;      /* a remote address and how it last saw a host */

struct hosts {
    const struct scenario *scenario; /* borrowed */
    struct host **list;              /* by index of scenario.hosts */
    struct host_counts *counts;      /* side by side, for snapshots */
    struct host_name *names;         /* ordered by address */
    size_t names_len;
    struct site *sites; /* open addressing */
    size_t sites_len, sites_slots;
    uint64_t key[2];
    bool sites_full, addresses_full, spans_coarse; /* limits that were reached */
};

void hosts_init(struct hosts *h, const struct scenario *s);
void hosts_free(struct hosts *h);

/* The named host with this LAN address; FLOWS_NONE: none. */
uint32_t hosts_find(const struct hosts *h, const struct addr *a);

/*
 * A packet of `flow` left by `wan` as `source` and arrived. flow->host is set. A `source`
 * that is no public address is to be NULL.
 */
void hosts_sent(struct hosts *h, struct flow *flow, const struct addr *source,
                const struct addr *remote, int wan, int64_t time_ns);

/* So did packets of the flow from the one time to the other, under the address of its last. */
void hosts_went_on(struct hosts *h, struct flow *flow, int64_t from_ns, int64_t to_ns);

/* A packet of the host was lost on its way out. */
void hosts_lost(struct hosts *h, uint32_t host, int64_t time_ns);

/* The flow ended: settle the address that it used. */
void hosts_flow_ended(struct hosts *h, struct flow *flow);

/* The run is over. */
void hosts_finish(struct hosts *h);

/* The most public addresses of one family in use at one time: by connections, each from
 * its first to its last packet under an address. */
size_t hosts_addresses_at_once(const struct hosts *h, uint32_t host);

#endif
