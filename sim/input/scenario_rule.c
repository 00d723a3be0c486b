/*
 * Routing rules, and their order.
 *
 * RouterOS rules apply in the order of the list: they get priorities 1, 2, 3 ..., and a
 * rule that an event adds takes its place among them. A Linux rule has a priority; without
 * one, rule i of the list has 100 + i.
 *
 * Sources: RouterOS manual, /routing/rule; ip-rule(8); Linux fib_nl2rule().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_parts.h"

enum { ACTION_BLACKHOLE = RULE_NOP + 1, ACTIONS, LINUX_FIRST_PRIORITY = 100 };

static const char *const actions[ACTIONS] = {
    [RULE_LOOKUP] = "lookup",     [RULE_LOOKUP_ONLY] = "lookup-only-in-table",
    [RULE_DROP] = "drop",         [RULE_UNREACHABLE] = "unreachable",
    [RULE_PROHIBIT] = "prohibit", [RULE_GOTO] = "goto",
    [RULE_NOP] = "nop",           [ACTION_BLACKHOLE] = "blackhole",
};

static const char *const families[] = {
    [FAMILY_V4] = "ipv4",
    [FAMILY_V6] = "ipv6",
};

/* ---- reading ---- */

static bool parse_u32(const char *text, char end, uint32_t *value, const char **rest)
{
    char *stop;
    unsigned long long number;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    number = strtoull(text, &stop, 0);
    if (errno || number > UINT32_MAX || (*stop != end && *stop != '\0'))
        return false;
    *value = (uint32_t)number;
    *rest = *stop == '\0' ? NULL : stop + 1;
    return true;
}

/* "0x10/0xff", "0x10" or 16. Without a mask all bits count, but 0 then means any. */
static bool read_fwmark(const struct reader *r, json_t *value, const char *pointer,
                        void *target)
{
    const char *text = json_string_value(value), *rest = NULL, *behind;
    json_int_t number = json_integer_value(value);
    struct mark_text m = {0, 0};
    bool ok = false;

    if (json_is_integer(value) && number >= 0 && number <= UINT32_MAX) {
        m.mark = (uint32_t)number;
        ok = true;
    } else if (text && strlen(text) == json_string_length(value)) {
        ok = parse_u32(text, '/', &m.mark, &rest) &&
             (!rest || parse_u32(rest, '\0', &m.mask, &behind));
    }
    if (!ok)
        return diag_error(r->diag, pointer,
                          "expected a mark such as \"0x10/0xff\" or 16, of 32 bits");
    if (!rest)
        m.mask = m.mark ? UINT32_MAX : 0;
    memcpy(target, &m, sizeof m);
    return true;
}

static reader_check check_rule;

/* clang-format off */
static const struct reader_field rule_fields[] = {
    {.name = "action", .kind = READER_ENUM, READER_AT(struct rule_text, rule.action),
     READER_NAMES(actions), .by_default = "lookup",
     .doc = "linux: not lookup-only-in-table; routeros7: not prohibit, goto, nop,"
             " blackhole"},
    {.name = "table", .kind = READER_STRING, READER_AT(struct rule_text, table),
     .doc = "where to look up"},
    {.name = "src_address", .kind = READER_PREFIX, READER_AT(struct rule_text, rule.src),
     .host_bits = READER_HOST_BITS_CLEARED, .doc = "only packets from there"},
    {.name = "dst_address", .kind = READER_PREFIX, READER_AT(struct rule_text, rule.dst),
     .host_bits = READER_HOST_BITS_CLEARED, .doc = "only packets to there"},
    {.name = "interface", .kind = READER_STRING, READER_AT(struct rule_text, interface),
     .doc = "only packets that come in there"},
    {.name = "routing_mark", .kind = READER_STRING,
     READER_AT(struct rule_text, routing_mark),
     .min = 1, .doc = "routeros7: only packets with this mark"},
    {.name = "min_prefix", .kind = READER_INT, READER_AT(struct rule_text, min_prefix),
     READER_GIVEN(struct rule_text, min_prefix_given), .max = UINT32_MAX,
     .doc = "pass over a route whose prefix is no longer than this"},
    {.name = "disabled", .kind = READER_BOOL, READER_AT(struct rule_text, rule.disabled),
     .by_default = "false", .doc = "as if it were not there"},
    {.name = "comment", .kind = READER_STRING, READER_AT(struct rule_text, rule.comment),
     .doc = "what events and reports call it"},
    {.name = "priority", .kind = READER_INT, READER_AT(struct rule_text, rule.priority),
     READER_GIVEN(struct rule_text, priority_given), .max = UINT32_MAX,
     .doc = "linux: ascending; 100 and its place in the list when left out"},
    {.name = "family", .kind = READER_ENUM, READER_AT(struct rule_text, rule.family),
     READER_NAMES(families), .doc = "linux: only this one; both when left out"},
    {.name = "not", .kind = READER_BOOL, READER_AT(struct rule_text, rule.negated),
     .by_default = "false", .doc = "linux: packets that do not match"},
    {.name = "from_router", .kind = READER_BOOL,
     READER_AT(struct rule_text, rule.from_router),
     .by_default = "false", .doc = "linux: only what the router itself sends (iif lo)"},
    {.name = "out_interface", .kind = READER_STRING,
     READER_AT(struct rule_text, out_interface),
     .doc = "linux: only look-ups that are bound to it"},
    {.name = "fwmark", .kind = READER_CUSTOM, READER_AT(struct rule_text, fwmark),
     .custom = read_fwmark,
     .schema = "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 4294967295},"
               " {\"type\": \"string\", \"pattern\": \"^[0-9][0-9a-fA-FxX]*(/[0-9][0-9a-fA-FxX]*"
               ")?$\"}]}",
     .doc = "linux: MARK/MASK, as \"0x10/0xff\""},
    {.name = "protocol", .kind = READER_CUSTOM, READER_AT(struct rule_text, protocol),
     .custom = scenario_read_protocol, .schema = SCENARIO_PROTOCOL_SCHEMA,
     .doc = "linux: by name or number"},
    {.name = "src_port", .kind = READER_CUSTOM, READER_AT(struct rule_text, rule.sport),
     .custom = scenario_read_ports, .schema = SCENARIO_PORTS_SCHEMA,
     .doc = "linux: one, or a range as \"1000-2000\""},
    {.name = "dst_port", .kind = READER_CUSTOM, READER_AT(struct rule_text, rule.dport),
     .custom = scenario_read_ports, .schema = SCENARIO_PORTS_SCHEMA,
     .doc = "linux: likewise"},
    {.name = "tos", .kind = READER_INT, READER_AT(struct rule_text, tos), .max = 255,
     .doc = "linux: only packets with these bits; 0: any"},
    {.name = "goto", .kind = READER_INT, READER_AT(struct rule_text, rule.goto_priority),
     READER_GIVEN(struct rule_text, goto_given), .max = UINT32_MAX,
     .doc = "linux: the priority to go on with"},
    {.name = "suppress_ifgroup", .kind = READER_INT,
     READER_AT(struct rule_text, rule.suppress_group),
     READER_GIVEN(struct rule_text, suppress_given), .max = INT32_MAX,
     .doc = "linux: pass over a route out of an interface of this group"},
    READER_END,
};
/* clang-format on */

const struct reader_object rule_object = {
    .name = "rule",
    .doc = "a routing rule",
    READER_STRUCT(struct rule_text),
    .fields = rule_fields,
    .pointer = READER_OFFSET(struct rule_text, rule.pointer),
    .check = check_rule,
};

static bool is_lookup(const struct config_rule *rule)
{
    return rule->action == RULE_LOOKUP || rule->action == RULE_LOOKUP_ONLY;
}

static bool check_action(const struct reader *r, const struct rule_text *t,
                         const char *pointer)
{
    const unsigned action = t->rule.action;
    const bool only_routeros = action == RULE_LOOKUP_ONLY;
    const bool only_linux = action == RULE_PROHIBIT || action == RULE_GOTO ||
                            action == RULE_NOP || action == ACTION_BLACKHOLE;
    const int platform = scenario_reading_of(r)->platform;

    if (only_routeros && platform == PLATFORM_LINUX)
        return diag_error_member(
            r->diag, pointer, "action",
            "'%s' is only for platform 'routeros7'; Linux needs a second "
            "rule, 'unreachable', after it",
            actions[action]);
    if (only_linux && platform == PLATFORM_ROUTEROS7)
        return diag_error_member(r->diag, pointer, "action",
                                 "'%s' is only for platform 'linux'", actions[action]);
    if (action == RULE_GOTO && !t->goto_given)
        return diag_error(r->diag, pointer,
                          "missing key 'goto', which action 'goto' needs");
    if (action != RULE_GOTO && t->goto_given)
        return diag_error_member(r->diag, pointer, "goto", "needs action 'goto'");
    return true;
}

/* What would be read and have no effect. */
static bool check_table(const struct reader *r, const struct rule_text *t,
                        const char *pointer)
{
    const char *action = actions[t->rule.action];

    if (is_lookup(&t->rule)) {
        if (!t->table)
            return diag_error(r->diag, pointer,
                              "missing key 'table', which action '%s' needs", action);
        return true;
    }
    if (t->table)
        diag_warn_member(r->diag, pointer, "table", "has no effect with action '%s'",
                         action);
    if (t->min_prefix_given)
        diag_warn_member(r->diag, pointer, "min_prefix", "has no effect with action '%s'",
                         action);
    if (t->suppress_given)
        diag_warn_member(r->diag, pointer, "suppress_ifgroup",
                         "has no effect with action '%s'", action);
    return true;
}

static bool check_families(const struct reader *r, const struct rule_text *t,
                           const char *pointer)
{
    const unsigned family = t->rule.family, src = t->rule.src.addr.family,
                   dst = t->rule.dst.addr.family;
    unsigned wanted = family ? family : src;

    if (family && src && src != family)
        return diag_error_member(r->diag, pointer, "src_address", "%s in a rule for %s",
                                 scenario_family_name(src), scenario_family_name(family));
    if (wanted && dst && dst != wanted)
        return diag_error_member(r->diag, pointer, "dst_address", "%s in a rule for %s",
                                 scenario_family_name(dst), scenario_family_name(wanted));
    if (dst)
        wanted = dst;
    if (t->tos & (wanted == FAMILY_V6 ? 0x03 : ~0x1c))
        return diag_error_member(r->diag, pointer, "tos",
                                 "0x%02x has bits that no rule for %s sees", t->tos,
                                 wanted == FAMILY_V6 ? "IPv6" : "IPv4");
    return true;
}

/* Source: Linux fib_rule_port_range_valid(). */
static bool check_ports(const struct reader *r, const struct rule_text *t,
                        const char *pointer)
{
    const struct config_rule *rule = &t->rule;

    if (rule->sport.last == UINT16_MAX)
        diag_error_member(r->diag, pointer, "src_port",
                          "port 65535: Linux takes none above 65534 in a rule");
    if (rule->dport.last == UINT16_MAX)
        diag_error_member(r->diag, pointer, "dst_port",
                          "port 65535: Linux takes none above 65534 in a rule");
    return rule->sport.last != UINT16_MAX && rule->dport.last != UINT16_MAX;
}

static bool check_rule(const struct reader *r, void *object, const char *pointer)
{
    struct rule_text *t = object;
    bool ok = check_action(r, t, pointer);

    ok = check_table(r, t, pointer) && ok;
    ok = check_families(r, t, pointer) && ok;
    ok = check_ports(r, t, pointer) && ok;
    if (t->rule.from_router && t->interface)
        ok = diag_error_member(r->diag, pointer, "interface",
                               "what the router itself sends comes in by no interface");
    t->ok = ok;
    return ok;
}

/* ---- routing marks ---- */

struct marks {
    const char **names;
    int *tables;
    size_t len;
};

/* The mark's number, from 1; a name that is new becomes a mark without a table. */
static uint32_t mark_of(const struct scenario_reading *s, struct marks *m,
                        const char *name)
{
    size_t i;

    for (i = 0; i < m->len; i++)
        if (strcmp(m->names[i], name) == 0)
            return (uint32_t)i + 1;
    m->names[m->len] = name;
    m->tables[m->len++] =
        strcmp(name, s->tables.names[TABLE_MAIN]) == 0 ? TABLE_MAIN : -1;
    return (uint32_t)i + 1;
}

/* Every table of the user is a mark of its name. */
static struct marks marks_make(struct scenario_reading *s, size_t rules)
{
    const size_t most = s->tables.len + rules;
    struct marks m = {
        .names = arena_alloc(s->reader.arena, most, sizeof *m.names),
        .tables = arena_alloc(s->reader.arena, most, sizeof *m.tables),
    };

    for (size_t i = TABLE_FIRST_USER; i < s->tables.len; i++) {
        if (!s->tables.names[i])
            continue;
        m.names[m.len] = s->tables.names[i];
        m.tables[m.len++] = (int)i;
    }
    return m;
}

/* ---- resolving names ---- */

static int min_prefix_of(const struct rule_text *t)
{
    if (!t->min_prefix_given || t->min_prefix > INT32_MAX)
        return -1; /* the kernel's number is signed */
    return (int)t->min_prefix;
}

static void rule_build(struct scenario_reading *s, const struct rule_text *t, size_t i,
                       struct marks *marks, struct config_rule *rule)
{
    const char *pointer = t->rule.pointer;

    *rule = t->rule;
    if (rule->action == ACTION_BLACKHOLE)
        rule->action = RULE_DROP;
    rule->table = is_lookup(rule)
                      ? scenario_name_find(s, &s->tables, t->table, pointer, "table")
                      : 0;
    rule->iface = scenario_name_find(s, &s->ifaces, t->interface, pointer, "interface");
    rule->out_iface =
        scenario_name_find(s, &s->ifaces, t->out_interface, pointer, "out_interface");
    rule->mark = t->fwmark.mark;
    rule->mark_mask = t->fwmark.mask;
    if (t->routing_mark) {
        rule->mark = mark_of(s, marks, t->routing_mark);
        rule->mark_mask = UINT32_MAX;
    }
    rule->tos = t->tos ? t->tos : -1;
    rule->protocol = t->protocol ? t->protocol : -1;
    rule->min_prefix = min_prefix_of(t);
    if (!t->suppress_given)
        rule->suppress_group = -1;
    if (!t->priority_given)
        rule->priority = LINUX_FIRST_PRIORITY + (uint32_t)i;
}

static void judge_goto(struct scenario_reading *s, const struct config_rule *rules,
                       size_t len, size_t i)
{
    const struct config_rule *rule = &rules[i];

    if (rule->goto_priority <= rule->priority) {
        diag_error_member(
            s->reader.diag, rule->pointer, "goto",
            "must be above the rule's own priority %u: Linux jumps forward only",
            rule->priority);
        return;
    }
    for (size_t k = 0; k < len; k++)
        if (rules[k].pointer && rules[k].priority == rule->goto_priority)
            return;
    if (!s->scenario->router.no_main_rule &&
        (rule->goto_priority == 32766 || rule->goto_priority == 32767))
        return;
    diag_warn_member(s->reader.diag, rule->pointer, "goto",
                     "no rule has priority %u, so this one is passed over",
                     rule->goto_priority);
}

void scenario_rules_build(struct scenario_reading *s, struct rule_text *const *texts,
                          size_t len, size_t len_of_file)
{
    struct config_rule *rules = arena_alloc(s->reader.arena, len, sizeof *rules);
    struct router_config *c = &s->scenario->router;
    struct marks marks = marks_make(s, len);

    for (size_t i = 0; i < len; i++) {
        if (!texts[i] || !texts[i]->ok)
            continue;
        rule_build(s, texts[i], i, &marks, &rules[i]);
        if (i >= len_of_file)
            rules[i].disabled = true;
    }
    for (size_t i = 0; i < len && s->platform == PLATFORM_LINUX; i++)
        if (rules[i].pointer && rules[i].action == RULE_GOTO)
            judge_goto(s, rules, len, i);
    c->rules = rules;
    c->rules_len = len;
    if (s->platform == PLATFORM_ROUTEROS7) {
        c->marks = marks.names;
        c->mark_tables = marks.tables;
        c->marks_len = marks.len;
    }
}

/* ---- the order of RouterOS's list ---- */

/* Numbers start over for each rule of the file: those put in front of it, then itself. */
void scenario_rules_number(struct scenario_reading *s,
                           const struct rule_insertion *insertions, size_t len,
                           size_t len_of_file)
{
    struct router_config *c = &s->scenario->router;
    uint32_t priority = 1;

    for (size_t i = 0; i < len_of_file; i++) {
        for (size_t k = 0; k < len; k++)
            if (insertions[k].before == i)
                c->rules[insertions[k].added].priority = priority++;
        c->rules[i].priority = priority++;
    }
    for (size_t k = 0; k < len; k++)
        if (insertions[k].before == SIZE_MAX)
            c->rules[insertions[k].added].priority = priority++;
}
