#include "core/router_parts.h"

/*
 * Local IPv4 traffic prefers a next hop whose device owns the flow's source: that scores 2,
 * hash <= bound scores 1; the best score wins, the first on ties.
 * Source: Linux fib_select_multipath().
 */
static unsigned pick_by_source(const struct router *r, const struct nexthop_group *g,
                               const struct addr *src, uint32_t hash)
{
    unsigned best = NEXTHOP_NONE, best_score = 0;

    for (unsigned i = 0; i < g->len; i++) {
        const struct nexthop *h = &g->hops[i];
        struct addr own;
        unsigned score = 0;

        if (h->upper_bound < 0)
            continue;
        if (iface_select_address(&r->ifaces[h->iface], FAMILY_V4, &h->gateway, &own) &&
            addr_equal(&own, src))
            score += 2;
        score += hash <= (uint32_t)h->upper_bound;
        if (best == NEXTHOP_NONE || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

unsigned routing_ask_policy(struct router *r, struct route_query *q,
                            const struct fib_entry *e)
{
    uint16_t forgotten = 0;
    const struct policy_query query = {.packet = q->packet,
                                       .hash = e->group->len > 1 ? route_query_hash(q) : 0,
                                       .now_ns = r->now_ns,
                                       .in_iface = q->in_iface,
                                       .begins = q->begins || !q->pin,
                                       .pin = q->pin ? q->pin : &forgotten};

    return choosers_pick(r->choosers, e, &query);
}

static unsigned choose_member(struct router *r, struct route_query *q,
                              const struct fib_entry *e)
{
    const struct nexthop_group *g = e->group;
    const bool v4 = e->dst.addr.family == FAMILY_V4;
    struct trace_step step = {.kind = TRACE_MEMBER, .entry = e, .rule = RULE_NONE};
    uint8_t block[HASH_BLOCK_MAX];

    if (v4 && q->out_iface >= 0)
        return route_query_bound_member(q, g, NEXTHOP_NONE);
    if (g->len == 1) {
        if (choosers_ask(r->choosers, e))
            routing_ask_policy(r, q, e);
        router_tell(r, step);
        return 0;
    }
    step.hash = route_query_hash(q);
    if (r->trace) {
        const struct hash_family *f = v4 ? &r->hash.v4 : &r->hash.v6;

        step.kind = TRACE_HASH;
        step.text = hash_policy_names[f->policy];
        step.block = block;
        step.block_len = (q->by_fields ? hash_fields_block : hash_packet_block)(
            &r->hash, q->packet, block);
        router_tell(r, step);
        step.kind = TRACE_MEMBER;
    }
    if (e->seat != RIB_NO_SEAT)
        step.member = route_query_bound_member(q, g, routing_ask_policy(r, q, e));
    else if (v4 && q->in_iface < 0 && r->config->platform == PLATFORM_LINUX &&
             !r->config->policies[e->policy].objects)
        step.member = pick_by_source(r, g, &q->packet->src, step.hash);
    else
        step.member = route_query_bound_member(q, g, nexthop_group_pick(g, step.hash));
    router_tell(r, step);
    return step.member;
}

void router_route(struct router *r, struct route_query *q, struct route_answer *answer,
                  unsigned *member)
{
    const bool bound_v4 = q->out_iface >= 0 && q->packet->dst.family == FAMILY_V4 &&
                          r->config->platform == PLATFORM_LINUX;

    q->hash_config = &r->hash;
    *member = NEXTHOP_NONE;
    *answer = (struct route_answer){OUTCOME_NO_ROUTE, RULE_NONE, NULL};
    if (bound_v4 && !r->ifaces[q->out_iface].admin_up)
        return;
    ruleset_lookup(r->rules, r->rib, r->ifaces, q, r->trace, answer);
    if (bound_v4 && answer->outcome != OUTCOME_ROUTE)
        *answer = (struct route_answer){OUTCOME_ROUTE, RULE_NONE, NULL};
    if (answer->outcome == OUTCOME_ROUTE && answer->entry && answer->entry->group)
        *member = choose_member(r, q, answer->entry);
}

/* --------------------------------------------------------------- what is never forwarded */

/* Is this an address of the router's own, or a broadcast one? */
static bool is_own_address(const struct router *r, const struct addr *a)
{
    return rib_lookup(r->rib, TABLE_LOCAL, a, 0, -1) != NULL;
}

/* Source: Linux ip_route_input_slow(), ip_route_input_mc(), ip6_forward(), ipv6_rcv(). */
enum reason routing_special_address(const struct router *r, const struct packet *p,
                                    int in_iface)
{
    if (addr_is_multicast(&p->dst))
        return REASON_MULTICAST;
    if (addr_is_broadcast(&p->dst))
        return REASON_BROADCAST;
    if (in_iface < 0)
        return REASON_NONE;
    if (addr_is_multicast(&p->src) || addr_is_broadcast(&p->src) ||
        addr_is_loopback(&p->src) || addr_is_loopback(&p->dst) ||
        addr_is_unspecified(&p->src) || addr_is_unspecified(&p->dst))
        return REASON_MARTIAN;
    if (p->src.family == FAMILY_V6 &&
        (addr_is_link_local(&p->src) || addr_is_link_local(&p->dst)))
        return REASON_LINK_LOCAL;
    if (is_own_address(r, &p->src))
        return REASON_MARTIAN;
    return REASON_NONE;
}
