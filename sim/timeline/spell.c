#include "sim/timeline/spell.h"

#include <math.h>

#include "sim/traffic/real.h"

#define SPELL_MAX 315360000000000000.0

const char *const spell_kind_names[SPELL_KINDS] = {
    [SPELL_CONSTANT] = "constant",
    [SPELL_EXPONENTIAL] = "exponential",
    [SPELL_WEIBULL] = "weibull",
    [SPELL_LOGNORMAL] = "lognormal",
};

/* Of x > 0: Stirling's series for x + 10, and back by Gamma(x + 1) = x Gamma(x). */
static double gamma_of(double x)
{
    double product = 1, z, series;

    for (int i = 0; i < 10; i++)
        product *= x + i;
    z = x + 10;
    series = 1 / (12 * z) - 1 / (360 * z * z * z) + 1 / (1260 * z * z * z * z * z);
    return real_exp((z - 0.5) * real_log(z) - z + 0.91893853320467274178 + series) / product;
}

void spell_law_settle(struct spell_law *l)
{
    const double mean = (double)l->mean_ns;

    l->scale = mean;
    if (l->kind == SPELL_WEIBULL)
        l->scale = mean / gamma_of(1 + 1 / l->shape);
    else if (l->kind == SPELL_LOGNORMAL)
        l->scale = mean / real_exp(l->shape * l->shape / 2);
}

static double draw(const struct spell_law *l, double u, double v)
{
    switch ((enum spell_kind)l->kind) {
    case SPELL_EXPONENTIAL: return -l->scale * real_log(u);
    case SPELL_WEIBULL: return l->scale * real_pow(-real_log(u), 1 / l->shape);
    case SPELL_LOGNORMAL:
        return l->scale *
               real_exp(l->shape * sqrt(-2 * real_log(u)) * real_cos_turns(v));
    case SPELL_CONSTANT:
    case SPELL_KINDS: break;
    }
    return l->scale;
}

int64_t spell_draw(const struct spell_law *l, struct random_stream *s)
{
    const double u = real_uniform(s), v = real_uniform(s), x = draw(l, u, v);

    if (!(x > 1))
        return 1;
    return (int64_t)(x < SPELL_MAX ? x : SPELL_MAX);
}
