#include "sim/timeline/source.h"

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

const struct source_kind source_kinds[TRAFFIC_KINDS] = {
    [TRAFFIC_PCAP] = {"pcap", "a capture as recorded: pcap or pcapng, also .gz and .zst",
                      pcap_source_open, pcap_source_read, pcap_source_error,
                      pcap_source_steps_back, pcap_source_close},
};
