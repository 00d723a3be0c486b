/* Packets that are not read from anywhere: actors send them, one by one. See actor.h. */
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

void simulation_tell_session(struct simulation *sim, const struct session_news *n)
{
    for (size_t i = 0; i < sim->observers_len; i++)
        if (sim->observers[i].session)
            sim->observers[i].session(sim->observers[i].context, n);
}

int simulation_wan_of_address(const struct simulation *sim, const struct addr *a)
{
    for (size_t w = 0; w < sim->scenario->wans_len; w++)
        if (wan_owns(&sim->scenario->wans[w], sim->router, a))
            return (int)w;
    return -1;
}
