/*
 * series - bytes and losses over time, a point an interval
 *
 * Points start at time 0 and stand for [i * interval, (i + 1) * interval). Without an
 * interval asked for it is 1 s, and doubles whenever more than SERIES_POINTS points would
 * be needed:
 *
 *     | a | b | c | d |   ->   | a + b | c + d |       nothing is lost but resolution
 *
 * An interval that is asked for stays, and the series ends after SERIES_POINTS_ASKED
 * points. Very many WANs make both limits smaller: a series has at most SERIES_CELLS
 * figures.
 */
#ifndef ECMPLAB_SERIES_H
#define ECMPLAB_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SERIES_POINTS = 600,
    SERIES_POINTS_ASKED = 100000,
    SERIES_CELLS = 1 << 25,
};

/* One point of one WAN. */
struct series_cell {
    uint64_t bytes_up, bytes_down, packets_lost;
};

struct series_step;

struct series {
    struct series_cell *now; /* the current point: wans_len cells */
    int64_t end_ns;          /* where the current point ends */
    int64_t interval_ns;
    struct series_cell *cells; /* len points of wans_len, the last is the current one */
    struct series_cell *sink;  /* what comes after the end of a full series */
    struct series_step *steps; /* of what was spread, by point and WAN; NULL: nothing was */
    size_t steps_cap;
    size_t wans_len, len, cap, max_points;
    bool asked; /* the interval is fixed */
    bool full;
};

/* `interval_ns` 0: chosen. */
void series_init(struct series *s, size_t wans_len, int64_t interval_ns);
void series_free(struct series *s);

/* Let the current point be the one that holds `time_ns`. Time that goes back stays. */
void series_advance_slowly(struct series *s, int64_t time_ns);

static inline void series_advance(struct series *s, int64_t time_ns)
{
    if (time_ns >= s->end_ns)
        series_advance_slowly(s, time_ns);
}

/*
 * Spread what was carried evenly from `from_ns` to `to_ns`, no later than the current point: in
 * proportion to the time that each point has of it. Parts of a byte or packet go on to the next
 * point, so that the sum is exact. O(1), whatever the number of points; the points have it after
 * series_settle().
 */
void series_spread(struct series *s, size_t wan, int64_t from_ns, int64_t to_ns,
                   const struct series_cell *what);
void series_settle(struct series *s);

static inline const struct series_cell *series_at(const struct series *s, size_t point,
                                                  size_t wan)
{
    return &s->cells[point * s->wans_len + wan];
}

#endif
