/*
 * rest - what RouterOS's lookup-only-in-table with min_prefix leaves over, for the kernel to tell
 *
 * RouterOS goes on to the next rule where the table has a route that min_prefix passes over, and
 * ends where it has none. The kernel's suppress_prefixlength does not tell the two apart. So the
 * rule becomes two, and the second looks up in a table made for it, the rest table:
 *
 *     priority 2 N      look up in T, suppress_prefixlength M
 *     priority 2 N + 1  look up in rest(T, M):
 *                           throw        for each destination of T no longer than M
 *                           unreachable  for all else
 *
 * Whoever comes to the second has no longer destination in T: its longest one in the rest table
 * is that in T, and throw leads to the next rule.
 *
 * Sources: RouterOS manual, "Policy Routing"; Linux fib4_rule_action(), fib4_rule_suppress().
 */
#ifndef ECMPLAB_REST_H
#define ECMPLAB_REST_H

#include "core/router.h"
#include "sim/verify/lab.h"

struct rest;

/* Makes the tables that the rules of a RouterOS need, without destinations yet. NULL:
 * lab_error() says why. All are borrowed. */
struct rest *rest_create(struct lab *lab, const struct router_config *config,
                         const struct router *router);
void rest_destroy(struct rest *r); /* NULL is fine */

/* The router's routes or addresses changed: follow. */
bool rest_follow(struct rest *r);

#endif
