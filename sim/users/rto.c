#include "sim/users/rto.h"

#define MS(n) ((int64_t)(n)*1000000)

enum { GRANULARITY_MS = 1, FIRST_MS = 1000, FLOOR_MS = 200, CEILING_MS = 120000 };

static int64_t bounded(int64_t ns)
{
    if (ns < MS(FLOOR_MS))
        return MS(FLOOR_MS);
    return ns > MS(CEILING_MS) ? MS(CEILING_MS) : ns;
}

void rto_init(struct rto *r)
{
    *r = (struct rto){.rto_ns = MS(FIRST_MS)};
}

void rto_sample(struct rto *r, int64_t rtt_ns)
{
    int64_t spread;

    if (rtt_ns < 1)
        rtt_ns = 1;
    if (r->srtt_ns == 0) {
        r->srtt_ns = rtt_ns;
        r->rttvar_ns = rtt_ns / 2;
    } else {
        const int64_t error =
            r->srtt_ns > rtt_ns ? r->srtt_ns - rtt_ns : rtt_ns - r->srtt_ns;

        r->rttvar_ns += (error - r->rttvar_ns) / 4;
        r->srtt_ns += (rtt_ns - r->srtt_ns) / 8;
    }
    spread = 4 * r->rttvar_ns;
    r->rto_ns =
        bounded(r->srtt_ns + (spread > MS(GRANULARITY_MS) ? spread : MS(GRANULARITY_MS)));
}

void rto_back_off(struct rto *r)
{
    r->rto_ns = bounded(2 * r->rto_ns);
}
