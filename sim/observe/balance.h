/*
 * balance - is a split as even as the weights promise, or is it chance
 *
 * Given what each path got and what was promised to it, in the same unit:
 *
 *     x_i = observed_i / expected_i            over the paths with a promise
 *     jain, cv, max_over_mean                  of the x_i: 1, 0, 1 is exactly as promised
 *     p_value                                  of so uneven a split by chance: chance.h
 *
 * K is the number of independent choices: the flows; for bytes the effective flows 1 /
 * HHI, because a few large flows split as unevenly as few flows do.
 */
#ifndef ECMPLAB_BALANCE_H
#define ECMPLAB_BALANCE_H

#include <stdint.h>

#include "sim/observe/chance.h"

/*
 * The first that holds:
 *   uneven          p_value < 0.05, and it can be relied on: it is exact, or each path
 *                   expects at least 5 of K
 *   too-few-flows   K < flows_needed: such a sample shows no unevenness of 10 %
 *   even
 */
enum balance_verdict {
    BALANCE_EVEN,
    BALANCE_UNEVEN,
    BALANCE_TOO_FEW,
    BALANCE_VERDICTS,
};

struct balance_word {
    const char *name, *about;
};

extern const struct balance_word balance_verdicts[BALANCE_VERDICTS];

struct balance {
    double jain, max_over_mean, cv, p_value;
    bool exact; /* p_value is */
    uint64_t flows_needed;
    enum balance_verdict verdict;
};

/*
 * `choices` is K. False when nothing was observed or fewer than two paths were promised
 * anything: there is nothing to judge.
 */
bool balance_judge(const struct chance *c, double choices, struct balance *b);

#endif
