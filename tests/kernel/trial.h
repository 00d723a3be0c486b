/*
 * trial - a router, what happens to it, and what it is asked: by the model and by the kernel
 *
 *     interfaces, routes, rules, hash ─▶ look-up, look-up, link down, look-up, link up, ...
 *
 * A trial owns all that its configuration points to, in arrays of fixed size, so that parts of it
 * can be taken away one by one (shrink.h). It is made by generate.h, or by hand.
 */
#ifndef ECMPLAB_TRIAL_H
#define ECMPLAB_TRIAL_H

#include <stdio.h>

#include "core/config.h"
#include "core/packet.h"

enum {
    TRIAL_IFACES_MAX = 16,
    TRIAL_ADDRESSES_MAX = 6, /* an interface */
    TRIAL_TABLES_MAX = 8,
    TRIAL_ROUTES_MAX = 48,
    TRIAL_GATEWAYS_MAX = 16, /* a route */
    TRIAL_RULES_MAX = 24,
};

enum trial_step_kind { STEP_LOOKUP, STEP_ADMIN, STEP_CARRIER };

struct trial_step {
    uint8_t kind; /* enum trial_step_kind */
    bool on;      /* STEP_ADMIN, STEP_CARRIER */
    int iface; /* STEP_LOOKUP: by which the packet comes; -1: the router itself sends it */
    int out_iface; /* STEP_LOOKUP: to which it is bound; -1 */
    struct packet packet;
};

struct trial {
    struct router_config config; /* points into what follows: trial_bind() */
    struct config_iface ifaces[TRIAL_IFACES_MAX];
    struct prefix addresses[TRIAL_IFACES_MAX][TRIAL_ADDRESSES_MAX];
    const char *tables[TRIAL_TABLES_MAX];
    struct config_route routes[TRIAL_ROUTES_MAX];
    struct config_gateway gateways[TRIAL_ROUTES_MAX][TRIAL_GATEWAYS_MAX];
    struct config_rule rules[TRIAL_RULES_MAX];
    struct trial_step *steps;
    size_t steps_len, steps_cap;
};

/* A Linux router without anything. */
struct trial *trial_create(void);
struct trial *trial_copy(const struct trial *t);
void trial_destroy(struct trial *t);

/* Point the configuration at the trial's own arrays: after rows of them have moved. */
void trial_bind(struct trial *t);

/* Add one; the caller fills it. Asserts that there is room. */
struct config_iface *trial_add_iface(struct trial *t);
void trial_add_address(struct trial *t, unsigned iface, const struct prefix *address);
struct config_route *trial_add_route(struct trial *t);
void trial_add_gateway(struct trial *t, size_t route, const struct config_gateway *g);
struct config_rule *trial_add_rule(struct trial *t); /* with no selector yet */
struct trial_step *trial_add_step(struct trial *t);

/* Has what the router sends itself its own address, or none yet? The kernel refuses others. */
bool trial_is_askable(const struct trial *t);

enum trial_outcome {
    TRIAL_SAME,    /* every look-up has the kernel's answer */
    TRIAL_DIFFERS, /* one has not: `step` */
    TRIAL_REFUSED, /* the kernel does not take the configuration, or cannot be asked: `why` */
};

enum { TRIAL_ANSWER_MAX = 160 };

struct trial_result {
    enum trial_outcome outcome;
    size_t lookups;   /* made until then */
    size_t multipath; /* of them, those that chose among several next hops */
    unsigned taken[TRIAL_IFACES_MAX]; /* the kernel's answers, by interface */
    size_t step;
    char model[TRIAL_ANSWER_MAX], kernel[TRIAL_ANSWER_MAX];
    char why[512];
};

/* Make the router twice, let happen and ask, until the first difference. */
void trial_run(const struct trial *t, struct trial_result *result);

/*
 * The trial as commands that a person can type, in order; the step that differs last, with both
 * answers. Interface i is called if<i>, the other end of its cable w<i>.
 */
void trial_print(FILE *out, const struct trial *t, const struct trial_result *result);

#endif
