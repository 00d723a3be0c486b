#include "sim/command/explain_steps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/input/scenario.h"
#include "sim/observe/label.h"

enum {
    HEAD_WIDTH = 13,
    LINE_WIDTH = 80,
    ROW_WIDTH = 44, /* of a group's table, before its next hop */
    TEXT_MAX = 640,
    COMMENT_MAX = 96,
    INACTIVE_MAX = 20, /* routes of one prefix that are told */
};

/* ------------------------------------------------------------------------------- lines */

/* How much of the text fits: up to its last blank within `room`, or its first word. */
static size_t fitting(const char *text, size_t room)
{
    size_t n = strlen(text), at;

    if (n <= room)
        return n;
    for (at = room; at > 0 && text[at] != ' '; at--)
        ;
    return at > 0 ? at : strcspn(text, " ");
}

void explain_line(const struct explain_steps *e, const char *head, const char *text)
{
    size_t indent = HEAD_WIDTH + strspn(text, " ");

    fprintf(e->out, "%-*s ", HEAD_WIDTH - 1, head);
    fprintf(e->out, "%*s", (int)indent - HEAD_WIDTH, "");
    text += indent - HEAD_WIDTH;
    for (;;) {
        const size_t n = fitting(text, LINE_WIDTH - indent);

        fprintf(e->out, "%.*s\n", (int)n, text);
        text += n + strspn(text + n, " ");
        if (!*text)
            return;
        if (indent < HEAD_WIDTH + 4)
            indent = HEAD_WIDTH + 4;
        fprintf(e->out, "%*s", (int)indent, "");
    }
}

__attribute__((format(printf, 2, 3))) static void sub_line(const struct explain_steps *e,
                                                           const char *format, ...)
{
    char text[TEXT_MAX] = "  ";
    va_list args;

    va_start(args, format);
    vsnprintf(text + 2, sizeof text - 2, format, args);
    va_end(args);
    explain_line(e, "", text);
}

static const char *hop_text(const struct explain_steps *e, const struct nexthop *h,
                            char *buf, size_t size)
{
    char gateway[ADDR_TEXT_MAX];

    if (addr_is_set(&h->gateway))
        snprintf(buf, size, "%s on %s", addr_format(&h->gateway, gateway),
                 label_iface(e->config, h->iface));
    else
        snprintf(buf, size, "directly on %s", label_iface(e->config, h->iface));
    return buf;
}

/* ----------------------------------------------------------------------- what is wanted */

/* What rules and NAT rules both select by. */
struct wanted {
    const struct prefix *src, *dst;
    const struct config_range *sport, *dport;
    int protocol;
    int out_iface;
};

static void put_range(char *buf, size_t size, const char *name,
                      const struct config_range *r)
{
    if (r->first == r->last)
        snprintf(buf, size, "%s %u", name, (unsigned)r->first);
    else
        snprintf(buf, size, "%s %u-%u", name, (unsigned)r->first, (unsigned)r->last);
}

/* "src_address 192.168.10.50": the selector and what it wants; a name alone where it says all. */
static const char *wanted_text(const struct explain_steps *e, const struct wanted *w,
                               const char *selector, char *buf, size_t size)
{
    char text[PREFIX_TEXT_MAX], name[16];

    if (strcmp(selector, "src_address") == 0)
        snprintf(buf, size, "%s %s", selector, prefix_format(w->src, text));
    else if (strcmp(selector, "dst_address") == 0)
        snprintf(buf, size, "%s %s", selector, prefix_format(w->dst, text));
    else if (strcmp(selector, "src_port") == 0)
        put_range(buf, size, selector, w->sport);
    else if (strcmp(selector, "dst_port") == 0)
        put_range(buf, size, selector, w->dport);
    else if (strcmp(selector, "protocol") == 0)
        snprintf(buf, size, "%s %s", selector,
                 packet_protocol_name((uint8_t)w->protocol, name));
    else if (strcmp(selector, "out_interface") == 0)
        snprintf(buf, size, "%s %s", selector,
                 label_iface(e->config, (unsigned)w->out_iface));
    else
        snprintf(buf, size, "another %s", selector);
    return buf;
}

static const char *rule_wants(const struct explain_steps *e, const struct config_rule *m,
                              const char *selector, char *buf, size_t size)
{
    const struct wanted w = {&m->src,   &m->dst,     &m->sport,
                             &m->dport, m->protocol, m->out_iface};

    if (strcmp(selector, "interface") != 0)
        return wanted_text(e, &w, selector, buf, size);
    if (m->from_router)
        snprintf(buf, size, "what the router itself sends");
    else
        snprintf(buf, size, "interface %s", label_iface(e->config, (unsigned)m->iface));
    return buf;
}

/* ------------------------------------------------------------------------ rules, routes */

static const char *rule_head(const struct explain_steps *e, int rule, char *buf,
                             size_t size)
{
    char label[LABEL_MAX];

    if (rule >= 0)
        snprintf(buf, size, "rule %d", rule);
    else
        snprintf(buf, size, "rule %s", label_rule(e->config, rule, label));
    return buf;
}

/* The rule's comment in quotes and a blank, or nothing. */
static const char *rule_comment(const struct explain_steps *e, int rule, char *buf,
                                size_t size)
{
    const char *comment = rule >= 0 ? e->config->rules[rule].comment : NULL;

    buf[0] = '\0';
    if (comment && *comment)
        snprintf(buf, size, "\"%.60s\" ", comment);
    return buf;
}

static void tell_rule_skipped(const struct explain_steps *e, const struct trace_step *s)
{
    const struct config_rule *m = s->rule >= 0 ? &e->config->rules[s->rule] : NULL;
    char head[32], comment[COMMENT_MAX], line[TEXT_MAX], wants[160];

    if (s->rule == RULE_BUILTIN_MARK)
        return; /* one for each table: only the one that matches is worth a line */
    rule_comment(e, s->rule, comment, sizeof comment);
    if (!m)
        snprintf(line, sizeof line, "%sskipped: its %s does not match", comment, s->text);
    else if (m->negated)
        snprintf(line, sizeof line, "%sskipped: it matches what this is not", comment);
    else
        snprintf(line, sizeof line, "%sskipped: it wants %s", comment,
                 rule_wants(e, m, s->text, wants, sizeof wants));
    explain_line(e, rule_head(e, s->rule, head, sizeof head), line);
}

static void tell_rule_matched(const struct explain_steps *e, const struct trace_step *s)
{
    const struct config_rule *m = s->rule >= 0 ? &e->config->rules[s->rule] : NULL;
    char head[32], comment[COMMENT_MAX], line[TEXT_MAX], limit[48] = "";

    rule_comment(e, s->rule, comment, sizeof comment);
    if (m && m->min_prefix >= 0)
        snprintf(limit, sizeof limit, ", min-prefix %d", m->min_prefix);
    if (m && m->action > RULE_LOOKUP_ONLY)
        snprintf(line, sizeof line, "%smatches: %s", comment,
                 rule_action_names[m->action]);
    else if (s->rule == RULE_BUILTIN_LOCAL)
        snprintf(line, sizeof line,
                 "always first: lookup in table %s, the router's own addresses",
                 e->config->tables[s->table]);
    else if (s->rule < 0)
        snprintf(line, sizeof line, "%s: lookup in table %s",
                 s->rule == RULE_BUILTIN_MARK ? "its routing mark" : "always last",
                 e->config->tables[s->table]);
    else
        snprintf(line, sizeof line, "%smatches: %s in table %s%s", comment,
                 rule_action_names[m->action], e->config->tables[s->table], limit);
    explain_line(e, rule_head(e, s->rule, head, sizeof head), line);
}

static const char *entry_text(const struct explain_steps *e, const struct fib_entry *entry,
                              char *buf, size_t size)
{
    char hop[160];

    if (!entry->group)
        snprintf(buf, size, "a %s route%s", route_type_names[entry->type],
                 entry->type == ROUTE_LOCAL ? ": an address of the router itself" : "");
    else if (entry->group->len == 0)
        snprintf(buf, size, "no next hop");
    else if (entry->group->len > 1)
        snprintf(buf, size, "%u next hops, %u of them living", (unsigned)entry->group->len,
                 (unsigned)entry->group->live);
    else
        snprintf(buf, size, "%s%s",
                 addr_is_set(&entry->group->hops[0].gateway) ? "via " : "",
                 hop_text(e, &entry->group->hops[0], hop, sizeof hop));
    return buf;
}

/* Why the entry of the same prefix is not the one that was found. */
static void tell_inactive(const struct explain_steps *e, const struct fib_entry *entry,
                          const struct fib_entry *found)
{
    char how[200], why[64];

    if (entry->tos && entry->tos != e->packet->tos)
        snprintf(why, sizeof why, "for TOS %u alone", (unsigned)entry->tos);
    else if (!entry->usable)
        snprintf(why, sizeof why, "its gateway does not live");
    else if (entry->distance > found->distance)
        snprintf(why, sizeof why, "distance %" PRIu32 " lives", found->distance);
    else
        snprintf(why, sizeof why, "another one comes first");
    sub_line(e, "not used: distance %" PRIu32 ", %s: %s", entry->distance,
             entry_text(e, entry, how, sizeof how), why);
}

static void tell_route_found(const struct explain_steps *e, const struct trace_step *s)
{
    const struct fib_entry *found = s->entry, *entry;
    char prefix[PREFIX_TEXT_MAX], how[200];
    unsigned told = 0;

    sub_line(e, "best match %s, distance %" PRIu32 ", %s",
             prefix_format(&found->dst, prefix), found->distance,
             entry_text(e, found, how, sizeof how));
    for (entry = rib_find(e->rib, found->table, &found->dst); entry && told < INACTIVE_MAX;
         entry = entry->next == RIB_NO_ROUTE ? NULL : rib_entry(e->rib, entry->next))
        if (entry != found) {
            tell_inactive(e, entry, found);
            told++;
        }
}

static void tell_suppressed(const struct explain_steps *e, const struct trace_step *s)
{
    if (strcmp(s->text, "min_prefix") != 0) {
        sub_line(e, "suppressed: its interface is in group %d; the next rule is tried",
                 s->limit);
        return;
    }
    sub_line(e, "suppressed: its prefix length %u is not above min-prefix %d",
             (unsigned)s->entry->dst.length, s->limit);
    sub_line(e, "%s: the next rule is tried",
             s->limit == 0 ? "min-prefix 0 hides default routes"
                           : "so this rule finds nothing");
}

static void tell_kept(const struct explain_steps *e, const struct trace_step *s)
{
    if (s->entry->type != ROUTE_UNICAST && s->entry->type != ROUTE_LOCAL)
        sub_line(
            e,
            "kept: a route of this kind ends the walk, min-prefix does not apply to it");
    else if (s->limit >= 0)
        sub_line(e, "kept: its prefix length %u is above min-prefix %d",
                 (unsigned)s->entry->dst.length, s->limit);
    else if (s->rule >= 0)
        sub_line(e, "kept: the rule has no min-prefix");
}

static void tell_miss(const struct explain_steps *e, const struct trace_step *s)
{
    const bool only =
        s->rule >= 0 && e->config->rules[s->rule].action == RULE_LOOKUP_ONLY;

    if (s->rule == RULE_BUILTIN_LOCAL)
        sub_line(e, "no match: not for the router itself; the next rule is tried");
    else
        sub_line(e, "no match in that table: %s",
                 only ? "the rule allows no other" : "the next rule is tried");
}

/* -------------------------------------------------------------------------- hash, group */

static void tell_hash(const struct explain_steps *e, const struct trace_step *s)
{
    char line[TEXT_MAX];
    size_t at;

    snprintf(line, sizeof line,
             "policy %s: SipHash-2-4 over %zu bytes, key from the seed", s->text,
             s->block_len);
    explain_line(e, "hash", line);
    for (size_t i = 0; i < s->block_len; i += 24) {
        at = 0;
        for (size_t k = i; k < i + 24 && k < s->block_len; k++)
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%02x",
                                   k > i && k % 4 == 0 ? " " : "", s->block[k]);
        sub_line(e, "%s", line);
    }
    sub_line(e, "= %" PRIu32 " of 0 to 2147483647", s->hash);
    if (e->config->platform == PLATFORM_ROUTEROS7)
        sub_line(e, "(a device has its own key: its pick for this flow may differ)");
}

static void tell_one_hop(const struct explain_steps *e, const struct nexthop *h)
{
    char hop[160], line[TEXT_MAX];

    snprintf(line, sizeof line, "one next hop, nothing to choose: %s",
             hop_text(e, h, hop, sizeof hop));
    explain_line(e, "group", line);
}

/* "policy flowlet picks, gap 50ms" */
static void tell_policy(const struct explain_steps *e, const struct config_policy *p)
{
    json_t *parameters = scenario_policy_parameters(p), *value;
    const char *key;
    char line[TEXT_MAX];
    size_t n = (size_t)snprintf(line, sizeof line, "policy %s picks", p->name);

    json_object_foreach(parameters, key, value) {
        char *number = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

        n += (size_t)snprintf(line + n, sizeof line - n, ", %s %s", key,
                              number ? number : json_string_value(value));
        free(number);
    }
    json_decref(parameters);
    explain_line(e, "group", line);
}

/* Of a policy that has no regions: who lives, and who it is now. */
static void tell_picked(const struct explain_steps *e, const struct trace_step *s)
{
    const struct nexthop_group *g = s->entry->group;
    char hop[160];

    tell_policy(e, &e->config->policies[s->entry->policy]);
    for (unsigned i = 0; i < g->len; i++)
        sub_line(e, "%c %u, weight %u%s  %s", i == s->member ? '>' : ' ', i,
                 (unsigned)g->hops[i].weight, g->hops[i].up ? "" : ", down",
                 hop_text(e, &g->hops[i], hop, sizeof hop));
}

static void tell_member(const struct explain_steps *e, const struct trace_step *s)
{
    const struct nexthop_group *g = s->entry->group;
    int64_t from = 0;

    if (g->len == 1) {
        tell_one_hop(e, &g->hops[0]);
        return;
    }
    if (s->entry->seat != RIB_NO_SEAT) {
        tell_picked(e, s);
        return;
    }
    explain_line(e, "group", "  member  weight  owns the hashes           next hop");
    for (unsigned i = 0; i < g->len; i++) {
        const struct nexthop *h = &g->hops[i];
        char range[40] = "none: it is down", hop[160], row[TEXT_MAX];

        if (h->upper_bound >= 0) {
            snprintf(range, sizeof range, "%10" PRId64 " to %10" PRId32, from,
                     h->upper_bound);
            from = (int64_t)h->upper_bound + 1;
        }
        hop_text(e, h, hop, sizeof hop);
        snprintf(row, sizeof row, "%c %6u  %6u  ", i == s->member ? '>' : ' ', i,
                 (unsigned)h->weight);
        if (HEAD_WIDTH + ROW_WIDTH + strlen(hop) <= LINE_WIDTH)
            fprintf(e->out, "%*s%s%-24s  %s\n", HEAD_WIDTH, "", row, range, hop);
        else
            fprintf(e->out, "%*s%s%s\n%*s%s\n", HEAD_WIDTH, "", row, range,
                    HEAD_WIDTH + (int)strlen(row), "", hop);
    }
}

/* ---------------------------------------------------------------------------------- NAT */

static void tell_nat(const struct explain_steps *e, const struct trace_step *s)
{
    char line[TEXT_MAX], addr[ADDR_TEXT_MAX], rule[24] = "", port[24] = "";

    if (s->nat >= 0)
        snprintf(rule, sizeof rule, "rule %d, ", s->nat);
    if (s->port)
        snprintf(port, sizeof port, ", port %u", (unsigned)s->port);
    if (addr_is_set(&s->addr))
        snprintf(line, sizeof line, "%s%s: the source becomes %s%s", rule, s->text,
                 addr_format(&s->addr, addr), port);
    else
        snprintf(line, sizeof line, "%s%s", rule, s->text);
    explain_line(e, "nat", line);
}

static void tell_nat_skipped(const struct explain_steps *e, const struct trace_step *s)
{
    const struct config_nat *m = &e->config->nat[s->nat];
    const struct wanted w = {&m->src,   &m->dst,     &m->sport,
                             &m->dport, m->protocol, m->out_iface};
    char line[TEXT_MAX], wants[160];

    snprintf(line, sizeof line, "rule %d skipped: it wants %s", s->nat,
             wanted_text(e, &w, s->text, wants, sizeof wants));
    explain_line(e, "nat", line);
}

void explain_step(void *context, const struct trace_step *s)
{
    const struct explain_steps *e = context;

    switch (s->kind) {
    case TRACE_CONNECTION: explain_line(e, "connection", s->text); break;
    case TRACE_RULE_SKIPPED: tell_rule_skipped(e, s); break;
    case TRACE_RULE_MATCHED: tell_rule_matched(e, s); break;
    case TRACE_TABLE_MISS: tell_miss(e, s); break;
    case TRACE_ROUTE_FOUND: tell_route_found(e, s); break;
    case TRACE_SUPPRESSED: tell_suppressed(e, s); break;
    case TRACE_KEPT: tell_kept(e, s); break;
    case TRACE_RULE_ENDS: sub_line(e, "the walk along the rules ends here"); break;
    case TRACE_NO_ROUTE: explain_line(e, "rules", "the end of the list: no route"); break;
    case TRACE_HASH: tell_hash(e, s); break;
    case TRACE_MEMBER: tell_member(e, s); break;
    case TRACE_NAT_SKIPPED: tell_nat_skipped(e, s); break;
    case TRACE_NAT: tell_nat(e, s); break;
    case TRACE_VERDICT: break; /* told whole at the end, with the reason */
    }
}

/* ------------------------------------------------------------------------------ verdict */

void explain_verdict(const struct explain_steps *e, const struct decision *d)
{
    char line[TEXT_MAX], gateway[LABEL_MAX], source[ADDR_TEXT_MAX];
    const char *via = label_gateway(d, gateway);

    if (d->verdict != VERDICT_FORWARD) {
        snprintf(line, sizeof line, "%s%s%s",
                 d->verdict == VERDICT_LOCAL ? "for the router itself"
                                             : verdict_names[d->verdict],
                 d->reason ? ": " : "", reason_names[d->reason]);
        explain_line(e, "verdict", line);
        return;
    }
    snprintf(
        line, sizeof line, "forward by %s%s%s; %s %s",
        label_iface(e->config, d->out_iface), *via ? " via " : "", via,
        d->flags & DECISION_NATED ? "the world sees" : "the source stays",
        addr_format(d->flags & DECISION_NATED ? &d->nat_src : &e->packet->src, source));
    explain_line(e, "verdict", line);
}

void explain_fault(const struct explain_steps *e, const char *wan, enum reason fault)
{
    char line[TEXT_MAX];

    if (fault == REASON_NONE)
        return;
    snprintf(line, sizeof line, "lost on %s at that time, %s: %s", wan, reason_names[fault],
             reason_abouts[fault]);
    explain_line(e, "behind it", line);
}
