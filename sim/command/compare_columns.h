/*
 * compare_columns - what is compared, run or read, a column each
 *
 * The first column lends its traffic and its seed to the scenarios behind it, and its flows
 * are what theirs are held against.
 */
#ifndef ECMPLAB_COMPARE_COLUMNS_H
#define ECMPLAB_COMPARE_COLUMNS_H

#include "sim/command/command.h"
#include "sim/compare/comparison.h"
#include "sim/observe/ledger.h"

enum { COLUMNS_MAX = 16, REPORTS_MAX = 64 };

/* A value that one variant changes. */
struct variant_set {
    char *name;
    const char *set; /* "POINTER=VALUE" */
};

struct compare_options {
    struct change_options change;
    struct variant_set variants[CHANGES_MAX];
    size_t variants_len;
    const char *reports[REPORTS_MAX];
    size_t reports_len;
    bool own_traffic, quiet, no_color;
};

struct compare {
    const struct compare_options *options;
    struct comparison_column columns[COLUMNS_MAX];
    size_t len;
    struct scenario *first;    /* NULL: the first is a result, or there is none yet */
    struct ledger first_flows; /* of it */
};

/* Each returns an exit code, EXIT_HELD to go on, and has said on stderr what was wrong. */
int compare_add_input(struct compare *c, const char *path);
int compare_add_variants(struct compare *c); /* a column for each name */

void compare_free(struct compare *c);

#endif
