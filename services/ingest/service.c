/* The service as the runtime sees it: its tables, its inputs, what it says. */
#include "domain/seen.h"
#include "ingest.h"
#include "topics.h"

static const struct store_column devices_columns[] = {
    {"tenant_id", STORE_UUID, 0},
    {"device", STORE_TEXT, 0},
    {"user_id", STORE_UUID, STORE_COLUMN_SELDOM},
    {"session_id", STORE_TEXT, STORE_COLUMN_SELDOM},
    {"session_start", STORE_TIME, STORE_COLUMN_SELDOM},
    {"last_seen_at", STORE_TIME, 0},
    {"sessions", STORE_INT, STORE_COLUMN_SELDOM},
    {"state", STORE_BYTES, 0},
};
const struct store_table ingest_devices_table = {
    .name = "device_sessions",
    .columns = devices_columns,
    .n_columns = ARRAY_SIZE(devices_columns),
    .n_key = 2,
    .conflict = STORE_UPDATE,
};

static const struct store_column seen_columns[] = {
    {"tenant_id", STORE_UUID, 0},
    {"id", STORE_TEXT, 0},
    {"hour", STORE_TIME, 0},
    {"hashes", STORE_BYTES, 0},
};
const struct store_table ingest_seen_table = {
    .name = "seen",
    .columns = seen_columns,
    .n_columns = ARRAY_SIZE(seen_columns),
    .n_key = 3,
    .conflict = STORE_UPDATE,
    .roll = STORE_ROLL_HOUR,
    .roll_column = "hour",
    .roll_ahead = 6,
    .roll_keep = 24,
};
static const struct stream_parts seen_parts = {.table = &ingest_seen_table,
                                               .keep_us = INGEST_SEEN_KEEP_US};

#define CONSENTS_COLUMN(id, name, type) {name, STORE_##type, 0},
static const struct store_column consents_columns[] = {INGEST_CONSENTS_COLUMNS(CONSENTS_COLUMN)};
#undef CONSENTS_COLUMN
const struct store_table ingest_consents_table = {
    .name = "consents",
    .columns = consents_columns,
    .n_columns = ARRAY_SIZE(consents_columns),
    .n_key = 2,
    .conflict = STORE_IGNORE,
};
static const struct store_table *const tables[] = {&ingest_consents_table};

static const struct stream_state devices = {
    .name = "device",
    .table = &ingest_devices_table,
    .type = &journey__v1__device_record__descriptor,
    .project = ingest_device_project,
    .parts = &seen_parts,
};
static const struct stream_state *const states[] = {&devices};

/* Imports are events that wait while there is anything else. */
#define INPUT_OF_EVENTS(topic_, lane_)                                                             \
    {                                                                                              \
        .topic = (topic_), .lane = (lane_), .type = &journey__v1__event_batch__descriptor,         \
        .state = &devices, .count = ingest_batch_count, .key = ingest_batch_key,                   \
        .needs = ingest_batch_needs, .decide = ingest_batch_decide, .alone = ingest_batch_alone,   \
    }
static const struct stream_input inputs[] = {
    INPUT_OF_EVENTS(TOPIC_EVENTS, BUS_LANE_EVENTS),
    INPUT_OF_EVENTS(TOPIC_IMPORTS, BUS_LANE_IMPORTS),
    {
        .topic = TOPIC_COMMANDS_INGEST,
        .lane = BUS_LANE_COMMANDS,
        .type = &journey__v1__command__descriptor,
        .state = &devices,
        .key = ingest_command_key,
        .needs = ingest_command_needs,
        .decide = ingest_command_decide,
    },
    {
        .topic = TOPIC_CONSENTS,
        .lane = BUS_LANE_EVENTS,
        .type = &journey__v1__consent__descriptor,
        .state = &devices,
        .key = ingest_consents_key,
        .decide = ingest_consents_decide,
    },
};

static const struct stream_counter counters[] = {
#define INGEST_COUNTER_ROW(id, name, labels, help) [INGEST_COUNT_##id] = {name, labels, help},
    INGEST_COUNTER_TABLE(INGEST_COUNTER_ROW)
#undef INGEST_COUNTER_ROW
#define INGEST_INVALID_ROW(id, code, reason)                                                       \
    [INGEST_COUNT_REJECTED + INGEST_INVALID_##id - 1] = {                                          \
        "journey_ingest_rejected_total", "reason=\"" code "\"", "events that could not be used"},
        INGEST_INVALID_TABLE(INGEST_INVALID_ROW)
#undef INGEST_INVALID_ROW
};

static const int publishes[] = {TOPIC_ACCEPTED, TOPIC_COMMANDS_JOURNEY_STATE, TOPIC_CONSENTS};

const struct stream_service ingest_service = {
    .name = "ingest",
    .schema = "ingest",
    .inputs = inputs,
    .n_inputs = ARRAY_SIZE(inputs),
    .states = states,
    .n_states = ARRAY_SIZE(states),
    .tables = tables,
    .n_tables = ARRAY_SIZE(tables),
    .mirrors = &stream_settings_mirror,
    .n_mirrors = 1,
    .counters = counters,
    .n_counters = ARRAY_SIZE(counters),
    .publishes = publishes,
    .n_publishes = ARRAY_SIZE(publishes),
};
