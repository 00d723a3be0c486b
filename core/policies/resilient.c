#include "core/policies/resilient.h"

#include <string.h>

#include "core/memory.h"

enum { NOBODY = UINT16_MAX, HOPS = UINT16_MAX + 1 };

#define NEVER      INT64_MAX
#define UPKEEP_MIN INT64_C(500000000)

struct bucket {
    int64_t used_ns, moved_ns; /* equal: not used since */
    uint16_t owner;            /* its place among the members, or NOBODY */
};

struct member {
    uint32_t weight, wants, has;
    uint16_t hop;
};

struct resilient {
    int64_t idle_ns, unbalanced_ns;
    int64_t unbalanced_since_ns;
    int64_t due_ns; /* of the next upkeep, or NEVER */
    struct bucket *buckets;
    uint32_t buckets_len;
    struct member *members;
    unsigned len;
    uint16_t
        *lacking; /* places of those with fewer buckets than wanted; the last is served */
    unsigned lacking_len;
    uint32_t moved; /* by upkeep, of all times */
};

static void *resilient_create(const struct config_policy *config, uint64_t seed)
{
    struct resilient *r = mem_alloc(1, sizeof *r);

    (void)seed;
    r->idle_ns = config->idle_ns;
    r->unbalanced_ns = config->unbalanced_ns;
    r->due_ns = NEVER;
    r->buckets_len = config->buckets;
    r->buckets = mem_alloc(r->buckets_len, sizeof *r->buckets);
    for (uint32_t i = 0; i < r->buckets_len; i++)
        r->buckets[i].owner = NOBODY;
    return r;
}

static void resilient_destroy(void *state)
{
    struct resilient *r = state;

    mem_free(r->buckets);
    mem_free(r->members);
    mem_free(r->lacking);
    mem_free(r);
}

/* ------------------------------------------------------------------------------- upkeep */

static bool bucket_is_used(const struct bucket *b)
{
    return b->used_ns != b->moved_ns;
}

/* Source: Linux nh_res_bucket_should_migrate(). Lowers the deadline to when it next may. */
static bool bucket_may_move(const struct resilient *r, const struct bucket *b,
                            int64_t now_ns, int64_t *deadline_ns)
{
    const struct member *owner;
    int64_t idle_ns, forced_ns;

    if (b->owner == NOBODY)
        return true;
    owner = &r->members[b->owner];
    if (owner->has <= owner->wants)
        return false;
    idle_ns = bucket_is_used(b) ? b->used_ns + r->idle_ns : now_ns;
    if (now_ns >= idle_ns)
        return true;
    if (r->unbalanced_ns) {
        forced_ns = r->unbalanced_since_ns + r->unbalanced_ns;
        if (now_ns >= forced_ns)
            return true;
        if (forced_ns < *deadline_ns)
            *deadline_ns = forced_ns;
    }
    if (idle_ns < *deadline_ns)
        *deadline_ns = idle_ns;
    return false;
}

/* To the first of those that lack one. */
static void bucket_move(struct resilient *r, struct bucket *b, int64_t now_ns)
{
    const uint16_t place = r->lacking[r->lacking_len - 1];
    struct member *m = &r->members[place];

    if (b->owner != NOBODY)
        r->members[b->owner].has--;
    b->owner = place;
    b->used_ns = b->moved_ns = now_ns;
    m->has++;
    if (m->has == m->wants)
        r->lacking_len--;
    r->moved++;
}

static void upkeep(struct resilient *r, int64_t now_ns)
{
    int64_t deadline = now_ns + (r->unbalanced_ns ? r->unbalanced_ns : r->idle_ns);

    for (uint32_t i = 0; i < r->buckets_len && r->lacking_len; i++)
        if (bucket_may_move(r, &r->buckets[i], now_ns, &deadline))
            bucket_move(r, &r->buckets[i], now_ns);
    if (deadline < now_ns + UPKEEP_MIN)
        deadline = now_ns + UPKEEP_MIN;
    r->due_ns = r->lacking_len ? deadline : NEVER;
}

uint32_t resilient_run(void *state, int64_t now_ns)
{
    struct resilient *r = state;
    const uint32_t before = r->moved;

    while (r->due_ns <= now_ns)
        upkeep(r, r->due_ns);
    return r->moved - before;
}

/* ------------------------------------------------------------------------------ changes */

/* Source: Linux nh_res_group_rebalance(). */
void resilient_wants(const struct policy_member *members, unsigned len, uint32_t buckets,
                     uint32_t *wants)
{
    uint64_t total = 0, sum = 0, bound, previous = 0;

    for (unsigned i = 0; i < len; i++)
        total += members[i].weight;
    for (unsigned i = 0; i < len; i++) {
        sum += members[i].weight;
        bound = (buckets * sum + total / 2) / total;
        wants[i] = (uint32_t)(bound - previous);
        previous = bound;
    }
}

/* A group that was out of balance and still is has been so since then. */
static void rebalance(struct resilient *r, const struct policy_member *members,
                      int64_t now_ns)
{
    const bool was_unbalanced = r->lacking_len > 0;
    uint32_t *wants = mem_alloc(r->len, sizeof *wants);

    resilient_wants(members, r->len, r->buckets_len, wants);
    r->lacking_len = 0;
    for (unsigned i = 0; i < r->len; i++) {
        r->members[i].weight = members[i].weight;
        r->members[i].wants = wants[i];
        if (r->members[i].has < wants[i])
            r->lacking[r->lacking_len++] = (uint16_t)i;
    }
    mem_free(wants);
    if (!was_unbalanced)
        r->unbalanced_since_ns = now_ns;
}

/* `place_of` each hop among the new members, or NOBODY. */
static void buckets_follow(struct resilient *r, struct member *members,
                           const uint16_t *place_of)
{
    for (uint32_t i = 0; i < r->buckets_len; i++) {
        struct bucket *b = &r->buckets[i];

        if (b->owner == NOBODY)
            continue;
        b->owner = place_of[r->members[b->owner].hop];
        if (b->owner != NOBODY)
            members[b->owner].has++;
    }
}

/* These are the members from now on. */
static void replace(struct resilient *r, const struct policy_member *members,
                    unsigned len, int64_t now_ns)
{
    struct member *list = mem_alloc(len, sizeof *list);
    uint16_t *place_of = mem_alloc(HOPS, sizeof *place_of);

    memset(place_of, 0xff, HOPS * sizeof *place_of);
    for (unsigned i = 0; i < len; i++) {
        list[i].hop = members[i].hop;
        place_of[members[i].hop] = (uint16_t)i;
    }
    buckets_follow(r, list, place_of);
    mem_free(place_of);
    mem_free(r->members);
    r->members = list;
    r->lacking = mem_resize(r->lacking, len, sizeof *r->lacking);
    r->len = len;
    rebalance(r, members, now_ns);
    upkeep(r, now_ns);
}

/*
 * Are the new members what is left of the old ones when some are taken away? Then *last is the
 * last that was, and *gone how many were.
 */
static bool is_remainder(const struct resilient *r, const struct policy_member *members,
                         unsigned len, unsigned *last, unsigned *gone)
{
    unsigned k = 0;

    *last = *gone = 0;
    for (unsigned i = 0; i < r->len; i++) {
        if (k < len && r->members[i].hop == members[k].hop &&
            r->members[i].weight == members[k].weight) {
            k++;
            continue;
        }
        *last = i;
        ++*gone;
    }
    return k == len;
}

static void remove_one(struct resilient *r, unsigned gone, int64_t now_ns)
{
    struct policy_member *rest = mem_alloc(r->len, sizeof *rest);
    unsigned len = 0;

    for (unsigned i = 0; i < r->len; i++)
        if (i != gone)
            rest[len++] = (struct policy_member){.hop = r->members[i].hop,
                                                 .weight = r->members[i].weight};
    replace(r, rest, len, now_ns);
    mem_free(rest);
}

static void resilient_update(void *state, const struct policy_member *members,
                             unsigned len, int64_t now_ns)
{
    struct resilient *r = state;
    unsigned last, gone;

    resilient_run(r, now_ns);
    while (is_remainder(r, members, len, &last, &gone) && gone > 1)
        remove_one(r, last, now_ns);
    replace(r, members, len, now_ns);
}

/* ----------------------------------------------------------------------------- choosing */

static unsigned resilient_pick(void *state, const struct policy_query *q)
{
    struct resilient *r = state;
    struct bucket *b;

    resilient_run(r, q->now_ns);
    if (r->len == 1 && q->packet->dst.family == FAMILY_V4)
        return 0;
    b = &r->buckets[q->hash % r->buckets_len];
    b->used_ns = q->now_ns;
    return b->owner;
}

uint16_t resilient_owner(const void *state, uint32_t bucket)
{
    const struct resilient *r = state;

    return r->members[r->buckets[bucket].owner].hop;
}

uint16_t resilient_only(const void *state)
{
    const struct resilient *r = state;

    return r->len == 1 ? r->members[0].hop : 0;
}

int64_t resilient_due_ns(const void *state)
{
    return ((const struct resilient *)state)->due_ns;
}

bool resilient_is_used(const void *state, uint32_t bucket, int64_t *used_ns)
{
    const struct resilient *r = state;

    *used_ns = r->buckets[bucket].used_ns;
    return bucket_is_used(&r->buckets[bucket]);
}

const struct policy policy_resilient = {
    .name = "resilient",
    .about = "a table of buckets that keep their owners while they are in use (Linux)",
    .traits = POLICY_WEIGHTED | POLICY_HASHED,
    .create = resilient_create,
    .update = resilient_update,
    .pick = resilient_pick,
    .destroy = resilient_destroy,
};
