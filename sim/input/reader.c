#include "sim/input/reader.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/addr.h"
#include "sim/input/nearest.h"
#include "sim/input/reader_parts.h"

static reader_read_kind read_object, read_object_ptr, read_array, read_map, read_custom,
    read_value;

const struct reader_row reader_rows[READER_KINDS] = {
    [READER_STRING] = {reader_read_string, sizeof(char *), "a string", "a string"},
    [READER_BOOL] = {reader_read_bool, sizeof(bool), "true or false", "true or false"},
    [READER_INT] = {reader_read_int, 0, "a whole number", "a whole number"},
    [READER_NUMBER] = {reader_read_number, sizeof(double), "a number", "a number"},
    [READER_DURATION] = {reader_read_duration, sizeof(int64_t),
                         "a string such as \"90s\"", "a duration such as \"90s\""},
    [READER_RATE] = {reader_read_rate, sizeof(uint64_t), "a string such as \"100M\"",
                     "a rate in bit/s such as \"100M\""},
    [READER_ADDR] = {reader_read_addr, sizeof(struct addr),
                     "a string such as \"192.0.2.1\"",
                     "an address such as \"192.0.2.1\" or \"2001:db8::1\""},
    [READER_PREFIX] = {reader_read_prefix, sizeof(struct prefix),
                       "a string such as \"192.0.2.0/24\"",
                       "a prefix such as \"192.0.2.0/24\" or \"2001:db8::/32\""},
    [READER_ENUM] = {reader_read_enum, 0, NULL, NULL}, /* the names themselves */
    [READER_OBJECT] = {read_object, 0, "an object", "an object"},
    [READER_OBJECT_PTR] = {read_object_ptr, sizeof(void *), "an object", "an object"},
    [READER_ARRAY] = {read_array, sizeof(void *), "an array", "an array"},
    [READER_MAP] = {read_map, sizeof(void *), "an object", "an object"},
    [READER_CUSTOM] = {read_custom, 0, NULL, NULL}, /* says so itself */
};

const struct reader_field reader_string = {.kind = READER_STRING, .size = sizeof(char *)};
const struct reader_field reader_addr = {.kind = READER_ADDR,
                                         .size = sizeof(struct addr)};
const struct reader_field reader_prefix = {.kind = READER_PREFIX,
                                           .size = sizeof(struct prefix)};

static bool read_custom(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at, void *base)
{
    if (json_is_string(v) && !reader_text(r, f, v, at))
        return false;
    return f->custom(r, v, reader_pointer_keep(r, at), reader_target(f, base));
}

/* ---- objects ---- */

static const struct reader_field *find_field(const struct reader_field *fields,
                                             const char *key)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, key) == 0)
            return fields;
    return NULL;
}

/* What the tag of the object says, or NULL when it says nothing that is known. */
static const struct reader_variant *variant_of(const struct reader_object *o, json_t *v)
{
    const struct reader_field *tag;
    const char *name;

    if (!o->tag)
        return NULL;
    tag = find_field(o->fields, o->tag);
    assert(tag && tag->kind == READER_ENUM && (tag->required || tag->by_default));
    name = json_string_value(json_object_get(v, o->tag));
    if (!name)
        name = tag->by_default;
    if (name && o->keyed && strcmp(o->keyed->name, name) == 0 &&
        json_object_get(v, o->keyed_by))
        return o->keyed;
    for (const struct reader_variant *w = o->variants; name && w->name; w++)
        if (strcmp(w->name, name) == 0)
            return w;
    return NULL;
}

/* The first variant that has the key. */
static const struct reader_variant *variant_with(const struct reader_object *o,
                                                 const char *key)
{
    for (const struct reader_variant *w = o->variants; o->tag && w->name; w++)
        if (find_field(w->fields, key))
            return w;
    return o->keyed && find_field(o->keyed->fields, key) ? o->keyed : NULL;
}

/* Say that the key is unknown, and which one was meant or which ones there are. */
static bool unknown_key(const struct reader *r, const struct reader_object *o,
                        const struct reader_variant *variant,
                        const struct reader_step *at)
{
    const struct reader_field *lists[] = {o->fields, variant ? variant->fields : NULL};
    struct nearest near = nearest_start(at->key);
    struct reader_list known = {.length = 0};
    char *pointer;

    for (size_t i = 0; i < 2; i++)
        for (const struct reader_field *f = lists[i]; f && f->name; f++) {
            nearest_offer(&near, f->name);
            reader_list_add(&known, f->name);
        }
    pointer = reader_pointer_alloc(at);
    if (near.name)
        diag_error_key(r->diag, pointer, "unknown key; did you mean '%s'?", near.name);
    else if (known.length > 0)
        diag_error_key(r->diag, pointer, "unknown key; known are %s", known.text);
    else
        diag_error_key(r->diag, pointer, "unknown key; none is known here");
    mem_free(pointer);
    return false;
}

/* Of a key that is neither common nor the variant's. */
static bool foreign_key(const struct reader *r, const struct reader_object *o,
                        const struct reader_variant *variant,
                        const struct reader_step *at)
{
    const struct reader_variant *owner = variant_with(o, at->key);
    char *pointer;

    if (diag_is_full(r->diag)) /* spare the wording */
        return diag_error(r->diag, NULL, "unknown key");
    if (!owner)
        return unknown_key(r, o, variant, at);
    pointer = reader_pointer_alloc(at);
    if (strcmp(owner->name, variant->name) != 0)
        diag_error_key(r->diag, pointer, "no key of %s '%s'; it belongs to '%s'", o->tag,
                       variant->name, owner->name);
    else
        diag_error_key(r->diag, pointer, "%s together with '%s'",
                       variant == o->keyed ? "not" : "only", o->keyed_by);
    mem_free(pointer);
    return false;
}

static bool check_keys(const struct reader *r, const struct reader_object *o,
                       const struct reader_variant *variant, json_t *v,
                       const struct reader_step *at)
{
    const char *key;
    json_t *member;
    bool ok = true;

    json_object_foreach(v, key, member)
    {
        struct reader_step step = {.parent = at, .key = key};

        if (find_field(o->fields, key))
            continue;
        if (variant ? !!find_field(variant->fields, key) : !!variant_with(o, key))
            continue; /* without a variant the tag is at fault, not the key */
        ok = foreign_key(r, o, variant, &step);
    }
    return ok;
}

static bool read_members(const struct reader *r, const struct reader_object *o, json_t *v,
                         const struct reader_step *at, void *target);

/* Give an absent member what stands for it. */
static void read_absent(const struct reader *r, const struct reader_field *f,
                        const struct reader_step *at, void *base)
{
    json_t *value = reader_field_default(f);

    if (value) {
        bool ok = read_value(r, f, value, at, base);

        assert(ok);
        (void)ok;
        json_decref(value);
    } else if (f->kind == READER_OBJECT) {
        read_members(r, f->object, NULL, at, reader_target(f, base));
    }
}

static bool read_fields(const struct reader *r, const struct reader_field *fields,
                        json_t *v, const struct reader_step *at, void *base)
{
    bool ok = true;

    for (const struct reader_field *f = fields; f->name; f++) {
        json_t *member = json_object_get(v, f->name);
        struct reader_step step = {.parent = at, .key = f->name};

        if (member)
            ok = read_value(r, f, member, &step, base) && ok;
        else if (f->required && v)
            ok = reader_fail(r, at, "missing key '%s'", f->name);
        else
            read_absent(r, f, &step, base);
        if (member && f->given)
            *((bool *)base + f->given - 1) = true;
    }
    return ok;
}

/* The members of an object, or with NULL what stands for an absent one. */
static bool read_members(const struct reader *r, const struct reader_object *o, json_t *v,
                         const struct reader_step *at, void *target)
{
    const struct reader_variant *variant = variant_of(o, v);
    const char *pointer =
        o->pointer || (v && o->check) ? reader_pointer_keep(r, at) : NULL;
    bool ok = check_keys(r, o, variant, v, at);

    ok = read_fields(r, o->fields, v, at, target) && ok;
    if (variant)
        ok = read_fields(r, variant->fields, v, at, target) && ok;
    if (o->pointer)
        memcpy((char *)target + o->pointer - 1, &pointer, sizeof pointer);
    if (ok && v && o->check)
        ok = o->check(r, target, pointer);
    return ok;
}

static bool read_object(const struct reader *r, const struct reader_field *f, json_t *v,
                        const struct reader_step *at, void *base)
{
    assert(f->size == f->object->size);
    if (!json_is_object(v))
        return reader_fail_type(r, f, at, v);
    return read_members(r, f->object, v, at, reader_target(f, base));
}

static bool read_object_ptr(const struct reader *r, const struct reader_field *f,
                            json_t *v, const struct reader_step *at, void *base)
{
    void *object;

    if (!json_is_object(v))
        return reader_fail_type(r, f, at, v);
    object = arena_alloc(r->arena, 1, f->object->size);
    memcpy(reader_target(f, base), &object, sizeof object);
    return read_members(r, f->object, v, at, object);
}

/* ---- arrays and maps ---- */

static size_t element_size(const struct reader_field *f, const struct reader_field *each)
{
    return f->each_size ? f->each_size : each->size;
}

static void store_list(const struct reader_field *f, void *base, void *items,
                       size_t count)
{
    memcpy(reader_target(f, base), &items, sizeof items);
    memcpy((char *)base + f->count, &count, sizeof count);
}

static bool read_array(const struct reader *r, const struct reader_field *f, json_t *v,
                       const struct reader_step *at, void *base)
{
    struct reader_field made;
    const struct reader_field *each = reader_field_element(f, &made);
    size_t count = json_array_size(v), stride = element_size(f, each);
    char *items;
    bool ok = true;

    if (!json_is_array(v))
        return reader_fail_type(r, f, at, v);
    if (!reader_check_count(r, f, at, count, "element"))
        return false;
    items = arena_alloc(r->arena, count, stride);
    for (size_t i = 0; i < count; i++) {
        struct reader_step step = {.parent = at, .index = i};

        ok = read_value(r, each, json_array_get(v, i), &step, items + i * stride) && ok;
    }
    store_list(f, base, items, count);
    return ok;
}

/* A map's key into the first member of its struct. */
static bool read_name(const struct reader *r, const struct reader_step *at, void *item)
{
    const char *name;

    if (*at->key == '\0')
        return reader_fail(r, at, "a name must not be empty");
    if (strlen(at->key) > READER_NAME_MAX)
        return reader_fail(r, at, "a name must have at most %d bytes", READER_NAME_MAX);
    name = arena_strdup(r->arena, at->key);
    memcpy(item, &name, sizeof name);
    return true;
}

static bool read_map(const struct reader *r, const struct reader_field *f, json_t *v,
                     const struct reader_step *at, void *base)
{
    struct reader_field made;
    const struct reader_field *each = reader_field_element(f, &made);
    size_t count = json_object_size(v), stride = element_size(f, each);
    char *items, *item;
    const char *key;
    json_t *member;
    bool ok = true;

    if (!json_is_object(v))
        return reader_fail_type(r, f, at, v);
    if (!reader_check_count(r, f, at, count, "member"))
        return false;
    item = items = arena_alloc(r->arena, count, stride);
    json_object_foreach(v, key, member)
    {
        struct reader_step step = {.parent = at, .key = key};

        ok = read_name(r, &step, item) && read_value(r, each, member, &step, item) && ok;
        item += stride;
    }
    store_list(f, base, items, count);
    return ok;
}

static bool read_value(const struct reader *r, const struct reader_field *f, json_t *v,
                       const struct reader_step *at, void *base)
{
    assert(reader_rows[f->kind].size == 0 || reader_rows[f->kind].size == f->size);
    return reader_rows[f->kind].read(r, f, v, at, base);
}

/* ---- from outside ---- */

json_t *reader_load(struct diag *d, const char *text, size_t length)
{
    /* A single value and U+0000 pass here, so that they are refused in our words. */
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;
    json_t *json = json_loadb(text, length, flags, &error);

    if (!json)
        diag_error_at(d, error.line > 0 ? (size_t)error.line : 1,
                      error.column > 0 ? (size_t)error.column : 1, "%s", error.text);
    return json;
}

bool reader_read_value(const struct reader *r, const struct reader_field *field,
                       json_t *value, const char *pointer, void *base)
{
    struct reader_step at = {.key = pointer};

    return read_value(r, field, value, &at, base);
}

bool reader_read(const struct reader *r, const struct reader_object *object,
                 json_t *value, const char *pointer, void *target)
{
    struct reader_field field = {
        .kind = READER_OBJECT, .object = object, .size = object->size};

    return reader_read_value(r, &field, value, pointer, target);
}

/* ---- what the tables say ---- */

int64_t reader_field_max(const struct reader_field *field)
{
    bool none = field->max < field->min || (field->max == 0 && field->min == 0);

    return none ? INT64_MAX : field->max;
}

static bool any_number(const struct reader_field *field)
{
    return !(field->lowest < 0.0 || field->lowest > 0.0 || field->highest < 0.0 ||
             field->highest > 0.0);
}

bool reader_field_has_lowest(const struct reader_field *field)
{
    return field->above_min || (!any_number(field) && isfinite(field->lowest));
}

bool reader_field_has_highest(const struct reader_field *field)
{
    return !any_number(field) && isfinite(field->highest) &&
           !(field->highest < field->lowest);
}

const char *reader_field_name_from(const struct reader_field *field, size_t *index)
{
    size_t stride = field->name_stride ? field->name_stride : sizeof(char *);

    for (;; (*index)++) {
        const char *name;

        if (field->name_count != 0 && *index >= field->name_count)
            return NULL;
        memcpy(&name, (const char *)field->names + *index * stride, sizeof name);
        if (name || field->name_count == 0)
            return name;
    }
}

const struct reader_field *reader_field_element(const struct reader_field *field,
                                                struct reader_field *made)
{
    if (field->each)
        return field->each;
    *made = (struct reader_field){
        .kind = READER_OBJECT, .object = field->object, .size = field->object->size};
    return made;
}

json_t *reader_field_default(const struct reader_field *field)
{
    json_t *value = NULL;

    if (!field->by_default)
        return NULL;
    switch (field->kind) {
    case READER_STRING:
    case READER_DURATION:
    case READER_RATE:
    case READER_ADDR:
    case READER_PREFIX:
    case READER_ENUM: value = json_string(field->by_default); break;
    case READER_BOOL:
    case READER_INT:
    case READER_NUMBER:
    case READER_OBJECT:
    case READER_OBJECT_PTR:
    case READER_ARRAY:
    case READER_MAP:
    case READER_CUSTOM:
    case READER_KINDS:
        value = json_loads(field->by_default, JSON_DECODE_ANY, NULL);
        break;
    }
    assert(value);
    return value;
}
