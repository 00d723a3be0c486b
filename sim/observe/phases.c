#include <string.h>

#include "sim/observe/moves.h"

/*
 * A snapshot is a copy of all that adds up. What flows carried since their way was last
 * decided is not in the counts yet: it is added from the connections.
 */
enum { CELLS_MAX = 1 << 24 }; /* figures in all snapshots together */

static void *copy(const void *from, size_t count, size_t size)
{
    void *to = mem_alloc(count, size);

    if (count)
        memcpy(to, from, count * size);
    return to;
}

static void add_unaccounted(const struct metrics *m, struct snapshot *s)
{
    const struct conn_table *conns = router_conns_const(m->router);

    for (uint32_t i = 0; i < conn_slots(conns); i++) {
        const struct conn *c = conn_is_used(conns, i) ? conn_at(conns, i) : NULL;
        const uint32_t number = c ? flows_of_cookie(c->cookie) : FLOWS_NONE;
        const struct flow *f;
        uint64_t bytes;

        if (!c || c->cookie == 0 || (f = flows_at(&m->flows, number))->path < 0)
            continue;
        bytes = moves_unaccounted(f, c, 0);
        s->promises[f->promise].bytes += bytes;
        if (m->promises.promises[f->promise].choice)
            s->paths[f->path].choice_bytes += bytes;
    }
}

int phases_take(struct metrics *m, int64_t time_ns)
{
    const size_t wans = m->scenario->wans_len, hosts = m->scenario->hosts_len;
    struct snapshot *s;

    m->snapshots = mem_grow(m->snapshots, &m->snapshots_cap, m->snapshots_len + 1,
                            sizeof *m->snapshots);
    s = &m->snapshots[m->snapshots_len];
    *s = (struct snapshot){
        .time_ns = time_ns,
        .paths = copy(m->paths, wans, sizeof *m->paths),
        .stick = m->stick,
        .hosts = copy(m->hosts.counts, hosts, sizeof *m->hosts.counts),
        .promises = copy(m->promises.counts, m->promises.len, sizeof *m->promises.counts),
        .promises_len = m->promises.len,
    };
    add_unaccounted(m, s);
    return (int)m->snapshots_len++;
}

int phases_snapshot(struct metrics *m, int64_t time_ns)
{
    const size_t cells =
        m->scenario->wans_len * 8 + m->scenario->hosts_len * 3 + m->promises.len * 2 + 16;

    if (m->snapshots_cells + cells > CELLS_MAX) {
        metrics_warn(m, "too many named events, WANs and hosts: phases are left out");
        return -1;
    }
    m->snapshots_cells += cells;
    return phases_take(m, time_ns);
}

void phases_free(struct metrics *m)
{
    for (size_t i = 0; i < m->snapshots_len; i++) {
        mem_free(m->snapshots[i].paths);
        mem_free(m->snapshots[i].hosts);
        mem_free(m->snapshots[i].promises);
    }
    mem_free(m->snapshots);
}
