#include "sim/verify/rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "sim/verify/kernel_config.h"

struct destinations {
    struct prefix *list;
    size_t len, cap;
};

struct rest_table {
    unsigned table;
    int min_prefix;
    struct destinations thrown;
};

struct rest {
    struct lab *lab;
    const struct router_config *config;
    const struct router *router;
    struct rest_table *tables;
    size_t tables_len, tables_cap;
};

/* ------------------------------------------------------------------------- destinations */

static bool destinations_have(const struct destinations *d, const struct prefix *p)
{
    for (size_t i = 0; i < d->len; i++)
        if (prefix_equal(&d->list[i], p))
            return true;
    return false;
}

/* Does a look-up in the table see it? */
static bool destination_is_usable(const struct rest *r, unsigned table,
                                  const struct prefix *p)
{
    const struct rib *rib = router_rib(r->router);
    const struct fib_entry *e = rib_find(rib, table, p);

    while (e && !e->usable)
        e = e->next == RIB_NO_ROUTE ? NULL : rib_entry(rib, e->next);
    return e != NULL;
}

static void destination_add(const struct rest *r, const struct rest_table *t,
                            const struct addr *addr, unsigned length,
                            struct destinations *d)
{
    const struct prefix p = prefix_of(addr, length);

    if ((int)length > t->min_prefix || destinations_have(d, &p) ||
        !destination_is_usable(r, t->table, &p))
        return;
    d->list = mem_grow(d->list, &d->cap, d->len + 1, sizeof *d->list);
    d->list[d->len++] = p;
}

/* Those that the rest table is to throw: configured ones, networks, own addresses. */
static struct destinations destinations_now(const struct rest *r,
                                            const struct rest_table *t)
{
    const struct router_config *c = r->config;
    struct destinations d = {0};

    for (size_t i = 0; i < c->routes_len; i++)
        destination_add(r, t, &c->routes[i].dst.addr, c->routes[i].dst.length, &d);
    for (unsigned i = 0; i < c->ifaces_len; i++) {
        const struct iface_state *s = router_iface(r->router, i);

        for (size_t k = 0; k < s->addresses_len; k++) {
            const struct addr *own = &s->addresses[k].addr;

            destination_add(r, t, own, s->addresses[k].length, &d);
            destination_add(r, t, own, addr_bits(own), &d);
        }
    }
    return d;
}

/* ------------------------------------------------------------------------------- tables */

static void route_write(FILE *out, const char *verb, const char *type,
                        const struct rest_table *t, const struct prefix *p)
{
    char text[PREFIX_TEXT_MAX];

    fprintf(out, "%sroute %s %s %s table %" PRIu32 "\n",
            p->addr.family == FAMILY_V6 ? "-6 " : "", verb, type, prefix_format(p, text),
            kernel_rest_table(t->table, t->min_prefix));
}

/* Of the worst metric: what is thrown there comes before it. */
static void table_begin(FILE *out, const struct rest_table *t)
{
    const uint32_t number = kernel_rest_table(t->table, t->min_prefix);

    fprintf(out, "route add unreachable default table %" PRIu32 " metric %u\n", number,
            UINT32_MAX);
    fprintf(out, "-6 route add unreachable default table %" PRIu32 " metric %u\n", number,
            UINT32_MAX);
}

static void table_follow(FILE *out, const struct rest *r, struct rest_table *t)
{
    struct destinations now = destinations_now(r, t);

    for (size_t i = 0; i < t->thrown.len; i++)
        if (!destinations_have(&now, &t->thrown.list[i]))
            route_write(out, "del", "throw", t, &t->thrown.list[i]);
    for (size_t i = 0; i < now.len; i++)
        if (!destinations_have(&t->thrown, &now.list[i]))
            route_write(out, "add", "throw", t, &now.list[i]);
    mem_free(t->thrown.list);
    t->thrown = now;
}

static bool table_is_known(const struct rest *r, const struct config_rule *rule)
{
    const uint32_t number = kernel_rest_table((unsigned)rule->table, rule->min_prefix);

    for (size_t i = 0; i < r->tables_len; i++)
        if (kernel_rest_table(r->tables[i].table, r->tables[i].min_prefix) == number)
            return true;
    return false;
}

static void tables_find(struct rest *r)
{
    for (size_t i = 0; i < r->config->rules_len; i++) {
        const struct config_rule *rule = &r->config->rules[i];

        if (!kernel_rule_needs_rest(rule) || table_is_known(r, rule))
            continue;
        r->tables =
            mem_grow(r->tables, &r->tables_cap, r->tables_len + 1, sizeof *r->tables);
        r->tables[r->tables_len++] = (struct rest_table){.table = (unsigned)rule->table,
                                                         .min_prefix = rule->min_prefix};
    }
}

/* `begins`: the tables are new. */
static bool tables_write(struct rest *r, bool begins)
{
    char *lines = NULL;
    size_t len;
    FILE *out = open_memstream(&lines, &len);
    bool good;

    if (!out)
        return false;
    for (size_t i = 0; i < r->tables_len; i++) {
        if (begins)
            table_begin(out, &r->tables[i]);
        else
            table_follow(out, r, &r->tables[i]);
    }
    good = fclose(out) == 0 && (!*lines || lab_ip(r->lab, lines));
    free(lines);
    return good;
}

struct rest *rest_create(struct lab *lab, const struct router_config *config,
                         const struct router *router)
{
    struct rest *r = mem_alloc(1, sizeof *r);

    r->lab = lab;
    r->config = config;
    r->router = router;
    tables_find(r);
    if (tables_write(r, true))
        return r;
    rest_destroy(r);
    return NULL;
}

void rest_destroy(struct rest *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->tables_len; i++)
        mem_free(r->tables[i].thrown.list);
    mem_free(r->tables);
    mem_free(r);
}

bool rest_follow(struct rest *r)
{
    return !r->tables_len || tables_write(r, false);
}
