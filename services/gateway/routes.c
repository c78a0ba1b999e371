#include "routes.h"
#include "commands.h"
#include "events.h"

#define EITHER        (GW_KEY_WRITE | GW_KEY_SECRET)
#define COMMAND_BYTES 65536

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

/* ---- the rows ---- */

#define EVENTS(name, path, of, cut_, type)                                                         \
    {                                                                                              \
        name, HTTP_POST, path, EITHER, ROUTE_BROWSER, GW_MAX_BATCH_BYTES, events_run,              \
            .client = GW_CLIENT_##of, .cut = (cut_), .event_type = GW_EVENT_##type                 \
    }
#define SEGMENT(name, path, type) EVENTS(name, path, SEGMENT, gw_cut_segment_one, type)
#define SEGMENT_BATCH(path)       EVENTS("batch", path, SEGMENT, gw_cut_segment_batch, BY_BODY)
#define COMMAND(name, method, path, keys, flags, body, to, how, made)                              \
    {                                                                                              \
        name, method, path, keys, flags, COMMAND_BYTES, command_run,                               \
            .schema = (body), .topic = (to), .build = (how), .answer = &(made)                     \
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
    EVENTS("events", "/api/v1/events", API, gw_cut_segment_one, BY_BODY),
    EVENTS("events_batch", "/api/v1/events/batch", API, gw_cut_segment_batch, BY_BODY),
    {"sdk_metrics", HTTP_POST, "/v1/m", 0, ROUTE_BROWSER, GW_MAX_BATCH_BYTES, events_discard,
     .cut = NULL},
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
