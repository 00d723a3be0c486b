#include "sim/verify/findings.h"

#include <inttypes.h>

#include "sim/verify/kernel_config.h"

/* How the lab stands in for what the kernel is not. */
static const struct standing_in {
    enum platform platform;
    const char *what;
} notes[] = {
    {PLATFORM_ROUTEROS7, "hash: RouterOS 7's own block layout is that of Linux 5.6; both "
                         "sides use today's Linux's"},
    {PLATFORM_ROUTEROS7, "routes: the kernel gets what RouterOS's daemon would install, "
                         "gateways resolved, the dead"
                         " left out"},
    {PLATFORM_ROUTEROS7,
     "a link that is not running is administratively down in the kernel, addresses kept"},
    {PLATFORM_ROUTEROS7,
     "lookup-only-in-table is two rules: the look-up, then unreachable, or with min_prefix"
     " a table that throws what was passed over"},
    {PLATFORM_LINUX, "gateway checks are a daemon's: it replaces the route by one with "
                     "the gateways that pass"},
};

/* Of both platforms, with packets. */
static const char *const packet_notes[] = {
    "TCP windows are not checked (nf_conntrack_tcp_be_liberal, tcp_ignore_invalid_rst), "
    "as in the"
    " simulation",
    "connections end by simulated time: where they do, the kernel's entry is deleted",
    "packets are built from their fields: payload zeros, IPv4 options left out",
    "neighbours are never asked for (NOARP): a dead gateway is one whose WAN loses the "
    "packet",
    "what comes to the router itself is dropped at its door; what it would say is not "
    "let out",
};

enum { PACKET_NOTES = sizeof packet_notes / sizeof packet_notes[0] };

static bool note_applies(const struct findings *f, const struct standing_in *n)
{
    return n->platform == f->scenario->router.platform;
}

/* --------------------------------------------------------------------------------- text */

static void number_write(FILE *out, const char *name, uint64_t n)
{
    fprintf(out, "%-12s%12" PRIu64 "\n", name, n);
}

static void difference_write(FILE *out, const struct comparison *c, unsigned kind)
{
    const uint64_t n = c->differences[kind].count;

    if (!n)
        return;
    fprintf(out, "\n%12" PRIu64 "  %s\n", n, difference_names[kind]);
    for (unsigned i = 0; i < n && i < EXAMPLES_MAX; i++) {
        const struct example *e = &c->differences[kind].examples[i];

        fprintf(out, "    packet %" PRIu64 " at %.6f s: %s\n", e->packet,
                (double)e->time_ns / 1e9, e->flow);
        fprintf(out, "        simulation  %s\n", e->model);
        fprintf(out, "        kernel      %s\n", e->kernel);
    }
}

static void asides_write(const struct findings *f, FILE *out)
{
    const struct comparison *c = f->comparison;

    for (size_t i = 0; i < c->asides_len; i++)
        fprintf(out, "%12" PRIu64 "  %s\n", c->asides[i].count, c->asides[i].what);
    for (unsigned i = 0; i < REASONS; i++)
        if (c->not_put[i])
            fprintf(out, "%12" PRIu64 "  never came to the router: %s\n", c->not_put[i],
                    reason_names[i]);
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (note_applies(f, &notes[i]))
            fprintf(out, "%12s  %s\n", "-", notes[i].what);
    for (size_t i = 0; i < PACKET_NOTES && !f->routes_only; i++)
        fprintf(out, "%12s  %s\n", "-", packet_notes[i]);
}

void findings_write_text(const struct findings *f, FILE *out)
{
    const struct comparison *c = f->comparison;

    fprintf(out, "%s\n", f->scenario->name);
    fprintf(out, "Linux %s, hash seed %" PRIu32 ", %s\n\n", f->kernel,
            kernel_hash_seed(&f->scenario->router.hash),
            f->routes_only ? "routing alone, each flow asked once a change"
                           : "every packet sent through");
    number_write(out, "compared", c->compared);
    if (c->assumed)
        fprintf(out, "%12s%12" PRIu64 "  of them assumed: no capture shows them\n", "",
                c->assumed);
    number_write(out, "agree", c->agreed);
    number_write(out, "differ", comparison_differing(c));
    for (unsigned i = 0; i < DIFFERENCES; i++)
        difference_write(out, c, i);
    fprintf(out, "\nset aside, or stood in for:\n");
    asides_write(f, out);
}

/* --------------------------------------------------------------------------------- JSON */

static json_t *example_json(const struct example *e)
{
    return json_pack("{s:I, s:f, s:s, s:s, s:s}", "packet", (json_int_t)e->packet, "time",
                     (double)e->time_ns / 1e9, "flow", e->flow, "simulation", e->model,
                     "kernel", e->kernel);
}

static json_t *difference_json(const struct comparison *c, unsigned kind)
{
    const uint64_t n = c->differences[kind].count;
    json_t *examples = json_array();

    for (unsigned i = 0; i < n && i < EXAMPLES_MAX; i++)
        json_array_append_new(examples, example_json(&c->differences[kind].examples[i]));
    return json_pack("{s:s, s:I, s:o}", "kind", difference_names[kind], "count",
                     (json_int_t)n, "examples", examples);
}

static void aside_add(json_t *list, const char *what, uint64_t count)
{
    json_array_append_new(
        list, json_pack("{s:s, s:I}", "what", what, "count", (json_int_t)count));
}

static json_t *asides_json(const struct comparison *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->asides_len; i++)
        aside_add(list, c->asides[i].what, c->asides[i].count);
    return list;
}

static json_t *not_put_json(const struct comparison *c)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < REASONS; i++)
        if (c->not_put[i])
            json_object_set_new(object, reason_names[i],
                                json_integer((json_int_t)c->not_put[i]));
    return object;
}

static json_t *notes_json(const struct findings *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (note_applies(f, &notes[i]))
            json_array_append_new(list, json_string(notes[i].what));
    for (size_t i = 0; i < PACKET_NOTES && !f->routes_only; i++)
        json_array_append_new(list, json_string(packet_notes[i]));
    return list;
}

json_t *findings_json(const struct findings *f)
{
    const struct comparison *c = f->comparison;
    json_t *differences = json_array();

    for (unsigned i = 0; i < DIFFERENCES; i++)
        if (c->differences[i].count)
            json_array_append_new(differences, difference_json(c, i));
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}",
                     "format", "ecmplab-verify/1", "scenario", f->scenario->name,
                     "kernel", f->kernel, "mode",
                     f->routes_only ? "decisions" : "packets", "hash_seed",
                     (json_int_t)kernel_hash_seed(&f->scenario->router.hash), "compared",
                     (json_int_t)c->compared, "assumed", (json_int_t)c->assumed, "agree",
                     (json_int_t)c->agreed, "differ", (json_int_t)comparison_differing(c),
                     "differences", differences, "set_aside", asides_json(c), "not_put",
                     not_put_json(c), "stood_in_for", notes_json(f));
}
