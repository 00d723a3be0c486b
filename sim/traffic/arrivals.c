#include "sim/traffic/arrivals.h"

#include <math.h>

#define HOUR_NS INT64_C(3600000000000)

void arrivals_init(struct arrivals *a, const struct arrivals_config *c, uint64_t seed)
{
    *a = (struct arrivals){
        .config = *c,
        .gaps = random_stream_make(seed, 0),
        .now_ns = c->start_ns,
    };
    if (c->kind == ARRIVALS_POISSON)
        a->mean_ns = (double)HOUR_NS / c->per_hour;
}

/* Of the rate, now; and for how long it stays so. */
static double factor_now(const struct arrivals *a, int64_t *left_ns)
{
    const struct arrivals_config *c = &a->config;
    const int64_t day_ns = a->now_ns + c->time_of_day_ns;

    *left_ns = c->by_hour ? HOUR_NS - day_ns % HOUR_NS : INT64_MAX;
    return c->by_hour ? c->by_hour[day_ns / HOUR_NS % ARRIVALS_HOURS] : 1;
}

/* Move on by one gap; false: beyond the end. */
static bool step(struct arrivals *a, int64_t gap_ns)
{
    if (gap_ns >= a->config.end_ns - a->now_ns)
        return false;
    a->now_ns += gap_ns;
    return true;
}

static bool next_poisson(struct arrivals *a)
{
    double flows = -real_log(real_uniform(&a->gaps)); /* expected until the next one */
    int64_t left_ns;

    for (;;) {
        const double factor = factor_now(a, &left_ns);
        const double gap_ns =
            floor(flows * a->mean_ns / factor + 0.5); /* infinite: never */

        if (gap_ns < (double)left_ns)
            return step(a, (int64_t)gap_ns);
        flows -= (double)left_ns / a->mean_ns * factor;
        if (flows < 0)
            flows = 0;
        if (!step(a, left_ns))
            return false;
    }
}

static bool next_time(struct arrivals *a)
{
    switch ((enum arrivals_kind)a->config.kind) {
    case ARRIVALS_POISSON: return next_poisson(a);
    case ARRIVALS_PERIODIC: return step(a, a->given ? a->config.every_ns : 0);
    case ARRIVALS_AT_ONCE: return step(a, 0);
    case ARRIVALS_KINDS: break;
    }
    return false;
}

bool arrivals_next(struct arrivals *a, int64_t *start_ns)
{
    if (a->given == a->config.flows)
        return false;
    if (!next_time(a)) {
        a->given = a->config.flows;
        return false;
    }
    a->given++;
    *start_ns = a->now_ns;
    return true;
}
