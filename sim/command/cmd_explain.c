/* One flow, told step by step by the code that decides it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/command/command.h"
#include "sim/input/flow.h"
#include "sim/input/units.h"
#include "sim/observe/label.h"
#include "sim/timeline/simulation.h"

const char usage_explain[] =
    "usage: ecmplab explain [OPTION]... SCENARIO FLOW\n"
    "\n"
    "Tells one flow's way through the router: the rules tried, the routes matched, kept or\n"
    "suppressed, and why; the hash, the next-hop group with its regions, the member; the\n"
    "translation of its source. The steps come from the same code that 'run' uses.\n"
    "\n"
    "FLOW is written as people write it (quote it, for the shell's sake):\n"
    "    'tcp 192.168.10.5:50000 > 45.57.94.1:443'\n"
    "    'udp [2001:db8:10::5]:5000 > [2001:db8::53]:53'\n"
    "    'icmp 192.168.10.5 > 8.8.8.8'\n"
    "\n"
    "    --in IFACE     comes in by this interface; 'router' for what the router itself sends\n"
    "                   (default: the LAN interface on whose network the source is)\n"
    "    --at TIME      after this time of the scenario's events, such as 45s (default 0s)\n"
    "    --mark MARK    with this routing mark (RouterOS) or fwmark (Linux)\n"
    "    --tos N        with this TOS or traffic class byte\n"
    "    --flow-label N with this IPv6 flow label\n"
    "    --seed N, --set POINTER=VALUE   change the scenario, as for 'run'\n"
    "\n"
    "exit codes: 0 it is forwarded, or is for the router itself; 1 it is not; 2 bad usage or\n"
    "scenario; 3 the scenario could not be read\n";

enum { FROM_ROUTER = -2 }; /* --in router */

struct explain {
    const struct router_config *config;
    FILE *out;
};

/* ------------------------------------------------------------------------- small phrases */

static void put_line(const struct explain *e, const char *head, const char *text)
{
    fprintf(e->out, "%-13s%s\n", head, text);
}

static void put_rule_head(const struct explain *e, int rule, char *head, size_t size)
{
    char buf[LABEL_MAX];

    if (rule >= 0)
        snprintf(head, size, "rule %d", rule);
    else
        snprintf(head, size, "rule %s", label_rule(e->config, rule, buf));
}

static const char *rule_comment(const struct explain *e, int rule, char *buf, size_t size)
{
    const char *comment = rule >= 0 ? e->config->rules[rule].comment : NULL;

    buf[0] = '\0';
    if (comment && *comment)
        snprintf(buf, size, "\"%.60s\": ", comment);
    return buf;
}

static const char *hop_text(const struct explain *e, const struct nexthop *h, char *buf,
                            size_t size)
{
    char gateway[ADDR_TEXT_MAX];

    if (addr_is_set(&h->gateway))
        snprintf(buf, size, "via %s on %s", addr_format(&h->gateway, gateway),
                 label_iface(e->config, h->iface));
    else
        snprintf(buf, size, "directly on %s", label_iface(e->config, h->iface));
    return buf;
}

/* --------------------------------------------------------------------------- rules, routes */

static void tell_rule_skipped(const struct explain *e, const struct trace_step *s)
{
    char head[32], comment[80], line[200];

    if (s->rule == RULE_BUILTIN_MARK)
        return; /* one for each table: only the one that matches is worth a line */
    put_rule_head(e, s->rule, head, sizeof head);
    snprintf(line, sizeof line, "%sskipped: its %s does not match",
             rule_comment(e, s->rule, comment, sizeof comment), s->text);
    put_line(e, head, line);
}

static void tell_rule_matched(const struct explain *e, const struct trace_step *s)
{
    const struct config_rule *m = s->rule >= 0 ? &e->config->rules[s->rule] : NULL;
    char head[32], comment[80], line[400], limit[48] = "";

    put_rule_head(e, s->rule, head, sizeof head);
    rule_comment(e, s->rule, comment, sizeof comment);
    if (m && m->action > RULE_LOOKUP_ONLY) {
        snprintf(line, sizeof line, "%smatches: %s", comment, rule_action_names[m->action]);
    } else {
        if (m && m->min_prefix >= 0)
            snprintf(limit, sizeof limit, ", min-prefix %d", m->min_prefix);
        snprintf(line, sizeof line, "%smatches: %s in table %s%s", comment,
                 m ? rule_action_names[m->action] : "lookup", e->config->tables[s->table],
                 limit);
    }
    put_line(e, head, line);
}

static void tell_route_found(const struct explain *e, const struct trace_step *s)
{
    const struct fib_entry *entry = s->entry;
    char prefix[PREFIX_TEXT_MAX], how[160], line[320];

    prefix_format(&entry->dst, prefix);
    if (!entry->group)
        snprintf(how, sizeof how, "a %s route%s", route_type_names[entry->type],
                 entry->type == ROUTE_LOCAL ? ": an address of the router itself" : "");
    else if (entry->group->len == 1)
        hop_text(e, &entry->group->hops[0], how, sizeof how);
    else
        snprintf(how, sizeof how, "%u next hops, %u living", (unsigned)entry->group->len,
                 (unsigned)entry->group->live);
    snprintf(line, sizeof line, "  best match %s, prefix length %u, distance %" PRIu32 ": %s",
             prefix, (unsigned)entry->dst.length, entry->distance, how);
    put_line(e, "", line);
}

static void tell_suppressed(const struct explain *e, const struct trace_step *s)
{
    char line[400];

    if (strcmp(s->text, "min_prefix") == 0)
        snprintf(line, sizeof line,
                 "  suppressed: min-prefix %d throws away a match of prefix length %d or less;"
                 "\n%15sthe whole table is left, and the next rule is tried",
                 s->limit, s->limit, "");
    else
        snprintf(line, sizeof line,
                 "  suppressed: its interface is in group %d; the next rule is tried", s->limit);
    put_line(e, "", line);
}

static void tell_kept(const struct explain *e, const struct trace_step *s)
{
    char line[200];

    if (s->entry->type != ROUTE_UNICAST && s->entry->type != ROUTE_LOCAL)
        snprintf(line, sizeof line, "  kept: a route of this kind ends the walk, min-prefix"
                                    " does not apply to it");
    else if (s->limit >= 0)
        snprintf(line, sizeof line, "  kept: prefix length %u is more than min-prefix %d",
                 (unsigned)s->entry->dst.length, s->limit);
    else
        snprintf(line, sizeof line, "  kept: the rule has no min-prefix");
    put_line(e, "", line);
}

static void tell_miss(const struct explain *e, const struct trace_step *s)
{
    char line[240];
    const bool only =
        s->rule >= 0 && e->config->rules[s->rule].action == RULE_LOOKUP_ONLY;

    snprintf(line, sizeof line, "  table %s holds no route to it: %s",
             e->config->tables[s->table],
             only ? "and the rule allows no other" : "the next rule is tried");
    put_line(e, "", line);
}

/* ---------------------------------------------------------------------------- hash, group */

static void tell_hash(const struct explain *e, const struct trace_step *s)
{
    char line[400];
    size_t at;

    snprintf(line, sizeof line, "policy %s; SipHash-2-4 of %zu bytes under the seed's key:",
             s->text, s->block_len);
    put_line(e, "hash", line);
    for (size_t i = 0; i < s->block_len; i += 24) {
        at = (size_t)snprintf(line, sizeof line, "  ");
        for (size_t k = i; k < i + 24 && k < s->block_len; k++)
            at += (size_t)snprintf(line + at, sizeof line - at, "%02x%s", s->block[k],
                                   (k & 3) == 3 ? " " : "");
        put_line(e, "", line);
    }
    snprintf(line, sizeof line, "  = %" PRIu32 " of 2147483648", s->hash);
    put_line(e, "", line);
}

static void tell_member(const struct explain *e, const struct trace_step *s)
{
    const struct nexthop_group *g = s->entry->group;
    int64_t from = 0;
    char line[300], hop[120];

    if (g->len == 1) {
        snprintf(line, sizeof line, "one next hop, nothing to choose: %s",
                 hop_text(e, &g->hops[0], hop, sizeof hop));
        put_line(e, "group", line);
        return;
    }
    put_line(e, "group", "  member  weight  owns the hashes           next hop");
    for (unsigned i = 0; i < g->len; i++) {
        const struct nexthop *h = &g->hops[i];
        char range[40] = "none: it is down";

        if (h->upper_bound >= 0) {
            snprintf(range, sizeof range, "%10" PRId64 " to %10" PRId32, from, h->upper_bound);
            from = (int64_t)h->upper_bound + 1;
        }
        snprintf(line, sizeof line, "%s %6u  %6u  %-24s  %s", i == s->member ? ">" : " ", i,
                 (unsigned)h->weight, range, hop_text(e, h, hop, sizeof hop));
        put_line(e, "", line);
    }
}

/* ------------------------------------------------------------------------------------ NAT */

static void tell_nat(const struct explain *e, const struct trace_step *s)
{
    char line[300], addr[ADDR_TEXT_MAX], rule[24] = "";

    if (s->nat >= 0)
        snprintf(rule, sizeof rule, "rule %d, ", s->nat);
    if (addr_is_set(&s->addr))
        snprintf(line, sizeof line, "%s%s: the source becomes %s, port %u", rule, s->text,
                 addr_format(&s->addr, addr), (unsigned)s->port);
    else
        snprintf(line, sizeof line, "%s%s", rule, s->text);
    put_line(e, "nat", line);
}

static void tell_nat_skipped(const struct explain *e, const struct trace_step *s)
{
    char line[120];

    snprintf(line, sizeof line, "rule %d skipped: its %s does not match", s->nat, s->text);
    put_line(e, "nat", line);
}

static void explain_step(void *context, const struct trace_step *s)
{
    const struct explain *e = context;

    switch (s->kind) {
    case TRACE_CONNECTION: put_line(e, "connection", s->text); break;
    case TRACE_RULE_SKIPPED: tell_rule_skipped(e, s); break;
    case TRACE_RULE_MATCHED: tell_rule_matched(e, s); break;
    case TRACE_TABLE_MISS: tell_miss(e, s); break;
    case TRACE_ROUTE_FOUND: tell_route_found(e, s); break;
    case TRACE_SUPPRESSED: tell_suppressed(e, s); break;
    case TRACE_KEPT: tell_kept(e, s); break;
    case TRACE_RULE_ENDS: put_line(e, "", "  the walk along the rules ends here"); break;
    case TRACE_NO_ROUTE: put_line(e, "rules", "the end of the list: no route"); break;
    case TRACE_HASH: tell_hash(e, s); break;
    case TRACE_MEMBER: tell_member(e, s); break;
    case TRACE_NAT_SKIPPED: tell_nat_skipped(e, s); break;
    case TRACE_NAT: tell_nat(e, s); break;
    case TRACE_VERDICT: break; /* told whole at the end, with the reason */
    }
}

/* -------------------------------------------------------------------------------- verdict */

static void tell_verdict(const struct explain *e, const struct decision *d,
                         const struct packet *p)
{
    char line[300], gateway[LABEL_MAX], source[ADDR_TEXT_MAX];

    if (d->verdict != VERDICT_FORWARD) {
        snprintf(line, sizeof line, "%s%s%s", verdict_names[d->verdict],
                 d->reason ? ": " : "", reason_names[d->reason]);
        put_line(e, "verdict", line);
        return;
    }
    label_gateway(d, gateway);
    snprintf(line, sizeof line, "forward by %s%s%s, from %s", label_iface(e->config, d->out_iface),
             addr_is_set(&d->entry->group->hops[d->member].gateway) ? " via " : "",
             addr_is_set(&d->entry->group->hops[d->member].gateway) ? gateway : "",
             addr_format(d->flags & DECISION_NATED ? &d->nat_src : &p->src, source));
    put_line(e, "verdict", line);
}

static int lan_iface_of(const struct scenario *s, struct simulation *sim, const struct addr *a)
{
    for (size_t i = 0; i < s->router.ifaces_len; i++) {
        const struct iface_state *state = router_iface(simulation_router(sim), (unsigned)i);

        if (scenario_wan_of_iface(s, (int)i) >= 0)
            continue;
        for (size_t k = 0; k < state->addresses_len; k++)
            if (state->addresses[k].addr.family == a->family &&
                addr_common_bits(&state->addresses[k].addr, a) >= state->addresses[k].length)
                return (int)i;
    }
    return -1;
}

struct explain_options {
    const char *scenario, *flow, *in, *mark;
    int64_t at_ns;
    unsigned long long tos, flow_label;
};

static int explain_in(const struct scenario *s, struct simulation *sim,
                      const struct explain_options *o, struct flow *f)
{
    if (o->in && strcmp(o->in, "router") == 0)
        return FROM_ROUTER;
    if (o->in)
        return flow_find_iface(&s->router, o->in, strlen(o->in));
    return lan_iface_of(s, sim, &f->packet.src);
}

static int explain(const struct scenario *s, const struct explain_options *o, struct flow *f)
{
    struct simulation *sim = simulation_create(s);
    struct explain e = {&s->router, stdout};
    const struct trace trace = {explain_step, &e};
    struct decision d;
    int iface, code = EXIT_HELD;

    simulation_advance(sim, o->at_ns);
    iface = explain_in(s, sim, o, f);
    if (iface == -1) {
        if (o->in)
            code = usage_error("explain", "--in: the router has no interface '%s'", o->in);
        else
            code = usage_error("explain", "the source is on no LAN interface's network; say"
                                          " where it comes in with --in");
    } else {
        printf("%s\n", o->flow);
        printf("%-13s%s%s, at %.9g s, %s\n", "", iface < 0 ? "sent by the router itself" : "in by ",
               iface < 0 ? "" : s->router.ifaces[iface].name, (double)o->at_ns / 1e9,
               s->router.platform == PLATFORM_LINUX ? "platform linux" : "platform routeros7");
        router_set_trace(simulation_router(sim), &trace);
        simulation_ask(sim, &f->packet, iface < 0 ? -1 : iface, &d);
        tell_verdict(&e, &d, &f->packet);
        if (d.verdict != VERDICT_FORWARD && d.verdict != VERDICT_LOCAL)
            code = EXIT_FOUND;
    }
    simulation_destroy(sim);
    return code;
}

enum {
    OPTION_IN = OPTION_FIRST,
    OPTION_AT,
    OPTION_MARK,
    OPTION_TOS,
    OPTION_FLOW_LABEL,
};

static const struct option explain_long[] = {
    {"in", required_argument, NULL, OPTION_IN},
    {"at", required_argument, NULL, OPTION_AT},
    {"mark", required_argument, NULL, OPTION_MARK},
    {"tos", required_argument, NULL, OPTION_TOS},
    {"flow-label", required_argument, NULL, OPTION_FLOW_LABEL},
    CHANGE_OPTIONS,
    {0},
};

static bool explain_option(int option, struct explain_options *o, struct change_options *changes)
{
    switch (option) {
    case OPTION_IN: o->in = optarg; return true;
    case OPTION_MARK: o->mark = optarg; return true;
    case OPTION_AT:
        if (units_parse_duration(optarg, &o->at_ns))
            return true;
        usage_error("explain", "--at: expected a time such as 45s, got '%s'", optarg);
        return false;
    case OPTION_TOS:
        if (parse_number(optarg, 255, &o->tos))
            return true;
        usage_error("explain", "--tos: expected a number from 0 to 255, got '%s'", optarg);
        return false;
    case OPTION_FLOW_LABEL:
        if (parse_number(optarg, 0xfffff, &o->flow_label))
            return true;
        usage_error("explain", "--flow-label: expected a number from 0 to 1048575, got '%s'",
                    optarg);
        return false;
    case OPTION_WRONG: return false;
    default: return change_option("explain", option, changes);
    }
}

int command_explain(int argc, char **argv)
{
    struct explain_options o = {0};
    struct change_options changes = {0};
    struct scenario *s;
    struct flow f;
    char error[256];
    int code = EXIT_BAD_INPUT, option;

    while ((option = next_option(argc, argv, ":", explain_long)) != -1)
        if (!explain_option(option, &o, &changes))
            return EXIT_BAD_INPUT;
    if (argc - optind != 2)
        return usage_error("explain", argc - optind > 2
                                          ? "one scenario and one flow; quote the flow"
                                          : "a scenario and a flow are needed");
    o.scenario = argv[optind];
    o.flow = argv[optind + 1];
    if (!flow_parse(o.flow, &f, error, sizeof error))
        return usage_error("explain", "%s", error);
    f.packet.tos = (uint8_t)o.tos;
    f.packet.flow_label = (uint32_t)o.flow_label;
    s = scenario_open(o.scenario, &changes.changes, &code);
    if (!s)
        return code;
    if (o.mark && !flow_find_mark(&s->router, o.mark, strlen(o.mark), &f.packet.mark))
        code = usage_error("explain", "--mark: the router knows no mark '%s'", o.mark);
    else
        code = explain(s, &o, &f);
    scenario_free(s);
    return code;
}
