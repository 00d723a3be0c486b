/*
 * flowgens - configurations of synthetic traffic, ready to be changed
 *
 * 1000 TCP connections from 192.168.10.5 and .6 to 198.51.100.1:443, 100 a second from 0 on, 10 kB
 * each, 91 % of it down, 8 Mbit/s.
 */
#ifndef ECMPLAB_TESTS_FLOWGENS_H
#define ECMPLAB_TESTS_FLOWGENS_H

#include "sim/traffic/flowgen.h"

enum { FLOWGENS_FLOWS = 1000 };

struct flowgen_config flowgens_plain(void);

/* All the demands it makes, each over at once; free with mem_free(). Fails the test on an error. */
struct demand *flowgens_all(const struct flowgen_config *c, size_t *len);

#endif
