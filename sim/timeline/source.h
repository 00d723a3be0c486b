/*
 * source - one stream of packets in order of time, whatever it comes from
 *
 * A kind of traffic is one row of a table; the simulation merges the streams by time.
 */
#ifndef ECMPLAB_SOURCE_H
#define ECMPLAB_SOURCE_H

#include "sim/input/capture.h"
#include "sim/input/scenario.h"

struct actor_kind;

enum { SOURCE_BATCH = 2 * CAPTURE_BATCH };

struct source_kind {
    const char *name; /* the scenario's "kind" */
    const char *about;
    /* Open; NULL and a message in `error` on failure. */
    void *(*open)(const struct scenario_traffic *t, char *error, size_t error_size);
    /* Fill out[0..max); the number, 0 at the end, -1 when it cannot be read on. */
    int (*read)(void *stream, struct captured *out, unsigned max);
    const char *(*error)(const void *stream);
    uint64_t (*steps_back)(const void *stream);
    void (*close)(void *stream);
    bool never_waits; /* whatever it reads: its next packet only takes work */
    const struct actor_kind *actor; /* instead of all these: it acts (actor.h) */
    const struct actor_kind *fluid; /* the same where it goes by flows, not by packets */
};

/* One row for each enum traffic_kind. */
extern const struct source_kind source_kinds[TRAFFIC_KINDS];

/* What acts for this traffic; NULL: it is a stream. */
const struct actor_kind *source_actor(const struct scenario_traffic *t);

#endif
