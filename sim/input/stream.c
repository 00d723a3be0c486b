#define _GNU_SOURCE /* fopencookie() */
#include "sim/input/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "core/memory.h"

enum { RAW_BYTES = 256 << 10, FILE_BYTES = 1 << 20, MAGIC_BYTES = 4 };

struct kind {
    const char *name;
    bool (*recognise)(const uint8_t magic[MAGIC_BYTES]);
    bool (*begin)(struct stream *s);
    /* Turn raw bytes into at most *size bytes at `to`; *size becomes their number. False when
     * the data is damaged, with the reason in s->error. */
    bool (*unpack)(struct stream *s, uint8_t *to, size_t *size);
    void (*end)(struct stream *s);
};

struct stream {
    const struct kind *kind; /* NULL = as it is */
    int fd;                  /* -1 = the FILE's */
    bool inside;             /* in the middle of a gzip member or a zstd frame */
    size_t raw_at, raw_end;
    uint8_t *raw;      /* RAW_BYTES */
    char *file_buffer; /* FILE_BYTES, of `file` */
    FILE *file;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    char error[160]; /* "" = none */
};

static bool gzip_recognise(const uint8_t magic[MAGIC_BYTES])
{
    return magic[0] == 0x1f && magic[1] == 0x8b;
}

static bool gzip_begin(struct stream *s)
{
    return inflateInit2(&s->gzip, 15 + 16) == Z_OK; /* any window, gzip's header only */
}

static bool gzip_unpack(struct stream *s, uint8_t *to, size_t *size)
{
    int result;

    if (!s->inside)
        inflateReset(&s->gzip);
    s->gzip.next_in = s->raw + s->raw_at;
    s->gzip.avail_in = (uInt)(s->raw_end - s->raw_at);
    s->gzip.next_out = to;
    s->gzip.avail_out = (uInt)(*size < FILE_BYTES ? *size : FILE_BYTES);
    result = inflate(&s->gzip, Z_NO_FLUSH);
    s->raw_at = s->raw_end - s->gzip.avail_in;
    *size = (size_t)(s->gzip.next_out - to);
    s->inside = result != Z_STREAM_END;
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
        return true;
    snprintf(s->error, sizeof s->error, "damaged gzip data: %s",
             s->gzip.msg ? s->gzip.msg : zError(result));
    return false;
}

static void gzip_end(struct stream *s)
{
    inflateEnd(&s->gzip);
}

/* A frame, or a skippable frame, which parallel compressors put in front. */
static bool zstd_recognise(const uint8_t magic[MAGIC_BYTES])
{
    return memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0 ||
           ((magic[0] & 0xf0) == 0x50 && memcmp(magic + 1, "\x2a\x4d\x18", 3) == 0);
}

static bool zstd_begin(struct stream *s)
{
    s->zstd = ZSTD_createDCtx();
    return s->zstd;
}

static bool zstd_unpack(struct stream *s, uint8_t *to, size_t *size)
{
    ZSTD_inBuffer in = {s->raw, s->raw_end, s->raw_at};
    ZSTD_outBuffer out = {to, *size, 0};
    size_t result = ZSTD_decompressStream(s->zstd, &out, &in);

    s->raw_at = in.pos;
    *size = out.pos;
    s->inside = result != 0;
    if (!ZSTD_isError(result))
        return true;
    snprintf(s->error, sizeof s->error, "damaged zstd data: %s",
             ZSTD_getErrorName(result));
    return false;
}

static void zstd_end(struct stream *s)
{
    ZSTD_freeDCtx(s->zstd);
}

static const struct kind kinds[] = {
    {"gzip", gzip_recognise, gzip_begin, gzip_unpack, gzip_end},
    {"zstd", zstd_recognise, zstd_begin, zstd_unpack, zstd_end},
};

/* read(2), repeated when a signal interrupts it; -1 leaves the reason in s->error. */
static ssize_t read_raw(struct stream *s, void *to, size_t size)
{
    ssize_t n;

    do
        n = read(s->fd, to, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        snprintf(s->error, sizeof s->error, "%s", strerror(errno));
    return n;
}

static ssize_t read_plain(struct stream *s, char *to, size_t size)
{
    size_t left = s->raw_end - s->raw_at;

    if (left == 0)
        return read_raw(s, to, size);
    if (size > left)
        size = left;
    memcpy(to, s->raw + s->raw_at, size);
    s->raw_at += size;
    return (ssize_t)size;
}

static ssize_t read_packed(struct stream *s, char *to, size_t size)
{
    for (;;) {
        size_t got = size;
        bool sound;

        if (s->raw_at == s->raw_end) {
            ssize_t n = read_raw(s, s->raw, RAW_BYTES);

            if (n < 0)
                return -1;
            s->raw_at = 0;
            s->raw_end = (size_t)n;
        }
        if (s->raw_end == 0 && !s->inside)
            return 0;
        sound = s->kind->unpack(s, (uint8_t *)to, &got);
        if (got > 0)
            return (ssize_t)got; /* an error waits in s->error for the next call */
        if (!sound)
            return -1;
        if (s->raw_end == 0) {
            snprintf(s->error, sizeof s->error, "%s data cut short", s->kind->name);
            return -1;
        }
    }
}

static ssize_t cookie_read(void *cookie, char *to, size_t size)
{
    struct stream *s = cookie;
    ssize_t n = -1;

    if (s->error[0] == '\0')
        n = s->kind ? read_packed(s, to, size) : read_plain(s, to, size);
    if (n < 0)
        errno = EIO;
    return n;
}

/* The first bytes of the file, and the kind that they tell. */
static bool begin_reading(struct stream *s)
{
    while (s->raw_end < MAGIC_BYTES) {
        ssize_t n = read_raw(s, s->raw + s->raw_end, RAW_BYTES - s->raw_end);

        if (n < 0)
            return false;
        if (n == 0)
            return true; /* shorter than any magic: as it is */
        s->raw_end += (size_t)n;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!kinds[i].recognise(s->raw))
            continue;
        if (!kinds[i].begin(s)) {
            snprintf(s->error, sizeof s->error, "no memory to unpack %s", kinds[i].name);
            return false;
        }
        s->kind = &kinds[i];
        break;
    }
    return true;
}

/* A FILE proper where reading can begin anew: it costs less a packet than a cookie does. */
static bool open_file(struct stream *s)
{
    if (!s->kind && lseek(s->fd, 0, SEEK_SET) == 0) {
        s->file = fdopen(s->fd, "rb");
        if (s->file)
            s->fd = -1; /* fclose() closes it */
    } else {
        s->file = fopencookie(s, "r", (cookie_io_functions_t){.read = cookie_read});
    }
    if (!s->file) {
        snprintf(s->error, sizeof s->error, "%s", strerror(errno));
        return false;
    }
    setvbuf(s->file, s->file_buffer, _IOFBF, FILE_BYTES);
    __fsetlocking(s->file,
                  FSETLOCKING_BYCALLER); /* one thread reads: spare it the lock */
    return true;
}

struct stream *stream_open(const char *path, char *error, size_t error_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stream *s;

    if (fd < 0) {
        snprintf(error, error_size, "%s", strerror(errno));
        return NULL;
    }
    s = mem_alloc(1, sizeof *s);
    s->fd = fd;
    s->raw = mem_resize(NULL, RAW_BYTES, 1);
    s->file_buffer = mem_resize(NULL, FILE_BYTES, 1);
    if (begin_reading(s) && open_file(s))
        return s;
    snprintf(error, error_size, "%s", s->error);
    stream_destroy(s);
    return NULL;
}

FILE *stream_file(struct stream *s)
{
    return s->file;
}

const char *stream_error(const struct stream *s)
{
    return s->error[0] ? s->error : NULL;
}

void stream_destroy(struct stream *s)
{
    if (!s)
        return;
    if (s->kind)
        s->kind->end(s);
    if (s->fd >= 0)
        close(s->fd);
    mem_free(s->file_buffer);
    mem_free(s->raw);
    mem_free(s);
}
