/*
 * Every look-up of vectors/rules-suppress.jsonl, answered by router_route(): rules, tables,
 * metrics, special routes, suppression, next hops, interface states. The kernel's answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/routers.h"

enum { VECTORS = 501 };

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static long long number_of(const json_t *object, const char *key, long long otherwise)
{
    const json_t *v = json_object_get(object, key);

    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

/* " key VALUE", where the value is text or a number; nothing when it is absent. */
static void put(FILE *f, const char *word, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    if (json_is_string(v))
        fprintf(f, " %s %s", word, json_string_value(v));
    else if (json_is_integer(v))
        fprintf(f, " %s %lld", word, json_integer_value(v));
}

static void put_sysctls(FILE *f, const json_t *vector)
{
    const json_t *s = json_object_get(json_object_get(vector, "config"), "sysctls");

    fprintf(f, "platform linux\n");
    if (s)
        fprintf(f, "hash %s %lld ipv6 %s\n",
                hash_policy_names[number_of(s, "net.ipv4.fib_multipath_hash_policy", 0)],
                number_of(s, "net.ipv4.fib_multipath_hash_seed", 0),
                hash_policy_names[number_of(s, "net.ipv6.fib_multipath_hash_policy", 0)]);
    if (json_is_true(json_object_get(vector, "ignore_linkdown")))
        fprintf(f, "ignore-linkdown\n");
    if (json_is_true(json_object_get(json_object_get(vector, "config"), "flush_rules")))
        fprintf(f, "no-main-rule\n");
}

static void put_interface(FILE *f, const json_t *i)
{
    const json_t *address;
    size_t k;

    fprintf(f, "iface %s", text_of(i, "name"));
    json_array_foreach (json_object_get(i, "addrs"), k, address)
        fprintf(f, " %s", json_string_value(address));
    put(f, "group", i, "group");
    fprintf(f, "\n");
}

static void put_route(FILE *f, const json_t *r)
{
    const char *type = text_of(r, "type");
    const json_t *hop;
    size_t k;

    fprintf(f, "route %s", text_of(r, "dst"));
    put(f, "table", r, "table");
    put(f, "distance", r, "metric");
    put(f, "tos", r, "tos");
    if (type)
        fprintf(f, " %s", type);
    if (json_array_size(json_object_get(r, "nexthops")))
        fprintf(f, " via");
    json_array_foreach (json_object_get(r, "nexthops"), k, hop)
        fprintf(f, " %s%%%s*%lld", text_of(hop, "via"), text_of(hop, "dev"),
                number_of(hop, "weight", 1));
    fprintf(f, "\n");
}

static void put_rule(FILE *f, const json_t *r)
{
    const char *action = text_of(r, "action"), *iif = text_of(r, "iif");

    if (!action)
        put(f, "rule lookup", r, "table");
    else
        fprintf(f, "rule %s", strcmp(action, "blackhole") == 0 ? "drop" : action);
    put(f, "priority", r, "priority");
    put(f, "family", r, "family");
    put(f, "from", r, "from");
    put(f, "to", r, "to");
    put(f, "oif", r, "oif");
    put(f, "mark", r, "fwmark");
    put(f, "tos", r, "tos");
    put(f, "proto", r, "ipproto");
    put(f, "sport", r, "sport");
    put(f, "dport", r, "dport");
    put(f, "min-prefix", r, "suppress_prefixlength");
    put(f, "suppress-group", r, "suppress_ifgroup");
    put(f, "goto", r, "goto");
    if (iif)
        fprintf(f, " iif %s", strcmp(iif, "lo") == 0 ? "router" : iif);
    if (json_is_true(json_object_get(r, "not")))
        fprintf(f, " not");
    fprintf(f, "\n");
}

static char *configuration(const json_t *vector)
{
    const json_t *config = json_object_get(vector, "config"), *v;
    char *text = NULL;
    size_t size, i;
    FILE *f = open_memstream(&text, &size);

    put_sysctls(f, vector);
    json_array_foreach (json_object_get(config, "interfaces"), i, v)
        put_interface(f, v);
    json_array_foreach (json_object_get(config, "routes"), i, v)
        put_route(f, v);
    json_array_foreach (json_object_get(config, "rules"), i, v)
        put_rule(f, v);
    fclose(f);
    return text;
}

static void set_states(struct lab *l, const json_t *vector)
{
    const json_t *v;
    size_t i;

    json_array_foreach (json_object_get(json_object_get(vector, "config"), "interfaces"),
                        i, v) {
        const char *state = text_of(v, "state");

        if (state && strcmp(state, "down") == 0)
            lab_set_admin(l, text_of(v, "name"), false);
        else if (state)
            lab_set_carrier(l, text_of(v, "name"), false);
    }
}

/* The packet that the request stands for: IPv4 without a protocol is UDP. */
static struct packet packet_asked(const json_t *q)
{
    const char *src = text_of(q, "src"), *proto = text_of(q, "proto");
    struct packet p = {.dst = address(text_of(q, "dst")),
                       .sport = (uint16_t)number_of(q, "sport", 0),
                       .dport = (uint16_t)number_of(q, "dport", 0),
                       .mark = (uint32_t)number_of(q, "mark", 0),
                       .tos = (uint8_t)number_of(q, "tos", 0),
                       .ttl = 64};

    p.src = src ? address(src) : address(p.dst.family == FAMILY_V4 ? "0.0.0.0" : "::");
    p.protocol = p.dst.family == FAMILY_V4 ? PROTO_UDP : 0;
    if (proto && !packet_protocol_parse(proto, &p.protocol))
        fail_msg("protocol %s", proto);
    p.next_header = p.protocol;
    return p;
}

static const char *error_name(const struct route_answer *a)
{
    switch (a->outcome) {
    case OUTCOME_ROUTE: return "ok";
    case OUTCOME_NO_ROUTE:
    case OUTCOME_ONLY_TABLE: return "ENETUNREACH";
    case OUTCOME_DROP: return "EINVAL";
    case OUTCOME_UNREACHABLE: return a->entry ? "EHOSTUNREACH" : "ENETUNREACH";
    case OUTCOME_PROHIBIT: return "EACCES";
    }
    return "?";
}

/* "unicast table 101 oif w0 gw 10.200.0.2 index 1 hash 77", or the error. Index and hash
 * only where the vector has them: look-ups bound to an interface do not tell. */
static void say_answer(const struct lab *l, const struct route_query *q,
                       const struct route_answer *a, unsigned member, bool with_hash,
                       char text[128])
{
    const struct nexthop *hop;
    char gateway[ADDR_TEXT_MAX] = "-", multipath[40] = "";
    const char *table;

    if (a->outcome != OUTCOME_ROUTE) {
        snprintf(text, 128, "%s", error_name(a));
        return;
    }
    if (!a->entry) {
        snprintf(text, 128, "unicast table 0 oif %s gw -", l->ifaces[q->out_iface].name);
        return;
    }
    table = l->tables[a->entry->table];
    if (member == NEXTHOP_NONE) {
        snprintf(text, 128, "%s table %s", route_type_names[a->entry->type], table);
        return;
    }
    hop = &a->entry->group->hops[member];
    if (addr_is_set(&hop->gateway))
        addr_format(&hop->gateway, gateway);
    if (with_hash)
        snprintf(multipath, sizeof multipath, " index %u hash %u", member, q->hash);
    snprintf(text, 128, "%s table %s oif %s gw %s%s", route_type_names[a->entry->type],
             table, l->ifaces[hop->iface].name, gateway, multipath);
}

static void say_expected(const json_t *e, char text[128])
{
    static const struct {
        int number;
        const char *name;
    } tables[] = {{253, "default"}, {254, "main"}, {255, "local"}};
    const int table = (int)number_of(e, "table", -1);
    char name[16], multipath[40] = "";

    if (text_of(e, "error")) {
        snprintf(text, 128, "%s", text_of(e, "error"));
        return;
    }
    snprintf(name, sizeof name, "%d", table);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (tables[i].number == table)
            snprintf(name, sizeof name, "%s", tables[i].name);
    if (json_object_get(e, "hash"))
        snprintf(multipath, sizeof multipath, " index %lld hash %lld",
                 number_of(e, "index", -1), number_of(e, "hash", -1));
    snprintf(text, 128, "%s table %s oif %s gw %s%s", text_of(e, "type"), name,
             text_of(e, "oif"), text_of(e, "gw") ? text_of(e, "gw") : "-", multipath);
}

/* False, and words about it on stderr, when the answer is not the kernel's. */
static bool answers_like_the_kernel(unsigned line, const json_t *vector)
{
    const json_t *query = json_object_get(vector, "query");
    const char *iif = text_of(query, "iif"), *oif = text_of(query, "oif");
    char *text = configuration(vector), got[128], wanted[128];
    struct lab *l = lab_create(text);
    const struct packet p = packet_asked(query);
    struct route_query q = {.packet = &p,
                            .in_iface = iif ? (int)lab_iface(l, iif) : -1,
                            .out_iface = oif ? (int)lab_iface(l, oif) : -1};
    struct route_answer answer;
    unsigned member;
    bool same;

    set_states(l, vector);
    router_route(l->router, &q, &answer, &member);
    say_answer(l, &q, &answer, member,
               json_object_get(json_object_get(vector, "expect"), "hash"), got);
    say_expected(json_object_get(vector, "expect"), wanted);
    same = strcmp(got, wanted) == 0;
    if (!same)
        print_error("line %u: %s: %s, the kernel: %s\n", line,
                    text_of(vector, "note") ? text_of(vector, "note") : "", got, wanted);
    lab_destroy(l);
    free(text);
    return same;
}

static void every_lookup_is_answered_as_by_the_kernel(void **state)
{
    FILE *f = fopen("tests/vectors/rules-suppress.jsonl", "r");
    unsigned line = 0, wrong = 0;
    char *text = NULL;
    size_t size = 0;

    (void)state;
    assert_non_null(f);
    while (getline(&text, &size, f) > 0) {
        json_error_t error;
        json_t *vector = json_loads(text, 0, &error);

        line++;
        if (!vector)
            fail_msg("line %u: %s", line, error.text);
        wrong += !answers_like_the_kernel(line, vector);
        json_decref(vector);
    }
    free(text);
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_int_equal(line, VECTORS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lookup_is_answered_as_by_the_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
