/*
 * page - lines for a terminal of 80 columns
 *
 * Text longer than the line goes on in the next one, indented by `hang`:
 *
 *     |  moves       25 forced (its path failed), 10 collateral (its path was well), |
 *     |              5 failback (a path returned)                                    |
 *     |<-- hang ---->|
 *
 * A line breaks at a space, but not behind a digit: a number stays with its unit. What
 * has no space breaks anywhere. Spaces that begin the text are its indentation.
 */
#ifndef ECMPLAB_PAGE_H
#define ECMPLAB_PAGE_H

#include <stdbool.h>
#include <stdio.h>

enum { PAGE_COLUMNS = 80, PAGE_LIST_MAX = 3000 };

enum tone { TONE_PLAIN, TONE_BOLD, TONE_GOOD, TONE_BAD, TONE_ODD, TONES };

struct page {
    FILE *out;
    bool colour;
};

#define PAGE_PRINTF(at, values) __attribute__((format(printf, at, values)))

/* An empty line and the title of what follows. */
void page_head(struct page *p, const char *title);

/* The format's text, all of it in one tone. At most 4 kB are shown. */
void page_line(struct page *p, enum tone tone, unsigned hang, const char *format, ...)
    PAGE_PRINTF(4, 5);

/* A mark in a tone ("FAIL"), padded to `hang` columns, and the plain text behind it. */
void page_marked(struct page *p, enum tone tone, const char *mark, unsigned hang,
                 const char *format, ...) PAGE_PRINTF(5, 6);

/* Text in a tone, within a line that the caller writes himself. */
void page_tone(struct page *p, enum tone tone, const char *text);

/* Words with ", " between them; what does not fit any more is left out, for a "..". */
struct page_list {
    char text[PAGE_LIST_MAX];
    size_t length;
    bool full;
};

void page_list_add(struct page_list *l, const char *format, ...) PAGE_PRINTF(2, 3);

#endif
