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
