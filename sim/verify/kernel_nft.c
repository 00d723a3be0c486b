#include "sim/verify/kernel_config.h"

static void prefix_match(FILE *out, const struct config_nat *m, const char *side,
                         const struct prefix *p)
{
    char text[PREFIX_TEXT_MAX];

    if (addr_is_set(&p->addr))
        fprintf(out, "%s %s %s ", m->family == FAMILY_V6 ? "ip6" : "ip", side,
                prefix_format(p, text));
}

static void range_match(FILE *out, const char *side, const struct config_range *r)
{
    if (r->last)
        fprintf(out, "th %s %u-%u ", side, r->first, r->last);
}

static void ports_write(FILE *out, const struct config_range *r)
{
    if (r->last)
        fprintf(out, ":%u-%u", r->first, r->last);
}

static void source_write(FILE *out, const struct config_nat *m)
{
    const bool v6 = m->family == FAMILY_V6;
    char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];

    addr_format(&m->to_first, first);
    addr_format(&m->to_last, last);
    fprintf(out, v6 ? "snat to [%s]" : "snat to %s", first);
    if (!addr_equal(&m->to_first, &m->to_last))
        fprintf(out, v6 ? "-[%s]" : "-%s", last);
    ports_write(out, &m->to_ports);
}

static void action_write(FILE *out, const struct config_nat *m)
{
    switch ((enum nat_action)m->action) {
    case NAT_ACCEPT: fprintf(out, "accept"); break;
    case NAT_SRC_NAT: source_write(out, m); break;
    case NAT_MASQUERADE:
        fprintf(out, "masquerade%s", m->to_ports.last ? " to " : "");
        ports_write(out, &m->to_ports);
        break;
    }
    fprintf(out, "\n");
}

static void nat_rule_write(FILE *out, const struct config_nat *m)
{
    fprintf(out, "        ");
    if (m->out_iface >= 0)
        fprintf(out, "oifname \"if%d\" ", m->out_iface);
    prefix_match(out, m, "saddr", &m->src);
    prefix_match(out, m, "daddr", &m->dst);
    if (m->protocol >= 0)
        fprintf(out, "meta l4proto %d ", m->protocol);
    range_match(out, "sport", &m->sport);
    range_match(out, "dport", &m->dport);
    action_write(out, m);
}

static void nat_table_write(FILE *out, const struct router_config *c, unsigned family)
{
    bool any = false;

    for (size_t i = 0; i < c->nat_len; i++)
        any |= c->nat[i].family == family && !c->nat[i].disabled;
    if (!any)
        return;
    fprintf(out,
            "table %s nat {\n    chain source {\n"
            "        type nat hook postrouting priority 100; policy accept;\n",
            family == FAMILY_V6 ? "ip6" : "ip");
    for (size_t i = 0; i < c->nat_len; i++)
        if (c->nat[i].family == family && !c->nat[i].disabled)
            nat_rule_write(out, &c->nat[i]);
    fprintf(out, "    }\n}\n");
}

bool kernel_tracks(const struct router_config *c)
{
    if (c->tracking != TRACKING_AUTO)
        return c->tracking == TRACKING_ON;
    for (size_t i = 0; i < c->nat_len; i++)
        if (!c->nat[i].disabled)
            return true;
    return false;
}

/* `ct` in a rule is what makes the kernel track: both families, as the model does. */
void kernel_nft_write(FILE *out, const struct router_config *c)
{
    fprintf(out, "table inet router {\n"
                 "    chain own {\n"
                 "        type filter hook output priority -300; policy drop;\n"
                 "    }\n"
                 "    chain arrived {\n"
                 "        type filter hook input priority 0; policy drop;\n"
                 "    }\n");
    if (kernel_tracks(c))
        fprintf(out, "    chain passing {\n"
                     "        type filter hook forward priority 0; policy accept;\n"
                     "        ct state new accept\n"
                     "    }\n");
    fprintf(out, "}\n");
    nat_table_write(out, c, FAMILY_V4);
    nat_table_write(out, c, FAMILY_V6);
}
