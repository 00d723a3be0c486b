/*
 * A packet and the link of its WAN.
 *
 * Behind the router by the link up, in front of it by the link down. Captures are replayed as
 * they were recorded: what a link delays is told, but the router decides at the recorded time.
 * The fragments that waited for a packet cross with it, as one, and share its fate.
 */
#include "sim/timeline/simulation_parts.h"

/* Of the packet and of what goes with it, as metrics count them. */
static uint32_t bytes_of(const struct observation *o)
{
    const uint64_t bytes =
        o->packet->size_bytes + (o->decision ? o->decision->held_bytes : 0);

    return bytes < INT32_MAX ? (uint32_t)bytes : INT32_MAX;
}

static enum reason cross(struct simulation *sim, struct observation *o, struct link *l,
                         int64_t *queued_ns, enum queue_passed queue)
{
    struct link_passage passage;

    if (l->plain) {
        o->delay_ns += link_send_plain(l, sim->now_ns);
        return REASON_NONE;
    }
    if (!link_send(l, sim->now_ns, bytes_of(o), &passage))
        return passage.reason;
    o->delay_ns += passage.arrival_ns - sim->now_ns;
    *queued_ns = passage.queue_ns;
    if (l->conditions.rate_bps)
        o->queues |= (uint8_t)queue;
    return REASON_NONE;
}

enum reason crossing_up(struct simulation *sim, struct observation *o)
{
    return cross(sim, o, &sim->wans[o->out_wan].up, &o->queued_up_ns, QUEUE_UP);
}

enum reason crossing_down(struct simulation *sim, struct observation *o)
{
    return cross(sim, o, &sim->wans[o->in_wan].down, &o->queued_down_ns, QUEUE_DOWN);
}
