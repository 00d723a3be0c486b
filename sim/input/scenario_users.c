/* People who react to what becomes of their packets: traffic with a profile. */
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_traffic.h"
#include "sim/users/users.h"

#define OF(member)       READER_AT(struct traffic_text, users.member)
#define OF_GIVEN(member) READER_GIVEN(struct traffic_text, users.member)

/* clang-format off */
const struct reader_field users_fields[] = {
    {.name = "profile", .kind = READER_ENUM, OF(profile), READER_NAMES(profiles),
     OF_GIVEN(given), .required = true, .doc = "what they do: `ecmplab list profiles`"},
    {.name = "name", .kind = READER_STRING, READER_AT(struct traffic_text, synthetic.name),
     .min = 1, .max = 100,
     .doc = "in the result; their draws depend on it too. The profile's when left out"},
    {.name = "hosts", .kind = READER_CUSTOM,
     READER_AT(struct traffic_text, synthetic.hosts), .custom = synthetic_read_strings,
     .schema = SYNTHETIC_STRINGS_SCHEMA, .required = true,
     .doc = "where they sit: addresses, ranges, prefixes, names of hosts; one person at each"},
    {.name = "servers", .kind = READER_CUSTOM,
     READER_AT(struct traffic_text, synthetic.servers), .custom = synthetic_read_strings,
     .schema = SYNTHETIC_STRINGS_SCHEMA,
     .doc = "with whom: addresses, ranges, prefixes; 198.18.0.0/15 and 2001:2::/48 when left out"},
    {.name = "sessions_per_hour", .kind = READER_NUMBER, OF(per_hour), OF_GIVEN(per_hour_given),
     .above_min = true, .highest = 1000000,
     .doc = "of each host, by chance (Poisson); one session from the start on when left out"},
    {.name = "start", .kind = READER_DURATION, READER_AT(struct traffic_text, traffic.start_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX, .doc = "when they begin"},
    {.name = "for", .kind = READER_DURATION, READER_AT(struct traffic_text, synthetic.for_ns),
     READER_GIVEN(struct traffic_text, synthetic.for_given), .above_min = true,
     .max = SCENARIO_DURATION_MAX, .doc = "no session begins later than this after the start"},
    {.name = "sessions", .kind = READER_INT, OF(sessions), OF_GIVEN(sessions_given), .min = 1,
     .max = INT64_C(1000000000), .doc = "of each host, at most so many"},
    {.name = "server_delay", .kind = READER_DURATION, OF(distance_ns), .by_default = "10ms",
     .max = INT64_C(10000000000),
     .doc = "one way, from the provider's end of the WAN's link to the server"},
    {.name = "patience", .kind = READER_DURATION, OF(patience_ns), .above_min = true,
     .max = SCENARIO_DURATION_MAX,
     .doc = "when nothing comes for so long a connection is given up; the profile's when left out"},
    {.name = "length", .kind = READER_DURATION, OF(length_ns), .above_min = true,
     .max = SCENARIO_DURATION_MAX,
     .doc = "of a call, a game, a tunnel: exactly so long; the profile's law when left out"},
    {.name = "on_address_change", .kind = READER_ENUM, OF(peer_rule), OF_GIVEN(peer_rule_given),
     READER_NAMES(peer_rule_names),
     .doc = "what the far end of a call, a game or a tunnel makes of another address: the"
            " profile's when left out"},
    READER_END,
};
/* clang-format on */

bool users_check(const struct reader *r, const struct users_text *t, const char *pointer)
{
    const struct profile *p = &profiles[t->profile];

    if (p->carrier == CARRIER_TALK)
        return true;
    if (t->peer_rule_given)
        return diag_error_member(r->diag, pointer, "on_address_change",
                                 "profile '%s' has no tunnel or call", p->name);
    if (t->length_ns)
        return diag_error_member(
            r->diag, pointer, "length",
            "a session of profile '%s' lasts as long as its exchanges take", p->name);
    return true;
}

static struct profile profile_build(const struct users_text *t)
{
    struct profile p = profiles[t->profile];

    if (t->peer_rule_given)
        p.peer_rule = t->peer_rule;
    if (t->patience_ns)
        p.patience_ns = t->patience_ns;
    if (t->length_ns)
        p.duration = (struct law){.kind = LAW_CONSTANT,
                                  .a = (double)t->length_ns,
                                  .at_least = 1,
                                  .at_most = LAW_VALUE_MAX};
    return p;
}

/* The benchmarking networks: nobody lives there (RFC 2544, RFC 5180). */
static void give_default_servers(struct scenario_reading *s, struct flowgen_config *c)
{
    struct flowgen_range *ranges = arena_alloc(s->reader.arena, 2, sizeof *ranges);

    addr_parse("198.18.0.0", &ranges[0].first);
    ranges[0].count = UINT64_C(1) << 17;
    addr_parse("2001:2::", &ranges[1].first);
    ranges[1].count = UINT64_MAX;
    c->servers = ranges;
    c->servers_len = 2;
}

static bool arrivals_build(struct scenario_reading *s, const struct traffic_text *text,
                           struct arrivals_config *a)
{
    const struct users_text *t = &text->users;
    const int64_t start_ns = text->traffic.start_ns, end_ns = s->scenario->duration_ns;
    const bool for_given = text->synthetic.for_given;

    *a = (struct arrivals_config){
        .kind = t->per_hour_given ? ARRIVALS_POISSON : ARRIVALS_AT_ONCE,
        .per_hour = t->per_hour,
        .start_ns = start_ns,
        .end_ns = start_ns + (for_given ? text->synthetic.for_ns : SCENARIO_DURATION_MAX),
        .flows = t->sessions_given   ? t->sessions
                 : t->per_hour_given ? UINT64_MAX
                                     : 1,
    };
    if (t->per_hour_given && !for_given && !t->sessions_given && !end_ns)
        return diag_error(
            s->reader.diag, text->traffic.pointer,
            "has no end, expected 'for', 'sessions', or the scenario's 'duration'");
    if (!t->per_hour_given && for_given)
        return diag_error_member(s->reader.diag, text->traffic.pointer, "for",
                                 "has no effect without 'sessions_per_hour'");
    if (end_ns && end_ns < a->end_ns)
        a->end_ns = end_ns + 1; /* the last instant of the run is part of it */
    return true;
}

const struct users_config *users_build(struct scenario_reading *s,
                                       struct traffic_text *text, size_t index)
{
    const struct users_text *t = &text->users;
    struct users_config *c = arena_alloc(s->reader.arena, 1, sizeof *c);
    struct flowgen_config between = {.pointer = text->traffic.pointer,
                                     .server_count = 1 /* they are drawn one by one */};
    bool ok;

    *c = (struct users_config){
        .name = text->synthetic.name ? text->synthetic.name : profiles[t->profile].name,
        .seed = traffic_seed(s, text->synthetic.name, index),
        .profile = profile_build(t),
        .distance_ns = t->distance_ns,
        .number = (int)index,
    };
    ok = arrivals_build(s, text, &c->arrivals);
    ok = synthetic_hosts_build(s, text, &between) && ok;
    if (text->synthetic.servers.len)
        ok = synthetic_servers_build(s, text, &between) && ok;
    else
        give_default_servers(s, &between);
    c->hosts = between.hosts;
    c->hosts_len = between.hosts_len;
    c->servers = between.servers;
    c->servers_len = between.servers_len;
    return ok ? c : NULL;
}
