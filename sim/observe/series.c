#include "sim/observe/series.h"

#include <string.h>

#include "core/memory.h"

#define SECOND INT64_C(1000000000)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void series_init(struct series *s, size_t wans_len, int64_t interval_ns)
{
    const size_t fit = SERIES_CELLS / (wans_len + 1);

    memset(s, 0, sizeof *s);
    s->wans_len = wans_len;
    s->asked = interval_ns > 0;
    s->interval_ns = s->asked ? interval_ns : SECOND;
    s->end_ns = s->interval_ns;
    s->max_points =
        least(s->asked ? SERIES_POINTS_ASKED : SERIES_POINTS, fit & ~(size_t)1);
    s->sink = mem_alloc(wans_len + 1, sizeof *s->sink);
    s->cells = mem_grow(NULL, &s->cap, wans_len + 1, sizeof *s->cells);
    memset(s->cells, 0, wans_len * sizeof *s->cells);
    s->len = 1;
    s->now = s->cells;
}

void series_free(struct series *s)
{
    mem_free(s->cells);
    mem_free(s->sink);
}

static void cell_add(struct series_cell *to, const struct series_cell *from)
{
    to->bytes_up += from->bytes_up;
    to->bytes_down += from->bytes_down;
    to->packets_lost += from->packets_lost;
}

/* Two points become one. */
static void halve(struct series *s)
{
    const size_t half = (s->len + 1) / 2, wans = s->wans_len;

    for (size_t i = 0; i < half; i++) {
        memmove(s->cells + i * wans, s->cells + 2 * i * wans, wans * sizeof *s->cells);
        for (size_t w = 0; w < wans && 2 * i + 1 < s->len; w++)
            cell_add(&s->cells[i * wans + w], &s->cells[(2 * i + 1) * wans + w]);
    }
    s->len = half;
    s->interval_ns *= 2;
}

static void extend(struct series *s, size_t len)
{
    const size_t old = s->len * s->wans_len, need = len * s->wans_len;

    s->cells = mem_grow(s->cells, &s->cap, need + 1, sizeof *s->cells);
    memset(s->cells + old, 0, (need - old) * sizeof *s->cells);
    s->len = len;
}

void series_advance_slowly(struct series *s, int64_t time_ns)
{
    int64_t point = time_ns / s->interval_ns;

    if (s->full)
        return;
    while (!s->asked && point >= (int64_t)s->max_points) {
        halve(s);
        point = time_ns / s->interval_ns;
    }
    s->full = point >= (int64_t)s->max_points;
    extend(s, s->full ? s->max_points : (size_t)point + 1);
    s->now = s->full ? s->sink : s->cells + (s->len - 1) * s->wans_len;
    s->end_ns = s->full || point >= INT64_MAX / s->interval_ns - 1
                    ? INT64_MAX
                    : (point + 1) * s->interval_ns;
}
