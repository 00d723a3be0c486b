#include "tests/kernel/life.h"

/* A connection is made: there, back, there. */
#define OPEN(wan)                                                                        \
    "out: " wan " as " wan " new", "in " wan ": lan", "out: " wan " as " wan

/* One that begins meanwhile. */
#define LATE(wan) "late out: " wan " as " wan " new", "late in " wan ": lan"

enum { MASQUERADE = true, SRC_NAT = false, IGNORING = true, NOT_IGNORING = false };

/* clang-format off */
const struct life lives[] = {
    /* ---- the link is administratively down: masquerade forgets at once, src-nat nothing */
    {"administratively down", MASQUERADE, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "down wan1: ended 1",
        OPEN("wan2"), LATE("wan2"),
        "up wan1: ended 0",
        "out: killed", "out: wan1 as wan1 new",
        "late out: killed", "late out: wan1 as wan1 new"}},
    {"administratively down", SRC_NAT, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "down wan1: ended 0",
        "out: wan2 as wan1", "in wan2: lan", LATE("wan2"),
        "up wan1: ended 0",
        "out: wan1 as wan1", "in wan1: lan", "late out: wan1 as wan2"}},

    /* ---- its carrier goes, and routes without a carrier are used on */
    {"no carrier", MASQUERADE, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0",
        "out: lost", "out: lost",
        "carrier wan1: ended 0",
        "out: wan1 as wan1", "in wan1: lan"}},
    {"no carrier", SRC_NAT, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0",
        "out: lost", "out: lost",
        "carrier wan1: ended 0",
        "out: wan1 as wan1", "in wan1: lan"}},

    /* ---- its carrier goes, and routes without a carrier are ignored: exactly one packet */
    {"no carrier, ignored", MASQUERADE, IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0",
        "out: killed", OPEN("wan2"), LATE("wan2"),
        "carrier wan1: ended 0",
        "in wan2: lan", "out: killed", "in wan2: lost", "out: wan1 as wan1 new",
        "late out: killed", "late out: wan1 as wan1 new"}},
    {"no carrier, ignored", SRC_NAT, IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0",
        "out: wan2 as wan1", "in wan2: lan", LATE("wan2"),
        "carrier wan1: ended 0",
        "out: wan1 as wan1", "in wan1: lan", "late out: wan1 as wan2"}},
    {"no carrier, ignored: a flow of wan2 in the part that wan3 takes", MASQUERADE, IGNORING,
     .sixth = 3, .steps = {
        OPEN("wan2"), "no-carrier wan1: ended 0",
        "out: killed", OPEN("wan3"),
        "carrier wan1: ended 0",
        "out: killed", OPEN("wan2")}},
    {"no carrier, ignored: a flow of wan2 in the part that it keeps", MASQUERADE, IGNORING,
     .sixth = 2, .steps = {
        OPEN("wan2"), "no-carrier wan1: ended 0", "out: wan2 as wan2",
        "carrier wan1: ended 0", "out: wan2 as wan2", "in wan2: lan"}},

    /* ---- its address changes, or goes */
    {"another address", MASQUERADE, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "readdress wan1: ended 1",
        "in wan1: wan1 as wan1b new", "out: wan1 as wan1b new", "in wan1: lan", "out: wan1 as wan1b"}},
    {"another address", SRC_NAT, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "readdress wan1: ended 0",
        "in wan1: lan", "out: wan1 as wan1", "late out: wan1 as wan1 new"}},
    {"its last address goes", MASQUERADE, NOT_IGNORING, .only_v4 = true, .sixth = 0, .steps = {
        OPEN("wan1"), "unaddress wan1: ended 1", OPEN("wan2")}},
    {"its last address goes", SRC_NAT, NOT_IGNORING, .only_v4 = true, .sixth = 0, .steps = {
        OPEN("wan1"), "unaddress wan1: ended 0", "out: wan2 as wan1", "in wan2: lan"}},

    /* ---- the multipath route is replaced by one without wan1, and by all three again */
    {"the route shrinks and grows", MASQUERADE, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "without wan1: ended 0",
        "in wan1: lan", "out: killed", "in wan1: lost",
        OPEN("wan2"), LATE("wan2"),
        "all: ended 0",
        "out: killed", "out: wan1 as wan1 new",
        "late out: killed", "late out: wan1 as wan1 new"}},
    {"the route shrinks and grows", SRC_NAT, NOT_IGNORING, .sixth = 0, .steps = {
        OPEN("wan1"), "without wan1: ended 0",
        "in wan1: lan", "out: wan2 as wan1", "in wan1: lan", LATE("wan2"),
        "all: ended 0",
        "out: wan1 as wan1", "late out: wan1 as wan2"}},
    {"the route shrinks and grows: a flow of wan2 in the part that wan3 takes", MASQUERADE,
     NOT_IGNORING, .sixth = 3, .steps = {
        OPEN("wan2"), "without wan1: ended 0",
        "out: killed", OPEN("wan3"),
        "all: ended 0",
        "out: killed", OPEN("wan2")}},
    {"the route shrinks and grows: a flow of wan2 in the part that wan3 takes", SRC_NAT,
     NOT_IGNORING, .sixth = 3, .steps = {
        OPEN("wan2"), "without wan1: ended 0", "out: wan3 as wan2", "in wan2: lan",
        "all: ended 0", "out: wan2 as wan2"}},
    {"the route shrinks and grows: a flow of wan2 in the part that it keeps", MASQUERADE,
     NOT_IGNORING, .sixth = 2, .steps = {
        OPEN("wan2"), "without wan1: ended 0", "out: wan2 as wan2",
        "all: ended 0", "out: wan2 as wan2"}},
    {"the route shrinks and grows: a flow of wan3", MASQUERADE, NOT_IGNORING, .sixth = 5,
     .steps = {
        OPEN("wan3"), "without wan1: ended 0", "out: wan3 as wan3",
        "all: ended 0", "out: wan3 as wan3"}},

    /* ---- two routes: the better metric's link goes */
    {"metric, administratively down: its route is deleted for good", MASQUERADE, NOT_IGNORING,
     .by_metric = true, .steps = {
        OPEN("wan1"), "down wan1: ended 1", OPEN("wan2"),
        "up wan1: ended 0", "out: wan2 as wan2", "in wan2: lan"}},
    {"metric, administratively down: its route is deleted for good", SRC_NAT, NOT_IGNORING,
     .by_metric = true, .steps = {
        OPEN("wan1"), "down wan1: ended 0", "out: wan2 as wan1", LATE("wan2"),
        "up wan1: ended 0", "out: wan2 as wan1", "late out: wan2 as wan2"}},
    {"metric, no carrier", MASQUERADE, NOT_IGNORING, .by_metric = true, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0", "out: lost", "late out: lost, new",
        "carrier wan1: ended 0", "out: wan1 as wan1"}},
    {"metric, no carrier, ignored", MASQUERADE, IGNORING, .by_metric = true, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0",
        "out: killed", OPEN("wan2"), LATE("wan2"),
        "carrier wan1: ended 0",
        "out: killed", "out: wan1 as wan1 new", "late out: killed", "late out: wan1 as wan1 new"}},
    {"metric, no carrier, ignored", SRC_NAT, IGNORING, .by_metric = true, .steps = {
        OPEN("wan1"), "no-carrier wan1: ended 0", "out: wan2 as wan1", LATE("wan2"),
        "carrier wan1: ended 0", "out: wan1 as wan1", "late out: wan1 as wan2"}},
};
/* clang-format on */

const size_t lives_len = sizeof lives / sizeof lives[0];
