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
 * a FIN, RST or SYN+ACK that belongs to no connection, and flags that no TCP sends together,
 * are invalid: forwarded as they are, without translation.
 *
 * A SYN on a connection that is over (TIME_WAIT, CLOSE) begins it anew when
 *     1. somebody began to close it by a FIN in life, or
 *     2. the last packet that counted was a RST of the same direction;
 * else it is let through as belonging to the old one, and remembered: its SYN+ACK brings the
 * entry back to SYN_RECEIVED.
 *
 * A RST into an established connection closes it when its sequence number is exactly what the
 * other side has acknowledged, or follows the segment before it; else the state stays, and
 * only the time-out is that of CLOSE.
 *
 * What is acknowledged, and the last window, count for packets inside of the windows alone:
 *
 *     sender   seq <= max_end      seq + length >= end - receiver's max_window
 *     ack      <= receiver's end   >= receiver's end - max(66000, own max_window)
 *
 * A packet outside is tracked all the same, as with nf_conntrack_tcp_be_liberal and
 * nf_conntrack_tcp_ignore_invalid_rst.
 *
 * Sources: RFC 9293, 7323, 5961; Linux 6.18 nf_conntrack_proto_tcp.c: tcp_conntracks,
 * nf_conntrack_tcp_packet(), tcp_in_window(), tcp_error(), tcp_new().
 * Differs: selective acknowledgements are not read; both platforms follow today's Linux, but
 * for a SYN sent again.
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

/* What one side has sent, and what the other may. */
struct tcp_side {
    uint32_t end;        /* behind the highest sequence number that it sent */
    uint32_t max_end;    /* it may send up to here */
    uint32_t max_ack;    /* it acknowledged up to here; with TCP_ACKED */
    uint32_t max_window; /* the widest it offered; 0: nothing seen of it yet */
};

/* For side d the flag is shifted left by d. */
enum tcp_track_flag {
    TCP_UNACKED = 1,  /* what it sent last is not acknowledged */
    TCP_ACKED = 4,    /* it has acknowledged */
    TCP_CLOSING = 16, /* somebody began to close by a FIN */
    TCP_ASSURED = 32, /* an ACK was seen once both sides had spoken */
    TCP_SIMULTANEOUS = 64,
    TCP_CHALLENGED = 128, /* a SYN came in LAST_ACK: an ACK may answer that, not the FIN */
};

struct tcp_track {
    struct tcp_side side[2];
    uint32_t last_seq, last_ack, last_end; /* of the last ACK in the window, or SYN let through */
    uint16_t last_window;
    uint8_t state;           /* enum tcp_state */
    uint8_t last;            /* packet that counted: its kind, and TCP_LAST_DIRECTION */
    uint8_t retransmissions; /* of one packet in a row */
    uint8_t flags;           /* enum tcp_track_flag */
    uint8_t scales;          /* the window scales, as in last_scales */
    uint8_t last_scale;      /* of the SYN let through, as packet.tcp_scale */
};
_Static_assert(sizeof(struct tcp_track) == 52, "three cache lines a connection");

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
