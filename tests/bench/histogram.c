#include "histogram.h"

enum {
    SUB = 32,       /* buckets per doubling */
    EXACT = 2 * SUB /* below it each value has its own */
};

static unsigned bucket_of(int64_t us)
{
    uint64_t v = us > 0 ? (uint64_t)us : 0;
    if (v < EXACT)
        return (unsigned)v;
    unsigned shift = 58 - (unsigned)__builtin_clzll(v); /* leaves SUB .. 2 * SUB - 1 */
    unsigned bucket = shift * SUB + (unsigned)(v >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static int64_t upper_of(unsigned bucket)
{
    if (bucket < EXACT)
        return bucket;
    unsigned shift = bucket / SUB - 1;
    return ((int64_t)(bucket % SUB + SUB + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t us)
{
    h->counts[bucket_of(us)]++;
    h->n++;
    h->max_us = max_i64(h->max_us, us);
}

int64_t histogram_percentile(const struct histogram *h, double share)
{
    uint64_t seen = 0, wanted = (uint64_t)(share * (double)h->n);
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
        seen += h->counts[b];
        if (seen > wanted)
            return min_i64(upper_of(b), h->max_us);
    }
    return h->max_us;
}
