#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/addr.h"
#include "sim/input/reader.h"

/* ---- a small lab, with a field of every kind ---- */

enum check { CHECK_NONE, CHECK_PING, CHECK_ARP };

struct gateway {
    const char *pointer;
    struct addr address;
    uint8_t check;
    uint16_t weight;
    bool weight_given;
};

struct wan {
    const char *name, *pointer;
    uint64_t down_bps, up_bps;
    int64_t delay_ns;
};

struct hash {
    const char *pointer;
    uint8_t policy;
    int64_t seed;
    bool seed_given;
};

enum event_kind { EVENT_LINK_DOWN, EVENT_LOSS };

struct event {
    int kind;
    int64_t at_ns;
    const char *wan;
    double share;
};

struct share {
    const char *name;
    uint32_t percent;
};

struct lab {
    const char *name;
    bool strict;
    int64_t version;
    int16_t offset;
    double jain;
    struct prefix lan, interface, network;
    struct hash hash;
    struct gateway *uplink;
    struct gateway *gateways;
    size_t gateway_count;
    const char **comments;
    size_t comment_count;
    struct wan *wans;
    size_t wan_count;
    struct share *shares;
    size_t share_count;
    struct event *events;
    size_t event_count;
    uint16_t ports[2]; /* "80-90" */
};

/* The second name is missing on purpose: a number that the model has no word for. */
static const char *const check_names[] = {"none", NULL, "ping", "arp"};
static const char *const policy_names[] = {"l3", "l4", "l3-inner", NULL};

static bool check_wan(const struct reader *r, void *object, const char *pointer)
{
    const struct wan *w = object;

    if (w->down_bps < w->up_bps)
        return diag_error_member(r->diag, pointer, "up", "must not exceed down");
    return true;
}

static bool read_ports(const struct reader *r, json_t *value, const char *pointer,
                       void *target)
{
    uint16_t *ports = target;
    unsigned first, last;
    const char *text = json_string_value(value);

    if (!text || sscanf(text, "%5u-%5u", &first, &last) != 2 || last > 65535)
        return diag_error(r->diag, pointer, "expected ports such as \"80-90\"");
    ports[0] = (uint16_t)first;
    ports[1] = (uint16_t)last;
    return true;
}

static const struct reader_field gateway_fields[] = {
    {.name = "address",
     .kind = READER_ADDR,
     READER_AT(struct gateway, address),
     .required = true,
     .doc = "the neighbour's address"},
    {.name = "check_gateway",
     .kind = READER_ENUM,
     READER_AT(struct gateway, check),
     READER_NAMES(check_names),
     .by_default = "none"},
    {.name = "weight",
     .kind = READER_INT,
     READER_AT(struct gateway, weight),
     .min = 1,
     .max = 256,
     .by_default = "1",
     READER_GIVEN(struct gateway, weight_given)},
    READER_END,
};
static const struct reader_object gateway_object = {
    .name = "gateway",
    .doc = "where packets go next",
    READER_STRUCT(struct gateway),
    .fields = gateway_fields,
    .pointer = READER_OFFSET(struct gateway, pointer),
};

static const struct reader_field wan_fields[] = {
    {.name = "down",
     .kind = READER_RATE,
     READER_AT(struct wan, down_bps),
     .required = true,
     .min = 1000,
     .doc = "capacity towards the LAN"},
    {.name = "up",
     .kind = READER_RATE,
     READER_AT(struct wan, up_bps),
     .by_default = "1k"},
    {.name = "delay",
     .kind = READER_DURATION,
     READER_AT(struct wan, delay_ns),
     .by_default = "5ms",
     .max = 10000000000,
     .doc = "one way"},
    READER_END,
};
static const struct reader_object wan_object = {
    .name = "wan",
    READER_STRUCT(struct wan),
    .fields = wan_fields,
    .pointer = READER_OFFSET(struct wan, pointer),
    .check = check_wan,
};

static const struct reader_field hash_fields[] = {
    {.name = "policy",
     .kind = READER_ENUM,
     READER_AT(struct hash, policy),
     .names = policy_names,
     .by_default = "l4"},
    {.name = "seed",
     .kind = READER_INT,
     READER_AT(struct hash, seed),
     READER_GIVEN(struct hash, seed_given)},
    READER_END,
};
static const struct reader_object hash_object = {
    .name = "hash",
    READER_STRUCT(struct hash),
    .fields = hash_fields,
    .pointer = READER_OFFSET(struct hash, pointer),
};

static const struct reader_field link_down_fields[] = {
    {.name = "wan",
     .kind = READER_STRING,
     READER_AT(struct event, wan),
     .required = true,
     .min = 1,
     .max = 15},
    READER_END,
};
static const struct reader_field loss_fields[] = {
    {.name = "share",
     .kind = READER_NUMBER,
     READER_AT(struct event, share),
     .required = true,
     .highest = 1,
     .above_min = true},
    READER_END,
};
static const struct reader_variant event_variants[] = {
    {"link-down", "the carrier goes", link_down_fields},
    {"loss", "packets are lost at random", loss_fields},
    {NULL, NULL, NULL},
};
static const struct reader_field event_fields[] = {
    {.name = "kind",
     .kind = READER_ENUM,
     READER_AT(struct event, kind),
     .required = true,
     READER_NAMES(event_variants)},
    {.name = "at",
     .kind = READER_DURATION,
     READER_AT(struct event, at_ns),
     .required = true},
    READER_END,
};
static const struct reader_object event_object = {
    .name = "event",
    READER_STRUCT(struct event),
    .fields = event_fields,
    .tag = "kind",
    .variants = event_variants,
};

static const struct reader_field share_value = {
    .kind = READER_INT, READER_AT(struct share, percent), .max = 100};

static const struct reader_field lab_fields[] = {
    {.name = "name",
     .kind = READER_STRING,
     READER_AT(struct lab, name),
     .by_default = "unnamed",
     .doc = "what people call it"},
    {.name = "strict",
     .kind = READER_BOOL,
     READER_AT(struct lab, strict),
     .by_default = "true"},
    {.name = "version",
     .kind = READER_INT,
     READER_AT(struct lab, version),
     .required = true,
     .min = 1,
     .max = 1},
    {.name = "offset",
     .kind = READER_INT,
     READER_AT(struct lab, offset),
     .min = -5,
     .max = 0},
    {.name = "jain",
     .kind = READER_NUMBER,
     READER_AT(struct lab, jain),
     .highest = 1,
     .by_default = "0.5"},
    {.name = "lan", .kind = READER_PREFIX, READER_AT(struct lab, lan)},
    {.name = "interface",
     .kind = READER_PREFIX,
     READER_AT(struct lab, interface),
     .host_bits = READER_HOST_BITS_KEPT},
    {.name = "network",
     .kind = READER_PREFIX,
     READER_AT(struct lab, network),
     .host_bits = READER_HOST_BITS_CLEARED},
    {.name = "hash",
     .kind = READER_OBJECT,
     READER_AT(struct lab, hash),
     .object = &hash_object},
    {.name = "uplink",
     .kind = READER_OBJECT_PTR,
     READER_AT(struct lab, uplink),
     .object = &gateway_object},
    {.name = "gateways",
     .kind = READER_ARRAY,
     READER_LIST(struct lab, gateways, gateway_count),
     .object = &gateway_object,
     .min = 1,
     .max = 3},
    {.name = "comments",
     .kind = READER_ARRAY,
     READER_LIST(struct lab, comments, comment_count),
     .each = &reader_string,
     .by_default = "[\"as built\"]"},
    {.name = "wans",
     .kind = READER_MAP,
     READER_LIST(struct lab, wans, wan_count),
     .object = &wan_object},
    {.name = "shares",
     .kind = READER_MAP,
     READER_LIST(struct lab, shares, share_count),
     .each = &share_value,
     .each_size = sizeof(struct share),
     .max = 2},
    {.name = "events",
     .kind = READER_ARRAY,
     READER_LIST(struct lab, events, event_count),
     .object = &event_object},
    {.name = "ports",
     .kind = READER_CUSTOM,
     READER_AT(struct lab, ports),
     .custom = read_ports,
     .schema = "{\"type\": \"string\"}"},
    READER_END,
};
static const struct reader_object lab_object = {
    .name = "lab", READER_STRUCT(struct lab), .fields = lab_fields};

/* ---- reading it ---- */

struct run {
    struct arena *arena;
    struct lab lab;
    bool ok;
    char *printed; /* what diag_print() says */
};

static struct run read_text(const char *text, size_t length)
{
    struct run run = {.arena = arena_create(), .ok = false};
    /* The JSON and its text are gone before anything is looked at. */
    char *copy = malloc(length + 1);
    struct diag *d = diag_create("lab.json", copy, length);
    struct reader r = {.arena = run.arena, .diag = d};
    size_t size = 0;
    FILE *out = open_memstream(&run.printed, &size);
    json_t *json;

    assert_non_null(copy);
    assert_non_null(out);
    memcpy(copy, text, length);
    json = reader_load(d, copy, length);
    run.ok = json && reader_read(&r, &lab_object, json, "", &run.lab);
    json_decref(json);
    assert_true(run.ok == (diag_count(d, DIAG_ERROR) == 0));
    diag_print(d, out);
    fclose(out);
    diag_destroy(d);
    free(copy);
    return run;
}

static void run_end(struct run *run)
{
    arena_destroy(run->arena);
    free(run->printed);
}

static void assert_says(const char *text, const char *message)
{
    struct run run = read_text(text, strlen(text));

    if (strcmp(run.printed, message) != 0)
        fail_msg("%s\nsays:     %sexpected: %s", text, run.printed, message);
    run_end(&run);
}

static void every_kind_is_stored_where_its_field_says(void **state)
{
    static const char text[] =
        "{\"version\": 1.0, \"name\": \"caf\\u00e9\", \"strict\": false, \"offset\": -5,"
        " \"jain\": 1, \"lan\": \"192.168.0.0/16\", \"interface\": \"192.168.10.1/24\","
        " \"network\": \"2001:db8::5/32\", \"hash\": {\"policy\": \"l3-inner\"},"
        " \"uplink\": {\"address\": \"2001:db8::1\", \"check_gateway\": \"arp\"},"
        " \"gateways\": [{\"address\": \"192.0.2.1\", \"weight\": 256},"
        "               {\"address\": \"192.0.2.2\"}],"
        " \"comments\": [\"a\", \"\", \"b\"],"
        " \"wans\": {\"wan/1\": {\"down\": \"300M\", \"up\": \"1.5M\", \"delay\": "
        "\"1.5s\"},"
        "            \"wan2\": {\"down\": \"1G\"}},"
        " \"shares\": {\"wan2\": 40}, \"ports\": \"80-90\","
        " \"events\": [{\"kind\": \"loss\", \"share\": 0.25, \"at\": \"1m\"},"
        "             {\"at\": \"0s\", \"wan\": \"wan2\", \"kind\": \"link-down\"}]}";
    struct run run = read_text(text, sizeof text - 1);
    const struct lab *lab = &run.lab;
    char buf[PREFIX_TEXT_MAX];

    (void)state;
    assert_string_equal(run.printed, "");
    assert_true(run.ok);
    assert_int_equal(lab->version, 1);
    assert_string_equal(lab->name, "caf\xc3\xa9");
    assert_false(lab->strict);
    assert_int_equal(lab->offset, -5);
    assert_true(fabs(lab->jain - 1.0) < 1e-12);
    assert_string_equal(prefix_format(&lab->lan, buf), "192.168.0.0/16");
    assert_string_equal(prefix_format(&lab->interface, buf), "192.168.10.1/24");
    assert_string_equal(prefix_format(&lab->network, buf), "2001:db8::/32");
    assert_int_equal(lab->hash.policy, 2);
    assert_string_equal(lab->hash.pointer, "/hash");
    assert_string_equal(addr_format(&lab->uplink->address, buf), "2001:db8::1");
    assert_int_equal(lab->uplink->check, 3);
    assert_string_equal(lab->uplink->pointer, "/uplink");
    assert_int_equal(lab->gateway_count, 2);
    assert_int_equal(lab->gateways[0].weight, 256);
    assert_string_equal(addr_format(&lab->gateways[1].address, buf), "192.0.2.2");
    assert_string_equal(lab->gateways[1].pointer, "/gateways/1");
    assert_int_equal(lab->comment_count, 3);
    assert_string_equal(lab->comments[2], "b");
    assert_int_equal(lab->wan_count, 2);
    assert_string_equal(lab->wans[0].name, "wan/1");
    assert_string_equal(lab->wans[0].pointer, "/wans/wan~11");
    assert_true(lab->wans[0].down_bps == UINT64_C(300000000));
    assert_true(lab->wans[0].up_bps == UINT64_C(1500000));
    assert_true(lab->wans[0].delay_ns == INT64_C(1500000000));
    assert_int_equal(lab->share_count, 1);
    assert_string_equal(lab->shares[0].name, "wan2");
    assert_int_equal(lab->shares[0].percent, 40);
    assert_int_equal(lab->event_count, 2);
    assert_int_equal(lab->events[0].kind, EVENT_LOSS);
    assert_true(fabs(lab->events[0].share - 0.25) < 1e-12);
    assert_int_equal(lab->events[1].kind, EVENT_LINK_DOWN);
    assert_string_equal(lab->events[1].wan, "wan2");
    assert_int_equal(lab->ports[1], 90);
    run_end(&run);
}

static void an_absent_key_gets_its_default_and_is_not_given(void **state)
{
    static const char text[] =
        "{\"version\": 1, \"gateways\": [{\"address\": \"192.0.2.1\"},"
        " {\"address\": \"192.0.2.2\", \"weight\": 1}],"
        " \"wans\": {\"a\": {\"down\": \"1M\"}}}";
    struct run run = read_text(text, sizeof text - 1);

    (void)state;
    assert_true(run.ok);
    assert_string_equal(run.lab.name, "unnamed");
    assert_true(run.lab.strict);
    assert_true(fabs(run.lab.jain - 0.5) < 1e-12);
    assert_int_equal(run.lab.offset, 0);
    assert_int_equal(run.lab.comment_count, 1);
    assert_string_equal(run.lab.comments[0], "as built");
    assert_int_equal(run.lab.gateways[0].check, 0);
    assert_int_equal(run.lab.gateways[0].weight, 1);
    assert_false(run.lab.gateways[0].weight_given);
    assert_true(run.lab.gateways[1].weight_given);
    assert_true(run.lab.wans[0].delay_ns == INT64_C(5000000));
    assert_null(run.lab.uplink);
    assert_null(run.lab.events);
    /* an absent object inside the struct has its own members' defaults */
    assert_int_equal(run.lab.hash.policy, 1);
    assert_false(run.lab.hash.seed_given);
    assert_string_equal(run.lab.hash.pointer, "/hash");
    run_end(&run);
}

/* One mistake a row; the message is to stand where the @ is, which is not read. */
static void a_mistake_is_told_with_its_place_and_what_was_expected(void **state)
{
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"\"name\": @5", "/name: expected a string, got a number"},
        {"\"name\": @null", "/name: expected a string, got null"},
        {"\"name\": @\"a\\u0000b\"",
         "/name: a string must not hold the character U+0000"},
        {"\"strict\": @1", "/strict: expected true or false, got a number"},
        {"\"strict\": @\"yes\"", "/strict: expected true or false, got a string"},
        {"\"offset\": @true", "/offset: expected a whole number, got true"},
        {"\"offset\": @-1.5", "/offset: expected a whole number, got -1.5"},
        {"\"offset\": @1e300", "/offset: expected a whole number, got 1e+300"},
        {"\"offset\": @-6", "/offset: must be from -5 to 0, got -6"},
        {"\"offset\": @9223372036854775807",
         "/offset: must be from -5 to 0, got 9223372036854775807"},
        {"\"hash\": {\"seed\": @-1}", "/hash/seed: must be at least 0, got -1"},
        {"\"jain\": @1.5", "/jain: must be from 0 to 1, got 1.5"},
        {"\"jain\": @\"1\"", "/jain: expected a number, got a string"},
        {"\"lan\": @\"192.168.10.1/24\"",
         "/lan: bits are set behind the prefix length, expected \"192.168.10.0/24\""},
        {"\"lan\": @\"lan\"", "/lan: expected a prefix such as \"192.0.2.0/24\" or "
                              "\"2001:db8::/32\", got \"lan\""},
        {"\"lan\": @10",
         "/lan: expected a string such as \"192.0.2.0/24\", got a number"},
        {"\"hash\": @[]", "/hash: expected an object, got an array"},
        {"\"hash\": {\"policy\": @\"l5\"}",
         "/hash/policy: unknown value \"l5\"; did you mean 'l3'?"},
        {"\"hash\": {\"policy\": @\"flow\"}",
         "/hash/policy: expected one of 'l3', 'l4', 'l3-inner', got \"flow\""},
        {"\"hash\": {\"policy\": @4}",
         "/hash/policy: expected one of 'l3', 'l4', 'l3-inner', got a number"},
        {"\"hash\": {@\"polcy\": \"l4\"}",
         "/hash/polcy: unknown key; did you mean 'policy'?"},
        {"\"hash\": {@\"l4\": true}",
         "/hash/l4: unknown key; known are 'policy', 'seed'"},
        {"\"uplink\": @{}", "/uplink: missing key 'address'"},
        {"\"uplink\": {\"address\": @\"router\"}",
         "/uplink/address: expected an address such as \"192.0.2.1\" or \"2001:db8::1\", "
         "got \"router\""},
        {"\"gateways\": @{}", "/gateways: expected an array, got an object"},
        {"\"gateways\": @[]", "/gateways: must have from 1 to 3 elements, got 0"},
        {"\"gateways\": [@7]", "/gateways/0: expected an object, got a number"},
        {"\"comments\": [\"a\", @1]", "/comments/1: expected a string, got a number"},
        {"\"wans\": @[]", "/wans: expected an object, got an array"},
        {"\"wans\": {\"\": @{\"down\": \"1M\"}}", "/wans/: a name must not be empty"},
        {"\"wans\": {\"a\": {\"down\": @\"1m\"}}",
         "/wans/a/down: expected a rate in bit/s such as \"100M\", got \"1m\""},
        {"\"wans\": {\"a\": {\"down\": @\"10\"}}",
         "/wans/a/down: must be at least 1k, got \"10\""},
        {"\"wans\": {\"a\": {\"down\": @\"18446744073709551615\"}}",
         "/wans/a/down: expected a rate in bit/s such as \"100M\", got "
         "\"18446744073709551615\""},
        {"\"wans\": {\"a\": {\"down\": \"1M\", \"delay\": @5}}",
         "/wans/a/delay: expected a string such as \"90s\", got a number"},
        {"\"wans\": {\"a\": {\"down\": \"1M\", \"delay\": @\"5\"}}",
         "/wans/a/delay: expected a duration such as \"90s\", got \"5\""},
        {"\"wans\": {\"a\": {\"down\": \"1M\", \"delay\": @\"11s\"}}",
         "/wans/a/delay: must be at most 10s, got \"11s\""},
        {"\"wans\": {\"a/~\": {\"down\": \"1M\", \"up\": @\"2M\"}}",
         "/wans/a~1~0/up: must not exceed down"},
        {"\"shares\": @{\"a\": 1, \"b\": 2, \"c\": 3}",
         "/shares: must have at most 2 members, got 3"},
        {"\"shares\": {\"a\": @101}", "/shares/a: must be from 0 to 100, got 101"},
        {"\"ports\": @80", "/ports: expected ports such as \"80-90\""},
        {"\"ports\": @\"80-90\\u0000\"",
         "/ports: a string must not hold the character U+0000"},
        {"\"events\": [@{\"at\": \"1s\"}]", "/events/0: missing key 'kind'"},
        {"\"events\": [{\"at\": \"1s\", \"kind\": @\"los\", \"share\": 1}]",
         "/events/0/kind: unknown value \"los\"; did you mean 'loss'?"},
        {"\"events\": [{\"at\": \"1s\", \"kind\": \"loss\", \"share\": @0}]",
         "/events/0/share: must be above 0 and at most 1, got 0"},
        {"\"events\": [{\"at\": \"1s\", \"kind\": \"loss\", \"share\": 1, @\"wan\": "
         "\"a\"}]",
         "/events/0/wan: no key of kind 'loss'; it belongs to 'link-down'"},
        {"\"events\": [{\"at\": \"1s\", \"kind\": \"link-down\", \"wan\": @\"\"}]",
         "/events/0/wan: must have from 1 to 15 characters, got 0"},
        {"\"events\": [@{\"at\": \"1s\", \"kind\": \"link-down\"}]",
         "/events/0: missing key 'wan'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *json = rows[i].json, *mark = strchr(json, '@');
        char text[256], says[256];
        int column = 1 + snprintf(text, sizeof text, "{\"version\": 1, %.*s",
                                  (int)(mark - json), json);

        snprintf(text, sizeof text, "{\"version\": 1, %.*s%s}", (int)(mark - json), json,
                 mark + 1);
        snprintf(says, sizeof says, "lab.json:1:%d: error: %s\n", column, rows[i].says);
        assert_says(text, says);
    }
}

static void all_mistakes_of_a_file_come_in_one_run_in_its_order(void **state)
{
    (void)state;
    assert_says(
        "{\"wans\": {\"wan1\": {\"dwon\": \"1M\"}},\n"
        " \"gateways\": [{\"address\": 1}, {\"weight\": 0}],\n"
        " \"version\": 2}\n",
        "lab.json:1:19: error: /wans/wan1: missing key 'down'\n"
        "lab.json:1:20: error: /wans/wan1/dwon: unknown key; did you mean 'down'?\n"
        "lab.json:2:27: error: /gateways/0/address: expected a string such as "
        "\"192.0.2.1\", got a number\n"
        "lab.json:2:31: error: /gateways/1: missing key 'address'\n"
        "lab.json:2:42: error: /gateways/1/weight: must be from 1 to 256, got 0\n"
        "lab.json:3:13: error: /version: must be exactly 1, got 2\n");
}

static void what_is_no_json_is_told_in_the_same_form(void **state)
{
    static const struct {
        const char *text, *starts;
    } rows[] = {
        {"", "lab.json:1:1: error: "},
        {"{\"version\": 1,\n \"name\": }", "lab.json:2:10: error: "},
        {"{\"version\": 1} x", "lab.json:1:16: error: "},
        {"{\"version\": 1, \"version\": 1}",
         "lab.json:1:24: error: duplicate object key"},
        {"{\"name\": \"\xff\"}", "lab.json:1:"},
        {"{\"a\\u0000b\": 1}", "lab.json:1:"},
        {"{\"version\": 99999999999999999999}", "lab.json:1:32: error: "},
        {"{\"version\": 1e999}", "lab.json:1:17: error: "},
        {"[1]", "lab.json:1:1: error: expected an object, got an array\n"},
        {" 5", "lab.json:1:2: error: expected an object, got a number\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = read_text(rows[i].text, strlen(rows[i].text));

        if (run.ok || strncmp(run.printed, rows[i].starts, strlen(rows[i].starts)) != 0)
            fail_msg("%s: %s", rows[i].text, run.printed);
        run_end(&run);
    }
}

/* `count` copies of `part` between `head` and `tail`; the caller frees it. */
static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
    size_t length = strlen(part);
    char *text = malloc(strlen(head) + count * length + strlen(tail) + 1);
    char *at = text;

    assert_non_null(text);
    at = stpcpy(at, head);
    for (size_t i = 0; i < count; i++, at += length)
        memcpy(at, part, length);
    strcpy(at, tail);
    return text;
}

static void hostile_files_are_refused_in_bounded_time_and_words(void **state)
{
    static const struct {
        const char *what, *head, *part, *tail, *says;
        size_t count;
    } rows[] = {
        {"deep nesting", "{\"version\": ", "[", "", "maximum parsing depth", 100000},
        {"a long key", "{\"version\": 1, \"", "k", "\": 1}", "unknown key; known are",
         1000000},
        {"a long map key", "{\"version\": 1, \"shares\": {\"", "k", "\": 1}}",
         "a name must have at most 255 bytes", 1000000},
        {"a long string", "{\"version\": 1, \"lan\": \"", "\xc3\xa9", "\"}",
         "\xc3\xa9...\"", 1000000},
        {"many mistakes", "{\"version\": 1, \"comments\": [1", ",1", "]}",
         "and 99901 more errors", 100000},
        {"many bad names", "{\"version\": 1, \"events\": [{}",
         ",\n{\"kind\":\"link-dow\",\"share\":1,\"at\":\"1s\",\"x\":1}", "]}",
         "and 199902 more errors", 100000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = repeat(rows[i].head, rows[i].part, rows[i].count, rows[i].tail);
        struct run run = read_text(text, strlen(text));

        if (run.ok || !strstr(run.printed, rows[i].says) || strlen(run.printed) > 100000)
            fail_msg("%s: %.300s", rows[i].what, run.printed);
        run_end(&run);
        free(text);
    }
}

/* Every cut of a good file, and every byte of it changed: no crash, and an error is told
 * exactly when reading fails (read_text() asserts that). */
static void damaged_files_never_pass_silently(void **state)
{
    static const char good[] =
        "{\"version\": 1, \"hash\": {\"policy\": \"l3\"}, \"shares\": {\"a\": 4},"
        " \"uplink\": {\"address\": \"192.0.2.1\"}, \"lan\": \"10.0.0.0/8\","
        " \"wans\": {\"a\": {\"down\": \"3M\", \"delay\": \"1s\"}}, \"comments\": "
        "[\"c\"],"
        " \"events\": [{\"kind\": \"loss\", \"share\": 0.25, \"at\": \"1m\"}]}";
    static const char bytes[] = "\"\\{}[],:0-e~/ \xff";
    struct run run = read_text(good, sizeof good - 1);

    (void)state;
    assert_true(run.ok);
    run_end(&run);
    for (size_t i = 0; i < sizeof good - 1; i++) {
        run = read_text(good, i);
        assert_false(run.ok);
        run_end(&run);
        for (size_t j = 0; j < sizeof bytes; j++) {
            char bad[sizeof good];

            memcpy(bad, good, sizeof good);
            bad[i] = bytes[j];
            run = read_text(bad, sizeof good - 1);
            run_end(&run);
        }
    }
}

static void part_of_a_document_is_read_under_its_own_pointer(void **state)
{
    static const char text[] = "{\"router\": {\"up/link\": {\"address\": 5}}}";
    struct arena *arena = arena_create();
    struct diag *d = diag_create("x", text, sizeof text - 1);
    struct reader r = {.arena = arena, .diag = d};
    json_t *json = reader_load(d, text, sizeof text - 1);
    json_t *part = json_object_get(json_object_get(json, "router"), "up/link");
    struct gateway gateway = {.weight = 0};
    size_t count;

    (void)state;
    assert_false(reader_read(&r, &gateway_object, part, "/router/up~1link", &gateway));
    assert_string_equal(diag_messages(d, &count)->pointer, "/router/up~1link/address");
    assert_int_equal(diag_messages(d, &count)->column, 36);
    assert_int_equal(gateway.weight, 1);
    json_decref(json);
    diag_destroy(d);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_stored_where_its_field_says),
        cmocka_unit_test(an_absent_key_gets_its_default_and_is_not_given),
        cmocka_unit_test(a_mistake_is_told_with_its_place_and_what_was_expected),
        cmocka_unit_test(all_mistakes_of_a_file_come_in_one_run_in_its_order),
        cmocka_unit_test(what_is_no_json_is_told_in_the_same_form),
        cmocka_unit_test(hostile_files_are_refused_in_bounded_time_and_words),
        cmocka_unit_test(damaged_files_never_pass_silently),
        cmocka_unit_test(part_of_a_document_is_read_under_its_own_pointer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
