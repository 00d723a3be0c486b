#include "sim/traffic/flowgen.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "sim/traffic/livetuples.h"

enum stream_purpose {
    STREAM_ARRIVALS,
    STREAM_SIZES,
    STREAM_DURATIONS,
    STREAM_PROTOCOLS,
    STREAM_HOSTS,
    STREAM_SERVERS_V4,
    STREAM_SERVERS_V6,
    STREAM_SERVER_ADDRESSES_V4,
    STREAM_SERVER_ADDRESSES_V6,
    STREAM_PORTS,
    STREAM_PORTS_WITHIN,
    STREAM_SOURCE_PORTS,
};

/* The servers of one family. */
struct servers {
    struct addr *addresses;
    size_t len, cap;
    struct pick pick;
};

struct flowgen {
    const struct flowgen_config *config;
    struct arrivals arrivals;
    struct random_stream sizes, durations;
    struct pick protocols, hosts, ports, source_ports;
    struct random_stream ports_within;
    struct servers v4, v6;
    struct livetuples live;
    uint64_t ports_count; /* in all ranges */
    int64_t next_ns;
    bool has_next;
    char error[256];
};

static struct random_stream stream_of(const struct flowgen_config *c,
                                      enum stream_purpose p)
{
    return random_stream_make(c->seed, p);
}

/* ------------------------------------------------------------------------------ servers */

struct addr flowgen_range_at(const struct flowgen_range *r, uint64_t index)
{
    struct addr a = r->first;

    for (unsigned i = addr_bits(&a) / 8; i-- > 0 && index > 0; index >>= 8) {
        index += a.bytes[i];
        a.bytes[i] = (uint8_t)index;
    }
    return a;
}

static void servers_add(struct servers *s, const struct addr *a)
{
    s->addresses = mem_grow(s->addresses, &s->cap, s->len + 1, sizeof *s->addresses);
    s->addresses[s->len++] = *a;
}

static uint64_t address_key(const struct addr *a)
{
    return livetuples_key(&(struct demand){.src = *a});
}

/* What is drawn twice is drawn again; ranges do not overlap, so there is always one left. */
struct drawn {
    struct livetuples taken;
    uint64_t *counts;
};

/* The next server: the ranges take turns, those that are used up are passed over. */
static bool draw_server(const struct flowgen_config *c, enum family family, size_t *turn,
                        struct random_stream *stream, struct drawn *d, struct addr *a)
{
    for (size_t tried = 0; tried < c->servers_len; tried++) {
        const size_t i = (*turn)++ % c->servers_len;
        const struct flowgen_range *r = &c->servers[i];

        if (r->first.family != family || d->counts[i] >= r->count)
            continue;
        d->counts[i]++;
        do
            *a = flowgen_range_at(r, random_below(stream, r->count));
        while (!livetuples_add(&d->taken, address_key(a)));
        return true;
    }
    return false;
}

static void servers_draw(const struct flowgen_config *c, struct servers *s,
                         enum family family, struct random_stream stream)
{
    struct drawn d = {.counts = mem_alloc(c->servers_len, sizeof *d.counts)};
    struct addr a;
    size_t turn = 0;

    while (s->len < c->server_count && draw_server(c, family, &turn, &stream, &d, &a))
        servers_add(s, &a);
    livetuples_free(&d.taken);
    mem_free(d.counts);
}

static void servers_list(const struct flowgen_config *c, struct servers *s,
                         enum family family)
{
    for (size_t i = 0; i < c->servers_len; i++)
        for (uint64_t k = 0;
             c->servers[i].first.family == family && k < c->servers[i].count; k++) {
            const struct addr a = flowgen_range_at(&c->servers[i], k);

            servers_add(s, &a);
        }
}

static void servers_init(const struct flowgen_config *c, struct servers *s,
                         enum family family)
{
    const bool v4 = family == FAMILY_V4;

    if (c->server_count)
        servers_draw(
            c, s, family,
            stream_of(c, v4 ? STREAM_SERVER_ADDRESSES_V4 : STREAM_SERVER_ADDRESSES_V6));
    else
        servers_list(c, s, family);
    if (s->len > 0)
        pick_init(&s->pick, c->server_pick, s->len, c->server_zipf, NULL,
                  stream_of(c, v4 ? STREAM_SERVERS_V4 : STREAM_SERVERS_V6));
}

/* ------------------------------------------------------------------------------- making */

static void ports_init(struct flowgen *g)
{
    const struct flowgen_config *c = g->config;

    for (size_t i = 0; i < c->ports_len; i++)
        g->ports_count += (uint64_t)(c->ports[i].last - c->ports[i].first) + 1;
    pick_init(&g->ports, c->port_pick,
              c->port_pick == PICK_WEIGHTED ? c->ports_len : (size_t)g->ports_count, 0,
              c->port_weights, stream_of(c, STREAM_PORTS));
    g->ports_within = stream_of(c, STREAM_PORTS_WITHIN);
    pick_init(&g->source_ports, c->source_port_pick,
              (size_t)(c->source_ports.last - c->source_ports.first) + 1, 0, NULL,
              stream_of(c, STREAM_SOURCE_PORTS));
}

struct flowgen *flowgen_create(const struct flowgen_config *c)
{
    struct flowgen *g = mem_alloc(1, sizeof *g);
    struct random_stream arrivals = stream_of(c, STREAM_ARRIVALS);

    g->config = c;
    arrivals_init(&g->arrivals, &c->arrivals, random_next(&arrivals));
    g->sizes = stream_of(c, STREAM_SIZES);
    g->durations = stream_of(c, STREAM_DURATIONS);
    pick_init(&g->protocols, PICK_WEIGHTED, FLOWGEN_PROTOCOLS, 0, c->protocols,
              stream_of(c, STREAM_PROTOCOLS));
    pick_init(&g->hosts, c->host_pick, c->hosts_len, c->host_zipf, NULL,
              stream_of(c, STREAM_HOSTS));
    servers_init(c, &g->v4, FAMILY_V4);
    servers_init(c, &g->v6, FAMILY_V6);
    ports_init(g);
    return g;
}

void flowgen_destroy(struct flowgen *g)
{
    if (!g)
        return;
    pick_free(&g->protocols);
    pick_free(&g->hosts);
    pick_free(&g->ports);
    pick_free(&g->source_ports);
    pick_free(&g->v4.pick);
    pick_free(&g->v6.pick);
    mem_free(g->v4.addresses);
    mem_free(g->v6.addresses);
    livetuples_free(&g->live);
    mem_free(g);
}

/* ------------------------------------------------------------------------ one connection */

static uint16_t draw_port(struct flowgen *g)
{
    const struct flowgen_config *c = g->config;
    const uint64_t within = random_next(&g->ports_within);
    size_t at = pick_next(&g->ports);

    if (c->port_pick == PICK_WEIGHTED) {
        const struct config_range *r = &c->ports[at];

        return (uint16_t)(r->first + within % ((uint64_t)(r->last - r->first) + 1));
    }
    for (size_t i = 0;; i++) {
        const size_t count = (size_t)(c->ports[i].last - c->ports[i].first) + 1;

        if (at < count)
            return (uint16_t)(c->ports[i].first + at);
        at -= count;
    }
}

/* The one drawn, or the next higher one that no live connection of the kind has. */
static bool draw_source_port(struct flowgen *g, struct demand *d)
{
    const struct config_range *r = &g->config->source_ports;
    const size_t count = g->source_ports.len, drawn = pick_next(&g->source_ports);
    char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

    for (size_t i = 0; i < count; i++) {
        d->sport = (uint16_t)(r->first + (drawn + i) % count);
        d->key = livetuples_key(d);
        if (livetuples_add(&g->live, d->key))
            return true;
    }
    snprintf(
        g->error, sizeof g->error,
        "%s: no source port from %u to %u is free for another connection from %s to %s, "
        "port %u",
        g->config->pointer, r->first, r->last, addr_format(&d->src, src),
        addr_format(&d->dst, dst), d->dport);
    return false;
}

/* Of so many bytes at the rate, and what the law says. */
static int64_t draw_duration(struct flowgen *g, const struct demand *d)
{
    const struct flowgen_config *c = g->config;
    int64_t least = 0;

    if (c->has_duration)
        least = law_draw(&c->duration, &g->durations);
    if (c->rate_bps) {
        __extension__ const unsigned __int128 ns =
            (unsigned __int128)demand_bytes(d) * 8000000000u / c->rate_bps;

        if (ns >= (uint64_t)LAW_VALUE_MAX)
            return LAW_VALUE_MAX;
        if ((int64_t)ns > least)
            return (int64_t)ns;
    }
    return least;
}

static int begin(void *context, int64_t *start_ns)
{
    struct flowgen *g = context;

    if (!g->has_next && !arrivals_next(&g->arrivals, &g->next_ns))
        return 0;
    g->has_next = true;
    *start_ns = g->next_ns;
    return 1;
}

static bool take(void *context, struct demand *d)
{
    struct flowgen *g = context;
    const struct flowgen_config *c = g->config;
    const enum flowgen_protocol protocol =
        (enum flowgen_protocol)pick_next(&g->protocols);
    uint64_t size, down;
    struct servers *s;

    *d = (struct demand){
        .start_ns = g->next_ns,
        .src = c->hosts[pick_next(&g->hosts)],
        .protocol = protocol == FLOWGEN_TCP ? PROTO_TCP : PROTO_UDP,
    };
    g->has_next = false;
    s = d->src.family == FAMILY_V4 ? &g->v4 : &g->v6;
    assert(s->len > 0);
    d->dst = s->addresses[pick_next(&s->pick)];
    d->dport = protocol == FLOWGEN_QUIC ? FLOWGEN_QUIC_PORT : draw_port(g);
    size = (uint64_t)law_draw(&c->size, &g->sizes);
    down = (uint64_t)floor((double)size * c->down_share + 0.5);
    demand_fill(d, size - down, down, &c->limits);
    d->duration_ns = draw_duration(g, d);
    return draw_source_port(g, d);
}

static void ended(void *context, const struct demand *d)
{
    struct flowgen *g = context;

    livetuples_remove(&g->live, d->key);
}

static const char *error(const void *context)
{
    const struct flowgen *g = context;

    return g->error;
}

struct demand_source flowgen_source(struct flowgen *g)
{
    return (struct demand_source){begin, take, ended, error, g};
}
