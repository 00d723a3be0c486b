#include "sim/links/link.h"

#include <assert.h>

#include "core/memory.h"

/* Nanoseconds that a byte takes at 1 bit/s. */
#define BYTE_NS UINT64_C(8000000000)

__extension__ typedef unsigned __int128 wide; /* a name for what ISO C has none */

/* ----------------------------------------------------------------------------- moments */

/* Is `a` no later than `b`? */
static bool moment_is_by(struct link_moment a, struct link_moment b)
{
    return a.ns < b.ns || (a.ns == b.ns && a.part <= b.part);
}

/* From `now_ns` on, `bytes` more at this rate. False: beyond all times. */
static bool moment_add(struct link_moment *m, int64_t now_ns, uint32_t bytes,
                       uint64_t rate)
{
    const uint64_t work = (uint64_t)bytes * BYTE_NS;
    const uint64_t whole = work / rate;
    const uint64_t limit = LINK_TIME_MAX;

    if (whole >= limit || (uint64_t)(m->ns - now_ns) >= limit - whole)
        return false;
    m->ns += (int64_t)whole;
    m->part += work % rate;
    if (m->part >= rate) {
        m->part -= rate;
        m->ns++;
    }
    return true;
}

/* `bytes` of room, as the time that they take. */
static struct link_moment room_of_bytes(uint64_t bytes, uint64_t rate)
{
    const wide work = (wide)bytes * BYTE_NS, whole = work / rate;

    if (whole >= (wide)LINK_TIME_MAX)
        return (struct link_moment){LINK_TIME_MAX, 0};
    return (struct link_moment){(int64_t)whole, (uint64_t)(work % rate)};
}

static struct link_moment room_of(const struct link_queue *q, uint64_t rate)
{
    if (q->kind == LINK_BYTES && rate)
        return room_of_bytes(q->limit, rate);
    if (q->kind == LINK_TIME && q->limit < LINK_TIME_MAX)
        return (struct link_moment){(int64_t)q->limit, 0};
    return (struct link_moment){LINK_TIME_MAX, 0};
}

/* A moment in the future, when what remains goes at another rate. */
static struct link_moment moment_rescale(struct link_moment m, int64_t now_ns,
                                         uint64_t before, uint64_t after)
{
    wide work;

    if (m.ns < now_ns || (m.ns == now_ns && m.part == 0))
        return m;
    if (!after)
        return (struct link_moment){now_ns, 0};
    work = (wide)(uint64_t)(m.ns - now_ns) * before + m.part;
    if (work / after >= (wide)LINK_TIME_MAX)
        return (struct link_moment){now_ns + LINK_TIME_MAX, 0};
    return (struct link_moment){now_ns + (int64_t)(work / after),
                                (uint64_t)(work % after)};
}

/* ------------------------------------------------------------------------------ making */

static void adopt(struct link *l, const struct link_conditions *c)
{
    assert(c->rate_bps <= INT64_MAX && c->delay_ns >= 0 && c->jitter_ns >= 0);
    l->conditions = *c;
    l->delay_ns = c->delay_ns;
    l->room = room_of(&l->queue, c->rate_bps);
    l->plain = false;
}

/* Nothing is left that a packet could meet but the delay. */
static bool is_plain(const struct link *l, int64_t now_ns)
{
    const struct link_conditions *c = &l->conditions;

    return c->rate_bps == 0 && c->jitter_ns == 0 && c->loss <= 0 &&
           now_ns + c->delay_ns >= l->last_arrival_ns;
}

void link_open(struct link *l, const struct link_conditions *own,
               const struct link_queue *queue, uint64_t seed, uint64_t purpose)
{
    *l = (struct link){.own = *own, .queue = *queue};
    if (queue->kind == LINK_PACKETS) {
        assert(queue->limit >= 1 && queue->limit <= LINK_PACKETS_MAX);
        l->departures = mem_alloc(queue->limit, sizeof *l->departures);
    }
    l->losses = random_stream_make(seed, purpose);
    l->jitters = random_stream_make(seed, ~purpose);
    adopt(l, own);
    l->plain = is_plain(l, 0);
}

void link_close(struct link *l)
{
    mem_free(l->departures);
    l->departures = NULL;
}

/* ----------------------------------------------------------------------------- chance */

/* With probability `p`; the same on any machine. */
static bool happens(struct random_stream *s, double p)
{
    return (double)(random_next(s) >> 11) * 0x1p-53 < p;
}

static bool is_lost(struct link *l)
{
    const double loss = l->conditions.loss, burst = l->conditions.burst;
    double p = loss;

    if (loss <= 0)
        return false;
    if (burst > 0 && loss < 1)
        p = l->bursting ? 1 - 1 / burst : loss / (burst * (1 - loss));
    l->bursting = happens(&l->losses, p);
    return l->bursting;
}

static int64_t jitter(struct link *l)
{
    const int64_t most = l->conditions.jitter_ns;

    return most ? (int64_t)random_below(&l->jitters, (uint64_t)most + 1) : 0;
}

/* ------------------------------------------------------------------------------ sending */

static bool fits(const struct link *l, int64_t now_ns, struct link_moment start,
                 struct link_moment end)
{
    switch ((enum link_limit)l->queue.kind) {
    case LINK_TIME: start.ns -= now_ns; return moment_is_by(start, l->room);
    case LINK_BYTES: end.ns -= now_ns; return moment_is_by(end, l->room);
    case LINK_PACKETS: /* of the last `limit` packets the first has left */
        return l->departures[l->departures_next] <= now_ns;
    case LINK_ENDLESS:
    case LINK_LIMITS: break;
    }
    return true;
}

static void note_departure(struct link *l)
{
    if (l->queue.kind != LINK_PACKETS)
        return;
    l->departures[l->departures_next] = l->idle.ns + (l->idle.part > 0);
    if (++l->departures_next == l->queue.limit)
        l->departures_next = 0;
}

/* Wait for those before it, then go. False: there is no room. */
static bool transmit(struct link *l, int64_t now_ns, uint32_t bytes,
                     struct link_passage *out)
{
    const bool idle = l->idle.ns < now_ns || (l->idle.ns == now_ns && l->idle.part == 0);
    const struct link_moment start = idle ? (struct link_moment){now_ns, 0} : l->idle;
    struct link_moment end = start;

    if (!moment_add(&end, now_ns, bytes, l->conditions.rate_bps) ||
        (!idle && !fits(l, now_ns, start, end)))
        return false;
    l->idle = end;
    note_departure(l);
    out->queue_ns = start.ns - now_ns;
    out->transmission_ns = end.ns - start.ns;
    return true;
}

bool link_send(struct link *l, int64_t now_ns, uint32_t bytes, struct link_passage *out)
{
    assert(bytes <= INT32_MAX);
    *out =
        (struct link_passage){.arrival_ns = now_ns + l->delay_ns, .reason = REASON_NONE};
    if (l->plain) {
        link_send_plain(l, now_ns);
        return true;
    }
    if (l->conditions.rate_bps && !transmit(l, now_ns, bytes, out)) {
        *out = (struct link_passage){.reason = REASON_QUEUE_FULL};
        return false;
    }
    out->arrival_ns += out->queue_ns + out->transmission_ns + jitter(l);
    if (out->arrival_ns < l->last_arrival_ns)
        out->arrival_ns = l->last_arrival_ns;
    if (is_lost(l)) {
        out->reason = REASON_LINK_LOSS;
        return false;
    }
    l->last_arrival_ns = out->arrival_ns;
    l->plain = is_plain(l, now_ns);
    return true;
}

/* ------------------------------------------------------------------------------ changes */

void link_set(struct link *l, const struct link_conditions *c, int64_t now_ns)
{
    const uint64_t before = l->conditions.rate_bps, after = c->rate_bps;

    if (before && before != after) {
        l->idle = moment_rescale(l->idle, now_ns, before, after);
        for (uint64_t i = 0; l->departures && i < l->queue.limit; i++) {
            const struct link_moment m = moment_rescale(
                (struct link_moment){l->departures[i], 0}, now_ns, before, after);

            l->departures[i] = m.ns + (m.part > 0);
        }
    }
    adopt(l, c);
    l->plain = is_plain(l, now_ns);
}

void link_restore(struct link *l, int64_t now_ns)
{
    const struct link_conditions own = l->own;

    link_set(l, &own, now_ns);
}
