/*
 * conn_chain - numbered entries in the order in which they came, found by a hash
 *
 *     heads[hash] ─▶ newest ◀─▶ older ◀─▶ oldest      links[entry] = {newer, older, hash}
 *
 * Of the connection table, which looks through a chain for those of one source. Costs nothing
 * while nothing is in it.
 */
#ifndef ECMPLAB_CONN_CHAIN_H
#define ECMPLAB_CONN_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#define CHAIN_NONE UINT32_MAX

struct chain_link {
    uint32_t newer, older; /* CHAIN_NONE: the end */
    uint32_t hash;
};

struct conn_chains {
    uint32_t *heads; /* a power of two */
    size_t heads_len;
    struct chain_link *links; /* by entry */
    size_t links_cap;
    uint32_t count;
};

/* Zeroed, it is empty. */
void chains_free(struct conn_chains *c);

void chain_put(struct conn_chains *c, uint32_t entry, uint64_t hash);
void chain_take(struct conn_chains *c, uint32_t entry);

/* With `count` above 0 only. Others with the same head may be among them. */
uint32_t chain_head(const struct conn_chains *c, uint64_t hash);
uint32_t chain_next(const struct conn_chains *c, uint32_t entry);

size_t chains_memory_bytes(const struct conn_chains *c);

#endif
