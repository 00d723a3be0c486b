/*
 * gen_capture - a capture of made traffic between a LAN and the Internet, for measurements
 *
 *     gen_capture --out FILE [--packets N] [--flows N] [--seed N] [--snaplen N]
 *
 * Classic pcap, Ethernet, microseconds; the same bytes for the same options on any machine.
 *
 *     flows       each packet is of a flow drawn uniformly: no locality, the worst case for
 *                 caches; 80 % TCP, 20 % UDP; flow i belongs to LAN host i modulo their number
 *     LAN         600 hosts spread over 192.168.8.0/21, behind the router 192.168.8.1
 *     Internet    a server for each flow, drawn from the unicast space less the special
 *                 prefixes of RFC 6890
 *     directions  70 % to the Internet, 30 % back; the first packet of a flow goes out
 *     TCP         SYN, SYN and ACK, ACK, then data with true sequence numbers; never ends
 *     sizes       frames of 60, 576 and 1500 bytes as 7:4:1 (IMIX), but 60 for a handshake;
 *                 the payload is zeros
 *     time        100 s, a packet at a random moment of each 100 s / N; rising
 *
 * IPv4 header checksums are right, and so are TCP's and UDP's over the whole packet.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/random.h"

enum {
    LAN_HOSTS = 600,
    PORT_FIRST = 32768, /* of the LAN's side */
    PORTS = 28232,
    FLOWS_MAX = LAN_HOSTS * 16384, /* below LAN_HOSTS * PORTS: no 5-tuple comes twice */
    SNAPLEN_MIN = 54,              /* Ethernet, IPv4 and TCP headers */
    SNAPLEN_MAX = 65535,
    FRAME_MAX = 1500,
    ETHERNET = 14,
    IPV4 = 20,
    TCP = 20,
    UDP = 8,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    FLAG_SYN = 0x02,
    FLAG_PSH = 0x08,
    FLAG_ACK = 0x10,
};

enum { DRAW_FLOWS = 1, DRAW_PACKETS = 2 }; /* purposes of the random streams */

#define CAPTURE_US   100000000u  /* 100 s */
#define CAPTURE_BASE 1700000000u /* the first second */
#define ROUTER_LAN   0xc0a80801u /* 192.168.8.1 */
#define LAN_FIRST    0xc0a80800u /* 192.168.8.0 */

enum flow_state { FLOW_NEW, FLOW_SYN_SENT, FLOW_SYN_ANSWERED, FLOW_OPEN };

struct flow {
    uint32_t host, server;
    uint32_t sent[2]; /* TCP: next sequence number, to the Internet and back */
    uint16_t host_port, server_port;
    uint8_t protocol;
    uint8_t state; /* enum flow_state */
};

struct options {
    const char *out;
    uint64_t packets, flows, seed, snaplen;
};

/* What one frame says beside its flow. */
struct frame {
    bool back;
    uint8_t tcp_flags;
    uint16_t size; /* on the wire, without checksum */
};

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v);
}

/* The file's numbers are little-endian. */
static void put32_file(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> 8 * i);
}

/* Sum of 16-bit words, RFC 1071; `size` is even. */
static uint32_t sum_words(uint32_t sum, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)at[i] << 8 | at[i + 1];
    return sum;
}

static uint32_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16)) & 0xffff;
}

/* Is it none of RFC 6890's special prefixes, nor multicast, nor reserved? */
static bool is_public(uint32_t a)
{
    static const struct {
        uint32_t prefix;
        unsigned length;
    } special[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},
        {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24},
        {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24},
        {0xcb007100, 24}, {0xe0000000, 3},
    };

    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if ((a ^ special[i].prefix) >> (32 - special[i].length) == 0)
            return false;
    return true;
}

static uint32_t draw_server(struct random_stream *r)
{
    uint32_t a;

    do
        a = (uint32_t)random_next(r);
    while (!is_public(a) || (a & 0xff) == 0 || (a & 0xff) == 255);
    return a;
}

/* 75 in each of the eight /24 of the LAN, from .11 on, three apart: 192.168.10.50 is one. */
static uint32_t host_address(uint64_t n)
{
    return LAN_FIRST + (uint32_t)(n % 8) * 256 + 11 + (uint32_t)(n / 8) * 3;
}

static void draw_flow(struct flow *f, uint64_t index, struct random_stream *r)
{
    static const uint16_t tcp_ports[] = {443, 443, 443, 443,  443,
                                         80,  22,  993, 8443, 5222};
    static const uint16_t udp_ports[] = {443,  443,  443,   53,   123,
                                         3478, 4500, 51820, 8801, 27015};
    const bool tcp = random_below(r, 10) < 8;

    f->host = host_address(index % LAN_HOSTS);
    f->host_port = (uint16_t)(PORT_FIRST + index / LAN_HOSTS * 7919 % PORTS);
    f->server = draw_server(r);
    f->server_port = (tcp ? tcp_ports : udp_ports)[random_below(r, 10)];
    f->protocol = tcp ? PROTOCOL_TCP : PROTOCOL_UDP;
    f->sent[0] = (uint32_t)random_next(r);
    f->sent[1] = (uint32_t)random_next(r);
    f->state = FLOW_NEW;
}

static uint16_t draw_size(struct random_stream *r)
{
    const uint64_t n = random_below(r, 12);

    return n < 7 ? 60 : n < 11 ? 576 : FRAME_MAX;
}

/*
 * How often, of 2^32, a packet of an open flow goes back, so that 30 % of all do: handshakes
 * take `flows` packets out for the first, and of TCP (80 %) one back and one out.
 */
static uint64_t share_back(const struct options *o)
{
    const double packets = (double)o->packets, flows = (double)o->flows;
    const double free = packets - 2.6 * flows, back = 0.3 * packets - 0.8 * flows;

    if (free <= 0 || back <= 0)
        return (uint64_t)(0.3 * 4294967296.0);
    return (uint64_t)(back / free * 4294967296.0);
}

/* The next frame of the flow: its handshake first, then whatever comes. */
static struct frame draw_frame(struct flow *f, uint64_t back, struct random_stream *r)
{
    static const struct frame handshake[] = {
        [FLOW_NEW] = {false, FLAG_SYN, 60},
        [FLOW_SYN_SENT] = {true, FLAG_SYN | FLAG_ACK, 60},
        [FLOW_SYN_ANSWERED] = {false, FLAG_ACK, 60},
    };
    struct frame frame = {false, FLAG_ACK | FLAG_PSH, 0};

    if (f->state != FLOW_OPEN && f->protocol == PROTOCOL_TCP)
        return handshake[f->state++];
    frame.back = random_next(r) >> 32 < back && f->state == FLOW_OPEN;
    frame.size = draw_size(r);
    f->state = FLOW_OPEN;
    return frame;
}

static void put_ethernet(uint8_t *b, const struct flow *f, bool back)
{
    uint8_t *const host = back ? b : b + 6, *const router = back ? b + 6 : b;

    put16(host, 0x0200);
    put32(host + 2, f->host);
    put16(router, 0x0200);
    put32(router + 2, ROUTER_LAN);
    put16(b + 12, 0x0800);
}

static void put_ipv4(uint8_t *b, const struct flow *f, bool back, uint32_t length)
{
    b[0] = 0x45;
    put16(b + 2, length);
    put16(b + 6, 0x4000); /* don't fragment */
    b[8] = back ? 54 : 64;
    b[9] = f->protocol;
    put32(b + 12, back ? f->server : f->host);
    put32(b + 16, back ? f->host : f->server);
    put16(b + 10, fold(sum_words(0, b, IPV4)));
}

/* Sequence numbers move by the payload, and by one for SYN. */
static void put_tcp(uint8_t *b, struct flow *f, const struct frame *frame,
                    uint32_t payload)
{
    put32(b + 4, f->sent[frame->back]);
    if (frame->tcp_flags & FLAG_ACK)
        put32(b + 8, f->sent[!frame->back]);
    b[12] = TCP / 4 << 4;
    b[13] = frame->tcp_flags;
    put16(b + 14, 0xfaf0);
    f->sent[frame->back] += payload + (frame->tcp_flags & FLAG_SYN ? 1 : 0);
}

/* Zeros in the payload add nothing to the checksum, so the headers' sum is all of it. */
static void put_transport(uint8_t *ip, struct flow *f, const struct frame *frame,
                          uint32_t length)
{
    const bool tcp = f->protocol == PROTOCOL_TCP;
    uint8_t *const b = ip + IPV4, *const checksum = b + (tcp ? 16 : 6);
    const uint32_t header = tcp ? TCP : UDP;

    put16(b, frame->back ? f->server_port : f->host_port);
    put16(b + 2, frame->back ? f->host_port : f->server_port);
    if (tcp)
        put_tcp(b, f, frame, length - header);
    else
        put16(b + 4, length);
    put16(checksum, fold(sum_words(f->protocol + length, ip + 12, 8 + header)));
}

/* The whole frame at `b`, which is FRAME_MAX zeros from its network header on. */
static void put_frame(uint8_t *b, struct flow *f, const struct frame *frame)
{
    const bool bare = f->protocol == PROTOCOL_TCP && !(frame->tcp_flags & FLAG_PSH);
    const uint32_t length = bare ? IPV4 + TCP : frame->size - (uint32_t)ETHERNET;

    memset(b, 0, ETHERNET + IPV4 + TCP);
    put_ethernet(b, f, frame->back);
    put_ipv4(b + ETHERNET, f, frame->back, length);
    put_transport(b + ETHERNET, f, frame, length - IPV4);
}

static bool write_head(FILE *file, uint32_t snaplen)
{
    uint8_t b[24];

    put32_file(b, 0xa1b2c3d4);
    put32_file(b + 4, 4u << 16 | 2); /* version 2.4 */
    put32_file(b + 8, 0);
    put32_file(b + 12, 0);
    put32_file(b + 16, snaplen);
    put32_file(b + 20, 1); /* Ethernet */
    return fwrite(b, sizeof b, 1, file) == 1;
}

static bool write_record(FILE *file, const uint8_t *b, uint32_t size, uint64_t time_us,
                         uint32_t snaplen)
{
    const uint32_t kept = size < snaplen ? size : snaplen;
    uint8_t head[16];

    put32_file(head, (uint32_t)(CAPTURE_BASE + time_us / 1000000));
    put32_file(head + 4, (uint32_t)(time_us % 1000000));
    put32_file(head + 8, kept);
    put32_file(head + 12, size);
    return fwrite(head, sizeof head, 1, file) == 1 && fwrite(b, kept, 1, file) == 1;
}

/* A random moment of the packet's own part of the 100 s. */
static uint64_t draw_time(uint64_t packet, uint64_t packets, struct random_stream *r)
{
    const uint64_t from = packet * CAPTURE_US / packets;
    const uint64_t to = (packet + 1) * CAPTURE_US / packets;

    return to > from ? from + random_below(r, to - from) : from;
}

static bool write_packets(FILE *file, const struct options *o, struct flow *flows)
{
    struct random_stream r = random_stream_make(o->seed, DRAW_PACKETS);
    const uint64_t back = share_back(o);
    uint8_t b[FRAME_MAX] = {0};

    for (uint64_t i = 0; i < o->packets; i++) {
        struct flow *const f = &flows[random_below(&r, o->flows)];
        const struct frame frame = draw_frame(f, back, &r);

        put_frame(b, f, &frame);
        if (!write_record(file, b, frame.size, draw_time(i, o->packets, &r),
                          (uint32_t)o->snaplen))
            return false;
    }
    return true;
}

static bool write_capture(FILE *file, const struct options *o)
{
    struct random_stream r = random_stream_make(o->seed, DRAW_FLOWS);
    struct flow *const flows = calloc(o->flows, sizeof *flows);
    bool written;

    if (!flows)
        return false;
    for (uint64_t i = 0; i < o->flows; i++)
        draw_flow(&flows[i], i, &r);
    written = write_head(file, (uint32_t)o->snaplen) && write_packets(file, o, flows);
    free(flows);
    return written;
}

/* Would renaming to this path put a file in the place of a device or a folder? */
static bool is_something_else(const char *path)
{
    struct stat s;

    return lstat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

/* Written under another name first, so that half a capture is never taken for one. */
static int make_capture(const struct options *o)
{
    char part[4096];
    FILE *file;
    bool good;

    if (is_something_else(o->out)) {
        fprintf(stderr, "gen_capture: %s: not a regular file\n", o->out);
        return 2;
    }
    if ((size_t)snprintf(part, sizeof part, "%s.part", o->out) >= sizeof part) {
        fprintf(stderr, "gen_capture: %s: the name is too long\n", o->out);
        return 2;
    }
    file = fopen(part, "wb");
    good = file && setvbuf(file, NULL, _IOFBF, 1 << 20) == 0 && write_capture(file, o);
    if (file && fclose(file) != 0)
        good = false;
    if (good && rename(part, o->out) == 0)
        return 0;
    fprintf(stderr, "gen_capture: %s: %s\n", o->out, strerror(errno));
    remove(part);
    return 3;
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *to)
{
    char *end;

    errno = 0;
    *to = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *to >= min &&
           *to <= max;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"out", required_argument, NULL, 'o'},
        {"packets", required_argument, NULL, 'p'},
        {"flows", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"snaplen", required_argument, NULL, 'l'},
        {0},
    };
    bool good = true;

    for (int c; good && (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == 'o')
            o->out = optarg;
        else if (c == 'p')
            good = read_number(optarg, 1, 1000000000000, &o->packets);
        else if (c == 'f')
            good = read_number(optarg, 1, FLOWS_MAX, &o->flows);
        else if (c == 's')
            good = read_number(optarg, 0, UINT64_MAX, &o->seed);
        else
            good = c == 'l' && read_number(optarg, SNAPLEN_MIN, SNAPLEN_MAX, &o->snaplen);
    }
    return good && o->out && optind == argc;
}

int main(int argc, char **argv)
{
    struct options o = {.packets = 5000000, .flows = 100000, .seed = 1, .snaplen = 96};

    if (!read_options(argc, argv, &o)) {
        fprintf(stderr,
                "usage: gen_capture --out FILE [--packets N] [--flows N] [--seed N] "
                "[--snaplen N]\n"
                "       N: 1 or more packets, 1..%d flows, snaplen %d..%d\n",
                FLOWS_MAX, SNAPLEN_MIN, SNAPLEN_MAX);
        return 2;
    }
    return make_capture(&o);
}
