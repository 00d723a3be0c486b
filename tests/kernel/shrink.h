/*
 * shrink - the smallest trial that still differs
 *
 *     trial that differs ─▶ take a part away ─▶ still differs? ─ yes ─▶ keep it away
 *            ▲                                    │ no: put it back
 *            └────────────── next part ───────────┘        until nothing more can go
 *
 * Parts are steps, rules, routes, next hops, addresses, interfaces, and then what is particular
 * about those that stay: selectors, weights, metrics, policies, fields of the packet.
 */
#ifndef ECMPLAB_SHRINK_H
#define ECMPLAB_SHRINK_H

#include "tests/kernel/trial.h"

/* `result` is that of `t`, which must differ. Returns the smallest found, with its result. */
struct trial *shrink_trial(const struct trial *t, struct trial_result *result);

#endif
