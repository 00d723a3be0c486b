/*
 * units - durations and rates as people write them
 *
 *     duration   "90s" "1500ms" "1.5s" "1d10m" "250us"    ->  int64_t, nanoseconds
 *     rate       "300M" "1.5G" "64k" "9600"               ->  uint64_t, bit/s
 *     size       "100GB" "64KiB" "1500B"                  ->  uint64_t, bytes
 *
 * A duration is one or more numbers, each with its unit, larger units first, none twice;
 * the last number may have a fraction. Units are w d h m s ms us ns. A bare number is no
 * duration. A rate is one number and at most one of k M G T, which are powers of 1000. A
 * size is one number and its unit: B; kB MB GB TB, which are powers of 1000; or KiB MiB GiB
 * TiB, powers of 1024, of which there is a whole number.
 *
 * All are exact: what is no whole number of nanoseconds, bits or bytes, or exceeds the type,
 * is refused, never rounded. None can be negative.
 *
 * Source: RouterOS scripting manual, data type `time`; RouterOS queues, `max-limit`; IEC
 * 80000-13 (sizes).
 * Differs: RouterOS's "00:01:30" is not read, fractions and us, ns are ours.
 */
#ifndef ECMPLAB_UNITS_H
#define ECMPLAB_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* For JSON Schema (ECMA-262). They also match wrong orders and inexact fractions. */
#define UNITS_DURATION_PATTERN "^([0-9]+(\\.[0-9]+)?(w|d|h|m|s|ms|us|ns))+$"
#define UNITS_RATE_PATTERN     "^[0-9]+(\\.[0-9]+)?[kMGT]?$"
#define UNITS_SIZE_PATTERN     "^[0-9]+([.][0-9]+)?([kMGT]?B|[KMGT]iB)$"

/* False when the text is no such thing; the target is then unchanged. */
bool units_parse_duration(const char *text, int64_t *ns);
bool units_parse_rate(const char *text, uint64_t *bps);
bool units_parse_size(const char *text, uint64_t *bytes);

enum { UNITS_TEXT_MAX = 24 };

/* One number with the largest unit that keeps it whole: "90s", "1500ms", "0s"; "300M",
 * "1500k". Writes at most UNITS_TEXT_MAX bytes with the NUL; returns buf. ns >= 0. */
char *units_format_duration(int64_t ns, char *buf);
char *units_format_rate(uint64_t bps, char *buf);

#endif
