/* The service as the runtime sees it: what it reads, keeps, looks up and says. */
#include "journey_state.h"
#include "record.h"
#include "tables.h"
#include "topics.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"

const struct stream_state journey_sessions_state = {
    .name = "session",
    .table = &sessions_table,
    .type = &journey__v1__session_record__descriptor,
    .project = record_project,
    .due = journey_due,
};

static const struct stream_state *const states[] = {&journey_sessions_state};

static const struct stream_input inputs[] = {
    {
        .topic = TOPIC_ACCEPTED,
        .lane = BUS_LANE_EVENTS,
        .type = &journey__v1__accepted__descriptor,
        .state = &journey_sessions_state,
        .key = journey_event_key,
        .needs = journey_event_needs,
        .decide = journey_event_decide,
    },
    {
        .topic = TOPIC_COMMANDS_JOURNEY_STATE,
        .lane = BUS_LANE_COMMANDS,
        .type = &journey__v1__command__descriptor,
        .state = &journey_sessions_state,
        .key = journey_command_key,
        .needs = journey_command_needs,
        .decide = journey_command_decide,
    },
};

static const struct stream_counter counters[JOURNEY_COUNTERS] = {
    [JOURNEY_COUNT_TOUCHPOINTS] = {"journey_touchpoint_events", NULL, "touchpoints written"},
    [JOURNEY_COUNT_CONVERSIONS] = {"journey_conversions", NULL, "conversions counted"},
    [JOURNEY_COUNT_TRANSITIONS] = {"journey_stage_transitions", NULL, "changes of stage"},
    [JOURNEY_COUNT_FORGOTTEN] = {"journey_sessions_forgotten", NULL,
                                 "sessions without consent to analytics whose rows are gone"},
};

static const int publishes[] = {TOPIC_TOUCHPOINTS, TOPIC_STATES};

const struct stream_service journey_state_service = {
    .name = "journey-state",
    .schema = "journey",
    .inputs = inputs,
    .n_inputs = ARRAY_SIZE(inputs),
    .states = states,
    .n_states = ARRAY_SIZE(states),
    .tables = journey_tables,
    .n_tables = ARRAY_SIZE(journey_tables),
    .mirrors = &stream_settings_mirror,
    .n_mirrors = 1,
    .counters = counters,
    .n_counters = ARRAY_SIZE(counters),
    .publishes = publishes,
    .n_publishes = ARRAY_SIZE(publishes),
};
