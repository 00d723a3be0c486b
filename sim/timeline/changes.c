/*
 * What became of next hops when something was done to the router, told to the observers and to
 * the courses of events.
 */
#include "sim/timeline/simulation_parts.h"

static void tell_change(struct simulation *sim, const struct change *what)
{
    struct change c = *what;

    c.time_ns = sim->now_ns;
    c.epoch = router_epoch(sim->router);
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].changed)
            sim->observers[i].changed(sim->observers[i].context, &c);
}

/* Do more or fewer next hops of the family live on the WAN than before? Then tell it. */
static bool note_next_hops(struct simulation *sim, size_t wan, enum family family,
                           unsigned *known, enum change_kind kind, int event)
{
    const unsigned iface = (unsigned)sim->scenario->wans[wan].iface, before = *known;
    const unsigned now = rib_iface_next_hops(router_rib(sim->router), iface, family);

    *known = now;
    if (now == before || kind == CHANGE_CONFIG)
        return false;
    if (now < before)
        course_lost(&sim->courses, event, (int)wan, before - now, sim->now_ns);
    else
        course_returned(&sim->courses, (int)wan, now - before, sim->now_ns);
    tell_change(sim, &(struct change){.kind = now < before ? CHANGE_LOSS : CHANGE_RETURN,
                                      .family = (uint8_t)family,
                                      .wan = (int)wan,
                                      .event = event});
    return true;
}

/* The family of routes that an event concerns by itself; FAMILY_NONE: both. */
static enum family event_family(const struct scenario *s, int event)
{
    const struct scenario_event *e = &s->events[event];

    switch ((enum event_kind)e->kind) {
    case EVENT_ADDRESS_CHANGE:
    case EVENT_LEASE_CHANGE:
    case EVENT_PPPOE_RECONNECT: return e->address.addr.family;
    case EVENT_ROUTE_ADD:
    case EVENT_ROUTE_REMOVE: return s->router.routes[e->index].dst.addr.family;
    case EVENT_RULE_ADD:
    case EVENT_RULE_REMOVE: return s->router.rules[e->index].family;
    case EVENT_LINK_DOWN:
    case EVENT_GATEWAY_DOWN:
    case EVENT_BLACKHOLE:
    case EVENT_FLAP:
    case EVENT_OUTAGES:
    case EVENT_DEGRADE:
    case EVENT_BROWNOUT:
    case EVENT_REBOOT:
    case EVENT_EACH_WAN:
    case EVENT_EACH_PAIR:
    case EVENT_KINDS: break;
    }
    return FAMILY_NONE;
}

static void tell_kind(struct simulation *sim, enum change_kind kind, int event)
{
    struct change c = {.kind = (uint8_t)kind, .wan = -1, .event = event};

    if (event >= 0) {
        c.wan = sim->scenario->events[event].wan;
        c.family = (uint8_t)event_family(sim->scenario, event);
    }
    tell_change(sim, &c);
}

void simulation_note_change(struct simulation *sim, enum change_kind kind, int event)
{
    bool told = kind != CHANGE_MARK;

    if (told && event >= 0)
        course_at_once(&sim->courses, (unsigned)event, sim->now_ns);
    if (told)
        tell_kind(sim, kind, event);
    for (size_t w = 0; w < sim->scenario->wans_len; w++) {
        struct wan_link *l = &sim->wans[w];

        told |= note_next_hops(sim, w, FAMILY_V4, &l->next_hops_v4, kind, event);
        told |= note_next_hops(sim, w, FAMILY_V6, &l->next_hops_v6, kind, event);
    }
    if (!told)
        tell_kind(sim, kind, event);
}
