/*
 * flowgen - the stream of synthetic connections: drawn, not recorded
 *
 *     arrivals ─▶ start ┐
 *     host ─ server ────┤
 *     protocol ─ port ──┼─▶ struct demand, in order of start
 *     size ─ duration ──┤
 *     source port ──────┘
 *
 * Each of these draws from a stream of its own, made of the seed and its purpose, a fixed number
 * of draws a connection: to change one changes no other. (The source port alone also depends on
 * which 5-tuples live: one in use is passed over, for the next higher one.)
 *
 * A connection lasts as long as its bytes take at `rate_bps`, and no less than what the duration's law
 * gives; with neither it is over at once. `size` is payload of both directions together, of which
 * `down_share` comes from the server.
 */
#ifndef ECMPLAB_FLOWGEN_H
#define ECMPLAB_FLOWGEN_H

#include "core/config.h"
#include "sim/traffic/arrivals.h"
#include "sim/traffic/demand.h"
#include "sim/traffic/law.h"
#include "sim/traffic/pick.h"

enum flowgen_protocol { FLOWGEN_TCP, FLOWGEN_UDP, FLOWGEN_QUIC, FLOWGEN_PROTOCOLS };

enum { FLOWGEN_QUIC_PORT = 443, FLOWGEN_ADDRESSES_MAX = 65536 };

/* Addresses in a row. */
struct flowgen_range {
    struct addr first;
    uint64_t count; /* UINT64_MAX: that many or more */
};

struct flowgen_config {
    const char *pointer; /* where it stands in the scenario */
    uint64_t seed;       /* of this source alone */
    struct arrivals_config arrivals;
    struct law size;     /* bytes, from 1 to DEMAND_BYTES_MAX */
    struct law duration; /* nanoseconds */
    bool has_duration;
    uint64_t rate_bps; /* 0: none */
    double down_share;
    struct demand_limits limits;
    double protocols[FLOWGEN_PROTOCOLS]; /* weights; their sum is above 0 */

    const struct addr *hosts; /* on the LAN */
    size_t hosts_len;
    uint8_t host_pick; /* enum pick_kind, as all that follow */
    double host_zipf;

    const struct flowgen_range *servers; /* of each family that hosts have; no overlaps */
    size_t servers_len;
    unsigned
        server_count; /* drawn there, as many of each family; 0: every address there is */
    uint8_t server_pick;
    double server_zipf;

    const struct config_range *ports; /* of servers */
    const double *port_weights;       /* weighted: one for each range */
    size_t ports_len;
    uint8_t port_pick;

    struct config_range source_ports;
    uint8_t source_port_pick;
};

struct flowgen;

/* `c` is borrowed until flowgen_destroy(). */
struct flowgen *flowgen_create(const struct flowgen_config *c);
void flowgen_destroy(struct flowgen *g);

/* Valid as long as `g`. */
struct demand_source flowgen_source(struct flowgen *g);

/* The address `index` steps behind the first. */
struct addr flowgen_range_at(const struct flowgen_range *r, uint64_t index);

#endif
