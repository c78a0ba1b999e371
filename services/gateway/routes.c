#include "routes.h"
#include "client_answers.h"
#include "commands.h"
#include "dead_letters.h"
#include "events.h"
#include "identifiers.h"
#include "recent.h"

#define EITHER            (GW_KEY_WRITE | GW_KEY_SECRET)
#define COMMAND_BYTES     65536
#define IDENTIFIERS_BYTES 262144

/* ---- what answers are made of: parts, and the literal JSON around them ---- */

#define PARTS(p)   .parts = (p), .n_parts = ARRAY_SIZE(p)
#define MEMBERS(m) .members = (m), .n_members = ARRAY_SIZE(m)

static const struct gw_part_spec state_parts[] = {{"journey_state", "journey-state", false, 0}};
static const struct gw_part_spec touchpoint_parts[] = {
    {"touchpoint", "journey-state", false, 0}, {"journey_state", "journey-state", false, 0}};
static const struct gw_part_spec conversion_parts[] = {
    {"conversion", "journey-state", false, 0}, {"journey_state", "journey-state", false, 0}};
static const struct gw_part_spec session_parts[] = {{"session", "journey-state", false, 0}};
static const struct gw_part_spec page_parts[] = {{"page", "journey-state", false, 0}};
static const struct gw_part_spec end_parts[] = {{"journey_state", "journey-state", false, 0},
                                                {"end_timestamp", "journey-state", false, 0},
                                                {"total_session_time", "journey-state", false, 0}};

static const struct gw_part_spec consents_parts[] = {{"consents", "ingest", false, 0}};

static const struct gw_member start_members[] = {
    {"session_id", GW_FROM_SUBJECT, NULL},
    {"journey_state", GW_FROM_PART, "journey_state"},
    {"personalized_content", GW_CONSTANT, "null"},
};
static const struct gw_member stage_members[] = {
    {"updated_journey_state", GW_FROM_PART, "journey_state"},
    {"personalized_recommendations", GW_CONSTANT, "[]"},
    {"scarcity_triggers", GW_CONSTANT, "[]"},
};
static const struct gw_member touchpoint_members[] = {
    {"touchpoint", GW_FROM_PART, "touchpoint"},
    {"updated_journey_state", GW_FROM_PART, "journey_state"},
    {"personalized_content", GW_CONSTANT, "null"},
    {"scarcity_triggers", GW_CONSTANT, "[]"},
};
static const struct gw_member conversion_members[] = {
    {"conversion", GW_FROM_PART, "conversion"},
    {"updated_journey_state", GW_FROM_PART, "journey_state"},
};
static const struct gw_member session_members[] = {{NULL, GW_FROM_PART, "session"}};
static const struct gw_member page_members[] = {{NULL, GW_FROM_PART, "page"}};
static const struct gw_member consents_members[] = {{NULL, GW_FROM_PART, "consents"}};
static const struct gw_member end_members[] = {
    {"session_id", GW_FROM_SUBJECT, NULL},
    {"journey_state", GW_FROM_PART, "journey_state"},
    {"end_timestamp", GW_FROM_PART, "end_timestamp"},
    {"total_session_time", GW_FROM_PART, "total_session_time"},
};

#define SESSIONS "/api/journey/sessions/"
#define CONSENTS "/api/v1/consents/"
static const struct gw_answer start_answer = {200, PARTS(state_parts), MEMBERS(start_members),
                                              SESSIONS};
static const struct gw_answer stage_answer = {200, PARTS(state_parts), MEMBERS(stage_members),
                                              SESSIONS};
static const struct gw_answer touchpoint_answer = {201, PARTS(touchpoint_parts),
                                                   MEMBERS(touchpoint_members), SESSIONS};
static const struct gw_answer conversion_answer = {201, PARTS(conversion_parts),
                                                   MEMBERS(conversion_members), SESSIONS};
static const struct gw_answer session_answer = {200, PARTS(session_parts),
                                                MEMBERS(session_members)};
static const struct gw_answer page_answer = {200, PARTS(page_parts), MEMBERS(page_members)};
static const struct gw_answer end_answer = {200, PARTS(end_parts), MEMBERS(end_members), SESSIONS};
static const struct gw_answer consents_answer = {200, PARTS(consents_parts),
                                                 MEMBERS(consents_members), CONSENTS};

/* ---- what clients of events expect to hear ---- */

static const struct events_answer answer_ok = {"text/plain; charset=UTF-8",
                                               {(const uint8_t *)"ok", 2}};
/* one transparent pixel */
static const uint8_t pixel[] = {'G',  'I',  'F',  '8',  '9',  'a',  0x01, 0x00, 0x01, 0x00, 0x80,
                                0x00, 0x00, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x21, 0xf9, 0x04,
                                0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x00, 0x01,
                                0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b};
static const struct events_answer answer_pixel = {"image/gif", {pixel, sizeof(pixel)}};

/* ---- the rows ---- */

#define EVENTS_ANSWERED(name, method, path, of, cut_, type, answer_)                               \
    {                                                                                              \
        name, method, path, EITHER, ROUTE_BROWSER, GW_MAX_BATCH_BYTES, events_run,                 \
            .client = GW_CLIENT_##of, .cut = (cut_), .taken = (answer_),                           \
            .event_type = GW_EVENT_##type, .topic = TOPIC_EVENTS                                   \
    }
#define EVENTS(name, path, of, cut_, type)                                                         \
    EVENTS_ANSWERED(name, HTTP_POST, path, of, cut_, type, NULL)
#define SEGMENT(name, path, type) EVENTS(name, path, SEGMENT, gw_cut_segment_one, type)
#define SEGMENT_BATCH(path)       EVENTS("batch", path, SEGMENT, gw_cut_segment_batch, BY_BODY)
#define SNOWPLOW_POST(path, more)                                                                  \
    {                                                                                              \
        "snowplow", HTTP_POST, path, EITHER, ROUTE_BROWSER | (more), GW_MAX_BATCH_BYTES,           \
            events_run, .client = GW_CLIENT_SNOWPLOW, .cut = gw_cut_snowplow_post,                 \
                        .topic = TOPIC_EVENTS, .taken = &answer_ok                                 \
    }
#define SNOWPLOW_GET(path, more)                                                                   \
    {                                                                                              \
        "snowplow_pixel", HTTP_GET, path, EITHER, ROUTE_BROWSER | (more), COMMAND_BYTES,           \
            events_run, .client = GW_CLIENT_SNOWPLOW, .cut = gw_cut_snowplow_get,                  \
                        .topic = TOPIC_EVENTS, .taken = &answer_pixel                              \
    }
#define POSTHOG(method, path, type)                                                                \
    EVENTS_ANSWERED("posthog", method, path, POSTHOG, gw_cut_posthog, type,                        \
                    &gw_answer_posthog_taken)
#define JITSU(path, cut_, type)                                                                    \
    EVENTS_ANSWERED("jitsu", HTTP_POST, path, JITSU, cut_, type, &gw_answer_jitsu_taken)
#define JITSU_CLASSIC(path)                                                                        \
    EVENTS_ANSWERED("jitsu_classic", HTTP_POST, path, JITSU_CLASSIC, gw_cut_jitsu_classic,         \
                    BY_BODY, &gw_answer_jitsu_classic_taken)
/* What is asked at start, and what is taken and thrown away. */
#define CONSTANT(name, method, path, answer_)                                                      \
    {                                                                                              \
        name, method, path, 0, ROUTE_BROWSER, 0, events_constant, .cut = NULL, .taken = &(answer_) \
    }
#define COMMAND(name, method, path, keys, flags, body, to, how, made)                              \
    {                                                                                              \
        name, method, path, keys, flags, COMMAND_BYTES, command_run,                               \
            .schema = (body), .topic = (to), .build = (how), .answer = &(made)                     \
    }
#define LETTERS(name, method, path, how)                                                           \
    {                                                                                              \
        name, method, "/api/v1/dead-letters" path, GW_KEY_SECRET, 0, COMMAND_BYTES, how,           \
            .cut = NULL                                                                            \
    }
#define PAGE(path)                                                                                 \
    {                                                                                              \
        "page", HTTP_GET, path, 0, ROUTE_READ_ONLY, COMMAND_BYTES, recent_page, .cut = NULL        \
    }
#define SESSION SESSIONS "{session_id}"

const struct route routes[] = {
    SEGMENT("track", "/v1/track", TRACK),
    SEGMENT("track", "/v1/t", TRACK),
    SEGMENT_BATCH("/v1/batch"),
    SEGMENT_BATCH("/v1/b"),
    SEGMENT("page", "/v1/page", PAGE),
    SEGMENT("page", "/v1/p", PAGE),
    SEGMENT("screen", "/v1/screen", SCREEN),
    SEGMENT("screen", "/v1/s", SCREEN),
    SEGMENT("identify", "/v1/identify", IDENTIFY),
    SEGMENT("identify", "/v1/i", IDENTIFY),
    SEGMENT("group", "/v1/group", GROUP),
    SEGMENT("group", "/v1/g", GROUP),
    SEGMENT("alias", "/v1/alias", ALIAS),
    SEGMENT("alias", "/v1/a", ALIAS),
    EVENTS("events", "/api/v1/events", API, gw_cut_api_one, BY_BODY),
    EVENTS("events_batch", "/api/v1/events/batch", API, gw_cut_api_batch, BY_BODY),
    {"imports", HTTP_POST, "/api/v1/imports", GW_KEY_SECRET, ROUTE_IMPORT, GW_MAX_BATCH_BYTES,
     events_run, .client = GW_CLIENT_API, .cut = gw_cut_import, .topic = TOPIC_IMPORTS},
    SNOWPLOW_POST("/com.snowplowanalytics.snowplow/tp2", 0),
    SNOWPLOW_POST("/{write_key}/com.snowplowanalytics.snowplow/tp2", ROUTE_PATH_KEY),
    SNOWPLOW_GET("/i", 0),
    SNOWPLOW_GET("/ice.png", 0),
    SNOWPLOW_GET("/{write_key}/i", ROUTE_PATH_KEY),
    SEGMENT_BATCH("/v1/import"),
    SEGMENT_BATCH("/beacon/v1/batch"),
    POSTHOG(HTTP_POST, "/e", BY_BODY),
    POSTHOG(HTTP_GET, "/e", BY_BODY),
    POSTHOG(HTTP_POST, "/i/v0/e", BY_BODY),
    POSTHOG(HTTP_POST, "/capture", BY_BODY),
    POSTHOG(HTTP_POST, "/batch", BY_BODY),
    POSTHOG(HTTP_POST, "/track", BY_BODY),
    POSTHOG(HTTP_POST, "/engage", IDENTIFY),
    JITSU("/api/s/batch", gw_cut_segment_batch, BY_BODY),
    JITSU("/api/s/{type}", gw_cut_segment_one, BY_BODY),
    JITSU("/api/s/s2s/batch", gw_cut_segment_batch, BY_BODY),
    JITSU("/api/s/s2s/{type}", gw_cut_segment_one, BY_BODY),
    JITSU_CLASSIC("/api/v1/event"),
    JITSU_CLASSIC("/api/v1/s2s/event"),
    CONSTANT("sdk_metrics", HTTP_POST, "/v1/m", gw_answer_success),
    CONSTANT("sdk_metrics", HTTP_POST, "/rsaMetrics", gw_answer_success),
    CONSTANT("posthog_discarded", HTTP_POST, "/s", gw_answer_posthog_taken), /* recordings */
    CONSTANT("posthog_discarded", HTTP_POST, "/i/v1/logs", gw_answer_posthog_taken),
    CONSTANT("posthog_discarded", HTTP_POST, "/i/v1/metrics", gw_answer_posthog_taken),
    CONSTANT("posthog_flags", HTTP_POST, "/flags", gw_answer_posthog_flags),
    CONSTANT("posthog_flags", HTTP_POST, "/decide", gw_answer_posthog_flags),
    CONSTANT("posthog_flags", HTTP_GET, "/decide", gw_answer_posthog_flags),
    CONSTANT("posthog_lists", HTTP_GET, "/api/surveys", gw_answer_posthog_lists),
    CONSTANT("posthog_lists", HTTP_GET, "/api/web_experiments", gw_answer_posthog_lists),
    CONSTANT("posthog_lists", HTTP_GET, "/api/product_tours", gw_answer_posthog_lists),
    CONSTANT("posthog_lists", HTTP_GET, "/api/early_access_features", gw_answer_posthog_lists),
    CONSTANT("posthog_lists", HTTP_GET, "/api/feature_flag/local_evaluation",
             gw_answer_posthog_lists),
    CONSTANT("posthog_lists", HTTP_GET, "/flags/definitions", gw_answer_posthog_lists),
    {"posthog_config", HTTP_GET, "/array/{token}/config", EITHER, ROUTE_BROWSER | ROUTE_PATH_KEY,
     COMMAND_BYTES, events_posthog_config, .cut = NULL},
    {"posthog_config", HTTP_GET, "/array/{token}/config.js", EITHER, ROUTE_BROWSER | ROUTE_PATH_KEY,
     COMMAND_BYTES, events_posthog_script, .cut = NULL},
    {"posthog_static", HTTP_GET, "/static/{file}", 0, ROUTE_BROWSER, COMMAND_BYTES, events_absent,
     .cut = NULL},
    {"posthog_static", HTTP_GET, "/static/{version}/{file}", 0, ROUTE_BROWSER, COMMAND_BYTES,
     events_absent, .cut = NULL},
    {"rudder_source", HTTP_GET, "/sourceConfig", EITHER, ROUTE_BROWSER | ROUTE_CLIENT_KEY,
     COMMAND_BYTES, events_constant, .cut = NULL, .taken = &gw_answer_rudder_source},
    {"sdk_settings", HTTP_GET, "/v1/projects/{write_key}/settings", EITHER,
     ROUTE_BROWSER | ROUTE_PATH_KEY, COMMAND_BYTES, events_settings, .cut = NULL},
    COMMAND("start", HTTP_POST, SESSIONS "start", EITHER, ROUTE_BROWSER, &gw_start_body,
            TOPIC_COMMANDS_INGEST, build_start, start_answer),
    COMMAND("get", HTTP_GET, SESSION, GW_KEY_SECRET, ROUTE_READ_ONLY, NULL,
            TOPIC_COMMANDS_JOURNEY_STATE, build_get, session_answer),
    COMMAND("stage", HTTP_PUT, SESSION "/stage", GW_KEY_SECRET, 0, &gw_stage_body,
            TOPIC_COMMANDS_JOURNEY_STATE, build_stage, stage_answer),
    COMMAND("list_touchpoints", HTTP_GET, SESSION "/touchpoints", GW_KEY_SECRET, ROUTE_READ_ONLY,
            NULL, TOPIC_COMMANDS_JOURNEY_STATE, build_list, page_answer),
    COMMAND("touchpoint", HTTP_POST, SESSION "/touchpoints", EITHER, ROUTE_BROWSER,
            &gw_touchpoint_body, TOPIC_COMMANDS_JOURNEY_STATE, build_touchpoint, touchpoint_answer),
    COMMAND("conversion", HTTP_POST, SESSION "/conversions", EITHER, ROUTE_BROWSER,
            &gw_conversion_body, TOPIC_COMMANDS_JOURNEY_STATE, build_conversion, conversion_answer),
    COMMAND("end", HTTP_POST, SESSION "/end", EITHER, ROUTE_BROWSER, &gw_end_body,
            TOPIC_COMMANDS_JOURNEY_STATE, build_end, end_answer),
    {"recent", HTTP_GET, "/api/v1/events/recent", GW_KEY_SECRET, ROUTE_READ_ONLY, COMMAND_BYTES,
     recent_run, .cut = NULL},
    PAGE("/events"),
    PAGE("/events.css"),
    PAGE("/events.js"),
    LETTERS("dead_letters", HTTP_GET, "", dead_letters_list),
    LETTERS("dead_letter", HTTP_GET, "/{id}", dead_letters_show),
    LETTERS("dead_letters_replay", HTTP_POST, "/replay", dead_letters_replay_many),
    LETTERS("dead_letters_drop", HTTP_POST, "/drop", dead_letters_drop_many),
    LETTERS("dead_letter_replay", HTTP_POST, "/{id}/replay", dead_letters_replay),
    LETTERS("dead_letter_drop", HTTP_POST, "/{id}/drop", dead_letters_drop),
    {"resolve", HTTP_POST, "/api/v1/identifiers/resolve", GW_KEY_SECRET, ROUTE_READ_ONLY,
     IDENTIFIERS_BYTES, identifiers_resolve, .cut = NULL},
    COMMAND("set_consent", HTTP_POST, "/api/v1/consents", EITHER, ROUTE_BROWSER, &gw_consent_body,
            TOPIC_COMMANDS_INGEST, build_set_consent, consents_answer),
    COMMAND("get_consents", HTTP_GET, "/api/v1/consents", GW_KEY_SECRET, ROUTE_READ_ONLY, NULL,
            TOPIC_COMMANDS_INGEST, build_get_consents, consents_answer),
    COMMAND("get_consents", HTTP_GET, CONSENTS "{subject}", GW_KEY_SECRET, ROUTE_READ_ONLY, NULL,
            TOPIC_COMMANDS_INGEST, build_get_consents, consents_answer),
};
const unsigned n_routes = ARRAY_SIZE(routes);

const struct route *route_find(enum http_method method, struct slice path, struct arena *arena,
                               struct slice parameters[2], unsigned *allowed, bool *browser)
{
    unsigned methods = 0;
    bool any_browser = false;
    if (path.size > 1 && path.data[path.size - 1] == '/') /* as some clients write it */
        path.size--;
    for (unsigned i = 0; i < n_routes; i++) {
        struct slice found[2] = {{NULL, 0}, {NULL, 0}};
        if (!http_path_match(routes[i].pattern, path, arena, found, 2))
            continue;
        if (routes[i].method == method) {
            memcpy(parameters, found, sizeof(found));
            return &routes[i];
        }
        methods |= routes[i].method;
        any_browser = any_browser || (routes[i].flags & ROUTE_BROWSER);
    }
    *allowed = methods;
    *browser = any_browser;
    return NULL;
}
