#pragma once
/*
 * topics: the one table of Kafka topics. Creation, documentation (`journeyctl topics`), the readers' settings and the
 * names everywhere else come from it.
 *
 * Partitions: one count for all topics, fixed at installation (JOURNEY_PARTITIONS, default 16); a partition i of every
 * topic that a service reads belongs to the same instance, so equal keys must map equally: topic_partition().
 * A topic's count never changes; a new count is a new topic.
 */
#include "base.h"

/* TOPIC(id, name, message type in journey.v1, what its key is, kind, retention)
 * kind: EVENTS, IMPORTS and COMMANDS are lanes of the stream runtime; COMPACTED topics are mirrored;
 *       REPLIES is read by partition, without numbers.
 * retention in hours, of COMPACTED topics it is delete.retention.ms.
 */
#define TOPIC_TABLE(TOPIC)                                                                         \
    TOPIC(EVENTS, "journey.events.v1", "EventBatch", "tenant/device", EVENTS, 7 * 24)              \
    TOPIC(IMPORTS, "journey.imports.v1", "EventBatch", "tenant/device", IMPORTS, 7 * 24)           \
    TOPIC(COMMANDS_INGEST, "journey.commands.ingest.v1", "Command", "tenant/device", COMMANDS, 24) \
    TOPIC(ACCEPTED, "journey.accepted.v1", "Accepted", "tenant/session", EVENTS, 7 * 24)           \
    TOPIC(COMMANDS_JOURNEY_STATE, "journey.commands.journey-state.v1", "Command",                  \
          "tenant/session", COMMANDS, 24)                                                          \
    TOPIC(TOUCHPOINTS, "journey.touchpoints.v1", "Touchpoint", "tenant/session", EVENTS, 7 * 24)   \
    TOPIC(STATES, "journey.states.v1", "SessionState", "tenant/session", EVENTS, 7 * 24)           \
    TOPIC(REPLIES, "journey.replies.v1", "Reply", "none: the gateway's partition", REPLIES, 1)     \
    TOPIC(SETTINGS, "journey.settings.v1", "TenantSettings", "tenant", COMPACTED, 8 * 24)          \
    TOPIC(CONSENTS, "journey.consents.v1", "Consent", "tenant/subject", COMPACTED, 8 * 24)         \
    TOPIC(TEMPLATE_COMMANDS, "journey.commands.template.v1", "Command", "tenant/id", COMMANDS, 24) \
    TOPIC(TEMPLATE_COUNTS, "journey.counts.v1", "Count", "tenant/id", EVENTS, 24)

enum topic {
#define TOPIC_ENUM(id, ...) TOPIC_##id,
    TOPIC_TABLE(TOPIC_ENUM)
#undef TOPIC_ENUM
    TOPIC_COUNT
};

/* A topic's dead letters: `<name>.dlq`, its own record with headers that say why; retention 14 days. */
#define TOPIC_DLQ 0x100
static inline int topic_dlq(int topic)
{
    return topic | TOPIC_DLQ;
}

enum topic_kind {
    TOPIC_KIND_EVENTS,
    TOPIC_KIND_IMPORTS,
    TOPIC_KIND_COMMANDS,
    TOPIC_KIND_REPLIES,
    TOPIC_KIND_COMPACTED
};

struct topic_info {
    const char *name, *message_type, *key;
    enum topic_kind kind;
    int retention_hours;
};

const struct topic_info *
topic_info(int topic); /* of a dead-letter topic: that of the topic it belongs to */
/* The Kafka name, with `.dlq` where the bit is set; borrowed, for ever. */
const char *topic_name(int topic);
/* Full or short ("touchpoints", "journey.touchpoints.v1", with or without .dlq); -1 when unknown. */
int topic_find(const char *name);

/* What Kafka's JVM clients compute: murmur2 & 0x7fffffff % partitions. */
static inline int32_t topic_partition(struct slice key, int32_t partitions)
{
    return (int32_t)((hash_murmur2(key.data, key.size) & 0x7fffffff) % (uint32_t)partitions);
}

/* The text key of a record: `<tenant uuid>/<id>`; id is printable text (hashes as hex). Written to the arena. */
struct slice topic_key(const uint8_t tenant[16], struct slice id, struct arena *arena);
