#include "sim/users/profile.h"

#include <string.h>

#define MS(n) ((int64_t)(n) * 1000000)
#define S(n)  MS(1000 * (int64_t)(n))

#define CONSTANT(v)                                                                      \
    {.kind = LAW_CONSTANT, .a = (double)(v), .at_least = 0, .at_most = LAW_VALUE_MAX}
#define UNIFORM(from, to)                                                                \
    {.kind = LAW_UNIFORM, .a = (double)(from), .b = (double)(to), .at_most = LAW_VALUE_MAX}
#define EXPONENTIAL(mean, least, most)                                                   \
    {.kind = LAW_EXPONENTIAL, .a = (double)(mean), .at_least = (least), .at_most = (most)}
#define LOGNORMAL(median, sigma, least, most)                                            \
    {.kind = LAW_LOGNORMAL, .a = (double)(median), .b = (sigma), .at_least = (least),        \
     .at_most = (most)}

const char *const peer_rule_names[PEER_RULES] = {"roam", "ignore", "rehandshake", "block"};

/* clang-format off */
const struct profile profiles[PROFILES] = {
    {.name = "web", .about = "reads pages: some connections to a few servers, many small files",
     .source = "assumption: about 70 files and 2 MB a page, a third of it by QUIC",
     .carrier = CARRIER_TCP, .quic = 0.33, .port = 443, .servers = 5,
     .lanes = UNIFORM(4, 8), .exchanges = UNIFORM(6, 18), .request = CONSTANT(700),
     .response = LOGNORMAL(14000, 1.4, 200, 5000000), .think = EXPONENTIAL(MS(150), 0, S(5)),
     .server_ns = MS(30), .patience_ns = S(20), .notice_ns = S(2), .again_ns = MS(500),
     .tries = 3},
    {.name = "video", .about = "watches a film: a chunk of four seconds at a time, some buffered",
     .source = "assumption: 5 Mbit/s, chunks of 2.5 MB, ten seconds of buffer",
     .carrier = CARRIER_TCP, .port = 443, .servers = 1,
     .lanes = CONSTANT(1), .exchanges = UNIFORM(30, 300), .request = CONSTANT(900),
     .response = UNIFORM(2000000, 3000000), .think = UNIFORM(S(3), S(4)),
     .server_ns = MS(20), .patience_ns = S(20), .notice_ns = S(10), .again_ns = MS(200),
     .tries = 5},
    {.name = "call", .about = "speaks and is seen: RTP both ways, which knows its peer by address",
     .source = "RFC 3550, 20 ms packets of 160 bytes (G.711); the rest is assumption",
     .carrier = CARRIER_TALK, .peer_rule = PEER_IGNORE, .port = 16384, .servers = 1,
     .lanes = CONSTANT(1), .duration = EXPONENTIAL(S(180), S(10), S(3600)),
     .beat_ns = MS(20), .beat_up = 172, .beat_down = 172,
     .patience_ns = S(10), .notice_ns = MS(400), .again_ns = S(5), .tries = 2},
    {.name = "game", .about = "plays: thirty small packets a second each way, known by address",
     .source = "assumption",
     .carrier = CARRIER_TALK, .peer_rule = PEER_IGNORE, .port = 27015, .servers = 1,
     .lanes = CONSTANT(1), .duration = EXPONENTIAL(S(1200), S(60), S(7200)),
     .beat_ns = MS(33), .beat_up = 80, .beat_down = 140,
     .patience_ns = S(10), .notice_ns = MS(300), .again_ns = S(3), .tries = 3},
    {.name = "vpn", .about = "works through a tunnel to the employer, who looks at its address",
     .source = "assumption: five seconds to shake hands again (IKE, OpenVPN)",
     .carrier = CARRIER_TALK, .peer_rule = PEER_REHANDSHAKE, .port = 4500, .servers = 1,
     .lanes = CONSTANT(1), .duration = EXPONENTIAL(S(7200), S(600), S(36000)),
     .beat_ns = MS(100), .beat_up = 300, .beat_down = 900, .handshake_ns = S(5),
     .patience_ns = S(60), .notice_ns = S(1), .again_ns = S(5), .tries = 10},
    {.name = "bank", .about = "banks online: a connection a page, and all of one session by one address",
     .source = "assumption: sites that bind a session to the address that logged in",
     .carrier = CARRIER_TCP, .one_address = true, .fresh = true, .port = 443, .servers = 1,
     .lanes = CONSTANT(1), .exchanges = UNIFORM(10, 40), .request = CONSTANT(1500),
     .response = LOGNORMAL(40000, 1.0, 1000, 2000000),
     .think = EXPONENTIAL(S(12), S(1), S(120)), .server_ns = MS(150),
     .patience_ns = S(30), .notice_ns = S(3), .again_ns = S(1), .tries = 3},
    {.name = "bulk", .about = "fetches one large file, and begins anew when that breaks",
     .source = "assumption: median 60 MB",
     .carrier = CARRIER_TCP, .port = 443, .servers = 1,
     .lanes = CONSTANT(1), .exchanges = CONSTANT(1), .request = CONSTANT(600),
     .response = LOGNORMAL(60000000, 1.0, 1000000, 2000000000), .think = CONSTANT(0),
     .server_ns = MS(20), .patience_ns = S(60), .notice_ns = S(5), .again_ns = S(2),
     .tries = 3},
    {.name = "dns", .about = "asks for a name: one packet there, one back",
     .source = "resolv.conf(5): five seconds, two tries more; sizes are assumption",
     .carrier = CARRIER_QUERY, .port = 53, .servers = 2,
     .lanes = CONSTANT(1), .exchanges = CONSTANT(1), .request = CONSTANT(45),
     .response = CONSTANT(140), .think = CONSTANT(0), .server_ns = MS(10),
     .patience_ns = S(5), .notice_ns = S(1), .again_ns = 0, .tries = 3},
    {.name = "updates", .about = "a machine updates itself by night: patient, many files",
     .source = "assumption",
     .carrier = CARRIER_TCP, .port = 443, .servers = 2,
     .lanes = CONSTANT(2), .exchanges = UNIFORM(5, 15), .request = CONSTANT(600),
     .response = LOGNORMAL(4000000, 1.5, 10000, 500000000), .think = CONSTANT(MS(50)),
     .server_ns = MS(20), .patience_ns = S(120), .notice_ns = S(60), .again_ns = S(30),
     .tries = 10},
};
/* clang-format on */

const struct profile *profile_find(const char *name)
{
    for (unsigned i = 0; i < PROFILES; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}
