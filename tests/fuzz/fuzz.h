/*
 * fuzz - what the fuzz targets share
 *
 * A target is tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput(); its first inputs are in
 * corpus/NAME/. `make fuzz` runs each for FUZZ_SECONDS with clang's libFuzzer under
 * AddressSanitizer and UBSan.
 */
#ifndef ECMPLAB_FUZZ_H
#define ECMPLAB_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv); /* where a target needs it */

enum { FUZZ_PATH_MAX = 32 };

/* A file in memory with these bytes: its path goes to `path`. Returns what to close(). */
int fuzz_file(const uint8_t *data, size_t size, char path[FUZZ_PATH_MAX]);

#endif
