#include "core/nat.h"

#include <string.h>

/* The last tries of a run may take the port of a TCP connection that is over. */
enum { EVICTING_TRIES = 32 };

void nat_init(struct nat *n, const struct router_config *config,
              const struct iface_state *ifaces, struct conn_table *conns)
{
    n->config = config;
    n->ifaces = ifaces;
    n->conns = conns;
    n->random = random_stream_make(config->seed, 0x6e6174);
    n->chains_all = false;
    for (size_t i = 0; i < config->nat_len; i++)
        n->chains_all |= config->nat[i].to_ports.last != 0 ||
                         !addr_equal(&config->nat[i].to_first, &config->nat[i].to_last);
}

/* --------------------------------------------------------------------------- the rules */

static struct addr tuple_addr(const struct tuple *t, const uint8_t *bytes)
{
    return t->family == FAMILY_V4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

static bool port_in(const struct config_range *r, uint16_t port)
{
    return r->last == 0 || (port >= r->first && port <= r->last);
}

/* The name of the first matcher that does not match, or NULL. */
static const char *nat_mismatch(const struct config_nat *m, const struct tuple *t,
                                unsigned out_iface)
{
    const struct addr src = tuple_addr(t, t->src), dst = tuple_addr(t, t->dst);
    const bool ports = packet_protocol_has_ports(t->protocol);

    if (m->out_iface >= 0 && (unsigned)m->out_iface != out_iface)
        return "out_interface";
    if (addr_is_set(&m->src.addr) && !prefix_contains(&m->src, &src))
        return "src_address";
    if (addr_is_set(&m->dst.addr) && !prefix_contains(&m->dst, &dst))
        return "dst_address";
    if (m->protocol >= 0 && m->protocol != t->protocol)
        return "protocol";
    if (!port_in(&m->sport, ports ? t->sport : 0))
        return "src_port";
    if (!port_in(&m->dport, ports ? t->dport : 0))
        return "dst_port";
    return NULL;
}

static const struct config_nat *nat_rule_find(const struct nat *n, const struct tuple *t,
                                              unsigned out_iface,
                                              const struct trace *trace)
{
    for (size_t i = 0; i < n->config->nat_len; i++) {
        const struct config_nat *m = &n->config->nat[i];
        const char *mismatch;

        if (m->disabled || m->family != t->family)
            continue;
        mismatch = nat_mismatch(m, t, out_iface);
        if (!mismatch)
            return m;
        if (trace)
            trace->step(trace->context, &(struct trace_step){.kind = TRACE_NAT_SKIPPED,
                                                             .nat = (int)i,
                                                             .text = mismatch});
    }
    return NULL;
}

/* ------------------------------------------------------------------------- the address */

/* What a rule may choose from. */
struct choice {
    const struct config_nat *rule;
    struct addr first, last;
};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

/* jhash2() of the four words of an address. Source: Jenkins lookup3; Linux jhash.h. */
static uint32_t address_hash(const uint8_t src[16], uint32_t initval)
{
    uint32_t k[4], a, b, c;

    memcpy(k, src, sizeof k);
    a = b = c = 0xdeadbeef + (4u << 2) + initval;
    a += k[0];
    b += k[1];
    c += k[2];
    a -= c, a ^= rotate(c, 4), c += b;
    b -= a, b ^= rotate(a, 6), a += c;
    c -= b, c ^= rotate(b, 8), b += a;
    a -= c, a ^= rotate(c, 16), c += b;
    b -= a, b ^= rotate(a, 19), a += c;
    c -= b, c ^= rotate(b, 4), b += a;
    a += k[3];
    c ^= b, c -= rotate(b, 14);
    a ^= c, a -= rotate(c, 11);
    b ^= a, b -= rotate(a, 25);
    c ^= b, c -= rotate(b, 16);
    a ^= c, a -= rotate(c, 4);
    b ^= a, b -= rotate(a, 14);
    c ^= b, c -= rotate(b, 24);
    return c;
}

static uint32_t load32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/*
 * One address of first..last by the source and destination, a word at a time: inside of the range
 * while all words before are the last address's, any value behind one that is not. So IPv6 ranges
 * that differ in more than their last word are left upwards. Source: Linux find_best_ips_proto().
 */
static struct addr address_of_range(const struct choice *m, const struct tuple *t)
{
    const unsigned words = t->family == FAMILY_V4 ? 1 : 4;
    struct addr chosen = m->first;
    bool any = false;
    uint32_t dst[4], hash;

    if (addr_equal(&m->first, &m->last))
        return chosen;
    memcpy(dst, t->dst, sizeof dst);
    hash = address_hash(t->src, dst[words - 1]);
    for (unsigned i = 0; i < words; i++) {
        const uint32_t first = any ? 0 : load32(m->first.bytes + 4 * i);
        const uint32_t last = load32(m->last.bytes + 4 * i);
        const uint32_t count = any ? UINT32_MAX : last - first + 1;
        const uint32_t value = first + (uint32_t)((uint64_t)hash * count >> 32);

        for (unsigned k = 0; k < 4; k++)
            chosen.bytes[4 * i + k] = (uint8_t)(value >> (24 - 8 * k));
        any |= value != last;
        hash ^= dst[i];
    }
    return chosen;
}

static bool is_unique_local(const struct addr *a)
{
    return a->family == FAMILY_V6 && (a->bytes[0] & 0xfe) == 0xfc;
}

/* Among addresses of other interfaces: IPv4 the first; IPv6 RFC 6724's rules 6 and 8. */
static unsigned foreign_score(const struct addr *a, const struct addr *towards)
{
    if (a->family == FAMILY_V4)
        return 1;
    return 1 + (is_unique_local(a) == is_unique_local(towards) ? 129u : 0u) +
           addr_common_bits(a, towards);
}

static bool has_addresses(const struct nat *n, unsigned iface)
{
    return n->config->platform == PLATFORM_LINUX ? n->ifaces[iface].admin_up
                                                 : iface_is_running(&n->ifaces[iface]);
}

/*
 * The address to masquerade with: the outgoing interface's, and where it has none another's, as
 * Linux inet_select_addr() and ipv6_dev_get_saddr() look for one. False: there is none at all.
 */
static bool masquerade_address(const struct nat *n, unsigned out_iface, unsigned family,
                               const struct addr *towards, struct addr *source)
{
    unsigned best = 0;

    if (iface_select_address(&n->ifaces[out_iface], family, towards, source))
        return true;
    for (unsigned i = 0; i < n->config->ifaces_len; i++) {
        struct addr a;
        unsigned score;

        if (!has_addresses(n, i) || !iface_select_address(&n->ifaces[i], family, towards, &a))
            continue;
        score = foreign_score(&a, towards);
        if (score <= best)
            continue;
        best = score;
        *source = a;
    }
    return best > 0;
}

/* ----------------------------------------------------------------------------- the port */

static bool has_port(const struct tuple *t)
{
    return packet_protocol_has_ports(t->protocol) || t->protocol == PROTO_ICMP ||
           t->protocol == PROTO_ICMPV6;
}

static bool source_is_translated(const struct conn *c)
{
    return (c->flags & CONN_NATED) &&
           (c->nat_sport != c->orig.sport ||
            memcmp(c->nat_src, c->orig.src, sizeof c->nat_src) != 0);
}

static bool source_is_free(const struct nat *n, struct conn *c, uint16_t port,
                           int64_t now_ns)
{
    struct tuple reply;

    c->nat_sport = port;
    conn_reply_tuple(c, &reply);
    return !conn_tuple_taken(n->conns, &reply, now_ns);
}

static bool address_in(const struct choice *ch, const uint8_t a[16])
{
    return memcmp(a, ch->first.bytes, 16) >= 0 && memcmp(a, ch->last.bytes, 16) <= 0;
}

static bool source_allowed(const struct choice *ch, const struct tuple *t,
                           const uint8_t addr[16], uint16_t port)
{
    return address_in(ch, addr) && (!has_port(t) || port_in(&ch->rule->to_ports, port));
}

/* Step 2: the public source that the newest connection of the same source has. */
static bool source_of_same(const struct nat *n, const struct choice *ch, struct conn *c,
                           int64_t now_ns)
{
    const struct conn *other = conn_chain_first(n->conns, &c->orig);

    while (other && (other->expires_ns <= now_ns ||
                     !source_allowed(ch, &other->orig, other->nat_src, other->nat_sport)))
        other = conn_chain_next(n->conns, other);
    if (!other)
        return false;
    memcpy(c->nat_src, other->nat_src, sizeof c->nat_src);
    return source_is_free(n, c, other->nat_sport, now_ns);
}

static struct config_range port_class(const struct config_nat *m, const struct tuple *t)
{
    if (m->to_ports.last)
        return m->to_ports;
    if (t->protocol == PROTO_ICMP || t->protocol == PROTO_ICMPV6)
        return (struct config_range){0, UINT16_MAX};
    if (t->sport < 512)
        return (struct config_range){1, 511};
    if (t->sport < 1024)
        return (struct config_range){600, 1023};
    return (struct config_range){1024, UINT16_MAX};
}

/* Is it free, or does its holder, a TCP connection that is over, make room? The new one's sequence
 * numbers must lie behind the old one's. */
static bool source_evicts(const struct nat *n, struct conn *c, uint16_t port, int64_t now_ns)
{
    struct tuple reply;
    unsigned direction;
    struct conn *other;

    if (source_is_free(n, c, port, now_ns))
        return true;
    if (c->orig.protocol != PROTO_TCP || c->tcp.state != TCP_SYN_SENT)
        return false;
    conn_reply_tuple(c, &reply);
    other = conn_find(n->conns, &reply, conn_hash(n->conns, &reply), &direction);
    if (direction == 0 || other->tcp.state < TCP_TIME_WAIT || !source_is_translated(other) ||
        (int32_t)(c->tcp.side[0].end - other->tcp.side[0].end) <= 0)
        return false;
    conn_kill(n->conns, other);
    return true;
}

/* Runs of ports from a random one on, each half as long: all taken must not take for ever. */
static bool port_draw(struct nat *n, const struct config_nat *m, struct conn *c,
                      int64_t now_ns)
{
    const struct config_range range = port_class(m, &c->orig);
    const uint32_t count = (uint32_t)range.last - range.first + 1;

    for (uint32_t run = count < 128 ? count : 128;; run /= 2) {
        const uint32_t offset = (uint32_t)random_below(&n->random, 65536);

        for (uint32_t i = 0; i < run; i++) {
            const uint16_t port = (uint16_t)(range.first + (offset + i) % count);

            if (run - i > EVICTING_TRIES ? source_is_free(n, c, port, now_ns)
                                         : source_evicts(n, c, port, now_ns))
                return true;
        }
        if (run >= count || run < 16)
            return false;
    }
}

/* Steps 1 to 4. */
static bool source_choose(struct nat *n, const struct choice *ch, struct conn *c,
                          int64_t now_ns)
{
    const struct addr best = address_of_range(ch, &c->orig);

    memcpy(c->nat_src, c->orig.src, sizeof c->nat_src);
    if (source_allowed(ch, &c->orig, c->orig.src, c->orig.sport)) {
        if (source_is_free(n, c, c->orig.sport, now_ns))
            return true;
    } else if (source_of_same(n, ch, c, now_ns)) {
        return true;
    }
    memcpy(c->nat_src, best.bytes, sizeof c->nat_src);
    if ((!has_port(&c->orig) || port_in(&ch->rule->to_ports, c->orig.sport)) &&
        source_is_free(n, c, c->orig.sport, now_ns))
        return true;
    return has_port(&c->orig) && port_draw(n, ch->rule, c, now_ns);
}

/* ------------------------------------------------------------------------------ binding */

static void nat_tell(const struct trace *trace, const struct nat *n,
                     const struct config_nat *m, const struct conn *c, const char *how)
{
    struct trace_step step = {.kind = TRACE_NAT, .nat = -1, .text = how};

    if (!trace)
        return;
    if (m)
        step.nat = (int)(m - n->config->nat);
    if (c->flags & CONN_NATED) {
        step.addr = tuple_addr(&c->orig, c->nat_src);
        step.port = c->nat_sport;
    }
    trace->step(trace->context, &step);
}

/* No rule translates it, but its answer belongs to another connection: only the port changes. */
static bool bind_to_another_port(struct nat *n, struct conn *c, int64_t now_ns)
{
    static const struct config_nat any = {0};

    if (!has_port(&c->orig))
        return false;
    c->flags |= CONN_NATED;
    return port_draw(n, &any, c, now_ns) && conn_index_reply(n->conns, c, now_ns);
}

/* Let step 2 find it, where it may ever have to. */
static void bind_chain(struct nat *n, struct conn *c)
{
    if (n->chains_all || (c->flags & CONN_NATED && c->nat_sport != c->orig.sport) ||
        conn_chain_first(n->conns, &c->orig))
        conn_chain_add(n->conns, c);
}

static enum nat_result bind_untranslated(struct nat *n, struct conn *c,
                                         const struct config_nat *m, int64_t now_ns,
                                         const struct trace *trace)
{
    nat_tell(trace, n, m, c, m ? "accepted as it is" : "no rule translates it");
    if (!conn_index_reply(n->conns, c, now_ns) && !bind_to_another_port(n, c, now_ns))
        return NAT_CLASH;
    bind_chain(n, c);
    return c->flags & CONN_NATED ? NAT_TRANSLATED : NAT_NONE;
}

enum nat_result nat_bind(struct nat *n, struct conn *c, unsigned out_iface,
                         const struct addr *nexthop, int64_t now_ns,
                         const struct trace *trace)
{
    const struct config_nat *m = nat_rule_find(n, &c->orig, out_iface, trace);
    const struct addr dst = tuple_addr(&c->orig, c->orig.dst);
    const struct addr *towards =
        dst.family == FAMILY_V6 || !addr_is_set(nexthop) ? &dst : nexthop;
    struct choice ch = {.rule = m};

    memcpy(c->nat_src, c->orig.src, sizeof c->nat_src);
    c->nat_sport = c->orig.sport;
    c->masq_iface = NEXTHOP_NONE;
    c->flags &= (uint8_t)~CONN_NATED;
    if (!m || m->action == NAT_ACCEPT)
        return bind_untranslated(n, c, m, now_ns, trace);
    ch.first = m->to_first;
    ch.last = m->to_last;
    if (m->action == NAT_MASQUERADE) {
        if (!masquerade_address(n, out_iface, c->orig.family, towards, &ch.first)) {
            nat_tell(trace, n, m, c, "no interface has an address");
            return NAT_NO_ADDRESS;
        }
        ch.last = ch.first;
        c->masq_iface = (uint16_t)out_iface;
    }
    c->flags |= CONN_NATED;
    if (!source_choose(n, &ch, c, now_ns) || !conn_index_reply(n->conns, c, now_ns)) {
        nat_tell(trace, n, m, c, "no free port");
        return NAT_CLASH;
    }
    bind_chain(n, c);
    nat_tell(trace, n, m, c, m->action == NAT_SRC_NAT ? "src-nat" : "masquerade");
    return NAT_TRANSLATED;
}
