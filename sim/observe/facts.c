#include "sim/observe/facts.h"

#include <inttypes.h>
#include <stdio.h>

#include "sim/observe/metrics_parts.h"
#include "sim/observe/result.h"

void facts_of(struct facts *f, const struct simulation *sim)
{
    const struct scenario *s = simulation_scenario(sim);

    f->end_ns = simulation_now_ns(sim);
    f->packets = simulation_packets(sim);
    f->steps_back = simulation_steps_back(sim);
    f->courses = mem_alloc(s->events_len, sizeof *f->courses);
    f->outages = mem_alloc(s->events_len, sizeof *f->outages);
    f->watches = mem_alloc(s->watches_len, sizeof *f->watches);
    for (size_t i = 0; i < s->watches_len; i++)
        simulation_watch(sim, (int)i, &f->watches[i].downs, &f->watches[i].down_ns);
    f->wan_up_ns = mem_alloc(s->wans_len, sizeof *f->wan_up_ns);
    for (size_t i = 0; i < s->events_len; i++) {
        f->courses[i] = *simulation_event_course(sim, (int)i);
        f->outages[i] = *simulation_event_outages(sim, (int)i);
    }
    for (size_t w = 0; w < s->wans_len; w++)
        f->wan_up_ns[w] = simulation_wan_up_ns(sim, (int)w);
}

void facts_free(struct facts *f)
{
    mem_free(f->courses);
    mem_free(f->outages);
    mem_free(f->watches);
    mem_free(f->wan_up_ns);
}

/* What the run never came to. */
static void warn_of_events(struct metrics *m, const struct simulation *sim)
{
    const struct scenario *s = simulation_scenario(sim);

    for (size_t i = 0; i < s->events_len; i++) {
        const struct scenario_event *e = &s->events[i];
        char text[200];

        if (simulation_event_course(sim, (int)i)->began_ns >= 0)
            continue;
        snprintf(text, sizeof text, "%s %.60s at %.9g s never happened: the run ends at %.9g s",
                 event_kind_names[e->kind], e->name ? e->name : e->pointer,
                 (double)e->at_ns / 1e9, (double)simulation_now_ns(sim) / 1e9);
        metrics_warn(m, text);
    }
}

/* Most packets foreign: then `lan` or a `map` is mostly wrong, and every figure empty. */
static void warn_of_foreign(struct metrics *m)
{
    const uint64_t foreign = m->unrouted[REASON_FOREIGN];
    char text[300], src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
    uint64_t all = 0;

    for (unsigned i = 0; i < sizeof m->fates / sizeof m->fates[0]; i++)
        all += m->fates[i];
    if (foreign * 2 <= all)
        return;
    snprintf(text, sizeof text,
             "%" PRIu64 " of %" PRIu64 " packets are foreign: neither end is in 'lan' (after"
             " 'map'); the first goes from %s to %s",
             foreign, all, addr_format(&m->foreign_src, src), addr_format(&m->foreign_dst, dst));
    metrics_warn(m, text);
}

/* Here and not in metrics.c, so that metrics link without a simulation. */
json_t *metrics_result(struct metrics *m, const struct simulation *sim)
{
    struct facts facts;
    json_t *result;

    warn_of_events(m, sim);
    warn_of_foreign(m);
    facts_of(&facts, sim);
    result = result_build(m, &facts);
    facts_free(&facts);
    return result;
}
