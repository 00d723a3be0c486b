#include "sim/verify/compare.h"

#include <inttypes.h>
#include <string.h>

#include "sim/observe/label.h"

const char *const difference_names[DIFFERENCES] = {
    [DIFFER_ONLY_MODEL] = "only the simulation forwards it",
    [DIFFER_ONLY_KERNEL] = "only the kernel forwards it",
    [DIFFER_INTERFACE] = "another interface",
    [DIFFER_SOURCE] = "another source address",
    [DIFFER_PORT] = "another source port",
    [DIFFER_DESTINATION] = "another destination",
    [DIFFER_EXTRA] = "the kernel sends more than one",
    [DIFFER_TABLE] = "another table",
    [DIFFER_GATEWAY] = "another gateway",
    [DIFFER_REFUSAL] = "refused in another way",
};

static enum difference compare_routing(const struct outcome *model,
                                       const struct outcome *kernel)
{
    if (!model->forwarded)
        return model->type == kernel->type ? AGREES : DIFFER_REFUSAL;
    if (model->iface != kernel->iface)
        return DIFFER_INTERFACE;
    if (model->table != kernel->table)
        return DIFFER_TABLE;
    return addr_equal(&model->gateway, &kernel->gateway) ? AGREES : DIFFER_GATEWAY;
}

enum difference outcome_compare(const struct outcome *model, const struct outcome *kernel)
{
    if (model->forwarded != kernel->forwarded)
        return model->forwarded ? DIFFER_ONLY_MODEL : DIFFER_ONLY_KERNEL;
    if (model->routing_only)
        return compare_routing(model, kernel);
    if (!model->forwarded)
        return AGREES;
    if (model->iface != kernel->iface)
        return DIFFER_INTERFACE;
    if (!addr_equal(&model->src, &kernel->src))
        return DIFFER_SOURCE;
    if (model->sport != kernel->sport)
        return DIFFER_PORT;
    if (!addr_equal(&model->dst, &kernel->dst) || model->dport != kernel->dport)
        return DIFFER_DESTINATION;
    return model->extra == kernel->extra ? AGREES : DIFFER_EXTRA;
}

/* ----------------------------------------------------------------------------- in words */

static void end_write(FILE *out, const struct addr *a, uint16_t port)
{
    char text[ADDR_TEXT_MAX];

    fprintf(out, a->family == FAMILY_V6 ? "[%s]:%u" : "%s:%u", addr_format(a, text),
            port);
}

static void routing_write(FILE *out, const struct comparison *c, const struct outcome *o)
{
    char text[ADDR_TEXT_MAX];

    if (!o->forwarded) {
        fprintf(out, "%s", route_type_names[o->type]);
        return;
    }
    fprintf(out, "%s",
            o->iface < 0 ? "no interface" : label_iface(c->config, (unsigned)o->iface));
    if (addr_is_set(&o->gateway))
        fprintf(out, " via %s", addr_format(&o->gateway, text));
    fprintf(out, ", table %" PRIu32, o->table);
}

static void outcome_write(const struct comparison *c, const struct outcome *o, char *text)
{
    FILE *out = fmemopen(text, EXAMPLE_TEXT, "w");

    *text = '\0';
    if (!out)
        return;
    if (o->routing_only) {
        routing_write(out, c, o);
    } else if (!o->forwarded) {
        fprintf(out, "not forwarded");
    } else {
        fprintf(out, "%s, ", label_iface(c->config, (unsigned)o->iface));
        end_write(out, &o->src, o->sport);
        fprintf(out, " > ");
        end_write(out, &o->dst, o->dport);
        fprintf(out, "%s", o->extra ? ", and more" : "");
    }
    if (o->why && *o->why)
        fprintf(out, " (%s)", o->why);
    fclose(out);
    text[EXAMPLE_TEXT - 1] = '\0';
}

static void flags_write(FILE *out, const struct packet *p)
{
    static const char letters[] = "FSRPA";

    fprintf(out, " ");
    for (unsigned i = 0; letters[i]; i++)
        if (p->tcp_flags & (1u << i))
            fprintf(out, "%c", letters[i]);
}

static void flow_write(const struct comparison *c, const struct observation *o,
                       char *text)
{
    FILE *out = fmemopen(text, EXAMPLE_TEXT, "w");
    const struct packet *p = o->wire;
    char name[4];

    *text = '\0';
    if (!out)
        return;
    fprintf(out, "%s ", packet_protocol_name(p->protocol, name));
    end_write(out, &p->src, p->sport);
    fprintf(out, " > ");
    end_write(out, &p->dst, p->dport);
    if (p->protocol == PROTO_TCP)
        flags_write(out, p);
    if (o->in_iface >= 0)
        fprintf(out, ", in by %s", label_iface(c->config, (unsigned)o->in_iface));
    if (o->fate == FATE_ASSUMED)
        fprintf(out, ", assumed");
    fclose(out);
    text[EXAMPLE_TEXT - 1] = '\0';
}

/* ----------------------------------------------------------------------------- counting */

static void keep_example(struct comparison *c, enum difference d,
                         const struct observation *o, const struct outcome *model,
                         const struct outcome *kernel)
{
    const uint64_t n = c->differences[d].count;
    struct example *e;

    if (n >= EXAMPLES_MAX)
        return;
    e = &c->differences[d].examples[n];
    e->packet = o->number;
    e->time_ns = o->time_ns;
    flow_write(c, o, e->flow);
    outcome_write(c, model, e->model);
    outcome_write(c, kernel, e->kernel);
}

bool comparison_add(struct comparison *c, const struct observation *o,
                    const struct outcome *model, const struct outcome *kernel)
{
    const enum difference d = outcome_compare(model, kernel);

    c->compared++;
    c->assumed += o->fate == FATE_ASSUMED;
    if (d == AGREES) {
        c->agreed++;
        return true;
    }
    keep_example(c, d, o, model, kernel);
    c->differences[d].count++;
    return false;
}

void comparison_set_aside(struct comparison *c, const char *what, uint64_t count)
{
    for (size_t i = 0; i < c->asides_len; i++) {
        if (strcmp(c->asides[i].what, what) == 0) {
            c->asides[i].count += count;
            return;
        }
    }
    if (c->asides_len == ASIDES_MAX)
        return;
    c->asides[c->asides_len].what = what;
    c->asides[c->asides_len++].count = count;
}

uint64_t comparison_differing(const struct comparison *c)
{
    return c->compared - c->agreed;
}
