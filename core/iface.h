/*
 * iface - the state of the router's interfaces while it runs
 *
 * Two switches, as Linux has them: administratively up, and carrier. RouterOS's "running"
 * is both. Addresses start as configured and change with events.
 */
#ifndef ECMPLAB_IFACE_H
#define ECMPLAB_IFACE_H

#include "core/config.h"

struct iface_state {
    struct prefix *addresses; /* with host bits */
    size_t addresses_len, addresses_cap;
    uint32_t group;
    bool admin_up;
    bool carrier;
    bool ready; /* up with carrier at some time since it was last administratively down */
};

static inline bool iface_is_running(const struct iface_state *s)
{
    return s->admin_up && s->carrier;
}

/* Both switches, and `ready` with them. */
void iface_set_admin(struct iface_state *s, bool up);
void iface_set_carrier(struct iface_state *s, bool carrier);

/* Does it have an address of the family? */
bool iface_has_family(const struct iface_state *s, unsigned family);

void iface_init(struct iface_state *s, const struct config_iface *c);
void iface_free(struct iface_state *s);

/* Add an address at the end; one that is there gets this length. */
void iface_add_address(struct iface_state *s, const struct prefix *address);

/* Remove exactly this address, whatever its length; false when it is not there. */
bool iface_remove_address(struct iface_state *s, const struct addr *address);

/*
 * The address that traffic leaving by this interface is masqueraded with; false: there is none.
 * `towards` is the next hop in IPv4: the address on the network that holds it, else the
 * first. It is the destination in IPv6: the address with most leading bits in common, which
 * also is one of its kind (global or unique local), then the first.
 * Sources: Linux inet_select_addr(), ipv6_dev_get_saddr(); RFC 6724 section 5, rule 8.
 */
bool iface_select_address(const struct iface_state *s, unsigned family,
                          const struct addr *towards, struct addr *out);

#endif
