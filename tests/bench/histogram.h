#pragma once
/* Latencies in microseconds: 32 buckets per doubling, so that a percentile is within 3 %. */
#include "base.h"

#define HISTOGRAM_BUCKETS 1024

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t n;
    int64_t max_us;
};

void histogram_add(struct histogram *histogram, int64_t us);
/* The latency that this share (0..1) stays below. */
int64_t histogram_percentile(const struct histogram *histogram, double share);
