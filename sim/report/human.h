/*
 * human - numbers and names as people read them in a terminal
 *
 *     count    0   334   99999   123 k   1.23 M        exact below 100 000
 *     bytes    0 B   999 B   1.23 kB   45.6 MB         powers of 1000, three digits
 *     share    0 %   <0.1 %   33.3 %   >99.9 %   100 %    none and all only when it is
 *     span     0 s   12 us   200 ms   12.3 s   2 min 3 s   1 h 5 min
 *     instant  0.0 s   12.3 s   599.9 s   1:02:03          since the run's start
 *     name     printable: controls and what turns the writing about come out as \u001b;
 *              cut with ".." beyond a number of columns
 *
 * Every one returns its text in a struct, to be used within the same expression:
 *
 *     fprintf(out, "%s of %s\n", human_bytes(n).text, human_name(name, 20).text);
 *
 * No input is too large, negative or too strange to be written.
 */
#ifndef ECMPLAB_HUMAN_H
#define ECMPLAB_HUMAN_H

#include <stddef.h>
#include <stdint.h>

enum { HUMAN_COLUMNS_MAX = 200 };

struct human {
    char text[40];
};

struct human_name {
    char text[HUMAN_COLUMNS_MAX * 4 + 8];
};

struct human human_count(double count);
struct human human_bytes(double bytes);
struct human human_share(double share);
struct human human_span(double seconds);
struct human human_instant(double seconds);

/* A figure without unit, at most three digits behind those that are not zero. */
struct human human_figure(double value);

/* At most `columns` (of at most HUMAN_COLUMNS_MAX); NULL reads as "?". UTF-8. */
struct human_name human_name(const char *name, size_t columns);

/* The same, padded with spaces to just that many columns: a cell of a table. */
struct human_name human_cell(const char *name, size_t columns);

/*
 * The character at `s`: its bytes (at least 1 unless it is the end) and its columns in a
 * terminal: 0 for combining marks, 2 for wide East Asian letters and pictures, else 1.
 */
size_t human_character(const char *s, size_t *columns);

/* The columns of a whole text. */
size_t human_columns(const char *s);

#endif
