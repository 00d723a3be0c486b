/*
 * maxmin - the weighted max-min fair rates of flows that share links
 *
 *     capacity 10      link 0 ══╤═══════════╤══          flow a {0, 1}  5
 *                               │ a         │ b          flow b {0}     5
 *     capacity 10      link 1 ══╧══╤════════════         flow c {1, 2}  2
 *                                  │ c                   flow d {2}     2
 *     capacity 4       link 2 ═════╧══╤══ d
 *
 * Progressive filling: a level rises from 0, every flow's rate is its weight times the level,
 * until a link it crosses is full or its own cap is reached; there it stays, and the others go
 * on. The result is unique: no flow can get more without taking from one that has, by its
 * weight, no more than it.
 *
 * The links' levels stand in a heap and only rise while others freeze, so one that was looked at
 * too early is put back: O((flows + crossings + links) log(flows + links)).
 *
 * Rates are exact to rounding; they carry any unit, the capacities'.
 * Source: Bertsekas, Gallager, "Data Networks", section 6.5.2. Where every flow crosses a
 * single link and comes and goes, fluid.h keeps the same rates up to date.
 */
#ifndef ECMPLAB_MAXMIN_H
#define ECMPLAB_MAXMIN_H

#include <stddef.h>
#include <stdint.h>

struct maxmin_flow {
    const uint32_t *links; /* indices; one that stands twice is crossed twice */
    size_t links_len;
    double weight; /* above 0 */
    double cap;    /* INFINITY: none */
};

/*
 * Capacities are finite, from 0. A flow that crosses no link and has no cap gets INFINITY.
 * `rates` has room for `flows_len`.
 */
void maxmin_solve(const double *capacities, size_t links_len,
                  const struct maxmin_flow *flows, size_t flows_len, double *rates);

#endif
