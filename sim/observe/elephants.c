#include "sim/observe/elephants.h"

void elephants_offer(struct elephants *e, const struct tuple *t, uint64_t bytes, int path)
{
    unsigned at = e->len;

    if (bytes == 0 ||
        (e->len == ELEPHANTS_MAX && bytes <= e->list[ELEPHANTS_MAX - 1].bytes))
        return;
    if (e->len < ELEPHANTS_MAX)
        e->len++;
    else
        at--;
    for (; at > 0 && e->list[at - 1].bytes < bytes; at--)
        e->list[at] = e->list[at - 1];
    e->list[at] = (struct elephant){*t, bytes, path};
}
