#include "sim/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/input/nearest.h"

const struct report_format report_formats[] = {
    {"text", "what a terminal shows, 80 columns", report_draw_text, NULL},
    {"json", "the result document, from which all others can be drawn", report_draw_json,
     NULL},
    {"plots", "a folder of pictures (SVG) with their data and gnuplot scripts", NULL,
     report_draw_plots},
    {NULL, NULL, NULL, NULL},
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

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* All of it, and closed; false with errno. */
static bool write_close(int fd, const char *bytes, size_t length)
{
    bool ok = write_all(fd, bytes, length);
    int code = errno;

    if (close(fd) != 0 && ok)
        return false;
    errno = code;
    return ok;
}

/* A new file beside `path`: its name goes to `name`. -1 with errno. */
static int open_beside(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    int fd = -1;

    for (unsigned try = 0; try < 100; try++) {
        int length = snprintf(name, size, "%.*s.ecmplab-%ld-%u.tmp", folder, path,
                              (long)getpid(), try);
        if (length < 0 || (size_t)length >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return fd;
}

/* Under another name first, then renamed. `old` is what is there now, or NULL. */
static bool replace(const char *path, const struct stat *old, const char *bytes,
                    size_t length, char *error, size_t n)
{
    char *name = mem_alloc(PATH_MAX, 1);
    int fd = open_beside(path, name, PATH_MAX);
    bool ok = fd >= 0;
    int code = errno;

    if (ok && old)
        (void)fchmod(fd, old->st_mode & 0777);
    if (ok && (!write_close(fd, bytes, length) || rename(name, path) != 0)) {
        code = errno;
        unlink(name);
        ok = false;
    }
    mem_free(name);
    return ok ? true : cannot("write", path, code, error, n);
}

bool report_write_file(const char *path, const char *bytes, size_t length, char *error,
                       size_t n)
{
    struct stat old;

    if (stat(path, &old) != 0)
        return replace(path, NULL, bytes, length, error, n);
    if (S_ISDIR(old.st_mode))
        return cannot("write", path, EISDIR, error, n);
    if (!S_ISREG(old.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || !write_close(fd, bytes, length))
            return cannot("write", path, errno, error, n);
        return true;
    }
    char *followed = realpath(path, NULL);
    if (!followed)
        return cannot("write", path, errno, error, n);
    bool ok = replace(followed, &old, bytes, length, error, n);
    free(followed);
    return ok;
}

static bool write_stdout(const char *bytes, size_t length, char *error, size_t n)
{
    if (fflush(stdout) != 0 || !write_all(STDOUT_FILENO, bytes, length))
        return cannot("write", "stdout", errno, error, n);
    return true;
}

/* Draw into memory, then write. */
static bool write_drawn(const json_t *result, const struct report_format *f,
                        const char *path, const struct report_options *o, char *error,
                        size_t n)
{
    bool to_stdout = strcmp(path, "-") == 0;
    struct report_options options = {.colour = o->colour && to_stdout, .quiet = o->quiet};
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);

    if (!out)
        return cannot("draw", path, errno, error, n);
    bool ok = f->draw(result, &options, out) && !ferror(out);
    ok = fclose(out) == 0 && ok;
    if (!ok)
        snprintf(error, n, "cannot draw %s: the result does not fit into the format '%s'",
                 path, f->name);
    else if (to_stdout)
        ok = write_stdout(bytes, length, error, n);
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
    if (f->draw_folder)
        return f->draw_folder(result, path, error, n);
    return write_drawn(result, f, path, o, error, n);
}
