/*
 * sessions - what people did, what broke for them, and what they felt of it
 *
 *     users ── session_news ──▶ sessions: of each traffic of users, and of each named host
 *
 * A session ends in one of four ways: finished; ended by the site, which saw addresses that it
 * does not accept; given up by the person; or with the run.
 */
#ifndef ECMPLAB_SESSIONS_H
#define ECMPLAB_SESSIONS_H

#include "sim/observe/hosts.h"
#include "sim/timeline/simulation.h"

enum { SESSION_CAUSES_MAX = 24 };

struct session_cause {
    const char *why;
    uint64_t breaks; /* connections reset or timed out, sessions ended by the site */
    int64_t outage_ns;
};

struct session_counts {
    uint64_t news[SESSION_NEWS];
    int64_t outage_ns, longest_ns;
    struct session_cause causes[SESSION_CAUSES_MAX];
    unsigned causes_len;
};

struct sessions {
    struct session_counts *by_traffic; /* by index of scenario.traffic */
    struct session_counts *by_host;    /* by index of scenario.hosts */
};

void sessions_init(struct sessions *s, const struct scenario *scenario);
void sessions_free(struct sessions *s);

/* `host`: of scenario.hosts; FLOWS_NONE: none of the named ones. */
void sessions_heard(struct sessions *s, const struct session_news *n, uint32_t host);

/* Sessions that were neither finished nor ended when the run was over. */
uint64_t sessions_open(const struct session_counts *c);

#endif
