/*
 * comparison_parts - what the parts of a comparison share; for sim/compare alone
 *
 *     comparison.c         columns, hosts, verdicts, the document
 *     comparison_rows.c    figures, a row each, and their marks
 */
#ifndef ECMPLAB_COMPARISON_PARTS_H
#define ECMPLAB_COMPARISON_PARTS_H

#include "sim/compare/comparison.h"
#include "sim/observe/figures.h"

enum mark { MARK_NONE, MARK_SAME, MARK_CHANCE, MARK_BETTER, MARK_WORSE, MARKS };

struct comparison {
    const struct comparison_column *columns;
    size_t len;
    unsigned *marks;    /* MARKS of each column: how often */
    json_t **sensitive; /* of each column: what it means for sensitive hosts */
    json_t *document, *figures, *hosts, *warnings;
};

/* A string, or null for NULL. */
json_t *comparison_text(const char *text);

void comparison_warn(struct comparison *c, const char *text);

/* The members of `part` over all columns, each once, in the order of their first. New. */
json_t *comparison_names(const struct comparison *c, const char *part);

/* Is the figure one of this part, as "/hosts/"? */
bool comparison_is_of(const struct figure *f, const char *part);

/* The figure's row for one name, where any column has it. `sensitive`: the host, or NULL. */
void comparison_add_row(struct comparison *c, json_t *rows, const struct figure *f,
                        const char *name, const char *sensitive);

/* All rows but those of hosts. */
void comparison_add_figures(struct comparison *c);

#endif
