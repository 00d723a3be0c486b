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
    mem_free(s->steps);
}

static void cell_add(struct series_cell *to, const struct series_cell *from)
{
    to->bytes_up += from->bytes_up;
    to->bytes_down += from->bytes_down;
    to->packets_lost += from->packets_lost;
}

/* ------------------------------------------------------------------------- what is spread */

__extension__ typedef unsigned __int128 wide;

enum { FRACTION_BITS = 32 };

/* Fixed point, modulo 2^128: by how much a point has more than the one before it. */
struct series_step {
    wide bytes_up, bytes_down, packets_lost;
};

/* Room for the steps of all points there are, and of one behind them. */
static void steps_reach(struct series *s)
{
    const size_t had = s->steps_cap, need = (s->len + 1) * s->wans_len;

    if (need <= had)
        return;
    s->steps = mem_grow(s->steps, &s->steps_cap, need, sizeof *s->steps);
    memset(s->steps + had, 0, (s->steps_cap - had) * sizeof *s->steps);
}

static void step_add(struct series_step *to, const struct series_step *what, uint64_t times)
{
    to->bytes_up += what->bytes_up * times;
    to->bytes_down += what->bytes_down * times;
    to->packets_lost += what->packets_lost * times;
}

static void step_take(struct series_step *from, const struct series_step *what,
                      uint64_t times)
{
    from->bytes_up -= what->bytes_up * times;
    from->bytes_down -= what->bytes_down * times;
    from->packets_lost -= what->packets_lost * times;
}

/* This much in one point alone, or evenly in `points` of them. */
static void step_up(struct series *s, size_t wan, size_t point, size_t points,
                    const struct series_step *each)
{
    step_add(&s->steps[point * s->wans_len + wan], each, 1);
    step_take(&s->steps[(point + points) * s->wans_len + wan], each, 1);
}

static struct series_step part(const struct series_cell *all, int64_t ns, int64_t of_ns)
{
    const wide share = ((wide)ns << FRACTION_BITS) / (wide)of_ns;

    return (struct series_step){
        .bytes_up = all->bytes_up * share,
        .bytes_down = all->bytes_down * share,
        .packets_lost = all->packets_lost * share,
    };
}

void series_spread(struct series *s, size_t wan, int64_t from_ns, int64_t to_ns,
                   const struct series_cell *what)
{
    const size_t first = (size_t)(from_ns / s->interval_ns);
    const size_t last = (size_t)(to_ns / s->interval_ns);
    struct series_step head, each, rest = part(what, 1, 1);

    if (s->full || last >= s->len || first >= last) {
        cell_add(s->full || last >= s->len ? &s->now[wan] : &s->cells[last * s->wans_len + wan],
                 what);
        return;
    }
    steps_reach(s);
    head = part(what, (int64_t)(first + 1) * s->interval_ns - from_ns, to_ns - from_ns);
    each = part(what, s->interval_ns, to_ns - from_ns);
    step_up(s, wan, first, 1, &head);
    step_up(s, wan, first + 1, last - first - 1, &each);
    step_take(&rest, &head, 1);
    step_take(&rest, &each, last - first - 1);
    step_up(s, wan, last, 1, &rest);
}

/* Of all so far, to the nearest whole: so the sum of all points is exact. */
static uint64_t whole(wide before, wide after)
{
    const wide half = (wide)1 << (FRACTION_BITS - 1);

    return (uint64_t)(((after + half) >> FRACTION_BITS) - ((before + half) >> FRACTION_BITS));
}

static void settle_wan(struct series *s, size_t wan)
{
    struct series_step level = {0, 0, 0}, sum = {0, 0, 0};

    for (size_t i = 0; i < s->len; i++) {
        const struct series_step before = sum;

        step_add(&level, &s->steps[i * s->wans_len + wan], 1);
        step_add(&sum, &level, 1);
        cell_add(&s->cells[i * s->wans_len + wan],
                 &(struct series_cell){
                     .bytes_up = whole(before.bytes_up, sum.bytes_up),
                     .bytes_down = whole(before.bytes_down, sum.bytes_down),
                     .packets_lost = whole(before.packets_lost, sum.packets_lost),
                 });
    }
}

void series_settle(struct series *s)
{
    if (!s->steps)
        return;
    steps_reach(s);
    for (size_t w = 0; w < s->wans_len; w++)
        settle_wan(s, w);
    memset(s->steps, 0, s->steps_cap * sizeof *s->steps);
}

/* --------------------------------------------------------------------------------- points */

/* Two points become one. */
static void halve(struct series *s)
{
    const size_t half = (s->len + 1) / 2, wans = s->wans_len;

    series_settle(s);
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
