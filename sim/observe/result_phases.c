#include "sim/observe/result_parts.h"

static json_t *paths_of(const struct stretch *s)
{
    const struct scenario *scenario = s->metrics->scenario;
    json_t *o = json_object();

    for (size_t w = 0; w < scenario->wans_len; w++) {
        json_t *path = json_object();

        stretch_put_path(s, path, w);
        put(o, scenario->wans[w].name, path);
    }
    return o;
}

static json_t *stickiness_of(const struct stretch *s)
{
    static const struct stick_counts nothing = {0};
    const struct stick_counts *a = s->begin ? &s->begin->stick : &nothing;
    const struct stick_counts *b = &s->end->stick;
    json_t *o = json_object();
    uint64_t moves = 0;

    for (unsigned i = 0; i < MOVE_CAUSES; i++)
        moves += b->moves[i] - a->moves[i];
    put_count(o, "flows", b->flows - a->flows);
    put_count(o, "moves", moves);
    for (unsigned i = 0; i < MOVE_CAUSES; i++)
        put_count(o, move_cause_names[i], b->moves[i] - a->moves[i]);
    for (unsigned i = FLOW_FATES - 1; i > FLOW_SURVIVED; i--)
        put_count(o, flow_fate_names[i], b->became[i] - a->became[i]);
    return o;
}

static json_t *hosts_of(const struct stretch *s)
{
    const struct scenario *scenario = s->metrics->scenario;
    json_t *o = json_object();

    for (size_t i = 0; i < scenario->hosts_len; i++) {
        struct host_counts c = s->end->hosts[i];
        json_t *host = json_object();

        if (s->begin) {
            c.public_changes -= s->begin->hosts[i].public_changes;
            c.live_changes -= s->begin->hosts[i].live_changes;
            c.broken -= s->begin->hosts[i].broken;
        }
        put_count(host, "public_address_changes", c.public_changes);
        put_count(host, "live_address_changes", c.live_changes);
        put_count(host, "broken", c.broken);
        put(o, scenario->hosts[i].name, host);
    }
    return o;
}

static json_t *phase(const struct metrics *m, const struct snapshot *begin,
                     const struct snapshot *end)
{
    json_t *o = json_object();
    struct stretch s;

    stretch_init(&s, m, begin, end);
    put_time(o, "from", begin ? begin->time_ns : 0);
    put_time(o, "to", end->time_ns);
    put(o, "paths", paths_of(&s));
    put(o, "balance", stretch_balance(&s));
    put(o, "stickiness", stickiness_of(&s));
    put(o, "hosts", hosts_of(&s));
    stretch_free(&s);
    return o;
}

json_t *result_phases(const struct metrics *m)
{
    const struct snapshot *last =
        m->snapshots_len ? &m->snapshots[m->snapshots_len - 1] : NULL;
    json_t *o = json_object();

    for (size_t i = 0; i < m->scenario->events_len; i++) {
        const struct event_state *e = &m->events[i];
        const struct snapshot *begin, *end;
        json_t *phases;

        if (e->begin_snapshot < 0)
            continue;
        begin = &m->snapshots[e->begin_snapshot];
        end = e->end_snapshot < 0 ? last : &m->snapshots[e->end_snapshot];
        phases = json_object();
        put(phases, "before", phase(m, NULL, begin));
        put(phases, "during", phase(m, begin, end));
        if (e->end_snapshot >= 0)
            put(phases, "after", phase(m, end, last));
        put(o, m->scenario->events[i].name, phases);
    }
    return o;
}
