#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/input/flow.h"

static const struct config_iface ifaces[] = {{.name = "bridge-lan"}, {.name = "wan1"}};
static const char *const marks[] = {"isp1"};

static struct router_config config(enum platform platform)
{
    struct router_config c;

    config_set_defaults(&c, platform);
    c.ifaces = ifaces;
    c.ifaces_len = 2;
    if (platform == PLATFORM_ROUTEROS7) {
        c.marks = marks;
        c.marks_len = 1;
    }
    return c;
}

static void flows_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *text, *src, *dst;
        unsigned protocol, sport, dport;
    } rows[] = {
        {"tcp 192.168.10.5:50000 > 45.57.94.1:443", "192.168.10.5", "45.57.94.1", PROTO_TCP,
         50000, 443},
        {"  udp\t10.0.0.1:1  >  10.0.0.2:65535", "10.0.0.1", "10.0.0.2", PROTO_UDP, 1, 65535},
        {"icmp 192.168.10.5 > 8.8.8.8", "192.168.10.5", "8.8.8.8", PROTO_ICMP, 0, 0},
        {"udp [2001:db8:10::5]:5000 > [2001:db8::53]:53", "2001:db8:10::5", "2001:db8::53",
         PROTO_UDP, 5000, 53},
        {"icmp 2001:db8::1 > 2001:db8::2", "2001:db8::1", "2001:db8::2", PROTO_ICMPV6, 0, 0},
        {"47 10.0.0.1 > 10.0.0.2", "10.0.0.1", "10.0.0.2", PROTO_GRE, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[256], src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
        struct flow f;

        if (!flow_parse(rows[i].text, &f, error, sizeof error))
            fail_msg("%s: %s", rows[i].text, error);
        assert_string_equal(addr_format(&f.packet.src, src), rows[i].src);
        assert_string_equal(addr_format(&f.packet.dst, dst), rows[i].dst);
        assert_int_equal(f.packet.protocol, rows[i].protocol);
        assert_int_equal(f.packet.sport, rows[i].sport);
        assert_int_equal(f.packet.dport, rows[i].dport);
    }
}

static void what_is_no_flow_is_refused_with_a_reason(void **state)
{
    static const char *const rows[] = {
        "", "tcp", "tcp 1.2.3.4:1 > ", "tcp 1.2.3.4:1 < 1.2.3.5:2", "xyz 1.2.3.4 > 1.2.3.5",
        "tcp 1.2.3.4:65536 > 1.2.3.5:1", "tcp 1.2.3.4:1 > [::1]:1", "icmp 1.2.3.4:5 > 1.2.3.5",
        "tcp 1.2.3:1 > 1.2.3.4:1", "tcp [::1:1 > [::2]:1", "tcp 1.2.3.4:1 > 1.2.3.5:2 again",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[256] = "";
        struct flow f;

        if (flow_parse(rows[i], &f, error, sizeof error) || error[0] == '\0')
            fail_msg("'%s' was accepted", rows[i]);
    }
}

static bool parse(const char *line, const struct router_config *c, struct flow *f, char error[256])
{
    error[0] = '\0';
    return flow_parse_json(line, strlen(line), c, f, error, 256);
}

static void a_json_line_gives_every_field(void **state)
{
    const struct router_config c = config(PLATFORM_LINUX);
    char error[256];
    struct flow f;

    (void)state;
    assert_true(parse("{\"in\": \"wan1\", \"src\": \"10.0.0.1\", \"dst\": \"10.0.0.2\","
                      " \"proto\": \"udp\", \"sport\": 7, \"dport\": 9, \"mark\": 255,"
                      " \"at\": \"1500ms\", \"tos\": 184}",
                      &c, &f, error));
    assert_int_equal(f.in_iface, 1);
    assert_int_equal(f.packet.sport, 7);
    assert_int_equal(f.packet.dport, 9);
    assert_int_equal(f.packet.protocol, PROTO_UDP);
    assert_int_equal(f.packet.mark, 255);
    assert_int_equal(f.packet.tos, 184);
    assert_int_equal(f.at_ns, 1500000000);
    assert_true(parse("{\"src\":\"2001:db8::1\",\"dst\":\"2001:db8::2\",\"proto\":58,"
                      "\"flowlabel\":1048575,\"at\":2.5}",
                      &c, &f, error));
    assert_int_equal(f.in_iface, -1);
    assert_int_equal(f.packet.flow_label, 0xfffff);
    assert_int_equal(f.at_ns, 2500000000);
}

/* Escapes make a line take the library's way: the answer must be the same. */
static void both_ways_of_reading_a_line_agree(void **state)
{
    static const char *const rows[][2] = {
        {"{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"proto\":\"tcp\",\"sport\":1,\"dport\":2}",
         "{\"s\\u0072c\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"proto\":\"tcp\",\"sport\":1,"
         "\"dport\":2}"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"at\":3}",
         "{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"at\":3.0}"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"port\":3}",
         "{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"p\\u006frt\":3}"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"x\"}", "{\"src\":\"10.0.0.1\",\"dst\":\"\\u0078\"}"},
    };
    const struct router_config c = config(PLATFORM_LINUX);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char e1[256], e2[256];
        struct flow a, b;
        bool one = parse(rows[i][0], &c, &a, e1), two = parse(rows[i][1], &c, &b, e2);

        assert_int_equal(one, two);
        assert_string_equal(e1, e2);
        if (one)
            assert_memory_equal(&a.packet, &b.packet, offsetof(struct packet, inner));
    }
}

static void a_wrong_line_is_told(void **state)
{
    static const struct {
        const char *line, *error;
    } rows[] = {
        {"{}", "src and dst are needed"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"::1\"}", "src and dst are of different families"},
        {"{\"src\":1,\"dst\":\"::1\"}", "src: expected an IPv4 or IPv6 address as a string"},
        {"{\"in\":\"eth9\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\"}",
         "in: the router has no interface 'eth9'"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"mark\":\"isp9\"}",
         "mark: the router knows no mark 'isp9'"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"sport\":70000}",
         "sport: expected a whole number from 0 to 65535"},
        {"{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"proto\":\"icmp\",\"dport\":1}",
         "this protocol has no ports"},
        {"[1]", "expected an object"},
        {"{\"src\":null}", "src: expected a string or a number"},
    };
    const struct router_config c = config(PLATFORM_ROUTEROS7);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[256];
        struct flow f;

        assert_false(parse(rows[i].line, &c, &f, error));
        assert_string_equal(error, rows[i].error);
    }
}

/* Every cut of a line, and every byte of it changed, is read without harm. */
static void damaged_lines_do_no_harm(void **state)
{
    static const char line[] = "{\"in\": \"wan1\", \"src\": \"10.0.0.1\", \"dst\": \"10.0.0.2\", "
                               "\"proto\": 17, \"sport\": 7, \"mark\": \"isp1\", \"at\": \"1s\"}";
    const struct router_config c = config(PLATFORM_ROUTEROS7);
    char copy[sizeof line], error[256];
    struct flow f;

    (void)state;
    for (size_t n = 0; n < sizeof line - 1; n++) {
        flow_parse_json(line, n, &c, &f, error, sizeof error);
        for (int byte = 0; byte < 256; byte += 5) {
            memcpy(copy, line, sizeof line);
            copy[n] = (char)byte;
            flow_parse_json(copy, sizeof line - 1, &c, &f, error, sizeof error);
        }
    }
    assert_true(parse(line, &c, &f, error));
    assert_int_equal(f.packet.mark, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_are_read_as_people_write_them),
        cmocka_unit_test(what_is_no_flow_is_refused_with_a_reason),
        cmocka_unit_test(a_json_line_gives_every_field),
        cmocka_unit_test(both_ways_of_reading_a_line_agree),
        cmocka_unit_test(a_wrong_line_is_told),
        cmocka_unit_test(damaged_lines_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
