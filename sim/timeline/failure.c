/* The kinds of events: one row each, what it does when it begins and when it ends. */
#include "sim/timeline/simulation_parts.h"

struct failure {
    const char *about;
    enum change_kind begins, ends; /* what it is to the router, beside losses and returns */
    void (*set)(struct simulation *sim, const struct scenario_event *e, bool begins);
};

static void count(unsigned *held, bool begins)
{
    if (begins)
        ++*held;
    else if (*held)
        --*held;
}

static void wan_set_link(struct simulation *sim, int wan, bool admin, bool begins)
{
    struct wan_link *w = &sim->wans[wan];
    const unsigned iface = (unsigned)sim->scenario->wans[wan].iface;

    count(admin ? &w->admin_down : &w->carrier_lost, begins);
    wan_note_time(w, sim->now_ns);
    if (admin)
        router_set_admin(sim->router, iface, !w->admin_down);
    else
        router_set_carrier(sim->router, iface, !w->carrier_lost);
}

/*
 * Disabled, or without a carrier. On Linux the end of a PPPoE session destroys the device, and
 * no route uses it whatever ignore_routes_with_linkdown says, as if it were disabled.
 */
static bool is_disabling(const struct simulation *sim, const struct scenario_event *e)
{
    return e->admin || (e->kind == EVENT_PPPOE_RECONNECT &&
                        sim->scenario->router.platform == PLATFORM_LINUX);
}

void failure_set_wans(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    const enum event_kind fault = scenario_event_fault(e);

    for (size_t i = 0; i < scenario_event_wans(e); i++) {
        const int wan = scenario_event_wan(e, i);

        if (fault == EVENT_LINK_DOWN)
            wan_set_link(sim, wan, is_disabling(sim, e), begins);
        else if (fault == EVENT_GATEWAY_DOWN)
            count(&sim->wans[wan].gateway_down, begins);
        else if (fault == EVENT_BLACKHOLE)
            count(&sim->wans[wan].blackholed, begins);
    }
}

static void degrade(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    (void)begins; /* its course tells */
    for (size_t i = 0; i < scenario_event_wans(e); i++)
        degrade_wan(sim, scenario_event_wan(e, i));
}

static void row_of_outages(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    const unsigned event = (unsigned)(e - sim->scenario->events);

    if (begins)
        outages_begin(sim, event);
    else
        outages_end(sim, event);
}

/* Is it there, as configured and by all the events that add it or take it away now? */
static bool is_held_off(const struct hold *h, bool configured_off)
{
    return (configured_off && !h->added) || h->removed;
}

static void route_hold(struct simulation *sim, unsigned route)
{
    router_set_route_disabled(sim->router, sim->standing[route],
                              is_held_off(&sim->route_holds[route],
                                          sim->scenario->router.routes[route].disabled));
}

static void rule_hold(struct simulation *sim, unsigned rule)
{
    router_set_rule_disabled(sim->router, rule,
                             is_held_off(&sim->rule_holds[rule],
                                         sim->scenario->router.rules[rule].disabled));
}

static uint8_t length_now(const struct simulation *sim, unsigned iface, const struct addr *a)
{
    const struct iface_state *state = router_iface(sim->router, iface);

    for (size_t i = 0; i < state->addresses_len; i++)
        if (addr_equal(&state->addresses[i].addr, a))
            return state->addresses[i].length;
    return (uint8_t)addr_bits(a);
}

static void address_change(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    const unsigned iface = (unsigned)sim->scenario->wans[e->wan].iface;
    uint8_t *old_length = &sim->old_lengths[e - sim->scenario->events];
    const struct prefix before = {.addr = e->old_address, .length = *old_length};

    if (begins) {
        *old_length = length_now(sim, iface, &e->old_address);
        router_change_address(sim->router, iface, &e->old_address, &e->address);
    } else {
        router_change_address(sim->router, iface, &e->address.addr, &before);
    }
}

static void address_goes(struct simulation *sim, const struct scenario_event *e)
{
    const unsigned iface = (unsigned)sim->scenario->wans[e->wan].iface;
    const struct prefix none = {.length = 0};

    router_change_address(sim->router, iface, &e->old_address, &none);
}

static void address_comes(struct simulation *sim, const struct scenario_event *e)
{
    const unsigned iface = (unsigned)sim->scenario->wans[e->wan].iface;
    const struct addr none = {.family = FAMILY_NONE};

    router_change_address(sim->router, iface, &none, &e->address);
    for (size_t i = 0; i < e->renumbered_len; i++) {
        const struct renumbering *r = &e->renumbered[i];

        if (sim->standing[r->route] != r->by)
            router_set_route_disabled(sim->router, sim->standing[r->route], true);
        sim->standing[r->route] = r->by;
        route_hold(sim, r->route);
    }
}

static void lease_change(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    if (begins)
        address_goes(sim, e);
    if (begins == (e->for_ns == 0))
        address_comes(sim, e);
}

void failure_remove_route(struct simulation *sim, unsigned route, bool removed)
{
    count(&sim->route_holds[route].removed, removed);
    route_hold(sim, route);
}

static bool gateway_is_by(const struct config_gateway *g, const struct config_iface *c,
                          unsigned iface)
{
    if (g->iface >= 0)
        return (unsigned)g->iface == iface;
    for (size_t i = 0; i < c->addresses_len; i++)
        if (c->addresses[i].addr.family == g->addr.family &&
            addr_common_bits(&c->addresses[i].addr, &g->addr) >= c->addresses[i].length)
            return true;
    return false;
}

/* All its next hops; of the routes that the file itself puts there. */
static bool route_is_by(const struct router_config *config, unsigned route, unsigned iface)
{
    const struct config_route *r = &config->routes[route];

    for (size_t i = 0; i < r->gateways_len; i++)
        if (!gateway_is_by(&r->gateways[i], &config->ifaces[iface], iface))
            return false;
    return r->gateways_len > 0 && !r->disabled;
}

/* Linux: the routes by a device go when it is destroyed; the daemon adds them to the new one. */
static void device_routes_remove(struct simulation *sim, int wan, bool removed)
{
    const struct router_config *config = &sim->scenario->router;

    for (unsigned i = 0; i < config->routes_len; i++)
        if (route_is_by(config, i, (unsigned)sim->scenario->wans[wan].iface))
            failure_remove_route(sim, i, removed);
}

static void pppoe_reconnect(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    const bool is_linux = sim->scenario->router.platform == PLATFORM_LINUX;

    if (begins && is_linux)
        device_routes_remove(sim, e->wan, true);
    failure_set_wans(sim, e, begins);
    if (begins)
        address_goes(sim, e);
    else
        address_comes(sim, e);
    if (!begins && is_linux)
        device_routes_remove(sim, e->wan, false);
}

static void reboot(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    count(&sim->down, begins);
    if (begins) {
        simulation_drop_fragments(sim);
        router_go_down(sim->router);
        heap_drop(&sim->timers, TIMER_PROBE, TIMER_WATCH_TEST);
    } else if (!sim->down) {
        router_come_up(sim->router, sim->now_ns, e->redraw_hash);
        probes_start(sim);
        watches_start(sim);
    }
}

static void route_add(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    count(&sim->route_holds[e->index].added, begins);
    route_hold(sim, e->index);
}

static void route_remove(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    failure_remove_route(sim, e->index, begins);
}

static void rule_add(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    count(&sim->rule_holds[e->index].added, begins);
    rule_hold(sim, e->index);
}

static void rule_remove(struct simulation *sim, const struct scenario_event *e, bool begins)
{
    count(&sim->rule_holds[e->index].removed, begins);
    rule_hold(sim, e->index);
}

static const struct failure failures[EVENT_KINDS] = {
    [EVENT_LINK_DOWN] = {"the WAN's link drops", CHANGE_MARK, CHANGE_MARK, failure_set_wans},
    [EVENT_GATEWAY_DOWN] = {"the gateway stops answering, the link stays up", CHANGE_MARK, CHANGE_MARK,
                            failure_set_wans},
    [EVENT_BLACKHOLE] = {"the gateway answers, nothing behind it does", CHANGE_MARK, CHANGE_MARK,
                         failure_set_wans},
    [EVENT_DEGRADE] = {"the WAN's link gets worse", CHANGE_MARK, CHANGE_MARK, degrade},
    [EVENT_BROWNOUT] = {"the WAN loses packets", CHANGE_MARK, CHANGE_MARK, degrade},
    [EVENT_OUTAGES] = {"the WAN fails at random", CHANGE_MARK, CHANGE_MARK, row_of_outages},
    [EVENT_FLAP] = {"the WAN fails over and over", CHANGE_MARK, CHANGE_MARK, row_of_outages},
    [EVENT_ADDRESS_CHANGE] = {"the WAN gets another address", CHANGE_ADDRESS, CHANGE_ADDRESS, address_change},
    [EVENT_LEASE_CHANGE] = {"the WAN loses its address and gets another", CHANGE_ADDRESS, CHANGE_ADDRESS,
                            lease_change},
    [EVENT_PPPOE_RECONNECT] = {"the WAN's session ends and comes back", CHANGE_ADDRESS, CHANGE_ADDRESS,
                               pppoe_reconnect},
    [EVENT_REBOOT] = {"the router restarts", CHANGE_MARK, CHANGE_CONFIG, reboot},
    /* the reader puts plain events in their place */
    [EVENT_EACH_WAN] = {"each WAN fails, one after the other", CHANGE_MARK, CHANGE_MARK, NULL},
    [EVENT_EACH_PAIR] = {"each two WANs fail together, pair after pair", CHANGE_MARK,
                         CHANGE_MARK, NULL},
    [EVENT_ROUTE_ADD] = {"a route comes", CHANGE_CONFIG, CHANGE_CONFIG, route_add},
    [EVENT_ROUTE_REMOVE] = {"a route goes", CHANGE_CONFIG, CHANGE_CONFIG, route_remove},
    [EVENT_RULE_ADD] = {"a rule comes", CHANGE_CONFIG, CHANGE_CONFIG, rule_add},
    [EVENT_RULE_REMOVE] = {"a rule goes", CHANGE_CONFIG, CHANGE_CONFIG, rule_remove},
};

const char *simulation_event_about(enum event_kind kind)
{
    return failures[kind].about;
}

void failure_tell(struct simulation *sim, enum change_kind kind, unsigned event)
{
    router_renew(sim->router);
    probes_wake(sim);
    simulation_note_change(sim, kind, (int)event);
}

static void failure_set(struct simulation *sim, unsigned event, bool begins)
{
    const struct scenario_event *e = &sim->scenario->events[event];
    const struct failure *f = &failures[e->kind];

    simulation_settle(sim);
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].event)
            sim->observers[i].event(sim->observers[i].context, (int)event, begins, sim->now_ns);
    f->set(sim, e, begins);
    failure_tell(sim, begins ? f->begins : f->ends, event);
}

void failure_begin(struct simulation *sim, unsigned event)
{
    const struct scenario_event *e = &sim->scenario->events[event];

    course_begins(&sim->courses, event, sim->now_ns);
    failure_set(sim, event, true);
    if (e->for_ns >= 0)
        heap_push(&sim->timers, sim->now_ns + e->for_ns, TIMER_EVENT_ENDS, event);
}

void failure_end(struct simulation *sim, unsigned event)
{
    course_ends(&sim->courses, event, sim->now_ns);
    failure_set(sim, event, false);
}
