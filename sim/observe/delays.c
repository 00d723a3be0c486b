#include "sim/observe/delays.h"

#include <string.h>

#include "core/memory.h"

void delays_init(struct delays *d, const struct scenario *s)
{
    *d = (struct delays){.paths_len = s->wans_len};
    d->paths = mem_alloc(s->wans_len, sizeof *d->paths);
    for (size_t w = 0; w < s->wans_len; w++) {
        const struct scenario_wan *wan = &s->wans[w];

        d->paths[w].cap_bytes = wan->cap_bytes;
        d->paths[w].reached_ns = -1;
        d->capped |= wan->cap_bytes > 0;
        d->timed |= wan->up_bps || wan->down_bps || wan->jitter_ns;
    }
}

void delays_free(struct delays *d)
{
    for (size_t w = 0; w < d->paths_len; w++) {
        histogram_free(&d->paths[w].queue_up);
        histogram_free(&d->paths[w].queue_down);
        histogram_free(&d->paths[w].completion);
    }
    mem_free(d->paths);
    mem_free(d->begun_ns);
    mem_free(d->arrived_ns);
}

/* -------------------------------------------------------------------------------- flows */

/* Room for the connection; one that never began has nothing in it. */
static void reach(struct delays *d, size_t len)
{
    const size_t more = len - d->conns_len;

    d->begun_ns = mem_grow(d->begun_ns, &d->begun_cap, len, sizeof *d->begun_ns);
    d->arrived_ns = mem_grow(d->arrived_ns, &d->arrived_cap, len, sizeof *d->arrived_ns);
    memset(d->begun_ns + d->conns_len, 0, more * sizeof *d->begun_ns);
    memset(d->arrived_ns + d->conns_len, 0, more * sizeof *d->arrived_ns);
    d->conns_len = len;
}

/* Write down what is pending: a connection begins or ends. */
static void settle(struct delays *d)
{
    for (; d->pending_len; d->pending_len--) {
        const struct arrived *a =
            &d->pending[(d->pending_next + DELAYS_PENDING - d->pending_len) %
                        DELAYS_PENDING];

        d->arrived_ns[a->conn] = a->time_ns;
    }
}

void delays_flow_begins(struct delays *d, const struct conn *c, int64_t time_ns)
{
    if (!d->timed)
        return;
    settle(d);
    if (c->index >= d->conns_len)
        reach(d, (size_t)c->index + 1);
    d->begun_ns[c->index] = time_ns;
    d->arrived_ns[c->index] = time_ns - 1;
}

void delays_flow_ends(struct delays *d, const struct conn *c, int path)
{
    int64_t took_ns;

    if (path < 0 || c->index >= d->conns_len ||
        (c->orig.protocol != PROTO_TCP && c->orig.protocol != PROTO_UDP))
        return;
    settle(d);
    took_ns = d->arrived_ns[c->index] - d->begun_ns[c->index];
    if (took_ns >= 0)
        histogram_add(&d->paths[path].completion, (uint64_t)took_ns);
}

/* ------------------------------------------------------------------------------ packets */

void delays_waited(struct delays *d, const struct observation *o)
{
    if (o->queues & QUEUE_UP)
        histogram_add(&d->paths[o->out_wan].queue_up, (uint64_t)o->queued_up_ns);
    if (o->queues & QUEUE_DOWN)
        histogram_add(&d->paths[o->in_wan].queue_down, (uint64_t)o->queued_down_ns);
}

static void use(struct path_delays *p, uint64_t bytes, int64_t time_ns)
{
    if (!p->cap_bytes)
        return;
    p->used_bytes += bytes;
    if (p->reached_ns < 0 && p->used_bytes >= p->cap_bytes)
        p->reached_ns = time_ns;
}

void delays_used(struct delays *d, const struct observation *o, uint64_t bytes)
{
    if (o->out_wan >= 0)
        use(&d->paths[o->out_wan], bytes, o->time_ns);
    if (o->in_wan >= 0)
        use(&d->paths[o->in_wan], bytes, o->time_ns);
}
