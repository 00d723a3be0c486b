/*
 * routers - configurations written as text, so that a test reads like one
 *
 * One statement a line, in the words of RouterOS or of ip-route(8):
 *
 *     platform linux | routeros7          (first; linux when absent)
 *     seed N    policy NAME    tracking on|off    tcp-loose no
 *     hash l3|l4|l3-inner SEED [ipv6 l3|l4|l3-inner]
 *     ignore-linkdown    no-main-rule
 *     iface NAME [ADDRESS/LENGTH]... [group N] [disabled]
 *     mark NAME TABLE|-
 *     route PREFIX [via GATEWAY...] [blackhole|unreachable|prohibit|throw] [table NAME]
 *           [distance N] [check ping|arp|bfd] [scope N] [target-scope N] [tos N] [disabled]
 *     rule ACTION [TABLE] [priority N] [family 4|6] [not] [from PREFIX] [to PREFIX]
 *          [iif NAME|router] [oif NAME] [mark N[/MASK]] [tos N] [proto P] [sport N[-N]]
 *          [dport N[-N]] [min-prefix N] [suppress-group N] [goto N] [disabled]
 *     nat masquerade|src-nat|accept [out NAME] [family 4|6] [from PREFIX] [to PREFIX]
 *         [proto P] [dport N[-N]] [public ADDRESS[-ADDRESS]] [ports N-N] [disabled]
 *
 * GATEWAY is an address, an interface, or address%interface; with *WEIGHT and @TABLE behind.
 * Interfaces stand before what names them; a table exists once it is named, "main", "local"
 * and "default" always. What a statement leaves out is the platform's default.
 *
 * Whatever is not understood fails the test.
 */
#ifndef ECMPLAB_TESTS_ROUTERS_H
#define ECMPLAB_TESTS_ROUTERS_H

#include "core/router.h"
#include "tests/packets.h"
#include "tests/words.h"

#define SECONDS(n) ((int64_t)((n)*1e9))
#define FIRST_HASH 0
#define LAST_HASH  0x7fffffff
enum { LAB_TEXT_MAX = 160, TRACE_TEXT_MAX = 4096 };

/* A router on the bench, with all that its configuration owns. */
struct lab {
    struct router_config config;
    struct router *router;
    struct decision last; /* of the last packet sent */
    char said[LAB_TEXT_MAX];
    struct trace trace;
    char trace_text[TRACE_TEXT_MAX];
    size_t trace_len;

    struct arena *arena;
    struct config_iface *ifaces;
    const char **tables;
    const char **marks;
    int *mark_tables;
    size_t ifaces_cap, tables_cap, marks_cap, mark_tables_cap, routes_cap, rules_cap,
        nat_cap;
};

/* Read the configuration only, or make the router from it too. */
struct lab *lab_read(const char *text);
struct lab *lab_create(const char *text);
void lab_destroy(struct lab *l);

/* The index behind a name; fails the test when there is none. */
unsigned lab_iface(const struct lab *l, const char *name);
unsigned lab_table(const struct lab *l, const char *name);

/*
 * Send a packet at a time and say what became of it. `in` is an interface or "router":
 *
 *     "wan1 100.64.1.2:40000 new"   forwarded: by which interface, with which source
 *     "drop nat-moved killed"       verdict and reason
 *
 * with the flags new, revived, killed, invalid behind. The text holds until the next packet.
 */
const char *lab_send(struct lab *l, const char *in, const char *text, double at_s);
const char *lab_send_packet(struct lab *l, const char *in, const struct packet *p,
                            double at_s);

/* Look up as RTM_GETROUTE: "main wan1 100.64.1.1", "no route", "drop by rule" and so on. */
const char *lab_route(struct lab *l, const char *in, const char *text);

/* Collect the steps of decisions in l->trace_text from now on, a line each. */
void lab_trace(struct lab *l, bool on);

void lab_set_admin(struct lab *l, const char *iface, bool up);
void lab_set_carrier(struct lab *l, const char *iface, bool carrier);

/*
 * Change the last 16 bits of the destination until the packet's hash lies in first..last;
 * `nth` passes over so many that do.
 */
struct packet hashing_between(const struct lab *l, const char *text, uint32_t first,
                              uint32_t last, unsigned nth);

/* The connection of a packet as the table finds it now, or NULL. */
struct conn *lab_conn(struct lab *l, const struct packet *p);

#endif
