#include "sim/observe/flows.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "sim/observe/choices.h"

void flows_init(struct flows *f)
{
    memset(f, 0, sizeof *f);
    f->free_record = f->free_touch = FLOWS_NONE;
}

void flows_free(struct flows *f)
{
    mem_free(f->records);
    mem_free(f->touches);
}

uint32_t flows_add(struct flows *f)
{
    uint32_t number = f->free_record;
    struct flow *flow;

    if (number != FLOWS_NONE) {
        f->free_record = f->records[number].touched;
    } else {
        assert(f->len < FLOW_WATCHED - 1);
        number = (uint32_t)f->len++;
        f->records = mem_grow(f->records, &f->records_cap, f->len, sizeof *f->records);
    }
    flow = &f->records[number];
    memset(flow, 0, sizeof *flow);
    flow->touched = flow->host = flow->used_address = FLOWS_NONE;
    flow->choice = CHOICE_OWN;
    flow->path = flow->request_wan = -1;
    flow->outward = FLOW_NO_DIRECTION;
    f->live++;
    return number;
}

void flows_remove(struct flows *f, uint32_t number)
{
    struct flow *flow = &f->records[number];

    while (flow->touched != FLOWS_NONE) {
        const uint32_t t = flow->touched;

        flow->touched = f->touches[t].next;
        f->touches[t].next = f->free_touch;
        f->free_touch = t;
    }
    flow->touched = f->free_record;
    f->free_record = number;
    f->live--;
}

static uint32_t touch_take(struct flows *f)
{
    uint32_t t = f->free_touch;

    if (t != FLOWS_NONE) {
        f->free_touch = f->touches[t].next;
        return t;
    }
    f->touches =
        mem_grow(f->touches, &f->touches_cap, f->touches_len + 1, sizeof *f->touches);
    return (uint32_t)f->touches_len++;
}

/* Take the last node out of a list that has at least two. */
static uint32_t touch_take_last(struct flows *f, const struct flow *flow)
{
    uint32_t t = flow->touched, before = t;

    while (f->touches[t].next != FLOWS_NONE) {
        before = t;
        t = f->touches[t].next;
    }
    f->touches[before].next = FLOWS_NONE;
    return t;
}

struct touch *flows_touch(struct flows *f, struct flow *flow, int event, bool *is_new)
{
    unsigned len = 0;
    uint32_t t;

    *is_new = false;
    for (t = flow->touched; t != FLOWS_NONE; t = f->touches[t].next, len++)
        if (f->touches[t].event == event)
            return &f->touches[t];
    *is_new = true;
    t = len < FLOW_TOUCHES_MAX ? touch_take(f) : touch_take_last(f, flow);
    f->touches[t] = (struct touch){.next = flow->touched, .event = event};
    flow->touched = t;
    return &f->touches[t];
}
