#include "sim/timeline/bfd.h"

#define LONGEST_NS (INT64_MAX / 4) /* beyond the end of any run */

enum { STEPS_MAX = 64 }; /* what came so long ago tells nothing of the phase */

static int64_t least_wait_ns(const struct config_check *s)
{
    return s->interval_ns / 4 * 3;
}

static int64_t most_wait_ns(const struct config_check *s)
{
    return s->count == 1 ? s->interval_ns / 10 * 9 : s->interval_ns;
}

static int64_t draw_wait_ns(struct bfd *b)
{
    const int64_t least = least_wait_ns(b->settings);
    const int64_t span = most_wait_ns(b->settings) - least;

    return least + (int64_t)random_below(&b->jitter, (uint64_t)span + 1);
}

void bfd_start(struct bfd *b, const struct config_check *settings,
               struct random_stream jitter, int64_t now_ns)
{
    *b = (struct bfd){.settings = settings, .jitter = jitter, .sent_ns = now_ns};
    b->next_ns =
        now_ns + (int64_t)random_below(&b->jitter, (uint64_t)settings->interval_ns);
    bfd_presume_up(b, 0);
}

void bfd_presume_up(struct bfd *b, int64_t took_ns)
{
    b->silent = false;
    b->heard_ns = b->next_ns + took_ns;
}

void bfd_sent(struct bfd *b)
{
    b->sent_ns = b->next_ns;
    b->next_ns += draw_wait_ns(b);
}

/* The wait that a moment falls into: the longer, the more likely. */
static int64_t draw_covering_wait_ns(struct bfd *b)
{
    const uint64_t most = (uint64_t)most_wait_ns(b->settings);
    int64_t wait;

    do
        wait = draw_wait_ns(b);
    while (random_below(&b->jitter, most) >= (uint64_t)wait);
    return wait;
}

void bfd_skip_to(struct bfd *b, int64_t now_ns)
{
    for (unsigned step = 0; b->next_ns < now_ns && step < STEPS_MAX; step++)
        bfd_sent(b);
    if (b->next_ns < now_ns) {
        const int64_t wait = draw_covering_wait_ns(b);

        b->sent_ns = now_ns - 1 - (int64_t)random_below(&b->jitter, (uint64_t)wait);
        b->next_ns = b->sent_ns + wait;
    }
}

void bfd_heard(struct bfd *b, int64_t time_ns)
{
    if (b->silent || time_ns > b->heard_ns)
        b->heard_ns = time_ns;
    b->silent = false;
}

/* The detection time. */
static int64_t silence_ns(const struct config_check *s)
{
    return s->interval_ns < LONGEST_NS / s->count ? s->interval_ns * s->count
                                                  : LONGEST_NS;
}

int64_t bfd_deadline_ns(const struct bfd *b)
{
    return b->heard_ns + silence_ns(b->settings);
}

int64_t bfd_slack_ns(const struct config_check *s)
{
    return silence_ns(s) - most_wait_ns(s);
}
