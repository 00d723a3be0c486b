#include "sim/traffic/law.h"

#include <math.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
static const struct law_part internet_access[] = {
    {0.9591, LAW_GENERAL_PARETO, 1.592976, 64, 101.9505},
    {0.0253, LAW_WEIBULL, 1.594463, 0, 6158.23},
    {0.0156, LAW_WEIBULL, 0.799659, 0, 84495.8},
};

static const struct law_point web_search[] = {
    {0, 0}, {10e3, .15}, {20e3, .2}, {30e3, .3}, {50e3, .4}, {80e3, .53}, {200e3, .6},
    {1e6, .7}, {2e6, .8}, {5e6, .9}, {10e6, .97}, {30e6, 1},
};

static const struct law_point data_mining[] = {
    {0, 0}, {180, .1}, {216, .2}, {560, .3}, {900, .4}, {1100, .5}, {1870, .6}, {3160, .7},
    {10e3, .8}, {400e3, .9}, {3.16e6, .95}, {100e6, .98}, {1e9, 1},
};

static const struct law_point hadoop[] = {
    {0, 0}, {100, .01}, {200, .02}, {300, .05}, {350, .15}, {400, .2}, {500, .3}, {600, .4},
    {700, .5}, {1000, .6}, {2000, .67}, {7000, .7}, {30e3, .72}, {50e3, .82}, {80e3, .87},
    {120e3, .9}, {300e3, .95}, {1e6, .975}, {2e6, .99}, {10e6, 1},
};

static const struct law_point key_value[] = {
    {0, 0}, {3, .28}, {10, .32}, {12, .44}, {75, .5}, {250, .75}, {350, .9}, {1000, .965},
    {2515, .98}, {6326, .99}, {10032, .995}, {15910, .997}, {23009, .9992}, {24094, .9996},
    {25000, .9999}, {100e3, .99999}, {1e6, 1},
};

static const struct law_point storage[] = {
    {0, 0}, {4e3, .2293}, {8e3, .6921}, {16e3, .8061}, {32e3, .9047}, {64e3, .9353},
    {128e3, .9677}, {256e3, .9753}, {2e6, 1},
};

#define CDF(table, largest)                                                              \
    {.kind = LAW_CDF, .points = (table), .len = LEN(table), .at_least = 1, .at_most = (largest)}

const struct law_named laws_named[LAWS_NAMED] = {
    {"internet-access", "a university's Internet access, mostly downstream; heavy-tailed",
     {.kind = LAW_MIXTURE, .parts = internet_access, .len = LEN(internet_access),
      .at_least = 1, .at_most = 260000000000}},
    {"web-search", "a data centre answering searches (DCTCP), mean 1.7 MB",
     CDF(web_search, 30000000)},
    {"data-mining", "a data centre mining data (VL2), mean 12.7 MB", CDF(data_mining, 1000000000)},
    {"hadoop", "a Hadoop cluster, mean 120 kB", CDF(hadoop, 10000000)},
    {"key-value", "a key-value store, mean 342 B", CDF(key_value, 1000000)},
    {"storage", "a storage cluster, mean 41 kB", CDF(storage, 2000000)},
};
/* clang-format on */

/* Bounded: F(x) = (1 - (from/x)^shape) / (1 - (from/to)^shape). */
static double pareto(const struct law *l, double u)
{
    const double beyond = l->c > 0 ? real_pow(l->b / l->c, l->a) : 0;

    return l->b * real_pow(1 - u * (1 - beyond), -1 / l->a);
}

/* Box and Muller's: two uniforms, one normal. */
static double lognormal(const struct law *l, double u, double v)
{
    return l->a * real_exp(l->b * sqrt(-2 * real_log(1 - u)) * real_cos_turns(v));
}

static double cdf(const struct law *l, double u)
{
    size_t low = 0, high = l->len - 1; /* share[low] <= u < share[high] */
    const struct law_point *p = l->points;

    if (u < p[0].share)
        return p[0].value * u / p[0].share;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;

        if (p[middle].share <= u)
            low = middle;
        else
            high = middle;
    }
    return p[low].value + (p[high].value - p[low].value) * (u - p[low].share) /
                              (p[high].share - p[low].share);
}

static double mixture(const struct law *l, double u, double v)
{
    const struct law_part *p = l->parts, *last = p + l->len - 1;

    for (; p < last && u >= p->weight; p++)
        u -= p->weight;
    if (p->kind == LAW_WEIBULL)
        return p->location + p->scale * real_pow(-real_log(1 - v), 1 / p->shape);
    return p->location + p->scale / p->shape * (real_pow(1 - v, -p->shape) - 1);
}

static double draw(const struct law *l, double u, double v)
{
    switch ((enum law_kind)l->kind) {
    case LAW_CONSTANT: return l->a;
    case LAW_UNIFORM: return l->a + floor((l->b - l->a + 1) * u);
    case LAW_EXPONENTIAL: return -l->a * real_log(1 - u);
    case LAW_PARETO: return pareto(l, u);
    case LAW_LOGNORMAL: return lognormal(l, u, v);
    case LAW_CDF: return cdf(l, u);
    case LAW_MIXTURE: return mixture(l, u, v);
    case LAW_KINDS: break;
    }
    return 0;
}

int64_t law_draw(const struct law *l, struct random_stream *s)
{
    const double u = real_uniform(s), v = real_uniform(s), x = floor(draw(l, u, v) + 0.5);

    if (!(x > (double)l->at_least))
        return l->at_least;
    return x < (double)l->at_most ? (int64_t)x : l->at_most;
}
