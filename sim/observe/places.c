#include "sim/observe/places.h"

#include "sim/timeline/wan.h"

void places_init(struct places *p, const struct scenario *s, const struct router *r)
{
    p->scenario = s;
    p->router = r;
    p->wan_of_iface = mem_alloc(s->router.ifaces_len, sizeof *p->wan_of_iface);
    for (size_t i = 0; i < s->router.ifaces_len; i++)
        p->wan_of_iface[i] = -1;
    for (size_t w = 0; w < s->wans_len; w++)
        p->wan_of_iface[s->wans[w].iface] = (int)w;
}

void places_free(struct places *p)
{
    mem_free(p->wan_of_iface);
}

static bool belongs_elsewhere(const struct places *p, const struct addr *src, int wan)
{
    for (size_t w = 0; w < p->scenario->wans_len; w++)
        if ((int)w != wan && wan_owns(&p->scenario->wans[w], p->router, src))
            return true;
    return false;
}

static bool is_inside(const struct places *p, const struct addr *a)
{
    for (size_t i = 0; i < p->scenario->lan_len; i++)
        if (prefix_contains(&p->scenario->lan[i], a))
            return true;
    return false;
}

unsigned places_leaks(const struct places *p, const struct addr *src,
                      const struct addr *dst, int wan)
{
    unsigned leaks = is_inside(p, dst) ? LEAK_INSIDE : 0;

    if (wan_owns(&p->scenario->wans[wan], p->router, src))
        return leaks;
    if (addr_is_private(src))
        leaks |= LEAK_UNTRANSLATED;
    if (belongs_elsewhere(p, src, wan))
        leaks |= LEAK_FOREIGN;
    return leaks;
}
