#include "sim/users/transfer.h"

#include <string.h>

enum { INITIAL_SEGMENTS = 10, DUPLICATES = 3, ACK_EVERY = 2 };

void transfer_init(struct transfer *t, uint32_t segment)
{
    *t = (struct transfer){
        .segment = segment,
        .window = INITIAL_SEGMENTS * segment,
        .threshold = TRANSFER_WINDOW,
    };
    rto_init(&t->rto);
}

void transfer_add(struct transfer *t, uint64_t bytes)
{
    t->end += bytes;
}

/* ----------------------------------------------------------------------------- sending */

static uint64_t may_send_to(const struct transfer *t)
{
    const uint64_t window = t->window < TRANSFER_WINDOW ? t->window : TRANSFER_WINDOW;
    const uint64_t to = t->una + window;

    return to < t->end ? to : t->end;
}

/* The next segment of a hole that the receiver told of, or of the first before it told any. */
static bool next_of_hole(struct transfer *t, struct segment *s)
{
    const struct acknowledgement *told = &t->told;
    uint64_t from = t->resent > t->una ? t->resent : t->una, to = from + t->segment;

    if (!t->recover || t->credit == 0)
        return false;
    for (unsigned i = 0; i < told->sacks_len && from >= told->sacks[i].from; i++)
        if (from < told->sacks[i].to) {
            from = told->sacks[i].to;
            to = from + t->segment;
        }
    if (from > t->una &&
        (told->sacks_len == 0 || from >= told->sacks[told->sacks_len - 1].from))
        return false; /* nobody knows of a hole there */
    for (unsigned i = 0; i < told->sacks_len; i++)
        if (told->sacks[i].from > from && told->sacks[i].from < to)
            to = told->sacks[i].from;
    if (to > t->high)
        to = t->high;
    *s = (struct segment){from, (uint32_t)(to - from), true};
    t->resent = to;
    t->credit--;
    return to > from;
}

bool transfer_next(struct transfer *t, int64_t now_ns, struct segment *s)
{
    const uint64_t to = may_send_to(t);
    uint64_t bytes;

    if (next_of_hole(t, s))
        return true;
    if (t->nxt >= to)
        return false;
    bytes = to - t->nxt;
    if (bytes > t->segment)
        bytes = t->segment;
    else if (bytes < t->segment && t->nxt + bytes < t->end && t->nxt > t->una)
        return false; /* a full one will fit when the next acknowledgement comes */
    *s = (struct segment){t->nxt, (uint32_t)bytes, t->nxt + bytes >= to};
    t->nxt += bytes;
    if (t->nxt > t->high) {
        /* In recovery an acknowledgement waits for holes: it tells no round trip. */
        if (t->timed == 0 && !t->recover && s->from >= t->high) {
            t->timed = t->nxt;
            t->timed_ns = now_ns;
        }
        t->high = t->nxt;
    }
    return true;
}

static uint32_t half_of_flight(const struct transfer *t)
{
    const uint64_t half = (t->nxt - t->una) / 2, least = 2 * (uint64_t)t->segment;

    return (uint32_t)(half > least ? half : least);
}

static void grow(struct transfer *t, uint64_t bytes)
{
    uint64_t window = t->window;

    if (window < t->threshold)
        window += bytes;
    else
        window += (uint64_t)t->segment * bytes / window;
    t->window = (uint32_t)(window < TRANSFER_WINDOW ? window : TRANSFER_WINDOW);
}

static void duplicate(struct transfer *t)
{
    if (t->recover || t->una < t->avoid || ++t->duplicates < DUPLICATES)
        return;
    t->threshold = half_of_flight(t);
    t->window = t->threshold;
    t->recover = t->high;
    t->timed = 0;
    t->resent = t->una;
    t->credit = 1;
}

void transfer_acknowledged(struct transfer *t, const struct acknowledgement *a,
                           bool alone, int64_t now_ns)
{
    const uint64_t ack = a->all;

    if (ack > t->high || ack < t->una)
        return;
    t->told = *a;
    t->credit += t->recover != 0;
    if (ack == t->una) {
        if (alone && transfer_waits(t))
            duplicate(t);
        return;
    }
    if (t->timed && ack >= t->timed) {
        rto_sample(&t->rto, now_ns - t->timed_ns);
        t->timed = 0;
    }
    if (!t->recover)
        grow(t, ack - t->una);
    else if (ack >= t->recover)
        t->recover = 0;
    if (!t->recover)
        t->credit = 0;
    t->una = ack;
    if (t->nxt < ack)
        t->nxt = ack;
    t->duplicates = 0;
    t->timeouts = 0;
}

void transfer_timed_out(struct transfer *t)
{
    t->threshold = half_of_flight(t);
    t->window = t->segment;
    t->recover = 0;
    t->avoid = t->high;
    t->duplicates = 0;
    t->timeouts++;
    t->timed = 0;
    t->credit = 0;
    t->nxt = t->una;
    rto_back_off(&t->rto);
}

/* --------------------------------------------------------------------------- receiving */

static void held_remove(struct transfer *t, unsigned i)
{
    t->held_len--;
    memmove(&t->held[i], &t->held[i + 1], (t->held_len - i) * sizeof t->held[0]);
}

/* Room for a piece, joined with those that it touches; the last gives way when all are taken. */
static void hold(struct transfer *t, struct piece p)
{
    unsigned at;

    for (unsigned i = t->held_len; i-- > 0;) {
        if (t->held[i].to < p.from || p.to < t->held[i].from)
            continue;
        p.from = p.from < t->held[i].from ? p.from : t->held[i].from;
        p.to = p.to > t->held[i].to ? p.to : t->held[i].to;
        held_remove(t, i);
    }
    if (t->held_len == TRANSFER_HELD_MAX) {
        if (p.from > t->held[t->held_len - 1].from)
            return;
        t->held_len--;
    }
    for (at = t->held_len; at > 0 && t->held[at - 1].from > p.from; at--)
        t->held[at] = t->held[at - 1];
    t->held[at] = p;
    t->held_len++;
}

bool transfer_received(struct transfer *t, const struct segment *s)
{
    const uint64_t to = s->from + s->bytes;

    if (s->from > t->got) {
        hold(t, (struct piece){s->from, to});
        return true;
    }
    if (to <= t->got)
        return true; /* it was here: the acknowledgement was lost */
    t->got = to;
    while (t->held_len && t->held[0].from <= t->got) {
        if (t->held[0].to > t->got)
            t->got = t->held[0].to;
        held_remove(t, 0);
    }
    if (++t->unacknowledged < ACK_EVERY && !s->push && t->held_len == 0)
        return false;
    return true;
}

struct acknowledgement transfer_acknowledgement(const struct transfer *t)
{
    struct acknowledgement a = {.all = t->got};

    while (a.sacks_len < t->held_len && a.sacks_len < TRANSFER_SACKS) {
        a.sacks[a.sacks_len] = t->held[a.sacks_len];
        a.sacks_len++;
    }
    return a;
}
