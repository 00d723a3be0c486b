#include "tests/picks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/random.h"

struct picks picks_open(const char *policy, uint64_t seed)
{
    struct picks p = {.policy = policy_find(policy), .seed = seed};

    if (!p.policy)
        fail_msg("no policy '%s'", policy);
    p.config = config_policy_defaults(policy);
    p.packet.size_bytes = 100;
    return p;
}

void picks_close(struct picks *p)
{
    if (p->state)
        p->policy->destroy(p->state);
    p->state = NULL;
}

void picks_have(struct picks *p, unsigned len, const uint32_t *weights)
{
    assert_true(len <= PICKS_MAX);
    if (!p->state)
        p->state = p->policy->create(&p->config, p->seed);
    p->len = len;
    for (unsigned i = 0; i < len; i++) {
        struct random_stream s = random_stream_make(p->seed, i);

        p->all[i] = (struct policy_member){random_next(&s), weights ? weights[i] : 1,
                                           (uint16_t)(i + 1)};
    }
    picks_lose(p, 0);
}

void picks_lose(struct picks *p, unsigned member)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->len; i++)
        if (i + 1 != member)
            p->living[n++] = p->all[i];
    p->policy->update(p->state, p->living, n, p->query.now_ns);
}

unsigned picks_ask_pinned(struct picks *p, uint32_t hash, uint16_t *pin)
{
    p->query.packet = &p->packet;
    p->query.hash = hash;
    p->query.pin = pin;
    p->query.begins = *pin == 0;
    return p->living[p->policy->pick(p->state, &p->query)].hop;
}

unsigned picks_ask(struct picks *p, uint32_t hash)
{
    uint16_t none = 0;

    return picks_ask_pinned(p, hash, &none);
}

double picks_z(double hits, double n, double p)
{
    return (hits - n * p) / sqrt(n * p * (1 - p));
}
