/*
 * lab_parts - what the parts of the lab share
 *
 *     lab.c        namespaces, links, commands, sysctls
 *     lab_ask.c    rtnetlink and ctnetlink: routes asked for, connections deleted
 *     lab_nexthop.c   next-hop objects, their groups, and the buckets of those
 *     lab_wire.c   the packet socket on the far ends
 */
#ifndef ECMPLAB_LAB_PARTS_H
#define ECMPLAB_LAB_PARTS_H

#include "sim/verify/lab.h"

struct mnl_socket;

struct lab {
    unsigned ifaces_len;
    int home, router, world; /* namespaces: the one we came from, and the lab's two */
    int router_socket, world_socket;      /* for ioctls */
    int wire;                             /* packet socket in the world */
    struct mnl_socket *route, *conntrack; /* conntrack: NULL until it is needed */
    int *inside, *outside; /* of interface i: the ifindex of if<i>, of w<i> */
    uint8_t (*macs)[8];    /* of if<i>; six bytes count */
    unsigned sequence;
    char error[512];
};

/* Keeps the words for lab_error(); returns false. */
bool lab_fail(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In that namespace until lab_leave(). The lab's callers run in one thread. */
bool lab_enter(struct lab *lab, int namespace);
void lab_leave(struct lab *lab);

/* lab_ask.c */
bool lab_ask_open(struct lab *lab); /* in the router's namespace */
void lab_ask_close(struct lab *lab);

/* lab_wire.c */
bool lab_wire_open(struct lab *lab);    /* in the world's */
bool lab_wire_address(struct lab *lab); /* once there are links */

#endif
