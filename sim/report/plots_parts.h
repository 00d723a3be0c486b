/*
 * plots_parts - the tables that the gnuplot scripts read
 *
 *     plots.c        the folder, the scripts, gnuplot
 *     plots_data.c   result document -> NAME.tsv
 *
 * A table is text: a row of heads, then rows, cells apart by tabs. Its names are
 * printable and hold no quote, backslash or percent sign, which gnuplot would take for
 * its own. WANs are numbered from 0 in the order of wans.tsv; -1 is none. Times are seconds.
 */
#ifndef ECMPLAB_PLOTS_PARTS_H
#define ECMPLAB_PLOTS_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Limits of what a picture can show; the result document has all. */
enum {
    PLOT_WANS_MAX = 12,
    PLOT_LANES_MAX = 24,
    PLOT_EVENTS_MAX = 24,
    PLOT_POINTS_MAX = 100000,
};

struct plot_table {
    const char *name;
    bool has_picture; /* NAME.gp draws NAME.svg, when there are rows */
    size_t (*write)(const json_t *result, FILE *out); /* the number of rows */
};

/* A row with a name of NULL is the last. */
extern const struct plot_table plot_tables[];

#endif
