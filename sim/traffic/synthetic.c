#include "sim/traffic/synthetic.h"

#include "core/memory.h"

struct synthetic {
    struct flowgen *flows;
    struct pacer *pacer;
};

struct synthetic *synthetic_open(const struct flowgen_config *c)
{
    struct synthetic *s = mem_alloc(1, sizeof *s);
    struct demand_source source;

    s->flows = flowgen_create(c);
    source = flowgen_source(s->flows);
    s->pacer = pacer_create(&source);
    return s;
}

int synthetic_read(struct synthetic *s, struct captured *out, unsigned max)
{
    return pacer_read(s->pacer, out, max);
}

const char *synthetic_error(const struct synthetic *s)
{
    return pacer_error(s->pacer);
}

void synthetic_close(struct synthetic *s)
{
    if (!s)
        return;
    pacer_destroy(s->pacer);
    flowgen_destroy(s->flows);
    mem_free(s);
}
