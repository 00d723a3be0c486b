#include "sim/report/outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

enum { STREAM_BUFFER = 1 << 18 };

bool outfile_open(struct outfile *f, const char *path, char *error, size_t error_size)
{
    const size_t length = strlen(path) + sizeof ".XXXXXX";
    mode_t mask;
    int fd;

    *f = (struct outfile){.stream = stdout, .path = path};
    if (strcmp(path, "-") == 0)
        return true;
    f->temporary = mem_alloc(length, 1);
    snprintf(f->temporary, length, "%s.XXXXXX", path);
    fd = mkstemp(f->temporary);
    if (fd < 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        mem_free(f->temporary);
        return false;
    }
    mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    f->stream = fdopen(fd, "w");
    if (f->stream) {
        setvbuf(f->stream, NULL, _IOFBF, STREAM_BUFFER);
        return true;
    }
    snprintf(error, error_size, "%s: %s", path, strerror(errno));
    close(fd);
    unlink(f->temporary);
    mem_free(f->temporary);
    return false;
}

bool outfile_close(struct outfile *f, bool keep, char *error, size_t error_size)
{
    bool good = !ferror(f->stream);

    errno = good ? 0 : EIO;
    if (!f->temporary) {
        good = fflush(stdout) == 0 && good;
    } else {
        good = fclose(f->stream) == 0 && good;
        if (good && keep)
            good = rename(f->temporary, f->path) == 0;
        if (!good || !keep)
            unlink(f->temporary);
    }
    if (!good)
        snprintf(error, error_size, "%s: %s", f->path,
                 errno ? strerror(errno) : "could not be written whole");
    mem_free(f->temporary);
    f->temporary = NULL;
    return good;
}
