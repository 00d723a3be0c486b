/*
 * hostile - packets that quarrel with connection tracking and source translation
 *
 *     hostile SEED PACKETS FOLDER
 *
 * Writes FOLDER/scenario.json and FOLDER/capture.pcap. Few hosts use few ports towards few
 * servers, both families, so that 5-tuples are used again and public ports are taken: TCP whose
 * flags come in any order and whose numbers are right, a little off or wild; queries of ICMP
 * under one id; errors that quote what was sent or was not; datagrams in fragments that come
 * twice, late or never. The router's platform, its source NAT, hash policy and failures vary with
 * the seed. The same seed gives the same bytes.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "sim/verify/craft.h"

enum { FLOWS = 96, WANS = 3, HELD_MAX = 8, PACKET_MAX = 4096 };

struct tcp_end {
    uint32_t next; /* sequence number */
};

struct flow {
    struct addr host, server;
    uint8_t protocol;
    uint16_t sport, dport; /* ICMP: the id, and the query's type */
    struct tcp_end end[2];
};

struct generator {
    struct random_stream random;
    struct flow flows[FLOWS];
    struct packet held[HELD_MAX]; /* to come late */
    unsigned held_len;
    int64_t time_us;
    uint32_t fragment_id;
    pcap_dumper_t *out;
    uint64_t left; /* packets to write */
};

static unsigned draw(struct generator *g, unsigned below)
{
    return (unsigned)random_below(&g->random, below);
}

static bool chance(struct generator *g, unsigned percent)
{
    return draw(g, 100) < percent;
}

/* -------------------------------------------------------------------------------- the flows */

static struct addr address_v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const uint8_t bytes[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};

    return addr_from_v4(bytes);
}

static struct addr address_v6(unsigned net, unsigned low)
{
    uint8_t bytes[16] = {0};

    if (net) {
        bytes[0] = 0x20, bytes[1] = 0x01, bytes[2] = 0x0d, bytes[3] = 0xb8;
        bytes[5] = (uint8_t)net;
    } else {
        bytes[0] = 0xfd, bytes[3] = 0x10;
    }
    bytes[15] = (uint8_t)low;
    return addr_from_v6(bytes);
}

static void flow_make(struct generator *g, struct flow *f)
{
    static const uint8_t protocols[] = {PROTO_TCP, PROTO_TCP,  PROTO_TCP,     PROTO_UDP,
                                        PROTO_UDP, PROTO_ICMP, PROTO_UDPLITE, PROTO_ESP};
    static const uint16_t ports[] = {40000, 40000, 40001, 900, 200};
    static const uint8_t queries[] = {8, 8, 13, 15, 17}, v6_queries[] = {128};
    const bool v6 = chance(g, 40);
    const unsigned host = 5 + draw(g, 4), server = 1 + draw(g, 5);

    *f = (struct flow){
        .host = v6 ? address_v6(0, host) : address_v4(192, 168, 10, host),
        .server = v6 ? address_v6(0xff, server) : address_v4(198, 51, 100, server),
        .protocol = protocols[draw(g, sizeof protocols)],
        .sport = ports[draw(g, 5)],
        .dport = chance(g, 70) ? 443 : 53,
        .end = {{(uint32_t)random_next(&g->random)}, {(uint32_t)random_next(&g->random)}},
    };
    if (f->protocol != PROTO_ICMP)
        return;
    f->protocol = v6 ? PROTO_ICMPV6 : PROTO_ICMP;
    f->sport = (uint16_t)(7 + draw(g, 2));
    f->dport =
        v6 ? v6_queries[draw(g, sizeof v6_queries)] : queries[draw(g, sizeof queries)];
}

static struct packet packet_of(struct generator *g, const struct flow *f, unsigned d)
{
    const uint8_t hops = f->host.family == FAMILY_V4 ? 63 : 60;
    struct packet p = {
        .src = d ? f->server : f->host,
        .dst = d ? f->host : f->server,
        .sport = d ? f->dport : f->sport,
        .dport = d ? f->sport : f->dport,
        .protocol = f->protocol,
        .next_header = f->protocol,
        .ttl = hops,
        .payload_bytes = chance(g, 50) ? draw(g, 600) : 0,
        .transport_bytes = f->protocol == PROTO_ESP ? 0 : 8,
    };

    if (f->protocol == PROTO_ESP)
        p.payload_bytes += 8;
    return p;
}

/* ---------------------------------------------------------------------------------- TCP */

/* Right, a little off, or wild. */
static uint32_t number(struct generator *g, uint32_t right)
{
    switch (draw(g, 10)) {
    case 0: return (uint32_t)random_next(&g->random);
    case 1: return right + draw(g, 70000);
    case 2: return right - draw(g, 70000);
    case 3: return right - 1;
    case 4: return 0;
    default: return right;
    }
}

static uint8_t tcp_flags(struct generator *g)
{
    static const uint8_t usual[] = {
        TCP_SYN,           TCP_SYN,           TCP_SYN,           TCP_SYN | TCP_ACK,
        TCP_SYN | TCP_ACK, TCP_ACK,           TCP_ACK,           TCP_ACK,
        TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST,
        TCP_RST | TCP_ACK,
    };

    return chance(g, 2) ? (uint8_t)draw(g, 64) : usual[draw(g, sizeof usual)];
}

static struct packet tcp_packet(struct generator *g, struct flow *f)
{
    const unsigned d = draw(g, 2);
    struct packet p = packet_of(g, f, d);
    const bool is_exact = chance(g, 60);

    p.tcp_flags = tcp_flags(g);
    if (p.tcp_flags & (TCP_SYN | TCP_RST))
        p.payload_bytes = 0;
    p.transport_bytes = chance(g, 50) ? 32 : 20;
    if ((p.tcp_flags & TCP_SYN) && p.transport_bytes > 20 && chance(g, 60))
        p.tcp_scale = (uint8_t)(1 + draw(g, TCP_SCALE_MAX + 1));
    if ((p.tcp_flags & TCP_SYN) && chance(g, 30))
        f->end[d].next += 100000;
    p.tcp_seq = is_exact ? f->end[d].next : number(g, f->end[d].next);
    if (p.tcp_flags & TCP_ACK)
        p.tcp_ack = is_exact ? f->end[!d].next : number(g, f->end[!d].next);
    p.tcp_window = chance(g, 10) ? 0 : (uint16_t)(1 + draw(g, 65535));
    if (is_exact)
        f->end[d].next += p.payload_bytes + ((p.tcp_flags & TCP_SYN) != 0) +
                          ((p.tcp_flags & TCP_FIN) != 0);
    return p;
}

/* --------------------------------------------------------------------------------- ICMP */

static uint8_t reply_of(const struct flow *f)
{
    return f->dport == 8 ? 0 : (uint8_t)(f->dport + 1);
}

static struct packet query_packet(struct generator *g, const struct flow *f)
{
    const unsigned d = draw(g, 2);
    struct packet p = packet_of(g, f, d);

    p.sport = p.dport = 0;
    p.icmp_id = f->sport;
    p.icmp_type = (uint8_t)(chance(g, 5) ? f->dport : d ? reply_of(f) : f->dport);
    p.icmp_code = chance(g, 5) ? 1 : 0;
    return p;
}

/* An error that one side of the flow, or somebody between, sends. */
static struct packet error_packet(struct generator *g, const struct flow *f)
{
    static const uint8_t types[] = {3, 3, 11, 12, 4}, v6_types[] = {1, 2, 3, 4};
    const unsigned d = draw(g, 2);
    const bool v6 = f->host.family == FAMILY_V6,
               icmp = f->protocol == PROTO_ICMP || f->protocol == PROTO_ICMPV6;
    struct packet p = packet_of(g, f, d);

    p.inner = (struct packet_inner){
        .src = p.dst,
        .dst = p.src,
        .sport = p.dport,
        .dport = p.sport,
        .protocol = f->protocol,
        .next_header = f->protocol,
    };
    if (icmp) {
        p.inner.sport = p.inner.dport = 0;
        p.inner.icmp_id = f->sport;
        p.inner.icmp_type = d ? (uint8_t)f->dport : reply_of(f);
    }
    if (f->protocol == PROTO_ESP)
        p.inner.sport = p.inner.dport = 0;
    if (chance(g, 10))
        p.inner.sport = 12345;
    if (chance(g, 40))
        p.src = v6 ? address_v6(d ? 0xff : 0, 99)
                   : address_v4(d ? 198 : 192, d ? 51 : 168, d ? 100 : 10, 99);
    p.protocol = p.next_header = v6 ? PROTO_ICMPV6 : PROTO_ICMP;
    p.sport = p.dport = 0;
    p.icmp_type = v6 ? v6_types[draw(g, sizeof v6_types)] : types[draw(g, sizeof types)];
    p.flags = PACKET_ICMP_ERROR | PACKET_HAS_INNER;
    p.transport_bytes = 8;
    p.payload_bytes = v6 ? 48 : 28;
    return p;
}

/* -------------------------------------------------------------------------- the capture */

static void write_packet(struct generator *g, const struct packet *p, int64_t after_us)
{
    static uint8_t bytes[CRAFT_MAX];
    struct pcap_pkthdr h;

    if (!g->left)
        return;
    g->left--;
    h.caplen = h.len = (uint32_t)craft_packet(p, bytes);
    g->time_us += after_us;
    h.ts.tv_sec = g->time_us / 1000000;
    h.ts.tv_usec = g->time_us % 1000000;
    pcap_dump((unsigned char *)g->out, &h, bytes);
}

/* Mostly milliseconds; sometimes so long that entries end. */
static int64_t pause_us(struct generator *g)
{
    return chance(g, 3) ? draw(g, 20000000) : draw(g, 20000);
}

/* Now, or late. */
static void put(struct generator *g, const struct packet *p)
{
    if (g->held_len < HELD_MAX && chance(g, 10))
        g->held[g->held_len++] = *p;
    else
        write_packet(g, p, pause_us(g));
    if (g->held_len && chance(g, 10))
        write_packet(g, &g->held[--g->held_len], pause_us(g));
}

/* A datagram in two to four parts, in any order, some twice, some never; soon, for the kernel
 * forgets them by its own clock. */
static void put_fragments(struct generator *g, const struct flow *f)
{
    const unsigned parts = 2 + draw(g, 3), unit = 8 * (6 + draw(g, 20));
    struct packet p = packet_of(g, f, draw(g, 2));

    p.fragment_id = ++g->fragment_id;
    for (unsigned k = 0; k < parts; k++) {
        const unsigned i = chance(g, 60) ? k : parts - 1 - k;

        p.flags = PACKET_FRAGMENT;
        if (i)
            p.flags |= PACKET_LATER_FRAGMENT;
        if (i + 1 < parts)
            p.flags |= PACKET_MORE_FRAGMENTS;
        p.fragment_offset = (uint16_t)(i * unit / 8);
        p.payload_bytes = unit;
        if (chance(g, 96))
            write_packet(g, &p, draw(g, 2000));
        if (chance(g, 3))
            write_packet(g, &p, draw(g, 2000));
    }
}

static void put_something(struct generator *g)
{
    struct flow *f = &g->flows[draw(g, FLOWS)];
    struct packet p;

    if (chance(g, 1))
        flow_make(g, f);
    if (chance(g, 8)) {
        p = error_packet(g, f);
    } else if (f->protocol == PROTO_TCP) {
        p = tcp_packet(g, f);
    } else if (f->protocol == PROTO_ICMP || f->protocol == PROTO_ICMPV6) {
        p = query_packet(g, f);
    } else if (f->protocol == PROTO_UDP && chance(g, 25)) {
        put_fragments(g, f);
        return;
    } else {
        p = packet_of(g, f, draw(g, 2));
    }
    put(g, &p);
}

static bool capture_write(struct generator *g, const char *path)
{
    pcap_t *p = pcap_open_dead(DLT_RAW, CRAFT_MAX);

    g->out = p ? pcap_dump_open(p, path) : NULL;
    if (!g->out) {
        fprintf(stderr, "%s: %s\n", path, p ? pcap_geterr(p) : "no memory");
        return false;
    }
    while (g->left)
        put_something(g);
    pcap_dump_close(g->out);
    pcap_close(p);
    return true;
}

/* ------------------------------------------------------------------------- the scenario */

static void nat_write(struct generator *g, FILE *out)
{
    static const char *const families[] = {"ipv4", "ipv6"};
    const unsigned kind = draw(g, 6); /* 0: none */
    const char *comma = "";

    for (unsigned f = 0; f < 2 && kind; f++) {
        for (unsigned w = 1; w <= WANS; w++) {
            fprintf(out, "%s\n      {\"chain\": \"srcnat\", \"family\": \"%s\", ", comma,
                    families[f]);
            comma = ",";
            if (kind != 5)
                fprintf(out, "\"out_interface\": \"wan%u\", ", w);
            if (kind <= 2) {
                fprintf(out, "\"action\": \"masquerade\"}");
                continue;
            }
            if (kind == 4) /* few ports of its own for one protocol */
                fprintf(out, "\"protocol\": \"%s\", \"to_ports\": \"2000-20%02u\", ",
                        chance(g, 50) ? "tcp" : "udp", 1 + draw(g, 60));
            fprintf(out, "\"action\": \"src-nat\", \"to_addresses\": \"");
            if (kind == 5) /* the same for all ways */
                fprintf(out, f ? "2001:db8:e0::8-2001:db8:e0::b\"}"
                               : "203.0.113.8-203.0.113.11\"}");
            else
                fprintf(out,
                        f ? "2001:db8:a%u::8-2001:db8:a%u::%x\"}"
                          : "100.64.%u.8-100.64.%u.%u\"}",
                        w, w, kind == 4 ? 8 : 8 + draw(g, 8));
        }
    }
}

static void events_write(struct generator *g, FILE *out, bool is_linux, int64_t end_s)
{
    static const char *const kinds[] = {
        "\"kind\": \"link-down\"",
        "\"kind\": \"link-down\", \"how\": \"admin\"",
        "\"kind\": \"gateway-down\"",
        "\"kind\": \"blackhole\"",
    };
    const unsigned n = draw(g, 4);

    (void)is_linux;
    for (unsigned i = 0; i < n; i++) {
        const unsigned at = 1 + draw(g, (unsigned)(end_s > 2 ? end_s - 1 : 1));

        fprintf(out,
                "%s\n    {\"at\": \"%us\", \"for\": \"%us\", \"wan\": \"wan%u\", %s}",
                i ? "," : "", at, 1 + draw(g, 100), i % WANS + 1,
                kinds[draw(g, sizeof kinds / sizeof kinds[0])]);
    }
}

/* Nothing is behind the addresses of source NAT: what is sent to them and belongs to no connection
 * goes nowhere. */
static void pools_write(FILE *out)
{
    fprintf(
        out,
        ",\n      {\"dst_address\": \"203.0.113.8/29\", \"type\": \"blackhole\"}"
        ",\n      {\"dst_address\": \"2001:db8:e0::8/125\", \"type\": \"blackhole\"}");
    for (unsigned w = 1; w <= WANS; w++)
        fprintf(out,
                ",\n      {\"dst_address\": \"100.64.%u.8/29\", \"type\": \"blackhole\"}"
                ",\n      {\"dst_address\": \"2001:db8:a%u::8/125\", \"type\": "
                "\"blackhole\"}",
                w, w);
}

static void routes_write(struct generator *g, FILE *out, bool is_linux)
{
    if (is_linux) {
        fprintf(out,
                "\n      {\"gateway\": [\"100.64.1.1\", \"100.64.2.1\", \"100.64.3.1\"],"
                " \"weight\": [1, %u, 2], \"check_gateway\": \"ping\"},"
                "\n      {\"dst_address\": \"::/0\", \"gateway\": [\"2001:db8:a1::1\","
                " \"2001:db8:a2::1\", \"2001:db8:a3::1\"], \"check_gateway\": \"ping\"}",
                1 + draw(g, 4));
        return;
    }
    for (unsigned w = 1; w <= WANS; w++)
        fprintf(out,
                "%s\n      {\"gateway\": \"100.64.%u.1\", \"distance\": 1,"
                " \"check_gateway\": \"ping\"},"
                "\n      {\"dst_address\": \"::/0\", \"gateway\": \"2001:db8:a%u::1\","
                " \"distance\": 1, \"check_gateway\": \"ping\"}",
                w > 1 ? "," : "", w, w);
}

static bool scenario_write(struct generator *g, const char *path, uint64_t seed)
{
    const bool is_linux = chance(g, 60);
    FILE *out = fopen(path, "w");

    if (!out) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(out,
            "{\n  \"version\": 1, \"name\": \"hostile\", \"seed\": %llu,\n"
            "  \"router\": {\n    \"platform\": \"%s\",\n"
            "    \"hash\": {\"ipv4\": \"%s\", \"ipv6\": \"%s\", \"seed\": %u},\n"
            "    \"interfaces\": [\n"
            "      {\"name\": \"lan\", \"addresses\": [\"192.168.10.1/24\", "
            "\"fd00:10::1/64\"]}",
            (unsigned long long)seed, is_linux ? "linux" : "routeros7",
            chance(g, 70) ? "l4" : "l3", chance(g, 70) ? "l4" : "l3", 1 + draw(g, 1000));
    for (unsigned w = 1; w <= WANS; w++)
        fprintf(out,
                ",\n      {\"name\": \"wan%u\", \"addresses\": [\"100.64.%u.2/24\","
                " \"2001:db8:a%u::2/64\"]}",
                w, w, w);
    fprintf(out, "\n    ],\n    \"routes\": [");
    routes_write(g, out, is_linux);
    pools_write(out);
    fprintf(out, "\n    ],\n    \"nat\": [");
    nat_write(g, out);
    fprintf(out,
            "\n    ]\n  },\n  \"wans\": {\"wan1\": {}, \"wan2\": {}, \"wan3\": {}},\n"
            "  \"lan\": [\"192.168.10.0/24\", \"fd00:10::/64\"],\n"
            "  \"traffic\": [{\"kind\": \"pcap\", \"file\": \"capture.pcap\"}],\n"
            "  \"events\": [");
    events_write(g, out, is_linux, g->time_us / 1000000);
    fprintf(out, "\n  ]\n}\n");
    return fclose(out) == 0;
}

int main(int argc, char **argv)
{
    static struct generator g;
    char path[PACKET_MAX];
    uint64_t seed;

    if (argc != 4) {
        fprintf(stderr, "usage: hostile SEED PACKETS FOLDER\n");
        return 2;
    }
    seed = strtoull(argv[1], NULL, 10);
    g.left = strtoull(argv[2], NULL, 10);
    g.random = random_stream_make(seed, 0x686f7374);
    for (unsigned i = 0; i < FLOWS; i++)
        flow_make(&g, &g.flows[i]);
    snprintf(path, sizeof path, "%s/capture.pcap", argv[3]);
    if (!capture_write(&g, path))
        return 1;
    snprintf(path, sizeof path, "%s/scenario.json", argv[3]);
    return scenario_write(&g, path, seed) ? 0 : 1;
}
