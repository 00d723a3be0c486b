#include "sim/observe/places.h"

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

static bool belongs(const struct places *p, const struct addr *src, int wan)
{
    const struct scenario_wan *w = &p->scenario->wans[wan];
    const struct iface_state *own = router_iface(p->router, (unsigned)w->iface);

    for (size_t i = 0; i < own->addresses_len; i++)
        if (addr_equal(&own->addresses[i].addr, src))
            return true;
    for (size_t i = 0; i < w->prefixes_len; i++)
        if (prefix_contains(&w->prefixes[i], src))
            return true;
    return false;
}

static bool belongs_elsewhere(const struct places *p, const struct addr *src, int wan)
{
    for (size_t w = 0; w < p->scenario->wans_len; w++)
        if ((int)w != wan && belongs(p, src, (int)w))
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

    if (belongs(p, src, wan))
        return leaks;
    if (addr_is_private(src))
        leaks |= LEAK_UNTRANSLATED;
    if (belongs_elsewhere(p, src, wan))
        leaks |= LEAK_FOREIGN;
    return leaks;
}
