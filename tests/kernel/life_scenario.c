/* memfd_create() */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>

#include "tests/kernel/life.h"

#define WAN_IFACE(n)                                                                     \
    "{\"name\": \"wan" #n "\", \"addresses\": [\"100.64." #n ".2/24\", "                 \
    "\"2001:db8:a" #n "::2/64\"]}"

/* In the order of enum life_route. */
static const char shared_routes[] =
    "{\"gateway\": [\"100.64.1.1\", \"100.64.2.1\", \"100.64.3.1\"]},"
    "{\"gateway\": [\"100.64.2.1\", \"100.64.3.1\"], \"disabled\": true},"
    "{\"dst_address\": \"::/0\", \"gateway\": [\"2001:db8:a1::1\", \"2001:db8:a2::1\","
    " \"2001:db8:a3::1\"]},"
    "{\"dst_address\": \"::/0\", \"gateway\": [\"2001:db8:a2::1\", \"2001:db8:a3::1\"],"
    " \"disabled\": true}";
static const char metric_routes[] =
    "{\"gateway\": \"100.64.1.1\", \"distance\": 1},"
    "{\"gateway\": \"100.64.2.1\", \"distance\": 2},"
    "{\"dst_address\": \"::/0\", \"gateway\": \"2001:db8:a1::1\", \"distance\": 1},"
    "{\"dst_address\": \"::/0\", \"gateway\": \"2001:db8:a2::1\", \"distance\": 2}";

static void nat_write(FILE *out, bool masquerade)
{
    for (unsigned k = 1; k <= LIFE_WANS; k++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            fprintf(out,
                    "%s{\"chain\": \"srcnat\", \"action\": \"%s\", \"out_interface\": "
                    "\"wan%u\", \"family\": \"%s\"",
                    k == 1 && !v6 ? "" : ", ", masquerade ? "masquerade" : "src-nat", k,
                    v6 ? "ipv6" : "ipv4");
            if (!masquerade)
                fprintf(out,
                        v6 ? ", \"to_addresses\": \"2001:db8:a%u::2\""
                           : ", \"to_addresses\": \"100.64.%u.2\"",
                        k);
            fprintf(out, "}");
        }
}

static void scenario_write(FILE *out, const struct life *life)
{
    fprintf(out,
            "{\"version\": 1, \"name\": \"life\", \"router\": {\"platform\": \"linux\","
            "\"hash\": {\"ipv4\": \"l4\", \"ipv6\": \"l4\", \"seed\": 7},"
            "\"ignore_routes_with_linkdown\": %s, \"interfaces\": ["
            "{\"name\": \"lan\", \"addresses\": [\"192.168.10.1/24\", "
            "\"fd00:10::1/64\"]}," WAN_IFACE(1) "," WAN_IFACE(2) "," WAN_IFACE(
                3) "], \"routes\": [%s], \"nat\": [",
            life->ignore_linkdown ? "true" : "false",
            life->by_metric ? metric_routes : shared_routes);
    nat_write(out, life->masquerade);
    fprintf(out, "]}, \"wans\": {\"wan1\": {}, \"wan2\": {}, \"wan3\": {}},"
                 "\"lan\": [\"192.168.10.0/24\", \"fd00:10::/64\"]}");
}

struct scenario *life_scenario(const struct life *life)
{
    const int fd = memfd_create("scenario", MFD_CLOEXEC);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    struct scenario *s;
    struct diag *d;
    char path[64];

    if (!out)
        return NULL;
    scenario_write(out, life);
    fflush(out);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    d = diag_create(path, NULL, 0);
    s = scenario_read(path, NULL, d);
    if (!s)
        diag_print(d, stdout);
    diag_destroy(d);
    fclose(out);
    return s;
}
