#include "core/tcp.h"

#include <string.h>

enum kind { KIND_SYN, KIND_SYNACK, KIND_FIN, KIND_ACK, KIND_RST, KIND_NONE, KINDS };

/* Besides states: what a packet in this state means. */
enum { IG = TCP_STATES, IV };

#define NO TCP_NONE
#define SS TCP_SYN_SENT
#define SR TCP_SYN_RECEIVED
#define ES TCP_ESTABLISHED
#define FW TCP_FIN_WAIT
#define CW TCP_CLOSE_WAIT
#define LA TCP_LAST_ACK
#define TW TCP_TIME_WAIT
#define CL TCP_CLOSE
#define S2 TCP_SYN_SENT2

/* clang-format off */
/* transitions[direction][kind][state]: the next state. */
static const uint8_t transitions[2][KINDS][TCP_STATES] = {
    {
        /*               NO  SS  SR  ES  FW  CW  LA  TW  CL  S2 */
        [KIND_SYN]    = {SS, SS, IG, IG, IG, IG, IG, SS, SS, S2},
        [KIND_SYNACK] = {IV, IV, SR, IV, IV, IV, IV, IV, IV, SR},
        [KIND_FIN]    = {IV, IV, FW, FW, LA, LA, LA, TW, CL, IV},
        [KIND_ACK]    = {ES, IV, ES, ES, CW, CW, TW, TW, CL, IV},
        [KIND_RST]    = {IV, CL, CL, CL, CL, CL, CL, CL, CL, CL},
        [KIND_NONE]   = {IV, IV, IV, IV, IV, IV, IV, IV, IV, IV},
    },
    {
        /*               NO  SS  SR  ES  FW  CW  LA  TW  CL  S2 */
        [KIND_SYN]    = {IV, S2, IV, IV, IV, IV, IV, SS, IV, S2},
        [KIND_SYNACK] = {IV, SR, IG, IG, IG, IG, IG, IG, IG, SR},
        [KIND_FIN]    = {IV, IV, FW, FW, LA, LA, LA, TW, CL, IV},
        [KIND_ACK]    = {IV, IG, SR, ES, CW, CW, TW, TW, CL, IG},
        [KIND_RST]    = {IV, CL, CL, CL, CL, CL, CL, CL, CL, CL},
        [KIND_NONE]   = {IV, IV, IV, IV, IV, IV, IV, IV, IV, IV},
    },
};
/* clang-format on */

enum { MAX_RETRANSMISSIONS = 3 }; /* nf_conntrack_tcp_max_retrans */

static enum kind packet_kind(const struct packet *p)
{
    if (p->tcp_flags & TCP_RST)
        return KIND_RST;
    if (p->tcp_flags & TCP_SYN)
        return p->tcp_flags & TCP_ACK ? KIND_SYNACK : KIND_SYN;
    if (p->tcp_flags & TCP_FIN)
        return KIND_FIN;
    return p->tcp_flags & TCP_ACK ? KIND_ACK : KIND_NONE;
}

/* The sequence number behind this packet: SYN and FIN count one each. */
static uint32_t packet_end(const struct packet *p)
{
    return p->tcp_seq + p->payload_bytes + ((p->tcp_flags & TCP_SYN) != 0) +
           ((p->tcp_flags & TCP_FIN) != 0);
}

static bool is_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* Who has sent what is not yet acknowledged, and is this a repetition? */
static void tcp_count(struct tcp_track *t, const struct packet *p, unsigned d,
                      enum kind kind)
{
    const uint32_t end = packet_end(p);
    const bool repeated = kind == KIND_ACK && t->last_kind == kind &&
                          t->last_direction == d && t->last_seq == p->tcp_seq &&
                          t->last_ack == p->tcp_ack && t->last_end == end &&
                          t->last_window == p->tcp_window && p->payload_bytes > 0;

    if (p->payload_bytes > 0 && (is_after(end, t->end[d]) || t->end[d] == 0))
        t->unacked |= (uint8_t)(1u << d);
    if (is_after(end, t->end[d]) || t->end[d] == 0)
        t->end[d] = end;
    if ((p->tcp_flags & TCP_ACK) && !is_after(t->end[!d], p->tcp_ack))
        t->unacked &= (uint8_t) ~(1u << !d);
    if (!repeated)
        t->retransmissions = 0;
    else if (t->retransmissions < UINT8_MAX)
        t->retransmissions++;
    t->last_kind = (uint8_t)kind;
    t->last_direction = (uint8_t)d;
    t->last_seq = p->tcp_seq;
    t->last_ack = p->tcp_ack;
    t->last_end = end;
    t->last_window = p->tcp_window;
}

bool tcp_begin(struct tcp_track *t, const struct packet *p, bool loose)
{
    const enum kind kind = packet_kind(p);
    const uint8_t state = transitions[0][kind][TCP_NONE];

    if (state >= TCP_STATES || (state == TCP_ESTABLISHED && !loose))
        return false;
    memset(t, 0, sizeof *t);
    t->state = state;
    tcp_count(t, p, 0, kind);
    return true;
}

enum tcp_verdict tcp_follow(struct tcp_track *t, const struct packet *p,
                            unsigned direction, bool answered)
{
    const enum kind kind = packet_kind(p);
    const uint8_t next = transitions[direction][kind][t->state];
    const bool again = kind == KIND_SYN && t->state == TCP_SYN_SENT && !answered;

    if (next == IG)
        return TCP_IGNORED;
    if (next == IV)
        return TCP_INVALID;
    if (kind == KIND_SYN && next == TCP_SYN_SENT &&
        (t->state == TCP_TIME_WAIT || t->state == TCP_CLOSE))
        return TCP_ANEW;
    t->state = next;
    tcp_count(t, p, direction, kind);
    if (kind == KIND_RST && !answered)
        return TCP_GONE;
    return again ? TCP_AGAIN : TCP_TRACKED;
}

void tcp_timeouts_init(struct tcp_timeouts *t, const struct config_timeouts *c)
{
    *t = (struct tcp_timeouts){
        .by_state =
            {
                [TCP_NONE] = c->tcp_syn_sent,
                [TCP_SYN_SENT] = c->tcp_syn_sent,
                [TCP_SYN_RECEIVED] = c->tcp_syn_received,
                [TCP_ESTABLISHED] = c->tcp_established,
                [TCP_FIN_WAIT] = c->tcp_fin_wait,
                [TCP_CLOSE_WAIT] = c->tcp_close_wait,
                [TCP_LAST_ACK] = c->tcp_last_ack,
                [TCP_TIME_WAIT] = c->tcp_time_wait,
                [TCP_CLOSE] = c->tcp_close,
                [TCP_SYN_SENT2] = c->tcp_syn_sent,
            },
        .unacked = c->tcp_unacked,
        .max_retrans = c->tcp_max_retrans,
    };
}

int64_t tcp_timeout(const struct tcp_track *t, const struct tcp_timeouts *timeouts,
                    bool answered)
{
    int64_t timeout = timeouts->by_state[t->state];

    if (t->retransmissions >= MAX_RETRANSMISSIONS && timeout > timeouts->max_retrans)
        timeout = timeouts->max_retrans;
    if ((t->unacked || (t->state == TCP_ESTABLISHED && !answered)) &&
        timeout > timeouts->unacked)
        timeout = timeouts->unacked;
    return timeout;
}
