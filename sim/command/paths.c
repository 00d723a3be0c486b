#include "sim/command/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"

static const char ending[] = ".json";

static void add(struct paths *p, char *path)
{
    p->items = mem_grow(p->items, &p->cap, p->len + 1, sizeof *p->items);
    p->items[p->len++] = path;
}

/* FOLDER/NAME, or WORD alone where NAME is empty; to be freed. */
static char *joined(const char *folder, const char *name)
{
    const size_t length = strlen(folder);
    const char *between = *name && length && folder[length - 1] != '/' ? "/" : "";
    const size_t size = length + strlen(between) + strlen(name) + 1;
    char *path = mem_alloc(size, 1);

    snprintf(path, size, "%s%s%s", folder, between, name);
    return path;
}

static int is_scenario(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name), tail = sizeof ending - 1;

    return entry->d_name[0] != '.' && length > tail &&
           strcmp(entry->d_name + length - tail, ending) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool add_folder(struct paths *p, const char *command, const char *folder)
{
    struct dirent **names;
    const int count = scandir(folder, &names, is_scenario, by_bytes);

    p->folders = true;
    if (count < 0) {
        fprintf(stderr, "ecmplab %s: %s: %s\n", command, folder, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        add(p, joined(folder, names[i]->d_name));
        free(names[i]);
    }
    free(names);
    if (count == 0)
        fprintf(stderr, "ecmplab %s: %s: expected scenarios in this folder, files whose names"
                        " end in %s\n",
                command, folder, ending);
    return count > 0;
}

bool paths_expand(struct paths *p, const char *command, char *const *words, size_t len)
{
    bool ok = true;

    *p = (struct paths){.items = NULL};
    for (size_t i = 0; i < len; i++) {
        struct stat st;

        if (stat(words[i], &st) == 0 && S_ISDIR(st.st_mode))
            ok = add_folder(p, command, words[i]) && ok;
        else
            add(p, joined(words[i], ""));
    }
    return ok;
}

void paths_free(struct paths *p)
{
    for (size_t i = 0; i < p->len; i++)
        mem_free(p->items[i]);
    mem_free(p->items);
}

/* What could not be read or written, then what was wrong, then nothing simulated, then what
 * did not hold. */
int exit_code_graver(int a, int b)
{
    static const int gravity[] = {0, 1, 3, 4, 2};

    return gravity[a] >= gravity[b] ? a : b;
}
