#include "tests/flowgens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"

static const struct addr hosts[] = {
    {.bytes = {192, 168, 10, 5}, .family = FAMILY_V4},
    {.bytes = {192, 168, 10, 6}, .family = FAMILY_V4},
};
static const struct flowgen_range servers[] = {
    {.first = {.bytes = {198, 51, 100, 1}, .family = FAMILY_V4}, .count = 1},
};
static const struct config_range ports[] = {{443, 443}};

struct flowgen_config flowgens_plain(void)
{
    return (struct flowgen_config){
        .pointer = "/traffic/0",
        .seed = 42,
        .arrivals = {.kind = ARRIVALS_POISSON,
                     .per_hour = 360000,
                     .end_ns = INT64_MAX / 2,
                     .flows = FLOWGENS_FLOWS},
        .size = {.kind = LAW_CONSTANT,
                 .a = 10000,
                 .at_least = 1,
                 .at_most = DEMAND_BYTES_MAX},
        .rate_bps = 8000000,
        .down_share = 0.91,
        .limits = {1500, 2},
        .protocols = {[FLOWGEN_TCP] = 1},
        .hosts = hosts,
        .hosts_len = 2,
        .servers = servers,
        .servers_len = 1,
        .ports = ports,
        .ports_len = 1,
        .source_ports = {32768, 60999},
    };
}

struct demand *flowgens_all(const struct flowgen_config *c, size_t *len)
{
    struct flowgen *g = flowgen_create(c);
    const struct demand_source s = flowgen_source(g);
    struct demand *all = NULL;
    size_t cap = 0;
    int64_t start_ns;

    for (*len = 0; s.begin(s.context, &start_ns); ++*len) {
        all = mem_grow(all, &cap, *len + 1, sizeof *all);
        if (!s.take(s.context, &all[*len]))
            fail_msg("%s", s.error(s.context));
        assert_int_equal(all[*len].start_ns, start_ns);
        s.ended(s.context, &all[*len]);
    }
    flowgen_destroy(g);
    return all;
}
