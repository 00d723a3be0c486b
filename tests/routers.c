#include "tests/routers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* ------------------------------------------------------------------------------- words */

enum { WORDS_MAX = 64, LINE_MAX_BYTES = 1024 };

struct words {
    char line[LINE_MAX_BYTES];
    const char *word[WORDS_MAX];
    size_t len, at;
};

static void words_split(struct words *w, const char *text, size_t length)
{
    char *rest;

    if (length >= sizeof w->line)
        fail_msg("line too long: %.40s", text);
    memcpy(w->line, text, length);
    w->line[length] = '\0';
    w->len = w->at = 0;
    for (char *s = strtok_r(w->line, " \t", &rest); s; s = strtok_r(NULL, " \t", &rest)) {
        if (w->len == WORDS_MAX)
            fail_msg("too many words: %.40s", text);
        w->word[w->len++] = s;
    }
}

static const char *next_word(struct words *w)
{
    if (w->at == w->len)
        fail_msg("a word is missing behind '%s'", w->at ? w->word[w->at - 1] : "nothing");
    return w->word[w->at++];
}

/* Is the next word this one? Then it is taken. */
static bool take(struct words *w, const char *word)
{
    if (w->at == w->len || strcmp(w->word[w->at], word) != 0)
        return false;
    w->at++;
    return true;
}

static uint32_t number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 0);

    if (end == text || *end || n > UINT32_MAX)
        fail_msg("no number: '%s'", text);
    return (uint32_t)n;
}

static uint32_t next_number(struct words *w)
{
    return number(next_word(w));
}

static unsigned name_index(const char *what, const char *const *names, size_t len,
                           const char *name)
{
    for (unsigned i = 0; i < len; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    fail_msg("no %s is called '%s'", what, name);
    return 0;
}

struct addr address(const char *text)
{
    struct addr a = {0};

    if (!addr_parse(text, &a))
        fail_msg("no address: '%s'", text);
    return a;
}

struct prefix interface_address(const char *text)
{
    struct prefix p = {0};

    if (!prefix_parse(text, &p))
        fail_msg("no prefix: '%s'", text);
    return p;
}

struct prefix network(const char *text)
{
    const struct prefix p = interface_address(text);

    return prefix_of(&p.addr, p.length);
}

static struct config_range range(const char *text)
{
    char first[16];
    const char *dash = strchr(text, '-');

    if (!dash)
        return (struct config_range){(uint16_t)number(text), (uint16_t)number(text)};
    snprintf(first, sizeof first, "%.*s", (int)(dash - text), text);
    return (struct config_range){(uint16_t)number(first), (uint16_t)number(dash + 1)};
}

static uint8_t protocol(const char *text)
{
    uint8_t p = 0;

    if (!packet_protocol_parse(text, &p))
        fail_msg("no protocol: '%s'", text);
    return p;
}

/* --------------------------------------------------------------------------- statements */

unsigned lab_iface(const struct lab *l, const char *name)
{
    for (unsigned i = 0; i < l->config.ifaces_len; i++)
        if (strcmp(l->ifaces[i].name, name) == 0)
            return i;
    fail_msg("no interface is called '%s'", name);
    return 0;
}

static int find_iface(const struct lab *l, const char *name)
{
    for (size_t i = 0; i < l->config.ifaces_len; i++)
        if (strcmp(l->ifaces[i].name, name) == 0)
            return (int)i;
    return -1;
}

unsigned lab_table(const struct lab *l, const char *name)
{
    return name_index("table", l->tables, l->config.tables_len, name);
}

static uint16_t table_of(struct lab *l, const char *name)
{
    for (size_t i = 0; i < l->config.tables_len; i++)
        if (strcmp(l->tables[i], name) == 0)
            return (uint16_t)i;
    l->tables =
        mem_grow(l->tables, &l->tables_cap, l->config.tables_len + 1, sizeof *l->tables);
    l->tables[l->config.tables_len] = arena_strdup(l->arena, name);
    return (uint16_t)l->config.tables_len++;
}

static void read_iface(struct lab *l, struct words *w)
{
    struct prefix *addresses = arena_alloc(l->arena, WORDS_MAX, sizeof *addresses);
    struct config_iface c = {.name = arena_strdup(l->arena, next_word(w)),
                             .addresses = addresses};

    while (w->at < w->len) {
        if (take(w, "group"))
            c.group = next_number(w);
        else if (take(w, "disabled"))
            c.disabled = true;
        else
            addresses[c.addresses_len++] = interface_address(next_word(w));
    }
    l->ifaces =
        mem_grow(l->ifaces, &l->ifaces_cap, l->config.ifaces_len + 1, sizeof *l->ifaces);
    l->ifaces[l->config.ifaces_len++] = c;
}

/* ADDRESS, IFACE or ADDRESS%IFACE, then *WEIGHT, then @TABLE. */
static struct config_gateway read_gateway(struct lab *l, const char *text)
{
    struct config_gateway g = {.iface = -1, .table = TABLE_MAIN, .weight = 1};
    char buf[128], *mark;

    snprintf(buf, sizeof buf, "%s", text);
    if ((mark = strchr(buf, '@'))) {
        g.table = table_of(l, mark + 1);
        *mark = '\0';
    }
    if ((mark = strchr(buf, '*'))) {
        g.weight = (uint16_t)number(mark + 1);
        *mark = '\0';
    }
    if ((mark = strchr(buf, '%'))) {
        g.iface = (int)lab_iface(l, mark + 1);
        *mark = '\0';
    }
    if (g.iface < 0 && find_iface(l, buf) >= 0)
        g.iface = find_iface(l, buf);
    else
        g.addr = address(buf);
    return g;
}

static bool is_gateway(const struct lab *l, const char *word)
{
    char name[128];
    struct addr a;

    snprintf(name, sizeof name, "%s", word);
    name[strcspn(name, "%*@")] = '\0';
    return find_iface(l, name) >= 0 || addr_parse(name, &a);
}

static void read_gateways(struct lab *l, struct words *w, struct config_route *c)
{
    struct config_gateway *all = arena_alloc(l->arena, WORDS_MAX, sizeof *all);

    c->gateways = all;
    while (w->at < w->len && is_gateway(l, w->word[w->at]))
        all[c->gateways_len++] = read_gateway(l, next_word(w));
    if (!c->gateways_len)
        fail_msg("a gateway is missing");
}

static uint32_t default_distance(const struct lab *l, const struct prefix *dst)
{
    if (l->config.platform == PLATFORM_ROUTEROS7)
        return 1;
    return dst->addr.family == FAMILY_V6 ? 1024 : 0;
}

static void read_route(struct lab *l, struct words *w)
{
    struct config_route c = {.dst = network(next_word(w)), .scope = 30, .target_scope = 10};

    c.distance = default_distance(l, &c.dst);
    while (w->at < w->len) {
        if (take(w, "via"))
            read_gateways(l, w, &c);
        else if (take(w, "table"))
            c.table = table_of(l, next_word(w));
        else if (take(w, "distance"))
            c.distance = next_number(w);
        else if (take(w, "check"))
            c.check =
                (uint8_t)name_index("check", check_kind_names, CHECK_KINDS, next_word(w));
        else if (take(w, "scope"))
            c.scope = (uint8_t)next_number(w);
        else if (take(w, "target-scope"))
            c.target_scope = (uint8_t)next_number(w);
        else if (take(w, "tos"))
            c.tos = (uint8_t)next_number(w);
        else if (take(w, "disabled"))
            c.disabled = true;
        else
            c.type = (uint8_t)name_index("type of route", route_type_names,
                                         ROUTE_THROW + 1, next_word(w));
    }
    l->config.routes = mem_grow(l->config.routes, &l->routes_cap, l->config.routes_len + 1,
                                sizeof *l->config.routes);
    l->config.routes[l->config.routes_len++] = c;
}

static void read_mark(struct words *w, struct config_rule *c)
{
    char *text = strdup(next_word(w)), *slash = strchr(text, '/');

    c->mark_mask = UINT32_MAX;
    if (slash) {
        c->mark_mask = number(slash + 1);
        *slash = '\0';
    }
    c->mark = number(text);
    free(text);
}

static void read_in_iface(const struct lab *l, struct words *w, struct config_rule *c)
{
    if (take(w, "router"))
        c->from_router = true;
    else
        c->iface = (int)lab_iface(l, next_word(w));
}

/* One selector of a rule; false when the word is none. */
static bool read_selector(struct lab *l, struct words *w, struct config_rule *c)
{
    if (take(w, "family"))
        c->family = (uint8_t)next_number(w);
    else if (take(w, "not"))
        c->negated = true;
    else if (take(w, "from"))
        c->src = network(next_word(w));
    else if (take(w, "to"))
        c->dst = network(next_word(w));
    else if (take(w, "iif"))
        read_in_iface(l, w, c);
    else if (take(w, "oif"))
        c->out_iface = (int)lab_iface(l, next_word(w));
    else if (take(w, "mark"))
        read_mark(w, c);
    else if (take(w, "tos"))
        c->tos = (int)next_number(w);
    else if (take(w, "proto"))
        c->protocol = protocol(next_word(w));
    else if (take(w, "sport"))
        c->sport = range(next_word(w));
    else if (take(w, "dport"))
        c->dport = range(next_word(w));
    else
        return false;
    return true;
}

static void read_rule(struct lab *l, struct words *w)
{
    struct config_rule c = {.iface = -1,
                            .out_iface = -1,
                            .tos = -1,
                            .protocol = -1,
                            .min_prefix = -1,
                            .suppress_group = -1,
                            .priority = (uint32_t)l->config.rules_len + 1};

    c.action = (uint8_t)name_index("action", rule_action_names, RULE_NOP + 1, next_word(w));
    if (c.action == RULE_LOOKUP || c.action == RULE_LOOKUP_ONLY)
        c.table = table_of(l, next_word(w));
    while (w->at < w->len) {
        if (read_selector(l, w, &c))
            continue;
        if (take(w, "priority"))
            c.priority = next_number(w);
        else if (take(w, "min-prefix"))
            c.min_prefix = (int)next_number(w);
        else if (take(w, "suppress-group"))
            c.suppress_group = (int)next_number(w);
        else if (take(w, "goto"))
            c.goto_priority = next_number(w);
        else if (take(w, "disabled"))
            c.disabled = true;
        else
            fail_msg("rule: unknown word '%s'", next_word(w));
    }
    l->config.rules = mem_grow(l->config.rules, &l->rules_cap, l->config.rules_len + 1,
                               sizeof *l->config.rules);
    l->config.rules[l->config.rules_len++] = c;
}

static void read_public(const char *text, struct config_nat *c)
{
    char *first = strdup(text), *dash = strchr(first, '-');

    if (dash)
        *dash = '\0';
    c->to_first = address(first);
    c->to_last = dash ? address(dash + 1) : c->to_first;
    c->family = c->to_first.family;
    free(first);
}

static void read_nat(struct lab *l, struct words *w)
{
    static const char *const actions[] = {"masquerade", "src-nat", "accept"};
    struct config_nat c = {.family = FAMILY_V4, .out_iface = -1, .protocol = -1};

    c.action = (uint8_t)name_index("action", actions, ARRAY_LEN(actions), next_word(w));
    while (w->at < w->len) {
        if (take(w, "out"))
            c.out_iface = (int)lab_iface(l, next_word(w));
        else if (take(w, "family"))
            c.family = (uint8_t)next_number(w);
        else if (take(w, "from"))
            c.src = network(next_word(w));
        else if (take(w, "to"))
            c.dst = network(next_word(w));
        else if (take(w, "proto"))
            c.protocol = protocol(next_word(w));
        else if (take(w, "dport"))
            c.dport = range(next_word(w));
        else if (take(w, "public"))
            read_public(next_word(w), &c);
        else if (take(w, "ports"))
            c.to_ports = range(next_word(w));
        else if (take(w, "disabled"))
            c.disabled = true;
        else
            fail_msg("nat: unknown word '%s'", next_word(w));
    }
    l->config.nat =
        mem_grow(l->config.nat, &l->nat_cap, l->config.nat_len + 1, sizeof *l->config.nat);
    l->config.nat[l->config.nat_len++] = c;
}

static void read_routing_mark(struct lab *l, struct words *w)
{
    const size_t i = l->config.marks_len++;

    l->marks = mem_grow(l->marks, &l->marks_cap, i + 1, sizeof *l->marks);
    l->mark_tables = mem_grow(l->mark_tables, &l->mark_tables_cap, i + 1,
                              sizeof *l->mark_tables);
    l->marks[i] = arena_strdup(l->arena, next_word(w));
    l->mark_tables[i] = take(w, "-") ? -1 : table_of(l, next_word(w));
}

static void read_hash(struct lab *l, struct words *w)
{
    struct hash_config *h = &l->config.hash;

    h->v4.policy = (uint8_t)name_index("hash policy", hash_policy_names, 4, next_word(w));
    h->v6.policy = h->v4.policy;
    hash_set_seed(h, next_number(w));
    if (take(w, "ipv6"))
        h->v6.policy =
            (uint8_t)name_index("hash policy", hash_policy_names, 4, next_word(w));
}

static void read_statement(struct lab *l, struct words *w)
{
    static const char *const platforms[] = {"linux", "routeros7"};
    static const char *const trackings[] = {"auto", "on", "off"};

    if (take(w, "platform"))
        config_set_defaults(&l->config, (enum platform)name_index("platform", platforms, 2,
                                                                  next_word(w)));
    else if (take(w, "seed"))
        l->config.seed = next_number(w);
    else if (take(w, "policy"))
        l->config.policy = arena_strdup(l->arena, next_word(w));
    else if (take(w, "hash"))
        read_hash(l, w);
    else if (take(w, "tracking"))
        l->config.tracking =
            (uint8_t)name_index("kind of tracking", trackings, 3, next_word(w));
    else if (take(w, "tcp-loose"))
        l->config.tcp_loose = !take(w, "no");
    else if (take(w, "ignore-linkdown"))
        l->config.ignore_routes_with_linkdown = true;
    else if (take(w, "no-main-rule"))
        l->config.no_main_rule = true;
    else if (take(w, "iface"))
        read_iface(l, w);
    else if (take(w, "mark"))
        read_routing_mark(l, w);
    else if (take(w, "route"))
        read_route(l, w);
    else if (take(w, "rule"))
        read_rule(l, w);
    else if (take(w, "nat"))
        read_nat(l, w);
    else
        fail_msg("unknown statement '%s'", next_word(w));
}

/* ---------------------------------------------------------------------- making, unmaking */

struct lab *lab_read(const char *text)
{
    struct lab *l = mem_alloc(1, sizeof *l);
    struct words w;

    l->arena = arena_create();
    config_set_defaults(&l->config, PLATFORM_LINUX);
    l->config.tables_len = 0;
    table_of(l, "main"); /* in the order of TABLE_MAIN and the others */
    table_of(l, "local");
    table_of(l, "default");
    for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        words_split(&w, line, (size_t)(end - line));
        if (!w.len)
            continue;
        if (line != text && strcmp(w.word[0], "platform") == 0)
            fail_msg("the platform stands first: it sets what others change");
        read_statement(l, &w);
        if (w.at < w.len)
            fail_msg("what is '%s'?", w.word[w.at]);
    }
    l->config.ifaces = l->ifaces;
    l->config.tables = l->tables;
    l->config.marks = l->marks;
    l->config.mark_tables = l->mark_tables;
    return l;
}

struct lab *lab_create(const char *text)
{
    struct lab *l = lab_read(text);

    l->router = router_create(&l->config);
    return l;
}

void lab_destroy(struct lab *l)
{
    router_destroy(l->router);
    mem_free(l->ifaces);
    mem_free(l->tables);
    mem_free(l->marks);
    mem_free(l->mark_tables);
    mem_free(l->config.routes);
    mem_free(l->config.rules);
    mem_free(l->config.nat);
    arena_destroy(l->arena);
    mem_free(l);
}

/* ------------------------------------------------------------------------------ packets */

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT */
static struct addr end_point(const char *text, uint16_t *port)
{
    char buf[80], *colon;
    struct addr a;

    snprintf(buf, sizeof buf, "%s", text[0] == '[' ? text + 1 : text);
    *port = 0;
    if (addr_parse(buf, &a))
        return a;
    colon = strrchr(buf, ':');
    if (!colon)
        fail_msg("no end point: '%s'", text);
    *port = (uint16_t)number(colon + 1);
    *colon = '\0';
    if (buf[0] && buf[strlen(buf) - 1] == ']')
        buf[strlen(buf) - 1] = '\0';
    return address(buf);
}

static void read_packet_option(struct words *w, struct packet *p)
{
    static const char *const flags[] = {"fin", "syn", "rst", "psh", "ack"};

    for (unsigned i = 0; i < ARRAY_LEN(flags); i++)
        if (take(w, flags[i])) {
            p->tcp_flags |= (uint8_t)(1u << i);
            return;
        }
    if (take(w, "seq"))
        p->tcp_seq = next_number(w);
    else if (take(w, "acked"))
        p->tcp_ack = next_number(w);
    else if (take(w, "window"))
        p->tcp_window = (uint16_t)next_number(w);
    else if (take(w, "data"))
        p->payload_bytes = next_number(w);
    else if (take(w, "ttl"))
        p->ttl = (uint8_t)next_number(w);
    else if (take(w, "tos"))
        p->tos = (uint8_t)next_number(w);
    else if (take(w, "mark"))
        p->mark = next_number(w);
    else if (take(w, "label"))
        p->flow_label = next_number(w);
    else if (take(w, "type"))
        p->icmp_type = (uint8_t)next_number(w);
    else if (take(w, "id"))
        p->icmp_id = (uint16_t)next_number(w);
    else
        fail_msg("packet: unknown word '%s'", next_word(w));
}

struct packet packet(const char *text)
{
    struct packet p = {.ttl = 64};
    struct words w;

    words_split(&w, text, strlen(text));
    p.protocol = p.next_header = protocol(next_word(&w));
    p.src = end_point(next_word(&w), &p.sport);
    if (!take(&w, ">"))
        fail_msg("no '>' in '%s'", text);
    p.dst = end_point(next_word(&w), &p.dport);
    if (p.protocol == PROTO_ICMP)
        p.icmp_type = 8;
    if (p.protocol == PROTO_ICMPV6)
        p.icmp_type = 128;
    while (w.at < w.len)
        read_packet_option(&w, &p);
    if (p.protocol == PROTO_TCP)
        p.transport_bytes = 20;
    p.size_bytes = (p.src.family == FAMILY_V4 ? 20u : 40u) +
                   (p.protocol == PROTO_TCP ? 20u : 8u) + p.payload_bytes;
    return p;
}

struct packet error_about(const struct packet *quoted, const char *from)
{
    const bool v4 = quoted->src.family == FAMILY_V4;
    const bool query = quoted->protocol == PROTO_ICMP || quoted->protocol == PROTO_ICMPV6;

    return (struct packet){
        .src = address(from),
        .dst = quoted->src,
        .size_bytes = v4 ? 56 : 88,
        .protocol = v4 ? PROTO_ICMP : PROTO_ICMPV6,
        .next_header = v4 ? PROTO_ICMP : PROTO_ICMPV6,
        .ttl = 60,
        .icmp_type = v4 ? 3 : 1,
        .flags = PACKET_ICMP_ERROR | PACKET_HAS_INNER,
        .inner =
            {
                .src = quoted->src,
                .dst = quoted->dst,
                .flow_label = quoted->flow_label,
                .sport = query ? quoted->icmp_id : quoted->sport,
                .dport = query ? quoted->icmp_id : quoted->dport,
                .protocol = quoted->protocol,
                .next_header = quoted->next_header,
                .icmp_type = quoted->icmp_type,
                .icmp_id = quoted->icmp_id,
            },
    };
}

struct packet answer_to(const struct packet *p)
{
    struct packet a = *p;

    a.src = p->dst;
    a.dst = p->src;
    a.sport = p->dport;
    a.dport = p->sport;
    if (p->protocol == PROTO_ICMP)
        a.icmp_type = p->icmp_type == 8 ? 0 : (uint8_t)(p->icmp_type + 1);
    if (p->protocol == PROTO_ICMPV6)
        a.icmp_type = 129;
    return a;
}

struct packet hashing_between(const struct lab *l, const char *text, uint32_t first,
                              uint32_t last, unsigned nth)
{
    struct packet p = packet(text);
    const unsigned at = p.dst.family == FAMILY_V4 ? 2 : 14;

    for (unsigned n = 0x101; n < 0xff00; n++) {
        uint32_t hash;

        p.dst.bytes[at] = (uint8_t)(n >> 8);
        p.dst.bytes[at + 1] = (uint8_t)n;
        hash = hash_packet(&l->config.hash, &p);
        if (hash >= first && hash <= last && nth-- == 0)
            return p;
    }
    fail_msg("no packet like '%s' hashes so", text);
    return p;
}

/* ------------------------------------------------------------------------------ asking */

static int in_iface(const struct lab *l, const char *in)
{
    return strcmp(in, "router") == 0 ? -1 : (int)lab_iface(l, in);
}

static void say(struct lab *l, const char *format, ...)
{
    const size_t at = strlen(l->said);
    va_list ap;

    va_start(ap, format);
    vsnprintf(l->said + at, sizeof l->said - at, format, ap);
    va_end(ap);
}

static void say_source(struct lab *l, const struct decision *d)
{
    char text[ADDR_TEXT_MAX];

    addr_format(&d->nat_src, text);
    if (!d->nat_sport)
        say(l, " %s", text);
    else
        say(l, d->nat_src.family == FAMILY_V6 ? " [%s]:%u" : " %s:%u", text, d->nat_sport);
}

const char *lab_send_packet(struct lab *l, const char *in, const struct packet *p, double at_s)
{
    static const struct {
        uint8_t flag;
        const char *name;
    } flags[] = {
        {DECISION_NEW, "new"},
        {DECISION_REVIVED, "revived"},
        {DECISION_KILLED, "killed"},
        {DECISION_INVALID, "invalid"},
    };
    struct decision *d = &l->last;

    router_forward(l->router, p, in_iface(l, in), SECONDS(at_s), d);
    l->said[0] = '\0';
    if (d->verdict == VERDICT_FORWARD) {
        say(l, "%s", l->ifaces[d->out_iface].name);
        say_source(l, d);
    } else {
        say(l, "%s", verdict_names[d->verdict]);
        if (d->reason)
            say(l, " %s", reason_names[d->reason]);
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (d->flags & flags[i].flag)
            say(l, " %s", flags[i].name);
    return l->said;
}

const char *lab_send(struct lab *l, const char *in, const char *text, double at_s)
{
    const struct packet p = packet(text);

    return lab_send_packet(l, in, &p, at_s);
}

const char *lab_route(struct lab *l, const char *in, const char *text)
{
    static const char *const outcomes[] = {
        [OUTCOME_ROUTE] = "on link",         [OUTCOME_NO_ROUTE] = "no route",
        [OUTCOME_ONLY_TABLE] = "only table", [OUTCOME_DROP] = "drop",
        [OUTCOME_UNREACHABLE] = "unreachable", [OUTCOME_PROHIBIT] = "prohibit",
    };
    const struct packet p = packet(text);
    struct route_query q = {.packet = &p, .in_iface = in_iface(l, in), .out_iface = -1};
    struct route_answer a;
    unsigned member;
    char gateway[ADDR_TEXT_MAX];

    router_route(l->router, &q, &a, &member);
    l->said[0] = '\0';
    if (a.outcome != OUTCOME_ROUTE) {
        say(l, "%s", outcomes[a.outcome]);
        if (a.entry)
            say(l, " in %s", l->tables[a.entry->table]);
        return l->said;
    }
    say(l, "%s", l->tables[a.entry->table]);
    if (a.entry->type != ROUTE_UNICAST) {
        say(l, " %s", route_type_names[a.entry->type]);
        return l->said;
    }
    say(l, " %s", l->ifaces[a.entry->group->hops[member].iface].name);
    if (addr_is_set(&a.entry->group->hops[member].gateway))
        say(l, " %s", addr_format(&a.entry->group->hops[member].gateway, gateway));
    return l->said;
}

void lab_set_admin(struct lab *l, const char *iface, bool up)
{
    router_set_admin(l->router, lab_iface(l, iface), up);
}

void lab_set_carrier(struct lab *l, const char *iface, bool carrier)
{
    router_set_carrier(l->router, lab_iface(l, iface), carrier);
}

struct conn *lab_conn(struct lab *l, const struct packet *p)
{
    struct conn_table *t = router_conns(l->router);
    struct tuple tuple;
    unsigned direction;

    tuple_of_packet(p, &tuple);
    return conn_find(t, &tuple, conn_hash(t, &tuple), &direction);
}

/* ------------------------------------------------------------------------------- traces */

static void write_step(void *context, const struct trace_step *step)
{
    static const char *const kinds[] = {
        [TRACE_CONNECTION] = "connection", [TRACE_RULE_SKIPPED] = "skipped",
        [TRACE_RULE_MATCHED] = "matched",  [TRACE_TABLE_MISS] = "miss",
        [TRACE_ROUTE_FOUND] = "found",     [TRACE_SUPPRESSED] = "suppressed",
        [TRACE_KEPT] = "kept",             [TRACE_RULE_ENDS] = "ends",
        [TRACE_NO_ROUTE] = "no route",     [TRACE_HASH] = "hash",
        [TRACE_MEMBER] = "member",         [TRACE_NAT_SKIPPED] = "nat skipped",
        [TRACE_NAT] = "nat",               [TRACE_VERDICT] = "verdict",
    };
    struct lab *l = context;
    const size_t room = sizeof l->trace_text - l->trace_len;
    int n = snprintf(l->trace_text + l->trace_len, room, "%s %d%s%s\n", kinds[step->kind],
                     step->kind == TRACE_NAT || step->kind == TRACE_NAT_SKIPPED ? step->nat
                                                                               : step->rule,
                     step->text ? " " : "", step->text ? step->text : "");

    if (n < 0 || (size_t)n >= room)
        fail_msg("the trace is too long");
    l->trace_len += (size_t)n;
}

void lab_trace(struct lab *l, bool on)
{
    l->trace = (struct trace){write_step, l};
    l->trace_len = 0;
    l->trace_text[0] = '\0';
    router_set_trace(l->router, on ? &l->trace : NULL);
}
