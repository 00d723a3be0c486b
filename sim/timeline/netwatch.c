#include "sim/timeline/netwatch.h"

#include "core/memory.h"

void netwatch_init(struct netwatch *w, const struct scenario_watch *settings)
{
    *w = (struct netwatch){.settings = settings, .up = true};
    w->packets = mem_alloc(settings->packet_count, sizeof *w->packets);
}

void netwatch_free(struct netwatch *w)
{
    mem_free(w->packets);
}

void netwatch_sent(struct netwatch *w, int64_t now_ns, int64_t round_trip_ns)
{
    if (round_trip_ns > w->settings->timeout_ns)
        round_trip_ns = -1;
    w->packets[w->sent++ % w->settings->packet_count] =
        (struct netwatch_packet){now_ns, round_trip_ns};
}

static size_t kept(const struct netwatch *w)
{
    return w->sent < w->settings->packet_count ? (size_t)w->sent : w->settings->packet_count;
}

static int64_t known_ns(const struct netwatch *w, const struct netwatch_packet *p)
{
    return p->sent_ns +
           (p->round_trip_ns < 0 ? w->settings->timeout_ns : p->round_trip_ns);
}

int64_t netwatch_known_ns(const struct netwatch *w)
{
    int64_t last = 0;

    for (size_t i = 0; i < kept(w); i++)
        if (known_ns(w, &w->packets[i]) > last)
            last = known_ns(w, &w->packets[i]);
    return last;
}

bool netwatch_passes(const struct netwatch *w, int64_t now_ns)
{
    const struct scenario_watch *s = w->settings;
    int64_t sum = 0, longest = 0, answered = 0, lost = 0;

    for (size_t i = 0; i < kept(w); i++) {
        const struct netwatch_packet *p = &w->packets[i];

        if (known_ns(w, p) > now_ns)
            continue;
        if (p->round_trip_ns < 0) {
            lost++;
            continue;
        }
        answered++;
        sum += p->round_trip_ns;
        if (p->round_trip_ns > longest)
            longest = p->round_trip_ns;
    }
    if (lost * 100 >= (int64_t)s->loss_percent * s->packet_count)
        return false;
    return answered == 0 || (sum / answered <= s->mean_ns && longest <= s->longest_ns);
}

bool netwatch_judge(struct netwatch *w, bool passes, int64_t now_ns)
{
    const struct scenario_watch *s = w->settings;
    const uint32_t needed = w->up ? s->down_after : s->up_after;

    if (passes == w->up) {
        w->in_a_row = 0;
        return false;
    }
    if (w->in_a_row < needed)
        w->in_a_row++;
    if (w->in_a_row < needed || (!w->up && now_ns - w->since_ns < s->hold_down_ns))
        return false;
    w->up = passes;
    w->since_ns = now_ns;
    w->in_a_row = 0;
    return true;
}

bool netwatch_is_settled(const struct netwatch *w)
{
    const size_t n = kept(w);

    if (w->in_a_row || n < w->settings->packet_count)
        return false;
    for (size_t i = 1; i < n; i++)
        if (w->packets[i].round_trip_ns != w->packets[0].round_trip_ns)
            return false;
    return netwatch_passes(w, INT64_MAX) == w->up;
}

void netwatch_restart(struct netwatch *w)
{
    w->sent = 0;
    w->in_a_row = 0;
}
