/*
 * fingerprint - a run in 64 bits: what was read, and what was decided
 *
 * Each is a chain over all packets in their order, the same on any machine. They tell runs
 * apart that should be alike; they are no proof against whoever wants them to be equal.
 */
#ifndef ECMPLAB_FINGERPRINT_H
#define ECMPLAB_FINGERPRINT_H

#include <endian.h>

#include "sim/timeline/simulation.h"
#include "sim/traffic/demand.h"

/*
 * Everything that was decided, in its order. Two independent products go into one chain,
 * so that a packet costs the chain a single multiplication.
 */
static inline uint64_t fingerprint_of_decision(uint64_t chain,
                                               const struct observation *o)
{
    const struct decision *d = o->decision;
    uint64_t x = o->fate | (uint64_t)o->reason << 8;

    if (d) {
        x |= (uint64_t)(d->out_iface & 0xffff) << 16 | (uint64_t)d->nat_sport << 32;
        x ^= le64toh(d->nat_src.quads[0]) * 0xa0761d6478bd642fu;
        x += le64toh(d->nat_src.quads[1]) * 0xe7037ed1a0b428dbu;
    }
    chain = (chain ^ x) * 0x9e3779b97f4a7c15u;
    return chain ^ chain >> 32;
}

/* Whatever its fate, is it a packet whose fields were read? */
static inline bool fingerprint_has_fields(const struct observation *o)
{
    return o->packet && o->reason != REASON_NOT_IP && o->reason != REASON_MALFORMED &&
           o->reason != REASON_TRUNCATED;
}

static inline uint64_t fingerprint_of_end(const struct addr *a, uint16_t port,
                                          uint64_t odd)
{
    const uint64_t low = le64toh(a->quads[1]);

    return (le64toh(a->quads[0]) ^ (low << 29 | low >> 35) ^ port) * odd;
}

/* Everything that was read, in its order; nothing of what was decided. */
static inline uint64_t fingerprint_of_traffic(uint64_t chain, const struct observation *o)
{
    uint64_t x = (uint64_t)o->time_ns << 16 ^ o->frame_bytes;

    if (fingerprint_has_fields(o)) {
        x ^= fingerprint_of_end(&o->packet->src, o->packet->sport, 0xa0761d6478bd642fu);
        x += fingerprint_of_end(&o->packet->dst, o->packet->dport, 0xe7037ed1a0b428dbu);
        x ^= (uint64_t)o->packet->protocol << 56;
    }
    chain = (chain ^ x) * 0x9e3779b97f4a7c15u;
    return chain ^ chain >> 32;
}

/* Many packets decided alike; and a connection that is offered as a whole. */
static inline uint64_t fingerprint_of_carried(uint64_t chain, const struct carried *c)
{
    const uint64_t x = c->packets * 0xa0761d6478bd642fu ^ c->bytes << 20 ^
                       (uint64_t)c->to_ns * 0xe7037ed1a0b428dbu ^ c->fate ^
                       (uint64_t)c->reason << 8 ^
                       (uint64_t)(c->out_wan >= 0 ? c->out_wan : c->in_wan) << 16;

    chain = (chain ^ x) * 0x9e3779b97f4a7c15u;
    return chain ^ chain >> 32;
}

static inline uint64_t fingerprint_of_demand(uint64_t chain, const struct demand *d)
{
    uint64_t x = (uint64_t)d->start_ns << 16 ^ (uint64_t)d->duration_ns;

    x ^= fingerprint_of_end(&d->src, d->sport, 0xa0761d6478bd642fu);
    x += fingerprint_of_end(&d->dst, d->dport, 0xe7037ed1a0b428dbu);
    x ^= (uint64_t)d->protocol << 56 ^ demand_way_bytes(d, &d->up) << 24;
    x += (demand_way_bytes(d, &d->down) ^ (uint64_t)d->up.packets << 32 ^ d->down.packets) *
         0x8ebc6af09c88c6e3u;
    chain = (chain ^ x) * 0x9e3779b97f4a7c15u;
    return chain ^ chain >> 32;
}

#endif
