/* Synthetic traffic: connections that are drawn, between hosts of the LAN and servers outside. */
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_traffic.h"

/* ---- the tables ---- */

/* In the order of enum pick_kind. */
static const char *const host_picks[] = {"uniform", "zipf", "sequential"};
static const char *const port_picks[] = {
    [PICK_UNIFORM] = "uniform", [PICK_ZIPF] = NULL, [PICK_SEQUENTIAL] = "sequential"};
static const char *const source_picks[] = {
    [PICK_UNIFORM] = "random", [PICK_ZIPF] = NULL, [PICK_SEQUENTIAL] = "sequential"};

static const struct reader_field weight_field = {
    .kind = READER_NUMBER, .size = sizeof(double), .above_min = true, .highest = 1e9};
static const struct reader_field factor_field = {
    .kind = READER_NUMBER, .size = sizeof(double), .highest = 1e6};

/* clang-format off */
static const struct reader_field poisson_fields[] = {
    {.name = "per_second", .kind = READER_NUMBER,
     READER_AT(struct arrivals_text, per_second),
     READER_GIVEN(struct arrivals_text, per_second_given), .above_min = true, .highest = 1e9,
     .doc = "connections; this or per_hour"},
    {.name = "per_hour", .kind = READER_NUMBER, READER_AT(struct arrivals_text, per_hour),
     READER_GIVEN(struct arrivals_text, per_hour_given), .above_min = true, .highest = 1e12,
     .doc = "connections; this or per_second"},
    {.name = "by_hour", .kind = READER_ARRAY,
     READER_LIST(struct arrivals_text, by_hour, by_hour_len),
     READER_GIVEN(struct arrivals_text, by_hour_given), .each = &factor_field,
     .min = ARRIVALS_HOURS, .max = ARRIVALS_HOURS,
     .doc = "factors of the rate, one for each hour of the day"},
    {.name = "time_of_day", .kind = READER_DURATION,
     READER_AT(struct arrivals_text, time_of_day_ns),
     READER_GIVEN(struct arrivals_text, time_of_day_given),
     .max = INT64_C(86400000000000), .doc = "by_hour: after midnight, when the run begins"},
    READER_END,
};

static const struct reader_field periodic_fields[] = {
    {.name = "every", .kind = READER_DURATION, READER_AT(struct arrivals_text, every_ns),
     .required = true, .above_min = true, .max = SCENARIO_DURATION_MAX,
     .doc = "from one beginning to the next"},
    READER_END,
};

static const struct reader_field at_once_fields[] = {READER_END};

/* In the order of enum arrivals_kind. */
static const struct reader_variant arrivals_variants[] = {
    {"poisson", "independent of each other", poisson_fields},
    {"periodic", "evenly, the first at the start", periodic_fields},
    {"at-once", "all at the start", at_once_fields},
    READER_END,
};

static const struct reader_field arrivals_fields[] = {
    {.name = "kind", .kind = READER_ENUM, READER_AT(struct arrivals_text, kind),
     .required = true, READER_NAMES(arrivals_variants), .doc = "how connections come"},
    READER_END,
};

static reader_check check_arrivals;

static const struct reader_object arrivals_object = {
    .name = "arrivals", .doc = "when connections begin", READER_STRUCT(struct arrivals_text),
    .fields = arrivals_fields, .check = check_arrivals,
    .tag = "kind", .variants = arrivals_variants,
};

#define OF(member) READER_AT(struct traffic_text, synthetic.member)
#define OF_GIVEN(member) READER_GIVEN(struct traffic_text, synthetic.member)
#define ZIPF_FIELD(key)                                                                  \
    {.name = #key, .kind = READER_NUMBER, OF(key), OF_GIVEN(key##_given), .highest = 10, \
     .doc = "zipf: the k-th in proportion to 1 / k^this; 1 when left out"}

const struct reader_field synthetic_fields[] = {
    {.name = "name", .kind = READER_STRING, OF(name), .min = 1, .max = 100,
     .doc = "what its draws depend on, besides the seed; its index in the list when left out"},
    {.name = "start", .kind = READER_DURATION, READER_AT(struct traffic_text, traffic.start_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX, .doc = "when its arrivals begin"},
    {.name = "for", .kind = READER_DURATION, OF(for_ns), OF_GIVEN(for_given),
     .above_min = true, .max = SCENARIO_DURATION_MAX,
     .doc = "no connection begins later than this after the start"},
    {.name = "flows", .kind = READER_INT, OF(flows), OF_GIVEN(flows_given), .min = 1,
     .max = INT64_C(1000000000000), .doc = "at most so many connections"},
    {.name = "arrivals", .kind = READER_OBJECT, OF(arrivals), .object = &arrivals_object,
     .required = true, .doc = "when connections begin"},
    {.name = "size", .kind = READER_OBJECT, OF(size), .object = &size_object,
     .required = true, .doc = "payload of a connection, both directions together"},
    {.name = "down_share", .kind = READER_NUMBER, OF(down_share), .by_default = "0.91",
     .highest = 1, .doc = "of the payload, that comes from the server"},
    {.name = "rate", .kind = READER_RATE, OF(rate_bps), .min = 1,
     .doc = "at most so fast is one connection, both directions, with headers; 10M when"
            " neither rate nor duration is given"},
    {.name = "duration", .kind = READER_OBJECT_PTR, OF(duration), .object = &duration_object,
     .doc = "of a connection, at least"},
    {.name = "protocol", .kind = READER_CUSTOM, OF(protocol), .custom = synthetic_read_protocol,
     .by_default = "\"tcp\"",
     .schema = "{\"oneOf\": [{\"enum\": [\"tcp\", \"udp\", \"quic\"]}, {\"type\": \"object\","
               " \"minProperties\": 1, \"additionalProperties\": false, \"properties\":"
               " {\"tcp\": {\"type\": \"number\", \"minimum\": 0},"
               " \"udp\": {\"type\": \"number\", \"minimum\": 0},"
               " \"quic\": {\"type\": \"number\", \"minimum\": 0}}}]}",
     .doc = "one, or the weights of several; quic is UDP to port 443"},
    {.name = "hosts", .kind = READER_CUSTOM, OF(hosts), .custom = synthetic_read_strings,
     .schema = SYNTHETIC_STRINGS_SCHEMA, .required = true,
     .doc = "who begins connections: addresses, ranges, prefixes, names of hosts"},
    {.name = "host_pick", .kind = READER_ENUM, OF(host_pick), READER_NAMES(host_picks),
     .by_default = "uniform", .doc = "which of them"},
    ZIPF_FIELD(host_zipf),
    {.name = "servers", .kind = READER_CUSTOM, OF(servers), .custom = synthetic_read_strings,
     .schema = SYNTHETIC_STRINGS_SCHEMA, .required = true,
     .doc = "with whom: addresses, ranges, prefixes"},
    {.name = "server_count", .kind = READER_INT, OF(server_count), .min = 1,
     .max = FLOWGEN_ADDRESSES_MAX,
     .doc = "so many servers of each family are drawn there; every address is one when left"
            " out"},
    {.name = "server_pick", .kind = READER_ENUM, OF(server_pick), READER_NAMES(host_picks),
     .by_default = "uniform", .doc = "which of them"},
    ZIPF_FIELD(server_zipf),
    {.name = "ports", .kind = READER_CUSTOM, OF(ports), OF_GIVEN(ports_given),
     .custom = synthetic_read_ports,
     .schema = "{\"oneOf\": [" SYNTHETIC_PORTS_SCHEMA ", {\"type\": \"array\", \"minItems\": 1,"
               " \"maxItems\": 256, \"items\": {\"oneOf\": [" SYNTHETIC_PORTS_SCHEMA "]}}]}",
     .doc = "of the servers, for tcp and udp: a port, a range, or an array of them; 443 when"
            " left out"},
    {.name = "port_weights", .kind = READER_ARRAY,
     READER_LIST(struct traffic_text, synthetic.port_weights, synthetic.port_weights_len),
     .each = &weight_field, .min = 1, .max = SCENARIO_GATEWAYS_MAX,
     .doc = "one for each element of ports"},
    {.name = "port_pick", .kind = READER_ENUM, OF(port_pick), OF_GIVEN(port_pick_given),
     READER_NAMES(port_picks), .doc = "sequential: one port after the other; uniform when left out"},
    {.name = "source_ports", .kind = READER_CUSTOM, OF(source_ports), .custom = synthetic_read_port_range,
     .schema = "{\"oneOf\": [" SYNTHETIC_PORTS_SCHEMA "]}", .by_default = "\"32768-60999\"",
     .doc = "of the hosts"},
    {.name = "source_port_pick", .kind = READER_ENUM, OF(source_port_pick),
     READER_NAMES(source_picks), .by_default = "random",
     .doc = "the next higher free one is taken where that one is in use"},
    {.name = "mtu", .kind = READER_INT, OF(mtu), .min = DEMAND_MTU_MIN_V4,
     .max = 65535, .by_default = "1500", .doc = "bytes of the largest IP packet"},
    {.name = "ack_every", .kind = READER_INT, OF(ack_every), OF_GIVEN(ack_every_given),
     .min = 1, .max = 1000, .by_default = "2",
     .doc = "tcp: data packets that one acknowledgement is for"},
    {.name = "interface", .kind = READER_STRING, READER_AT(struct traffic_text, interface),
     .doc = "where its LAN packets enter; found by their source when left out"},
    GRANULARITY_FIELD,
    READER_END,
};
/* clang-format on */

/* ---- what goes together ---- */

static bool check_arrivals(const struct reader *r, void *object, const char *pointer)
{
    const struct arrivals_text *t = object;
    double highest = 0;

    if (t->kind != ARRIVALS_POISSON)
        return true;
    if (t->per_second_given == t->per_hour_given)
        return diag_error(r->diag, pointer,
                          "expected one of 'per_second' and 'per_hour'");
    if (t->time_of_day_given && !t->by_hour_given)
        return diag_error_member(r->diag, pointer, "time_of_day",
                                 "has no effect without "
                                 "'by_hour'");
    for (size_t i = 0; i < t->by_hour_len; i++)
        highest = t->by_hour[i] > highest ? t->by_hour[i] : highest;
    if (t->by_hour_given && highest == 0)
        return diag_error_member(r->diag, pointer, "by_hour",
                                 "expected at least one factor above 0");
    return true;
}

static bool only_with(const struct reader *r, bool wrong, const char *pointer,
                      const char *key, const char *needed)
{
    return !wrong ||
           diag_error_member(r->diag, pointer, key, "has no effect without %s", needed);
}

static bool check_ports(const struct reader *r, const struct synthetic_text *t,
                        const char *pointer)
{
    const double *w = t->protocol.weights;

    if (!only_with(r, t->ports_given && w[FLOWGEN_TCP] + w[FLOWGEN_UDP] == 0, pointer,
                   "ports", "protocol tcp or udp: quic goes to port 443") ||
        !only_with(r, t->port_weights_len && !t->ports_given, pointer, "port_weights",
                   "'ports'") ||
        !only_with(r, t->port_pick_given && !t->ports_given, pointer, "port_pick",
                   "'ports'"))
        return false;
    if (t->port_weights_len && t->port_pick_given)
        return diag_error_member(r->diag, pointer, "port_pick",
                                 "not together with 'port_weights'");
    if (t->port_weights_len && t->port_weights_len != t->ports.len)
        return diag_error_member(
            r->diag, pointer, "port_weights",
            "expected one for each of the %zu elements of 'ports', got %zu", t->ports.len,
            t->port_weights_len);
    return true;
}

bool synthetic_check(const struct reader *r, const struct synthetic_text *t,
                     const char *pointer)
{
    if (t->arrivals.kind == ARRIVALS_AT_ONCE && !t->flows_given)
        return diag_error(r->diag, pointer, "arrivals at once need 'flows'");
    if (t->arrivals.kind == ARRIVALS_AT_ONCE && t->for_given)
        return diag_error_member(r->diag, pointer, "for",
                                 "has no effect on arrivals at once");
    return only_with(r, t->host_zipf_given && t->host_pick != PICK_ZIPF, pointer,
                     "host_zipf", "\"host_pick\": \"zipf\"") &&
           only_with(r, t->server_zipf_given && t->server_pick != PICK_ZIPF, pointer,
                     "server_zipf", "\"server_pick\": \"zipf\"") &&
           only_with(r, t->ack_every_given && t->protocol.weights[FLOWGEN_TCP] == 0,
                     pointer, "ack_every", "protocol tcp") &&
           check_ports(r, t, pointer);
}

/* ---- the rest ---- */

uint64_t traffic_seed(const struct scenario_reading *s, const char *name, size_t index)
{
    struct random_stream base = random_stream_make(s->scenario->seed, 0x74726166666963);
    struct random_stream own = {index};
    uint64_t which = index;

    if (name) {
        own.state = 0;
        for (; *name; name++)
            own.state = random_next(&own) ^ (uint8_t)*name;
        which = random_next(&own) | UINT64_C(1) << 63; /* apart from every index */
    }
    own = random_stream_make(random_next(&base), which);
    return random_next(&own);
}

static bool arrivals_build(struct scenario_reading *s, const struct traffic_text *text,
                           struct arrivals_config *a)
{
    const struct synthetic_text *t = &text->synthetic;
    const int64_t start_ns = text->traffic.start_ns, end_ns = s->scenario->duration_ns;

    *a = (struct arrivals_config){
        .kind = t->arrivals.kind,
        .per_hour = t->arrivals.per_second_given ? t->arrivals.per_second * 3600
                                                 : t->arrivals.per_hour,
        .every_ns = t->arrivals.every_ns,
        .start_ns = start_ns,
        .end_ns = start_ns + (t->for_given ? t->for_ns : SCENARIO_DURATION_MAX),
        .flows = t->flows_given ? t->flows : UINT64_MAX,
        .by_hour = t->arrivals.by_hour,
        .time_of_day_ns = t->arrivals.time_of_day_ns,
    };
    if (!t->for_given && !t->flows_given && !end_ns)
        return diag_error(
            s->reader.diag, text->traffic.pointer,
            "has no end, expected 'for', 'flows', or the scenario's 'duration'");
    if (end_ns && end_ns < a->end_ns)
        a->end_ns = end_ns + 1; /* the last instant of the run is part of it */
    return true;
}

static bool limits_build(struct scenario_reading *s, const struct traffic_text *t,
                         struct flowgen_config *c)
{
    c->limits = (struct demand_limits){t->synthetic.mtu, t->synthetic.ack_every};
    for (size_t i = 0; i < c->hosts_len; i++)
        if (c->hosts[i].family == FAMILY_V6 && t->synthetic.mtu < DEMAND_MTU_MIN_V6)
            return diag_error_member(s->reader.diag, t->traffic.pointer, "mtu",
                                     "expected at least %d, as there are hosts of IPv6",
                                     DEMAND_MTU_MIN_V6);
    return true;
}

static void ports_build(const struct synthetic_text *t, struct flowgen_config *c)
{
    static const struct config_range https = {443, 443};

    c->ports = t->ports_given ? t->ports.items : &https;
    c->ports_len = t->ports_given ? t->ports.len : 1;
    c->port_weights = t->port_weights;
    c->port_pick = t->port_weights_len ? PICK_WEIGHTED : t->port_pick;
    c->source_ports = t->source_ports;
    c->source_port_pick = t->source_port_pick;
}

const struct flowgen_config *
synthetic_build(struct scenario_reading *s, const struct traffic_text *text, size_t index)
{
    enum { RATE_DEFAULT = 10000000 };
    const struct synthetic_text *t = &text->synthetic;
    struct flowgen_config *c = arena_alloc(s->reader.arena, 1, sizeof *c);
    bool ok;

    *c = (struct flowgen_config){
        .pointer = text->traffic.pointer,
        .seed = traffic_seed(s, t->name, index),
        .size = law_build(&t->size, true),
        .has_duration = t->duration != NULL,
        .rate_bps = t->rate_bps || t->duration ? t->rate_bps : RATE_DEFAULT,
        .down_share = t->down_share,
        .host_pick = t->host_pick,
        .host_zipf = t->host_zipf_given ? t->host_zipf : 1,
        .server_count = t->server_count,
        .server_pick = t->server_pick,
        .server_zipf = t->server_zipf_given ? t->server_zipf : 1,
    };
    memcpy(c->protocols, t->protocol.weights, sizeof c->protocols);
    if (t->duration)
        c->duration = law_build(t->duration, false);
    ports_build(t, c);
    ok = arrivals_build(s, text, &c->arrivals);
    ok = synthetic_hosts_build(s, text, c) && ok;
    ok = synthetic_servers_build(s, text, c) && ok;
    ok = limits_build(s, text, c) && ok;
    return ok ? c : NULL;
}
