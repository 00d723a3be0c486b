/* Events as they are written: what each kind is given. */
#include "core/memory.h"
#include "sim/input/scenario_parts.h"

const char *const event_kind_names[EVENT_KINDS] = {
    [EVENT_LINK_DOWN] = "link-down", [EVENT_GATEWAY_DOWN] = "gateway-down",
    [EVENT_BLACKHOLE] = "blackhole", [EVENT_FLAP] = "flap",
    [EVENT_OUTAGES] = "outages",
    [EVENT_DEGRADE] = "degrade", [EVENT_BROWNOUT] = "brownout",
    [EVENT_ADDRESS_CHANGE] = "address-change", [EVENT_LEASE_CHANGE] = "lease-change",
    [EVENT_PPPOE_RECONNECT] = "pppoe-reconnect", [EVENT_REBOOT] = "reboot",
    [EVENT_ROUTE_ADD] = "route-add", [EVENT_ROUTE_REMOVE] = "route-remove",
    [EVENT_RULE_ADD] = "rule-add",   [EVENT_RULE_REMOVE] = "rule-remove",
    [EVENT_EACH_WAN] = "each-wan",   [EVENT_EACH_PAIR] = "each-pair",
};

/* ---- reading ---- */

/* "wan1", or several that fail together */
static const struct reader_field wans_field = {
    .kind = READER_ARRAY,
    READER_LIST(struct strings_text, items, len),
    .each = &reader_string,
    .min = 1,
    .max = SCENARIO_IFACES_MAX,
    .expected = "the name of a WAN, or an array of them",
};

static bool read_wans(const struct reader *r, json_t *value, const char *pointer,
                      void *target)
{
    return scenario_read_one_or_many(r, &wans_field, value, pointer, target);
}

static const char *const hows[] = {"carrier", "admin"};

/* The ways in which a WAN fails, by enum event_kind. */
static const char *const whats[] = {
    [EVENT_LINK_DOWN] = "link-down",
    [EVENT_GATEWAY_DOWN] = "gateway-down",
    [EVENT_BLACKHOLE] = "blackhole",
};

/* clang-format off */
#define WAN_FIELD \
    {.name = "wan", .kind = READER_STRING, READER_AT(struct event_text, wan), \
     .required = true, .doc = "which one"}
#define WANS_FIELD \
    {.name = "wan", .kind = READER_CUSTOM, READER_AT(struct event_text, wans), \
     .custom = read_wans, \
     .schema = "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"array\"," \
               " \"minItems\": 1, \"maxItems\": 1024, \"items\":" \
               " {\"type\": \"string\"}}]}", \
     .required = true, .doc = "which one, or an array of those that share the fault"}
#define PLACE_FIELD(key, about) \
    {.name = key, .kind = READER_CUSTOM, READER_AT(struct event_text, place), \
     .custom = scenario_read_place, .schema = SCENARIO_PLACE_SCHEMA, .required = true, \
     .doc = about}

static const struct reader_field link_fields[] = {
    WANS_FIELD,
    {.name = "how", .kind = READER_ENUM, READER_AT(struct event_text, how),
     READER_NAMES(hows), .by_default = "carrier",
     .doc = "carrier: the cable; admin: the interface is disabled"},
    READER_END,
};

static const struct reader_field wans_only_fields[] = {WANS_FIELD, READER_END};

#define WHAT_FIELD \
    {.name = "what", .kind = READER_ENUM, READER_AT(struct event_text, event.what), \
     READER_NAMES(whats), .by_default = "link-down", .doc = "how the WAN fails"}

static const struct reader_field flap_fields[] = {
    WANS_FIELD,
    WHAT_FIELD,
    {.name = "period", .kind = READER_DURATION,
     READER_AT(struct event_text, event.period_ns), .required = true, .min = 1000000,
     .max = SCENARIO_DURATION_MAX, .doc = "from one outage's beginning to the next one's"},
    {.name = "duty", .kind = READER_NUMBER, READER_AT(struct event_text, duty),
     .by_default = "0.5", .lowest = 0.0001, .highest = 0.9999,
     .doc = "the share of each period that it is down, at the period's beginning"},
    {.name = "count", .kind = READER_INT, READER_AT(struct event_text, count),
     READER_GIVEN(struct event_text, count_given), .min = 1, .max = SCENARIO_OUTAGES_MAX,
     .doc = "of outages; or else 'for' says how long it goes on"},
    READER_END,
};

#define MEAN_FIELD \
    {.name = "mean", .kind = READER_DURATION, READER_AT(struct spell_law, mean_ns), \
     .required = true, .above_min = true, .max = SCENARIO_DURATION_MAX, .doc = "of all"}

static const struct reader_field mean_fields[] = {MEAN_FIELD, READER_END};

static const struct reader_field weibull_fields[] = {
    MEAN_FIELD,
    {.name = "shape", .kind = READER_NUMBER, READER_AT(struct spell_law, shape),
     .required = true, .lowest = 0.1, .highest = 20,
     .doc = "below 1 it fails early or late, above 1 it wears out"},
    READER_END,
};

static const struct reader_field lognormal_fields[] = {
    MEAN_FIELD,
    {.name = "sigma", .kind = READER_NUMBER, READER_AT(struct spell_law, shape),
     .required = true, .lowest = 0.01, .highest = 5,
     .doc = "standard deviation of the natural logarithm"},
    READER_END,
};

static const struct reader_variant spell_variants[] = {
    [SPELL_CONSTANT] = {"constant", "every one alike", mean_fields},
    [SPELL_EXPONENTIAL] = {"exponential", "memoryless", mean_fields},
    [SPELL_WEIBULL] = {"weibull", "failing early, or wearing out", weibull_fields},
    [SPELL_LOGNORMAL] = {"lognormal", "its logarithm is normal", lognormal_fields},
    [SPELL_KINDS] = READER_END,
};

static const struct reader_field spell_fields[] = {
    {.name = "law", .kind = READER_ENUM, READER_AT(struct spell_law, kind),
     READER_NAMES(spell_kind_names), .required = true, .doc = "the distribution"},
    READER_END,
};

static bool check_spell(const struct reader *r, void *object, const char *pointer)
{
    (void)r, (void)pointer;
    spell_law_settle(object);
    return true;
}

static const struct reader_object spell_object = {
    .name = "spell", .doc = "how long something goes well, or is broken",
    READER_STRUCT(struct spell_law), .fields = spell_fields, .check = check_spell,
    .tag = "law", .variants = spell_variants,
};

static const struct reader_field outages_fields[] = {
    WANS_FIELD,
    WHAT_FIELD,
    {.name = "between", .kind = READER_OBJECT, READER_AT(struct event_text, event.between),
     .object = &spell_object, .required = true,
     .doc = "the law of the times from one outage's end (or 'at') to the next one"},
    {.name = "repair", .kind = READER_OBJECT, READER_AT(struct event_text, event.repair),
     .object = &spell_object, .required = true, .doc = "the law of how long they last"},
    READER_END,
};

#define DEGRADED(member) \
    READER_AT(struct event_text, event.degraded.member##_ns), \
    READER_GIVEN(struct event_text, event.degraded.has_##member)
#define LOSS_FIELD(needed) \
    {.name = "loss", .kind = READER_NUMBER, READER_AT(struct event_text, event.degraded.loss), \
     READER_GIVEN(struct event_text, event.degraded.has_loss), .required = needed, \
     .lowest = 0, .highest = 1, .doc = "the share of packets lost, each way"}

static const struct reader_field degrade_fields[] = {
    WANS_FIELD,
    {.name = "down", .kind = READER_RATE,
     READER_AT(struct event_text, event.degraded.down_bps), .min = 1, .max = INT64_MAX,
     .doc = "capacity towards the LAN"},
    {.name = "up", .kind = READER_RATE,
     READER_AT(struct event_text, event.degraded.up_bps), .min = 1, .max = INT64_MAX,
     .doc = "capacity towards the Internet"},
    {.name = "delay", .kind = READER_DURATION, DEGRADED(delay),
     .max = SCENARIO_DURATION_MAX, .doc = "one way"},
    {.name = "jitter", .kind = READER_DURATION, DEGRADED(jitter),
     .max = SCENARIO_DURATION_MAX, .doc = "up to so much more, each way"},
    LOSS_FIELD(false),
    READER_END,
};

static const struct reader_field brownout_fields[] = {
    WANS_FIELD, LOSS_FIELD(true), READER_END,
};

static const struct reader_field each_fields[] = {
    WHAT_FIELD,
    {.name = "spacing", .kind = READER_DURATION, READER_AT(struct event_text, spacing_ns),
     READER_GIVEN(struct event_text, spacing_given), .above_min = true,
     .max = SCENARIO_DURATION_MAX,
     .doc = "from one failure's beginning to the next one's; twice 'for' when left out"},
    READER_END,
};

static const struct reader_field address_fields[] = {
    WAN_FIELD,
    {.name = "address", .kind = READER_PREFIX,
     READER_AT(struct event_text, event.address),
     .host_bits = READER_HOST_BITS_KEPT, .required = true,
     .doc = "the new one, with the length of its network"},
    {.name = "old_address", .kind = READER_ADDR,
     READER_AT(struct event_text, event.old_address),
     .doc = "the one that goes; the first of that family when left out"},
    READER_END,
};

#define RENEWAL_FIELDS \
    {.name = "old_address", .kind = READER_ADDR, \
     READER_AT(struct event_text, event.old_address), \
     .doc = "the one that goes; the first of that family when left out"}, \
    {.name = "gateway", .kind = READER_ADDR, READER_AT(struct event_text, event.gateway), \
     .doc = "takes the place of the routes' gateways on the old address's network"}

static const struct reader_field lease_fields[] = {
    WAN_FIELD,
    {.name = "address", .kind = READER_PREFIX,
     READER_AT(struct event_text, event.address),
     .host_bits = READER_HOST_BITS_KEPT, .required = true,
     .doc = "the new one, with the length of its network"},
    RENEWAL_FIELDS,
    {.name = "gap", .kind = READER_DURATION, READER_AT(struct event_text, gap_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX,
     .doc = "how long the WAN has no address"},
    READER_END,
};

static const struct reader_field pppoe_fields[] = {
    WAN_FIELD,
    {.name = "address", .kind = READER_PREFIX,
     READER_AT(struct event_text, event.address),
     .host_bits = READER_HOST_BITS_KEPT,
     .doc = "the new one, with the length of its network; the old one when left out"},
    RENEWAL_FIELDS,
    {.name = "gap", .kind = READER_DURATION, READER_AT(struct event_text, gap_ns),
     .by_default = "5s", .above_min = true, .max = SCENARIO_DURATION_MAX,
     .doc = "how long the session is down"},
    READER_END,
};

static const struct reader_field reboot_fields[] = {
    {.name = "redraw_hash", .kind = READER_BOOL,
     READER_AT(struct event_text, event.redraw_hash),
     READER_GIVEN(struct event_text, redraw_given),
     .doc = "it starts with another hash seed; so unless the router's hash names one"},
    READER_END,
};

static const struct reader_field route_add_fields[] = {
    {.name = "route", .kind = READER_OBJECT_PTR, READER_AT(struct event_text, route),
     .object = &route_object, .required = true, .doc = "as in the router's routes"},
    READER_END,
};

static const struct reader_field route_remove_fields[] = {
    PLACE_FIELD("route", "the comment of a route, or its index in the router's routes"),
    READER_END,
};

static const struct reader_field rule_add_fields[] = {
    {.name = "rule", .kind = READER_OBJECT_PTR, READER_AT(struct event_text, rule),
     .object = &rule_object, .required = true, .doc = "as in the router's rules"},
    {.name = "before", .kind = READER_CUSTOM, READER_AT(struct event_text, before),
     READER_GIVEN(struct event_text, before_given), .custom = scenario_read_place,
     .schema = SCENARIO_PLACE_SCHEMA,
     .doc = "routeros7: the rule of the router's rules that it goes in front of; at the"
             " end"
            " when left out"},
    READER_END,
};

static const struct reader_field rule_remove_fields[] = {
    PLACE_FIELD("rule", "the comment of a rule, or its index in the router's rules"),
    READER_END,
};

static const struct reader_variant variants[] = {
    [EVENT_LINK_DOWN] = {"link-down", "the WAN's link goes down", link_fields},
    [EVENT_GATEWAY_DOWN] = {"gateway-down", "the WAN's gateway answers nothing, its link is up",
                            wans_only_fields},
    [EVENT_BLACKHOLE] = {"blackhole", "the gateway answers, but nothing behind it does",
                         wans_only_fields},
    [EVENT_FLAP] = {"flap", "the WAN fails over and over, in even periods", flap_fields},
    [EVENT_OUTAGES] = {"outages", "the WAN fails at random, and is repaired", outages_fields},
    [EVENT_DEGRADE] = {"degrade", "the WAN's link gets worse", degrade_fields},
    [EVENT_BROWNOUT] = {"brownout", "the WAN loses packets, its gateway some of its probes",
                        brownout_fields},
    [EVENT_ADDRESS_CHANGE] = {"address-change", "the WAN gets another address",
                              address_fields},
    [EVENT_LEASE_CHANGE] = {"lease-change", "the WAN loses its address and gets another",
                            lease_fields},
    [EVENT_PPPOE_RECONNECT] = {"pppoe-reconnect",
                               "the WAN's session ends, and comes back with an address",
                               pppoe_fields},
    [EVENT_REBOOT] = {"reboot", "the router restarts: its connection table is lost",
                      reboot_fields},
    [EVENT_ROUTE_ADD] = {"route-add", "a route is added", route_add_fields},
    [EVENT_ROUTE_REMOVE] = {"route-remove", "a route is removed", route_remove_fields},
    [EVENT_RULE_ADD] = {"rule-add", "a rule is added", rule_add_fields},
    [EVENT_RULE_REMOVE] = {"rule-remove", "a rule is removed", rule_remove_fields},
    [EVENT_EACH_WAN] = {"each-wan", "each WAN fails, one after the other", each_fields},
    [EVENT_EACH_PAIR] = {"each-pair", "each two WANs fail together, one pair after the other",
                         each_fields},
    [EVENT_KINDS] = READER_END,
};

static const struct reader_field event_fields[] = {
    {.name = "at", .kind = READER_DURATION, READER_AT(struct event_text, event.at_ns),
     .required = true, .max = SCENARIO_DURATION_MAX,
     .doc = "when, from the start of the run"},
    {.name = "kind", .kind = READER_ENUM, READER_AT(struct event_text, event.kind),
     READER_NAMES(event_kind_names), .required = true, .doc = "what happens"},
    {.name = "for", .kind = READER_DURATION, READER_AT(struct event_text, event.for_ns),
     READER_GIVEN(struct event_text, for_given), .above_min = true,
     .max = SCENARIO_DURATION_MAX, .doc = "then it is undone; to the end when left out"},
    {.name = "name", .kind = READER_STRING, READER_AT(struct event_text, event.name),
     .min = 1,
     .max = 64, .doc = "its own phases in the result"},
    READER_END,
};
/* clang-format on */

/* A flap lasts as long as it says, or as its outages take. */
static bool check_flap(const struct reader *r, struct event_text *t, const char *pointer)
{
    struct scenario_event *e = &t->event;

    if (t->count_given == t->for_given)
        return diag_error(r->diag, pointer,
                          t->for_given ? "'count' and 'for' say the same: expected one"
                                       : "missing key 'count' or 'for'");
    e->down_ns = (int64_t)((double)e->period_ns * t->duty);
    if (t->for_given && e->for_ns / e->period_ns >= SCENARIO_OUTAGES_MAX)
        return diag_error_member(r->diag, pointer, "for",
                                 "at most %d periods, got more", SCENARIO_OUTAGES_MAX);
    if (t->count_given &&
        t->count - 1 > (SCENARIO_DURATION_MAX - e->down_ns) / e->period_ns)
        return diag_error_member(r->diag, pointer, "count",
                                 "so many periods last longer than 3650d");
    if (t->count_given)
        e->for_ns = (t->count - 1) * e->period_ns + e->down_ns;
    return true;
}

static bool check_each(const struct reader *r, struct event_text *t, const char *pointer)
{
    if (!t->for_given)
        return diag_error(r->diag, pointer, "missing key 'for': how long each failure lasts");
    if (!t->spacing_given)
        t->spacing_ns = 2 * t->event.for_ns;
    if (t->spacing_ns < t->event.for_ns)
        return diag_error_member(r->diag, pointer, "spacing",
                                 "shorter than 'for': failures would overlap");
    return true;
}

/* It lasts for its gap; the new address stays. */
static bool check_renewal(const struct reader *r, struct event_text *t, const char *pointer)
{
    struct scenario_event *e = &t->event;

    if (t->for_given)
        return diag_error_member(r->diag, pointer, "for",
                                 "the new address stays; 'gap' says how long there is none");
    e->for_ns = t->gap_ns;
    if (addr_is_set(&e->gateway) && addr_is_set(&e->address.addr) &&
        e->gateway.family != e->address.addr.family)
        return diag_error_member(r->diag, pointer, "gateway",
                                 "not of the new address's family");
    return true;
}

/* What its kind alone asks for. */
static bool check_kind(const struct reader *r, struct event_text *t, const char *pointer)
{
    if (t->event.kind == EVENT_FLAP)
        return check_flap(r, t, pointer);
    if (t->event.kind == EVENT_REBOOT && !t->for_given)
        return diag_error(r->diag, pointer,
                          "missing key 'for': how long the router takes to start");
    if (scenario_event_renews(&t->event))
        return check_renewal(r, t, pointer);
    scenario_rate_judge(r, pointer, "down", t->event.degraded.down_bps);
    scenario_rate_judge(r, pointer, "up", t->event.degraded.up_bps);
    if (t->event.kind == EVENT_DEGRADE && !t->event.degraded.down_bps &&
        !t->event.degraded.up_bps && !t->event.degraded.has_delay &&
        !t->event.degraded.has_jitter && !t->event.degraded.has_loss)
        return diag_error(r->diag, pointer,
                          "expected what gets worse: 'down', 'up', 'delay', 'jitter' or 'loss'");
    if (t->event.kind == EVENT_EACH_WAN || t->event.kind == EVENT_EACH_PAIR)
        return check_each(r, t, pointer);
    return true;
}

static bool check_event(const struct reader *r, void *object, const char *pointer)
{
    struct event_text *t = object;

    if (!t->for_given)
        t->event.for_ns = -1;
    t->event.admin = t->how == 1;
    t->ok = check_kind(r, t, pointer);
    return t->ok;
}

enum event_kind scenario_event_fault(const struct scenario_event *e)
{
    if (e->kind <= EVENT_BLACKHOLE)
        return e->kind;
    if (e->kind == EVENT_PPPOE_RECONNECT)
        return EVENT_LINK_DOWN;
    return scenario_event_has_outages(e) ? e->what : EVENT_KINDS;
}

bool scenario_event_has_outages(const struct scenario_event *e)
{
    return e->kind == EVENT_FLAP || e->kind == EVENT_OUTAGES;
}

const struct reader_object event_object = {
    .name = "event",
    READER_STRUCT(struct event_text),
    .fields = event_fields,
    .pointer = READER_OFFSET(struct event_text, event.pointer),
    .check = check_event,
    .tag = "kind",
    .variants = variants,
};
