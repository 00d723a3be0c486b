/*
 * reader - JSON values into C structs, driven by tables of fields
 *
 * A table says once what a key is called, what it may hold and where it goes; the reader
 * checks and stores by it, and schema.h prints the same table as a JSON Schema.
 *
 *     static const struct reader_field wan_fields[] = {
 *         {.name = "down", .kind = READER_RATE, READER_AT(struct wan, down_bps),
 *          .required = true, .min = 1, .doc = "capacity towards the LAN"},
 *         {.name = "delay", .kind = READER_DURATION, READER_AT(struct wan, delay_ns),
 *          .by_default = "0s", .doc = "one way"},
 *         {.name = "gateways", .kind = READER_ARRAY,
 *          READER_LIST(struct wan, gateways, gateway_count), .each = &reader_addr},
 *         READER_END,
 *     };
 *     static const struct reader_object wan_object = {
 *         .name = "wan", READER_STRUCT(struct wan), .fields = wan_fields,
 *         .pointer = READER_OFFSET(struct wan, pointer), .check = check_wan,
 *     };
 *     static const struct reader_field scenario_fields[] = {
 *         {.name = "wans", .kind = READER_MAP,
 *          READER_LIST(struct scenario, wans, wan_count), .object = &wan_object},
 *         READER_END,
 *     };
 *
 *     struct diag *d = diag_create(path, text, length);
 *     struct reader r = {.arena = arena, .diag = d};
 *     json_t *json = reader_load(d, text, length);
 *     bool ok = json && reader_read(&r, &scenario_object, json, "", &scenario);
 *     json_decref(json);
 *     diag_print(d, stderr);
 *
 * with `struct wan { const char *name, *pointer; uint64_t down_bps; ... }` and, for what
 * a table cannot say, a check that runs when all fields of the object were good:
 *
 *     static bool check_wan(const struct reader *r, void *object, const char *pointer)
 *     {
 *         struct wan *w = object;
 *         if (w->down_bps < w->up_bps)
 *             return diag_error_member(r->diag, pointer, "up", "must not exceed down");
 *         return true;
 *     }
 *
 * Every mistake is told, with its place; a bad value leaves its target as it was. Strings
 * and arrays are copied into the arena, nothing refers to the JSON afterwards. An absent
 * key without `by_default` leaves its target alone: start from zeroes, or from your own
 * defaults; elements of arrays and maps start from zeroes.
 *
 * Wrong tables (a target of the wrong size, a default that does not read) are asserted.
 *
 * Sources: RFC 8259 (JSON), RFC 6901 (pointers). Differs from RFC 8259: keys that occur
 * twice and U+0000 in strings are errors.
 */
#ifndef ECMPLAB_READER_H
#define ECMPLAB_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"
#include "sim/input/diag.h"

enum reader_kind {
    READER_STRING,     /* const char *; min, max: characters */
    READER_BOOL,       /* bool */
    READER_INT,        /* intN_t or uintN_t; min, max */
    READER_NUMBER,     /* double; lowest, highest */
    READER_DURATION,   /* int64_t, nanoseconds, from "90s" (units.h); min, max */
    READER_RATE,       /* uint64_t, bit/s, from "300M" (units.h); min, max */
    READER_ADDR,       /* struct addr, of either family */
    READER_PREFIX,     /* struct prefix; a bare address has full length; host_bits */
    READER_ENUM,       /* intN_t or uintN_t: the index of a string in `names` */
    READER_OBJECT,     /* a struct inside this one; `object` */
    READER_OBJECT_PTR, /* a pointer to a struct, NULL when the key is absent; `object` */
    READER_ARRAY,      /* a pointer and a count; `each` or `object`; min, max: elements */
    READER_MAP,        /* the same, from an object whose keys are the user's own names */
    READER_CUSTOM,     /* whatever `custom` stores; `schema` */
    READER_KINDS
};

/* Of a prefix such as 192.168.10.1/24, which has bits set behind its length. */
enum reader_host_bits {
    READER_HOST_BITS_REFUSED,
    READER_HOST_BITS_KEPT,
    READER_HOST_BITS_CLEARED
};

enum { READER_NAME_MAX = 255 }; /* bytes of a map's key */

struct reader {
    struct arena *arena; /* where strings, arrays and structs go */
    struct diag *diag;
    void *context; /* for `custom` and `check`; the reader does not look at it */
};

/*
 * Read `value` into `target` (the field's own place). False after telling the diag what
 * is wrong; reader_read() and reader_read_value() help with the parts. `pointer` lives as
 * long as the arena.
 */
typedef bool reader_custom(const struct reader *r, json_t *value, const char *pointer,
                           void *target);

/* Judge a struct whose fields were all good. False after telling the diag. */
typedef bool reader_check(const struct reader *r, void *object, const char *pointer);

struct reader_field {
    const char *name; /* the key; NULL ends a table */
    const char *doc;  /* one line for people, no capital, no full stop */
    enum reader_kind kind;
    bool required;
    bool above_min;    /* numbers, durations, rates: the lower bound itself is refused */
    uint8_t host_bits; /* READER_PREFIX: enum reader_host_bits */
    bool length_needed; /* READER_PREFIX: a bare address is refused */

    size_t offset, size; /* of the target: READER_AT, READER_LIST */
    size_t count;        /* arrays and maps: offset of a size_t */
    size_t given;        /* READER_GIVEN: of a bool, true when the key is there */

    /* What an absent key stands for: the string itself where the value is a string, JSON
     * text otherwise. It is read as if the user had written it. */
    const char *by_default;

    /* Bounds, inclusive, in the units of the target. A max below min, or both 0, is no
     * upper bound: INT64_MAX then. Integers of less than 8 bytes must have one. */
    int64_t min, max;
    double lowest, highest; /* READER_NUMBER; both 0 = any (unless above_min) */

    /* READER_ENUM: READER_NAMES(array) of names, or of structs that begin with a name. A
     * NULL among counted names is passed over; with a count of 0, NULL ends the array. */
    const void *names;
    size_t name_count, name_stride;

    const struct reader_object *object; /* objects; arrays and maps of objects */
    const struct reader_field *each;    /* arrays and maps of anything else: an element */
    size_t each_size; /* maps with `each`: of the struct in which `each` has its offset */

    reader_custom *custom;
    /* READER_CUSTOM: JSON text of its schema; it may be `object` too, and where that has a tag,
     * NULL stands for one of its names. */
    const char *schema;
    const char *expected; /* instead of the kind's own words: "a flow such as ..." */
};

/* The further keys of one kind of object. */
struct reader_variant {
    const char *name; /* NULL ends a table */
    const char *doc;
    const struct reader_field *fields;
};

struct reader_object {
    const char *name; /* of its definition in the schema, unique: "route" */
    const char *doc;
    size_t size; /* READER_STRUCT; in a map its first member is a const char *, the key */
    const struct reader_field *fields;
    size_t pointer; /* READER_OFFSET of a const char *: where it came from; 0 = none */
    reader_check *check;

    /* Objects of several kinds, all in one struct: `tag` is the name of the READER_ENUM
     * among `fields` whose names are READER_NAMES(variants), required or with a default;
     * its value adds that variant's fields. NULL: all are of one kind. */
    const char *tag;
    const struct reader_variant *variants;
    const struct reader_variant *keyed; /* takes the place of the variant of its name ... */
    const char *keyed_by;               /* ... where the object has this key; NULL: nothing */
};

/* Offset plus one, so that 0 can mean "none". */
#define READER_OFFSET(type, member) (offsetof(type, member) + 1)

/* 0, or no compilation when the member has not the size of `other`. */
#define READER_SAME_SIZE(type, member, other)                                            \
    (0 * sizeof(char[sizeof(((type *)0)->member) == sizeof(other) ? 1 : -1]))

/* Where a field's value goes, where a list and its size_t count go, which bool tells that
 * the key is there; the struct of an object; the names of an enum; the end of a table. */
#define READER_AT(type, member)                                                          \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define READER_LIST(type, member, counter)                                               \
    READER_AT(type, member),                                                             \
        .count = offsetof(type, counter) + READER_SAME_SIZE(type, counter, size_t)
#define READER_GIVEN(type, member)                                                       \
    .given = READER_OFFSET(type, member) + READER_SAME_SIZE(type, member, bool)
#define READER_STRUCT(type) .size = sizeof(type)
#define READER_NAMES(array)                                                              \
    .names = (array), .name_count = sizeof(array) / sizeof((array)[0]),                  \
    .name_stride = sizeof((array)[0])
#define READER_END                                                                       \
    {                                                                                    \
        .name = NULL                                                                     \
    }

/* One element of an array of strings, of addresses, of prefixes without host bits. */
extern const struct reader_field reader_string, reader_addr, reader_prefix;

/* Parse a JSON text; NULL after telling the diag where its syntax is wrong. */
json_t *reader_load(struct diag *d, const char *text, size_t length);

/* Read the object `value`, which `pointer` names, into the struct `target`. */
bool reader_read(const struct reader *r, const struct reader_object *object,
                 json_t *value, const char *pointer, void *target);

/* Read one value by one field, at the field's offsets in the struct `base`. */
bool reader_read_value(const struct reader *r, const struct reader_field *field,
                       json_t *value, const char *pointer, void *base);

/* What the tables say, for all who draw from them. */

/* The upper bound in force: the field's own, or INT64_MAX. */
int64_t reader_field_max(const struct reader_field *field);
bool reader_field_has_lowest(const struct reader_field *field);
bool reader_field_has_highest(const struct reader_field *field);

/* The name at *index or behind it, moving *index there; NULL when there are no more. */
const char *reader_field_name_from(const struct reader_field *field, size_t *index);

/* What one element is: `each`, or a field of READER_OBJECT kind made into *made. */
const struct reader_field *reader_field_element(const struct reader_field *field,
                                                struct reader_field *made);

/* `by_default` as JSON, a new reference; NULL when there is none. */
json_t *reader_field_default(const struct reader_field *field);

#endif
