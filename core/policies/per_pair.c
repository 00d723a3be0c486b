/*
 * per-pair - RouterOS 6: a route cache keeps a path for each pair of addresses
 *
 * A pair that the cache does not know gets the next member by credits, and the cache keeps it
 * under source, destination, incoming interface, TOS and mark; ports never count.
 *
 *     on a miss    every member has a credit, at first its weight
 *                  w = ticks of 10 ms modulo the sum of credits
 *                  along the members, w -= credit: the first with w <= 0 is taken and
 *                  pays 1; when all is spent every credit is its weight again
 *
 * So W pairs in a row are split exactly by weight, in an order that the clock mixes. An entry
 * idle for 300 s is gone. Every `flush` (older kernels: ten minutes) and at any change of
 * routes or rules the cache is emptied, and every pair is picked anew: live flows move for no
 * reason of their own, (N - 1) / N of them.
 *
 * O(members) a miss, O(1) else. 65,536 pairs at most (1.5 MB, once one is asked for): beyond,
 * the longest unused of eight goes. When in its period the first flush comes is drawn.
 *
 * Source: Linux 3.3 fib_select_multipath(), rt_intern_hash(), ip_rt_gc_timeout; Linux 2.6
 * rt_secret_interval (600 s); RouterOS 2.7 manual, "Equal cost multipath routing".
 * Differs: RouterOS empties the cache one second after a change, here it is at once; entries
 * are told apart by 64 bits of a hash.
 */
#include <endian.h>
#include <string.h>

#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"
#include "core/siphash.h"

enum { SETS = 8192, WAYS = 8, TOS_BITS = 0x1c };
#define TICK_NS 10000000
#define IDLE_NS (INT64_C(300) * 1000000000)

struct pair {
    uint64_t tag;
    int64_t used_ns;
    uint32_t flush; /* in which it was made; 0: never */
    uint16_t place;
};

struct per_pair {
    struct living living;
    uint32_t *credits;
    uint64_t credit;    /* their sum */
    uint64_t boot_tick; /* what the clock said at time 0 */
    uint64_t key[2];
    int64_t flush_ns, phase_ns, period; /* flush 0: never; the running period's number */
    uint32_t flush;     /* its number: a pair of another one is not known */
    struct pair *pairs; /* NULL: nobody asked yet */
};

static void *per_pair_create(const struct config_policy *config, uint64_t seed)
{
    struct per_pair *p = mem_alloc(1, sizeof *p);
    struct random_stream s = random_stream_make(seed, 0);

    p->key[0] = random_next(&s);
    p->key[1] = random_next(&s);
    p->boot_tick = random_below(&s, UINT64_C(1) << 32);
    p->flush_ns = config->flush_ns;
    if (p->flush_ns)
        p->phase_ns = (int64_t)random_below(&s, (uint64_t)p->flush_ns);
    return p;
}

static void per_pair_destroy(void *state)
{
    struct per_pair *p = state;

    mem_free(p->credits);
    mem_free(p->pairs);
    mem_free(p);
}

static void per_pair_changed(void *state)
{
    struct per_pair *p = state;

    p->flush++;
}

static void per_pair_update(void *state, const struct policy_member *members,
                            unsigned len, int64_t now_ns)
{
    struct per_pair *p = state;

    (void)now_ns;
    p->living = living_make(members, len);
    mem_free(p->credits);
    p->credits = mem_alloc(len, sizeof *p->credits);
    p->credit = 0;
    per_pair_changed(p);
}

static unsigned next_by_credit(struct per_pair *p, int64_t now_ns)
{
    int64_t w;
    unsigned i = 0;

    if (p->credit == 0) {
        for (unsigned k = 0; k < p->living.len; k++)
            p->credits[k] = p->living.members[k].weight;
        p->credit = p->living.total_weight;
    }
    w = (int64_t)((p->boot_tick + (uint64_t)now_ns / TICK_NS) % p->credit);
    while (p->credits[i] == 0 || (w -= p->credits[i]) > 0)
        i++;
    p->credits[i]--;
    p->credit--;
    return i;
}

static uint64_t pair_tag(const struct per_pair *p, const struct policy_query *q)
{
    const struct packet *k = q->packet;
    const uint64_t words[] = {
        le64toh(k->src.quads[0]),
        le64toh(k->src.quads[1]),
        le64toh(k->dst.quads[0]),
        le64toh(k->dst.quads[1]),
        (uint64_t)k->mark << 32 | (uint64_t)(k->tos & TOS_BITS) << 8 | k->src.family,
        (uint64_t)(int64_t)q->in_iface,
    };

    return siphash_2_4_words(p->key, words, sizeof words / sizeof words[0]);
}

static bool pair_is_known(const struct per_pair *p, const struct pair *e, int64_t now_ns)
{
    return e->flush == p->flush && now_ns - e->used_ns <= IDLE_NS;
}

/* The pair's entry, or the one that it may take: unknown, or the longest unused. */
static struct pair *pair_find(const struct per_pair *p, uint64_t tag, int64_t now_ns)
{
    struct pair *set = &p->pairs[(tag % SETS) * WAYS], *oldest = &set[0];

    for (unsigned i = 0; i < WAYS; i++) {
        if (!pair_is_known(p, &set[i], now_ns))
            set[i] = (struct pair){.used_ns = -1};
        else if (set[i].tag == tag)
            return &set[i];
        if (set[i].used_ns < oldest->used_ns)
            oldest = &set[i];
    }
    return oldest;
}

static void flush_in_time(struct per_pair *p, int64_t now_ns)
{
    const int64_t period = p->flush_ns ? (now_ns + p->phase_ns) / p->flush_ns : 0;

    if (period != p->period)
        p->flush++;
    p->period = period;
}

static unsigned per_pair_pick(void *state, const struct policy_query *q)
{
    struct per_pair *p = state;
    const uint64_t tag = pair_tag(p, q);
    struct pair *e;

    if (!p->pairs)
        p->pairs = mem_alloc((size_t)SETS * WAYS, sizeof *p->pairs);
    flush_in_time(p, q->now_ns);
    e = pair_find(p, tag, q->now_ns);
    if (e->flush != p->flush || e->tag != tag)
        *e = (struct pair){.tag = tag,
                           .flush = p->flush,
                           .place = (uint16_t)next_by_credit(p, q->now_ns)};
    e->used_ns = q->now_ns;
    return e->place;
}

static size_t per_pair_bytes(const struct config_policy *config)
{
    (void)config;
    return (size_t)SETS * WAYS * sizeof *((struct per_pair *)0)->pairs;
}

const struct policy policy_per_pair = {
    .name = "per-pair",
    .about = "RouterOS 6: a route cache keeps a next hop for each pair of addresses",
    .traits = POLICY_WEIGHTED,
    .create = per_pair_create,
    .update = per_pair_update,
    .changed = per_pair_changed,
    .pick = per_pair_pick,
    .destroy = per_pair_destroy,
    .bytes = per_pair_bytes,
};
