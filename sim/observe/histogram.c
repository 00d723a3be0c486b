#include "sim/observe/histogram.h"

#include <string.h>

#include "core/memory.h"

enum { LINEAR = 2 << HISTOGRAM_BITS }; /* below, a bucket a value */

static size_t bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < LINEAR)
        return (size_t)value;
    shift = 63 - HISTOGRAM_BITS - (unsigned)__builtin_clzll(value);
    return ((size_t)shift << HISTOGRAM_BITS) + (size_t)(value >> shift);
}

/* The middle of the values in the bucket. */
static uint64_t middle_of(size_t bucket)
{
    unsigned shift;

    if (bucket < LINEAR)
        return bucket;
    shift = (unsigned)(bucket >> HISTOGRAM_BITS) - 1;
    return ((uint64_t)(bucket - ((size_t)shift << HISTOGRAM_BITS)) << shift) +
           (((UINT64_C(1) << shift) - 1) >> 1);
}

void histogram_free(struct histogram *h)
{
    mem_free(h->counts);
    *h = (struct histogram){0};
}

static void reach(struct histogram *h, size_t len)
{
    if (len <= h->len)
        return;
    h->counts = mem_grow(h->counts, &h->cap, len, sizeof *h->counts);
    memset(h->counts + h->len, 0, (len - h->len) * sizeof *h->counts);
    h->len = len;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    const size_t bucket = bucket_of(value);

    reach(h, bucket + 1);
    h->counts[bucket]++;
    h->sum += (double)value;
    if (h->count++ == 0 || value < h->least)
        h->least = value;
    if (value > h->greatest)
        h->greatest = value;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
    if (other->count == 0)
        return;
    reach(h, other->len);
    for (size_t i = 0; i < other->len; i++)
        h->counts[i] += other->counts[i];
    if (h->count == 0 || other->least < h->least)
        h->least = other->least;
    if (other->greatest > h->greatest)
        h->greatest = other->greatest;
    h->count += other->count;
    h->sum += other->sum;
}

/* The least number of values that are this part of them all, and at least one. */
static uint64_t rank_of(uint64_t count, unsigned per_mille)
{
    const uint64_t rank =
        count / 1000 * per_mille + (count % 1000 * per_mille + 999) / 1000;

    return rank ? rank : 1;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned per_mille)
{
    uint64_t rank = rank_of(h->count, per_mille), value;
    size_t i = 0;

    if (h->count == 0)
        return 0;
    for (; i + 1 < h->len && h->counts[i] < rank; i++)
        rank -= h->counts[i];
    value = middle_of(i);
    if (value < h->least)
        return h->least;
    return value > h->greatest ? h->greatest : value;
}

double histogram_mean(const struct histogram *h)
{
    return h->count ? h->sum / (double)h->count : 0;
}
