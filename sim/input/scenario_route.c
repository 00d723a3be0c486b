/*
 * Routes and their gateways.
 *
 *     "100.64.1.1"         resolved in table main
 *     "100.64.1.1@ecmp"    resolved in another table (RouterOS)
 *     "fe80::1%wan1"       on link at an interface
 *     "pppoe-out1"         the interface itself
 *
 * Sources: RouterOS manual, /ip/route; ip-route(8).
 */
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

/* ---- reading ---- */

static const struct reader_field strings_field = {
    .kind = READER_ARRAY,
    READER_LIST(struct strings_text, items, len),
    .each = &reader_string,
    .min = 1,
    .max = SCENARIO_GATEWAYS_MAX,
    .expected = "a gateway such as \"192.0.2.1\", or an array of them",
};

static const struct reader_field weight_field = {
    .kind = READER_INT, .size = sizeof(int64_t), .min = 1, .max = 256};

static const struct reader_field weights_field = {
    .kind = READER_ARRAY,
    READER_LIST(struct weights_text, items, len),
    .each = &weight_field,
    .min = 1,
    .max = SCENARIO_GATEWAYS_MAX,
    .expected = "a weight from 1 to 256, or an array of them",
};

static bool read_gateways(const struct reader *r, json_t *value, const char *pointer,
                          void *target)
{
    return scenario_read_one_or_many(r, &strings_field, value, pointer, target);
}

static bool read_weights(const struct reader *r, json_t *value, const char *pointer,
                         void *target)
{
    struct weights_text *t = target;

    t->is_array = json_is_array(value);
    if (!json_is_number(value))
        return reader_read_value(r, &weights_field, value, pointer, t);
    t->items = arena_alloc(r->arena, 1, sizeof *t->items);
    t->len = 1;
    return reader_read_value(r, &weight_field, value, pointer, t->items);
}

static reader_check check_route;

static const char *const types[] = {
    [ROUTE_UNICAST] = "unicast",
    [ROUTE_BLACKHOLE] = "blackhole",
    [ROUTE_UNREACHABLE] = "unreachable",
    [ROUTE_PROHIBIT] = "prohibit",
    [ROUTE_THROW] = "throw",
};

/* clang-format off */
static const struct reader_field route_fields[] = {
    {.name = "dst_address", .kind = READER_PREFIX,
     READER_AT(struct route_text, route.dst),
     .by_default = "0.0.0.0/0", .doc = "the destinations it serves"},
    {.name = "gateway", .kind = READER_CUSTOM, READER_AT(struct route_text, gateways),
     .custom = read_gateways,
     .schema = "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"minItems\": 1,"
               " \"maxItems\": 256, \"items\": {\"type\": \"string\"}}]}",
     .doc = "ADDR, IFACE, ADDR%IFACE or ADDR@TABLE, or an array of them; unicast routes"
             " only"},
    {.name = "weight", .kind = READER_CUSTOM, READER_AT(struct route_text, weights),
     .custom = read_weights,
     .schema = "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 256},"
               " {\"type\": \"array\", \"minItems\": 1, \"maxItems\": 256, \"items\":"
               " {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 256}}]}",
     .doc = "linux: of every gateway, or one for each; 1 when left out"},
    {.name = "policy", .kind = READER_CUSTOM, READER_AT(struct route_text, policy),
     READER_GIVEN(struct route_text, policy_given), .custom = scenario_read_policy,
     .object = &policy_object,
     .doc = "how a next hop of its group is picked; the router's when left out"},
    {.name = "table", .kind = READER_STRING, READER_AT(struct route_text, table),
     .by_default = "main", .doc = "the routing table that holds it"},
    {.name = "type", .kind = READER_ENUM, READER_AT(struct route_text, route.type),
     READER_NAMES(types), .by_default = "unicast", .doc = "throw: linux only"},
    {.name = "distance", .kind = READER_INT, READER_AT(struct route_text, route.distance),
     READER_GIVEN(struct route_text, distance_given), .max = UINT32_MAX,
     .doc = "lower wins; routeros7: 0 to 255, 1 when left out; linux: the metric, 0"
             " when left"
            " out, 1024 for IPv6"},
    {.name = "scope", .kind = READER_INT, READER_AT(struct route_text, route.scope),
     .max = 255, .by_default = "30", .doc = "routeros7: what may resolve through it"},
    {.name = "target_scope", .kind = READER_INT,
     READER_AT(struct route_text, route.target_scope), .max = 255, .by_default = "10",
     .doc = "routeros7: the largest scope that its gateway may resolve through"},
    {.name = "check_gateway", .kind = READER_ENUM,
     READER_AT(struct route_text, route.check),
     READER_NAMES(check_kind_names), .by_default = "none",
     .doc = "how its gateway is probed"},
    {.name = "pref_src", .kind = READER_ADDR,
     READER_AT(struct route_text, route.pref_src),
     .doc = "the source of what the router itself sends"},
    {.name = "tos", .kind = READER_INT, READER_AT(struct route_text, route.tos),
     .max = 255,
     .doc = "linux, IPv4: only packets with these bits; 0: any"},
    {.name = "disabled", .kind = READER_BOOL,
     READER_AT(struct route_text, route.disabled),
     .by_default = "false", .doc = "as if it were not there"},
    {.name = "comment", .kind = READER_STRING,
     READER_AT(struct route_text, route.comment),
     .doc = "what events call it"},
    READER_END,
};
/* clang-format on */

const struct reader_object route_object = {
    .name = "route",
    .doc = "a static route",
    READER_STRUCT(struct route_text),
    .fields = route_fields,
    .pointer = READER_OFFSET(struct route_text, route.pointer),
    .check = check_route,
};

static bool check_distance(const struct reader *r, struct route_text *t,
                           const char *pointer)
{
    const int platform = scenario_reading_of(r)->platform;
    const bool v6 = t->route.dst.addr.family == FAMILY_V6;

    if (platform == PLATFORM_ROUTEROS7) {
        if (!t->distance_given)
            t->route.distance = 1;
        if (t->route.distance > 255)
            return diag_error_member(r->diag, pointer, "distance",
                                     "must be from 0 to 255, got %u", t->route.distance);
    } else if (v6 && t->route.distance == 0) {
        t->route.distance = 1024; /* the kernel takes 0 for "not given" */
    }
    return true;
}

static bool check_linux_only(const struct reader *r, struct route_text *t,
                             const char *pointer)
{
    const int platform = scenario_reading_of(r)->platform;

    if (platform == PLATFORM_ROUTEROS7 && t->route.type == ROUTE_THROW)
        return diag_error_member(r->diag, pointer, "type",
                                 "'throw' is only for platform 'linux'");
    if (t->route.tos && t->route.dst.addr.family == FAMILY_V6)
        return diag_error_member(r->diag, pointer, "tos", "only IPv4 routes match a TOS");
    if (t->route.tos & ~0x1c)
        return diag_error_member(r->diag, pointer, "tos",
                                 "0x%02x has bits outside of 0x1c, which no look-up sees",
                                 t->route.tos);
    return true;
}

static bool check_gateways(const struct reader *r, struct route_text *t,
                           const char *pointer)
{
    const char *type = types[t->route.type];

    if (t->route.type == ROUTE_UNICAST) {
        if (t->gateways.len == 0)
            return diag_error(r->diag, pointer, "missing key 'gateway'");
    } else if (t->gateways.len > 0) {
        return diag_error_member(r->diag, pointer, "gateway",
                                 "a route of type '%s' has none", type);
    } else if (t->route.check != CHECK_NONE) {
        return diag_error_member(r->diag, pointer, "check_gateway",
                                 "a route of type '%s' has no gateway to check", type);
    }
    if (t->weights.is_array && t->weights.len != t->gateways.len)
        return diag_error_member(r->diag, pointer, "weight",
                                 "%zu weights for %zu gateways", t->weights.len,
                                 t->gateways.len);
    if (t->weights.len > 0 && t->route.type != ROUTE_UNICAST)
        return diag_error_member(r->diag, pointer, "weight",
                                 "a route of type '%s' has no gateway to weigh", type);
    return true;
}

static bool check_pref_src(const struct reader *r, struct route_text *t,
                           const char *pointer)
{
    const unsigned family = t->route.pref_src.family, wanted = t->route.dst.addr.family;

    if (family == FAMILY_NONE || family == wanted)
        return true;
    return diag_error_member(r->diag, pointer, "pref_src", "%s for a destination of %s",
                             scenario_family_name(family), scenario_family_name(wanted));
}

static bool check_route(const struct reader *r, void *object, const char *pointer)
{
    struct route_text *t = object;
    bool ok = check_distance(r, t, pointer);

    ok = check_linux_only(r, t, pointer) && ok;
    ok = check_gateways(r, t, pointer) && ok;
    ok = check_pref_src(r, t, pointer) && ok;
    t->ok = ok;
    return ok;
}

/* ---- resolving names ---- */

const char *route_gateway_pointer(const struct route_text *t, size_t i,
                                  char buf[SCENARIO_POINTER_MAX])
{
    if (t->gateways.is_array)
        snprintf(buf, SCENARIO_POINTER_MAX, "%s/gateway/%zu", t->route.pointer, i);
    else
        snprintf(buf, SCENARIO_POINTER_MAX, "%s/gateway", t->route.pointer);
    return buf;
}

/* ADDR@TABLE */
static bool resolve_in_table(struct scenario_reading *s, const char *table,
                             const char *pointer, struct config_gateway *g)
{
    if (s->platform == PLATFORM_LINUX)
        return diag_error(
            s->reader.diag, pointer,
            "ADDR@TABLE is only for platform 'routeros7': a Linux gateway must "
            "be on link");
    g->table = scenario_name_index(&s->tables, table);
    if (g->table < 0 && s->tables.complete)
        scenario_name_miss(s, &s->tables, table, pointer);
    return g->table >= 0;
}

/* ADDR%IFACE, or IFACE alone */
static bool resolve_on_iface(struct scenario_reading *s, const char *name,
                             const char *pointer, struct config_gateway *g)
{
    g->iface = scenario_name_index(&s->ifaces, name);
    if (g->iface < 0 && s->ifaces.complete)
        scenario_name_miss(s, &s->ifaces, name, pointer);
    return g->iface >= 0;
}

static bool resolve_gateway(struct scenario_reading *s, const char *text,
                            const char *pointer, struct config_gateway *g)
{
    const size_t length = strcspn(text, "%@");
    char address[ADDR_TEXT_MAX];

    if (scenario_name_index(&s->ifaces, text) >= 0)
        return resolve_on_iface(s, text, pointer, g);
    snprintf(address, sizeof address, "%.*s", (int)(length < sizeof address ? length : 0),
             text);
    if (!addr_parse(address, &g->addr)) {
        if (text[length] != '\0' || strpbrk(text, ".:") != NULL)
            return diag_error(
                s->reader.diag, pointer,
                "expected ADDR, IFACE, ADDR%%IFACE or ADDR@TABLE, got \"%s\"", text);
        return resolve_on_iface(s, text, pointer, g);
    }
    if (text[length] == '@')
        return resolve_in_table(s, text + length + 1, pointer, g);
    return text[length] == '\0' || resolve_on_iface(s, text + length + 1, pointer, g);
}

static bool judge_gateway(struct scenario_reading *s, const struct route_text *t,
                          const struct config_gateway *g, const char *pointer)
{
    struct diag *d = s->reader.diag;
    const unsigned family = t->route.dst.addr.family;

    if (!addr_is_set(&g->addr)) {
        if (t->route.check == CHECK_NONE)
            return true;
        return diag_error_member(d, t->route.pointer, "check_gateway",
                                 "an interface has no address to probe");
    }
    if (g->addr.family != family)
        return diag_error(d, pointer, "a gateway of %s for a destination of %s",
                          scenario_family_name(g->addr.family),
                          scenario_family_name(family));
    if (addr_is_unspecified(&g->addr) || addr_is_multicast(&g->addr) ||
        addr_is_loopback(&g->addr) || addr_is_broadcast(&g->addr))
        return diag_error(d, pointer, "no host can have this address");
    if (family == FAMILY_V6 && addr_is_link_local(&g->addr) && g->iface < 0)
        return diag_error(d, pointer,
                          "a link-local gateway needs its interface: ADDR%%IFACE");
    return true;
}

static void gateway_build(struct scenario_reading *s, const struct route_text *t,
                          size_t i, struct config_gateway *g)
{
    const char *text = t->gateways.items[i];
    char pointer[SCENARIO_POINTER_MAX];

    *g = (struct config_gateway){.iface = -1, .table = TABLE_MAIN, .weight = 1};
    if (t->weights.len > 0)
        g->weight = (uint16_t)t->weights.items[t->weights.is_array ? i : 0];
    route_gateway_pointer(t, i, pointer);
    if (resolve_gateway(s, text, pointer, g))
        judge_gateway(s, t, g, pointer);
}

static void route_build(struct scenario_reading *s, const struct route_text *t,
                        struct config_route *route)
{
    struct config_gateway *gateways =
        arena_alloc(s->reader.arena, t->gateways.len, sizeof *gateways);
    int table = scenario_name_find(s, &s->tables, t->table, t->route.pointer, "table");

    for (size_t i = 0; i < t->gateways.len; i++)
        gateway_build(s, t, i, &gateways[i]);
    *route = t->route;
    route->table = (uint16_t)(table < 0 ? 0 : table);
    route->gateways = gateways;
    route->gateways_len = t->gateways.len;
}

void scenario_routes_build(struct scenario_reading *s, struct route_text *const *texts,
                           size_t len, size_t len_of_file)
{
    struct config_route *routes = arena_alloc(s->reader.arena, len, sizeof *routes);

    for (size_t i = 0; i < len; i++) {
        if (!texts[i] || !texts[i]->ok)
            continue;
        route_build(s, texts[i], &routes[i]);
        if (i >= len_of_file)
            routes[i].disabled = true;
    }
    s->scenario->router.routes = routes;
    s->scenario->router.routes_len = s->routes_written = len;
}
