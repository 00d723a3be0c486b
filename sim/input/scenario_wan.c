/* WANs: the links behind interfaces. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/input/scenario_parts.h"
#include "sim/input/units.h"

/*
 * How deep a queue is that nobody described: 250 ms of its rate, the depth that routers and
 * modems are built with by the old rule of a round trip's worth (Villamizar, Song, "High
 * performance TCP in ANSNET", CCR 24(5), 1994; Appenzeller, Keslassy, McKeown, "Sizing router
 * buffers", SIGCOMM 2004, section 1, which names 250 ms as what operators ask for).
 */
#define QUEUE_DEFAULT "\"250ms\""

/* ---- the queue ---- */

static bool parse_packets(const char *text, uint64_t *packets)
{
    const size_t digits = strspn(text, "0123456789");

    *packets = 0;
    if (digits == 0 || digits > 7 || strcmp(text + digits, "p") != 0)
        return false;
    for (size_t i = 0; i < digits; i++)
        *packets = *packets * 10 + (uint64_t)(text[i] - '0');
    return *packets >= 1 && *packets <= LINK_PACKETS_MAX;
}

static bool parse_queue(const char *text, struct link_queue *q)
{
    int64_t ns;

    if (parse_packets(text, &q->limit))
        q->kind = LINK_PACKETS;
    else if (units_parse_size(text, &q->limit) && q->limit <= INT64_MAX)
        q->kind = LINK_BYTES;
    else if (units_parse_duration(text, &ns) && ns <= SCENARIO_TIME_MAX)
        *q = (struct link_queue){.kind = LINK_TIME, .limit = (uint64_t)ns};
    else
        return false;
    return true;
}

static bool read_queue(const struct reader *r, json_t *value, const char *pointer,
                       void *target)
{
    const char *text = json_string_value(value);
    struct link_queue q;

    if (!text || strlen(text) != json_string_length(value) || !parse_queue(text, &q))
        return diag_error(
            r->diag, pointer,
            "expected a time such as \"100ms\", a size such as \"64KiB\", or"
            " from \"1p\" to \"1000000p\" packets");
    memcpy(target, &q, sizeof q);
    return true;
}

static bool read_size(const struct reader *r, json_t *value, const char *pointer,
                      void *target)
{
    const char *text = json_string_value(value);
    uint64_t bytes;

    if (!text || strlen(text) != json_string_length(value) ||
        !units_parse_size(text, &bytes) || bytes < 1 || bytes > INT64_MAX)
        return diag_error(r->diag, pointer,
                          "expected a size such as \"100GB\" or \"1.5TB\"");
    memcpy(target, &bytes, sizeof bytes);
    return true;
}

/* ---- what a table cannot say ---- */

enum { SLOW_BPS = 10000, UNITLESS_BPS = 1000 };

void scenario_rate_judge(const struct reader *r, const char *pointer, const char *key,
                         uint64_t bps)
{
    if (bps == 0 || bps >= SLOW_BPS)
        return;
    if (bps < UNITLESS_BPS)
        diag_warn_member(r->diag, pointer, key,
                         "only %" PRIu64 " bit/s; did you mean \"%" PRIu64 "M\"?", bps, bps);
    else
        diag_warn_member(r->diag, pointer, key, "only %" PRIu64 " bit/s", bps);
}

static bool check_wan(const struct reader *r, void *object, const char *pointer)
{
    const struct wan_text *t = object;
    const struct scenario_wan *w = &t->wan;

    scenario_rate_judge(r, pointer, "down", w->down_bps);
    scenario_rate_judge(r, pointer, "up", w->up_bps);
    if (t->queue_given && !w->down_bps && !w->up_bps)
        diag_warn_member(r->diag, pointer, "queue",
                         "has no effect without 'down' or 'up'");
    if (t->burst_given && w->loss <= 0)
        diag_warn_member(r->diag, pointer, "loss_burst", "has no effect without 'loss'");
    if (t->burst_given && w->loss > w->loss_burst / (w->loss_burst + 1))
        return diag_error_member(r->diag, pointer, "loss_burst",
                                 "losses in runs of %g and single packets between them "
                                 "are at most %.3g of all",
                                 w->loss_burst, w->loss_burst / (w->loss_burst + 1));
    return true;
}

/* clang-format off */
static const struct reader_field wan_fields[] = {
    {.name = "down", .kind = READER_RATE, READER_AT(struct wan_text, wan.down_bps),
     .min = 1,
     .doc = "capacity towards the LAN; unlimited when left out"},
    {.name = "up", .kind = READER_RATE, READER_AT(struct wan_text, wan.up_bps), .min = 1,
     .doc = "capacity towards the Internet; unlimited when left out"},
    {.name = "delay", .kind = READER_DURATION, READER_AT(struct wan_text, wan.delay_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX, .doc = "one way"},
    {.name = "queue", .kind = READER_CUSTOM, READER_AT(struct wan_text, wan.queue),
     READER_GIVEN(struct wan_text, queue_given), .by_default = QUEUE_DEFAULT,
     .custom = read_queue,
     .schema = "{\"type\": \"string\", \"pattern\": \"^[0-9][0-9.]*[A-Za-z][0-9A-Za-z.]*$\"}",
     .doc = "what waits in front of each direction that has a rate, at most: a time"
            " (\"100ms\"), a size (\"64KiB\"), packets (\"1000p\")"},
    {.name = "loss", .kind = READER_NUMBER, READER_AT(struct wan_text, wan.loss),
     .by_default = "0", .highest = 1,
     .doc = "the share of packets lost by chance, each way: 0.01 is 1 %"},
    {.name = "loss_burst", .kind = READER_NUMBER, READER_AT(struct wan_text, wan.loss_burst),
     READER_GIVEN(struct wan_text, burst_given), .lowest = 1, .highest = 1000000,
     .doc = "how many packets are lost in a row, in the mean; independent losses when left"
            " out"},
    {.name = "jitter", .kind = READER_DURATION, READER_AT(struct wan_text, wan.jitter_ns),
     .by_default = "0s", .max = SCENARIO_DURATION_MAX,
     .doc = "each packet's delay is up to so much longer, by chance, without overtaking"},
    {.name = "cap", .kind = READER_CUSTOM, READER_AT(struct wan_text, wan.cap_bytes),
     .custom = read_size,
     .schema = "{\"type\": \"string\", \"pattern\": \"" UNITS_SIZE_PATTERN "\"}",
     .doc = "bytes that may be used of it, both ways together, such as \"100GB\""},
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
    .check = check_wan,
};

/* ---- building ---- */

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
