/*
 * trace - every step of one decision, told while it is taken
 *
 * The router calls the sink at each step of the very code that decides; nothing is computed
 * for the trace alone. Pointers in a step are borrowed for the call.
 */
#ifndef ECMPLAB_TRACE_H
#define ECMPLAB_TRACE_H

#include "core/hash.h"
#include "core/rib.h"

enum trace_kind {
    TRACE_CONNECTION,   /* text: what tracking knows of the packet */
    TRACE_RULE_SKIPPED, /* rule; text: the selector that did not match */
    TRACE_RULE_MATCHED, /* rule, and its table when it looks up */
    TRACE_TABLE_MISS,   /* rule, table: nothing holds the destination */
    TRACE_ROUTE_FOUND,  /* rule, table, entry: the best match */
    TRACE_SUPPRESSED,   /* rule, entry, limit: thrown away; text: by which option */
    TRACE_KEPT,         /* rule, entry */
    TRACE_RULE_ENDS,    /* rule; text: its final action */
    TRACE_NO_ROUTE,     /* the end of the list */
    TRACE_HASH,         /* hash, block, block_len, text: the policy */
    TRACE_MEMBER,       /* entry, hash, member */
    TRACE_NAT_SKIPPED,  /* nat; text: the selector that did not match */
    TRACE_NAT,          /* nat or -1, addr, port: the public source; text: how */
    TRACE_VERDICT,      /* text: verdict and reason */
};

struct trace_step {
    enum trace_kind kind;
    int rule; /* index into router_config.rules, or enum rule_builtin */
    int nat;  /* index into router_config.nat; -1: none */
    unsigned table;
    int limit; /* min_prefix, or the suppressed group */
    const struct fib_entry *entry;
    unsigned member;
    uint32_t hash;
    const uint8_t *block;
    size_t block_len;
    struct addr addr;
    uint16_t port;
    const char *text;
};

struct trace {
    void (*step)(void *context, const struct trace_step *step);
    void *context;
};

#endif
