#include "sim/links/maxmin.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "core/memory.h"
#include "sim/links/ranking.h"

/* A link while it fills. */
struct filling {
    double left;   /* of its capacity, beside the flows that froze */
    double weight; /* of those that still rise, by crossings */
    size_t rising; /* their crossings */
    size_t first;  /* of all its crossings */
    size_t crossings;
};

struct solver {
    const struct maxmin_flow *flows;
    double *rates; /* below 0: still rises */
    double level;  /* reached so far */
    struct filling *links;
    uint32_t *crossing;          /* flows, link by link */
    struct ranking full, capped; /* links and flows, by the level at which they are */
    uint32_t *full_places, *capped_places;
};

/* Who crosses what, link by link. */
static void index_crossings(struct solver *s, size_t links_len, size_t flows_len)
{
    size_t first = 0;

    for (size_t f = 0; f < flows_len; f++)
        for (size_t i = 0; i < s->flows[f].links_len; i++)
            s->links[s->flows[f].links[i]].crossings++;
    for (size_t l = 0; l < links_len; l++) {
        s->links[l].first = first;
        first += s->links[l].crossings;
    }
    s->crossing = mem_alloc(first, sizeof *s->crossing);
    for (size_t f = 0; f < flows_len; f++)
        for (size_t i = 0; i < s->flows[f].links_len; i++) {
            struct filling *l = &s->links[s->flows[f].links[i]];

            s->crossing[l->first + l->rising++] = (uint32_t)f;
            l->weight += s->flows[f].weight;
        }
}

/* The level at which the link will be full, as far as is known now. */
static double full_at(const struct solver *s, const struct filling *l)
{
    return fmax(l->left / l->weight, s->level);
}

static void rank_all(struct solver *s, size_t links_len, size_t flows_len)
{
    for (size_t l = 0; l < links_len; l++)
        if (s->links[l].rising)
            ranking_set(&s->full, s->full_places, (uint32_t)l, full_at(s, &s->links[l]));
    for (size_t f = 0; f < flows_len; f++) {
        s->rates[f] = -1;
        if (isfinite(s->flows[f].cap))
            ranking_set(&s->capped, s->capped_places, (uint32_t)f,
                        s->flows[f].cap / s->flows[f].weight);
    }
}

/* The flow stays at this rate; its links have so much less for the others. */
static void freeze(struct solver *s, uint32_t flow, double rate)
{
    const struct maxmin_flow *f = &s->flows[flow];

    s->rates[flow] = rate;
    ranking_remove(&s->capped, s->capped_places, flow);
    for (size_t i = 0; i < f->links_len; i++) {
        struct filling *l = &s->links[f->links[i]];

        l->left -= rate;
        l->weight -= f->weight;
        l->rising--;
    }
}

/* The link that seems to be full first: its flows freeze, unless it has room after all. */
static void fill(struct solver *s, struct ranked first)
{
    const struct filling *l = &s->links[first.number];
    double level;

    ranking_remove(&s->full, s->full_places, first.number);
    if (!l->rising)
        return;
    level = full_at(s, l);
    if (level > first.key) {
        ranking_set(&s->full, s->full_places, first.number, level);
        return;
    }
    s->level = level;
    for (size_t i = 0; i < l->crossings; i++) {
        const uint32_t flow = s->crossing[l->first + i];

        if (s->rates[flow] < 0)
            freeze(s, flow, s->flows[flow].weight * level);
    }
}

static void raise_level(struct solver *s)
{
    for (;;) {
        const struct ranked *link = ranking_first(&s->full);
        const struct ranked *flow = ranking_first(&s->capped);

        if (flow && (!link || flow->key <= link->key)) {
            s->level = fmax(s->level, flow->key);
            freeze(s, flow->number, s->flows[flow->number].cap);
        } else if (link) {
            fill(s, *link);
        } else {
            return;
        }
    }
}

void maxmin_solve(const double *capacities, size_t links_len,
                  const struct maxmin_flow *flows, size_t flows_len, double *rates)
{
    struct solver s = {.flows = flows, .rates = rates};

    s.links = mem_alloc(links_len, sizeof *s.links);
    s.full_places = mem_alloc(links_len, sizeof *s.full_places);
    s.capped_places = mem_alloc(flows_len, sizeof *s.capped_places);
    for (size_t l = 0; l < links_len; l++)
        s.links[l].left = capacities[l];
    index_crossings(&s, links_len, flows_len);
    rank_all(&s, links_len, flows_len);
    raise_level(&s);
    for (size_t f = 0; f < flows_len; f++)
        if (rates[f] < 0)
            rates[f] = INFINITY;
    ranking_free(&s.full);
    ranking_free(&s.capped);
    mem_free(s.links);
    mem_free(s.crossing);
    mem_free(s.full_places);
    mem_free(s.capped_places);
}
