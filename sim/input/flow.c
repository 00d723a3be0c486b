#include "sim/input/flow.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/input/scenario.h"
#include "sim/input/units.h"

static bool fail(char *error, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(char *error, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return false;
}

/* ------------------------------------------------------------------------------ packets */

static void packet_init(struct packet *p)
{
    memset(p, 0, sizeof *p);
    p->ttl = 64;
    p->size_bytes = 60;
}

/* What the other fields say of the packet, once all are known. */
static bool packet_finish(struct packet *p, char *error, size_t size)
{
    if (!addr_is_set(&p->src) || !addr_is_set(&p->dst))
        return fail(error, size, "src and dst are needed");
    if (p->src.family != p->dst.family)
        return fail(error, size, "src and dst are of different families");
    if (p->protocol == PROTO_ICMP && p->src.family == FAMILY_V6)
        p->protocol = PROTO_ICMPV6;
    if ((p->sport || p->dport) && !packet_protocol_has_ports(p->protocol))
        return fail(error, size, "this protocol has no ports");
    p->next_header = p->protocol;
    if (p->protocol == PROTO_TCP)
        p->tcp_flags = TCP_SYN;
    else if (p->protocol == PROTO_ICMP)
        p->icmp_type = 8;
    else if (p->protocol == PROTO_ICMPV6)
        p->icmp_type = 128;
    return true;
}

/* -------------------------------------------------------------------------- people's form */

static bool number_parse(const char *text, size_t length, unsigned long max, unsigned long *n)
{
    *n = 0;
    if (length == 0 || length > 10)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *n = *n * 10 + (unsigned long)(text[i] - '0');
    }
    return *n <= max;
}

/* "ADDR", "ADDR:PORT", "[ADDR]", "[ADDR]:PORT". */
static bool endpoint_parse(const char *text, struct addr *a, uint16_t *port)
{
    char host[ADDR_TEXT_MAX];
    const char *end = NULL, *colon;
    unsigned long n;

    if (text[0] == '[') {
        end = strchr(text++, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        colon = end[1] ? end + 1 : NULL;
    } else {
        colon = strchr(text, ':');
        if (colon && strchr(colon + 1, ':'))
            colon = NULL; /* a bare IPv6 address */
        end = colon ? colon : text + strlen(text);
    }
    if ((size_t)(end - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(end - text));
    host[end - text] = '\0';
    if (colon) {
        if (!number_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &n))
            return false;
        *port = (uint16_t)n;
    }
    return addr_parse(host, a);
}

bool flow_parse(const char *text, struct flow *f, char *error, size_t size)
{
    char copy[256], *words[5], *save = NULL, *word;
    size_t n = 0;
    struct packet *p = &f->packet;

    packet_init(p);
    f->in_iface = -1;
    f->at_ns = 0;
    if (strlen(text) >= sizeof copy)
        return fail(error, size, "a flow such as 'tcp 192.168.10.5:50000 > 45.57.94.1:443'"
                                 " is expected, this is too long for one");
    strcpy(copy, text);
    for (word = strtok_r(copy, " \t", &save); word && n < 5;
         word = strtok_r(NULL, " \t", &save))
        words[n++] = word;
    if (n != 4 || strcmp(words[2], ">") != 0)
        return fail(error, size, "'%s' is no flow; expected one such as"
                                 " 'tcp 192.168.10.5:50000 > 45.57.94.1:443'", text);
    if (!packet_protocol_parse(words[0], &p->protocol))
        return fail(error, size, "'%s' is no protocol; expected tcp, udp, icmp, ... or a"
                                 " number from 0 to 255", words[0]);
    if (!endpoint_parse(words[1], &p->src, &p->sport))
        return fail(error, size, "'%s' is no source; expected ADDRESS:PORT", words[1]);
    if (!endpoint_parse(words[3], &p->dst, &p->dport))
        return fail(error, size, "'%s' is no destination; expected ADDRESS:PORT", words[3]);
    return packet_finish(p, error, size);
}

/* ------------------------------------------------------------------------- programs' form */

int flow_find_iface(const struct router_config *config, const char *name, size_t length)
{
    for (size_t i = 0; i < config->ifaces_len; i++)
        if (strlen(config->ifaces[i].name) == length &&
            memcmp(config->ifaces[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

bool flow_find_mark(const struct router_config *config, const char *text, size_t length,
                    uint32_t *mark)
{
    char copy[32], *end;
    unsigned long n;

    for (size_t i = 0; i < config->marks_len; i++) {
        if (strlen(config->marks[i]) != length || memcmp(config->marks[i], text, length) != 0)
            continue;
        *mark = (uint32_t)i + 1;
        return true;
    }
    if (config->platform != PLATFORM_LINUX || length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    n = strtoul(copy, &end, 0);
    *mark = (uint32_t)n;
    return *end == '\0' && copy[0] != '-' && n <= UINT32_MAX;
}

/* A value of the line: a string without escapes, or a plain number. */
struct value {
    const char *text;
    size_t length;
    bool is_string;
};

struct flow_line {
    struct flow *flow;
    const struct router_config *config;
    char *error;
    size_t error_size;
};

enum flow_key {
    KEY_IN,
    KEY_SRC,
    KEY_DST,
    KEY_PROTO,
    KEY_SPORT,
    KEY_DPORT,
    KEY_MARK,
    KEY_AT,
    KEY_FLOWLABEL,
    KEY_TOS,
    KEYS,
};

static const char *const flow_keys[KEYS] = {
    "in", "src", "dst", "proto", "sport", "dport", "mark", "at", "flowlabel", "tos",
};

static bool set_addr(const struct flow_line *l, const struct value *v, struct addr *a,
                     const char *key)
{
    char copy[ADDR_TEXT_MAX];

    if (v->is_string && v->length < sizeof copy) {
        memcpy(copy, v->text, v->length);
        copy[v->length] = '\0';
        if (addr_parse(copy, a))
            return true;
    }
    return fail(l->error, l->error_size, "%s: expected an IPv4 or IPv6 address as a string",
                key);
}

static bool set_number(const struct flow_line *l, const struct value *v, unsigned long max,
                       const char *key, unsigned long *n)
{
    if (!v->is_string && number_parse(v->text, v->length, max, n))
        return true;
    return fail(l->error, l->error_size, "%s: expected a whole number from 0 to %lu", key, max);
}

static bool set_protocol(const struct flow_line *l, const struct value *v)
{
    char copy[16];

    if (v->length < sizeof copy) {
        memcpy(copy, v->text, v->length);
        copy[v->length] = '\0';
        if (packet_protocol_parse(copy, &l->flow->packet.protocol))
            return true;
    }
    return fail(l->error, l->error_size,
                "proto: expected a name such as \"tcp\", or a number from 0 to 255");
}

static bool set_time(const struct flow_line *l, const struct value *v)
{
    char copy[40], *end;
    double seconds;

    if (v->length >= sizeof copy)
        return fail(l->error, l->error_size, "at: expected seconds, or a string like \"90s\"");
    memcpy(copy, v->text, v->length);
    copy[v->length] = '\0';
    if (v->is_string) {
        if (units_parse_duration(copy, &l->flow->at_ns) &&
            l->flow->at_ns <= SCENARIO_TIME_MAX)
            return true;
    } else {
        seconds = strtod(copy, &end);
        if (*end == '\0' && seconds >= 0 && seconds * 1e9 <= (double)SCENARIO_TIME_MAX) {
            l->flow->at_ns = (int64_t)(seconds * 1e9 + 0.5);
            return true;
        }
    }
    return fail(l->error, l->error_size, "at: expected seconds, or a string like \"90s\"");
}

static bool set_iface(const struct flow_line *l, const struct value *v)
{
    l->flow->in_iface = v->is_string ? flow_find_iface(l->config, v->text, v->length) : -1;
    if (l->flow->in_iface >= 0)
        return true;
    return fail(l->error, l->error_size, "in: the router has no interface '%.*s'",
                (int)(v->length < 64 ? v->length : 64), v->text);
}

static bool set_key(const struct flow_line *l, const char *key, size_t length,
                    const struct value *v)
{
    struct packet *p = &l->flow->packet;
    unsigned long n = 0;
    unsigned k;

    for (k = 0; k < KEYS; k++)
        if (flow_keys[k][0] == key[0] && strlen(flow_keys[k]) == length &&
            memcmp(flow_keys[k], key, length) == 0)
            break;
    switch (k) {
    case KEY_IN: return set_iface(l, v);
    case KEY_SRC: return set_addr(l, v, &p->src, "src");
    case KEY_DST: return set_addr(l, v, &p->dst, "dst");
    case KEY_PROTO: return set_protocol(l, v);
    case KEY_SPORT:
        if (!set_number(l, v, UINT16_MAX, "sport", &n))
            return false;
        p->sport = (uint16_t)n;
        return true;
    case KEY_DPORT:
        if (!set_number(l, v, UINT16_MAX, "dport", &n))
            return false;
        p->dport = (uint16_t)n;
        return true;
    case KEY_MARK:
        if (flow_find_mark(l->config, v->text, v->length, &p->mark))
            return true;
        return fail(l->error, l->error_size, "mark: the router knows no mark '%.*s'",
                    (int)(v->length < 64 ? v->length : 64), v->text);
    case KEY_AT: return set_time(l, v);
    case KEY_FLOWLABEL:
        if (!set_number(l, v, 0xfffff, "flowlabel", &n))
            return false;
        p->flow_label = (uint32_t)n;
        return true;
    case KEY_TOS:
        if (!set_number(l, v, UINT8_MAX, "tos", &n))
            return false;
        p->tos = (uint8_t)n;
        return true;
    default: break;
    }
    return fail(l->error, l->error_size,
                "unknown key '%.*s'; expected in, src, dst, proto, sport, dport, mark, at,"
                " flowlabel or tos",
                (int)(length < 64 ? length : 64), key);
}

/* ------------------------------------------------------------- the flat line, read quickly */

struct cursor {
    const char *at, *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

static bool take(struct cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* A string of printable ASCII without escapes. */
static bool take_string(struct cursor *c, struct value *v)
{
    const char *at, *const end = c->end;

    if (!take(c, '"'))
        return false;
    v->text = at = c->at;
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)(*at - ' ') <= '~' - ' ')
        at++;
    v->length = (size_t)(at - v->text);
    v->is_string = true;
    c->at = at + 1;
    return at < end && *at == '"';
}

/* A whole number without sign, fraction or leading zero. */
static bool take_number(struct cursor *c, struct value *v)
{
    skip_space(c);
    v->text = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    v->length = (size_t)(c->at - v->text);
    v->is_string = false;
    return v->length > 0 && (v->text[0] != '0' || v->length == 1) &&
           (c->at == c->end || *c->at == ',' || *c->at == '}' || *c->at == ' ');
}

enum quick { QUICK_OK, QUICK_WRONG, QUICK_NOT_FLAT };

/* Most lines are flat objects of strings and whole numbers. Others are left to the library. */
static enum quick quick_parse(const struct flow_line *l, const char *line, size_t length)
{
    struct cursor c = {line, line + length};
    unsigned seen = 0;

    if (!take(&c, '{'))
        return QUICK_NOT_FLAT;
    do {
        struct value key, v;

        if (!take_string(&c, &key) || !take(&c, ':'))
            return QUICK_NOT_FLAT;
        skip_space(&c);
        if (c.at == c.end || !(*c.at == '"' ? take_string(&c, &v) : take_number(&c, &v)))
            return QUICK_NOT_FLAT;
        if (++seen > KEYS)
            return QUICK_NOT_FLAT; /* a key must be there twice: the library says which */
        if (!set_key(l, key.text, key.length, &v))
            return QUICK_WRONG;
    } while (take(&c, ','));
    if (!take(&c, '}'))
        return QUICK_NOT_FLAT;
    skip_space(&c);
    return c.at == c.end ? QUICK_OK : QUICK_NOT_FLAT;
}

static bool library_parse(const struct flow_line *l, const char *line, size_t length)
{
    json_error_t at;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &at), *value;
    const char *key;
    bool ok = true;

    if (!object)
        return fail(l->error, l->error_size, "column %d: %s", at.column, at.text);
    if (!json_is_object(object)) {
        json_decref(object);
        return fail(l->error, l->error_size, "expected an object");
    }
    json_object_foreach(object, key, value) {
        char number[40];
        struct value v = {.is_string = json_is_string(value)};

        if (v.is_string) {
            v.text = json_string_value(value);
            v.length = json_string_length(value);
        } else if (json_is_number(value)) {
            if (json_is_integer(value))
                snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
            else
                snprintf(number, sizeof number, "%.9f", json_real_value(value));
            v.text = number;
            v.length = strlen(number);
        } else {
            ok = fail(l->error, l->error_size, "%.64s: expected a string or a number", key);
            break;
        }
        ok = set_key(l, key, strlen(key), &v);
        if (!ok)
            break;
    }
    json_decref(object);
    return ok;
}

bool flow_parse_json(const char *line, size_t length, const struct router_config *config,
                     struct flow *f, char *error, size_t error_size)
{
    const struct flow_line l = {f, config, error, error_size};

    f->in_iface = -1;
    f->at_ns = 0;
    packet_init(&f->packet);
    switch (quick_parse(&l, line, length)) {
    case QUICK_WRONG: return false;
    case QUICK_OK: break;
    case QUICK_NOT_FLAT:
        f->in_iface = -1;
        f->at_ns = 0;
        packet_init(&f->packet);
        if (!library_parse(&l, line, length))
            return false;
        break;
    }
    return packet_finish(&f->packet, error, error_size);
}
