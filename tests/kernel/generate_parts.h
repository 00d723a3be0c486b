/*
 * generate_parts - what generate.c (interfaces, routes), generate_rules.c and generate_flows.c
 * share: the stream of chance, and the pools that prefixes and addresses come from
 */
#ifndef ECMPLAB_GENERATE_PARTS_H
#define ECMPLAB_GENERATE_PARTS_H

#include "core/random.h"
#include "tests/kernel/generate.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { POOL_PREFIXES = 16 };

struct pool {
    struct prefix v4[POOL_PREFIXES], v6[POOL_PREFIXES]; /* destinations that nest */
    struct prefix sources_v4[4], sources_v6[4];
};

struct generator {
    struct random_stream random;
    struct trial *trial;
    struct pool pool;
};

static inline unsigned below(struct generator *g, unsigned bound)
{
    return (unsigned)random_below(&g->random, bound);
}

/* True in so many of a hundred cases. */
static inline bool chance(struct generator *g, unsigned percent)
{
    return below(g, 100) < percent;
}

/* An address of the prefix, with random bits behind its length. */
struct addr random_address_in(struct generator *g, const struct prefix *p);

/* A random interface; -1 when there is none with an address of the family. */
int random_iface_of(struct generator *g, enum family family);

/* Is it an address of the router's own, or the first or last of one of its networks: anycast or
 * broadcast? */
bool is_of_router(const struct trial *t, const struct addr *a);

/* generate_rules.c */
void generate_rules(struct generator *g);

/* generate_flows.c */
void generate_steps(struct generator *g, size_t lookups);

#endif
