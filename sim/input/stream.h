/*
 * stream - a plain, gzip or zstd file, read as a FILE
 *
 *     file ── raw bytes ──▶ as they are / inflate / zstd ── 1 MiB of stdio buffer ──▶ FILE
 *
 * The kind is told by the first bytes, never by the name. Nothing is sought and no file is
 * expanded as a whole, so pipes work and memory stays bounded whatever the file claims.
 * Several gzip members or zstd frames in a row read as one, as their own tools have it.
 *
 * Sources: RFC 1952 (gzip), RFC 8878 (zstd; a window above 128 MiB is refused).
 * Differs: bytes behind the last gzip member are an error, where gzip(1) warns and goes on.
 */
#ifndef ECMPLAB_STREAM_H
#define ECMPLAB_STREAM_H

#include <stddef.h>
#include <stdio.h>

struct stream;

/* NULL when the path cannot be opened or read: the reason, without the path, is in `error`. */
struct stream *stream_open(const char *path, char *error, size_t error_size);

/* For reading, in one thread at a time. The caller closes it with fclose(); libpcap does. */
FILE *stream_file(struct stream *s);

/*
 * Why unpacking stopped, in words. A file that is damaged or cut short first yields all that
 * can be read of it, then ferror(). NULL with ferror(): errno said why at the time.
 */
const char *stream_error(const struct stream *s);

/* Once the FILE is closed. */
void stream_destroy(struct stream *s);

#endif
