/*
 * netwatch - one host that the router watches: packets, tests, verdict
 *
 *     simple   one packet a test; it passes when that is answered in time
 *     icmp     `packet_count` packets a test, `packet_interval` apart:
 *
 *                  packets  ┊┊┊┊┊┊┊┊┊┊        judged when each was answered or is lost
 *                  |◀──────── interval ────────▶|
 *
 *     loss     a packet every `packet_interval`, without end; every `interval` the last
 *              `packet_count` of them are judged:
 *
 *                  packets  ┊  ┊  ┊  ┊  ┊  ┊  ┊  ┊  ┊  ┊  ┊  ┊
 *                  judged          ▲        ▲        ▲        ▲
 *
 * A packet is lost when no answer came within `timeout`. A test fails when the share of
 * packet_count that was lost reaches thr_loss_percent, or the mean or the longest round trip of
 * the answered ones exceeds its threshold. `down_after` tests failed in a row make the host
 * down, `up_after` passed ones make it up again, though not before it was down for `hold_down`.
 * It is up at the start.
 *
 * Sources: RouterOS manual, /tool/netwatch (simple, icmp, the thresholds and their defaults);
 * dpinger (loss: a running window).
 * Differs: RouterOS runs scripts; here the routes that they would disable are named. Its verdict
 * is unknown until the first test.
 */
#ifndef ECMPLAB_NETWATCH_H
#define ECMPLAB_NETWATCH_H

#include "sim/input/scenario.h"

struct netwatch_packet {
    int64_t sent_ns;
    int64_t round_trip_ns; /* -1: lost */
};

struct netwatch {
    const struct scenario_watch *settings;
    struct netwatch_packet *packets; /* settings->packet_count: a ring */
    uint64_t sent;
    uint32_t in_a_row; /* tests that contradicted the verdict */
    int64_t since_ns;  /* of the verdict */
    bool up;
};

void netwatch_init(struct netwatch *w, const struct scenario_watch *settings);
void netwatch_free(struct netwatch *w);

/* A packet leaves now; how long its answer will take (-1, or longer than the time-out: lost). */
void netwatch_sent(struct netwatch *w, int64_t now_ns, int64_t round_trip_ns);

/* When the fate of the last `packet_count` packets is known. */
int64_t netwatch_known_ns(const struct netwatch *w);

/* Does the test pass, by what is known now? */
bool netwatch_passes(const struct netwatch *w, int64_t now_ns);

/* A test's outcome. True when that changed the verdict. */
bool netwatch_judge(struct netwatch *w, bool passes, int64_t now_ns);

/* Would more tests change nothing, as long as each packet fares as the last one did? */
bool netwatch_is_settled(const struct netwatch *w);

/* What was sent and counted is forgotten; the verdict stays. */
void netwatch_restart(struct netwatch *w);

#endif
