#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "sim/traffic/real.h"
#include "tests/routers.h"

/* Against the C library, whose own error is below one unit of the last place. */
static void they_agree_with_the_c_library(void **state)
{
    static const double xs[] = {1e-300, 1e-17, 0.001, 0.5,  0.7071, 0.99999, 1.00001,
                                1.5,    2,     3,     10.5, 12345,  1e17,    1e300};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(xs); i++) {
        const double l = log(xs[i]), e = l > -690 && l < 690 ? exp(l / 3) : 1;

        if (fabs(real_log(xs[i]) - l) > 1e-15 * fabs(l))
            fail_msg("log %g is %.17g", xs[i], real_log(xs[i]));
        if (e != 1 && fabs(real_exp(l / 3) - e) > 2e-15 * e)
            fail_msg("exp %g is %.17g", l / 3, real_exp(l / 3));
        if (fabs(real_pow(xs[i], 0.3) / pow(xs[i], 0.3) - 1) > 1e-13)
            fail_msg("%g ^ 0.3 is %.17g", xs[i], real_pow(xs[i], 0.3));
    }
    for (int i = 0; i < 1000; i++)
        if (fabs(real_cos_turns(i / 1000.0) - cos(2 * acos(-1) * i / 1000)) > 1e-14)
            fail_msg("cosine of %d/1000 turns is %.17g", i, real_cos_turns(i / 1000.0));
}

static void round_values_are_exact_and_the_ends_finite(void **state)
{
    (void)state;
    assert_true(real_log(1) == 0);
    assert_true(real_exp(0) == 1);
    assert_true(real_pow(1, 7) == 1);
    assert_true(real_cos_turns(0) == 1 && real_cos_turns(0.5) == -1);
    assert_true(real_exp(-1000) == 0);
    assert_true(isfinite(real_exp(1e9)));
}

/* The mean of n uniforms is a half, with a standard deviation of 1 / sqrt(12 n). */
static void uniforms_lie_inside_and_fill_the_interval(void **state)
{
    enum { DRAWS = 100000 };
    struct random_stream s = random_stream_make(1, 2);
    double sum = 0;

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        const double u = real_uniform(&s);

        assert_true(u > 0 && u < 1);
        sum += u;
    }
    assert_true(fabs(sum / DRAWS - 0.5) < 4 / sqrt(12.0 * DRAWS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_agree_with_the_c_library),
        cmocka_unit_test(round_values_are_exact_and_the_ends_finite),
        cmocka_unit_test(uniforms_lie_inside_and_fill_the_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
