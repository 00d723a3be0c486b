/*
 * lab - a real Linux router in a network namespace of its own, and the world around it
 *
 *              router                                       world
 *     ┌──────────────────────────┐              ┌─────────────────────────────┐
 *     │ the running kernel's     │ if0 ──── w0  │ one far end an interface:   │
 *     │ tables, rules, nftables, │ if1 ──── w1  │ the LAN's hosts, and behind │
 *     │ connection tracking      │ if2 ──── w2  │ each WAN the Internet       │
 *     └──────────────────────────┘              └─────────────────────────────┘
 *
 * Interface i of the configuration is the router's if<i>, a veth whose other end is the world's
 * w<i>. The interfaces have NOARP set, so no neighbour is ever asked for and none is missing. The
 * world has no addresses: packets are put on its ends and taken from them by a packet socket.
 * What the router sends of its own accord (ICMP errors, resets, neighbour discovery) is dropped
 * before it leaves, so that what comes out was forwarded.
 *
 * The namespaces have no names: they live by file descriptors, and die with the process however
 * it ends. Nothing outside of them is touched; no address is used outside of them.
 *
 * Functions that return bool tell what went wrong by lab_error(). One thread only: commands and
 * sysctls enter the router's namespace for a moment.
 *
 * Sources: network_namespaces(7), veth(4), packet(7), rtnetlink(7); Linux inet_rtm_getroute(),
 * inet6_rtm_getroute(), rtm_new_nexthop(), rtm_dump_nexthop_bucket().
 */
#ifndef ECMPLAB_LAB_H
#define ECMPLAB_LAB_H

#include "core/config.h"
#include "core/packet.h"

struct lab;

/* What the machine lacks for a lab: "", or in words, as after "skipped: ". */
const char *lab_missing(void);

/*
 * The namespaces and, for every interface of the configuration, an empty veth pair with its
 * carrier: administratively up, without addresses. Nothing else of the configuration is
 * applied: kernel_config.h writes the commands for it. NULL: `error` says why.
 */
struct lab *lab_create(const struct router_config *config, char *error,
                       size_t error_size);
void lab_destroy(struct lab *lab); /* NULL is fine */

/* Why the last call that failed did so. */
const char *lab_error(const struct lab *lab);

/* ------------------------------------------------------------------- telling the router */

/* Lines as `ip -batch` takes them, run in the router; it ends at the first that fails. Lines for
 * IPv6 begin with "-6 " ("-6 route add ..."), and come behind all others. */
bool lab_ip(struct lab *lab, const char *lines);
bool lab_nft(struct lab *lab, const char *lines);
/* `path` is below /proc/sys/net: "ipv4/fib_multipath_hash_policy". */
bool lab_sysctl(struct lab *lab, const char *path, const char *value);
bool lab_has_sysctl(struct lab *lab, const char *path);

/* Administrative state, and carrier (the far end goes down), of an interface. They return when
 * the kernel's routing has followed, which for a lost carrier takes up to a second. */
bool lab_set_admin(struct lab *lab, unsigned iface, bool up);
bool lab_set_carrier(struct lab *lab, unsigned iface, bool carrier);

/* --------------------------------------------------------------------- asking its routing */

struct lab_answer {
    int error; /* 0, or the kernel's errno: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL */
    uint8_t type; /* enum route_type, when error is 0 */
    int iface;    /* out: index into config.ifaces; -1: none of them (local delivery) */
    struct addr gateway; /* unset: on link */
    uint32_t table;      /* the kernel's number: kernel_table() */
};

/*
 * RTM_GETROUTE: how would this packet be routed, coming in by `in_iface` (-1: sent by the router
 * itself)? `out_iface` >= 0 binds the look-up to it. Addresses, protocol (TCP, UDP, ICMP), ports,
 * TOS, mark and flow label count. False: the question could not be asked, see lab_error();
 * lab_can_ask() tells beforehand what it cannot express.
 */
bool lab_lookup(struct lab *lab, const struct packet *p, int in_iface, int out_iface,
                struct lab_answer *answer);
bool lab_can_ask(const struct lab *lab, const struct packet *p);

/* ------------------------------------------------------------------------ next-hop objects */

/*
 * A next hop that is an object of its own (ip nexthop), with an id of the caller's; the gateway may
 * be unset, and lies on the link whatever addresses that has. The kernel deletes it with its link.
 */
bool lab_hop_add(struct lab *lab, uint32_t id, enum family family, unsigned iface,
                 const struct addr *gateway);
bool lab_hop_delete(struct lab *lab, uint32_t id); /* true also when there is none */
bool lab_hop_exists(struct lab *lab, uint32_t id); /* or a group */

enum { LAB_GROUP_MAX = 4096 };

struct lab_group {
    const struct lab_group_member {
        uint32_t id;
        uint32_t weight; /* 1..65536; above 256 since Linux 6.12 */
    } * members;
    size_t len;
    uint32_t buckets; /* type resilient; 0: type mpath */
    int64_t idle_ns,
        unbalanced_ns; /* resilient; the kernel counts hundredths of a second */
};

/* Make the group, or give the one of that id these members and timers; it keeps its buckets. */
bool lab_group_set(struct lab *lab, uint32_t id, const struct lab_group *g);

/* The object that owns each bucket, owners[0..len-1]; looking does not use them. */
bool lab_group_buckets(struct lab *lab, uint32_t id, uint32_t *owners, size_t len);

/* ---------------------------------------------------------------------- packets through it */

enum { LAB_MTU = 65535, LAB_PACKET_MAX = 65535 };

/* Put an IP packet on the wire behind the interface, addressed to the router's MAC. */
bool lab_send(struct lab *lab, unsigned iface, const uint8_t *packet, size_t len);

/*
 * Take the next IP packet that the router sent, by any interface. Its length, with the interface
 * in *iface; 0: none came within `wait_ms` (0: what is there already; veth delivers before
 * lab_send() returns).
 */
size_t lab_receive(struct lab *lab, unsigned *iface, uint8_t *buf, size_t size,
                   int wait_ms);

/* ----------------------------------------------------------------------------- connections */

/* Delete the connection whose first direction has this 5-tuple (ICMP queries: sport is the id, and
 * type and code are the request's). True also when there is none. */
bool lab_conn_delete(struct lab *lab, const struct packet *first);
/* Wait until the kernel has forgotten the connections that lost their interface or address, which
 * it does in a work queue. */
void lab_settle(struct lab *lab);
/* The number of connections that the router's kernel knows; -1: unknown. */
long lab_conn_count(struct lab *lab);

#endif
