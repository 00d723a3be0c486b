#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "sim/verify/lab_parts.h"

enum { MESSAGE_SIZE = 1 << 15, TICKS_A_SECOND = 100 /* clock_t */ };

/* ----------------------------------------------------------------------------- messages */

static struct nlmsghdr *message(char *buf, uint16_t type, uint16_t flags, unsigned family)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
    struct nhmsg *n;

    m->nlmsg_type = type;
    m->nlmsg_flags = NLM_F_REQUEST | flags;
    n = mnl_nlmsg_put_extra_header(m, sizeof *n);
    n->nh_family = (unsigned char)family;
    n->nh_protocol = type == RTM_NEWNEXTHOP ? RTPROT_STATIC : RTPROT_UNSPEC;
    return m;
}

/* The kernel's errno; 0: done. Every part of its answer goes to `read`. */
static int ask(struct lab *lab, struct nlmsghdr *question, mnl_cb_t read, void *context)
{
    char buf[MESSAGE_SIZE] __attribute__((aligned(8)));
    int result = MNL_CB_OK;

    question->nlmsg_seq = ++lab->sequence;
    if (mnl_socket_sendto(lab->route, question, question->nlmsg_len) < 0)
        return errno;
    while (result > MNL_CB_STOP) {
        const ssize_t n = mnl_socket_recvfrom(lab->route, buf, sizeof buf);

        if (n < 0)
            return errno;
        result = mnl_cb_run(buf, (size_t)n, lab->sequence,
                            mnl_socket_get_portid(lab->route), read, context);
    }
    return result < 0 ? errno : 0;
}

static bool told(struct lab *lab, const char *what, uint32_t id, int error)
{
    return error == 0 || lab_fail(lab, "%s %u: %s", what, id, strerror(error));
}

/* ------------------------------------------------------------------------------ objects */

bool lab_hop_add(struct lab *lab, uint32_t id, enum family family, unsigned iface,
                 const struct addr *gateway)
{
    char buf[256] __attribute__((aligned(8)));
    struct nlmsghdr *m =
        message(buf, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
                family == FAMILY_V4 ? AF_INET : AF_INET6);
    struct nhmsg *n = mnl_nlmsg_get_payload(m);

    mnl_attr_put_u32(m, NHA_ID, id);
    mnl_attr_put_u32(m, NHA_OIF, (uint32_t)lab->inside[iface]);
    if (addr_is_set(gateway)) {
        n->nh_flags = RTNH_F_ONLINK;
        mnl_attr_put(m, NHA_GATEWAY, addr_bits(gateway) / 8, gateway->bytes);
    }
    return told(lab, "next hop", id, ask(lab, m, NULL, NULL));
}

bool lab_hop_delete(struct lab *lab, uint32_t id)
{
    char buf[64] __attribute__((aligned(8)));
    struct nlmsghdr *m = message(buf, RTM_DELNEXTHOP, NLM_F_ACK, AF_UNSPEC);
    int error;

    mnl_attr_put_u32(m, NHA_ID, id);
    error = ask(lab, m, NULL, NULL);
    return told(lab, "next hop", id, error == ENOENT ? 0 : error);
}

static int found(const struct nlmsghdr *m, void *context)
{
    *(bool *)context |= m->nlmsg_type == RTM_NEWNEXTHOP;
    return MNL_CB_STOP;
}

bool lab_hop_exists(struct lab *lab, uint32_t id)
{
    char buf[64] __attribute__((aligned(8)));
    struct nlmsghdr *m = message(buf, RTM_GETNEXTHOP, 0, AF_UNSPEC);
    bool is_there = false;

    mnl_attr_put_u32(m, NHA_ID, id);
    return ask(lab, m, found, &is_there) == 0 && is_there;
}

/* ------------------------------------------------------------------------------- groups */

static uint32_t ticks(int64_t ns)
{
    const int64_t n = ns / (1000000000 / TICKS_A_SECOND);

    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void put_resilient(struct nlmsghdr *m, const struct lab_group *g)
{
    struct nlattr *nest = mnl_attr_nest_start(m, NHA_RES_GROUP);

    mnl_attr_put_u16(m, NHA_RES_GROUP_BUCKETS, (uint16_t)g->buckets);
    mnl_attr_put_u32(m, NHA_RES_GROUP_IDLE_TIMER, ticks(g->idle_ns));
    mnl_attr_put_u32(m, NHA_RES_GROUP_UNBALANCED_TIMER, ticks(g->unbalanced_ns));
    mnl_attr_nest_end(m, nest);
}

bool lab_group_set(struct lab *lab, uint32_t id, const struct lab_group *g)
{
    char buf[LAB_GROUP_MAX * sizeof(struct nexthop_grp) + 256]
        __attribute__((aligned(8)));
    struct nexthop_grp all[LAB_GROUP_MAX] = {{0}};
    struct nlmsghdr *m =
        message(buf, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, AF_UNSPEC);

    if (g->len > LAB_GROUP_MAX)
        return lab_fail(lab, "next-hop group %u: more than %d members", id,
                        LAB_GROUP_MAX);
    for (size_t i = 0; i < g->len; i++) {
        all[i].id = g->members[i].id;
        all[i].weight = (uint8_t)(g->members[i].weight - 1);
        all[i].resvd1 = (uint8_t)((g->members[i].weight - 1) >> 8); /* weight_high */
    }
    mnl_attr_put_u32(m, NHA_ID, id);
    mnl_attr_put(m, NHA_GROUP, g->len * sizeof all[0], all);
    mnl_attr_put_u16(m, NHA_GROUP_TYPE,
                     g->buckets ? NEXTHOP_GRP_TYPE_RES : NEXTHOP_GRP_TYPE_MPATH);
    if (g->buckets)
        put_resilient(m, g);
    return told(lab, "next-hop group", id, ask(lab, m, NULL, NULL));
}

/* ------------------------------------------------------------------------------ buckets */

struct table {
    uint32_t *owners;
    size_t room, len;
};

struct bucket {
    uint16_t index;
    uint32_t owner;
    bool has_index, has_owner;
};

static int bucket_part_read(const struct nlattr *a, void *context)
{
    struct bucket *b = context;

    switch (mnl_attr_get_type(a)) {
    case NHA_RES_BUCKET_INDEX:
        b->index = mnl_attr_get_u16(a);
        b->has_index = true;
        break;
    case NHA_RES_BUCKET_NH_ID:
        b->owner = mnl_attr_get_u32(a);
        b->has_owner = true;
        break;
    default: break;
    }
    return MNL_CB_OK;
}

static int bucket_attribute_read(const struct nlattr *a, void *context)
{
    if (mnl_attr_get_type(a) != NHA_RES_BUCKET)
        return MNL_CB_OK;
    return mnl_attr_parse_nested(a, bucket_part_read, context);
}

static int bucket_read(const struct nlmsghdr *m, void *context)
{
    struct table *t = context;
    struct bucket b = {0};

    mnl_attr_parse(m, sizeof(struct nhmsg), bucket_attribute_read, &b);
    if (b.has_index && b.has_owner && b.index < t->room) {
        t->owners[b.index] = b.owner;
        t->len++;
    }
    return MNL_CB_OK;
}

bool lab_group_buckets(struct lab *lab, uint32_t id, uint32_t *owners, size_t len)
{
    char buf[64] __attribute__((aligned(8)));
    struct nlmsghdr *m = message(buf, RTM_GETNEXTHOPBUCKET, NLM_F_DUMP, AF_UNSPEC);
    struct table t = {owners, len, 0};
    int error;

    mnl_attr_put_u32(m, NHA_ID, id);
    error = ask(lab, m, bucket_read, &t);
    if (error)
        return told(lab, "buckets of next-hop group", id, error);
    return t.len == len || lab_fail(lab, "next-hop group %u has %zu buckets", id, t.len);
}
