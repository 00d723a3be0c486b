#include "sim/observe/balance.h"

#include <math.h>

#include "core/memory.h"
#include "sim/observe/stats.h"

enum { EXPECTED_MIN = 5 };

static const double SIGNIFICANT = 0.05;

const struct balance_word balance_verdicts[BALANCE_VERDICTS] = {
    [BALANCE_EVEN] = {"even", "within what chance does, and enough flows to tell 10 %"},
    [BALANCE_UNEVEN] = {"uneven", "an honest hash does this less than once in 20 times"},
    [BALANCE_TOO_FEW] = {"too-few-flows",
                         "within what chance does, but too few to tell 10 %"},
};

static enum balance_verdict verdict_of(const struct balance *b, double least_expected,
                                       double choices)
{
    if (b->p_value < SIGNIFICANT && (b->exact || least_expected >= EXPECTED_MIN))
        return BALANCE_UNEVEN;
    return choices < (double)b->flows_needed ? BALANCE_TOO_FEW : BALANCE_EVEN;
}

/* `x` and `p` have room for all paths; `k` of them are used. */
static bool judge(const struct chance *c, double choices, double *x, double *p,
                  struct balance *b)
{
    const double promised = stats_sum(c->expected, c->paths_len);
    double got = 0, least = INFINITY;
    size_t k = 0;

    for (size_t i = 0; i < c->paths_len; i++)
        got += c->expected[i] > 0 ? c->observed[i] : 0;
    if (!(got > 0))
        return false;
    for (size_t i = 0; i < c->paths_len; i++) {
        if (!(c->expected[i] > 0))
            continue;
        x[k] = c->observed[i] / c->expected[i];
        p[k] = c->expected[i] / promised;
        least = fmin(least, choices * p[k++]);
    }
    if (k < 2)
        return false;
    b->jain = stats_jain(x, k);
    b->max_over_mean = stats_max_over_mean(x, k);
    b->cv = stats_cv(x, k);
    b->p_value = chance_p_value(c, &b->exact);
    b->flows_needed = stats_flows_needed(p, k);
    b->verdict = verdict_of(b, least, choices);
    return true;
}

bool balance_judge(const struct chance *c, double choices, struct balance *b)
{
    double *room = mem_alloc(2 * c->paths_len, sizeof *room);
    const bool judged = judge(c, choices, room, room + c->paths_len, b);

    mem_free(room);
    return judged;
}
