#pragma once
/* A set of topics of its own on the brokers that KAFKA_BROKERS names, gone again afterwards. */
#include "bus.h"

struct kafka_fixture {
    const char *brokers;
    char prefix[40];
};

/* False, with a word about why, when there are no brokers. */
bool kafka_fixture_init(struct kafka_fixture *fixture, int32_t partitions);
void kafka_fixture_deinit(struct kafka_fixture *fixture);
/* What retention does, now. */
void kafka_fixture_truncate(struct kafka_fixture *fixture, int topic, int32_t partition,
                            int64_t begin);
struct bus *kafka_fixture_bus(struct kafka_fixture *fixture, struct bus_kafka_options options);
