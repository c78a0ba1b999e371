#pragma once
/*
 * One suite for every bus: the cases know only bus.h. test_mem_conformance.c runs them over the twin, the integration
 * test over Kafka. Each case takes partitions that no other has used, so one set of topics serves the whole run.
 */
#include "bus.h"

#define CONFORMANCE_PARTITIONS 4

struct conformance {
    /* queue: messages until ERR_FULL, 0 for the bus's own limit */
    struct bus *(*create)(struct conformance *suite, size_t queue);
    void (*truncate)(struct conformance *suite, int topic, int32_t partition, int64_t begin);
    int used; /* partitions given to cases */
};

int conformance_run(const char *name, struct conformance *suite);
