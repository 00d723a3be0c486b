/*
 * compare - what the simulation decided beside what the kernel did, and the count of it all
 *
 * Every packet that the simulation put to its router ends in exactly one of: it agrees, it
 * differs, it was set aside. A packet that differs counts under the first of these that is so:
 *
 *     1. only the simulation forwards it     2. only the kernel does
 *     3. another interface                   4. another source address
 *     5. another source port                 6. another destination or port
 *
 * With the routing alone compared (--decisions-only):
 *     1. and 2. only one has a route         3. another interface
 *     8. another table                       9. another gateway
 *    10. both refuse, in another way
 */
#ifndef ECMPLAB_COMPARE_H
#define ECMPLAB_COMPARE_H

#include <jansson.h>
#include <stdio.h>

#include "sim/timeline/simulation.h"

enum difference {
    DIFFER_ONLY_MODEL,
    DIFFER_ONLY_KERNEL,
    DIFFER_INTERFACE,
    DIFFER_SOURCE,
    DIFFER_PORT,
    DIFFER_DESTINATION,
    DIFFER_EXTRA,
    DIFFER_TABLE,
    DIFFER_GATEWAY,
    DIFFER_REFUSAL,
    DIFFERENCES,
    AGREES = DIFFERENCES,
};

extern const char *const difference_names[DIFFERENCES];

/* One side's answer. */
struct outcome {
    bool forwarded; /* routing alone: has a unicast route */
    int iface;
    struct addr src, dst;
    uint16_t sport, dport; /* ICMP queries: the id in both */
    bool extra; /* more than one came out, of what was no fragment */
    /* routing alone */
    bool routing_only;
    uint8_t type; /* enum route_type of what is no unicast route: its refusal, or local */
    uint32_t table; /* the kernel's number; 0: none */
    struct addr gateway;
    const char *why; /* not forwarded: the simulation's reason; "" */
};

enum difference outcome_compare(const struct outcome *model,
                                const struct outcome *kernel);

enum { EXAMPLES_MAX = 3, EXAMPLE_TEXT = 240, ASIDES_MAX = 32 };

struct example {
    uint64_t packet; /* 0: an assumed one */
    int64_t time_ns;
    char flow[EXAMPLE_TEXT], model[EXAMPLE_TEXT], kernel[EXAMPLE_TEXT];
};

struct comparison {
    const struct router_config *config;
    uint64_t compared, agreed,
        assumed; /* assumed: of the compared, what no capture shows */
    struct {
        uint64_t count;
        struct example examples[EXAMPLES_MAX];
    } differences[DIFFERENCES];
    struct {
        const char *what;
        uint64_t count;
    } asides[ASIDES_MAX];
    size_t asides_len;
    uint64_t not_put[REASONS]; /* the simulation put it to no router, by reason */
};

/* Count one packet and keep it as an example where it differs. True: it agrees. */
bool comparison_add(struct comparison *c, const struct observation *o,
                    const struct outcome *model, const struct outcome *kernel);
/* `what` is kept as it is, so that it must live on: count something as set aside. */
void comparison_set_aside(struct comparison *c, const char *what, uint64_t count);

uint64_t comparison_differing(const struct comparison *c);

#endif
