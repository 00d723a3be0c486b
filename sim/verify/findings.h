/*
 * findings - the result of a comparison, as text and as JSON
 *
 * Both say how many packets were compared, how many agree, each kind of difference with its first
 * examples and both sides' words, what was set aside and why, and how the lab stands in for the
 * scenario's platform.
 */
#ifndef ECMPLAB_FINDINGS_H
#define ECMPLAB_FINDINGS_H

#include "sim/verify/compare.h"

struct findings {
    const struct scenario *scenario;
    const struct comparison *comparison;
    const char *kernel; /* its release */
    bool routes_only;
};

void findings_write_text(const struct findings *f, FILE *out);
json_t *findings_json(const struct findings *f);

#endif
