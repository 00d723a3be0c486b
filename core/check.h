/*
 * check - a gateway check's memory: probes, misses, verdict
 *
 * A probe leaves every `interval`; a probe without an answer within `timeout` is a miss;
 * `count` misses in a row make the gateway unreachable, one answer makes it reachable again:
 *
 *     probe     probe     probe ...          interval 10 s, timeout 1 s, count 2: a gateway that
 *     |---t|    |---t|    |---t|             dies is noticed 11 to 21 s later
 *
 * `bfd` sends no probes: who hears the gateway's packets, or their absence, says so at once
 * (check_conclude()). What the router cannot see, no probe tells it.
 *
 * Source: RouterOS manual, "Routing Decision": check-gateway.
 */
#ifndef ECMPLAB_CHECK_H
#define ECMPLAB_CHECK_H

#include "core/config.h"

struct check {
    int64_t next_probe_ns; /* when the next probe leaves */
    uint32_t misses;       /* in a row */
    bool up;
};

/* `phase_ns`, below the interval: when the first probe leaves. */
void check_start(struct check *c, int64_t phase_ns);

/* A route that comes takes its gateway for reachable: what was known before does not count. */
void check_presume_up(struct check *c);

/* The probe that was due has left. */
void check_probe_sent(struct check *c, const struct config_check *settings);

/*
 * Nothing that a probe could tell has changed until now: pass over the probes that are due
 * before.
 */
void check_skip_to(struct check *c, const struct config_check *settings, int64_t now_ns);

/* Would more probes with the same outcome change nothing? */
bool check_is_settled(const struct check *c, bool answered);

/* A probe was answered, or its time-out passed. True when that changed the verdict. */
bool check_probe_ended(struct check *c, const struct config_check *settings, bool answered);

/* The verdict is known otherwise. True when that changed it. */
bool check_conclude(struct check *c, bool up);

#endif
