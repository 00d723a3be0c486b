#include "sim/observe/ledger.h"

#include <string.h>

#include "core/memory.h"

void ledger_init(struct ledger *l, const struct scenario *s)
{
    memset(l, 0, sizeof *l);
    l->scenario = s;
}

void ledger_free(struct ledger *l)
{
    mem_free(l->flows);
    mem_free(l->of_record);
}

static struct ledger_flow *flow_of(const struct ledger *l, uint32_t record)
{
    if (record >= l->records_len || l->of_record[record] == 0)
        return NULL;
    return &l->flows[l->of_record[record] - 1];
}

/* A number for each record up to this one. */
static void records_reach(struct ledger *l, uint32_t record)
{
    const size_t len = (size_t)record + 1;

    if (len <= l->records_len)
        return;
    l->of_record = mem_grow(l->of_record, &l->records_cap, len, sizeof *l->of_record);
    memset(l->of_record + l->records_len, 0,
           (len - l->records_len) * sizeof *l->of_record);
    l->records_len = len;
}

void ledger_begin(struct ledger *l, uint32_t record, const struct tuple *t)
{
    records_reach(l, record);
    if (l->len == LEDGER_FLOWS_MAX) {
        l->of_record[record] = 0;
        l->left_out++;
        return;
    }
    l->flows = mem_grow(l->flows, &l->cap, l->len + 1, sizeof *l->flows);
    l->flows[l->len++] = (struct ledger_flow){.tuple = *t, .path = -1};
    l->of_record[record] = (uint32_t)l->len;
}

void ledger_path(struct ledger *l, uint32_t record, int wan, const struct addr *source)
{
    struct ledger_flow *f = flow_of(l, record);

    if (!f)
        return;
    f->path = wan;
    f->public = *source;
}

void ledger_end(struct ledger *l, uint32_t record, uint64_t bytes)
{
    struct ledger_flow *f = flow_of(l, record);

    if (f)
        f->bytes = bytes;
}
