#include "client_answers.h"

#define ANSWER(json)                                                                               \
    {                                                                                              \
        "application/json",                                                                        \
        {                                                                                          \
            (const uint8_t *)("" json), sizeof(json) - 1                                           \
        }                                                                                          \
    }

const struct events_answer gw_answer_success = ANSWER("{\"success\":true}");
const struct events_answer gw_answer_rudder_source = ANSWER(
    "{\"source\":{\"id\":\"journey\",\"name\":\"journey\",\"writeKey\":\"\",\"enabled\":true,"
    "\"workspaceId\":\"journey\",\"config\":{\"statsCollection\":{\"errors\":{\"enabled\":"
    "false},\"metrics\":{\"enabled\":false}}},\"connections\":[],\"destinations\":[],"
    "\"dataplanes\":{}},\"updatedAt\":\"2026-01-01T00:00:00.000Z\"}");
const struct events_answer gw_answer_posthog_taken = ANSWER("{\"status\":1}");
const struct events_answer gw_answer_posthog_flags =
    ANSWER("{\"flags\":{},\"featureFlags\":{},\"featureFlagPayloads\":{},"
           "\"errorsWhileComputingFlags\":false," GW_POSTHOG_CONFIG "}");
const struct events_answer gw_answer_posthog_lists =
    ANSWER("{\"surveys\":[],\"survey_config\":null,\"experiments\":[],\"product_tours\":[],"
           "\"earlyAccessFeatures\":[],\"flags\":[],\"group_type_mapping\":{},\"cohorts\":{}}");
const struct events_answer gw_answer_jitsu_taken = ANSWER("{\"ok\":true}");
const struct events_answer gw_answer_jitsu_classic_taken = ANSWER("{\"status\":\"ok\"}");
