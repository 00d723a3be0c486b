#include "sim/report/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

enum { STREAM_BUFFER = 1 << 18, NAMES_TRIED = 100 };

/* False, and why. */
static bool cannot(const char *path, int code, char *error, size_t size)
{
    snprintf(error, size, "cannot write %s: %s", path, strerror(code));
    return false;
}

/* A new file beside `path`: its name goes to `name`. -1 with errno. */
static int open_beside(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash + 1 - path) : 0;
    int fd = -1;

    for (unsigned try = 0; try < NAMES_TRIED; try++) {
        const int length = snprintf(name, size, "%.*s.ecmplab-%ld-%u.tmp", folder, path,
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

/* What a path leads to, in allocated memory; the path itself when nothing is there yet. */
static char *resolved(const char *path, const struct stat *old)
{
    char *real = old ? realpath(path, NULL) : NULL, *copy;
    const char *which = real ? real : path;
    const size_t length = strlen(which) + 1;

    copy = memcpy(mem_alloc(length, 1), which, length);
    free(real);
    return copy;
}

static bool adopt(struct outfile *f, int fd, char *error, size_t size)
{
    f->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f->stream) {
        const int code = errno;

        if (fd >= 0)
            close(fd);
        return cannot(f->name, code, error, size);
    }
    setvbuf(f->stream, NULL, _IOFBF, STREAM_BUFFER);
    return true;
}

static bool open_replacing(struct outfile *f, const struct stat *old, char *error, size_t size)
{
    int fd;

    f->path = resolved(f->name, old);
    f->temporary = mem_alloc(PATH_MAX, 1);
    fd = open_beside(f->path, f->temporary, PATH_MAX);
    if (fd >= 0 && old)
        (void)fchmod(fd, old->st_mode & 0777);
    if (adopt(f, fd, error, size))
        return true;
    if (fd >= 0)
        unlink(f->temporary);
    mem_free(f->path);
    mem_free(f->temporary);
    return false;
}

bool outfile_open(struct outfile *f, const char *path, char *error, size_t size)
{
    struct stat old;

    *f = (struct outfile){.name = path};
    if (strcmp(path, "-") == 0) { /* a stream of its own, whose errors are its own */
        f->name = "stdout";
        if (fflush(stdout) != 0)
            return cannot(f->name, errno, error, size);
        return adopt(f, dup(STDOUT_FILENO), error, size);
    }
    if (stat(path, &old) != 0)
        return open_replacing(f, NULL, error, size);
    if (S_ISDIR(old.st_mode))
        return cannot(path, EISDIR, error, size);
    if (S_ISREG(old.st_mode))
        return open_replacing(f, &old, error, size);
    return adopt(f, open(path, O_WRONLY | O_CLOEXEC), error, size);
}

bool outfile_close(struct outfile *f, bool keep, char *error, size_t size)
{
    bool good = !ferror(f->stream);
    int code = f->code ? f->code : EIO;

    if (fflush(f->stream) != 0) {
        code = errno;
        good = false;
    }
    if (fclose(f->stream) != 0 && good) {
        code = errno;
        good = false;
    }
    if (good && keep && f->path && rename(f->temporary, f->path) != 0) {
        code = errno;
        good = false;
    }
    if (f->path && (!good || !keep))
        unlink(f->temporary);
    mem_free(f->path);
    mem_free(f->temporary);
    return good ? true : cannot(f->name, code, error, size);
}
