#include "sim/report/document.h"

const struct document_word document_causes[] = {
    {"forced", "its path failed"},
    {"collateral", "its path was well"},
    {"failback", "a path returned"},
    {"config", "the configuration changed"},
    {"policy", "the policy picks per packet"},
    {NULL, NULL},
};

const struct document_word document_fates[] = {
    {"broken", "could not go on"},
    {"rehomed", "went on under another address"},
    {"stalled", "lost packets on a dead path"},
    {"survived", "went on as before"},
    {NULL, NULL},
};

double document_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool document_has_number(const json_t *object, const char *key)
{
    return json_is_number(json_object_get(object, key));
}

bool document_is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const char *document_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

double document_sum(json_t *object)
{
    const char *key;
    json_t *value;
    double sum = 0;

    json_object_foreach (object, key, value)
        sum += json_number_value(value);
    return sum;
}
