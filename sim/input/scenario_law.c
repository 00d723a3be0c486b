/* The laws that sizes and durations of synthetic connections are drawn from. */
#include <string.h>

#include "core/memory.h"
#include "sim/input/scenario_traffic.h"

/* One point of a distribution function: [BYTES, SHARE]. */
static bool read_point(const struct reader *r, json_t *value, const char *pointer,
                       void *target)
{
    const json_t *bytes = json_array_get(value, 0), *share = json_array_get(value, 1);
    struct law_point p = {json_number_value(bytes), json_number_value(share)};

    if (json_array_size(value) != 2 || !json_is_integer(bytes) ||
        !json_is_number(share) || p.value < 0 || p.value > (double)DEMAND_BYTES_MAX ||
        p.share < 0 || p.share > 1)
        return diag_error(r->diag, pointer,
                          "expected [BYTES, SHARE]: a whole number, and from 0 to 1 the "
                          "share of flows up to it");
    memcpy(target, &p, sizeof p);
    return true;
}

/* clang-format off */
static const struct reader_field point_field = {
    .kind = READER_CUSTOM, .size = sizeof(struct law_point), .custom = read_point,
    .schema = "{\"type\": \"array\", \"prefixItems\": [{\"type\": \"integer\", \"minimum\": 0},"
              " {\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}],"
              " \"minItems\": 2, \"maxItems\": 2}",
};

#define SHAPE_FIELD                                                                      \
    {.name = "shape", .kind = READER_NUMBER, READER_AT(struct law_text, shape),          \
     .required = true, .lowest = 0.01, .highest = 100, .doc = "smaller: a heavier tail"}
#define SIGMA_FIELD                                                                      \
    {.name = "sigma", .kind = READER_NUMBER, READER_AT(struct law_text, sigma),          \
     .required = true, .lowest = 0, .highest = 10,                                       \
     .doc = "standard deviation of the natural logarithm"}
#define BYTES(key, needed, about)                                                        \
    {.name = #key, .kind = READER_INT, READER_AT(struct law_text, key),                  \
     .required = needed, .min = 1, .max = DEMAND_BYTES_MAX, .doc = about}
#define TIME(key, needed, about)                                                         \
    {.name = #key, .kind = READER_DURATION, READER_AT(struct law_text, key),             \
     .required = needed, .max = SCENARIO_DURATION_MAX, .doc = about}

static const struct reader_field constant_size[] = {
    {.name = "bytes", .kind = READER_INT, READER_AT(struct law_text, value),
     .required = true, .min = 1, .max = DEMAND_BYTES_MAX, .doc = "of every one"},
    READER_END,
};
static const struct reader_field uniform_size[] = {
    BYTES(from, true, "the smallest"), BYTES(to, true, "the largest"), READER_END,
};
static const struct reader_field exponential_size[] = {
    BYTES(mean, true, "bytes"), READER_END,
};
static const struct reader_field pareto_size[] = {
    SHAPE_FIELD, BYTES(from, true, "the smallest"),
    BYTES(to, false, "the largest; the law is bounded there"), READER_END,
};
static const struct reader_field lognormal_size[] = {
    BYTES(median, true, "bytes"), SIGMA_FIELD, READER_END,
};
static const struct reader_field cdf_size[] = {
    {.name = "points", .kind = READER_ARRAY,
     READER_LIST(struct law_text, points, points_len), .each = &point_field,
     .required = true, .min = 1, .max = SCENARIO_LIST_MAX,
     .doc = "[BYTES, SHARE] each, the last of share 1; straight lines between them, from 0"},
    READER_END,
};
static const struct reader_field no_fields[] = {READER_END};

/* In the order of enum law_kind, then of laws_named. */
static const struct reader_variant size_variants[] = {
    {"constant", "every one alike", constant_size},
    {"uniform", "each size between two alike", uniform_size},
    {"exponential", "memoryless", exponential_size},
    {"pareto", "heavy-tailed, bounded where it is said", pareto_size},
    {"lognormal", "its logarithm is normal", lognormal_size},
    {"cdf", "a distribution function, point by point", cdf_size},
    {"internet-access", "of a university's Internet access", no_fields},
    {"web-search", "of a data centre answering searches", no_fields},
    {"data-mining", "of a data centre mining data", no_fields},
    {"hadoop", "of a Hadoop cluster", no_fields},
    {"key-value", "of a key-value store", no_fields},
    {"storage", "of a storage cluster", no_fields},
    READER_END,
};

static const struct reader_field size_fields[] = {
    {.name = "law", .kind = READER_ENUM, READER_AT(struct law_text, law), .required = true,
     READER_NAMES(size_variants), .doc = "the distribution"},
    {.name = "at_least", .kind = READER_INT, READER_AT(struct law_text, at_least),
     READER_GIVEN(struct law_text, at_least_given), .min = 1, .max = DEMAND_BYTES_MAX,
     .doc = "smaller draws become this; 1 when left out"},
    {.name = "at_most", .kind = READER_INT, READER_AT(struct law_text, at_most),
     READER_GIVEN(struct law_text, at_most_given), .min = 1, .max = DEMAND_BYTES_MAX,
     .doc = "larger draws become this; the most that a flow may have when left out"},
    READER_END,
};

static const struct reader_field constant_time[] = {
    {.name = "time", .kind = READER_DURATION, READER_AT(struct law_text, value),
     .required = true, .max = SCENARIO_DURATION_MAX, .doc = "of every one"},
    READER_END,
};
static const struct reader_field uniform_time[] = {
    TIME(from, true, "the shortest"), TIME(to, true, "the longest"), READER_END,
};
static const struct reader_field exponential_time[] = {
    TIME(mean, true, "of all"), READER_END,
};
static const struct reader_field pareto_time[] = {
    SHAPE_FIELD,
    {.name = "from", .kind = READER_DURATION, READER_AT(struct law_text, from),
     .required = true, .above_min = true, .max = SCENARIO_DURATION_MAX,
     .doc = "the shortest"},
    TIME(to, false, "the longest; the law is bounded there"), READER_END,
};
static const struct reader_field lognormal_time[] = {
    TIME(median, true, "half are longer"), SIGMA_FIELD, READER_END,
};

static const struct reader_variant time_variants[] = {
    {"constant", "every one alike", constant_time},
    {"uniform", "each time between two alike", uniform_time},
    {"exponential", "memoryless", exponential_time},
    {"pareto", "heavy-tailed, bounded where it is said", pareto_time},
    {"lognormal", "its logarithm is normal", lognormal_time},
    READER_END,
};

static const struct reader_field time_fields[] = {
    {.name = "law", .kind = READER_ENUM, READER_AT(struct law_text, law), .required = true,
     READER_NAMES(time_variants), .doc = "the distribution"},
    {.name = "at_least", .kind = READER_DURATION, READER_AT(struct law_text, at_least),
     READER_GIVEN(struct law_text, at_least_given), .max = SCENARIO_DURATION_MAX,
     .doc = "shorter draws become this"},
    {.name = "at_most", .kind = READER_DURATION, READER_AT(struct law_text, at_most),
     READER_GIVEN(struct law_text, at_most_given), .max = SCENARIO_DURATION_MAX,
     .doc = "longer draws become this"},
    READER_END,
};
/* clang-format on */

/* Ascending, with the whole at the end. */
static bool check_points(const struct reader *r, const struct law_text *t,
                         const char *pointer)
{
    char at[SCENARIO_POINTER_MAX];

    for (size_t i = 0; i < t->points_len; i++) {
        snprintf(at, sizeof at, "%s/points/%zu", pointer, i);
        if (i > 0 && (t->points[i].value < t->points[i - 1].value ||
                      t->points[i].share < t->points[i - 1].share))
            return diag_error(r->diag, at, "expected no less than the point before");
        if (i + 1 == t->points_len && t->points[i].share < 1)
            return diag_error(r->diag, at, "expected a share of 1 in the last point");
    }
    return true;
}

static bool check_law(const struct reader *r, void *object, const char *pointer)
{
    const struct law_text *t = object;

    if (t->law == LAW_CDF && !check_points(r, t, pointer))
        return false;
    if ((t->law == LAW_UNIFORM || (t->law == LAW_PARETO && t->to > 0)) && t->to < t->from)
        return diag_error_member(r->diag, pointer, "to", "must not be less than 'from'");
    if (t->law == LAW_PARETO && t->to == t->from)
        return diag_error_member(r->diag, pointer, "to", "must be more than 'from'");
    if (t->at_least_given && t->at_most_given && t->at_most < t->at_least)
        return diag_error_member(r->diag, pointer, "at_most",
                                 "must not be less than 'at_least'");
    return true;
}

const struct reader_object size_object = {
    .name = "size_law",
    .doc = "payload of a connection, both directions together",
    READER_STRUCT(struct law_text),
    .fields = size_fields,
    .pointer = READER_OFFSET(struct law_text, pointer),
    .check = check_law,
    .tag = "law",
    .variants = size_variants,
};

const struct reader_object duration_object = {
    .name = "duration_law",
    .doc = "how long a connection takes at least",
    READER_STRUCT(struct law_text),
    .fields = time_fields,
    .pointer = READER_OFFSET(struct law_text, pointer),
    .check = check_law,
    .tag = "law",
    .variants = time_variants,
};

/* Its members by kind: see struct law. */
static void law_set(struct law *l, const struct law_text *t)
{
    switch ((enum law_kind)t->law) {
    case LAW_CONSTANT: l->a = (double)t->value; break;
    case LAW_UNIFORM:
        l->a = (double)t->from;
        l->b = (double)t->to;
        break;
    case LAW_EXPONENTIAL: l->a = (double)t->mean; break;
    case LAW_PARETO:
        l->a = t->shape;
        l->b = (double)t->from;
        l->c = (double)t->to;
        break;
    case LAW_LOGNORMAL:
        l->a = (double)t->median;
        l->b = t->sigma;
        break;
    case LAW_CDF:
        l->points = t->points;
        l->len = t->points_len;
        break;
    case LAW_MIXTURE:
    case LAW_KINDS: break;
    }
}

struct law law_build(const struct law_text *t, bool is_size)
{
    struct law l = {.kind = t->law,
                    .at_least = is_size,
                    .at_most = is_size ? DEMAND_BYTES_MAX : SCENARIO_DURATION_MAX};

    if (t->law > LAW_CDF)
        l = laws_named[t->law - LAW_CDF - 1].law;
    else
        law_set(&l, t);
    if (t->at_least_given)
        l.at_least = t->at_least;
    if (t->at_most_given)
        l.at_most = t->at_most;
    if (l.at_most < l.at_least) /* one of them is the law's own */
        l.at_most = l.at_least = t->at_least_given ? l.at_least : l.at_most;
    return l;
}
