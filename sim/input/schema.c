#include "sim/input/schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sim/input/reader_parts.h"
#include "sim/input/units.h"

#define ADDR_PATTERN   "^[0-9A-Fa-f:.]+$"
#define PREFIX_PATTERN "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"

/* The definitions made so far, and which object each of them is of. */
struct defs {
    json_t *json;
    const struct reader_object **objects; /* in the order of `json` */
    size_t count, capacity;
};

static json_t *value_schema(struct defs *defs, const struct reader_field *f);
static json_t *object_schema(struct defs *defs, const struct reader_object *o);
static void describe(json_t *schema, const struct reader_field *f);

static void set_text(json_t *schema, const char *key, const char *text)
{
    if (text)
        json_object_set_new(schema, key, json_string(text));
}

static json_t *of_type(const char *type)
{
    json_t *schema = json_object();

    set_text(schema, "type", type);
    return schema;
}

static json_t *string_like(const char *pattern)
{
    json_t *schema = of_type("string");

    set_text(schema, "pattern", pattern);
    return schema;
}

/* min and max of the field under these keys, where they say anything. */
static void set_counts(json_t *schema, const struct reader_field *f, const char *min_key,
                       const char *max_key)
{
    if (f->min > 0)
        json_object_set_new(schema, min_key, json_integer(f->min));
    if (reader_field_max(f) < INT64_MAX)
        json_object_set_new(schema, max_key, json_integer(reader_field_max(f)));
}

static json_t *string_schema(const struct reader_field *f)
{
    json_t *schema = of_type("string");

    set_counts(schema, f, "minLength", "maxLength");
    return schema;
}

static json_t *int_schema(const struct reader_field *f)
{
    json_t *schema = of_type("integer");
    const char *min_key = f->above_min ? "exclusiveMinimum" : "minimum";

    json_object_set_new(schema, min_key, json_integer(f->min));
    json_object_set_new(schema, "maximum", json_integer(reader_field_max(f)));
    return schema;
}

static json_t *number_schema(const struct reader_field *f)
{
    json_t *schema = of_type("number");
    const char *min_key = f->above_min ? "exclusiveMinimum" : "minimum";

    if (reader_field_has_lowest(f))
        json_object_set_new(schema, min_key, json_real(f->lowest));
    if (reader_field_has_highest(f))
        json_object_set_new(schema, "maximum", json_real(f->highest));
    return schema;
}

static json_t *enum_schema(const struct reader_field *f)
{
    json_t *schema = of_type("string"), *names = json_array();
    const char *name;

    for (size_t i = 0; (name = reader_field_name_from(f, &i)); i++)
        json_array_append_new(names, json_string(name));
    json_object_set_new(schema, "enum", names);
    return schema;
}

/* Define the object unless that is done, and refer to it. */
static json_t *reference(struct defs *defs, const struct reader_object *o)
{
    json_t *schema = json_object();

    json_object_set_new(schema, "$ref", json_sprintf("#/$defs/%s", o->name));
    for (size_t i = 0; i < defs->count; i++)
        if (defs->objects[i] == o)
            return schema;

    assert(!json_object_get(defs->json, o->name)); /* two objects of one name */
    defs->objects = mem_grow(defs->objects, &defs->capacity, defs->count + 1,
                             sizeof defs->objects[0]);
    defs->objects[defs->count++] = o;
    json_object_set_new(defs->json, o->name,
                        json_null()); /* keeps its place in the order */
    json_object_set_new(defs->json, o->name, object_schema(defs, o));
    return schema;
}

/* What one element of an array or a map may be. */
static json_t *element_schema(struct defs *defs, const struct reader_field *f)
{
    struct reader_field made;
    const struct reader_field *each = reader_field_element(f, &made);
    json_t *schema = value_schema(defs, each);

    describe(schema, each);
    return schema;
}

static json_t *array_schema(struct defs *defs, const struct reader_field *f)
{
    json_t *schema = of_type("array");

    json_object_set_new(schema, "items", element_schema(defs, f));
    set_counts(schema, f, "minItems", "maxItems");
    return schema;
}

static json_t *map_schema(struct defs *defs, const struct reader_field *f)
{
    json_t *schema = of_type("object"), *names = json_object();

    json_object_set_new(names, "minLength", json_integer(1));
    json_object_set_new(names, "maxLength", json_integer(READER_NAME_MAX));
    json_object_set_new(schema, "propertyNames", names);
    json_object_set_new(schema, "additionalProperties", element_schema(defs, f));
    set_counts(schema, f, "minProperties", "maxProperties");
    return schema;
}

/* One of the names of the object's variants; anything where it has none. */
static json_t *tag_schema(const struct reader_object *o)
{
    for (const struct reader_field *f = o && o->tag ? o->fields : NULL; f && f->name; f++)
        if (strcmp(f->name, o->tag) == 0)
            return enum_schema(f);
    return json_object();
}

static json_t *custom_schema(struct defs *defs, const struct reader_field *f)
{
    json_t *schema = f->schema ? json_loads(f->schema, 0, NULL) : tag_schema(f->object);

    assert(json_is_object(schema));
    if (!f->object)
        return schema;
    return json_pack("{s:[o, o]}", "oneOf", schema, reference(defs, f->object));
}

/* What the field's value may be. */
static json_t *value_schema(struct defs *defs, const struct reader_field *f)
{
    switch (f->kind) {
    case READER_STRING: return string_schema(f);
    case READER_BOOL: return of_type("boolean");
    case READER_INT: return int_schema(f);
    case READER_NUMBER: return number_schema(f);
    case READER_DURATION: return string_like(UNITS_DURATION_PATTERN);
    case READER_RATE: return string_like(UNITS_RATE_PATTERN);
    case READER_ADDR: return string_like(ADDR_PATTERN);
    case READER_PREFIX: return string_like(PREFIX_PATTERN);
    case READER_ENUM: return enum_schema(f);
    case READER_OBJECT:
    case READER_OBJECT_PTR: return reference(defs, f->object);
    case READER_ARRAY: return array_schema(defs, f);
    case READER_MAP: return map_schema(defs, f);
    case READER_CUSTOM: return custom_schema(defs, f);
    case READER_KINDS: break;
    }
    assert(f->kind != READER_KINDS);
    return json_object();
}

enum { UNIT_BOUNDS_MAX = 2 * READER_BOUND_MAX + 32 };

/* "at least 1ms, at most 1h": bounds that a schema of a string cannot express. */
static const char *unit_bounds(const struct reader_field *f, char *buf, size_t size)
{
    bool has_min = f->min > 0 || f->above_min;
    bool has_max = reader_field_max(f) < INT64_MAX;
    char min[READER_BOUND_MAX] = "", max[READER_BOUND_MAX] = "";

    if ((f->kind != READER_DURATION && f->kind != READER_RATE) || (!has_min && !has_max))
        return NULL;
    if (has_min)
        reader_format(f->kind, f->min, min);
    if (has_max)
        reader_format(f->kind, f->max, max);
    if (!has_max)
        snprintf(buf, size, "%s %s", f->above_min ? "above" : "at least", min);
    else if (!has_min)
        snprintf(buf, size, "at most %s", max);
    else
        snprintf(buf, size, "%s %s, at most %s", f->above_min ? "above" : "at least", min,
                 max);
    return buf;
}

static void describe(json_t *schema, const struct reader_field *f)
{
    char buf[UNIT_BOUNDS_MAX];
    const char *bounds = unit_bounds(f, buf, sizeof buf);
    json_t *value = reader_field_default(f);

    if (f->doc && bounds)
        json_object_set_new(schema, "description",
                            json_sprintf("%s; %s", f->doc, bounds));
    else
        set_text(schema, "description", f->doc ? f->doc : bounds);
    if (value)
        json_object_set_new(schema, "default", value);
}

static void add_fields(struct defs *defs, const struct reader_field *fields,
                       json_t *properties, json_t *required)
{
    for (const struct reader_field *f = fields; f->name; f++) {
        json_t *schema = value_schema(defs, f);

        describe(schema, f);
        json_object_set_new(properties, f->name, schema);
        if (f->required)
            json_array_append_new(required, json_string(f->name));
    }
}

/* The tag of this variant: its one name, and the default only where that is the name. */
static void pin_tag(const struct reader_object *o, const struct reader_variant *variant,
                    json_t *properties)
{
    json_t *tag = json_object_get(properties, o->tag);
    const char *by_default = json_string_value(json_object_get(tag, "default"));

    json_object_del(tag, "enum");
    set_text(tag, "const", variant->name);
    if (by_default && strcmp(by_default, variant->name) != 0)
        json_object_del(tag, "default");
}

static bool needs_tag(const struct reader_object *o, const struct reader_variant *variant)
{
    const struct reader_field *f = o->fields;

    while (strcmp(f->name, o->tag) != 0)
        f++;
    return !f->by_default || strcmp(f->by_default, variant->name) != 0;
}

static bool has_text(const json_t *array, const char *text)
{
    size_t i;
    json_t *item;

    json_array_foreach(array, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

/* The object's members, with those of a variant when there is one. */
static void add_members(struct defs *defs, const struct reader_object *o,
                        const struct reader_variant *variant, json_t *schema)
{
    json_t *properties = json_object(), *required = json_array();

    add_fields(defs, o->fields, properties, required);
    if (variant) {
        pin_tag(o, variant, properties);
        if (needs_tag(o, variant) && !has_text(required, o->tag))
            json_array_append_new(required, json_string(o->tag));
        add_fields(defs, variant->fields, properties, required);
    }
    json_object_set_new(schema, "properties", properties);
    if (json_array_size(required) > 0)
        json_object_set(schema, "required", required);
    json_decref(required);
    json_object_set_new(schema, "additionalProperties", json_false());
}

static json_t *variant_schema(struct defs *defs, const struct reader_object *o,
                              const struct reader_variant *v)
{
    json_t *kind = json_object();

    set_text(kind, "title", v->name);
    set_text(kind, "description", v->doc);
    add_members(defs, o, v, kind);
    return kind;
}

static json_t *object_schema(struct defs *defs, const struct reader_object *o)
{
    json_t *schema = of_type("object"), *kinds;

    set_text(schema, "description", o->doc);
    if (!o->tag) {
        add_members(defs, o, NULL, schema);
        return schema;
    }
    kinds = json_array();
    for (const struct reader_variant *v = o->variants; v->name; v++)
        json_array_append_new(kinds, variant_schema(defs, o, v));
    if (o->keyed)
        json_array_append_new(kinds, variant_schema(defs, o, o->keyed));
    json_object_set_new(schema, "oneOf", kinds);
    return schema;
}

json_t *schema_of(const struct reader_object *root, const char *title)
{
    struct defs defs = {.json = json_object()};
    json_t *schema = json_object(), *body;

    set_text(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    set_text(schema, "title", title);
    body = object_schema(&defs, root);
    json_object_update(schema, body);
    json_decref(body);
    json_object_set_new(schema, "$defs", defs.json);
    mem_free(defs.objects);
    return schema;
}
