/*
 * comparison - several results beside each other, as one document
 *
 *     result, result, ... ─▶ comparison_build() ─▶ {"format": "ecmplab-comparison/1", ...}
 *
 *     {"format": "ecmplab-comparison/1",
 *      "columns": [{"name": "l4", "source": "scenario", "file": "001-recipe.json",
 *                   "title": ..., "scenario_fingerprint": ..., "fingerprint": ...,
 *                   "traffic": "same", "packets": 13478, "flows": 937,
 *                   "expected": 6, "failed": 0}, ...],
 *      "verdicts": [{"column": "l3", "verdict": "worse", "better": 2, "worse": 9,
 *                    "sensitive": [{"host": ..., "metric": ..., "unit": ...,
 *                                   "from": 0, "to": 33, "mark": "worse"}]}, ...],
 *      "elsewhere": {"l3": {...}, ...},
 *      "figures": [{"metric": "/stickiness/broken", "unit": "flows", "better": "less",
 *                   "values": [3, 12], "marks": [null, "worse"]}, ...],
 *      "hosts": {"work-laptop": {"sensitive": true,
 *                                "public_addresses": [["100.64.1.2"], [...]],
 *                                "figures": [...]}},
 *      "warnings": [...]}
 *
 * The first column is what the others are held against. Keys stand in this order always. A
 * value is null where its result has none. A mark is
 *
 *     null     the first column, or a value is missing, or no way is better
 *     same     equal
 *     chance   of a split's evenness, and neither of the two is called uneven
 *     better, worse
 *
 * A verdict is by its marks: `better`, `worse` or `mixed`; without one, `same` when both runs
 * decided every packet alike and `different` otherwise. `elsewhere` (elsewhere.h) is there
 * for columns that were run together with the first. Which figures are compared and which
 * way is better: figures.h.
 */
#ifndef ECMPLAB_COMPARISON_H
#define ECMPLAB_COMPARISON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define COMPARISON_FORMAT "ecmplab-comparison/1"

struct comparison_column {
    char *name;
    const char *source; /* "scenario" or "result" */
    const char *file;   /* as the user gave it */
    json_t *result;
    json_t *elsewhere; /* against the first column; NULL: not known */
};

/* The caller owns the document. At least one column, with names of their own. */
json_t *comparison_build(const struct comparison_column *columns, size_t n);

/* Did both results read the same packets? False as well when one does not say. */
bool comparison_same_traffic(const json_t *a, const json_t *b);

/* Is it known that they read others? */
bool comparison_other_traffic(const json_t *a, const json_t *b);

#endif
