#include "sim/observe/result.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/observe/label.h"
#include "sim/observe/result_parts.h"

static json_t *hex(uint64_t value)
{
    char text[17];

    snprintf(text, sizeof text, "%016" PRIx64, value);
    return json_string(text);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The policy into `o`, and what it was told, if it may be told anything. */
static void put_policy(json_t *o, const struct config_policy *p)
{
    json_t *parameters = scenario_policy_parameters(p);

    put_text(o, "policy", p->name);
    if (json_object_size(parameters) > 0)
        put(o, "policy_parameters", parameters);
    else
        json_decref(parameters);
}

/* Of the routes whose group has a policy of its own. */
static json_t *route_policies(const struct router_config *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->routes_len; i++) {
        const struct config_route *route = &c->routes[i];
        json_t *o;

        if (!route->policy || !route->pointer)
            continue;
        o = json_object();
        put_text(o, "route", route->pointer);
        put_policy(o, &c->policies[route->policy]);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *scenario_part(const struct scenario *s)
{
    static const char *const platforms[] = {"linux", "routeros7"};
    const struct hash_config *hash = &s->router.hash;
    json_t *o = json_object(), *h = json_object();

    put_text(o, "name", s->name ? s->name : "");
    put_text(o, "file", base_name(s->path ? s->path : ""));
    if (s->about)
        put_text(o, "about", s->about);
    put_text(o, "platform", platforms[s->router.platform]);
    put_text(h, "ipv4", hash_policy_names[hash->v4.policy]);
    put_text(h, "ipv6", hash_policy_names[hash->v6.policy]);
    put_count(h, "seed", (uint32_t)hash->key[0]);
    put(o, "hash", h);
    put_policy(o, &s->router.policies[0]);
    if (s->router.policies_len > 1)
        put(o, "route_policies", route_policies(&s->router));
    put(o, "fingerprint", hex(s->fingerprint));
    return o;
}

/* No packet is counted nowhere, and none twice. */
static bool is_balanced(const struct metrics *m, const struct facts *facts)
{
    return m->packets == facts->packets &&
           m->packets == m->fates[FATE_DELIVERED] + m->fates[FATE_LOCAL] +
                             m->fates[FATE_DROPPED] + m->fates[FATE_UNROUTED];
}

static json_t *run_part(struct metrics *m, const struct facts *facts)
{
    const bool balanced = is_balanced(m, facts);
    json_t *o = json_object();

    put_count(o, "seed", m->scenario->seed);
    put_count(o, "packets", m->packets);
    put_count(o, "bytes", m->bytes);
    put_count(o, "flows", m->flows_begun);
    put_time(o, "simulated_seconds", facts->end_ns);
    put_count(o, "timestamps_back", facts->steps_back);
    put(o, "fingerprint", hex(m->fingerprint));
    put(o, "traffic_fingerprint", hex(m->traffic));
    put_count(o, "delivered", m->fates[FATE_DELIVERED]);
    put_count(o, "local", m->fates[FATE_LOCAL]);
    put_count(o, "dropped", m->fates[FATE_DROPPED]);
    put_count(o, "unrouted", m->fates[FATE_UNROUTED]);
    put(o, "balanced", json_boolean(balanced));
    if (!balanced)
        metrics_warn(m,
                     "packets were counted nowhere or twice: the figures are not to be "
                     "trusted");
    return o;
}

/* ------------------------------------------------------------------------------ paths */

static void put_utilisation(json_t *o, const char *key, uint64_t bytes, uint64_t rate_bps,
                            int64_t time_ns)
{
    if (rate_bps && time_ns > 0)
        put_real(o, key,
                 (double)bytes * 8 / ((double)rate_bps * ((double)time_ns / 1e9)));
}

static json_t *path_part(const struct stretch *s, const struct facts *facts, size_t wan)
{
    const struct scenario_wan *w = &s->metrics->scenario->wans[wan];
    const struct path_state *p = &s->metrics->states[wan];
    const struct path_counts c = stretch_path(s, wan);
    json_t *o = json_object();

    stretch_put_path(s, o, wan);
    put_utilisation(o, "utilisation_up", c.bytes_up, w->up_bps, facts->end_ns);
    put_utilisation(o, "utilisation_down", c.bytes_down, w->down_bps, facts->end_ns);
    result_put_delays(o, s, wan, facts->end_ns);
    put(o, "drops", result_reasons(p->drops));
    put_count(o, "dropped_packets", p->dropped_packets);
    put_count(o, "dropped_bytes", p->dropped_bytes);
    put_time(o, "time_up_seconds", facts->wan_up_ns[wan]);
    if (w->delay_ns)
        put_time(o, "delay_seconds", w->delay_ns);
    put_count(o, "foreign_sources", p->foreign_sources);
    put_count(o, "untranslated", p->untranslated);
    put_count(o, "inside_leaks", p->inside_leaks);
    return o;
}

static json_t *paths_part(const struct stretch *s, const struct facts *facts)
{
    const struct scenario *scenario = s->metrics->scenario;
    json_t *o = json_object();

    for (size_t w = 0; w < scenario->wans_len; w++)
        put(o, scenario->wans[w].name, path_part(s, facts, w));
    return o;
}

static json_t *elephants_part(const struct metrics *m)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < m->elephants.len; i++) {
        const struct elephant *e = &m->elephants.list[i];
        json_t *o = json_object();
        char flow[LABEL_MAX];

        put_text(o, "flow", label_flow(&e->tuple, flow));
        put_text(o, "path", m->scenario->wans[e->path].name);
        put_count(o, "bytes", e->bytes);
        put_share(o, "bytes_share", (double)e->bytes, (double)m->choice_bytes);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *stickiness_part(const struct metrics *m)
{
    const double survivors = result_survivors_moved_share(m);
    json_t *o = json_object();
    uint64_t moves = 0;

    for (unsigned i = 0; i < MOVE_CAUSES; i++)
        moves += m->stick.moves[i];
    put_count(o, "flows", m->stick.flows);
    put_count(o, "kept", m->stick.flows - m->flows_moved);
    put_count(o, "moves", moves);
    for (unsigned i = 0; i < MOVE_CAUSES; i++)
        put_count(o, move_cause_names[i], m->stick.moves[i]);
    for (unsigned i = FLOW_FATES - 1; i > FLOW_SURVIVED; i--)
        put_count(o, flow_fate_names[i], m->worst[i]);
    put_count(o, "survived", m->unharmed);
    if (survivors >= 0)
        put_real(o, "moved_share_of_survivors", survivors);
    return o;
}

static json_t *checks_part(const struct metrics *m)
{
    uint64_t foreign = 0, untranslated = 0, inside = 0;
    json_t *o = json_object();

    for (size_t w = 0; w < m->scenario->wans_len; w++) {
        foreign += m->states[w].foreign_sources;
        untranslated += m->states[w].untranslated;
        inside += m->states[w].inside_leaks;
    }
    put_count(o, "foreign_sources", foreign);
    put_count(o, "untranslated", untranslated);
    put_count(o, "inside_leaks", inside);
    put_count(o, "replies_by_another_wan", m->flows_split_reply);
    put_count(o, "flows_on_two_paths_without_an_event", m->flows_moved_alone);
    return o;
}

static json_t *series_part(const struct metrics *m)
{
    const struct series *s = &m->series;
    json_t *o = json_object(), *paths = json_object();

    put_time(o, "interval_seconds", s->interval_ns);
    put_count(o, "start_seconds", 0);
    for (size_t w = 0; w < m->scenario->wans_len; w++) {
        json_t *up = json_array(), *down = json_array(), *lost = json_array();
        json_t *path = json_object();

        for (size_t i = 0; i < s->len; i++) {
            const struct series_cell *c = series_at(s, i, w);

            json_array_append_new(up, json_integer((json_int_t)c->bytes_up));
            json_array_append_new(down, json_integer((json_int_t)c->bytes_down));
            json_array_append_new(lost, json_integer((json_int_t)c->packets_lost));
        }
        put(path, "bytes_up", up);
        put(path, "bytes_down", down);
        put(path, "packets_lost", lost);
        put(paths, m->scenario->wans[w].name, path);
    }
    put(o, "paths", paths);
    return o;
}

static json_t *warnings_part(const struct metrics *m)
{
    json_t *o = json_array();

    for (size_t i = 0; i < m->warnings_len; i++)
        json_array_append_new(o, json_string(m->warnings[i]));
    return o;
}

/* ------------------------------------------------------------------------------ whole */

/* The parts about the whole run: paths, balance, stickiness. */
static void put_whole(json_t *result, const struct metrics *m, const struct facts *facts)
{
    const struct snapshot now = {
        .time_ns = facts->end_ns,
        .paths = m->paths,
        .stick = m->stick,
        .hosts = m->hosts.counts,
        .promises = m->promises.counts,
        .promises_len = m->promises.len,
    };
    struct stretch s;
    json_t *balance;

    stretch_init(&s, m, NULL, &now);
    put(result, "paths", paths_part(&s, facts));
    balance = stretch_balance(&s);
    put(balance, "elephants", elephants_part(m));
    put(result, "balance", balance);
    if (m->delays.timed)
        put(result, "completion_seconds", result_completion(m));
    put(result, "stickiness", stickiness_part(m));
    stretch_free(&s);
}

json_t *result_build(struct metrics *m, const struct facts *facts)
{
    json_t *o = json_object();

    metrics_finish(m, facts->end_ns);
    put_text(o, "format", RESULT_FORMAT);
    put(o, "scenario", scenario_part(m->scenario));
    put(o, "run", run_part(m, facts));
    put_whole(o, m, facts);
    put(o, "hosts", result_hosts(m));
    if (result_has_users(m->scenario))
        put(o, "users", result_users(m));
    put(o, "events", result_events(m, facts));
    if (m->scenario->watches_len)
        put(o, "netwatch", result_watches(m, facts));
    put(o, "phases", result_phases(m));
    put(o, "unrouted", result_reasons(m->unrouted));
    put(o, "dropped", result_reasons(m->dropped));
    put(o, "checks", checks_part(m));
    put(o, "series", series_part(m));
    put(o, "expect", json_array());
    put(o, "warnings", warnings_part(m));
    return o;
}
