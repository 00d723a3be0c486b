#include "sim/users/users_parts.h"

#include <string.h>

/* -------------------------------------------------------------------------------- outage */

/* What the person felt until now, since something last came. */
static void tell_outage(struct users *u, const struct lane *l)
{
    const int64_t gap = u->now_ns - l->progress_ns;

    if (l->state == LANE_WAITING && gap > u->profile->notice_ns)
        users_tell(u, users_session(u, l), SESSION_OUTAGE, gap, l->trouble);
}

/* What went wrong before that was sent is over; what did after it may still be felt. */
void lane_progressed(struct users *u, struct lane *l, int64_t sent_ns)
{
    tell_outage(u, l);
    if (sent_ns > l->trouble_ns)
        l->trouble = NULL;
    l->progress_ns = u->now_ns;
}

static void wait_from_now(struct users *u, struct lane *l)
{
    if (l->state != LANE_WAITING)
        l->progress_ns = u->now_ns;
    l->state = LANE_WAITING;
    users_arm(u, l, TIMER_PATIENCE, u->now_ns + u->profile->patience_ns);
}

void lane_look_at_patience(struct users *u, struct lane *l)
{
    const struct connection *c = &l->connection;
    const int64_t since = c->opened_ns > l->progress_ns ? c->opened_ns : l->progress_ns;
    const int64_t ends = since + u->profile->patience_ns;

    if (l->state != LANE_WAITING || c->state == CONNECTION_NONE)
        return;
    if (u->now_ns < ends)
        users_arm(u, l, TIMER_PATIENCE, ends);
    else
        lane_broke(u, l, SESSION_TIMED_OUT);
}

/* ------------------------------------------------------------------------------- sessions */

/* What a range counts for among the others: its addresses. Sums of them must not overflow. */
static uint64_t weight_of(const struct flowgen_range *r)
{
    const uint64_t most = UINT64_C(1) << 50;

    return r->count < most ? r->count : most;
}

static struct addr draw_server(const struct users *u, uint32_t host,
                               struct random_stream *s)
{
    const unsigned family = u->config->hosts[host].family;
    uint64_t all = 0, at;

    for (size_t i = 0; i < u->config->servers_len; i++)
        if (u->config->servers[i].first.family == family)
            all += weight_of(&u->config->servers[i]);
    at = random_below(s, all);
    for (size_t i = 0; i < u->config->servers_len; i++) {
        const struct flowgen_range *r = &u->config->servers[i];

        if (r->first.family != family)
            continue;
        if (at < weight_of(r))
            return flowgen_range_at(r, random_below(s, r->count));
        at -= weight_of(r);
    }
    return u->config->servers[0].first;
}

static uint8_t draw_carrier(const struct profile *p, struct random_stream *s)
{
    const bool quic = (double)(random_next(s) >> 11) < p->quic * 9007199254740992.0;

    return p->carrier == CARRIER_TCP && quic ? CARRIER_QUIC : p->carrier;
}

static int64_t draw_at_least(const struct law *law, struct random_stream *s,
                             int64_t least)
{
    const int64_t n = law_draw(law, s);

    return n < least ? least : n;
}

void session_begin(struct users *u, uint32_t host)
{
    struct random_stream *chance = &u->hosts[host].chance;
    const struct profile *p = u->profile;
    struct session *s = users_session_take(u);
    const int64_t lanes = draw_at_least(&p->lanes, chance, 1);
    struct addr servers[SERVERS_MAX];

    s->host = host;
    s->lanes_len = (unsigned)(lanes < LANES_MAX ? lanes : LANES_MAX);
    for (unsigned i = 0; i < p->servers; i++)
        servers[i] = draw_server(u, host, chance);
    users_tell(u, s, SESSION_BEGUN, 0, NULL);
    for (unsigned i = 0; i < s->lanes_len; i++) {
        struct lane *l = &s->lanes[i];

        l->carrier = draw_carrier(p, chance);
        l->exchanges = draw_at_least(&p->exchanges, chance, 1);
        l->server = servers[random_below(chance, p->servers)];
    }
    for (unsigned i = 0; s->live && i < s->lanes_len; i++)
        lane_step(u, &s->lanes[i]);
}

static void session_end(struct users *u, struct session *s, enum session_news_kind how,
                        const char *why)
{
    for (unsigned i = 0; i < s->lanes_len; i++) {
        struct lane *l = &s->lanes[i];

        tell_outage(u, l);
        l->state = LANE_OVER;
        connection_close(u, l);
    }
    users_tell(u, s, how, 0, why);
    users_session_give(u, s);
}

static void lane_over(struct users *u, struct lane *l)
{
    struct session *s = users_session(u, l);

    connection_close(u, l);
    l->state = LANE_OVER;
    if (++s->over == s->lanes_len)
        session_end(u, s, SESSION_FINISHED, NULL);
}

/* ---------------------------------------------------------------------------------- lanes */

static void begin_exchange(struct users *u, struct lane *l)
{
    struct random_stream *chance = &u->hosts[users_session(u, l)->host].chance;

    if (l->request == 0) { /* else the last one broke, and is asked for again */
        l->request = (uint64_t)draw_at_least(&u->profile->request, chance, 1);
        l->response = (uint64_t)draw_at_least(&u->profile->response, chance, 1);
    }
    l->asked += l->request;
    l->answered += l->response;
    wait_from_now(u, l);
    connection_send(u, l, UP, l->request);
}

static void begin_talk(struct users *u, struct lane *l)
{
    struct random_stream *chance = &u->hosts[users_session(u, l)->host].chance;

    if (l->ends_ns == 0)
        l->ends_ns = u->now_ns + draw_at_least(&u->profile->duration, chance, 1);
    wait_from_now(u, l);
    connection_beat(u, l);
}

void lane_step(struct users *u, struct lane *l)
{
    if (l->connection.state == CONNECTION_OPEN) {
        begin_exchange(u, l);
        return;
    }
    wait_from_now(u, l);
    connection_open(u, l);
}

void lane_opened(struct users *u, struct lane *l)
{
    if (l->carrier == CARRIER_TALK)
        begin_talk(u, l);
    else
        begin_exchange(u, l);
}

void lane_requested(struct users *u, struct lane *l, const struct addr *from)
{
    struct session *s = users_session(u, l);

    if (!s->known) {
        s->known = true;
        s->address = *from;
    } else if (u->profile->one_address && !addr_equal(&s->address, from)) {
        session_end(u, s, SESSION_ENDED, "two-addresses");
        return;
    }
    users_arm(u, l, TIMER_SERVE, u->now_ns + u->profile->server_ns);
}

void lane_serve(struct users *u, struct lane *l)
{
    if (l->connection.state == CONNECTION_OPEN)
        connection_send(u, l, DOWN, l->response);
}

void lane_answered(struct users *u, struct lane *l)
{
    struct random_stream *chance = &u->hosts[users_session(u, l)->host].chance;

    l->failures = 0;
    l->request = l->response = 0;
    l->state = LANE_IDLE;
    if (--l->exchanges == 0) {
        lane_over(u, l);
        return;
    }
    if (u->profile->fresh)
        connection_close(u, l);
    users_arm(u, l, TIMER_STEP, u->now_ns + law_draw(&u->profile->think, chance));
}

void lane_talk_over(struct users *u, struct lane *l)
{
    lane_over(u, l);
}

void lane_broke(struct users *u, struct lane *l, enum session_news_kind how)
{
    struct session *s = users_session(u, l);

    users_tell(u, s, how, 0, l->trouble);
    l->connection.state = CONNECTION_NONE;
    l->connection.serial = 0;
    if (++l->failures >= u->profile->tries)
        session_end(u, s, SESSION_GIVEN_UP, l->trouble);
    else
        users_arm(u, l, TIMER_STEP, u->now_ns + u->profile->again_ns);
}

void lane_blocked(struct users *u, struct lane *l)
{
    session_end(u, users_session(u, l), SESSION_ENDED, "peer-address-changed");
}
