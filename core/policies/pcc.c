/*
 * pcc - RouterOS's per-connection-classifier with a connection mark
 *
 * The rules that this stands for, for two WANs of weight 2 and 1:
 *
 *     connection-state=new  per-connection-classifier=both-addresses:3/0   mark wan1
 *     connection-state=new  per-connection-classifier=both-addresses:3/1   mark wan1
 *     connection-state=new  per-connection-classifier=both-addresses:3/2   mark wan2
 *     mark wan1: table of wan1 alone    mark wan2: table of wan2 alone
 *     neither, or that table is empty: main, with one default route after the other
 *
 * A connection's first packet is classified: jhash of the chosen fields modulo the sum of
 * weights. The rules stand as they are written, so a member that is dead keeps its
 * remainders: its connections, also new ones, fall through to the first member that lives,
 * all of them, and come home with it. Losing a member moves w_k / W; its return moves back
 * what was marked for it, so behind masquerade it breaks also what began in between.
 *
 * The key of the hash is drawn when a router boots: which connections share a path, and the
 * shares, compare with a device; the path of one connection does not.
 *
 * O(members) a packet; the mark is 2 bytes of the connection's entry, 16 bytes a member that
 * the group ever had. A member counts from when it first lives.
 *
 * Source: RouterOS manual, "Per connection classifier"; the matcher's published source (fields
 * in the order source, destination, source port, destination port, as they are in the packet;
 * ports only of TCP, UDP, UDP-Lite, SCTP and DCCP; Jenkins' hash).
 */
#include <limits.h>
#include <string.h>

#include "core/jhash.h"
#include "core/memory.h"
#include "core/policies/policies.h"
#include "core/random.h"

#define DEAD UINT_MAX

/* A member that the group has or had. */
struct class
{
    uint32_t weight; /* so many remainders are its */
    unsigned place;  /* among the living; DEAD */
    uint16_t hop;
};

struct pcc {
    struct class *classes; /* in the order in which they first lived */
    size_t len, cap;
    uint64_t denominator;
    uint32_t key;
    uint8_t fields; /* enum config_classifier */
};

static void *pcc_create(const struct config_policy *config, uint64_t seed)
{
    struct pcc *p = mem_alloc(1, sizeof *p);
    struct random_stream s = random_stream_make(seed, 0);

    p->key = (uint32_t)random_next(&s);
    p->fields = config->classifier;
    return p;
}

static void pcc_destroy(void *state)
{
    struct pcc *p = state;

    mem_free(p->classes);
    mem_free(p);
}

static struct class *class_find(const struct pcc *p, uint16_t hop)
{
    for (size_t i = 0; hop && i < p->len; i++)
        if (p->classes[i].hop == hop)
            return &p->classes[i];
    return NULL;
}

static void pcc_update(void *state, const struct policy_member *members, unsigned len,
                       int64_t now_ns)
{
    struct pcc *p = state;

    (void)now_ns;
    for (size_t i = 0; i < p->len; i++)
        p->classes[i].place = DEAD;
    for (unsigned i = 0; i < len; i++) {
        struct class *c = class_find(p, members[i].hop);

        if (!c) {
            p->classes = mem_grow(p->classes, &p->cap, p->len + 1, sizeof *p->classes);
            c = &p->classes[p->len++];
        }
        *c = (struct class){members[i].weight, i, members[i].hop};
    }
    p->denominator = 0;
    for (size_t i = 0; i < p->len; i++)
        p->denominator += p->classes[i].weight;
}

static size_t key_add(uint8_t *key, size_t at, const void *bytes, size_t len)
{
    memcpy(key + at, bytes, len);
    return at + len;
}

static size_t key_add_port(uint8_t *key, size_t at, uint16_t port)
{
    const uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};

    return key_add(key, at, bytes, sizeof bytes);
}

static uint32_t classify(const struct pcc *p, const struct packet *packet)
{
    const size_t addr_bytes = packet->src.family == FAMILY_V4 ? 4 : 16;
    uint8_t key[36];
    size_t len = 0;

    if (p->fields & CLASSIFIER_SRC_ADDRESS)
        len = key_add(key, len, packet->src.bytes, addr_bytes);
    if (p->fields & CLASSIFIER_DST_ADDRESS)
        len = key_add(key, len, packet->dst.bytes, addr_bytes);
    if (packet_protocol_has_ports(packet->protocol)) {
        if (p->fields & CLASSIFIER_SRC_PORT)
            len = key_add_port(key, len, packet->sport);
        if (p->fields & CLASSIFIER_DST_PORT)
            len = key_add_port(key, len, packet->dport);
    }
    return jhash(key, len, p->key);
}

static const struct class *class_of_remainder(const struct pcc *p, uint64_t remainder)
{
    const struct class *c = p->classes;

    while (remainder >= c->weight)
        remainder -= c++->weight;
    return c;
}

static unsigned pcc_pick(void *state, const struct policy_query *q)
{
    const struct pcc *p = state;
    const struct class *c = class_find(p, *q->pin);

    if (!c)
        c = class_of_remainder(p, classify(p, q->packet) % p->denominator);
    *q->pin = c->hop;
    return c->place == DEAD ? 0
                            : c->place; /* 0: the first of main's defaults that lives */
}

const struct policy policy_pcc = {
    .name = "pcc",
    .about = "RouterOS's per-connection-classifier by remainders, and a connection mark",
    .traits = POLICY_WEIGHTED | POLICY_TRACKED | POLICY_PINS,
    .create = pcc_create,
    .update = pcc_update,
    .pick = pcc_pick,
    .destroy = pcc_destroy,
};
