#include "sim/timeline/wan.h"

void wan_init(struct wan_link *w)
{
    *w = (struct wan_link){.up_since_ns = 0};
}

bool wan_owns(const struct scenario_wan *w, const struct router *r, const struct addr *a)
{
    const struct iface_state *own = router_iface(r, (unsigned)w->iface);

    for (size_t i = 0; i < own->addresses_len; i++)
        if (addr_equal(&own->addresses[i].addr, a))
            return true;
    for (size_t i = 0; i < w->prefixes_len; i++)
        if (prefix_contains(&w->prefixes[i], a))
            return true;
    return false;
}

/* FNV-1a: a purpose of its own for each name and direction. */
static uint64_t purpose_of(const char *name, unsigned direction)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ direction;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

void wan_open(struct wan_link *w, const struct scenario_wan *s, uint64_t seed)
{
    struct link_conditions c = {
        .delay_ns = s->delay_ns,
        .jitter_ns = s->jitter_ns,
        .loss = s->loss,
        .burst = s->loss_burst,
    };

    c.rate_bps = s->up_bps;
    link_open(&w->up, &c, &s->queue, seed, purpose_of(s->name, 0));
    c.rate_bps = s->down_bps;
    link_open(&w->down, &c, &s->queue, seed, purpose_of(s->name, 1));
}

void wan_close(struct wan_link *w)
{
    link_close(&w->up);
    link_close(&w->down);
}

bool wan_is_up(const struct wan_link *w)
{
    return !w->carrier_lost && !w->admin_down;
}

enum reason wan_fault(const struct wan_link *w)
{
    if (!wan_is_up(w))
        return REASON_LINK_DOWN;
    if (w->gateway_down)
        return REASON_GATEWAY_DOWN;
    return w->blackholed ? REASON_BLACKHOLED : REASON_NONE;
}

bool wan_answers(const struct wan_link *w, bool beyond_gateway)
{
    const enum reason fault = wan_fault(w);

    return fault == REASON_NONE || (fault == REASON_BLACKHOLED && !beyond_gateway);
}

void wan_note_time(struct wan_link *w, int64_t now_ns)
{
    if (wan_is_up(w)) {
        if (w->up_since_ns < 0)
            w->up_since_ns = now_ns;
        return;
    }
    if (w->up_since_ns >= 0)
        w->up_ns += now_ns - w->up_since_ns;
    w->up_since_ns = -1;
}

int64_t wan_up_ns(const struct wan_link *w, int64_t now_ns)
{
    return w->up_ns + (w->up_since_ns >= 0 ? now_ns - w->up_since_ns : 0);
}
