/*
 * outfile - a file written as a stream, there whole or not at all
 *
 * Written under a temporary name in the folder of PATH and renamed when all is well. A
 * symbolic link is followed and the mode of an old file kept; a device or a FIFO cannot be
 * replaced and is written to directly. "-" is stdout, which cannot be taken back.
 */
#ifndef ECMPLAB_OUTFILE_H
#define ECMPLAB_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct outfile {
    FILE *stream;
    const char *name; /* as the user said it, for messages; borrowed */
    char *path;       /* what is replaced; NULL: the stream is what was named */
    char *temporary;  /* where it is written until then */
    int code;         /* the errno of a write that failed, where the writer kept it; 0 */
};

/* False: `error` says why. */
bool outfile_open(struct outfile *f, const char *path, char *error, size_t error_size);

/*
 * Finish; with `keep` under its name, else as if it had never been begun. False: it could not
 * be written whole, and whatever was there is as it was.
 */
bool outfile_close(struct outfile *f, bool keep, char *error, size_t error_size);

#endif
