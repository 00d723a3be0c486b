#include "tests/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void words_split(struct words *w, const char *text, size_t length)
{
    char *rest;

    if (length >= sizeof w->line)
        fail_msg("line too long: %.40s", text);
    memcpy(w->line, text, length);
    w->line[length] = '\0';
    w->len = w->at = 0;
    for (char *s = strtok_r(w->line, " \t", &rest); s; s = strtok_r(NULL, " \t", &rest)) {
        if (w->len == WORDS_MAX)
            fail_msg("too many words: %.40s", text);
        w->word[w->len++] = s;
    }
}

const char *words_next(struct words *w)
{
    if (w->at == w->len)
        fail_msg("a word is missing behind '%s'", w->at ? w->word[w->at - 1] : "nothing");
    return w->word[w->at++];
}

bool words_take(struct words *w, const char *word)
{
    if (w->at == w->len || strcmp(w->word[w->at], word) != 0)
        return false;
    w->at++;
    return true;
}

uint32_t words_number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 0);

    if (end == text || *end || n > UINT32_MAX)
        fail_msg("no number: '%s'", text);
    return (uint32_t)n;
}

uint32_t words_next_number(struct words *w)
{
    return words_number(words_next(w));
}

unsigned words_name_index(const char *what, const char *const *names, size_t len,
                          const char *name)
{
    for (unsigned i = 0; i < len; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    fail_msg("no %s is called '%s'", what, name);
    return 0;
}

struct config_range words_range(const char *text)
{
    char first[16];
    const char *dash = strchr(text, '-');

    if (!dash)
        return (struct config_range){(uint16_t)words_number(text),
                                     (uint16_t)words_number(text)};
    snprintf(first, sizeof first, "%.*s", (int)(dash - text), text);
    return (struct config_range){(uint16_t)words_number(first),
                                 (uint16_t)words_number(dash + 1)};
}

uint8_t words_protocol(const char *text)
{
    uint8_t p = 0;

    if (!packet_protocol_parse(text, &p))
        fail_msg("no protocol: '%s'", text);
    return p;
}
