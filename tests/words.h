/*
 * words - lines of text taken apart, for the tests' small languages
 *
 * Whatever is missing or not understood fails the test with its words.
 */
#ifndef ECMPLAB_TESTS_WORDS_H
#define ECMPLAB_TESTS_WORDS_H

#include "core/config.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { WORDS_MAX = 64, LINE_MAX_BYTES = 1024 };

struct words {
    char line[LINE_MAX_BYTES];
    const char *word[WORDS_MAX];
    size_t len, at;
};

/* Split the first `length` bytes of `text` at blanks. */
void words_split(struct words *w, const char *text, size_t length);

const char *words_next(struct words *w);
uint32_t words_next_number(struct words *w);

/* Is the next word this one? Then it is taken. */
bool words_take(struct words *w, const char *word);

/* What a word means. */
uint32_t words_number(const char *text);
unsigned words_name_index(const char *what, const char *const *names, size_t len,
                          const char *name);
struct config_range words_range(const char *text); /* N or N-N */
uint8_t words_protocol(const char *text);

#endif
