#include "sim/input/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t a_length = strnlen(a, NEAREST_WORD_MAX + 1);
    size_t b_length = strnlen(b, NEAREST_WORD_MAX + 1);

    if (a_length > NEAREST_WORD_MAX || b_length > NEAREST_WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        above[j] = before[j] = j;

    for (size_t i = 1; i <= a_length; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = min_size(changed, min_size(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min_size(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

struct nearest nearest_start(const char *word)
{
    size_t length = strnlen(word, NEAREST_WORD_MAX + 1);
    size_t limit = length < 3 ? 1 : length / 3;

    return (struct nearest){.word = word, .distance = limit + 1};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t distance;

    if (!candidate)
        return;
    distance = nearest_distance(n->word, candidate);
    if (distance >= n->distance || distance >= strlen(n->word) ||
        distance >= strlen(candidate))
        return;
    n->name = candidate;
    n->distance = distance;
}

const char *nearest_name(const char *word, const char *const *names)
{
    struct nearest n = nearest_start(word);

    for (; *names; names++)
        nearest_offer(&n, *names);
    return n.name;
}
