#include "tests/kernel/trial.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/router.h"
#include "sim/verify/kernel_config.h"
#include "sim/verify/lab.h"

/* ------------------------------------------------------------------------------- its parts */

static const char *const table_names[TRIAL_TABLES_MAX] = {
    "main", "local", "default", "t3", "t4", "t5", "t6", "t7",
};

struct trial *trial_create(void)
{
    struct trial *t = mem_alloc(1, sizeof *t);

    config_set_defaults(&t->config, PLATFORM_LINUX);
    hash_set_seed(&t->config.hash, 1);
    memcpy(t->tables, table_names, sizeof t->tables);
    t->config.tables_len = TRIAL_TABLES_MAX;
    trial_bind(t);
    return t;
}

struct trial *trial_copy(const struct trial *t)
{
    struct trial *copy = mem_alloc(1, sizeof *copy);

    *copy = *t;
    copy->steps = mem_alloc(t->steps_len, sizeof *t->steps);
    copy->steps_cap = t->steps_len;
    if (t->steps_len)
        memcpy(copy->steps, t->steps, t->steps_len * sizeof *t->steps);
    trial_bind(copy);
    return copy;
}

void trial_destroy(struct trial *t)
{
    if (!t)
        return;
    mem_free(t->steps);
    mem_free(t);
}

void trial_bind(struct trial *t)
{
    t->config.ifaces = t->ifaces;
    t->config.tables = t->tables;
    t->config.routes = t->routes;
    t->config.rules = t->rules;
    for (size_t i = 0; i < t->config.ifaces_len; i++)
        t->ifaces[i].addresses = t->addresses[i];
    for (size_t i = 0; i < t->config.routes_len; i++)
        t->routes[i].gateways = t->gateways[i];
}

struct config_iface *trial_add_iface(struct trial *t)
{
    static const char *const names[TRIAL_IFACES_MAX] = {
        "if0", "if1", "if2",  "if3",  "if4",  "if5",  "if6",  "if7",
        "if8", "if9", "if10", "if11", "if12", "if13", "if14", "if15",
    };
    const size_t i = t->config.ifaces_len++;

    assert(i < TRIAL_IFACES_MAX);
    t->ifaces[i] = (struct config_iface){.name = names[i], .addresses = t->addresses[i]};
    return &t->ifaces[i];
}

void trial_add_address(struct trial *t, unsigned iface, const struct prefix *address)
{
    struct config_iface *c = &t->ifaces[iface];

    assert(c->addresses_len < TRIAL_ADDRESSES_MAX);
    t->addresses[iface][c->addresses_len++] = *address;
}

struct config_route *trial_add_route(struct trial *t)
{
    const size_t i = t->config.routes_len++;

    assert(i < TRIAL_ROUTES_MAX);
    t->routes[i] = (struct config_route){
        .scope = 30, .target_scope = 10, .gateways = t->gateways[i]};
    return &t->routes[i];
}

void trial_add_gateway(struct trial *t, size_t route, const struct config_gateway *g)
{
    struct config_route *r = &t->routes[route];

    assert(r->gateways_len < TRIAL_GATEWAYS_MAX);
    t->gateways[route][r->gateways_len++] = *g;
}

struct config_rule *trial_add_rule(struct trial *t)
{
    const size_t i = t->config.rules_len++;

    assert(i < TRIAL_RULES_MAX);
    t->rules[i] = (struct config_rule){.iface = -1,
                                       .out_iface = -1,
                                       .tos = -1,
                                       .protocol = -1,
                                       .min_prefix = -1,
                                       .suppress_group = -1};
    return &t->rules[i];
}

struct trial_step *trial_add_step(struct trial *t)
{
    struct trial_step *s;

    t->steps = mem_grow(t->steps, &t->steps_cap, t->steps_len + 1, sizeof *t->steps);
    s = &t->steps[t->steps_len++];
    memset(s, 0, sizeof *s);
    s->iface = s->out_iface = -1;
    return s;
}

static bool is_own(const struct trial *t, const struct addr *a)
{
    for (size_t i = 0; i < t->config.ifaces_len; i++)
        for (size_t k = 0; k < t->ifaces[i].addresses_len; k++)
            if (addr_equal(&t->addresses[i][k].addr, a))
                return true;
    return false;
}

bool trial_is_askable(const struct trial *t)
{
    for (size_t i = 0; i < t->steps_len; i++) {
        const struct trial_step *s = &t->steps[i];

        if (s->kind == STEP_LOOKUP && s->iface < 0 &&
            !addr_is_unspecified(&s->packet.src) && !is_own(t, &s->packet.src))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------ the answers */

static const char *error_name(int error)
{
    switch (error) {
    case ENETUNREACH: return "ENETUNREACH";
    case EHOSTUNREACH: return "EHOSTUNREACH";
    case EACCES: return "EACCES";
    case EINVAL: return "EINVAL";
    default: return strerror(error);
    }
}

/* The errno by which the kernel would say so. */
static int model_error(const struct route_answer *a)
{
    switch (a->outcome) {
    case OUTCOME_ROUTE: return 0;
    case OUTCOME_NO_ROUTE:
    case OUTCOME_ONLY_TABLE: return ENETUNREACH;
    case OUTCOME_DROP: return EINVAL;
    case OUTCOME_UNREACHABLE: return a->entry ? EHOSTUNREACH : ENETUNREACH;
    case OUTCOME_PROHIBIT: return EACCES;
    }
    return 0;
}

/* What the model says, in the kernel's terms. Local delivery leaves by no interface. */
static struct lab_answer model_answer(const struct route_query *q,
                                      const struct route_answer *a, unsigned member)
{
    struct lab_answer as = {.error = model_error(a), .iface = -1};

    if (as.error)
        return as;
    as.type = ROUTE_UNICAST;
    if (!a->entry) { /* taken to be on link */
        as.iface = q->out_iface;
        return as;
    }
    as.type = a->entry->type;
    as.table = kernel_table(a->entry->table);
    if (member != NEXTHOP_NONE) {
        as.iface = a->entry->group->hops[member].iface;
        as.gateway = a->entry->group->hops[member].gateway;
    }
    return as;
}

/* "unicast table 254 dev if1 via 10.1.0.2", "local table 255", or the error. */
static void answer_say(const struct lab_answer *a, char text[TRIAL_ANSWER_MAX])
{
    char gateway[ADDR_TEXT_MAX] = "";
    int used;

    if (a->error) {
        snprintf(text, TRIAL_ANSWER_MAX, "%s", error_name(a->error));
        return;
    }
    used = snprintf(text, TRIAL_ANSWER_MAX, "%s table %u",
                    a->type <= ROUTE_THROW ? route_type_names[a->type] : "?", a->table);
    if (a->type != ROUTE_UNICAST)
        return;
    if (a->iface < 0) {
        snprintf(text + used, (size_t)(TRIAL_ANSWER_MAX - used), ", no next hop");
        return;
    }
    if (addr_is_set(&a->gateway))
        addr_format(&a->gateway, gateway);
    snprintf(text + used, (size_t)(TRIAL_ANSWER_MAX - used), " dev if%d%s%s", a->iface,
             *gateway ? " via " : "", gateway);
}

/*
 * IPv4 keeps the tables local and main in one, and calls both main, until there is a rule that is
 * not the kernel's own. Source: Linux fib_trie_unmerge().
 */
static bool tables_equal(const struct lab_answer *model, const struct lab_answer *kernel)
{
    return model->table == kernel->table ||
           (model->type != ROUTE_UNICAST && model->table == kernel_table(TABLE_LOCAL) &&
            kernel->table == kernel_table(TABLE_MAIN));
}

static bool answers_equal(const struct lab_answer *model, const struct lab_answer *kernel)
{
    if (model->error || kernel->error)
        return model->error == kernel->error;
    if (model->type != kernel->type || !tables_equal(model, kernel))
        return false;
    return model->type != ROUTE_UNICAST ||
           (model->iface == kernel->iface &&
            addr_equal(&model->gateway, &kernel->gateway));
}

/* -------------------------------------------------------------------------------- a trial */

/* Both routers of a trial. */
struct pair {
    struct lab *kernel;
    struct router *model;
};

static bool refuse(struct trial_result *result, const char *what, const char *why)
{
    result->outcome = TRIAL_REFUSED;
    snprintf(result->why, sizeof result->why, "%s: %s", what, why);
    return false;
}

static bool apply_sysctls(const struct trial *t, struct lab *lab,
                          struct trial_result *result)
{
    struct kernel_sysctl all[KERNEL_SYSCTLS_MAX];
    const size_t n = kernel_sysctls(&t->config, all);

    for (size_t i = 0; i < n; i++) {
        char value[16];

        snprintf(value, sizeof value, "%u", all[i].value);
        if (!all[i].tracking && !lab_sysctl(lab, all[i].path, value))
            return refuse(result, all[i].path, lab_error(lab));
    }
    return true;
}

static bool apply_commands(const struct trial *t, struct lab *lab,
                           struct trial_result *result)
{
    char *lines = NULL;
    size_t size;
    FILE *f = open_memstream(&lines, &size);
    bool ok;

    if (!f)
        return refuse(result, "memory", strerror(errno));
    kernel_config_write(f, &t->config);
    fclose(f);
    ok = lab_ip(lab, lines);
    free(lines);
    return ok || refuse(result, "ip", lab_error(lab));
}

static bool pair_create(struct pair *p, const struct trial *t,
                        struct trial_result *result)
{
    char error[256];

    *p = (struct pair){.kernel = lab_create(&t->config, error, sizeof error)};
    if (!p->kernel)
        return refuse(result, "lab", error);
    if (!apply_sysctls(t, p->kernel, result) || !apply_commands(t, p->kernel, result))
        return false;
    p->model = router_create(&t->config);
    return true;
}

static void pair_destroy(struct pair *p)
{
    lab_destroy(p->kernel);
    router_destroy(p->model);
}

static bool pair_change(struct pair *p, const struct trial_step *s,
                        struct trial_result *result)
{
    const unsigned iface = (unsigned)s->iface;
    bool ok;

    if (s->kind == STEP_ADMIN) {
        ok = lab_set_admin(p->kernel, iface, s->on);
        router_set_admin(p->model, iface, s->on);
    } else {
        ok = lab_set_carrier(p->kernel, iface, s->on);
        router_set_carrier(p->model, iface, s->on);
    }
    return ok || refuse(result, "change", lab_error(p->kernel));
}

static bool pair_ask(struct pair *p, const struct trial_step *s,
                     struct trial_result *result)
{
    struct route_query q = {.packet = &s->packet,
                            .in_iface = s->iface,
                            .out_iface = s->out_iface,
                            .by_fields = s->packet.dst.family == FAMILY_V6};
    struct lab_answer model, kernel;
    struct route_answer answer;
    unsigned member;

    router_route(p->model, &q, &answer, &member);
    model = model_answer(&q, &answer, member);
    if (!lab_lookup(p->kernel, &s->packet, s->iface, s->out_iface, &kernel))
        return refuse(result, "look-up", lab_error(p->kernel));
    result->lookups++;
    if (!kernel.error && kernel.iface >= 0)
        result->taken[kernel.iface]++;
    if (member != NEXTHOP_NONE && answer.entry->group->live > 1)
        result->multipath++;
    answer_say(&model, result->model);
    answer_say(&kernel, result->kernel);
    if (answers_equal(&model, &kernel))
        return true;
    result->outcome = TRIAL_DIFFERS;
    return false;
}

void trial_run(const struct trial *t, struct trial_result *result)
{
    struct pair p;

    memset(result, 0, sizeof *result);
    if (pair_create(&p, t, result))
        for (size_t i = 0; i < t->steps_len; i++) {
            const struct trial_step *s = &t->steps[i];

            result->step = i;
            if (!(s->kind == STEP_LOOKUP ? pair_ask : pair_change)(&p, s, result))
                break;
        }
    pair_destroy(&p);
}

/* --------------------------------------------------------------------------------- in words */

/* Every line of the text, with "ip " in front. */
static void print_ip_lines(FILE *out, const char *lines)
{
    while (*lines) {
        const size_t length = strcspn(lines, "\n");

        if (length)
            fprintf(out, "ip %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}

static void print_commands(FILE *out, const struct router_config *c)
{
    char *lines = NULL;
    size_t size;
    FILE *f = open_memstream(&lines, &size);

    if (!f)
        return;
    kernel_config_write(f, c);
    fclose(f);
    print_ip_lines(out, lines);
    free(lines);
}

static void print_sysctls(FILE *out, const struct router_config *c)
{
    struct kernel_sysctl all[KERNEL_SYSCTLS_MAX];
    const size_t n = kernel_sysctls(c, all);

    for (size_t i = 0; i < n; i++)
        if (!all[i].tracking && all[i].value)
            fprintf(out, "sysctl -w net/%s=%u\n", all[i].path, all[i].value);
}

static void print_step(FILE *out, const struct trial_step *s)
{
    const struct packet *p = &s->packet;
    char text[ADDR_TEXT_MAX], number[4];

    if (s->kind != STEP_LOOKUP) {
        fprintf(out, "ip link set %s%d %s%s\n", s->kind == STEP_ADMIN ? "if" : "w",
                s->iface, s->on ? "up" : "down",
                s->kind == STEP_ADMIN ? "" : "  # carrier");
        return;
    }
    fprintf(out, "ip route get %s", addr_format(&p->dst, text));
    if (!addr_is_unspecified(&p->src))
        fprintf(out, " from %s", addr_format(&p->src, text));
    if (s->iface >= 0)
        fprintf(out, " iif if%d", s->iface);
    if (s->out_iface >= 0)
        fprintf(out, " oif if%d", s->out_iface);
    if (p->mark)
        fprintf(out, " mark 0x%x", p->mark);
    if (p->tos)
        fprintf(out, " tos 0x%x", p->tos);
    if (p->protocol)
        fprintf(out, " ipproto %s", packet_protocol_name(p->protocol, number));
    if (p->sport)
        fprintf(out, " sport %u", p->sport);
    if (p->dport)
        fprintf(out, " dport %u", p->dport);
    if (p->flow_label)
        fprintf(out, " flowlabel 0x%x", p->flow_label);
    fprintf(out, "\n");
}

void trial_print(FILE *out, const struct trial *t, const struct trial_result *result)
{
    print_sysctls(out, &t->config);
    for (size_t i = 0; i < t->config.ifaces_len; i++) {
        fprintf(out, "ip link add if%zu type veth peer w%zu", i, i);
        if (t->ifaces[i].group)
            fprintf(out, "; ip link set if%zu group %u", i, t->ifaces[i].group);
        fprintf(out, "; ip link set if%zu up; ip link set w%zu up\n", i, i);
    }
    print_commands(out, &t->config);
    for (size_t i = 0; i <= result->step && i < t->steps_len; i++)
        if (t->steps[i].kind != STEP_LOOKUP || i == result->step)
            print_step(out, &t->steps[i]);
    fprintf(out, "    the kernel: %s\n    the model:  %s\n", result->kernel,
            result->model);
}
