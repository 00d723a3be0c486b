#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/input/scenario.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char THREE_WANS[] = "tests/valid/three-wans.json";
static const char LINUX[] = "tests/valid/linux.json";

/* ---- helpers ---- */

struct outcome {
    bool accepted, file_failed;
    char *messages; /* as on stderr */
};

static struct outcome outcome_of(const char *path, const struct scenario_changes *c)
{
    struct diag *d = diag_create(path, NULL, 0);
    struct scenario *s = scenario_read(path, c, d);
    struct outcome o = {.accepted = s != NULL, .file_failed = diag_file_failed(d)};
    size_t size;
    FILE *out = open_memstream(&o.messages, &size);

    assert_non_null(out);
    diag_print(d, out);
    fclose(out);
    scenario_free(s);
    diag_destroy(d);
    return o;
}

static char *text_of(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    size_t length;

    if (!file)
        fail_msg("%s: missing", path);
    length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

/* The text of the first message, behind its place and level. */
static char *first_message(char *messages)
{
    char *text = strstr(messages, ": error: ");

    messages[strcspn(messages, "\n")] = '\0';
    if (!text)
        text = strstr(messages, ": warning: ");
    return text ? strchr(text + 2, ':') + 2 : messages;
}

/* ---- files with their exact messages ---- */

static int is_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* tests/invalid/NAME/scenario.json says on stderr what NAME/expected.txt holds. */
static void invalid_scenarios_are_refused_with_their_exact_messages(void **state)
{
    struct dirent **names;
    int count = scandir("tests/invalid", &names, is_name, alphasort);
    size_t wrong = 0;

    (void)state;
    assert_true(count > 10);
    for (int i = 0; i < count; i++) {
        char scenario[512], expected[512];
        struct outcome o;

        snprintf(scenario, sizeof scenario, "tests/invalid/%s/scenario.json",
                 names[i]->d_name);
        snprintf(expected, sizeof expected, "tests/invalid/%s/expected.txt",
                 names[i]->d_name);
        o = outcome_of(scenario, NULL);
        if (o.accepted || strcmp(o.messages, text_of(expected)) != 0) {
            print_error("%s: %s:\n%s", scenario, o.accepted ? "accepted" : "says",
                        o.messages);
            wrong++;
        }
        free(o.messages);
        free(names[i]);
    }
    free(names);
    assert_int_equal(wrong, 0);
}

/* ---- one change to a good file, one message ---- */

static void a_wrong_value_is_told_with_its_pointer(void **state)
{
    static const struct {
        const char *file, *set, *message;
    } rows[] = {
        {THREE_WANS, "/version=1.5", "/version: expected a whole number, got 1.5"},
        {THREE_WANS, "/name=", "/name: must have from 1 to 200 characters, got 0"},
        {THREE_WANS, "/seed=\"7\"", "/seed: expected a whole number, got a string"},
        {THREE_WANS, "/router/platform=7",
         "/router/platform: expected one of 'linux', 'routeros7', got a number"},
        {THREE_WANS, "/router/interfaces=[]",
         "/router/interfaces: must have from 1 to 1024 elements, got 0"},
        {THREE_WANS, "/router/rules/0/min_prefix=-1",
         "/router/rules/0/min_prefix: must be from 0 to 4294967295, got -1"},
        {THREE_WANS, "/router/nat/0/src_port=0",
         "/router/nat/0/src_port: expected a port from 1 to 65535, or a range such as "
         "\"1000-2000\""},
        {THREE_WANS, "/traffic/0/start=-1s",
         "/traffic/0/start: expected a duration such as \"90s\", got \"-1s\""},
        {THREE_WANS, "/traffic/0/map/192.168.100.207=10.0.0.1/8",
         "/traffic/0/map/192.168.100.207: bits are set behind the prefix length, "
         "expected "
         "\"10.0.0.0/8\""},
        {THREE_WANS, "/router/interfaces/2/addresses/0=100.64.2.2",
         "/router/interfaces/2/addresses/0: lacks the length of its network, expected "
         "one "
         "such as \"100.64.2.2/24\""},
        {LINUX, "/router/interfaces/1/addresses/-=2001:db8:7::2",
         "/router/interfaces/1/addresses/2: lacks the length of its network, expected "
         "one "
         "such as \"2001:db8:7::2/64\""},
        {THREE_WANS, "/lan/-=192.168.20.0",
         "/lan/2: lacks the length of its network, expected one such as "
         "\"192.168.20.0/24\""},
        {THREE_WANS, "/lan/-=2001:db8:10::",
         "/lan/2: lacks the length of its network, expected one such as "
         "\"2001:db8:10::/64\""},
        {THREE_WANS, "/wans/wan9={}",
         "/wans/wan9: no interface 'wan9'; did you mean 'wan1'?"},
        {THREE_WANS, "/events/0/at=11y",
         "/events/0/at: expected a duration such as \"90s\", got \"11y\""},
        {THREE_WANS, "/events/0/at=3651d",
         "/events/0/at: must be at most 3650d, got \"3651d\""},
        {THREE_WANS, "/expect/0/equals=[]",
         "/expect/0/equals: expected a number, a string, true, false or null"},
        {LINUX, "/router/rules/1/fwmark=0x1ffffffff",
         "/router/rules/1/fwmark: expected a mark such as \"0x10/0xff\" or 16, of 32 "
         "bits"},
        {LINUX, "/router/rules/1/fwmark=0x10/",
         "/router/rules/1/fwmark: expected a mark such as \"0x10/0xff\" or 16, of 32 "
         "bits"},
        {LINUX, "/router/rules/1/protocol=0",
         "/router/rules/1/protocol: expected a protocol such as 'tcp', or its number "
         "from 1 to "
         "255"},
        {LINUX, "/router/routes/0/weight=[1, 2]",
         "/router/routes/0/weight: 2 weights for 3 gateways"},
        {LINUX, "/router/routes/0/weight/2=257",
         "/router/routes/0/weight/2: must be from 1 to 256, got 257"},
        {LINUX, "/router/routes/0/tos=1",
         "/router/routes/0/tos: 0x01 has bits outside of 0x1c, which no look-up sees"},
        {LINUX, "/router/routes/2/tos=4",
         "/router/routes/2/tos: only IPv4 routes match a TOS"},
        {LINUX, "/router/routes/3/weight=4",
         "/router/routes/3/weight: a route of type 'throw' has no gateway to weigh"},
        {LINUX, "/router/hash/ipv4_fields=4096",
         "/router/hash/ipv4_fields: must be from 1 to 4095, got 4096"},
        {LINUX, "/router/connection_tracking/enabled=no",
         "/router/connection_tracking/enabled: NAT rules need connection tracking: "
         "expected "
         "'auto' or 'yes'"},
        {LINUX, "/router/tables=isp1", "/router/tables: expected an array, got a string"},
        {LINUX, "/router/interfaces/1/name=7",
         "/router/interfaces/1/name: expected a string, got a number"},
        {THREE_WANS, "/wans/wan1/queue=64",
         "/wans/wan1/queue: expected a time such as \"100ms\", a size such as \"64KiB\", "
         "or from \"1p\" to \"1000000p\" packets"},
        {THREE_WANS, "/wans/wan1/queue=0p",
         "/wans/wan1/queue: expected a time such as \"100ms\", a size such as \"64KiB\", "
         "or from \"1p\" to \"1000000p\" packets"},
        {THREE_WANS, "/wans/wan1/cap=100G",
         "/wans/wan1/cap: expected a size such as \"100GB\" or \"1.5TB\""},
        {THREE_WANS, "/wans/wan1/loss=1.5", "/wans/wan1/loss: must be from 0 to 1, got 1.5"},
        {THREE_WANS, "/wans/wan1={\"loss\": 0.8, \"loss_burst\": 3}",
         "/wans/wan1/loss_burst: losses in runs of 3 and single packets between them are "
         "at most 0.75 of all"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct outcome o = outcome_of(
            rows[i].file, &(struct scenario_changes){.set = &rows[i].set, .set_len = 1});
        const char *lines = strchr(o.messages, '\n');

        if (o.accepted || (lines && lines[1]))
            fail_msg("--set %s: not one message:\n%s", rows[i].set, o.messages);
        if (strcmp(first_message(o.messages), rows[i].message) != 0)
            fail_msg("--set %s: says %s", rows[i].set, first_message(o.messages));
        free(o.messages);
    }
}

static void what_can_be_meant_is_accepted_with_a_warning(void **state)
{
    static const struct {
        const char *file, *set, *message;
    } rows[] = {
        {THREE_WANS, "/router/routes/5/gateway=100.64.9.1",
         "/router/routes/5/gateway: does not resolve at the start, so the route is "
         "inactive"},
        {THREE_WANS, "/router/interfaces/3/disabled=true",
         "/router/routes/2/gateway: does not resolve at the start, so the route is "
         "inactive"},
        {THREE_WANS, "/hosts/work-laptop/addresses=[\"192.168.99.1\"]",
         "/hosts/work-laptop/addresses/0: 192.168.99.1 is not in the LAN"},
        {THREE_WANS, "/duration=5s",
         "/events/0/at: after the end of the run, so it never happens"},
        {THREE_WANS, "/router/interfaces/2/addresses/-=10.9.9.0/24",
         "/router/interfaces/2/addresses/1: the address of the network itself, not of a "
         "host "
         "in it"},
        {THREE_WANS, "/router/rules/0/action=drop",
         "/router/rules/0/table: has no effect with action 'drop'"},
        {THREE_WANS, "/wans/wan1={\"queue\": \"1s\"}",
         "/wans/wan1/queue: has no effect without 'down' or 'up'"},
        {THREE_WANS, "/wans/wan1/down=\"100\"",
         "/wans/wan1/down: only 100 bit/s; did you mean \"100M\"?"},
        {THREE_WANS, "/wans/wan1/up=\"999\"",
         "/wans/wan1/up: only 999 bit/s; did you mean \"999M\"?"},
        {THREE_WANS, "/wans/wan1/up=\"9.6k\"", "/wans/wan1/up: only 9600 bit/s"},
        {THREE_WANS,
         "/events/0={\"at\":\"1s\",\"kind\":\"degrade\",\"wan\":\"wan2\",\"up\":\"5\"}",
         "/events/0/up: only 5 bit/s; did you mean \"5M\"?"},
        {THREE_WANS, "/wans/wan1/loss_burst=3",
         "/wans/wan1/loss_burst: has no effect without 'loss'"},
        {LINUX, "/router/rules/0/goto=201",
         "/router/rules/0/goto: no rule has priority 201, so this one is passed over"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct outcome o = outcome_of(
            rows[i].file, &(struct scenario_changes){.set = &rows[i].set, .set_len = 1});

        if (!o.accepted)
            fail_msg("--set %s: refused:\n%s", rows[i].set, o.messages);
        if (strcmp(first_message(o.messages), rows[i].message) != 0)
            fail_msg("--set %s: says %s", rows[i].set, first_message(o.messages));
        free(o.messages);
    }
}

/* Else the end of one would bring back an address while another is in force. */
static void address_changes_of_one_wan_come_one_after_the_other(void **state)
{
    static const struct {
        const char *when;
        const char *first, *second; /* each one's time */
        const char *wan;            /* of the second; the first is of wan1 */
        const char *pointer,
            *other; /* who is told to overlap with whom; NULL: accepted */
    } rows[] = {
        {"one begins in the other", "'at': '10s', 'for': '20s'",
         "'at': '20s', 'for': '40s'", "wan1", "/events/1", "/events/0"},
        {"... whatever their order in the file", "'at': '20s'",
         "'at': '10s', 'for': '20s'", "wan1", "/events/0", "/events/1"},
        {"both at one time", "'at': '10s', 'for': '5s'", "'at': '10s', 'for': '5s'",
         "wan1", "/events/1", "/events/0"},
        {"one begins as the other ends", "'at': '10s', 'for': '10s'",
         "'at': '20s', 'for': '10s'", "wan1", NULL, NULL},
        {"the first is for good", "'at': '10s'", "'at': '20s', 'for': '10s'", "wan1",
         NULL, NULL},
        {"of two WANs", "'at': '10s', 'for': '20s'", "'at': '20s', 'for': '40s'", "wan2",
         NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[512], message[256];
        const char *set = text;
        struct outcome o;

        snprintf(text, sizeof text,
                 "/events=[{'kind': 'address-change', %s, 'wan': 'wan1',"
                 " 'address': '100.64.1.5/24'}, {'kind': 'address-change', %s,"
                 " 'wan': '%s', 'address': '100.64.%c.6/24'}]",
                 rows[i].first, rows[i].second, rows[i].wan, rows[i].wan[3]);
        for (char *c = text; *c; c++)
            if (*c == '\'')
                *c = '"';
        o = outcome_of(THREE_WANS, &(struct scenario_changes){.set = &set, .set_len = 1});
        snprintf(message, sizeof message,
                 "%s/at: begins before %s, another change of this address, has ended",
                 rows[i].pointer ? rows[i].pointer : "",
                 rows[i].other ? rows[i].other : "");
        if (o.accepted != !rows[i].pointer ||
            (rows[i].pointer && strcmp(first_message(o.messages), message) != 0))
            fail_msg("%s: %s", rows[i].when, o.messages);
        free(o.messages);
    }
}

static void a_change_that_leads_nowhere_is_an_error(void **state)
{
    static const struct {
        const char *set, *message;
    } rows[] = {
        {"/router/routes/9/distance=1",
         "--set /router/routes/9/distance=1: the scenario has nothing there"},
        {"/router/routes/7={}",
         "--set /router/routes/7={}: the scenario has nothing there"},
        {"/router/routes/01/distance=1",
         "--set /router/routes/01/distance=1: the scenario has nothing there"},
        {"/name/x=1", "--set /name/x=1: the scenario has nothing there"},
        {"seed=1", "--set seed=1: expected POINTER=VALUE, as /router/hash/seed=7"},
        {"/seed", "--set /seed: expected POINTER=VALUE, as /router/hash/seed=7"},
        {"=1", "--set =1: expected POINTER=VALUE, as /router/hash/seed=7"},
        {"/about=\xff", "--set /about=\xff: the value is no UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct outcome o = outcome_of(
            THREE_WANS, &(struct scenario_changes){.set = &rows[i].set, .set_len = 1});

        if (o.accepted || strcmp(first_message(o.messages), rows[i].message) != 0)
            fail_msg("--set %s: says %s", rows[i].set, o.messages);
        free(o.messages);
    }
}

/* ---- files that cannot be read ---- */

static void an_unreadable_file_is_told_from_a_wrong_one(void **state)
{
    static const struct {
        const char *path, *set, *pcap;
        bool file_failed;
    } rows[] = {
        {"tests/valid/nowhere.json", NULL, NULL, true},
        {"tests/valid", NULL, NULL, true},
        {"tests/invalid/missing-capture/scenario.json", NULL, NULL, true},
        {"tests/invalid/missing-capture/scenario.json", "/seed=-1", NULL, false},
        {"tests/invalid/syntax/scenario.json", NULL, NULL, false},
        {THREE_WANS, NULL, "nowhere.pcap", true},
        {THREE_WANS, "/seed=-1", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const struct scenario_changes c = {
            .set = &rows[i].set, .set_len = rows[i].set ? 1 : 0, .pcap = rows[i].pcap};
        struct outcome o = outcome_of(rows[i].path, &c);

        if (o.accepted || o.file_failed != rows[i].file_failed)
            fail_msg("%s: %s", rows[i].path, o.messages);
        free(o.messages);
    }
}

/* ---- hostile files ---- */

static struct outcome outcome_of_text(const char *text, size_t length)
{
    char path[] = "/tmp/test_scenario.XXXXXX";
    int fd = mkstemp(path);
    struct outcome o;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
    o = outcome_of(path, NULL);
    unlink(path);
    return o;
}

static void a_file_that_is_cut_anywhere_is_refused(void **state)
{
    char *text = text_of(LINUX);
    size_t length = strlen(text);

    (void)state;
    while (text[length - 1] != '}')
        length--;
    for (size_t cut = 0; cut < length; cut += 7) {
        struct outcome o = outcome_of_text(text, cut);

        if (o.accepted || o.file_failed)
            fail_msg("cut at %zu: %s", cut, o.messages);
        free(o.messages);
    }
}

/* Whatever a key or a string is replaced by: reading ends in order. */
static void no_kind_of_value_anywhere_is_more_than_an_error(void **state)
{
    static const char *const values[] = {"null", "true", "-1",   "1e300",      "\"\"",
                                         "[]",   "{}",   "[[]]", "\"\\u0000\""};
    const char *files[] = {THREE_WANS, LINUX, "tests/valid/routeros.json"};

    (void)state;
    for (size_t f = 0; f < LEN(files); f++) {
        char *text = strdup(text_of(files[f]));
        size_t length = strlen(text);

        for (size_t at = 0; at < length; at++) {
            char *changed;
            struct outcome o;
            const char *value = values[at % LEN(values)];
            size_t end = at + 1;

            if (text[at] != '"')
                continue;
            end += strcspn(text + end, "\"") + 1;
            changed = malloc(length + 16);
            assert_non_null(changed);
            memcpy(changed, text, at);
            strcpy(changed + at, value);
            strcat(changed, text + end);
            o = outcome_of_text(changed, strlen(changed));
            free(o.messages);
            free(changed);
            at = end - 1;
        }
        free(text);
    }
}

/* "/router/routes=[...]" of so many routes, each with so many gateways. */
static char *set_of_routes(unsigned routes, unsigned gateways)
{
    char *set;
    size_t size;
    FILE *out = open_memstream(&set, &size);

    assert_non_null(out);
    fprintf(out, "/router/routes=[");
    for (unsigned i = 0; i < routes; i++) {
        fprintf(out, "%s{\"dst_address\": \"10.%u.%u.0/24\", \"gateway\": [",
                i ? "," : "", gateways > 1 ? i / 256 : 0, gateways > 1 ? i % 256 : 0);
        for (unsigned k = 0; k < gateways; k++)
            fprintf(out, "%s\"100.64.1.%u\"", k ? "," : "", k + 3);
        fprintf(out, "]}");
    }
    fprintf(out, "]");
    fclose(out);
    return set;
}

static void crowds_of_gateways_are_refused(void **state)
{
    static const struct {
        unsigned routes, gateways;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {256, 1, NULL},
        {257, 1,
         "/router/routes/256: one destination has at most 256 routes with 256 gateways "
         "in a "
         "table"},
        {128, 128, NULL},
        {129, 128,
         "/router/routes: the routes have at most 16384 gateways in all, got 16512"},
        {8193, 1, "/router/routes: must have at most 8192 elements, got 8193"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char *set = set_of_routes(rows[i].routes, rows[i].gateways);
        const char *const sets[] = {set};
        struct outcome o =
            outcome_of(THREE_WANS, &(struct scenario_changes){.set = sets, .set_len = 1});

        if (o.accepted != !rows[i].message ||
            (rows[i].message && strcmp(first_message(o.messages), rows[i].message) != 0))
            fail_msg("%u routes with %u gateways: %s", rows[i].routes, rows[i].gateways,
                     o.messages);
        free(o.messages);
        free(set);
    }
}

/* The gateways of a route: so many addresses from 10.`net`.0.2 on. */
static void write_gateways(FILE *out, const char *dst, unsigned net, unsigned first,
                           unsigned count, unsigned scope)
{
    fprintf(
        out,
        "{\"dst_address\": \"%s\", \"scope\": %u, \"target_scope\": %u, \"gateway\": [",
        dst, scope, scope);
    for (unsigned k = first + 2; k < first + 2 + count; k++)
        fprintf(out, "%s\"10.%u.%u.%u\"", k > first + 2 ? ", " : "", net, k / 256,
                k % 256);
    fprintf(out, "]}");
}

/*
 * 10.9.0.0/16 by some gateways on the wire, 10.8.0.0/16 by some in that: so many next hops has
 * each gateway in it, of which the last routes have many.
 */
static char *set_of_recursion(unsigned inner, unsigned outer, unsigned routes,
                              unsigned each)
{
    char *set;
    size_t size;
    FILE *out = open_memstream(&set, &size);

    assert_non_null(out);
    fprintf(out, "/router/routes=[");
    write_gateways(out, "10.9.0.0/16", 0, 0, inner, 10);
    fprintf(out, ", ");
    write_gateways(out, "10.8.0.0/16", 9, 0, outer, 11);
    for (unsigned i = 0; i < routes; i++) {
        char dst[32];

        snprintf(dst, sizeof dst, "20.%u.0.0/16", i);
        fprintf(out, ", ");
        write_gateways(out, dst, 8, i * each, each, 12);
    }
    fprintf(out, "]");
    fclose(out);
    return set;
}

/* In the last row 4,096 gateways would be 65,536 next hops each: known before all are listed. */
static void gateways_that_resolve_to_a_multitude_are_refused(void **state)
{
    static const char message[] =
        "/router/routes: a gateway resolves to more than 256 next "
        "hops, or a group has more than 4096";
    static const struct {
        const char *when;
        unsigned inner, outer, routes, each;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {"16 times 16", 16, 16, 1, 1, NULL},
        {"16 times 17", 16, 17, 1, 1, message},
        {"a group of 16 times 256", 16, 16, 1, 16, NULL},
        {"a group of 17 times 256", 16, 16, 1, 17, message},
        {"as many as can be written", 256, 256, 16, 256, message},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char *recursion =
            set_of_recursion(rows[i].inner, rows[i].outer, rows[i].routes, rows[i].each);
        const char *const set[] = {"/router/interfaces/1/addresses=[\"10.0.0.1/16\"]",
                                   "/router/nat=[]", "/router/rules=[]", "/events=[]",
                                   recursion};
        struct outcome o =
            outcome_of("scenarios/001-recipe.json",
                       &(struct scenario_changes){.set = set, .set_len = LEN(set)});

        if (o.accepted != !rows[i].message ||
            (rows[i].message && strcmp(first_message(o.messages), rows[i].message) != 0))
            fail_msg("%s: %.2000s", rows[i].when, o.messages);
        free(o.messages);
        free(recursion);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalid_scenarios_are_refused_with_their_exact_messages),
        cmocka_unit_test(a_wrong_value_is_told_with_its_pointer),
        cmocka_unit_test(what_can_be_meant_is_accepted_with_a_warning),
        cmocka_unit_test(address_changes_of_one_wan_come_one_after_the_other),
        cmocka_unit_test(a_change_that_leads_nowhere_is_an_error),
        cmocka_unit_test(an_unreadable_file_is_told_from_a_wrong_one),
        cmocka_unit_test(crowds_of_gateways_are_refused),
        cmocka_unit_test(gateways_that_resolve_to_a_multitude_are_refused),
        cmocka_unit_test(a_file_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(no_kind_of_value_anywhere_is_more_than_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
