#include "sim/observe/result_parts.h"

static json_t *address_text(const struct host *h, uint32_t address)
{
    char text[ADDR_TEXT_MAX];

    return json_string(addr_format(&h->addresses[address].addr, text));
}

static json_t *timeline(const struct metrics *m, const struct host *h)
{
    json_t *list = json_array();

    for (size_t i = 0; i < h->moments && i < HOST_TIMELINE_MAX; i++) {
        const struct host_moment *moment = &h->timeline[i];
        json_t *o = json_object();

        put_time(o, "at", moment->time_ns);
        put(o, "address", address_text(h, moment->address));
        put_text(o, "wan", m->scenario->wans[moment->wan].name);
        put_text(o, "kind", moment->live ? "live connection" : "new connection");
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *host_part(const struct metrics *m, uint32_t number)
{
    const struct host *h = m->hosts.list[number];
    json_t *o = json_object(), *addresses = json_array();

    for (uint32_t i = 0; i < h->addresses_len; i++)
        json_array_append_new(addresses, address_text(h, i));
    put(o, "sensitive", json_boolean(m->scenario->hosts[number].sensitive));
    put_count(o, "flows", h->flows);
    put_count(o, "packets_up", h->packets_up);
    put_count(o, "packets_down", h->packets_down);
    put(o, "public_addresses", addresses);
    put_count(o, "public_address_changes", h->counts->public_changes);
    put_count(o, "site_address_changes", h->site_changes);
    put_count(o, "live_address_changes", h->counts->live_changes);
    put_count(o, "addresses_at_once", hosts_addresses_at_once(&m->hosts, number));
    for (unsigned i = FLOW_FATES - 1; i > FLOW_SURVIVED; i--)
        put_count(o, flow_fate_names[i], h->fates[i]);
    put_time(o, "outage_seconds", h->outage_ns);
    if (result_has_users(m->scenario))
        put(o, "sessions", result_host_sessions(m, number));
    put(o, "timeline", timeline(m, h));
    put_count(o, "timeline_more",
              h->moments > HOST_TIMELINE_MAX ? h->moments - HOST_TIMELINE_MAX : 0);
    return o;
}

json_t *result_hosts(const struct metrics *m)
{
    json_t *o = json_object();

    for (uint32_t i = 0; i < m->scenario->hosts_len; i++)
        put(o, m->scenario->hosts[i].name, host_part(m, i));
    return o;
}
