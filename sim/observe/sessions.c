#include "sim/observe/sessions.h"

#include <string.h>

#include "core/memory.h"

void sessions_init(struct sessions *s, const struct scenario *scenario)
{
    s->by_traffic = mem_alloc(scenario->traffic_len, sizeof *s->by_traffic);
    s->by_host = mem_alloc(scenario->hosts_len, sizeof *s->by_host);
}

void sessions_free(struct sessions *s)
{
    mem_free(s->by_traffic);
    mem_free(s->by_host);
}

/* In the order in which they first came; the last place takes all that find no room. */
static struct session_cause *cause_of(struct session_counts *c, const char *why)
{
    unsigned i = 0;

    if (!why)
        why = "unknown";
    while (i < c->causes_len && strcmp(c->causes[i].why, why) != 0)
        i++;
    if (i == SESSION_CAUSES_MAX)
        return &c->causes[i - 1];
    if (i == c->causes_len)
        c->causes[c->causes_len++].why = why;
    return &c->causes[i];
}

static bool is_break(unsigned kind)
{
    return kind == SESSION_RESET || kind == SESSION_TIMED_OUT || kind == SESSION_ENDED;
}

static void count(struct session_counts *c, const struct session_news *n)
{
    c->news[n->kind]++;
    if (is_break(n->kind))
        cause_of(c, n->why)->breaks++;
    if (n->kind != SESSION_OUTAGE)
        return;
    cause_of(c, n->why)->outage_ns += n->outage_ns;
    c->outage_ns += n->outage_ns;
    if (n->outage_ns > c->longest_ns)
        c->longest_ns = n->outage_ns;
}

void sessions_heard(struct sessions *s, const struct session_news *n, uint32_t host)
{
    count(&s->by_traffic[n->traffic], n);
    if (host != FLOWS_NONE)
        count(&s->by_host[host], n);
}

uint64_t sessions_open(const struct session_counts *c)
{
    return c->news[SESSION_BEGUN] - c->news[SESSION_FINISHED] - c->news[SESSION_ENDED] -
           c->news[SESSION_GIVEN_UP];
}
