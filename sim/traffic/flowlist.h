/*
 * flowlist - recorded connections, each a line of a file, as a source of demands
 *
 *     file ─▶ stream ─▶ lines ─▶ columns ─▶ struct demand ─▶ sorted by start ─▶ pacer
 *     (gz, zst)         csv, zeek, nfdump
 *
 * Lists need not be in order (Zeek's are by end, collectors' by export): a list is loaded as a whole
 * and sorted, equal starts in the order of the file; so it has at most FLOWLIST_MAX connections,
 * about 150 bytes each. The earliest one begins at `start_ns`, the others as much later as they
 * were, divided by `speed`, and durations likewise.
 *
 * Connections that are neither TCP nor UDP are left out and counted. A 5-tuple may be used as
 * often as the list has it.
 */
#ifndef ECMPLAB_FLOWLIST_H
#define ECMPLAB_FLOWLIST_H

#include "sim/input/addrmap.h"
#include "sim/traffic/flowrow.h"

enum { FLOWLIST_MAX = 1 << 22 };

struct flowlist_options {
    const char *path;
    const struct flow_format *format;
    int64_t start_ns;
    double speed;              /* 2: twice as fast */
    const struct addrmap *map; /* NULL: addresses as recorded */
};

struct flowlist {
    struct demand *demands;
    size_t len, cap;
    uint64_t left_out;       /* neither TCP nor UDP */
    uint64_t left_out_first; /* the first one's line */
};

/* NULL, and "FILE:LINE: what is wrong" in `error`, when this is no such list. */
struct flowlist *flowlist_load(const struct flowlist_options *o, char *error,
                               size_t error_size);
void flowlist_free(struct flowlist *l);

/* Where one reading of a list is. */
struct flowlist_cursor {
    const struct flowlist *list;
    size_t next;
};

struct demand_source flowlist_source(struct flowlist_cursor *c);

#endif
