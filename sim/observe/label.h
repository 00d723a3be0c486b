/*
 * label - what people call the parts of a decision
 */
#ifndef ECMPLAB_LABEL_H
#define ECMPLAB_LABEL_H

#include "core/router.h"

enum { LABEL_MAX = 128 };

/* A rule: its comment, else "#" and its number from 0; the router's own as "(main)",
 * "(local)" ...; "" for none. Returns buf, or the comment itself. */
const char *label_rule(const struct router_config *c, int rule, char buf[LABEL_MAX]);

const char *label_iface(const struct router_config *c, unsigned iface); /* "" for none */

/* The table of the entry, its prefix, the gateway of the chosen member; "" for none. */
const char *label_table(const struct router_config *c, const struct fib_entry *e);
const char *label_route(const struct fib_entry *e, char buf[LABEL_MAX]);
/* "tcp 192.168.10.5:50000 > 45.57.94.1:443", as `explain` reads it; ports where the protocol
 * has any. Returns buf. */
const char *label_flow(const struct tuple *t, char buf[LABEL_MAX]);

const char *label_gateway(const struct decision *d, char buf[LABEL_MAX]);

#endif
