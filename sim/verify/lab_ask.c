#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "sim/verify/lab_parts.h"

#ifndef RTA_FLOWLABEL
#define RTA_FLOWLABEL 31
#endif

enum { MESSAGE_SIZE = 8192 };

static struct mnl_socket *netlink_open(int bus)
{
    struct mnl_socket *s = mnl_socket_open2(bus, SOCK_CLOEXEC);

    if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) == 0)
        return s;
    if (s)
        mnl_socket_close(s);
    return NULL;
}

/* Without ctnetlink in the kernel there is a lab all the same. */
bool lab_ask_open(struct lab *lab)
{
    lab->route = netlink_open(NETLINK_ROUTE);
    lab->conntrack = netlink_open(NETLINK_NETFILTER);
    return lab->route != NULL;
}

void lab_ask_close(struct lab *lab)
{
    if (lab->route)
        mnl_socket_close(lab->route);
    if (lab->conntrack)
        mnl_socket_close(lab->conntrack);
}

/* Send, and read the one answer into `buf` (MESSAGE_SIZE). Its length; -1 with errno: none. */
static ssize_t netlink_ask(struct lab *lab, struct mnl_socket *s,
                           struct nlmsghdr *question, char *buf)
{
    ssize_t n;

    question->nlmsg_seq = ++lab->sequence;
    if (mnl_socket_sendto(s, question, question->nlmsg_len) < 0)
        return -1;
    do
        n = mnl_socket_recvfrom(s, buf, MESSAGE_SIZE);
    while (n >= (ssize_t)sizeof *question &&
           ((const struct nlmsghdr *)(void *)buf)->nlmsg_seq != lab->sequence);
    return n;
}

/* The kernel's errno in an answer, 0 when it is no error. */
static int netlink_error(const struct nlmsghdr *answer)
{
    const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);

    return answer->nlmsg_type == NLMSG_ERROR ? -e->error : 0;
}

/* ------------------------------------------------------------------------------- routes */

static void put_addr(struct nlmsghdr *m, uint16_t type, const struct addr *a)
{
    mnl_attr_put(m, type, addr_bits(a) / 8, a->bytes);
}

static bool protocol_is_askable(uint8_t protocol)
{
    return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_ICMP ||
           protocol == PROTO_ICMPV6;
}

/*
 * Not expressible: fragments, what an ICMP error quotes, what a tunnel holds, other protocols,
 * and a first extension header.
 */
bool lab_can_ask(const struct lab *lab, const struct packet *p)
{
    (void)lab;
    return !(p->flags & (PACKET_FRAGMENT | PACKET_ICMP_ERROR | PACKET_ENCAPSULATED)) &&
           protocol_is_askable(p->protocol) && p->next_header == p->protocol;
}

static void route_question(struct lab *lab, struct nlmsghdr *m, const struct packet *p,
                           int in_iface, int out_iface)
{
    const bool v4 = p->dst.family == FAMILY_V4;
    struct rtmsg *r;

    m->nlmsg_type = RTM_GETROUTE;
    m->nlmsg_flags = NLM_F_REQUEST;
    r = mnl_nlmsg_put_extra_header(m, sizeof *r);
    r->rtm_family = v4 ? AF_INET : AF_INET6;
    r->rtm_dst_len = r->rtm_src_len = (unsigned char)addr_bits(&p->dst);
    r->rtm_tos = p->tos & 0xfc; /* without ECN */
    r->rtm_flags = RTM_F_LOOKUP_TABLE;
    put_addr(m, RTA_DST, &p->dst);
    if (addr_is_set(&p->src) && !addr_is_unspecified(&p->src))
        put_addr(m, RTA_SRC, &p->src);
    if (in_iface >= 0)
        mnl_attr_put_u32(m, RTA_IIF, (uint32_t)lab->inside[in_iface]);
    if (out_iface >= 0)
        mnl_attr_put_u32(m, RTA_OIF, (uint32_t)lab->inside[out_iface]);
    if (p->mark)
        mnl_attr_put_u32(m, RTA_MARK, p->mark);
    if (protocol_is_askable(p->protocol))
        mnl_attr_put_u8(m, RTA_IP_PROTO, p->protocol);
    if (p->protocol == PROTO_TCP || p->protocol == PROTO_UDP) {
        mnl_attr_put_u16(m, RTA_SPORT, htons(p->sport));
        mnl_attr_put_u16(m, RTA_DPORT, htons(p->dport));
    }
    if (!v4 && p->flow_label)
        mnl_attr_put_u32(m, RTA_FLOWLABEL, htonl(p->flow_label));
}

static uint8_t route_type(unsigned char type)
{
    switch (type) {
    case RTN_UNICAST: return ROUTE_UNICAST;
    case RTN_BROADCAST: return ROUTE_BROADCAST;
    case RTN_BLACKHOLE: return ROUTE_BLACKHOLE;
    case RTN_UNREACHABLE: return ROUTE_UNREACHABLE;
    case RTN_PROHIBIT: return ROUTE_PROHIBIT;
    case RTN_THROW: return ROUTE_THROW;
    default: return ROUTE_LOCAL;
    }
}

static int iface_of_index(const struct lab *lab, uint32_t index)
{
    for (size_t i = 0; i < lab->ifaces_len; i++)
        if (lab->inside[i] == (int)index)
            return (int)i;
    return -1;
}

static struct addr addr_of_attribute(const struct nlattr *a)
{
    const void *bytes = mnl_attr_get_payload(a);

    return mnl_attr_get_payload_len(a) == 4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

struct answer_reading {
    const struct lab *lab;
    struct lab_answer *answer;
};

static int route_attribute_read(const struct nlattr *a, void *context)
{
    const struct answer_reading *r = context;

    switch (mnl_attr_get_type(a)) {
    case RTA_OIF: r->answer->iface = iface_of_index(r->lab, mnl_attr_get_u32(a)); break;
    case RTA_TABLE: r->answer->table = mnl_attr_get_u32(a); break;
    case RTA_GATEWAY: r->answer->gateway = addr_of_attribute(a); break;
    case RTA_VIA: /* of the other family: a family, then the address */
        r->answer->gateway = addr_from_v6((const uint8_t *)mnl_attr_get_payload(a) + 2);
        break;
    default: break;
    }
    return MNL_CB_OK;
}

static void route_answer_read(const struct lab *lab, const struct nlmsghdr *m,
                              struct lab_answer *answer)
{
    const struct rtmsg *r = mnl_nlmsg_get_payload(m);
    struct answer_reading reading = {lab, answer};

    answer->type = route_type(r->rtm_type);
    answer->table = r->rtm_table;
    mnl_attr_parse(m, sizeof *r, route_attribute_read, &reading);
}

bool lab_lookup(struct lab *lab, const struct packet *p, int in_iface, int out_iface,
                struct lab_answer *answer)
{
    char question[512] __attribute__((aligned(8))),
        buf[MESSAGE_SIZE] __attribute__((aligned(8)));
    const struct nlmsghdr *m = (const struct nlmsghdr *)(void *)buf;
    struct nlmsghdr *q = mnl_nlmsg_put_header(question);

    *answer = (struct lab_answer){.iface = -1};
    route_question(lab, q, p, in_iface, out_iface);
    if (netlink_ask(lab, lab->route, q, buf) < (ssize_t)sizeof *m)
        return lab_fail(lab, "RTM_GETROUTE: %s", strerror(errno));
    answer->error = netlink_error(m);
    if (answer->error)
        return true;
    if (m->nlmsg_type != RTM_NEWROUTE)
        return lab_fail(lab, "RTM_GETROUTE: an answer of type %u", m->nlmsg_type);
    route_answer_read(lab, m, answer);
    return true;
}

/* -------------------------------------------------------------------------- connections */

static struct nlmsghdr *conntrack_message(char *buf, unsigned type, unsigned family)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
    struct nfgenmsg *g;

    m->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
    m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    g = mnl_nlmsg_put_extra_header(m, sizeof *g);
    g->nfgen_family = (uint8_t)family;
    g->version = NFNETLINK_V0;
    g->res_id = 0;
    return m;
}

static void put_protocol(struct nlmsghdr *m, const struct packet *p, uint8_t icmp_type)
{
    struct nlattr *nest = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);

    mnl_attr_put_u8(m, CTA_PROTO_NUM, p->protocol);
    if (p->protocol == PROTO_ICMP) {
        mnl_attr_put_u16(m, CTA_PROTO_ICMP_ID, htons(p->sport));
        mnl_attr_put_u8(m, CTA_PROTO_ICMP_TYPE, icmp_type);
        mnl_attr_put_u8(m, CTA_PROTO_ICMP_CODE, p->icmp_code);
    } else if (p->protocol == PROTO_ICMPV6) {
        mnl_attr_put_u16(m, CTA_PROTO_ICMPV6_ID, htons(p->sport));
        mnl_attr_put_u8(m, CTA_PROTO_ICMPV6_TYPE, icmp_type);
        mnl_attr_put_u8(m, CTA_PROTO_ICMPV6_CODE, p->icmp_code);
    } else {
        mnl_attr_put_u16(m, CTA_PROTO_SRC_PORT, htons(p->sport));
        mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(p->dport));
    }
    mnl_attr_nest_end(m, nest);
}

static void put_tuple(struct nlmsghdr *m, const struct packet *p, uint8_t icmp_type)
{
    const bool v4 = p->src.family == FAMILY_V4;
    struct nlattr *tuple = mnl_attr_nest_start(m, CTA_TUPLE_ORIG);
    struct nlattr *ip = mnl_attr_nest_start(m, CTA_TUPLE_IP);

    put_addr(m, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, &p->src);
    put_addr(m, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, &p->dst);
    mnl_attr_nest_end(m, ip);
    put_protocol(m, p, icmp_type);
    mnl_attr_nest_end(m, tuple);
}

/* The kernel's errno; ENOENT: there was none. */
static int conn_delete(struct lab *lab, const struct packet *p, uint8_t icmp_type)
{
    char question[512] __attribute__((aligned(8))),
        buf[MESSAGE_SIZE] __attribute__((aligned(8)));
    struct nlmsghdr *m = conntrack_message(
        question, IPCTNL_MSG_CT_DELETE, p->src.family == FAMILY_V4 ? AF_INET : AF_INET6);

    put_tuple(m, p, icmp_type);
    if (netlink_ask(lab, lab->conntrack, m, buf) < (ssize_t)sizeof *m)
        return errno;
    return netlink_error((const struct nlmsghdr *)(void *)buf);
}

bool lab_conn_delete(struct lab *lab, const struct packet *first)
{
    int error;

    if (!lab->conntrack)
        return lab_fail(lab, "the kernel has no ctnetlink");
    error = conn_delete(lab, first, first->icmp_type);
    return error == 0 || error == ENOENT ||
           lab_fail(lab, "cannot delete a connection: %s", strerror(error));
}

static int entries_read(const struct nlattr *a, void *context)
{
    if (mnl_attr_get_type(a) == CTA_STATS_GLOBAL_ENTRIES)
        *(long *)context = (long)ntohl(mnl_attr_get_u32(a));
    return MNL_CB_OK;
}

long lab_conn_count(struct lab *lab)
{
    char question[64] __attribute__((aligned(8))),
        buf[MESSAGE_SIZE] __attribute__((aligned(8)));
    struct nlmsghdr *q = conntrack_message(question, IPCTNL_MSG_CT_GET_STATS, AF_UNSPEC);
    const struct nlmsghdr *m = (const struct nlmsghdr *)(void *)buf;
    long count = -1;

    q->nlmsg_flags = NLM_F_REQUEST;
    if (!lab->conntrack ||
        netlink_ask(lab, lab->conntrack, q, buf) < (ssize_t)sizeof *m ||
        m->nlmsg_type == NLMSG_ERROR)
        return -1;
    mnl_attr_parse(m, sizeof(struct nfgenmsg), entries_read, &count);
    return count;
}
