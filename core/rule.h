/*
 * rule - the ordered list of routing rules, and the walk along it
 *
 *     rule ─ matches? ─ no ──▶ next rule
 *            │ yes
 *          action: drop, unreachable, prohibit ──▶ the end
 *            │ look up in its table
 *          nothing found, or throw ──▶ next rule (lookup-only-in-table: unreachable)
 *            │ found a route
 *          special type ──▶ the end: suppression does not apply to it
 *            │ unicast
 *          prefix length <= min_prefix, or its device in suppress_group ──▶ next rule
 *            │
 *          the answer
 *
 * Suppression leaves the whole table: no shorter prefix of it is tried.
 * What the router adds to the user's list: Linux `local` at priority 0, `main` at 32766, and
 * for IPv4 `default` at 32767; RouterOS the tables of routing marks and `local` in front,
 * `main` at the end.
 *
 * Sources: Linux fib_rules_lookup(), fib4_rule_suppress(), fib6_rule_suppress(),
 * fib4_rule_match(); RouterOS manual, "Routing Decision" and "Policy Routing".
 */
#ifndef ECMPLAB_RULE_H
#define ECMPLAB_RULE_H

#include "core/packet.h"
#include "core/rib.h"
#include "core/trace.h"

/* Rules that the router has without being told; the user's count from 0. */
enum rule_builtin {
    RULE_BUILTIN_LOCAL = -1,
    RULE_BUILTIN_MAIN = -2,
    RULE_BUILTIN_DEFAULT = -3,
    RULE_BUILTIN_MARK = -4, /* RouterOS: the table named like the routing mark */
    RULE_NONE = -5,         /* no rule decided */
};

enum route_outcome {
    OUTCOME_ROUTE,       /* `entry` is the answer: unicast, local or broadcast */
    OUTCOME_NO_ROUTE,    /* no rule had an answer */
    OUTCOME_ONLY_TABLE,  /* a lookup-only-in-table rule found nothing */
    OUTCOME_DROP,        /* a rule, or a blackhole route */
    OUTCOME_UNREACHABLE, /* a rule, or an unreachable route */
    OUTCOME_PROHIBIT,    /* a rule, or a prohibit route */
};

struct route_query {
    const struct packet *packet; /* as routing sees it: after the translation of replies */
    int in_iface;                /* -1: sent by the router itself */
    int out_iface;               /* -1; else the look-up is bound to it */
    bool by_fields; /* there is no packet yet: hash_fields() */
    const struct hash_config *hash_config;
    uint32_t hash; /* computed when first needed */
    bool hashed;
    bool begins;   /* a connection: none is known yet */
    uint16_t *pin; /* see policy.h; NULL: nothing is remembered */
};

struct route_answer {
    enum route_outcome outcome;
    int rule;                      /* index into router_config.rules or enum rule_builtin */
    const struct fib_entry *entry; /* NULL when a rule or the list's end decided */
};

struct ruleset;

/* `config` is borrowed for the ruleset's life. */
struct ruleset *ruleset_create(const struct router_config *config);
void ruleset_destroy(struct ruleset *rs);

/* A rule of the configuration comes or goes. */
void ruleset_set_disabled(struct ruleset *rs, unsigned rule, bool disabled);

/* Walk the list. `trace` may be NULL. */
void ruleset_lookup(const struct ruleset *rs, const struct rib *rib,
                    const struct iface_state *ifaces, struct route_query *q,
                    const struct trace *trace, struct route_answer *answer);

uint32_t route_query_hash(struct route_query *q);

/*
 * A look-up bound to an interface takes routes and next hops on it alone. IPv6 does so only
 * for a packet without a source; with one, all that a bound look-up does is to match `oif`
 * rules. Source: Linux ip6_route_output_flags(), fib6_select_path().
 */
bool route_query_is_strict(const struct route_query *q);

/* The member that a look-up takes for the one that the hash picked: the first living one on
 * its interface, when it is bound to that and the picked one is elsewhere. */
unsigned route_query_bound_member(const struct route_query *q, const struct nexthop_group *g,
                                  unsigned picked);

/* Does some enabled rule select by protocol or port (see hash_config.port_rules)? */
bool ruleset_has_port_rules(const struct ruleset *rs);

#endif
