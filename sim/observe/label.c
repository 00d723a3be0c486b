#include "sim/observe/label.h"

#include <stdio.h>

const char *label_rule(const struct router_config *c, int rule, char buf[LABEL_MAX])
{
    switch (rule) {
    case RULE_BUILTIN_LOCAL: return "(local)";
    case RULE_BUILTIN_MAIN: return "(main)";
    case RULE_BUILTIN_DEFAULT: return "(default)";
    case RULE_BUILTIN_MARK: return "(mark)";
    case RULE_NONE: return "";
    default: break;
    }
    if (rule < 0 || (size_t)rule >= c->rules_len)
        return "";
    if (c->rules[rule].comment && c->rules[rule].comment[0])
        return c->rules[rule].comment;
    snprintf(buf, LABEL_MAX, "#%d", rule);
    return buf;
}

const char *label_iface(const struct router_config *c, unsigned iface)
{
    return iface < c->ifaces_len ? c->ifaces[iface].name : "";
}

const char *label_table(const struct router_config *c, const struct fib_entry *e)
{
    return e ? c->tables[e->table] : "";
}

const char *label_route(const struct fib_entry *e, char buf[LABEL_MAX])
{
    return e ? prefix_format(&e->dst, buf) : "";
}

const char *label_gateway(const struct decision *d, char buf[LABEL_MAX])
{
    const struct nexthop *hop;

    if (!d->entry || !d->entry->group || d->member == NEXTHOP_NONE)
        return "";
    hop = &d->entry->group->hops[d->member];
    return addr_is_set(&hop->gateway) ? addr_format(&hop->gateway, buf) : "";
}

static struct addr addr_of(const struct tuple *t, const uint8_t bytes[16])
{
    return t->family == FAMILY_V4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

/* "192.168.10.5:50000", "[2001:db8::5]:50000", "192.168.10.5". */
static void label_end(const struct tuple *t, const uint8_t bytes[16], uint16_t port,
                      char *buf, size_t size)
{
    const bool is_v6 = t->family != FAMILY_V4;
    const struct addr a = addr_of(t, bytes);
    char text[ADDR_TEXT_MAX];

    addr_format(&a, text);
    if (packet_protocol_has_ports(t->protocol))
        snprintf(buf, size, "%s%s%s:%u", is_v6 ? "[" : "", text, is_v6 ? "]" : "", port);
    else
        snprintf(buf, size, "%s", text);
}

const char *label_flow(const struct tuple *t, char buf[LABEL_MAX])
{
    char src[ADDR_TEXT_MAX + 10], dst[ADDR_TEXT_MAX + 10], protocol[8];

    label_end(t, t->src, t->sport, src, sizeof src);
    label_end(t, t->dst, t->dport, dst, sizeof dst);
    snprintf(buf, LABEL_MAX, "%s %s > %s", packet_protocol_name(t->protocol, protocol),
             src, dst);
    return buf;
}
