/*
 * pacer - connections made into packets, in order of time
 *
 *     demands, by start ──▶ live connections, by their next packet ──▶ packets as on the LAN
 *                           (4-ary heap; memory follows what lives)
 *
 * The packets of each connection, and when they come: pacing.h. At one instant older connections
 * come first.
 */
#ifndef ECMPLAB_PACER_H
#define ECMPLAB_PACER_H

#include "sim/input/capture.h"
#include "sim/traffic/demand.h"

enum { PACER_LIVE_MAX = 1 << 22 }; /* connections at once */

struct pacer;

/* What `source` points at is borrowed until pacer_destroy(). */
struct pacer *pacer_create(const struct demand_source *source);
void pacer_destroy(struct pacer *p);

/* As capture_read(): the number of packets; 0 at the end; -1 when it cannot go on. */
int pacer_read(struct pacer *p, struct captured *out, unsigned max);

/* Why not, in words, after -1. */
const char *pacer_error(const struct pacer *p);

/* Connections that live now. */
size_t pacer_live(const struct pacer *p);

#endif
