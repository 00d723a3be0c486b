/* What links and flows took, in the result. */
#include "sim/observe/result_parts.h"

/* A distribution of durations; in seconds. */
static json_t *distribution(const struct histogram *h, const char *count)
{
    json_t *o = json_object();

    put_count(o, count, h->count);
    put_real(o, "mean", histogram_mean(h) / 1e9);
    put_time(o, "p50", (int64_t)histogram_quantile(h, 500));
    put_time(o, "p95", (int64_t)histogram_quantile(h, 950));
    put_time(o, "p99", (int64_t)histogram_quantile(h, 990));
    put_time(o, "max", (int64_t)h->greatest);
    return o;
}

static void put_rate(json_t *o, const char *key, uint64_t bytes, int64_t time_ns)
{
    if (time_ns > 0)
        put_real(o, key, (double)bytes * 8 / ((double)time_ns / 1e9));
}

static json_t *cap(const struct path_delays *p)
{
    json_t *o = json_object();

    put_count(o, "bytes", p->cap_bytes);
    put_count(o, "used_bytes", p->used_bytes);
    put_count(o, "left_bytes",
              p->used_bytes < p->cap_bytes ? p->cap_bytes - p->used_bytes : 0);
    put_share(o, "used_share", (double)p->used_bytes, (double)p->cap_bytes);
    put_time(o, "reached_at", p->reached_ns);
    return o;
}

void result_put_delays(json_t *object, const struct stretch *s, size_t wan,
                       int64_t end_ns)
{
    const struct path_delays *p = &s->metrics->delays.paths[wan];
    const struct path_counts c = stretch_path(s, wan);

    put_rate(object, "goodput_up", c.bytes_up, end_ns);
    put_rate(object, "goodput_down", c.bytes_down, end_ns);
    if (p->queue_up.count)
        put(object, "queue_seconds_up", distribution(&p->queue_up, "packets"));
    if (p->queue_down.count)
        put(object, "queue_seconds_down", distribution(&p->queue_down, "packets"));
    if (p->completion.count)
        put(object, "completion_seconds", distribution(&p->completion, "flows"));
    if (p->cap_bytes)
        put(object, "cap", cap(p));
}

json_t *result_completion(const struct metrics *m)
{
    struct histogram all = {0};
    json_t *o;

    for (size_t w = 0; w < m->delays.paths_len; w++)
        histogram_merge(&all, &m->delays.paths[w].completion);
    o = distribution(&all, "flows");
    histogram_free(&all);
    return o;
}
