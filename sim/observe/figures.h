/*
 * figures - every figure of a result: its place, its unit, and which way is better
 *
 * One row a figure, in the order of the document. `ecmplab list metrics` prints the table,
 * `ecmplab compare` marks by it, and the tests hold the result and doc/METRICS.md to it. A
 * `*` stands for a name or a number: /paths/WAN/flows. What phases have is named by the same
 * figures of the whole run.
 */
#ifndef ECMPLAB_FIGURES_H
#define ECMPLAB_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

enum figure_sense { FIGURE_NEITHER, FIGURE_LESS, FIGURE_MORE }; /* what is better */

/* How a comparison shows it: not, each by itself, or its sum over what `*` stands for. */
enum figure_comparing { FIGURE_NOT, FIGURE_EACH, FIGURE_SUM };

struct figure {
    const char *pointer; /* JSON pointer with * */
    const char *unit;    /* "" for none; "share": a part of one */
    enum figure_sense sense;
    enum figure_comparing comparing;
    const char *about; /* one line, no capital, no full stop */
};

extern const struct figure figures[];
extern const size_t figures_len;

bool figure_matches(const struct figure *f, const char *pointer);

/* The row of a pointer into a result; NULL: it is none of a figure. */
const struct figure *figures_find(const char *pointer);

#endif
