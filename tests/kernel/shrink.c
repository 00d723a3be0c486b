#include "tests/kernel/shrink.h"

#include <string.h>

enum { RUNS_MAX = 1500 };

/* ------------------------------------------------------------------------- taking parts away */

static void remove_row(void *rows, size_t *len, size_t i, size_t size)
{
    char *row = (char *)rows + i * size;

    memmove(row, row + size, (*len - i - 1) * size);
    --*len;
}

static size_t steps_count(const struct trial *t)
{
    return t->steps_len;
}

static bool step_cut(struct trial *t, size_t i)
{
    remove_row(t->steps, &t->steps_len, i, sizeof t->steps[0]);
    return true;
}

static size_t rules_count(const struct trial *t)
{
    return t->config.rules_len;
}

static bool rule_cut(struct trial *t, size_t i)
{
    remove_row(t->rules, &t->config.rules_len, i, sizeof t->rules[0]);
    return true;
}

static size_t routes_count(const struct trial *t)
{
    return t->config.routes_len;
}

static bool route_cut(struct trial *t, size_t i)
{
    size_t len = t->config.routes_len;

    remove_row(t->gateways, &len, i, sizeof t->gateways[0]);
    remove_row(t->routes, &t->config.routes_len, i, sizeof t->routes[0]);
    return true;
}

static size_t gateways_count(const struct trial *t)
{
    return t->config.routes_len * TRIAL_GATEWAYS_MAX;
}

static bool gateway_cut(struct trial *t, size_t i)
{
    struct config_route *r = &t->routes[i / TRIAL_GATEWAYS_MAX];

    if (i % TRIAL_GATEWAYS_MAX >= r->gateways_len || r->gateways_len == 1)
        return false;
    remove_row(t->gateways[i / TRIAL_GATEWAYS_MAX], &r->gateways_len,
               i % TRIAL_GATEWAYS_MAX, sizeof t->gateways[0][0]);
    return true;
}

static size_t addresses_count(const struct trial *t)
{
    return t->config.ifaces_len * TRIAL_ADDRESSES_MAX;
}

static bool address_cut(struct trial *t, size_t i)
{
    struct config_iface *c = &t->ifaces[i / TRIAL_ADDRESSES_MAX];

    if (i % TRIAL_ADDRESSES_MAX >= c->addresses_len)
        return false;
    remove_row(t->addresses[i / TRIAL_ADDRESSES_MAX], &c->addresses_len,
               i % TRIAL_ADDRESSES_MAX, sizeof t->addresses[0][0]);
    return true;
}

static size_t ifaces_count(const struct trial *t)
{
    return t->config.ifaces_len;
}

/* Tell every place that names an interface: `visit` returns false to stop, and so does this. */
static bool ifaces_visit(struct trial *t, bool (*visit)(int *iface, int removed),
                         int removed)
{
    for (size_t i = 0; i < t->config.routes_len; i++)
        for (size_t k = 0; k < t->routes[i].gateways_len; k++)
            if (!visit(&t->gateways[i][k].iface, removed))
                return false;
    for (size_t i = 0; i < t->config.rules_len; i++)
        if (!visit(&t->rules[i].iface, removed) ||
            !visit(&t->rules[i].out_iface, removed))
            return false;
    for (size_t i = 0; i < t->steps_len; i++)
        if (!visit(&t->steps[i].iface, removed) ||
            !visit(&t->steps[i].out_iface, removed))
            return false;
    return true;
}

static bool iface_is_other(int *iface, int removed)
{
    return *iface != removed;
}

static bool iface_renumber(int *iface, int removed)
{
    *iface -= *iface > removed;
    return true;
}

static bool iface_cut(struct trial *t, size_t i)
{
    const char *last = t->ifaces[t->config.ifaces_len - 1].name;
    size_t len = t->config.ifaces_len;

    if (len == 1 || !ifaces_visit(t, iface_is_other, (int)i))
        return false;
    ifaces_visit(t, iface_renumber, (int)i);
    for (size_t k = len - 1; k > i; k--) { /* names stay where they are */
        const char *name = t->ifaces[k - 1].name;

        t->ifaces[k].name = k == len - 1 ? t->ifaces[k].name : last;
        last = name;
    }
    remove_row(t->addresses, &len, i, sizeof t->addresses[0]);
    remove_row(t->ifaces, &t->config.ifaces_len, i, sizeof t->ifaces[0]);
    return true;
}

/* -------------------------------------------------------------- making plain what stays */

/* Set `field` to `plain`; false when it is that already. */
#define MAKE_PLAIN(field, plain) ((field) == (plain) ? false : ((field) = (plain), true))

enum { RULE_FIELDS = 15 };

static size_t rule_fields_count(const struct trial *t)
{
    return t->config.rules_len * RULE_FIELDS;
}

static bool prefix_clear(struct prefix *p)
{
    const bool was_set = addr_is_set(&p->addr);

    memset(p, 0, sizeof *p);
    return was_set;
}

static bool range_clear(struct config_range *r)
{
    const bool was_set = r->last != 0;

    memset(r, 0, sizeof *r);
    return was_set;
}

static bool rule_field_cut(struct trial *t, size_t i)
{
    struct config_rule *r = &t->rules[i / RULE_FIELDS];

    switch (i % RULE_FIELDS) {
    case 0: return prefix_clear(&r->src);
    case 1: return prefix_clear(&r->dst);
    case 2: return MAKE_PLAIN(r->iface, -1);
    case 3: return MAKE_PLAIN(r->from_router, false);
    case 4: return MAKE_PLAIN(r->out_iface, -1);
    case 5: return MAKE_PLAIN(r->mark, 0) | MAKE_PLAIN(r->mark_mask, 0);
    case 6: return MAKE_PLAIN(r->tos, -1);
    case 7: return MAKE_PLAIN(r->protocol, -1);
    case 8: return range_clear(&r->sport);
    case 9: return range_clear(&r->dport);
    case 10: return MAKE_PLAIN(r->min_prefix, -1);
    case 11: return MAKE_PLAIN(r->suppress_group, -1);
    case 12: return MAKE_PLAIN(r->negated, false);
    case 13: return r->action == RULE_LOOKUP && MAKE_PLAIN(r->table, TABLE_MAIN);
    default: return MAKE_PLAIN(r->family, FAMILY_NONE);
    }
}

enum { ROUTE_FIELDS = 3 };

static size_t route_fields_count(const struct trial *t)
{
    return t->config.routes_len * ROUTE_FIELDS;
}

static bool route_field_cut(struct trial *t, size_t i)
{
    struct config_route *r = &t->routes[i / ROUTE_FIELDS];

    switch (i % ROUTE_FIELDS) {
    case 0: return MAKE_PLAIN(r->table, TABLE_MAIN);
    case 1: return MAKE_PLAIN(r->distance, r->dst.addr.family == FAMILY_V6 ? 1024 : 0);
    default: return MAKE_PLAIN(r->tos, 0);
    }
}

static bool weight_cut(struct trial *t, size_t i)
{
    const struct config_route *r = &t->routes[i / TRIAL_GATEWAYS_MAX];

    if (i % TRIAL_GATEWAYS_MAX >= r->gateways_len)
        return false;
    return MAKE_PLAIN(t->gateways[i / TRIAL_GATEWAYS_MAX][i % TRIAL_GATEWAYS_MAX].weight,
                      1);
}

enum { PACKET_FIELDS = 7 };

static size_t packet_fields_count(const struct trial *t)
{
    return t->steps_len * PACKET_FIELDS;
}

static bool packet_field_cut(struct trial *t, size_t i)
{
    struct trial_step *s = &t->steps[i / PACKET_FIELDS];
    struct packet *p = &s->packet;

    if (s->kind != STEP_LOOKUP)
        return false;
    switch (i % PACKET_FIELDS) {
    case 0: return MAKE_PLAIN(p->mark, 0);
    case 1: return MAKE_PLAIN(p->tos, 0);
    case 2: return MAKE_PLAIN(p->flow_label, 0);
    case 3: return MAKE_PLAIN(p->sport, 0);
    case 4: return MAKE_PLAIN(p->dport, 0);
    case 5: return MAKE_PLAIN(s->out_iface, -1);
    default:
        p->next_header = PROTO_UDP;
        return !p->sport && !p->dport && MAKE_PLAIN(p->protocol, PROTO_UDP);
    }
}

enum { ROUTER_FIELDS = 4 };

static size_t router_fields_count(const struct trial *t)
{
    return ROUTER_FIELDS + t->config.ifaces_len;
}

static bool router_field_cut(struct trial *t, size_t i)
{
    struct router_config *c = &t->config;

    switch (i) {
    case 0: return MAKE_PLAIN(c->hash.v4.policy, HASH_L3);
    case 1: return MAKE_PLAIN(c->hash.v6.policy, HASH_L3);
    case 2: return MAKE_PLAIN(c->ignore_routes_with_linkdown, false);
    case 3: return MAKE_PLAIN(c->no_main_rule, false);
    default: return MAKE_PLAIN(t->ifaces[i - ROUTER_FIELDS].group, 0);
    }
}

/* `cut` takes away the part number i; false when there is nothing to take. */
static const struct part {
    size_t (*count)(const struct trial *t);
    bool (*cut)(struct trial *t, size_t i);
} parts[] = {
    {steps_count, step_cut},
    {rules_count, rule_cut},
    {routes_count, route_cut},
    {gateways_count, gateway_cut},
    {addresses_count, address_cut},
    {ifaces_count, iface_cut},
    {rule_fields_count, rule_field_cut},
    {route_fields_count, route_field_cut},
    {gateways_count, weight_cut},
    {packet_fields_count, packet_field_cut},
    {router_fields_count, router_field_cut},
};

/* ------------------------------------------------------------------------------- shrinking */

struct shrinking {
    struct trial *best;
    struct trial_result result;
    unsigned runs;
};

/* Take the candidate for the best when it differs. Consumes it. */
static bool consider(struct shrinking *s, struct trial *candidate)
{
    struct trial_result result;

    trial_bind(candidate);
    result.outcome = TRIAL_REFUSED;
    if (trial_is_askable(candidate)) {
        trial_run(candidate, &result);
        s->runs++;
    }
    if (result.outcome != TRIAL_DIFFERS) {
        trial_destroy(candidate);
        return false;
    }
    trial_destroy(s->best);
    s->best = candidate;
    s->result = result;
    return true;
}

/* Of all look-ups only the one that differs, and of what happens only what comes before. */
static void keep_one_lookup(struct shrinking *s)
{
    struct trial *candidate = trial_copy(s->best);
    size_t kept = 0;

    for (size_t i = 0; i <= s->result.step; i++)
        if (candidate->steps[i].kind != STEP_LOOKUP || i == s->result.step)
            candidate->steps[kept++] = candidate->steps[i];
    candidate->steps_len = kept;
    consider(s, candidate);
}

/* Try to take `chunk` parts at once, again and again, the last first. True when some went. */
static bool take_away(struct shrinking *s, const struct part *part, size_t chunk)
{
    bool any = false;

    for (size_t i = part->count(s->best);
         i > 0 && s->runs<RUNS_MAX; i = i> chunk ? i - chunk : 0) {
        struct trial *candidate = trial_copy(s->best);
        bool cut = false;

        for (size_t k = i; k-- > (i > chunk ? i - chunk : 0);)
            cut = part->cut(candidate, k) || cut;
        if (!cut)
            trial_destroy(candidate);
        else if (consider(s, candidate))
            any = true;
    }
    return any;
}

/* All at once, then halves, and so on down to one by one. */
static bool take_away_halving(struct shrinking *s, const struct part *part)
{
    bool any = false;

    for (size_t chunk = part->count(s->best); chunk > 0; chunk /= 2)
        any = take_away(s, part, chunk) || any;
    return any;
}

struct trial *shrink_trial(const struct trial *t, struct trial_result *result)
{
    struct shrinking s = {.best = trial_copy(t), .result = *result};
    bool any = true;

    keep_one_lookup(&s);
    while (any && s.runs < RUNS_MAX) {
        any = false;
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            any = take_away_halving(&s, &parts[i]) || any;
    }
    *result = s.result;
    return s.best;
}
