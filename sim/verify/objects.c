#include "sim/verify/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/verify/kernel_config.h"
#include "sim/verify/objects_parts.h"

enum {
    TABLE_FIRST = 0x65630000, /* of the private tables, and their marks */
    TICKS_US = 25000,         /* see objects_buckets.c */
};

struct objects {
    struct lab *lab;
    const struct router *router;
    const struct router_config *config;
    struct object_group *groups;
    size_t groups_len, groups_cap;
    uint32_t last_id;
};

uint32_t object_group_mark(const struct object_group *g)
{
    return TABLE_FIRST + g->id;
}

static bool is_resilient(const struct object_group *g)
{
    return strcmp(g->policy->name, "resilient") == 0;
}

/* ----------------------------------------------------------------------- groups and entries */

static bool serves(const struct object_group *g, unsigned table, const struct prefix *dst,
                   uint32_t distance, unsigned tos)
{
    const struct prefix own = prefix_of(&g->route->dst.addr, g->route->dst.length);
    const struct prefix other = prefix_of(&dst->addr, dst->length);

    return g->route->table == table && g->route->distance == distance &&
           g->route->tos == tos && prefix_equal(&own, &other);
}

static struct object_group *group_find(const struct objects *o, unsigned table,
                                       const struct prefix *dst, uint32_t distance,
                                       unsigned tos)
{
    for (size_t i = 0; i < o->groups_len; i++)
        if (serves(&o->groups[i], table, dst, distance, tos))
            return &o->groups[i];
    return NULL;
}

static struct object_group *group_of_entry(const struct objects *o,
                                           const struct fib_entry *e)
{
    if (!e || !e->group || e->origin != ORIGIN_STATIC)
        return NULL;
    return group_find(o, e->table, &e->dst, e->distance, e->tos);
}

/* The RIB's entry of the group; NULL: it has none now. */
static const struct fib_entry *group_entry(const struct objects *o,
                                           const struct object_group *g)
{
    const struct rib *rib = router_rib(o->router);
    const struct prefix dst = prefix_of(&g->route->dst.addr, g->route->dst.length);
    const struct fib_entry *e = rib_find(rib, g->route->table, &dst);

    while (e && (e->distance != g->route->distance || e->tos != g->route->tos ||
                 e->origin != ORIGIN_STATIC))
        e = e->next == RIB_NO_ROUTE ? NULL : rib_entry(rib, e->next);
    return e;
}

static void groups_collect(struct objects *o)
{
    const struct router_config *c = o->config;

    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_route *r = &c->routes[i];

        if (!kernel_route_has_objects(c, r) ||
            group_find(o, r->table, &r->dst, r->distance, r->tos))
            continue;
        o->groups =
            mem_grow(o->groups, &o->groups_cap, o->groups_len + 1, sizeof *o->groups);
        o->groups[o->groups_len++] = (struct object_group){
            .route = r, .policy = &c->policies[r->policy], .id = ++o->last_id};
    }
}

/* ---------------------------------------------------------------------- members and objects */

/* The object of a next hop, counted from 1; a new one when it never had any. */
static uint16_t object_of(struct objects *o, struct object_group *g,
                          const struct nexthop *hop, uint16_t twin)
{
    for (size_t i = 0; i < g->objects_len; i++) {
        const struct object *b = &g->objects[i];

        if (b->iface == hop->iface && b->twin == twin &&
            addr_equal(&b->gateway, &hop->gateway))
            return (uint16_t)(i + 1);
    }
    g->objects =
        mem_grow(g->objects, &g->objects_cap, g->objects_len + 1, sizeof *g->objects);
    g->objects[g->objects_len++] = (struct object){
        .gateway = hop->gateway, .id = ++o->last_id, .iface = hop->iface, .twin = twin};
    return (uint16_t)g->objects_len;
}

/* The living members now. True: they are others than before. */
static bool members_take(struct objects *o, struct object_group *g)
{
    const struct fib_entry *e = group_entry(o, g);
    const unsigned hops = e && e->group ? e->group->len : 0;
    const size_t before = g->len;
    bool changed = false;
    size_t n = 0;

    for (unsigned i = 0; i < hops; i++) {
        const struct nexthop *h = &e->group->hops[i];
        struct policy_member m = {.weight = h->weight};

        if (!h->up)
            continue;
        m.hop = object_of(o, g, h, nexthop_group_twin(e->group, i));
        g->members = mem_grow(g->members, &g->cap, n + 1, sizeof *g->members);
        changed |=
            n >= before || g->members[n].hop != m.hop || g->members[n].weight != m.weight;
        g->members[n++] = m;
    }
    g->len = n;
    return changed || n != before;
}

static bool is_living(const struct object_group *g, size_t object)
{
    for (size_t i = 0; i < g->len; i++)
        if (g->members[i].hop == object + 1)
            return true;
    return false;
}

/*
 * Of a link that is down the kernel has deleted them; what else does not live is for the daemon to
 * delete, the last first, as the model has it (resilient.h).
 */
static bool objects_delete(struct objects *o, struct object_group *g)
{
    for (size_t i = g->objects_len; i-- > 0;) {
        struct object *b = &g->objects[i];

        if (!b->there || is_living(g, i))
            continue;
        b->there = false;
        if (iface_is_running(router_iface(o->router, b->iface)) &&
            !lab_hop_delete(o->lab, b->id))
            return false;
    }
    return true;
}

static bool objects_add(struct objects *o, struct object_group *g, bool *added)
{
    for (size_t i = 0; i < g->objects_len; i++) {
        struct object *b = &g->objects[i];

        if (b->there || !is_living(g, i))
            continue;
        b->there = *added = true;
        if (!lab_hop_add(o->lab, b->id, g->route->dst.addr.family, b->iface, &b->gateway))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------------- groups in the kernel */

bool object_group_set(struct lab *lab, const struct object_group *g, int64_t idle_ns,
                      int64_t unbalanced_ns)
{
    struct lab_group_member *members = mem_alloc(g->len, sizeof *members);
    const struct lab_group k = {.members = members,
                                .len = g->len,
                                .buckets = is_resilient(g) ? g->policy->buckets : 0,
                                .idle_ns = idle_ns,
                                .unbalanced_ns = unbalanced_ns};
    bool good;

    for (size_t i = 0; i < g->len; i++)
        members[i] = (struct lab_group_member){g->objects[g->members[i].hop - 1].id,
                                               g->members[i].weight};
    good = lab_group_set(lab, g->id, &k);
    mem_free(members);
    return good;
}

static bool group_route(struct objects *o, struct object_group *g)
{
    const struct config_route *r = g->route;
    struct kernel_route k = {.dst = r->dst,
                             .metric = r->distance,
                             .table = r->table,
                             .type = r->type,
                             .tos = r->tos,
                             .pref_src = r->pref_src,
                             .group = g->id};
    char *lines = NULL;
    size_t size;
    FILE *out = open_memstream(&lines, &size);
    bool good;

    if (!out)
        return false;
    kernel_route_write(out, "add", &k);
    if (is_resilient(g))
        fprintf(out, "%sroute add default table %u nhid %u\n",
                r->dst.addr.family == FAMILY_V6 ? "-6 " : "", object_group_mark(g),
                g->id);
    good = fclose(out) == 0 && lab_ip(o->lab, lines);
    free(lines);
    return good;
}

/* The kernel has lost the group, and its routes, when the last object went. */
static bool group_settle(struct objects *o, struct object_group *g, int64_t now_ns)
{
    bool added = false, good = true;

    if (!members_take(o, g))
        return true;
    if (!objects_delete(o, g) || !objects_add(o, g, &added))
        return false;
    if (is_resilient(g))
        good = buckets_follow(o->lab, &o->config->hash, g, added, now_ns);
    else if (added)
        good = object_group_set(o->lab, g, OBJECTS_NEVER_NS, 0);
    if (!good || (g->len && !g->routed && !group_route(o, g)))
        return false;
    g->routed = g->len > 0;
    usleep(TICKS_US); /* what is used in the tick of a move does not count */
    return true;
}

/* Look-ups with the group's mark go to its own table, whatever the other rules say. */
static bool marks_set(struct objects *o)
{
    char *lines = NULL;
    size_t size;
    FILE *out = open_memstream(&lines, &size);
    bool good;

    if (!out)
        return false;
    for (size_t i = 0; i < o->groups_len; i++) {
        const uint32_t mark = object_group_mark(&o->groups[i]);

        if (is_resilient(&o->groups[i]))
            fprintf(out, "%srule add priority 0 fwmark %u table %u\n",
                    o->groups[i].route->dst.addr.family == FAMILY_V6 ? "-6 " : "", mark,
                    mark);
    }
    good = fclose(out) == 0 && lab_ip(o->lab, lines);
    free(lines);
    return good;
}

/* ---------------------------------------------------------------------------------- the run */

struct objects *objects_create(struct lab *lab, const struct router *router,
                               const struct router_config *config)
{
    struct objects *o = mem_alloc(1, sizeof *o);

    o->lab = lab;
    o->router = router;
    o->config = config;
    groups_collect(o);
    if (marks_set(o) && objects_follow(o, 0))
        return o;
    objects_destroy(o);
    return NULL;
}

void objects_destroy(struct objects *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->groups_len; i++) {
        buckets_free(&o->groups[i]);
        mem_free(o->groups[i].objects);
        mem_free(o->groups[i].members);
    }
    mem_free(o->groups);
    mem_free(o);
}

bool objects_run(struct objects *o, int64_t now_ns)
{
    for (size_t i = 0; i < o->groups_len; i++)
        if (!buckets_run(o->lab, &o->config->hash, &o->groups[i], now_ns))
            return false;
    return true;
}

bool objects_follow(struct objects *o, int64_t now_ns)
{
    for (size_t i = 0; i < o->groups_len; i++)
        if (!group_settle(o, &o->groups[i], now_ns))
            return false;
    return true;
}

bool objects_used(struct objects *o, const struct decision *d, const struct packet *p,
                  bool seen, int64_t now_ns)
{
    const struct policy_query q = {.packet = p, .hash = d->hash, .now_ns = now_ns};
    struct object_group *g =
        d->flags & DECISION_HASHED ? group_of_entry(o, d->entry) : NULL;

    return !g || !is_resilient(g) || buckets_use(o->lab, &o->config->hash, g, &q, seen);
}

bool objects_are_lost(const struct objects *o)
{
    for (size_t i = 0; i < o->groups_len; i++)
        if (o->groups[i].lost)
            return true;
    return false;
}
