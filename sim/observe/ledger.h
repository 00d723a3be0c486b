/*
 * ledger - every flow of a run, for comparing it flow by flow with another run
 *
 * What a result sums up, the ledger keeps apart: which path each flow first took and under
 * which public address. It is written when a comparison asks for it, and grows with the
 * flows; those after the first LEDGER_FLOWS_MAX are counted, not kept.
 */
#ifndef ECMPLAB_LEDGER_H
#define ECMPLAB_LEDGER_H

#include "core/conn.h"
#include "sim/input/scenario.h"

enum { LEDGER_FLOWS_MAX = 2000000 };

struct ledger_flow {
    struct tuple tuple; /* as it was first sent */
    struct addr public; /* the source of its first packet out; no family: none yet */
    uint64_t bytes;     /* both ways, when it ended */
    int32_t path;       /* the WAN that it first left by; -1: none */
};

struct ledger {
    const struct scenario *scenario; /* borrowed */
    struct ledger_flow *flows;       /* in the order of their first packets */
    size_t len, cap;
    uint64_t left_out;
    uint32_t *of_record; /* by number of a flow's record (flows.h); index + 1, 0: none */
    size_t records_len, records_cap;
};

void ledger_init(struct ledger *l, const struct scenario *s);
void ledger_free(struct ledger *l);

/* A flow begins, under the number of its record; its path is known; it ends. */
void ledger_begin(struct ledger *l, uint32_t record, const struct tuple *t);
void ledger_path(struct ledger *l, uint32_t record, int wan, const struct addr *source);
void ledger_end(struct ledger *l, uint32_t record, uint64_t bytes);

#endif
