#include "sim/observe/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "core/siphash.h"

enum { SITES_MIN = 256 };

struct host_name {
    struct addr addr;
    uint32_t host;
};

struct site {
    struct addr remote;
    uint32_t host;
    uint32_t address; /* index into host.addresses */
};

/* ------------------------------------------------------------------------------ names */

static int by_address(const void *a, const void *b)
{
    const struct host_name *x = a, *y = b;
    const int order = addr_compare(&x->addr, &y->addr);

    return order ? order : (x->host > y->host) - (x->host < y->host);
}

static void collect_names(struct hosts *h)
{
    const struct scenario *s = h->scenario;
    size_t n = 0;

    for (size_t i = 0; i < s->hosts_len; i++)
        n += s->hosts[i].addresses_len;
    h->names = mem_alloc(n, sizeof *h->names);
    for (size_t i = 0; i < s->hosts_len; i++)
        for (size_t k = 0; k < s->hosts[i].addresses_len; k++)
            h->names[h->names_len++] =
                (struct host_name){s->hosts[i].addresses[k], (uint32_t)i};
    if (n)
        qsort(h->names, n, sizeof *h->names, by_address);
}

uint32_t hosts_find(const struct hosts *h, const struct addr *a)
{
    size_t low = 0, high = h->names_len;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (addr_compare(&h->names[middle].addr, a) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == h->names_len || !addr_equal(&h->names[low].addr, a))
        return FLOWS_NONE;
    return h->names[low].host;
}

/* ----------------------------------------------------------------------------- making */

void hosts_init(struct hosts *h, const struct scenario *s)
{
    memset(h, 0, sizeof *h);
    h->scenario = s;
    h->list = mem_alloc(s->hosts_len, sizeof *h->list);
    h->counts = mem_alloc(s->hosts_len, sizeof *h->counts);
    for (size_t i = 0; i < s->hosts_len; i++) {
        struct host *host = h->list[i] = mem_alloc(1, sizeof *host);

        host->counts = &h->counts[i];
        host->seen_as[0] = host->seen_as[1] = FLOWS_NONE;
        host->lost_since_ns = -1;
    }
    collect_names(h);
    h->key[0] = s->seed;
    h->key[1] = 0x7369746573; /* its own stream; no result depends on it */
}

void hosts_free(struct hosts *h)
{
    for (size_t i = 0; i < h->scenario->hosts_len; i++) {
        struct host *host = h->list[i];

        for (size_t k = 0; k < host->addresses_len; k++)
            spans_free(&host->addresses[k].used);
        mem_free(host->addresses);
        mem_free(host->timeline);
        mem_free(host);
    }
    mem_free(h->list);
    mem_free(h->counts);
    mem_free(h->names);
    mem_free(h->sites);
}

/* ------------------------------------------------------------------------------ sites */

static struct site *site_slot(const struct hosts *h, uint32_t host,
                              const struct addr *remote)
{
    const uint64_t words[3] = {remote->quads[0], remote->quads[1],
                               (uint64_t)host << 8 | remote->family};
    size_t i = siphash_2_4_words(h->key, words, 3) & (h->sites_slots - 1);

    while (addr_is_set(&h->sites[i].remote) &&
           (h->sites[i].host != host || !addr_equal(&h->sites[i].remote, remote)))
        i = (i + 1) & (h->sites_slots - 1);
    return &h->sites[i];
}

static void sites_grow(struct hosts *h)
{
    struct site *old = h->sites;
    const size_t old_slots = h->sites_slots;

    h->sites_slots = old_slots ? 2 * old_slots : SITES_MIN;
    h->sites = mem_alloc(h->sites_slots, sizeof *h->sites);
    for (size_t i = 0; i < old_slots; i++)
        if (addr_is_set(&old[i].remote))
            *site_slot(h, old[i].host, &old[i].remote) = old[i];
    mem_free(old);
}

/* The site sees the host under this address now. */
static void site_sees(struct hosts *h, uint32_t host, const struct addr *remote,
                      uint32_t address)
{
    struct site *site;

    if (2 * (h->sites_len + 1) > h->sites_slots)
        sites_grow(h);
    site = site_slot(h, host, remote);
    if (addr_is_set(&site->remote)) {
        h->list[host]->site_changes += site->address != address;
        site->address = address;
        return;
    }
    if (h->sites_len == HOST_SITES_MAX) {
        h->sites_full = true;
        return;
    }
    *site = (struct site){*remote, host, address};
    h->sites_len++;
}

/* -------------------------------------------------------------------------- addresses */

/* The address's index among the host's; FLOWS_NONE: there are too many. */
static uint32_t address_index(struct hosts *h, struct host *host, const struct addr *a)
{
    for (size_t i = host->addresses_len; i-- > 0;)
        if (addr_equal(&host->addresses[i].addr, a))
            return (uint32_t)i;
    if (host->addresses_len == HOST_ADDRESSES_MAX) {
        h->addresses_full = true;
        return FLOWS_NONE;
    }
    host->addresses = mem_grow(host->addresses, &host->addresses_cap,
                               host->addresses_len + 1, sizeof *host->addresses);
    host->addresses[host->addresses_len] = (struct host_address){.addr = *a};
    return (uint32_t)host->addresses_len++;
}

/* The host shows itself under `address`, with the first packet of a connection or,
 * `live`, in the middle of one. */
static void host_shows(struct host *host, uint32_t address, int wan, bool live,
                       int64_t time_ns)
{
    uint32_t *seen = &host->seen_as[host->addresses[address].addr.family == FAMILY_V6];

    host->counts->live_changes += live;
    if (*seen == address)
        return;
    host->counts->public_changes += *seen != FLOWS_NONE;
    *seen = address;
    if (host->moments++ >= HOST_TIMELINE_MAX)
        return;
    host->timeline = mem_grow(host->timeline, &host->timeline_cap, host->moments,
                              sizeof *host->timeline);
    host->timeline[host->moments - 1] = (struct host_moment){time_ns, address, wan, live};
}

static void outage_ends(struct host *host, int64_t time_ns)
{
    if (host->lost_since_ns >= 0)
        host->outage_ns += time_ns - host->lost_since_ns;
    host->lost_since_ns = -1;
}

void hosts_flow_ended(struct hosts *h, struct flow *flow)
{
    struct spans *used;

    if (flow->used_address == FLOWS_NONE)
        return;
    used = &h->list[flow->host]->addresses[flow->used_address].used;
    spans_add(used, flow->used_ns, flow->last_ns);
    h->spans_coarse |= used->coarse;
    flow->used_address = FLOWS_NONE;
}

void hosts_sent(struct hosts *h, struct flow *flow, const struct addr *source,
                const struct addr *remote, int wan, int64_t time_ns)
{
    struct host *host = h->list[flow->host];
    const uint32_t before = flow->used_address;
    uint32_t address;

    outage_ends(host, time_ns);
    if (!source)
        return;
    if (before != FLOWS_NONE && addr_equal(&host->addresses[before].addr, source)) {
        flow->last_ns = time_ns;
        return;
    }
    address = address_index(h, host, source);
    if (address == FLOWS_NONE)
        return;
    hosts_flow_ended(h, flow);
    flow->used_address = address;
    flow->used_ns = flow->last_ns = time_ns;
    host_shows(host, address, wan, before != FLOWS_NONE, time_ns);
    site_sees(h, flow->host, remote, address);
}

void hosts_went_on(struct hosts *h, struct flow *flow, int64_t from_ns, int64_t to_ns)
{
    struct host *host = h->list[flow->host];

    if (host->lost_since_ns >= 0 && host->lost_since_ns <= to_ns)
        outage_ends(host, host->lost_since_ns > from_ns ? host->lost_since_ns : from_ns);
    if (flow->used_address != FLOWS_NONE && flow->last_ns < to_ns)
        flow->last_ns = to_ns;
}

void hosts_lost(struct hosts *h, uint32_t host, int64_t time_ns)
{
    struct host *lost = h->list[host];

    if (lost->lost_since_ns < 0)
        lost->lost_since_ns = time_ns;
    lost->lost_last_ns = time_ns;
}

void hosts_finish(struct hosts *h)
{
    for (size_t i = 0; i < h->scenario->hosts_len; i++)
        outage_ends(h->list[i], h->list[i]->lost_last_ns);
}

size_t hosts_addresses_at_once(const struct hosts *h, uint32_t host)
{
    static const uint8_t families[] = {FAMILY_V4, FAMILY_V6};
    const struct host *one = h->list[host];
    struct spans **sets = mem_alloc(one->addresses_len + 1, sizeof *sets);
    size_t most = 0;

    for (size_t f = 0; f < sizeof families; f++) {
        size_t n = 0, at_once;

        for (size_t i = 0; i < one->addresses_len; i++)
            if (one->addresses[i].addr.family == families[f])
                sets[n++] = &one->addresses[i].used;
        at_once = spans_most_at_once(sets, n);
        most = at_once > most ? at_once : most;
    }
    mem_free(sets);
    return most;
}
