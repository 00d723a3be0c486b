#include "core/iface.h"

#include <string.h>

#include "core/memory.h"

bool iface_has_family(const struct iface_state *s, unsigned family)
{
    for (size_t i = 0; i < s->addresses_len; i++)
        if (s->addresses[i].addr.family == family)
            return true;
    return false;
}

void iface_set_admin(struct iface_state *s, bool up)
{
    s->admin_up = up;
    s->ready = up && (s->ready || s->carrier);
}

void iface_set_carrier(struct iface_state *s, bool carrier)
{
    s->carrier = carrier;
    s->ready = s->ready || iface_is_running(s);
}

void iface_init(struct iface_state *s, const struct config_iface *c)
{
    memset(s, 0, sizeof *s);
    s->admin_up = s->ready = !c->disabled;
    s->carrier = true;
    s->group = c->group;
    for (size_t i = 0; i < c->addresses_len; i++)
        iface_add_address(s, &c->addresses[i]);
}

void iface_free(struct iface_state *s)
{
    mem_free(s->addresses);
    memset(s, 0, sizeof *s);
}

void iface_add_address(struct iface_state *s, const struct prefix *address)
{
    for (size_t i = 0; i < s->addresses_len; i++)
        if (addr_equal(&s->addresses[i].addr, &address->addr)) {
            s->addresses[i].length = address->length;
            return;
        }
    s->addresses = mem_grow(s->addresses, &s->addresses_cap, s->addresses_len + 1,
                            sizeof *s->addresses);
    s->addresses[s->addresses_len++] = *address;
}

bool iface_remove_address(struct iface_state *s, const struct addr *address)
{
    for (size_t i = 0; i < s->addresses_len; i++) {
        if (!addr_equal(&s->addresses[i].addr, address))
            continue;
        memmove(&s->addresses[i], &s->addresses[i + 1],
                (s->addresses_len - i - 1) * sizeof *s->addresses);
        s->addresses_len--;
        return true;
    }
    return false;
}

/* How well an address serves as a source; the first of the best is taken. 0: not at all. */
static unsigned source_score(const struct prefix *own, unsigned family,
                             const struct addr *towards)
{
    const unsigned common = addr_common_bits(&own->addr, towards);

    if (own->addr.family != family)
        return 0;
    if (family == FAMILY_V4)
        return addr_is_set(towards) && common >= own->length ? 2 : 1;
    if (addr_is_link_local(&own->addr))
        return 0;
    return 1 + (common < own->length ? common : own->length);
}

bool iface_select_address(const struct iface_state *s, unsigned family,
                          const struct addr *towards, struct addr *out)
{
    unsigned best = 0;

    for (size_t i = 0; i < s->addresses_len; i++) {
        const unsigned score = source_score(&s->addresses[i], family, towards);

        if (score <= best)
            continue;
        best = score;
        *out = s->addresses[i].addr;
    }
    return best > 0;
}
