/*
 * The life of a connection under NAT while its WAN changes: the fate of each packet three ways, as
 * the row states it (life.h), as the model decides it, and as the running kernel does it. Each
 * row is played by TCP and UDP, IPv4 and IPv6. The entries of both trackers are counted around
 * each step, so that "new", "killed" and "ended" are seen, not taken from their words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/router.h"
#include "sim/input/scenario.h"
#include "sim/verify/craft.h"
#include "sim/verify/follow.h"
#include "sim/verify/kernel_config.h"
#include "tests/kernel/life.h"

enum {
    EXIT_SKIPPED = 77,
    LAN = 0, /* WAN k is interface k */
    FATE_MAX = 96,
    LATE_MS = 20,
    FLOWS = 2, /* the row's, and the late one */
};

/* ------------------------------------------------------------------------------- the play */

struct flow {
    struct packet out;  /* as the host sends it */
    struct addr public; /* the last source that it was seen under */
    bool begun[2];      /* a packet of this direction was sent */
};

struct play {
    const struct life *life;
    bool v6;
    struct scenario *scenario;
    struct router *model;
    struct lab *kernel;
    struct follow *follow;
    struct flow flows[FLOWS];
    int64_t now_ns;
    uint8_t sent[CRAFT_MAX], got[LAB_PACKET_MAX];
};

/* What one of the two was seen to do with a packet. */
struct sight {
    int iface; /* by which it came out; -1: by none */
    struct addr src, dst;
    uint16_t sport, dport;
    long entries; /* so many more than before */
};

/* "wan1" for its first address, "wan1b" for the second; "?" for any other. */
static const char *address_name(const struct addr *a, char name[8])
{
    for (unsigned k = 1; k <= LIFE_WANS; k++)
        for (unsigned host = 2; host <= 9; host += 7) {
            char text[40];
            struct addr own;

            snprintf(text, sizeof text,
                     a->family == FAMILY_V6 ? "2001:db8:a%u::%u" : "100.64.%u.%u", k,
                     host);
            if (!addr_parse(text, &own) || !addr_equal(a, &own))
                continue;
            snprintf(name, 8, "wan%u%s", k, host == 2 ? "" : "b");
            return name;
        }
    return "?";
}

/* In the words of the rows. */
static void sight_say(const struct sight *s, const struct flow *f,
                      const struct packet *wire, char text[FATE_MAX])
{
    const char *news = s->entries == 0   ? ""
                       : s->entries == 1 ? " new"
                                         : " entries differ";
    char name[8];

    if (s->iface < 0)
        snprintf(text, FATE_MAX, "%s",
                 s->entries == 0    ? "lost"
                 : s->entries == -1 ? "killed"
                 : s->entries == 1  ? "lost, new"
                                    : "lost, entries differ");
    else if (s->iface == LAN)
        snprintf(text, FATE_MAX, "lan%s%s", news,
                 addr_equal(&s->dst, &f->out.src) && s->dport == f->out.sport
                     ? ""
                     : ", to another");
    else
        snprintf(text, FATE_MAX, "wan%d as %s%s%s", s->iface, address_name(&s->src, name),
                 s->sport == wire->sport ? "" : ", another port", news);
}

static long model_entries(const struct play *p)
{
    const struct conn_table *t = router_conns_const(p->model);
    long n = 0;

    for (uint32_t i = 0; i < conn_slots(t); i++)
        n += conn_is_used(t, i) && !(conn_at(t, i)->flags & CONN_KILLED);
    return n;
}

static struct sight model_sees(struct play *p, const struct packet *wire, unsigned in)
{
    const long before = model_entries(p);
    struct sight s = {.iface = -1};
    struct decision d;

    router_forward(p->model, wire, (int)in, p->now_ns, &d);
    s.entries = model_entries(p) - before;
    if (d.verdict != VERDICT_FORWARD ||
        !iface_is_running(router_iface(p->model, d.out_iface)))
        return s;
    s.iface = (int)d.out_iface;
    s.src = d.nat_src;
    s.sport = d.nat_sport;
    if (d.direction == 1) {
        const struct conn *c = conn_at(router_conns(p->model), d.conn);

        s.dst = c->orig.family == FAMILY_V4 ? addr_from_v4(c->orig.src)
                                            : addr_from_v6(c->orig.src);
        s.dport = c->orig.sport;
    }
    return s;
}

static bool kernel_sees(struct play *p, const struct packet *wire, unsigned in,
                        int wait_ms, struct sight *s)
{
    const long before = lab_conn_count(p->kernel);
    struct packet seen;
    unsigned iface;
    size_t len;

    *s = (struct sight){.iface = -1};
    if (!lab_send(p->kernel, in, p->sent, craft_packet(wire, p->sent)))
        return false;
    len = lab_receive(p->kernel, &iface, p->got, sizeof p->got, wait_ms);
    s->entries = lab_conn_count(p->kernel) - before;
    if (!len || packet_dissect(p->got, len, len, &seen) != DISSECT_OK)
        return true;
    s->iface = (int)iface;
    s->src = seen.src;
    s->dst = seen.dst;
    s->sport = seen.sport;
    s->dport = seen.dport;
    return true;
}

/* -------------------------------------------------------------------------------- steps */

static bool disagree(const struct play *p, const char *step, const char *who,
                     const char *says)
{
    printf("%s, %s, %s IPv%d: \"%s\": the %s says \"%s\"\n", p->life->what,
           p->life->masquerade ? "masquerade" : "src-nat",
           p->flows[0].out.protocol == PROTO_TCP ? "TCP" : "UDP", p->v6 ? 6 : 4, step,
           who, says);
    return false;
}

/* SYN, SYN and ACK, then ACK for ever. */
static uint8_t tcp_flags(const struct flow *f, bool answers)
{
    return f->begun[answers] ? TCP_ACK : answers ? TCP_SYN | TCP_ACK : TCP_SYN;
}

static struct packet answer_of(const struct flow *f)
{
    struct packet p = f->out;

    p.src = f->out.dst;
    p.dst = f->public;
    p.sport = f->out.dport;
    p.dport = f->out.sport;
    return p;
}

/* `in`: the interface it comes in by. */
static bool step_packet(struct play *p, struct flow *f, unsigned in, const char *step,
                        const char *fate)
{
    struct packet wire = in == LAN ? f->out : answer_of(f);
    char says[FATE_MAX];
    struct sight s;

    wire.tcp_flags = f->out.protocol == PROTO_TCP ? tcp_flags(f, in != LAN) : 0;
    f->begun[in != LAN] = true;
    s = model_sees(p, &wire, in);
    sight_say(&s, f, &wire, says);
    if (strcmp(says, fate) != 0)
        return disagree(p, step, "model", says);
    if (!kernel_sees(p, &wire, in, s.iface < 0 ? 0 : LATE_MS, &s))
        return disagree(p, step, "lab", lab_error(p->kernel));
    sight_say(&s, f, &wire, says);
    if (strcmp(says, fate) != 0)
        return disagree(p, step, "kernel", says);
    if (in == LAN && s.iface > LAN)
        f->public = s.src;
    return true;
}

static struct prefix wan_address(const struct play *p, unsigned wan, unsigned host)
{
    struct prefix a = {.length = p->v6 ? 64 : 24};
    char text[40];

    snprintf(text, sizeof text, p->v6 ? "2001:db8:a%u::%u" : "100.64.%u.%u", wan, host);
    if (!addr_parse(text, &a.addr))
        abort();
    return a;
}

/* The whole multipath route, or that without wan1. */
static bool route_replace(struct play *p, uint32_t from, uint32_t to)
{
    const uint32_t family = p->v6 ? LIFE_ROUTE_V6 : 0;
    char *lines = NULL;
    size_t len;
    FILE *out = open_memstream(&lines, &len);
    bool good;

    if (!out)
        return false;
    router_set_route_disabled(p->model, family + from, true);
    router_set_route_disabled(p->model, family + to, false);
    kernel_config_route_write(out, "replace", &p->scenario->router.routes[family + to]);
    good = fclose(out) == 0 && lab_ip(p->kernel, lines);
    free(lines);
    return good;
}

/* What happens to the model; the kernel follows. False: the row asks for nothing known. */
static bool change_make(struct play *p, const char *verb, unsigned wan)
{
    const struct addr none = {0};
    const struct prefix first = wan_address(p, wan, 2), nothing = {0};
    const struct prefix second = wan_address(p, wan, 9);

    if (strcmp(verb, "down") == 0)
        router_set_admin(p->model, wan, false);
    else if (strcmp(verb, "no-carrier") == 0)
        router_set_carrier(p->model, wan, false);
    else if (strcmp(verb, "carrier") == 0)
        router_set_carrier(p->model, wan, true);
    else if (strcmp(verb, "readdress") == 0)
        router_change_address(p->model, wan, &first.addr, &second);
    else if (strcmp(verb, "unaddress") == 0)
        router_change_address(p->model, wan, &first.addr, &nothing);
    else if (strcmp(verb, "without") == 0)
        return route_replace(p, LIFE_ROUTE_ALL, LIFE_ROUTE_WITHOUT);
    else if (strcmp(verb, "all") == 0)
        return route_replace(p, LIFE_ROUTE_WITHOUT, LIFE_ROUTE_ALL);
    else if (strcmp(verb, "up") != 0)
        return false;
    else {
        router_set_admin(p->model, wan, true);
        if (p->v6)
            router_change_address(p->model, wan, &none, &first);
    }
    return follow_change(p->follow, p->now_ns);
}

static bool step_change(struct play *p, const char *verb, unsigned wan, const char *step,
                        const char *fate)
{
    const long model = model_entries(p), kernel = lab_conn_count(p->kernel);
    char says[FATE_MAX];

    if (!change_make(p, verb, wan))
        return disagree(p, step, "lab", lab_error(p->kernel));
    snprintf(says, sizeof says, "ended %ld", model - model_entries(p));
    if (strcmp(says, fate) != 0)
        return disagree(p, step, "model", says);
    snprintf(says, sizeof says, "ended %ld", kernel - lab_conn_count(p->kernel));
    return strcmp(says, fate) == 0 || disagree(p, step, "kernel", says);
}

static bool step_play(struct play *p, const char *step)
{
    const bool late = strncmp(step, "late ", 5) == 0;
    char words[64], *fate, *wan;
    unsigned number;

    snprintf(words, sizeof words, "%s", late ? step + 5 : step);
    fate = strstr(words, ": ");
    if (!fate)
        return disagree(p, step, "row", "no fate");
    *fate = '\0';
    fate += 2;
    wan = strstr(words, " wan");
    number = wan ? (unsigned)strtoul(wan + 4, NULL, 10) : 1;
    if (wan)
        *wan = '\0';
    p->now_ns += 1000000;
    if (strcmp(words, "out") == 0)
        return step_packet(p, &p->flows[late], LAN, step, fate);
    if (strcmp(words, "in") == 0)
        return step_packet(p, &p->flows[late], number, step, fate);
    return step_change(p, words, number, step, fate);
}

/* ---------------------------------------------------------------------------- a row played */

/* Look for a destination whose flow hashes to the middle of that sixth of the hash space. */
static bool flow_aim(struct play *p, struct flow *f, uint8_t protocol, unsigned number)
{
    const uint64_t sixth = ((uint64_t)1 << 31) / 6;
    const uint64_t from = p->life->sixth * sixth + sixth / 4, to = from + sixth / 2;

    f->out = (struct packet){.protocol = protocol,
                             .next_header = protocol,
                             .sport = (uint16_t)(40000 + number),
                             .dport = 443,
                             .ttl = 64,
                             .tcp_window = 1000,
                             .transport_bytes = protocol == PROTO_TCP ? 20 : 8,
                             .payload_bytes = 10};
    if (!addr_parse(p->v6 ? "fd00:10::5" : "192.168.10.5", &f->out.src))
        return false;
    for (unsigned k = 1; k < 256; k++) {
        char text[40];
        uint32_t hash;

        snprintf(text, sizeof text, p->v6 ? "2001:db8:ff::%x" : "203.0.113.%u", k);
        if (!addr_parse(text, &f->out.dst))
            return false;
        hash = hash_packet(&p->scenario->router.hash, &f->out);
        if (hash >= from && hash < to)
            return true;
    }
    return false;
}

static bool play_begin(struct play *p, uint8_t protocol)
{
    char error[256] = "no scenario";
    unsigned iface;

    p->scenario = life_scenario(p->life);
    if (p->scenario)
        p->kernel = lab_create(&p->scenario->router, error, sizeof error);
    if (!p->kernel)
        return disagree(p, "", "lab", error);
    p->model = router_create(&p->scenario->router);
    p->follow = follow_create(p->kernel, p->scenario, p->model, false);
    if (!p->follow)
        return disagree(p, "", "lab", lab_error(p->kernel));
    while (lab_receive(p->kernel, &iface, p->got, sizeof p->got, 0))
        ; /* what it said before it was told to be silent */
    for (unsigned i = 0; i < FLOWS; i++)
        if (!flow_aim(p, &p->flows[i], protocol, i))
            return disagree(p, "", "test", "no destination hashes there");
    return true;
}

static bool life_play(const struct life *life, bool v6, uint8_t protocol, unsigned *steps)
{
    struct play *p = mem_alloc(1, sizeof *p);
    bool good;

    p->life = life;
    p->v6 = v6;
    p->flows[0].out.protocol = protocol;
    good = play_begin(p, protocol);
    for (size_t i = 0; good && i < LIFE_STEPS_MAX && life->steps[i]; i++, ++*steps)
        good = step_play(p, life->steps[i]);
    follow_destroy(p->follow);
    lab_destroy(p->kernel);
    router_destroy(p->model);
    scenario_free(p->scenario);
    mem_free(p);
    return good;
}

int main(void)
{
    unsigned passed = 0, failed = 0, steps = 0;

    if (*lab_missing()) {
        printf("skipped: %s\n", lab_missing());
        return EXIT_SKIPPED;
    }
    for (size_t i = 0; i < lives_len; i++)
        for (unsigned k = 0; k < (lives[i].only_v4 ? 2 : 4); k++)
            *(life_play(&lives[i], k >= 2, k % 2 ? PROTO_UDP : PROTO_TCP, &steps)
                  ? &passed
                  : &failed) += 1;
    printf("%zu rows, %u steps, each as stated, as modelled and as the kernel does it\n",
           lives_len, steps);
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
