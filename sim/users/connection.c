#include "sim/users/users_parts.h"

#include "core/random.h"

enum {
    SEGMENT_TCP = 1448, /* 1500 less IPv4, TCP and its time stamps */
    SEGMENT_QUIC = 1350,
    SYNS_MAX = 6,       /* tries beyond the first: Linux, tcp_syn_retries */
    PORT_FIRST = 32768, /* Linux, ip_local_port_range */
    PORT_LAST = 60999,
};

static bool is_reliable(const struct lane *l)
{
    return l->carrier == CARRIER_TCP || l->carrier == CARRIER_QUIC;
}

static struct parcel parcel_of(const struct lane *l, enum parcel_kind kind,
                               enum direction d)
{
    const struct connection *c = &l->connection;

    return (struct parcel){.lane = l->number,
                           .serial = c->serial,
                           .kind = (uint8_t)kind,
                           .direction = (uint8_t)d,
                           .segment = {.from = c->ways[d].nxt},
                           .ack = transfer_acknowledgement(&c->ways[!d])};
}

static void send(struct users *u, struct lane *l, const struct parcel *p)
{
    const struct connection *c = &l->connection;

    if (p->direction == UP)
        parcel_send_up(u, l, p);
    else
        parcel_send_down(u, l, p, &c->peer, c->peer_port);
}

static void send_kind(struct users *u, struct lane *l, enum parcel_kind kind,
                      enum direction d)
{
    const struct parcel p = parcel_of(l, kind, d);

    send(u, l, &p);
}

/* ---------------------------------------------------------------------- reliable transfer */

static void arm_resend(struct users *u, struct lane *l, enum direction d)
{
    struct connection *c = &l->connection;

    c->due_ns[d] = u->now_ns + c->ways[d].rto.rto_ns;
    if (l->timers[TIMER_RESEND_UP + d] == 0)
        users_arm(u, l, (enum users_timer)(TIMER_RESEND_UP + d), c->due_ns[d]);
}

/* All that may go now. True: something went, and acknowledged what had come. */
static bool pump(struct users *u, struct lane *l, enum direction d)
{
    struct connection *c = &l->connection;
    const uint32_t serial = c->serial;
    const bool waited = transfer_waits(&c->ways[d]);
    struct segment s;
    bool sent = false;

    while (c->serial == serial && transfer_next(&c->ways[d], u->now_ns, &s)) {
        struct parcel p = parcel_of(l, PARCEL_DATA, d);

        p.segment = s;
        c->ways[!d].unacknowledged = 0;
        send(u, l, &p);
        sent = true;
    }
    if (sent && !waited && is_reliable(l))
        arm_resend(u, l, d);
    return sent;
}

void connection_send(struct users *u, struct lane *l, enum direction d, uint64_t bytes)
{
    transfer_add(&l->connection.ways[d], bytes);
    pump(u, l, d);
}

static void open_again(struct users *u, struct lane *l)
{
    struct connection *c = &l->connection;

    c->tried_again = true;
    if (++c->ways[UP].timeouts > SYNS_MAX)
        return; /* patience ends it */
    rto_back_off(&c->ways[UP].rto);
    arm_resend(u, l, UP);
    send_kind(u, l, PARCEL_OPEN, UP);
}

void connection_resend(struct users *u, struct lane *l, enum direction d)
{
    struct connection *c = &l->connection;
    const bool opening = c->state == CONNECTION_OPENING;

    if (c->state == CONNECTION_NONE || (!opening && !transfer_waits(&c->ways[d])))
        return;
    if (u->now_ns < c->due_ns[d]) {
        users_arm(u, l, (enum users_timer)(TIMER_RESEND_UP + d), c->due_ns[d]);
        return;
    }
    if (opening) {
        open_again(u, l);
        return;
    }
    transfer_timed_out(&c->ways[d]);
    arm_resend(u, l, d);
    pump(u, l, d);
}

/* ------------------------------------------------------------------------- beginning, end */

static uint16_t next_port(struct users *u, const struct lane *l)
{
    struct user_host *h = &u->hosts[users_session(u, l)->host];

    if (h->port == 0)
        h->port =
            (uint16_t)(PORT_FIRST + random_below(&h->chance, PORT_LAST - PORT_FIRST));
    h->port = h->port >= PORT_LAST ? PORT_FIRST : (uint16_t)(h->port + 1);
    return h->port;
}

void connection_open(struct users *u, struct lane *l)
{
    struct connection *c = &l->connection;
    const uint32_t segment = l->carrier == CARRIER_QUIC ? SEGMENT_QUIC : SEGMENT_TCP;

    *c = (struct connection){.serial = ++u->serial, .opened_ns = u->now_ns};
    c->port = next_port(u, l);
    transfer_init(&c->ways[UP], segment);
    transfer_init(&c->ways[DOWN], segment);
    l->asked = l->answered = 0;
    users_tell(u, users_session(u, l), SESSION_CONNECTION, 0, NULL);
    if (!is_reliable(l)) {
        c->state = CONNECTION_OPEN;
        lane_opened(u, l);
        return;
    }
    c->state = CONNECTION_OPENING;
    arm_resend(u, l, UP);
    send_kind(u, l, PARCEL_OPEN, UP);
}

void connection_close(struct users *u, struct lane *l)
{
    struct connection *c = &l->connection;

    if (c->state == CONNECTION_OPEN && l->carrier == CARRIER_TCP) {
        const uint32_t serial = c->serial;

        send_kind(u, l, PARCEL_CLOSE, UP);
        if (c->serial == serial && c->accepted)
            send_kind(u, l, PARCEL_CLOSE, DOWN);
    }
    c->state = CONNECTION_NONE;
    c->serial = 0;
}

/* ------------------------------------------------------------------------------- talking */

void connection_beat(struct users *u, struct lane *l)
{
    struct connection *c = &l->connection;
    const uint32_t serial = c->serial;
    struct parcel p = parcel_of(l, PARCEL_BEAT, UP);

    if (c->state != CONNECTION_OPEN)
        return;
    if (u->now_ns >= l->ends_ns) {
        lane_talk_over(u, l);
        return;
    }
    users_arm(u, l, TIMER_BEAT, u->now_ns + u->profile->beat_ns);
    p.segment.bytes = u->profile->beat_up;
    parcel_send_up(u, l, &p);
    if (c->serial != serial || !c->accepted || c->shaken_ns)
        return;
    p = parcel_of(l, PARCEL_BEAT, DOWN);
    p.segment.bytes = u->profile->beat_down;
    parcel_send_down(u, l, &p, &c->peer, c->peer_port);
}

static bool is_peer(const struct connection *c, const struct parcel *p)
{
    return c->accepted && p->from_port == c->peer_port && addr_equal(&p->from, &c->peer);
}

static void accept_peer(struct connection *c, const struct parcel *p)
{
    c->accepted = true;
    c->peer = p->from;
    c->peer_port = p->from_port;
}

/* A packet of the talk has come to its far end, from an address that is not the peer's. */
static void hear_stranger(struct users *u, struct lane *l, const struct parcel *p)
{
    struct connection *c = &l->connection;

    switch ((enum peer_rule)u->profile->peer_rule) {
    case PEER_ROAM: accept_peer(c, p); return;
    case PEER_BLOCK: lane_blocked(u, l); return;
    case PEER_REHANDSHAKE:
        if (c->shaken_ns == 0) {
            c->shaken_ns = u->now_ns + u->profile->handshake_ns;
            lane_trouble(u, l, "peer-address-changed");
        }
        return;
    case PEER_IGNORE:
    case PEER_RULES: lane_trouble(u, l, "peer-address-changed"); return;
    }
}

static void hear_beat(struct users *u, struct lane *l, const struct parcel *p)
{
    struct connection *c = &l->connection;

    if (!c->accepted) {
        accept_peer(c, p);
    } else if (c->shaken_ns && u->now_ns >= c->shaken_ns) {
        c->shaken_ns = 0;
        accept_peer(c, p);
        users_tell(u, users_session(u, l), SESSION_SHOOK_HANDS, 0,
                   "peer-address-changed");
    } else if (!is_peer(c, p) && !c->shaken_ns) {
        hear_stranger(u, l, p);
    }
}

/* ------------------------------------------------------------------------------- arriving */

/* Bytes, or their acknowledgement, at the end that takes those of direction d. */
static void take_data(struct users *u, struct lane *l, const struct parcel *p)
{
    struct connection *c = &l->connection;
    const enum direction d = (enum direction)p->direction;
    const uint64_t una = c->ways[!d].una;
    bool acknowledge = false;

    transfer_acknowledged(&c->ways[!d], &p->ack, p->segment.bytes == 0, u->now_ns);
    if (c->ways[!d].una > una)
        c->due_ns[!d] = u->now_ns + c->ways[!d].rto.rto_ns;
    if (p->segment.bytes)
        acknowledge = transfer_received(&c->ways[d], &p->segment);
    if (!pump(u, l, !d) && acknowledge && is_reliable(l)) {
        c->ways[d].unacknowledged = 0;
        send_kind(u, l, PARCEL_DATA, !d);
    }
}

static void refuse(struct users *u, struct lane *l, const struct parcel *p)
{
    struct parcel reset = parcel_of(l, PARCEL_RESET, DOWN);

    reset.segment.from = p->ack.all;
    parcel_send_down(u, l, &reset, &p->from, p->from_port);
}

static void server_hears(struct users *u, struct lane *l, const struct parcel *p)
{
    struct connection *c = &l->connection;
    const uint32_t serial = c->serial;
    bool was_whole;

    if (p->kind == PARCEL_BEAT) {
        hear_beat(u, l, p);
        return;
    }
    if (p->kind == PARCEL_OPEN) {
        accept_peer(c, p);
        send_kind(u, l, PARCEL_ACCEPT, DOWN);
        return;
    }
    if (l->carrier == CARRIER_TCP && !is_peer(c, p)) {
        lane_trouble(u, l, "peer-address-changed");
        refuse(u, l, p);
        return;
    }
    accept_peer(c, p);
    if (p->kind != PARCEL_DATA)
        return;
    was_whole = c->ways[UP].got >= l->asked;
    take_data(u, l, p);
    if (c->serial == serial && !was_whole && c->ways[UP].got >= l->asked)
        lane_requested(u, l, &p->from);
}

static void client_opened(struct users *u, struct lane *l, int64_t sent_ns)
{
    struct connection *c = &l->connection;

    if (c->state != CONNECTION_OPENING)
        return;
    c->state = CONNECTION_OPEN;
    c->ways[UP].timeouts = 0;
    if (!c->tried_again) {
        rto_sample(&c->ways[UP].rto, u->now_ns - c->opened_ns);
        rto_sample(&c->ways[DOWN].rto, u->now_ns - c->opened_ns);
    }
    lane_progressed(u, l, sent_ns);
    lane_opened(u, l);
}

static void client_hears(struct users *u, struct lane *l, const struct parcel *p)
{
    struct connection *c = &l->connection;
    const uint32_t serial = c->serial;

    switch ((enum parcel_kind)p->kind) {
    case PARCEL_ACCEPT: client_opened(u, l, p->sent_ns); return;
    case PARCEL_RESET: lane_broke(u, l, SESSION_RESET); return;
    case PARCEL_BEAT: lane_progressed(u, l, p->sent_ns); return;
    case PARCEL_OPEN:
    case PARCEL_CLOSE: return;
    case PARCEL_DATA: break;
    }
    if (c->state != CONNECTION_OPEN)
        return;
    take_data(u, l, p);
    if (c->serial != serial)
        return;
    lane_progressed(u, l, p->sent_ns);
    if (p->segment.bytes && l->response && c->ways[DOWN].got >= l->answered)
        lane_answered(u, l);
}

void connection_arrived(struct users *u, const struct parcel *p)
{
    struct session *s = u->sessions[p->lane / LANES_MAX];
    struct lane *l = &s->lanes[p->lane % LANES_MAX];

    if (!s->live || l->connection.serial != p->serial)
        return; /* that connection is over */
    if (p->direction == UP)
        server_hears(u, l, p);
    else
        client_hears(u, l, p);
}
