/* Where packets come from: the kinds of traffic; captures and flow lists. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/policy.h"
#include "sim/input/capture.h"
#include "sim/input/jsonplace.h"
#include "sim/input/scenario_traffic.h"
#include "sim/users/profile.h"
#include "sim/traffic/flowlist.h"

const char *const traffic_kind_names[TRAFFIC_KINDS] = {
    [TRAFFIC_PCAP] = "pcap",
    [TRAFFIC_SYNTHETIC] = "synthetic",
    [TRAFFIC_FLOWS] = "flows",
};

const char *const traffic_granularities[] = {
    [GRANULARITY_PACKET] = "packet",
    [GRANULARITY_FLOW] = "flow",
};

static const struct reader_field map_field = {
    .kind = READER_PREFIX,
    READER_AT(struct map_text, scenario),
};

static bool check_traffic(const struct reader *r, void *object, const char *pointer)
{
    struct traffic_text *t = object;

    if (t->users.given)
        t->traffic.kind = TRAFFIC_USERS;
    t->ok = true;
    if (t->traffic.kind == TRAFFIC_USERS)
        t->ok = users_check(r, &t->users, pointer);
    if (t->traffic.kind == TRAFFIC_SYNTHETIC)
        t->ok = synthetic_check(r, &t->synthetic, pointer);
    return t->ok;
}

/* clang-format off */
#define REPLAY_FIELDS(first)                                                             \
    {.name = "start", .kind = READER_DURATION,                                           \
     READER_AT(struct traffic_text, traffic.start_ns),                                   \
     .by_default = "0s", .max = SCENARIO_DURATION_MAX,                                   \
     .doc = "when its first " first " comes"},                                           \
    {.name = "speed", .kind = READER_NUMBER,                                             \
     READER_AT(struct traffic_text, traffic.speed),                                      \
     .by_default = "1", .lowest = 0.000001, .highest = 1000000,                          \
     .doc = "2 is twice as fast as recorded"},                                           \
    {.name = "map", .kind = READER_MAP, READER_LIST(struct traffic_text, map, map_len),  \
     .each = &map_field, .each_size = sizeof(struct map_text), .max = ADDRMAP_ENTRIES_MAX,\
     .doc = "captured addresses or prefixes to those of the scenario"},                  \
    {.name = "interface", .kind = READER_STRING,                                         \
     READER_AT(struct traffic_text, interface),                                          \
     .doc = "where its LAN packets enter; found by their source when left out"}

static const struct reader_field pcap_fields[] = {
    {.name = "file", .kind = READER_STRING, READER_AT(struct traffic_text, traffic.file),
     .required = true, .min = 1,
     .doc = "pcap or pcapng, also .gz or .zst; relative to the"
                                        " scenario's folder"},
    {.name = "filter", .kind = READER_STRING,
     READER_AT(struct traffic_text, traffic.filter),
     .doc = "as tcpdump takes it; everything when left out"},
    REPLAY_FIELDS("packet"),
    READER_END,
};

static const struct reader_field flows_fields[] = {
    {.name = "file", .kind = READER_STRING, READER_AT(struct traffic_text, traffic.file),
     .required = true, .min = 1,
     .doc = "a list of connections, also .gz or .zst; relative to the scenario's folder"},
    {.name = "format", .kind = READER_ENUM, READER_AT(struct traffic_text, format),
     .required = true, READER_NAMES(flow_formats), .doc = "of the list"},
    REPLAY_FIELDS("connection"),
    GRANULARITY_FIELD,
    READER_END,
};

static const struct reader_variant traffic_variants[] = {
    {"pcap", "packets as they were recorded", pcap_fields},
    {"synthetic", "connections that are drawn", synthetic_fields},
    {"flows", "connections as they were recorded, a line each", flows_fields},
    READER_END,
};

static const struct reader_variant users_variant = {
    "synthetic", "people, who react to what becomes of their connections", users_fields};

static const struct reader_field traffic_fields[] = {
    {.name = "kind", .kind = READER_ENUM, READER_AT(struct traffic_text, traffic.kind),
     .required = true, READER_NAMES(traffic_kind_names),
     .doc = "where packets come from"},
    READER_END,
};
/* clang-format on */

const struct reader_object traffic_object = {
    .name = "traffic",
    READER_STRUCT(struct traffic_text),
    .fields = traffic_fields,
    .pointer = READER_OFFSET(struct traffic_text, traffic.pointer),
    .check = check_traffic,
    .tag = "kind",
    .variants = traffic_variants,
    .keyed = &users_variant,
    .keyed_by = "profile",
};

/* The name, as seen from the scenario's folder. */
static const char *path_of(struct scenario_reading *s, const char *file)
{
    const char *scenario = s->scenario->path, *slash = strrchr(scenario, '/');
    size_t folder, size;
    char *path;

    if (*file == '/' || !slash)
        return file;
    folder = (size_t)(slash - scenario) + 1;
    size = folder + strlen(file) + 1;
    path = arena_alloc(s->reader.arena, size, 1);
    snprintf(path, size, "%.*s%s", (int)folder, scenario, file);
    return path;
}

/* What is wrong with it, without the name of the file that leads the message. */
static const char *without_name(const char *error, const char *file)
{
    const size_t length = strlen(file);

    return strncmp(error, file, length) == 0 && strncmp(error + length, ": ", 2) == 0
               ? error + length + 2
               : error;
}

/* Can it be read as a capture, and does the filter suit it? */
static void check_capture(struct scenario_reading *s, const struct scenario_traffic *t,
                          const char *pointer)
{
    struct capture_options o = {.path = t->file, .speed = 1};
    char error[512];
    struct capture *c = capture_open(&o, error, sizeof error);

    if (!c) {
        diag_error_file(s->reader.diag, pointer, "%s: %s", t->file,
                        without_name(error, t->file));
        return;
    }
    capture_close(c);
    if (!t->filter)
        return;
    o.filter = t->filter;
    c = capture_open(&o, error, sizeof error);
    if (!c)
        diag_error_member(s->reader.diag, t->pointer, "filter", "%s",
                          without_name(error, t->file));
    capture_close(c);
}

static void check_file(struct scenario_reading *s, const struct scenario_traffic *t)
{
    char pointer[SCENARIO_POINTER_MAX];
    struct stat st;

    snprintf(pointer, sizeof pointer, "%s/file", t->pointer);
    if (stat(t->file, &st) != 0 || access(t->file, R_OK) != 0)
        diag_error_file(s->reader.diag, pointer,
                        errno == ENOENT ? "no such file: %s" : "cannot be read: %s",
                        t->file);
    else if (S_ISDIR(st.st_mode))
        diag_error_file(s->reader.diag, pointer, "a folder, not a file: %s", t->file);
    else if (S_ISREG(st.st_mode))
        check_capture(s, t, pointer);
}

static struct addrmap *map_build(struct scenario_reading *s, const struct traffic_text *t)
{
    struct addrmap *map = addrmap_create();

    for (size_t i = 0; i < t->map_len; i++) {
        const struct map_text *entry = &t->map[i];
        char pointer[SCENARIO_POINTER_MAX];
        struct prefix captured;
        const char *wrong = "expected an address or a prefix as the key";

        if (prefix_parse(entry->captured, &captured))
            wrong = addrmap_add(map, &captured, &entry->scenario);
        if (!wrong)
            continue;
        snprintf(pointer, sizeof pointer, "%s/map", t->traffic.pointer);
        diag_error_member(s->reader.diag, pointer, entry->captured, "%s", wrong);
    }
    return map;
}

static void pcap_build(struct scenario_reading *s, const struct traffic_text *t,
                       struct scenario_traffic *traffic)
{
    traffic->file = s->changes->pcap ? arena_strdup(s->reader.arena, s->changes->pcap)
                                     : path_of(s, t->traffic.file);
    traffic->map = t->map_len > 0 ? map_build(s, t) : NULL;
    check_file(s, traffic);
}

static void flows_build(struct scenario_reading *s, const struct traffic_text *t,
                        struct scenario_traffic *traffic)
{
    char pointer[SCENARIO_POINTER_MAX], error[512];
    struct flowlist_options o = {
        .path = path_of(s, t->traffic.file),
        .format = &flow_formats[t->format],
        .start_ns = t->traffic.start_ns,
        .speed = t->traffic.speed,
    };

    traffic->file = o.path;
    traffic->map = t->map_len > 0 ? map_build(s, t) : NULL;
    o.map = traffic->map;
    snprintf(pointer, sizeof pointer, "%s/file", t->traffic.pointer);
    traffic->flows = flowlist_load(&o, error, sizeof error);
    if (!traffic->flows)
        diag_error_file(s->reader.diag, pointer, "%s", error);
    else if (traffic->flows->left_out)
        diag_warn(s->reader.diag, pointer,
                  "%s:%" PRIu64 ": neither TCP nor UDP, as %" PRIu64
                  " connections that are left out",
                  o.path, traffic->flows->left_out_first, traffic->flows->left_out);
}

/* People are named in the result, if need be by their profile. */
static const char *name_of(const struct traffic_text *t)
{
    if (t->synthetic.name || t->traffic.kind != TRAFFIC_USERS)
        return t->synthetic.name;
    return profiles[t->users.profile].name;
}

/* Two sources of one name would draw the same, or be one in the result. */
static void check_names(struct scenario_reading *s, const struct traffic_text *texts,
                        size_t len)
{
    for (size_t i = 0; i < len; i++)
        for (size_t k = 0; k < i; k++) {
            const char *name = name_of(&texts[i]), *before = name_of(&texts[k]);

            if (!name || !before || strcmp(name, before) != 0 || !texts[i].ok)
                continue;
            if (texts[i].synthetic.name)
                diag_error_member(s->reader.diag, texts[i].traffic.pointer, "name",
                                  "'%s' is the name of another one already", name);
            else
                diag_error(s->reader.diag, texts[i].traffic.pointer,
                           "needs a 'name': there is another one called '%s'", name);
            break;
        }
}

void scenario_traffic_build(struct scenario_reading *s, struct traffic_text *texts,
                            size_t len)
{
    struct scenario_traffic *traffic = arena_alloc(s->reader.arena, len, sizeof *traffic);

    s->scenario->traffic = traffic;
    s->scenario->traffic_len = len;
    for (size_t i = 0; i < len; i++) {
        struct traffic_text *t = &texts[i];

        if (!t->ok)
            continue;
        traffic[i] = t->traffic;
        traffic[i].iface = scenario_name_find(s, &s->ifaces, t->interface,
                                              traffic[i].pointer, "interface");
        traffic[i].by_flow = t->granularity == GRANULARITY_FLOW;
        if (t->traffic.kind == TRAFFIC_PCAP)
            pcap_build(s, t, &traffic[i]);
        else if (t->traffic.kind == TRAFFIC_FLOWS)
            flows_build(s, t, &traffic[i]);
        else if (t->traffic.kind == TRAFFIC_USERS)
            traffic[i].users = users_build(s, t, i);
        else
            traffic[i].flowgen = synthetic_build(s, t, i);
    }
    check_names(s, texts, len);
}

/* Does one decision hold for a connection until something changes? */
static bool decides_by_connection(const char *policy)
{
    const unsigned traits = policy_find(policy)->traits;

    return (traits & POLICY_FIXED) || (traits & (POLICY_PINS | POLICY_COUNTS)) == POLICY_PINS;
}

/* The first policy that wants to see each packet; NULL: none does. */
static const char *policy_by_packet(const struct router_config *c)
{
    for (size_t i = 0; i < c->policies_len; i++)
        if (!decides_by_connection(c->policies[i].name))
            return c->policies[i].name;
    return NULL;
}

static bool has_rates(const struct scenario *s)
{
    for (size_t w = 0; w < s->wans_len; w++)
        if (s->wans[w].down_bps || s->wans[w].up_bps)
            return true;
    return false;
}

void scenario_traffic_judge(struct scenario_reading *s)
{
    const struct scenario *scenario = s->scenario;
    const char *policy = policy_by_packet(&scenario->router);

    for (size_t i = 0; i < scenario->traffic_len; i++) {
        const struct scenario_traffic *t = &scenario->traffic[i];

        if (t->by_flow && has_rates(scenario))
            diag_warn_member(s->reader.diag, t->pointer, "granularity",
                             "the rates of WANs do not hold back what is carried by flow;"
                             " utilisation can exceed 1");
        if (t->by_flow && policy)
            diag_error_member(s->reader.diag, t->pointer, "granularity",
                              "policy '%s' decides by packet: expected \"packet\", or a"
                              " policy that decides once a connection",
                              policy);
    }
}
