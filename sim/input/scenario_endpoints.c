/* Between whom synthetic connections are: addresses of hosts and servers, as ranges. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_traffic.h"
#include "sim/traffic/livetuples.h"

/* ---- addresses ---- */

/* One element of a list, and where it stands. */
struct element {
    struct scenario_reading *s;
    const char *text;
    char pointer[SCENARIO_POINTER_MAX];
};

static struct element element_of(struct scenario_reading *s,
                                 const struct strings_text *list, size_t i,
                                 const char *pointer, const char *key)
{
    struct element e = {.s = s, .text = list->items[i]};

    if (list->is_array)
        snprintf(e.pointer, sizeof e.pointer, "%s/%s/%zu", pointer, key, i);
    else
        snprintf(e.pointer, sizeof e.pointer, "%s/%s", pointer, key);
    return e;
}

static uint64_t low_bits(const struct addr *a)
{
    uint64_t n = 0;

    for (unsigned bytes = addr_bits(a) / 8, i = bytes == 4 ? 0 : 8; i < bytes; i++)
        n = n << 8 | a->bytes[i];
    return n;
}

/* How many from `first` to `last`, which is not lower. */
static uint64_t count_between(const struct addr *first, const struct addr *last)
{
    const uint64_t difference = low_bits(last) - low_bits(first);

    if (first->family == FAMILY_V6 && memcmp(first->bytes, last->bytes, 8) != 0)
        return UINT64_MAX;
    return difference == UINT64_MAX ? UINT64_MAX : difference + 1;
}

/* "192.0.2.1", "192.0.2.1-192.0.2.9", "192.0.2.0/24" */
static bool parse_range(const char *text, struct flowgen_range *range,
                        struct prefix *prefix)
{
    const size_t length = strcspn(text, "-");
    char first[ADDR_TEXT_MAX];
    struct addr last;

    *prefix = (struct prefix){.length = 0};
    if (text[length] == '\0') {
        unsigned free_bits;

        if (!prefix_parse(text, prefix))
            return false;
        free_bits = addr_bits(&prefix->addr) - prefix->length;
        range->first = prefix->addr;
        range->count = free_bits >= 64 ? UINT64_MAX : UINT64_C(1) << free_bits;
        return true;
    }
    if (length >= sizeof first)
        return false;
    memcpy(first, text, length);
    first[length] = '\0';
    if (!addr_parse(first, &range->first) || !addr_parse(text + length + 1, &last) ||
        range->first.family != last.family || addr_compare(&range->first, &last) > 0)
        return false;
    range->count = count_between(&range->first, &last);
    return true;
}

static bool has_host_bits(const struct prefix *p)
{
    const struct prefix masked = prefix_of(&p->addr, p->length);

    return addr_is_set(&p->addr) && !addr_equal(&masked.addr, &p->addr);
}

static bool read_range(const struct element *e, const char *expected,
                       struct flowgen_range *range, struct prefix *prefix)
{
    if (!parse_range(e->text, range, prefix))
        return diag_error(e->s->reader.diag, e->pointer, "expected %s", expected);
    if (has_host_bits(prefix))
        return diag_error(e->s->reader.diag, e->pointer,
                          "bits are set behind the prefix length");
    return true;
}

/* ---- hosts ---- */

struct host_list {
    struct addr *items;
    size_t len, cap;
    struct livetuples seen;
};

static uint64_t address_key(const struct addr *a)
{
    return livetuples_key(&(struct demand){.src = *a});
}

static bool is_router(const struct scenario *s, const struct addr *a)
{
    for (size_t i = 0; i < s->router.ifaces_len; i++)
        for (size_t k = 0; k < s->router.ifaces[i].addresses_len; k++)
            if (addr_equal(&s->router.ifaces[i].addresses[k].addr, a))
                return true;
    return false;
}

static bool host_add(struct host_list *list, const struct element *e,
                     const struct addr *a)
{
    struct diag *d = e->s->reader.diag;
    char text[ADDR_TEXT_MAX];

    if (!scenario_is_lan(e->s->scenario, a))
        return diag_error(d, e->pointer, "%s is not in the LAN", addr_format(a, text));
    if (is_router(e->s->scenario, a))
        return diag_error(d, e->pointer, "%s is the router's own", addr_format(a, text));
    if (!livetuples_add(&list->seen, address_key(a)))
        return diag_error(d, e->pointer, "%s is there twice", addr_format(a, text));
    list->items = mem_grow(list->items, &list->cap, list->len + 1, sizeof *list->items);
    list->items[list->len++] = *a;
    return true;
}

/* The addresses of a network that no host has: the first, and the last of IPv4. */
static bool is_reserved(const struct prefix *p, uint64_t index, uint64_t count)
{
    if (!addr_is_set(&p->addr) || addr_bits(&p->addr) - p->length < 2)
        return false;
    return index == 0 || (p->addr.family == FAMILY_V4 && index == count - 1);
}

static bool hosts_add_range(struct host_list *list, const struct element *e)
{
    struct flowgen_range range;
    struct prefix prefix;

    if (!read_range(
            e,
            "an address, a range such as \"192.168.10.100-192.168.10.140\", a prefix, "
            "or the name of a host",
            &range, &prefix))
        return false;
    if (range.count > FLOWGEN_ADDRESSES_MAX - list->len)
        return diag_error(e->s->reader.diag, e->pointer, "makes more than %d hosts",
                          FLOWGEN_ADDRESSES_MAX);
    for (uint64_t i = 0; i < range.count; i++) {
        const struct addr a = flowgen_range_at(&range, i);

        if (is_reserved(&prefix, i, range.count) ||
            (addr_is_set(&prefix.addr) && range.count > 1 &&
             is_router(e->s->scenario, &a)))
            continue;
        if (!host_add(list, e, &a))
            return false;
    }
    return true;
}

static bool hosts_add(struct host_list *list, const struct element *e)
{
    const struct scenario *s = e->s->scenario;

    for (size_t i = 0; i < s->hosts_len; i++) {
        if (!s->hosts[i].name || strcmp(s->hosts[i].name, e->text) != 0)
            continue;
        for (size_t k = 0; k < s->hosts[i].addresses_len; k++)
            if (!host_add(list, e, &s->hosts[i].addresses[k]))
                return false;
        return true;
    }
    return hosts_add_range(list, e);
}

bool synthetic_hosts_build(struct scenario_reading *s, const struct traffic_text *t,
                           struct flowgen_config *c)
{
    struct host_list list = {.items = NULL};
    bool ok = true;

    for (size_t i = 0; i < t->synthetic.hosts.len; i++) {
        const struct element e =
            element_of(s, &t->synthetic.hosts, i, t->traffic.pointer, "hosts");

        ok = hosts_add(&list, &e) && ok;
    }
    if (ok && list.len == 0)
        ok = diag_error_member(s->reader.diag, t->traffic.pointer, "hosts",
                               "none is there");
    if (list.len > 0) {
        struct addr *kept = arena_alloc(s->reader.arena, list.len, sizeof *kept);

        memcpy(kept, list.items, list.len * sizeof *kept);
        c->hosts = kept;
        c->hosts_len = list.len;
    }
    mem_free(list.items);
    livetuples_free(&list.seen);
    return ok;
}

/* ---- servers ---- */

static bool overlap(const struct flowgen_range *a, const struct flowgen_range *b)
{
    const bool a_first = addr_compare(&a->first, &b->first) <= 0;
    const struct flowgen_range *low = a_first ? a : b, *high = a_first ? b : a;

    return a->first.family == b->first.family &&
           (low->count == UINT64_MAX ||
            count_between(&low->first, &high->first) <= low->count);
}

static bool servers_read(struct scenario_reading *s, const struct traffic_text *t,
                         struct flowgen_range *ranges)
{
    const struct strings_text *list = &t->synthetic.servers;
    struct prefix prefix;
    bool ok = true;

    for (size_t i = 0; i < list->len; i++) {
        const struct element e = element_of(s, list, i, t->traffic.pointer, "servers");

        if (!read_range(
                &e, "an address, a range such as \"192.0.2.1-192.0.2.9\", or a prefix",
                &ranges[i], &prefix)) {
            ok = false;
            continue;
        }
        for (size_t k = 0; ok && k < i; k++)
            if (overlap(&ranges[k], &ranges[i]))
                ok = diag_error(s->reader.diag, e.pointer, "overlaps '%s'",
                                list->items[k]);
    }
    return ok;
}

/* Are there enough of a family that hosts have, and none of one that they have not? */
static bool servers_judge(struct scenario_reading *s, const struct traffic_text *t,
                          const struct flowgen_config *c, enum family family)
{
    const char *pointer = t->traffic.pointer, *name = scenario_family_name(family);
    const uint64_t wanted = c->server_count;
    uint64_t hosts = 0, servers = 0;

    for (size_t i = 0; i < c->hosts_len; i++)
        hosts += c->hosts[i].family == family;
    for (size_t i = 0; i < c->servers_len; i++)
        if (c->servers[i].first.family == family)
            servers = servers > UINT64_MAX - c->servers[i].count
                          ? UINT64_MAX
                          : servers + c->servers[i].count;
    if (hosts > 0 && servers == 0)
        return diag_error_member(s->reader.diag, pointer, "servers",
                                 "expected some of %s, as there are hosts of it", name);
    if (hosts == 0 && servers > 0)
        return diag_error_member(s->reader.diag, pointer, "servers",
                                 "some are of %s, of which there is no host", name);
    if (hosts > 0 && wanted > servers)
        return diag_error_member(s->reader.diag, pointer, "server_count",
                                 "there are only %" PRIu64 " addresses of %s", servers,
                                 name);
    if (wanted == 0 && servers > FLOWGEN_ADDRESSES_MAX)
        return diag_error_member(
            s->reader.diag, pointer, "servers",
            "makes more than %d servers of %s; 'server_count' draws some",
            FLOWGEN_ADDRESSES_MAX, name);
    return true;
}

bool synthetic_servers_build(struct scenario_reading *s, const struct traffic_text *t,
                             struct flowgen_config *c)
{
    struct flowgen_range *ranges =
        arena_alloc(s->reader.arena, t->synthetic.servers.len, sizeof *ranges);

    if (!servers_read(s, t, ranges))
        return false;
    c->servers = ranges;
    c->servers_len = t->synthetic.servers.len;
    return c->hosts_len == 0 ||
           (servers_judge(s, t, c, FAMILY_V4) && servers_judge(s, t, c, FAMILY_V6));
}
