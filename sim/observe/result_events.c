#include "sim/observe/result_parts.h"

double result_survivors_moved_share(const struct metrics *m)
{
    uint64_t survivors = 0, moved = 0;

    for (size_t i = 0; i < m->scenario->events_len; i++) {
        const struct event_flows *f = &m->events[i].before;

        if (f->forced + f->collateral == 0)
            continue;
        survivors += f->alive - f->forced;
        moved += f->collateral;
    }
    return survivors ? (double)moved / (double)survivors : -1;
}

static void put_flows(json_t *o, const struct event_flows *f)
{
    uint64_t harmed = 0;

    put_share(o, "moved_share", (double)f->moved, (double)f->alive);
    for (unsigned i = FLOW_FATES - 1; i > FLOW_SURVIVED; i--) {
        put_count(o, flow_fate_names[i], f->fates[i]);
        harmed += f->fates[i];
    }
    put_count(o, "survived", f->alive > harmed ? f->alive - harmed : 0);
}

static json_t *meanwhile_part(const struct event_flows *f)
{
    json_t *o = json_object();

    put_count(o, "flows", f->alive);
    put_count(o, "moved", f->moved);
    put_flows(o, f);
    return o;
}

/* -1: not to be said. */
static int64_t blackhole_ns(const struct scenario_event *s, const struct event_course *c,
                            const struct course_outages *outages, int64_t end_ns)
{
    if ((scenario_event_fault(s) == EVENT_KINDS && s->kind != EVENT_REBOOT) ||
        c->began_ns < 0)
        return -1;
    if (outages)
        return course_outages_undetected_ns(outages, end_ns);
    return course_blackhole_ns(c, end_ns);
}

static void put_times(json_t *o, const struct event_course *c)
{
    put_time(o, "at", c->began_ns);
    put_time(o, "detected_at", c->detected_ns);
    put_time(o, "effective_at", c->effective_ns);
    put_time(o, "ended_at", c->ended_ns);
    put_time(o, "recovered_at", c->recovered_ns);
}

static void put_outages(json_t *o, const struct course_outages *outages, int64_t end_ns)
{
    json_t *list = json_array();

    put_count(o, "outages", outages->count);
    put_count(o, "outages_detected", outages->detected);
    put_time(o, "down_seconds", course_outages_down_ns(outages, end_ns));
    for (size_t i = 0; i < outages->count && i < COURSE_OUTAGES_KEPT; i++) {
        json_t *one = json_object();

        put_times(one, &outages->kept[i]);
        json_array_append_new(list, one);
    }
    put(o, "outage_list", list);
}

/* "wan", or "wans" where it takes several. */
static void put_wans(json_t *o, const struct scenario *scenario,
                     const struct scenario_event *s)
{
    json_t *wans;

    if (s->more_wans_len == 0) {
        if (s->wan >= 0)
            put_text(o, "wan", scenario->wans[s->wan].name);
        return;
    }
    wans = json_array();
    for (size_t i = 0; i < scenario_event_wans(s); i++)
        json_array_append_new(
            wans, json_string(scenario->wans[scenario_event_wan(s, i)].name));
    put(o, "wans", wans);
}

const char *const event_step_names[EVENT_STEPS] = {
    [STEP_UNNOTICED] = "unnoticed",
    [STEP_SWITCHED] = "switched",
    [STEP_OVER] = "over",
};

/* What each step did to flows. */
static json_t *steps_part(const struct event_state *e)
{
    json_t *o = json_object();

    for (unsigned step = 0; step < EVENT_STEPS; step++) {
        json_t *one = json_object();

        put_count(one, "moves", e->step_moves[step]);
        for (unsigned i = FLOW_FATES - 1; i > FLOW_SURVIVED; i--)
            put_count(one, flow_fate_names[i], e->harms[step][i]);
        put(o, event_step_names[step], one);
    }
    return o;
}

/* How long the router took from one moment to another; null: it came to no such end. */
static void put_delay(json_t *o, const char *key, int64_t from_ns, int64_t to_ns)
{
    put_time(o, key, from_ns >= 0 && to_ns >= from_ns ? to_ns - from_ns : -1);
}

static json_t *event_part(const struct metrics *m, const struct facts *facts, size_t i)
{
    static const uint8_t causes[] = {MOVE_FORCED, MOVE_COLLATERAL, MOVE_FAILBACK,
                                     MOVE_CONFIG, MOVE_POLICY};
    const struct scenario_event *s = &m->scenario->events[i];
    const struct event_course *c = &facts->courses[i];
    const struct event_state *e = &m->events[i];
    const struct course_outages *outages =
        scenario_event_has_outages(s) && facts->outages ? &facts->outages[i] : NULL;
    const int64_t blackhole = blackhole_ns(s, c, outages, facts->end_ns);
    json_t *o = json_object();

    if (s->name)
        put_text(o, "name", s->name);
    put_text(o, "kind", event_kind_names[s->kind]);
    put_wans(o, m->scenario, s);
    put_times(o, c);
    put_delay(o, "detection_seconds", c->began_ns, c->detected_ns);
    put_delay(o, "failover_seconds", c->began_ns, c->effective_ns);
    put_delay(o, "failback_seconds", c->ended_ns, c->recovered_ns);
    if (outages)
        put_outages(o, outages, facts->end_ns);
    put_count(o, "flows_alive", e->before.alive);
    put_count(o, "moved", e->before.moved);
    for (unsigned k = 0; k < sizeof causes; k++)
        put_count(o, move_cause_names[causes[k]], e->moves[causes[k]]);
    put_flows(o, &e->before);
    put(o, "begun_meanwhile", meanwhile_part(&e->meanwhile));
    put(o, "steps", steps_part(e));
    put_count(o, "packets_lost", e->packets_lost);
    put_count(o, "bytes_lost", e->bytes_lost);
    put(o, "drops", result_reasons(e->drops));
    if (blackhole >= 0)
        put_time(o, "blackhole_seconds", blackhole);
    return o;
}

json_t *result_watches(const struct metrics *m, const struct facts *facts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->scenario->watches_len && facts->watches; i++) {
        const struct scenario_watch *w = &m->scenario->watches[i];
        char host[ADDR_TEXT_MAX];
        json_t *o = json_object();

        if (w->name)
            put_text(o, "name", w->name);
        put_text(o, "host", addr_format(&w->host, host));
        put_text(o, "type", watch_type_names[w->type]);
        put_count(o, "downs", facts->watches[i].downs);
        put_time(o, "down_seconds", facts->watches[i].down_ns);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *result_events(const struct metrics *m, const struct facts *facts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->scenario->events_len; i++)
        json_array_append_new(list, event_part(m, facts, i));
    return list;
}
