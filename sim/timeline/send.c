/* Packets that are not read from anywhere: actors send them, one by one, or tell how many a
 * connection carried. See actor.h. */
#include "sim/timeline/actor.h"
#include "sim/timeline/simulation_parts.h"

enum { ETHERNET_HEADER = 14 };

static struct observation observation_of(struct simulation *sim, const struct packet *p)
{
    return (struct observation){
        .number = ++sim->packets,
        .time_ns = sim->now_ns,
        .packet = p,
        .frame_bytes = p->size_bytes + ETHERNET_HEADER,
        .in_iface = -1,
        .in_wan = -1,
        .out_wan = -1,
    };
}

static void report(const struct observation *o, struct sending *out)
{
    *out = (struct sending){
        .fate = o->fate,
        .reason = o->reason,
        .wan = o->out_wan,
        .src = o->packet->src,
        .sport = o->packet->sport,
        .conn = o->conn,
        .delay_ns = o->delay_ns,
    };
    if (o->decision && o->decision->verdict == VERDICT_FORWARD) {
        out->src = o->decision->nat_src;
        out->sport = o->decision->nat_sport;
    }
}

void simulation_send_up(struct simulation *sim, const struct packet *p,
                        struct sending *out)
{
    struct observation o = observation_of(sim, p);

    o.in_iface = simulation_lan_iface(sim, &p->src);
    if (o.in_iface < 0)
        simulation_show(sim, &o, FATE_UNROUTED, REASON_FOREIGN);
    else
        simulation_deliver(sim, &o, p, NULL);
    report(&o, out);
}

void simulation_send_down(struct simulation *sim, const struct packet *wire,
                          const struct packet *lan, int wan, struct sending *out)
{
    struct observation o = observation_of(sim, lan);

    o.in_iface = sim->scenario->wans[wan].iface;
    entrance_from_wan(sim, &o, wire);
    report(&o, out);
}

void simulation_send_captured(struct simulation *sim, const struct captured *c, int iface,
                              struct observation *out)
{
    struct arrival a;

    simulation_arrival(sim, &c->packet, &a);
    *out = observation_of(sim, &c->packet);
    out->frame_bytes = c->frame_bytes;
    out->offered = true;
    entrance_enter(sim, out, c, &a, iface);
}

void simulation_offer(struct simulation *sim, const struct demand *d)
{
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].offered)
            sim->observers[i].offered(sim->observers[i].context, d);
}

static void show_carried(struct simulation *sim, const struct carried *c)
{
    sim->packets += c->packets;
    for (size_t i = 0; c->packets && i < sim->observers_len; i++)
        if (sim->observers[i].carried)
            sim->observers[i].carried(sim->observers[i].context, c);
}

/* Of so many a link loses its share; what that leaves of a packet is owed to the next ones. */
static uint64_t lost_on(struct wan_link *w, bool up, uint64_t packets)
{
    const struct link *l = up ? &w->up : &w->down;
    double *owed = up ? &w->owed_up : &w->owed_down;
    uint64_t lost;

    if (l->plain || l->conditions.loss <= 0)
        return 0;
    *owed += (double)packets * l->conditions.loss;
    lost = (uint64_t)*owed < packets ? (uint64_t)*owed : packets;
    *owed -= (double)lost;
    return lost;
}

void simulation_carry(struct simulation *sim, const struct carried *c, bool counted)
{
    const bool up = c->out_wan >= 0;
    struct carried arrived = *c, lost = *c;

    if (counted)
        c->conn->bytes[c->direction] += c->bytes;
    lost.packets = 0;
    if (c->fate == FATE_DELIVERED && (up || c->in_wan >= 0))
        lost.packets = lost_on(&sim->wans[up ? c->out_wan : c->in_wan], up, c->packets);
    if (lost.packets) {
        __extension__ typedef unsigned __int128 wide;

        lost.bytes = (uint64_t)((wide)c->bytes * lost.packets / c->packets);
        lost.frame_bytes = (uint64_t)((wide)c->frame_bytes * lost.packets / c->packets);
        lost.fate = FATE_DROPPED;
        lost.reason = REASON_LINK_LOSS;
        arrived.packets -= lost.packets;
        arrived.bytes -= lost.bytes;
        arrived.frame_bytes -= lost.frame_bytes;
    }
    show_carried(sim, &arrived);
    show_carried(sim, &lost);
}

static void count_session(struct simulation *sim, enum session_news_kind kind)
{
    if (kind == SESSION_BEGUN)
        sim->sessions++;
    else if (kind == SESSION_FINISHED || kind == SESSION_ENDED ||
             kind == SESSION_GIVEN_UP)
        sim->sessions--;
    sim->is_full |= sim->sessions > SIMULATION_SESSIONS_MAX;
}

bool simulation_is_full(const struct simulation *sim)
{
    return sim->is_full;
}

void simulation_tell_session(struct simulation *sim, const struct session_news *n)
{
    count_session(sim, (enum session_news_kind)n->kind);
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].session)
            sim->observers[i].session(sim->observers[i].context, n);
}

bool simulation_wan_takes(const struct simulation *sim, int wan, const struct addr *src)
{
    return wan_owns(&sim->scenario->wans[wan], sim->router, src);
}

int simulation_wan_of_address(const struct simulation *sim, const struct addr *a)
{
    int dead = -1;

    for (int w = 0; w < (int)sim->scenario->wans_len; w++) {
        if (!simulation_wan_takes(sim, w, a))
            continue;
        if (wan_fault(&sim->wans[w]) == REASON_NONE)
            return w;
        dead = dead < 0 ? w : dead;
    }
    return dead;
}
