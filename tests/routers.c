#include "tests/routers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* --------------------------------------------------------------------------- statements */

unsigned lab_iface(const struct lab *l, const char *name)
{
    for (unsigned i = 0; i < l->config.ifaces_len; i++)
        if (strcmp(l->ifaces[i].name, name) == 0)
            return i;
    fail_msg("no interface is called '%s'", name);
    return 0;
}

static int find_iface(const struct lab *l, const char *name)
{
    for (size_t i = 0; i < l->config.ifaces_len; i++)
        if (strcmp(l->ifaces[i].name, name) == 0)
            return (int)i;
    return -1;
}

unsigned lab_table(const struct lab *l, const char *name)
{
    return words_name_index("table", l->tables, l->config.tables_len, name);
}

static uint16_t table_of(struct lab *l, const char *name)
{
    for (size_t i = 0; i < l->config.tables_len; i++)
        if (strcmp(l->tables[i], name) == 0)
            return (uint16_t)i;
    l->tables =
        mem_grow(l->tables, &l->tables_cap, l->config.tables_len + 1, sizeof *l->tables);
    l->tables[l->config.tables_len] = arena_strdup(l->arena, name);
    return (uint16_t)l->config.tables_len++;
}

static void read_iface(struct lab *l, struct words *w)
{
    struct prefix *addresses = arena_alloc(l->arena, WORDS_MAX, sizeof *addresses);
    struct config_iface c = {.name = arena_strdup(l->arena, words_next(w)),
                             .addresses = addresses};

    while (w->at < w->len) {
        if (words_take(w, "group"))
            c.group = words_next_number(w);
        else if (words_take(w, "disabled"))
            c.disabled = true;
        else
            addresses[c.addresses_len++] = interface_address(words_next(w));
    }
    l->ifaces =
        mem_grow(l->ifaces, &l->ifaces_cap, l->config.ifaces_len + 1, sizeof *l->ifaces);
    l->ifaces[l->config.ifaces_len++] = c;
}

/* ADDRESS, IFACE or ADDRESS%IFACE, then *WEIGHT, then @TABLE. */
static struct config_gateway read_gateway(struct lab *l, const char *text)
{
    struct config_gateway g = {.iface = -1, .table = TABLE_MAIN, .weight = 1};
    char buf[128], *mark;

    snprintf(buf, sizeof buf, "%s", text);
    if ((mark = strchr(buf, '@'))) {
        g.table = table_of(l, mark + 1);
        *mark = '\0';
    }
    if ((mark = strchr(buf, '*'))) {
        g.weight = (uint16_t)words_number(mark + 1);
        *mark = '\0';
    }
    if ((mark = strchr(buf, '%'))) {
        g.iface = (int)lab_iface(l, mark + 1);
        *mark = '\0';
    }
    if (g.iface < 0 && find_iface(l, buf) >= 0)
        g.iface = find_iface(l, buf);
    else
        g.addr = address(buf);
    return g;
}

static bool is_gateway(const struct lab *l, const char *word)
{
    char name[128];
    struct addr a;

    snprintf(name, sizeof name, "%s", word);
    name[strcspn(name, "%*@")] = '\0';
    return find_iface(l, name) >= 0 || addr_parse(name, &a);
}

static void read_gateways(struct lab *l, struct words *w, struct config_route *c)
{
    struct config_gateway *all = arena_alloc(l->arena, WORDS_MAX, sizeof *all);

    c->gateways = all;
    while (w->at < w->len && is_gateway(l, w->word[w->at]))
        all[c->gateways_len++] = read_gateway(l, words_next(w));
    if (!c->gateways_len)
        fail_msg("a gateway is missing");
}

static uint32_t default_distance(const struct lab *l, const struct prefix *dst)
{
    if (l->config.platform == PLATFORM_ROUTEROS7)
        return 1;
    return dst->addr.family == FAMILY_V6 ? 1024 : 0;
}

static void read_route(struct lab *l, struct words *w)
{
    struct config_route c = {
        .dst = network(words_next(w)), .scope = 30, .target_scope = 10};

    c.distance = default_distance(l, &c.dst);
    while (w->at < w->len) {
        if (words_take(w, "via"))
            read_gateways(l, w, &c);
        else if (words_take(w, "table"))
            c.table = table_of(l, words_next(w));
        else if (words_take(w, "distance"))
            c.distance = words_next_number(w);
        else if (words_take(w, "check"))
            c.check = (uint8_t)words_name_index("check", check_kind_names, CHECK_KINDS,
                                                words_next(w));
        else if (words_take(w, "scope"))
            c.scope = (uint8_t)words_next_number(w);
        else if (words_take(w, "target-scope"))
            c.target_scope = (uint8_t)words_next_number(w);
        else if (words_take(w, "tos"))
            c.tos = (uint8_t)words_next_number(w);
        else if (words_take(w, "disabled"))
            c.disabled = true;
        else
            c.type = (uint8_t)words_name_index("type of route", route_type_names,
                                               ROUTE_THROW + 1, words_next(w));
    }
    l->config.routes = mem_grow(l->config.routes, &l->routes_cap,
                                l->config.routes_len + 1, sizeof *l->config.routes);
    l->config.routes[l->config.routes_len++] = c;
}

static void read_mark(struct words *w, struct config_rule *c)
{
    char *text = strdup(words_next(w)), *slash = strchr(text, '/');

    c->mark_mask = UINT32_MAX;
    if (slash) {
        c->mark_mask = words_number(slash + 1);
        *slash = '\0';
    }
    c->mark = words_number(text);
    free(text);
}

static void read_in_iface(const struct lab *l, struct words *w, struct config_rule *c)
{
    if (words_take(w, "router"))
        c->from_router = true;
    else
        c->iface = (int)lab_iface(l, words_next(w));
}

/* One selector of a rule; false when the word is none. */
static bool read_selector(struct lab *l, struct words *w, struct config_rule *c)
{
    if (words_take(w, "family"))
        c->family = (uint8_t)words_next_number(w);
    else if (words_take(w, "not"))
        c->negated = true;
    else if (words_take(w, "from"))
        c->src = network(words_next(w));
    else if (words_take(w, "to"))
        c->dst = network(words_next(w));
    else if (words_take(w, "iif"))
        read_in_iface(l, w, c);
    else if (words_take(w, "oif"))
        c->out_iface = (int)lab_iface(l, words_next(w));
    else if (words_take(w, "mark"))
        read_mark(w, c);
    else if (words_take(w, "tos"))
        c->tos = (int)words_next_number(w);
    else if (words_take(w, "proto"))
        c->protocol = words_protocol(words_next(w));
    else if (words_take(w, "sport"))
        c->sport = words_range(words_next(w));
    else if (words_take(w, "dport"))
        c->dport = words_range(words_next(w));
    else
        return false;
    return true;
}

static void read_rule(struct lab *l, struct words *w)
{
    struct config_rule c = {.iface = -1,
                            .out_iface = -1,
                            .tos = -1,
                            .protocol = -1,
                            .min_prefix = -1,
                            .suppress_group = -1,
                            .priority = (uint32_t)l->config.rules_len + 1};

    c.action = (uint8_t)words_name_index("action", rule_action_names, RULE_NOP + 1,
                                         words_next(w));
    if (c.action == RULE_LOOKUP || c.action == RULE_LOOKUP_ONLY)
        c.table = table_of(l, words_next(w));
    while (w->at < w->len) {
        if (read_selector(l, w, &c))
            continue;
        if (words_take(w, "priority"))
            c.priority = words_next_number(w);
        else if (words_take(w, "min-prefix"))
            c.min_prefix = (int)words_next_number(w);
        else if (words_take(w, "suppress-group"))
            c.suppress_group = (int)words_next_number(w);
        else if (words_take(w, "goto"))
            c.goto_priority = words_next_number(w);
        else if (words_take(w, "disabled"))
            c.disabled = true;
        else
            fail_msg("rule: unknown word '%s'", words_next(w));
    }
    l->config.rules = mem_grow(l->config.rules, &l->rules_cap, l->config.rules_len + 1,
                               sizeof *l->config.rules);
    l->config.rules[l->config.rules_len++] = c;
}

static void read_public(const char *text, struct config_nat *c)
{
    char *first = strdup(text), *dash = strchr(first, '-');

    if (dash)
        *dash = '\0';
    c->to_first = address(first);
    c->to_last = dash ? address(dash + 1) : c->to_first;
    c->family = c->to_first.family;
    free(first);
}

static void read_nat(struct lab *l, struct words *w)
{
    static const char *const actions[] = {"masquerade", "src-nat", "accept"};
    struct config_nat c = {.family = FAMILY_V4, .out_iface = -1, .protocol = -1};

    c.action =
        (uint8_t)words_name_index("action", actions, ARRAY_LEN(actions), words_next(w));
    while (w->at < w->len) {
        if (words_take(w, "out"))
            c.out_iface = (int)lab_iface(l, words_next(w));
        else if (words_take(w, "family"))
            c.family = (uint8_t)words_next_number(w);
        else if (words_take(w, "from"))
            c.src = network(words_next(w));
        else if (words_take(w, "to"))
            c.dst = network(words_next(w));
        else if (words_take(w, "proto"))
            c.protocol = words_protocol(words_next(w));
        else if (words_take(w, "dport"))
            c.dport = words_range(words_next(w));
        else if (words_take(w, "public"))
            read_public(words_next(w), &c);
        else if (words_take(w, "ports"))
            c.to_ports = words_range(words_next(w));
        else if (words_take(w, "disabled"))
            c.disabled = true;
        else
            fail_msg("nat: unknown word '%s'", words_next(w));
    }
    l->config.nat = mem_grow(l->config.nat, &l->nat_cap, l->config.nat_len + 1,
                             sizeof *l->config.nat);
    l->config.nat[l->config.nat_len++] = c;
}

static void read_routing_mark(struct lab *l, struct words *w)
{
    const size_t i = l->config.marks_len++;

    l->marks = mem_grow(l->marks, &l->marks_cap, i + 1, sizeof *l->marks);
    l->mark_tables =
        mem_grow(l->mark_tables, &l->mark_tables_cap, i + 1, sizeof *l->mark_tables);
    l->marks[i] = arena_strdup(l->arena, words_next(w));
    l->mark_tables[i] = words_take(w, "-") ? -1 : table_of(l, words_next(w));
}

static void read_hash(struct lab *l, struct words *w)
{
    struct hash_config *h = &l->config.hash;

    h->v4.policy =
        (uint8_t)words_name_index("hash policy", hash_policy_names, 4, words_next(w));
    h->v6.policy = h->v4.policy;
    hash_set_seed(h, words_next_number(w));
    if (words_take(w, "ipv6"))
        h->v6.policy =
            (uint8_t)words_name_index("hash policy", hash_policy_names, 4, words_next(w));
}

static void read_policy(struct lab *l, struct words *w)
{
    struct config_policy *policy = arena_alloc(l->arena, 1, sizeof *policy);

    *policy = config_policy_defaults(arena_strdup(l->arena, words_next(w)));
    l->config.policies = policy;
}

static void read_statement(struct lab *l, struct words *w)
{
    static const char *const platforms[] = {"linux", "routeros7"};
    static const char *const trackings[] = {"auto", "on", "off"};

    if (words_take(w, "platform"))
        config_set_defaults(&l->config, (enum platform)words_name_index(
                                            "platform", platforms, 2, words_next(w)));
    else if (words_take(w, "seed"))
        l->config.seed = words_next_number(w);
    else if (words_take(w, "policy"))
        read_policy(l, w);
    else if (words_take(w, "hash"))
        read_hash(l, w);
    else if (words_take(w, "tracking"))
        l->config.tracking =
            (uint8_t)words_name_index("kind of tracking", trackings, 3, words_next(w));
    else if (words_take(w, "tcp-loose"))
        l->config.tcp_loose = !words_take(w, "no");
    else if (words_take(w, "ignore-linkdown"))
        l->config.ignore_routes_with_linkdown = true;
    else if (words_take(w, "no-main-rule"))
        l->config.no_main_rule = true;
    else if (words_take(w, "iface"))
        read_iface(l, w);
    else if (words_take(w, "mark"))
        read_routing_mark(l, w);
    else if (words_take(w, "route"))
        read_route(l, w);
    else if (words_take(w, "rule"))
        read_rule(l, w);
    else if (words_take(w, "nat"))
        read_nat(l, w);
    else
        fail_msg("unknown statement '%s'", words_next(w));
}

/* ---------------------------------------------------------------------- making, unmaking */

struct lab *lab_read(const char *text)
{
    struct lab *l = mem_alloc(1, sizeof *l);
    struct words w;

    l->arena = arena_create();
    config_set_defaults(&l->config, PLATFORM_LINUX);
    l->config.tables_len = 0;
    table_of(l, "main"); /* in the order of TABLE_MAIN and the others */
    table_of(l, "local");
    table_of(l, "default");
    for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        words_split(&w, line, (size_t)(end - line));
        if (!w.len)
            continue;
        if (line != text && strcmp(w.word[0], "platform") == 0)
            fail_msg("the platform stands first: it sets what others change");
        read_statement(l, &w);
        if (w.at < w.len)
            fail_msg("what is '%s'?", w.word[w.at]);
    }
    l->config.ifaces = l->ifaces;
    l->config.tables = l->tables;
    l->config.marks = l->marks;
    l->config.mark_tables = l->mark_tables;
    return l;
}

struct lab *lab_create(const char *text)
{
    struct lab *l = lab_read(text);

    l->router = router_create(&l->config);
    return l;
}

void lab_destroy(struct lab *l)
{
    router_destroy(l->router);
    mem_free(l->ifaces);
    mem_free(l->tables);
    mem_free(l->marks);
    mem_free(l->mark_tables);
    mem_free(l->config.routes);
    mem_free(l->config.rules);
    mem_free(l->config.nat);
    arena_destroy(l->arena);
    mem_free(l);
}
