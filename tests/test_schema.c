#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/addr.h"
#include "sim/input/schema.h"

struct probe {
    const char *name;
    int kind;
    int64_t every_ns;
    uint64_t rate_bps;
    uint8_t ttl;
    int64_t offset;
    double share;
    bool strict;
    struct addr target;
    struct prefix *nets;
    size_t net_count;
    struct probe *next;
    struct probe *children;
    size_t child_count;
    int custom;
};

static const char *const mood_names[] = {"calm", NULL, "wild"};

static bool read_nothing(const struct reader *r, json_t *value, const char *pointer,
                         void *target)
{
    (void)r, (void)value, (void)pointer, (void)target;
    return true;
}

static const struct reader_object probe_object;

static const struct reader_field probe_fields[] = {
    {.name = "name",
     .kind = READER_STRING,
     READER_AT(struct probe, name),
     .required = true,
     .min = 1,
     .max = 15,
     .doc = "what people call it"},
    {.name = "mood",
     .kind = READER_ENUM,
     READER_AT(struct probe, kind),
     READER_NAMES(mood_names),
     .by_default = "calm"},
    {.name = "every",
     .kind = READER_DURATION,
     READER_AT(struct probe, every_ns),
     .required = true,
     .min = 1000000,
     .max = 3600000000000,
     .doc = "its period"},
    {.name = "rate",
     .kind = READER_RATE,
     READER_AT(struct probe, rate_bps),
     .above_min = true,
     .by_default = "64k"},
    {.name = "ttl",
     .kind = READER_INT,
     READER_AT(struct probe, ttl),
     .min = 1,
     .max = 255,
     .by_default = "64"},
    {.name = "offset",
     .kind = READER_INT,
     READER_AT(struct probe, offset),
     .min = -5,
     .max = 0},
    {.name = "share",
     .kind = READER_NUMBER,
     READER_AT(struct probe, share),
     .highest = 1,
     .above_min = true},
    {.name = "strict", .kind = READER_BOOL, READER_AT(struct probe, strict)},
    {.name = "target", .kind = READER_ADDR, READER_AT(struct probe, target)},
    {.name = "nets",
     .kind = READER_ARRAY,
     READER_LIST(struct probe, nets, net_count),
     .each = &reader_prefix,
     .min = 1,
     .max = 4},
    {.name = "next",
     .kind = READER_OBJECT_PTR,
     READER_AT(struct probe, next),
     .object = &probe_object,
     .doc = "the one behind it"},
    {.name = "children",
     .kind = READER_MAP,
     READER_LIST(struct probe, children, child_count),
     .object = &probe_object},
    {.name = "custom",
     .kind = READER_CUSTOM,
     READER_AT(struct probe, custom),
     .custom = read_nothing,
     .schema = "{\"type\": [\"string\", \"null\"]}"},
    READER_END,
};
static const struct reader_object probe_object = {
    .name = "probe",
    .doc = "asks whether a path lives",
    READER_STRUCT(struct probe),
    .fields = probe_fields,
};

static const struct reader_field ping_fields[] = {
    {.name = "ttl",
     .kind = READER_INT,
     READER_AT(struct probe, ttl),
     .max = 255,
     .required = true},
    READER_END,
};
static const struct reader_field none_fields[] = {READER_END};
static const struct reader_variant variants[] = {{"ping", "echo requests", ping_fields},
                                                 {"none", NULL, none_fields},
                                                 {NULL, NULL, NULL}};
static const struct reader_field tagged_fields[] = {
    {.name = "kind",
     .kind = READER_ENUM,
     READER_AT(struct probe, kind),
     READER_NAMES(variants),
     .by_default = "none"},
    READER_END,
};
static const struct reader_object tagged_object = {
    .name = "tagged",
    READER_STRUCT(struct probe),
    .fields = tagged_fields,
    .tag = "kind",
    .variants = variants,
};

/* The part of the schema at a path of keys and indices: "properties/ttl/minimum". */
static json_t *part(json_t *schema, const char *path)
{
    char buf[128], *rest = buf, *key;

    snprintf(buf, sizeof buf, "%s", path);
    while (schema && (key = strsep(&rest, "/")))
        schema = json_is_array(schema) ? json_array_get(schema, (size_t)(*key - '0'))
                                       : json_object_get(schema, key);
    return schema;
}

static void assert_parts(json_t *schema, const char *const (*rows)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *got = part(schema, rows[i][0]);
        char *text = got ? json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

        if (strcmp(text ? text : "absent", rows[i][1]) != 0)
            fail_msg("%s: %s, not %s", rows[i][0], text ? text : "absent", rows[i][1]);
        free(text);
    }
}

static void a_table_becomes_a_closed_object(void **state)
{
    static const char *const rows[][2] = {
        {"$schema", "\"https://json-schema.org/draft/2020-12/schema\""},
        {"title", "\"a probe\""},
        {"description", "\"asks whether a path lives\""},
        {"type", "\"object\""},
        {"required", "[\"name\",\"every\"]"},
        {"additionalProperties", "false"},
    };
    json_t *schema = schema_of(&probe_object, "a probe");

    (void)state;
    assert_parts(schema, rows, sizeof rows / sizeof rows[0]);
    assert_int_equal(json_object_size(part(schema, "properties")), 13);
    json_decref(schema);
}

static void a_field_becomes_its_type_bounds_default_and_description(void **state)
{
    static const char *const rows[][2] = {
        {"properties/name", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":15,"
                            "\"description\":\"what people call it\"}"},
        {"properties/mood",
         "{\"type\":\"string\",\"enum\":[\"calm\",\"wild\"],\"default\":\"calm\"}"},
        {"properties/every/type", "\"string\""},
        {"properties/every/description", "\"its period; at least 1ms, at most 1h\""},
        {"properties/rate/description", "\"above 0\""},
        {"properties/rate/default", "\"64k\""},
        {"properties/ttl",
         "{\"type\":\"integer\",\"minimum\":1,\"maximum\":255,\"default\":64}"},
        {"properties/offset", "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":0}"},
        {"properties/share",
         "{\"type\":\"number\",\"exclusiveMinimum\":0.0,\"maximum\":1.0}"},
        {"properties/strict", "{\"type\":\"boolean\"}"},
        {"properties/target/type", "\"string\""},
        {"properties/nets/items/type", "\"string\""},
        {"properties/nets/minItems", "1"},
        {"properties/nets/maxItems", "4"},
        {"properties/next",
         "{\"$ref\":\"#/$defs/probe\",\"description\":\"the one behind it\"}"},
        {"properties/children/additionalProperties", "{\"$ref\":\"#/$defs/probe\"}"},
        {"properties/children/propertyNames", "{\"minLength\":1,\"maxLength\":255}"},
        {"properties/children/minProperties", "absent"},
        {"properties/custom", "{\"type\":[\"string\",\"null\"]}"},
    };
    json_t *schema = schema_of(&probe_object, "a probe");

    (void)state;
    assert_parts(schema, rows, sizeof rows / sizeof rows[0]);
    json_decref(schema);
}

static void an_object_that_holds_itself_is_defined_once(void **state)
{
    static const char *const rows[][2] = {
        {"$defs/probe/type", "\"object\""},
        {"$defs/probe/properties/next/$ref", "\"#/$defs/probe\""},
    };
    json_t *schema = schema_of(&probe_object, "a probe");

    (void)state;
    assert_parts(schema, rows, sizeof rows / sizeof rows[0]);
    assert_int_equal(json_object_size(part(schema, "$defs")), 1);
    json_decref(schema);
}

static const struct reader_field brief_fields[] = {
    {.name = "brief",
     .kind = READER_CUSTOM,
     READER_AT(struct probe, custom),
     .custom = read_nothing,
     .object = &tagged_object},
    READER_END,
};
static const struct reader_object brief_object = {
    .name = "brief", READER_STRUCT(struct probe), .fields = brief_fields};

static void a_custom_tagged_object_may_be_its_tag_alone(void **state)
{
    static const char *const rows[][2] = {
        {"properties/brief/oneOf/0", "{\"type\":\"string\",\"enum\":[\"ping\",\"none\"]}"},
        {"properties/brief/oneOf/1/$ref", "\"#/$defs/tagged\""},
    };
    json_t *schema = schema_of(&brief_object, "brief");

    (void)state;
    assert_parts(schema, rows, sizeof rows / sizeof rows[0]);
    json_decref(schema);
}

static void each_kind_of_a_tagged_object_is_a_branch(void **state)
{
    static const char *const rows[][2] = {
        {"oneOf/0/title", "\"ping\""},
        {"oneOf/0/description", "\"echo requests\""},
        {"oneOf/0/properties/kind", "{\"type\":\"string\",\"const\":\"ping\"}"},
        {"oneOf/0/properties/ttl/maximum", "255"},
        {"oneOf/0/required", "[\"kind\",\"ttl\"]"},
        {"oneOf/0/additionalProperties", "false"},
        {"oneOf/1/properties/kind",
         "{\"type\":\"string\",\"default\":\"none\",\"const\":\"none\"}"},
        {"oneOf/1/properties/ttl", "absent"},
        {"oneOf/1/required", "absent"}, /* the tag's default: it may be left out */
        {"oneOf/2", "absent"},
    };
    json_t *schema = schema_of(&tagged_object, "tagged");

    (void)state;
    assert_parts(schema, rows, sizeof rows / sizeof rows[0]);
    json_decref(schema);
}

static void the_same_tables_give_the_same_bytes(void **state)
{
    json_t *first = schema_of(&probe_object, "a probe");
    json_t *second = schema_of(&probe_object, "a probe");
    char *one = json_dumps(first, 0), *two = json_dumps(second, 0);

    (void)state;
    assert_string_equal(one, two);
    free(one);
    free(two);
    json_decref(first);
    json_decref(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_becomes_a_closed_object),
        cmocka_unit_test(a_field_becomes_its_type_bounds_default_and_description),
        cmocka_unit_test(an_object_that_holds_itself_is_defined_once),
        cmocka_unit_test(a_custom_tagged_object_may_be_its_tag_alone),
        cmocka_unit_test(each_kind_of_a_tagged_object_is_a_branch),
        cmocka_unit_test(the_same_tables_give_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
