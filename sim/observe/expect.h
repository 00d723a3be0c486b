/*
 * expect - did the run answer as the scenario expects
 *
 * An expectation names a figure of the result by JSON pointer (RFC 6901) and bounds it:
 *
 *     /paths/wan1/flows_share          a member of a member of a member
 *     /events/0/moved_share            the first element of an array
 *     /events/wan2-outage/broken       the element whose "name" is that
 *
 * min, max, and near with within are for numbers; equals is for any scalar, and takes 1
 * and 1.0 for the same. All that are given must hold. A pointer that names nothing, or
 * something that cannot be compared so, is an error and never a pass, whatever the level.
 *
 * Differs from RFC 6901: names in arrays are ours; "-" names nothing.
 */
#ifndef ECMPLAB_EXPECT_H
#define ECMPLAB_EXPECT_H

#include "sim/input/scenario.h"

/* What the pointer names: borrowed from `document`. NULL: nothing, or it is no
 * pointer. */
json_t *expect_find(json_t *document, const char *pointer);

/*
 * Judge all and write the verdicts into result.expect. False when one of level `error`
 * failed or any has an error; a failed one of level `warn` is only written down.
 */
bool expect_judge(const struct scenario *s, json_t *result);

#endif
