/*
 * outfile - a file written as a stream, there whole or not at all
 *
 * Written under a temporary name in the folder of PATH and renamed when all is well. "-" is
 * stdout, which cannot be taken back.
 */
#ifndef ECMPLAB_OUTFILE_H
#define ECMPLAB_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct outfile {
    FILE *stream;
    const char *path; /* borrowed */
    char *temporary;  /* NULL for stdout */
};

/* False: `error` says why. */
bool outfile_open(struct outfile *f, const char *path, char *error, size_t error_size);

/* Finish, with `keep`: under its name. False: it could not be written whole, and is gone. */
bool outfile_close(struct outfile *f, bool keep, char *error, size_t error_size);

#endif
