/*
 * Source NAT; and the ports, protocols and places that it shares with rules and events.
 *
 * Sources: RouterOS manual, /ip/firewall/nat; Linux xt_MASQUERADE, xt_SNAT.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/packet.h"
#include "sim/input/scenario_parts.h"

/* ---- ports, protocols, places ---- */

static bool parse_port(const char *text, char **rest, uint16_t *port)
{
    unsigned long value;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoul(text, rest, 10);
    if (value < 1 || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool parse_ports(const char *text, struct config_range *range)
{
    char *rest;

    if (!parse_port(text, &rest, &range->first))
        return false;
    range->last = range->first;
    if (*rest == '-' && !parse_port(rest + 1, &rest, &range->last))
        return false;
    return *rest == '\0' && range->first <= range->last;
}

bool scenario_read_ports(const struct reader *r, json_t *value, const char *pointer,
                         void *target)
{
    const char *text = json_string_value(value);
    json_int_t number = json_integer_value(value);
    struct config_range range = {0, 0};
    bool ok;

    if (text) {
        ok = strlen(text) == json_string_length(value) && parse_ports(text, &range);
    } else {
        ok = json_is_integer(value) && number >= 1 && number <= UINT16_MAX;
        range.first = range.last = (uint16_t)number;
    }
    if (!ok)
        return diag_error(r->diag, pointer,
                          "expected a port from 1 to 65535, or a range such as "
                          "\"1000-2000\"");
    memcpy(target, &range, sizeof range);
    return true;
}

bool scenario_read_protocol(const struct reader *r, json_t *value, const char *pointer,
                            void *target)
{
    const char *text = json_string_value(value);
    json_int_t number = json_integer_value(value);
    uint8_t protocol = 0; /* which would mean any */

    if (json_is_integer(value) && number >= 1 && number <= UINT8_MAX)
        protocol = (uint8_t)number;
    if (text && strlen(text) == json_string_length(value) &&
        !packet_protocol_parse(text, &protocol))
        protocol = 0;
    if (protocol == 0)
        return diag_error(
            r->diag, pointer,
            "expected a protocol such as 'tcp', or its number from 1 to 255");
    memcpy(target, &protocol, sizeof protocol);
    return true;
}

bool scenario_read_place(const struct reader *r, json_t *value, const char *pointer,
                         void *target)
{
    struct place_text place = {NULL, 0};

    if (json_is_integer(value) && json_integer_value(value) >= 0)
        place.index = (size_t)json_integer_value(value);
    else if (!json_is_string(value))
        return diag_error(r->diag, pointer, "expected a comment, or an index from 0");
    else if (!reader_read_value(r, &reader_string, value, pointer, &place.comment))
        return false;
    memcpy(target, &place, sizeof place);
    return true;
}

/* "203.0.113.1" or "203.0.113.1-203.0.113.6" */
static bool parse_addresses(const char *text, struct addr_range_text *range)
{
    const size_t length = strcspn(text, "-");
    char first[ADDR_TEXT_MAX];

    if (length >= sizeof first)
        return false;
    memcpy(first, text, length);
    first[length] = '\0';
    if (!addr_parse(first, &range->first))
        return false;
    range->last = range->first;
    if (text[length] == '-' && !addr_parse(text + length + 1, &range->last))
        return false;
    return range->first.family == range->last.family &&
           addr_compare(&range->first, &range->last) <= 0;
}

static bool read_addresses(const struct reader *r, json_t *value, const char *pointer,
                           void *target)
{
    const char *text = json_string_value(value);
    struct addr_range_text range = {.first = {.family = FAMILY_NONE}};

    if (!text || strlen(text) != json_string_length(value) ||
        !parse_addresses(text, &range))
        return diag_error(r->diag, pointer,
                          "expected an address, or a range such as "
                          "\"203.0.113.1-203.0.113.6\"");
    memcpy(target, &range, sizeof range);
    return true;
}

/* ---- reading ---- */

/* `chain` is there so that a list reads as RouterOS's own; only one is modelled. */
static bool read_chain(const struct reader *r, json_t *value, const char *pointer,
                       void *target)
{
    const char *text = json_string_value(value);

    (void)target;
    if (text && strcmp(text, "srcnat") == 0)
        return true;
    if (text && strcmp(text, "dstnat") == 0)
        return diag_error(r->diag, pointer,
                          "destination NAT is not modelled, expected 'srcnat'");
    return diag_error(r->diag, pointer, "expected 'srcnat'");
}

static reader_check check_nat;

static const char *const actions[] = {
    [NAT_MASQUERADE] = "masquerade", [NAT_SRC_NAT] = "src-nat", [NAT_ACCEPT] = "accept"};

static const char *const families[] = {[FAMILY_V4] = "ipv4", [FAMILY_V6] = "ipv6"};

/* clang-format off */
static const struct reader_field nat_fields[] = {
    {.name = "chain", .kind = READER_CUSTOM, READER_AT(struct nat_text, ok),
     .required = true,
     .custom = read_chain, .schema = "{\"const\": \"srcnat\"}", .doc = "srcnat"},
    {.name = "action", .kind = READER_ENUM, READER_AT(struct nat_text, nat.action),
     READER_NAMES(actions), .required = true,
     .doc = "masquerade: the outgoing interface's address; src-nat: to_addresses;"
             " accept: none"},
    {.name = "family", .kind = READER_ENUM, READER_AT(struct nat_text, nat.family),
     READER_NAMES(families), .by_default = "ipv4", .doc = "whose list the rule is in"},
    {.name = "out_interface", .kind = READER_STRING,
     READER_AT(struct nat_text, out_interface),
     .doc = "only connections that leave there"},
    {.name = "src_address", .kind = READER_PREFIX, READER_AT(struct nat_text, nat.src),
     .host_bits = READER_HOST_BITS_CLEARED, .doc = "only connections from there"},
    {.name = "dst_address", .kind = READER_PREFIX, READER_AT(struct nat_text, nat.dst),
     .host_bits = READER_HOST_BITS_CLEARED, .doc = "only connections to there"},
    {.name = "protocol", .kind = READER_CUSTOM, READER_AT(struct nat_text, protocol),
     .custom = scenario_read_protocol, .schema = SCENARIO_PROTOCOL_SCHEMA,
     .doc = "by name or number"},
    {.name = "src_port", .kind = READER_CUSTOM, READER_AT(struct nat_text, nat.sport),
     .custom = scenario_read_ports, .schema = SCENARIO_PORTS_SCHEMA,
     .doc = "one, or a range as \"1000-2000\""},
    {.name = "dst_port", .kind = READER_CUSTOM, READER_AT(struct nat_text, nat.dport),
     .custom = scenario_read_ports, .schema = SCENARIO_PORTS_SCHEMA, .doc = "likewise"},
    {.name = "to_addresses", .kind = READER_CUSTOM, READER_AT(struct nat_text, to),
     .custom = read_addresses,
     .schema = "{\"type\": \"string\", \"pattern\": \"^[0-9A-Fa-f:.]+(-[0-9A-Fa-f:.]+)?$\"}",
     .doc = "src-nat: the public address, or a range as \"203.0.113.1-203.0.113.6\""},
    {.name = "to_ports", .kind = READER_CUSTOM, READER_AT(struct nat_text, nat.to_ports),
     .custom = scenario_read_ports, .schema = SCENARIO_PORTS_SCHEMA,
     .doc = "the public source ports"},
    {.name = "disabled", .kind = READER_BOOL, READER_AT(struct nat_text, nat.disabled),
     .by_default = "false", .doc = "as if it were not there"},
    {.name = "comment", .kind = READER_STRING, READER_AT(struct nat_text, nat.comment),
     .doc = "what reports call it"},
    READER_END,
};
/* clang-format on */

const struct reader_object nat_object = {
    .name = "nat",
    .doc = "a rule of source NAT",
    READER_STRUCT(struct nat_text),
    .fields = nat_fields,
    .pointer = READER_OFFSET(struct nat_text, nat.pointer),
    .check = check_nat,
};

static bool check_to(const struct reader *r, const struct nat_text *t,
                     const char *pointer)
{
    const bool to_given = addr_is_set(&t->to.first);

    if (t->nat.action == NAT_SRC_NAT && !to_given)
        return diag_error(r->diag, pointer,
                          "missing key 'to_addresses', which action 'src-nat' needs");
    if (t->nat.action != NAT_SRC_NAT && to_given)
        return diag_error_member(r->diag, pointer, "to_addresses",
                                 "needs action 'src-nat'");
    if (t->nat.action == NAT_ACCEPT && t->nat.to_ports.last)
        return diag_error_member(r->diag, pointer, "to_ports",
                                 "has no effect with action 'accept'");
    return true;
}

static bool check_family(const struct reader *r, const struct nat_text *t,
                         const char *pointer)
{
    const struct {
        const char *key;
        unsigned family;
    } rows[] = {
        {"src_address", t->nat.src.addr.family},
        {"dst_address", t->nat.dst.addr.family},
        {"to_addresses", t->to.first.family},
    };
    bool ok = true;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].family && rows[i].family != t->nat.family)
            ok = diag_error_member(
                r->diag, pointer, rows[i].key, "%s in a rule whose family is '%s'",
                scenario_family_name(rows[i].family), families[t->nat.family]);
    return ok;
}

static bool check_ports(const struct reader *r, const struct nat_text *t,
                        const char *pointer)
{
    const struct {
        const char *key;
        uint16_t last;
    } rows[] = {
        {"src_port", t->nat.sport.last},
        {"dst_port", t->nat.dport.last},
        {"to_ports", t->nat.to_ports.last},
    };
    bool ok = true;

    if (packet_protocol_has_ports(t->protocol))
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].last)
            ok = diag_error_member(r->diag, pointer, rows[i].key,
                                   "needs a protocol that has ports, such as 'tcp'");
    return ok;
}

static bool check_nat(const struct reader *r, void *object, const char *pointer)
{
    struct nat_text *t = object;
    bool ok = check_to(r, t, pointer);

    ok = check_family(r, t, pointer) && ok;
    ok = check_ports(r, t, pointer) && ok;
    t->ok = ok;
    return ok;
}

/* ---- resolving names ---- */

void scenario_nat_build(struct scenario_reading *s, const struct nat_text *texts,
                        size_t len)
{
    struct config_nat *nat = arena_alloc(s->reader.arena, len, sizeof *nat);

    for (size_t i = 0; i < len; i++) {
        if (!texts[i].ok)
            continue;
        nat[i] = texts[i].nat;
        nat[i].out_iface = scenario_name_find(s, &s->ifaces, texts[i].out_interface,
                                              nat[i].pointer, "out_interface");
        nat[i].protocol = texts[i].protocol ? texts[i].protocol : -1;
        nat[i].to_first = texts[i].to.first;
        nat[i].to_last = texts[i].to.last;
    }
    s->scenario->router.nat = nat;
    s->scenario->router.nat_len = len;
    if (len > 0 && s->scenario->router.tracking == TRACKING_OFF)
        diag_error(s->reader.diag, "/router/connection_tracking/enabled",
                   "NAT rules need connection tracking: expected 'auto' or 'yes'");
}
