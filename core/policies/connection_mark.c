/*
 * connection-mark - the hash picks for a connection's first packet, and a mark keeps it there
 *
 * What careful admins build of mangle rules: connections are spread as hash-threshold would,
 * the connection is marked with the path that it got, and a rule a mark sends its packets to
 * a table of that path alone. While that table is empty they fall through to the multipath
 * route, under hash-threshold among the living.
 *
 *     wan1 marked  ──▶ wan1 lives: wan1     wan1 is dead: by the hash, the mark stays
 *                      wan1 returns: wan1 again
 *
 * Losing a member moves its own connections, w_k / W, and no others. At its return its marked
 * connections go home, and what began meanwhile stays. Under masquerade a connection has lost
 * its entry, and with it the mark, at its first move: it begins anew where it was sent, and
 * nothing comes home.
 *
 * O(members) a packet; the mark is 2 bytes of the connection's entry, the regions 48 bytes a
 * member.
 *
 * Source: RouterOS manual, "Per connection classifier" and mangle's mark-connection;
 * iptables-extensions(8), CONNMARK; the fall through is Linux's and RouterOS's `lookup`.
 * Differs: connections that begin outside are marked by the first packet that passes the
 * group, where those rules mark them by the interface that they came in by.
 */
#include "core/memory.h"
#include "core/policies/living.h"
#include "core/policies/policies.h"

struct connection_mark {
    struct living living;
    struct nexthop_group *regions; /* of the living; only weights and bounds count */
};

static void *connection_mark_create(const struct config_policy *config, uint64_t seed)
{
    (void)config;
    (void)seed;
    return mem_alloc(1, sizeof(struct connection_mark));
}

static void connection_mark_destroy(void *state)
{
    struct connection_mark *c = state;

    if (c->regions)
        nexthop_group_destroy(c->regions);
    mem_free(c);
}

static void connection_mark_update(void *state, const struct policy_member *members,
                                   unsigned len, int64_t now_ns)
{
    struct connection_mark *c = state;
    struct nexthop *hops = mem_alloc(len, sizeof *hops);

    (void)now_ns;
    for (unsigned i = 0; i < len; i++)
        hops[i] = (struct nexthop){.weight = (uint16_t)members[i].weight, .up = true};
    if (c->regions)
        nexthop_group_destroy(c->regions);
    c->regions = nexthop_group_create(hops, len);
    c->living = living_make(members, len);
    mem_free(hops);
}

static unsigned connection_mark_pick(void *state, const struct policy_query *q)
{
    const struct connection_mark *c = state;
    unsigned place = living_find(&c->living, *q->pin);

    if (place == c->living.len)
        place = nexthop_group_pick(c->regions, q->hash);
    if (*q->pin == 0)
        *q->pin = c->living.members[place].hop;
    return place;
}

const struct policy policy_connection_mark = {
    .name = "connection-mark",
    .about =
        "the first packet's region by weight, then a mark keeps the connection there",
    .traits = POLICY_WEIGHTED | POLICY_TRACKED | POLICY_PINS | POLICY_HASHED,
    .create = connection_mark_create,
    .update = connection_mark_update,
    .pick = connection_mark_pick,
    .destroy = connection_mark_destroy,
};
