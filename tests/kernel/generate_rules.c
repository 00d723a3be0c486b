#include "tests/kernel/generate_parts.h"

static const struct prefix *random_prefix(struct generator *g, enum family family,
                                          bool source)
{
    if (source)
        return &(family == FAMILY_V4 ? g->pool.sources_v4
                                     : g->pool.sources_v6)[below(g, 4)];
    return &(family == FAMILY_V4 ? g->pool.v4 : g->pool.v6)[below(g, POOL_PREFIXES)];
}

static struct config_range random_range(struct generator *g)
{
    static const struct config_range ranges[] = {
        {53, 53}, {443, 443}, {1000, 2000}, {1, 1023}, {1024, 65534}, {1, 65534},
    };

    return ranges[below(g, COUNT(ranges))];
}

static void add_selectors(struct generator *g, struct config_rule *r)
{
    static const uint8_t protocols[] = {1, 6, 6, 17, 17, 58, 47};
    static const uint32_t masks[] = {UINT32_MAX, UINT32_MAX, 0xff, 0xf0, 1};
    const unsigned ifaces = (unsigned)g->trial->config.ifaces_len;

    if (r->family != FAMILY_NONE && chance(g, 30))
        r->src = *random_prefix(g, (enum family)r->family, true);
    if (r->family != FAMILY_NONE && chance(g, 30))
        r->dst = *random_prefix(g, (enum family)r->family, false);
    if (chance(g, 12))
        r->iface = (int)below(g, ifaces);
    else if (chance(g, 8))
        r->from_router = true;
    if (chance(g, 8))
        r->out_iface = (int)below(g, ifaces);
    if (chance(g, 12)) {
        r->mark_mask = masks[below(g, COUNT(masks))];
        r->mark = below(g, 4) & r->mark_mask;
    }
    if (chance(g, 8))
        r->tos = 4 * (int)(1 + below(g, r->family == FAMILY_V6 ? 63 : 7));
    if (chance(g, 12))
        r->protocol = protocols[below(g, COUNT(protocols))];
    if (chance(g, 8))
        r->sport = random_range(g);
    if (chance(g, 10))
        r->dport = random_range(g);
    r->negated = chance(g, 10);
}

static void add_action(struct generator *g, struct config_rule *r)
{
    static const uint8_t ends[] = {RULE_DROP, RULE_UNREACHABLE, RULE_PROHIBIT};
    const int longest = r->family == FAMILY_V6 ? 128 : 32;

    if (chance(g, 12)) {
        r->action = RULE_GOTO;
        r->goto_priority = r->priority + 1 + below(g, 12); /* perhaps nobody's */
        return;
    }
    if (chance(g, 15)) {
        r->action = chance(g, 30) ? RULE_NOP : ends[below(g, COUNT(ends))];
        return;
    }
    r->action = RULE_LOOKUP;
    r->table = (int)below(g, TRIAL_TABLES_MAX);
    if (chance(g, 35))
        r->min_prefix = chance(g, 40) ? 0 : (int)below(g, (unsigned)longest + 1);
    if (chance(g, 12))
        r->suppress_group = (int)below(g, 4);
}

/* Might the kernel take the second for the first? It does not look at every selector. */
static bool rules_clash(const struct config_rule *a, const struct config_rule *b)
{
    return (!a->family || !b->family || a->family == b->family) &&
           a->priority == b->priority && a->action == b->action && a->table == b->table;
}

static uint32_t random_priority(struct generator *g)
{
    static const uint32_t rare[] = {0, 32765, 32766, 32767, 40000};

    return chance(g, 12) ? rare[below(g, COUNT(rare))] : 1 + below(g, 30);
}

static void generate_rule(struct generator *g)
{
    static const uint8_t families[] = {FAMILY_V4, FAMILY_V4, FAMILY_V6, FAMILY_V6,
                                       FAMILY_NONE};
    struct trial *t = g->trial;
    struct config_rule *r = trial_add_rule(t);

    r->family = families[below(g, COUNT(families))];
    r->priority = random_priority(g);
    add_selectors(g, r);
    add_action(g, r);
    for (const struct config_rule *other = t->rules; other < r; other++)
        if (rules_clash(other, r)) {
            t->config.rules_len--;
            return;
        }
}

void generate_rules(struct generator *g)
{
    const unsigned n = chance(g, 10) ? 0 : 1 + below(g, TRIAL_RULES_MAX);

    for (unsigned i = 0; i < n; i++)
        generate_rule(g);
}
