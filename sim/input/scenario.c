/* The scenario's file, its top level, and the order of the work. */
#include "sim/input/scenario.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/random.h"
#include "core/siphash.h"
#include "sim/input/scenario_parts.h"
#include "sim/input/schema.h"
#include "sim/traffic/flowlist.h"

enum { FILE_SIZE_MAX = 16 << 20 };

/* ---- the top level ---- */

struct report_text {
    int64_t interval_ns;
};

struct scenario_text {
    uint8_t version;
    const char *name, *about;
    uint64_t seed;
    int64_t duration_ns;
    struct report_text report;
    struct router_text router;
    struct wan_text *wans;
    struct prefix *lan;
    struct host_text *hosts;
    struct traffic_text *traffic;
    struct event_text *events;
    struct expect_text *expects;
    size_t wans_len, lan_len, hosts_len, traffic_len, events_len, expects_len;
};

static const struct reader_field lan_field = {
    .kind = READER_PREFIX, .size = sizeof(struct prefix), .length_needed = true};

/* clang-format off */
static const struct reader_field report_fields[] = {
    {.name = "interval", .kind = READER_DURATION,
     READER_AT(struct report_text, interval_ns),
     .min = 1000000, .max = SCENARIO_DURATION_MAX,
     .doc = "of the series; chosen by the length of the run when left out"},
    READER_END,
};

static const struct reader_object report_object = {
    .name = "report", .doc = "how the result is cut", READER_STRUCT(struct report_text),
    .fields = report_fields,
};

static const struct reader_field scenario_fields[] = {
    {.name = "version", .kind = READER_INT, READER_AT(struct scenario_text, version),
     .required = true, .min = 1, .max = 1, .doc = "of this format: 1"},
    {.name = "name", .kind = READER_STRING, READER_AT(struct scenario_text, name),
     .required = true, .min = 1, .max = 200, .doc = "one line"},
    {.name = "about", .kind = READER_STRING, READER_AT(struct scenario_text, about),
     .doc = "the question, and why the answer is so"},
    {.name = "seed", .kind = READER_INT, READER_AT(struct scenario_text, seed),
     .by_default = "1", .doc = "of everything that is drawn by chance"},
    {.name = "router", .kind = READER_OBJECT, READER_AT(struct scenario_text, router),
     .object = &router_object, .required = true,
     .doc = "the router and its configuration"},
    {.name = "wans", .kind = READER_MAP,
     READER_LIST(struct scenario_text, wans, wans_len),
     .object = &wan_object, .max = SCENARIO_IFACES_MAX,
     .doc = "by the name of their interface: the links behind them"},
    {.name = "lan", .kind = READER_ARRAY, READER_LIST(struct scenario_text, lan, lan_len),
     .each = &lan_field, .max = SCENARIO_LIST_MAX,
     .doc = "whose addresses are inside"},
    {.name = "hosts", .kind = READER_MAP,
     READER_LIST(struct scenario_text, hosts, hosts_len),
     .object = &host_object, .max = SCENARIO_LIST_MAX,
     .doc = "by a name of your choice: hosts that the result tells about"},
    {.name = "traffic", .kind = READER_ARRAY,
     READER_LIST(struct scenario_text, traffic, traffic_len), .object = &traffic_object,
     .max = SCENARIO_GATEWAYS_MAX, .doc = "where packets come from, merged by time"},
    {.name = "events", .kind = READER_ARRAY,
     READER_LIST(struct scenario_text, events, events_len), .object = &event_object,
     .max = SCENARIO_LIST_MAX, .doc = "what happens during the run"},
    {.name = "expect", .kind = READER_ARRAY,
     READER_LIST(struct scenario_text, expects, expects_len), .object = &expect_object,
     .max = SCENARIO_LIST_MAX, .doc = "what the result must show"},
    {.name = "duration", .kind = READER_DURATION,
     READER_AT(struct scenario_text, duration_ns), .above_min = true,
     .max = SCENARIO_DURATION_MAX,
     .doc = "of the run; it ends with the traffic when left out"},
    {.name = "report", .kind = READER_OBJECT, READER_AT(struct scenario_text, report),
     .object = &report_object, .doc = "how the result is cut"},
    READER_END,
};
/* clang-format on */

static const struct reader_object scenario_object = {
    .name = "scenario",
    .doc = "a router, its WANs, the traffic, what fails, what is expected",
    READER_STRUCT(struct scenario_text),
    .fields = scenario_fields,
};

json_t *scenario_schema(void)
{
    return schema_of(&scenario_object, "ecmplab scenario");
}

/* ---- the file ---- */

struct file_text {
    char *bytes;
    size_t len, capacity;
};

static bool read_all(FILE *file, struct file_text *t)
{
    size_t got;

    do {
        t->bytes = mem_grow(t->bytes, &t->capacity, t->len + 65536, 1);
        got = fread(t->bytes + t->len, 1, t->capacity - t->len, file);
        t->len += got;
    } while (got > 0 && t->len <= FILE_SIZE_MAX);
    return !ferror(file);
}

/* False after telling the diag. `t` is to be freed in either case. */
static bool file_read(const char *path, struct diag *d, struct file_text *t)
{
    FILE *file = fopen(path, "rb");
    bool ok = false;

    if (!file)
        return diag_error_file(d, NULL, "cannot be opened: %s", strerror(errno));
    if (!read_all(file, t))
        diag_error_file(d, NULL, "cannot be read: %s", strerror(errno));
    else if (t->len > FILE_SIZE_MAX)
        diag_error(d, NULL, "larger than a scenario may be, %d MiB", FILE_SIZE_MAX >> 20);
    else
        ok = true;
    fclose(file);
    return ok;
}

static uint64_t mix(uint64_t print, uint64_t more)
{
    struct random_stream stream = random_stream_make(print, more);

    return random_next(&stream);
}

static uint64_t text_print(const char *text, size_t length)
{
    const uint64_t key[2] = {0x65636d706c616221, 0x7363656e6172696f};

    return siphash_2_4(key, text, length);
}

/* One number for the file's text and everything that the command line changes. */
static uint64_t fingerprint_of(const struct file_text *t,
                               const struct scenario_changes *c)
{
    uint64_t print = text_print(t->bytes, t->len);

    if (c->has_seed)
        print = mix(mix(print, 'n'), c->seed);
    for (size_t i = 0; i < c->set_len; i++)
        print = mix(mix(print, 's'), text_print(c->set[i], strlen(c->set[i])));
    if (c->pcap)
        print = mix(mix(print, 'p'), text_print(c->pcap, strlen(c->pcap)));
    return print;
}

/* ---- building ---- */

/* Does the router's JSON hold a list under `key` that could not be read at all? */
static bool list_failed(const json_t *root, const char *key, size_t len)
{
    const json_t *list = json_object_get(json_object_get(root, "router"), key);

    return list && (!json_is_array(list) || json_array_size(list) != len);
}

/* The routes of the file, then those that events add. */
static struct route_text **all_routes(struct scenario_reading *s, struct scenario_text *t,
                                      size_t *len)
{
    struct route_text **all =
        arena_alloc(s->reader.arena, t->router.routes_len + t->events_len, sizeof *all);

    *len = 0;
    for (size_t i = 0; i < t->router.routes_len; i++)
        all[(*len)++] = &t->router.routes[i];
    for (size_t i = 0; i < t->events_len; i++)
        if (t->events[i].route)
            all[(*len)++] = t->events[i].route;
    return all;
}

static struct rule_text **all_rules(struct scenario_reading *s, struct scenario_text *t,
                                    size_t *len)
{
    struct rule_text **all =
        arena_alloc(s->reader.arena, t->router.rules_len + t->events_len, sizeof *all);

    *len = 0;
    for (size_t i = 0; i < t->router.rules_len; i++)
        all[(*len)++] = &t->router.rules[i];
    for (size_t i = 0; i < t->events_len; i++)
        if (t->events[i].rule)
            all[(*len)++] = t->events[i].rule;
    return all;
}

static void top_build(struct scenario_reading *s, const struct scenario_text *t)
{
    struct scenario *scenario = s->scenario;

    scenario->name = t->name;
    scenario->about = t->about;
    scenario->seed = s->changes->has_seed ? s->changes->seed : t->seed;
    scenario->lan = t->lan;
    scenario->lan_len = t->lan_len;
    scenario->series_interval_ns = t->report.interval_ns;
    scenario->duration_ns = t->duration_ns;
}

static void build(struct scenario_reading *s, struct scenario_text *t, const json_t *root)
{
    size_t routes_len, rules_len;
    struct route_text **routes = all_routes(s, t, &routes_len);
    struct rule_text **rules = all_rules(s, t, &rules_len);

    scenario_expects_build(s, t->expects, t->expects_len);
    top_build(s, t);
    scenario_router_build(s, &t->router,
                          list_failed(root, "tables", t->router.tables_len));
    scenario_policies_build(s, &t->router.policy, routes, routes_len);
    scenario_routes_build(s, routes, routes_len, t->router.routes_len);
    scenario_rules_build(s, rules, rules_len, t->router.rules_len);
    scenario_nat_build(s, t->router.nat, t->router.nat_len);
    scenario_wans_build(s, t->wans, t->wans_len);
    scenario_hosts_build(s, t->hosts, t->hosts_len);
    scenario_traffic_build(s, t->traffic, t->traffic_len);
    scenario_watches_build(s, t->router.watches, t->router.watches_len, t->router.routes_len);
    scenario_events_expand(s, &t->events, &t->events_len);
    scenario_events_build(s, t->events, t->events_len, t->router.routes_len,
                          t->router.rules_len);
    scenario_policies_judge(s);
    scenario_traffic_judge(s);
    scenario_routes_judge(s, t->router.routes_len);
}

static void read_json(struct scenario_reading *s, json_t *root)
{
    struct scenario_text *t = arena_alloc(s->reader.arena, 1, sizeof *t);

    if (!json_is_object(root)) {
        diag_error(s->reader.diag, "", "expected an object, the scenario");
        return;
    }
    scenario_apply_changes(s, root);
    s->platform = scenario_platform_of(root);
    config_set_defaults(&t->router.config, s->platform == PLATFORM_LINUX
                                               ? PLATFORM_LINUX
                                               : PLATFORM_ROUTEROS7);
    scenario_platform_check(s, root);
    reader_read(&s->reader, &scenario_object, root, "", t);
    build(s, t, root);
}

/* ---- from outside ---- */

struct scenario *scenario_read(const char *path, const struct scenario_changes *changes,
                               struct diag *d)
{
    static const struct scenario_changes none = {.set = NULL};
    struct file_text text = {NULL, 0, 0};
    struct scenario_reading s = {.changes = changes ? changes : &none};
    struct arena *arena = arena_create();
    json_t *root = NULL;

    s.reader = (struct reader){.arena = arena, .diag = d, .context = &s};
    s.scenario = arena_alloc(arena, 1, sizeof *s.scenario);
    s.scenario->arena = arena;
    s.scenario->path = arena_strdup(arena, path);
    if (file_read(path, d, &text)) {
        diag_set_text(d, text.bytes, text.len);
        s.scenario->fingerprint = fingerprint_of(&text, s.changes);
        root = reader_load(d, text.bytes, text.len);
    }
    if (root)
        read_json(&s, root);
    json_decref(root);
    mem_free(text.bytes);
    if (root && diag_count(d, DIAG_ERROR) == 0)
        return s.scenario;
    scenario_free(s.scenario);
    return NULL;
}

void scenario_free(struct scenario *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->expect_len; i++)
        json_decref(s->expect[i].equals);
    for (size_t i = 0; i < s->traffic_len; i++) {
        addrmap_destroy(s->traffic[i].map);
        flowlist_free(s->traffic[i].flows);
    }
    arena_destroy(s->arena);
}
