#include "core/router_parts.h"

#include <string.h>

#include "core/memory.h"

const char *const verdict_names[] = {
    "forward", "local", "held", "drop", "unreachable", "prohibit",
};

const char *const reason_names[] = {
    [REASON_NONE] = "",
    [REASON_NO_ROUTE] = "no-route",
    [REASON_ONLY_TABLE] = "only-in-table",
    [REASON_RULE] = "rule",
    [REASON_BLACKHOLE_ROUTE] = "blackhole-route",
    [REASON_UNREACHABLE_ROUTE] = "unreachable-route",
    [REASON_PROHIBIT_ROUTE] = "prohibit-route",
    [REASON_TTL] = "ttl",
    [REASON_MARTIAN] = "martian-source",
    [REASON_MULTICAST] = "multicast",
    [REASON_BROADCAST] = "broadcast",
    [REASON_LINK_LOCAL] = "link-local",
    [REASON_NAT_MOVED] = "nat-moved",
    [REASON_NAT_NO_ADDRESS] = "nat-no-address",
    [REASON_NAT_CLASH] = "nat-clash",
    [REASON_NO_CONNECTION] = "no-connection",
    [REASON_FRAGMENT_HELD] = "fragment-held",
    [REASON_FRAGMENT_REJECTED] = "fragment-rejected",
    [REASON_FRAGMENT_TIMEOUT] = "fragment-timeout",
    [REASON_INVALID] = "invalid",
    [REASON_LINK_DOWN] = "link-down",
    [REASON_GATEWAY_DOWN] = "gateway-down",
    [REASON_BLACKHOLED] = "blackholed",
    [REASON_NOT_IP] = "not-ip",
    [REASON_MALFORMED] = "malformed",
    [REASON_TRUNCATED] = "truncated",
    [REASON_SAME_SEGMENT] = "same-segment",
    [REASON_FOREIGN] = "foreign",
    [REASON_UNSOLICITED] = "unsolicited",
    [REASON_QUEUE_FULL] = "queue-full",
    [REASON_LINK_LOSS] = "link-loss",
    [REASON_ROUTER_DOWN] = "router-down",
};

const char *const verdict_abouts[VERDICTS] = {
    [VERDICT_FORWARD] = "it leaves by an interface",
    [VERDICT_LOCAL] = "it is for the router itself",
    [VERDICT_HELD] = "a fragment that waits for the others",
    [VERDICT_DROP] = "it is lost, and nobody is told",
    [VERDICT_UNREACHABLE] = "it is lost, and the sender is told: unreachable",
    [VERDICT_PROHIBIT] = "it is lost, and the sender is told: prohibited",
};

const char *const reason_abouts[REASONS] = {
    [REASON_NONE] = "",
    [REASON_NO_ROUTE] = "no rule led to a route",
    [REASON_ONLY_TABLE] = "lookup-only-in-table found no route there",
    [REASON_RULE] = "a rule drops it",
    [REASON_BLACKHOLE_ROUTE] = "a blackhole route",
    [REASON_UNREACHABLE_ROUTE] = "an unreachable route",
    [REASON_PROHIBIT_ROUTE] = "a prohibit route",
    [REASON_TTL] = "its hops are used up",
    [REASON_MARTIAN] = "its source is none that can be",
    [REASON_MULTICAST] = "multicast is not routed",
    [REASON_BROADCAST] = "broadcasts are not routed",
    [REASON_LINK_LOCAL] = "link-local addresses are not routed",
    [REASON_NAT_MOVED] = "masquerade: its way changed, so it and its entry are lost",
    [REASON_NAT_NO_ADDRESS] = "masquerade: no interface has an address",
    [REASON_NAT_CLASH] = "no free port to translate to",
    [REASON_NO_CONNECTION] = "to the router's public address, for no connection it knows",
    [REASON_FRAGMENT_HELD] = "a fragment that waits for the others",
    [REASON_FRAGMENT_REJECTED] = "a fragment that fits to no datagram",
    [REASON_FRAGMENT_TIMEOUT] = "the other fragments never came",
    [REASON_INVALID] = "forwarded untranslated: it belongs to no connection",
    [REASON_LINK_DOWN] = "the WAN's link was down",
    [REASON_GATEWAY_DOWN] = "the WAN's gateway was down",
    [REASON_BLACKHOLED] = "nothing behind the gateway answered",
    [REASON_NOT_IP] = "ARP and the like",
    [REASON_MALFORMED] = "its headers contradict each other",
    [REASON_TRUNCATED] = "the capture holds too little of it",
    [REASON_SAME_SEGMENT] = "between two hosts of one network: no router sees it",
    [REASON_FOREIGN] = "neither end is in the LAN",
    [REASON_UNSOLICITED] = "from outside, and nothing asked for it",
    [REASON_QUEUE_FULL] = "no room in the queue of the WAN's link",
    [REASON_LINK_LOSS] = "lost by chance on the WAN's link",
    [REASON_ROUTER_DOWN] = "the router restarts",
};

/* ------------------------------------------------------------------------------- making */

/* Chance of the router's own, different at each of its starts. */
static struct random_stream draws_of_start(const struct router *r, uint64_t purpose)
{
    return random_stream_make(r->config->seed, purpose + ((uint64_t)r->starts << 48));
}

static void checks_start(struct router *r, int64_t now_ns)
{
    struct random_stream phases = draws_of_start(r, 0x636865636b);

    for (size_t i = 0; i < rib_checks_len(r->rib); i++) {
        const struct config_check *c = &r->config->checks[rib_check_get(r->rib, i).kind];

        check_start(&r->checks[i],
                    now_ns + (int64_t)random_below(&phases, (uint64_t)c->interval_ns));
    }
}

static bool has_nat_rules(const struct router_config *c)
{
    for (size_t i = 0; i < c->nat_len; i++)
        if (!c->nat[i].disabled)
            return true;
    return false;
}

struct router *router_create(const struct router_config *config)
{
    struct router *r = mem_alloc(1, sizeof *r);

    r->config = config;
    r->ifaces = mem_alloc(config->ifaces_len, sizeof *r->ifaces);
    for (size_t i = 0; i < config->ifaces_len; i++)
        iface_init(&r->ifaces[i], &config->ifaces[i]);
    r->rib = rib_create(config, r->ifaces);
    r->rules = ruleset_create(config);
    r->conns = conn_table_create(config->secret);
    r->reassembly = reassembly_create();
    r->choosers = choosers_create(config, r->rib);
    choosers_follow(r->choosers, 0);
    r->hash = config->hash;
    r->hash.port_rules = ruleset_has_port_rules(r->rules);
    r->tracking = config->tracking == TRACKING_ON ||
                  (config->tracking == TRACKING_AUTO && has_nat_rules(config));
    tcp_timeouts_init(&r->tcp_timeouts, &config->timeouts);
    nat_init(&r->nat, config, r->ifaces, r->conns);
    r->checks = mem_alloc(rib_checks_len(r->rib), sizeof *r->checks);
    checks_start(r, 0);
    r->epoch = 1;
    return r;
}

void router_destroy(struct router *r)
{
    if (!r)
        return;
    choosers_destroy(r->choosers);
    rib_destroy(r->rib);
    ruleset_destroy(r->rules);
    conn_table_destroy(r->conns);
    reassembly_destroy(r->reassembly);
    for (size_t i = 0; i < r->config->ifaces_len; i++)
        iface_free(&r->ifaces[i]);
    mem_free(r->ifaces);
    mem_free(r->checks);
    mem_free(r);
}

void router_set_trace(struct router *r, const struct trace *trace)
{
    r->trace = trace;
}

void router_set_conn_sink(struct router *r, const struct router_conn_sink *sink)
{
    r->sink = *sink;
}

void router_hold(struct conn *c, int64_t until_ns)
{
    if (c->expires_ns < until_ns)
        c->expires_ns = until_ns;
}

void router_release(struct conn *c, int64_t expires_ns)
{
    c->expires_ns = expires_ns;
}

void router_carried(const struct router *r, struct conn *c, int64_t last_ns)
{
    conn_prolong(r, c, last_ns);
}

void router_forget(struct router *r, uint32_t conn)
{
    if (conn_is_used(r->conns, conn))
        conn_remove(r->conns, conn_at(r->conns, conn));
}

/* ------------------------------------------------------------------ what happens to it */

static void changed(struct router *r)
{
    r->epoch++;
    choosers_follow(r->choosers, r->now_ns);
}

void router_set_time(struct router *r, int64_t now_ns)
{
    if (now_ns > r->now_ns)
        r->now_ns = now_ns;
}

/* Kill the connections masqueraded behind the interface; `address` set: only those with it. */
static void flush_masquerade(struct router *r, unsigned iface, const struct addr *address)
{
    for (uint32_t i = 0; i < conn_slots(r->conns); i++) {
        struct conn *c = conn_at(r->conns, i);

        if (!conn_is_used(r->conns, i) || (c->flags & CONN_KILLED) || c->masq_iface != iface)
            continue;
        if (address && (c->orig.family != address->family ||
                        memcmp(c->nat_src, address->bytes, sizeof c->nat_src) != 0))
            continue;
        conn_kill(r->conns, c);
    }
}

/*
 * RouterOS takes a link that is not running for an interface that is down, and forgets what
 * was masqueraded behind it; Linux does so only when it is administratively down.
 */
void router_set_carrier(struct router *r, unsigned iface, bool carrier)
{
    if (r->ifaces[iface].carrier == carrier)
        return;
    iface_set_carrier(&r->ifaces[iface], carrier);
    if (!carrier && r->config->platform == PLATFORM_ROUTEROS7)
        flush_masquerade(r, iface, NULL);
    rib_iface_changed(r->rib, iface);
    changed(r);
}

/* Linux drops IPv6 addresses with the interface (keep_addr_on_down = 0). */
static void drop_v6_addresses(struct iface_state *s)
{
    for (size_t i = s->addresses_len; i-- > 0;) {
        const struct addr a = s->addresses[i].addr;

        if (a.family == FAMILY_V6)
            iface_remove_address(s, &a);
    }
}

void router_set_admin(struct router *r, unsigned iface, bool up)
{
    if (r->ifaces[iface].admin_up == up)
        return;
    iface_set_admin(&r->ifaces[iface], up);
    if (!up) {
        flush_masquerade(r, iface, NULL);
        if (r->config->platform == PLATFORM_LINUX)
            drop_v6_addresses(&r->ifaces[iface]);
    }
    rib_iface_changed(r->rib, iface);
    changed(r);
}

void router_change_address(struct router *r, unsigned iface, const struct addr *old_address,
                           const struct prefix *new_address)
{
    struct iface_state *s = &r->ifaces[iface];

    if (addr_is_set(&new_address->addr))
        iface_add_address(s, new_address);
    if (addr_is_set(old_address) && !addr_equal(old_address, &new_address->addr) &&
        iface_remove_address(s, old_address))
        flush_masquerade(r, iface, old_address);
    rib_iface_changed(r->rib, iface);
    changed(r);
}

void router_set_route_disabled(struct router *r, uint32_t route, bool disabled)
{
    rib_route_set_disabled(r->rib, route, disabled);
    for (size_t i = 0; i < rib_checks_len(r->rib); i++)
        if (rib_check_get(r->rib, i).up && !r->checks[i].up)
            check_presume_up(&r->checks[i]);
    changed(r);
}

void router_set_rule_disabled(struct router *r, unsigned rule, bool disabled)
{
    ruleset_set_disabled(r->rules, rule, disabled);
    r->hash.port_rules = ruleset_has_port_rules(r->rules);
    changed(r);
}

void router_go_down(struct router *r)
{
    for (uint32_t i = 0; i < conn_slots(r->conns); i++) {
        struct conn *c = conn_at(r->conns, i);

        if (!conn_is_used(r->conns, i) || (c->flags & CONN_KILLED))
            continue;
        memset(c->pins, 0, sizeof c->pins);
        if (c->flags & CONN_NATED)
            conn_kill(r->conns, c);
    }
    changed(r);
}

void router_come_up(struct router *r, int64_t now_ns, bool redraw_hash)
{
    struct random_stream seeds;

    r->starts++;
    seeds = draws_of_start(r, 0x68617368);
    if (redraw_hash)
        hash_set_seed(&r->hash, (uint32_t)random_next(&seeds));
    for (size_t i = 0; i < rib_checks_len(r->rib); i++)
        rib_check_set(r->rib, i, true);
    checks_start(r, now_ns);
    choosers_destroy(r->choosers);
    r->choosers = choosers_create(r->config, r->rib);
    changed(r);
}

void router_expire_fragments(struct router *r, int64_t now_ns, uint32_t *packets,
                             uint64_t *bytes)
{
    struct reassembly_held held = {0};

    reassembly_expire(r->reassembly, now_ns, &held);
    *packets = held.packets;
    *bytes = held.bytes;
}

size_t router_checks_len(const struct router *r)
{
    return rib_checks_len(r->rib);
}

struct rib_check router_check_target(const struct router *r, size_t check)
{
    return rib_check_get(r->rib, check);
}

int64_t router_check_next_ns(const struct router *r, size_t check)
{
    return r->checks[check].next_probe_ns;
}

static const struct config_check *check_settings(const struct router *r, size_t check)
{
    return &r->config->checks[rib_check_get(r->rib, check).kind];
}

void router_check_sent(struct router *r, size_t check)
{
    check_probe_sent(&r->checks[check], check_settings(r, check));
}

void router_check_skip_to(struct router *r, size_t check, int64_t now_ns)
{
    check_skip_to(&r->checks[check], check_settings(r, check), now_ns);
}

bool router_check_is_settled(const struct router *r, size_t check, bool answered)
{
    return check_is_settled(&r->checks[check], answered);
}

static bool verdict_take(struct router *r, size_t check, bool is_new)
{
    if (is_new) {
        rib_check_set(r->rib, check, r->checks[check].up);
        changed(r);
    }
    return is_new;
}

bool router_check_ended(struct router *r, size_t check, bool answered)
{
    return verdict_take(
        r, check, check_probe_ended(&r->checks[check], check_settings(r, check), answered));
}

bool router_check_conclude(struct router *r, size_t check, bool up)
{
    return verdict_take(r, check, check_conclude(&r->checks[check], up));
}

/* ------------------------------------------------------------------------ what it is now */

void router_renew(struct router *r)
{
    r->epoch++;
}

uint32_t router_epoch(const struct router *r)
{
    return r->epoch;
}

const struct rib *router_rib(const struct router *r)
{
    return r->rib;
}

const struct iface_state *router_iface(const struct router *r, unsigned iface)
{
    return &r->ifaces[iface];
}

struct conn_table *router_conns(struct router *r)
{
    return r->conns;
}

const struct conn_table *router_conns_const(const struct router *r)
{
    return r->conns;
}

bool router_is_tracking(const struct router *r)
{
    return r->tracking;
}
