#pragma once
/*
 * The tables of schema `journey` that this service writes, column by column as in migrations/journey:
 * an index per column (SESSION_ID of journey_sessions is SESSIONS_SESSION_ID) and the store's row.
 */
#include "store.h"

/* COLUMN(id, name, type, flags) */
#define SESSIONS_COLUMNS(COLUMN)                                                                   \
    COLUMN(SESSIONS_TENANT_ID, "tenant_id", UUID, 0)                                               \
    COLUMN(SESSIONS_SESSION_ID, "session_id", TEXT, 0)                                             \
    COLUMN(SESSIONS_ID, "id", UUID, STORE_COLUMN_ONCE)                                             \
    COLUMN(SESSIONS_USER_ID, "user_id", UUID, STORE_COLUMN_SELDOM)                                 \
    COLUMN(SESSIONS_PERSONA_TYPE, "persona_type", TEXT, STORE_COLUMN_SELDOM)                       \
    COLUMN(SESSIONS_PERSONA_CONFIDENCE, "persona_confidence", FLOAT, STORE_COLUMN_SELDOM)          \
    COLUMN(SESSIONS_DEVICE_TYPE, "device_type", TEXT, STORE_COLUMN_SELDOM)                         \
    COLUMN(SESSIONS_DEVICE_FINGERPRINT, "device_fingerprint", TEXT, STORE_COLUMN_SELDOM)           \
    COLUMN(SESSIONS_START_TIMESTAMP, "start_timestamp", TIME, STORE_COLUMN_SELDOM)                 \
    COLUMN(SESSIONS_END_TIMESTAMP, "end_timestamp", TIME, 0)                                       \
    COLUMN(SESSIONS_CURRENT_STAGE, "current_stage", TEXT, 0)                                       \
    COLUMN(SESSIONS_JOURNEY_PATH, "journey_path", TEXT, 0)                                         \
    COLUMN(SESSIONS_CONVERSION_PROBABILITY, "conversion_probability", FLOAT, 0)                    \
    COLUMN(SESSIONS_TOTAL_TOUCHPOINTS, "total_touchpoints", INT, 0)                                \
    COLUMN(SESSIONS_TOTAL_SESSION_TIME, "total_session_time", INT, 0)                              \
    COLUMN(SESSIONS_ENTRY_POINT, "entry_point", JSON, STORE_COLUMN_SELDOM)                         \
    COLUMN(SESSIONS_UTM_DATA, "utm_data", JSON, STORE_COLUMN_SELDOM)                               \
    COLUMN(SESSIONS_REFERRER_DATA, "referrer_data", JSON, STORE_COLUMN_SELDOM)                     \
    COLUMN(SESSIONS_EXIT_POINT, "exit_point", JSON, 0)                                             \
    COLUMN(SESSIONS_CONVERSION_EVENTS, "conversion_events", JSON, 0)                               \
    COLUMN(SESSIONS_UX_INTELLIGENCE_CONTEXT, "ux_intelligence_context", JSON, STORE_COLUMN_SELDOM) \
    COLUMN(SESSIONS_METADATA, "metadata", JSON, STORE_COLUMN_SELDOM)                               \
    COLUMN(SESSIONS_CREATED_AT, "created_at", TIME, STORE_COLUMN_ONCE)                             \
    COLUMN(SESSIONS_UPDATED_AT, "updated_at", TIME, 0)                                             \
    COLUMN(SESSIONS_STATE, "state", BYTES, 0)

#define TOUCHPOINTS_COLUMNS(COLUMN)                                                                \
    COLUMN(TOUCHPOINTS_TENANT_ID, "tenant_id", UUID, 0)                                            \
    COLUMN(TOUCHPOINTS_RECEIVED_AT, "received_at", TIME, 0)                                        \
    COLUMN(TOUCHPOINTS_ID, "id", UUID, 0)                                                          \
    COLUMN(TOUCHPOINTS_SESSION_ID, "session_id", TEXT, 0)                                          \
    COLUMN(TOUCHPOINTS_SEQUENCE, "touchpoint_sequence", INT, 0)                                    \
    COLUMN(TOUCHPOINTS_TYPE, "touchpoint_type", TEXT, 0)                                           \
    COLUMN(TOUCHPOINTS_EVENT_NAME, "event_name", TEXT, 0)                                          \
    COLUMN(TOUCHPOINTS_PAGE_URL, "page_url", TEXT, 0)                                              \
    COLUMN(TOUCHPOINTS_PAGE_TITLE, "page_title", TEXT, 0)                                          \
    COLUMN(TOUCHPOINTS_INTERACTION_TYPE, "interaction_type", TEXT, 0)                              \
    COLUMN(TOUCHPOINTS_INTERACTION_DATA, "interaction_data", JSON, 0)                              \
    COLUMN(TOUCHPOINTS_ENGAGEMENT_SCORE, "engagement_score", FLOAT, 0)                             \
    COLUMN(TOUCHPOINTS_DURATION_SECONDS, "duration_seconds", INT, 0)                               \
    COLUMN(TOUCHPOINTS_SCROLL_DEPTH, "scroll_depth", FLOAT, 0)                                     \
    COLUMN(TOUCHPOINTS_CLICK_COUNT, "click_count", INT, 0)                                         \
    COLUMN(TOUCHPOINTS_CONVERSION_VALUE, "conversion_value", DECIMAL, 0)                           \
    COLUMN(TOUCHPOINTS_TIMESTAMP, "timestamp", TIME, 0)                                            \
    COLUMN(TOUCHPOINTS_DEVICE_CONTEXT, "device_context", JSON, 0)                                  \
    COLUMN(TOUCHPOINTS_PERFORMANCE_METRICS, "performance_metrics", JSON, 0)                        \
    COLUMN(TOUCHPOINTS_PERSONALIZATION_APPLIED, "personalization_applied", JSON, 0)                \
    COLUMN(TOUCHPOINTS_AB_TEST_VARIANT, "ab_test_variant", TEXT, 0)                                \
    COLUMN(TOUCHPOINTS_METADATA, "metadata", JSON, 0)                                              \
    COLUMN(TOUCHPOINTS_CREATED_AT, "created_at", TIME, STORE_COLUMN_ONCE)                          \
    COLUMN(TOUCHPOINTS_UPDATED_AT, "updated_at", TIME, 0)

#define CONVERSIONS_COLUMNS(COLUMN)                                                                \
    COLUMN(CONVERSIONS_TENANT_ID, "tenant_id", UUID, 0)                                            \
    COLUMN(CONVERSIONS_ID, "id", UUID, 0)                                                          \
    COLUMN(CONVERSIONS_SESSION_ID, "session_id", TEXT, 0)                                          \
    COLUMN(CONVERSIONS_EVENT_TYPE, "event_type", TEXT, 0)                                          \
    COLUMN(CONVERSIONS_EVENT_VALUE, "event_value", DECIMAL, 0)                                     \
    COLUMN(CONVERSIONS_EVENT_CURRENCY, "event_currency", TEXT, 0)                                  \
    COLUMN(CONVERSIONS_ORDER_ID, "order_id", TEXT, 0)                                              \
    COLUMN(CONVERSIONS_FUNNEL_STEP, "funnel_step", TEXT, 0)                                        \
    COLUMN(CONVERSIONS_TIMESTAMP, "conversion_timestamp", TIME, 0)                                 \
    COLUMN(CONVERSIONS_ATTRIBUTION_DATA, "attribution_data", JSON, 0)                              \
    COLUMN(CONVERSIONS_PRODUCT_DATA, "product_data", JSON, 0)                                      \
    COLUMN(CONVERSIONS_USER_DATA, "user_data", JSON, 0)                                            \
    COLUMN(CONVERSIONS_CAMPAIGN_DATA, "campaign_data", JSON, 0)                                    \
    COLUMN(CONVERSIONS_DEVICE_DATA, "device_data", JSON, 0)                                        \
    COLUMN(CONVERSIONS_REVENUE_ATTRIBUTED, "revenue_attributed", DECIMAL, 0)                       \
    COLUMN(CONVERSIONS_COMMISSION_EARNED, "commission_earned", DECIMAL, 0)                         \
    COLUMN(CONVERSIONS_LIFETIME_VALUE_PREDICTION, "lifetime_value_prediction", DECIMAL, 0)         \
    COLUMN(CONVERSIONS_METADATA, "metadata", JSON, 0)                                              \
    COLUMN(CONVERSIONS_CREATED_AT, "created_at", TIME, STORE_COLUMN_ONCE)                          \
    COLUMN(CONVERSIONS_UPDATED_AT, "updated_at", TIME, 0)

#define COLUMN_ENUM(id, name, type, flags) id,
enum sessions_column {
    SESSIONS_COLUMNS(COLUMN_ENUM) SESSIONS_N
};
enum touchpoints_column {
    TOUCHPOINTS_COLUMNS(COLUMN_ENUM) TOUCHPOINTS_N
};
enum conversions_column {
    CONVERSIONS_COLUMNS(COLUMN_ENUM) CONVERSIONS_N
};
#undef COLUMN_ENUM

extern const struct store_table sessions_table, touchpoints_table, conversions_table;
/* Of those who did not agree to analytics: the same columns, a partition a day, each dropped 48 hours
 * after it began. */
extern const struct store_table pseudonymous_touchpoints_table;
/* Every table besides the state's own. */
extern const struct store_table *const journey_tables[3];

/* A person's latest sessions. Key: tenant, user; found: PERSON_SESSION_ID, PERSON_STATE. */
extern const struct store_lookup person_lookup;
enum {
    PERSON_SESSION_ID,
    PERSON_STATE
};
/* Conversions of an order. Key: tenant, order id; found: ORDER_TYPE, ORDER_REVENUE. */
extern const struct store_lookup order_lookup;
enum {
    ORDER_TYPE,
    ORDER_REVENUE
};
/* A page of a session's touchpoints, every column. Key: tenant, session, after, until (sequences). */
extern const struct store_lookup page_lookup, pseudonymous_page_lookup;

/* Values of a row, set by column. An empty text, and a text that is NULL, is SQL's null. */
struct store_value value_text(const char *text);
struct store_value value_int(int64_t number);
struct store_value value_share(double share);  /* null when negative: not given */
struct store_value value_count(int64_t count); /* null when negative */
struct store_value value_bytes(const uint8_t *data, size_t size); /* null when data is NULL */
struct store_value value_null(void);
