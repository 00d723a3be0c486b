/*
 * How a next hop is picked from its group: of the router, and of single routes' groups.
 *
 *     "policy": "maglev"
 *     "policy": {"name": "resilient", "buckets": 64, "idle_timer": "30s"}
 */
#include <inttypes.h>
#include <string.h>

#include "core/policy.h"
#include "sim/input/scenario_parts.h"
#include "sim/input/units.h"

#define TIMER_MAX SCENARIO_DURATION_MAX

/* clang-format off */
#define RETURNS_FIELD                                                                    \
    {.name = "returns", .kind = READER_BOOL,                                             \
     READER_AT(struct policy_text, config.returns),                                      \
     READER_GIVEN(struct policy_text, returns_given), .by_default = "true",              \
     .doc = "linux: a daemon puts a next-hop object back when its link has returned, as" \
            " the kernel alone never does"}

static const struct reader_field threshold_fields[] = {
    {.name = "objects", .kind = READER_BOOL,
     READER_AT(struct policy_text, config.objects),
     READER_GIVEN(struct policy_text, objects_given), .by_default = "false",
     .doc = "linux: the group is one of next-hop objects (ip nexthop)"},
    RETURNS_FIELD,
    READER_END,
};

/* The group is one of objects, whatever else is said: see check_policy(). */
static const struct reader_field resilient_fields[] = {
    {.name = "buckets", .kind = READER_INT, .min = 1, .max = 65535,
     READER_AT(struct policy_text, config.buckets), .by_default = "128",
     .doc = "how many parts the hash space has, each with one next hop that it keeps"},
    {.name = "idle_timer", .kind = READER_DURATION, .max = TIMER_MAX,
     READER_AT(struct policy_text, config.idle_ns), .by_default = "120s",
     .doc = "a bucket unused for so long may move to a next hop that lacks buckets"},
    {.name = "unbalanced_timer", .kind = READER_DURATION, .max = TIMER_MAX,
     READER_AT(struct policy_text, config.unbalanced_ns), .by_default = "0s",
     .doc = "after so long out of balance buckets in use move too; 0s: never"},
    RETURNS_FIELD,
    READER_END,
};

static const struct reader_field no_fields[] = {READER_END};

static const struct reader_field maglev_fields[] = {
    {.name = "table_size", .kind = READER_INT,
     READER_AT(struct policy_text, config.table_size), .by_default = "65537", .min = 3,
     .max = 655373, .doc = "entries of the table, a prime"},
    READER_END,
};

static const struct reader_field per_pair_fields[] = {
    {.name = "flush", .kind = READER_DURATION,
     READER_AT(struct policy_text, config.flush_ns), .by_default = "10m",
     .max = TIMER_MAX, .doc = "how often the route cache is emptied; 0s: never"},
    READER_END,
};

static const char *const unit_names[] = {"packets", "bytes"};

static const struct reader_field weighted_round_robin_fields[] = {
    {.name = "unit", .kind = READER_ENUM, READER_AT(struct policy_text, config.unit),
     READER_NAMES(unit_names), .by_default = "packets", .doc = "what is shared by weight"},
    READER_END,
};

static const struct reader_field flowlet_fields[] = {
    {.name = "gap", .kind = READER_DURATION, READER_AT(struct policy_text, config.gap_ns),
     .by_default = "50ms", .min = 1, .max = TIMER_MAX,
     .doc = "a pause longer than this may end in another path"},
    READER_END,
};

static const struct reader_field least_loaded_fields[] = {
    {.name = "window", .kind = READER_DURATION,
     READER_AT(struct policy_text, config.window_ns), .by_default = "10s",
     .min = 1000000, .max = TIMER_MAX, .doc = "how long past bytes count as load"},
    {.name = "choices", .kind = READER_INT, READER_AT(struct policy_text, config.choices),
     .by_default = "0", .max = 4096,
     .doc = "how many members are drawn, the least loaded of which wins; 0: of all"},
    READER_END,
};

/* By enum config_classifier; RouterOS has no others. */
static const char *const classifier_names[] = {
    [1] = "src-address",
    [2] = "dst-address",
    [3] = "both-addresses",
    [4] = "src-port",
    [5] = "src-address-and-port",
    [8] = "dst-port",
    [10] = "dst-address-and-port",
    [12] = "both-ports",
    [15] = "both-addresses-and-ports",
};

static const struct reader_field pcc_fields[] = {
    {.name = "classifier", .kind = READER_ENUM,
     READER_AT(struct policy_text, config.classifier), READER_NAMES(classifier_names),
     .by_default = "both-addresses", .doc = "the fields hashed"},
    READER_END,
};

static const struct reader_variant variants[] = {
    {"hash-threshold", "contiguous regions of the hash space, by weight", threshold_fields},
    {"modulo-n", "the hash modulo the number of living next hops", no_fields},
    {"highest-random-weight", "each next hop draws lots for the flow", no_fields},
    {"maglev", "a table filled by turns from each next hop's own permutation", maglev_fields},
    {"per-pair", "RouterOS 6: a route cache for pairs of addresses", per_pair_fields},
    {"round-robin", "a packet each in turn", no_fields},
    {"weighted-round-robin", "each packet where most is owed", weighted_round_robin_fields},
    {"random-packet", "each packet draws by weight", no_fields},
    {"random-flow", "each connection draws by weight and keeps it", no_fields},
    {"flowlet", "a flow that paused draws anew", flowlet_fields},
    {"least-loaded", "a connection begins where the least was sent", least_loaded_fields},
    {"connection-mark", "the first packet's region, then a mark", no_fields},
    {"pcc", "per-connection-classifier and a mark", pcc_fields},
    {"resilient", "a table of buckets that keep their next hops while they are in use",
     resilient_fields},
    READER_END,
};

/* All but the end. */
#define VARIANT_NAMES                                                                    \
    .names = variants, .name_count = sizeof variants / sizeof variants[0] - 1,           \
    .name_stride = sizeof variants[0]

static const struct reader_field policy_fields[] = {
    {.name = "name", .kind = READER_ENUM, READER_AT(struct policy_text, row),
     VARIANT_NAMES, .required = true, .doc = "as `ecmplab list policies` shows them"},
    READER_END,
};
/* clang-format on */

static bool is_prime(uint32_t n)
{
    for (uint32_t d = 2; d <= n / d; d++)
        if (n % d == 0)
            return false;
    return n > 1;
}

static bool check_table_size(const struct reader *r, uint32_t size, const char *pointer)
{
    uint32_t prime = size;

    if (is_prime(size))
        return true;
    while (!is_prime(prime))
        prime++;
    return diag_error_member(r->diag, pointer, "table_size",
                             "%u is no prime; the next one is %u", size, prime);
}

static bool check_policy(const struct reader *r, void *object, const char *pointer)
{
    struct policy_text *t = object;
    const int platform = scenario_reading_of(r)->platform;

    t->config.name = variants[t->row].name;
    if (variants[t->row].fields == maglev_fields &&
        !check_table_size(r, t->config.table_size, pointer))
        return false;
    if (strcmp(t->config.name, "resilient") == 0)
        t->config.objects = true;
    if (platform == PLATFORM_LINUX) {
        if (t->returns_given && !t->config.objects)
            return diag_error_member(r->diag, pointer, "returns",
                                     "only next-hop objects go and return");
        return true;
    }
    if (t->objects_given && platform >= 0)
        return diag_error_member(r->diag, pointer, "objects",
                                 "only platform 'linux' has next-hop objects");
    if (t->returns_given && platform >= 0)
        return diag_error_member(r->diag, pointer, "returns",
                                 "only platform 'linux' has next-hop objects");
    return true;
}

const struct reader_object policy_object = {
    .name = "policy",
    .doc = "a policy, and what it is told",
    READER_STRUCT(struct policy_text),
    .fields = policy_fields,
    .check = check_policy,
    .tag = "name",
    .variants = variants,
};

static const struct reader_field name_field = {
    .kind = READER_ENUM, .size = sizeof(uint8_t), VARIANT_NAMES};

static const struct reader_field object_field = {
    .kind = READER_OBJECT, .size = sizeof(struct policy_text), .object = &policy_object};

bool scenario_read_policy(const struct reader *r, json_t *value, const char *pointer,
                          void *target)
{
    json_t *object;
    uint8_t row;
    bool ok;

    if (!json_is_string(value))
        return reader_read_value(r, &object_field, value, pointer, target);
    if (!reader_read_value(r, &name_field, value, pointer, &row))
        return false;
    object = json_pack("{s:O}", "name", value);
    ok = reader_read(r, &policy_object, object, pointer, target);
    json_decref(object);
    return ok;
}

/* ---- building ---- */

void scenario_policies_build(struct scenario_reading *s, const struct policy_text *router,
                             struct route_text *const *routes, size_t len)
{
    struct router_config *c = &s->scenario->router;
    struct config_policy *all = arena_alloc(s->reader.arena, len + 1, sizeof *all);
    size_t n = 1;

    all[0] = router->config;
    for (size_t i = 0; i < len; i++) {
        if (!routes[i] || !routes[i]->policy_given || !routes[i]->policy.config.name)
            continue;
        routes[i]->route.policy = (uint16_t)n;
        all[n++] = routes[i]->policy.config;
    }
    if (!all[0].name) /* it could not be read */
        all[0] = config_policy_defaults(policies[0]->name);
    c->policies = all;
    c->policies_len = n;
}

/* ---- telling ---- */

static json_t *parameter_json(const struct reader_field *f, const struct policy_text *t)
{
    const char *at = (const char *)t + f->offset;
    char text[UNITS_TEXT_MAX];
    int64_t ns;
    uint32_t number;

    switch ((int)f->kind) {
    case READER_BOOL: return json_boolean(*(const bool *)at);
    case READER_ENUM:
        return json_string(((const char *const *)f->names)[*(const uint8_t *)at]);
    case READER_INT:
        memcpy(&number, at, sizeof number);
        return json_integer(number);
    default:
        memcpy(&ns, at, sizeof ns);
        return json_string(units_format_duration(ns, text));
    }
}

/* A switch that is as it always is says nothing. */
static bool is_told(const struct reader_field *f, json_t *value)
{
    return !json_is_boolean(value) ||
           strcmp(f->by_default, json_is_true(value) ? "true" : "false") != 0;
}

json_t *scenario_policy_parameters(const struct config_policy *p)
{
    const struct policy_text t = {.config = *p};
    const struct reader_variant *v = variants;
    json_t *o = json_object();

    while (strcmp(v->name, p->name) != 0)
        v++;
    for (const struct reader_field *f = v->fields; f->name; f++) {
        json_t *value = parameter_json(f, &t);

        if (is_told(f, value))
            json_object_set(o, f->name, value);
        json_decref(value);
    }
    return o;
}

/* ---- judging ---- */

static bool is_tracked(const struct router_config *c)
{
    if (c->tracking != TRACKING_AUTO)
        return c->tracking == TRACKING_ON;
    for (size_t i = 0; i < c->nat_len; i++)
        if (!c->nat[i].disabled)
            return true;
    return false;
}

static bool same_group(const struct config_route *a, const struct config_route *b)
{
    return a->table == b->table && a->distance == b->distance && a->tos == b->tos &&
           a->type == ROUTE_UNICAST && b->type == ROUTE_UNICAST &&
           prefix_equal(&a->dst, &b->dst);
}

static bool same_policy(const struct config_policy *a, const struct config_policy *b)
{
    return strcmp(a->name, b->name) == 0 && a->objects == b->objects &&
           a->returns == b->returns && a->buckets == b->buckets &&
           a->idle_ns == b->idle_ns && a->unbalanced_ns == b->unbalanced_ns &&
           a->table_size == b->table_size && a->gap_ns == b->gap_ns &&
           a->flush_ns == b->flush_ns && a->window_ns == b->window_ns &&
           a->choices == b->choices && a->unit == b->unit &&
           a->classifier == b->classifier;
}

/* All routes of one group pick alike. */
static void judge_group(struct scenario_reading *s, const struct config_route *route)
{
    const struct router_config *c = &s->scenario->router;

    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_route *other = &c->routes[i];

        if (!other->pointer || !same_group(route, other) ||
            same_policy(&c->policies[route->policy], &c->policies[other->policy]))
            continue;
        diag_error_member(s->reader.diag, route->pointer, "policy",
                          "differs from that of %s, a route of the same group",
                          other->pointer);
        return;
    }
}

static void judge_weights(struct scenario_reading *s, const struct config_route *route)
{
    const char *name = s->scenario->router.policies[route->policy].name;

    if (policy_find(name)->traits & POLICY_WEIGHTED)
        return;
    for (size_t i = 0; i < route->gateways_len; i++) {
        if (route->gateways[i].weight == 1)
            continue;
        diag_error_member(s->reader.diag, route->pointer, "weight",
                          "policy '%s' knows no weights", name);
        return;
    }
}

/* Of all groups; what a router of that many would need. */
enum { BUCKETS_IN_ALL_MAX = 1 << 22 };

static void judge_buckets(struct scenario_reading *s)
{
    const struct router_config *c = &s->scenario->router;
    uint64_t buckets = 0;

    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_policy *p = &c->policies[c->routes[i].policy];

        if (c->routes[i].type == ROUTE_UNICAST && strcmp(p->name, "resilient") == 0)
            buckets += p->buckets;
    }
    if (buckets > BUCKETS_IN_ALL_MAX)
        diag_error(s->reader.diag, "/router",
                   "the resilient groups of all routes have %" PRIu64
                   " buckets, at most %d are allowed",
                   buckets, BUCKETS_IN_ALL_MAX);
}

enum { POLICY_MEGABYTES_MAX = 1024 };

/* Of all groups, were each route one of its own. */
static void judge_memory(struct scenario_reading *s)
{
    const struct router_config *c = &s->scenario->router;
    uint64_t bytes = 0;

    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_policy *p = &c->policies[c->routes[i].policy];
        const struct policy *policy = policy_find(p->name);

        if (c->routes[i].type == ROUTE_UNICAST && policy->bytes)
            bytes += policy->bytes(p);
    }
    if (bytes >> 20 > POLICY_MEGABYTES_MAX)
        diag_error(s->reader.diag, "/router",
                   "the policies of all routes' groups need %" PRIu64
                   " MB, at most %d are allowed",
                   bytes >> 20, POLICY_MEGABYTES_MAX);
}

void scenario_policies_judge(struct scenario_reading *s)
{
    const struct router_config *c = &s->scenario->router;

    judge_buckets(s);
    judge_memory(s);
    for (size_t i = 0; i < c->policies_len; i++) {
        if (!(policy_find(c->policies[i].name)->traits & POLICY_TRACKED) || is_tracked(c))
            continue;
        diag_error(s->reader.diag, "/router",
                   "policy '%s' works on connections, and nothing tracks them; expected"
                   " 'connection_tracking' with 'enabled' \"yes\", or NAT rules",
                   c->policies[i].name);
        break;
    }
    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_route *route = &c->routes[i];

        if (!route->pointer)
            continue;
        judge_weights(s, route);
        if (route->policy && route->type != ROUTE_UNICAST)
            diag_error_member(s->reader.diag, route->pointer, "policy",
                              "a route of type '%s' has nothing to pick from",
                              route_type_names[route->type]);
        else if (route->policy)
            judge_group(s, route);
    }
}
