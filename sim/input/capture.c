#include "sim/input/capture.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include "core/memory.h"
#include "sim/input/stream.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* Half of what fits: a start and a time behind it add up without overflow. */
#define TIME_MAX_NS (INT64_MAX / 2)

struct capture {
    pcap_t *pcap;
    struct stream *stream;
    const struct linklayer *link;
    const struct addrmap *map;
    char *path;
    struct bpf_program filter;
    bool filtered; /* `filter` is compiled */
    bool ended;    /* libpcap has nothing more, or failed */

    int64_t start_ns;
    double speed;
    int64_t first_ns, latest_ns; /* as recorded; of the file, of what was given out */

    uint64_t frames; /* of the file, whole */
    uint64_t given, steps_back;

    struct captured *out; /* the batch that capture_read() is filling */
    unsigned filled;
    char error[1024]; /* "" = none */
};

/* A frame's timestamp in nanoseconds since 1970; false when it is out of any reason. */
static bool read_timestamp(const struct timeval *ts, int64_t *ns)
{
    int64_t seconds = ts->tv_sec;

    if (seconds < 0 && seconds >= INT32_MIN)
        seconds += INT64_C(1) << 32; /* libpcap took unsigned 32 bits for signed */
    if (seconds < 0 || seconds > TIME_MAX_NS / NS_PER_SECOND)
        return false;
    *ns = seconds * NS_PER_SECOND +
          ts->tv_usec; /* nanoseconds, by the precision asked for */
    return true;
}

/* The simulated time of a recorded one, which is not before the first; false = too far. */
static bool scale_time(const struct capture *c, int64_t recorded_ns, int64_t *time_ns)
{
    int64_t elapsed_ns = recorded_ns - c->first_ns;

    if (c->speed < 1 || c->speed > 1) {
        double scaled = (double)elapsed_ns / c->speed;

        if (scaled >= (double)TIME_MAX_NS)
            return false;
        elapsed_ns = llround(scaled);
    }
    *time_ns = c->start_ns + elapsed_ns;
    return true;
}

static enum frame_kind dissect_frame(const struct capture *c, const struct pcap_pkthdr *h,
                                     const u_char *bytes, struct packet *p)
{
    struct frame_view f = {bytes, h->caplen, h->len > h->caplen ? h->len : h->caplen};
    enum frame_kind kind = linklayer_strip(c->link, &f);

    if (kind != FRAME_IP)
        return kind;
    switch (packet_dissect(f.bytes, f.captured, f.wire, p)) {
    case DISSECT_OK: return FRAME_IP;
    case DISSECT_NOT_IP: return FRAME_NOT_IP;
    case DISSECT_MALFORMED: return FRAME_MALFORMED;
    case DISSECT_TRUNCATED: return FRAME_TRUNCATED;
    }
    return FRAME_MALFORMED;
}

/* Why libpcap could not read on: what the stream says of its data, else libpcap's own words. */
static const char *failure_words(const struct capture *c, const char *libpcaps)
{
    const char *cause = ferror(stream_file(c->stream)) ? stream_error(c->stream) : NULL;

    return cause ? cause : libpcaps;
}

static void fail(struct capture *c, const char *what)
{
    snprintf(c->error, sizeof c->error, "%.600s: after packet %" PRIu64 ": %s", c->path,
             c->frames, what);
    c->ended = true;
}

/* libpcap's callback: one frame to the end of the batch. */
static void take_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct capture *c = (struct capture *)(void *)user;
    struct captured *to = &c->out[c->filled];
    int64_t recorded_ns;

    if (!read_timestamp(&h->ts, &recorded_ns)) {
        fail(c, "the next timestamp is beyond all bounds");
        pcap_breakloop(c->pcap);
        return;
    }
    if (c->frames == 0)
        c->first_ns = c->latest_ns = recorded_ns;
    if (c->filtered && pcap_offline_filter(&c->filter, h, bytes) == 0) {
        c->frames++;
        return;
    }
    if (recorded_ns < c->latest_ns) {
        recorded_ns = c->latest_ns;
        c->steps_back++;
    }
    if (!scale_time(c, recorded_ns, &to->time_ns)) {
        fail(c, "at this speed the next time is beyond all bounds");
        pcap_breakloop(c->pcap);
        return;
    }
    c->latest_ns = recorded_ns;
    c->frames++;
    to->kind = (uint8_t)dissect_frame(c, h, bytes, &to->packet);
    to->frame_bytes = h->len > h->caplen ? h->len : h->caplen;
    if (to->kind != FRAME_IP)
        memset(&to->packet, 0, sizeof to->packet);
    else if (c->map)
        addrmap_packet(c->map, &to->packet);
    c->filled++;
}

int capture_read(struct capture *c, struct captured *out, unsigned max)
{
    assert(max > 0 && max <= INT_MAX);
    c->out = out;
    c->filled = 0;
    while (c->filled < max && !c->ended) {
        int n = pcap_dispatch(c->pcap, (int)(max - c->filled), take_frame, (u_char *)c);

        if (n == PCAP_ERROR)
            fail(c, failure_words(c, pcap_geterr(c->pcap)));
        if (n <= 0)
            c->ended = true;
    }
    c->given += c->filled;
    if (c->filled > 0)
        return (int)c->filled;
    return c->error[0] ? -1 : 0;
}

/* libpcap over the stream. False with the reason in `why` (PCAP_ERRBUF_SIZE bytes). */
static bool open_pcap(struct capture *c, char *why)
{
    char cause[PCAP_ERRBUF_SIZE];
    FILE *file = stream_file(c->stream);

    c->pcap =
        pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, cause);
    if (c->pcap)
        return true;
    snprintf(why, PCAP_ERRBUF_SIZE, "not readable as a capture: %.200s",
             failure_words(c, cause));
    fclose(file);
    return false;
}

static bool find_link(struct capture *c, char *why)
{
    int dlt = pcap_datalink(c->pcap);
    const char *name = pcap_datalink_val_to_name(dlt);
    const char *description = pcap_datalink_val_to_description(dlt);

    c->link = linklayer_find(dlt);
    if (c->link)
        return true;
    if (name)
        snprintf(why, PCAP_ERRBUF_SIZE, "link type %s (%s) is not supported", name,
                 description);
    else
        snprintf(why, PCAP_ERRBUF_SIZE, "link type %d is not supported", dlt);
    return false;
}

static bool compile_filter(struct capture *c, const char *text, char *why)
{
    if (!text)
        return true;
    c->filtered = pcap_compile(c->pcap, &c->filter, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!c->filtered)
        snprintf(why, PCAP_ERRBUF_SIZE, "filter \"%.100s\": %s", text,
                 pcap_geterr(c->pcap));
    return c->filtered;
}

struct capture *capture_open(const struct capture_options *o, char *error,
                             size_t error_size)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct capture *c = mem_alloc(1, sizeof *c);

    assert(o->speed > 0 && isfinite(o->speed));
    assert(o->start_ns >= 0 && o->start_ns <= TIME_MAX_NS);
    c->path = mem_alloc(strlen(o->path) + 1, 1);
    strcpy(c->path, o->path);
    c->map = o->map;
    c->start_ns = o->start_ns;
    c->speed = o->speed;
    c->stream = stream_open(o->path, why, sizeof why);
    if (c->stream && open_pcap(c, why) && find_link(c, why) &&
        compile_filter(c, o->filter, why))
        return c;
    snprintf(error, error_size, "%s: %s", o->path, why);
    capture_close(c);
    return NULL;
}

const char *capture_error(const struct capture *c)
{
    return c->error;
}

uint64_t capture_packets_read(const struct capture *c)
{
    return c->given;
}

uint64_t capture_packets_filtered(const struct capture *c)
{
    return c->frames - c->given;
}

uint64_t capture_steps_back(const struct capture *c)
{
    return c->steps_back;
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    if (c->filtered)
        pcap_freecode(&c->filter);
    if (c->pcap)
        pcap_close(c->pcap);
    stream_destroy(c->stream);
    mem_free(c->path);
    mem_free(c);
}
