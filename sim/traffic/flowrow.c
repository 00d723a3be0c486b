#include "sim/traffic/flowrow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
#define ZEEK_COLUMNS                                                                     \
    {[FLOW_TIME] = "ts", [FLOW_SRC] = "id.orig_h", [FLOW_SPORT] = "id.orig_p",           \
     [FLOW_DST] = "id.resp_h", [FLOW_DPORT] = "id.resp_p", [FLOW_PROTO] = "proto",       \
     [FLOW_DURATION] = "duration", [FLOW_BYTES_UP] = "orig_ip_bytes",                    \
     [FLOW_BYTES_DOWN] = "resp_ip_bytes", [FLOW_PACKETS_UP] = "orig_pkts",               \
     [FLOW_PACKETS_DOWN] = "resp_pkts", [FLOW_PAYLOAD_UP] = "orig_bytes",                \
     [FLOW_PAYLOAD_DOWN] = "resp_bytes"}

const struct flow_format flow_formats[FLOW_FORMATS] = {
    {"csv", "columns named in the first line", FLOW_COMMA, true,
     {[FLOW_TIME] = "time", [FLOW_SRC] = "src", [FLOW_SPORT] = "sport", [FLOW_DST] = "dst",
      [FLOW_DPORT] = "dport", [FLOW_PROTO] = "proto", [FLOW_DURATION] = "duration",
      [FLOW_BYTES_UP] = "bytes_up", [FLOW_BYTES_DOWN] = "bytes_down",
      [FLOW_PACKETS_UP] = "packets_up", [FLOW_PACKETS_DOWN] = "packets_down"}},
    {"zeek-tsv", "conn.log of Zeek", FLOW_TAB, false, ZEEK_COLUMNS},
    {"zeek-json", "conn.log of Zeek, as JSON", FLOW_JSON, false, ZEEK_COLUMNS},
    {"nfdump-csv", "nfdump -o csv", FLOW_COMMA, false,
     {[FLOW_TIME] = "ts", [FLOW_SRC] = "sa", [FLOW_SPORT] = "sp", [FLOW_DST] = "da",
      [FLOW_DPORT] = "dp", [FLOW_PROTO] = "pr", [FLOW_DURATION] = "td",
      [FLOW_BYTES_UP] = "ibyt", [FLOW_BYTES_DOWN] = "obyt",
      [FLOW_PACKETS_UP] = "ipkt", [FLOW_PACKETS_DOWN] = "opkt", [FLOW_FLAGS] = "flg"}},
};
/* clang-format on */

/* One row being read: the first mistake is kept. */
struct reading {
    const struct flow_format *format;
    const struct flowrow *row;
    char *error;
    size_t error_size;
    bool ok;
};

static bool is_set(const struct reading *r, enum flow_column c)
{
    return r->row->columns[c] && r->row->columns[c][0];
}

static void wrong(struct reading *r, enum flow_column c, const char *expected)
{
    if (!r->ok)
        return;
    r->ok = false;
    if (is_set(r, c))
        snprintf(r->error, r->error_size, "expected %s in '%s', got '%.60s'", expected,
                 r->format->columns[c], r->row->columns[c]);
    else
        snprintf(r->error, r->error_size, "expected %s in '%s', which is empty", expected,
                 r->format->columns[c]);
}

/* ------------------------------------------------------------------------------ numbers */

/* Decimal digits up to a maximum; the text behind them, NULL when there are none or too many. */
static const char *parse_digits(const char *s, uint64_t max, uint64_t *value)
{
    const char *begin = s;

    for (*value = 0; *s >= '0' && *s <= '9'; s++) {
        if (*value > (max - (uint64_t)(*s - '0')) / 10)
            return NULL;
        *value = *value * 10 + (uint64_t)(*s - '0');
    }
    return s == begin ? NULL : s;
}

/* ".305": nanoseconds; digits behind the ninth are cut off. */
static const char *parse_fraction(const char *s, int64_t *ns)
{
    int64_t unit = 100000000;

    *ns = 0;
    if (*s != '.')
        return s;
    for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
        *ns += (*s - '0') * unit;
    return s;
}

/* "12.5" seconds. */
static bool parse_seconds(const char *s, int64_t *ns)
{
    uint64_t seconds;
    int64_t fraction;

    s = parse_digits(s, 9000000000, &seconds);
    s = s ? parse_fraction(s, &fraction) : NULL;
    if (!s || *s)
        return false;
    *ns = (int64_t)seconds * 1000000000 + fraction;
    return true;
}

static const char *parse_part(const char *s, char end, uint64_t max, uint64_t *value)
{
    s = parse_digits(s, max, value);
    if (!s || (end && *s != end))
        return NULL;
    return end ? s + 1 : s;
}

/* Days since 1970 of a date of the Gregorian calendar; March begins the year. */
static int64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    const uint64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;

    return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day) -
           719469;
}

/* "2020-06-05 14:59:59.305", "2020-06-05T14:59:59.305988Z" */
static bool parse_date(const char *s, int64_t *ns)
{
    uint64_t year, month, day, hour, minute, second;
    int64_t fraction;

    s = parse_part(s, '-', 2200, &year);
    s = s ? parse_part(s, '-', 12, &month) : NULL;
    s = s ? parse_part(s, 0, 31, &day) : NULL;
    s = s && (*s == ' ' || *s == 'T') ? parse_part(s + 1, ':', 23, &hour) : NULL;
    s = s ? parse_part(s, ':', 59, &minute) : NULL;
    s = s ? parse_part(s, 0, 60, &second) : NULL;
    s = s ? parse_fraction(s, &fraction) : NULL;
    if (!s || (*s && strcmp(s, "Z") != 0) || year < 1970 || month < 1 || day < 1)
        return false;
    *ns = ((days_of(year, month, day) * 24 + (int64_t)hour) * 60 + (int64_t)minute) * 60 *
              1000000000 +
          (int64_t)second * 1000000000 + fraction;
    return true;
}

/* ------------------------------------------------------------------------------ columns */

static int64_t read_time(struct reading *r)
{
    const char *text = r->row->columns[FLOW_TIME];
    int64_t ns = 0;

    if (!is_set(r, FLOW_TIME) || !(parse_seconds(text, &ns) || parse_date(text, &ns)))
        wrong(r, FLOW_TIME, "a time in seconds or a date");
    return ns;
}

static int64_t read_duration(struct reading *r)
{
    int64_t ns = 0;

    if (is_set(r, FLOW_DURATION) &&
        (!parse_seconds(r->row->columns[FLOW_DURATION], &ns) ||
         ns > INT64_C(315360000000000000)))
        wrong(r, FLOW_DURATION, "seconds");
    return ns;
}

static uint64_t read_number(struct reading *r, enum flow_column c, uint64_t max,
                            const char *expected)
{
    const char *rest;
    uint64_t value = 0;

    if (!is_set(r, c))
        return 0;
    rest = parse_digits(r->row->columns[c], max, &value);
    if (rest && *rest == '\0')
        return value;
    wrong(r, c, expected);
    return 0;
}

static uint16_t read_port(struct reading *r, enum flow_column c)
{
    if (!is_set(r, c))
        wrong(r, c, "a port");
    return (uint16_t)read_number(r, c, UINT16_MAX, "a port");
}

static void read_addr(struct reading *r, enum flow_column c, struct addr *a)
{
    if (!is_set(r, c) || !addr_parse(r->row->columns[c], a))
        wrong(r, c, "an address");
}

/* TCP, UDP, or 0 for another one. */
static uint8_t read_protocol(struct reading *r)
{
    uint8_t protocol = 0;

    if (!is_set(r, FLOW_PROTO)) {
        wrong(r, FLOW_PROTO, "a protocol");
        return 0;
    }
    if (!packet_protocol_parse(r->row->columns[FLOW_PROTO], &protocol))
        return 0;
    return protocol == PROTO_TCP || protocol == PROTO_UDP ? protocol : 0;
}

static uint64_t read_bytes(struct reading *r, enum flow_column c)
{
    return read_number(r, c, (uint64_t)DEMAND_BYTES_MAX, "bytes, at most a tebibyte");
}

/* nfdump: of the flags that a flow has had, is SYN the only one? */
static bool only_syn(const struct reading *r)
{
    const char *flags = r->row->columns[FLOW_FLAGS];

    return strchr(flags, 'S') && !strpbrk(flags, "AFRP");
}

/* -------------------------------------------------------------------------------- a row */

static void read_counts(struct reading *r, struct demand *d)
{
    const struct demand_counts up = {
        read_bytes(r, FLOW_BYTES_UP),
        read_number(r, FLOW_PACKETS_UP, UINT32_MAX, "packets")};
    const struct demand_counts down = {
        read_bytes(r, FLOW_BYTES_DOWN),
        read_number(r, FLOW_PACKETS_DOWN, UINT32_MAX, "packets")};
    const char *why;

    if (!r->ok)
        return;
    if (!demand_fit(d, &up, &down, &why)) {
        r->ok = false;
        snprintf(r->error, r->error_size, "%s", why);
    } else if (d->shape == DEMAND_SYN && is_set(r, FLOW_FLAGS) && !only_syn(r)) {
        d->shape = DEMAND_PLAIN;
    }
}

static void read_payload(struct reading *r, struct demand *d)
{
    static const struct demand_limits ethernet = {1500, 2};
    const bool apart = r->format->columns[FLOW_PAYLOAD_UP] != NULL;
    const uint64_t up = read_bytes(r, apart ? FLOW_PAYLOAD_UP : FLOW_BYTES_UP);
    const uint64_t down = read_bytes(r, apart ? FLOW_PAYLOAD_DOWN : FLOW_BYTES_DOWN);

    if (r->ok)
        demand_fill(d, up, down, &ethernet);
}

enum flowrow_result flowrow_read(const struct flow_format *f, const struct flowrow *row,
                                 struct demand *d, char *error, size_t error_size)
{
    struct reading r = {f, row, error, error_size, true};

    *d = (struct demand){.protocol = read_protocol(&r)};
    if (r.ok && d->protocol == 0)
        return FLOWROW_OTHER;
    d->start_ns = read_time(&r);
    d->duration_ns = read_duration(&r);
    read_addr(&r, FLOW_SRC, &d->src);
    read_addr(&r, FLOW_DST, &d->dst);
    d->sport = read_port(&r, FLOW_SPORT);
    d->dport = read_port(&r, FLOW_DPORT);
    if (r.ok && d->src.family != d->dst.family)
        wrong(&r, FLOW_DST, "an address of the same family as the source's");
    if (is_set(&r, FLOW_PACKETS_UP) || is_set(&r, FLOW_PACKETS_DOWN))
        read_counts(&r, d);
    else
        read_payload(&r, d);
    return r.ok ? FLOWROW_OK : FLOWROW_WRONG;
}
