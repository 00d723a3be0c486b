/*
 * maglev - a table of members, filled by turns from each one's own permutation
 *
 *     members' wishes    wan1 3 0 4 1 5 2 6   wan2 0 2 4 6 1 3 5   wan3 3 4 5 6 0 1 2
 *     table of 7         0 wan2  1 wan1  2 wan2  3 wan1  4 wan3  5 wan3  6 wan1
 *
 * Each member lists the entries as (offset + j * skip) mod table_size and takes, in its turn,
 * the first of its list that is free. With weights a member takes a turn in round r when r *
 * w / w_max has reached the turns that it had: at most one a round, at least one in all. A
 * flow goes by entry hash mod table_size.
 *
 * O(1) a packet; 2 bytes an entry, filled in O(table_size log table_size) when first asked
 * after a change. Equal members differ by at most one entry. Of a member that goes all
 * entries move, and few others: about 0.03 % of the table for three members at 65537. What
 * moved comes back with it.
 *
 * Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
 * NSDI 2016, section 3.4. The paper leaves turns by weight open; they are as in Envoy's
 * maglev_lb. Differs: the permutations come from splitmix64 of the next hop's gateway and
 * interface, where the paper hashes names.
 */
#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

/* A member while the table is filled. */
struct filler {
    uint32_t next, skip; /* of its list: the coming entry, and the step */
    uint64_t turns;      /* that it had, times the largest weight */
};

struct maglev {
    struct living living;
    uint32_t table_size;
    uint16_t *table; /* places; NULL: never filled */
    bool stale;
};

#define FREE UINT16_MAX
_Static_assert(NEXTHOP_GROUP_MAX < FREE, "a place is never FREE");

static void *maglev_create(const struct config_policy *config, uint64_t seed)
{
    struct maglev *m = mem_alloc(1, sizeof *m);

    (void)seed; /* the members' own keys are all */
    m->table_size = config->table_size;
    return m;
}

static void maglev_destroy(void *state)
{
    struct maglev *m = state;

    mem_free(m->table);
    mem_free(m);
}

static void maglev_update(void *state, const struct policy_member *members, unsigned len,
                          int64_t now_ns)
{
    struct maglev *m = state;

    (void)now_ns;
    m->living = living_make(members, len);
    m->stale = true;
}

static struct filler filler_make(uint64_t key, uint32_t table_size)
{
    struct random_stream s = random_stream_make(key, 0);
    struct filler f = {.turns = 0};

    f.next = (uint32_t)random_below(&s, table_size);
    f.skip = 1 + (uint32_t)random_below(&s, table_size - 1);
    return f;
}

static void filler_take(struct maglev *m, struct filler *f, uint16_t place)
{
    while (m->table[f->next] != FREE)
        f->next = (f->next + f->skip) % m->table_size;
    m->table[f->next] = place;
}

static void maglev_fill(struct maglev *m)
{
    const struct living *l = &m->living;
    struct filler *fillers = mem_alloc(l->len, sizeof *fillers);
    uint32_t filled = 0, heaviest = 0;

    if (!m->table)
        m->table = mem_alloc(m->table_size, sizeof *m->table);
    for (uint32_t i = 0; i < m->table_size; i++)
        m->table[i] = FREE;
    for (unsigned i = 0; i < l->len; i++) {
        fillers[i] = filler_make(l->members[i].key, m->table_size);
        if (l->members[i].weight > heaviest)
            heaviest = l->members[i].weight;
    }
    for (uint64_t round = 1; filled < m->table_size; round++)
        for (unsigned i = 0; i < l->len && filled < m->table_size; i++) {
            if (round * l->members[i].weight < fillers[i].turns)
                continue;
            fillers[i].turns += heaviest;
            filler_take(m, &fillers[i], (uint16_t)i);
            filled++;
        }
    mem_free(fillers);
    m->stale = false;
}

static unsigned maglev_pick(void *state, const struct policy_query *q)
{
    struct maglev *m = state;

    if (m->stale)
        maglev_fill(m);
    return m->table[q->hash % m->table_size];
}

static size_t maglev_bytes(const struct config_policy *config)
{
    return config->table_size * sizeof *((struct maglev *)0)->table;
}

const struct policy policy_maglev = {
    .name = "maglev",
    .about = "a table filled by turns from each next hop's own permutation (NSDI 2016)",
    .traits = POLICY_WEIGHTED | POLICY_FIXED,
    .create = maglev_create,
    .update = maglev_update,
    .pick = maglev_pick,
    .destroy = maglev_destroy,
    .bytes = maglev_bytes,
};
