#include "tests/kernel/group_trial.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/policies/resilient.h"
#include "sim/verify/craft.h"

enum { IDS = 16, ID_GROUP = 15, BUCKETS_MAX = 65535, LATE_MS = 100, SAID_LINE = 400 };

#define LASTING_NS INT64_C(1000000000000000) /* eleven days */

/* ------------------------------------------------------------------------- what was done */

static void say(struct group_trial *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct group_trial *g, const char *format, ...)
{
    va_list args;

    g->said = mem_grow(g->said, &g->said_cap, g->said_len + SAID_LINE, 1);
    va_start(args, format);
    g->said_len += (size_t)vsnprintf(g->said + g->said_len, SAID_LINE, format, args);
    va_end(args);
}

static bool differs(struct group_trial *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool differs(struct group_trial *g, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(g->why, sizeof g->why, format, args);
    va_end(args);
    return false;
}

static bool refused(struct group_trial *g)
{
    return differs(g, "the kernel refuses it: %s", lab_error(g->world->lab));
}

/* --------------------------------------------------------------------------------- a group */

static uint32_t id_of(const struct group_trial *g, unsigned hop)
{
    return IDS * g->number + hop; /* hops count from 1 */
}

static uint32_t id_of_group(const struct group_trial *g)
{
    return IDS * g->number + ID_GROUP;
}

static unsigned draw(struct group_trial *g, unsigned bound)
{
    return (unsigned)random_below(&g->random, bound);
}

/* Mostly few, to see each; sometimes many. */
static uint32_t draw_buckets(struct group_trial *g)
{
    switch (draw(g, 20)) {
    case 0: return 1 + draw(g, 2000);
    case 1:
    case 2:
    case 3: return 1 + draw(g, 256);
    default: return 1 + draw(g, 40);
    }
}

void group_trial_init(struct group_trial *g, struct group_world *w, unsigned number,
                      uint64_t seed, enum group_kind kind)
{
    static const int64_t idle[] = {1, 3, 5}, unbalanced[] = {0, 0, 3, 5};

    memset(g, 0, sizeof *g);
    g->world = w;
    g->number = number;
    g->random = random_stream_make(seed, number);
    g->family = draw(g, 2) ? FAMILY_V4 : FAMILY_V6;
    g->policy.buckets = kind == GROUP_MPATH ? 0 : draw_buckets(g);
    g->policy.idle_ns = LASTING_NS;
    if (kind == GROUP_TIMED) {
        g->policy.idle_ns = idle[draw(g, 3)] * (GROUP_STEP_NS / 2);
        g->policy.unbalanced_ns = unbalanced[draw(g, 4)] * (GROUP_STEP_NS / 2);
    }
    for (unsigned i = 0; i < GROUP_HOPS; i++)
        g->link[i] = (uint8_t)draw(g, GROUP_LINKS);
}

void group_trial_free(struct group_trial *g)
{
    if (g->state)
        policy_resilient.destroy(g->state);
    mem_free(g->said);
}

static struct addr gateway_of(const struct group_trial *g, unsigned hop)
{
    const uint8_t link = g->link[hop - 1];
    const uint8_t v4[4] = {10, link, 0, (uint8_t)(1 + hop)};
    const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, link, [15] = (uint8_t)(1 + hop)};

    return g->family == FAMILY_V4 ? addr_from_v4(v4) : addr_from_v6(v6);
}

static bool object_add(struct group_trial *g, unsigned hop)
{
    const struct addr gateway = gateway_of(g, hop);
    char text[ADDR_TEXT_MAX];

    if (g->object[hop - 1])
        return true;
    say(g, "ip nexthop add id %u via %s dev if%u onlink\n", id_of(g, hop),
        addr_format(&gateway, text), g->link[hop - 1]);
    g->object[hop - 1] = true;
    return lab_hop_add(g->world->lab, id_of(g, hop), g->family, g->link[hop - 1],
                       &gateway) ||
           refused(g);
}

static void say_group(struct group_trial *g)
{
    say(g, "ip nexthop replace id %u group ", id_of_group(g));
    for (unsigned i = 0; i < g->len; i++)
        say(g, "%s%u,%u", i ? "/" : "", id_of(g, g->members[i].hop),
            g->members[i].weight);
    if (g->policy.buckets)
        say(g, " type resilient buckets %u idle_timer %g unbalanced_timer %g\n",
            g->policy.buckets, (double)g->policy.idle_ns / 1e9,
            (double)g->policy.unbalanced_ns / 1e9);
    else
        say(g, " type mpath\n");
}

static void model_follow(struct group_trial *g, int64_t now_ns)
{
    if (!g->policy.buckets)
        return;
    if (g->state && g->len == 0) {
        policy_resilient.destroy(g->state);
        g->state = NULL;
    }
    if (g->len == 0)
        return;
    if (!g->state)
        g->state = policy_resilient.create(&g->policy, 0);
    policy_resilient.update(g->state, g->members, g->len, now_ns);
}

/* The kernel's group gets the members. */
static bool group_set(struct group_trial *g, int64_t now_ns)
{
    struct lab_group_member members[GROUP_HOPS];
    const struct lab_group k = {.members = members,
                                .len = g->len,
                                .buckets = g->policy.buckets,
                                .idle_ns = g->policy.idle_ns,
                                .unbalanced_ns = g->policy.unbalanced_ns};

    for (unsigned i = 0; i < g->len; i++) {
        members[i] =
            (struct lab_group_member){id_of(g, g->members[i].hop), g->members[i].weight};
        if (!object_add(g, g->members[i].hop))
            return false;
    }
    say_group(g);
    if (!lab_group_set(g->world->lab, id_of_group(g), &k))
        return refused(g);
    model_follow(g, now_ns);
    return true;
}

/* ------------------------------------------------------------------------------- happenings */

static uint32_t draw_weight(struct group_trial *g)
{
    return 1 + draw(g, draw(g, 4) ? 4 : 256);
}

/* Is it a pure remainder, of several less? That is the doing of links alone in the model. */
static bool is_remainder(const struct policy_member *before, unsigned before_len,
                         const struct policy_member *now, unsigned len)
{
    unsigned k = 0;

    for (unsigned i = 0; i < before_len && k < len; i++)
        k += before[i].hop == now[k].hop && before[i].weight == now[k].weight;
    return k == len && before_len > len + 1;
}

static void draw_members(struct group_trial *g)
{
    struct policy_member before[GROUP_HOPS];
    const unsigned before_len = g->len;
    unsigned hops[GROUP_HOPS];

    memcpy(before, g->members, sizeof before);
    do {
        g->len = 1 + draw(g, draw(g, 6) ? GROUP_HOPS : 2);
        for (unsigned i = 0; i < GROUP_HOPS; i++)
            hops[i] = i + 1;
        for (unsigned i = 0; i < g->len; i++) {
            const unsigned k = i + draw(g, GROUP_HOPS - i), hop = hops[k];

            hops[k] = hops[i];
            g->members[i] =
                (struct policy_member){.hop = (uint16_t)hop, .weight = draw_weight(g)};
        }
    } while (is_remainder(before, before_len, g->members, g->len));
}

static void member_drop(struct group_trial *g, unsigned at)
{
    memmove(&g->members[at], &g->members[at + 1],
            (g->len - at - 1) * sizeof g->members[0]);
    g->len--;
    g->is_routed =
        g->is_routed && g->len > 0; /* the last takes group and routes with it */
}

static bool object_delete(struct group_trial *g, int64_t now_ns)
{
    const unsigned at = draw(g, g->len), hop = g->members[at].hop;

    say(g, "ip nexthop del id %u\n", id_of(g, hop));
    g->object[hop - 1] = false;
    if (!lab_hop_delete(g->world->lab, id_of(g, hop)))
        return refused(g);
    member_drop(g, at);
    model_follow(g, now_ns);
    return true;
}

bool group_trial_happen(struct group_trial *g, int64_t now_ns)
{
    const unsigned chance = draw(g, 10);

    if (g->len && chance < 5)
        return group_trial_use(g, 1 + draw(g, 24), now_ns);
    if (g->len && chance < 7)
        return object_delete(g, now_ns);
    if (!g->len || chance < 9)
        draw_members(g);
    return group_set(g, now_ns);
}

bool group_trial_fill(struct group_trial *g, int64_t now_ns)
{
    for (unsigned i = 0; i < GROUP_HOPS; i++)
        g->members[i] =
            (struct policy_member){.hop = (uint16_t)(i + 1), .weight = draw_weight(g)};
    g->len = GROUP_HOPS;
    return group_set(g, now_ns);
}

bool group_trial_lose_link(struct group_trial *g, unsigned link, int64_t now_ns)
{
    bool lost = false;

    say(g, "# link if%u down\n", link);
    for (unsigned i = 0; i < GROUP_HOPS; i++)
        g->object[i] = g->object[i] && g->link[i] != link;
    for (unsigned i = g->len; i-- > 0;) {
        if (g->link[g->members[i].hop - 1] != link)
            continue;
        member_drop(g, i);
        lost = true;
    }
    if (lost)
        model_follow(g, now_ns);
    return true;
}

/* Its weight is drawn anew, the places are by number as at first. */
bool group_trial_regain_link(struct group_trial *g, unsigned link, int64_t now_ns)
{
    say(g, "# link if%u up\n", link);
    for (unsigned i = 0; i < GROUP_HOPS; i++) {
        unsigned at = 0;

        if (g->link[i] != link)
            continue;
        while (at < g->len && g->members[at].hop < i + 1)
            at++;
        memmove(&g->members[at + 1], &g->members[at],
                (g->len - at) * sizeof g->members[0]);
        g->members[at] =
            (struct policy_member){.hop = (uint16_t)(i + 1), .weight = draw_weight(g)};
        g->len++;
    }
    return g->len == 0 || group_set(g, now_ns);
}

static void destination(const struct group_trial *g, struct prefix *p)
{
    const uint8_t high = (uint8_t)(g->number >> 8), low = (uint8_t)g->number;
    const uint8_t v4[4] = {198, (uint8_t)(18 + high), low, 0};
    const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0xf0, 0, high, low};

    *p = g->family == FAMILY_V4 ? (struct prefix){addr_from_v4(v4), 24}
                                : (struct prefix){addr_from_v6(v6), 64};
}

bool group_trials_route(struct group_trial *all, unsigned n)
{
    char *lines = NULL, text[PREFIX_TEXT_MAX];
    size_t size;
    FILE *f = open_memstream(&lines, &size);
    struct prefix dst;
    bool good;

    if (!f)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (all[i].is_routed || !all[i].len)
            continue;
        all[i].is_routed = true;
        destination(&all[i], &dst);
        prefix_format(&dst, text);
        fprintf(f, "%sroute add %s nhid %u\n", all[i].family == FAMILY_V6 ? "-6 " : "",
                text, id_of_group(&all[i]));
        say(&all[i], "ip route add %s nhid %u\n", text, id_of_group(&all[i]));
    }
    fclose(f);
    good = lab_ip(all[0].world->lab, lines);
    free(lines);
    return good;
}

/* -------------------------------------------------------------------------------- choosing */

static struct packet draw_flow(struct group_trial *g)
{
    const bool v4 = g->family == FAMILY_V4;
    struct packet p = {.protocol = PROTO_UDP, .next_header = PROTO_UDP, .ttl = 64};
    const uint8_t src4[4] = {10, GROUP_LAN, 0, (uint8_t)(2 + draw(g, 200))};
    const uint8_t src6[16] = {0x20, 1, 0xd, 0xb8, 0, GROUP_LAN, [15] = src4[3]};
    struct prefix dst;

    destination(g, &dst);
    p.src = v4 ? addr_from_v4(src4) : addr_from_v6(src6);
    p.dst = dst.addr;
    p.dst.bytes[v4 ? 3 : 15] = (uint8_t)(1 + draw(g, 250));
    p.sport = (uint16_t)(1 + draw(g, 65535));
    p.dport = (uint16_t)(1 + draw(g, 65535));
    p.size_bytes = v4 ? 28 : 48;
    return p;
}

static unsigned pick_by_region(const struct group_trial *g, uint32_t hash)
{
    struct nexthop hops[GROUP_HOPS] = {{.up = false}};
    struct nexthop_group *n;
    unsigned place;

    for (unsigned i = 0; i < g->len; i++)
        hops[i] = (struct nexthop){.weight = (uint16_t)g->members[i].weight, .up = true};
    n = nexthop_group_create(hops, g->len);
    place = nexthop_group_pick(n, hash);
    nexthop_group_destroy(n);
    return place;
}

/* The hop that the model chooses. */
static unsigned model_choose(struct group_trial *g, const struct packet *p,
                             bool by_fields, int64_t now_ns)
{
    const struct hash_config *h = &g->world->config.hash;
    const struct policy_query q = {.packet = p,
                                   .hash = (by_fields ? hash_fields : hash_packet)(h, p),
                                   .now_ns = now_ns};
    const unsigned place =
        g->state ? policy_resilient.pick(g->state, &q) : pick_by_region(g, q.hash);

    return g->members[place].hop;
}

static bool use_by_lookup(struct group_trial *g, const struct packet *p, int64_t now_ns)
{
    const unsigned hop = model_choose(g, p, g->family == FAMILY_V6, now_ns);
    const struct addr gateway = gateway_of(g, hop);
    struct lab_answer a;
    char text[ADDR_TEXT_MAX];

    if (!lab_lookup(g->world->lab, p, GROUP_LAN, -1, &a))
        return refused(g);
    g->world->lookups++;
    return (!a.error && a.iface == g->link[hop - 1] &&
            addr_equal(&a.gateway, &gateway)) ||
           differs(g, "a look-up finds %s, the model object %u",
                   a.error ? strerror(a.error) : addr_format(&a.gateway, text),
                   id_of(g, hop));
}

/* Wait until the packet comes out: by which interface; -1: it does not. */
static int packet_comes_out(struct lab *lab, const struct packet *sent)
{
    static uint8_t got[LAB_PACKET_MAX];
    struct packet p;
    unsigned iface = 0;
    size_t len;

    while ((len = lab_receive(lab, &iface, got, sizeof got, LATE_MS)))
        if (packet_dissect(got, len, len, &p) == DISSECT_OK &&
            addr_equal(&p.dst, &sent->dst) && p.sport == sent->sport)
            return (int)iface;
    return -1;
}

static bool use_by_packet(struct group_trial *g, const struct packet *p, int64_t now_ns)
{
    static uint8_t bytes[LAB_PACKET_MAX];
    const unsigned hop = model_choose(g, p, false, now_ns);
    int iface;

    if (!lab_send(g->world->lab, GROUP_LAN, bytes, craft_packet(p, bytes)))
        return refused(g);
    iface = packet_comes_out(g->world->lab, p);
    g->world->packets++;
    return iface == g->link[hop - 1] ||
           differs(g, "a packet leaves by if%d, in the model by object %u of if%u", iface,
                   id_of(g, hop), g->link[hop - 1]);
}

bool group_trial_use(struct group_trial *g, unsigned flows, int64_t now_ns)
{
    const bool by_packet = draw(g, 4) == 0;
    const struct hash_config *h = &g->world->config.hash;
    bool good = true;

    say(g, "# use, of %u buckets, by %s:", g->policy.buckets,
        by_packet ? "packets" : "look-ups");
    for (unsigned i = 0; i < flows && good; i++) {
        const struct packet p = draw_flow(g);

        if (g->policy.buckets)
            say(g, " %u", hash_packet(h, &p) % g->policy.buckets);
        good = by_packet ? use_by_packet(g, &p, now_ns) : use_by_lookup(g, &p, now_ns);
    }
    say(g, "\n");
    return good;
}

/* ------------------------------------------------------------------------------- comparing */

static bool compare_objects(struct group_trial *g)
{
    struct lab *lab = g->world->lab;

    for (unsigned hop = 1; hop <= GROUP_HOPS; hop++)
        if (lab_hop_exists(lab, id_of(g, hop)) != g->object[hop - 1])
            return differs(g, "object %u is %s in the kernel", id_of(g, hop),
                           g->object[hop - 1] ? "gone" : "still there");
    return lab_hop_exists(lab, id_of_group(g)) == (g->len > 0) ||
           differs(g, "group %u is %s in the kernel", id_of_group(g),
                   g->len ? "gone" : "still there");
}

static bool compare_buckets(struct group_trial *g, int64_t now_ns)
{
    static uint32_t owners[BUCKETS_MAX];

    if (!lab_group_buckets(g->world->lab, id_of_group(g), owners, g->policy.buckets))
        return refused(g);
    resilient_run(g->state, now_ns);
    g->world->tables++;
    for (uint32_t b = 0; b < g->policy.buckets; b++) {
        const uint32_t expected = id_of(g, resilient_owner(g->state, b));

        if (owners[b] != expected)
            return differs(g, "bucket %u is of object %u, in the model of %u", b,
                           owners[b], expected);
    }
    return true;
}

bool group_trial_compare(struct group_trial *g, int64_t now_ns)
{
    return compare_objects(g) && (!g->state || compare_buckets(g, now_ns));
}
