#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "sim/observe/decisions.h"

static const struct config_iface ifaces[] = {{.name = "bridge-lan"}, {.name = "wan1"}};
static struct config_rule rules[] = {{.comment = "phones, \"all\""}, {.comment = NULL}};

static struct router_config config(void)
{
    struct router_config c;

    config_set_defaults(&c, PLATFORM_ROUTEROS7);
    c.ifaces = ifaces;
    c.ifaces_len = 2;
    c.rules = rules;
    c.rules_len = 2;
    return c;
}

/* What the observer writes of one observation, without the header. */
static char *line_of(const struct observation *o)
{
    static const char header[] = "packet,time,interface,src,dst,proto,sport,dport,verdict,rule,"
                                 "table,gateway,out_interface,nat_src,reason\n";
    const struct router_config c = config();
    struct decisions w;
    struct observer observer;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    decisions_begin(&w, out, &c);
    observer = decisions_observer(&w);
    observer.packet(observer.context, o);
    fclose(out);
    assert_true(strncmp(text, header, sizeof header - 1) == 0);
    memmove(text, text + sizeof header - 1, size - sizeof header + 2);
    return text;
}

static void a_forwarded_packet_has_all_fields(void **state)
{
    struct nexthop_group *g;
    struct nexthop hop = {.iface = 1, .weight = 1, .up = true};
    struct packet p = {.protocol = PROTO_TCP, .sport = 40000, .dport = 443};
    struct fib_entry e = {.table = TABLE_MAIN};
    struct decision d = {.rule = 0, .entry = &e, .member = 0, .out_iface = 1,
                         .flags = DECISION_NATED};
    const struct observation o = {.number = 7, .time_ns = 1500000001, .packet = &p,
                                  .decision = &d, .in_iface = 0, .fate = FATE_DELIVERED};
    char *line;

    (void)state;
    assert_true(addr_parse("192.168.10.5", &p.src));
    assert_true(addr_parse("45.57.94.1", &p.dst));
    assert_true(addr_parse("100.64.1.1", &hop.gateway));
    assert_true(addr_parse("100.64.1.2", &d.nat_src));
    g = nexthop_group_create(&hop, 1);
    e.group = g;
    line = line_of(&o);
    assert_string_equal(line, "7,1.500000001,bridge-lan,192.168.10.5,45.57.94.1,tcp,40000,443,"
                              "delivered,\"phones, \"\"all\"\"\",main,100.64.1.1,wan1,"
                              "100.64.1.2,\n");
    free(line);
    nexthop_group_destroy(g);
}

static void a_frame_that_is_not_ip_has_only_its_reason(void **state)
{
    const struct packet p = {0};
    const struct observation o = {.number = 1, .packet = &p, .in_iface = -1,
                                  .fate = FATE_UNROUTED, .reason = REASON_NOT_IP};
    char *line = line_of(&o);

    (void)state;
    assert_string_equal(line, "1,0.000000000,,,,,,,unrouted,,,,,,not-ip\n");
    free(line);
}

static void an_assumed_request_is_no_packet_and_no_line(void **state)
{
    const struct packet p = {0};
    const struct observation o = {.packet = &p, .fate = FATE_ASSUMED};
    char *line = line_of(&o);

    (void)state;
    assert_string_equal(line, "");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forwarded_packet_has_all_fields),
        cmocka_unit_test(a_frame_that_is_not_ip_has_only_its_reason),
        cmocka_unit_test(an_assumed_request_is_no_packet_and_no_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
