#include "tests/packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/words.h"

struct addr address(const char *text)
{
    struct addr a = {0};

    if (!addr_parse(text, &a))
        fail_msg("no address: '%s'", text);
    return a;
}

struct prefix interface_address(const char *text)
{
    struct prefix p = {0};

    if (!prefix_parse(text, &p))
        fail_msg("no prefix: '%s'", text);
    return p;
}

struct prefix network(const char *text)
{
    const struct prefix p = interface_address(text);

    return prefix_of(&p.addr, p.length);
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT */
static struct addr end_point(const char *text, uint16_t *port)
{
    char buf[80], *colon;
    struct addr a;

    snprintf(buf, sizeof buf, "%s", text[0] == '[' ? text + 1 : text);
    *port = 0;
    if (addr_parse(buf, &a))
        return a;
    colon = strrchr(buf, ':');
    if (!colon)
        fail_msg("no end point: '%s'", text);
    *port = (uint16_t)words_number(colon + 1);
    *colon = '\0';
    if (buf[0] && buf[strlen(buf) - 1] == ']')
        buf[strlen(buf) - 1] = '\0';
    return address(buf);
}

static void read_packet_option(struct words *w, struct packet *p)
{
    static const char *const flags[] = {"fin", "syn", "rst", "psh", "ack"};

    for (unsigned i = 0; i < ARRAY_LEN(flags); i++)
        if (words_take(w, flags[i])) {
            p->tcp_flags |= (uint8_t)(1u << i);
            return;
        }
    if (words_take(w, "seq"))
        p->tcp_seq = words_next_number(w);
    else if (words_take(w, "acked"))
        p->tcp_ack = words_next_number(w);
    else if (words_take(w, "window"))
        p->tcp_window = (uint16_t)words_next_number(w);
    else if (words_take(w, "data"))
        p->payload_bytes = words_next_number(w);
    else if (words_take(w, "ttl"))
        p->ttl = (uint8_t)words_next_number(w);
    else if (words_take(w, "tos"))
        p->tos = (uint8_t)words_next_number(w);
    else if (words_take(w, "mark"))
        p->mark = words_next_number(w);
    else if (words_take(w, "label"))
        p->flow_label = words_next_number(w);
    else if (words_take(w, "type"))
        p->icmp_type = (uint8_t)words_next_number(w);
    else if (words_take(w, "id"))
        p->icmp_id = (uint16_t)words_next_number(w);
    else
        fail_msg("packet: unknown word '%s'", words_next(w));
}

struct packet packet(const char *text)
{
    struct packet p = {.ttl = 64, .tcp_window = 1000};
    struct words w;

    words_split(&w, text, strlen(text));
    p.protocol = p.next_header = words_protocol(words_next(&w));
    p.src = end_point(words_next(&w), &p.sport);
    if (!words_take(&w, ">"))
        fail_msg("no '>' in '%s'", text);
    p.dst = end_point(words_next(&w), &p.dport);
    if (p.protocol == PROTO_ICMP)
        p.icmp_type = 8;
    if (p.protocol == PROTO_ICMPV6)
        p.icmp_type = 128;
    while (w.at < w.len)
        read_packet_option(&w, &p);
    if (p.protocol == PROTO_TCP)
        p.transport_bytes = 20;
    p.size_bytes = (p.src.family == FAMILY_V4 ? 20u : 40u) +
                   (p.protocol == PROTO_TCP ? 20u : 8u) + p.payload_bytes;
    return p;
}

struct packet error_about(const struct packet *quoted, const char *from)
{
    const bool v4 = quoted->src.family == FAMILY_V4;
    const bool query = quoted->protocol == PROTO_ICMP || quoted->protocol == PROTO_ICMPV6;

    return (struct packet){
        .src = address(from),
        .dst = quoted->src,
        .size_bytes = v4 ? 56 : 88,
        .protocol = v4 ? PROTO_ICMP : PROTO_ICMPV6,
        .next_header = v4 ? PROTO_ICMP : PROTO_ICMPV6,
        .ttl = 60,
        .icmp_type = v4 ? 3 : 1,
        .flags = PACKET_ICMP_ERROR | PACKET_HAS_INNER,
        .inner =
            {
                .src = quoted->src,
                .dst = quoted->dst,
                .flow_label = quoted->flow_label,
                .sport = query ? quoted->icmp_id : quoted->sport,
                .dport = query ? quoted->icmp_id : quoted->dport,
                .protocol = quoted->protocol,
                .next_header = quoted->next_header,
                .icmp_type = quoted->icmp_type,
                .icmp_id = quoted->icmp_id,
            },
    };
}

struct packet answer_to(const struct packet *p)
{
    struct packet a = *p;

    a.src = p->dst;
    a.dst = p->src;
    a.sport = p->dport;
    a.dport = p->sport;
    if (p->protocol == PROTO_ICMP)
        a.icmp_type = p->icmp_type == 8 ? 0 : (uint8_t)(p->icmp_type + 1);
    if (p->protocol == PROTO_ICMPV6)
        a.icmp_type = 129;
    return a;
}
