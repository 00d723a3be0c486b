/* What is asked of a router on the bench: packets, look-ups, events, traces. See routers.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/routers.h"

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
        say(l, d->nat_src.family == FAMILY_V6 ? " [%s]:%u" : " %s:%u", text,
            d->nat_sport);
}

const char *lab_send_packet(struct lab *l, const char *in, const struct packet *p,
                            double at_s)
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
        [OUTCOME_ROUTE] = "on link",           [OUTCOME_NO_ROUTE] = "no route",
        [OUTCOME_ONLY_TABLE] = "only table",   [OUTCOME_DROP] = "drop",
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
        [TRACE_CONNECTION] = "connection",
        [TRACE_RULE_SKIPPED] = "skipped",
        [TRACE_RULE_MATCHED] = "matched",
        [TRACE_TABLE_MISS] = "miss",
        [TRACE_ROUTE_FOUND] = "found",
        [TRACE_SUPPRESSED] = "suppressed",
        [TRACE_KEPT] = "kept",
        [TRACE_RULE_ENDS] = "ends",
        [TRACE_NO_ROUTE] = "no route",
        [TRACE_HASH] = "hash",
        [TRACE_MEMBER] = "member",
        [TRACE_NAT_SKIPPED] = "nat skipped",
        [TRACE_NAT] = "nat",
        [TRACE_VERDICT] = "verdict",
    };
    struct lab *l = context;
    const size_t room = sizeof l->trace_text - l->trace_len;
    int n =
        snprintf(l->trace_text + l->trace_len, room, "%s %d%s%s\n", kinds[step->kind],
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
