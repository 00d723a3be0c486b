#include "tests/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/observe/expect.h"
#include "sim/observe/result.h"

static const char router[] = "platform linux\n"
                             "iface bridge-lan 192.168.10.1/24 2001:db8:10::1/64\n"
                             "iface wan1 100.64.1.2/24\n"
                             "iface wan2 100.64.2.2/24\n"
                             "iface wan3 100.64.3.2/24\n"
                             "nat masquerade out wan1\n";

static struct prefix prefix(const char *text)
{
    struct prefix p;

    assert_true(prefix_parse(text, &p));
    return p;
}

static struct addr addr(const char *text)
{
    struct addr a;

    if (!addr_parse(text, &a))
        fail_msg("no address: %s", text);
    return a;
}

static void plan_places(struct rig *r)
{
    static struct prefix lan[2];
    static struct addr of_laptop[1], of_phone[2];
    static struct scenario_host hosts[2];
    static const char *const names[] = {"wan1", "wan2", "wan3"};

    lan[0] = prefix("192.168.10.0/24");
    lan[1] = prefix("2001:db8:10::/64");
    of_laptop[0] = addr("192.168.10.50");
    of_phone[0] = addr("192.168.10.60");
    of_phone[1] = addr("2001:db8:10::60");
    hosts[0] = (struct scenario_host){"laptop", of_laptop, 1, true};
    hosts[1] = (struct scenario_host){"phone", of_phone, 2, false};
    for (int i = 0; i < RIG_WANS; i++)
        r->wans[i] = (struct scenario_wan){.name = names[i], .iface = i + 1};
    r->scenario.name = "a run by hand";
    r->scenario.path = "somewhere/by-hand.json";
    r->scenario.seed = 7;
    r->scenario.lan = lan;
    r->scenario.lan_len = 2;
    r->scenario.wans = r->wans;
    r->scenario.wans_len = RIG_WANS;
    r->scenario.hosts = hosts;
    r->scenario.hosts_len = 2;
    r->scenario.events = r->events;
}

static void make_group(struct rig *r)
{
    struct nexthop hops[RIG_WANS] = {0};

    for (uint16_t i = 0; i < RIG_WANS; i++)
        hops[i] = (struct nexthop){.iface = (uint16_t)(i + 1), .weight = 1, .up = true};
    r->group = nexthop_group_create(hops, RIG_WANS);
    r->entry = (struct fib_entry){.group = r->group, .usable = true};
}

struct rig *rig_create(void (*change)(struct scenario *s))
{
    struct rig *r = mem_alloc(1, sizeof *r);

    r->lab = lab_create(router);
    plan_places(r);
    r->scenario.router = r->lab->config;
    if (change)
        change(&r->scenario);
    make_group(r);
    for (int i = 0; i < RIG_EVENTS_MAX; i++)
        r->courses[i] = (struct event_course){-1, -1, -1, -1, -1};
    r->facts.courses = r->courses;
    r->facts.wan_up_ns = r->wan_up_ns;
    return r;
}

void rig_destroy(struct rig *r)
{
    metrics_destroy(r->metrics);
    nexthop_group_destroy(r->group);
    lab_destroy(r->lab);
    mem_free(r);
}

int rig_plan(struct rig *r, const char *name, enum event_kind kind, int wan, double at,
             double duration)
{
    assert_null(r->metrics);
    assert_true(r->scenario.events_len < RIG_EVENTS_MAX);
    r->events[r->scenario.events_len] = (struct scenario_event){
        .name = name,
        .at_ns = SECONDS(at),
        .for_ns = duration < 0 ? -1 : SECONDS(duration),
        .kind = (uint8_t)kind,
        .wan = wan,
    };
    return (int)r->scenario.events_len++;
}

static void start(struct rig *r)
{
    if (r->metrics)
        return;
    r->metrics = metrics_create(&r->scenario, r->lab->router);
    r->observer = metrics_observer(r->metrics);
}

static struct addr own_address(const struct conn *c, bool of_source)
{
    const uint8_t *bytes = of_source ? c->orig.src : c->orig.dst;

    return c->orig.family == FAMILY_V4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

static struct packet packet_of(const struct step *s)
{
    const struct conn *c = s->conn;
    struct packet p = {.protocol = PROTO_UDP, .tcp_flags = s->tcp_flags};

    p.flags = s->packet_flags;
    p.size_bytes = s->size ? s->size : 100;
    if (c) {
        p.src = own_address(c, s->direction == 0);
        p.dst = own_address(c, s->direction == 1);
        p.sport = s->direction ? c->orig.dport : c->orig.sport;
        p.dport = s->direction ? c->orig.sport : c->orig.dport;
        p.protocol = c->orig.protocol;
    } else {
        p.src = addr(s->src ? s->src : "192.168.10.99");
        p.dst = addr(s->dst ? s->dst : "198.51.100.1");
    }
    return p;
}

static struct decision decision_of(const struct rig *r, const struct step *s,
                                   const struct packet *p)
{
    struct decision d = {
        .verdict = VERDICT_FORWARD,
        .flags = s->flags,
        .direction = s->direction,
        .entry = &r->entry,
        .out_iface =
            (unsigned)s->out, /* the WANs' interfaces are 1, 2, 3; the LAN's is 0 */
        .nat_src = p->src,
        .nat_sport = s->nat_port ? s->nat_port : p->sport,
        .held_packets = s->held,
    };
    char text[32];

    if (s->fate == FATE_HELD)
        d.verdict = VERDICT_HELD;
    else if ((s->flags & DECISION_KILLED) || s->dropped_by_router)
        d.verdict = VERDICT_DROP;
    if (s->dropped_by_router)
        d.out_iface = NEXTHOP_NONE;
    if (s->nat) {
        d.nat_src = addr(s->nat);
    } else if (s->out && s->direction == 0 && s->conn && p->src.family == FAMILY_V4) {
        snprintf(text, sizeof text, "100.64.%d.2", s->out);
        d.nat_src = addr(text);
    }
    return d;
}

void rig_send(struct rig *r, struct step s)
{
    const struct packet p = packet_of(&s);
    const struct decision d = decision_of(r, &s, &p);
    const struct observation o = {
        .number = ++r->packets,
        .time_ns = SECONDS(s.at),
        .packet = &p,
        .frame_bytes = p.size_bytes + 14,
        .decision = s.undecided ? NULL : &d,
        .conn = s.conn,
        .in_wan = s.in - 1,
        .out_wan = s.dropped_by_router ? -1 : s.out - 1,
        .fate = s.fate,
        .reason = s.reason,
        .delay_ns = SECONDS(s.delay),
        .queued_up_ns = SECONDS(s.queued_up),
        .queued_down_ns = SECONDS(s.queued_down),
        .queues = s.queues,
    };

    start(r);
    if (s.conn && (s.flags & DECISION_KILLED))
        conn_kill(router_conns(r->lab->router), s.conn);
    else if (s.conn && (s.flags & DECISION_REVIVED))
        s.conn->flags = 0;
    if (s.conn && !s.undecided && d.verdict == VERDICT_FORWARD &&
        !(s.flags & DECISION_INVALID))
        s.conn->bytes[s.direction] += p.size_bytes;
    r->observer.packet(r->observer.context, &o);
}

struct conn *rig_begin(struct rig *r, double at, uint8_t protocol, const char *src,
                       const char *dst, int wan)
{
    struct conn_table *t = router_conns(r->lab->router);
    const struct addr from = addr(src), to = addr(dst);
    struct tuple tuple = {.protocol = protocol, .family = from.family, .dport = 443};
    struct conn *c;

    memcpy(tuple.src, from.bytes, 16);
    memcpy(tuple.dst, to.bytes, 16);
    tuple.sport = (uint16_t)(40000 + conn_count(t));
    c = conn_create(t, &tuple, conn_hash(t, &tuple));
    rig_send(r, (struct step){.at = at,
                              .conn = c,
                              .out = wan + 1,
                              .tcp_flags = TCP_SYN,
                              .flags = (uint8_t)(DECISION_NEW | DECISION_ROUTED |
                                                 (r->hashed ? DECISION_HASHED : 0))});
    return c;
}

void rig_event(struct rig *r, int event, bool begins, double at)
{
    start(r);
    if (begins)
        r->courses[event].began_ns = SECONDS(at);
    else
        r->courses[event].ended_ns = SECONDS(at);
    r->observer.event(r->observer.context, event, begins, SECONDS(at));
}

void rig_outage(struct rig *r, int event, bool begins, double at)
{
    start(r);
    r->observer.outage(r->observer.context, event, begins, SECONDS(at));
}

void rig_change(struct rig *r, enum change_kind kind, int wan, int event, double at)
{
    rig_change_family(r, kind, FAMILY_NONE, wan, event, at);
}

void rig_change_family(struct rig *r, enum change_kind kind, enum family family, int wan,
                       int event, double at)
{
    const struct change c = {.time_ns = SECONDS(at),
                             .kind = (uint8_t)kind,
                             .family = (uint8_t)family,
                             .wan = wan,
                             .event = event};

    start(r);
    if (event >= 0 && kind == CHANGE_LOSS)
        r->courses[event].effective_ns = SECONDS(at);
    r->observer.changed(r->observer.context, &c);
}

json_t *rig_result(struct rig *r, double at)
{
    start(r);
    r->facts.end_ns = SECONDS(at);
    r->facts.packets = r->packets;
    return result_build(r->metrics, &r->facts);
}

double rig_number(json_t *result, const char *pointer)
{
    json_t *value = expect_find(result, pointer);

    if (!json_is_number(value))
        fail_msg("%s: no number", pointer);
    return json_number_value(value);
}

void rig_expect(json_t *result, const char *pointer, double value)
{
    const double got = rig_number(result, pointer);

    if (fabs(got - value) > 1e-9 * fmax(1, fabs(value)))
        fail_msg("%s: %.12g, not %.12g", pointer, got, value);
}

void rig_expect_text(json_t *result, const char *pointer, const char *text)
{
    const char *got = json_string_value(expect_find(result, pointer));

    if (!got || strcmp(got, text) != 0)
        fail_msg("%s: '%s', not '%s'", pointer, got ? got : "(no text)", text);
}
