/*
 * The router but for its routes, rules and NAT.
 *
 * Sources: RouterOS manual, /interface, /routing/table, /ip/settings, /routing/settings,
 * Connection tracking; Linux ip-sysctl.rst, nf_conntrack-sysctl.rst.
 */
#include <string.h>
#include <sys/random.h>

#include "core/memory.h"
#include "core/random.h"
#include "sim/input/nearest.h"
#include "sim/input/scenario_parts.h"

enum { HASH_FIELDS_DEFAULT = HASH_FIELD_SRC | HASH_FIELD_DST | HASH_FIELD_PROTOCOL };

/* ---- platform ---- */

static const char *const platforms[] = {
    [PLATFORM_LINUX] = "linux",
    [PLATFORM_ROUTEROS7] = "routeros7",
};

int scenario_platform_of(const json_t *root)
{
    const json_t *name = json_object_get(json_object_get(root, "router"), "platform");

    if (!name)
        return PLATFORM_ROUTEROS7;
    for (int i = PLATFORM_LINUX; i <= PLATFORM_ROUTEROS7; i++)
        if (json_is_string(name) && strcmp(platforms[i], json_string_value(name)) == 0)
            return i;
    return -1;
}

static bool read_platform(const struct reader *r, json_t *value, const char *pointer,
                          void *target)
{
    static const struct reader_field field = {
        .kind = READER_ENUM, .size = sizeof(uint8_t), READER_NAMES(platforms)};
    const char *name = json_string_value(value);

    if (name && strcmp(name, "routeros6") == 0)
        return diag_error(
            r->diag, pointer,
            "'routeros6' is not modelled, since its route cache keeps a path "
            "per pair of addresses; expected one of 'linux', 'routeros7'");
    return reader_read_value(r, &field, value, pointer, target);
}

/* ---- interfaces ---- */

static bool check_address(const struct reader *r, const struct iface_text *t, size_t i)
{
    const struct prefix *p = &t->iface.addresses[i];
    const struct prefix network = prefix_of(&p->addr, p->length);
    char pointer[SCENARIO_POINTER_MAX], text[ADDR_TEXT_MAX];

    snprintf(pointer, sizeof pointer, "%s/addresses/%zu", t->pointer, i);
    if (addr_is_unspecified(&p->addr) || addr_is_multicast(&p->addr) ||
        addr_is_loopback(&p->addr) || addr_is_broadcast(&p->addr))
        return diag_error(r->diag, pointer, "no interface can have this address");
    for (size_t k = 0; k < i; k++)
        if (addr_equal(&t->iface.addresses[k].addr, &p->addr))
            return diag_error(r->diag, pointer, "the interface has %s already",
                              addr_format(&p->addr, text));
    if (p->addr.family == FAMILY_V4 && p->length < 31 &&
        addr_equal(&network.addr, &p->addr))
        diag_warn(r->diag, pointer,
                  "the address of the network itself, not of a host in it");
    return true;
}

static bool check_iface(const struct reader *r, void *object, const char *pointer)
{
    struct iface_text *t = object;

    (void)pointer;
    t->ok = true;
    for (size_t i = 0; i < t->iface.addresses_len; i++)
        t->ok = check_address(r, t, i) && t->ok;
    return t->ok;
}

static const struct reader_field address_field = {.kind = READER_PREFIX,
                                                  .size = sizeof(struct prefix),
                                                  .length_needed = true,
                                                  .host_bits = READER_HOST_BITS_KEPT};

static const struct reader_field table_field = {
    .kind = READER_STRING, .size = sizeof(char *), .min = 1, .max = 64};

/* clang-format off */
static const struct reader_field iface_fields[] = {
    {.name = "name", .kind = READER_STRING, READER_AT(struct iface_text, iface.name),
     .required = true, .min = 1, .max = 64, .doc = "what the rest of the file calls it"},
    {.name = "addresses", .kind = READER_ARRAY,
     READER_LIST(struct iface_text, iface.addresses, iface.addresses_len),
     .each = &address_field, .max = SCENARIO_GATEWAYS_MAX,
     .doc = "its own addresses, with the length of their networks"},
    {.name = "group", .kind = READER_INT, READER_AT(struct iface_text, iface.group),
     .max = UINT32_MAX, .doc = "linux: device group, which rules can suppress"},
    {.name = "disabled", .kind = READER_BOOL,
     READER_AT(struct iface_text, iface.disabled),
     .by_default = "false", .doc = "administratively down"},
    READER_END,
};

static const struct reader_field hash_object_fields[] = {
    {.name = "ipv4", .kind = READER_ENUM, READER_AT(struct hash_text, policy4),
     READER_NAMES(hash_policy_names), .by_default = "l3", .doc = "custom: linux only"},
    {.name = "ipv6", .kind = READER_ENUM, READER_AT(struct hash_text, policy6),
     READER_NAMES(hash_policy_names), .by_default = "l3", .doc = "custom: linux only"},
    {.name = "seed", .kind = READER_INT, READER_AT(struct hash_text, seed),
     READER_GIVEN(struct hash_text, seed_given), .max = UINT32_MAX,
     .doc = "fib_multipath_hash_seed; drawn from the scenario's seed when left out"},
    {.name = "ipv4_fields", .kind = READER_INT, READER_AT(struct hash_text, fields4),
     READER_GIVEN(struct hash_text, fields4_given), .min = 1, .max = 0xfff,
     .doc = "custom: fib_multipath_hash_fields, 7 when left out"},
    {.name = "ipv6_fields", .kind = READER_INT, READER_AT(struct hash_text, fields6),
     READER_GIVEN(struct hash_text, fields6_given), .min = 1, .max = 0xfff,
     .doc = "likewise"},
    READER_END,
};

/* ---- connection tracking, gateway checks ---- */

#define TIMEOUT(member, about) \
    {.name = #member, .kind = READER_DURATION, \
     READER_AT(struct config_timeouts, member), .above_min = true, \
     .max = SCENARIO_DURATION_MAX, .doc = about}

static const struct reader_field timeout_fields[] = {
    TIMEOUT(tcp_syn_sent, "no answer yet"),
    TIMEOUT(tcp_syn_received, "half open"),
    TIMEOUT(tcp_established, "open"),
    TIMEOUT(tcp_fin_wait, "one side has closed"),
    TIMEOUT(tcp_close_wait, "the other has seen it"),
    TIMEOUT(tcp_last_ack, "both have closed, one acknowledgement is missing"),
    TIMEOUT(tcp_time_wait, "both have closed"),
    TIMEOUT(tcp_close, "reset"),
    TIMEOUT(tcp_unacked, "data without an answer"),
    TIMEOUT(tcp_max_retrans, "the same data over and over"),
    TIMEOUT(udp, "without an answer"),
    TIMEOUT(udp_stream, "answered, and older than two seconds"),
    TIMEOUT(icmp, "queries"),
    TIMEOUT(generic, "other protocols"),
    READER_END,
};

static const struct reader_object timeouts_object = {
    .name = "timeouts",
    .doc = "how long a connection is remembered without packets; the platform's own when left"
           " out",
    READER_STRUCT(struct config_timeouts),
    .fields = timeout_fields,
};

static const char *const tracking_names[] = {
    [TRACKING_AUTO] = "auto", [TRACKING_ON] = "yes", [TRACKING_OFF] = "no"};

static const struct reader_field tracking_fields[] = {
    {.name = "enabled", .kind = READER_ENUM, READER_AT(struct router_config, tracking),
     READER_NAMES(tracking_names), .by_default = "auto", .doc = "auto: with NAT rules"},
    {.name = "loose", .kind = READER_BOOL, READER_AT(struct router_config, tcp_loose),
     .by_default = "true", .doc = "take up TCP connections in mid-stream"},
    {.name = "timeouts", .kind = READER_OBJECT, READER_AT(struct router_config, timeouts),
     .object = &timeouts_object, .doc = "how long a silent connection is remembered"},
    READER_END,
};

#define PROBE_INTERVAL_MIN 10000000

static const struct reader_field probe_fields[] = {
    {.name = "interval", .kind = READER_DURATION,
     READER_AT(struct config_check, interval_ns),
     .min = PROBE_INTERVAL_MIN, .max = SCENARIO_DURATION_MAX,
     .doc = "between probes; 10s"},
    {.name = "timeout", .kind = READER_DURATION,
     READER_AT(struct config_check, timeout_ns),
     .above_min = true, .max = SCENARIO_DURATION_MAX,
     .doc = "of a probe, no longer than the interval; 1s"},
    {.name = "count", .kind = READER_INT, READER_AT(struct config_check, count), .min = 1,
     .max = 1000, .doc = "probes lost in a row that make it unreachable; 2"},
    READER_END,
};

static const struct reader_field bfd_fields[] = {
    {.name = "interval", .kind = READER_DURATION,
     READER_AT(struct config_check, interval_ns),
     .min = PROBE_INTERVAL_MIN, .max = SCENARIO_DURATION_MAX,
     .doc = "between packets; 200ms"},
    {.name = "multiplier", .kind = READER_INT, READER_AT(struct config_check, count),
     .min = 1,
     .max = 255, .doc = "intervals of silence that make it unreachable; 5"},
    READER_END,
};
/* clang-format on */

static bool check_probe(const struct reader *r, void *object, const char *pointer)
{
    const struct config_check *c = object;

    if (c->timeout_ns > c->interval_ns)
        return diag_error_member(r->diag, pointer, "timeout",
                                 "must not exceed the interval");
    return true;
}

static const struct reader_object probe_object = {
    .name = "probe",
    .doc = "how gateways are probed by ping or ARP",
    READER_STRUCT(struct config_check),
    .fields = probe_fields,
    .check = check_probe,
};

static const struct reader_object bfd_object = {
    .name = "bfd",
    .doc = "how gateways are watched by BFD",
    READER_STRUCT(struct config_check),
    .fields = bfd_fields,
};

struct checks_text {
    struct config_check kinds[CHECK_KINDS];
};

/* clang-format off */
static const struct reader_field check_fields[] = {
    {.name = "ping", .kind = READER_OBJECT,
     READER_AT(struct checks_text, kinds[CHECK_PING]),
     .object = &probe_object, .doc = "check_gateway ping"},
    {.name = "arp", .kind = READER_OBJECT,
     READER_AT(struct checks_text, kinds[CHECK_ARP]),
     .object = &probe_object, .doc = "check_gateway arp"},
    {.name = "bfd", .kind = READER_OBJECT,
     READER_AT(struct checks_text, kinds[CHECK_BFD]),
     .object = &bfd_object, .doc = "check_gateway bfd"},
    READER_END,
};

static const struct reader_object iface_object = {
    .name = "interface", .doc = "an interface of the router", READER_STRUCT(struct iface_text),
    .fields = iface_fields, .pointer = READER_OFFSET(struct iface_text, pointer),
    .check = check_iface,
};

static const struct reader_object hash_object = {
    .name = "hash", .doc = "what makes packets share a path", READER_STRUCT(struct hash_text),
    .fields = hash_object_fields,
};

static const struct reader_object tracking_object = {
    .name = "connection_tracking", .doc = "what the router remembers of connections",
    READER_STRUCT(struct router_config), .fields = tracking_fields,
};

static const struct reader_object checks_object = {
    .name = "check_gateway", .doc = "the settings of gateway checks",
    READER_STRUCT(struct checks_text), .fields = check_fields,
};

/* ---- the router ---- */

static const struct reader_field router_fields[] = {
    {.name = "platform", .kind = READER_CUSTOM,
     READER_AT(struct router_text, config.platform),
     .custom = read_platform, .schema = "{\"enum\": [\"linux\", \"routeros7\"]}",
     .by_default = "\"routeros7\"", .doc = "whose behaviour it has"},
    {.name = "hash", .kind = READER_OBJECT, READER_AT(struct router_text, hash),
     .object = &hash_object, .doc = "what makes packets share a path"},
    {.name = "policy", .kind = READER_CUSTOM, READER_AT(struct router_text, policy),
     .custom = scenario_read_policy, .object = &policy_object,
     .by_default = "\"hash-threshold\"",
     .doc = "how a next hop is picked from its group"},
    {.name = "interfaces", .kind = READER_ARRAY,
     READER_LIST(struct router_text, ifaces, ifaces_len), .object = &iface_object,
     .required = true, .min = 1, .max = SCENARIO_IFACES_MAX,
     .doc = "where packets come and go"},
    {.name = "tables", .kind = READER_ARRAY,
     READER_LIST(struct router_text, tables, tables_len), .each = &table_field,
     .max = SCENARIO_TABLES_MAX, .doc = "routing tables besides main"},
    {.name = "routes", .kind = READER_ARRAY,
     READER_LIST(struct router_text, routes, routes_len), .object = &route_object,
     .max = SCENARIO_ROUTES_MAX,
     .doc = "static routes; connected ones follow from addresses"},
    {.name = "rules", .kind = READER_ARRAY,
     READER_LIST(struct router_text, rules, rules_len),
     .object = &rule_object, .max = SCENARIO_ROUTES_MAX,
     .doc = "which table serves a packet"},
    {.name = "rules_without_main", .kind = READER_BOOL,
     READER_AT(struct router_text, config.no_main_rule), .by_default = "false",
     .doc = "linux: the rules at 32766 and 32767 were deleted"},
    {.name = "nat", .kind = READER_ARRAY, READER_LIST(struct router_text, nat, nat_len),
     .object = &nat_object, .max = SCENARIO_ROUTES_MAX, .doc = "source NAT, in order"},
    {.name = "connection_tracking", .kind = READER_OBJECT,
     READER_AT(struct router_text, config), .object = &tracking_object,
     .doc = "what the router remembers of connections"},
    {.name = "check_gateway", .kind = READER_OBJECT,
     READER_AT(struct router_text, config.checks), .object = &checks_object,
     .doc = "the settings of gateway checks"},
    {.name = "netwatch", .kind = READER_ARRAY,
     READER_LIST(struct router_text, watches, watches_len), .object = &watch_object,
     .max = SCENARIO_GATEWAYS_MAX, .doc = "hosts that it watches, and routes that hang on them"},
    {.name = "ignore_routes_with_linkdown", .kind = READER_BOOL,
     READER_AT(struct router_text, config.ignore_routes_with_linkdown),
     .by_default = "false",
     .doc = "linux: a next hop without carrier is passed over"},
    READER_END,
};
/* clang-format on */

const struct reader_object router_object = {
    .name = "router",
    .doc = "the router and its configuration",
    READER_STRUCT(struct router_text),
    .fields = router_fields,
};

/* ---- resolving names ---- */

static void ifaces_build(struct scenario_reading *s, const struct router_text *t)
{
    struct config_iface *ifaces =
        arena_alloc(s->reader.arena, t->ifaces_len, sizeof *ifaces);

    s->ifaces = scenario_names_make(s, "interface", t->ifaces_len);
    s->ifaces_ok = t->ifaces_len > 0;
    s->ifaces.complete = t->ifaces_len > 0;
    for (size_t i = 0; i < t->ifaces_len; i++) {
        ifaces[i] = t->ifaces[i].iface;
        s->ifaces.names[i] = ifaces[i].name;
        s->ifaces.complete = s->ifaces.complete && ifaces[i].name;
        s->ifaces_ok = s->ifaces_ok && t->ifaces[i].ok;
    }
    scenario_names_check(s, &s->ifaces, "/router/interfaces", "/name");
    s->scenario->router.ifaces = ifaces;
    s->scenario->router.ifaces_len = t->ifaces_len;
}

/* RouterOS knows no tables `local` and `default`. */
static void tables_build(struct scenario_reading *s, const struct router_text *t,
                         bool failed)
{
    static const char *const own[] = {"main", "local", "default"};
    const size_t len = TABLE_FIRST_USER + t->tables_len;
    const char **all = arena_alloc(s->reader.arena, len, sizeof *all);

    s->tables = scenario_names_make(s, "table", len);
    s->tables.complete = !failed;
    for (size_t i = 0; i < len; i++) {
        all[i] = i < TABLE_FIRST_USER ? own[i] : t->tables[i - TABLE_FIRST_USER];
        s->tables.names[i] = all[i];
        s->tables.complete = s->tables.complete && all[i];
    }
    s->scenario->router.tables = all;
    s->scenario->router.tables_len = len;
}

static void tables_check(struct scenario_reading *s, const struct router_text *t)
{
    struct scenario_names user = {
        .what = "table", .names = t->tables, .len = t->tables_len};

    for (size_t i = 0; i < t->tables_len; i++) {
        char pointer[SCENARIO_POINTER_MAX];

        for (size_t k = 0; t->tables[i] && k < TABLE_FIRST_USER; k++) {
            if (strcmp(t->tables[i], s->tables.names[k]) != 0)
                continue;
            snprintf(pointer, sizeof pointer, "/router/tables/%zu", i);
            diag_error(s->reader.diag, pointer, "'%s' is there without being named",
                       t->tables[i]);
        }
    }
    scenario_names_check(s, &user, "/router/tables", "");
    if (s->platform == PLATFORM_ROUTEROS7)
        s->tables.names[TABLE_LOCAL] = s->tables.names[TABLE_DEFAULT] = NULL;
}

static void family_build(struct scenario_reading *s, const char *key, unsigned policy,
                         bool fields_given, uint16_t fields, struct hash_family *family)
{
    struct diag *d = s->reader.diag;
    char member[16];

    snprintf(member, sizeof member, "%s_fields", key);
    if (policy == HASH_CUSTOM && s->platform == PLATFORM_ROUTEROS7)
        diag_error_member(d, "/router/hash", key,
                          "'custom' is only for platform 'linux'");
    if (policy != HASH_CUSTOM && fields_given && s->platform == PLATFORM_LINUX)
        diag_error_member(d, "/router/hash", member, "needs policy 'custom'");
    family->policy = (uint8_t)policy;
    family->fields = fields_given ? fields : HASH_FIELDS_DEFAULT;
}

static void hash_build(struct scenario_reading *s, const struct hash_text *t)
{
    struct hash_config *c = &s->scenario->router.hash;
    struct random_stream stream = random_stream_make(s->scenario->seed, 0x68617368);

    s->hash_seed_given = t->seed_given;
    hash_set_seed(c, t->seed_given ? t->seed : (uint32_t)random_next(&stream));
    family_build(s, "ipv4", t->policy4, t->fields4_given, t->fields4, &c->v4);
    family_build(s, "ipv6", t->policy6, t->fields6_given, t->fields6, &c->v6);
}

/* Of the system's own chance, so that no capture can be made for it. Without: a known one. */
static void draw_secret(struct router_config *c)
{
    if (getrandom(&c->secret, sizeof c->secret, GRND_NONBLOCK) != sizeof c->secret)
        c->secret = 0;
}

void scenario_router_build(struct scenario_reading *s, const struct router_text *t,
                           bool tables_failed)
{
    s->scenario->router = t->config;
    s->scenario->router.seed = s->scenario->seed;
    draw_secret(&s->scenario->router);
    hash_build(s, &t->hash);
    ifaces_build(s, t);
    tables_build(s, t, tables_failed);
    tables_check(s, t);
}
