/*
 * paths - the scenarios that a command line names: files, and folders of them
 *
 *     ecmplab run a.json scenarios/    ──▶   a.json scenarios/001-recipe.json scenarios/...
 *
 * Of a folder come the files whose names end in ".json", sorted by name, bytes compared; what
 * lies in folders below it does not.
 */
#ifndef ECMPLAB_PATHS_H
#define ECMPLAB_PATHS_H

#include <stdbool.h>
#include <stddef.h>

struct paths {
    char **items;
    size_t len, cap;
    bool folders; /* some were asked for by their folder */
};

/* False, after a word about it on stderr: a folder cannot be read, or has no scenario. Free
 * in either case. */
bool paths_expand(struct paths *p, const char *command, char *const *words, size_t len);
void paths_free(struct paths *p);

/* May a run of several scenarios end so? Of two exit codes the one that says more. */
int exit_code_graver(int a, int b);

#endif
