/*
 * synthetic - a capture that nobody recorded: traffic drawn from a scenario's description
 *
 *     flowgen ──demands──▶ pacer ──packets by time──▶ the simulation, as from a capture
 */
#ifndef ECMPLAB_SYNTHETIC_H
#define ECMPLAB_SYNTHETIC_H

#include "sim/traffic/flowgen.h"
#include "sim/traffic/pacer.h"

struct synthetic;

/* `c` is borrowed until synthetic_close(). */
struct synthetic *synthetic_open(const struct flowgen_config *c);

/* As capture_read(). */
int synthetic_read(struct synthetic *s, struct captured *out, unsigned max);
const char *synthetic_error(const struct synthetic *s);
void synthetic_close(struct synthetic *s);

#endif
