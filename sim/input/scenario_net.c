/* WANs, the LAN's hosts, and the traffic between them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "sim/input/capture.h"
#include "sim/input/jsonplace.h"
#include "sim/input/scenario_parts.h"

/* ---- WANs ---- */

/* clang-format off */
static const struct reader_field wan_fields[] = {
    {.name = "down", .kind = READER_RATE, READER_AT(struct wan_text, wan.down_bps),
     .min = 1,
     .doc = "capacity towards the LAN; unlimited when left out"},
    {.name = "up", .kind = READER_RATE, READER_AT(struct wan_text, wan.up_bps), .min = 1,
     .doc = "capacity towards the Internet; unlimited when left out"},
    {.name = "delay", .kind = READER_DURATION, READER_AT(struct wan_text, wan.delay_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX, .doc = "one way"},
    {.name = "prefixes", .kind = READER_ARRAY,
     READER_LIST(struct wan_text, wan.prefixes, wan.prefixes_len), .each = &reader_prefix,
     .max = SCENARIO_LIST_MAX,
     .doc = "what the provider routes to it besides its addresses"},
    READER_END,
};
/* clang-format on */

const struct reader_object wan_object = {
    .name = "wan",
    .doc = "the link behind one interface",
    READER_STRUCT(struct wan_text),
    .fields = wan_fields,
    .pointer = READER_OFFSET(struct wan_text, pointer),
};

void scenario_wans_build(struct scenario_reading *s, const struct wan_text *texts,
                         size_t len)
{
    struct scenario_wan *wans = arena_alloc(s->reader.arena, len, sizeof *wans);

    s->wans = scenario_names_make(s, "WAN", len);
    for (size_t i = 0; i < len; i++) {
        wans[i] = texts[i].wan;
        s->wans.names[i] = wans[i].name;
        s->wans.complete = s->wans.complete && wans[i].name;
        wans[i].iface =
            scenario_name_find(s, &s->ifaces, wans[i].name, "/wans", wans[i].name);
    }
    s->scenario->wans = wans;
    s->scenario->wans_len = len;
}

int scenario_wan_of_iface(const struct scenario *s, int iface)
{
    for (size_t i = 0; i < s->wans_len; i++)
        if (s->wans[i].iface == iface)
            return (int)i;
    return -1;
}

bool scenario_is_lan(const struct scenario *s, const struct addr *a)
{
    for (size_t i = 0; i < s->lan_len; i++)
        if (prefix_contains(&s->lan[i], a))
            return true;
    return false;
}

/* ---- hosts ---- */

/* clang-format off */
static const struct reader_field host_fields[] = {
    {.name = "addresses", .kind = READER_ARRAY,
     READER_LIST(struct host_text, host.addresses, host.addresses_len),
     .each = &reader_addr,
     .required = true, .min = 1, .max = SCENARIO_GATEWAYS_MAX,
     .doc = "what it sends from, in the LAN"},
    {.name = "sensitive", .kind = READER_BOOL,
     READER_AT(struct host_text, host.sensitive),
     .by_default = "false", .doc = "it must keep one public address"},
    READER_END,
};
/* clang-format on */

const struct reader_object host_object = {
    .name = "host",
    .doc = "a host of the LAN that reports name",
    READER_STRUCT(struct host_text),
    .fields = host_fields,
    .pointer = READER_OFFSET(struct host_text, pointer),
};

/* One address of one host, to find the same address elsewhere. */
struct claim {
    const struct addr *addr;
    const struct host_text *host;
    size_t order; /* in the file */
};

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = addr_compare(x->addr, y->addr);

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static const char *claim_pointer(struct scenario_reading *s, const struct claim *c)
{
    const size_t size = strlen(c->host->pointer) + sizeof "/addresses/" + 20;
    char *pointer = arena_alloc(s->reader.arena, size, 1);

    snprintf(pointer, size, "%s/addresses/%td", c->host->pointer,
             c->addr - c->host->host.addresses);
    return pointer;
}

static void judge_claims(struct scenario_reading *s, struct claim *claims, size_t len)
{
    const struct scenario *scenario = s->scenario;
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < len && !diag_is_full(s->reader.diag); i++)
        if (scenario->lan_len > 0 && !scenario_is_lan(scenario, claims[i].addr) &&
            diag_count(s->reader.diag, DIAG_WARNING) < DIAG_KEPT_MAX)
            diag_warn(s->reader.diag, claim_pointer(s, &claims[i]),
                      "%s is not in the LAN", addr_format(claims[i].addr, text));
    qsort(claims, len, sizeof *claims, compare_claims);
    for (size_t i = 1; i < len && !diag_is_full(s->reader.diag); i++)
        if (addr_equal(claims[i].addr, claims[i - 1].addr))
            diag_error(s->reader.diag, claim_pointer(s, &claims[i]),
                       "%s belongs to host '%s' already",
                       addr_format(claims[i].addr, text), claims[i - 1].host->host.name);
}

void scenario_hosts_build(struct scenario_reading *s, const struct host_text *texts,
                          size_t len)
{
    struct scenario_host *hosts = arena_alloc(s->reader.arena, len, sizeof *hosts);
    struct claim *claims = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; i < len; i++) {
        hosts[i] = texts[i].host;
        for (size_t k = 0; k < hosts[i].addresses_len; k++) {
            if (!texts[i].pointer || !addr_is_set(&hosts[i].addresses[k]))
                continue;
            claims = mem_grow(claims, &capacity, count + 1, sizeof *claims);
            claims[count] = (struct claim){&hosts[i].addresses[k], &texts[i], count};
            count++;
        }
    }
    if (count > 0)
        judge_claims(s, claims, count);
    mem_free(claims);
    s->scenario->hosts = hosts;
    s->scenario->hosts_len = len;
}

/* ---- traffic ---- */

const char *const traffic_kind_names[TRAFFIC_KINDS] = {[TRAFFIC_PCAP] = "pcap"};

static const struct reader_field map_field = {
    .kind = READER_PREFIX,
    READER_AT(struct map_text, scenario),
};

static bool check_traffic(const struct reader *r, void *object, const char *pointer)
{
    struct traffic_text *t = object;

    (void)r, (void)pointer;
    t->ok = true;
    return true;
}

/* clang-format off */
static const struct reader_field pcap_fields[] = {
    {.name = "file", .kind = READER_STRING, READER_AT(struct traffic_text, traffic.file),
     .required = true, .min = 1,
     .doc = "pcap or pcapng, also .gz or .zst; relative to the"
                                        " scenario's folder"},
    {.name = "filter", .kind = READER_STRING,
     READER_AT(struct traffic_text, traffic.filter),
     .doc = "as tcpdump takes it; everything when left out"},
    {.name = "start", .kind = READER_DURATION,
     READER_AT(struct traffic_text, traffic.start_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX,
     .doc = "when its first packet comes"},
    {.name = "speed", .kind = READER_NUMBER,
     READER_AT(struct traffic_text, traffic.speed),
     .by_default = "1", .lowest = 0.000001, .highest = 1000000,
     .doc = "2 is twice as fast as recorded"},
    {.name = "map", .kind = READER_MAP, READER_LIST(struct traffic_text, map, map_len),
     .each = &map_field, .each_size = sizeof(struct map_text), .max = ADDRMAP_ENTRIES_MAX,
     .doc = "captured addresses or prefixes to those of the scenario"},
    {.name = "interface", .kind = READER_STRING,
     READER_AT(struct traffic_text, interface),
     .doc = "where its LAN packets enter; found by their source when left out"},
    READER_END,
};

static const struct reader_variant traffic_variants[] = {
    {"pcap", "packets as they were recorded", pcap_fields},
    READER_END,
};

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
        traffic[i].file = s->changes->pcap
                              ? arena_strdup(s->reader.arena, s->changes->pcap)
                              : path_of(s, t->traffic.file);
        traffic[i].iface = scenario_name_find(s, &s->ifaces, t->interface,
                                              traffic[i].pointer, "interface");
        traffic[i].map = t->map_len > 0 ? map_build(s, t) : NULL;
        check_file(s, &traffic[i]);
    }
}
