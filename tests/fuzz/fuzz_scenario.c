/* A scenario file: read, and when it is one, made into a router that decides a packet. */
#include <unistd.h>

#include "sim/input/scenario.h"
#include "sim/timeline/simulation.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];
    const int fd = fuzz_file(data, size, path);
    struct diag *d = diag_create(path, NULL, 0);
    struct scenario *s = scenario_read(path, NULL, d);

    if (s && s->router.ifaces_len) {
        struct simulation *sim = simulation_create(s);
        struct packet p = {.protocol = PROTO_UDP, .next_header = PROTO_UDP, .ttl = 64,
                           .sport = 1, .dport = 2};
        struct decision decision;

        addr_parse("192.168.10.5", &p.src);
        addr_parse("45.57.94.1", &p.dst);
        simulation_ask(sim, &p, 0, &decision);
        simulation_advance(sim, 1000000000);
        simulation_ask(sim, &p, 0, &decision);
        simulation_destroy(sim);
    }
    scenario_free(s);
    diag_destroy(d);
    close(fd);
    return 0;
}
