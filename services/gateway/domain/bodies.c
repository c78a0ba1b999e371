#include "bodies.h"

#define STAGES            "awareness|consideration|decision|conversion|retention"
#define DEVICES           "mobile|tablet|desktop"
#define INTERACTIONS      "click|scroll|swipe|hover|form_fill"
#define WHOLE_MAX         2147483647.0 /* int columns */
#define ANY_LENGTH        1e15
#define URL_LENGTH        2000
#define IDENTIFIER_LENGTH 1024 /* as of events */
#define BODY(name, rows)  const struct gw_schema name = {rows, ARRAY_SIZE(rows)}

/* Members that every command may carry. */
#define COMMON_ROWS                                                                                \
    {                                                                                              \
        "message_id", GW_STRING, 0, 1, 200, NULL                                                   \
    }
#define ENGAGEMENT_ROWS                                                                            \
    {"engagement_metrics", GW_OBJECT, 0, 0, 0, NULL},                                              \
        {"engagement_metrics.time_on_page", GW_NUMBER, 0, 0, 1e9, NULL},                           \
        {"engagement_metrics.scroll_depth", GW_NUMBER, 0, 0, 1, NULL},                             \
        {"engagement_metrics.interaction_count", GW_INT, 0, 0, WHOLE_MAX, NULL},                   \
        {"engagement_metrics.engagement_score", GW_NUMBER, 0, 0, 1, NULL},                         \
    {                                                                                              \
        "contextual_data", GW_OBJECT, 0, 0, 0, NULL                                                \
    }

static const struct gw_field start_rows[] = {
    COMMON_ROWS,
    {"session_id", GW_STRING, GW_REQUIRED, 1, GW_MAX_SESSION_ID, NULL},
    {"persona", GW_OBJECT, 0, 0, 0, NULL},
    {"persona.type", GW_STRING, GW_REQUIRED, 1, 50, NULL},
    {"persona.confidence", GW_NUMBER, 0, 0, 1, NULL},
    {"device_context", GW_OBJECT, 0, 0, 0, NULL},
    {"device_context.type", GW_STRING, GW_REQUIRED, 1, 50, DEVICES},
    {"device_context.screen_size", GW_STRING, 0, 0, 100, NULL},
    {"device_context.fingerprint", GW_STRING, 0, 0, 1000, NULL},
    {"entry_point", GW_OBJECT, 0, 0, 0, NULL},
    {"entry_point.source", GW_STRING, GW_REQUIRED, 1, 100, NULL},
    {"entry_point.campaign", GW_STRING, 0, 0, 255, NULL},
    {"entry_point.referrer_video", GW_NAME_OR_OBJECT, 0, 1, 255, NULL},
    {"utm_data", GW_OBJECT, 0, 0, 0, NULL},
    {"referrer_data", GW_OBJECT, 0, 0, 0, NULL},
    {"referrer_data.referrer_video", GW_NAME_OR_OBJECT, 0, 1, 255, NULL},
    {"intent_signals", GW_SIGNALS, 0, 0, 0, NULL},
    {"returning_visitor_indicators", GW_OBJECT, 0, 0, 0, NULL},
    {"returning_visitor_indicators.visit_count", GW_INT, 0, 0, WHOLE_MAX, NULL},
    {"returning_visitor_indicators.last_visit", GW_TIME, 0, 0, 0, NULL},
    {"returning_visitor_indicators.previous_purchases", GW_INT, 0, 0, WHOLE_MAX, NULL},
    {"returning_visitor_indicators.known_customer", GW_BOOL, 0, 0, 0, NULL},
    {"user_id", GW_STRING, 0, 0, 255, NULL},
    {"anonymous_id", GW_STRING, 0, 0, 255, NULL},
    {"timestamp", GW_TIME, 0, 0, 0, NULL},
};

static const struct gw_field stage_rows[] = {
    COMMON_ROWS,
    {"new_stage", GW_STRING, GW_REQUIRED, 1, 50, STAGES},
    {"trigger_event", GW_STRING, GW_REQUIRED, 1, 255, NULL},
    ENGAGEMENT_ROWS,
};

static const struct gw_field touchpoint_rows[] = {
    COMMON_ROWS,
    {"touchpoint_type", GW_STRING, GW_REQUIRED, 1, 50, NULL},
    {"event_name", GW_STRING, GW_COLUMN, 0, 255, NULL},
    {"page_url", GW_STRING, GW_COLUMN, 0, URL_LENGTH, NULL},
    {"page_title", GW_STRING, GW_COLUMN, 0, 255, NULL},
    {"interaction_type", GW_STRING, GW_COLUMN, 1, 50, INTERACTIONS},
    {"interaction_data", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"engagement_score", GW_NUMBER, GW_COLUMN, 0, 1, NULL},
    {"duration_seconds", GW_INT, GW_COLUMN, 0, WHOLE_MAX, NULL},
    {"scroll_depth", GW_NUMBER, GW_COLUMN, 0, 1, NULL},
    {"click_count", GW_INT, GW_COLUMN, 0, WHOLE_MAX, NULL},
    {"conversion_value", GW_MONEY, GW_COLUMN, 0, 0, NULL},
    {"device_context", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"performance_metrics", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"personalization_applied", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"ab_test_variant", GW_STRING, GW_COLUMN, 0, 50, NULL},
    {"metadata", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"timestamp", GW_TIME, 0, 0, 0, NULL},
    ENGAGEMENT_ROWS,
};

/* user_data is checked, but stays here: it may name a person, and nothing readable goes into the log. */
static const struct gw_field conversion_rows[] = {
    COMMON_ROWS,
    {"event_type", GW_STRING, GW_REQUIRED, 1, 50, NULL},
    {"event_value", GW_MONEY, 0, 0, 0, NULL},
    {"event_currency", GW_CURRENCY, 0, 0, 0, NULL},
    {"funnel_step", GW_STRING, 0, 0, 50, NULL},
    {"order_id", GW_STRING, 0, 0, 100, NULL},
    {"attribution_data", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"product_data", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"user_data", GW_OBJECT, 0, 0, 0, NULL},
    {"campaign_data", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"device_data", GW_OBJECT, GW_COLUMN, 0, 0, NULL},
    {"timestamp", GW_TIME, 0, 0, 0, NULL},
};

static const struct gw_field end_rows[] = {
    COMMON_ROWS,
    {"exit_point", GW_JSON, 0, 0, ANY_LENGTH, NULL},
    {"timestamp", GW_TIME, 0, 0, 0, NULL},
};

/* Which purposes there are stands in ingest's domain/consent.h; those that no row names are refused by build_set_consent(). */
#define CHOICE(purpose, states)                                                                    \
    {                                                                                              \
        "purposes." purpose, GW_STRING, 0, 1, 50, states                                           \
    }
static const struct gw_field consent_rows[] = {
    COMMON_ROWS,
    {"subject", GW_OBJECT, GW_REQUIRED, 0, 0, NULL},
    {"subject.anonymous_id", GW_STRING, 0, 1, IDENTIFIER_LENGTH, NULL},
    {"subject.user_id", GW_STRING, 0, 1, IDENTIFIER_LENGTH, NULL},
    {"purposes", GW_OBJECT, GW_REQUIRED, 0, 0, NULL},
    CHOICE("necessary", "granted"),
    CHOICE("analytics", "granted|denied"),
    CHOICE("personalization", "granted|denied"),
    CHOICE("cross_device", "granted|denied"),
    CHOICE("marketing", "granted|denied"),
    CHOICE("sale_or_sharing", "granted|denied"),
    {"source", GW_STRING, 0, 1, 50, NULL},
    {"policy_version", GW_STRING, 0, 1, 50, NULL},
    {"region", GW_STRING, 0, 1, 50, NULL},
};

BODY(gw_start_body, start_rows);
BODY(gw_stage_body, stage_rows);
BODY(gw_touchpoint_body, touchpoint_rows);
BODY(gw_conversion_body, conversion_rows);
BODY(gw_end_body, end_rows);
BODY(gw_consent_body, consent_rows);

bool gw_session_id_valid(struct slice id)
{
    size_t characters = gw_characters(id);
    return characters >= 1 && characters <= GW_MAX_SESSION_ID && utf8_valid(id);
}
