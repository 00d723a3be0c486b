/*
 * scenario_parts - what the files of the scenario reader share; see scenario.h
 *
 *     JSON ──tables──▶ struct ..._text ──build──▶ struct router_config, struct scenario
 *                      names as written           names resolved to indices
 *
 *     scenario.c           the file, its top level, the order of the work
 *     scenario_changes.c   what the command line changes in the JSON
 *     scenario_platform.c  keys that only one platform has
 *     scenario_names.c     lists of names, and the nearest one to a wrong one
 *     scenario_router.c    the router but for its routes and rules
 *     scenario_policy.c    how next hops are picked, of the router and of single groups
 *     scenario_route.c     routes and their gateways
 *     scenario_reach.c     routes that the platform would refuse, or could not use
 *     scenario_rule.c      routing rules, and their order
 *     scenario_watch.c     hosts that the router watches
 *     scenario_place.c     routes and rules by comment or index
 *     scenario_nat.c       source NAT, ports and protocols
 *     scenario_wan.c       WANs and their links
 *     scenario_net.c       LAN, hosts
 *     scenario_traffic.c   where packets come from: kinds, captures, flow lists
 *     scenario_synthetic.c traffic that is drawn
 *     scenario_draws.c     its ports and protocols
 *     scenario_endpoints.c its hosts and servers
 *     scenario_law.c       the laws of its sizes and durations
 *     scenario_event.c     events as they are written
 *     scenario_each.c      each-wan and each-pair become the events that they stand for
 *     scenario_renumber.c  the routes of a WAN that gets an address of another network
 *     scenario_event_build.c  and in the order of their time, names resolved
 *     scenario_expect.c    expectations
 *
 * A text struct whose fields were all good has `ok` set by its check; the others are
 * passed over when names are resolved, so that one mistake makes one message.
 */
#ifndef ECMPLAB_SCENARIO_PARTS_H
#define ECMPLAB_SCENARIO_PARTS_H

#include "sim/input/reader.h"
#include "sim/input/scenario.h"

enum {
    SCENARIO_IFACES_MAX = 1024,
    SCENARIO_TABLES_MAX = 4096, /* as RouterOS */
    SCENARIO_ROUTES_MAX = 8192, /* also rules, NAT rules */
    SCENARIO_GATEWAYS_MAX = 256,
    SCENARIO_LIST_MAX = 4096, /* hosts, events, expectations, prefixes */
    SCENARIO_POINTER_MAX = 320,
};

#define SCENARIO_DURATION_MAX SCENARIO_TIME_MAX

/* ---- names ---- */

struct scenario_names {
    const char *what;   /* "interface" */
    const char **names; /* NULL where one could not be read */
    size_t len;
    bool complete; /* all could be read: what is not here does not exist */
};

struct scenario_reading {
    struct reader reader; /* its context is this struct */
    struct scenario *scenario;
    const struct scenario_changes *changes;
    int platform; /* enum platform; -1: unknown, so nothing is judged by it */
    struct scenario_names ifaces, tables, wans;
    bool ifaces_ok; /* all of them, with their addresses, could be read */
    bool hash_seed_given;
    size_t routes_written; /* of the router's routes: by the file or an event */
};

static inline struct scenario_reading *scenario_reading_of(const struct reader *r)
{
    return r->context;
}

/* Room for `len` names in the arena, none of them set. */
struct scenario_names scenario_names_make(struct scenario_reading *s, const char *what,
                                          size_t len);

/* The index of `word`, or -1 after saying at the member `key` of `pointer` that there is
 * none. NULL is no name and gives -1 in silence. */
int scenario_name_find(struct scenario_reading *s, const struct scenario_names *names,
                       const char *word, const char *pointer, const char *key);

/* The index, or -1. */
int scenario_name_index(const struct scenario_names *names, const char *word);

/* Say that there is no such name, and which one was meant or which ones there are. */
bool scenario_name_miss(struct scenario_reading *s, const struct scenario_names *names,
                        const char *word, const char *pointer);

/* Complain of names that occur twice, at LIST/INDEX followed by `member`. */
void scenario_names_check(struct scenario_reading *s, const struct scenario_names *names,
                          const char *list, const char *member);

/* ---- platform ---- */

/* Complain of keys in the JSON that the platform does not have. */
void scenario_platform_check(struct scenario_reading *s, const json_t *root);

/* "IPv4", "IPv6" */
const char *scenario_family_name(unsigned family);

/* ---- policies ---- */

struct policy_text {
    struct config_policy config;
    uint8_t row; /* of policies[] */
    bool objects_given, returns_given;
};

extern const struct reader_object policy_object;

/* A name alone, or the object, which says more; into struct policy_text. */
reader_custom scenario_read_policy;

struct route_text;

/* The router's policy first, then the routes' own; sets route.policy of the texts. */
void scenario_policies_build(struct scenario_reading *s, const struct policy_text *router,
                             struct route_text *const *routes, size_t len);

void scenario_policies_judge(struct scenario_reading *s);

/* ---- routes ---- */

struct strings_text {
    const char **items;
    size_t len;
    bool is_array;
};

/* One string, or what `many` reads: an array of them. */
bool scenario_read_one_or_many(const struct reader *r, const struct reader_field *many,
                               json_t *value, const char *pointer, struct strings_text *t);

struct weights_text {
    int64_t *items;
    size_t len; /* 0: not given */
    bool is_array;
};

struct route_text {
    struct config_route route;
    const char *table;
    struct strings_text gateways; /* "ADDR", "IFACE", "ADDR%IFACE", "ADDR@TABLE" */
    struct weights_text weights;
    struct policy_text policy;
    bool distance_given, policy_given, ok;
};

extern const struct reader_object route_object;

/* Resolve names: the routes of the file, then those of events, which start disabled. */
void scenario_routes_build(struct scenario_reading *s, struct route_text *const *texts,
                           size_t len, size_t len_of_file);

/* What Linux would refuse is an error, what RouterOS could not use a warning. */
void scenario_routes_judge(struct scenario_reading *s, size_t len_of_file);

/* Where gateway i stands. */
const char *route_gateway_pointer(const struct route_text *t, size_t i,
                                  char buf[SCENARIO_POINTER_MAX]);

/* ---- rules ---- */

/* A route or a rule, by its comment or its index. */
struct place_text {
    const char *comment; /* NULL: by index */
    size_t index;
};

/* What a place can name: the file's by index, all by comment. */
struct scenario_targets {
    const char *what;      /* "route" */
    const char **comments; /* NULL: none */
    size_t len, len_of_file;
};

struct scenario_targets scenario_route_targets(struct scenario_reading *s, size_t len_of_file);
struct scenario_targets scenario_rule_targets(struct scenario_reading *s, size_t len_of_file);

/* False after telling, at the member `key` of `pointer`, that there is no such thing. */
bool scenario_place_find(struct scenario_reading *s, const struct scenario_targets *t,
                         const struct place_text *place, const char *pointer,
                         const char *key, size_t *index);

struct rule_text {
    struct config_rule rule;
    const char *table, *interface, *out_interface, *routing_mark;
    struct mark_text {
        uint32_t mark, mask;
    } fwmark;
    uint8_t protocol; /* 0: any */
    uint32_t min_prefix;
    uint8_t tos;
    bool priority_given, goto_given, min_prefix_given, suppress_given, ok;
};

extern const struct reader_object rule_object;

void scenario_rules_build(struct scenario_reading *s, struct rule_text *const *texts,
                          size_t len, size_t len_of_file);

/* Put rule `added` in front of rule `before`; SIZE_MAX: at the end. RouterOS only. */
struct rule_insertion {
    size_t added, before;
};
void scenario_rules_number(struct scenario_reading *s,
                           const struct rule_insertion *insertions, size_t len,
                           size_t len_of_file);

/* ---- NAT, and what rules and NAT share ---- */

struct nat_text {
    struct config_nat nat;
    const char *out_interface;
    struct addr_range_text {
        struct addr first, last;
    } to;
    uint8_t protocol; /* 0: any */
    bool ok;
};

extern const struct reader_object nat_object;

reader_custom scenario_read_ports;    /* into struct config_range */
reader_custom scenario_read_protocol; /* into uint8_t */
reader_custom scenario_read_place;    /* into struct place_text */

#define SCENARIO_PORTS_SCHEMA                                                            \
    "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535},"          \
    " {\"type\": \"string\", \"pattern\": \"^[0-9]{1,5}(-[0-9]{1,5})?$\"}]}"
#define SCENARIO_PROTOCOL_SCHEMA                                                         \
    "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 255},"            \
    " {\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9-]+$\"}]}"
#define SCENARIO_PLACE_SCHEMA                                                            \
    "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\"type\": \"string\"}]}"

void scenario_nat_build(struct scenario_reading *s, const struct nat_text *texts,
                        size_t len);

/* ---- the router ---- */

struct iface_text {
    struct config_iface iface;
    const char *pointer;
    bool ok;
};

struct router_text {
    struct router_config config; /* begins with the platform's defaults */
    struct policy_text policy;
    struct hash_text {
        uint8_t policy4, policy6;
        uint16_t fields4, fields6;
        uint32_t seed;
        bool seed_given, fields4_given, fields6_given;
    } hash;
    struct iface_text *ifaces;
    size_t ifaces_len;
    const char **tables;
    size_t tables_len;
    struct route_text *routes;
    size_t routes_len;
    struct rule_text *rules;
    size_t rules_len;
    struct nat_text *nat;
    size_t nat_len;
    struct watch_text *watches;
    size_t watches_len;
};

struct watch_text {
    struct scenario_watch watch;
    const char *interface;
    struct place_text *routes;
    size_t routes_len;
    bool timeout_given, count_given, packet_interval_given, loss_given, mean_given,
        longest_given, ok;
};

extern const struct reader_object watch_object;

void scenario_watches_build(struct scenario_reading *s, const struct watch_text *texts,
                            size_t len, size_t routes_of_file);

extern const struct reader_object router_object;

/* The platform that the JSON names, or its default; -1 when it is none that we know. */
int scenario_platform_of(const json_t *root);

/* Interfaces, tables, hash, checks: all but routes, rules and NAT. */
void scenario_router_build(struct scenario_reading *s, const struct router_text *t,
                           bool tables_failed);

/* ---- WANs, LAN, hosts, traffic ---- */

struct wan_text {
    struct scenario_wan wan; /* its name comes first: it is the key */
    const char *pointer;
    bool queue_given, burst_given;
};

struct host_text {
    struct scenario_host host; /* likewise */
    const char *pointer;
};

struct traffic_text; /* scenario_traffic.h */

/* Warn of a WAN's rate that looks as if its unit was forgotten; 0 is none. */
void scenario_rate_judge(const struct reader *r, const char *pointer, const char *key,
                         uint64_t bps);

extern const struct reader_object wan_object, host_object, traffic_object;

void scenario_wans_build(struct scenario_reading *s, const struct wan_text *texts,
                         size_t len);
void scenario_hosts_build(struct scenario_reading *s, const struct host_text *texts,
                          size_t len);
void scenario_traffic_build(struct scenario_reading *s, struct traffic_text *texts,
                            size_t len);

/* What the traffic asks of the rest: behind the policies. */
void scenario_traffic_judge(struct scenario_reading *s);

/* ---- events, expectations ---- */

struct event_text {
    struct scenario_event event;
    const char *wan;           /* kinds that have one */
    struct strings_text wans;  /* kinds that may have several */
    uint8_t how;
    struct route_text *route;
    struct rule_text *rule;
    struct place_text place, before;
    double duty;   /* flap */
    int64_t count;
    int64_t spacing_ns; /* each-wan, each-pair */
    int64_t gap_ns;     /* lease-change, pppoe-reconnect */
    bool redraw_given; /* reboot */
    bool for_given, count_given, before_given, spacing_given, ok;
};

struct expect_text {
    struct scenario_expect expect;
    bool within_given;
};

extern const struct reader_object event_object, expect_object;

void scenario_events_build(struct scenario_reading *s, struct event_text *texts,
                           size_t len, size_t routes_of_file, size_t rules_of_file);

/* Put one event for each failure in the place of each-wan and each-pair. The WANs' names are
 * known. */
void scenario_events_expand(struct scenario_reading *s, struct event_text **texts,
                            size_t *len);

/*
 * Find the route that takes the place of each that a new lease concerns; those that do not
 * exist yet are added to the router's, disabled. `old` is the address that goes. In the order
 * of time. `standing` holds which route now stands for each of `routes`.
 */
struct renumber {
    unsigned *standing;
    size_t routes;
    size_t cap; /* of the router's routes */
    size_t made;
};
struct renumber scenario_renumber_start(struct scenario_reading *s);
void scenario_renumber(struct scenario_reading *s, struct renumber *r,
                       struct scenario_event *e, const struct prefix *old);

/* Every one is taken over, whatever was wrong: scenario_free() then knows them all. */
void scenario_expects_build(struct scenario_reading *s, const struct expect_text *texts,
                            size_t len);

/* ---- the command line's changes ---- */

/* False after telling the diag. `root` is changed in place. */
bool scenario_apply_changes(struct scenario_reading *s, json_t *root);

#endif
