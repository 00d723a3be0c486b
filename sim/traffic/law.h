/*
 * law - the distributions that sizes and durations are drawn from
 *
 *     constant      value
 *     uniform       from .. to, each whole number alike
 *     exponential   mean
 *     pareto        1 - (from / x)^shape, from `from` on; with `to` the law bounded there
 *     lognormal     median, sigma of the logarithm
 *     cdf           points (value, share up to it), straight lines between them, from 0
 *     mixture       of generalised Pareto and Weibull laws
 *
 * A draw is a whole number (bytes, nanoseconds), rounded to nearest, then raised to `at_least`
 * and lowered to `at_most`. Every draw takes two numbers of its stream, whatever the law, so
 * that exchanging one law for another leaves all later draws where they were. Draws are by
 * inversion where there is an inverse: two laws fed the same stream are as alike as can be.
 *
 * The named laws, and where they come from:
 *     internet-access  size mixture fitted to 4.03e9 flows of a university's Internet access,
 *                      June 2015: Jurkiewicz, Rzym, Borylo, "Flow length and size distributions
 *                      in campus Internet traffic" (arXiv:1809.03486), data set agh_201506
 *     web-search       DCTCP_CDF, data-mining VL2_CDF, key-value FB_CDF of
 *                      HKUST-SING/TrafficGenerator (DCTCP, SIGCOMM 2010; VL2, SIGCOMM 2009)
 *     hadoop, storage  FbHdp and AliStorage2019 of HPCC (SIGCOMM 2019)
 */
#ifndef ECMPLAB_LAW_H
#define ECMPLAB_LAW_H

#include <stddef.h>

#include "sim/traffic/real.h"

/* Largest draw: a terabyte, or ten years in nanoseconds, fit. */
#define LAW_VALUE_MAX INT64_C(315360000000000000)

enum law_kind {
    LAW_CONSTANT,
    LAW_UNIFORM,
    LAW_EXPONENTIAL,
    LAW_PARETO,
    LAW_LOGNORMAL,
    LAW_CDF,
    LAW_MIXTURE,
    LAW_KINDS
};

struct law_point {
    double value; /* from 0, each more than the one before; one that repeats is a step */
    double share; /* 0..1, the last 1 */
};

enum law_part_kind { LAW_GENERAL_PARETO, LAW_WEIBULL };

/* One law of a mixture, in SciPy's parameters. */
struct law_part {
    double weight; /* those of a mixture make 1 */
    int kind;      /* enum law_part_kind */
    double shape, location, scale;
};

struct law {
    uint8_t kind; /* enum law_kind */
    double a, b,
        c; /* constant: value; uniform: from, to; exponential: mean; pareto: shape,
                         from, to (0: unbounded); lognormal: median, sigma */
    const struct law_point *points; /* cdf; borrowed */
    const struct law_part *parts;   /* mixture; borrowed */
    size_t len;                     /* of either */
    int64_t at_least, at_most;      /* caps */
};

/* A law with a name of its own; its caps are 1 and the largest that was ever seen. */
struct law_named {
    const char *name;
    const char *about;
    struct law law;
};

enum { LAWS_NAMED = 6 };
extern const struct law_named laws_named[LAWS_NAMED];

int64_t law_draw(const struct law *l, struct random_stream *s);

#endif
