#include "core/rule.h"

#include <string.h>

#include "core/memory.h"

/* One rule as the walk sees it: the configured one, or one of the router's own. */
struct rule {
    struct config_rule match;
    int id; /* enum rule_builtin or the index in the configuration */
};

struct ruleset {
    const struct router_config *config;
    struct rule *rules; /* by priority, then by order of insertion */
    size_t len, cap;
};

/* --------------------------------------------------------------------- making the list */

static const struct config_rule any_packet = {
    .iface = -1,
    .out_iface = -1,
    .tos = -1,
    .protocol = -1,
    .min_prefix = -1,
    .suppress_group = -1,
};

static bool rule_is_of_family(const struct config_rule *m, unsigned family)
{
    return (m->family == FAMILY_NONE || m->family == family) &&
           (!addr_is_set(&m->src.addr) || m->src.addr.family == family) &&
           (!addr_is_set(&m->dst.addr) || m->dst.addr.family == family);
}

static void rule_insert(struct ruleset *rs, const struct config_rule *match, int id)
{
    size_t at;

    rs->rules = mem_grow(rs->rules, &rs->cap, rs->len + 1, sizeof *rs->rules);
    for (at = rs->len; at > 0 && rs->rules[at - 1].match.priority > match->priority; at--)
        rs->rules[at] = rs->rules[at - 1];
    rs->rules[at] = (struct rule){.match = *match, .id = id};
    rs->len++;
}

static void builtin_insert(struct ruleset *rs, int id, unsigned table, uint32_t priority,
                           unsigned family)
{
    struct config_rule match = any_packet;

    match.table = (int)table;
    match.priority = priority;
    match.family = (uint8_t)family;
    rule_insert(rs, &match, id);
}

/*
 * Linux without the rule `main`: IPv6 does not notice before some other rule has been made.
 * Source: Linux fib6_rule_lookup(), fib6_has_custom_rules.
 */
static bool has_rules_for_v6(const struct router_config *c)
{
    for (size_t i = 0; i < c->rules_len; i++)
        if (rule_is_of_family(&c->rules[i], FAMILY_V6))
            return true;
    return false;
}

static void mark_rules_insert(struct ruleset *rs)
{
    const struct router_config *c = rs->config;

    for (size_t i = 0; i < c->marks_len; i++) {
        struct config_rule match = any_packet;

        if (c->mark_tables[i] < 0)
            continue;
        match.table = c->mark_tables[i];
        match.mark = (uint32_t)i + 1;
        match.mark_mask = UINT32_MAX;
        rule_insert(rs, &match, RULE_BUILTIN_MARK);
    }
}

struct ruleset *ruleset_create(const struct router_config *config)
{
    struct ruleset *rs = mem_alloc(1, sizeof *rs);
    const bool linux_list = config->platform == PLATFORM_LINUX;

    rs->config = config;
    if (!linux_list)
        mark_rules_insert(rs);
    builtin_insert(rs, RULE_BUILTIN_LOCAL, TABLE_LOCAL, 0, FAMILY_NONE);
    if (!config->no_main_rule) { /* there before the user's: first at its priority */
        builtin_insert(rs, RULE_BUILTIN_MAIN, TABLE_MAIN, linux_list ? 32766 : UINT32_MAX,
                       FAMILY_NONE);
        if (linux_list)
            builtin_insert(rs, RULE_BUILTIN_DEFAULT, TABLE_DEFAULT, 32767, FAMILY_V4);
    } else if (!has_rules_for_v6(config)) {
        builtin_insert(rs, RULE_BUILTIN_MAIN, TABLE_MAIN, 32766, FAMILY_V6);
    }
    for (size_t i = 0; i < config->rules_len; i++)
        rule_insert(rs, &config->rules[i], (int)i);
    return rs;
}

void ruleset_destroy(struct ruleset *rs)
{
    if (!rs)
        return;
    mem_free(rs->rules);
    mem_free(rs);
}

void ruleset_set_disabled(struct ruleset *rs, unsigned rule, bool disabled)
{
    for (size_t i = 0; i < rs->len; i++)
        if (rs->rules[i].id == (int)rule)
            rs->rules[i].match.disabled = disabled;
}

bool ruleset_has_port_rules(const struct ruleset *rs)
{
    for (size_t i = 0; i < rs->len; i++) {
        const struct config_rule *m = &rs->rules[i].match;

        if (!m->disabled && (m->protocol >= 0 || m->sport.last || m->dport.last))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------- matching */

static bool range_holds(const struct config_range *range, uint16_t port)
{
    return range->last == 0 || (port >= range->first && port <= range->last);
}

static bool tos_matches(const struct config_rule *m, const struct packet *p)
{
    uint8_t mask = p->dst.family == FAMILY_V4 ? 0x1c : 0xfc;

    return m->tos <= 0 || (p->tos & mask) == m->tos;
}

/* The name of the first selector that does not match, or NULL when all do. */
static const char *rule_mismatch(const struct config_rule *m, const struct route_query *q)
{
    const struct packet *p = q->packet;
    const bool ports = !(p->flags & PACKET_FRAGMENT);

    if (m->from_router && q->in_iface >= 0)
        return "interface";
    if (m->iface >= 0 && m->iface != q->in_iface)
        return "interface";
    if (m->out_iface >= 0 && m->out_iface != q->out_iface)
        return "out_interface";
    if (((p->mark ^ m->mark) & m->mark_mask) != 0)
        return "routing_mark";
    if (addr_is_set(&m->src.addr) && !prefix_contains(&m->src, &p->src))
        return "src_address";
    if (addr_is_set(&m->dst.addr) && !prefix_contains(&m->dst, &p->dst))
        return "dst_address";
    if (!tos_matches(m, p))
        return "tos";
    if (m->protocol >= 0 && m->protocol != p->protocol)
        return "protocol";
    if (!range_holds(&m->sport, ports ? p->sport : 0))
        return "src_port";
    if (!range_holds(&m->dport, ports ? p->dport : 0))
        return "dst_port";
    return NULL;
}

/* -------------------------------------------------------------------------- suppression */

uint32_t route_query_hash(struct route_query *q)
{
    if (!q->hashed) {
        q->hash = (q->by_fields ? hash_fields : hash_packet)(q->hash_config, q->packet);
        q->hashed = true;
    }
    return q->hash;
}

bool route_query_is_strict(const struct route_query *q)
{
    return q->out_iface >= 0 &&
           (q->packet->dst.family == FAMILY_V4 || addr_is_unspecified(&q->packet->src));
}

unsigned route_query_bound_member(const struct route_query *q,
                                  const struct nexthop_group *g, unsigned picked)
{
    if (!route_query_is_strict(q))
        return picked;
    if (picked != NEXTHOP_NONE && g->hops[picked].iface == q->out_iface)
        return picked;
    for (unsigned i = 0; i < g->len; i++)
        if (g->hops[i].up && g->hops[i].iface == q->out_iface)
            return i;
    return NEXTHOP_NONE;
}

/* IPv4 looks at the route's first device, IPv6 at the one that the hash chooses. */
static unsigned suppress_device(const struct fib_entry *e, struct route_query *q)
{
    unsigned member = 0;

    if (e->dst.addr.family == FAMILY_V6 && e->group->len > 1)
        member = route_query_bound_member(
            q, e->group, nexthop_group_pick(e->group, route_query_hash(q)));
    return e->group->hops[member == NEXTHOP_NONE ? 0 : member].iface;
}

static const char *rule_suppresses(const struct config_rule *m, const struct fib_entry *e,
                                   const struct iface_state *ifaces,
                                   struct route_query *q)
{
    if (m->min_prefix >= 0 && e->dst.length <= m->min_prefix)
        return "min_prefix";
    if (m->suppress_group >= 0 && e->type == ROUTE_UNICAST &&
        ifaces[suppress_device(e, q)].group == (uint32_t)m->suppress_group)
        return "suppress_group";
    return NULL;
}

/* ----------------------------------------------------------------------------- the walk */

static void tell(const struct trace *t, struct trace_step step)
{
    if (t)
        t->step(t->context, &step);
}

static enum route_outcome outcome_of_type(unsigned type)
{
    switch (type) {
    case ROUTE_BLACKHOLE: return OUTCOME_DROP;
    case ROUTE_UNREACHABLE: return OUTCOME_UNREACHABLE;
    case ROUTE_PROHIBIT: return OUTCOME_PROHIBIT;
    default: return OUTCOME_ROUTE;
    }
}

static int near_iface(const struct route_query *q)
{
    if (q->packet->dst.family == FAMILY_V4)
        return -1;
    return q->in_iface >= 0 ? q->in_iface : q->out_iface;
}

/* Look up in the rule's table. False: go on with the next rule. */
static bool rule_lookup(const struct rule *rule, const struct rib *rib,
                        const struct iface_state *ifaces, struct route_query *q,
                        const struct trace *trace, struct route_answer *answer)
{
    const struct config_rule *m = &rule->match;
    struct trace_step step = {.rule = rule->id, .table = (unsigned)m->table};
    const struct packet *p = q->packet;
    const struct fib_entry *e =
        rib_lookup_near(rib, (unsigned)m->table, &p->dst, p->tos & 0x1c,
                        route_query_is_strict(q) ? q->out_iface : -1, near_iface(q));

    answer->rule = rule->id;
    if (!e || e->type == ROUTE_THROW) {
        step.kind = TRACE_TABLE_MISS;
        tell(trace, step);
        answer->outcome = OUTCOME_ONLY_TABLE;
        return m->action == RULE_LOOKUP_ONLY;
    }
    step.kind = TRACE_ROUTE_FOUND;
    step.entry = e;
    tell(trace, step);
    answer->outcome = outcome_of_type(e->type);
    if (answer->outcome == OUTCOME_ROUTE) {
        step.text = rule_suppresses(m, e, ifaces, q);
        if (step.text) {
            step.kind = TRACE_SUPPRESSED;
            step.limit =
                step.text[0] == 'm' ? m->min_prefix : m->suppress_group; /* which of both */
            tell(trace, step);
            return false;
        }
    }
    step.kind = TRACE_KEPT;
    step.limit = m->min_prefix;
    tell(trace, step);
    answer->entry = e;
    return true;
}

static bool rule_act(const struct rule *rule, const struct rib *rib,
                     const struct iface_state *ifaces, struct route_query *q,
                     const struct trace *trace, struct route_answer *answer)
{
    switch ((enum rule_action)rule->match.action) {
    case RULE_LOOKUP:
    case RULE_LOOKUP_ONLY: return rule_lookup(rule, rib, ifaces, q, trace, answer);
    case RULE_DROP: answer->outcome = OUTCOME_DROP; break;
    case RULE_UNREACHABLE: answer->outcome = OUTCOME_UNREACHABLE; break;
    case RULE_PROHIBIT: answer->outcome = OUTCOME_PROHIBIT; break;
    case RULE_GOTO:
    case RULE_NOP: return false;
    }
    answer->rule = rule->id;
    tell(trace, (struct trace_step){.kind = TRACE_RULE_ENDS,
                                    .rule = rule->id,
                                    .text = rule_action_names[rule->match.action]});
    return true;
}

/* Where a goto leads: forward, to the first rule of exactly its priority; else to the next. */
static size_t goto_target(const struct ruleset *rs, size_t from, unsigned family)
{
    for (size_t i = from + 1; i < rs->len; i++) {
        const struct config_rule *m = &rs->rules[i].match;

        if (m->priority == rs->rules[from].match.goto_priority && !m->disabled &&
            rule_is_of_family(m, family))
            return i;
    }
    return from + 1;
}

void ruleset_lookup(const struct ruleset *rs, const struct rib *rib,
                    const struct iface_state *ifaces, struct route_query *q,
                    const struct trace *trace, struct route_answer *answer)
{
    size_t next;

    *answer = (struct route_answer){OUTCOME_NO_ROUTE, RULE_NONE, NULL};
    for (size_t i = 0; i < rs->len; i = next) {
        const struct rule *rule = &rs->rules[i];
        const struct config_rule *m = &rule->match;
        const char *mismatch;

        next = i + 1;
        if (m->disabled || !rule_is_of_family(m, q->packet->dst.family))
            continue;
        mismatch = rule_mismatch(m, q);
        if ((mismatch != NULL) != m->negated) {
            tell(trace, (struct trace_step){.kind = TRACE_RULE_SKIPPED,
                                            .rule = rule->id,
                                            .text = mismatch ? mismatch : "not"});
            continue;
        }
        tell(trace, (struct trace_step){.kind = TRACE_RULE_MATCHED,
                                        .rule = rule->id,
                                        .table = (unsigned)m->table});
        if (rule_act(rule, rib, ifaces, q, trace, answer))
            return;
        if (m->action == RULE_GOTO)
            next = goto_target(rs, i, q->packet->dst.family);
    }
    tell(trace, (struct trace_step){.kind = TRACE_NO_ROUTE, .rule = RULE_NONE});
    *answer = (struct route_answer){OUTCOME_NO_ROUTE, RULE_NONE, NULL};
}
