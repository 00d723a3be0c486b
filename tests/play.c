#include "tests/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "tests/pcapfile.h"
#include "tests/words.h"

/* ------------------------------------------------------------------------------ frames */

struct frame {
    char hex[2 * PCAPFILE_FRAME_MAX + 1];
    size_t len; /* digits */
};

static void put(struct frame *f, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0; f->len += 2)
        snprintf(f->hex + f->len, 3, "%02x", (unsigned)(value >> 8 * i & 0xff));
}

static void put_addr(struct frame *f, const struct addr *a)
{
    for (unsigned i = 0; i < addr_bits(a) / 8; i++)
        put(f, a->bytes[i], 1);
}

static void put_ip(struct frame *f, const struct packet *p, uint32_t size)
{
    const bool more = p->flags & PACKET_MORE_FRAGMENTS;

    if (p->src.family == FAMILY_V4) {
        put(f, 0x45, 1);
        put(f, p->tos, 1);
        put(f, size, 2);
        put(f, p->fragment_id, 2);
        put(f, (more ? 0x2000u : 0u) | p->fragment_offset, 2);
        put(f, p->ttl ? p->ttl : 64, 1);
        put(f, p->protocol, 1);
        put(f, 0, 2);
    } else {
        put(f, 0x60000000u | (uint32_t)p->tos << 20 | p->flow_label, 4);
        put(f, size - 40, 2);
        put(f, p->protocol, 1);
        put(f, p->ttl ? p->ttl : 64, 1);
    }
    put_addr(f, &p->src);
    put_addr(f, &p->dst);
}

static void put_quoted(struct frame *f, const struct packet *error)
{
    const struct packet quoted = {.src = error->inner.src,
                                  .dst = error->inner.dst,
                                  .protocol = error->inner.protocol};

    put(f, 0, 4);
    put_ip(f, &quoted, quoted.src.family == FAMILY_V4 ? 28 : 48);
    put(f, error->inner.sport, 2);
    put(f, error->inner.dport, 2);
    put(f, 0, 4);
}

static void put_transport(struct frame *f, const struct packet *p)
{
    if (p->flags & PACKET_LATER_FRAGMENT)
        return;
    if (p->protocol == PROTO_ICMP || p->protocol == PROTO_ICMPV6) {
        put(f, p->icmp_type, 1);
        put(f, p->icmp_code, 1);
        put(f, 0, 2);
        if (p->flags & PACKET_ICMP_ERROR)
            put_quoted(f, p);
        else
            put(f, (uint32_t)p->icmp_id << 16, 4);
        return;
    }
    put(f, p->sport, 2);
    put(f, p->dport, 2);
    if (p->protocol == PROTO_TCP) {
        put(f, p->tcp_seq, 4);
        put(f, p->tcp_ack, 4);
        put(f, 0x5000u | p->tcp_flags, 2);
        put(f, 0xffff, 2);
        put(f, 0, 4);
    } else {
        put(f, 8 + p->payload_bytes, 2);
        put(f, 0, 2);
    }
}

static void put_frame(struct frame *f, const struct packet *p)
{
    put(f, 0x020000000002, 6);
    put(f, 0x020000000001, 6);
    put(f, p->src.family == FAMILY_V4 ? 0x0800 : 0x86dd, 2);
    put_ip(f, p, p->size_bytes);
    put_transport(f, p);
    while (f->len < 2 * (14u + p->size_bytes))
        put(f, 0, 1);
}

/* ---------------------------------------------------------------------------- captures */

void play_capture(struct play *p)
{
    struct pcapfile *f = mem_alloc(1, sizeof *f);

    assert_true(p->captures_len < PLAY_CAPTURES_MAX);
    pcapfile_begin(f, false, true, LINKTYPE_ETHERNET);
    p->captures[p->captures_len++] = f;
}

void play_frame(struct play *p, double at, const char *hex)
{
    const int64_t ns = llround(at * 1e9);

    if (p->captures_len == 0)
        play_capture(p);
    pcapfile_put_record(p->captures[p->captures_len - 1], (uint32_t)(ns / 1000000000),
                        (uint32_t)(ns % 1000000000), hex);
}

void play_made(struct play *p, double at, const struct packet *made)
{
    struct frame f = {.len = 0};

    put_frame(&f, made);
    play_frame(p, at, f.hex);
}

void play_packet(struct play *p, double at, const char *text)
{
    const struct packet made = packet(text);

    play_made(p, at, &made);
}

/* --------------------------------------------------------------------------- observing */

__attribute__((format(printf, 2, 3))) static void add(char *text, const char *format, ...)
{
    const size_t len = strlen(text);
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text + len, PLAY_TEXT_MAX - len, format, args);
    va_end(args);
    assert_true(n >= 0 && len + (size_t)n < PLAY_TEXT_MAX);
}

static void on_packet(void *context, const struct observation *o)
{
    static const char *const fates[] = {"delivered", "local", "dropped",
                                        "unrouted",  "held",  "assumed"};
    struct play *p = context;
    const struct scenario *s = p->scenario;
    const struct decision *d = o->decision;
    char text[ADDR_TEXT_MAX];

    p->fates[o->fate]++;
    add(p->packets, "%" PRIu64 " %s", o->number, fates[o->fate]);
    if (o->in_wan >= 0)
        add(p->packets, " in %s", s->wans[o->in_wan].name);
    if (o->out_wan >= 0)
        add(p->packets, " out %s", s->wans[o->out_wan].name);
    if (o->fate != FATE_DROPPED && d && (d->flags & DECISION_NATED))
        add(p->packets, " as %s:%u", addr_format(&d->nat_src, text),
            (unsigned)d->nat_sport);
    if (o->reason)
        add(p->packets, " %s", reason_names[o->reason]);
    add(p->packets, "\n");
}

static void on_change(void *context, const struct change *c)
{
    static const char *const kinds[] = {"loss", "return", "config", "address", "mark"};
    struct play *p = context;

    add(p->changes, "%.10g %s", (double)c->time_ns / 1e9, kinds[c->kind]);
    if (c->wan >= 0)
        add(p->changes, " %s", p->scenario->wans[c->wan].name);
    if (c->family)
        add(p->changes, " v%u", (unsigned)c->family);
    if (c->event >= 0)
        add(p->changes, " #%d", c->event);
    add(p->changes, "\n");
}

static void on_event(void *context, int event, bool begins, int64_t time_ns)
{
    struct play *p = context;

    add(p->changes, "%.10g %s #%d\n", (double)time_ns / 1e9, begins ? "begins" : "ends",
        event);
}

/* ------------------------------------------------------------------------------ running */

static const char default_routes[] =
    "[{'gateway': '100.64.1.1', 'distance': 1}, {'gateway': '100.64.2.1', 'distance': 2},"
    " {'dst_address': '::/0', 'gateway': '2001:db8:1::1', 'distance': 1},"
    " {'dst_address': '::/0', 'gateway': '2001:db8:2::1', 'distance': 2}]";
static const char default_nat[] =
    "[{'chain': 'srcnat', 'action': 'masquerade', 'out_interface': 'wan1'},"
    " {'chain': 'srcnat', 'action': 'masquerade', 'out_interface': 'wan2'}]";

static const char * or (const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void write_traffic(const struct play *p, const struct play_text *t, char *json)
{
    char path[PLAY_PATH_MAX + 32];

    for (size_t i = 0; i < p->captures_len; i++) {
        snprintf(path, sizeof path, "%s/%zu.pcap", p->folder, i);
        pcapfile_save(path, p->captures[i]->data, p->captures[i]->size);
        add(json, "%s{'kind': 'pcap', 'file': '%zu.pcap'%s}", i ? ", " : "", i,
            or (t->traffic, ", 'start': '0s'"));
    }
    if (t->sources)
        add(json, "%s%s", p->captures_len ? ", " : "", t->sources);
}

static void write_scenario(const struct play *p, const struct play_text *t,
                           const char *path)
{
    char *json = mem_alloc(PLAY_TEXT_MAX, 1);

    add(json,
        "{'version': 1, 'name': 'a play', 'router': {'platform': '%s',"
        " 'hash': {'ipv4': 'l4', 'ipv6': 'l4', 'seed': 1}, 'tables': ['t1', 't2'],"
        " 'interfaces': ["
        "{'name': 'lan', 'addresses': ['192.168.10.1/24', '2001:db8:10::1/64']},"
        "{'name': 'dmz', 'addresses': ['192.168.20.1/24']},"
        "{'name': 'wan1', 'addresses': ['100.64.1.2/24', '2001:db8:1::2/64']},"
        "{'name': 'wan2', 'addresses': ['100.64.2.2/24', '2001:db8:2::2/64']}],"
        " 'routes': %s, 'rules': %s, 'nat': %s%s},"
        " 'wans': %s, 'lan': ['192.168.10.0/24', '192.168.20.0/24', '2001:db8:10::/64'],"
        " 'events': %s%s, 'traffic': [",
        or (t->platform, "routeros7"), or (t->routes, default_routes),
        or (t->rules, "[]"), or (t->nat, default_nat), or (t->router, ""),
        or (t->wans, "{'wan1': {}, 'wan2': {}}"), or (t->events, "[]"), or (t->more, ""));
    write_traffic(p, t, json);
    add(json, "]}");
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    pcapfile_save(path, json, strlen(json));
    mem_free(json);
}

void play_prepare(struct play *p, const struct play_text *t)
{
    const struct observer watching = {
        .packet = on_packet, .changed = on_change, .event = on_event, .context = p};
    char path[PLAY_PATH_MAX + 32];
    struct diag *d;

    snprintf(path, sizeof path, "%s/scenario.json", p->folder);
    write_scenario(p, t, path);
    d = diag_create(path, NULL, 0);
    p->scenario = scenario_read(path, NULL, d);
    diag_print(d, stderr);
    diag_destroy(d);
    assert_non_null(p->scenario);
    p->sim = simulation_create(p->scenario);
    if (!t->quiet)
        simulation_observe(p->sim, &watching);
}

void play_run(struct play *p, const struct play_text *t)
{
    char error[512] = "";

    play_prepare(p, t);
    if (!simulation_run(p->sim, error, sizeof error))
        fail_msg("%s", error);
}

struct play *play_create(void)
{
    struct play *p = mem_alloc(1, sizeof *p);

    snprintf(p->folder, sizeof p->folder, "/tmp/ecmplab-play-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    return p;
}

void play_destroy(struct play *p)
{
    DIR *folder = opendir(p->folder);
    char path[PLAY_PATH_MAX + 256];

    simulation_destroy(p->sim);
    scenario_free(p->scenario);
    for (size_t i = 0; i < p->captures_len; i++)
        mem_free(p->captures[i]);
    for (const struct dirent *e; folder && (e = readdir(folder));) {
        snprintf(path, sizeof path, "%s/%.250s", p->folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (folder)
        closedir(folder);
    rmdir(p->folder);
    mem_free(p);
}

static void expect(const char *what, const char *when, const char *got, const char *lines)
{
    if (strcmp(got, lines) != 0)
        fail_msg("%s: %s are\n%sexpected\n%s", when, what, got, lines);
}

void play_expect_packets(const struct play *p, const char *when, const char *lines)
{
    expect("packets", when, p->packets, lines);
}

void play_expect_changes(const struct play *p, const char *when, const char *lines)
{
    expect("changes", when, p->changes, lines);
}
