#include <math.h>
#include <string.h>

#include "sim/observe/balance.h"
#include "sim/observe/result_parts.h"

/* --------------------------------------------------------------------------- members */

void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        json_object_set_new(object, key, json_string("(not UTF-8)"));
}

void put_count(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

void put_real(json_t *object, const char *key, double value)
{
    put(object, key, isfinite(value) ? json_real(value) : json_null());
}

void put_text(json_t *object, const char *key, const char *value)
{
    put(object, key, json_string(value));
}

void put_time(json_t *object, const char *key, int64_t ns)
{
    put(object, key, ns < 0 ? json_null() : json_real((double)ns / 1e9));
}

void put_share(json_t *object, const char *key, double part, double whole)
{
    put_real(object, key, whole > 0 ? part / whole : 0);
}

json_t *result_reasons(const uint64_t by_reason[REASONS])
{
    json_t *o = json_object();

    for (unsigned i = 0; i < REASONS; i++)
        if (by_reason[i])
            put_count(o, reason_names[i], by_reason[i]);
    return o;
}

/* -------------------------------------------------------------------------- stretches */

struct path_counts stretch_path(const struct stretch *s, size_t wan)
{
    struct path_counts c = s->end->paths[wan];

    if (!s->begin)
        return c;
    c.packets_up -= s->begin->paths[wan].packets_up;
    c.packets_down -= s->begin->paths[wan].packets_down;
    c.bytes_up -= s->begin->paths[wan].bytes_up;
    c.bytes_down -= s->begin->paths[wan].bytes_down;
    c.flows -= s->begin->paths[wan].flows;
    c.choice_flows -= s->begin->paths[wan].choice_flows;
    c.choice_bytes -= s->begin->paths[wan].choice_bytes;
    return c;
}

static struct promise_counts promise_counts_of(const struct stretch *s, size_t i)
{
    struct promise_counts c = {0};

    if (i < s->end->promises_len)
        c = s->end->promises[i];
    if (s->begin && i < s->begin->promises_len) {
        c.flows -= s->begin->promises[i].flows;
        c.bytes -= s->begin->promises[i].bytes;
        c.flow_squares -= s->begin->promises[i].flow_squares;
        c.flow_fourths -= s->begin->promises[i].flow_fourths;
        c.byte_squares -= s->begin->promises[i].byte_squares;
        c.byte_fourths -= s->begin->promises[i].byte_fourths;
    }
    return c;
}

static void add_promise(struct stretch *s, size_t i)
{
    const struct promises *p = &s->metrics->promises;
    const struct promise_counts c = promise_counts_of(s, i);

    s->flows += c.flows;
    s->bytes += c.bytes;
    s->flows_choice += p->promises[i].choice ? c.flows : 0;
    for (size_t w = 0; w < p->wans_len; w++) {
        const double share = promise_share(p, i, w);

        s->promised_flows[w] += share * (double)c.flows;
        s->promised_bytes[w] += share * (double)c.bytes;
        if (!p->promises[i].choice)
            continue;
        s->expected_flows[w] += share * (double)c.flows;
        s->expected_bytes[w] += share * (double)c.bytes;
    }
}

void stretch_init(struct stretch *s, const struct metrics *m,
                  const struct snapshot *begin, const struct snapshot *end)
{
    const size_t wans = m->scenario->wans_len;

    memset(s, 0, sizeof *s);
    s->metrics = m;
    s->begin = begin;
    s->end = end;
    s->promised_flows = mem_alloc(4 * wans + 1, sizeof *s->promised_flows);
    s->promised_bytes = s->promised_flows + wans;
    s->expected_flows = s->promised_flows + 2 * wans;
    s->expected_bytes = s->promised_flows + 3 * wans;
    for (size_t i = 0; i < end->promises_len; i++)
        add_promise(s, i);
}

void stretch_free(struct stretch *s)
{
    mem_free(s->promised_flows);
}

void stretch_put_path(const struct stretch *s, json_t *object, size_t wan)
{
    const struct path_counts c = stretch_path(s, wan);
    uint64_t flows = 0, bytes = 0;

    for (size_t w = 0; w < s->metrics->scenario->wans_len; w++) {
        const struct path_counts each = stretch_path(s, w);

        flows += each.flows;
        bytes += each.bytes_up + each.bytes_down;
    }
    put_count(object, "packets_up", c.packets_up);
    put_count(object, "packets_down", c.packets_down);
    put_count(object, "bytes_up", c.bytes_up);
    put_count(object, "bytes_down", c.bytes_down);
    put_count(object, "flows", c.flows);
    put_share(object, "flows_share", (double)c.flows, (double)flows);
    put_share(object, "bytes_share", (double)(c.bytes_up + c.bytes_down), (double)bytes);
    put_share(object, "promised_share", s->promised_flows[wan], (double)s->flows);
    put_share(object, "promised_bytes_share", s->promised_bytes[wan], (double)s->bytes);
}

/* ---------------------------------------------------------------------------- balance */

/*
 * What was promised to the choices, a group for each promise that had any: `shares` has
 * room for the WANs of each.
 */
static struct chance_group *chance_groups(const struct stretch *s, bool of_flows,
                                          double *shares)
{
    const struct promises *p = &s->metrics->promises;
    struct chance_group *groups = mem_alloc(s->end->promises_len, sizeof *groups);

    for (size_t i = 0; i < s->end->promises_len; i++) {
        const struct promise_counts c = promise_counts_of(s, i);

        groups[i].shares = shares + i * p->wans_len;
        for (size_t w = 0; w < p->wans_len; w++)
            shares[i * p->wans_len + w] = promise_share(p, i, w);
        if (!p->promises[i].choice)
            continue;
        groups[i].squares = (double)(of_flows ? c.flow_squares : c.byte_squares);
        groups[i].fourths = of_flows ? c.flow_fourths : c.byte_fourths;
    }
    return groups;
}

/* What the WANs got of the flows, or of the bytes, that had a choice. */
struct load {
    bool of_flows;
    double *observed, *expected; /* a WAN each */
    uint64_t count;
    double choices; /* 1 / HHI over what a hash can tell apart */
};

/* In a phase a choice may have begun before: its part alone is not known. */
static bool has_chance(const struct stretch *s, const struct load *l)
{
    return !s->begin || (l->of_flows && l->choices >= (double)l->count);
}

/* Where nobody knows the chance it is not computed. */
static bool load_judge(const struct stretch *s, const struct load *l, struct balance *b)
{
    const size_t wans = s->metrics->scenario->wans_len;
    const size_t groups_len = has_chance(s, l) ? s->end->promises_len : 0;
    double *shares = mem_alloc(groups_len * wans, sizeof *shares);
    struct chance_group *groups =
        groups_len ? chance_groups(s, l->of_flows, shares) : NULL;
    const bool unit = l->of_flows && l->choices >= (double)l->count;
    const struct chance c = {l->observed, l->expected, wans, groups, groups_len, unit};
    const bool judged = balance_judge(&c, fmax(l->choices, 1), b);

    mem_free(groups);
    mem_free(shares);
    return judged;
}

static json_t *load_part(const struct stretch *s, const struct load *l)
{
    json_t *o = json_object();
    struct balance b;

    put_count(o, "count", l->count);
    if (!load_judge(s, l, &b))
        return o;
    put_real(o, "jain", b.jain);
    put_real(o, "max_over_mean", b.max_over_mean);
    put_real(o, "cv", b.cv);
    if (!has_chance(s, l))
        return o;
    put_real(o, "p_value", b.p_value);
    put_real(o, "effective_flows", l->choices);
    put_count(o, "flows_needed", b.flows_needed);
    put_text(o, "verdict", balance_verdicts[b.verdict].name);
    return o;
}

static double load_choices(const struct stretch *s, const struct load *l)
{
    stats_u128 squares = 0;

    for (size_t i = 0; i < s->end->promises_len; i++) {
        const struct promise_counts c = promise_counts_of(s, i);

        squares += l->of_flows ? c.flow_squares : c.byte_squares;
    }
    return stats_effective_flows(l->count, squares);
}

json_t *stretch_balance(const struct stretch *s)
{
    const size_t wans = s->metrics->scenario->wans_len;
    double *room = mem_alloc(2 * wans + 1, sizeof *room);
    struct load flows = {true, room, s->expected_flows, s->flows_choice, 0};
    struct load bytes = {false, room + wans, s->expected_bytes, 0, 0};
    json_t *o = json_object();

    for (size_t w = 0; w < wans; w++) {
        const struct path_counts c = stretch_path(s, w);

        flows.observed[w] = (double)c.choice_flows;
        bytes.observed[w] = (double)c.choice_bytes;
        bytes.count += c.choice_bytes;
    }
    flows.choices = load_choices(s, &flows);
    bytes.choices = load_choices(s, &bytes);
    put(o, "flows", load_part(s, &flows));
    if (flows.count || bytes.count)
        put(o, "bytes", load_part(s, &bytes));
    mem_free(room);
    return o;
}
