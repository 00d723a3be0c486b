#include "sim/traffic/real.h"

#include <math.h>

#define LN2_HIGH  0x1.62e42fefa3800p-1 /* few enough bits that small multiples are exact */
#define LN2_LOW   0x1.ef35793c76730p-45
#define PI        3.14159265358979323846
#define HALF_ROOT 0.70710678118654752440

/* x = m 2^e with m around 1; log m = 2 artanh((m - 1) / (m + 1)). */
double real_log(double x)
{
    int e;
    double m = frexp(x, &e), s, square, sum = 0;

    if (m < HALF_ROOT) {
        m *= 2;
        e--;
    }
    s = (m - 1) / (m + 1);
    square = s * s;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return e * LN2_HIGH + (2 * s * sum + e * LN2_LOW);
}

/* x = k log 2 + r; exp r by its series. */
double real_exp(double x)
{
    double k, r, sum = 1;

    if (x < -700)
        return 0;
    if (x > 700)
        x = 700;
    k = floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
    r = (x - k * LN2_HIGH) - k * LN2_LOW;
    for (int n = 16; n >= 1; n--)
        sum = 1 + sum * r / n;
    return ldexp(sum, (int)k);
}

double real_pow(double x, double y)
{
    return real_exp(y * real_log(x));
}

/* Of an angle of at most a quarter of pi. */
static double cos_small(double x)
{
    double sum = 1;

    for (int n = 20; n >= 2; n -= 2)
        sum = 1 - sum * x * x / (n * (n - 1));
    return sum;
}

static double sin_small(double x)
{
    double sum = 1;

    for (int n = 21; n >= 3; n -= 2)
        sum = 1 - sum * x * x / (n * (n - 1));
    return x * sum;
}

double real_cos_turns(double turns)
{
    const double quarter = floor(turns * 4 + 0.5);
    const double rest = (turns - quarter / 4) * 2 * PI;

    switch ((int)quarter % 4) {
    case 0: return cos_small(rest);
    case 1: return -sin_small(rest);
    case 2: return -cos_small(rest);
    default: return sin_small(rest);
    }
}
