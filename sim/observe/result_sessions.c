#include "sim/observe/result_parts.h"
#include "sim/users/users.h"

static json_t *causes(const struct session_counts *c)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < c->causes_len; i++) {
        json_t *cause = json_object();

        put_count(cause, "breaks", c->causes[i].breaks);
        put_time(cause, "outage_seconds", c->causes[i].outage_ns);
        put(o, c->causes[i].why, cause);
    }
    return o;
}

static void put_counts(json_t *o, const struct session_counts *c)
{
    put_count(o, "sessions", c->news[SESSION_BEGUN]);
    put_count(o, "finished", c->news[SESSION_FINISHED]);
    put_count(o, "ended_by_site", c->news[SESSION_ENDED]);
    put_count(o, "given_up", c->news[SESSION_GIVEN_UP]);
    put_count(o, "open", sessions_open(c));
    put_count(o, "connections", c->news[SESSION_CONNECTION]);
    put_count(o, "resets", c->news[SESSION_RESET]);
    put_count(o, "timeouts", c->news[SESSION_TIMED_OUT]);
    put_count(o, "handshakes", c->news[SESSION_SHOOK_HANDS]);
    put_count(o, "outages", c->news[SESSION_OUTAGE]);
    put_time(o, "outage_seconds", c->outage_ns);
    put_time(o, "longest_outage_seconds", c->longest_ns);
    put(o, "causes", causes(c));
}

bool result_has_users(const struct scenario *s)
{
    for (size_t i = 0; i < s->traffic_len; i++)
        if (s->traffic[i].users)
            return true;
    return false;
}

json_t *result_users(const struct metrics *m)
{
    json_t *o = json_object();

    for (size_t i = 0; i < m->scenario->traffic_len; i++) {
        const struct users_config *u = m->scenario->traffic[i].users;
        json_t *part;

        if (!u)
            continue;
        part = json_object();
        put_text(part, "profile", u->profile.name);
        put_count(part, "hosts", u->hosts_len);
        put_counts(part, &m->sessions.by_traffic[i]);
        put(o, u->name, part);
    }
    return o;
}

json_t *result_host_sessions(const struct metrics *m, uint32_t host)
{
    json_t *o = json_object();

    put_counts(o, &m->sessions.by_host[host]);
    return o;
}
