/*
 * flow - a flow as people write it, and as programs write it, made into a packet to ask about
 *
 *     tcp 192.168.10.5:50000 > 45.57.94.1:443
 *     udp [2001:db8:10::5]:5000 > [2001:db8::53]:53
 *     icmp 192.168.10.5 > 8.8.8.8
 *
 *     {"in": "bridge-lan", "src": "192.168.10.5", "dst": "45.57.94.1", "proto": "tcp",
 *      "sport": 50000, "dport": 443}      optional: "mark", "at", "flowlabel", "tos"
 *
 * TCP flows are asked about as their SYN, ICMP ones as an echo request.
 */
#ifndef ECMPLAB_FLOW_H
#define ECMPLAB_FLOW_H

#include "core/config.h"
#include "core/packet.h"

struct flow {
    struct packet packet;
    int in_iface;  /* -1: not said */
    int64_t at_ns; /* 0: not said */
};

/* Read the first form. False, and what is wrong in `error`. */
bool flow_parse(const char *text, struct flow *f, char *error, size_t error_size);

/*
 * Read one line of the second form; names of interfaces and marks are `config`'s. The line
 * needs no NUL at its end. "in" absent: in_iface is -1. False, and what is wrong in `error`.
 */
bool flow_parse_json(const char *line, size_t length, const struct router_config *config,
                     struct flow *f, char *error, size_t error_size);

/* An interface by name; -1: none. */
int flow_find_iface(const struct router_config *config, const char *name, size_t length);

/* A mark: a number on Linux, a routing mark's name on RouterOS. False: there is none so named. */
bool flow_find_mark(const struct router_config *config, const char *text, size_t length,
                    uint32_t *mark);

#endif
