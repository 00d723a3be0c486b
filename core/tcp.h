/*
 * tcp - what connection tracking remembers of a TCP connection
 *
 * The states and transitions of netfilter: a connection is followed by its flags in both
 * directions; its state sets how long the entry lives without a packet.
 *
 *     SYN ─▶ SYN_SENT ─ SYN+ACK ◀─▶ SYN_RECEIVED ─ ACK ─▶ ESTABLISHED ─ FIN ─▶ FIN_WAIT ─ ACK ─▶
 *     CLOSE_WAIT ─ FIN ─▶ LAST_ACK ─ ACK ─▶ TIME_WAIT;   RST ─▶ CLOSE from everywhere
 *
 * A connection may be picked up in mid-stream by an ACK of its first sender (loose tracking);
 * a FIN, RST or SYN+ACK that belongs to no connection is invalid: it is forwarded as it is,
 * without translation.
 *
 * Sources: RFC 9293; Linux nf_conntrack_proto_tcp.c: tcp_conntracks, nf_conntrack_tcp_packet(),
 * tcp_new().
 * Differs: sequence numbers are not checked against the windows, so a packet outside of its
 * window is not invalid here; a closed window (0) does not shorten the time-out.
 */
#ifndef ECMPLAB_TCP_H
#define ECMPLAB_TCP_H

#include "core/config.h"
#include "core/packet.h"

enum tcp_state {
    TCP_NONE,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_SYN_SENT2, /* simultaneous open */
    TCP_STATES,
};

struct tcp_track {
    uint32_t end[2]; /* the highest sequence number behind what each side has sent */
    uint32_t last_seq, last_ack, last_end;
    uint16_t last_window;
    uint8_t state;     /* enum tcp_state */
    uint8_t last_kind; /* of the last packet that counted */
    uint8_t last_direction;
    uint8_t retransmissions; /* of one packet in a row */
    uint8_t unacked;         /* bit d: what direction d sent last is not acknowledged */
};

enum tcp_verdict {
    TCP_TRACKED,
    TCP_IGNORED, /* belongs to the connection, changes nothing, not even its time-out */
    TCP_INVALID, /* belongs to nothing */
    TCP_AGAIN,   /* a SYN sent again before any answer: since 5.14 it prolongs nothing */
    TCP_ANEW,    /* a SYN after the end: the entry goes, a new connection begins */
    TCP_GONE,    /* reset before any answer: passes, and the entry goes */
};

/* May this packet begin a connection? Sets up `t` when it may. */
bool tcp_begin(struct tcp_track *t, const struct packet *p, bool loose);

/* Follow one packet of direction 0 (as the first) or 1. `answered`: direction 1 was seen. */
enum tcp_verdict tcp_follow(struct tcp_track *t, const struct packet *p, unsigned direction,
                            bool answered);

struct tcp_timeouts {
    int64_t by_state[TCP_STATES];
    int64_t unacked, max_retrans; /* upper bounds while these last */
};

void tcp_timeouts_init(struct tcp_timeouts *t, const struct config_timeouts *c);

/* Nanoseconds that the entry lives from now without another packet. `answered`: direction 1
 * was seen before this packet; what was picked up and is not answered counts as unacked. */
int64_t tcp_timeout(const struct tcp_track *t, const struct tcp_timeouts *timeouts,
                    bool answered);

#endif
