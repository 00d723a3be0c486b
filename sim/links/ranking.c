#include "sim/links/ranking.h"

#include <stdbool.h>

#include "core/memory.h"

void ranking_free(struct ranking *r)
{
    mem_free(r->items);
    *r = (struct ranking){0};
}

static bool is_before(struct ranked a, struct ranked b)
{
    return a.key < b.key || (!(b.key < a.key) && a.number < b.number);
}

static void stand(struct ranking *r, uint32_t *places, size_t at, struct ranked item)
{
    r->items[at] = item;
    places[item.number] = (uint32_t)at + 1;
}

static void rise(struct ranking *r, uint32_t *places, size_t at, struct ranked item)
{
    for (size_t above; at > 0; at = above) {
        above = (at - 1) / 2;
        if (!is_before(item, r->items[above]))
            break;
        stand(r, places, at, r->items[above]);
    }
    stand(r, places, at, item);
}

static void sink(struct ranking *r, uint32_t *places, size_t at, struct ranked item)
{
    for (size_t below; (below = 2 * at + 1) < r->len; at = below) {
        if (below + 1 < r->len && is_before(r->items[below + 1], r->items[below]))
            below++;
        if (!is_before(r->items[below], item))
            break;
        stand(r, places, at, r->items[below]);
    }
    stand(r, places, at, item);
}

/* Where there is a gap at `at`. */
static void settle(struct ranking *r, uint32_t *places, size_t at, struct ranked item)
{
    if (at > 0 && is_before(item, r->items[(at - 1) / 2]))
        rise(r, places, at, item);
    else
        sink(r, places, at, item);
}

void ranking_set(struct ranking *r, uint32_t *places, uint32_t number, double key)
{
    const struct ranked item = {key, number};

    if (places[number]) {
        settle(r, places, places[number] - 1, item);
        return;
    }
    r->items = mem_grow(r->items, &r->cap, r->len + 1, sizeof *r->items);
    rise(r, places, r->len++, item);
}

void ranking_remove(struct ranking *r, uint32_t *places, uint32_t number)
{
    const size_t at = places[number];

    if (!at)
        return;
    places[number] = 0;
    if (at == r->len--)
        return;
    settle(r, places, at - 1, r->items[r->len]);
}
