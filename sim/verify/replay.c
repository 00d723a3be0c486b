#include "sim/verify/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/timeline/heap.h"
#include "sim/verify/craft.h"
#include "sim/verify/follow.h"
#include "sim/verify/kernel_config.h"

enum {
    LATE_MS = 20, /* how long a packet that is missing may still come */
};

static const char lost[] = "buckets of a resilient group moved by time before, in a way "
                           "that cannot be carried over "
                           "to the kernel";

/* What is kept beside a connection of the simulation, by its index. */
struct shadow {
    int64_t due_ns; /* of its earliest timer in the heap; 0: none */
    bool forgotten; /* its time is over, and the kernel was told so */
    /* The public source that the kernel gave it, where that is not the model's. */
    bool is_other;
    struct addr src;
    uint16_t port;
};

struct replay {
    struct lab *lab;
    struct simulation *sim;
    struct follow *follow;
    struct comparison *result;
    bool routes_only;
    bool failed; /* lab_error() says why: nothing more is done */
    bool
        lost; /* the kernel cannot follow some group any more: nothing more is compared */
    struct shadow *shadows;
    size_t shadows_len, shadows_cap;
    struct heap expiries; /* index: of the connection */
    /* The connection that a SYN has just begun anew: where answers to it went. */
    struct tuple replaced_answer;
    struct shadow replaced;
    uint8_t sent[CRAFT_MAX], got[LAB_PACKET_MAX];
};

/* --------------------------------------------------------------- connections end by time */

static struct shadow *shadow_of(struct replay *r, uint32_t conn)
{
    const size_t before = r->shadows_len;

    if (conn >= before) {
        r->shadows =
            mem_grow(r->shadows, &r->shadows_cap, (size_t)conn + 1, sizeof *r->shadows);
        r->shadows_len = (size_t)conn + 1;
        memset(r->shadows + before, 0, (r->shadows_len - before) * sizeof *r->shadows);
    }
    return &r->shadows[conn];
}

static struct addr tuple_addr(const struct tuple *t, const uint8_t *bytes)
{
    return t->family == FAMILY_V4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

static void kernel_forget(struct replay *r, const struct conn *c)
{
    const struct packet first = {
        .src = tuple_addr(&c->orig, c->orig.src),
        .dst = tuple_addr(&c->orig, c->orig.dst),
        .sport = c->orig.sport,
        .dport = c->orig.dport,
        .protocol = c->orig.protocol,
        .icmp_type = c->orig.icmp_type,
        .icmp_code = c->orig.icmp_code,
    };

    /* Once: by now its 5-tuple may be another's answer. */
    if (shadow_of(r, c->index)->forgotten)
        return;
    shadow_of(r, c->index)->forgotten = true;
    if (!r->failed && !lab_conn_delete(r->lab, &first))
        r->failed = true;
}

/* A router that restarts. */
static void kernel_forget_all(struct replay *r)
{
    const struct conn_table *conns = router_conns_const(simulation_router(r->sim));

    for (uint32_t i = 0; i < conn_slots(conns) && !r->failed; i++)
        if (conn_is_used(conns, i) && !(conn_at(conns, i)->flags & CONN_KILLED) &&
            conn_at(conns, i)->expires_ns > simulation_now_ns(r->sim))
            kernel_forget(r, conn_at(conns, i));
}

/* See that it is looked at again when its time is over. */
static void watch_expiry(struct replay *r, const struct conn *c)
{
    struct shadow *s = shadow_of(r, c->index);

    s->forgotten = false;
    if (s->due_ns && s->due_ns <= c->expires_ns)
        return;
    s->due_ns = c->expires_ns;
    heap_push(&r->expiries, c->expires_ns, 0, c->index);
}

static void expiry_reached(struct replay *r, const struct timer *t, int64_t now_ns)
{
    const struct conn_table *conns = router_conns_const(simulation_router(r->sim));
    struct shadow *s = shadow_of(r, t->index);
    const struct conn *c;

    if (s->due_ns != t->time_ns)
        return;
    s->due_ns = 0;
    if (!conn_is_used(conns, t->index))
        return;
    c = conn_at(conns, t->index); /* killed: another has taken its port since its time was over */
    if (c->expires_ns <= now_ns)
        kernel_forget(r, c);
    else
        watch_expiry(r, c);
}

static void expire(struct replay *r, int64_t now_ns)
{
    const struct timer *next;
    struct timer t;

    while ((next = heap_peek(&r->expiries)) && next->time_ns <= now_ns &&
           heap_pop(&r->expiries, &t))
        expiry_reached(r, &t, now_ns);
}

static void conn_ended(void *context, const struct conn *c)
{
    struct replay *r = context;
    struct shadow *s = shadow_of(r, c->index);

    if (!r->routes_only && c->expires_ns <= simulation_now_ns(r->sim))
        kernel_forget(r, c);
    if (c->expires_ns > simulation_now_ns(r->sim)) {
        conn_reply_tuple(c, &r->replaced_answer);
        r->replaced = *s;
    }
    *s = (struct shadow){0};
}

/* -------------------------------------------------------------------- routing alone asked */

/* As routing sees it: an answer has its LAN address back. */
static const struct packet *routed_packet(const struct observation *o)
{
    const struct decision *d = o->decision;

    return d->conn != CONN_NONE && d->direction == 1 ? o->packet : o->wire;
}

static uint8_t refusal_of_errno(int error)
{
    switch (error) {
    case EACCES: return ROUTE_PROHIBIT;
    case EINVAL: return ROUTE_BLACKHOLE;
    default: return ROUTE_UNREACHABLE;
    }
}

static uint8_t refusal_of_verdict(unsigned verdict)
{
    switch (verdict) {
    case VERDICT_PROHIBIT: return ROUTE_PROHIBIT;
    case VERDICT_DROP: return ROUTE_BLACKHOLE;
    default: return ROUTE_UNREACHABLE;
    }
}

static struct outcome routing_of_kernel(const struct lab_answer *a)
{
    struct outcome o = {.routing_only = true, .iface = a->iface, .why = ""};

    o.type = a->error ? refusal_of_errno(a->error) : a->type;
    o.forwarded = o.type == ROUTE_UNICAST;
    o.table = a->table;
    o.gateway = a->gateway;
    return o;
}

static struct outcome routing_of_model(const struct decision *d)
{
    struct outcome o = {
        .routing_only = true, .iface = -1, .why = reason_names[d->reason]};

    if (d->entry)
        o.table = kernel_table(d->entry->table);
    if (d->entry && d->entry->group && d->member != NEXTHOP_NONE) {
        o.type = ROUTE_UNICAST;
        o.forwarded = true;
        o.iface = d->entry->group->hops[d->member].iface;
        o.gateway = d->entry->group->hops[d->member].gateway;
        return o;
    }
    o.type = d->verdict == VERDICT_LOCAL && d->entry ? d->entry->type
                                                     : refusal_of_verdict(d->verdict);
    return o;
}

/* Destinations and sources that routing is never asked about. */
static bool is_special(const struct decision *d)
{
    return d->reason == REASON_MARTIAN || d->reason == REASON_MULTICAST ||
           d->reason == REASON_LINK_LOCAL ||
           (d->reason == REASON_BROADCAST && !d->entry) || d->verdict == VERDICT_HELD ||
           d->reason == REASON_FRAGMENT_REJECTED;
}

/* Without a packet the kernel hashes other fields of IPv6 under these policies. */
static bool hash_needs_packet(const struct replay *r, const struct packet *p)
{
    return p->dst.family == FAMILY_V6 &&
           r->result->config->hash.v6.policy >= HASH_L3_INNER;
}

/* Was it routed anew, or its policy asked anew with the rest of the decision kept? */
static bool was_decided(const struct decision *d)
{
    return (d->flags & (DECISION_ROUTED | DECISION_HASHED)) != 0;
}

/* The simulation has used a bucket, and the kernel (`seen`) with it or not. */
static void use(struct replay *r, const struct observation *o, bool seen)
{
    if (!was_decided(o->decision) || r->failed)
        return;
    r->failed = !follow_use(r->follow, o->decision, routed_packet(o), seen, o->time_ns);
}

static void ask_kernel(struct replay *r, const struct observation *o)
{
    const struct decision *d = o->decision;
    const struct packet *p = routed_packet(o);
    struct lab_answer answer;
    struct outcome model, kernel;

    if (!was_decided(d) && !is_special(d))
        return;
    if (is_special(d) || !lab_can_ask(r->lab, p) || hash_needs_packet(r, p)) {
        comparison_set_aside(
            r->result,
            "routing cannot be asked about it by RTM_GETROUTE (fragments, ICMP "
            "errors, other protocols, special addresses, IPv6 under l3-inner)",
            1);
        use(r, o, false);
        return;
    }
    use(r, o, true);
    if (!lab_lookup(r->lab, p, o->in_iface, -1, &answer)) {
        r->failed = true;
        return;
    }
    model = routing_of_model(d);
    kernel = routing_of_kernel(&answer);
    comparison_add(r->result, o, &model, &kernel);
}

/* ------------------------------------------------------------------- packets sent through */

static bool is_query_protocol(uint8_t protocol)
{
    return protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

static bool is_query(const struct packet *p)
{
    return is_query_protocol(p->protocol) && !(p->flags & PACKET_ICMP_ERROR);
}

static void ports_of_datagram(const struct observation *o, struct outcome *m)
{
    const struct conn *c = o->conn;

    m->sport = m->dport = 0;
    if (!c || (o->decision->flags & DECISION_INVALID))
        return;
    m->sport = o->decision->direction == 0 ? c->nat_sport : c->orig.dport;
    m->dport = o->decision->direction == 0 ? c->orig.dport : c->orig.sport;
    if (is_query_protocol(c->orig.protocol))
        m->dport = m->sport;
}

/* Onto a link that is down a packet is sent in vain, and nobody sees by which. */
static bool is_seen(const struct replay *r, const struct observation *o)
{
    const struct decision *d = o->decision;

    return d->verdict == VERDICT_FORWARD && d->out_iface != NEXTHOP_NONE &&
           iface_is_running(router_iface(simulation_router(r->sim), d->out_iface));
}

static struct outcome outcome_of_model(const struct replay *r,
                                       const struct observation *o)
{
    const struct decision *d = o->decision;
    const struct packet *routed = routed_packet(o);
    struct outcome m = {
        .forwarded = is_seen(r, o),
        .iface = d->out_iface == NEXTHOP_NONE ? -1 : (int)d->out_iface,
        .src = d->nat_src,
        .dst = routed->dst,
        .sport = d->nat_sport,
        .dport = routed->dport,
        .why = reason_names[o->reason],
    };

    if (routed->flags & PACKET_LATER_FRAGMENT) {
        ports_of_datagram(
            o, &m); /* it completes one, whose first fragment comes out first */
    } else if (is_query(routed)) {
        const bool translated = d->flags & DECISION_NATED;

        m.sport = m.dport = translated ? d->nat_sport : routed->icmp_id;
    }
    return m;
}

static struct outcome outcome_of_bytes(const uint8_t *bytes, size_t len, unsigned iface)
{
    struct packet p;
    struct outcome k = {.why = ""};

    if (packet_dissect(bytes, len, len, &p) != DISSECT_OK)
        return k;
    k.forwarded = true;
    k.iface = (int)iface;
    k.src = p.src;
    k.dst = p.dst;
    k.sport = p.sport;
    k.dport = p.dport;
    if (is_query(&p))
        k.sport = k.dport = p.icmp_id;
    return k;
}

/* What came out: of several fragments the first, unless another went elsewhere. */
static struct outcome kernel_collect(struct replay *r, int wait_ms)
{
    struct outcome first = {.why = ""}, next;
    unsigned iface, packets = 0;
    size_t len;

    while ((len = lab_receive(r->lab, &iface, r->got, sizeof r->got, wait_ms))) {
        next = outcome_of_bytes(r->got, len, iface);
        packets++;
        if (!first.forwarded || next.iface != first.iface)
            first = next;
        wait_ms = 0;
    }
    first.extra = packets > 1;
    return first;
}

/* A first fragment that waits belongs to a connection too, though no decision says so yet. */
static const struct conn *conn_of_answer(const struct replay *r,
                                         const struct observation *o)
{
    const struct router *router = simulation_router(r->sim);
    unsigned direction = 1;
    struct router_key key;
    struct conn *c;

    if (o->conn || o->in_wan < 0)
        return o->conn;
    router_key(router, o->packet, true, &key);
    c = conn_find(router_conns_const(router), &key.tuple, key.hash, &direction);
    return direction == 0 ? c : NULL;
}

static void address_to_other(const struct shadow *s, struct packet *p)
{
    p->dst = s->src;
    if (p->flags & PACKET_LATER_FRAGMENT)
        return;
    if (p->flags & PACKET_ICMP_ERROR) {
        p->inner.src = s->src;
        if (is_query_protocol(p->inner.protocol))
            p->inner.icmp_id = s->port;
        else if (packet_protocol_has_ports(p->inner.protocol))
            p->inner.sport = s->port;
    } else if (is_query(p)) {
        p->icmp_id = s->port;
    } else if (packet_protocol_has_ports(p->protocol)) {
        p->dport = s->port;
    }
}

/* A SYN from outside that ended the connection which it was addressed by. */
static const struct shadow *shadow_replaced(const struct replay *r, const struct packet *p)
{
    struct tuple t;

    tuple_of_packet(p, &t);
    return r->replaced.is_other && memcmp(&t, &r->replaced_answer, sizeof t) == 0
               ? &r->replaced
               : NULL;
}

/* An answer is addressed to the public source that the kernel has given. True: to another than in
 * the simulation. */
static bool readdress(struct replay *r, const struct observation *o, struct packet *p)
{
    const struct shadow *s = shadow_replaced(r, p);
    const struct conn *c = s ? NULL : conn_of_answer(r, o);

    if (c)
        s = shadow_of(r, c->index);
    if (!s || !s->is_other || addr_equal(&o->wire->dst, &o->packet->dst))
        return false;
    address_to_other(s, p);
    return true;
}

/* What the kernel made of the source of a connection's own direction. */
static void remember_source(struct replay *r, const struct observation *o,
                            const struct outcome *model, const struct outcome *kernel)
{
    struct shadow *s;

    if (!o->conn || o->decision->direction != 0 || !kernel->forwarded ||
        !model->forwarded || (o->wire->flags & PACKET_ICMP_ERROR))
        return;
    s = shadow_of(r, o->conn->index);
    s->is_other = kernel->sport != model->sport || !addr_equal(&kernel->src, &model->src);
    s->src = kernel->src;
    s->port = kernel->sport;
}

/*
 * Both had to draw another port than the host's, at random: no two draws agree. The address must.
 */
static void forgive_drawn_port(struct replay *r, const struct observation *o,
                               const struct outcome *model, struct outcome *kernel)
{
    const uint16_t own = o->conn ? o->conn->orig.sport : 0;

    if (!o->conn || o->decision->direction != 0 || kernel->sport == model->sport ||
        model->sport == own || kernel->sport == own || !model->forwarded ||
        !kernel->forwarded || (o->wire->flags & PACKET_ICMP_ERROR))
        return;
    if (o->decision->flags & (DECISION_NEW | DECISION_REVIVED))
        comparison_set_aside(r->result,
                             "the port of connections whose own was taken: both draw"
                             " one at random; the address counts",
                             1);
    if (is_query_protocol(o->conn->orig.protocol))
        kernel->dport = model->dport;
    kernel->sport = model->sport;
}

static void send_through(struct replay *r, const struct observation *o)
{
    struct packet p = *o->wire;
    struct outcome model = outcome_of_model(r, o), kernel;
    const bool is_other = readdress(r, o, &p);

    r->replaced.is_other = false;
    if (!lab_send(r->lab, (unsigned)o->in_iface, r->sent, craft_packet(&p, r->sent))) {
        r->failed = true;
        return;
    }
    kernel = kernel_collect(r, 0);
    if (is_other && (!o->conn || (o->decision->flags & DECISION_INVALID))) {
        comparison_set_aside(r->result,
                             "packets to a public port that both sides drew at random, which"
                             " end their connection or are invalid: each goes to another",
                             1);
        return;
    }
    if (model.forwarded && !kernel.forwarded)
        kernel = kernel_collect(r, LATE_MS);
    if (p.flags & PACKET_FRAGMENT) /* all of its datagram come out at once */
        kernel.extra = false;
    use(r, o, true);
    remember_source(r, o, &model, &kernel);
    forgive_drawn_port(r, o, &model, &kernel);
    comparison_add(r->result, o, &model, &kernel);
}

/* ---------------------------------------------------------------------------- watching */

static void observe_packet(void *context, const struct observation *o)
{
    struct replay *r = context;
    const char *refusal;

    if (r->failed)
        return;
    if (!o->decision || !o->wire) {
        r->result->not_put[o->reason]++;
        return;
    }
    if (!follow_time(r->follow, o->time_ns)) {
        r->failed = true;
        return;
    }
    r->lost = r->lost || follow_has_lost(r->follow);
    if (r->lost) {
        comparison_set_aside(r->result, lost, 1);
        return;
    }
    if (r->routes_only) {
        ask_kernel(r, o);
        return;
    }
    expire(r, o->time_ns);
    refusal = craft_refuses(o->wire);
    if (refusal || o->in_iface < 0) {
        comparison_set_aside(r->result, refusal ? refusal : "sent by the router itself",
                             1);
        use(r, o, false);
    } else {
        send_through(r, o);
    }
    if (o->conn && !(o->conn->flags & CONN_KILLED))
        watch_expiry(r, o->conn);
}

static void observe_answer(void *context, const struct packet *wire, int in_iface)
{
    struct replay *r = context;
    const struct conn_table *conns = router_conns_const(simulation_router(r->sim));
    struct packet p = *wire;
    const struct conn *c;
    unsigned direction;
    struct tuple t;

    if (r->failed || r->routes_only || in_iface < 0 || craft_refuses(wire))
        return;
    tuple_of_packet(wire, &t);
    c = conn_find(conns, &t, conn_hash(conns, &t), &direction);
    if (c && direction == 1 && shadow_of(r, c->index)->is_other)
        address_to_other(shadow_of(r, c->index), &p);
    if (!lab_send(r->lab, (unsigned)in_iface, r->sent, craft_packet(&p, r->sent)))
        r->failed = true;
    else
        kernel_collect(r, 0);
}

static void observe_event(void *context, int event, bool begins, int64_t time_ns)
{
    struct replay *r = context;

    (void)time_ns;
    if (begins && !r->routes_only &&
        simulation_scenario(r->sim)->events[event].kind == EVENT_REBOOT)
        kernel_forget_all(r);
    if (!r->failed && !follow_event(r->follow, event, begins))
        r->failed = true;
}

static void observe_change(void *context, const struct change *c)
{
    struct replay *r = context;

    if (!r->failed && !follow_change(r->follow, c->time_ns))
        r->failed = true;
}

static bool run(struct replay *r, char *error, size_t error_size)
{
    const struct observer watching = {
        .packet = observe_packet,
        .changed = observe_change,
        .conn_ended = conn_ended,
        .event = observe_event,
        .assumed_answer = observe_answer,
        .context = r,
    };

    kernel_collect(r, 0); /* what it said before it was told to be silent */
    simulation_observe(r->sim, &watching);
    if (!simulation_run(r->sim, error, error_size))
        return false;
    if (r->failed)
        snprintf(error, error_size, "%s", lab_error(r->lab));
    return !r->failed;
}

bool replay_run(const struct scenario *s, struct lab *lab, bool routes_only,
                struct comparison *result, char *error, size_t error_size)
{
    struct replay *r = mem_alloc(1, sizeof *r);
    bool good;

    r->lab = lab;
    r->routes_only = routes_only;
    r->result = result;
    result->config = &s->router;
    r->sim = simulation_create(s);
    r->follow = follow_create(lab, s, simulation_router(r->sim), routes_only);
    if (r->follow) {
        good = run(r, error, error_size);
    } else {
        good = false;
        snprintf(error, error_size, "%s", lab_error(lab));
    }
    follow_destroy(r->follow);
    simulation_destroy(r->sim);
    heap_free(&r->expiries);
    mem_free(r->shadows);
    mem_free(r);
    return good;
}
