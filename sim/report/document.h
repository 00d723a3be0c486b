/*
 * document - reading a result document that may lack anything
 *
 * A member that is absent, null or of another type reads as 0, NULL or an empty container
 * (also to json_object_foreach), and so does a member of it. document_has_number() tells
 * "absent" from "zero".
 */
#ifndef ECMPLAB_DOCUMENT_H
#define ECMPLAB_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

double document_number(const json_t *object, const char *key);
bool document_has_number(const json_t *object, const char *key);
bool document_is_true(const json_t *object, const char *key);
const char *document_string(const json_t *object, const char *key); /* NULL: none */

/* Of all members that are numbers. */
double document_sum(json_t *object);

/* A member and what it means to a reader; a row with a key of NULL is the last. */
struct document_word {
    const char *key, *words;
};

extern const struct document_word document_causes[]; /* of moves */
extern const struct document_word document_fates[];  /* of flows */

#endif
