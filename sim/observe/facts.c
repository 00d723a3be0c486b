#include "sim/observe/facts.h"

#include "sim/observe/metrics.h"
#include "sim/observe/result.h"

void facts_of(struct facts *f, const struct simulation *sim)
{
    const struct scenario *s = simulation_scenario(sim);

    f->end_ns = simulation_now_ns(sim);
    f->packets = simulation_packets(sim);
    f->steps_back = simulation_steps_back(sim);
    f->courses = mem_alloc(s->events_len, sizeof *f->courses);
    f->wan_up_ns = mem_alloc(s->wans_len, sizeof *f->wan_up_ns);
    for (size_t i = 0; i < s->events_len; i++)
        f->courses[i] = *simulation_event_course(sim, (int)i);
    for (size_t w = 0; w < s->wans_len; w++)
        f->wan_up_ns[w] = simulation_wan_up_ns(sim, (int)w);
}

void facts_free(struct facts *f)
{
    mem_free(f->courses);
    mem_free(f->wan_up_ns);
}

/* Here and not in metrics.c, so that metrics link without a simulation. */
json_t *metrics_result(struct metrics *m, const struct simulation *sim)
{
    struct facts facts;
    json_t *result;

    facts_of(&facts, sim);
    result = result_build(m, &facts);
    facts_free(&facts);
    return result;
}
