#include <strings.h>

#include "core/packet.h"

/* Where two rows share a number, the first is the name and the second an alias. */
static const struct protocol_name {
    uint8_t number;
    const char *name;
} protocol_names[] = {
    {PROTO_TCP, "tcp"},
    {PROTO_UDP, "udp"},
    {PROTO_ICMP, "icmp"},
    {PROTO_ICMPV6, "icmpv6"},
    {PROTO_ICMPV6, "ipv6-icmp"},
    {PROTO_HOPOPT, "hopopt"},
    {PROTO_IGMP, "igmp"},
    {PROTO_IPIP, "ipencap"},
    {PROTO_DCCP, "dccp"},
    {PROTO_IPV6, "ipv6-encap"},
    {PROTO_IPV6, "ipv6"},
    {PROTO_ROUTING, "ipv6-route"},
    {PROTO_FRAGMENT, "ipv6-frag"},
    {PROTO_GRE, "gre"},
    {PROTO_ESP, "ipsec-esp"},
    {PROTO_ESP, "esp"},
    {PROTO_AH, "ipsec-ah"},
    {PROTO_AH, "ah"},
    {PROTO_NONE, "ipv6-nonxt"},
    {PROTO_DSTOPTS, "ipv6-opts"},
    {89, "ospf"},
    {94, "ipip"},
    {103, "pim"},
    {112, "vrrp"},
    {115, "l2tp"},
    {PROTO_SCTP, "sctp"},
    {PROTO_UDPLITE, "udp-lite"},
    {PROTO_UDPLITE, "udplite"},
};

enum { PROTOCOL_NAMES = sizeof protocol_names / sizeof protocol_names[0] };

const char *packet_protocol_name(uint8_t protocol, char *buf)
{
    char *c = buf;

    for (size_t i = 0; i < PROTOCOL_NAMES; i++)
        if (protocol_names[i].number == protocol)
            return protocol_names[i].name;

    if (protocol >= 100)
        *c++ = (char)('0' + protocol / 100);
    if (protocol >= 10)
        *c++ = (char)('0' + protocol / 10 % 10);
    *c++ = (char)('0' + protocol % 10);
    *c = '\0';
    return buf;
}

bool packet_protocol_parse(const char *text, uint8_t *protocol)
{
    unsigned number = 0;
    size_t i;

    for (i = 0; i < PROTOCOL_NAMES; i++) {
        if (strcasecmp(text, protocol_names[i].name) == 0) {
            *protocol = protocol_names[i].number;
            return true;
        }
    }
    for (i = 0; i < 3 && text[i] >= '0' && text[i] <= '9'; i++)
        number = number * 10 + (unsigned)(text[i] - '0');
    if (i == 0 || text[i] != '\0' || number > 255)
        return false;
    *protocol = (uint8_t)number;
    return true;
}
