/*
 * text_parts - the sections of the text report
 *
 *     text.c          the verdict, what was run, expectations, warnings; their order
 *     text_load.c     load per WAN, balance, stickiness, what was not forwarded, checks
 *     text_hosts.c    named hosts
 *     text_users.c    people and their sessions
 *     text_events.c   events, and hosts that the router watched
 *
 * Each prints its section, or nothing when the document has nothing for it.
 */
#ifndef ECMPLAB_TEXT_PARTS_H
#define ECMPLAB_TEXT_PARTS_H

#include "sim/report/document.h"
#include "sim/report/human.h"
#include "sim/report/page.h"

enum {
    TEXT_NAME_COLUMNS = 24, /* of names within a sentence */
    TEXT_HANG = 14,         /* where the text behind a label begins */
};

void text_load(struct page *p, const json_t *result);
void text_balance(struct page *p, const json_t *result);
void text_stickiness(struct page *p, const json_t *result);
void text_not_forwarded(struct page *p, const json_t *result);
void text_checks(struct page *p, const json_t *result);
void text_hosts(struct page *p, const json_t *result);
void text_users(struct page *p, const json_t *result);
void text_events(struct page *p, const json_t *result);
void text_watches(struct page *p, const json_t *result);

/* "25 forced (its path failed), 10 collateral (...)": the words whose number is not 0. */
void text_words(struct page_list *l, const json_t *object,
                const struct document_word *words);

/* "20 link-down, 3 queue-full": an object of numbers. */
void text_reasons(struct page_list *l, json_t *object);

/* "s" unless the number is 1. */
const char *text_plural(double number);

#endif
