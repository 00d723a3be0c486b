/*
 * generate - Linux routers and flows by chance, the same for the same seed
 *
 * A router has 2 to 16 interfaces, up to 48 routes in five tables (and those that its addresses
 * bring), and up to 24 rules. Destinations, sources, ports and marks are drawn from small pools,
 * so that prefixes nest, metrics compete and rules match; what the kernel refuses is not made.
 * Between look-ups links lose carrier or are set down, and come back.
 */
#ifndef ECMPLAB_GENERATE_H
#define ECMPLAB_GENERATE_H

#include "tests/kernel/trial.h"

struct trial *generate_trial(uint64_t seed, size_t lookups);

#endif
