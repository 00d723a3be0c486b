#include "sim/observe/moves.h"

#include <string.h>

#include "core/policy.h"

const char *const move_cause_names[] = {"forced", "failback", "collateral", "config",
                                        "policy"};
const char *const flow_fate_names[] = {"survived", "stalled", "rehomed", "broken"};

/* ------------------------------------------------------------------ flows and events */

/* What the event did to the flow. A flow that began after the event is counted here. */
static struct touch *touch(struct metrics *m, struct flow *f, int event)
{
    struct event_state *e = &m->events[event];
    bool is_new;
    struct touch *t = flows_touch(&m->flows, f, event, &is_new);

    if (is_new && f->marks_before > e->begin_mark) {
        t->bits = TOUCH_MEANWHILE;
        e->meanwhile.alive++;
    }
    return t;
}

static struct event_flows *flows_of_touch(struct metrics *m, const struct touch *t)
{
    struct event_state *e = &m->events[t->event];

    return t->bits & TOUCH_MEANWHILE ? &e->meanwhile : &e->before;
}

static void set_alive(struct metrics *m, struct flow *f)
{
    if (f->flags & FLOW_ALIVE)
        return;
    f->flags |= FLOW_ALIVE;
    m->unharmed += f->worst == FLOW_SURVIVED;
}

void moves_mark(struct metrics *m, int event, bool begins, uint8_t family)
{
    m->marks = mem_grow(m->marks, &m->marks_cap, m->marks_len + 1, sizeof *m->marks);
    m->marks[m->marks_len++] = (struct mark){event, begins, family};
}

void moves_live_on(struct metrics *m, struct flow *f)
{
    if (f->path < 0)
        f->marks_seen = (uint32_t)m->marks_len;
    for (; f->marks_seen < m->marks_len; f->marks_seen++) {
        const struct mark mark = m->marks[f->marks_seen];

        if (mark.family != FAMILY_NONE && mark.family != f->family)
            continue;
        if (mark.begins)
            m->events[mark.event].before.alive++;
        else if (f->marks_before > m->events[mark.event].begin_mark)
            touch(m, f, mark.event);
        set_alive(m, f);
    }
}

/* True when the event had done nothing as bad to the flow before. */
static bool event_harms(struct metrics *m, struct flow *f, int event, enum flow_fate fate)
{
    struct touch *t = touch(m, f, event);
    struct event_flows *flows = flows_of_touch(m, t);

    if (fate <= t->fate)
        return false;
    if (t->fate != FLOW_SURVIVED)
        flows->fates[t->fate]--;
    flows->fates[fate]++;
    m->events[event].harms[m->events[event].step][fate]++;
    t->fate = (uint8_t)fate;
    return true;
}

/* True when it is the worst that the flow has come to. */
static bool flow_worsens(struct metrics *m, struct flow *f, enum flow_fate fate)
{
    uint64_t *of_host = f->host == FLOWS_NONE ? NULL : m->hosts.list[f->host]->fates;

    if (fate <= f->worst)
        return false;
    if (f->worst != FLOW_SURVIVED) {
        m->worst[f->worst]--;
        if (of_host)
            of_host[f->worst]--;
    } else if (f->flags & FLOW_ALIVE) {
        m->unharmed--;
    }
    m->worst[fate]++;
    if (of_host)
        of_host[fate]++;
    f->worst = (uint8_t)fate;
    return true;
}

static void harm(struct metrics *m, struct flow *f, int event, enum flow_fate fate)
{
    bool is_news = flow_worsens(m, f, fate);

    if (event >= 0)
        is_news = event_harms(m, f, event, fate);
    if (!is_news)
        return;
    m->stick.became[fate]++;
    if (fate == FLOW_BROKEN && f->host != FLOWS_NONE)
        m->hosts.counts[f->host].broken++;
}

/* --------------------------------------------------------------------------- moving */

/* What changed on a WAN, and at all, for flows of this one's family. */
static const struct path_changes *changes_of(const struct metrics *m,
                                             const struct flow *f, int wan)
{
    return &m->states[wan].changes[metrics_family(f->family)];
}

static const struct last_change *last_of(const struct metrics *m, const struct flow *f)
{
    return &m->last[metrics_family(f->family)];
}

/* A flow that was decided on a path after its loss has a route of its own there. */
static bool is_lost_since(const struct path_changes *path, const struct flow *f)
{
    return path->lost > path->returned && path->lost > f->changes_seen;
}

/* Was it decided by a policy under which one flow takes several paths? */
static bool was_sprayed(const struct metrics *m, const struct decision *d)
{
    return d->entry && d->entry->policy < m->scenario->router.policies_len &&
           m->sprays[d->entry->policy];
}

static enum move_cause why_moved(const struct metrics *m, const struct flow *f, int to,
                                 const struct decision *d, int *event)
{
    const struct path_changes *from = changes_of(m, f, f->path);
    const struct last_change *last = last_of(m, f);

    if (is_lost_since(from, f)) {
        *event = from->lost_event;
        return MOVE_FORCED;
    }
    if (was_sprayed(m, d)) {
        *event = -1;
        return MOVE_POLICY;
    }
    if (changes_of(m, f, to)->returned > f->changes_seen) {
        *event = changes_of(m, f, to)->returned_event;
        return MOVE_FAILBACK;
    }
    if (last->number <= f->changes_seen) {
        *event = -1;
        return MOVE_POLICY;
    }
    *event = last->event;
    if (last->kind == CHANGE_RETURN)
        return MOVE_FAILBACK;
    return last->kind == CHANGE_LOSS ? MOVE_COLLATERAL : MOVE_CONFIG;
}

/* The event behind the loss of an entry on a path that the flow stays on. */
static int why_entry_lost(const struct metrics *m, const struct flow *f)
{
    const struct path_changes *path = changes_of(m, f, f->path);
    const struct last_change *last = last_of(m, f);

    if (path->address > f->changes_seen)
        return path->address_event;
    if (path->lost > f->changes_seen)
        return path->lost_event;
    return last->number > f->changes_seen ? last->event : -1;
}

static void count_event_move(struct metrics *m, struct flow *f, enum move_cause cause,
                             int event)
{
    struct touch *t = touch(m, f, event);
    struct event_flows *flows = flows_of_touch(m, t);

    m->events[event].moves[cause]++;
    m->events[event].step_moves[m->events[event].step]++;
    flows->moved += !(t->bits & TOUCH_MOVED);
    t->bits |= TOUCH_MOVED;
    if (cause == MOVE_FORCED) {
        flows->forced += !(t->bits & TOUCH_FORCED);
        t->bits |= TOUCH_FORCED;
    } else if (cause == MOVE_COLLATERAL) {
        flows->collateral += !(t->bits & TOUCH_COLLATERAL);
        t->bits |= TOUCH_COLLATERAL;
    }
}

static void count_move(struct metrics *m, struct flow *f, enum move_cause cause,
                       int event)
{
    m->stick.moves[cause]++;
    m->flows_moved += !(f->flags & FLOW_MOVED);
    f->flags |= FLOW_MOVED;
    if (cause == MOVE_POLICY) {
        m->flows_moved_alone += !(f->flags & FLOW_MOVED_ALONE);
        f->flags |= FLOW_MOVED_ALONE;
    }
    if (event >= 0)
        count_event_move(m, f, cause, event);
}

/* ------------------------------------------------------------------- bytes and paths */

uint64_t moves_unaccounted(const struct flow *f, const struct conn *c,
                           uint64_t pending_bytes)
{
    const uint64_t total = c->bytes[0] + c->bytes[1];
    const uint64_t done = f->accounted_bytes + pending_bytes;

    return total > done ? total - done : 0;
}

/* What the flow fell with; NULL: alone. */
static struct choice *choice_of(struct metrics *m, const struct flow *f)
{
    return f->choice == CHOICE_OWN ? NULL : &m->choices.list[f->choice];
}

/* What the flow has carried so far was carried by its path, under its promise. */
static void account(struct metrics *m, struct flow *f, const struct conn *c,
                    uint64_t pending_bytes)
{
    const uint64_t bytes = moves_unaccounted(f, c, pending_bytes);
    struct choice *choice = choice_of(m, f);

    f->accounted_bytes += bytes;
    m->promises.counts[f->promise].bytes += bytes;
    if (!m->promises.promises[f->promise].choice)
        return;
    m->paths[f->path].choice_bytes += bytes;
    promises_add_bytes(&m->promises, f->promise, choice ? choice->bytes : f->choice_bytes,
                       bytes);
    f->choice_bytes += bytes;
    if (choice)
        choice->bytes += bytes;
}

/* Bytes of this packet that the connection has counted already. */
static uint64_t counted_bytes(const struct observation *o)
{
    const struct decision *d = o->decision;

    if (d->verdict != VERDICT_FORWARD || (d->flags & DECISION_INVALID) || d->held_packets)
        return 0;
    return o->packet->size_bytes;
}

static uint32_t promise_of(struct metrics *m, const struct decision *d, int wan)
{
    return promises_find(&m->promises, d->entry ? d->entry->group : NULL,
                         m->places.wan_of_iface, wan);
}

static void note_split_reply(struct metrics *m, struct flow *f)
{
    if (f->outward != 1 || f->request_wan < 0 || f->request_wan == f->path)
        return;
    m->flows_split_reply += !(f->flags & FLOW_SPLIT_REPLY);
    f->flags |= FLOW_SPLIT_REPLY;
}

/* Did the hash alone send it, as it would send the next flow of this hash? */
static bool hash_decides(const struct metrics *m, const struct decision *d)
{
    const struct router_config *c = &m->scenario->router;
    const struct policy *policy = NULL;

    if (!(d->flags & DECISION_HASHED) || !d->entry)
        return false;
    if (d->entry->policy < c->policies_len)
        policy = policy_find(c->policies[d->entry->policy].name);
    return !policy || (policy->traits & (POLICY_FIXED | POLICY_HASHED));
}

static void count_choice(struct metrics *m, struct flow *f, const struct decision *d)
{
    struct choice *choice;

    if (!m->promises.promises[f->promise].choice)
        return;
    m->paths[f->path].choice_flows++;
    if (hash_decides(m, d))
        f->choice = choices_find(&m->choices, d->hash, metrics_family(f->family));
    choice = choice_of(m, f);
    promises_add_flow(&m->promises, f->promise, choice ? choice->flows : 0);
    if (choice)
        choice->flows++;
}

/* The flow leaves by a WAN for the first time. */
static void take_path(struct metrics *m, struct flow *f, const struct observation *o,
                      int wan)
{
    f->path = wan;
    f->outward = o->decision->direction;
    f->marks_before = f->marks_seen;
    f->changes_seen = m->changes;
    f->promise = promise_of(m, o->decision, wan);
    m->promises.counts[f->promise].flows++;
    m->paths[wan].flows++;
    count_choice(m, f, o->decision);
    m->stick.flows++;
    if (m->ledger)
        ledger_path(m->ledger, flows_number(&m->flows, f), wan, &o->decision->nat_src);
    note_split_reply(m, f);
}

/* --------------------------------------------------------------------- public address */

static void remember_public(struct flow *f, const struct decision *d)
{
    memcpy(f->public_addr, d->nat_src.bytes, sizeof f->public_addr);
    f->public_port = d->nat_sport;
}

static bool entry_was_lost(const struct flow *f, const struct observation *o)
{
    const struct decision *d = o->decision;

    if (d->flags & DECISION_KILLED)
        return true;
    if (d->flags & DECISION_REVIVED)
        return f->public_port != d->nat_sport ||
               memcmp(f->public_addr, d->nat_src.bytes, sizeof f->public_addr) != 0;
    return (d->flags & DECISION_INVALID) && (o->conn->flags & CONN_KILLED);
}

/* TCP cannot go on without its entry, unless nothing but SYNs has been sent. */
static enum flow_fate fate_without_entry(const struct flow *f, const struct packet *p)
{
    const bool begins = (p->tcp_flags & TCP_SYN) && !(p->tcp_flags & TCP_ACK);

    return f->protocol == PROTO_TCP && !begins ? FLOW_BROKEN : FLOW_REHOMED;
}

/* -------------------------------------------------------------------------- deciding */

/* A packet on the flow's way out was decided: where to, and what does it mean? */
static void way_out(struct metrics *m, struct flow *f, const struct observation *o,
                    int wan)
{
    const struct decision *d = o->decision;
    const bool moved = wan != f->path;
    int event;

    account(m, f, o->conn, counted_bytes(o));
    if (moved) {
        const enum move_cause cause = why_moved(m, f, wan, d, &event);

        count_move(m, f, cause, event);
        f->path = wan;
    } else {
        event = why_entry_lost(m, f);
    }
    if (entry_was_lost(f, o))
        harm(m, f, event, fate_without_entry(f, o->packet));
    if (d->flags & DECISION_REVIVED)
        remember_public(f, d);
    note_split_reply(m, f);
    if (moved && (f->outward == 1 && f->request_wan >= 0 && f->request_wan != wan))
        harm(m, f, event, FLOW_BROKEN);
    if (moved && (f->leaks[d->direction] & LEAK_FOREIGN))
        harm(m, f, event, FLOW_BROKEN);
    f->promise = promise_of(m, d, wan);
    f->changes_seen = m->changes;
}

/* What would leak by this decision, and is the flow to be watched for it? */
static void look_for_leaks(struct metrics *m, struct flow *f, const struct observation *o,
                           int wan)
{
    const struct decision *d = o->decision;
    unsigned leaks = 0;

    if (wan >= 0 && d->verdict == VERDICT_FORWARD)
        leaks = places_leaks(&m->places, &d->nat_src, &o->packet->dst, wan);
    f->leaks[d->direction] = (uint8_t)leaks;
    if (f->host != FLOWS_NONE || f->leaks[0] || f->leaks[1])
        o->conn->cookie |= FLOW_WATCHED;
    else
        o->conn->cookie &= ~FLOW_WATCHED;
}

void moves_decided(struct metrics *m, struct flow *f, const struct observation *o)
{
    const struct decision *d = o->decision;
    const int wan = moves_wan(m, d);

    if (o->packet->flags & PACKET_ICMP_ERROR)
        return;
    if (d->direction == 0 && o->in_wan >= 0)
        f->request_wan = o->in_wan;
    look_for_leaks(m, f, o, wan);
    if (wan >= 0 && f->path < 0)
        take_path(m, f, o, wan);
    else if (wan >= 0 && d->direction == f->outward)
        way_out(m, f, o, wan);
}

void moves_begin(struct metrics *m, const struct observation *o)
{
    const uint32_t number = flows_add(&m->flows);
    struct flow *f = flows_at(&m->flows, number);

    m->flows_begun++;
    o->conn->cookie = number + 1;
    f->protocol = o->conn->orig.protocol;
    f->family = o->conn->orig.family;
    f->marks_seen = (uint32_t)m->marks_len;
    f->host = hosts_find(&m->hosts, &o->packet->src);
    if (f->host == FLOWS_NONE) {
        f->host = hosts_find(&m->hosts, &o->packet->dst);
        f->host_direction = 1;
    }
    if (f->host != FLOWS_NONE)
        m->hosts.list[f->host]->flows++;
    remember_public(f, o->decision);
    if (m->ledger)
        ledger_begin(m->ledger, number, &o->conn->orig);
    delays_flow_begins(&m->delays, o->conn, o->time_ns);
}

void moves_lost(struct metrics *m, struct flow *f, int event)
{
    if (f->path >= 0)
        harm(m, f, event, FLOW_STALLED);
}

void moves_unrouted(struct metrics *m, struct flow *f)
{
    const struct path_changes *path;

    if (f->path < 0)
        return;
    path = changes_of(m, f, f->path);
    harm(m, f, path->lost > path->returned ? path->lost_event : last_of(m, f)->event,
         FLOW_STALLED);
}

void moves_end(struct metrics *m, const struct conn *c)
{
    const uint32_t number = flows_of_cookie(c->cookie);
    struct flow *f;

    if (number == FLOWS_NONE)
        return;
    f = flows_at(&m->flows, number);
    delays_flow_ends(&m->delays, c, f->path);
    if (f->path >= 0)
        account(m, f, c, 0);
    m->choice_bytes += f->choice_bytes;
    elephants_offer(&m->elephants, &c->orig, f->choice_bytes, f->path);
    if (m->ledger)
        ledger_end(m->ledger, number, c->bytes[0] + c->bytes[1]);
    if (f->host != FLOWS_NONE)
        hosts_flow_ended(&m->hosts, f);
    flows_remove(&m->flows, number);
}
