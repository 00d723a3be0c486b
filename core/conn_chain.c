#include "core/conn_chain.h"

#include <string.h>

#include "core/memory.h"

enum { HEADS_MIN = 256 };

static uint32_t *head_of(const struct conn_chains *c, uint32_t hash)
{
    return &c->heads[hash & (c->heads_len - 1)];
}

static void link_in(struct conn_chains *c, uint32_t entry)
{
    struct chain_link *l = &c->links[entry];
    uint32_t *head = head_of(c, l->hash);

    l->newer = CHAIN_NONE;
    l->older = *head;
    if (*head != CHAIN_NONE)
        c->links[*head].newer = entry;
    *head = entry;
}

/* The oldest goes first into its new chain, so that the order stays. */
static void chain_move(struct conn_chains *c, uint32_t entry)
{
    if (entry == CHAIN_NONE)
        return;
    while (c->links[entry].older != CHAIN_NONE)
        entry = c->links[entry].older;
    while (entry != CHAIN_NONE) {
        const uint32_t newer = c->links[entry].newer;

        link_in(c, entry);
        entry = newer;
    }
}

static void heads_grow(struct conn_chains *c)
{
    uint32_t *old = c->heads;
    const size_t old_len = c->heads_len;

    c->heads_len = old_len ? 2 * old_len : HEADS_MIN;
    c->heads = mem_alloc(c->heads_len, sizeof *c->heads);
    memset(c->heads, 0xff, c->heads_len * sizeof *c->heads);
    for (size_t i = 0; i < old_len; i++)
        chain_move(c, old[i]);
    mem_free(old);
}

void chain_put(struct conn_chains *c, uint32_t entry, uint64_t hash)
{
    if (c->count >= c->heads_len)
        heads_grow(c);
    c->links = mem_grow(c->links, &c->links_cap, (size_t)entry + 1, sizeof *c->links);
    c->links[entry].hash = (uint32_t)(hash >> 32);
    link_in(c, entry);
    c->count++;
}

void chain_take(struct conn_chains *c, uint32_t entry)
{
    const struct chain_link *l = &c->links[entry];

    if (l->newer == CHAIN_NONE)
        *head_of(c, l->hash) = l->older;
    else
        c->links[l->newer].older = l->older;
    if (l->older != CHAIN_NONE)
        c->links[l->older].newer = l->newer;
    c->count--;
}

uint32_t chain_head(const struct conn_chains *c, uint64_t hash)
{
    return *head_of(c, (uint32_t)(hash >> 32));
}

uint32_t chain_next(const struct conn_chains *c, uint32_t entry)
{
    return c->links[entry].older;
}

void chains_free(struct conn_chains *c)
{
    mem_free(c->heads);
    mem_free(c->links);
    *c = (struct conn_chains){0};
}

size_t chains_memory_bytes(const struct conn_chains *c)
{
    return c->heads_len * sizeof *c->heads + c->links_cap * sizeof *c->links;
}
