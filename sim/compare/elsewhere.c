#include "sim/compare/elsewhere.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/observe/hosts.h"
#include "sim/observe/label.h"

/* A flow and when it began among those of its run. */
struct place {
    const struct ledger_flow *flow;
    size_t number;
};

struct pair {
    const struct ledger_flow *first, *other;
    struct addr host; /* the LAN's end */
    bool moved, readdressed;
};

struct host_sum {
    struct addr addr;
    const char *name; /* NULL: none */
    uint64_t flows, elsewhere, another_address, bytes_elsewhere;
};

struct elsewhere {
    const struct ledger *first, *other;
    int *path_of_other; /* a WAN of the other run in the first; -2 - WAN: there is none */
    struct pair *pairs;
    size_t pairs_len, pairs_cap;
    uint64_t only_first, only_other;
    struct host_sum *hosts;
    size_t hosts_len, hosts_cap;
};

/* --------------------------------------------------------------------------- matching */

static int place_compare(const void *va, const void *vb)
{
    const struct place *a = va, *b = vb;
    const int by_tuple = memcmp(&a->flow->tuple, &b->flow->tuple, sizeof a->flow->tuple);

    if (by_tuple)
        return by_tuple;
    return a->number < b->number ? -1 : a->number > b->number;
}

static struct place *places_sorted(const struct ledger *l)
{
    struct place *places = mem_alloc(l->len, sizeof *places);

    for (size_t i = 0; i < l->len; i++)
        places[i] = (struct place){&l->flows[i], i};
    if (l->len)
        qsort(places, l->len, sizeof *places, place_compare);
    return places;
}

static struct addr end_of(const struct tuple *t, const uint8_t bytes[16])
{
    return t->family == FAMILY_V4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

static struct addr lan_end(const struct scenario *s, const struct tuple *t)
{
    const struct addr src = end_of(t, t->src), dst = end_of(t, t->dst);

    return !scenario_is_lan(s, &src) && scenario_is_lan(s, &dst) ? dst : src;
}

static void pair_add(struct elsewhere *e, const struct ledger_flow *first,
                     const struct ledger_flow *other)
{
    const int path = other->path < 0 ? -1 : e->path_of_other[other->path];

    e->pairs = mem_grow(e->pairs, &e->pairs_cap, e->pairs_len + 1, sizeof *e->pairs);
    e->pairs[e->pairs_len++] = (struct pair){
        .first = first,
        .other = other,
        .host = lan_end(e->first->scenario, &first->tuple),
        .moved = path != first->path,
        .readdressed = first->path >= 0 && other->path >= 0 &&
                       !addr_equal(&first->public, &other->public),
    };
}

static void match(struct elsewhere *e)
{
    const size_t a_len = e->first->len, b_len = e->other->len;
    struct place *a = places_sorted(e->first), *b = places_sorted(e->other);
    size_t i = 0, k = 0;

    while (i < a_len && k < b_len) {
        const int order =
            memcmp(&a[i].flow->tuple, &b[k].flow->tuple, sizeof a[i].flow->tuple);

        if (order == 0)
            pair_add(e, a[i++].flow, b[k++].flow);
        else if (order < 0)
            i++;
        else
            k++;
    }
    e->only_first = a_len - e->pairs_len;
    e->only_other = b_len - e->pairs_len;
    mem_free(a);
    mem_free(b);
}

static int *paths_by_name(const struct scenario *first, const struct scenario *other)
{
    int *path = mem_alloc(other->wans_len, sizeof *path);

    for (size_t w = 0; w < other->wans_len; w++) {
        path[w] = -2 - (int)w;
        for (size_t v = 0; v < first->wans_len; v++)
            if (strcmp(first->wans[v].name, other->wans[w].name) == 0)
                path[w] = (int)v;
    }
    return path;
}

/* -------------------------------------------------------------------------- documents */

static json_t *wan_name(const struct scenario *s, int wan)
{
    return wan < 0 ? json_null() : json_string(s->wans[wan].name);
}

static json_t *address_text(const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    return a->family == FAMILY_NONE ? json_null() : json_string(addr_format(a, text));
}

static void put_count(json_t *o, const char *key, uint64_t value)
{
    json_object_set_new(o, key, json_integer((json_int_t)value));
}

static void put_share(json_t *o, const char *key, uint64_t part, uint64_t whole)
{
    json_object_set_new(o, key, json_real(whole ? (double)part / (double)whole : 0));
}

static void put_sums(json_t *o, const struct elsewhere *e)
{
    uint64_t moved = 0, readdressed = 0, bytes = 0, bytes_moved = 0;

    for (size_t i = 0; i < e->pairs_len; i++) {
        const struct pair *p = &e->pairs[i];

        moved += p->moved;
        readdressed += p->readdressed;
        bytes += p->first->bytes;
        bytes_moved += p->moved ? p->first->bytes : 0;
    }
    put_count(o, "matched", e->pairs_len);
    put_count(o, "only_in_first", e->only_first);
    put_count(o, "only_here", e->only_other);
    put_count(o, "elsewhere", moved);
    put_share(o, "elsewhere_share", moved, e->pairs_len);
    put_count(o, "bytes", bytes);
    put_count(o, "bytes_elsewhere", bytes_moved);
    put_share(o, "bytes_elsewhere_share", bytes_moved, bytes);
    put_count(o, "another_address", readdressed);
}

/* From each WAN (or none) of the first run to each of the other. */
static json_t *between_part(const struct elsewhere *e)
{
    const size_t froms = e->first->scenario->wans_len + 1;
    const size_t tos = e->other->scenario->wans_len + 1;
    uint64_t *sums = mem_alloc(2 * froms * tos, sizeof *sums);
    json_t *list = json_array();

    for (size_t i = 0; i < e->pairs_len; i++) {
        const struct pair *p = &e->pairs[i];
        const size_t cell =
            (size_t)(p->first->path + 1) * tos + (size_t)(p->other->path + 1);

        sums[2 * cell] += p->moved;
        sums[2 * cell + 1] += p->moved ? p->first->bytes : 0;
    }
    for (size_t cell = 0; cell < froms * tos; cell++) {
        json_t *o;

        if (sums[2 * cell] == 0)
            continue;
        o = json_object();
        json_object_set_new(o, "from",
                            wan_name(e->first->scenario, (int)(cell / tos) - 1));
        json_object_set_new(o, "to", wan_name(e->other->scenario, (int)(cell % tos) - 1));
        put_count(o, "flows", sums[2 * cell]);
        put_count(o, "bytes", sums[2 * cell + 1]);
        json_array_append_new(list, o);
    }
    mem_free(sums);
    return list;
}

static json_t *largest_part(const struct elsewhere *e)
{
    const struct pair *largest[ELSEWHERE_LARGEST_MAX];
    json_t *list = json_array();
    size_t n = 0;

    for (size_t i = 0; i < e->pairs_len; i++) {
        const struct pair *p = &e->pairs[i];
        size_t at = n;

        if (!p->moved || (n == ELSEWHERE_LARGEST_MAX &&
                          p->first->bytes <= largest[n - 1]->first->bytes))
            continue;
        n += n < ELSEWHERE_LARGEST_MAX;
        at = n - 1;
        for (; at > 0 && largest[at - 1]->first->bytes < p->first->bytes; at--)
            largest[at] = largest[at - 1];
        largest[at] = p;
    }
    for (size_t i = 0; i < n; i++) {
        const struct pair *p = largest[i];
        json_t *o = json_object();
        char flow[LABEL_MAX];

        json_object_set_new(o, "flow", json_string(label_flow(&p->first->tuple, flow)));
        json_object_set_new(o, "from", wan_name(e->first->scenario, p->first->path));
        json_object_set_new(o, "to", wan_name(e->other->scenario, p->other->path));
        json_object_set_new(o, "from_address", address_text(&p->first->public));
        json_object_set_new(o, "to_address", address_text(&p->other->public));
        put_count(o, "bytes", p->first->bytes);
        json_array_append_new(list, o);
    }
    return list;
}

/* ------------------------------------------------------------------------------ hosts */

static int pair_compare_hosts(const void *va, const void *vb)
{
    const struct pair *a = va, *b = vb;

    return addr_compare(&a->host, &b->host);
}

static const char *host_name(const struct hosts *names, const struct addr *a)
{
    const uint32_t host = hosts_find(names, a);

    return host == FLOWS_NONE ? NULL : names->scenario->hosts[host].name;
}

/* The pairs are put into the order of their hosts: nothing after this needs another. */
static void sum_hosts(struct elsewhere *e)
{
    struct host_sum *h = NULL;
    struct hosts names;

    hosts_init(&names, e->first->scenario);
    if (e->pairs_len)
        qsort(e->pairs, e->pairs_len, sizeof *e->pairs, pair_compare_hosts);
    for (size_t i = 0; i < e->pairs_len; i++) {
        const struct pair *p = &e->pairs[i];

        if (!h || !addr_equal(&h->addr, &p->host)) {
            e->hosts =
                mem_grow(e->hosts, &e->hosts_cap, e->hosts_len + 1, sizeof *e->hosts);
            h = &e->hosts[e->hosts_len++];
            *h = (struct host_sum){.addr = p->host, .name = host_name(&names, &p->host)};
        }
        h->flows++;
        h->elsewhere += p->moved;
        h->another_address += p->readdressed;
        h->bytes_elsewhere += p->moved ? p->first->bytes : 0;
    }
    hosts_free(&names);
}

/* Named ones first; then more flows elsewhere, more under another address, the address. */
static int host_compare(const void *va, const void *vb)
{
    const struct host_sum *a = va, *b = vb;

    if (!a->name != !b->name)
        return a->name ? -1 : 1;
    if (a->elsewhere != b->elsewhere)
        return a->elsewhere > b->elsewhere ? -1 : 1;
    if (a->another_address != b->another_address)
        return a->another_address > b->another_address ? -1 : 1;
    return addr_compare(&a->addr, &b->addr);
}

static json_t *hosts_part(const struct elsewhere *e)
{
    json_t *list = json_array();
    size_t unnamed = 0;

    if (e->hosts_len)
        qsort(e->hosts, e->hosts_len, sizeof *e->hosts, host_compare);
    for (size_t i = 0; i < e->hosts_len; i++) {
        const struct host_sum *h = &e->hosts[i];
        json_t *o;

        if (!h->name &&
            (h->elsewhere + h->another_address == 0 || unnamed++ >= ELSEWHERE_HOSTS_MAX))
            continue;
        o = json_object();
        json_object_set_new(o, "address", address_text(&h->addr));
        json_object_set_new(o, "name", h->name ? json_string(h->name) : json_null());
        put_count(o, "flows", h->flows);
        put_count(o, "elsewhere", h->elsewhere);
        put_count(o, "another_address", h->another_address);
        put_count(o, "bytes_elsewhere", h->bytes_elsewhere);
        json_array_append_new(list, o);
    }
    return list;
}

static uint64_t hosts_elsewhere(const struct elsewhere *e)
{
    uint64_t n = 0;

    for (size_t i = 0; i < e->hosts_len; i++)
        n += e->hosts[i].elsewhere > 0;
    return n;
}

json_t *elsewhere_build(const struct ledger *first, const struct ledger *other)
{
    struct elsewhere e = {.first = first, .other = other};
    json_t *o = json_object();

    e.path_of_other = paths_by_name(first->scenario, other->scenario);
    match(&e);
    put_sums(o, &e);
    json_object_set_new(o, "between", between_part(&e));
    json_object_set_new(o, "largest", largest_part(&e));
    sum_hosts(&e);
    put_count(o, "hosts_elsewhere", hosts_elsewhere(&e));
    json_object_set_new(o, "hosts", hosts_part(&e));
    put_count(o, "left_out", first->left_out + other->left_out);
    mem_free(e.pairs);
    mem_free(e.hosts);
    mem_free(e.path_of_other);
    return o;
}
