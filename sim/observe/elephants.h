/*
 * elephants - the largest flows of a run
 *
 * A few large flows split as unevenly as few flows do, so a verdict on bytes names them. Only
 * the largest are kept, whatever passes: each flow is offered once, when it ends.
 */
#ifndef ECMPLAB_ELEPHANTS_H
#define ECMPLAB_ELEPHANTS_H

#include "core/conn.h"

enum { ELEPHANTS_MAX = 5 };

struct elephant {
    struct tuple tuple; /* as it was first sent */
    uint64_t bytes;     /* carried while it had a choice */
    int path;           /* the WAN that it left by at last */
};

struct elephants {
    struct elephant list[ELEPHANTS_MAX]; /* the larger first, equals as they came */
    unsigned len;
};

/* A flow of no bytes is none. */
void elephants_offer(struct elephants *e, const struct tuple *t, uint64_t bytes,
                     int path);

#endif
