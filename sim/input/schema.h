/*
 * schema - the reader's tables as a JSON Schema
 *
 *     struct reader_object  ─▶  {"type": "object", "properties": ..., "required": ...,
 *                                "additionalProperties": false}
 *     an object inside it   ─▶  {"$ref": "#/$defs/NAME"}, each defined once under $defs
 *     one of several kinds  ─▶  {"oneOf": [...]}, told apart by the tag's "const"
 *
 * The schema accepts whatever the reader accepts. It accepts more where JSON Schema has
 * no words: bounds of durations and rates (they stand in the description), text that
 * looks like an address but is none, host bits, what a `check` refuses.
 *
 * Source: JSON Schema 2020-12, core and validation.
 */
#ifndef ECMPLAB_SCHEMA_H
#define ECMPLAB_SCHEMA_H

#include <jansson.h>

#include "sim/input/reader.h"

/* A new reference; keys stand in the order of the tables. */
json_t *schema_of(const struct reader_object *root, const char *title);

#endif
