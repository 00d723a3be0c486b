#include "sim/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/nearest.h"
#include "sim/report/outfile.h"

const struct report_format report_formats[] = {
    {"text", "what a terminal shows, 80 columns", report_draw_text, NULL,
     report_draw_text_comparison},
    {"json", "the result document, from which all others can be drawn", report_draw_json,
     NULL, report_draw_json},
    {"plots", "a folder of pictures (SVG) with their data and gnuplot scripts", NULL,
     report_draw_plots, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct report_format *format_find(const char *name, size_t length)
{
    for (const struct report_format *f = report_formats; f->name; f++)
        if (strlen(f->name) == length && memcmp(f->name, name, length) == 0)
            return f;
    return NULL;
}

/* "unknown report format 'jsno'; did you mean 'json'?" or the list of them. */
static void tell_unknown(const char *name, size_t length, char *error, size_t n)
{
    char word[NEAREST_WORD_MAX + 1];
    size_t used;

    snprintf(word, sizeof word, "%.*s",
             (int)(length < sizeof word ? length : sizeof word), name);
    struct nearest nearest = nearest_start(word);
    for (const struct report_format *f = report_formats; f->name; f++)
        nearest_offer(&nearest, f->name);
    if (nearest.name) {
        snprintf(error, n, "unknown report format '%s'; did you mean '%s'?", word,
                 nearest.name);
        return;
    }
    snprintf(error, n, "unknown report format '%s'; expected one of", word);
    for (const struct report_format *f = report_formats; f->name; f++)
        if ((used = strlen(error)) < n)
            snprintf(error + used, n - used, "%s %s", f == report_formats ? "" : ",",
                     f->name);
}

const struct report_format *report_parse(const char *spec, const char **path, char *error,
                                         size_t n)
{
    const char *colon = strchr(spec, ':');
    size_t length = colon ? (size_t)(colon - spec) : strlen(spec);
    const struct report_format *f = format_find(spec, length);

    if (!f) {
        tell_unknown(spec, length, error, n);
        return NULL;
    }
    if (!colon || !colon[1]) {
        snprintf(error, n,
                 "report '%s' lacks its path; expected FORMAT:PATH, as in %s:%s", spec,
                 f->name, f->draw ? "-" : "folder");
        return NULL;
    }
    *path = colon + 1;
    if (!f->draw && strcmp(*path, "-") == 0) {
        snprintf(error, n, "report '%s': %s are a folder, not stdout", spec, f->name);
        return NULL;
    }
    return f;
}

/* False, and why. */
static bool cannot(const char *what, const char *path, int code, char *error, size_t n)
{
    snprintf(error, n, "cannot %s %s: %s", what, path, strerror(code));
    return false;
}

bool report_write_file(const char *path, const char *bytes, size_t length, char *error,
                       size_t n)
{
    struct outfile f;

    if (!outfile_open(&f, path, error, n))
        return false;
    if (fwrite(bytes, 1, length, f.stream) != length)
        f.code = errno;
    return outfile_close(&f, true, error, n);
}

bool report_is_comparison(const json_t *document)
{
    const char *format = json_string_value(json_object_get(document, "format"));

    return format && strcmp(format, "ecmplab-comparison/1") == 0;
}

/* Draw into memory, then write. */
static bool write_drawn(const json_t *result,
                        bool (*draw)(const json_t *, const struct report_options *, FILE *),
                        const struct report_format *f, const char *path, const struct report_options *o, char *error,
                        size_t n)
{
    bool to_stdout = strcmp(path, "-") == 0;
    struct report_options options = {.colour = o->colour && to_stdout, .quiet = o->quiet};
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);

    if (!out)
        return cannot("draw", path, errno, error, n);
    bool ok = draw(result, &options, out) && !ferror(out);
    ok = fclose(out) == 0 && ok;
    if (!ok)
        snprintf(error, n, "cannot draw %s: the result does not fit into the format '%s'",
                 path, f->name);
    else
        ok = report_write_file(path, bytes, length, error, n);
    free(bytes);
    return ok;
}

bool report_write(const json_t *result, const char *spec, const struct report_options *o,
                  char *error, size_t n)
{
    const char *path;
    const struct report_format *f = report_parse(spec, &path, error, n);

    if (!f)
        return false;
    if (report_is_comparison(result)) {
        if (f->draw_comparison)
            return write_drawn(result, f->draw_comparison, f, path, o, error, n);
        snprintf(error, n, "report '%s': %s is drawn of one result, not of a comparison",
                 spec, f->name);
        return false;
    }
    if (f->draw_folder)
        return f->draw_folder(result, path, error, n);
    return write_drawn(result, f->draw, f, path, o, error, n);
}
