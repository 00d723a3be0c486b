#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/policies/resilient.h"
#include "core/random.h"
#include "sim/verify/objects_parts.h"

enum {
    TICKS_US = 25000, /* more than two ticks of any kernel: CONFIG_HZ is 100 at least */
    TRIES = 64,       /* flows drawn for each bucket */
    IDLE_MS_MAX = 10000,
};

#define MS INT64_C(1000000)

/* --------------------------------------------------------------- flows that hit a bucket */

/* Sent by the router itself, from no address yet: the mark alone leads it. */
static struct packet draw_flow(const struct object_group *g, struct random_stream *s)
{
    struct packet p = {.protocol = PROTO_UDP, .next_header = PROTO_UDP};
    const uint64_t r = random_next(s), ports = random_next(s);
    const uint8_t v4[4] = {(uint8_t)(1 + r % 9), (uint8_t)(r >> 8), (uint8_t)(r >> 16),
                           (uint8_t)(r >> 24)};
    uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0xff};

    memcpy(v6 + 8, &r, sizeof r);
    p.dst = g->route->dst.addr.family == FAMILY_V4 ? addr_from_v4(v4) : addr_from_v6(v6);
    p.src = p.dst;
    memset(p.src.bytes, 0, sizeof p.src.bytes);
    p.sport = (uint16_t)(1 + ports % 65535);
    p.dport = (uint16_t)(1 + (ports >> 32) % 65535);
    p.mark = object_group_mark(g);
    return p;
}

/* For RTM_GETROUTE the kernel makes a packet of IPv4, and of IPv6 none. */
static uint32_t flow_hash(const struct hash_config *h, const struct packet *p)
{
    return (p->dst.family == FAMILY_V4 ? hash_packet : hash_fields)(h, p);
}

/* False: some bucket is hit by none. */
static bool find_flows(struct object_group *g, const struct hash_config *h)
{
    const uint32_t buckets = g->policy->buckets;
    struct random_stream s = random_stream_make(g->id, 0);
    uint32_t found = 0;

    if (g->flows)
        return true;
    g->flows = mem_alloc(buckets, sizeof *g->flows);
    for (uint64_t i = 0; i < (uint64_t)TRIES * buckets && found < buckets; i++) {
        const struct packet p = draw_flow(g, &s);
        struct packet *flow = &g->flows[flow_hash(h, &p) % buckets];

        found += flow->sport == 0;
        *flow = p;
    }
    if (found == buckets)
        return true;
    mem_free(g->flows);
    g->flows = NULL;
    return false;
}

/* Mark the bucket as used in the kernel. */
static bool bucket_touch(struct lab *lab, const struct object_group *g, uint32_t bucket)
{
    struct lab_answer a;

    return lab_lookup(lab, &g->flows[bucket], -1, -1, &a);
}

void buckets_free(struct object_group *g)
{
    if (g->state)
        policy_resilient.destroy(g->state);
    mem_free(g->flows);
    g->state = NULL;
    g->flows = NULL;
}

/* ------------------------------------------------------------------------ time that passes */

/* A bucket before something happened. */
struct snapshot {
    uint16_t owner;
    bool used;
    bool busy; /* used, and not idle yet */
};

static void snapshot_take(const struct object_group *g, struct snapshot *all,
                          int64_t at_ns)
{
    for (uint32_t b = 0; b < g->policy->buckets; b++) {
        int64_t used_ns;

        all[b].owner = resilient_owner(g->state, b);
        all[b].used = resilient_is_used(g->state, b, &used_ns);
        all[b].busy = all[b].used && used_ns + g->policy->idle_ns > at_ns;
    }
}

static bool was_forced(const struct object_group *g, const struct snapshot *before)
{
    for (uint32_t b = 0; b < g->policy->buckets; b++)
        if (before[b].busy && resilient_owner(g->state, b) != before[b].owner)
            return true;
    return false;
}

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Steps 1 to 3 of objects.h. */
static bool upkeep_idle(struct lab *lab, const struct object_group *g,
                        const struct snapshot *before)
{
    int64_t idle_ms = 50, start;

    do {
        idle_ms *= 2;
        usleep((useconds_t)idle_ms * 1000 + TICKS_US);
        start = clock_ns();
        for (uint32_t b = 0; b < g->policy->buckets; b++)
            if (before[b].busy && !bucket_touch(lab, g, b))
                return false;
    } while (clock_ns() - start > idle_ms * MS / 2 && idle_ms < IDLE_MS_MAX);
    return object_group_set(lab, g, idle_ms * MS, 0);
}

static bool upkeep_forced(struct lab *lab, const struct object_group *g)
{
    usleep(2 * TICKS_US);
    return object_group_set(lab, g, OBJECTS_NEVER_NS, 10 * MS);
}

/* The upkeep that is due: in the twin, and where it moves anything, in the kernel. */
static bool upkeep_carry(struct lab *lab, const struct hash_config *h,
                         struct object_group *g)
{
    struct snapshot *before = mem_alloc(g->policy->buckets, sizeof *before);
    const int64_t due_ns = resilient_due_ns(g->state);
    bool good = true;

    snapshot_take(g, before, due_ns);
    if (resilient_run(g->state, due_ns) && !g->lost) {
        if (was_forced(g, before))
            good = upkeep_forced(lab, g);
        else if (find_flows(g, h))
            good = upkeep_idle(lab, g, before);
        else
            g->lost = true;
        good = good && object_group_set(lab, g, OBJECTS_NEVER_NS, 0);
        usleep(TICKS_US); /* what is used in the tick of a move does not count */
    }
    mem_free(before);
    return good;
}

bool buckets_run(struct lab *lab, const struct hash_config *h, struct object_group *g,
                 int64_t now_ns)
{
    while (g->state && resilient_due_ns(g->state) <= now_ns)
        if (!upkeep_carry(lab, h, g))
            return false;
    return true;
}

/* What the kernel did not see it is told by another flow that hits the bucket. */
bool buckets_use(struct lab *lab, const struct hash_config *h, struct object_group *g,
                 const struct policy_query *q, bool seen)
{
    const uint32_t bucket = q->hash % g->policy->buckets;

    if (!g->state)
        return true;
    policy_resilient.pick(g->state, q);
    if (seen || g->lost || (g->len == 1 && q->packet->dst.family == FAMILY_V4))
        return true;
    if (find_flows(g, h))
        return bucket_touch(lab, g, bucket);
    g->lost = true;
    return true;
}

/* -------------------------------------------------------------------------------- changes */

/* Is there one that is idle because time has passed? */
static bool some_are_idle(const struct object_group *g, const struct snapshot *before)
{
    for (uint32_t b = 0; b < g->policy->buckets; b++)
        if (before[b].used && !before[b].busy)
            return true;
    return false;
}

/* Did a bucket move from an owner that stays, though it had been used? */
static bool moved_by_time(const struct object_group *g, const struct snapshot *before)
{
    for (uint32_t b = 0; b < g->policy->buckets; b++) {
        if (!before[b].used || resilient_owner(g->state, b) == before[b].owner)
            continue;
        for (size_t i = 0; i < g->len; i++)
            if (g->members[i].hop == before[b].owner)
                return true;
    }
    return false;
}

static bool begin_or_end(struct lab *lab, struct object_group *g, int64_t now_ns)
{
    if (g->len == 0) {
        if (g->state)
            policy_resilient.destroy(g->state);
        g->state = NULL;
        return true;
    }
    g->state = policy_resilient.create(g->policy, 0);
    policy_resilient.update(g->state, g->members, (unsigned)g->len, now_ns);
    return object_group_set(lab, g, OBJECTS_NEVER_NS, 0);
}

/*
 * An IPv4 group of one does not mark its buckets. Give it one more member, of so little weight that
 * it wants none of them.
 */
static bool make_marking(struct lab *lab, const struct object_group *g, uint16_t only)
{
    struct lab_group_member two[2] = {{.id = g->objects[only - 1].id, .weight = 65536},
                                      {.weight = 1}};
    const struct lab_group k = {.members = two,
                                .len = 2,
                                .buckets = g->policy->buckets,
                                .idle_ns = OBJECTS_NEVER_NS};

    if (g->policy->buckets <= 128)
        two[0].weight = 256;
    for (size_t i = 0; i < g->len; i++)
        if (g->members[i].hop != only)
            two[1].id = g->objects[g->members[i].hop - 1].id;
    return lab_group_set(lab, g->id, &k);
}

/* The group is replaced, with those idle that are so by time. `only`: its one member before. */
static bool change_carry(struct lab *lab, const struct hash_config *h,
                         struct object_group *g, const struct snapshot *before,
                         uint16_t only)
{
    const bool carried = some_are_idle(g, before);

    if (carried && (g->policy->buckets > 32768 || !find_flows(g, h) ||
                    (only && g->route->dst.addr.family == FAMILY_V4 &&
                     !make_marking(lab, g, only)))) {
        g->lost = true;
        return object_group_set(lab, g, OBJECTS_NEVER_NS, 0);
    }
    return (!carried || upkeep_idle(lab, g, before)) &&
           object_group_set(lab, g, OBJECTS_NEVER_NS, 0);
}

bool buckets_follow(struct lab *lab, const struct hash_config *h, struct object_group *g,
                    bool replaced, int64_t now_ns)
{
    const uint16_t only = g->state ? resilient_only(g->state) : 0;
    struct snapshot *before;
    bool good = true;

    if (!g->state || g->len == 0)
        return begin_or_end(lab, g, now_ns);
    before = mem_alloc(g->policy->buckets, sizeof *before);
    snapshot_take(g, before, now_ns);
    policy_resilient.update(g->state, g->members, (unsigned)g->len, now_ns);
    if (replaced)
        good = change_carry(lab, h, g, before, only);
    else
        g->lost |= moved_by_time(g, before); /* at once with what the kernel did itself */
    mem_free(before);
    return good;
}
