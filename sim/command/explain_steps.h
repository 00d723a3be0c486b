/*
 * explain_steps - the steps of one decision, told to people
 *
 *     rule 0       "local bypass" matches: lookup in table main, min-prefix 0
 *                    best match 192.168.20.0/24, distance 0, directly on vlan20
 *                    kept: its prefix length 24 is above min-prefix 0
 *
 * What is told stands in the first thirteen columns, what is said of it behind them; no line is
 * wider than eighty columns unless one word is.
 */
#ifndef ECMPLAB_EXPLAIN_STEPS_H
#define ECMPLAB_EXPLAIN_STEPS_H

#include <stdio.h>

#include "core/router.h"

struct explain_steps {
    const struct router_config *config;
    const struct rib *rib;
    const struct packet *packet;
    FILE *out;
};

/* struct trace's step; `context` is a struct explain_steps. */
void explain_step(void *context, const struct trace_step *step);

/* The end: what became of the packet. */
void explain_verdict(const struct explain_steps *e, const struct decision *d);

/* What becomes of a forwarded packet behind the router, where its WAN fails; REASON_NONE: nothing
 * is to be told. */
void explain_fault(const struct explain_steps *e, const char *wan, enum reason fault);

/* `text` behind `head`, in as many lines as it needs. */
void explain_line(const struct explain_steps *e, const char *head, const char *text);

#endif
