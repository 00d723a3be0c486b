/*
 * result_parts - the parts of the result document and how they are put together; for
 * sim/observe alone
 */
#ifndef ECMPLAB_RESULT_PARTS_H
#define ECMPLAB_RESULT_PARTS_H

#include "sim/observe/metrics_parts.h"
#include "sim/observe/result.h"

/* One member more. A real that is no number becomes null. */
void put(json_t *object, const char *key, json_t *value);
void put_count(json_t *object, const char *key, uint64_t value);
void put_real(json_t *object, const char *key, double value);
void put_text(json_t *object, const char *key, const char *value);
/* Seconds; null when `ns` is negative. */
void put_time(json_t *object, const char *key, int64_t ns);
/* part / whole; 0 when there is no whole. */
void put_share(json_t *object, const char *key, double part, double whole);

/* The packets by reason, those that there are. */
json_t *result_reasons(const uint64_t by_reason[REASONS]);

/*
 * A stretch of the run: the difference of two snapshots. A `begin` of NULL is the run's
 * beginning.
 */
struct stretch {
    const struct metrics *metrics;
    const struct snapshot *begin, *end;
    double *promised_flows; /* of all flows, a WAN each */
    double *promised_bytes;
    double *expected_flows; /* of the flows that had a choice */
    double *expected_bytes;
    uint64_t flows, flows_choice, bytes; /* sums over promises */
};

void stretch_init(struct stretch *s, const struct metrics *m,
                  const struct snapshot *begin, const struct snapshot *end);
void stretch_free(struct stretch *s);
struct path_counts stretch_path(const struct stretch *s, size_t wan);

/* Packets, bytes, flows and shares of one WAN. */
void stretch_put_path(const struct stretch *s, json_t *object, size_t wan);

/* "balance". */
json_t *stretch_balance(const struct stretch *s);

/* result_events.c */
json_t *result_events(const struct metrics *m, const struct facts *facts);
json_t *result_watches(const struct metrics *m, const struct facts *facts);
/* moved collaterally / those whose path did not fail, over all events; -1: there are
 * none */
double result_survivors_moved_share(const struct metrics *m);

/* result_phases.c */
json_t *result_phases(const struct metrics *m);

/* result_delays.c: the WAN's goodput, waits, flow completion times and cap; and the times of
 * the flows of all WANs. */
void result_put_delays(json_t *object, const struct stretch *s, size_t wan, int64_t end_ns);
json_t *result_completion(const struct metrics *m);

/* result_hosts.c */
json_t *result_hosts(const struct metrics *m);

/* result_sessions.c; only where the traffic has users */
bool result_has_users(const struct scenario *s);
json_t *result_users(const struct metrics *m);
json_t *result_host_sessions(const struct metrics *m, uint32_t host);

#endif
