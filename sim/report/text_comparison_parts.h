/*
 * text_comparison_parts - what the text of a comparison is made of
 *
 *     text_comparison.c          verdicts, columns, flows elsewhere, hosts; their order
 *     text_comparison_table.c    figures beside each other
 */
#ifndef ECMPLAB_TEXT_COMPARISON_PARTS_H
#define ECMPLAB_TEXT_COMPARISON_PARTS_H

#include "sim/report/text_parts.h"

struct comparison_drawing {
    struct page *page;
    json_t *columns;
    size_t len;
};

/* "A", "B", ... "Z", "AA": what a column is called in tables. */
const char *comparison_letter(size_t column, char buf[8]);

/* Of a mark or a verdict. */
enum tone comparison_tone(const char *word);

struct human_name comparison_value(const json_t *value, const char *unit);

/* Does the row differ, to a reader: by a mark, or in what is shown? */
bool comparison_differs(const json_t *row);

/* The rows that differ, in as many tables as the columns need, named by their pointers; of a
 * `host` (NULL: none) by the last part. Returns the number of the others. */
size_t comparison_table(const struct comparison_drawing *d, const json_t *rows,
                        const char *host);

#endif
