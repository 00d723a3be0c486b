/*
 * scenario_traffic - what the readers of traffic share
 *
 *     scenario_traffic.c    the kinds; captures and flow lists
 *     scenario_synthetic.c  connections that are drawn
 *     scenario_users.c      people, who react
 *     scenario_draws.c      their ports and protocols
 *     scenario_endpoints.c  their hosts and servers
 *     scenario_law.c        the laws of their sizes and durations
 */
#ifndef ECMPLAB_SCENARIO_TRAFFIC_H
#define ECMPLAB_SCENARIO_TRAFFIC_H

#include "sim/input/scenario_parts.h"
#include "sim/traffic/flowgen.h"

/* A law as written; numbers are bytes or nanoseconds. */
struct law_text {
    const char *pointer;
    uint8_t law; /* enum law_kind, or behind those: a named law */
    int64_t value, mean, median, from, to, at_least, at_most;
    double shape, sigma;
    struct law_point *points;
    size_t points_len;
    bool at_least_given, at_most_given;
};

extern const struct reader_object size_object, duration_object;

/* `is_size`: bytes, of which there is at least one; else time. */
struct law law_build(const struct law_text *t, bool is_size);

struct arrivals_text {
    uint8_t kind; /* enum arrivals_kind */
    double per_second, per_hour;
    double *by_hour;
    size_t by_hour_len;
    int64_t every_ns, time_of_day_ns;
    bool per_second_given, per_hour_given, by_hour_given, time_of_day_given;
};

struct ports_text {
    struct config_range *items;
    size_t len;
};

struct protocol_text {
    double weights[FLOWGEN_PROTOCOLS];
};

struct synthetic_text {
    const char *name;
    int64_t for_ns;
    uint64_t flows;
    struct arrivals_text arrivals;
    struct law_text size, *duration;
    uint64_t rate_bps;
    double down_share;
    struct protocol_text protocol;
    struct strings_text hosts, servers;
    uint8_t host_pick, server_pick, port_pick, source_port_pick;
    double host_zipf, server_zipf;
    uint32_t server_count;
    struct ports_text ports;
    double *port_weights;
    size_t port_weights_len;
    struct config_range source_ports;
    uint32_t mtu;
    uint16_t ack_every;
    bool for_given, flows_given, host_zipf_given, server_zipf_given, ports_given,
        port_pick_given, ack_every_given;
};

struct users_text {
    uint8_t profile, peer_rule;
    double per_hour;
    uint64_t sessions;
    int64_t distance_ns, patience_ns, length_ns; /* 0: the profile's */
    bool given, per_hour_given, sessions_given, peer_rule_given;
};

struct traffic_text {
    struct scenario_traffic traffic;
    const char *interface;
    struct map_text {
        const char *captured;
        struct prefix scenario;
    } * map;
    size_t map_len;
    uint8_t format;      /* flows: of flow_formats[] */
    uint8_t granularity; /* synthetic, flows: of traffic_granularities[] */
    struct synthetic_text synthetic;
    struct users_text users; /* what they have in common is in `synthetic` */
    bool ok;
};

reader_custom
    synthetic_read_port_range;      /* into struct config_range; from 0, unlike those of
                                            rules and NAT: there are such packets */
reader_custom synthetic_read_ports; /* one of them or an array, into struct ports_text */
reader_custom synthetic_read_protocol; /* into struct protocol_text */
reader_custom synthetic_read_strings;  /* one or an array, into struct strings_text */

#define SYNTHETIC_PORTS_SCHEMA                                                           \
    "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 65535},"                       \
    " {\"type\": \"string\", \"pattern\": \"^[0-9]{1,5}(-[0-9]{1,5})?$\"}"
#define SYNTHETIC_STRINGS_SCHEMA                                                         \
    "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"minItems\": 1,"        \
    " \"maxItems\": 4096, \"items\": {\"type\": \"string\"}}]}"

enum traffic_granularity { GRANULARITY_PACKET, GRANULARITY_FLOW };
extern const char *const traffic_granularities[2];

#define GRANULARITY_FIELD                                                                \
    {.name = "granularity", .kind = READER_ENUM,                                         \
     READER_AT(struct traffic_text, granularity), READER_NAMES(traffic_granularities),   \
     .by_default = "packet",                                                             \
     .doc = "flow: what each connection carries is counted as a whole between changes;"  \
            " packet: every packet is sent"}

extern const struct reader_field synthetic_fields[];

/* Who begins, and with whom. False after telling the diag. */
bool synthetic_hosts_build(struct scenario_reading *s, const struct traffic_text *t,
                           struct flowgen_config *c);
bool synthetic_servers_build(struct scenario_reading *s, const struct traffic_text *t,
                             struct flowgen_config *c);

/* What the fields cannot say of each other. False after telling the diag. */
bool synthetic_check(const struct reader *r, const struct synthetic_text *t,
                     const char *pointer);

/* The seed of one source: of the scenario's, and of what the source is called. */
uint64_t traffic_seed(const struct scenario_reading *s, const char *name, size_t index);

extern const struct reader_field users_fields[];

bool users_check(const struct reader *r, const struct users_text *t, const char *pointer);

/* NULL after telling the diag. */
const struct users_config *users_build(struct scenario_reading *s, struct traffic_text *text,
                                       size_t index);

/* NULL after telling the diag. `index` is the traffic's own. */
const struct flowgen_config *synthetic_build(struct scenario_reading *s,
                                             const struct traffic_text *t, size_t index);

#endif
