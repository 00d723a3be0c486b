#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "core/random.h"
#include "sim/timeline/spell.h"

enum { DRAWS = 200000 };

/* A law with a mean of 100 s: its mean, and the shares of draws up to 50 s and 200 s by its
 * distribution function, written with libm. */
static void laws_have_their_mean_and_distribution(void **state)
{
    static const struct {
        const char *when;
        uint8_t kind;
        double shape;
        double mean_within; /* three deviations of the mean of so many draws, in s */
    } rows[] = {
        {"constant", SPELL_CONSTANT, 0, 1e-9},
        {"exponential", SPELL_EXPONENTIAL, 0, 0.7},
        {"weibull that wears out", SPELL_WEIBULL, 2, 0.4},
        {"weibull that fails early", SPELL_WEIBULL, 0.5, 1.6},
        {"weibull of shape 1, which is exponential", SPELL_WEIBULL, 1, 0.7},
        {"lognormal", SPELL_LOGNORMAL, 0.5, 0.4},
        {"lognormal with a long tail", SPELL_LOGNORMAL, 1.2, 1.3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double k = rows[i].shape;
        struct spell_law l = {
            .kind = rows[i].kind, .mean_ns = 100000000000, .shape = k};
        struct random_stream s = random_stream_make(1, i);
        double sum = 0, share[2] = {0, 0}, expected[2];

        spell_law_settle(&l);
        for (int n = 0; n < DRAWS; n++) {
            const double x = (double)spell_draw(&l, &s) / 1e9;

            sum += x / DRAWS;
            share[0] += (x <= 50) / (double)DRAWS;
            share[1] += (x <= 200) / (double)DRAWS;
        }
        for (int at = 0; at < 2; at++) {
            const double x = at ? 200 : 50;

            if (rows[i].kind == SPELL_CONSTANT)
                expected[at] = at;
            else if (rows[i].kind == SPELL_LOGNORMAL)
                expected[at] = erfc(-(log(x / 100) + k * k / 2) / k / sqrt(2)) / 2;
            else if (rows[i].kind == SPELL_WEIBULL)
                expected[at] = 1 - exp(-pow(x / 100 * tgamma(1 + 1 / k), k));
            else
                expected[at] = 1 - exp(-x / 100);
        }
        if (fabs(sum - 100) > rows[i].mean_within || fabs(share[0] - expected[0]) > .004 ||
            fabs(share[1] - expected[1]) > .004)
            fail_msg("%s: mean %.3f; up to 50 s %.4f, not %.4f; up to 200 s %.4f, not %.4f",
                     rows[i].when, sum, share[0], expected[0], share[1], expected[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laws_have_their_mean_and_distribution),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
