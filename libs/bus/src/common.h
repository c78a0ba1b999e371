#pragma once
/* What both buses share: what a message must look like, and one number for each topic and its dead
 * letters. */
#include "bus.h"

enum {
    TOPIC_SLOTS = 2 * TOPIC_COUNT
};

static inline bool topic_valid(int topic)
{
    int base = topic & ~TOPIC_DLQ;
    return base >= 0 && base < TOPIC_COUNT;
}

/* 0..TOPIC_SLOTS - 1, for arrays over all Kafka topics. */
static inline int topic_slot(int topic)
{
    return 2 * (topic & ~TOPIC_DLQ) + (topic & TOPIC_DLQ ? 1 : 0);
}

static inline int topic_of_slot(int slot)
{
    return slot / 2 | (slot % 2 ? TOPIC_DLQ : 0);
}

/* What counts against BUS_MAX_RECORD_BYTES. */
size_t bus_message_bytes(const struct bus_message *message);
/* ERR_INVALID or ERR_TOO_LARGE, both permanent: trying again does not help. */
int bus_message_check(const struct bus_message *message, int32_t partitions, struct err *err);
/* The same for a partition that is started or asked about. */
int bus_partition_check(int topic, int32_t partition, int32_t partitions, struct err *err);
