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

enum {
    MAX_RETRANSMISSIONS = 3, /* nf_conntrack_tcp_max_retrans */
    MAX_ACK_WINDOW = 66000,  /* how far back an ACK may lie, at the least */
    LAST_DIRECTION = 128,    /* in tcp_track.last */
    HEADER_BYTES = 20,
};

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

/* Flags that a TCP may send together. Source: tcp_valid_flags. */
static bool flags_are_valid(const struct packet *p)
{
    switch (p->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) {
    case TCP_SYN:
    case TCP_SYN | TCP_URG:
    case TCP_SYN | TCP_ACK:
    case TCP_RST:
    case TCP_RST | TCP_ACK:
    case TCP_FIN | TCP_ACK:
    case TCP_FIN | TCP_ACK | TCP_URG:
    case TCP_ACK:
    case TCP_ACK | TCP_URG: return true;
    default: return false;
    }
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

static uint32_t widest(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* ----------------------------------------------------------------------- what came last */

static enum kind last_kind(const struct tcp_track *t)
{
    return (enum kind)(t->last & ~LAST_DIRECTION);
}

static unsigned last_direction(const struct tcp_track *t)
{
    return (t->last & LAST_DIRECTION) != 0;
}

static void last_set(struct tcp_track *t, enum kind kind, unsigned d)
{
    t->last = (uint8_t)(kind | (d ? LAST_DIRECTION : 0));
}

/* ---------------------------------------------------------------------- the window scale */

/* As packet.tcp_scale: 0 = not offered, else the shift + 1. */
static unsigned scale_of(const struct tcp_track *t, unsigned d)
{
    return d ? t->scales >> 4 : t->scales & 15u;
}

static void scale_set(struct tcp_track *t, unsigned d, unsigned scale)
{
    t->scales = (uint8_t)(d ? (t->scales & 15u) | scale << 4 : (t->scales & 0xf0u) | scale);
}

static unsigned scale_shift(unsigned scale)
{
    return scale ? scale - 1 : 0;
}

static void flags_clear(struct tcp_track *t, unsigned d)
{
    t->flags &= (uint8_t) ~((TCP_UNACKED | TCP_ACKED) << d);
}

/* What a SYN's options say. A SYN without any says nothing. */
static void options_read(struct tcp_track *t, const struct packet *p, unsigned d)
{
    if (p->transport_bytes <= HEADER_BYTES)
        return;
    flags_clear(t, d);
    scale_set(t, d, p->tcp_scale);
}

/* -------------------------------------------------------------------------- the windows */

/* A side's SYN or SYN+ACK. Both must offer the scale for either to count. */
static void side_open(struct tcp_track *t, const struct packet *p, unsigned d)
{
    struct tcp_side *s = &t->side[d];

    s->end = s->max_end = packet_end(p);
    s->max_window = widest(p->tcp_window, 1);
    options_read(t, p, d);
    if (d == 0 || (scale_of(t, 0) && scale_of(t, 1)))
        return;
    scale_set(t, 0, scale_of(t, 0) != 0);
    scale_set(t, 1, scale_of(t, 1) != 0);
}

/* A side's first packet is in mid-stream. */
static void side_pick_up(struct tcp_track *t, const struct packet *p, unsigned d)
{
    struct tcp_side *sender = &t->side[d], *receiver = &t->side[!d];

    sender->end = packet_end(p);
    sender->max_window = widest((uint32_t)p->tcp_window << scale_shift(scale_of(t, d)), 1);
    sender->max_end = sender->end + sender->max_window;
    if (receiver->max_window == 0)
        receiver->end = receiver->max_end = p->tcp_ack;
    else if (p->tcp_ack == receiver->end + 1) /* answers a keep-alive */
        receiver->end++;
}

/* A segment with what it really acknowledges. */
struct span {
    uint32_t seq, end, ack;
};

static bool window_is_kept(struct tcp_track *t, const struct span *s, unsigned d)
{
    struct tcp_side *sender = &t->side[d];
    const struct tcp_side *receiver = &t->side[!d];
    const uint32_t oldest_ack =
        receiver->end - widest(sender->max_window, MAX_ACK_WINDOW) - 1;
    const bool ack_is_known = !is_after(s->ack, receiver->end);
    const bool ack_is_recent = is_after(s->ack, oldest_ack);
    const bool is_recent = is_after(s->end, sender->end - receiver->max_window - 1);

    if (is_after(s->seq, sender->max_end)) {
        if (receiver->max_window && is_recent && ack_is_recent && ack_is_known &&
            s->end - sender->max_end + 1 <= receiver->max_window) { /* a little too much */
            sender->end = s->end;
            t->flags |= (uint8_t)(TCP_UNACKED << d);
        }
        return false;
    }
    return ack_is_known && (is_recent || receiver->max_window == 0) && ack_is_recent;
}

static void window_move(struct tcp_track *t, const struct packet *p, const struct span *s,
                        unsigned d)
{
    struct tcp_side *sender = &t->side[d], *receiver = &t->side[!d];
    const unsigned shift = p->tcp_flags & TCP_SYN ? 0 : scale_shift(scale_of(t, d));
    const uint32_t window = (uint32_t)p->tcp_window << shift;

    sender->max_window = widest(sender->max_window, window);
    if (is_after(s->end, sender->end)) {
        sender->end = s->end;
        t->flags |= (uint8_t)(TCP_UNACKED << d);
    }
    if (p->tcp_flags & TCP_ACK) {
        if (!(t->flags & TCP_ACKED << d) || is_after(s->ack, sender->max_ack))
            sender->max_ack = s->ack;
        t->flags |= (uint8_t)(TCP_ACKED << d);
    }
    if (receiver->max_window && is_after(s->end, sender->max_end))
        receiver->max_window += s->end - sender->max_end;
    if (is_after(s->ack + window, receiver->max_end - 1))
        receiver->max_end = s->ack + widest(window, 1);
    if (s->ack == receiver->end)
        t->flags &= (uint8_t) ~(TCP_UNACKED << !d);
}

static void count_repetition(struct tcp_track *t, const struct packet *p,
                             const struct span *s, unsigned d)
{
    if (last_direction(t) == d && t->last_seq == s->seq && t->last_ack == s->ack &&
        t->last_end == s->end && t->last_window == p->tcp_window) {
        t->retransmissions++; /* over 255 it begins again, as the kernel's */
        return;
    }
    t->last_seq = s->seq;
    t->last_ack = s->ack;
    t->last_end = s->end;
    t->last_window = p->tcp_window;
    t->retransmissions = 0;
}

/* Source: tcp_in_window(). */
static void windows_follow(struct tcp_track *t, const struct packet *p, unsigned d,
                           enum kind kind)
{
    const struct tcp_side *sender = &t->side[d];
    const bool syn = p->tcp_flags & TCP_SYN, ack = p->tcp_flags & TCP_ACK;
    const bool reopens = syn && is_after(packet_end(p), sender->end) &&
                         (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED);
    const bool is_first = sender->max_window == 0;
    struct span s = {p->tcp_seq, packet_end(p), p->tcp_ack};

    if (is_first && !syn) {
        side_pick_up(t, p, d);
    } else if (is_first || reopens) {
        side_open(t, p, d);
        if (!ack && (is_first || d == 1)) /* a simultaneous open */
            return;
    }
    if (!ack || (kind == KIND_RST && s.ack == 0))
        s.ack = t->side[!d].end;
    if (kind == KIND_RST && s.seq == 0 && t->state == TCP_SYN_SENT)
        s.seq = s.end = sender->end;
    if (!window_is_kept(t, &s, d))
        return;
    window_move(t, p, &s, d);
    if (kind == KIND_ACK)
        count_repetition(t, p, &s, d);
}

/* ------------------------------------------------------------------------- the decisions */

/* Somebody meant to close it: a SYN behind that is a new connection. */
static bool may_begin_anew(const struct tcp_track *t, unsigned d)
{
    return (t->flags & TCP_CLOSING) ||
           (last_kind(t) == KIND_RST && last_direction(t) == d);
}

/* The SYN+ACK to a SYN that was let through: the two hosts agree, only the entry did not. */
static bool answers_last_syn(const struct tcp_track *t, const struct packet *p, unsigned d,
                             enum kind kind)
{
    return kind == KIND_SYNACK && last_kind(t) == KIND_SYN && last_direction(t) != d &&
           p->tcp_ack == t->last_end;
}

static void agree_with_last_syn(struct tcp_track *t, unsigned d)
{
    struct tcp_side *other = &t->side[!d];

    other->end = other->max_end = t->last_end;
    other->max_window = widest(t->last_window, 1);
    scale_set(t, !d, t->last_scale);
    memset(&t->side[d], 0, sizeof t->side[d]);
    scale_set(t, d, 0);
    flags_clear(t, 0);
    flags_clear(t, 1);
    t->flags &= (uint8_t) ~(TCP_CLOSING | TCP_CHALLENGED);
}

static void let_through(struct tcp_track *t, const struct packet *p, unsigned d,
                        enum kind kind)
{
    last_set(t, kind, d);
    t->last_seq = p->tcp_seq;
    t->last_end = packet_end(p);
    t->last_window = p->tcp_window;
    if (kind == KIND_SYN && d == 0) {
        t->flags &= (uint8_t) ~(TCP_SIMULTANEOUS | TCP_CHALLENGED);
        t->last_scale = p->tcp_scale;
        if (t->state == TCP_LAST_ACK)
            t->flags |= TCP_CHALLENGED;
    }
    if (kind == KIND_ACK && d == 1 && t->state == TCP_SYN_SENT)
        t->last_ack = p->tcp_ack;
}

static bool is_challenge_ack(const struct tcp_track *t, unsigned d, enum kind kind)
{
    return t->state == TCP_LAST_ACK && kind == KIND_ACK && last_direction(t) != d &&
           last_kind(t) == KIND_SYN && (t->flags & TCP_CHALLENGED);
}

static bool is_closing(unsigned state)
{
    return state >= TCP_FIN_WAIT && state <= TCP_CLOSE;
}

/* Does a connection whose other side has acknowledged believe this RST? */
static bool reset_is_exact(const struct tcp_track *t, const struct packet *p, unsigned d)
{
    if (t->state != TCP_ESTABLISHED || !(t->flags & TCP_ASSURED) ||
        p->tcp_seq == t->side[!d].max_ack)
        return true;
    return last_kind(t) == KIND_ACK && last_direction(t) == d && p->tcp_seq == t->last_end;
}

/* A RST that answers a SYN or an ACK that was let through: the windows say nothing of it. */
static bool reset_is_answer(const struct tcp_track *t, const struct packet *p,
                            bool answered)
{
    const enum kind last = last_kind(t);

    if (t->state == TCP_SYN_SENT && last == KIND_ACK && last_direction(t) == 1 &&
        p->tcp_seq == t->last_ack)
        return true;
    return p->tcp_ack == t->last_end &&
           ((answered && last == KIND_SYN) ||
            (!(t->flags & TCP_ASSURED) && last == KIND_ACK));
}

/* The state behind a RST. *outside: the windows are not asked. */
static uint8_t follow_reset(const struct tcp_track *t, const struct packet *p, unsigned d,
                            bool answered, bool *outside)
{
    uint8_t next = TCP_CLOSE;

    *outside = is_closing(t->state);
    if (*outside)
        return next;
    if ((t->flags & TCP_ACKED << !d) && last_kind(t) != KIND_SYN) {
        if (reset_is_exact(t, p, d))
            return next;
        next = t->state;
    }
    *outside = reset_is_answer(t, p, answered);
    return next;
}

static void follow_state(struct tcp_track *t, unsigned d, enum kind kind, uint8_t before,
                         uint8_t next, bool answered)
{
    last_set(t, kind, d);
    t->state = next;
    if (next == TCP_FIN_WAIT && before != next)
        t->flags |= TCP_CLOSING;
    if (answered && next == TCP_ESTABLISHED &&
        (before == TCP_SYN_RECEIVED || before == TCP_ESTABLISHED))
        t->flags |= TCP_ASSURED;
}

bool tcp_begin(struct tcp_track *t, const struct packet *p, bool loose)
{
    const enum kind kind = packet_kind(p);
    const uint8_t state = transitions[0][kind][TCP_NONE];
    struct tcp_side *s = &t->side[0];

    if (!flags_are_valid(p) || state >= TCP_STATES ||
        (state == TCP_ESTABLISHED && !loose))
        return false;
    memset(t, 0, sizeof *t);
    s->end = s->max_end = packet_end(p);
    s->max_window = widest(p->tcp_window, 1);
    if (kind == KIND_SYN)
        options_read(t, p, 0);
    else
        s->max_end += s->max_window;
    last_set(t, KIND_NONE, 0);
    windows_follow(t, p, 0, kind);
    follow_state(t, 0, kind, TCP_NONE, state, false);
    return true;
}

enum tcp_verdict tcp_follow(struct tcp_track *t, const struct packet *p,
                            unsigned direction, bool answered)
{
    const enum kind kind = packet_kind(p);
    uint8_t before = t->state, next = transitions[direction][kind][before];
    bool outside = false;

    if (!flags_are_valid(p) || next == IV)
        return TCP_INVALID;
    if (next == TCP_SYN_SENT && before >= TCP_TIME_WAIT) {
        if (may_begin_anew(t, direction))
            return TCP_ANEW;
        next = IG;
    }
    if (next == IG && answers_last_syn(t, p, direction, kind)) {
        agree_with_last_syn(t, direction);
        before = TCP_SYN_SENT;
        next = TCP_SYN_RECEIVED;
    } else if (next == IG) {
        let_through(t, p, direction, kind);
        return TCP_IGNORED;
    } else if (next == TCP_TIME_WAIT && is_challenge_ack(t, direction, kind)) {
        t->flags &= (uint8_t)~TCP_CHALLENGED;
        return TCP_IGNORED;
    } else if (next == TCP_SYN_SENT2) {
        t->flags |= TCP_SIMULTANEOUS;
    } else if (next == TCP_SYN_RECEIVED && direction == 1 && kind == KIND_ACK &&
               (t->flags & TCP_SIMULTANEOUS)) {
        next = TCP_ESTABLISHED;
    } else if (kind == KIND_RST) {
        next = follow_reset(t, p, direction, answered, &outside);
    }
    if (!outside)
        windows_follow(t, p, direction, kind);
    follow_state(t, direction, kind, before, next, answered);
    if (kind == KIND_RST && !answered)
        return TCP_GONE;
    return kind == KIND_SYN && before == TCP_SYN_SENT && !answered ? TCP_AGAIN : TCP_TRACKED;
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
    const int64_t by_state = timeouts->by_state[t->state];
    const int64_t silent = by_state < timeouts->unacked ? by_state : timeouts->unacked;
    int64_t timeout = by_state;

    if (t->retransmissions >= MAX_RETRANSMISSIONS && by_state > timeouts->max_retrans)
        timeout = timeouts->max_retrans;
    else if (last_kind(t) == KIND_RST)
        timeout = timeouts->by_state[TCP_CLOSE];
    else if (t->flags & (TCP_UNACKED | TCP_UNACKED << 1))
        timeout = silent;
    else if (t->last_window == 0 && by_state > timeouts->max_retrans)
        timeout = timeouts->max_retrans;
    if (t->state == TCP_ESTABLISHED && !answered && timeout > timeouts->unacked)
        timeout = timeouts->unacked;
    return timeout;
}
