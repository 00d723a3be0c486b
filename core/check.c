#include "core/check.h"

void check_start(struct check *c, int64_t phase_ns)
{
    *c = (struct check){.next_probe_ns = phase_ns, .up = true};
}

void check_presume_up(struct check *c)
{
    c->up = true;
    c->misses = 0;
}

void check_probe_sent(struct check *c, const struct config_check *settings)
{
    c->next_probe_ns += settings->interval_ns;
}

void check_skip_to(struct check *c, const struct config_check *settings, int64_t now_ns)
{
    const int64_t late = now_ns - c->next_probe_ns;

    if (late > 0)
        c->next_probe_ns +=
            (late + settings->interval_ns - 1) / settings->interval_ns * settings->interval_ns;
}

bool check_is_settled(const struct check *c, bool answered)
{
    return answered == c->up && (!c->up || c->misses == 0);
}

bool check_probe_ended(struct check *c, const struct config_check *settings, bool answered)
{
    const bool was_up = c->up;

    if (answered) {
        c->misses = 0;
        c->up = true;
    } else if (++c->misses >= settings->count) {
        c->misses = settings->count;
        c->up = false;
    }
    return c->up != was_up;
}

bool check_conclude(struct check *c, bool up)
{
    const bool was_up = c->up;

    c->up = up;
    c->misses = 0;
    return up != was_up;
}
