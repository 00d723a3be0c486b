#include "sim/observe/decisions.h"

#include <inttypes.h>
#include <string.h>

#include "sim/observe/label.h"

static const char *const fate_names[] = {
    [FATE_DELIVERED] = "delivered", [FATE_LOCAL] = "local", [FATE_DROPPED] = "dropped",
    [FATE_UNROUTED] = "unrouted",   [FATE_HELD] = "held",
};

void decisions_begin(struct decisions *w, FILE *out, const struct router_config *config)
{
    w->out = out;
    w->config = config;
    fputs("packet,time,interface,src,dst,proto,sport,dport,verdict,rule,table,gateway,"
          "out_interface,nat_src,reason\n",
          out);
}

/* A field that may hold anything: quoted where it must be. */
static void put_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void put_packet(FILE *out, const struct packet *p)
{
    char buf[ADDR_TEXT_MAX], name[4];

    if (!addr_is_set(&p->src)) {
        fputs(",,,,", out);
        return;
    }
    fprintf(out, "%s,", addr_format(&p->src, buf));
    fprintf(out, "%s,%s,", addr_format(&p->dst, buf), packet_protocol_name(p->protocol, name));
    if (packet_protocol_has_ports(p->protocol))
        fprintf(out, "%u,%u", (unsigned)p->sport, (unsigned)p->dport);
    else
        putc(',', out);
}

static void put_decision(const struct decisions *w, const struct decision *d)
{
    char buf[LABEL_MAX];

    if (!d) {
        fputs(",,,,", w->out);
        return;
    }
    put_text(w->out, label_rule(w->config, d->rule, buf));
    putc(',', w->out);
    put_text(w->out, label_table(w->config, d->entry));
    fprintf(w->out, ",%s,", label_gateway(d, buf));
    put_text(w->out, label_iface(w->config, d->out_iface));
    putc(',', w->out);
    if (d->flags & DECISION_NATED)
        fputs(addr_format(&d->nat_src, buf), w->out);
}

static void decisions_packet(void *context, const struct observation *o)
{
    const struct decisions *w = context;

    if (o->fate == FATE_ASSUMED)
        return;
    fprintf(w->out, "%" PRIu64 ",%" PRId64 ".%09" PRId64 ",", o->number,
            o->time_ns / 1000000000, o->time_ns % 1000000000);
    if (o->in_iface >= 0)
        put_text(w->out, label_iface(w->config, (unsigned)o->in_iface));
    putc(',', w->out);
    put_packet(w->out, o->packet);
    fprintf(w->out, ",%s,", fate_names[o->fate]);
    put_decision(w, o->decision);
    fprintf(w->out, ",%s\n", reason_names[o->reason]);
}

struct observer decisions_observer(struct decisions *w)
{
    return (struct observer){.packet = decisions_packet, .context = w};
}
