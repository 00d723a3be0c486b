/*
 * feed - a source of packets, read ahead by a thread of its own
 *
 *     source ─ read, dissect, look up nothing ─▶ ring of batches ─▶ the simulation, in order
 *
 * The thread does all that a packet needs and no state decides: reading, dissection, mapping,
 * and what `prepare` adds. What the simulation sees is the same as without the thread: the
 * same batches in the same order. A source that may wait for its data (a pipe) is read without
 * a thread, so that nothing is left waiting at the end.
 */
#ifndef ECMPLAB_FEED_H
#define ECMPLAB_FEED_H

#include "core/router.h"
#include "sim/timeline/source.h"

/* What is known of a packet before its turn comes. */
struct arrival {
    struct router_key key; /* to the LAN: of the packet that it answers */
    bool from_lan, to_lan;
};

struct batch {
    unsigned len;        /* 0: the end */
    bool failed;         /* the end is none: feed_error() */
    uint64_t steps_back; /* of the source's timestamps, up to this batch */
    struct captured packets[SOURCE_BATCH];
    struct arrival arrivals[SOURCE_BATCH];
};

struct feed;

struct feed_prepare {
    void (*batch)(void *context, struct batch *b); /* called in the order of the batches */
    void *context;
};

/* NULL: `error` says what cannot be opened. */
struct feed *feed_open(const struct scenario_traffic *t, const struct feed_prepare *prepare,
                       char *error, size_t error_size);

/* The next batch, valid until the next call; its len is 0 at the end, and stays so. */
const struct batch *feed_next(struct feed *f);

/* Why the last batch failed. */
const char *feed_error(const struct feed *f);

void feed_close(struct feed *f);

#endif
