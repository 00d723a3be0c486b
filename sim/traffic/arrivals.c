#include "sim/traffic/arrivals.h"

#include <math.h>

#define HOUR_NS INT64_C(3600000000000)

enum { STREAM_GAPS, STREAM_THINNING };

void arrivals_init(struct arrivals *a, const struct arrivals_config *c, uint64_t seed)
{
    *a = (struct arrivals){
        .config = *c,
        .gaps = random_stream_make(seed, STREAM_GAPS),
        .thinning = random_stream_make(seed, STREAM_THINNING),
        .highest = 1,
        .now_ns = c->start_ns,
    };
    if (c->by_hour) {
        a->highest = 0;
        for (unsigned i = 0; i < ARRIVALS_HOURS; i++)
            if (c->by_hour[i] > a->highest)
                a->highest = c->by_hour[i];
    }
    if (c->kind == ARRIVALS_POISSON)
        a->mean_ns = (double)HOUR_NS / (c->per_hour * a->highest);
}

static bool stays(struct arrivals *a)
{
    const struct arrivals_config *c = &a->config;

    if (!c->by_hour)
        return true;
    return real_uniform(&a->thinning) * a->highest <
           c->by_hour[(a->now_ns + c->time_of_day_ns) / HOUR_NS % ARRIVALS_HOURS];
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
    do {
        const double gap = floor(-a->mean_ns * real_log(real_uniform(&a->gaps)) + 0.5);

        if (!step(a, gap < 0x1p62 ? (int64_t)gap : INT64_MAX))
            return false;
    } while (!stays(a));
    return true;
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
