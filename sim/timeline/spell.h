/*
 * spell - laws of how long something goes well, or is broken
 *
 *     constant     always the mean
 *     exponential  memoryless: as likely to fail in the next minute however long it held
 *     weibull      shape below 1: fails early or late; above 1: wears out. scale =
 *                  mean / Gamma(1 + 1/shape)
 *     lognormal    its logarithm is normal with deviation sigma: repairs that someone has to
 *                  come for. median = mean / exp(sigma^2 / 2)
 *
 * A draw is at least a nanosecond and at most ten years. Each takes two numbers of its stream,
 * whatever the law. The same bits come out on every machine (sim/traffic/real.h).
 *
 * Sources: Abramowitz, Stegun 6.1.41 (Stirling's series); Box, Muller, Ann. Math. Stat. 29
 * (1958).
 */
#ifndef ECMPLAB_SPELL_H
#define ECMPLAB_SPELL_H

#include <stdint.h>

#include "core/random.h"

enum spell_kind {
    SPELL_CONSTANT,
    SPELL_EXPONENTIAL,
    SPELL_WEIBULL,
    SPELL_LOGNORMAL,
    SPELL_KINDS
};

extern const char *const spell_kind_names[SPELL_KINDS];

struct spell_law {
    uint8_t kind;   /* enum spell_kind */
    int64_t mean_ns;
    double shape; /* weibull: shape; lognormal: sigma */
    double scale; /* in nanoseconds, of the law: spell_law_settle() */
};

/* Find the scale by the mean. */
void spell_law_settle(struct spell_law *l);

int64_t spell_draw(const struct spell_law *l, struct random_stream *s);

#endif
