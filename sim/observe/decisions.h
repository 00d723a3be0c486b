/*
 * decisions - a line a packet: what was decided, as CSV (RFC 4180) with a header
 *
 *     packet,time,interface,src,dst,proto,sport,dport,verdict,rule,table,gateway,
 *     out_interface,nat_src,reason
 *
 * `time` in seconds; addresses as captured, after mapping; `verdict` is delivered, local,
 * dropped, unrouted or held; empty where there is nothing to say.
 */
#ifndef ECMPLAB_DECISIONS_H
#define ECMPLAB_DECISIONS_H

#include <stdio.h>

#include "sim/timeline/simulation.h"

struct decisions {
    FILE *out;
    const struct router_config *config;
};

/* Writes the header. The stream's owner looks for errors when all is written. */
void decisions_begin(struct decisions *w, FILE *out, const struct router_config *config);
struct observer decisions_observer(struct decisions *w);

#endif
