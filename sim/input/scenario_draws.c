/* Values that synthetic traffic has and nobody else: ports from 0, weights of protocols. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_traffic.h"

static bool parse_port(const char *text, char **rest, uint16_t *port)
{
    unsigned long value;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoul(text, rest, 10);
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

bool synthetic_read_port_range(const struct reader *r, json_t *value, const char *pointer,
                               void *target)
{
    const char *text = json_string_value(value);
    const json_int_t number = json_integer_value(value);
    struct config_range range = {(uint16_t)number, (uint16_t)number};
    char *rest = NULL;
    bool ok = json_is_integer(value) && number >= 0 && number <= UINT16_MAX;

    if (text && strlen(text) == json_string_length(value)) {
        ok = parse_port(text, &rest, &range.first);
        range.last = range.first;
        if (ok && *rest == '-')
            ok = parse_port(rest + 1, &rest, &range.last);
        ok = ok && *rest == '\0' && range.first <= range.last;
    }
    if (!ok)
        return diag_error(
            r->diag, pointer,
            "expected a port from 0 to 65535, or a range such as \"1000-2000\"");
    memcpy(target, &range, sizeof range);
    return true;
}

static const struct reader_field port_range_field = {
    .kind = READER_CUSTOM,
    .size = sizeof(struct config_range),
    .custom = synthetic_read_port_range,
    .schema = "{\"oneOf\": [" SYNTHETIC_PORTS_SCHEMA "]}",
};

static const struct reader_field port_list_field = {
    .kind = READER_ARRAY,
    READER_LIST(struct ports_text, items, len),
    .each = &port_range_field,
    .min = 1,
    .max = SCENARIO_GATEWAYS_MAX,
};

/* One range, or an array of them. */
bool synthetic_read_ports(const struct reader *r, json_t *value, const char *pointer,
                          void *target)
{
    struct ports_text *t = target;

    if (json_is_array(value))
        return reader_read_value(r, &port_list_field, value, pointer, t);
    t->items = arena_alloc(r->arena, 1, sizeof *t->items);
    t->len = 1;
    return synthetic_read_port_range(r, value, pointer, t->items);
}

static const char *const protocol_names[FLOWGEN_PROTOCOLS] = {
    [FLOWGEN_TCP] = "tcp",
    [FLOWGEN_UDP] = "udp",
    [FLOWGEN_QUIC] = "quic",
};

static bool protocol_add(struct protocol_text *t, const char *name, double weight)
{
    for (size_t i = 0; name && i < FLOWGEN_PROTOCOLS; i++)
        if (strcmp(protocol_names[i], name) == 0) {
            t->weights[i] = weight;
            return true;
        }
    return false;
}

/* "udp", or {"tcp": 8, "udp": 1, "quic": 3}. */
bool synthetic_read_protocol(const struct reader *r, json_t *value, const char *pointer,
                             void *target)
{
    struct protocol_text t = {.weights = {0}};
    bool ok = json_is_string(value) && protocol_add(&t, json_string_value(value), 1);
    const char *name;
    json_t *weight;
    double sum = 0;

    if (json_is_object(value)) {
        ok = true;
        json_object_foreach (value, name, weight) {
            const double w = json_number_value(weight);

            ok = ok && json_is_number(weight) && w >= 0 && w <= 1e9 &&
                 protocol_add(&t, name, w);
            sum += w;
        }
        ok = ok && sum > 0;
    }
    if (!ok)
        return diag_error(
            r->diag, pointer,
            "expected 'tcp', 'udp', 'quic', or an object of their weights such "
            "as {\"tcp\": 8, \"quic\": 2}");
    memcpy(target, &t, sizeof t);
    return true;
}

static const struct reader_field strings_field = {
    .kind = READER_ARRAY,
    READER_LIST(struct strings_text, items, len),
    .each = &reader_string,
    .min = 1,
    .max = SCENARIO_LIST_MAX,
    .expected = "a string, or an array of them",
};

bool synthetic_read_strings(const struct reader *r, json_t *value, const char *pointer,
                            void *target)
{
    return scenario_read_one_or_many(r, &strings_field, value, pointer, target);
}
