/*
 * Hosts that the router watches, as RouterOS's netwatch and dpinger do; what the router's
 * scripts would do with the verdict is written down as routes. See netwatch.h.
 *
 * Sources: RouterOS manual, /tool/netwatch, with its defaults; dpinger's defaults as pfSense
 * has them (type loss).
 */
#include "core/memory.h"
#include "sim/input/scenario_parts.h"

const char *const watch_type_names[WATCH_TYPES] = {
    [WATCH_SIMPLE] = "simple",
    [WATCH_ICMP] = "icmp",
    [WATCH_LOSS] = "loss",
};

enum { PACKETS_MAX = 1000 };

static const struct reader_field place_field = {
    .kind = READER_CUSTOM,
    .size = sizeof(struct place_text),
    .custom = scenario_read_place,
    .schema = SCENARIO_PLACE_SCHEMA,
};

/* clang-format off */
static const struct reader_field watch_fields[] = {
    {.name = "name", .kind = READER_STRING, READER_AT(struct watch_text, watch.name),
     .min = 1, .max = 64, .doc = "what the result calls it"},
    {.name = "host", .kind = READER_ADDR, READER_AT(struct watch_text, watch.host),
     .required = true, .doc = "who is watched"},
    {.name = "src_address", .kind = READER_ADDR, READER_AT(struct watch_text, watch.source),
     .doc = "the source of its packets, for the routing rules; down without that address"},
    {.name = "interface", .kind = READER_STRING, READER_AT(struct watch_text, interface),
     .doc = "by which its packets leave; as routing says when left out"},
    {.name = "type", .kind = READER_ENUM, READER_AT(struct watch_text, watch.type),
     READER_NAMES(watch_type_names), .by_default = "simple",
     .doc = "one packet a test, several, or a running window of them"},
    {.name = "interval", .kind = READER_DURATION,
     READER_AT(struct watch_text, watch.interval_ns), .by_default = "10s",
     .min = 10000000, .max = SCENARIO_DURATION_MAX, .doc = "between tests"},
    {.name = "timeout", .kind = READER_DURATION,
     READER_AT(struct watch_text, watch.timeout_ns), READER_GIVEN(struct watch_text, timeout_given),
     .above_min = true, .max = SCENARIO_DURATION_MAX,
     .doc = "of a packet; 3s, type loss 2s when left out"},
    {.name = "packet_count", .kind = READER_INT,
     READER_AT(struct watch_text, watch.packet_count),
     READER_GIVEN(struct watch_text, count_given), .min = 1, .max = PACKETS_MAX,
     .doc = "types icmp, loss: in a test; 10, 120 when left out"},
    {.name = "packet_interval", .kind = READER_DURATION,
     READER_AT(struct watch_text, watch.packet_interval_ns),
     READER_GIVEN(struct watch_text, packet_interval_given), .min = 1000000,
     .max = SCENARIO_DURATION_MAX,
     .doc = "types icmp, loss: between packets; 50ms, 500ms when left out"},
    {.name = "thr_loss_percent", .kind = READER_INT,
     READER_AT(struct watch_text, watch.loss_percent),
     READER_GIVEN(struct watch_text, loss_given), .min = 1, .max = 100,
     .doc = "types icmp, loss: a test fails with so many lost; 85, 20 when left out"},
    {.name = "thr_avg", .kind = READER_DURATION, READER_AT(struct watch_text, watch.mean_ns),
     READER_GIVEN(struct watch_text, mean_given), .max = SCENARIO_DURATION_MAX,
     .doc = "types icmp, loss: or with a longer mean round trip; 100ms, 500ms when left out"},
    {.name = "thr_max", .kind = READER_DURATION,
     READER_AT(struct watch_text, watch.longest_ns),
     READER_GIVEN(struct watch_text, longest_given), .max = SCENARIO_DURATION_MAX,
     .doc = "type icmp: or with a longer one among them; 1s when left out"},
    {.name = "down_after", .kind = READER_INT,
     READER_AT(struct watch_text, watch.down_after), .by_default = "1", .min = 1, .max = 1000,
     .doc = "tests failed in a row that make it down"},
    {.name = "up_after", .kind = READER_INT, READER_AT(struct watch_text, watch.up_after),
     .by_default = "1", .min = 1, .max = 1000,
     .doc = "tests passed in a row that make it up again"},
    {.name = "hold_down", .kind = READER_DURATION,
     READER_AT(struct watch_text, watch.hold_down_ns), .by_default = "0s",
     .max = SCENARIO_DURATION_MAX, .doc = "the least time that it is down"},
    {.name = "routes", .kind = READER_ARRAY,
     READER_LIST(struct watch_text, routes, routes_len), .each = &place_field,
     .required = true, .min = 1, .max = SCENARIO_GATEWAYS_MAX,
     .doc = "disabled while it is down: comments, or indices in the router's routes"},
    READER_END,
};
/* clang-format on */

/* What only tests of several packets have. */
static bool check_type(const struct reader *r, const struct watch_text *t, const char *pointer)
{
    const struct {
        const char *key;
        bool given;
    } keys[] = {
        {"packet_count", t->count_given},   {"packet_interval", t->packet_interval_given},
        {"thr_loss_percent", t->loss_given}, {"thr_avg", t->mean_given},
        {"thr_max", t->longest_given},
    };
    bool ok = true;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].given && t->watch.type == WATCH_SIMPLE)
            ok = diag_error_member(r->diag, pointer, keys[i].key,
                                   "no key of type 'simple', whose tests are one packet");
    if (t->longest_given && t->watch.type == WATCH_LOSS)
        ok = diag_error_member(r->diag, pointer, "thr_max", "only of type 'icmp'");
    return ok;
}

static void set_defaults(struct watch_text *t)
{
    struct scenario_watch *w = &t->watch;
    const bool window = w->type == WATCH_LOSS, simple = w->type == WATCH_SIMPLE;

    if (!t->timeout_given)
        w->timeout_ns = window ? 2000000000 : 3000000000;
    if (!t->count_given)
        w->packet_count = simple ? 1 : window ? 120 : 10;
    if (!t->packet_interval_given)
        w->packet_interval_ns = window ? 500000000 : 50000000;
    if (!t->loss_given)
        w->loss_percent = simple ? 100 : window ? 20 : 85;
    if (!t->mean_given)
        w->mean_ns = simple ? INT64_MAX : window ? 500000000 : 100000000;
    if (!t->longest_given)
        w->longest_ns = w->type == WATCH_ICMP ? 1000000000 : INT64_MAX;
}

static bool check_watch(const struct reader *r, void *object, const char *pointer)
{
    struct watch_text *t = object;
    const struct scenario_watch *w = &t->watch;

    if (!check_type(r, t, pointer))
        return false;
    set_defaults(t);
    if (addr_is_set(&w->source) && w->source.family != w->host.family)
        return diag_error_member(r->diag, pointer, "src_address", "not of the host's family");
    if (w->type != WATCH_LOSS &&
        (w->interval_ns - w->timeout_ns < 0 ||
         (int64_t)(w->packet_count - 1) >
             (w->interval_ns - w->timeout_ns) / w->packet_interval_ns))
        return diag_error_member(r->diag, pointer, "interval",
                                 "shorter than a test: its packets and the last one's timeout");
    t->ok = true;
    return true;
}

const struct reader_object watch_object = {
    .name = "watch",
    .doc = "a host that the router watches",
    READER_STRUCT(struct watch_text),
    .fields = watch_fields,
    .pointer = READER_OFFSET(struct watch_text, watch.pointer),
    .check = check_watch,
};

static void watch_build(struct scenario_reading *s, const struct watch_text *t,
                        const struct scenario_targets *targets, struct scenario_watch *w)
{
    unsigned *routes = arena_alloc(s->reader.arena, t->routes_len, sizeof *routes);
    char pointer[SCENARIO_POINTER_MAX], key[24];

    *w = t->watch;
    w->iface = scenario_name_find(s, &s->ifaces, t->interface, w->pointer, "interface");
    snprintf(pointer, sizeof pointer, "%s/routes", w->pointer);
    for (size_t i = 0; i < t->routes_len; i++) {
        size_t index = 0;

        snprintf(key, sizeof key, "%zu", i);
        scenario_place_find(s, targets, &t->routes[i], pointer, key, &index);
        routes[i] = (unsigned)index;
    }
    w->routes = routes;
    w->routes_len = t->routes_len;
}

void scenario_watches_build(struct scenario_reading *s, const struct watch_text *texts,
                            size_t len, size_t routes_of_file)
{
    const struct scenario_targets targets = scenario_route_targets(s, routes_of_file);
    struct scenario_watch *watches = arena_alloc(s->reader.arena, len, sizeof *watches);

    for (size_t i = 0; i < len; i++)
        if (texts[i].ok)
            watch_build(s, &texts[i], &targets, &watches[i]);
    s->scenario->watches = watches;
    s->scenario->watches_len = len;
}
