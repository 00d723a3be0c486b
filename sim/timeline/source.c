#include "sim/timeline/source.h"

#include "core/memory.h"
#include "sim/traffic/flowlist.h"
#include "sim/traffic/fluid_traffic.h"
#include "sim/traffic/synthetic.h"
#include "sim/users/users.h"

static void *pcap_source_open(const struct scenario_traffic *t, char *error, size_t error_size)
{
    const struct capture_options o = {
        .path = t->file,
        .filter = t->filter,
        .start_ns = t->start_ns,
        .speed = t->speed,
        .map = t->map,
    };

    return capture_open(&o, error, error_size);
}

static int pcap_source_read(void *stream, struct captured *out, unsigned max)
{
    return capture_read(stream, out, max);
}

static const char *pcap_source_error(const void *stream)
{
    return capture_error(stream);
}

static uint64_t pcap_source_steps_back(const void *stream)
{
    return capture_steps_back(stream);
}

static void pcap_source_close(void *stream)
{
    capture_close(stream);
}

static void *synthetic_source_open(const struct scenario_traffic *t, char *error,
                                   size_t error_size)
{
    (void)error, (void)error_size;
    return synthetic_open(t->flowgen);
}

static int synthetic_source_read(void *stream, struct captured *out, unsigned max)
{
    return synthetic_read(stream, out, max);
}

static const char *synthetic_source_error(const void *stream)
{
    return synthetic_error(stream);
}

static uint64_t made_source_steps_back(const void *stream)
{
    (void)stream;
    return 0; /* in order by construction */
}

static void synthetic_source_close(void *stream)
{
    synthetic_close(stream);
}

/* A flow list being read. */
struct flows_stream {
    struct flowlist_cursor cursor;
    struct pacer *pacer;
};

static void *flows_source_open(const struct scenario_traffic *t, char *error, size_t error_size)
{
    struct flows_stream *s = mem_alloc(1, sizeof *s);
    struct demand_source source;

    (void)error, (void)error_size;
    s->cursor.list = t->flows;
    source = flowlist_source(&s->cursor);
    s->pacer = pacer_create(&source);
    return s;
}

static int flows_source_read(void *stream, struct captured *out, unsigned max)
{
    struct flows_stream *s = stream;

    return pacer_read(s->pacer, out, max);
}

static const char *flows_source_error(const void *stream)
{
    const struct flows_stream *s = stream;

    return pacer_error(s->pacer);
}

static void flows_source_close(void *stream)
{
    struct flows_stream *s = stream;

    pacer_destroy(s->pacer);
    mem_free(s);
}

const struct actor_kind *source_actor(const struct scenario_traffic *t)
{
    const struct source_kind *kind = &source_kinds[t->kind];

    return t->by_flow ? kind->fluid : kind->actor;
}

/* clang-format off */
const struct source_kind source_kinds[TRAFFIC_KINDS] = {
    [TRAFFIC_PCAP] = {
        .name = "pcap",
        .about = "a capture as recorded: pcap or pcapng, also .gz and .zst",
        .open = pcap_source_open,
        .read = pcap_source_read,
        .error = pcap_source_error,
        .steps_back = pcap_source_steps_back,
        .close = pcap_source_close,
    },
    [TRAFFIC_SYNTHETIC] = {
        .name = "synthetic",
        .about = "connections that are drawn by chance",
        .open = synthetic_source_open,
        .read = synthetic_source_read,
        .error = synthetic_source_error,
        .steps_back = made_source_steps_back,
        .close = synthetic_source_close,
        .never_waits = true,
        .fluid = &fluid_traffic_actor,
    },
    [TRAFFIC_FLOWS] = {
        .name = "flows",
        .about = "connections as they were recorded, a line each",
        .open = flows_source_open,
        .read = flows_source_read,
        .error = flows_source_error,
        .steps_back = made_source_steps_back,
        .close = flows_source_close,
        .never_waits = true,
        .fluid = &fluid_traffic_actor,
    },
    [TRAFFIC_USERS] = {
        .name = "synthetic with a profile",
        .about = "people, who react to what becomes of their connections",
        .actor = &users_actor,
    },
};
/* clang-format on */
