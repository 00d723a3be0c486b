/*
 * play - a whole run: captures made by the test, a scenario as text, and all that was observed
 *
 * The router has lan (192.168.10.1/24, 2001:db8:10::1/64), dmz (192.168.20.1/24), wan1
 * (100.64.1.2/24, 2001:db8:1::2/64) and wan2 (100.64.2.2/24, 2001:db8:2::2/64), and
 * masquerades IPv4 on both WANs; the LAN is 192.168.10.0/24, 192.168.20.0/24 and
 * 2001:db8:10::/64. The JSON of a scenario is written with ' instead of ".
 *
 * What was observed becomes lines. A packet, with its number when it was read from a capture:
 *
 *     "1 delivered out wan1 as 100.64.1.2:50000"      "2 delivered in wan1"
 *     "3 dropped out wan1 link-down"                   "0 assumed out wan1 as 100.64.1.2:5"
 *
 * What happened, by its time in seconds:
 *
 *     "10 begins #0"   "10 loss wan1 v4 #0"   "60 config #1"   "20 mark wan1"
 *
 * Whatever is not understood fails the test.
 */
#ifndef ECMPLAB_TESTS_PLAY_H
#define ECMPLAB_TESTS_PLAY_H

#include "sim/timeline/simulation.h"
#include "tests/packets.h"
#include "tests/pcapfile.h"

enum { PLAY_CAPTURES_MAX = 4, PLAY_PATH_MAX = 128, PLAY_TEXT_MAX = 1 << 14 };

/* Text of JSON; NULL: as below. */
struct play_text {
    const char *platform; /* "routeros7" */
    const char *routes;   /* in main wan1 at distance 1, wan2 at 2, of both families */
    const char *rules;    /* none */
    const char *nat;      /* masquerade of IPv4 on both WANs */
    const char *wans;     /* no delay, no prefixes */
    const char *events;   /* none */
    const char *more;     /* other members of the scenario, each with a comma before it */
    const char *router;   /* other members of the router, likewise */
    const char *traffic;  /* members of each capture's traffic, likewise */
    bool quiet;           /* nothing becomes lines */
    const char *sources;  /* traffic besides the captures: objects with commas between */
};

struct play {
    char folder[PLAY_PATH_MAX];
    struct pcapfile *captures[PLAY_CAPTURES_MAX];
    size_t captures_len;
    struct scenario *scenario;
    struct simulation *sim;
    char packets[PLAY_TEXT_MAX]; /* a line each */
    char changes[PLAY_TEXT_MAX];
    uint64_t fates[FATE_ASSUMED + 1];
};

struct play *play_create(void);
void play_destroy(struct play *p);

/* The next capture begins. */
void play_capture(struct play *p);

/* A packet as packet() reads it, one made by the test, a frame in hexadecimal. */
void play_packet(struct play *p, double at, const char *text);
void play_made(struct play *p, double at, const struct packet *made);
void play_frame(struct play *p, double at, const char *hex);

/* Write everything, read the scenario, run it. */
void play_run(struct play *p, const struct play_text *t);

/* The same in two steps, for those who run it themselves. */
void play_prepare(struct play *p, const struct play_text *t);

/* The lines so far are these; `when` is told when they are not. */
void play_expect_packets(const struct play *p, const char *when, const char *lines);
void play_expect_changes(const struct play *p, const char *when, const char *lines);

#endif
