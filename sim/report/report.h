/*
 * report - the formats that a result is written in
 *
 *     json_t result ─▶ report_write("FORMAT:PATH") ─▶ one row of report_formats[] ─▶ PATH
 *
 * A report is drawn from the result document alone ("format": "ecmplab-result/1"), so it
 * can be drawn as well from a saved one. What the document does not have is skipped, also
 * where a value is of another type than it should be: the document may be anyone's.
 *
 * A report is there whole or not at all. It is drawn in memory, written under a temporary
 * name in the folder of PATH and renamed. A symbolic link is followed; a device or a FIFO
 * cannot be replaced and is written to directly. "-" is stdout. SIGPIPE is the caller's
 * to ignore: a reader that went away is then an error like a full disk.
 */
#ifndef ECMPLAB_REPORT_H
#define ECMPLAB_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct report_options {
    bool colour; /* on stdout; never in a file */
    bool quiet;  /* text: the verdict and what failed */
};

/* One of the first two functions is set. */
struct report_format {
    const char *name, *about; /* "about" for --help: one line, no capital, no full stop */

    /* PATH is a file. False: it cannot be drawn. The stream keeps its own errors. */
    bool (*draw)(const json_t *result, const struct report_options *o, FILE *out);

    /* PATH is a folder, made when it is not there; its parent must be. */
    bool (*draw_folder)(const json_t *result, const char *folder, char *error, size_t n);

    /* As draw, of a comparison ("format": "ecmplab-comparison/1"); NULL: there is none. */
    bool (*draw_comparison)(const json_t *document, const struct report_options *o,
                            FILE *out);
};

/* A row with a name of NULL is the last. */
extern const struct report_format report_formats[];

/*
 * Write the result as `spec` = "FORMAT:PATH" says. False: `error` (of n bytes) is one
 * line that names what failed and why; whatever was at PATH is as it was.
 */
bool report_write(const json_t *result, const char *spec, const struct report_options *o,
                  char *error, size_t n);

/* Is the document a comparison, rather than a result? */
bool report_is_comparison(const json_t *document);

/* The format of "FORMAT:PATH", and where its PATH begins; NULL: `error` says why. */
const struct report_format *report_parse(const char *spec, const char **path, char *error,
                                         size_t n);

/* The bytes, at `path`, as said above: whole or not at all. */
bool report_write_file(const char *path, const char *bytes, size_t length, char *error,
                       size_t n);

/* The rows. */
bool report_draw_text(const json_t *result, const struct report_options *o, FILE *out);
bool report_draw_text_comparison(const json_t *document, const struct report_options *o,
                                 FILE *out);
bool report_draw_json(const json_t *result, const struct report_options *o, FILE *out);
bool report_draw_plots(const json_t *result, const char *folder, char *error, size_t n);

#endif
