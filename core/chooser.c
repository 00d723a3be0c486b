#include "core/chooser.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "core/conn.h"
#include "core/memory.h"
#include "core/random.h"

/* A next hop of any group; the k-th of those that are alike has `twin` k. */
struct hop {
    struct addr gateway;
    uint16_t iface, twin;
};

enum { HOPS_MAX = CONN_PIN_MAX };

#define PURPOSE                                                                          \
    UINT64_C(0x63686f6f736572) /* of the groups' seeds; one each from here on */

struct chooser {
    const struct policy *policy;
    void *state; /* NULL: no member lives */
    struct policy_member *members;
    uint16_t *places; /* of each member in the group */
    unsigned len;
};

struct choosers {
    const struct router_config *config;
    const struct rib *rib;
    const struct policy **policies; /* of config->policies */
    struct chooser *all;            /* by seat */
    size_t len, cap;
    struct hop *hops; /* number n is hops[n - 1] */
    size_t hops_len, hops_cap;
};

struct choosers *choosers_create(const struct router_config *config,
                                 const struct rib *rib)
{
    struct choosers *c = mem_alloc(1, sizeof *c);

    c->config = config;
    c->rib = rib;
    c->policies = mem_alloc(config->policies_len, sizeof *c->policies);
    for (size_t i = 0; i < config->policies_len; i++) {
        c->policies[i] = policy_find(config->policies[i].name);
        assert(c->policies[i]);
    }
    return c;
}

static void chooser_clear(struct chooser *ch)
{
    if (ch->state)
        ch->policy->destroy(ch->state);
    mem_free(ch->members);
    mem_free(ch->places);
    ch->state = NULL;
    ch->members = NULL;
    ch->places = NULL;
    ch->len = 0;
}

void choosers_destroy(struct choosers *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->len; i++)
        chooser_clear(&c->all[i]);
    mem_free(c->all);
    mem_free(c->policies);
    mem_free(c->hops);
    mem_free(c);
}

/* ------------------------------------------------------------------ who the members are */

/* The hop's number; 0 when there are too many to tell apart. */
static uint16_t hop_number(struct choosers *c, const struct hop *h)
{
    for (size_t i = 0; i < c->hops_len; i++)
        if (c->hops[i].iface == h->iface && c->hops[i].twin == h->twin &&
            addr_equal(&c->hops[i].gateway, &h->gateway))
            return (uint16_t)(i + 1);
    if (c->hops_len == HOPS_MAX)
        return 0;
    c->hops = mem_grow(c->hops, &c->hops_cap, c->hops_len + 1, sizeof *c->hops);
    c->hops[c->hops_len] = *h;
    return (uint16_t)++c->hops_len;
}

static uint64_t hop_key(const struct hop *h)
{
    struct random_stream s = random_stream_make(le64toh(h->gateway.quads[0]),
                                                le64toh(h->gateway.quads[1]));

    s = random_stream_make(random_next(&s), (uint64_t)h->iface << 16 | h->twin);
    return random_next(&s);
}

static unsigned members_of(struct choosers *c, const struct nexthop_group *g,
                           struct policy_member *members, uint16_t *places)
{
    unsigned len = 0;

    for (unsigned i = 0; i < g->len; i++) {
        const struct nexthop *n = &g->hops[i];
        const struct hop h = {n->gateway, n->iface, nexthop_group_twin(g, i)};

        if (!n->up)
            continue;
        places[len] = (uint16_t)i;
        members[len++] = (struct policy_member){
            .key = hop_key(&h), .weight = n->weight, .hop = hop_number(c, &h)};
    }
    return len;
}

static bool members_equal(const struct chooser *ch, const struct policy_member *members,
                          unsigned len)
{
    if (ch->len != len)
        return false;
    for (unsigned i = 0; i < len; i++)
        if (ch->members[i].hop != members[i].hop ||
            ch->members[i].key != members[i].key ||
            ch->members[i].weight != members[i].weight)
            return false;
    return true;
}

/* --------------------------------------------------------------------------- following */

static struct chooser *chooser_at(struct choosers *c, size_t seat)
{
    if (seat >= c->len) {
        c->all = mem_grow(c->all, &c->cap, seat + 1, sizeof *c->all);
        memset(&c->all[c->len], 0, (seat + 1 - c->len) * sizeof *c->all);
        c->len = seat + 1;
    }
    return &c->all[seat];
}

static void *chooser_begin(const struct choosers *c, size_t seat,
                           const struct fib_entry *e)
{
    struct random_stream s = random_stream_make(c->config->seed, PURPOSE + seat);

    return c->policies[e->policy]->create(&c->config->policies[e->policy],
                                          random_next(&s));
}

static void chooser_follow(struct choosers *c, size_t seat, const struct fib_entry *e,
                           int64_t now_ns)
{
    struct chooser *ch = chooser_at(c, seat);
    struct chooser now = {.policy = c->policies[e->policy]};

    now.members = mem_alloc(e->group->len, sizeof *now.members);
    now.places = mem_alloc(e->group->len, sizeof *now.places);
    now.len = members_of(c, e->group, now.members, now.places);
    if (ch->policy != now.policy || now.len == 0)
        chooser_clear(ch);
    now.state = ch->state;
    if (now.len == 0) {
        chooser_clear(&now);
    } else if (members_equal(ch, now.members, now.len)) {
        mem_free(now.members);
        now.members = ch->members;
        if (now.policy->changed)
            now.policy->changed(now.state);
    } else {
        if (!now.state)
            now.state = chooser_begin(c, seat, e);
        now.policy->update(now.state, now.members, now.len, now_ns);
        mem_free(ch->members);
    }
    mem_free(ch->places);
    *ch = now;
}

void choosers_follow(struct choosers *c, int64_t now_ns)
{
    for (size_t seat = 0; seat < rib_seats_len(c->rib); seat++) {
        const struct fib_entry *e = rib_seat_entry(c->rib, seat);

        if (e)
            chooser_follow(c, seat, e, now_ns);
        else if (seat < c->len)
            chooser_clear(&c->all[seat]);
    }
}

/* ---------------------------------------------------------------------------- choosing */

bool choosers_ask(const struct choosers *c, const struct fib_entry *e)
{
    if (e->seat == RIB_NO_SEAT || e->group->len > 1)
        return e->seat != RIB_NO_SEAT;
    return e->route != RIB_NO_ROUTE && (c->policies[e->policy]->traits & POLICY_PINS);
}

unsigned choosers_pick(struct choosers *c, const struct fib_entry *e,
                       const struct policy_query *q)
{
    const struct chooser *ch = &c->all[e->seat];

    if (!ch->state)
        return NEXTHOP_NONE;
    return ch->places[ch->policy->pick(ch->state, q)];
}

const struct policy *choosers_policy(const struct choosers *c, const struct fib_entry *e)
{
    return c->policies[e->policy];
}

bool choosers_is_fixed(const struct choosers *c, const struct fib_entry *e)
{
    return !choosers_ask(c, e) || (c->policies[e->policy]->traits & POLICY_FIXED);
}
