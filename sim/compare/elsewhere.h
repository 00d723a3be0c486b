/*
 * elsewhere - two runs over the same traffic, flow by flow
 *
 * A flow of one run is the flow of the other with the same 5-tuple; of several with one
 * 5-tuple the first goes with the first, the second with the second, as they began. Paths
 * are the same when their WANs have the same name.
 *
 *     {"matched": 937, "only_in_first": 0, "only_here": 0,
 *      "elsewhere": 312, "elsewhere_share": 0.333, "bytes": 4800000,
 *      "bytes_elsewhere": 1600000, "bytes_elsewhere_share": 0.333,
 *      "another_address": 310,
 *      "between": [{"from": "wan1", "to": "wan2", "flows": 120, "bytes": 500000}, ...],
 *      "hosts_elsewhere": 4,
 *      "hosts": [{"address": "192.168.10.50", "name": "work-laptop", "flows": 115,
 *                 "elsewhere": 77, "another_address": 77, "bytes_elsewhere": 12345}, ...],
 *      "largest": [{"flow": "tcp ...", "from": "wan1", "to": "wan2",
 *                   "from_address": "100.64.1.2", "to_address": "100.64.2.2",
 *                   "bytes": 99999}, ...],
 *      "left_out": 0}
 *
 * A path is that of a flow's first packet out, null when it had none; another_address counts
 * the flows that the world sees under another public address, whatever their path. Bytes are
 * those of the first run. `hosts` are the LAN's, the named ones first, then the
 * ELSEWHERE_HOSTS_MAX with the most flows elsewhere; `largest` the flows elsewhere with the
 * most bytes.
 */
#ifndef ECMPLAB_ELSEWHERE_H
#define ECMPLAB_ELSEWHERE_H

#include <jansson.h>

#include "sim/observe/ledger.h"

enum { ELSEWHERE_HOSTS_MAX = 10, ELSEWHERE_LARGEST_MAX = 10 };

/* Both are borrowed; the caller owns what comes back. */
json_t *elsewhere_build(const struct ledger *first, const struct ledger *other);

#endif
