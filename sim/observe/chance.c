#include "sim/observe/chance.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sim/observe/stats.h"

/* Statistics that are equal but for rounding are equal. */
static const double SAME = 1e-9;

/* The paths that count, side by side. */
struct split {
    size_t n;
    double observed[CHANCE_PATHS_MAX], expected[CHANCE_PATHS_MAX];
    size_t path[CHANCE_PATHS_MAX]; /* its index among all */
};

/* Expected amounts are scaled to what was observed in all. False: too many paths. */
static bool split_make(const struct chance *c, struct split *s)
{
    double got, promised;

    s->n = 0;
    for (size_t i = 0; i < c->paths_len; i++) {
        if (!(c->expected[i] > 0))
            continue;
        if (s->n == CHANCE_PATHS_MAX)
            return false;
        s->observed[s->n] = c->observed[i];
        s->expected[s->n] = c->expected[i];
        s->path[s->n++] = i;
    }
    got = stats_sum(s->observed, s->n);
    promised = stats_sum(s->expected, s->n);
    for (size_t i = 0; i < s->n; i++)
        s->expected[i] *= got / promised;
    return true;
}

/* What path `i` adds to X2. */
static double pearson_term(const struct split *s, size_t i, double observed)
{
    const double off = observed - s->expected[i];

    return off * off / s->expected[i];
}

static double pearson(const struct split *s)
{
    double terms[CHANCE_PATHS_MAX];

    for (size_t i = 0; i < s->n; i++)
        terms[i] = pearson_term(s, i, s->observed[i]);
    return stats_sum(terms, s->n);
}

/* ------------------------------------------------------------------------------ exact */

/* The ways to put k on n paths, (k+n-1 choose n-1), or more than the most. */
static double ways(double k, size_t n)
{
    double w = 1;

    for (size_t i = 1; i < n && w <= CHANCE_SPLITS_MAX; i++)
        w = w * (k + (double)i) / (double)i;
    return w;
}

struct counting {
    const struct split *split;
    const double *log_factorial;
    double log_share[CHANCE_PATHS_MAX];
    double rest[CHANCE_PATHS_MAX]; /* X2 of the paths from here on, when they get nothing */
    double limit;                  /* X2 from which a split counts */
    double sum, lost;              /* of probabilities, compensated */
};

static void counting_add(struct counting *c, double probability)
{
    const double next = c->sum + probability;

    c->lost += fabs(c->sum) >= probability ? c->sum - next + probability
                                           : probability - next + c->sum;
    c->sum = next;
}

/* All splits of what is left over the paths from `at` on; `x2` is that of those before. */
static void count_splits(struct counting *c, size_t at, unsigned left, double x2,
                         double log_weight)
{
    if (left == 0) {
        if (x2 + c->rest[at] >= c->limit)
            counting_add(c, exp(log_weight));
        return;
    }
    if (at + 1 == c->split->n) {
        if (x2 + pearson_term(c->split, at, left) >= c->limit)
            counting_add(
                c, exp(log_weight + left * c->log_share[at] - c->log_factorial[left]));
        return;
    }
    for (unsigned k = 0; k <= left; k++)
        count_splits(c, at + 1, left - k, x2 + pearson_term(c->split, at, k),
                     log_weight + k * c->log_share[at] - c->log_factorial[k]);
}

static double by_counting(const struct split *s, unsigned choices)
{
    double *log_factorial = mem_alloc((size_t)choices + 1, sizeof *log_factorial);
    struct counting c = {.split = s, .log_factorial = log_factorial};
    double p;

    for (unsigned k = 1; k <= choices; k++)
        log_factorial[k] = log_factorial[k - 1] + log(k);
    for (size_t i = s->n; i-- > 0;) {
        c.log_share[i] = log(s->expected[i] / choices);
        c.rest[i] = (i + 1 < s->n ? c.rest[i + 1] : 0) + s->expected[i];
    }
    c.limit = pearson(s) * (1 - SAME);
    count_splits(&c, 0, choices, 0, log_factorial[choices]);
    p = c.sum + c.lost;
    mem_free(log_factorial);
    return stats_round(fmin(1, p));
}

/* ---------------------------------------------------------------------------- moments */

/* Entry i, j of A C: the covariance of one choice, each row over what it expects. */
static double scaled_covariance(const struct split *s, const double *p, size_t i,
                                size_t j)
{
    return ((i == j ? p[i] : 0) - p[i] * p[j]) / s->expected[i];
}

/* tr(M M) of a matrix of n rows. */
static double trace_of_square(const double *m, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += m[i * n + j] * m[j * n + i];
    return sum;
}

/* The variance of q over the paths that one choice can fall on. */
static double variance_alone(const struct split *s, const double *p)
{
    double mean = 0, square = 0;

    for (size_t i = 0; i < s->n; i++) {
        const double v = (1 - 2 * p[i]) / s->expected[i];

        mean += p[i] * v;
        square += p[i] * v * v;
    }
    return fmax(0, square - mean * mean);
}

struct moments {
    double mean, variance;
};

static struct moments moments_of(const struct chance *c, const struct split *s)
{
    const size_t n = s->n;
    double *sum = mem_alloc(2 * n * n, sizeof *sum), *one = sum + n * n;
    struct moments m = {0, 0};
    double p[CHANCE_PATHS_MAX];

    for (size_t g = 0; g < c->groups_len; g++) {
        const struct chance_group *group = &c->groups[g];

        if (!(group->squares > 0))
            continue;
        for (size_t i = 0; i < n; i++)
            p[i] = group->shares[s->path[i]];
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                one[i * n + j] = scaled_covariance(s, p, i, j);
                sum[i * n + j] += group->squares * one[i * n + j];
            }
        m.variance +=
            group->fourths * (variance_alone(s, p) - 2 * trace_of_square(one, n));
    }
    for (size_t i = 0; i < n; i++)
        m.mean += sum[i * n + i];
    m.variance += 2 * trace_of_square(sum, n);
    mem_free(sum);
    return m;
}

static double by_moments(const struct chance *c, const struct split *s)
{
    const struct moments m = moments_of(c, s);
    const double x = pearson(s);

    if (!(m.mean > 0) || !(m.variance > m.mean * m.mean * SAME))
        return x <= m.mean * (1 + SAME) ? 1 : 0; /* every split is as uneven */
    return stats_chi_square_survival(x * 2 * m.mean / m.variance,
                                     2 * m.mean * m.mean / m.variance);
}

static size_t groups_used(const struct chance *c)
{
    size_t n = 0;

    for (size_t g = 0; g < c->groups_len; g++)
        n += c->groups[g].squares > 0;
    return n;
}

double chance_p_value(const struct chance *c, bool *exact)
{
    struct split s;
    double choices;

    *exact = false;
    if (!split_make(c, &s))
        return NAN;
    choices = stats_sum(s.observed, s.n);
    if (s.n < 2 || !(choices > 0))
        return 1;
    if (c->unit && groups_used(c) == 1 && ways(choices, s.n) <= CHANCE_SPLITS_MAX) {
        *exact = true;
        return by_counting(&s, (unsigned)choices);
    }
    return by_moments(c, &s);
}
