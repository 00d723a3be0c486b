/*
 * Keys that only one platform has. On the other they would be read and ignored, so they
 * are errors there. The walk is over the JSON itself: a key counts even with a wrong value.
 *
 * Sources: RouterOS manual, /routing/rule, /ip/route; ip-rule(8), ip-route(8).
 */
#include <string.h>

#include "sim/input/scenario_parts.h"

enum part { PART_ROUTER, PART_HASH, PART_INTERFACE, PART_ROUTE, PART_RULE };

/* clang-format off */
static const struct platform_key {
    enum part part;
    const char *key;
    enum platform only;
    const char *instead; /* why the other platform has it not, or what it has instead */
} platform_keys[] = {
    {PART_ROUTER, "ignore_routes_with_linkdown", PLATFORM_LINUX, "RouterOS always does so"},
    {PART_ROUTER, "rules_without_main", PLATFORM_LINUX, "RouterOS keeps its last rule, main"},
    {PART_HASH, "ipv4_fields", PLATFORM_LINUX, "RouterOS has no custom hash policy"},
    {PART_HASH, "ipv6_fields", PLATFORM_LINUX, "RouterOS has no custom hash policy"},
    {PART_INTERFACE, "group", PLATFORM_LINUX, "RouterOS has no device groups"},
    {PART_ROUTE, "weight", PLATFORM_LINUX, "RouterOS 7 next hops have equal weights"},
    {PART_ROUTE, "tos", PLATFORM_LINUX, "RouterOS routes match no TOS"},
    {PART_ROUTE, "scope", PLATFORM_ROUTEROS7, "a Linux gateway must be on link"},
    {PART_ROUTE, "target_scope", PLATFORM_ROUTEROS7, "a Linux gateway must be on link"},
    {PART_RULE, "priority", PLATFORM_LINUX, "RouterOS rules apply in the order of the list"},
    {PART_RULE, "fwmark", PLATFORM_LINUX, "RouterOS has routing_mark"},
    {PART_RULE, "protocol", PLATFORM_LINUX, "RouterOS rules match no protocol"},
    {PART_RULE, "src_port", PLATFORM_LINUX, "RouterOS rules have no ports"},
    {PART_RULE, "dst_port", PLATFORM_LINUX, "RouterOS rules have no ports"},
    {PART_RULE, "not", PLATFORM_LINUX, "RouterOS rules cannot be inverted"},
    {PART_RULE, "out_interface", PLATFORM_LINUX, "RouterOS rules match no outgoing interface"},
    {PART_RULE, "from_router", PLATFORM_LINUX, "RouterOS rules cannot ask for it"},
    {PART_RULE, "tos", PLATFORM_LINUX, "RouterOS rules match no TOS"},
    {PART_RULE, "goto", PLATFORM_LINUX, "RouterOS rules cannot jump"},
    {PART_RULE, "suppress_ifgroup", PLATFORM_LINUX, "RouterOS has no device groups"},
    {PART_RULE, "family", PLATFORM_LINUX, "RouterOS rules apply to both families"},
    {PART_RULE, "routing_mark", PLATFORM_ROUTEROS7, "Linux has fwmark"},
};
/* clang-format on */

static void check_keys(struct scenario_reading *s, enum part part, const json_t *object,
                       const char *pointer)
{
    for (size_t i = 0; i < sizeof platform_keys / sizeof platform_keys[0]; i++) {
        const struct platform_key *k = &platform_keys[i];
        char at[SCENARIO_POINTER_MAX];

        if (k->part != part || (int)k->only == s->platform ||
            !json_object_get(object, k->key))
            continue;
        snprintf(at, sizeof at, "%s/%s", pointer, k->key);
        diag_error_key(s->reader.diag, at, "only for platform '%s': %s",
                       k->only == PLATFORM_LINUX ? "linux" : "routeros7", k->instead);
    }
}

static void check_list(struct scenario_reading *s, enum part part, const json_t *list,
                       const char *pointer)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char at[SCENARIO_POINTER_MAX];

        snprintf(at, sizeof at, "%s/%zu", pointer, i);
        check_keys(s, part, json_array_get(list, i), at);
    }
}

static void check_events(struct scenario_reading *s, const json_t *events)
{
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        char at[SCENARIO_POINTER_MAX];

        snprintf(at, sizeof at, "/events/%zu/route", i);
        check_keys(s, PART_ROUTE, json_object_get(event, "route"), at);
        snprintf(at, sizeof at, "/events/%zu/rule", i);
        check_keys(s, PART_RULE, json_object_get(event, "rule"), at);
    }
}

void scenario_platform_check(struct scenario_reading *s, const json_t *root)
{
    const json_t *router = json_object_get(root, "router");

    if (s->platform < 0)
        return;
    check_keys(s, PART_ROUTER, router, "/router");
    check_keys(s, PART_HASH, json_object_get(router, "hash"), "/router/hash");
    check_list(s, PART_INTERFACE, json_object_get(router, "interfaces"),
               "/router/interfaces");
    check_list(s, PART_ROUTE, json_object_get(router, "routes"), "/router/routes");
    check_list(s, PART_RULE, json_object_get(router, "rules"), "/router/rules");
    check_events(s, json_object_get(root, "events"));
}
