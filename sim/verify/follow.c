#include "sim/verify/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/verify/kernel_config.h"
#include "sim/verify/objects.h"
#include "sim/verify/rest.h"

/* What the kernel was told of an interface last. */
struct followed_iface {
    struct prefix *addresses;
    size_t addresses_len, addresses_cap;
    bool admin_up, carrier;
};

/* Of all routes to one destination in one table: the one that is installed. */
struct followed_route {
    char *line; /* as written; NULL: none */
    uint32_t metric;
    bool is_first; /* the first of the configuration to that destination stands for all */
    bool checked;  /* Linux: the daemon has replaced it */
};

struct follow {
    struct lab *lab;
    const struct scenario *scenario;
    const struct router_config *config;
    const struct router *router;
    struct followed_iface *ifaces;
    struct followed_route *routes; /* one for each of the configuration */
    bool *checks_up;               /* Linux */
    struct rest *rest;             /* RouterOS */
    struct objects *objects;       /* of next hops, and the routes to them */
};

/* ---------------------------------------------------------------- lines for ip, collected */

struct lines {
    FILE *out;
    char *text;
    size_t len;
};

static bool lines_begin(struct lines *l)
{
    *l = (struct lines){0};
    l->out = open_memstream(&l->text, &l->len);
    return l->out != NULL;
}

static bool lines_run(struct lines *l, struct lab *lab,
                      bool (*run)(struct lab *, const char *))
{
    const bool good = fclose(l->out) == 0 && run(lab, l->text);

    free(l->text);
    return good;
}

/* ---------------------------------------------------------------------------- addresses */

static bool has_address(const struct prefix *list, size_t n, const struct prefix *a)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].length == a->length && addr_equal(&list[i].addr, &a->addr))
            return true;
    return false;
}

static void keep_addresses(struct followed_iface *mine, const struct iface_state *now)
{
    mine->addresses_len = 0;
    for (size_t i = 0; i < now->addresses_len; i++) {
        mine->addresses = mem_grow(mine->addresses, &mine->addresses_cap,
                                   mine->addresses_len + 1, sizeof *mine->addresses);
        mine->addresses[mine->addresses_len++] = now->addresses[i];
    }
}

/* New addresses before the old ones go, as the router takes them. */
static bool follow_addresses(struct follow *f, unsigned iface)
{
    struct followed_iface *mine = &f->ifaces[iface];
    const struct iface_state *now = router_iface(f->router, iface);
    bool gone = false;
    struct lines l;

    if (!lines_begin(&l))
        return false;
    for (size_t i = 0; i < now->addresses_len; i++)
        if (!has_address(mine->addresses, mine->addresses_len, &now->addresses[i]))
            kernel_address_write(l.out, "add", iface, &now->addresses[i]);
    for (size_t i = 0; i < mine->addresses_len; i++) {
        if (has_address(now->addresses, now->addresses_len, &mine->addresses[i]))
            continue;
        kernel_address_write(l.out, "del", iface, &mine->addresses[i]);
        gone = true;
    }
    keep_addresses(mine, now);
    if (!lines_run(&l, f->lab, lab_ip))
        return false;
    if (gone)
        lab_settle(f->lab);
    return true;
}

/* -------------------------------------------------------------------------------- links */

/* The kernel loses its IPv6 addresses with the interface, unless it was told to keep them. */
static void forget_v6_addresses(struct followed_iface *mine)
{
    size_t n = 0;

    for (size_t i = 0; i < mine->addresses_len; i++)
        if (mine->addresses[i].addr.family == FAMILY_V4)
            mine->addresses[n++] = mine->addresses[i];
    mine->addresses_len = n;
}

static bool follow_link(struct follow *f, unsigned iface, bool *changed)
{
    struct followed_iface *mine = &f->ifaces[iface];
    const struct iface_state *now = router_iface(f->router, iface);
    const bool is_linux = f->config->platform == PLATFORM_LINUX;
    const bool up = is_linux ? now->admin_up : iface_is_running(now);

    if (mine->admin_up != up) {
        *changed = true;
        mine->admin_up = up;
        if (!lab_set_admin(f->lab, iface, up))
            return false;
        if (!up && is_linux)
            forget_v6_addresses(mine);
    }
    if (is_linux && mine->carrier != now->carrier) {
        mine->carrier = now->carrier;
        if (!lab_set_carrier(f->lab, iface, now->carrier))
            return false;
    }
    return true;
}

/* -------------------------------------------------------------- what a RouterOS installs */

static const struct fib_entry *active_entry(const struct follow *f,
                                            const struct config_route *c)
{
    const struct rib *rib = router_rib(f->router);
    const struct prefix dst = prefix_of(&c->dst.addr, c->dst.length);
    const struct fib_entry *e = rib_find(rib, c->table, &dst);

    while (e && !e->usable)
        e = e->next == RIB_NO_ROUTE ? NULL : rib_entry(rib, e->next);
    return e && e->origin == ORIGIN_STATIC ? e : NULL;
}

static void entry_write(FILE *out, const char *verb, const struct fib_entry *e)
{
    const unsigned len = e->group ? e->group->len : 0;
    struct kernel_hop *hops = mem_alloc(len, sizeof *hops);
    struct kernel_route r = {
        .dst = e->dst,
        .metric = e->distance,
        .table = e->table,
        .type = e->type,
        .tos = e->tos,
        .pref_src = e->pref_src,
        .hops = hops,
    };

    for (unsigned i = 0; i < len; i++)
        if (e->group->hops[i].up)
            hops[r.hops_len++] = (struct kernel_hop){
                .gateway = e->group->hops[i].gateway,
                .iface = e->group->hops[i].iface,
                .weight = e->group->hops[i].weight,
                .onlink = addr_is_set(&e->group->hops[i].gateway),
            };
    kernel_route_write(out, verb, &r);
    mem_free(hops);
}

static char *entry_line(const struct fib_entry *e)
{
    struct lines l;

    if (!e || !lines_begin(&l))
        return NULL;
    entry_write(l.out, "replace", e);
    fclose(l.out);
    return l.text;
}

/* May fail: the kernel has deleted it with its last next hop. */
static void route_delete(struct follow *f, const struct config_route *c, uint32_t metric)
{
    const struct kernel_route r = {.dst = prefix_of(&c->dst.addr, c->dst.length),
                                   .table = c->table,
                                   .metric = metric};
    struct lines l;

    if (!lines_begin(&l))
        return;
    kernel_route_write(l.out, "del", &r);
    lines_run(&l, f->lab, lab_ip);
}

/* `anew`: the kernel may have lost or flagged what it was told before. */
static bool follow_daemon(struct follow *f, bool anew)
{
    struct lines l;
    bool *gone = mem_alloc(f->config->routes_len, sizeof *gone);
    uint32_t *metric = mem_alloc(f->config->routes_len, sizeof *metric);
    bool good = lines_begin(&l);

    for (size_t i = 0; i < f->config->routes_len && good; i++) {
        struct followed_route *mine = &f->routes[i];
        const struct fib_entry *e =
            mine->is_first ? active_entry(f, &f->config->routes[i]) : NULL;
        char *line = entry_line(e);

        if (line && (anew || !mine->line || strcmp(line, mine->line) != 0))
            fputs(line, l.out);
        gone[i] = mine->line && (!line || e->distance != mine->metric);
        metric[i] = mine->metric;
        free(mine->line);
        mine->line = line;
        mine->metric = e ? e->distance : 0;
    }
    good = good && lines_run(&l, f->lab, lab_ip);
    for (size_t i = 0; i < f->config->routes_len && good; i++)
        if (gone[i])
            route_delete(f, &f->config->routes[i], metric[i]);
    mem_free(gone);
    mem_free(metric);
    return good;
}

static void routes_find_firsts(struct follow *f)
{
    const struct config_route *all = f->config->routes;

    for (size_t i = 0; i < f->config->routes_len; i++) {
        const struct prefix dst = prefix_of(&all[i].dst.addr, all[i].dst.length);
        size_t k = 0;

        for (; k < i; k++) {
            const struct prefix other = prefix_of(&all[k].dst.addr, all[k].dst.length);

            if (all[k].table == all[i].table && prefix_equal(&other, &dst))
                break;
        }
        f->routes[i].is_first = k == i;
    }
}

/* --------------------------------------------------------------- Linux: a checking daemon */

/* Where the kernel bound the gateway when the route was added: the longest network holds it. */
static int gateway_iface(const struct follow *f, const struct config_gateway *g)
{
    int found = g->iface;
    unsigned longest = 0;

    for (size_t i = 0; i < f->config->ifaces_len && g->iface < 0; i++) {
        const struct config_iface *c = &f->config->ifaces[i];

        for (size_t k = 0; k < c->addresses_len; k++) {
            const struct prefix net =
                prefix_of(&c->addresses[k].addr, c->addresses[k].length);

            if (!prefix_contains(&net, &g->addr) || (found >= 0 && net.length <= longest))
                continue;
            found = (int)i;
            longest = net.length;
        }
    }
    return found < 0 ? 0 : found;
}

static bool check_is_of(const struct rib_check *check, const struct config_route *r,
                        const struct config_gateway *g)
{
    return r->check == check->kind && addr_equal(&g->addr, &check->target) &&
           (g->iface < 0 || g->iface == check->iface);
}

static bool gateway_passes(const struct follow *f, const struct config_route *r,
                           const struct config_gateway *g)
{
    const struct rib *rib = router_rib(f->router);

    for (size_t i = 0; i < rib_checks_len(rib); i++) {
        const struct rib_check check = rib_check_get(rib, i);

        if (!check.up && check_is_of(&check, r, g))
            return false;
    }
    return true;
}

static bool routes_are_one(const struct config_route *a, const struct config_route *b)
{
    return a == b || (a->dst.addr.family == FAMILY_V6 && a->table == b->table &&
                      a->distance == b->distance && a->type == b->type &&
                      prefix_equal(&a->dst, &b->dst));
}

/* Not one that the kernel has deleted with its last next hop: the daemon leaves that be. */
static bool route_lives(const struct follow *f, const struct config_route *r)
{
    const struct rib *rib = router_rib(f->router);
    const struct fib_entry *e = rib_find(rib, r->table, &r->dst);

    while (e && (e->distance != r->distance || e->tos != r->tos))
        e = e->next == RIB_NO_ROUTE ? NULL : rib_entry(rib, e->next);
    return e != NULL;
}

/* A next hop of an interface that is down is refused; it is put back with the interface. */
static bool gateway_is_usable(const struct follow *f, const struct config_route *r,
                              const struct config_gateway *g)
{
    return router_iface(f->router, (unsigned)gateway_iface(f, g))->admin_up &&
           gateway_passes(f, r, g);
}

/* The route with the gateways that pass, and in IPv6 with those of the routes that join it. */
static bool daemon_route(struct follow *f, const struct config_route *r)
{
    struct kernel_hop *hops = NULL;
    size_t cap = 0;
    struct kernel_route k = {.dst = r->dst,
                             .metric = r->distance,
                             .table = r->table,
                             .type = r->type,
                             .tos = r->tos,
                             .pref_src = r->pref_src};
    struct lines l;
    bool good;

    for (size_t i = 0; i < f->config->routes_len; i++) {
        const struct config_route *other = &f->config->routes[i];

        for (size_t g = 0;
             !other->disabled && routes_are_one(r, other) && g < other->gateways_len;
             g++) {
            if (!gateway_is_usable(f, other, &other->gateways[g]))
                continue;
            hops = mem_grow(hops, &cap, k.hops_len + 1, sizeof *hops);
            hops[k.hops_len++] =
                (struct kernel_hop){.gateway = other->gateways[g].addr,
                                    .iface = gateway_iface(f, &other->gateways[g]),
                                    .weight = other->gateways[g].weight,
                                    .onlink = addr_is_set(&other->gateways[g].addr)};
        }
    }
    k.hops = hops;
    if (k.hops_len == 0)
        route_delete(f, r, r->distance);
    good = k.hops_len == 0 || lines_begin(&l);
    if (k.hops_len && good) {
        kernel_route_write(l.out, "replace", &k);
        good = lines_run(&l, f->lab, lab_ip);
    }
    mem_free(hops);
    return good;
}

static bool follow_check(struct follow *f, const struct rib_check *check)
{
    for (size_t i = 0; i < f->config->routes_len; i++) {
        const struct config_route *r = &f->config->routes[i];
        bool uses = false;

        for (size_t g = 0; g < r->gateways_len; g++)
            uses |= check_is_of(check, r, &r->gateways[g]);
        uses = uses && !kernel_route_has_objects(f->config, r);
        f->routes[i].checked |= uses;
        if (uses && !r->disabled && route_lives(f, r) && !daemon_route(f, r))
            return false;
    }
    return true;
}

/* The kernel revives what it knows; what the daemon took out meanwhile is the daemon's. */
static bool daemon_again(struct follow *f)
{
    for (size_t i = 0; i < f->config->routes_len; i++) {
        const struct config_route *r = &f->config->routes[i];

        if (f->routes[i].checked && !r->disabled && route_lives(f, r) &&
            !daemon_route(f, r))
            return false;
    }
    return true;
}

static bool follow_checks(struct follow *f)
{
    const struct rib *rib = router_rib(f->router);

    for (size_t i = 0; i < rib_checks_len(rib); i++) {
        const struct rib_check check = rib_check_get(rib, i);

        if (check.up == f->checks_up[i])
            continue;
        f->checks_up[i] = check.up;
        if (!follow_check(f, &check))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------- events */

static bool follow_rule(struct follow *f, unsigned rule, bool add)
{
    struct lines l;

    if (!lines_begin(&l))
        return false;
    kernel_rule_write(l.out, add ? "add" : "del", f->config, &f->config->rules[rule]);
    return lines_run(&l, f->lab, lab_ip);
}

static bool follow_route(struct follow *f, unsigned route, bool add)
{
    const struct config_route *r = &f->config->routes[route];
    struct lines l;

    if (f->config->platform != PLATFORM_LINUX || kernel_route_has_objects(f->config, r))
        return true;
    if (!lines_begin(&l))
        return false;
    kernel_config_route_write(l.out,
                              !add                              ? "del"
                              : r->dst.addr.family == FAMILY_V6 ? "append"
                                                                : "add",
                              r);
    return lines_run(&l, f->lab, lab_ip) || !add;
}

bool follow_event(struct follow *f, int event, bool begins)
{
    const struct scenario_event *e = &f->scenario->events[event];

    switch ((enum event_kind)e->kind) {
    case EVENT_ROUTE_ADD: return follow_route(f, e->index, begins);
    case EVENT_ROUTE_REMOVE: return follow_route(f, e->index, !begins);
    case EVENT_RULE_ADD: return follow_rule(f, e->index, begins);
    case EVENT_RULE_REMOVE: return follow_rule(f, e->index, !begins);
    case EVENT_LINK_DOWN:
    case EVENT_GATEWAY_DOWN:
    case EVENT_BLACKHOLE:
    case EVENT_FLAP:
    case EVENT_OUTAGES:
    case EVENT_DEGRADE:
    case EVENT_BROWNOUT:
    case EVENT_ADDRESS_CHANGE:
    case EVENT_LEASE_CHANGE:
    case EVENT_PPPOE_RECONNECT:
    case EVENT_REBOOT:
    case EVENT_EACH_WAN:
    case EVENT_EACH_PAIR:
    case EVENT_KINDS: break;
    }
    return true;
}

bool follow_can(const struct scenario *s, char *why, size_t why_size)
{
    for (size_t i = 0; i < s->traffic_len; i++)
        if (s->traffic[i].by_flow) {
            snprintf(why, why_size,
                     "%s: its packets are not sent one by one; expected \"granularity\":"
                     " \"packet\"",
                     s->traffic[i].pointer);
            return false;
        }
    if (s->watches_len && s->router.platform == PLATFORM_LINUX) {
        snprintf(why, why_size,
                 "%s: netwatch of a linux router is simulated, but not followed in the kernel",
                 s->watches[0].pointer);
        return false;
    }
    for (size_t i = 0; i < s->events_len; i++) {
        const struct scenario_event *e = &s->events[i];

        if (e->kind == EVENT_REBOOT && e->redraw_hash) {
            snprintf(why, why_size,
                     "%s: a reboot that draws another hash seed is not followed in the kernel;"
                     " give it \"redraw_hash\": false",
                     e->pointer);
            return false;
        }
        if (!scenario_event_renews(e) || s->router.platform != PLATFORM_LINUX)
            continue;
        snprintf(why, why_size,
                 "%s: %s of a linux router is simulated, but not followed in the kernel",
                 e->pointer, event_kind_names[e->kind]);
        return false;
    }
    return true;
}

bool follow_time(struct follow *f, int64_t now_ns)
{
    return objects_run(f->objects, now_ns);
}

bool follow_use(struct follow *f, const struct decision *d, const struct packet *p,
                bool seen, int64_t now_ns)
{
    return objects_used(f->objects, d, p, seen, now_ns);
}

bool follow_has_lost(const struct follow *f)
{
    return objects_are_lost(f->objects);
}

static bool follow_linux(struct follow *f, bool links_changed, int64_t now_ns)
{
    return follow_checks(f) && (!links_changed || daemon_again(f)) &&
           objects_follow(f->objects, now_ns);
}

bool follow_change(struct follow *f, int64_t now_ns)
{
    bool links_changed = false;

    if (!objects_run(f->objects, now_ns))
        return false;
    for (unsigned i = 0; i < f->config->ifaces_len; i++)
        if (!follow_link(f, i, &links_changed) || !follow_addresses(f, i))
            return false;
    if (f->config->platform == PLATFORM_LINUX)
        return follow_linux(f, links_changed, now_ns);
    return follow_daemon(f, links_changed) && rest_follow(f->rest);
}

/* ---------------------------------------------------------------------------- the start */

static bool sysctls_set(struct follow *f, bool tracking)
{
    struct kernel_sysctl all[KERNEL_SYSCTLS_MAX];
    const size_t n = kernel_sysctls(f->config, all);
    char value[16];

    for (size_t i = 0; i < n; i++) {
        snprintf(value, sizeof value, "%" PRIu32, all[i].value);
        if (all[i].tracking == tracking && !lab_sysctl(f->lab, all[i].path, value))
            return false;
    }
    return true;
}

static bool start(struct follow *f, bool routes_only)
{
    struct lines l;

    if (!sysctls_set(f, false) || !lines_begin(&l))
        return false;
    kernel_config_write(l.out, f->config);
    if (!lines_run(&l, f->lab, lab_ip))
        return false;
    if (!routes_only) {
        if (!lines_begin(&l))
            return false;
        kernel_nft_write(l.out, f->config);
        if (!lines_run(&l, f->lab, lab_nft))
            return false;
        if (kernel_tracks(f->config) && !sysctls_set(f, true))
            return false;
    }
    if (f->config->platform == PLATFORM_ROUTEROS7)
        f->rest = rest_create(f->lab, f->config, f->router);
    f->objects = objects_create(f->lab, f->router, f->config);
    return (f->rest || f->config->platform == PLATFORM_LINUX) && f->objects &&
           follow_change(f, 0);
}

struct follow *follow_create(struct lab *lab, const struct scenario *s,
                             const struct router *router, bool routes_only)
{
    struct follow *f = mem_alloc(1, sizeof *f);
    const struct router_config *c = &s->router;

    f->lab = lab;
    f->scenario = s;
    f->config = c;
    f->router = router;
    f->ifaces = mem_alloc(c->ifaces_len, sizeof *f->ifaces);
    f->routes = mem_alloc(c->routes_len, sizeof *f->routes);
    f->checks_up = mem_alloc(router_checks_len(router), sizeof *f->checks_up);
    for (size_t i = 0; i < router_checks_len(router); i++)
        f->checks_up[i] = true;
    for (unsigned i = 0; i < c->ifaces_len; i++) {
        f->ifaces[i].admin_up = f->ifaces[i].carrier = true;
        keep_addresses(&f->ifaces[i], router_iface(router, i));
    }
    routes_find_firsts(f);
    if (start(f, routes_only))
        return f;
    follow_destroy(f);
    return NULL;
}

void follow_destroy(struct follow *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->config->ifaces_len; i++)
        mem_free(f->ifaces[i].addresses);
    for (size_t i = 0; i < f->config->routes_len; i++)
        free(f->routes[i].line);
    rest_destroy(f->rest);
    objects_destroy(f->objects);
    mem_free(f->ifaces);
    mem_free(f->routes);
    mem_free(f->checks_up);
    mem_free(f);
}
